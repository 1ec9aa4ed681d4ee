// Installs exactly the locked npm packages; better-sqlite3 is compiled, not downloaded as a binary.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { headersFolder, npmCommand } from './right-node.mjs';
import { runCommand } from './run-command.mjs';
import { digestOf, isStamped, stamp } from './stamps.mjs';

const stampName = 'npm';

function digest() {
  // A compiled module fits one module ABI and one architecture only.
  const words = [process.versions.modules, process.arch];
  return digestOf(words, [join(root, 'package.json'), join(root, 'package-lock.json')]);
}

export const npmPackages = {
  name: 'npm packages',
  needed: () => !(existsSync(join(root, 'node_modules')) && isStamped(stampName, digest())),
  make() {
    const env = {
      ...process.env,
      npm_config_nodedir: headersFolder(),
      npm_config_build_from_source: 'true',
      JOBS: 'max',
      // `npm run --silent` would hand its silence down, and an error would have no words.
      npm_config_loglevel: 'warn',
    };
    runCommand([...npmCommand(), 'ci'], { cwd: root, env });
    stamp(stampName, digest());
    return 'installed';
  },
};
