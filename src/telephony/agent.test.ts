// An agent's states, decided on rows alone: who is next, what a lost phone and a late wish change.
import { describe, expect, it } from 'vitest';
import { Draft } from '../draft.ts';
import { type SignIn, setAgentState, signIn } from './agent.ts';
import { decideTelephony, type TelephonyEvent } from './decide.ts';
import type {
  AgentRow,
  CallRow,
  CampaignRow,
  Moment,
  TelephonyDraft,
  TelephonyEffect,
  TelephonyTables,
} from './working-set.ts';

let made = 0;
const at = (atUtcMs: number): Moment => ({
  atUtcMs,
  uptimeMs: atUtcMs,
  newId(kind) {
    made += 1;
    return `${kind}-${made}`;
  },
});

const campaign: CampaignRow = {
  id: 'campaign-1',
  name: 'March',
  creditorId: 'creditor-1',
  mode: 'predictive',
  state: 'running',
  settings: {
    trunk: 'carrier',
    callerId: '+12025550199',
    ringMs: 30_000,
    limitMs: 3_600_000,
    messageSound: 'gatehouse/no-agent',
    waitMs: 2_000,
    limitShare: 0.03,
    targetShare: 0.02,
    wrapUpMs: 20_000,
    maxLines: 10,
    maxCallsPerAgent: 4,
  },
};

const agent = (id: string, more: Partial<AgentRow> = {}): AgentRow => ({
  id,
  personId: id,
  extension: '101',
  way: 'pre-connected',
  campaignIds: ['campaign-1'],
  state: 'ready',
  sinceUtcMs: 0,
  legId: `leg-${id}`,
  legState: 'up',
  ...more,
});

const call = (id: string, more: Partial<CallRow> = {}): CallRow => ({
  id,
  campaignId: 'campaign-1',
  mode: 'predictive',
  state: 'ringing',
  segment: 'mobile-10',
  permitId: `permit-${id}`,
  askedUtcMs: 0,
  dialedUtcMs: 0,
  recovered: false,
  ...more,
});

function floor(agents: readonly AgentRow[], calls: readonly CallRow[] = []): TelephonyDraft {
  const draft: TelephonyDraft = new Draft<TelephonyTables, TelephonyEffect>('telephony', new Map());
  draft.put('Campaign', campaign);
  for (const row of agents) draft.put('Agent', row);
  for (const row of calls) draft.put('Call', row);
  return draft;
}

const decide = (draft: TelephonyDraft, event: TelephonyEvent, atUtcMs: number) =>
  decideTelephony(draft, event, at(atUtcMs));
const answered = (callId: string, atUtcMs: number): TelephonyEvent => ({
  kind: 'phone',
  fact: { kind: 'call-answered', callId, atUtcMs },
});
const kinds = (draft: TelephonyDraft) => draft.effects.map(({ effect }) => effect.kind);
const whats = (draft: TelephonyDraft) => draft.entries.map(({ what }) => what);

describe('who gets an answered call', () => {
  it('is the agent who has been ready longest, with a phone on the line, of that campaign', () => {
    const draft = floor(
      [
        agent('a', { sinceUtcMs: 300 }),
        agent('b', { sinceUtcMs: 100 }),
        agent('c', { sinceUtcMs: 10, legState: 'ringing' }),
        agent('d', { sinceUtcMs: 20, campaignIds: ['campaign-2'] }),
        agent('e', { sinceUtcMs: 30, state: 'break' }),
      ],
      [call('call-1')],
    );
    decide(draft, answered('call-1', 1_000), 1_000);
    expect(draft.get('Call', 'call-1')).toMatchObject({ state: 'connecting', agentId: 'b' });
    expect(draft.get('Agent', 'b')).toMatchObject({ state: 'reserved', callId: 'call-1' });
    expect(kinds(draft)).toEqual(['check-recording', 'connect']);
  });

  it('nobody within the limit: the message just before two seconds, counted as abandoned', () => {
    const draft = floor([], [call('call-1')]);
    decide(draft, answered('call-1', 1_000), 1_000);
    decide(draft, { kind: 'wake' } as never, 2_800);
    expect(draft.get('Call', 'call-1')?.state).toBe('answered');
    decide(draft, { kind: 'wake' } as never, 2_850);
    expect(draft.get('Call', 'call-1')?.state).toBe('message');
    expect([...draft.all('CampaignDay')][0]).toMatchObject({ answered: 1, abandoned: 1 });
    expect(whats(draft)).toContain('call-abandoned');
  });

  it('the oldest waiting call goes to whoever becomes ready', () => {
    const draft = floor([agent('a', { state: 'break' })], [call('call-1'), call('call-2')]);
    decide(draft, answered('call-2', 1_000), 1_000);
    decide(draft, answered('call-1', 1_100), 1_100);
    const order = { kind: 'set-agent-state', agentId: 'a', state: 'ready', by: 'a' } as const;
    decide(draft, order, 1_500);
    expect(draft.get('Call', 'call-2')?.state).toBe('connecting');
    expect(draft.get('Call', 'call-1')?.state).toBe('answered');
  });

  it('counts an answer once, however often it is told', () => {
    const draft = floor([agent('a')], [call('call-1')]);
    decide(draft, answered('call-1', 1_000), 1_000);
    decide(draft, answered('call-1', 1_000), 1_001);
    expect([...draft.all('CampaignDay')][0]).toMatchObject({ answered: 1 });
    expect(whats(draft).filter((what) => what === 'call-answered')).toHaveLength(1);
  });
});

describe('a lost phone', () => {
  const lost = (id: string): TelephonyEvent => ({
    kind: 'phone',
    fact: { kind: 'leg-ended', legId: `leg-${id}`, atUtcMs: 2_000, cause: { cause: 44 } },
  });

  it('takes a ready agent out of ready and raises no alarm about a call', () => {
    const draft = floor([agent('a')]);
    decide(draft, lost('a'), 2_000);
    expect(draft.get('Agent', 'a')).toMatchObject({ state: 'away', code: 'phone' });
    expect([...draft.all('Alarm')]).toEqual([]);
  });

  it('ends the call of an agent who was talking, so that nobody is left alone', () => {
    const talking = call('call-1', { state: 'talking', agentId: 'a', connectedUtcMs: 1_000 });
    const draft = floor([agent('a', { state: 'talking', callId: 'call-1' })], [talking]);
    decide(draft, lost('a'), 2_000);
    expect(draft.get('Call', 'call-1')?.endAsked).toBe('agent-phone-lost');
    expect(kinds(draft)).toContain('hang-up');
    expect(draft.get('Alarm', 'agent-phone-lost:a')?.count).toBe(1);
  });

  it('gives a call that was being connected back to the queue', () => {
    const connecting = call('call-1', { state: 'connecting', agentId: 'a', answeredUtcMs: 1_500 });
    const draft = floor([agent('a', { state: 'reserved', callId: 'call-1' })], [connecting]);
    decide(draft, lost('a'), 2_000);
    expect(draft.get('Call', 'call-1')).toMatchObject({ state: 'answered', agentId: undefined });
  });
});

describe('a phone that comes or goes while a call is written up', () => {
  const wrapping = call('call-1', { state: 'wrap-up', agentId: 'a', connectedUtcMs: 1_000 });
  const writing = agent('a', { state: 'wrap-up', callId: 'call-1', untilUtcMs: 21_000 });

  it('leaves the agent at the writing, and the call over when that is over', () => {
    const draft = floor([writing], [wrapping]);
    const fact = {
      kind: 'leg-ended',
      legId: 'leg-a',
      atUtcMs: 2_000,
      cause: { cause: 0 },
    } as const;
    decide(draft, { kind: 'phone', fact }, 2_000);
    const ready = { kind: 'set-agent-state', agentId: 'a', state: 'ready', by: 'a' } as const;
    decide(draft, ready, 3_000);
    expect(draft.get('Agent', 'a')).toMatchObject({ state: 'wrap-up', callId: 'call-1' });
    decide(draft, { kind: 'wake' } as never, 21_000);
    expect(draft.get('Call', 'call-1')).toMatchObject({ state: 'ended' });
    expect(draft.get('Agent', 'a')).toMatchObject({ state: 'away', wanted: 'ready' });
  });

  it('makes nobody ready who is still writing', () => {
    const rung = { ...writing, legState: 'ringing', wanted: 'ready' } as const;
    const draft = floor([rung], [wrapping]);
    const fact = { kind: 'leg-up', legId: 'leg-a', atUtcMs: 2_000 } as const;
    decide(draft, { kind: 'phone', fact }, 2_000);
    expect(draft.get('Agent', 'a')).toMatchObject({ state: 'wrap-up', callId: 'call-1' });
    decide(draft, { kind: 'wake' } as never, 21_000);
    expect(draft.get('Agent', 'a')).toMatchObject({ state: 'ready', callId: undefined });
    expect(draft.get('Call', 'call-1')).toMatchObject({ state: 'ended' });
  });
});

describe('an agent whose phone is rung per call', () => {
  const rung = { way: 'ring-per-call', state: 'reserved', code: 'campaign-1' } as const;
  const stop = { kind: 'set-campaign-state', id: 'campaign-1', by: 'system' } as const;

  it('is free again when the campaign stops before the phone was answered', () => {
    const draft = floor([agent('a', { ...rung, legState: 'ringing' })]);
    decide(draft, { ...stop, state: 'stopped' }, 2_000);
    expect(draft.get('Agent', 'a')).toMatchObject({ state: 'ready', legState: 'none' });
    expect(kinds(draft)).toContain('hang-up');
  });

  it('is not disturbed by the end of another campaign', () => {
    const serving = { ...rung, code: 'campaign-2', campaignIds: ['campaign-1', 'campaign-2'] };
    const draft = floor([agent('a', { ...serving, legState: 'ringing' })]);
    decide(draft, { ...stop, state: 'paused' }, 2_000);
    expect(draft.get('Agent', 'a')).toMatchObject({ state: 'reserved', legState: 'ringing' });
  });
});

describe('wishes and refusals', () => {
  const seat: SignIn = {
    kind: 'sign-in',
    agentId: 'a',
    personId: 'a',
    extension: '101',
    way: 'pre-connected',
    campaignIds: ['campaign-1'],
    by: 'a',
  };

  it('refuses a second seat, a taken extension, a break without code, ready without record', () => {
    const draft = floor([]);
    expect(signIn(draft, seat, at(1))).toEqual({ done: true });
    expect(signIn(draft, seat, at(2))).toEqual({ done: false, why: 'already-signed-in' });
    const other = { ...seat, agentId: 'b' };
    expect(signIn(draft, other, at(3))).toEqual({ done: false, why: 'extension-taken' });
    const order = { kind: 'set-agent-state', agentId: 'a', by: 'a' } as const;
    const rest = { ...order, state: 'break' } as const;
    expect(setAgentState(draft, rest, at(4))).toEqual({ done: false, why: 'break-without-code' });
    const ready = { ...order, state: 'ready', lacks: 'exam-passed' } as const;
    expect(setAgentState(draft, ready, at(5))).toEqual({ done: false, why: 'exam-passed' });
    expect(whats(draft)).toContain('ready-refused');
  });

  it('a result stated while talking leaves no wrap-up, and counts as it was stated', () => {
    const times = { answeredUtcMs: 900, connectedUtcMs: 1_000 };
    const talking = call('call-1', { state: 'talking', agentId: 'a', ...times });
    const draft = floor([agent('a', { state: 'talking', callId: 'call-1' })], [talking]);
    const stated = { disposition: 'message-left', effective: false };
    decide(draft, { kind: 'dispose', callId: 'call-1', agentId: 'a', by: 'a', ...stated }, 1_500);
    const ended = { by: 'far-end', cause: { cause: 16 }, atUtcMs: 2_000 } as const;
    const fact = { kind: 'call-ended', callId: 'call-1', ...ended } as const;
    decide(draft, { kind: 'phone', fact }, 2_000);
    expect(draft.get('Agent', 'a')).toMatchObject({ state: 'ready', callId: undefined });
    const settled = draft.effects
      .map(({ effect }) => effect)
      .find((e) => e.kind === 'settle-contact');
    expect(settled).toMatchObject({ contact: { effective: false, disposition: 'message-left' } });
  });

  it('a break asked for while talking begins after wrap-up', () => {
    const talking = call('call-1', {
      state: 'talking',
      agentId: 'a',
      answeredUtcMs: 900,
      connectedUtcMs: 1_000,
    });
    const draft = floor([agent('a', { state: 'talking', callId: 'call-1' })], [talking]);
    const order = { kind: 'set-agent-state', agentId: 'a', state: 'break', by: 'a' } as const;
    decide(draft, { ...order, code: 'lunch' }, 1_500);
    expect(draft.get('Agent', 'a')?.state).toBe('talking');
    const ended = { by: 'far-end', cause: { cause: 16 }, atUtcMs: 2_000 } as const;
    const fact = { kind: 'call-ended', callId: 'call-1', ...ended } as const;
    decide(draft, { kind: 'phone', fact }, 2_000);
    expect(draft.get('Agent', 'a')?.state).toBe('wrap-up');
    decide(draft, { kind: 'wake' } as never, 22_000);
    expect(draft.get('Agent', 'a')).toMatchObject({ state: 'break', code: 'lunch' });
    expect(draft.get('Call', 'call-1')).toMatchObject({ state: 'ended', outcome: 'conversation' });
  });
});
