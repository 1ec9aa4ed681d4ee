// A link comes back after every loss, after a pause that grows and is never the same.
import { describe, expect, it } from 'vitest';
import { seededIds } from '../../ids.ts';
import { VirtualClock } from '../../simulation/virtual-clock.ts';
import { type Attempt, firstPauseMs, keepOpen, longestPauseMs } from './keep-open.ts';

interface Opened {
  attempt: Attempt;
  atMs: number;
  closed: boolean;
}

function rigOf(seed: number) {
  const time = new VirtualClock(0);
  const opened: Opened[] = [];
  const told: string[] = [];
  const open = (attempt: Attempt) => {
    const one: Opened = { attempt, atMs: time.uptimeMs, closed: false };
    opened.push(one);
    return {
      close: () => {
        one.closed = true;
      },
    };
  };
  const keeper = keepOpen(time.life().clock, seededIds(seed), open, (reason) => told.push(reason));
  const newest = () => {
    const one = opened.at(-1);
    if (one === undefined) throw new Error('nothing was opened');
    return one;
  };
  return { time, opened, told, keeper, newest };
}

describe('keepOpen', () => {
  it('opens at once, and again after each loss, the lost one closed', async () => {
    const { time, opened, told, newest } = rigOf(1);
    expect(opened).toHaveLength(1);
    newest().attempt.lost('gone');
    expect(opened).toHaveLength(1);
    await time.run(firstPauseMs);
    expect(opened.map((one) => one.closed)).toEqual([true, false]);
    expect(told).toEqual(['gone']);
  });

  it.each([1, 2, 3, 4, 5])(
    'pauses longer after each loss, up to a limit (seed %i)',
    async (seed) => {
      const { time, opened, newest } = rigOf(seed);
      let full = firstPauseMs;
      for (let loss = 0; loss < 12; loss += 1) {
        const lostAtMs = time.uptimeMs;
        newest().attempt.lost('gone');
        await time.run(lostAtMs + longestPauseMs);
        const pauseMs = newest().atMs - lostAtMs;
        expect(opened).toHaveLength(loss + 2);
        expect(pauseMs).toBeGreaterThanOrEqual(full / 2);
        expect(pauseMs).toBeLessThanOrEqual(full);
        full = Math.min(full * 2, longestPauseMs);
      }
    },
  );

  it('starts again from the shortest pause once a connection has proven itself', async () => {
    const { time, newest } = rigOf(1);
    for (let loss = 0; loss < 6; loss += 1) {
      newest().attempt.lost('gone');
      await time.run(time.uptimeMs + longestPauseMs);
    }
    newest().attempt.proven();
    const lostAtMs = time.uptimeMs;
    newest().attempt.lost('gone');
    await time.run(lostAtMs + longestPauseMs);
    expect(newest().atMs - lostAtMs).toBeLessThanOrEqual(firstPauseMs);
  });

  it('hears a lost connection once, and an old one never again', async () => {
    const { time, opened, told, newest } = rigOf(1);
    const old = newest().attempt;
    old.lost('gone');
    old.lost('gone');
    await time.run(firstPauseMs);
    old.lost('gone');
    old.proven();
    await time.run(10 * longestPauseMs);
    expect(told).toHaveLength(1);
    expect(opened).toHaveLength(2);
  });

  it('renews a connection on demand, but not while there is none', async () => {
    const { time, opened, told, keeper } = rigOf(1);
    keeper.renew('behind');
    keeper.renew('behind');
    await time.run(longestPauseMs);
    expect(told).toEqual(['behind']);
    expect(opened.map((one) => one.closed)).toEqual([true, false]);
  });

  it('opens nothing after stop()', async () => {
    const { time, opened, told, keeper, newest } = rigOf(1);
    newest().attempt.lost('gone');
    await keeper.stop();
    await time.run(longestPauseMs);
    newest().attempt.lost('gone');
    expect(opened).toHaveLength(1);
    expect(told).toEqual(['gone']);
  });
});
