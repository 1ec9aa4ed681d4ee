// Twenty days of a whole simulated floor: every invariant holds, and the days have shown enough.
import { expect, it } from 'vitest';
import { lacksOf, runSeeds, violationsOf } from '../../src/simulation/seeds.ts';
import { quietDays } from '../peers/quiet-days.ts';

const count = 20;

it(`${count} seeds of a floor with everything that breaks`, { timeout: 600_000 }, async () => {
  const days = await runSeeds(1, count);
  expect(violationsOf(days)).toEqual([]);
  expect(lacksOf(days)).toEqual([]);
  expect(quietDays(days)).toEqual([]);
});
