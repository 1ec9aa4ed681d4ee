// Rows of cases that come into memory by question: prepared once, read in one tick.
import type {
  BatchRow,
  CallbackRow,
  CasePersonRow,
  CaseRow,
  NoteRow,
  NumberRow,
  PromiseRow,
  ReleaseRow,
  StopListRow,
} from '../cases/case.ts';
import type { ContactRow } from '../cases/contact.ts';
import type { Candidate, CaseStore, LeadRow } from '../cases/working-set.ts';
import type { Row } from '../draft.ts';
import { rowReader } from './commit.ts';
import type { Database, Statement } from './database.ts';
import { rewrite } from './words.ts';

/** A reader of whole rows of one table, prepared once. */
function readerOf(database: Database) {
  return <R>(table: string, where: string) => {
    const statement: Statement = database.prepare(`SELECT * FROM "${table}" WHERE ${where}`);
    const read = rowReader(database, table);
    return (...values: unknown[]): R[] =>
      statement.all(...values).map((row) => read(row as Record<string, unknown>) as R);
  };
}

type Reads = ReturnType<typeof prepareReads>;

/** The questions about one candidate. */
function prepareReads(database: Database) {
  const reader = readerOf(database);
  return {
    caseBy: reader<CaseRow>('Case', 'id = ?'),
    batchBy: reader<BatchRow>('Batch', 'id = ?'),
    personBy: reader<CasePersonRow>('CasePerson', 'id = ?'),
    numberBy: reader<NumberRow>('Number', 'id = ?'),
    stops: reader<StopListRow>('StopList', 'key IN (?, ?, ?)'),
    releases: reader<ReleaseRow>(
      'Release',
      'caseId = ? AND agentId = ? AND usedUtcMs IS NULL ORDER BY untilUtcMs DESC LIMIT 1',
    ),
    // Each branch uses its own index; one OR over three columns would read the whole table.
    contacts: reader<ContactRow>(
      'Contact',
      `id IN (SELECT id FROM "Contact" WHERE numberKey = ?
              UNION SELECT id FROM "Contact" WHERE personKey = ?
              UNION SELECT id FROM "Contact" WHERE caseId = ?)
       AND COALESCE(attemptUtcMs, answerUtcMs, settledUtcMs) >= ?`,
    ),
  };
}

/** One number of one case with all that a rule may look at; undefined when one of them is gone. */
function assemble(
  reads: Reads,
  { caseId, numberId, agentId }: { caseId: string; numberId: string; agentId?: string },
  sinceUtcMs: number,
): Candidate | undefined {
  const row = reads.caseBy(caseId)[0];
  const number = reads.numberBy(numberId)[0];
  if (!row || number?.caseId !== row.id) return undefined;
  const person = reads.personBy(number.personId)[0];
  const batch = reads.batchBy(row.batchId)[0];
  if (!person || !batch) return undefined;
  const release = agentId === undefined ? undefined : reads.releases(caseId, agentId)[0];
  return {
    case: row,
    batch,
    person,
    number,
    stopList: reads.stops(number.numberKey, person.personKey, row.creditorId),
    contacts: reads.contacts(number.numberKey, person.personKey, row.id, sinceUtcMs),
    ...(release ? { release } : {}),
  };
}

/** Candidates of the hopper and of a call by hand. */
function candidates(
  database: Database,
  reads: Reads,
): Pick<CaseStore, 'dueLeads' | 'dueCallbacks' | 'candidate'> {
  const reader = readerOf(database);
  const liveLists = database
    .prepare(`SELECT id FROM "List" WHERE campaignId = ? AND state = 'live' ORDER BY rowid`)
    .pluck();
  // List by list, so that the rows of a list that is still being read are not even looked at; and
  // by the row's own number where times are equal, which the index gives without sorting.
  const dueOfList = reader<LeadRow>(
    'Lead',
    `listId = ? AND state = 'open' AND nextUtcMs <= ? ORDER BY nextUtcMs, rowid LIMIT ?`,
  );
  const leadBy = reader<LeadRow>('Lead', 'id = ?');
  const callbackBy = reader<CallbackRow>('Callback', 'id = ?');
  const promised = database.prepare(
    `SELECT "Callback".id AS callbackId, "Lead".id AS leadId
     FROM "Callback" JOIN "Lead" ON "Lead".numberId = "Callback".numberId
     JOIN "List" ON "List".id = "Lead".listId
     WHERE "Callback".state = 'open' AND "Callback".nextUtcMs <= @atUtcMs
       AND ("Callback".agentId IS NULL OR "Callback".agentId = @agentId
            OR "Callback".dueUtcMs <= @strayUtcMs)
       AND "Lead".campaignId = @campaignId AND "Lead".state = 'open' AND "List".state = 'live'
     ORDER BY "Callback".nextUtcMs LIMIT @limit`,
  );
  const withLead = (lead: LeadRow, sinceUtcMs: number, callback?: CallbackRow): Candidate[] => {
    const found = assemble(reads, lead, sinceUtcMs);
    return found ? [{ ...found, lead, ...(callback ? { callback } : {}) }] : [];
  };
  return {
    dueLeads(campaignId, atUtcMs, sinceUtcMs, limit) {
      return liveLists
        .all(campaignId)
        .flatMap((listId) => dueOfList(listId, atUtcMs, limit))
        .sort((a, b) => a.nextUtcMs - b.nextUtcMs)
        .slice(0, limit)
        .flatMap((lead) => withLead(lead, sinceUtcMs));
    },
    dueCallbacks(question, sinceUtcMs, limit) {
      const found = promised.all({ ...question, limit }) as {
        callbackId: string;
        leadId: string;
      }[];
      return found.flatMap(({ callbackId, leadId }) => {
        const lead = leadBy(leadId)[0];
        return lead ? withLead(lead, sinceUtcMs, callbackBy(callbackId)[0]) : [];
      });
    },
    candidate: (caseId, numberId, agentId, sinceUtcMs) =>
      assemble(reads, { caseId, numberId, agentId }, sinceUtcMs),
  };
}

/** Whole cases and their neighbours: what stops, moves or is erased together. */
function wholeCases(
  database: Database,
): Pick<CaseStore, 'movingCase' | 'casesOfPerson' | 'casesOfBatch' | 'caseFile'> {
  const reader = readerOf(database);
  const people = reader<CasePersonRow>('CasePerson', 'caseId = ?');
  const numbers = reader<NumberRow>('Number', 'caseId = ?');
  const leads = reader<LeadRow>('Lead', 'numberId IN (SELECT id FROM "Number" WHERE caseId = ?)');
  const callbacks = reader<CallbackRow>('Callback', 'caseId = ?');
  const promises = reader<PromiseRow>('PayPromise', 'caseId = ?');
  const notes = reader<NoteRow>('Note', 'caseId = ?');
  const releases = reader<ReleaseRow>('Release', 'caseId = ?');
  const looks = reader<Row>(
    'Look',
    'about = @id OR about IN (SELECT id FROM "Call" WHERE caseId = @id)',
  );
  const calls = database.prepare('SELECT id FROM "Call" WHERE caseId = ?').pluck();
  const ofPerson = reader<CaseRow>(
    'Case',
    `id IN (SELECT caseId FROM "CasePerson" WHERE personKey = ? AND role = 'debtor')`,
  );
  const ofBatch = reader<CaseRow>('Case', 'batchId = ? AND rowid > ? ORDER BY rowid LIMIT ?');
  const placeOf = database.prepare('SELECT rowid FROM "Case" WHERE id = ?').pluck();
  return {
    movingCase: (row) => ({
      case: row,
      leads: leads(row.id),
      callbacks: callbacks(row.id).filter(({ state }) => state === 'open'),
    }),
    casesOfPerson: (personKey) => ofPerson(personKey),
    casesOfBatch(batchId, from, limit) {
      const cases = ofBatch(batchId, from, limit);
      const last = cases.at(-1);
      if (!last || cases.length < limit) return { cases };
      return { cases, next: Number(placeOf.get(last.id)) };
    },
    caseFile: (row) => ({
      case: row,
      people: people(row.id),
      numbers: numbers(row.id),
      leads: leads(row.id),
      callbacks: callbacks(row.id),
      promises: promises(row.id),
      notes: notes(row.id),
      releases: releases(row.id),
      looks: looks({ id: row.id }),
      callIds: calls.all(row.id) as string[],
    }),
  };
}

/** Reads cases for the decisions about them. */
export function openCaseStore(database: Database): CaseStore {
  const reads = prepareReads(database);
  const reader = readerOf(database);
  const debtors = reader<CasePersonRow>('CasePerson', "caseId = ? AND role = 'debtor'");
  const sameNumbers = reader<NumberRow>(
    'Number',
    `numberKey = ? AND EXISTS (SELECT 1 FROM "CasePerson"
     WHERE "CasePerson".id = personId AND "CasePerson".personKey = ?)`,
  );
  const callbackBy = reader<CallbackRow>('Callback', 'id = ?');
  const stopBy = reader<StopListRow>('StopList', 'id = ?');
  const stopsOf = reader<StopListRow>('StopList', "key = ? AND scope = 'debtor'");
  const byReference = database
    .prepare('SELECT batchId FROM "Case" WHERE referenceKey = ? LIMIT 1')
    .pluck();
  const permitted = database.prepare('SELECT 1 FROM "Call" WHERE id = ? AND permitId IS NOT NULL');
  return {
    ...candidates(database, reads),
    ...wholeCases(database),
    caseById: (caseId) => reads.caseBy(caseId)[0],
    batchById: (batchId) => reads.batchBy(batchId)[0],
    debtorOf: (caseId) => debtors(caseId)[0],
    personById: (personId) => reads.personBy(personId)[0],
    numberById: (numberId) => reads.numberBy(numberId)[0],
    sameNumbers: (numberKey, personKey) => sameNumbers(numberKey, personKey),
    callbackById: (callbackId) => callbackBy(callbackId)[0],
    stopById: (stopId) => stopBy(stopId)[0],
    stopsOfPerson: (personKey) => stopsOf(personKey),
    batchesOf(referenceKeys) {
      const known = new Map<string, string>();
      for (const key of referenceKeys) {
        const batchId = byReference.get(key) as string | undefined;
        if (batchId !== undefined) known.set(key, batchId);
      }
      return known;
    },
    wasPermitted: (callId) => permitted.get(callId) !== undefined,
    clearLog() {
      rewrite(database, 'Pending');
      // A reader of another connection would be waited for, and the whole floor with it.
      const waitMs = database.pragma('busy_timeout', { simple: true });
      database.pragma('busy_timeout = 0');
      try {
        const [row] = database.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
        return row?.busy === 0;
      } finally {
        database.pragma(`busy_timeout = ${waitMs}`);
      }
    },
  };
}
