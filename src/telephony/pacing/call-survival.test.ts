// Whether and when a ringing call is answered, against the calls it was learned from.
import { describe, expect, it } from 'vitest';
import { seededIds } from '../../ids.ts';
import {
  addOutcome,
  answerMomentsMs,
  type CallOutcome,
  type CallSurvival,
  expectAnswers,
  newCallSurvival,
} from './call-survival.ts';

const empty = newCallSurvival(
  { medianMs: 12_000, shape: 3, weight: 15 },
  { medianMs: 25_000, shape: 3, weight: 15 },
  { answerShare: 0.5, weight: 10 },
);
const minuteMs = 60_000;
const ids = seededIds(31_337);
const unit = () => (ids.below(1_000_000) + 0.5) / 1_000_000;

/** A call as in the simulation: answered around 12 s, failed after 3 s, or rung out at 35 s. */
function call(share: number): Pick<CallOutcome, 'sinceDialMs' | 'result'> {
  if (unit() < share) {
    const sinceDialMs = -3_000 * Math.log(unit() * unit() * unit() * unit());
    return { sinceDialMs, result: 'answered' };
  }
  if (unit() < 0.15) return { sinceDialMs: 3_000, result: 'failed' };
  return { sinceDialMs: 35_000, result: 'no-answer' };
}

function learn(
  survival: CallSurvival,
  outcomes: readonly Pick<CallOutcome, 'sinceDialMs' | 'result'>[],
  atUptimeMs = 0,
  segment = 'list',
): CallSurvival {
  return outcomes.reduce(
    (sum, outcome) => addOutcome(sum, { segment, atUptimeMs, ...outcome }),
    survival,
  );
}

const answerShare = (survival: CallSurvival, uptimeMs: number) =>
  expectAnswers(survival, [], [], uptimeMs).shares.campaign;

const calls = Array.from({ length: 4_000 }, () => call(0.3));
const learned = learn(empty, calls);
const ring = (survival: CallSurvival, elapsedMs: number, aheadMs: readonly number[]) =>
  expectAnswers(
    survival,
    [{ segment: 'list', dialedUptimeMs: -elapsedMs }],
    aheadMs,
    0,
  ).chances.map((row) => row[0] ?? Number.NaN);

describe('expectAnswers', () => {
  it.each([0, 5_000, 12_000, 20_000])('of a call that has rung for %i ms', (elapsedMs) => {
    const aheadMs = [3_000, 8_000, 20_000];
    const alive = calls.filter(({ sinceDialMs }) => sinceDialMs > elapsedMs);
    for (const [j, chance] of ring(learned, elapsedMs, aheadMs).entries()) {
      const untilMs = elapsedMs + (aheadMs[j] ?? 0);
      const answers = alive.filter(
        ({ result, sinceDialMs }) => result === 'answered' && sinceDialMs <= untilMs,
      );
      expect(Math.abs(chance - answers.length / alive.length)).toBeLessThan(0.03);
    }
  });

  it('stays within 0 and 1 however long a call rings', () => {
    for (const survival of [empty, learned]) {
      for (const elapsedMs of [0, 40_000, 600_000, 1e9]) {
        for (const chance of ring(survival, elapsedMs, [0, 1_000, 1e9])) {
          expect(chance).toBeGreaterThanOrEqual(0);
          expect(chance).toBeLessThanOrEqual(1);
        }
      }
    }
  });
});

describe('the campaign’s share of answers', () => {
  it('begins at a careful prior and comes to the truth', () => {
    expect(answerShare(empty, 0)).toBe(0.5);
    expect(answerShare(learn(empty, calls.slice(0, 20)), 0)).toBeGreaterThan(0.3);
    expect(Math.abs(answerShare(learned, 0) - 0.3)).toBeLessThan(0.02);
  });

  it('halves the weight of what it saw every 20 minutes', () => {
    const old = learn(empty, new Array(100).fill({ sinceDialMs: 3_000, result: 'failed' }));
    expect(answerShare(old, 0)).toBeCloseTo(5 / 110, 10);
    expect(answerShare(old, 20 * minuteMs)).toBeCloseTo(5 / 60, 10);
    expect(answerShare(old, 40 * minuteMs)).toBeCloseTo(5 / 35, 10);
    const turned = learn(
      old,
      new Array(100).fill({ sinceDialMs: 9_000, result: 'answered' }),
      20 * minuteMs,
    );
    expect(answerShare(turned, 20 * minuteMs)).toBeCloseTo(105 / 160, 10);
  });

  it('is not taken in by a start of which only the failures have ended', () => {
    const dialed = Array.from({ length: 400 }, () => call(0.15));
    let survival = empty;
    for (let second = 1; second <= 40; second += 1) {
      const uptime = second * 1_000;
      const over = ({ sinceDialMs }: { sinceDialMs: number }) => sinceDialMs <= uptime;
      const justOver = dialed.filter((one) => over(one) && one.sinceDialMs > uptime - 1_000);
      survival = learn(survival, justOver, uptime);
      const open = dialed.filter((one) => !over(one));
      const inFlight = open.map(() => ({ segment: 'list', dialedUptimeMs: 0 }));
      const { campaign } = expectAnswers(survival, inFlight, [], uptime).shares;
      expect(campaign).toBeGreaterThan(0.12);
      if (second >= 36) expect(campaign).toBeLessThan(0.21);
    }
  });

  it('takes older counts as they stand when uptime began anew', () => {
    const before = learn(empty, calls.slice(0, 500), 9 * 60 * minuteMs);
    expect(answerShare(before, 0)).toBeCloseTo(answerShare(before, 9 * 60 * minuteMs), 12);
  });

  it('is not moved by cancelling: what would have been answered counts', () => {
    const cut = calls.map((one) =>
      one.sinceDialMs > 15_000 ? { sinceDialMs: 15_000, result: 'cancelled' as const } : one,
    );
    // The curves come from calls that rang out; the share from calls cancelled at 15 s.
    expect(
      Math.abs(answerShare(learn(learned, cut, 60 * minuteMs), 60 * minuteMs) - 0.3),
    ).toBeLessThan(0.03);
  });
});

describe('segments', () => {
  it('speak for themselves once they are known, and for the campaign before', () => {
    const two = learn(
      learn(
        empty,
        Array.from({ length: 400 }, () => call(0.1)),
        0,
        'landline',
      ),
      Array.from({ length: 400 }, () => call(0.5)),
      0,
      'mobile',
    );
    const everMs = 3_600_000;
    const [landline = 0, mobile = 0, unknown = 0] =
      expectAnswers(
        two,
        ['landline', 'mobile', 'new'].map((segment) => ({ segment, dialedUptimeMs: 0 })),
        [everMs],
        0,
      ).chances[0] ?? [];
    expect(landline).toBeLessThan(0.17);
    expect(mobile).toBeGreaterThan(0.43);
    expect(unknown).toBeCloseTo(answerShare(two, 0), 2);
  });

  it('are no more than 500', () => {
    let survival = empty;
    for (let j = 0; j < 510; j += 1) survival = learn(survival, calls.slice(0, 1), 0, `list-${j}`);
    expect(Object.keys(survival.segments)).toHaveLength(500);
    expect(survival.all.dialed).toBe(510);
  });
});

describe('answerMomentsMs', () => {
  it('are the quantiles of the answered calls', () => {
    const answered = calls
      .filter(({ result }) => result === 'answered')
      .map((one) => one.sinceDialMs);
    for (const [j, ms] of answerMomentsMs(learned, [1 / 6, 1 / 2, 5 / 6]).entries()) {
      const share = answered.filter((one) => one <= ms).length / answered.length;
      expect(Math.abs(share - (2 * j + 1) / 6)).toBeLessThan(0.04);
    }
  });
});
