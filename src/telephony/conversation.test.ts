// An answered call until somebody takes it: a refused connection, a lost phone, whoever is ready.
import { describe, expect, it } from 'vitest';
import {
  agentRow,
  callRow,
  campaignRow,
  momentAt,
  newDraft,
} from '../../tests/fast/telephony-rows.ts';
import { nextWakeUtcMs } from './deadlines.ts';
import { decideTelephony, type TelephonyRoomEvent } from './decide.ts';
import type { PhoneFact } from './phone-system.ts';
import type { AgentRow, CallRow, TelephonyDraft, TelephonyResult } from './working-set.ts';

const callId = 'call-1';
const campaign = campaignRow({ state: 'paused' });
const ringing = callRow({ mode: 'predictive' });

/** A call that was answered at 1,000, and these agents. */
function answeredFor(...agents: readonly AgentRow[]): TelephonyDraft {
  const draft = newDraft();
  draft.put('Campaign', campaign);
  for (const row of agents) draft.put('Agent', row);
  draft.put('Call', ringing);
  tell(draft, { kind: 'call-answered', callId, atUtcMs: 1_000 }, 1_000);
  return draft;
}

const decide = (draft: TelephonyDraft, event: TelephonyRoomEvent, atUtcMs: number) =>
  decideTelephony(draft, event, momentAt(atUtcMs));
const tell = (draft: TelephonyDraft, fact: PhoneFact, atUtcMs: number) =>
  decide(draft, { kind: 'phone', fact }, atUtcMs);
const connects = (draft: TelephonyDraft) =>
  draft.effects.flatMap(({ effect }) => (effect.kind === 'connect' ? effect : []));
const legIds = (draft: TelephonyDraft) => connects(draft).map(({ legId }) => legId);

/** The result of the connection that was ordered so many orders ago. */
function connected(draft: TelephonyDraft, back: number, result: TelephonyResult, atUtcMs: number) {
  const effect = connects(draft).at(-1 - back);
  if (!effect) throw new Error('no such connection was ordered');
  decide(draft, { kind: 'done', effectId: 'effect-1', effect, result }, atUtcMs);
}
const refused = { outcome: 'refused', reason: 'Allocation failed' } as const;
const legEnded = (name: string): PhoneFact => ({
  ...{ kind: 'leg-ended', legId: `leg-${name}`, atUtcMs: 1_010, cause: { cause: 44 } },
});

describe('a call that could not be connected', () => {
  it('goes to the next agent who is ready, in the same decision', () => {
    const draft = answeredFor(agentRow('a'), agentRow('b', { sinceUtcMs: 500 }));
    connected(draft, 0, refused, 1_010);
    expect(legIds(draft)).toEqual(['leg-a', 'leg-b']);
    expect(draft.get('Call', callId)).toMatchObject({ state: 'connecting', agentId: 'agent-b' });
    expect(draft.get('Agent', 'agent-a')).toMatchObject({ state: 'ready', callId: undefined });
  });

  it('goes to the next agent where the phone of the first was lost', () => {
    const draft = answeredFor(agentRow('a'), agentRow('b', { sinceUtcMs: 500 }));
    tell(draft, legEnded('a'), 1_010);
    expect(draft.get('Call', callId)).toMatchObject({ state: 'connecting', agentId: 'agent-b' });
  });

  it.each([refused, { outcome: 'accepted' }, { outcome: 'unknown', reason: 'deadline' }] as const)(
    'is not moved by what the first order still says: %o',
    (result) => {
      const draft = answeredFor(agentRow('a'), agentRow('b', { sinceUtcMs: 500 }));
      tell(draft, legEnded('a'), 1_010);
      connected(draft, 1, result, 1_020);
      tell(draft, { kind: 'bridge-joined', callId, legId: 'leg-a', atUtcMs: 1_015 }, 1_021);
      expect(draft.get('Call', callId)).toMatchObject({ state: 'connecting', agentId: 'agent-b' });
      connected(draft, 0, { outcome: 'accepted' }, 1_030);
      expect(draft.get('Agent', 'agent-b')?.state).toBe('talking');
    },
  );

  it('is tried again with the only agent, at once and then ever more seldom', () => {
    const draft = answeredFor(agentRow('a'));
    const tries: number[] = [];
    for (let atUtcMs = 1_000; atUtcMs < 2_850; atUtcMs = nextWakeUtcMs(draft) ?? 2_850) {
      if (atUtcMs > 1_000) decide(draft, { kind: 'wake' }, atUtcMs);
      while (draft.get('Call', callId)?.state === 'connecting') {
        tries.push(atUtcMs);
        connected(draft, 0, refused, atUtcMs);
      }
    }
    expect(tries).toEqual([1_000, 1_000, 1_100, 1_300, 1_600, 2_000, 2_500]);
  });
});

describe('an agent who is free again', () => {
  it('takes the call that waits, also where their own was never answered', () => {
    const own: CallRow = { ...ringing, id: 'call-2', mode: 'manual', agentId: 'agent-a' };
    const draft = answeredFor(agentRow('a', { state: 'reserved', callId: own.id }));
    draft.put('Call', own);
    const end = { by: 'far-end', cause: { cause: 17 }, atUtcMs: 1_500 } as const;
    tell(draft, { kind: 'call-ended', callId: own.id, ...end }, 1_500);
    expect(draft.get('Call', callId)).toMatchObject({ state: 'connecting', agentId: 'agent-a' });
  });

  it('is not given a call that is being ended', () => {
    const draft = answeredFor();
    const waiting = draft.get('Call', callId);
    if (waiting) draft.put('Call', { ...waiting, endAsked: 'not-recorded' });
    draft.put('Agent', agentRow('a', { state: 'break' }));
    const order = { kind: 'set-agent-state', agentId: 'agent-a', state: 'ready' } as const;
    decide(draft, { ...order, by: 'agent-a' }, 1_500);
    expect(connects(draft)).toEqual([]);
  });
});

describe('the recording notice', () => {
  const answered = (noticedUtcMs?: number): PhoneFact => ({
    ...{ kind: 'call-answered', callId, atUtcMs: 1_000 },
    ...(noticedUtcMs === undefined ? {} : { noticedUtcMs }),
  });
  const heard = (noticedUtcMs?: number): TelephonyDraft => {
    const draft = answeredFor();
    const settings = { ...campaign.settings, noticeSound: 'notice' };
    draft.put('Campaign', { ...campaign, settings });
    draft.put('Call', ringing);
    tell(draft, answered(noticedUtcMs), noticedUtcMs ?? 1_000);
    return draft;
  };

  it('is noted where it was played, not where it was to be', () => {
    expect(heard(2_000).get('Recording', callId)?.notice).toBe(true);
    expect(heard().get('Recording', callId)?.notice).toBe(false);
  });

  it('that leaves no time to connect an agent is an alarm, until one that does', () => {
    expect([...heard(2_800).all('Alarm')]).toEqual([]);
    const draft = heard(2_900);
    expect([...draft.all('Alarm')]).toMatchObject([
      { code: 'notice-too-long', about: campaign.id },
    ]);
    draft.put('Call', ringing);
    tell(draft, answered(2_000), 3_000);
    expect([...draft.all('Alarm')]).toMatchObject([{ clearedUtcMs: 3_000 }]);
  });
});
