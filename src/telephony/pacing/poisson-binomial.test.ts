// The tally of unequal chances against the sum over all outcomes.
import { describe, expect, it } from 'vitest';
import { seededIds } from '../../ids.ts';
import { addTrial, chanceDemandMeetsSupply, tallyOf } from './poisson-binomial.ts';

const ids = seededIds(20_260_701);
const draw = (count: number) => Array.from({ length: count }, () => ids.below(1_001) / 1_000);

/** Every outcome of the trials: how many succeed, and how likely that outcome is. */
function outcomes(chances: readonly number[]): { count: number; chance: number }[] {
  return Array.from({ length: 2 ** chances.length }, (_, mask) =>
    chances.reduce(
      (sum, chance, j) =>
        (mask >> j) % 2 === 1
          ? { count: sum.count + 1, chance: sum.chance * chance }
          : { count: sum.count, chance: sum.chance * (1 - chance) },
      { count: 0, chance: 1 },
    ),
  );
}

describe('tallyOf', () => {
  it.each([0, 1, 2, 5, 9])('equals the sum over all outcomes of %i trials', (trials) => {
    for (let round = 0; round < 20; round += 1) {
      const chances = draw(trials);
      const expected = new Array<number>(trials + 1).fill(0);
      for (const { count, chance } of outcomes(chances)) {
        expected[count] = (expected[count] ?? 0) + chance;
      }
      const tally = tallyOf(chances);
      expect(tally).toHaveLength(trials + 1);
      for (const [k, chance] of tally.entries()) expect(chance).toBeCloseTo(expected[k] ?? 0, 12);
    }
  });

  it('counts trials that are sure', () => {
    expect(tallyOf([1, 0, 1])).toEqual([0, 0, 1, 0]);
  });

  it('sums to one after 400 trials', () => {
    const tally = tallyOf(draw(400));
    expect(tally.reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(1, 10);
  });

  it.each([1, 4, 30])('keeps its first %i entries exact when cut there', (most) => {
    const chances = draw(20);
    expect(tallyOf(chances, most)).toEqual(tallyOf(chances).slice(0, most));
  });

  it('does not depend on the order of the trials', () => {
    const chances = draw(30);
    const backward = tallyOf(chances.toReversed());
    for (const [k, chance] of tallyOf(chances).entries()) {
      expect(chance).toBeCloseTo(backward[k] ?? 0, 12);
    }
  });
});

describe('addTrial', () => {
  it('is the tally with one chance more', () => {
    const chances = draw(12);
    const grown = tallyOf(chances.slice(0, 11));
    addTrial(grown, chances[11] ?? 0);
    expect(grown).toEqual(tallyOf(chances));
  });
});

describe('chanceDemandMeetsSupply', () => {
  it('equals the sum over all outcomes of both sides', () => {
    for (let round = 0; round < 60; round += 1) {
      const calls = draw(ids.below(6));
      const agents = draw(ids.below(6));
      const waiting = ids.below(4);
      const ready = ids.below(4);
      let expected = 0;
      for (const call of outcomes(calls)) {
        for (const agent of outcomes(agents)) {
          if (call.count + waiting >= agent.count + ready) expected += call.chance * agent.chance;
        }
      }
      for (const most of [agents.length + ready, Number.POSITIVE_INFINITY]) {
        const demand = tallyOf(calls, Math.max(1, most));
        const found = chanceDemandMeetsSupply(demand, waiting, tallyOf(agents), ready);
        expect(found).toBeCloseTo(expected, 12);
      }
    }
  });

  it.each([
    { waiting: 0, ready: 0, chance: 1, why: 'no call and no agent: one more call finds none' },
    { waiting: 0, ready: 1, chance: 0, why: 'a ready agent and no other call' },
    { waiting: 1, ready: 1, chance: 1, why: 'the only agent is for the call that waits' },
    { waiting: 3, ready: 1, chance: 1, why: 'more wait than are ready' },
  ])('$why', ({ waiting, ready, chance }) => {
    expect(chanceDemandMeetsSupply([1], waiting, [1], ready)).toBe(chance);
  });
});
