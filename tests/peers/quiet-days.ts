// What a simulated day must have had besides its faults: enough calls to prove something by.
import type { DayReport } from '../../src/simulation/day.ts';

const leastCalls = 1_000;

/** Each day with fewer calls, in words. */
export const quietDays = (days: readonly Pick<DayReport, 'seed' | 'calls'>[]): string[] =>
  days
    .filter(({ calls }) => calls < leastCalls)
    .map(({ seed, calls }) => `seed ${seed}: only ${calls} calls`);
