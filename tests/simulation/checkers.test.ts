// Every invariant finds the bug that is planted for it; a sound floor on a calm day breaks none.
import { describe, expect, it } from 'vitest';
import { liveDay } from '../../src/simulation/day.ts';
import { calmDay } from '../../src/simulation/faults.ts';
import { invariants } from '../../src/simulation/invariants.ts';
import { plantedBugs, ratesOf } from './plants.ts';

describe('an invariant', () => {
  it('has a planted bug, each one', () => {
    expect(invariants.map(({ name }) => name).sort()).toEqual(Object.keys(plantedBugs).sort());
  });

  it.each(invariants)('$name: $states', async (invariant) => {
    const bug = plantedBugs[invariant.name];
    if (!bug) throw new Error('no bug is planted');
    const { plant, seed = 0, hours = 1 } = bug;
    const day = await liveDay({ seed, hours, invariants: [invariant], rates: ratesOf(bug), plant });
    expect(day.violations.map((violation) => violation.invariant)).toContain(invariant.name);
  });
});

it('on a calm day nothing is violated, and the same seed lives the same day again', async () => {
  const order = { seed: 5, hours: 1, invariants, rates: calmDay };
  const [day, again] = [await liveDay(order), await liveDay(order)];
  expect(day.violations).toEqual([]);
  expect(day.calls).toBeGreaterThan(150);
  expect(again.chain).toBe(day.chain);
});
