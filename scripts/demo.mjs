// `npm run demo`: set-up, then a whole floor on this machine; its arguments go to the program.
import { join } from 'node:path';
import { enter } from './steps/enter.mjs';
import { root } from './steps/paths.mjs';
import { runInForeground } from './steps/run-command.mjs';
import { setUp } from './steps/set-up.mjs';

await enter(async (args) => {
  await setUp();
  const program = join(root, 'dist/src/main.js');
  return runInForeground([process.execPath, program, 'demo', ...args], { cwd: root });
});
