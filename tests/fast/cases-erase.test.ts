// A case is erased: nothing of it is left in any file of the database, and the ledger still holds.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dayMs, hourMs } from '../../src/calendar.ts';
import type { Row } from '../../src/draft.ts';
import { seededIds } from '../../src/ids.ts';
import { openCaseStore } from '../../src/store/load.ts';
import {
  type CasesFloor,
  campaignId,
  granted,
  morning,
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
const personTables = [
  'Case',
  'CasePerson',
  'Number',
  'Lead',
  'Callback',
  'PayPromise',
  'Note',
  'Release',
];
const alarms = () => [...floor.cases.view().all('Alarm')].map(({ id }) => id);

/** Every byte that the database has on the disk. Read by a test only: no lock is held meanwhile. */
function bytesOnDisk(): string {
  return ['gatehouse.db', 'gatehouse.db-wal', 'gatehouse.db-shm']
    .map((name) => join(floor.folder, name))
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path).toString('latin1'))
    .join('');
}

/** Does the chain of the ledger hold from its first line to its last? */
function chainHolds(): boolean {
  let prev = '0'.repeat(64);
  for (const { line } of floor.rows<{ line: string }>('SELECT line FROM ledger ORDER BY seq')) {
    if (JSON.parse(line).prev !== prev) return false;
    prev = createHash('sha256').update(`${line}\n`).digest('hex');
  }
  return true;
}

/** Calls case-1 once, with everything that may follow from a call, and leaves its recording. */
async function workOn(caseId: string, callId: string): Promise<void> {
  await floor.cases.release({ caseId, agentId: 'agent-1', note: `Planted Words of ${caseId}` }, by);
  const numberId = `number-${caseId}-0-0`;
  const wish = { mode: 'manual', agentId: 'agent-1', caseId, numberId, callId } as const;
  const { permitId } = granted(await floor.permit(wish));
  floor.put('Call', {
    id: callId,
    campaignId,
    mode: 'manual',
    state: 'ended',
    permitId,
    caseId,
    segment: '',
    askedUtcMs: morning,
    recovered: false,
  } as Row);
  for (const about of [caseId, callId]) {
    const reason = `Planted reason: ${caseId} was complained about by ${numberOf(1)}`;
    const look = { who: by, personId: by, what: 'looked', about, reason, salt: 'Planted Salt' };
    floor.put('Look', { id: `look-${about}`, atUtcMs: floor.now(), ...look } as Row);
  }
  const callback = { dueUtcMs: floor.now() + 3 * hourMs, own: false };
  await floor.cases.settle({
    permitId,
    outcome: 'conversation',
    answeredUtcMs: floor.now(),
    effective: true,
    agentId: 'agent-1',
    disposition: 'promise-to-pay',
    stated: { callback, promise: { amountMinor: 700, dueUtcMs: floor.now() + dayMs } },
  });
}

describe('erasing a case', () => {
  it('takes every row that knows a person, and leaves its contacts’ keyed digests', async () => {
    putCase(floor, { id: 'case-1', numbers: [numberOf(1), numberOf(2)] });
    putCase(floor, { id: 'case-2' });
    await workOn('case-1', 'call-1');
    const other = { who: by, personId: by, what: 'looked', about: 'case-2', atUtcMs: morning };
    floor.put('Look', { id: 'look-other', ...other } as Row);
    await floor.cases.stop({ caseId: 'case-1', reason: 'paid' }, by);
    expect(await floor.cases.eraseCase('case-1', by, 'contract-ended')).toMatchObject({
      done: true,
    });
    await floor.settle();
    for (const table of personTables) {
      const rows = floor.rows<{ caseId?: string; id: string }>(`SELECT * FROM "${table}"`);
      expect([table, rows.filter((row) => (row.caseId ?? row.id) === 'case-1')]).toEqual([
        table,
        [],
      ]);
    }
    expect(floor.rows(`SELECT id FROM "Contact"`)).toHaveLength(1);
    expect(floor.rows(`SELECT id FROM "Look"`)).toEqual([{ id: 'look-other' }]);
    expect(floor.erased).toEqual([['call-1']]);
    expect(alarms()).toEqual([]);
    expect(floor.entries('case-erased')).toMatchObject([
      {
        who: by,
        about: 'case-1',
        why: 'contract-ended',
        facts: { people: 1, numbers: 2, leads: 2, notes: 1, looks: 2, promises: 1, calls: 1 },
      },
    ]);
    expect(floor.entries('case-gone')).toMatchObject([{ about: 'case-1' }]);
    expect(await floor.cases.eraseCase('case-1', by, 'again')).toEqual({
      done: false,
      why: 'not-found',
    });
    expect(granted(await floor.permit()).caseId).toBe('case-2');
  });

  it('is refused while a contact is under way: its end must still find the case', async () => {
    putCase(floor, { id: 'case-1' });
    const { permitId } = granted(await floor.permit());
    expect(await floor.cases.eraseCase('case-1', by, 'asked')).toEqual({
      done: false,
      why: 'contact-under-way',
    });
    await floor.cases.settle({ permitId, outcome: 'busy', effective: false });
    expect(await floor.cases.eraseCase('case-1', by, 'asked')).toMatchObject({ done: true });
  });

  it('frees no cap of its person, and no stop-list', async () => {
    putCase(floor, { id: 'case-1', person: 'p' });
    putCase(floor, { id: 'case-2', person: 'p', numbers: [numberOf(1)] });
    const { caseId } = granted(await floor.permit());
    expect(caseId).toBe('case-1');
    await floor.cases.stop({ caseId: 'case-1', reason: 'paid' }, by);
    const permitId = floor.rows<{ id: string }>('SELECT id FROM "Contact"')[0]?.id ?? '';
    await floor.cases.settle({ permitId, outcome: 'busy', effective: false });
    await floor.cases.eraseCase('case-1', by, 'asked');
    expect(refused(await floor.permit())).toBe('interval-number');
  });

  it('is an alarm while keys of its recordings stand, and goes on until none does', async () => {
    putCase(floor, { id: 'case-1' });
    await workOn('case-1', 'call-1');
    floor.failErasing(2);
    await floor.cases.eraseCase('case-1', by, 'asked');
    await floor.pass(5_000);
    expect(alarms()).toEqual(['erasure-failing:case-1']);
    expect(floor.entries('case-gone')).toEqual([]);
    await floor.restart();
    await floor.pass(60_000);
    expect(floor.erased).toEqual([['call-1']]);
    expect(alarms()).toEqual([]);
    expect(floor.entries('case-gone')).toHaveLength(1);
    expect(floor.rows('SELECT id FROM "Pending"')).toEqual([]);
  });

  it('waits with its last word for whoever reads the database', async () => {
    putCase(floor, { id: 'case-1' });
    const reader = floor.database.constructor as new (
      path: string,
      how: object,
    ) => typeof floor.database;
    const other = new reader(join(floor.folder, 'gatehouse.db'), { readonly: true });
    const open = other.prepare('SELECT * FROM "Case"').iterate();
    open.next();
    await floor.cases.eraseCase('case-1', by, 'asked');
    await floor.settle();
    expect(floor.entries('case-gone')).toEqual([]);
    open.return?.();
    await floor.pass(60_000);
    expect(floor.entries('case-gone')).toHaveLength(1);
    other.close();
  });
});

describe('the files of the database', () => {
  const name = (i: number) => `Planted-Name-${i}-`;
  const seedsPlanted = 2;
  const planted = 400;

  const numberFor = (i: number) => `+4477009${String(i).padStart(5, '0')}`;

  /** Rows as a floor has them after years: put, grown and dropped in any order. */
  async function churn(seed: number): Promise<Set<number>> {
    const { below } = seededIds(seed);
    const { store } = floor;
    const cases = openCaseStore(floor.database);
    const gone = new Set<number>();
    const filler = () => 'x'.repeat(below(60));
    const change = (table: string, row: object) => ({
      table,
      id: (row as Row).id,
      row: row as Row,
    });
    const commit = (...changes: { table: string; id: string; row: Row | null }[]) =>
      store.commit({ room: 'cases', entries: [], changes });
    for (let i = 0; i < planted; i += 1) {
      const id = `case-${i}`;
      const of = { caseId: id, version: 1 };
      const row = {
        id,
        batchId: 'b',
        creditorId: 'c',
        referenceKey: `k${i}`,
        stops: [],
        version: 1,
      };
      const person = { ...of, id: `debtor-${i}`, role: 'debtor', personKey: `p${i}` };
      const number = { ...of, id: `number-${i}`, numberKey: `n${i}`, personId: person.id };
      const order = { room: 'telephony', lane: 'l', kind: 'dial', atUtcMs: 1 };
      commit(
        change('Case', { ...row, reference: `Planted-Ref-${i}-` }),
        change('CasePerson', { ...person, name: `${name(i)}${filler()}` }),
        change('Number', {
          ...number,
          ...{ e164: numberFor(i), kind: 'mobile', notAtWork: false, state: 'ok' },
        }),
        change('Pending', {
          ...{ ...order, id: `effect-${i}` },
          effect: { number: numberFor(i), more: filler() },
        }),
        { table: 'Pending', id: `effect-${i - below(10)}`, row: null },
      );
      const before = below(i + 1);
      const old = cases.caseById(`case-${before}`);
      const roll = below(3);
      if (old && roll === 0) commit(change('Case', { ...old, product: filler(), version: 2 }));
      if (!old || roll !== 1) continue;
      gone.add(before);
      await floor.cases.eraseCase(old.id, by, 'asked');
    }
    floor.rows('DELETE FROM "Pending" RETURNING id');
    return gone;
  }

  it.each(Array.from({ length: seedsPlanted }, (_, i) => i + 1))(
    'hold no name, number or reference of an erased case (seed %i)',
    async (seed) => {
      const gone = await churn(seed);
      expect(gone.size).toBeGreaterThan(50);
      expect(openCaseStore(floor.database).clearLog()).toBe(true);
      const bytes = bytesOnDisk();
      const all = Array.from({ length: planted }, (_, i) => i);
      const words = (i: number) => [name(i), `Planted-Ref-${i}-`, numberFor(i)];
      const read = all.filter((i) => words(i).some((word) => bytes.includes(word)));
      // What is kept can be read, or the search would prove nothing.
      expect(read).toEqual(all.filter((i) => !gone.has(i)));
      expect(chainHolds()).toBe(true);
    },
  );

  it('hold nothing of a case that was worked on, nor does any entry', async () => {
    putCase(floor, { id: 'case-1', person: 'Planted Debtor' });
    await workOn('case-1', 'call-1');
    await floor.cases.eraseCase('case-1', by, 'asked');
    await floor.pass(60_000);
    expect(floor.entries('case-gone')).toHaveLength(1);
    const bytes = bytesOnDisk();
    for (const word of ['Planted', numberOf(1), 'ref-of-case-1']) expect(bytes).not.toContain(word);
    expect(chainHolds()).toBe(true);
  });
});
