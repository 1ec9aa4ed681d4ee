// Compiles src/ to dist/, once for each state of the sources.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { runCommand } from './run-command.mjs';
import { digestOf, isStamped, stamp } from './stamps.mjs';

const stampName = 'build';
const output = join(root, 'dist');

function digest() {
  const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
  const settings = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
  return digestOf([], [...settings.map((name) => join(root, name)), ...sources]);
}

export const builtProgram = {
  name: 'Program',
  needed: () => !(existsSync(output) && isStamped(stampName, digest())),
  make() {
    const made = digest();
    rmSync(output, { recursive: true, force: true });
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    runCommand([process.execPath, compiler, '-p', 'tsconfig.build.json'], { cwd: root });
    stamp(stampName, made);
    return 'built to dist/';
  },
};
