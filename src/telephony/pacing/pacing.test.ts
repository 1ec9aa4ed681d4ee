// Decisions of pacing: modes and their reasons, dials held to the risk, cancels after the ring.
import { describe, expect, it } from 'vitest';
import { type Ids, seededIds } from '../../ids.ts';
import {
  learnAgent,
  learnCall,
  newPacingModels,
  type PacedAgent,
  type PacedCall,
  type PacingInput,
  paceCampaign,
} from './pacing.ts';

const uptimeMs = 5_000_000;
const onTarget = { answered30d: 20_000, abandoned30d: 400 };

const agentsOf = (state: PacedAgent['state'], count: number, forMs = 20_000): PacedAgent[] =>
  Array.from({ length: count }, (_, j) => ({
    id: `${state}-${j}`,
    state,
    sinceUptimeMs: uptimeMs - forMs,
  }));

const ringingOf = (count: number, forMs: number): PacedCall[] =>
  Array.from({ length: count }, (_, j) => ({
    id: `call-${forMs}-${j}`,
    dialedUptimeMs: uptimeMs - forMs - 1_000,
    ringingUptimeMs: uptimeMs - forMs,
    segment: 'list',
  }));

function inputOf(changes: Partial<PacingInput> = {}): PacingInput {
  return {
    uptimeMs,
    settings: {
      mode: 'predictive',
      limitShare: 0.03,
      targetShare: 0.02,
      toleratedWaitMs: 1_900,
      minRingMs: 15_000,
      maxLines: 200,
      maxCallsPerAgent: 10,
    },
    agents: [...agentsOf('ready', 4), ...agentsOf('talking', 6)],
    inFlight: [],
    waiting: 0,
    feed: 'fresh',
    abandonment: onTarget,
    ...changes,
  };
}

/** Models after an hour of ten agents: three answers in ten, talks of a minute. */
function learnedModels() {
  let models = newPacingModels();
  for (let j = 0; j < 300; j += 1) {
    const answered = j % 10 < 3;
    const sinceDialMs = answered ? 6_000 + (j % 60) * 200 : 35_000;
    const result = answered ? ('answered' as const) : ('no-answer' as const);
    const atUptimeMs = uptimeMs - (300 - j) * 10_000;
    models = learnCall(models, { segment: 'list', sinceDialMs, result, atUptimeMs });
    const talkMs = 5_000 + ((j * 37) % 100) * 1_200;
    models = learnAgent(models, { agentId: `talking-${j % 10}`, talkMs, wrapMs: 15_000 });
  }
  return models;
}
const learned = learnedModels();
const pace = (changes: Partial<PacingInput> = {}) => paceCampaign(learned, inputOf(changes));
const settingsOf = (changes: Partial<PacingInput['settings']>) => ({
  settings: { ...inputOf().settings, ...changes },
});

describe('the mode and its reason', () => {
  const cases: { reason: string; mode: string; changes: Partial<PacingInput> }[] = [
    { reason: 'within-budget', mode: 'predictive', changes: {} },
    { reason: 'no-agents', mode: 'stopped', changes: { agents: [] } },
    { reason: 'feed-stale', mode: 'progressive', changes: { feed: 'stale' } },
    {
      reason: 'set-progressive',
      mode: 'progressive',
      changes: settingsOf({ mode: 'progressive' }),
    },
    {
      reason: 'campaign-start',
      mode: 'progressive',
      changes: { abandonment: { answered30d: 0, abandoned30d: 0 } },
    },
    {
      reason: 'campaign-start',
      mode: 'progressive',
      changes: { abandonment: { answered30d: 97, abandoned30d: 0 } },
    },
    {
      reason: 'within-budget',
      mode: 'predictive',
      changes: { abandonment: { answered30d: 98, abandoned30d: 0 } },
    },
    {
      reason: 'abandonment-over-limit',
      mode: 'progressive',
      changes: { abandonment: { answered30d: 20_000, abandoned30d: 600 } },
    },
    { reason: 'budget-spent', mode: 'progressive', changes: settingsOf({ targetShare: 0 }) },
  ];
  it.each(cases)('$mode: $reason', ({ reason, mode, changes }) => {
    const decision = pace(changes);
    expect(decision).toMatchObject({ reason, mode });
    expect(decision.models.mode).toBe(mode);
  });
});

describe('progressive', () => {
  it.each([
    { ready: 4, inFlight: 0, waiting: 0, dial: 4 },
    { ready: 4, inFlight: 3, waiting: 0, dial: 1 },
    { ready: 4, inFlight: 2, waiting: 1, dial: 1 },
    { ready: 4, inFlight: 9, waiting: 0, dial: 0 },
    { ready: 0, inFlight: 0, waiting: 0, dial: 0 },
  ])('$ready ready, $inFlight ringing, $waiting waiting: $dial', (row) => {
    const { dial } = pace({
      ...settingsOf({ mode: 'progressive' }),
      agents: [...agentsOf('ready', row.ready), ...agentsOf('reserved', 3)],
      inFlight: ringingOf(row.inFlight, 5_000),
      waiting: row.waiting,
    });
    expect(dial).toBe(row.dial);
  });

  it('gives up what it has no agent for, longest ringing first, once it has rung 15 s', () => {
    const inFlight = [...ringingOf(2, 14_999), ...ringingOf(1, 20_000), ...ringingOf(2, 30_000)];
    const agents = [...agentsOf('ready', 3), ...agentsOf('talking', 5)];
    const changes = { ...settingsOf({ mode: 'progressive' }), agents, inFlight };
    expect(pace(changes).cancel.toSorted()).toEqual(['call-30000-0', 'call-30000-1']);
    expect(pace({ ...changes, agents: [] }).cancel).toHaveLength(3);
  });

  it('cancels nothing on a stale feed and dials no more than one call for each ready agent', () => {
    const stale = { feed: 'stale' as const, inFlight: ringingOf(9, 30_000) };
    expect(pace(stale)).toMatchObject({ dial: 0, cancel: [] });
    expect(pace({ feed: 'stale' })).toMatchObject({ dial: 4, cancel: [] });
  });
});

describe('predictive', () => {
  it('places more calls than there are ready agents, and stops where the risk begins', () => {
    const decision = pace();
    const { abandonChance, threshold } = decision.figures;
    expect(decision.dial).toBeGreaterThan(6);
    expect(abandonChance).toBeGreaterThanOrEqual(threshold);
    const inFlight = ringingOf(decision.dial, 0);
    expect(paceCampaign(decision.models, inputOf({ inFlight })).dial).toBeLessThanOrEqual(1);
  });

  it('places calls for agents who are about to be free', () => {
    const agents = agentsOf('wrap-up', 10, 14_000);
    const soon = pace({ agents });
    expect(soon.dial).toBeGreaterThan(3);
    expect(soon.figures.expectedFree).toBeGreaterThan(5);
    const { dial } = pace({ agents: agentsOf('reserved', 10) });
    expect(dial).toBe(0);
  });

  it('leaves the first agents who come free to the calls that wait', () => {
    const agents = agentsOf('wrap-up', 10, 14_000);
    const [none, three] = [0, 3].map((waiting) => pace({ agents, waiting }).dial);
    expect(three).toBeLessThan((none ?? 0) - 3);
  });

  it('never falls below progressive where even the first call is too great a risk', () => {
    const models = { ...learned, budget: { ...learned.budget, multiplier: 0 } };
    expect(paceCampaign(models, inputOf({ inFlight: ringingOf(1, 2_000) })).dial).toBe(3);
  });

  it('keeps to the lines and to the calls per agent', () => {
    expect(pace(settingsOf({ maxLines: 5 })).dial).toBe(5);
    const { dial } = pace({ ...settingsOf({ maxLines: 5 }), inFlight: ringingOf(3, 2_000) });
    expect(dial).toBe(2);
    expect(pace(settingsOf({ maxCallsPerAgent: 0.6 })).dial).toBe(6);
    const full = pace({ ...settingsOf({ maxLines: 3 }), inFlight: ringingOf(9, 2_000) });
    expect(full.dial).toBe(0);
  });

  it('gives up ringing calls when agents have left, never before 15 s', () => {
    const inFlight = [...ringingOf(10, 5_000), ...ringingOf(10, 16_000)];
    const enough = pace({ inFlight, agents: agentsOf('ready', 14) });
    expect(enough.cancel).toEqual([]);
    const agents = [...agentsOf('ready', 2), ...agentsOf('talking', 2, 1_000)];
    const left = pace({ inFlight, agents });
    expect(left.dial).toBe(0);
    expect(left.cancel.length).toBeGreaterThan(4);
    expect(left.cancel.every((id) => id.startsWith('call-16000'))).toBe(true);
    const unrung = inFlight.map(({ ringingUptimeMs, ...call }) => call);
    expect(pace({ inFlight: unrung, agents }).cancel).toEqual([]);
  });
});

describe('any floor', () => {
  function randomInput(ids: Ids): PacingInput {
    const agents = (['ready', 'reserved', 'talking', 'wrap-up'] as const).flatMap((state) =>
      agentsOf(state, ids.below(7), ids.below(120_000)),
    );
    const inFlight = [0, 1, 2].flatMap(() => ringingOf(ids.below(8), ids.below(36_000)));
    return inputOf({ agents, inFlight, waiting: ids.below(3) });
  }

  it('gets no more calls with one more ringing or waiting, no fewer with one more ready', () => {
    const ids = seededIds(2_026);
    for (let round = 0; round < 300; round += 1) {
      const input = randomInput(ids);
      const { dial, cancel } = paceCampaign(learned, input);
      if (cancel.length > 0 || input.agents.length === 0) continue;
      const more = (changes: Partial<PacingInput>) =>
        paceCampaign(learned, { ...input, ...changes }).dial;
      const extra = { id: 'extra', segment: 'list', dialedUptimeMs: uptimeMs };
      expect(more({ inFlight: [...input.inFlight, extra] })).toBeLessThanOrEqual(dial);
      expect(more({ waiting: input.waiting + 1 })).toBeLessThanOrEqual(dial);
      const agents = [...input.agents, { id: 'extra', state: 'ready' as const, sinceUptimeMs: 0 }];
      expect(more({ agents })).toBeGreaterThanOrEqual(dial);
    }
  });

  it('is decided alike from models that were written down as JSON, and nothing is changed', () => {
    const ids = seededIds(11);
    const written = JSON.stringify(learned);
    for (let round = 0; round < 50; round += 1) {
      const input = randomInput(ids);
      const kept = JSON.stringify(input);
      const decision = paceCampaign(learned, input);
      expect(paceCampaign(JSON.parse(written), JSON.parse(kept))).toEqual(decision);
      expect(JSON.parse(JSON.stringify(decision))).toEqual(decision);
      expect(JSON.stringify(input)).toBe(kept);
    }
    expect(JSON.stringify(learned)).toBe(written);
  });
});
