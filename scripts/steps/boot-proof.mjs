// Proves that the private Asterisk boots: starts it without rights, asks it, stops it by its pid.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { runCommand, SetUpError, tryCommand } from './run-command.mjs';

const bootLimitMs = 30_000;
const stopLimitMs = 10_000;
const pollMs = 100;
const nobody = 65534;
/** These open fixed ports on all addresses without being asked. */
const listeners = ['chan_iax2', 'chan_unistim', 'chan_ooh323', 'pbx_dundi', 'res_pktccops'];

/**
 * The command that gives up every right of root before anything of it runs; its pid stays the
 * same, since setpriv replaces itself. Any other user's command stays as it is.
 */
export function withoutRoot(command, { uid, gid }) {
  if (process.getuid() !== 0) return command;
  const rights = ['--clear-groups', '--no-new-privs', '--inh-caps=-all', '--bounding-set=-all'];
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, ...rights, ...command];
}

function writeConfig(folder, { modules, data, tree }) {
  const place = (key, name) => {
    const path = join(folder, name);
    mkdirSync(path, { recursive: true });
    return `${key} => ${path}`;
  };
  const lines = [
    '[directories]',
    place('astetcdir', 'etc'),
    `astmoddir => ${modules}`,
    `astdatadir => ${data}`,
    `astsbindir => ${join(tree, 'usr/sbin')}`,
    ...['varlib', 'db', 'key', 'agi', 'spool', 'run', 'log'].map((name) =>
      place(`ast${name}dir`, name),
    ),
  ];
  const etc = join(folder, 'etc');
  const refused = listeners.map((name) => `noload = ${name}.so`);
  writeFileSync(join(etc, 'asterisk.conf'), `${lines.join('\n')}\n`);
  writeFileSync(join(etc, 'modules.conf'), `[modules]\nautoload = yes\n${refused.join('\n')}\n`);
  writeFileSync(join(etc, 'logger.conf'), '[logfiles]\n');
  if (process.getuid() === 0) runCommand(['chown', '-R', `${nobody}:${nobody}`, folder]);
  return join(etc, 'asterisk.conf');
}

async function stop(asterisk) {
  if (asterisk.exitCode !== null || asterisk.signalCode !== null) return;
  asterisk.kill('SIGTERM');
  const cut = new AbortController();
  const late = pause(stopLimitMs, 'late', { signal: cut.signal }).catch(() => 'ended');
  if ((await Promise.race([once(asterisk, 'exit'), late])) === 'late') asterisk.kill('SIGKILL');
  cut.abort();
}

/** Boots the Asterisk at these places; returns {bootMs, modules, uid} or throws SetUpError. */
export async function proveBoot(places) {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-boot-'));
  const config = writeConfig(folder, places);
  const user = { uid: nobody, gid: nobody };
  const [file, ...args] = withoutRoot([...places.launch, '-C', config, '-f', '-n'], user);
  const startMs = performance.now();
  const asterisk = spawn(file, args, { stdio: 'ignore', cwd: folder });
  const ask = (words) => tryCommand([...places.launch, '-C', config, '-rx', words]).stdout;
  try {
    while (!ask('core waitfullybooted').includes('fully booted')) {
      if (asterisk.exitCode !== null)
        throw new SetUpError(`Asterisk ended with ${asterisk.exitCode}`);
      if (performance.now() - startMs > bootLimitMs) throw new SetUpError('Asterisk did not boot');
      await pause(pollMs);
    }
    const bootMs = Math.round(performance.now() - startMs);
    const loaded = /^(\d+) modules loaded/m.exec(ask('module show'))?.[1];
    const uid = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${asterisk.pid}/status`, 'utf8'))?.[1];
    return { bootMs, modules: Number(loaded), uid: Number(uid) };
  } finally {
    await stop(asterisk);
    rmSync(folder, { recursive: true, force: true });
  }
}
