// `npm test`: set-up, style, types, then every test; `--fast` leaves out what needs Asterisk.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { enter } from './steps/enter.mjs';
import { cache, root } from './steps/paths.mjs';
import { runInForeground, SetUpError } from './steps/run-command.mjs';
import { setUp } from './steps/set-up.mjs';

const results = join(cache, 'test-results.json');
const allProjects = ['fast', 'simulation', 'real'];

/** Runs a tool of ours in the foreground and counts it as one test. */
async function runTool(title, ...argv) {
  process.stdout.write(`\n${title}\n`);
  const code = await runInForeground([process.execPath, ...argv], { cwd: root });
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** Runs the projects; a run that ends badly without a failed test still counts as a failure. */
async function runTests(projects) {
  rmSync(results, { force: true });
  const reports = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`];
  const chosen = projects.flatMap((name) => ['--project', name]);
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const run = await runTool('tests', vitest, 'run', ...reports, ...chosen);
  if (!existsSync(results)) return { passed: 0, failed: 1 };
  const { numPassedTests: passed, numFailedTests: failed } = JSON.parse(
    readFileSync(results, 'utf8'),
  );
  return { passed, failed: Math.max(failed, run.failed) };
}

await enter(async (args) => {
  const unknown = args.find((arg) => arg !== '--fast');
  if (unknown) throw new SetUpError(`npm test knows only --fast, not ${unknown}`);
  const fast = args.includes('--fast');
  await setUp({ build: !fast });
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const memory = ['--incremental', '--tsBuildInfoFile', join(cache, 'types.json')];
  const counts = [
    await runTool('style', join(root, 'node_modules/@biomejs/biome/bin/biome'), 'check', '.'),
    await runTool('types', compiler, '--noEmit', ...memory),
    await runTests(fast ? ['fast'] : allProjects),
  ];
  const sum = (key) => counts.reduce((total, count) => total + count[key], 0);
  process.stdout.write(`\n${sum('passed')} passed, ${sum('failed')} failed\n`);
  return sum('failed') === 0 ? 0 : 1;
});
