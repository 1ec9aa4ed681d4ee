// A cases room on a real store of its own, with a clock that a test moves, and cases to work with.
import { createHmac } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noHolidays } from '../../src/calendar.ts';
import type { CasePersonRow, CaseRow, NumberRow } from '../../src/cases/case.ts';
import { type Cases, openCases } from '../../src/cases/cases.ts';
import { type ContactPolicy, defaultPolicy } from '../../src/cases/contact-policy.ts';
import type { GrantAnswer } from '../../src/cases/grant.ts';
import type { PermitWish } from '../../src/cases/questions.ts';
import type { LeadRow, ListRow } from '../../src/cases/working-set.ts';
import { type Clock, realClock } from '../../src/clock.ts';
import type { Row } from '../../src/draft.ts';
import { type Ids, seededIds } from '../../src/ids.ts';
import { openStore, type Store } from '../../src/store/commit.ts';
import { type Database, migrate, openDatabase } from '../../src/store/database.ts';
import { openCaseStore } from '../../src/store/load.ts';

const migrations = new URL('../../prisma/migrations', import.meta.url).pathname;
export const shanghai = 'Asia/Shanghai';
/** A Monday, ten in the morning in Shanghai. */
export const morning = Date.parse('2026-11-23T10:00:00+08:00');
export const campaignId = 'campaign-1';
export const creditorId = 'creditor-1';

export interface EntryRecord {
  seq: number;
  what: string;
  who: string;
  about: string;
  why?: string;
  facts?: Record<string, unknown>;
}

export const digest = (kind: string, text: string) =>
  createHmac('sha256', 'site').update(`${kind}/${text}`).digest('hex');

/** Numbers of the range that is reserved for fiction. */
export const numberOf = (index: number) =>
  `+1202555${String(100 + (index % 100)).padStart(4, '0')}`;

export interface CasesFloor {
  folder: string;
  database: Database;
  store: Store;
  ids: Ids;
  cases: Cases;
  /** What other rooms were told. */
  stopped: { caseIds: readonly string[]; reason: string }[];
  erased: (readonly string[])[];
  reported: unknown[];
  /** Makes the next so many orders to erase recordings fail. */
  failErasing(times: number): void;
  now(): number;
  /** Moves wall time and uptime; timers that are due fire. */
  pass(ms: number): Promise<void>;
  /** Sets the wall clock only. */
  stepWall(ms: number): void;
  /** Lets everything that can go on without time passing go on. */
  settle(): Promise<void>;
  permit(wish?: Partial<PermitWish>): Promise<GrantAnswer>;
  entries(what?: string): EntryRecord[];
  rows<R = Record<string, unknown>>(sql: string, ...values: unknown[]): R[];
  put(table: string, ...rows: Row[]): void;
  /** Ends the room as a crash would, and opens it again on the same store. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface FloorOptions {
  policy?: Partial<ContactPolicy>;
  seed?: number;
}

/** How often the event loop turns before everything that waits for nothing has happened. */
const quietTurns = 12;

export async function openCasesFloor({ policy, seed = 1 }: FloorOptions = {}): Promise<CasesFloor> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  mkdirSync(join(folder, 'uploads'));
  const database = openDatabase(join(folder, 'gatehouse.db'));
  migrate(database, migrations, 0);
  // These tests end rooms, not machines: what the committer does for power cuts has its own.
  database.pragma('synchronous = OFF');
  const time = testClock();
  const ids = seededIds(seed);
  const store = openStore(database, { ...realClock, utcMs: time.utcMs });
  let failures = 0;
  const open = () =>
    openCases(
      {
        clock: time.life(),
        ids,
        committer: store,
        report: (_, cause) => floor.reported.push(cause),
        stop: (cause) => {
          throw cause;
        },
      },
      {
        store: openCaseStore(database),
        policy: { ...defaultPolicy(noHolidays, [shanghai]), ...policy },
        lists: { folder: join(folder, 'uploads'), region: 'US', zones: [shanghai] },
        digest,
        stopped(caseIds, reason) {
          floor.stopped.push({ caseIds, reason });
          return true;
        },
        async eraseRecordings(callIds) {
          failures -= 1;
          if (failures >= 0) throw new Error('the vault does not answer');
          floor.erased.push(callIds);
        },
      },
    );
  const floor: CasesFloor = {
    folder,
    database,
    store,
    ids,
    cases: undefined as unknown as Cases,
    stopped: [],
    erased: [],
    reported: [],
    failErasing(times) {
      failures = times;
    },
    now: time.utcMs,
    pass: time.pass,
    stepWall: time.stepWall,
    settle,
    permit: (wish = {}) =>
      floor.cases.permit({
        campaignId,
        creditorId,
        callId: ids.next('call'),
        mode: 'predictive',
        ...wish,
      }),
    entries: (what) =>
      (database.prepare('SELECT line FROM ledger ORDER BY seq').pluck().all() as string[])
        .map((line) => JSON.parse(line).rec as EntryRecord)
        .filter((entry) => what === undefined || entry.what === what),
    rows: <R>(sql: string, ...values: unknown[]) => database.prepare(sql).all(...values) as R[],
    put(table, ...rows) {
      const changes = rows.map((row) => ({ table, id: row.id, row }));
      store.commit({ room: 'cases', entries: [], changes });
    },
    async restart() {
      time.endLife();
      floor.cases.end();
      floor.cases = open();
      await floor.cases.start();
      await settle();
    },
    async close() {
      floor.cases.end();
      database.close();
      rmSync(folder, { recursive: true });
    },
  };
  floor.put('Creditor', { id: creditorId, name: 'Bank', callerId: '+12025550199' } as Row);
  floor.cases = open();
  await floor.cases.start();
  return floor;
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < quietTurns; turn += 1) {
    await new Promise<void>((resolve) => realClock.soon(resolve));
  }
}

/**
 * Wall time and uptime stand still unless a test moves them; turns of the loop are real. Each run
 * of the room has a life of its own: nothing it set goes on once that is over.
 */
function testClock() {
  let uptimeMs = 0;
  let wallMs = morning;
  let timers: { atMs: number; fire: () => void }[] = [];
  let current = { alive: true };
  const utcMs = () => wallMs;
  const life = (): Clock => {
    const own = { alive: true };
    current = own;
    const guarded = (fire: () => void) => () => {
      if (own.alive) fire();
    };
    return {
      utcMs,
      uptimeMs: () => uptimeMs,
      after(delayMs, fire) {
        const timer = { atMs: uptimeMs + delayMs, fire: guarded(fire) };
        timers.push(timer);
        return {
          cancel: () => {
            timers = timers.filter((each) => each !== timer);
          },
        };
      },
      soon: (fire) => realClock.soon(guarded(fire)),
    };
  };
  return {
    utcMs,
    life,
    endLife() {
      current.alive = false;
    },
    async pass(ms: number) {
      const untilMs = uptimeMs + ms;
      await settle();
      for (;;) {
        const next = timers
          .filter(({ atMs }) => atMs <= untilMs)
          .sort((a, b) => a.atMs - b.atMs)[0];
        if (!next) break;
        timers = timers.filter((each) => each !== next);
        wallMs += Math.max(0, next.atMs - uptimeMs);
        uptimeMs = Math.max(uptimeMs, next.atMs);
        next.fire();
        await settle();
      }
      wallMs += untilMs - uptimeMs;
      uptimeMs = untilMs;
    },
    stepWall(ms: number) {
      wallMs += ms;
    },
  };
}

export interface CaseSeed {
  id: string;
  /** Cases of one person bear the same. */
  person?: string;
  batchId?: string;
  listId?: string;
  numbers?: readonly string[];
  /** `unknown`: none is known. */
  zone?: string;
  more?: { role: CasePersonRow['role']; number: string }[];
  allocatedTo?: string;
}

/** A live list of its own batch; more of its kind with another id. */
export function putList(floor: CasesFloor, listId = 'list-1', batch: object = {}): void {
  const list: ListRow = {
    id: listId,
    campaignId,
    batchId: `batch-of-${listId}`,
    state: 'live',
    accepted: 0,
    rejected: 0,
    duplicates: 0,
    byPersonId: 'person-1',
    atUtcMs: morning,
  };
  const row = { id: list.batchId, creditorId, name: 'Batch', receivedUtcMs: morning, ...batch };
  floor.put('List', list);
  floor.put('Batch', row);
}

/** A case with its debtor, numbers and leads, as an import would have left them. */
export function putCase(floor: CasesFloor, seed: CaseSeed): void {
  const { id, person = id, listId = 'list-1', zone = shanghai, more = [] } = seed;
  const numbers = seed.numbers ?? [numberOf(Number(id.replace(/\D/g, '')))];
  const row: CaseRow = {
    id,
    batchId: seed.batchId ?? `batch-of-${listId}`,
    creditorId,
    reference: `ref-of-${id}`,
    referenceKey: digest('reference', `${creditorId}/ref-of-${id}`),
    stops: [],
    version: 1,
    ...(seed.allocatedTo === undefined ? {} : { allocatedTo: seed.allocatedTo }),
  };
  floor.put('Case', row);
  const people = [
    ...(numbers.length > 0 ? [{ role: 'debtor' as const, of: numbers, key: person }] : []),
    ...more.map(({ role, number }, i) => ({ role, of: [number], key: `${person}/${i + 1}` })),
  ];
  for (const [index, { role, of, key }] of people.entries()) {
    const personId = `debtor-${id}-${index}`;
    const personRow: CasePersonRow = {
      id: personId,
      caseId: id,
      role,
      name: `Name of ${key}`,
      personKey: digest('person', key),
      version: 1,
      ...(zone === 'unknown' ? {} : { zone }),
    };
    floor.put('CasePerson', personRow);
    for (const [at, e164] of of.entries()) {
      const numberId = `number-${id}-${index}-${at}`;
      const number: NumberRow = {
        id: numberId,
        caseId: id,
        personId,
        e164,
        numberKey: digest('number', e164),
        kind: 'mobile',
        notAtWork: false,
        state: 'ok',
        version: 1,
      };
      const lead: LeadRow = {
        id: `lead-${id}-${index}-${at}`,
        campaignId,
        listId,
        caseId: id,
        personId,
        numberId,
        state: 'open',
        nextUtcMs: 0,
        tries: 0,
        version: 1,
      };
      floor.put('Number', number);
      if (role !== 'contact-person') floor.put('Lead', lead);
    }
  }
}

/** The permit of an answer; a refusal fails the test with its rule. */
export function granted(answer: GrantAnswer) {
  if (answer.outcome !== 'granted') throw new Error(`refused: ${answer.rule}`);
  return answer.permit;
}

/** The rule of a refusal; a permit fails the test. */
export function refused(answer: GrantAnswer): string {
  if (answer.outcome === 'granted') throw new Error(`granted: ${answer.permit.numberId}`);
  return answer.rule;
}
