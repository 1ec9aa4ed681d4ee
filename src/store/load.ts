// Rows of cases that come into memory by question: prepared once, read in one tick.

import type {
  BatchRow,
  CasePersonRow,
  CaseRow,
  NumberRow,
  ReleaseRow,
  StopListRow,
} from '../cases/case.ts';
import type { ContactRow } from '../cases/contact.ts';
import type { Candidate, CaseStore, LeadRow } from '../cases/working-set.ts';
import { rowReader } from './commit.ts';
import type { Database, Statement } from './database.ts';

/** The questions, each prepared once. */
function prepareReads(database: Database) {
  const reader = <R>(table: string, where: string) => {
    const statement: Statement = database.prepare(`SELECT * FROM "${table}" WHERE ${where}`);
    const read = rowReader(database, table);
    return (...values: unknown[]): R[] =>
      statement.all(...values).map((row) => read(row as Record<string, unknown>) as R);
  };
  const caseBy = reader<CaseRow>('Case', 'id = ?');
  const batchBy = reader<BatchRow>('Batch', 'id = ?');
  const personBy = reader<CasePersonRow>('CasePerson', 'id = ?');
  const numberBy = reader<NumberRow>('Number', 'id = ?');
  const leadByNumber = reader<LeadRow>('Lead', 'numberId = ?');
  const debtors = reader<CasePersonRow>('CasePerson', "caseId = ? AND role = 'debtor'");
  const ofPerson = reader<CaseRow>(
    'Case',
    `id IN (SELECT caseId FROM "CasePerson" WHERE personKey = ? AND role = 'debtor')`,
  );
  const stops = reader<StopListRow>('StopList', 'key IN (?, ?, ?)');
  const releases = reader<ReleaseRow>(
    'Release',
    'caseId = ? AND agentId = ? AND usedUtcMs IS NULL ORDER BY untilUtcMs DESC LIMIT 1',
  );
  // Each branch uses its own index; one OR over three columns would read the whole table.
  const contacts = reader<ContactRow>(
    'Contact',
    `id IN (SELECT id FROM "Contact" WHERE numberKey = ?
            UNION SELECT id FROM "Contact" WHERE personKey = ?
            UNION SELECT id FROM "Contact" WHERE caseId = ?)
     AND COALESCE(attemptUtcMs, answerUtcMs, settledUtcMs) >= ?`,
  );
  const due = reader<LeadRow>(
    'Lead',
    `campaignId = ? AND state = 'open' AND nextUtcMs <= ?
     AND EXISTS (SELECT 1 FROM "List" WHERE "List".id = listId AND "List".state = 'live')
     ORDER BY nextUtcMs, id LIMIT ?`,
  );

  const byReference = database.prepare(
    'SELECT batchId FROM "Case" WHERE creditorId = ? AND reference = ? LIMIT 1',
  );
  return {
    caseBy,
    batchBy,
    personBy,
    numberBy,
    leadByNumber,
    debtors,
    ofPerson,
    stops,
    releases,
    contacts,
    due,
    byReference,
  };
}

/** Reads cases for the decision about a contact. */
export function openCaseStore(database: Database): CaseStore {
  const reads = prepareReads(database);
  const assemble = (
    caseId: string,
    numberId: string,
    sinceUtcMs: number,
    more: { lead?: LeadRow; agentId?: string },
  ): Candidate | undefined => {
    const row = reads.caseBy(caseId)[0];
    const number = reads.numberBy(numberId)[0];
    if (!row || !number || number.caseId !== row.id) return undefined;
    const person = reads.personBy(number.personId)[0];
    const batch = reads.batchBy(row.batchId)[0];
    if (!person || !batch) return undefined;
    const release =
      more.agentId === undefined ? undefined : reads.releases(caseId, more.agentId)[0];
    return {
      case: row,
      batch,
      person,
      number,
      stopList: reads.stops(number.numberKey, person.personKey, row.creditorId),
      contacts: reads.contacts(number.numberKey, person.personKey, row.id, sinceUtcMs),
      ...(more.lead ? { lead: more.lead } : {}),
      ...(release ? { release } : {}),
    };
  };

  return {
    dueLeads(campaignId, atUtcMs, sinceUtcMs, limit) {
      return reads.due(campaignId, atUtcMs, limit).flatMap((lead) => {
        const found = assemble(lead.caseId, lead.numberId, sinceUtcMs, { lead });
        return found ? [found] : [];
      });
    },
    candidate(caseId, numberId, agentId, sinceUtcMs) {
      return assemble(caseId, numberId, sinceUtcMs, { agentId });
    },
    caseById: (caseId) => reads.caseBy(caseId)[0],
    casesOfPerson: (personKey) => reads.ofPerson(personKey),
    debtorOf: (caseId) => reads.debtors(caseId)[0],
    leadOf: (numberId) => reads.leadByNumber(numberId)[0],
    numberById: (numberId) => reads.numberBy(numberId)[0],
    batchesOf(creditorId, references) {
      const known = new Map<string, string>();
      for (const reference of references) {
        const found = reads.byReference.get(creditorId, reference) as
          | { batchId: string }
          | undefined;
        if (found) known.set(reference, found.batchId);
      }
      return known;
    },
  };
}
