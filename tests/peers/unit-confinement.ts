// The confinement of the daemon's unit without systemd: its system call filters and no rights.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const fileOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const unit = readFileSync(fileOf('../../systemd/gatehouse.service'), 'utf8');
/** What confine.c does whatever the unit says; so the unit has to say it. */
const fixed = [
  'SystemCallArchitectures=native',
  'SystemCallErrorNumber=EPERM',
  'RestrictSUIDSGID=yes',
  'RestrictNamespaces=yes',
  'NoNewPrivileges=yes',
  'CapabilityBoundingSet=',
];

const valuesOf = (key: string) =>
  [...unit.matchAll(new RegExp(`^${key}=(.+)$`, 'gm'))].map(([, value = '']) => value.split(' '));

/** System calls of a group, as this systemd knows it; anything else is a call itself. */
function callsOf(word: string): string[] {
  if (!word.startsWith('@')) return [word];
  const text = execFileSync('systemd-analyze', ['syscall-filter', word], { encoding: 'utf8' });
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap(callsOf);
}

/** Lines of SystemCallFilter= in their order; `@default` is always in a list of what is allowed. */
export function allowedCalls(): string[] {
  const allowed = new Set(callsOf('@default'));
  for (const [first = '', ...rest] of valuesOf('SystemCallFilter')) {
    const takes = first.startsWith('~');
    for (const call of [first.replace('~', ''), ...rest].flatMap(callsOf)) {
      if (takes) allowed.delete(call);
      else allowed.add(call);
    }
  }
  return [...allowed].sort();
}

export interface DaemonUser {
  uid: number;
  gid: number;
  /** The group that is shared with Asterisk. */
  sharedGid: number;
}

/**
 * Builds the confinement in `folder`; returns the words that stand before a command. The `user` is
 * for root only, as the unit's User= is.
 */
export function buildConfinement(folder: string, user?: DaemonUser): string[] {
  for (const line of fixed) {
    if (!unit.includes(`\n${line}\n`)) throw new Error(`the unit does not say ${line}`);
  }
  const names = allowedCalls().map((name) => `#ifdef __NR_${name}\n__NR_${name},\n#endif\n`);
  writeFileSync(join(folder, 'names.h'), names.join(''));
  const families = valuesOf('RestrictAddressFamilies').flat();
  writeFileSync(join(folder, 'families.h'), families.map((name) => `${name},\n`).join(''));
  const program = join(folder, 'confine');
  execFileSync('cc', ['-Wall', '-Werror', '-I', folder, '-o', program, fileOf('confine.c')]);
  const asUser =
    user === undefined
      ? []
      : [`--reuid=${user.uid}`, `--regid=${user.gid}`, `--groups=${user.sharedGid}`];
  const rights = user === undefined ? [] : ['--bounding-set=-all'];
  return ['setpriv', ...asUser, ...rights, '--inh-caps=-all', '--no-new-privs', program];
}
