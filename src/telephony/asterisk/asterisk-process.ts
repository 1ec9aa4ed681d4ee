// Runs a private Asterisk: starts it or adopts the one that runs, restarts and stops it by its pid.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock, Timer } from '../../clock.ts';
import { FloorError } from '../../errors.ts';
import type { Owner } from './asterisk-config.ts';

export interface AsteriskLaunch {
  /** The command of the set-up record: the tree's own loader, library path and binary. */
  command: readonly string[];
  /** Path of asterisk.conf, as writePrivateConfig() returns it. */
  configFile: string;
  /** User and group to run as; needed as root, impossible otherwise. */
  owner?: Owner;
}

export interface RunningAsterisk {
  /** Pid of the process that runs now; undefined between a crash and the restart. */
  pid(): number | undefined;
  /** Ends Asterisk (its calls with it) and does not start it again. */
  stop(): Promise<void>;
}

export const processLimits = {
  bootMs: 20_000,
  bootLookMs: 100,
  /** A crash is noticed and a restart begun within this time. */
  watchMs: 250,
  /** One that ends at once is not started again before this has passed. */
  restartMs: 2000,
  /** After this long SIGTERM has not worked: with calls up it takes over five seconds. */
  termMs: 8000,
  killMs: 4000,
} as const;

/** Recordings are shared with the daemon by group; nothing is for others. */
const umask = '0007';

/**
 * Makes sure that Asterisk runs and has booted, and starts it again whenever it ends. One that was
 * left by a daemon that died is adopted: it still holds calls, and they are being recorded.
 * Throws FloorError `asterisk.not-booted`.
 */
export async function runAsterisk(launch: AsteriskLaunch, clock: Clock): Promise<RunningAsterisk> {
  let pid = await findRunning(launch);
  const adopted = pid !== undefined;
  pid ??= start(launch);
  await untilBooted(launch, pid, clock);
  // The configuration may have been written anew since it was started.
  if (adopted) await tell(launch, 'core reload');
  let watch: Timer | undefined;
  let stopping = false;

  function look(): void {
    if (stopping) return;
    let pauseMs: number = processLimits.watchMs;
    if (pid === undefined || !isAlive(pid)) {
      pid = start(launch);
      pauseMs = processLimits.restartMs;
    }
    watch = clock.after(pauseMs, look);
  }
  look();

  return {
    pid: () => (pid !== undefined && isAlive(pid) ? pid : undefined),
    async stop() {
      stopping = true;
      watch?.cancel();
      if (pid !== undefined) await end(pid, clock);
    },
  };
}

/** Ends it by pid only: its process bears the loader's name, not Asterisk's. */
async function end(pid: number, clock: Clock): Promise<void> {
  signal(pid, 'SIGTERM');
  if (await untilGone(pid, clock, processLimits.termMs)) return;
  signal(pid, 'SIGKILL');
  if (await untilGone(pid, clock, processLimits.killMs)) return;
  throw new FloorError('asterisk.not-ended', `pid ${pid}`);
}

function start({ command, configFile, owner }: AsteriskLaunch): number {
  // Output goes to a file, not to a pipe: Asterisk outlives a daemon that is killed.
  const output = openSync(join(homeOf(configFile), 'log/output.log'), 'a', 0o600);
  const words = [...withoutRights(owner), ...command, '-C', configFile, '-f', '-n'];
  const child = spawn('/bin/sh', ['-c', `umask ${umask}; exec "$@"`, 'asterisk', ...words], {
    detached: true,
    stdio: ['ignore', output, output],
    cwd: homeOf(configFile),
    // The daemon's environment may hold secrets of its own.
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' },
  });
  closeSync(output);
  child.unref();
  if (child.pid === undefined) throw new FloorError('asterisk.not-booted', 'It can not be run.');
  return child.pid;
}

/** Gives up root and every way back to it; the pid stays, since setpriv replaces itself. */
function withoutRights(owner: Owner | undefined): string[] {
  if (owner === undefined) return [];
  const ids = [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'];
  return ['setpriv', ...ids, '--no-new-privs', '--inh-caps=-all', '--bounding-set=-all'];
}

const homeOf = (configFile: string) => dirname(dirname(configFile));

/** A pid file alone proves nothing, since pids are used again: the command line must name us. */
async function findRunning({ configFile }: AsteriskLaunch): Promise<number | undefined> {
  const file = join(homeOf(configFile), 'run/asterisk.pid');
  const pid = Number((await readFile(file, 'utf8').catch(() => '')).trim());
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
  return words.includes(configFile) ? pid : undefined;
}

async function untilBooted(launch: AsteriskLaunch, pid: number, clock: Clock): Promise<void> {
  const deadlineMs = clock.uptimeMs() + processLimits.bootMs;
  while (clock.uptimeMs() < deadlineMs) {
    if (!isAlive(pid)) break;
    if ((await tell(launch, 'core waitfullybooted')).includes('fully booted')) return;
    await pause(clock, processLimits.bootLookMs);
  }
  const log = join(homeOf(launch.configFile), 'log/messages.log');
  throw new FloorError('asterisk.not-booted', `See ${log} and output.log beside it.`);
}

/** Speaks through the command line client, over the control socket in the run folder. */
function tell({ command, configFile }: AsteriskLaunch, words: string): Promise<string> {
  const [program, ...rest] = command;
  const args = [...rest, '-C', configFile, '-rx', words];
  const child = spawn(program ?? '', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  return new Promise((resolve) => {
    // Not to be run at all is not to have booted, which untilBooted() tells.
    child.once('error', () => resolve(''));
    child.once('close', () => resolve(said));
  });
}

const pause = (clock: Clock, ms: number) =>
  new Promise<void>((resolve) => {
    clock.after(ms, resolve);
  });

async function untilGone(pid: number, clock: Clock, limitMs: number): Promise<boolean> {
  const deadlineMs = clock.uptimeMs() + limitMs;
  while (isAlive(pid)) {
    if (clock.uptimeMs() > deadlineMs) return false;
    await pause(clock, processLimits.bootLookMs);
  }
  return true;
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch (cause) {
    // It has ended by itself, which is what was wanted.
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ESRCH')) throw cause;
  }
}

/** One that ended and waits for its parent is dead too: a container's init may not collect it. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The state follows the name, which may hold any character (proc(5)).
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}
