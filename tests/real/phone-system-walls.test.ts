// What the real Asterisk must not do for anybody, and what the adapter does when a link dies.
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { realClock } from '../../src/clock.ts';
import { realIds } from '../../src/ids.ts';
import {
  type AmiConnection,
  type AmiRecord,
  connectAmi,
} from '../../src/telephony/asterisk/ami.ts';
import { readCallRecords } from '../../src/telephony/asterisk/cdr.ts';
import type { DialOrder, PhoneSystem } from '../../src/telephony/phone-system.ts';
import { FactLog } from '../conformance/phone-rig.ts';
import { type AsteriskRig, extensions, openAsteriskRig, trunk } from '../peers/asterisk-rig.ts';
import { openSipPhone } from '../peers/sip-phone.ts';

let rig: AsteriskRig;
let phone: PhoneSystem;
const facts = new FactLog(realClock);

beforeAll(async () => {
  rig = await openAsteriskRig({ registering: ['8301'] });
  phone = rig.connect();
  await phone.start((fact) => facts.hear(fact));
  await facts.untilFresh(0);
});
afterAll(async () => {
  await phone?.stop();
  await rig?.close();
});

async function answeredCall(lastDigit = '1', more: Partial<DialOrder> = {}): Promise<string> {
  const callId = realIds.next('call');
  const order = {
    callId,
    trunk,
    number: `+1202555010${lastDigit}`,
    callerId: '+12025550199',
    ringMs: 15_000,
    limitMs: 60_000,
    messageSound: 'vm-goodbye',
    ...more,
  };
  expect(await phone.dial(order)).toEqual({ outcome: 'accepted' });
  await facts.untilKind('call-answered', callId);
  return callId;
}

const pass = (ms: number) =>
  new Promise<void>((resolve) => {
    realClock.after(ms, resolve);
  });

describe('rights', () => {
  it('Asterisk runs without root, and can not come back to it', async () => {
    const status = await readFile(`/proc/${rig.asterisk.pid()}/status`, 'utf8');
    expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).not.toBe('0');
    expect(/^CapEff:\s+(\w+)/m.exec(status)?.[1]).toMatch(/^0+$/);
    if (process.getuid?.() === 0) expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
  });

  it('the AMI user gives no order and reads nothing but ends', async () => {
    const events: AmiRecord[] = [];
    const link = await new Promise<AmiConnection>((resolve, reject) => {
      const access = { port: rig.ports.ami, user: 'gatehouse', secret: rig.access.amiSecret };
      const made = connectAmi(access, realClock, realIds, {
        up: () => resolve(made),
        lost: reject,
        event: (event) => events.push(event),
      });
    });
    const orders: readonly [string, Record<string, string>][] = [
      ['Command', { command: 'core show channels' }],
      ['Originate', { channel: 'PJSIP/8001', application: 'System', data: 'true' }],
      ['Redirect', { channel: 'x', context: 'gatehouse-call', exten: 's', priority: '1' }],
      ['Hangup', { channel: '/.*/' }],
      ['GetConfig', { filename: 'manager.conf' }],
      ['Filter', { operation: 'Add', filter: 'x' }],
    ];
    for (const [name, fields] of orders)
      expect(await link.action(name, fields)).toMatchObject({
        outcome: 'error',
        message: expect.stringMatching(/permission denied|invalid\/unknown command/i),
      });
    const callId = await answeredCall();
    await phone.hangUp(callId);
    await facts.untilKind('call-ended', callId);
    expect(await link.action('Ping')).toMatchObject({ outcome: 'success' });
    link.close();
    expect(events.map((event) => [event.event, event.uniqueid])).toEqual([['Hangup', callId]]);
  });

  it('a wrong secret opens neither door', async () => {
    const amiLost = await new Promise<string>((resolve) => {
      const access = { port: rig.ports.ami, user: 'gatehouse', secret: 'wrong' };
      connectAmi(access, realClock, realIds, {
        up: () => resolve('up'),
        lost: resolve,
        event: () => undefined,
      });
    });
    expect(amiLost).toBe('the login was refused');
    const answer = await fetch(`http://127.0.0.1:${rig.ports.ari}/ari/channels`, {
      headers: { authorization: `Basic ${btoa('gatehouse:wrong')}` },
    });
    expect(answer.status).toBe(401);
  });

  it('what the carrier or a phone dials by itself is refused', async () => {
    const stranger = await openSipPhone('anyone', rig.ports.sip + 20, rig.ports.sip);
    for (const target of ['+12025550101', 's', '8001', 'gatehouse'])
      expect(await stranger.ask('INVITE', target)).toBeGreaterThanOrEqual(400);
    stranger.close();
    const agent = await openSipPhone(extensions.first, rig.ports.sip + 22, rig.ports.sip);
    expect(await agent.ask('INVITE', '+12025550101')).toBe(401);
    expect(await agent.ask('REFER', 's', { 'Refer-To': '<sip:8001@127.0.0.1>' })).toBeGreaterThan(
      400,
    );
    agent.close();
  });

  it('raw recordings and call records are closed to others', async () => {
    const [file] = await readdir(rig.recordings);
    const folder = await stat(rig.recordings);
    const recording = await stat(join(rig.recordings, file ?? ''));
    expect(folder.mode & 0o7777).toBe(0o700);
    expect(recording.mode & 0o777).toBe(0o660);
    expect(recording.gid).toBe(folder.gid);
    expect((await stat(join(rig.cdrFolder, 'Master.csv'))).mode & 0o777).toBe(0o600);
  });

  it('no secret stands in a log, a fact or the call records', async () => {
    const logs = join(rig.folder, 'asterisk/log');
    const texts = [JSON.stringify(facts.all)];
    for (const name of await readdir(logs, { recursive: true }))
      texts.push(await readFile(join(logs, name), 'utf8').catch(() => ''));
    for (const secret of [rig.access.amiSecret, rig.access.ariSecret])
      expect(texts.some((text) => text.includes(secret))).toBe(false);
  });
});

describe('the recording notice', () => {
  it('is played after the answer, which it does not move, and is recorded', async () => {
    const callId = await answeredCall('8', { noticeSound: 'vm-goodbye' });
    const heardAtUtcMs = realClock.utcMs();
    const answered = await facts.untilKind('call-answered', callId);
    const { atUtcMs, noticedUtcMs } = answered;
    expect((noticedUtcMs ?? 0) - atUtcMs).toBeGreaterThan(500);
    expect(heardAtUtcMs - atUtcMs).toBeGreaterThan(500);
    await phone.hangUp(callId);
    const end = await facts.untilKind('call-ended', callId);
    const bytes = await readFile(join(rig.recordings, `${callId}-a.wav`));
    const samples = new Int16Array(Uint8Array.from(bytes.subarray(44)).buffer);
    expect(samples.some((sample) => Math.abs(sample) > 1000)).toBe(true);
    expect(Math.abs(samples.length / 8 - (end.atUtcMs - atUtcMs))).toBeLessThan(300);
  });
});

describe('an agent’s phone', () => {
  it('that registers with its secret is rung, one with a wrong secret is not', async () => {
    const legId = realIds.next('leg');
    const ring = { legId, extension: '8301', ringMs: 5000 };
    expect((await phone.ringAgent(ring)).outcome).toBe('refused');
    const handset = await openSipPhone('8301', rig.ports.sip + 24, rig.ports.sip);
    expect(await handset.register('8301', 'not-the-secret')).toBeGreaterThanOrEqual(401);
    expect(await handset.register('8301', rig.secretOf('8301'))).toBe(200);
    expect(await phone.ringAgent(ring)).toEqual({ outcome: 'accepted' });
    expect(await handset.heard.next()).toMatch(/^INVITE sip:8301@127\.0\.0\.1/);
    await phone.hangUp(legId);
    await facts.untilKind('leg-ended', legId);
    handset.close();
  });

  it('that answers while the daemon is away has its bridge when it is back', async () => {
    const legId = realIds.next('leg');
    await phone.ringAgent({ legId, extension: extensions.first, ringMs: 5000 });
    await phone.stop();
    const mark = facts.all.length;
    phone = rig.connect();
    await phone.start((fact) => facts.hear(fact));
    await facts.untilFresh(mark);
    await pass(1000);
    expect((await phone.survey()).legs).toEqual([{ legId, up: true }]);
    await phone.hangUp(legId);
    await facts.untilKind('leg-ended', legId);
  });
});

describe('a link that dies without a word', () => {
  it('ARI: the end of a call is told by AMI, and the link is renewed', async () => {
    const callId = await answeredCall('7');
    const mark = facts.all.length;
    rig.ariLink.freeze();
    await facts.untilKind('call-ended', callId, 3000 + 2500);
    await facts.untilStale('ari', mark);
    rig.ariLink.heal();
    const { survey } = await facts.untilFresh(mark);
    expect(survey.calls).toEqual([]);
  });

  it('ARI without any call: it is found by pings', async () => {
    const mark = facts.all.length;
    rig.ariLink.freeze();
    await facts.untilStale('ari', mark, 7000);
    rig.ariLink.heal();
    await facts.untilFresh(mark);
  });

  it('AMI: the next end that it does not tell shows it', async () => {
    const callId = await answeredCall();
    const mark = facts.all.length;
    rig.amiLink.freeze();
    await phone.hangUp(callId);
    await facts.untilKind('call-ended', callId);
    const { reason } = await facts.untilStale('ami', mark, 3000);
    expect(reason).toBe('ami is behind ari');
    rig.amiLink.heal();
    await facts.untilFresh(mark);
  });

  it('both together, and again and again, lose no call and end none', async () => {
    const callId = await answeredCall();
    for (let turn = 0; turn < 3; turn += 1) {
      const mark = facts.all.length;
      rig.ariLink.cut();
      rig.amiLink.cut();
      await facts.untilStale('ari', mark);
      rig.ariLink.heal();
      rig.amiLink.heal();
      const { survey } = await facts.untilFresh(mark);
      expect(survey.calls.map((call) => call.callId)).toEqual([callId]);
    }
    await phone.hangUp(callId);
    await facts.untilKind('call-ended', callId);
    expect(facts.kinds(callId).filter((kind) => kind === 'call-ended')).toHaveLength(1);
  });
});

describe('another client', () => {
  it('that takes the application ends our acting for good', async () => {
    const mark = facts.all.length;
    const { ariSecret } = rig.access;
    const address = `ws://127.0.0.1:${rig.ports.ari}/ari/events?app=gatehouse`;
    const thief = new WebSocket(`${address}&api_key=gatehouse:${ariSecret}`);
    const { reason } = await facts.untilStale('ari', mark);
    expect(reason).toBe('another client took the application');
    expect((await phone.hangUp(realIds.next('call'))).outcome).toBe('refused');
    thief.close();
    await pass(2000);
    expect(facts.all.slice(mark).filter((fact) => fact.kind === 'feed-fresh')).toEqual([]);
    await phone.stop();
    phone = rig.connect();
    await phone.start((fact) => facts.hear(fact));
    await facts.untilFresh(mark);
  });
});

describe('the process', () => {
  it('is adopted by the next daemon with its calls', async () => {
    const before = rig.asterisk.pid();
    const callId = await answeredCall();
    const again = await rig.adopt();
    expect(again.pid()).toBe(before);
    expect((await phone.survey()).calls.map((call) => call.callId)).toEqual([callId]);
    await phone.hangUp(callId);
    await facts.untilKind('call-ended', callId);
  });

  it('left a record of every call under its id', async () => {
    const records = await readCallRecords(rig.cdrFolder);
    const answered = facts.all.filter((fact) => fact.kind === 'call-answered');
    expect(answered.length).toBeGreaterThan(3);
    for (const { callId } of answered) {
      const found = records.filter((record) => record.uniqueId === callId);
      expect(found.map((record) => record.disposition)).toContain('ANSWERED');
    }
  });
});
