// The learned curve against the durations it was taught.
import { describe, expect, it } from 'vitest';
import { seededIds } from '../../ids.ts';
import {
  addDuration,
  type DurationCurve,
  newDurationCurve,
  quantileMs,
  shareWithin,
} from './duration-curve.ts';

const prior = { medianMs: 60_000, shape: 2, weight: 10 };
const moments = [500, 3_000, 12_000, 35_000, 60_000, 200_000, 1_000_000];

/** Durations of two kinds: refusals of some seconds and talks of some minutes. */
function bimodal(count: number): number[] {
  const ids = seededIds(77);
  const unit = () => (ids.below(1_000_000) + 0.5) / 1_000_000;
  return Array.from({ length: count }, () =>
    unit() < 0.4 ? 3_000 + 10_000 * unit() : 60_000 - 90_000 * Math.log(unit()),
  );
}

const learn = (durations: readonly number[], memory: number): DurationCurve =>
  durations.reduce((curve, ms) => addDuration(curve, ms, memory), newDurationCurve(prior));

describe('newDurationCurve', () => {
  it('is the log-logistic prior', () => {
    const curve = newDurationCurve(prior);
    for (const ms of moments.slice(0, -1)) {
      expect(shareWithin(curve, ms)).toBeCloseTo(1 / (1 + (prior.medianMs / ms) ** 2), 2);
    }
  });
});

describe('shareWithin', () => {
  it('follows durations of two kinds to within two points', () => {
    const durations = bimodal(4_000);
    const curve = learn(durations, 1e9);
    for (const ms of moments) {
      const share = durations.filter((one) => one <= ms).length / durations.length;
      expect(Math.abs(shareWithin(curve, ms) - share)).toBeLessThan(0.02);
    }
  });

  it('never falls, begins at 0 and ends at 1', () => {
    const curve = learn(bimodal(300), 100);
    const shares = Array.from({ length: 5_000 }, (_, j) => shareWithin(curve, j * 1_000));
    expect(shares[0]).toBe(0);
    expect(shares.at(-1)).toBe(1);
    for (const [j, share] of shares.entries()) {
      expect(share).toBeGreaterThanOrEqual(shares[j - 1] ?? 0);
    }
  });

  it('holds durations of many hours in the last bin', () => {
    const curve = learn([1e9, 1e9], 1e9);
    expect(shareWithin(curve, 3_600_000)).toBeLessThan(0.85);
    expect(shareWithin(curve, 1e9)).toBe(1);
  });
});

describe('quantileMs', () => {
  it.each([0.05, 1 / 6, 0.5, 5 / 6, 0.99])('is the inverse of shareWithin at %f', (share) => {
    const curve = learn(bimodal(500), 200);
    expect(shareWithin(curve, quantileMs(curve, share))).toBeCloseTo(share, 10);
  });
});

describe('addDuration', () => {
  it('forgets: after three memories of a new kind the old kind is gone', () => {
    const old = learn(new Array<number>(1_000).fill(20_000), 100);
    const curve = new Array<number>(300)
      .fill(100_000)
      .reduce((sum, ms) => addDuration(sum, ms, 100), old);
    expect(shareWithin(old, 30_000)).toBeGreaterThan(0.99);
    expect(shareWithin(curve, 30_000)).toBeLessThan(0.06);
  });

  it('leaves the curve it was given as it was', () => {
    const curve = newDurationCurve(prior);
    const before = structuredClone(curve);
    addDuration(curve, 5_000, 100);
    expect(curve).toEqual(before);
  });
});
