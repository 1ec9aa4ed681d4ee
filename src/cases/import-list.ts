// Takes a list in: rows from the reading thread become cases, people, numbers and leads in staging.
import type { Clock } from '../clock.ts';
import type { Ids } from '../ids.ts';
import type { CasePersonRow, CaseRow, NumberRow } from './case.ts';
import type { Outcome } from './case-steps.ts';
import { type ListEvent, type StagedRows, stagedPerCommit } from './list-steps.ts';
import type { StagedCase, StagedPerson } from './lists/list-mapping.ts';
import { readList } from './lists/read-list.ts';
import type { Duplicates, ListOrder, ListProgress } from './lists/stage-list.ts';
import type { CaseStore, LeadRow, ListRow } from './working-set.ts';

export interface ImportParts {
  clock: Clock;
  ids: Ids;
  store: CaseStore;
  /** HMAC with the site's key: what stands in ledger and counters for a number or a person. */
  digest(kind: 'person' | 'number', text: string): string;
  ask(event: ListEvent): Promise<Outcome>;
}

export interface ImportOrder {
  file: ListOrder;
  campaignId: string;
  creditorId: string;
  name: string;
  deadlineUtcMs?: number | undefined;
  recallUtcMs?: number | undefined;
  /** The person who brings it in; another one has to confirm it. */
  byPersonId: string;
}

export interface Import {
  listId: string;
  progress(): ListProgress | undefined;
  /** Resolves when the file has been read to its end, or refused, and that is recorded. */
  finished: Promise<ListRow>;
}

/** Begins to take a list in; nothing of it can be called before somebody else confirms it. */
export async function importList(parts: ImportParts, order: ImportOrder): Promise<Import> {
  const { clock, ids } = parts;
  const listId = ids.next('list');
  const batchId = ids.next('batch');
  const opened: ListRow = {
    id: listId,
    campaignId: order.campaignId,
    state: 'staging',
    rejectPath: order.file.rejectPath,
    accepted: 0,
    rejected: 0,
    duplicates: 0,
    byPersonId: order.byPersonId,
    atUtcMs: clock.utcMs(),
  };
  const batch = {
    id: batchId,
    creditorId: order.creditorId,
    name: order.name,
    receivedUtcMs: clock.utcMs(),
    ...(order.deadlineUtcMs === undefined ? {} : { deadlineUtcMs: order.deadlineUtcMs }),
    ...(order.recallUtcMs === undefined ? {} : { recallUtcMs: order.recallUtcMs }),
  };
  await parts.ask({ kind: 'open-list', list: opened, batch, by: order.byPersonId });
  let latest: ListProgress | undefined;
  let duplicates = 0;
  const stage = async (rows: readonly StagedCase[], progress: ListProgress) => {
    latest = progress;
    const found = await stageRows(parts, order, { listId, batchId }, rows);
    duplicates += found.length;
    return found;
  };
  const close = async (): Promise<ListRow> => {
    const result = await readList(order.file, stage).done;
    const list: ListRow = result.ok
      ? {
          ...opened,
          state: 'staged',
          fileSha256: result.sha256,
          rejectSha256: result.rejectSha256,
          rejected: result.rejected,
          duplicates,
        }
      : { ...opened, state: 'failed', duplicates };
    await parts.ask({ kind: 'close-list', list });
    return { ...list, accepted: result.ok ? result.accepted : 0 };
  };
  return { listId, progress: () => latest, finished: close() };
}

async function stageRows(
  parts: ImportParts,
  order: ImportOrder,
  ids: { listId: string; batchId: string },
  rows: readonly StagedCase[],
): Promise<Duplicates> {
  const duplicates: { index: number; reason: 'duplicate-in-list' | 'duplicate' }[] = [];
  for (let from = 0; from < rows.length; from += stagedPerCommit) {
    const slice = rows.slice(from, from + stagedPerCommit);
    // The store holds what was staged before, so one question finds both kinds of duplicates.
    const known = parts.store.batchesOf(
      order.creditorId,
      slice.map((row) => row.reference),
    );
    const fresh: StagedRows[] = [];
    for (const [offset, row] of slice.entries()) {
      const batchId = known.get(row.reference);
      if (batchId === undefined) {
        known.set(row.reference, ids.batchId);
        fresh.push(rowsOf(parts, order, ids, row));
      } else {
        const reason = batchId === ids.batchId ? 'duplicate-in-list' : 'duplicate';
        duplicates.push({ index: from + offset, reason });
      }
    }
    if (fresh.length > 0) {
      await parts.ask({ kind: 'stage-rows', listId: ids.listId, rows: fresh });
    }
  }
  return duplicates;
}

function rowsOf(
  parts: ImportParts,
  order: ImportOrder,
  { listId, batchId }: { listId: string; batchId: string },
  staged: StagedCase,
): StagedRows {
  const caseRow: CaseRow = {
    id: parts.ids.next('case'),
    batchId,
    creditorId: order.creditorId,
    reference: staged.reference,
    stops: [],
    version: 1,
    ...(staged.product === undefined ? {} : { product: staged.product }),
    ...(staged.amountMinor === undefined ? {} : { amountMinor: staged.amountMinor }),
  };
  const people: CasePersonRow[] = [];
  const numbers: NumberRow[] = [];
  const leads: LeadRow[] = [];
  for (const [index, person] of staged.people.entries()) {
    const row = personRow(parts, order, caseRow, person, index);
    people.push(row);
    for (const { e164, kind } of person.numbers) {
      const number: NumberRow = {
        id: parts.ids.next('number'),
        caseId: caseRow.id,
        personId: row.id,
        e164,
        numberKey: parts.digest('number', e164),
        kind,
        notAtWork: false,
        state: 'ok',
        version: 1,
      };
      numbers.push(number);
      // Contact persons are never called by the dialer, so they are no leads.
      if (person.role === 'contact-person') continue;
      leads.push({
        id: parts.ids.next('lead'),
        campaignId: order.campaignId,
        listId,
        caseId: caseRow.id,
        personId: row.id,
        numberId: number.id,
        state: 'open',
        nextUtcMs: 0,
        tries: 0,
        version: 1,
      });
    }
  }
  return { case: caseRow, people, numbers, leads };
}

function personRow(
  parts: ImportParts,
  order: ImportOrder,
  caseRow: CaseRow,
  person: StagedPerson,
  index: number,
): CasePersonRow {
  // The creditor's number of a person is the same in all cases; without one a case stands alone.
  const known = person.customer ?? `${caseRow.reference}/${index}`;
  return {
    id: parts.ids.next('debtor'),
    caseId: caseRow.id,
    role: person.role,
    personKey: parts.digest('person', `${order.creditorId}/${known}`),
    version: 1,
    ...(person.name === undefined ? {} : { name: person.name }),
    ...(person.zone === undefined ? {} : { zone: person.zone }),
  };
}
