// Where set-up keeps what it makes: every download stays below .cache/, which git ignores.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const cache = join(root, '.cache');
export const logFile = join(cache, 'set-up.log');
export const asteriskFolder = join(cache, 'asterisk');
export const asteriskRecord = join(asteriskFolder, 'set-up.json');
export const stamps = join(cache, 'stamps.json');
