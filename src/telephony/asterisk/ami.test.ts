// Each wall round the package asterisk-manager, against a server that does what brings it down.
import { afterEach, describe, expect, it } from 'vitest';
import {
  type FakeAmi,
  type FakeAmiManners,
  Happenings,
  startFakeAmi,
} from '../../../tests/peers/fake-ami.ts';
import { seededIds } from '../../ids.ts';
import { VirtualClock } from '../../simulation/virtual-clock.ts';
import { type AmiConnection, type AmiRecord, amiLimits, connectAmi } from './ami.ts';

const secret = 'a-secret-of-the-test';

interface Rig {
  server: FakeAmi;
  link: AmiConnection;
  events: Happenings<AmiRecord>;
  ups: Happenings<true>;
  losses: Happenings<string>;
  /** Lets virtual time pass; sockets go on in real time. */
  pass(ms: number): Promise<void>;
}

const open: { close(): void | Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function connectTo(server: FakeAmi): Promise<Rig> {
  const time = new VirtualClock(0);
  const { clock } = time.life();
  const events = new Happenings<AmiRecord>();
  const ups = new Happenings<true>();
  const losses = new Happenings<string>();
  const access = { port: server.port, user: 'gatehouse', secret };
  const link = connectAmi(access, clock, seededIds(1), {
    up: () => ups.add(true),
    lost: (reason) => losses.add(reason),
    event: (record) => events.add(record),
  });
  open.unshift(link);
  const pass = (ms: number) => time.run(time.uptimeMs + ms);
  return { server, link, events, ups, losses, pass };
}

async function rigOf(manners: FakeAmiManners = {}): Promise<Rig> {
  const server = await startFakeAmi(manners);
  open.push(server);
  return connectTo(server);
}

/** Logged in, the login action taken off the list. */
async function upRig(manners: FakeAmiManners = {}): Promise<Rig> {
  const rig = await rigOf(manners);
  await rig.ups.next();
  await rig.server.actions.next();
  return rig;
}

/** A record that arrives behind everything said so far. */
async function heard(rig: Rig): Promise<AmiRecord[]> {
  rig.server.record('Event: Marker');
  const all: AmiRecord[] = [];
  for (;;) {
    const event = await rig.events.next();
    if (event.event === 'Marker') return all;
    all.push(event);
  }
}

describe('connecting', () => {
  it('logs in with its own order, and is up only then', async () => {
    const rig = await rigOf();
    await rig.ups.next();
    const login = await rig.server.actions.next();
    expect(login).toMatchObject({ Username: 'gatehouse', Secret: secret });
  });

  it('tells a refused login, on which the package is silent', async () => {
    const rig = await rigOf({ login: 'refused' });
    expect(await rig.losses.next()).toBe('the login was refused');
    expect(() => rig.link.action('Ping')).toThrow('AMI is down');
  });

  it('gives up on a login that is never answered', async () => {
    const rig = await rigOf({ login: 'unanswered' });
    await rig.server.actions.next();
    await rig.pass(amiLimits.connectMs);
    expect(await rig.losses.next()).toBe('no login in time');
  });

  it('tells a port where nobody listens', async () => {
    const server = await startFakeAmi();
    await server.close();
    const rig = await connectTo(server);
    expect(await rig.losses.next()).toContain('ECONNREFUSED');
  });

  it('refuses what comes before the login, instead of sending it later', async () => {
    const rig = await rigOf({ login: 'unanswered' });
    expect(() => rig.link.action('Originate')).toThrow('AMI is down');
    const login = await rig.server.actions.next();
    rig.server.record('Response: Success', `ActionID: ${login.ActionID}`);
    await rig.ups.next();
    await heard(rig);
    expect(rig.server.actions.rest()).toEqual([]);
  });
});

describe('a connection that is lost', () => {
  it('makes every open action unknown, and refuses new ones', async () => {
    const rig = await upRig();
    const open = [rig.link.action('CoreStatus'), rig.link.action('CoreSettings')];
    await rig.server.actions.next();
    await rig.server.actions.next();
    rig.server.cut();
    const reason = await rig.losses.next();
    expect(await Promise.all(open)).toEqual([
      { outcome: 'unknown', reason },
      { outcome: 'unknown', reason },
    ]);
    expect(() => rig.link.action('Ping')).toThrow('AMI is down');
  });

  it('sends nothing late: what was refused is not kept for the next connection', async () => {
    const rig = await upRig();
    rig.server.cut();
    await rig.losses.next();
    expect(() => rig.link.action('Originate')).toThrow('AMI is down');
    const next = await connectTo(rig.server);
    await next.ups.next();
    await heard(next);
    expect(rig.server.actions.rest().map((action) => action.Action)).toEqual(['login']);
  });

  it('leaves no half record to the next connection', async () => {
    const rig = await upRig();
    await heard(rig);
    rig.server.say('Event: Half\r\nChan');
    rig.server.cut();
    await rig.losses.next();
    const next = await connectTo(rig.server);
    await next.ups.next();
    rig.server.record('Event: Whole', 'Channel: PJSIP/x');
    expect(await heard(next)).toEqual([{ event: 'Whole', channel: 'PJSIP/x' }]);
  });

  it('never comes back by itself, and says its loss once', async () => {
    const rig = await upRig();
    rig.server.cut();
    await rig.losses.next();
    await rig.server.connections.next();
    await rig.pass(120_000);
    expect(rig.server.connections.rest()).toEqual([]);
    expect(rig.losses.rest()).toEqual([]);
  });

  it('is found dead by pings that are not answered', async () => {
    const rig = await upRig({ pings: 'unanswered' });
    await rig.pass(2 * (amiLimits.pingEveryMs + amiLimits.answerMs));
    expect(await rig.losses.next()).toBe('pings are not answered');
  });

  it('asks nothing more once it is lost, not even the ping that was on its way', async () => {
    const rig = await upRig({ pings: 'unanswered' });
    await rig.pass(amiLimits.pingEveryMs);
    await rig.server.actions.next();
    rig.server.cut();
    await rig.losses.next();
    await rig.pass(10 * amiLimits.pingEveryMs);
    expect(rig.losses.rest()).toEqual([]);
  });

  it('stands while pings are answered', async () => {
    const rig = await upRig();
    for (let turn = 0; turn < 5; turn += 1) {
      await rig.pass(amiLimits.pingEveryMs);
      await heard(rig);
    }
    expect(rig.losses.rest()).toEqual([]);
  });

  it('is ended by a record without an end', async () => {
    const rig = await upRig();
    rig.server.say('Event: Endless\r\n');
    const line = `Filler: ${'x'.repeat(60_000)}\r\n`;
    for (let sent = 0; sent <= amiLimits.recordBytes; sent += line.length) rig.server.say(line);
    expect(await rig.losses.next()).toBe('a record has no end');
  });
});

describe('answers', () => {
  it('go to the action they are for, in any order', async () => {
    const rig = await upRig();
    const first = rig.link.action('CoreStatus');
    const second = rig.link.action('CoreSettings');
    const ids = [await rig.server.actions.next(), await rig.server.actions.next()];
    expect(new Set(ids.map((action) => action.ActionID)).size).toBe(2);
    rig.server.record('Response: Success', `ActionID: ${ids[1]?.ActionID}`, 'Which: 2');
    rig.server.record('Response: Error', `ActionID: ${ids[0]?.ActionID}`, 'Message: No');
    expect(await second).toMatchObject({ outcome: 'success', fields: { which: '2' } });
    expect(await first).toEqual({ outcome: 'error', message: 'No' });
  });

  it('have a deadline; one that comes late is dropped', async () => {
    const rig = await upRig();
    const asked = rig.link.action('CoreStatus');
    const { ActionID } = await rig.server.actions.next();
    await rig.pass(amiLimits.answerMs);
    expect(await asked).toEqual({ outcome: 'unknown', reason: 'no answer in time' });
    rig.server.record('Response: Success', `ActionID: ${ActionID}`);
    expect(await heard(rig)).toEqual([]);
  });

  it('are not taken from an event that bears a Response and the ActionID', async () => {
    const rig = await upRig();
    const asked = rig.link.action('Originate');
    const { ActionID } = await rig.server.actions.next();
    const event = ['Event: OriginateResponse', 'Response: Failure', `ActionID: ${ActionID}`];
    rig.server.record(...event);
    expect(await heard(rig)).toHaveLength(1);
    rig.server.record('Response: Success', `ActionID: ${ActionID}`, 'Message: Queued');
    expect(await asked).toMatchObject({ outcome: 'success' });
  });

  it('are waited for by no more than a limit of actions', async () => {
    const rig = await upRig();
    for (let n = 0; n < amiLimits.openActions; n += 1) void rig.link.action('CoreStatus');
    expect(() => rig.link.action('CoreStatus')).toThrow('Too many AMI actions');
  });
});

describe('values', () => {
  const hostile: readonly [string, Record<string, string>][] = [
    ['a line break', { channel: 'PJSIP/1\r\nApplication: System' }],
    ['a line feed', { channel: 'x\nData: y' }],
    ['a NUL', { channel: 'x\0y' }],
    ['too much', { channel: 'x'.repeat(amiLimits.valueLength + 1) }],
    ['a key that is a header', { 'channel\r\nData': 'x' }],
    ['a key with a colon', { 'channel:': 'x' }],
  ];
  it.each(hostile)('with %s are refused before the package sees them', async (_what, fields) => {
    const rig = await upRig();
    expect(() => rig.link.action('Originate', fields)).toThrow(/AMI holds/);
    await heard(rig);
    expect(rig.server.actions.rest()).toEqual([]);
  });

  it('go over the wire as they are otherwise', async () => {
    const rig = await upRig();
    void rig.link.action('GetVar', { variable: 'ä=1, b' });
    expect(await rig.server.actions.next()).toMatchObject({ Variable: 'ä=1, b' });
  });
});

describe('events', () => {
  const named = ['Close', 'Error', 'End', 'Connect', 'Response', 'rawevent', 'managerevent'];
  it.each(named)('named %s are events like any other', async (name) => {
    const rig = await upRig();
    rig.server.record(`Event: ${name}`, 'X: y');
    expect(await heard(rig)).toEqual([{ event: name, x: 'y' }]);
    expect(rig.losses.rest()).toEqual([]);
  });

  it('with keys of every object are plain text', async () => {
    const rig = await upRig();
    rig.server.record('Event: Odd', 'constructor: x', '__proto__: y', 'Empty:', 'no colon');
    const [event] = await heard(rig);
    expect(event).toMatchObject({ event: 'Odd', empty: '' });
    expect(Object.getPrototypeOf(event)).toBe(null);
  });

  it('keep a header that repeats as a list, and text that is split anywhere', async () => {
    const rig = await upRig();
    const bytes = Buffer.from('Event: List\r\nName: Grüße\r\nName: 你好\r\n\r\n');
    for (const byte of bytes) rig.server.say(Buffer.of(byte));
    rig.server.record('Event: List', 'Name: Grüße', 'Name: 你好');
    const [split, whole] = await heard(rig);
    expect(split).toEqual(whole);
    expect(whole?.name).toEqual(['Grüße', '你好']);
  });
});
