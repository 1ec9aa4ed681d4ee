// Runs the steps of set-up and says what they do: one line each, with the time it took.
import { performance } from 'node:perf_hooks';

/**
 * A step is {name, needed(), make(), words?()}: `needed` answers fast and offline, `make` does the
 * work and returns words about its result, `words` tells what is there when nothing was needed.
 * With `quiet`, steps that have nothing to do say nothing.
 */
export async function runSteps(steps, { quiet }) {
  for (const { name, needed, make, words } of steps) {
    if (!needed()) {
      if (!quiet) process.stdout.write(`  ${name}: ${words?.() ?? 'ready'}\n`);
      continue;
    }
    const startMs = performance.now();
    process.stdout.write(`  ${name} … `);
    const result = await make();
    process.stdout.write(`${result} (${((performance.now() - startMs) / 1000).toFixed(1)} s)\n`);
  }
}

/** A warning that must not be overlooked: framed, on standard error. */
export function warnLoudly(lines) {
  const bar = '!'.repeat(78);
  process.stderr.write(`\n${bar}\n${lines.map((line) => `!! ${line}`).join('\n')}\n${bar}\n`);
}
