// The budget at its edges: no history, target held, limit near, days leaving the window.
import { describe, expect, it } from 'vitest';
import { seededIds } from '../../ids.ts';
import { aimShare, newBudget, stepBudget } from './budget.ts';

const settings = { limitShare: 0.03, targetShare: 0.02 };
const at = (answered30d: number, abandoned30d: number) => ({ answered30d, abandoned30d });

describe('aimShare', () => {
  it.each([
    { why: 'no history: nothing may be abandoned yet', counts: at(0, 0), aim: 0 },
    { why: 'on target with a long history: the target', counts: at(20_000, 400), aim: 0.02 },
    { why: 'far under the target: half-way to the limit', counts: at(20_000, 0), aim: 0.025 },
    { why: 'over the target: half of it, until paid back', counts: at(20_000, 460), aim: 0.01 },
    { why: 'more than the answers to come can pay for: nothing', counts: at(20_000, 700), aim: 0 },
    { why: 'a short history on target: not even the half', counts: at(150, 3), aim: 0 },
  ])('$why', ({ counts, aim }) => {
    expect(aimShare(counts, settings)).toBeCloseTo(aim, 10);
  });

  it('spent to the last call, keeps the 99 % safety at every length of history', () => {
    let counts = at(0, 0);
    let owed = 0;
    for (let answer = 0; answer < 40_000; answer += 1) {
      owed += aimShare(counts, settings);
      const abandoned = owed >= 1 ? 1 : 0;
      owed -= abandoned;
      counts = at(counts.answered30d + 1, counts.abandoned30d + abandoned);
      const { answered30d: n, abandoned30d } = counts;
      const safety = 2.3 * Math.sqrt(0.03 * 0.97 * n);
      if (abandoned === 1) expect(abandoned30d).toBeLessThanOrEqual(0.03 * n - safety + 2);
    }
    expect(counts.abandoned30d / counts.answered30d).toBeCloseTo(0.02, 3);
  });

  it('is nothing in a house that wants nothing abandoned', () => {
    for (const counts of [at(0, 0), at(20_000, 0), at(20_000, 5)]) {
      expect(aimShare(counts, { limitShare: 0.03, targetShare: 0 })).toBe(0);
    }
  });
});

describe('stepBudget', () => {
  const fresh = stepBudget(newBudget(), at(20_000, 400), settings, true);

  it('takes the first counts as history', () => {
    expect(fresh.multiplier).toBe(newBudget().multiplier);
    expect(fresh.upperBound).toBeGreaterThan(0.02);
    expect(fresh.upperBound).toBeLessThan(0.022);
  });

  it('is the same budget while the counts stand', () => {
    expect(stepBudget(fresh, at(20_000, 400), settings, true)).toBe(fresh);
  });

  it('dares less after an abandoned call, more after answers, and rests at the aim', () => {
    const less = stepBudget(fresh, at(20_001, 401), settings, true);
    expect(less.multiplier / fresh.multiplier).toBeCloseTo(Math.exp(0.05 * (0.02 - 1)), 6);
    const more = stepBudget(fresh, at(20_049, 400), settings, true);
    expect(more.multiplier).toBeGreaterThan(fresh.multiplier);
    const even = stepBudget(fresh, at(20_050, 401), settings, true);
    expect(even.multiplier).toBeCloseTo(fresh.multiplier, 10);
  });

  it('learns no boldness from progressive answers, but caution from what they abandon', () => {
    const quiet = stepBudget(fresh, at(20_500, 400), settings, false);
    expect(quiet.multiplier).toBe(fresh.multiplier);
    const burnt = stepBudget(fresh, at(20_500, 402), settings, false);
    expect(burnt.multiplier).toBeLessThan(fresh.multiplier);
  });

  it('learns nothing when a day leaves the window', () => {
    const next = stepBudget(fresh, at(18_000, 320), settings, true);
    expect(next.multiplier).toBe(fresh.multiplier);
    expect(next.counts).toEqual(at(18_000, 320));
  });

  it('keeps the multiplier within 0.05 and 4', () => {
    const calm = stepBudget(fresh, at(90_000, 400), settings, true);
    expect(calm.multiplier).toBe(4);
    const burst = stepBudget(fresh, at(20_200, 600), settings, true);
    expect(burst.multiplier).toBe(0.05);
  });

  it('brings a world whose abandonment follows the risk taken to the target', () => {
    const ids = seededIds(99);
    let budget = stepBudget(newBudget(), at(2_000, 40), settings, true);
    let counts = at(2_000, 40);
    for (let answer = 0; answer < 40_000; answer += 1) {
      // Three times as many are abandoned as the model believes.
      const share = 3 * budget.multiplier * aimShare(counts, settings);
      const abandoned = ids.below(1_000_000) < share * 1_000_000 ? 1 : 0;
      counts = at(counts.answered30d + 1, counts.abandoned30d + abandoned);
      budget = stepBudget(budget, counts, settings, true);
    }
    expect(counts.abandoned30d / counts.answered30d).toBeCloseTo(0.02, 3);
    expect(budget.multiplier).toBeGreaterThan(0.2);
    expect(budget.multiplier).toBeLessThan(0.5);
  });
});
