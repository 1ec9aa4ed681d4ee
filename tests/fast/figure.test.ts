// How a benchmark's runs are held to their bound.
import { describe, expect, it } from 'vitest';
import { idleLoad, judge, type Measured } from '../../bench/figure.ts';

const measured: Measured = { name: 'x', unit: 'calls', values: [], judged: 'at-any-load' };
const of = (more: Partial<Measured>, load = 0) => judge({ ...measured, ...more }, load);

describe('a figure', () => {
  it.each<[string, Partial<Measured>, number, boolean]>([
    ['is the median', { values: [5, 1, 90], atMost: 5 }, 5, true],
    ['breaks its bound by the median', { values: [6, 1, 90], atMost: 5 }, 6, false],
    ['may be too little', { values: [6, 1, 90], atLeast: 7 }, 6, false],
    ['of every run breaks in one', { values: [0, 0, 37], atMost: 0, everyRun: true }, 37, false],
    ['of every run may be too little', { values: [9, 0, 9], atLeast: 1, everyRun: true }, 0, false],
    ['of every run holds', { values: [0, 0, 0], atMost: 0, everyRun: true }, 0, true],
    ['of no run holds nothing', { values: [], atMost: 0, everyRun: true }, Number.NaN, false],
    ['that is no number holds nothing', { values: [Number.NaN], atMost: 0 }, Number.NaN, false],
  ])('%s', (_, given, value, ok) => {
    expect(of(given)).toMatchObject({ value, ok });
  });

  it('shows the lowest and the highest run', () => {
    expect(of({ values: [0, 37, 0], atMost: 0, everyRun: true }).spread).toEqual([0, 37]);
  });

  it('is unknown on a busy machine, unless its bound suffers the same load', () => {
    const judged = 'when-idle';
    expect(of({ values: [1], atMost: 0, judged }, idleLoad).ok).toBe('unknown');
    expect(of({ values: [1], atMost: 0, judged }, idleLoad / 2).ok).toBe(false);
    expect(of({ values: [1], atMost: 0 }, 9).ok).toBe(false);
  });

  it('is unknown where nothing is promised', () => {
    expect(of({ values: [1] }).ok).toBe('unknown');
  });
});
