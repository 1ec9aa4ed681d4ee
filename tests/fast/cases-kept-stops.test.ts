// What is true of a person outlives their cases and the erasure of these, by a keyed digest alone.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type StopReason, stopReasons, stopScopes } from '../../src/cases/case.ts';
import type { ListMapping } from '../../src/cases/lists/list-mapping.ts';
import { realClock } from '../../src/clock.ts';
import {
  type CasesFloor,
  campaignId,
  creditorId,
  digest,
  granted,
  numberOf,
  openCasesFloor,
  putCase,
  putList,
  refused,
} from './cases-floor.ts';

let floor: CasesFloor;
beforeEach(async () => {
  floor = await openCasesFloor();
  putList(floor);
});
afterEach(() => floor.close());

const by = 'person-supervisor';
const note = 'It was somebody of the same name';
const mapping: ListMapping = {
  reference: 'case',
  people: [
    {
      role: 'debtor',
      name: 'name',
      customer: 'customer',
      numbers: [{ column: 'mobile', kind: 'mobile' }],
    },
    { role: 'guarantor', customer: 'surety', numbers: [{ column: 'phone', kind: 'mobile' }] },
  ],
};
const header = 'case,name,customer,mobile,surety,phone';
const row = (reference: string, customer = 'Planted-K-1') =>
  `${header}\nPlanted-${reference},Planted Name,${customer},${numberOf(1)},,\n`;

/** Brings a list in, has it confirmed, and gives its cases. */
async function bringIn(content: string) {
  const path = join(floor.folder, 'uploads', 'list.csv');
  writeFileSync(path, content);
  const known = new Set(floor.rows<{ id: string }>('SELECT id FROM "Case"').map(({ id }) => id));
  const named = { campaignId, creditorId, name: 'Batch', mapping };
  const order = { file: { path }, encoding: 'utf-8', ...named } as const;
  const begun = await floor.cases.lists.begin(order, 'person-data');
  if (!begun.done) throw new Error(begun.why);
  await floor.cases.lists.finished(begun.listId);
  expect(await floor.cases.lists.confirm(begun.listId, by)).toEqual({ done: true });
  return floor
    .rows<{ id: string; stops: string; batchId: string }>('SELECT * FROM "Case" ORDER BY rowid')
    .filter(({ id }) => !known.has(id))
    .map(({ id, stops, batchId }) => ({ id, batchId, stops: JSON.parse(stops) as StopReason[] }));
}

async function bringOne(content: string) {
  const [only, ...more] = await bringIn(content);
  if (!only || more.length > 0) throw new Error('not one case');
  return only;
}

/** A case that stands here already, of a person whom a list would name so. */
const seed = (id: string, customer: string) =>
  putCase(floor, { id, person: `${creditorId}/${customer}` });
const stop = (caseId: string, reason: StopReason) => floor.cases.stop({ caseId, reason }, by);
const erase = async (caseId: string) => {
  expect(await floor.cases.eraseCase(caseId, by, 'asked')).toMatchObject({ done: true });
  // Files are removed by the real disk.
  const endMs = realClock.uptimeMs() + 8_000;
  while (floor.entries('case-gone').length === 0) {
    if (realClock.uptimeMs() > endMs) throw new Error('not within 8 s');
    await floor.settle();
  }
};
const kept = () =>
  floor.rows<{ id: string; key: string; reason: string }>('SELECT * FROM "StopList"');

describe('a stop of a person', () => {
  it('holds a case that comes in later from its first moment; one of a case does not', async () => {
    const known = stopReasons.map((reason, i) => ({ reason, customer: `Planted-K-${i}`, i }));
    for (const { reason, customer, i } of known) {
      seed(`case-${i}`, customer);
      await stop(`case-${i}`, reason);
    }
    const rows = known.map(({ customer, i }) => `New-${i},Name,${customer},${numberOf(50 + i)},,`);
    const cases = await bringIn(`${[header, ...rows].join('\n')}\n`);
    const wanted = stopReasons.map((reason) => (stopScopes[reason] === 'person' ? [reason] : []));
    expect(cases.map(({ stops }) => stops)).toEqual(wanted);
    const stopped = cases.filter(({ stops }) => stops.length > 0);
    expect(stopped).toHaveLength(6);
    expect(floor.entries('case-stopped').slice(known.length)).toMatchObject(
      stopped.map(({ id, stops }) => ({ about: id, why: stops[0], who: 'system' })),
    );
    const alarm = floor.cases.view().get('Alarm', `case-stopped:${cases[0]?.batchId}`);
    expect(alarm).toMatchObject({ count: 6 });
    const free = cases.filter(({ stops }) => stops.length === 0);
    for (const { id } of free) expect(granted(await floor.permit()).caseId).toBe(id);
    expect(refused(await floor.permit())).toBe('no-lead-due');
    const [number] = floor.rows<{ id: string }>(
      'SELECT id FROM "Number" WHERE caseId = ?',
      stopped[0]?.id,
    );
    const wish = { mode: 'manual', caseId: stopped[0]?.id, numberId: number?.id } as const;
    expect(refused(await floor.permit({ ...wish, agentId: 'agent-1' }))).toBe('stopped');
  });

  it('holds after its case was erased, and nothing of the person can be read in it', async () => {
    seed('case-1', 'Planted-K-1');
    await stop('case-1', 'refused');
    await erase('case-1');
    const key = digest('person', `${creditorId}/Planted-K-1`);
    expect(kept()).toMatchObject([{ scope: 'debtor', key, reason: 'refused', byPersonId: by }]);
    const bytes = ['gatehouse.db', 'gatehouse.db-wal']
      .map((name) => join(floor.folder, name))
      .filter((path) => existsSync(path))
      .map((path) => readFileSync(path).toString('latin1'))
      .join('');
    expect(bytes).toContain(key);
    for (const word of ['Planted', numberOf(1)]) expect(bytes).not.toContain(word);
    expect((await bringOne(row('C-1'))).stops).toEqual(['refused']);
    expect(refused(await floor.permit())).toBe('no-lead-due');
  });

  it('is kept once, and lifted with a reason everywhere, for later cases too', async () => {
    seed('case-1', 'Planted-K-1');
    await stop('case-1', 'ill');
    const second = await bringOne(row('C-2'));
    await stop(second.id, 'ill');
    expect(kept()).toHaveLength(1);
    const lift = { caseId: second.id, reason: 'ill', note } as const;
    expect(await floor.cases.liftStop(lift, by)).toEqual({ done: true });
    expect(kept()).toEqual([]);
    expect(floor.entries('stop-list-ended')).toMatchObject([{ who: by, why: 'stop-lifted' }]);
    expect((await bringOne(row('C-3'))).stops).toEqual([]);
    granted(await floor.permit());
  });

  it('is taken off the stop-list only when no case bears it any more', async () => {
    seed('case-1', 'Planted-K-1');
    await stop('case-1', 'dead');
    const order = { stopId: kept()[0]?.id ?? '', why: 'mistaken' };
    expect(await floor.cases.takeOffStopList(order, by)).toEqual({
      done: false,
      why: 'stop-of-case',
    });
    await erase('case-1');
    expect(await floor.cases.takeOffStopList(order, by)).toEqual({ done: true });
    expect((await bringOne(row('C-1'))).stops).toEqual([]);
  });

  it('keeps them from being called as a guarantor as well', async () => {
    seed('case-1', 'Planted-K-1');
    await stop('case-1', 'dead');
    const surety = `${header}\nC-2,Other,K-2,,Planted-K-1,${numberOf(2)}\n`;
    expect((await bringOne(surety)).stops).toEqual([]);
    expect(refused(await floor.permit())).toBe('stop-list');
  });
});

it('a guarantor who refused is not called in a case that comes in later', async () => {
  const more = [{ role: 'guarantor', number: numberOf(3) } as const];
  putCase(floor, { id: 'case-1', person: `${creditorId}/K-3`, numbers: [], more });
  const { permitId } = granted(await floor.permit());
  const talked = { outcome: 'conversation', answeredUtcMs: floor.now(), effective: false };
  const stated = { agentId: 'agent-1', disposition: 'other-refuses' };
  await floor.cases.settle({ permitId, ...talked, ...stated });
  await erase('case-1');
  const [kept] = floor.rows<{ key: string; reason: string }>('SELECT * FROM "StopList"');
  expect(kept).toMatchObject({
    reason: 'person-refused',
    key: digest('person', `${creditorId}/K-3/1`),
  });
  const second = await bringOne(`${header}\nC-2,Other,K-2,,K-3/1,${numberOf(3)}\n`);
  expect(second.stops).toEqual([]);
  const people = floor.rows('SELECT role, refusedUtcMs IS NULL AS may FROM "CasePerson"');
  expect(people).toEqual([
    { role: 'debtor', may: 1 },
    { role: 'guarantor', may: 0 },
  ]);
  expect(refused(await floor.permit())).toBe('stop-list');
});
