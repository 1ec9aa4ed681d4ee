// Pacing on simulated floors: the cap holds and agents are busy, on good days and on bad ones.
import { describe, expect, it } from 'vitest';
import { type FloorPlan, runPacingFloor, scenarioA } from '../../src/simulation/pacing-floor.ts';
import { upperShare } from '../../src/telephony/pacing/beta-bound.ts';
import type { PacingDecision, PacingInput } from '../../src/telephony/pacing/pacing.ts';

const hourMs = 3_600_000;
const limitShare = 0.03;
/** Seeds on which no number of the pacing was chosen. */
const firstSeed = 50_001;

const plan: Omit<FloorPlan, 'seed'> = {
  agents: 10,
  lengthMs: 8 * hourMs,
  scenario: scenarioA,
  mode: 'predictive',
  // Fewer ticks than on a real floor, for speed; every event is still followed by a decision.
  tickMs: 5_000,
};

/** The days of so many seeds, one after another, taken together. */
function pooled(seeds: number, changes: Partial<FloorPlan> = {}, from = firstSeed) {
  let [answered, abandoned, busyMs, staffedMs, cancelled] = [0, 0, 0, 0, 0];
  let worstBound = 0;
  for (let seed = from; seed < from + seeds; seed += 1) {
    const day = runPacingFloor({ ...plan, seed, ...changes });
    answered += day.answered;
    abandoned += day.abandoned;
    cancelled += day.cancelled;
    busyMs += day.talkMs + day.wrapMs;
    staffedMs += day.staffedMs;
    worstBound = Math.max(worstBound, upperShare(0.95, day.abandoned, day.answered));
  }
  return {
    answered,
    abandoned,
    cancelled,
    worstBound,
    upperBound: upperShare(0.95, abandoned, answered),
    occupancy: (100 * busyMs) / staffedMs,
  };
}

describe('30 days of 10 agents, each day the first of a campaign', () => {
  // Each ten days keep the cap and the gain by themselves, and so do all thirty together.
  it.each([0, 10, 20])('keep the cap and gain 8 points in the ten after day %i', (after) => {
    const from = firstSeed + after;
    const predictive = pooled(10, {}, from);
    const progressive = pooled(10, { mode: 'progressive' }, from);
    expect(predictive.upperBound).toBeLessThanOrEqual(limitShare);
    expect(predictive.occupancy).toBeGreaterThanOrEqual(progressive.occupancy + 8);
    // What it reaches on these seeds, less two and a half points: lost quality is a failure too.
    expect(predictive.occupancy).toBeGreaterThanOrEqual(74.5);
    expect(predictive.abandoned / predictive.answered).toBeLessThanOrEqual(0.0215);
    // By law the figure is each campaign's own: every day of the 30 stays at the limit by itself.
    expect(predictive.worstBound).toBeLessThanOrEqual(limitShare + 0.001);
    expect(progressive.abandoned).toBe(0);
  });
});

describe('other floors', () => {
  it.each([
    { agents: 3, seeds: 3, gain: 6 },
    { agents: 5, seeds: 3, gain: 10 },
    { agents: 25, seeds: 1, gain: 25 },
    { agents: 50, seeds: 1, gain: 30 },
  ])('of $agents agents gain $gain points', ({ agents, seeds, gain }) => {
    const lengthMs = agents > 10 ? 3 * hourMs : 8 * hourMs;
    const predictive = pooled(seeds, { agents, lengthMs });
    const progressive = pooled(seeds, { agents, lengthMs, mode: 'progressive' });
    expect(predictive.upperBound).toBeLessThanOrEqual(limitShare);
    expect(predictive.occupancy).toBeGreaterThanOrEqual(progressive.occupancy + gain);
  });
});

describe('a day that turns', () => {
  it.each([
    { from: 0.3, to: 0.15 },
    { from: 0.3, to: 0.6 },
    { from: 0.05, to: 0.4 },
  ])('at noon from $from answers to $to: the cap holds', ({ from, to }) => {
    const answerShareAt = (ms: number) => (ms < 4 * hourMs ? from : to);
    const scenario = { ...scenarioA, answerShareAt };
    const day = pooled(2, { scenario });
    expect(day.upperBound).toBeLessThanOrEqual(limitShare);
    expect(day.occupancy).toBeGreaterThan(
      pooled(2, { scenario, mode: 'progressive' }).occupancy + 8,
    );
  });

  it('restarted at noon with nothing but the counts of 30 days goes on predicting', () => {
    const reasons = new Set<string>();
    const day = pooled(3, {
      restartAtMs: 4 * hourMs,
      answeredBefore: 20_000,
      abandonedBefore: 400,
      watch: (_, { reason }) => reasons.add(reason),
    });
    expect([...reasons]).toEqual(['within-budget']);
    expect(day.abandoned / day.answered).toBeLessThan(0.025);
    expect(day.occupancy).toBeGreaterThan(74);
  });

  it('restarted at noon on its first day holds the cap', () => {
    expect(pooled(3, { restartAtMs: 4 * hourMs }).upperBound).toBeLessThanOrEqual(limitShare);
  });

  it('starts 100 agents at once without a flood, though failures end first', () => {
    let most = 0;
    const start = pooled(3, {
      agents: 100,
      lengthMs: 150_000,
      scenario: { ...scenarioA, answerShareAt: () => 0.15 },
      answeredBefore: 20_000,
      abandonedBefore: 400,
      watch: ({ inFlight }) => {
        most = Math.max(most, inFlight.length);
      },
    });
    // 100 agents need 667 dials at 15 % answers; the careful prior orders some more than half.
    expect(most).toBeLessThan(500);
    expect(start.abandoned / start.answered).toBeLessThanOrEqual(limitShare);
  });

  it('sends half of the floor to lunch: ringing calls are given up, the cap holds', () => {
    const away = { fromMs: 4 * hourMs, toMs: 4.5 * hourMs, fromAgent: 5 };
    const lunch = pooled(3, { away });
    expect(lunch.upperBound).toBeLessThanOrEqual(limitShare);
    expect(lunch.cancelled).toBeGreaterThan(0);
  });

  it('is progressive while the feed is stale: no call too many, none cancelled', () => {
    const stale = { fromMs: 3 * hourMs, toMs: 4 * hourMs };
    let staleDecisions = 0;
    let atStart = 0;
    let atEnd = 0;
    const watch = (input: PacingInput, decision: PacingDecision) => {
      const { uptimeMs, agents, inFlight, waiting, abandonment } = input;
      // Calls of the predictive minute before may still be answered until they have rung out.
      if (uptimeMs < stale.fromMs + 60_000) atStart = abandonment.abandoned30d;
      if (uptimeMs < stale.fromMs || uptimeMs >= stale.toMs) return;
      atEnd = abandonment.abandoned30d;
      staleDecisions += 1;
      const ready = agents.filter(({ state }) => state === 'ready').length;
      expect(decision.mode).toBe('progressive');
      expect(decision.cancel).toEqual([]);
      const room = Math.max(0, ready - inFlight.length - waiting);
      expect(decision.dial).toBe(room);
    };
    runPacingFloor({ ...plan, seed: firstSeed, lengthMs: 5 * hourMs, stale, watch });
    expect(staleDecisions).toBeGreaterThan(720);
    expect(atStart).toBeGreaterThan(0);
    expect(atEnd).toBe(atStart);
  });
});

describe('the floor itself', () => {
  it('lives the same day again from the same seed', () => {
    const once = { ...plan, seed: 7, lengthMs: hourMs };
    expect(runPacingFloor(once)).toEqual(runPacingFloor(once));
  });

  it.each([
    {
      fault: 'sees no call in flight',
      distort: (input: PacingInput) => ({ ...input, inFlight: [] }),
    },
    {
      fault: 'takes talking agents for ready ones',
      distort: (input: PacingInput) => ({
        ...input,
        agents: input.agents.map((agent) => ({ ...agent, state: 'ready' as const })),
      }),
    },
    {
      fault: 'is not told what was abandoned and when the limit is reached',
      distort: (input: PacingInput) => ({
        ...input,
        settings: { ...input.settings, targetShare: 0.2, limitShare: 0.3 },
      }),
    },
  ])('shows a pacing that $fault: the cap breaks', ({ distort }) => {
    const day = pooled(1, { lengthMs: hourMs, distort });
    expect(day.upperBound).toBeGreaterThan(2 * limitShare);
  });
});
