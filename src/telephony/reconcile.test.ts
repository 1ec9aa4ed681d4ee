// A survey held against what telephony remembers: who talks to nobody, who waits, what is over.
import { describe, expect, it } from 'vitest';
import {
  agentRow,
  callRow,
  campaignRow,
  momentAt,
  newDraft,
} from '../../tests/fast/telephony-rows.ts';
import { nextWakeUtcMs, wake } from './deadlines.ts';
import { decideFact } from './facts.ts';
import type { Survey, SurveyedCall } from './phone-system.ts';
import { plantOf } from './plant.ts';
import { decideDone } from './results.ts';
import type {
  AgentRow,
  CallRow,
  RecordingRow,
  TelephonyDraft,
  TelephonyEffect,
} from './working-set.ts';

const callId = 'call-1';
const campaign = campaignRow();
const talking = callRow({
  ...{ state: 'talking', agentId: 'agent-a', answeredUtcMs: 500, connectedUtcMs: 600 },
});

function floor(rows: readonly AgentRow[], calls: readonly CallRow[]): TelephonyDraft {
  const draft = newDraft();
  draft.put('Campaign', campaign);
  for (const row of rows) draft.put('Agent', row);
  for (const row of calls) draft.put('Call', row);
  return draft;
}

/** A survey that is ordered at 1,000 and answered at 1,050; `meanwhile` comes in between. */
function look(
  draft: TelephonyDraft,
  seen: readonly Omit<SurveyedCall, 'callId'>[],
  legIds: readonly string[],
  meanwhile = () => {},
): void {
  decideFact(
    draft,
    { kind: 'feed-fresh', survey: { bootId: 'boot-1', calls: [], legs: [] } },
    momentAt(1_000),
  );
  const effect = draft.effects.map((each) => each.effect).findLast((e) => e.kind === 'survey');
  if (!effect) throw new Error('no survey was ordered');
  draft.effects.length = 0;
  meanwhile();
  const survey: Survey = {
    bootId: 'boot-1',
    calls: seen.map((each) => ({ callId, ...each })),
    legs: legIds.map((legId) => ({ legId, up: true })),
  };
  const result = { outcome: 'surveyed', survey, raw: [] } as const;
  decideDone(draft, { kind: 'done', effectId: 'effect-1', effect, result }, momentAt(1_050));
}

const orders = (draft: TelephonyDraft) =>
  draft.effects.map(({ effect }) =>
    effect.kind === 'hang-up' ? `hang-up ${effect.channelId}` : effect.kind,
  );

describe('a customer whom a survey finds alone', () => {
  it.each(['pre-connected', 'ring-per-call'] as const)(
    'is hung up where the phone of the agent (%s) is gone',
    (way) => {
      const draft = floor([agentRow('a', { way, state: 'talking', callId })], [talking]);
      look(draft, [{ state: 'up', held: true }], []);
      expect(draft.get('Call', callId)?.endAsked).toBe('agent-phone-lost');
      expect(orders(draft)).toContain(`hang-up ${callId}`);
      expect(draft.get('Agent', 'agent-a')?.callId).toBeUndefined();
    },
  );

  it('is hung up where the phone is there and they are not in its bridge', () => {
    const draft = floor([agentRow('a', { state: 'talking', callId })], [talking]);
    look(draft, [{ state: 'up', held: true }], ['leg-a']);
    expect(draft.get('Call', callId)?.endAsked).toBe('left-alone');
    expect(orders(draft)).toContain(`hang-up ${callId}`);
  });

  it('talks on where they are in the bridge of the phone', () => {
    const draft = floor([agentRow('a', { state: 'talking', callId })], [talking]);
    look(draft, [{ state: 'up', held: true, legId: 'leg-a' }], ['leg-a']);
    expect(draft.get('Call', callId)).toEqual(talking);
  });

  it('is not held to be alone who was connected, by a phone rung, after it was asked for', () => {
    const waiting = callRow({ state: 'connecting', agentId: 'agent-a', answeredUtcMs: 900 });
    const draft = floor(
      [agentRow('a', { state: 'reserved', callId, legId: undefined })],
      [waiting],
    );
    look(draft, [{ state: 'up', held: true }], [], () => {
      draft.put('Call', talking);
      draft.put('Agent', agentRow('a', { state: 'talking', callId }));
    });
    expect(draft.get('Call', callId)).toEqual(talking);
    expect(draft.get('Agent', 'agent-a')).toMatchObject({ state: 'talking', legId: 'leg-a' });
  });
});

describe('a call that a survey finds answered', () => {
  const connecting = { state: 'connecting', agentId: 'agent-a' } as const;
  const answered = { kind: 'call-answered', callId, atUtcMs: 900 } as const;

  it('and not in our hands yet is left for its handing over, or for its ring to be over', () => {
    const draft = floor([agentRow('a')], [callRow()]);
    look(draft, [{ state: 'up', held: false }], ['leg-a']);
    expect(draft.get('Call', callId)).toEqual(callRow());
    expect(orders(draft)).toEqual([]);
    expect(nextWakeUtcMs(draft)).toBeDefined();
    decideFact(draft, answered, momentAt(1_400));
    expect(draft.get('Call', callId)).toMatchObject({ ...connecting, answeredUtcMs: 900 });
  });

  it('and that is never handed over is ended when its ring would be over', () => {
    const draft = floor([agentRow('a')], [callRow()]);
    draft.put('Campaign', { ...campaign, state: 'stopped' });
    look(draft, [{ state: 'up', held: false }], ['leg-a']);
    const lostUtcMs = nextWakeUtcMs(draft) ?? 0;
    expect(lostUtcMs).toBe(campaign.settings.ringMs + 5_000);
    wake(draft, momentAt(lostUtcMs));
    expect(orders(draft)).toEqual([`hang-up ${callId}`, 'survey']);
  });

  it('and in our hands is given an agent', () => {
    const draft = floor([agentRow('a')], [callRow()]);
    look(draft, [{ state: 'up', held: true }], ['leg-a']);
    expect(draft.get('Call', callId)).toMatchObject(connecting);
  });

  const waiting = callRow({
    ...{ state: 'answered', answeredUtcMs: 900, refusals: 9, nextTryUtcMs: 1_800 },
  });
  it.each([
    ['told of again', (draft: TelephonyDraft) => decideFact(draft, answered, momentAt(1_050))],
    [
      'seen in our hands',
      (draft: TelephonyDraft) => look(draft, [{ state: 'up', held: true }], ['leg-a']),
    ],
  ])('and that could not be connected is tried at once when it is %s', (_, again) => {
    const draft = floor([agentRow('a')], [waiting]);
    again(draft);
    expect(draft.get('Call', callId)).toMatchObject(connecting);
    expect([...draft.all('CampaignDay')]).toEqual([]);
  });
});

describe('a message that was refused', () => {
  const message = callRow({ state: 'message', answeredUtcMs: 0, endAsked: 'no-agent-free' });
  const effect: TelephonyEffect = {
    ...{ kind: 'end-with-message', lane: callId, deadlineMs: 5_000, callId },
  };
  const refused = { outcome: 'refused', reason: 'Allocation failed' } as const;

  it.each([
    ['is ordered again where the call is still held', true, ['end-with-message']],
    ['plays already where it is not', false, []],
  ])('%s', (_, held, ordered) => {
    const draft = floor([], [message]);
    draft.put('Campaign', { ...campaign, state: 'stopped' });
    const done = { kind: 'done', effectId: 'effect-1', effect, result: refused } as const;
    decideDone(draft, done, momentAt(300));
    expect(nextWakeUtcMs(draft)).toBe(2_300);
    wake(draft, momentAt(2_300));
    expect(orders(draft)).toEqual(['survey']);
    look(draft, [{ state: 'up', held }], []);
    expect(orders(draft)).toEqual(ordered);
  });
});

describe('a call that is gone, and nobody saw its end', () => {
  const live: RecordingRow = {
    ...{ id: callId, state: 'live', spanMs: 0, crashed: false, tries: 0, notice: false },
    repaired: false,
  };
  const seals = (draft: TelephonyDraft) =>
    draft.effects.flatMap(({ effect }) => (effect.kind === 'seal' ? effect : []));
  const cut = { kind: 'feed-stale', feed: 'ari', reason: 'cut' } as const;
  const fresh = (draft: TelephonyDraft) => draft.put('Plant', { ...plantOf(draft), feed: 'fresh' });

  it('lasted at least until the loss of the feed can have begun', () => {
    const draft = floor(
      [agentRow('a', { state: 'talking', callId })],
      [{ ...talking, answeredUtcMs: -60_000, connectedUtcMs: -59_000 }],
    );
    draft.put('Recording', live);
    fresh(draft);
    decideFact(draft, cut, momentAt(900));
    look(draft, [], []);
    expect(seals(draft)).toMatchObject([{ spanMs: 0, crashed: true, leastMs: 54_900 }]);
    expect(plantOf(draft).lostUtcMs).toBeUndefined();
  });

  it('lasted at least until it was connected where no loss is known', () => {
    const draft = floor([agentRow('a', { state: 'talking', callId })], [talking]);
    draft.put('Recording', live);
    look(draft, [], []);
    expect(seals(draft)).toMatchObject([{ spanMs: 0, crashed: true, leastMs: 100 }]);
  });
});
