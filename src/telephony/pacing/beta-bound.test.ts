// The upper bound against closed forms, published values and plain integration.
import { describe, expect, it } from 'vitest';
import { upperShare } from './beta-bound.ts';

/** The share of Beta(hits + 1, total - hits + 1) below `x`, by Simpson's rule. */
function integrated(x: number, hits: number, total: number): number {
  const peak = Math.max(1e-12, hits / total);
  const density = (at: number) =>
    at <= 0 || at >= 1
      ? 0
      : Math.exp(hits * Math.log(at / peak) + (total - hits) * Math.log((1 - at) / (1 - peak)));
  const area = (to: number) => {
    const steps = 20_000;
    let sum = 0;
    for (let j = 0; j <= steps; j += 1) {
      const weight = j === 0 || j === steps ? 1 : j % 2 === 1 ? 4 : 2;
      sum += weight * density((to * j) / steps);
    }
    return (sum * to) / steps / 3;
  };
  return area(x) / area(1);
}

describe('upperShare', () => {
  it.each([0, 1, 10, 98, 5_000])('after 0 of %i is the closed form 1 - 0.05^(1/(n+1))', (total) => {
    expect(upperShare(0.95, 0, total)).toBeCloseTo(1 - 0.05 ** (1 / (total + 1)), 10);
  });

  it.each([1, 4, 40])('after %i of as many is the closed form 0.95^(1/(n+1))', (total) => {
    expect(upperShare(0.95, total, total)).toBeCloseTo(0.95 ** (1 / (total + 1)), 10);
  });

  it.each([
    { hits: 1, total: 9, confidence: 0.5, bound: 0.16226 },
    { hits: 1, total: 9, confidence: 0.95, bound: 0.39416 },
    { hits: 4, total: 9, confidence: 0.95, bound: 0.69646 },
  ])(
    'equals the tabled binomial limit for $hits of $total',
    ({ hits, total, confidence, bound }) => {
      // One-sided Clopper-Pearson limits of the same hits among one trial more (10 trials).
      expect(upperShare(confidence, hits, total)).toBeCloseTo(bound, 4);
    },
  );

  it.each([
    [3, 120],
    [24, 1_000],
    [40, 2_000],
    [600, 30_000],
    [1_450, 50_000],
  ])('after %i of %i leaves a twentieth of the posterior above it', (hits, total) => {
    expect(integrated(upperShare(0.95, hits, total), hits, total)).toBeCloseTo(0.95, 5);
  });

  it('rises with hits and falls with answers', () => {
    expect(upperShare(0.95, 21, 1_000)).toBeGreaterThan(upperShare(0.95, 20, 1_000));
    expect(upperShare(0.95, 20, 1_001)).toBeLessThan(upperShare(0.95, 20, 1_000));
  });

  it('stays finite at the counts of a large floor over 30 days', () => {
    const bound = upperShare(0.95, 60_000, 3_000_000);
    expect(bound).toBeCloseTo(0.02 + 1.645 * Math.sqrt((0.02 * 0.98) / 3_000_000), 5);
  });
});
