// The three kinds of tests: fast ones, the simulated floor, and real parts such as Asterisk.
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** A fast test that needs longer is not fast. */
const fastTimeoutMs = 10_000;
/** One seed of the simulated floor covers hours of its time. */
const simulationTimeoutMs = 120_000;
/** A real campaign rings, talks and seals in real time. */
const realTimeoutMs = 240_000;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'fast',
          include: [
            'src/**/*.test.ts',
            'scripts/**/*.test.mjs',
            'tests/fast/**/*.test.ts',
            'tests/tidy.test.ts',
          ],
          testTimeout: fastTimeoutMs,
          // By default one core is left to the reporter, which on two cores is half of them.
          maxWorkers: availableParallelism(),
          // No test file leaves anything behind; modules are read once instead of for each of them.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'simulation',
          include: ['tests/simulation/**/*.test.ts'],
          testTimeout: simulationTimeoutMs,
          hookTimeout: simulationTimeoutMs,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'real',
          include: ['tests/real/**/*.test.ts'],
          testTimeout: realTimeoutMs,
          hookTimeout: realTimeoutMs,
          // They share the machine's two cores with Asterisk: one at a time, nothing beside it.
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
