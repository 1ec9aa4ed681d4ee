// What becomes of a call and of an agent's phone, from the carrier's word to the ledger's.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContactRow } from '../../src/cases/contact.ts';
import type { Outcome } from '../../src/people/person.ts';
import type { CarrierBehaviour } from '../../src/telephony/asterisk/sipp-scenarios.ts';
import type { AgentRow, CallRow } from '../../src/telephony/working-set.ts';
import type { FloorNews } from '../peers/floor-news.ts';
import {
  extensions,
  type FloorRig,
  leavingPhone,
  mortalPhone,
  numberOf,
  openFloorRig,
} from '../peers/floor-rig.ts';

const [first = '', second = '', third = '', fourth = '', fifth = ''] = extensions(5);
let rig: FloorRig;
let news: FloorNews;

beforeAll(async () => {
  rig = await openFloorRig({
    agents: 5,
    carrier: { ringMs: [800, 1_000], talkMs: [1_000, 2_000] },
    habits: { talkMs: [2_000, 2_001], wrapUpMs: 50 },
  });
  news = rig.news;
});
afterAll(() => rig?.close());

/** Seats one agent for a campaign and waits until they can take a call. */
async function seatOne(
  extension: string,
  campaignIds: readonly string[],
  way: AgentRow['way'] = 'pre-connected',
): Promise<string> {
  const [agentId = ''] = await rig.seat([{ extension, way, campaignIds: [...campaignIds] }]);
  await news.until('ready', () => news.get('Agent', agentId)?.state === 'ready', 10_000);
  return agentId;
}

const untilCall = (campaignId: string, state: CallRow['state'], withinMs = 10_000) =>
  news.until(
    `${state} call of ${campaignId}`,
    () => news.calls(state).find((call) => call.campaignId === campaignId),
    withinMs,
  );

const untilEnded = (campaignId: string) => untilCall(campaignId, 'ended', 20_000);

/** Seconds between something at a peer and the ledger's word of it. */
async function stampOf(peer: 'carrier' | 'phones', what: string, number: string): Promise<number> {
  const lines = await rig[peer].account();
  const found = lines.find((line) => line.what === what && line.number === number.slice(-11));
  if (!found) throw new Error(`${peer} knows of no ${what} ${number}`);
  return found.atUtcMs;
}

describe('a call', () => {
  const causes: readonly [CarrierBehaviour, Partial<CallRow>][] = [
    ['busy', { outcome: 'busy', endedBy: 'far-end', cause: 17, sipCode: 486 }],
    ['declines', { outcome: 'rejected', endedBy: 'far-end', cause: 21, sipCode: 603 }],
    ['unallocated', { outcome: 'invalid-number', endedBy: 'far-end', cause: 1, sipCode: 404 }],
    ['neverAnswers', { outcome: 'no-answer', endedBy: 'phone-system', cause: 19, sipCode: 480 }],
    ['hangsUpAfter3s', { outcome: 'conversation', endedBy: 'far-end', cause: 16 }],
    ['talksUntilHungUp', { outcome: 'conversation', endedBy: 'us', cause: 16 }],
    ['earlyMedia', { outcome: 'conversation', endedBy: 'us', cause: 16 }],
  ];

  it('ends with the outcome of its cause, and with who ended it', async () => {
    const numbers = causes.map(([farEnd]) => numberOf(farEnd, 0));
    await rig.campaign('causes', numbers);
    const all = ['causes', 'congestion', 'limited', 'stopping'];
    await Promise.all([seatOne(first, all), seatOne(second, ['causes'])]);
    // Whom the agent lets talk hangs up after three seconds.
    await rig.ask({ do: 'habits', habits: { talkMs: [4_000, 4_001], wrapUpMs: 50 } });
    await rig.setCampaign('causes', 'running');
    const ended = () => news.said('call-ended').length === causes.length;
    await news.until('every end', ended, 60_000);
    await rig.setCampaign('causes', 'stopped');
    const byNumber = new Map((await contacts()).map(({ number, call }) => [number, call]));
    for (const [farEnd, expected] of causes) {
      const call = byNumber.get(numberOf(farEnd, 0));
      expect(call, farEnd).toMatchObject(expected);
      const [end] = news.said('call-ended').filter(({ about }) => about === call?.id);
      expect(end, farEnd).toMatchObject({ why: expected.outcome, facts: { by: expected.endedBy } });
    }
  });

  it('with early media is answered when it is answered', async () => {
    const number = numberOf('earlyMedia', 0);
    const invitedUtcMs = await stampOf('carrier', 'invited', number);
    const answeredUtcMs = await stampOf('carrier', 'answered', number);
    const [{ call } = {}] = (await contacts()).filter((contact) => contact.number === number);
    expect(answeredUtcMs - invitedUtcMs).toBeGreaterThan(1_400);
    expect(Math.abs((call?.answeredUtcMs ?? 0) - answeredUtcMs)).toBeLessThan(300);
  });

  it('that the carrier could not place leaves the trunk alone, longer than a moment', async () => {
    // With one agent, so that nothing else is dialed before the failure is known.
    const fromSeq = news.nextSeq;
    await rig.campaign('congestion', [numberOf('congested', 0), numberOf('hangsUpAfterTalk', 0)]);
    await rig.setCampaign('congestion', 'running');
    const cleared = await news.untilSaid('alarm-cleared', fromSeq, 30_000, 'carrier');
    await rig.setCampaign('congestion', 'stopped');
    const [failed, next] = news.said('call-dialed', fromSeq);
    const call = news.get('Call', failed?.about ?? '');
    const expected = { outcome: 'carrier-failure', endedBy: 'far-end', cause: 34, sipCode: 503 };
    expect(call).toMatchObject(expected);
    const [raised] = news.said('alarm-raised', fromSeq);
    expect(raised?.why).toBe('trunk-failing');
    expect((next?.atUtcMs ?? 0) - (call?.endedUtcMs ?? 0)).toBeGreaterThan(1_900);
    expect(cleared.seq).toBeGreaterThan(next?.seq ?? 0);
    await rig.untilQuiet(20_000);
  });

  it('that outlasts the time limit of its campaign is ended by the phone system', async () => {
    const number = numberOf('talksUntilHungUp', 3);
    await rig.campaign('limited', [number], { limitMs: 2_000 });
    await rig.setCampaign('limited', 'running');
    const call = await untilEnded('limited');
    expect(call).toMatchObject({ outcome: 'conversation', endedBy: 'phone-system' });
    const talkedMs = (call.endedUtcMs ?? 0) - (call.answeredUtcMs ?? 0);
    expect(talkedMs).toBeGreaterThan(1_500);
    expect(talkedMs).toBeLessThan(3_000);
  });

  it('whose case is stopped while it rings is taken back, and its number rests', async () => {
    const number = numberOf('neverAnswers', 1);
    await rig.campaign('stopping', [number]);
    await rig.setCampaign('stopping', 'running');
    const { caseId = '' } = await untilCall('stopping', 'ringing');
    const order = { name: 'stop', given: { caseId, reason: 'paid' } } as const;
    expect(await rig.ask<Outcome>({ do: 'cases', order })).toMatchObject({ done: true });
    const call = await untilEnded('stopping');
    expect(call).toMatchObject({ outcome: 'cancelled', endedBy: 'us' });
    expect(await stampOf('carrier', 'cancelled', number)).toBeGreaterThan(call.dialedUtcMs ?? 0);
  });

  it('that no agent can take hears the message within two seconds, and is dropped', async () => {
    const number = numberOf('talksUntilHungUp', 1);
    await rig.campaign('no-agent', [number]);
    const agentId = await seatOne(third, ['no-agent']);
    await rig.setCampaign('no-agent', 'running');
    const { id: callId } = await untilCall('no-agent', 'ringing');
    // The agent leaves for a break while it rings.
    const leaves = { kind: 'set-agent-state', agentId, state: 'break', code: 'lunch' } as const;
    await rig.ask({ do: 'telephony', event: { ...leaves, by: agentId } });
    const call = await untilEnded('no-agent');
    expect(call).toMatchObject({ id: callId, outcome: 'abandoned', endedBy: 'us' });
    const [abandoned] = news.said('call-abandoned').filter(({ about }) => about === callId);
    expect(abandoned?.why).toBe('no-agent-free');
    expect((abandoned?.atUtcMs ?? 0) - (call.answeredUtcMs ?? 0)).toBeLessThan(2_000);
    // It waits for 1.85 s, and then the message takes its time.
    const heardMs = (call.endedUtcMs ?? 0) - (abandoned?.atUtcMs ?? 0);
    expect(heardMs).toBeGreaterThan(500);
    expect(await stampOf('carrier', 'hung-up', number)).toBeGreaterThan(abandoned?.atUtcMs ?? 0);
    const settled = await news.untilSaid('contact-settled', 1, 5_000, call.permitId);
    expect(settled.facts).toMatchObject({ answered: true, dropped: true, conversation: false });
    const [{ contact } = {}] = (await contacts()).filter((each) => each.number === number);
    expect(contact?.droppedUtcMs).toBe(call.answeredUtcMs);
    await news.untilSaid('recording-sealed', 1, 10_000, callId);
  });
});

describe('an agent’s phone', () => {
  it('that falls silent takes its agent out of ready within five seconds', async () => {
    await rig.campaign('silent', []);
    const agentId = await seatOne(mortalPhone, ['silent']);
    const from = news.nextSeq;
    await rig.mortal.stop('SIGKILL');
    const lost = await news.untilSaid('phone-lost', from, 5_000, agentId);
    const away = await news.untilSaid('agent-away', from, 1_000, agentId);
    expect(away).toMatchObject({ why: 'phone', facts: { was: 'ready' } });
    expect(away.atUtcMs).toBe(lost.atUtcMs);
  });

  it('that hangs up during a call is out within a second, the customer not alone', async () => {
    const number = numberOf('talksUntilHungUp', 2);
    await rig.campaign('leaving', [number]);
    await rig.setCampaign('leaving', 'running');
    const agentId = await seatOne(leavingPhone, ['leaving']);
    const call = await untilEnded('leaving');
    const leftUtcMs = await stampOf('phones', 'left', leavingPhone);
    const [lost] = news.said('phone-lost').filter(({ about }) => about === agentId);
    expect((lost?.atUtcMs ?? 0) - leftUtcMs).toBeLessThan(1_000);
    expect(news.get('Agent', agentId)?.state).toBe('away');
    expect(call).toMatchObject({ agentId, outcome: 'agent-lost', endedBy: 'us' });
    expect((call.endedUtcMs ?? 0) - leftUtcMs).toBeLessThan(1_000);
  });

  it('that is rung per call is on the line before the customer is called', async () => {
    const number = numberOf('hangsUpAfterTalk', 3);
    await rig.campaign('ring-first', [number]);
    await seatOne(fourth, ['ring-first'], 'ring-per-call');
    await rig.setCampaign('ring-first', 'running');
    const call = await untilEnded('ring-first');
    expect(call.outcome).toBe('conversation');
    const phoneUtcMs = await stampOf('phones', 'answered', fourth);
    expect(await stampOf('carrier', 'invited', number)).toBeGreaterThan(phoneUtcMs);
    await rig.setCampaign('ring-first', 'stopped');
  });
});

describe('a call by hand', () => {
  const [allocated, released] = [4, 5].map((turn) => numberOf('hangsUpAfterTalk', turn));
  let agentId: string;

  it('is placed only into a case allocated to the agent, or released for them', async () => {
    await rig.campaign('by-hand', [allocated ?? '', released ?? '']);
    agentId = await seatOne(fifth, ['by-hand']);
    const refused = await callByHand(allocated ?? '');
    expect(refused).toMatchObject({ what: 'call-refused', why: 'manual-not-allocated' });
    const { caseId, other } = await casesOf();
    const given = { name: 'allocate', given: { caseId, agentId } } as const;
    expect(await rig.ask<Outcome>({ do: 'cases', order: given })).toEqual({ done: true });
    await callAndTalk(allocated ?? '');
    const stillRefused = await callByHand(released ?? '');
    expect(stillRefused).toMatchObject({ what: 'call-refused', why: 'manual-not-allocated' });
    const note = 'The customer asked for this agent.';
    const once = { name: 'release', given: { caseId: other, agentId, note } } as const;
    expect(await rig.ask<Outcome>({ do: 'cases', order: once })).toMatchObject({ done: true });
    await callAndTalk(released ?? '');
    const again = await callByHand(released ?? '');
    expect(again.what).toBe('call-refused');
    const invited = (await rig.carrier.account()).filter(({ what }) => what === 'invited');
    for (const number of [allocated, released])
      expect(invited.filter((line) => `+${line.number}` === number)).toHaveLength(1);
  });

  /** Asks for the call; resolves to the entry that says what became of the wish. */
  async function callByHand(number: string) {
    const from = news.nextSeq;
    const [row] = (await numberRows()).filter(({ e164 }) => e164 === number);
    const { caseId = '', id: numberId = '' } = row ?? {};
    const event = {
      kind: 'manual-call',
      agentId,
      campaignId: 'by-hand',
      caseId,
      numberId,
    } as const;
    expect(await rig.ask<Outcome>({ do: 'telephony', event })).toEqual({ done: true });
    const answers = ['call-refused', 'call-dialed'];
    const fits = () => news.lines.slice(from - 1).find(({ what }) => answers.includes(what));
    return news.until('answer', fits, 5_000);
  }

  async function callAndTalk(number: string): Promise<void> {
    const dialed = await callByHand(number);
    expect(dialed).toMatchObject({ what: 'call-dialed', who: agentId, why: 'manual' });
    const ended = await news.untilSaid('call-ended', dialed.seq, 15_000, dialed.about);
    expect(ended.why).toBe('conversation');
    await news.until('ready', () => news.get('Agent', agentId)?.state === 'ready', 5_000);
  }

  async function casesOf(): Promise<{ caseId: string; other: string }> {
    const rows = await numberRows();
    const caseOf = (number = '') => rows.find(({ e164 }) => e164 === number)?.caseId ?? '';
    return { caseId: caseOf(allocated), other: caseOf(released) };
  }
});

const numberRows = () =>
  rig.ask<{ id: string; caseId: string; e164: string }[]>({ do: 'rows', table: 'Number' });

/** Every contact with its number and its call. */
async function contacts() {
  const numbers = new Map((await numberRows()).map(({ id, e164 }) => [id, e164]));
  const rows = await rig.ask<ContactRow[]>({ do: 'rows', table: 'Contact' });
  return rows.map((contact) => ({
    contact,
    number: numbers.get(contact.numberId ?? ''),
    call: news.get('Call', contact.callId ?? ''),
  }));
}
