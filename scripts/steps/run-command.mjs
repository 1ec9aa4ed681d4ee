// Runs outside commands: in silence with a log, or in the foreground in this process's place.
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { logFile } from './paths.mjs';

const maxOutputBytes = 64 * 1024 * 1024;
const tailLines = 25;

/** What stops a step, in words for the user: what is wrong and, where there is one, the way out. */
export class SetUpError extends Error {}

/**
 * Runs a command without a shell and waits for its end; its output goes to the log.
 * Returns {status, stdout, stderr}; a command that cannot be started is a SetUpError.
 */
export function tryCommand(argv, { cwd, env } = {}) {
  const [file, ...args] = argv;
  const run = spawnSync(file, args, {
    cwd,
    env: env ?? process.env,
    encoding: 'utf8',
    maxBuffer: maxOutputBytes,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (run.error) throw new SetUpError(`cannot run ${file}: ${run.error.message}`);
  mkdirSync(dirname(logFile), { recursive: true });
  appendFileSync(logFile, `\n$ ${argv.join(' ')}\n${run.stdout}${run.stderr}`);
  return { status: run.status ?? run.signal, stdout: run.stdout, stderr: run.stderr };
}

/** The same for a command that must succeed; returns its standard output. */
export function runCommand(argv, options) {
  const { status, stdout, stderr } = tryCommand(argv, options);
  if (status === 0) return stdout;
  const tail = `${stdout}${stderr}`.trimEnd().split('\n').slice(-tailLines).join('\n');
  throw new SetUpError(`${basename(argv[0])} ended with ${status}:\n${tail}\n(all: ${logFile})`);
}

/**
 * Runs a command in the foreground with our standard streams; the promise holds its exit code.
 * Signals reach it too. A terminal already sends Ctrl-C to both, so that one is not sent twice.
 */
export function runInForeground(argv, { cwd, env } = {}) {
  const [file, ...args] = argv;
  const child = spawn(file, args, { cwd, env: env ?? process.env, stdio: 'inherit' });
  const forward = (signal) => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, forward);
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new SetUpError(`cannot run ${file}: ${error.message}`)));
    child.on('exit', (code, signal) => {
      for (const name of signals) process.off(name, forward);
      if (signal) process.kill(process.pid, signal);
      resolve(code ?? 1);
    });
  });
}
