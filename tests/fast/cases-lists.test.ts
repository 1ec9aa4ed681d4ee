// Lists from upload to live, and everything that can end them on the way: nothing of them stays.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hourMs } from '../../src/calendar.ts';
import { keepRejectsMs, stagedPerCommit } from '../../src/cases/list-steps.ts';
import type { NewList } from '../../src/cases/lists/intake.ts';
import { realClock } from '../../src/clock.ts';
import {
  type CasesFloor,
  campaignId,
  creditorId,
  granted,
  numberOf,
  openCasesFloor,
  refused,
} from './cases-floor.ts';

let floor: CasesFloor;
beforeEach(async () => {
  floor = await openCasesFloor();
});
afterEach(() => floor.close());

const uploads = () => join(floor.folder, 'uploads');
const header = '案件,客户,姓名,手机,联系人,联系人手机';
const line = (i: number) => `C-${i},K-${i},张三${i},${numberOf(i)},李四${i},${numberOf(50 + i)}`;
const lines = (count: number) =>
  [header, ...Array.from({ length: count }, (_, i) => line(i))].join('\n');

function order(content: string, change: Partial<NewList> = {}): NewList {
  const path = join(uploads(), `upload-${readdirSync(uploads()).length}.csv`);
  writeFileSync(path, content);
  return {
    file: { path },
    encoding: 'utf-8',
    campaignId,
    creditorId,
    name: '三月批次',
    mapping: {
      reference: '案件',
      people: [
        {
          role: 'debtor',
          name: '姓名',
          customer: '客户',
          numbers: [{ column: '手机', kind: 'mobile' }],
        },
        {
          role: 'contact-person',
          name: '联系人',
          numbers: [{ column: '联系人手机', kind: 'mobile' }],
        },
      ],
    },
    ...change,
  };
}

async function begin(content: string, change: Partial<NewList> = {}): Promise<string> {
  const begun = await floor.cases.lists.begin(order(content, change), 'person-data');
  if (!begun.done) throw new Error(begun.why);
  return begun.listId;
}

async function bringIn(content: string, change: Partial<NewList> = {}): Promise<string> {
  const listId = await begin(content, change);
  await floor.cases.lists.finished(listId);
  await floor.settle();
  return listId;
}

const listOf = (listId: string) => floor.cases.view().get('List', listId);
const count = (table: string) => floor.rows(`SELECT id FROM "${table}"`).length;
const tables = ['Case', 'CasePerson', 'Number', 'Lead'];
const counts = () => Object.fromEntries(tables.map((table) => [table, count(table)]));
const empty = { Case: 0, CasePerson: 0, Number: 0, Lead: 0 };

/** Goes on until something is so; the thread that reads the list is a real one. */
async function until(isSo: () => boolean): Promise<void> {
  const endMs = realClock.uptimeMs() + 8_000;
  while (!isSo()) {
    if (realClock.uptimeMs() > endMs) throw new Error('not within 8 s');
    await floor.settle();
  }
}

it.each([
  ['campaign', { campaignId: '13800138000' }],
  ['creditor', { creditorId: '2026-1122-01' }],
])(
  'refuses a %s that the ledger could not name, and keeps nothing of the list',
  async (_, wrong) => {
    const begun = await floor.cases.lists.begin(order(lines(1), wrong), 'person-a');
    expect(begun).toEqual({ done: false, why: 'not-an-id' });
    expect(readdirSync(uploads())).toEqual([]);
  },
);

describe('a list', () => {
  it('is staged in small commits, and live only by the word of a second person', async () => {
    const rows = stagedPerCommit * 2 + 7;
    const content = `${lines(rows)}\nC-0,K-0,再,${numberOf(1)},,\nC-x,K-x,错,123,,\n`;
    const sha256 = createHash('sha256').update(content).digest('hex');
    const listId = await bringIn(content);
    expect(listOf(listId)).toMatchObject({
      state: 'staged',
      accepted: rows,
      rejected: 2,
      duplicates: 1,
      fileSha256: sha256,
    });
    expect(counts()).toEqual({ Case: rows, CasePerson: rows * 2, Number: rows * 2, Lead: rows });
    const staged = floor.entries('list-staged').map(({ facts }) => facts?.rows);
    expect(staged).toEqual([stagedPerCommit, stagedPerCommit, 7]);
    expect(refused(await floor.permit())).toBe('no-lead-due');
    expect(await floor.cases.lists.confirm(listId, 'person-data')).toEqual({
      done: false,
      why: 'same-person',
    });
    expect(await floor.cases.lists.confirm(listId, 'person-2')).toEqual({ done: true });
    granted(await floor.permit());
    expect(await floor.cases.lists.drop(listId, 'late', 'person-2')).toMatchObject({ done: false });
    expect(floor.entries('list-live')).toMatchObject([
      { who: 'person-2', facts: { accepted: rows, fileSha256: sha256, importedBy: 'person-data' } },
    ]);
    const text = JSON.stringify(floor.entries());
    expect(text).not.toContain('张三');
    expect(text).not.toContain('2025550');
    // The upload is gone; the wrong rows stay for a week, for whoever corrects them.
    const path = listOf(listId)?.rejectPath ?? '';
    expect(readdirSync(uploads())).toEqual([`${listId}.rejects.csv`]);
    expect(readFileSync(path, 'utf8')).toContain('C-x');
    await floor.restart();
    expect(existsSync(path)).toBe(true);
    await floor.pass(keepRejectsMs + hourMs);
    await until(() => floor.entries('rejects-removed').length === 1);
    expect(existsSync(path)).toBe(false);
    expect(listOf(listId)?.rejectPath).toBeUndefined();
  });

  it('finds what stands in another list of the creditor, also one read beside it', async () => {
    const both = [await begin(lines(120)), await begin(lines(120))];
    for (const listId of both) await floor.cases.lists.finished(listId);
    const [first, second] = both.map(listOf);
    expect((first?.accepted ?? 0) + (second?.accepted ?? 0)).toBe(120);
    expect((first?.duplicates ?? 0) + (second?.duplicates ?? 0)).toBe(120);
    expect(floor.rows('SELECT DISTINCT reference FROM "Case"')).toHaveLength(120);
  });

  it('of a creditor that nobody registered is refused, and its file is gone', async () => {
    const wrong = order(lines(1), { creditorId: 'creditor-9' });
    expect(await floor.cases.lists.begin(wrong, 'person-data')).toEqual({
      done: false,
      why: 'no-such-creditor',
    });
    expect(readdirSync(uploads())).toEqual([]);
  });
});

describe('a person whom two creditors name', () => {
  it('is one by their identity number; by customer numbers alone nobody can tell', async () => {
    const other = { creditorId: 'creditor-2', campaignId: 'campaign-2' };
    await floor.cases.putCreditor(
      { id: other.creditorId, name: 'B', callerId: numberOf(98) },
      'it',
    );
    const named = { role: 'debtor', customer: '客户', identity: '证件' } as const;
    const numbers = [{ column: '手机', kind: 'mobile' }] as const;
    const mapping = { reference: '案件', people: [{ ...named, numbers }] };
    const rows = (from: number) =>
      [
        '案件,客户,证件,手机',
        `A,K-1,11010119900307001x,${numberOf(from)}`,
        `B,K-2,,${numberOf(from + 1)}\n`,
      ].join('\n');
    for (const [from, change] of [
      [1, {}],
      [11, other],
    ] as const) {
      const listId = await bringIn(rows(from), { mapping, ...change });
      expect(await floor.cases.lists.confirm(listId, 'person-2')).toEqual({ done: true });
    }
    const people = floor.rows<{ personKey: string; caseId: string }>('SELECT * FROM "CasePerson"');
    const [a, b, otherA, otherB] = people;
    expect(otherA?.personKey).toBe(a?.personKey);
    expect(otherB?.personKey).not.toBe(b?.personKey);
    expect(granted(await floor.permit()).caseId).toBe(a?.caseId);
    // The first person is on the line for one creditor, so the other has to wait.
    expect(granted(await floor.permit(other)).caseId).toBe(otherB?.caseId);
    expect(floor.entries('contact-withheld')).toMatchObject([
      { why: 'under-way', facts: { caseId: otherA?.caseId } },
    ]);
    expect(JSON.stringify(floor.entries())).not.toContain('19900307');
    expect(JSON.stringify(people)).not.toContain('19900307');
  });
});

describe('a list that fails', () => {
  it('because of what it holds leaves nothing but its entry', async () => {
    const why = 'nul-byte';
    const listId = await bringIn(`${lines(120)}\nC-x,K-x,a\0b,,,\n`);
    await until(() => floor.entries('list-gone').length === 1);
    expect(listOf(listId)).toMatchObject({ state: 'failed', why, rejectPath: undefined });
    expect(counts()).toEqual(empty);
    expect(floor.rows(`SELECT id FROM "Batch"`)).toEqual([]);
    expect(floor.rows('SELECT id FROM "Pending"')).toEqual([]);
    expect(readdirSync(uploads())).toEqual([]);
    expect(floor.entries('list-failed')).toMatchObject([{ about: listId, why }]);
    expect(await floor.cases.lists.confirm(listId, 'person-2')).toMatchObject({ done: false });
  });

  it('because the disk fails is told to the log, with the code in its entry', async () => {
    const wanted = order(lines(3));
    const begun = await floor.cases.lists.begin(
      { ...wanted, file: { path: `${wanted.file.path}.gone` } },
      'person-data',
    );
    if (!begun.done) throw new Error(begun.why);
    await floor.cases.lists.finished(begun.listId);
    expect(listOf(begun.listId)).toMatchObject({ state: 'failed', why: 'enoent' });
    expect(floor.reported).toHaveLength(1);
  });

  it('because the daemon ended is failed at the next start, and its files are gone', async () => {
    const listId = await begin(lines(5_000));
    await until(() => count('Case') > 0);
    await floor.restart();
    await until(() => floor.entries('list-gone').length === 1);
    expect(listOf(listId)).toMatchObject({ state: 'failed', why: 'daemon-restarted' });
    expect(counts()).toEqual(empty);
    await until(() => readdirSync(uploads()).length === 0);
  });
});

describe('a list that is dropped', () => {
  it('is erased slice by slice, also over a restart', async () => {
    const listId = await bringIn(lines(120));
    expect(await floor.cases.lists.drop(listId, 'wrong-file', 'person-data')).toEqual({
      done: true,
    });
    await floor.restart();
    await until(() => floor.entries('list-gone').length === 1);
    expect(counts()).toEqual(empty);
    const erased = floor.entries('list-rows-erased').map(({ facts }) => Number(facts?.cases));
    expect(erased.reduce((sum, each) => sum + each, 0)).toBe(120);
    expect(Math.max(...erased)).toBeLessThan(30);
    expect(listOf(listId)).toMatchObject({ state: 'dropped', why: 'wrong-file' });
  });

  it('while it is read is not read on', async () => {
    const listId = await begin(lines(5_000));
    await until(() => count('Case') > 0);
    await floor.cases.lists.drop(listId, 'wrong-file', 'person-data');
    await floor.cases.lists.finished(listId);
    await until(() => floor.entries('list-gone').length === 1);
    expect(counts()).toEqual(empty);
    expect(floor.reported).toEqual([]);
    expect(floor.entries('list-failed')).toEqual([]);
  });
});

describe('wrong rows of a list, when a case they may name is erased', () => {
  const by = 'person-supervisor';
  const otherList = { creditorId: 'creditor-2' };

  it('go before the case counts as gone; those of other creditors stay', async () => {
    const other = { id: 'creditor-2', name: 'Other', callerId: '+12025550198' };
    await floor.cases.putCreditor(other, by);
    const listId = await bringIn(lines(2));
    const againId = await bringIn(lines(1));
    const otherId = await bringIn(`${header}\nC-x,K-x,错,123,,\n`, otherList);
    const rejects = (id: string) => join(uploads(), `${id}.rejects.csv`);
    expect(readFileSync(rejects(againId), 'utf8')).toContain('张三0');
    const [row] = floor.rows<{ id: string }>('SELECT id FROM "Case" ORDER BY rowid');
    expect(await floor.cases.eraseCase(row?.id ?? '', by, 'asked')).toMatchObject({ done: true });
    await until(() => floor.entries('case-gone').length === 1);
    expect([listId, againId, otherId].map((id) => existsSync(rejects(id)))).toEqual([
      false,
      false,
      true,
    ]);
    expect([listId, againId].map((id) => listOf(id)?.rejectPath)).toEqual([undefined, undefined]);
    const seqOf = (what: string) => floor.entries(what).map(({ seq }) => seq);
    expect(seqOf('rejects-removed')).toHaveLength(2);
    expect(Math.max(...seqOf('rejects-removed'))).toBeLessThan(seqOf('case-gone')[0] ?? 0);
  });

  it('are not yet known while the list is read, so the erasure waits', async () => {
    await bringIn(lines(1));
    const [row] = floor.rows<{ id: string }>('SELECT id FROM "Case"');
    const reading = await begin(lines(40));
    const refusal = { done: false, why: 'list-being-read' };
    expect(await floor.cases.eraseCase(row?.id ?? '', by, 'asked')).toEqual(refusal);
    await floor.cases.lists.finished(reading);
    expect(await floor.cases.eraseCase(row?.id ?? '', by, 'asked')).toMatchObject({ done: true });
  });
});
