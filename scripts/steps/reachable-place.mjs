// Where root runs Gatehouse when other users cannot read the checkout, as in root's own home.
//
// Started by root, the daemon and Asterisk give up root's rights; from then on both must still
// read program and modules. So the sources are copied to a place that all may read, everything
// that set-up makes is made there, and the script goes on there.
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './paths.mjs';
import { runCommand } from './run-command.mjs';

const places = '/var/cache/gatehouse';
const originFile = '.origin';
const madeByScripts = ['.cache', '.demo', 'coverage', 'dist', 'node_modules'];

/** The first folder from `path` upwards that other users may not pass, or undefined. */
export function blockedFolder(path) {
  if ((statSync(path).mode & 0o005) !== 0o005) return path;
  for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) {
    if ((statSync(dirname(folder)).mode & 0o001) === 0) return dirname(folder);
  }
  return undefined;
}

/** Places whose checkout is gone would otherwise pile up, half a gigabyte each. */
function removeOrphans() {
  for (const name of readdirSync(places)) {
    const file = join(places, name, originFile);
    const orphan = existsSync(file) && !existsSync(readFileSync(file, 'utf8'));
    if (orphan) rmSync(join(places, name), { recursive: true });
  }
}

/** Brings the copy up to date and returns its folder; undefined where none is needed. */
export function reachablePlace() {
  if (process.getuid() !== 0) return undefined;
  process.umask(0o022);
  const blocked = blockedFolder(root);
  if (!blocked) return undefined;
  const name = createHash('sha256').update(root).digest('hex').slice(0, 12);
  const place = join(places, name);
  process.stdout.write(`  ${blocked} is closed to other users: going on in ${place}\n`);
  mkdirSync(place, { recursive: true });
  removeOrphans();
  for (const old of readdirSync(place)) {
    if (!madeByScripts.includes(old)) rmSync(join(place, old), { recursive: true });
  }
  for (const entry of readdirSync(root)) {
    if (entry === '.git' || madeByScripts.includes(entry)) continue;
    cpSync(join(root, entry), join(place, entry), { recursive: true });
    runCommand(['chmod', '-R', 'go+rX', join(place, entry)]);
  }
  writeFileSync(join(place, originFile), root);
  return place;
}
