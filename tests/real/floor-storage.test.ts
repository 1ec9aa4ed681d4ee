// A spool that can't be written and a full disk: no call goes on unrecorded, nothing is lost.
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkWithinMs } from '../../src/telephony/recording.ts';
import type { CallRow } from '../../src/telephony/working-set.ts';
import { closeAccount, lossFaults } from '../peers/floor-account.ts';
import type { FloorNews } from '../peers/floor-news.ts';
import { extensions, type FloorRig, numberOf, openFloorRig } from '../peers/floor-rig.ts';

/** An hour of recording is 115 MB, and with less room than that nothing is dialed. */
const spoolMb = 200;
/** From the answer to the phone system's word of it, and from the last look to the record. */
const marginMs = 400;
const storageLookMs = 10_000;
/** Whichever is first: a call that is not recorded, or the look at the storage. */
const reasons = ['call-not-recorded', 'spool-short'];
let rig: FloorRig;
let news: FloorNews;
let turn = 0;

beforeAll(async () => {
  rig = await openFloorRig({
    agents: 3,
    spoolMb,
    carrier: { ringMs: [300, 400], talkMs: [1_000, 1_500] },
    habits: { talkMs: [60_000, 60_001], wrapUpMs: 50 },
  });
  news = rig.news;
});
afterAll(() => rig?.close());

const ballast = () => rig.inside(join(rig.folder, 'disk/ballast'));

/** Seats an agent for a campaign of their own, with so many numbers to talk to. */
async function beginCampaign(id: string, numbers: number): Promise<string> {
  const [extension = ''] = extensions(3).slice(turn);
  const list = Array.from({ length: numbers }, (_, i) =>
    numberOf('talksUntilHungUp', 20 * turn + i),
  );
  turn += 1;
  await rig.campaign(id, list);
  const [agentId = ''] = await rig.seat([{ extension, way: 'pre-connected', campaignIds: [id] }]);
  await news.until('ready', () => news.get('Agent', agentId)?.state === 'ready', 10_000);
  return agentId;
}

const callsOf = (campaignId: string, ...states: CallRow['state'][]) =>
  news.calls(...states).filter((call) => call.campaignId === campaignId);

const alarms = () => news.all('Alarm', standing).map(({ code }) => code);
const standing = ({ clearedUtcMs }: { clearedUtcMs?: number | undefined }) =>
  (clearedUtcMs ?? null) === null;

async function hangUp(callId: string): Promise<void> {
  const agentId = news.get('Call', callId)?.agentId ?? '';
  await rig.ask({ do: 'telephony', event: { kind: 'hang-up-call', callId, agentId } });
}

/** Waits for the end of a call that could not be recorded, and holds it against the rule. */
async function expectEnded(callId: string): Promise<void> {
  const ended = await news.untilSaid('call-ended', 1, 10_000, callId);
  expect(ended).toMatchObject({ why: 'not-recorded', facts: { by: 'us' } });
  const [raised] = news.said('alarm-raised').filter(({ about }) => about === callId);
  expect(raised?.why).toBe('call-not-recorded');
  const answeredUtcMs = news.get('Call', callId)?.answeredUtcMs ?? 0;
  expect((raised?.atUtcMs ?? 0) - answeredUtcMs).toBeLessThan(checkWithinMs + marginMs);
  expect(ended.atUtcMs - answeredUtcMs).toBeLessThan(2_000);
}

it('a spool that can not be written ends the answered call and withholds dialing', async () => {
  await beginCampaign('read-only', 3);
  const from = news.nextSeq;
  await rig.setCampaign('read-only', 'running');
  const call = await news.until('ringing call', () => callsOf('read-only', 'ringing')[0], 10_000);
  chmodSync(rig.inside(rig.spool), 0o550);
  await expectEnded(call.id);
  const withheld = await news.untilSaid('dialing-withheld', from, 1_000);
  expect(reasons).toContain(withheld.why);
  // The look at the storage sees it too, and so it stays.
  await news.until('alarm', () => alarms().includes('storage-unreadable'), storageLookMs + 2_000);
  expect(news.said('call-dialed', from)).toHaveLength(1);
  chmodSync(rig.inside(rig.spool), 0o700);
  const allowed = await news.untilSaid('dialing-allowed', from, storageLookMs + 2_000);
  await news.until('readable', () => !alarms().includes('storage-unreadable'), 1_000);
  const connected = await news.untilSaid('call-connected', allowed.seq, 10_000);
  await news.untilSaid('recording-running', allowed.seq, 5_000, connected.about);
  await rig.setCampaign('read-only', 'stopped');
  await hangUp(connected.about);
  await news.untilSaid('raw-discarded', 1, 15_000, connected.about);
});

it('a disk that fills up ends new calls, withholds dialing and loses nothing', async () => {
  await beginCampaign('before-full', 1);
  await rig.setCampaign('before-full', 'running');
  const talking = await news.until('talk', () => callsOf('before-full', 'talking')[0], 10_000);
  await beginCampaign('full', 10);
  fill();
  const from = news.nextSeq;
  await rig.setCampaign('full', 'running');
  const withheld = await news.untilSaid('dialing-withheld', from, storageLookMs + 2_000);
  expect(reasons).toContain(withheld.why);
  await news.until('alarm', () => alarms().includes('storage-low'), storageLookMs + 2_000);
  await news.until(
    'no call rings',
    () => callsOf('full', 'dialing', 'dialed', 'ringing').length === 0,
    10_000,
  );
  for (const { about } of news.said('call-answered', from)) await expectEnded(about);
  const dialed = news.said('call-dialed').length;
  await hangUp(talking.id);
  await news.untilSaid('call-ended', from, 5_000, talking.id);

  rmSync(ballast());
  const allowed = await news.untilSaid('dialing-allowed', from, storageLookMs + 2_000);
  const [first] = news.said('call-dialed').slice(dialed);
  expect(first?.seq ?? allowed.seq).toBeGreaterThanOrEqual(allowed.seq);
  const connected = await news.untilSaid('call-connected', allowed.seq, 10_000);
  await news.untilSaid('recording-running', 1, 5_000, connected.about);
  await rig.setCampaign('full', 'stopped');
  for (const { id } of news.calls('talking')) await hangUp(id);
});

it('afterwards every answered call is sealed or put aside with an alarm', async () => {
  await rig.untilQuiet(30_000);
  const account = await closeAccount(rig);
  expect(lossFaults(account)).toEqual([]);
});

function fill(): void {
  const block = Buffer.alloc(1024 * 1024);
  try {
    for (let mb = 0; mb <= spoolMb; mb += 1) writeFileSync(ballast(), block, { flag: 'a' });
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC')) throw cause;
  }
  expect(existsSync(ballast())).toBe(true);
}
