// Cases called, recorded and erased: the account still verifies, and nothing of them can be read.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dayMs } from '../../src/calendar.ts';
import { realClock } from '../../src/clock.ts';
import type { Outcome } from '../../src/people/person.ts';
import { rotateCallRecords } from '../../src/telephony/asterisk/cdr.ts';
import { closeAccount, type FloorAccount } from '../peers/floor-account.ts';
import { extensions, type FloorRig, numberOf, openFloorRig } from '../peers/floor-rig.ts';

const cdrDays = 7;
const campaignId = 'campaign-erasure';
const note = 'Planted note: the customer asked for this agent.';
/** The first three are erased; the last one is kept, and has to be found by the same search. */
const answered = { name: 'Planted Anna 安娜', number: numberOf('talksUntilHungUp', 0) };
const busy = { name: 'Planted Björn', number: numberOf('busy', 1) };
/** One file of its recording is lost, so that the other one is put aside in quarantine. */
const spoiled = { name: 'Planted Dörte', number: numberOf('talksUntilHungUp', 3) };
const kept = { name: 'Kept Clara', number: numberOf('hangsUpAfterTalk', 2) };
const customers = [answered, busy, spoiled, kept].map((each, i) => ({
  ...each,
  reference: `DEBT-#${i}#`,
}));
let rig: FloorRig;
let account: FloorAccount;
/** As the key of the erased recording stood in its row. */
let wrappedKey: string;

beforeAll(async () => {
  rig = await openFloorRig({
    agents: 1,
    carrier: { ringMs: [300, 400], talkMs: [1_000, 1_500] },
    habits: { talkMs: [2_000, 2_001], wrapUpMs: 50 },
  });
});
afterAll(() => rig?.close());

const quarantine = () => `${rig.spool}-quarantine`;

/** Every file that the floor, its Asterisk or its log has written. */
function filesOfFloor(): string[] {
  const top = readdirSync(rig.folder, { withFileTypes: true, recursive: true });
  const paths = top.filter((entry) => entry.isFile()).map((e) => join(e.parentPath, e.name));
  // What the far ends and this test have written is no part of the floor.
  const others = /^(?:carrier|phones|mortal)\/|^[^/]+\.csv$/;
  return paths.filter((path) => !others.test(relative(rig.folder, path)));
}

/** Where any of the words stands, in whatever encoding. */
function places(words: readonly string[]): string[] {
  const coded = words.flatMap((word) => {
    const utf16 = Buffer.from(word, 'utf16le');
    return [Buffer.from(word), utf16, Buffer.from(utf16).swap16(), Buffer.from(word, 'latin1')];
  });
  return filesOfFloor()
    .filter((path) => {
      const bytes = readFileSync(path);
      return coded.some((word) => bytes.includes(word));
    })
    .map((path) => relative(rig.folder, path));
}

/** What names a customer; the digits of the number are those that every way to write it has. */
const wordsOf = ({ name, number, reference }: (typeof customers)[number]) => [
  ...[name, reference, number.slice(2)],
];
const gone = [...customers.slice(0, 3).flatMap(wordsOf), note];

it('a list is called: recorded, busy, put aside, and one that is kept', async () => {
  const { news } = rig;
  await rig.campaign(campaignId, []);
  const rows = customers.map(({ reference, name, number }) => `${reference},${name},${number}`);
  const path = join(rig.folder, 'customers.csv');
  writeFileSync(path, `reference,name,mobile\n${rows.join('\n')}\n`, { mode: 0o644 });
  expect(await rig.ask({ do: 'list', path, campaignId })).toBe(customers.length);
  const [extension = ''] = extensions(1);
  const [agentId = ''] = await rig.seat([
    { extension, way: 'pre-connected', campaignIds: [campaignId] },
  ]);
  const given = { caseId: await caseOf(answered.number), agentId, note };
  const released = await rig.ask<Outcome>({ do: 'cases', order: { name: 'release', given } });
  expect(released).toMatchObject({ done: true });
  await rig.setCampaign(campaignId, 'running');
  const spoiledCase = await caseOf(spoiled.number);
  const talks = () => news.calls('talking').find(({ caseId }) => caseId === spoiledCase);
  const { id: spoiledId } = await news.until('talk', talks, 20_000);
  rmSync(join(rig.spool, `${spoiledId}-a.wav`));
  await news.until('ends', () => news.said('call-ended').length === customers.length, 30_000);
  await rig.setCampaign(campaignId, 'stopped');
  await rig.untilQuiet(20_000);
  expect(news.said('recording-sealed')).toHaveLength(2);
  await news.untilSaid('recording-quarantined', 1, 1_000, spoiledId);
  expect(readdirSync(quarantine())).toContain(`${spoiledId}-c.wav`);
  const read = places(gone);
  expect(read.some((place) => place.startsWith('data/gatehouse.db'))).toBe(true);
});

it('after the erasure the account verifies: the recording is gone by record', async () => {
  const { news } = rig;
  const answeredCase = await caseOf(answered.number);
  const call = news.calls('ended').find(({ caseId }) => caseId === answeredCase);
  wrappedKey = news.get('Recording', call?.id ?? '')?.wrappedKey ?? '';
  expect(places([wrappedKey]).some((place) => place.startsWith('data/gatehouse.db'))).toBe(true);
  for (const { number } of [answered, busy, spoiled]) {
    const caseId = await caseOf(number);
    const order = { name: 'eraseCase', given: { caseId, why: 'contract-ended' } } as const;
    expect(await rig.ask<Outcome>({ do: 'cases', order })).toMatchObject({ done: true });
    await news.untilSaid('case-gone', 1, 20_000, caseId);
  }
  const erased = () => news.all('Recording', ({ state }) => state === 'erased').length === 2;
  await news.until('erased recordings', erased, 5_000);
  account = await closeAccount(rig);
  expect(account.report.findings).toEqual([]);
  expect(account.report.objects).toMatchObject({ erased: 1, sound: 1 });
  expect(account.spool).toEqual([]);
  expect(readdirSync(quarantine())).toEqual([]);
});

it('nothing of the erased cases can be read in any file of the floor', () => {
  expect(places([...gone, wrappedKey])).toEqual([]);
});

it('Asterisk’s own records know the call by its id, and no longer than their days', async () => {
  const [sealed] = rig.news.said('recording-sealed');
  const records = () =>
    places([sealed?.about ?? '']).filter((place) => place.includes('/asterisk/'));
  expect(records()).toHaveLength(1);
  await recordsAfter(1);
  await recordsAfter(cdrDays);
  expect(records()).toHaveLength(1);
  await recordsAfter(1 + cdrDays);
  expect(records()).toEqual([]);
});

it('the case that was not erased can be read where it belongs', () => {
  for (const word of customers.slice(3).flatMap(wordsOf))
    expect(places([word]).some((place) => place.startsWith('data/gatehouse.db'))).toBe(true);
});

async function caseOf(number: string): Promise<string> {
  const rows = await rig.ask<{ caseId: string; e164: string }[]>({ do: 'rows', table: 'Number' });
  const row = rows.find(({ e164 }) => e164 === number);
  if (!row) throw new Error(`no case has ${number}`);
  return row.caseId;
}

/** What the daemon does with the records each hour, so many days from now. */
const recordsAfter = (days: number) =>
  rotateCallRecords(
    rig.cdrFolder,
    cdrDays,
    { ...realClock, utcMs: () => realClock.utcMs() + days * dayMs },
    () => {},
  );
