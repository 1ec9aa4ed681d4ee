// Where root runs Gatehouse when other users cannot read the checkout, as in root's own home.
//
// Started by root, the daemon and Asterisk give up root's rights; from then on both must still
// read program and modules. So the sources are copied to a place that all may read, everything
// that set-up makes is made there, and the script goes on there.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
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

const places = '/var/cache/gatehouse';
const originFile = '.origin';
/** Neither copied nor removed: made by the scripts, on either side, or of no use over there. */
const leftAlone = [
  '.git',
  '.cache',
  '.demo',
  'coverage',
  'dist',
  'node_modules',
  'src/store/generated',
  originFile,
];

/** The first folder from `path` upwards that other users may not pass, or undefined. */
export function blockedFolder(path) {
  if ((statSync(path).mode & 0o005) !== 0o005) return path;
  for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) {
    if ((statSync(dirname(folder)).mode & 0o001) === 0) return dirname(folder);
  }
  return undefined;
}

function sameFile(from, to) {
  return existsSync(to) && readFileSync(from).equals(readFileSync(to));
}

/**
 * Makes `to` hold the files of `from`, readable by all. Files that are the same stay untouched:
 * a program that runs there must not lose its sources because another one starts.
 */
export function mirrorSources(from, to, below = '') {
  const names = readdirSync(join(from, below)).filter((n) => !leftAlone.includes(join(below, n)));
  mkdirSync(join(to, below), { recursive: true });
  for (const name of readdirSync(join(to, below))) {
    const path = join(below, name);
    const gone = !names.includes(name) && !leftAlone.includes(path);
    if (gone) rmSync(join(to, path), { recursive: true });
  }
  for (const path of names.map((name) => join(below, name))) {
    const [source, copy] = [join(from, path), join(to, path)];
    const facts = statSync(source);
    if (facts.isDirectory()) {
      mirrorSources(from, to, path);
      continue;
    }
    if (!sameFile(source, copy)) copyFileSync(source, copy);
    chmodSync(copy, facts.mode & 0o100 ? 0o755 : 0o644);
  }
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
  // What set-up makes from here on must be readable by the users that the programs run as.
  process.umask(0o022);
  const blocked = blockedFolder(root);
  if (!blocked) return undefined;
  const name = createHash('sha256').update(root).digest('hex').slice(0, 12);
  const place = join(places, name);
  process.stdout.write(`  ${blocked} is closed to other users: going on in ${place}\n`);
  mirrorSources(root, place);
  writeFileSync(join(place, originFile), root);
  removeOrphans();
  return place;
}
