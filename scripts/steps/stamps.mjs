// Remembers what each step was last made from, so that a second run has nothing to do.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { cache, root, stamps } from './paths.mjs';

function readStamps() {
  return existsSync(stamps) ? JSON.parse(readFileSync(stamps, 'utf8')) : {};
}

/** SHA-256 over the words and then the contents of the files, each set apart by its length. */
export function digestOf(words, files) {
  const hash = createHash('sha256');
  // Names from the checkout's root: a moved checkout stays as fresh as it was.
  const parts = files.flatMap((file) => [relative(root, file), readFileSync(file)]);
  for (const part of [...words, ...parts]) {
    hash.update(`${part.length}:`).update(part);
  }
  return hash.digest('hex');
}

/** True where step `name` was finished from exactly these ingredients. */
export function isStamped(name, digest) {
  return readStamps()[name] === digest;
}

/** Notes a finished step; the rename keeps the file whole if the machine stops here. */
export function stamp(name, digest) {
  mkdirSync(cache, { recursive: true });
  writeFileSync(`${stamps}.partial`, JSON.stringify({ ...readStamps(), [name]: digest }, null, 2));
  renameSync(`${stamps}.partial`, stamps);
}
