// An answered call until somebody takes it: a refused connection, a lost phone, whoever is ready.
import { describe, expect, it } from 'vitest';
import { Draft } from '../draft.ts';
import { seededIds } from '../ids.ts';
import { nextWakeUtcMs } from './deadlines.ts';
import { decideTelephony, type TelephonyRoomEvent } from './decide.ts';
import type { PhoneFact } from './phone-system.ts';
import type {
  AgentRow,
  CallRow,
  CampaignRow,
  Moment,
  TelephonyDraft,
  TelephonyEffect,
  TelephonyResult,
  TelephonyTables,
} from './working-set.ts';

const ids = seededIds(26);
const callId = 'call-1';
const at = (atUtcMs: number): Moment => ({
  ...{ atUtcMs, uptimeMs: atUtcMs },
  newId: (kind) => ids.next(kind),
});
const campaign: CampaignRow = {
  ...{ id: 'campaign-1', name: 'One', creditorId: 'creditor-1', mode: 'progressive' },
  state: 'paused',
  settings: {
    ...{ trunk: 'carrier', callerId: '+12025550199', ringMs: 15_000, limitMs: 600_000 },
    ...{ messageSound: 'message', waitMs: 2_000, limitShare: 0.03, targetShare: 0.02 },
    ...{ wrapUpMs: 1_000, maxLines: 10, maxCallsPerAgent: 4 },
  },
};
const agent = (name: string, more: Partial<AgentRow> = {}): AgentRow => ({
  ...{ id: `agent-${name}`, personId: name, extension: name, way: 'pre-connected' },
  ...{ campaignIds: [campaign.id], state: 'ready', sinceUtcMs: 0, legState: 'up' },
  ...{ legId: `leg-${name}`, ...more },
});
const ringing: CallRow = {
  ...{ id: callId, campaignId: campaign.id, mode: 'predictive', state: 'ringing', segment: 's' },
  ...{ permitId: 'permit-1', askedUtcMs: 0, dialedUtcMs: 0, recovered: false },
};

/** A call that was answered at 1,000, and these agents. */
function answeredFor(...agents: readonly AgentRow[]): TelephonyDraft {
  const draft: TelephonyDraft = new Draft<TelephonyTables, TelephonyEffect>('telephony', new Map());
  draft.put('Campaign', campaign);
  for (const row of agents) draft.put('Agent', row);
  draft.put('Call', ringing);
  tell(draft, { kind: 'call-answered', callId, atUtcMs: 1_000 }, 1_000);
  return draft;
}

const decide = (draft: TelephonyDraft, event: TelephonyRoomEvent, atUtcMs: number) =>
  decideTelephony(draft, event, at(atUtcMs));
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
    const draft = answeredFor(agent('a'), agent('b', { sinceUtcMs: 500 }));
    connected(draft, 0, refused, 1_010);
    expect(legIds(draft)).toEqual(['leg-a', 'leg-b']);
    expect(draft.get('Call', callId)).toMatchObject({ state: 'connecting', agentId: 'agent-b' });
    expect(draft.get('Agent', 'agent-a')).toMatchObject({ state: 'ready', callId: undefined });
  });

  it('goes to the next agent where the phone of the first was lost', () => {
    const draft = answeredFor(agent('a'), agent('b', { sinceUtcMs: 500 }));
    tell(draft, legEnded('a'), 1_010);
    expect(draft.get('Call', callId)).toMatchObject({ state: 'connecting', agentId: 'agent-b' });
  });

  it.each([refused, { outcome: 'accepted' }, { outcome: 'unknown', reason: 'deadline' }] as const)(
    'is not moved by what the first order still says: %o',
    (result) => {
      const draft = answeredFor(agent('a'), agent('b', { sinceUtcMs: 500 }));
      tell(draft, legEnded('a'), 1_010);
      connected(draft, 1, result, 1_020);
      tell(draft, { kind: 'bridge-joined', callId, legId: 'leg-a', atUtcMs: 1_015 }, 1_021);
      expect(draft.get('Call', callId)).toMatchObject({ state: 'connecting', agentId: 'agent-b' });
      connected(draft, 0, { outcome: 'accepted' }, 1_030);
      expect(draft.get('Agent', 'agent-b')?.state).toBe('talking');
    },
  );

  it('is tried again with the only agent, at once and then ever more seldom', () => {
    const draft = answeredFor(agent('a'));
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
    const draft = answeredFor(agent('a', { state: 'reserved', callId: own.id }));
    draft.put('Call', own);
    const end = { by: 'far-end', cause: { cause: 17 }, atUtcMs: 1_500 } as const;
    tell(draft, { kind: 'call-ended', callId: own.id, ...end }, 1_500);
    expect(draft.get('Call', callId)).toMatchObject({ state: 'connecting', agentId: 'agent-a' });
  });

  it('is not given a call that is being ended', () => {
    const draft = answeredFor();
    const waiting = draft.get('Call', callId);
    if (waiting) draft.put('Call', { ...waiting, endAsked: 'not-recorded' });
    draft.put('Agent', agent('a', { state: 'break' }));
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
