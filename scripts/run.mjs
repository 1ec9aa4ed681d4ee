// `node scripts/run.mjs FILE.ts [arguments]`: set-up where needed, then the source file itself.
import { join } from 'node:path';
import { enter } from './steps/enter.mjs';
import { root } from './steps/paths.mjs';
import { runInForeground, SetUpError } from './steps/run-command.mjs';
import { setUp } from './steps/set-up.mjs';

await enter(async ([file, ...args]) => {
  if (!file) throw new SetUpError('which file? node scripts/run.mjs FILE.ts [arguments]');
  await setUp({ quiet: true, build: false });
  const runner = join(root, 'node_modules/tsx/dist/cli.mjs');
  return runInForeground([process.execPath, runner, file, ...args], { cwd: root });
});
