// Who may be connected and what may be dialed when a person, a phone, a case or the plant changes.
import { describe, expect, it } from 'vitest';
import { Draft } from '../draft.ts';
import { decideTelephony, type TelephonyRoomEvent } from './decide.ts';
import type {
  AgentRow,
  CallRow,
  CampaignRow,
  Moment,
  PlantRow,
  TelephonyDraft,
  TelephonyEffect,
  TelephonyTables,
} from './working-set.ts';

let made = 0;
const at = (atUtcMs: number): Moment => ({
  ...{ atUtcMs, uptimeMs: atUtcMs },
  newId(kind) {
    made += 1;
    return `${kind}-new-${made}`;
  },
});

const campaign = (id: string, more: Partial<CampaignRow['settings']> = {}): CampaignRow => ({
  ...{ id, name: id, creditorId: 'creditor-1', mode: 'progressive', state: 'running' },
  settings: {
    ...{ trunk: 'carrier', callerId: '+12025550199', ringMs: 30_000, limitMs: 3_600_000 },
    ...{ messageSound: 'message', waitMs: 2_000, limitShare: 0.03, targetShare: 0.02 },
    ...{ wrapUpMs: 20_000, maxLines: 10, maxCallsPerAgent: 4, ...more },
  },
});

const agent = (id: string, more: Partial<AgentRow> = {}): AgentRow => ({
  ...{ id, personId: id, extension: `10${id}`, way: 'pre-connected' },
  ...{ campaignIds: ['one'], state: 'ready', sinceUtcMs: 0, legId: `leg-${id}`, legState: 'up' },
  ...more,
});

const call = (id: string, more: Partial<CallRow> = {}): CallRow => ({
  ...{ id, campaignId: 'one', mode: 'predictive', state: 'ringing', segment: 'mobile-10' },
  ...{ permitId: `permit-${id}`, caseId: `case-${id}`, askedUtcMs: 0, dialedUtcMs: 0 },
  recovered: false,
  ...more,
});

const plant: PlantRow = {
  ...{ id: 'now', feed: 'fresh', bootId: 'boot-1', spoolHours: 9, vaultHours: 9 },
  ...{ storageOk: true, trunks: {} },
};

interface Rows {
  agents?: readonly AgentRow[];
  calls?: readonly CallRow[];
  campaigns?: readonly CampaignRow[];
}

function floor({ agents = [], calls = [], campaigns = [campaign('one')] }: Rows): TelephonyDraft {
  const draft: TelephonyDraft = new Draft<TelephonyTables, TelephonyEffect>('telephony', new Map());
  draft.put('Plant', plant);
  for (const row of campaigns) draft.put('Campaign', row);
  for (const row of agents) draft.put('Agent', row);
  for (const row of calls) draft.put('Call', row);
  return draft;
}

const decide = (draft: TelephonyDraft, event: TelephonyRoomEvent, atUtcMs: number) =>
  decideTelephony(draft, event, at(atUtcMs));
const effectsOf = <K extends TelephonyEffect['kind']>(draft: TelephonyDraft, kind: K) =>
  draft.effects
    .map(({ effect }) => effect)
    .filter((effect): effect is Extract<TelephonyEffect, { kind: K }> => effect.kind === kind);
const survey: TelephonyRoomEvent = {
  ...{ kind: 'done', effectId: 'effect-1' },
  effect: {
    ...{ kind: 'survey', lane: 'survey', deadlineMs: 5_000 },
    ...{ callIds: [], talkingIds: [], legIds: ['leg-a'] },
  },
  result: { outcome: 'surveyed', survey: { bootId: 'boot-1', calls: [], legs: [] }, raw: [] },
};
const legUp = (legId: string): TelephonyRoomEvent => ({
  kind: 'phone',
  fact: { kind: 'leg-up', legId, atUtcMs: 0 },
});
const legEnded = (legId: string): TelephonyRoomEvent => ({
  kind: 'phone',
  fact: { kind: 'leg-ended', legId, atUtcMs: 0, cause: { cause: 16 } },
});
const granted = (callId: string): TelephonyRoomEvent => ({
  ...{ kind: 'done', effectId: 'effect-1' },
  effect: {
    ...{ kind: 'request-permit', lane: `permit:${callId}`, deadlineMs: 5_000 },
    request: { campaignId: 'one', creditorId: 'creditor-1', callId, mode: 'manual' },
  },
  result: {
    outcome: 'granted',
    permit: {
      ...{ permitId: 'permit-1', caseId: 'case-1', debtorId: 'debtor-1', numberId: 'number-1' },
      ...{ number: '+12025550123', segment: 'mobile-10' },
    },
  },
});

describe('a phone that is rung again after a survey', () => {
  const legless = { legId: undefined, legState: 'none' } as const;

  it('makes nobody ready who became unfit while their phone was away', () => {
    const draft = floor({ agents: [agent('a', { state: 'away', code: 'phone' })] });
    decide(draft, { kind: 'person-unfit', personId: 'a', lacks: 'exam-passed' }, 1_000);
    expect(draft.get('Agent', 'a')).toMatchObject({ state: 'away', code: 'exam-passed' });
    decide(draft, survey, 2_000);
    for (const { legId } of effectsOf(draft, 'ring-agent')) decide(draft, legUp(legId), 3_000);
    expect(draft.get('Agent', 'a')?.state).toBe('away');
  });

  it.each([
    ['hung up', { state: 'away', code: 'phone' }],
    ['is on a break without a phone', { state: 'break', code: 'lunch' }],
  ] as const)('is not the one of an agent who %s', (_, row) => {
    const draft = floor({ agents: [agent('a', { ...row, ...legless })] });
    decide(draft, survey, 2_000);
    expect(effectsOf(draft, 'ring-agent')).toEqual([]);
  });

  it('is the one of an agent whose phone was on the line until nobody looked', () => {
    const draft = floor({ agents: [agent('a')] });
    decide(draft, survey, 2_000);
    const [ring] = effectsOf(draft, 'ring-agent');
    decide(draft, legUp(ring?.legId ?? ''), 3_000);
    expect(draft.get('Agent', 'a')?.state).toBe('ready');
  });

  it('nobody is made ready who asked for rest while it rang', () => {
    const rung = agent('a', { state: 'away', wanted: 'ready', legState: 'ringing' });
    const draft = floor({ agents: [rung] });
    const rest = { kind: 'set-agent-state', agentId: 'a', state: 'away', by: 'a' } as const;
    decide(draft, rest, 1_000);
    decide(draft, legUp('leg-a'), 2_000);
    expect(draft.get('Agent', 'a')?.state).toBe('away');
  });
});

describe('a person who left', () => {
  const left = { kind: 'person-unfit', personId: 'a', lacks: 'person-left' } as const;
  const own = { agentId: 'a', mode: 'manual' } as const;

  it('takes no call that is being connected to them: it waits for somebody else', () => {
    const draft = floor({
      agents: [agent('a', { state: 'reserved', callId: 'call-1' })],
      calls: [call('call-1', { state: 'connecting', agentId: 'a', answeredUtcMs: 900 })],
    });
    decide(draft, left, 1_000);
    expect(draft.get('Call', 'call-1')).toMatchObject({ state: 'answered', agentId: undefined });
    expect(draft.get('Agent', 'a')).toMatchObject({ state: 'out', legId: undefined });
    const joined = { kind: 'bridge-joined', callId: 'call-1', legId: 'leg-a' } as const;
    decide(draft, { kind: 'phone', fact: { ...joined, atUtcMs: 1_100 } }, 1_100);
    expect(draft.get('Call', 'call-1')?.connectedUtcMs).toBeUndefined();
  });

  it.each(['dialing', 'dialed', 'ringing', 'answered', 'talking'] as const)(
    'a call of their own that is %s is ended',
    (state) => {
      const draft = floor({
        agents: [agent('a', { state: 'reserved', callId: 'call-1' })],
        calls: [call('call-1', { ...own, state })],
      });
      decide(draft, left, 1_000);
      expect(draft.get('Call', 'call-1')?.endAsked).toBe('person-left');
      expect(effectsOf(draft, 'hang-up').map(({ channelId }) => channelId)).toContain('call-1');
    },
  );

  it('what was asked for them is not dialed, and they are out', () => {
    const draft = floor({
      agents: [agent('a', { state: 'reserved', callId: 'call-1' })],
      calls: [call('call-1', { ...own, state: 'asked' })],
    });
    decide(draft, left, 1_000);
    decide(draft, granted('call-1'), 1_050);
    expect(effectsOf(draft, 'dial')).toEqual([]);
    expect(draft.get('Agent', 'a')?.state).toBe('out');
  });

  it.each(['person-left', 'exam-passed'])('is dialed for no more when rung: %s', (lacks) => {
    const rung = { way: 'ring-per-call', state: 'reserved', code: 'one' } as const;
    const draft = floor({ agents: [agent('a', { ...rung, legState: 'ringing' })] });
    decide(draft, { ...left, lacks }, 1_000);
    decide(draft, legUp('leg-a'), 1_050);
    expect(effectsOf(draft, 'request-permit')).toEqual([]);
    expect(draft.get('Agent', 'a')?.state).toBe(lacks === 'person-left' ? 'out' : 'away');
  });
});

describe('a permit that comes when the call is not wanted any more', () => {
  const asked = call('call-1', { state: 'asked', mode: 'manual', agentId: 'a' });
  const reserved = agent('a', { state: 'reserved', callId: 'call-1' });

  it('dials nobody once the phone of its agent is lost', () => {
    const draft = floor({ agents: [reserved], calls: [asked] });
    decide(draft, legEnded('leg-a'), 1_000);
    expect(effectsOf(draft, 'hang-up')).toEqual([]);
    decide(draft, granted('call-1'), 1_050);
    expect(effectsOf(draft, 'dial')).toEqual([]);
    expect(draft.get('Call', 'call-1')).toMatchObject({ state: 'ended', outcome: 'not-dialed' });
    expect(effectsOf(draft, 'settle-contact')).toHaveLength(1);
  });

  it.each([
    ['storage-low', { storageOk: false }],
    ['feed-stale', { feed: 'surveying' }],
    ['trunk-held', { trunks: { carrier: { untilUtcMs: 5_000, failures: 1 } } }],
  ] as const)('dials nobody while dialing is withheld: %s', (why, row) => {
    const draft = floor({ agents: [reserved], calls: [asked] });
    draft.put('Plant', { ...plant, ...row });
    decide(draft, granted('call-1'), 1_050);
    expect(effectsOf(draft, 'dial')).toEqual([]);
    const ended = draft.entries.find(({ what }) => what === 'call-ended');
    expect(ended).toMatchObject({ why: 'not-dialed', facts: { reason: why } });
    expect(draft.get('Agent', 'a')?.state).toBe('ready');
  });
});

describe('while the trunk is held', () => {
  const held = { ...plant, trunks: { carrier: { untilUtcMs: 5_000, failures: 1 } } };

  it('an agent may not call by hand', () => {
    const draft = floor({ agents: [agent('a')] });
    draft.put('Plant', held);
    const order = { agentId: 'a', campaignId: 'one', caseId: 'case-1', numberId: 'number-1' };
    decide(draft, { kind: 'manual-call', ...order }, 1_000);
    expect(draft.takeAnswer()).toEqual({ done: false, why: 'trunk-held' });
  });

  it('nothing is asked for an agent whose phone was rung for a call; they are ready again', () => {
    const rung = { way: 'ring-per-call', state: 'reserved', code: 'one' } as const;
    const draft = floor({ agents: [agent('a', { ...rung, legState: 'ringing' })] });
    draft.put('Plant', held);
    decide(draft, legUp('leg-a'), 1_000);
    expect(effectsOf(draft, 'request-permit')).toEqual([]);
    expect(draft.get('Agent', 'a')).toMatchObject({ state: 'ready', legState: 'up' });
  });
});

describe('a call whose case stops', () => {
  it('while it waits, answered, goes to nobody and hears the message', () => {
    const draft = floor({
      agents: [agent('a', { state: 'break', code: 'lunch' })],
      calls: [call('call-1', { state: 'answered', answeredUtcMs: 900 })],
    });
    decide(draft, { kind: 'stop-calls', caseIds: ['case-call-1'], why: 'paid' }, 1_000);
    const ready = { kind: 'set-agent-state', agentId: 'a', state: 'ready', by: 'a' } as const;
    decide(draft, ready, 1_100);
    expect(draft.get('Call', 'call-1')).toMatchObject({ state: 'message', endAsked: 'paid' });
    expect(draft.get('Agent', 'a')?.state).toBe('ready');
  });
});

describe('a call that nobody was found for', () => {
  const ended = (by: 'us' | 'far-end'): TelephonyRoomEvent => ({
    kind: 'phone',
    fact: { kind: 'call-ended', callId: 'call-1', by, cause: { cause: 16 }, atUtcMs: 1_600 },
  });
  const answered: TelephonyRoomEvent = {
    kind: 'phone',
    fact: { kind: 'call-answered', callId: 'call-1', atUtcMs: 1_000 },
  };
  const counts = (draft: TelephonyDraft) => [...draft.all('CampaignDay')][0];

  it('counts as abandoned when it was ended since it was not recorded', () => {
    const draft = floor({ calls: [call('call-1')] });
    decide(draft, answered, 1_000);
    const [check] = effectsOf(draft, 'check-recording');
    if (!check) throw new Error('nobody looked whether it is recorded');
    const result = { outcome: 'missing', which: 'both' } as const;
    decide(draft, { kind: 'done', effectId: 'effect-1', effect: check, result }, 1_500);
    decide(draft, ended('us'), 1_600);
    expect(counts(draft)).toMatchObject({ answered: 1, abandoned: 1 });
    expect(draft.get('Call', 'call-1')).toMatchObject({ outcome: 'not-recorded' });
  });

  it('is one that answered while it was being given up: no agent meets a dead line', () => {
    const draft = floor({
      agents: [agent('a')],
      calls: [call('call-1', { endAsked: 'pacing-cancel' })],
    });
    decide(draft, answered, 1_000);
    expect(effectsOf(draft, 'connect')).toEqual([]);
    decide(draft, ended('us'), 1_600);
    expect(counts(draft)).toMatchObject({ answered: 1, abandoned: 1 });
    expect(draft.get('Call', 'call-1')).toMatchObject({ outcome: 'abandoned' });
    expect(draft.get('Agent', 'a')?.state).toBe('ready');
  });
});

describe('a lost phone', () => {
  it('raises no alarm when the call was over: its agent was writing it up', () => {
    const draft = floor({
      agents: [agent('a', { state: 'wrap-up', callId: 'call-1', untilUtcMs: 9_000 })],
      calls: [call('call-1', { state: 'wrap-up', agentId: 'a', connectedUtcMs: 500 })],
    });
    decide(draft, legEnded('leg-a'), 1_000);
    expect([...draft.all('Alarm')]).toEqual([]);
  });
});

describe('an order to hang up that is refused', () => {
  const refused = (channelId: string): TelephonyRoomEvent => ({
    ...{ kind: 'done', effectId: 'effect-1' },
    effect: { kind: 'hang-up', lane: channelId, deadlineMs: 5_000, channelId },
    result: { outcome: 'refused', reason: 'ari.too-many-requests' },
  });

  it('is given again when a survey still shows the channel', () => {
    const talking = call('call-1', { state: 'talking', agentId: 'a', connectedUtcMs: 500 });
    const draft = floor({
      agents: [agent('a', { state: 'talking', callId: 'call-1' })],
      calls: [talking],
    });
    decide(draft, { kind: 'hang-up-call', callId: 'call-1', agentId: 'a' }, 1_000);
    decide(draft, refused('call-1'), 1_010);
    decide(draft, { kind: 'wake' }, 3_010);
    const [asked] = effectsOf(draft, 'survey');
    if (!asked) throw new Error('nobody looked what lives');
    const calls = [{ callId: 'call-1', state: 'up', held: true, legId: 'leg-a' }] as const;
    const found = { bootId: 'boot-1', calls, legs: [{ legId: 'leg-a', up: true }] };
    const result = { outcome: 'surveyed', survey: found, raw: [] } as const;
    decide(draft, { kind: 'done', effectId: 'effect-2', effect: asked, result }, 3_050);
    expect(effectsOf(draft, 'hang-up').map(({ channelId }) => channelId)).toEqual([
      'call-1',
      'call-1',
    ]);
  });
});

describe('campaigns that share agents and a trunk', () => {
  const both = ['one', 'two'];
  const campaigns = [campaign('one'), campaign('two')];
  const asks = (draft: TelephonyDraft) =>
    effectsOf(draft, 'request-permit').map(({ request }) => request.campaignId);

  it('ask for one call for one ready agent, in turn', () => {
    const draft = floor({ campaigns, agents: [agent('a', { campaignIds: both })] });
    for (const atUtcMs of [1_000, 2_000, 3_000]) decide(draft, { kind: 'wake' }, atUtcMs);
    expect(asks(draft)).toEqual(['one']);
    const [call] = [...draft.all('Call')];
    draft.drop('Call', call?.id ?? '');
    for (const atUtcMs of [4_000, 5_000]) decide(draft, { kind: 'wake' }, atUtcMs);
    expect(asks(draft)).toEqual(['one', 'two']);
  });

  it('ring a phone for one of them', () => {
    const way = 'ring-per-call' as const;
    const rung = { way, legId: undefined, legState: 'none', campaignIds: both } as const;
    const draft = floor({ campaigns, agents: [agent('a', rung), agent('b', rung)] });
    for (const atUtcMs of [1_000, 2_000]) decide(draft, { kind: 'wake' }, atUtcMs);
    expect([...draft.all('Agent')].map(({ code }) => code).sort()).toEqual(['one', 'two']);
  });

  it('have the lines of the trunk together, calls that talk too', () => {
    const few = [campaign('one', { maxLines: 3 }), campaign('two', { maxLines: 3 })];
    const talking = call('call-1', { state: 'talking', campaignId: 'two', connectedUtcMs: 5 });
    const own = (id: string, campaignId: string) => agent(id, { campaignIds: [campaignId] });
    const crew = ['a', 'b', 'c'].map((id) => own(id, 'one')).concat([own('d', 'two')]);
    const draft = floor({ campaigns: few, agents: crew, calls: [talking] });
    for (const atUtcMs of [1_000, 2_000]) decide(draft, { kind: 'wake' }, atUtcMs);
    expect(asks(draft)).toEqual(['one', 'one']);
    const order = { agentId: 'c', campaignId: 'two', caseId: 'case-1', numberId: 'number-1' };
    decide(draft, { kind: 'manual-call', ...order }, 2_500);
    expect(draft.takeAnswer()).toEqual({ done: false, why: 'trunk-full' });
  });

  it('dial for nobody whose phone came up when no line was left', () => {
    const rung = { way: 'ring-per-call', state: 'reserved', code: 'one' } as const;
    const draft = floor({
      campaigns: [campaign('one', { maxLines: 1 })],
      agents: [agent('a', { ...rung, legState: 'ringing' })],
      calls: [call('call-1')],
    });
    decide(draft, legUp('leg-a'), 1_000);
    expect(asks(draft)).toEqual([]);
    expect(draft.get('Agent', 'a')?.state).toBe('ready');
  });
});
