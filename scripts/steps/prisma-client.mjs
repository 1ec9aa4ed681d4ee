// Generates the database client from prisma/schema.prisma without downloading Prisma's engine.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { runCommand } from './run-command.mjs';
import { digestOf, isStamped, stamp } from './stamps.mjs';

const stampName = 'prisma';
const schema = join(root, 'prisma/schema.prisma');
const output = join(root, 'src/store/generated');

function digest() {
  return digestOf([], [schema, join(root, 'prisma.config.ts'), join(root, 'package-lock.json')]);
}

export const prismaClient = {
  name: 'Database client',
  needed: () => existsSync(schema) && !(existsSync(output) && isStamped(stampName, digest())),
  make() {
    const env = {
      ...process.env,
      // `generate` only asks this program for its version; the real one would be downloaded.
      PRISMA_SCHEMA_ENGINE_BINARY: join(root, 'scripts/schema-engine-stub.sh'),
      CHECKPOINT_DISABLE: '1',
    };
    const command = join(root, 'node_modules/prisma/build/index.js');
    runCommand([process.execPath, command, 'generate'], { cwd: root, env });
    stamp(stampName, digest());
    return 'generated';
  },
};
