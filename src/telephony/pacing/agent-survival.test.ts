// The chance that a busy agent is free, against the talks and wrap-ups it was learned from.
import { describe, expect, it } from 'vitest';
import { seededIds } from '../../ids.ts';
import {
  type AgentSurvival,
  addTalk,
  type BusyAgent,
  freeChances,
  newAgentSurvival,
} from './agent-survival.ts';

const empty = newAgentSurvival(
  { medianMs: 60_000, shape: 1.8, weight: 15 },
  { medianMs: 20_000, shape: 2, weight: 15 },
);
const ids = seededIds(4_242);
const unit = () => (ids.below(1_000_000) + 0.5) / 1_000_000;
/** Gamma of four parts: a mean with half of it as deviation. */
const duration = (meanMs: number) => (-meanMs / 4) * Math.log(unit() * unit() * unit() * unit());
const aheadMs = [8_000, 15_000, 22_000];

interface Talk {
  agentId: string;
  talkMs: number;
  wrapMs: number;
}

const talks: Talk[] = Array.from({ length: 4_000 }, (_, j) => ({
  agentId: `agent-${j % 20}`,
  talkMs: duration(60_000),
  wrapMs: duration(15_000),
}));
const learned = talks.reduce(addTalk, empty);

function chancesOf(survival: AgentSurvival, agent: Partial<BusyAgent>): number[] {
  const whole = { id: 'agent-0', state: 'talking' as const, elapsedMs: 0, ...agent };
  const busy = { wrapUpLimitMs: Number.POSITIVE_INFINITY, ...whole };
  return freeChances(survival, [busy], aheadMs).map((row) => row[0] ?? Number.NaN);
}

describe('freeChances', () => {
  it.each([0, 20_000, 60_000, 110_000])('of an agent who has talked for %i ms', (elapsedMs) => {
    const alive = talks.filter(({ talkMs }) => talkMs > elapsedMs);
    for (const [j, chance] of chancesOf(learned, { elapsedMs }).entries()) {
      const untilMs = elapsedMs + (aheadMs[j] ?? 0);
      const free = alive.filter(({ talkMs, wrapMs }) => talkMs + wrapMs <= untilMs).length;
      expect(Math.abs(chance - free / alive.length)).toBeLessThan(0.05);
    }
  });

  it.each([0, 10_000, 25_000])('of an agent who has wrapped up for %i ms', (elapsedMs) => {
    const alive = talks.filter(({ wrapMs }) => wrapMs > elapsedMs);
    const chances = chancesOf(learned, { state: 'wrap-up', elapsedMs });
    for (const [j, chance] of chances.entries()) {
      const free = alive.filter(({ wrapMs }) => wrapMs <= elapsedMs + (aheadMs[j] ?? 0)).length;
      expect(Math.abs(chance - free / alive.length)).toBeLessThan(0.06);
    }
  });

  it('is sure where the timer ends the wrap-up', () => {
    const limited = { state: 'wrap-up' as const, elapsedMs: 20_000, wrapUpLimitMs: 30_000 };
    const [first = 0, second, third] = chancesOf(empty, limited);
    expect(first).toBeLessThan(1);
    expect([second, third]).toEqual([1, 1]);
    const free = chancesOf(learned, {});
    const short = chancesOf(learned, { wrapUpLimitMs: 1_000 });
    expect(short[2]).toBeGreaterThan((free[2] ?? 1) * 2);
  });

  it('knows a slow agent after a day, and takes an unknown one as the floor', () => {
    let survival = learned;
    for (let j = 0; j < 60; j += 1) {
      survival = addTalk(survival, { agentId: 'slow', talkMs: duration(240_000), wrapMs: 15_000 });
    }
    const at = { elapsedMs: 60_000 };
    const slow = chancesOf(survival, { id: 'slow', ...at });
    const unknown = chancesOf(survival, { id: 'new', ...at });
    const usual = chancesOf(survival, { id: 'agent-3', ...at });
    expect(slow[2]).toBeLessThan((usual[2] ?? 0) * 0.6);
    expect(Math.abs((unknown[2] ?? 0) - (usual[2] ?? 0))).toBeLessThan(0.05);
  });

  it('lets one odd talk of a new agent count for little', () => {
    const survival = addTalk(learned, { agentId: 'new', talkMs: 900_000, wrapMs: 15_000 });
    const odd = chancesOf(survival, { id: 'new', elapsedMs: 60_000 });
    const usual = chancesOf(survival, { id: 'agent-3', elapsedMs: 60_000 });
    expect(odd[2]).toBeGreaterThan((usual[2] ?? 0) * 0.7);
  });

  it('never falls with time and stays within 0 and 1, with the prior alone too', () => {
    for (const survival of [empty, learned]) {
      for (const state of ['talking', 'wrap-up'] as const) {
        for (const elapsedMs of [0, 1_000, 300_000, 5_000_000]) {
          const chances = chancesOf(survival, { state, elapsedMs });
          for (const [j, chance] of chances.entries()) {
            expect(chance).toBeGreaterThanOrEqual(chances[j - 1] ?? 0);
            expect(chance).toBeLessThanOrEqual(1);
          }
        }
      }
    }
  });
});

describe('addTalk', () => {
  it('knows no more than 500 agents by name', () => {
    let survival = empty;
    for (let j = 0; j < 510; j += 1) {
      survival = addTalk(survival, { agentId: `agent-${j}`, talkMs: 60_000, wrapMs: 15_000 });
    }
    expect(Object.keys(survival.agents)).toHaveLength(500);
  });
});
