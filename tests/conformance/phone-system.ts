// What every PhoneSystem must do: one suite for the real Asterisk and for the simulated one.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { seededIds } from '../../src/ids.ts';
import type { DialOrder, PhoneFact } from '../../src/telephony/phone-system.ts';
import type { FarEnd, Phone, PhoneRig } from './phone-rig.ts';

/** Outcomes of calls that are never answered (Q.850 cause, SIP answer, who ended it). */
const unanswered: readonly [FarEnd, number, number, 'far-end' | 'phone-system', string[]][] = [
  ['busy', 17, 486, 'far-end', []],
  ['congested', 34, 503, 'far-end', []],
  ['unallocated', 1, 404, 'far-end', []],
  ['declines', 21, 603, 'far-end', []],
  ['neverAnswers', 19, 480, 'phone-system', ['call-ringing']],
];

/** Runs the suite. One rig serves all of it: each test leaves it as it found it. */
export function phoneSystemConformance(name: string, open: () => Promise<PhoneRig>): void {
  describe(`${name} is a PhoneSystem`, () => {
    const ids = seededIds(20261122);
    const bench: Bench = { rig: undefined, nextId: (kind) => ids.next(kind) };
    beforeAll(async () => {
      bench.rig = await open();
      await bench.rig.facts.untilFresh(0);
    });
    // What a failed test left behind must not fail the next one.
    afterEach(() => endEverything(rigOf(bench)));
    afterAll(() => bench.rig?.close());
    placesCalls(bench);
    connectsCalls(bench);
    losesAgents(bench);
    losesFeeds(bench);
    outlivesDaemon(bench);
    restarts(bench);
  });
}

interface Bench {
  rig: PhoneRig | undefined;
  nextId(kind: 'call' | 'leg'): string;
}

function rigOf(bench: Bench): PhoneRig {
  if (bench.rig === undefined) throw new Error('the rig did not open');
  return bench.rig;
}

function orderTo(bench: Bench, farEnd: FarEnd, more: Partial<DialOrder> = {}): DialOrder {
  const { trunk, messageSound, number } = rigOf(bench);
  return {
    callId: bench.nextId('call'),
    trunk,
    number: number(farEnd),
    callerId: '+12025550199',
    ringMs: 15_000,
    limitMs: 60_000,
    messageSound,
    ...more,
  };
}

async function answered(
  bench: Bench,
  farEnd: FarEnd = 'talksUntilHungUp',
  more: Partial<DialOrder> = {},
): Promise<string> {
  const { phone, facts } = rigOf(bench);
  const order = orderTo(bench, farEnd, more);
  expect(await phone.dial(order)).toEqual({ outcome: 'accepted' });
  await facts.untilKind('call-answered', order.callId);
  return order.callId;
}

async function legUp(bench: Bench, which: Phone = 'first'): Promise<string> {
  const { phone, facts, extension } = rigOf(bench);
  const legId = bench.nextId('leg');
  const order = { legId, extension: extension(which), ringMs: 10_000 };
  expect(await phone.ringAgent(order)).toEqual({ outcome: 'accepted' });
  await facts.untilKind('leg-up', legId);
  return legId;
}

async function hangUpAll(bench: Bench, ...channelIds: string[]): Promise<void> {
  const { phone, facts } = rigOf(bench);
  for (const id of channelIds) {
    expect(await phone.hangUp(id)).toEqual({ outcome: 'accepted' });
    await facts.untilKind(id.startsWith('leg-') ? 'leg-ended' : 'call-ended', id);
  }
}

async function endEverything(rig: PhoneRig): Promise<void> {
  const { calls, legs } = await rig.phone.survey();
  for (const { callId } of calls) await rig.phone.hangUp(callId);
  for (const { legId } of legs) await rig.phone.hangUp(legId);
}

const byFarEnd = { by: 'far-end', cause: { cause: 0 } };
const liveCalls = async (rig: PhoneRig) =>
  (await rig.phone.survey()).calls.map((call) => call.callId);

function placesCalls(bench: Bench): void {
  it.each(unanswered)(
    'a call that is %s ends with cause %i',
    async (farEnd, cause, code, by, told) => {
      const { phone, facts } = rigOf(bench);
      const order = orderTo(bench, farEnd, { ringMs: 2000 });
      expect(await phone.dial(order)).toEqual({ outcome: 'accepted' });
      const end = await facts.untilKind('call-ended', order.callId);
      expect(end).toMatchObject({ by, cause: { cause, sipCode: code } });
      expect(facts.kinds(order.callId)).toEqual([...told, 'call-ended']);
    },
  );

  it('early media is no answer', async () => {
    const { facts } = rigOf(bench);
    const callId = await answered(bench, 'earlyMedia');
    expect(facts.kinds(callId)).toEqual(['call-early-media', 'call-answered']);
    await hangUpAll(bench, callId);
  });

  it('a far end that hangs up is the one who ended the call', async () => {
    const { facts } = rigOf(bench);
    const callId = await answered(bench, 'hangsUpAfter3s');
    expect(await facts.untilKind('call-ended', callId)).toMatchObject(byFarEnd);
    expect(facts.kinds(callId)).toEqual(['call-ringing', 'call-answered', 'call-ended']);
  });

  it('facts bear stamps that never go back within a call', async () => {
    const { facts } = rigOf(bench);
    const stamps = facts.all.flatMap((f) =>
      'callId' in f ? [[f.callId, f.atUtcMs] as const] : [],
    );
    const latest = new Map<string, number>();
    expect(stamps.length).toBeGreaterThan(10);
    for (const [callId, atUtcMs] of stamps) {
      expect(atUtcMs).toBeGreaterThanOrEqual(latest.get(callId) ?? 0);
      latest.set(callId, atUtcMs);
    }
  });

  it('a second dial with the same id places nothing, during the call and after it', async () => {
    const rig = rigOf(bench);
    const order = orderTo(bench, 'talksUntilHungUp');
    const before = await rig.timesCalled(order.number);
    const both = await Promise.all([rig.phone.dial(order), rig.phone.dial(order)]);
    expect(both).toEqual([{ outcome: 'accepted' }, { outcome: 'accepted' }]);
    await rig.facts.untilKind('call-answered', order.callId);
    await hangUpAll(bench, order.callId);
    expect(await rig.phone.dial(order)).toEqual({ outcome: 'accepted' });
    await rig.pass(500);
    expect(await rig.timesCalled(order.number)).toBe(before + 1);
  });

  it('a call we hang up, ringing or talking, is ended by us', async () => {
    const { phone, facts } = rigOf(bench);
    const ringing = orderTo(bench, 'neverAnswers');
    await phone.dial(ringing);
    await facts.untilKind('call-ringing', ringing.callId);
    const talking = await answered(bench);
    await hangUpAll(bench, ringing.callId, talking);
    for (const callId of [ringing.callId, talking])
      expect(await facts.untilKind('call-ended', callId)).toMatchObject({ by: 'us' });
  });

  it('hanging up what is gone, or never was, counts as accepted', async () => {
    const { phone } = rigOf(bench);
    for (const kind of ['call', 'leg'] as const)
      expect(await phone.hangUp(bench.nextId(kind))).toEqual({ outcome: 'accepted' });
  });

  it('the time limit of a call is kept by the phone system itself', async () => {
    const { phone, facts } = rigOf(bench);
    const order = orderTo(bench, 'answersAtOnce', { limitMs: 2000 });
    await phone.dial(order);
    const { atUtcMs } = await facts.untilKind('call-answered', order.callId);
    const end = await facts.untilKind('call-ended', order.callId);
    expect(end.by).toBe('phone-system');
    expect(end.atUtcMs - atUtcMs).toBeGreaterThan(1500);
    expect(end.atUtcMs - atUtcMs).toBeLessThan(3000);
  });

  const hostile: readonly [string, Partial<DialOrder>][] = [
    ['an unknown trunk', { trunk: 'nowhere' }],
    ['a number with an address in it', { number: '+12025550101@192.0.2.1' }],
    ['a number with a line break', { number: '+12025550101\r\nX: y' }],
    ['a caller id that is no number', { callerId: '"Bank" <1>' }],
    ['an id that is a path', { callId: 'call-../../x' }],
    ['a sound that is two sounds', { messageSound: 'a&b' }],
    ['a sound outside of its folder', { messageSound: '../../etc/x' }],
    ['a ring time that is none', { ringMs: 0 }],
  ];
  it.each(hostile)('%s is refused', async (_what, wrong) => {
    const { phone } = rigOf(bench);
    const outcome = await phone.dial(orderTo(bench, 'talksUntilHungUp', wrong));
    expect(outcome.outcome).toBe('refused');
  });
}

function connectsCalls(bench: Bench): void {
  it('an answered call joins the agent once, and both are recorded apart', async () => {
    const rig = rigOf(bench);
    const legId = await legUp(bench);
    const callId = await answered(bench);
    expect(await rig.phone.connect(callId, legId)).toEqual({ outcome: 'accepted' });
    expect(await rig.facts.untilKind('bridge-joined', callId)).toMatchObject({ legId });
    expect(await rig.phone.connect(callId, legId)).toEqual({ outcome: 'accepted' });
    const [live] = (await rig.phone.survey()).calls;
    expect(live).toEqual({ callId, state: 'up', held: true, legId });
    await rig.pass(2500);
    await hangUpAll(bench, callId);
    expect(rig.facts.kinds(callId)).toEqual([
      'call-ringing',
      'call-answered',
      'bridge-joined',
      'bridge-left',
      'call-ended',
    ]);
    await hangUpAll(bench, legId);
    const { customer, agent } = await rig.recordings(callId);
    expect(customer.customerTone).toBeGreaterThan(0.9);
    expect(customer.agentTone).toBeLessThan(0.01);
    expect(agent.agentTone).toBeGreaterThan(0.9);
    expect(agent.customerTone).toBeLessThan(0.01);
    expect(Math.abs(customer.durationMs - agent.durationMs)).toBeLessThan(300);
  });

  it('an agent takes one call after the other on a leg that stays up', async () => {
    const { phone, facts } = rigOf(bench);
    const legId = await legUp(bench, 'second');
    for (let turn = 0; turn < 2; turn += 1) {
      const callId = await answered(bench);
      await phone.connect(callId, legId);
      await facts.untilKind('bridge-joined', callId);
      await hangUpAll(bench, callId);
    }
    expect((await phone.survey()).legs).toEqual([{ legId, up: true }]);
    await hangUpAll(bench, legId);
  });

  it('a call that nobody takes hears the message and is ended by us', async () => {
    const { phone, facts } = rigOf(bench);
    const callId = await answered(bench);
    expect(await phone.endWithMessage(callId)).toEqual({ outcome: 'accepted' });
    const end = await facts.untilKind('call-ended', callId, 15_000);
    expect(end).toMatchObject({ by: 'us', cause: { cause: 16 } });
  });

  it('a far end that hangs up during the message is the one who ended the call', async () => {
    const { phone, facts, longSound } = rigOf(bench);
    const callId = await answered(bench, 'hangsUpAfter3s', { messageSound: longSound });
    await phone.endWithMessage(callId);
    expect(await facts.untilKind('call-ended', callId)).toMatchObject(byFarEnd);
  });

  it('a call is not connected to a leg that is gone', async () => {
    const rig = rigOf(bench);
    const legId = await legUp(bench);
    const callId = await answered(bench);
    await hangUpAll(bench, legId);
    expect((await rig.phone.connect(callId, legId)).outcome).toBe('refused');
    expect(await liveCalls(rig)).toEqual([callId]);
    await hangUpAll(bench, callId);
  });
}

function losesAgents(bench: Bench): void {
  it('an agent who hangs up is gone within a second, the customer is still held', async () => {
    const rig = rigOf(bench);
    const legId = await legUp(bench, 'leaving');
    const callId = await answered(bench);
    await rig.phone.connect(callId, legId);
    await rig.facts.untilKind('bridge-joined', callId);
    const up = await rig.facts.untilKind('leg-up', legId);
    const end = await rig.facts.untilKind('leg-ended', legId);
    expect(end.atUtcMs - up.atUtcMs).toBeLessThan(3000 + 1000);
    await rig.facts.untilKind('bridge-left', callId, 1000);
    const [live] = (await rig.phone.survey()).calls;
    expect(live).toEqual({ callId, state: 'up', held: true });
    await hangUpAll(bench, callId);
  });

  it('a phone that dies without a word is gone within five seconds', async () => {
    const rig = rigOf(bench);
    const legId = await legUp(bench, 'mortal');
    await rig.killMortalPhone();
    const end = await rig.facts.untilKind('leg-ended', legId, 5000);
    expect(end.cause.cause).toBe(44);
  });
}

function losesFeeds(bench: Bench): void {
  it('while ARI alone is cut nothing is dialed, ends are still told, and calls go on', async () => {
    const rig = rigOf(bench);
    const callId = await answered(bench);
    const leaving = await answered(bench, 'hangsUpAfter3s');
    const mark = rig.facts.all.length;
    rig.cut('ari');
    await rig.facts.untilStale('ari', mark);
    const order = orderTo(bench, 'busy');
    const before = await rig.timesCalled(order.number);
    expect((await rig.phone.dial(order)).outcome).toBe('refused');
    await expect(rig.phone.survey()).rejects.toMatchObject({ code: 'ari.disconnected' });
    await rig.facts.untilKind('call-ended', leaving);
    rig.heal('ari');
    const fresh = await rig.facts.untilFresh(mark);
    expect(fresh.survey.calls).toEqual([{ callId, state: 'up', held: true }]);
    expect(await rig.timesCalled(order.number)).toBe(before);
    await hangUpAll(bench, callId);
    const ends = rig.facts.kinds(leaving).filter((kind) => kind === 'call-ended');
    expect(ends).toEqual(['call-ended']);
  });

  it('while AMI alone is cut nothing is dialed, but calls are connected and ended', async () => {
    const rig = rigOf(bench);
    const legId = await legUp(bench);
    const callId = await answered(bench);
    const mark = rig.facts.all.length;
    rig.cut('ami');
    await rig.facts.untilStale('ami', mark);
    expect((await rig.phone.dial(orderTo(bench, 'busy'))).outcome).toBe('refused');
    await rig.phone.connect(callId, legId);
    await rig.facts.untilKind('bridge-joined', callId);
    await hangUpAll(bench, callId);
    rig.heal('ami');
    const fresh = await rig.facts.untilFresh(mark);
    expect(fresh.survey).toMatchObject({ calls: [], legs: [{ legId, up: true }] });
    await hangUpAll(bench, legId);
  });
}

function outlivesDaemon(bench: Bench): void {
  it('a call is recorded while the daemon is away, and held for it', async () => {
    const rig = rigOf(bench);
    const callId = await answered(bench);
    const { atUtcMs } = await rig.facts.untilKind('call-answered', callId);
    await rig.daemonLeaves();
    await rig.pass(3000);
    const mark = rig.facts.all.length;
    await rig.daemonReturns();
    const fresh = await rig.facts.untilFresh(mark);
    expect(fresh.survey.calls).toEqual([{ callId, state: 'up', held: true }]);
    await hangUpAll(bench, callId);
    const end = await rig.facts.untilKind('call-ended', callId);
    const { customer } = await rig.recordings(callId);
    expect(Math.abs(customer.durationMs - (end.atUtcMs - atUtcMs))).toBeLessThan(300);
    expect(customer.customerTone).toBeGreaterThan(0.9);
  });

  it('a daemon that is back soon gets the call that was answered without it', async () => {
    const rig = rigOf(bench);
    // It answers after a second and a half; the daemon begins to come back just before.
    const order = orderTo(bench, 'earlyMedia');
    const mark = rig.facts.all.length;
    await rig.phone.dial(order);
    await rig.daemonLeaves();
    await rig.pass(1000);
    await rig.daemonReturns();
    await rig.facts.untilFresh(mark);
    await rig.pass(500);
    expect((await rig.phone.survey()).calls).toEqual([
      { callId: order.callId, state: 'up', held: true },
    ]);
    await hangUpAll(bench, order.callId);
  });

  it('a call answered while the daemon stays away hears the message and ends', async () => {
    const rig = rigOf(bench);
    const order = orderTo(bench, 'talksUntilHungUp');
    await rig.phone.dial(order);
    await rig.daemonLeaves();
    await rig.pass(8000);
    const mark = rig.facts.all.length;
    await rig.daemonReturns();
    const fresh = await rig.facts.untilFresh(mark);
    expect(fresh.survey.calls).toEqual([]);
    const { customer } = await rig.recordings(order.callId);
    expect(customer.durationMs).toBeGreaterThan(1500);
  });
}

function restarts(bench: Bench): void {
  it('after a crash nothing of before is alive, and calls can be placed', async () => {
    const rig = rigOf(bench);
    const legId = await legUp(bench);
    const callId = await answered(bench);
    const { bootId } = await rig.phone.survey();
    const mark = rig.facts.all.length;
    await rig.crash();
    await rig.facts.untilStale('ari', mark);
    const fresh = await rig.facts.untilFresh(mark);
    expect(fresh.survey.bootId).not.toBe(bootId);
    expect(fresh.survey).toMatchObject({ calls: [], legs: [] });
    expect(await rig.phone.hangUp(callId)).toEqual({ outcome: 'accepted' });
    expect(await rig.phone.hangUp(legId)).toEqual({ outcome: 'accepted' });
    // Without the trunk's subscription, which Asterisk has forgotten, no end would be told.
    const order = orderTo(bench, 'busy');
    expect(await rig.phone.dial(order)).toEqual({ outcome: 'accepted' });
    const end: PhoneFact = await rig.facts.untilKind('call-ended', order.callId);
    expect(end).toMatchObject({ cause: { cause: 17, sipCode: 486 } });
  });
}
