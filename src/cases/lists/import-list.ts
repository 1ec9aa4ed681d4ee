// Takes a list in: rows from the reading thread become cases, people, numbers and leads in staging.
import type { Clock } from '../../clock.ts';
import { toCode } from '../../draft.ts';
import { type Ids, risingIds } from '../../ids.ts';
import type { Outcome } from '../../people/person.ts';
import {
  type CasePersonRow,
  type CaseRow,
  keptStops,
  type NumberRow,
  personRefused,
} from '../case.ts';
import { type ListEvent, type StagedRows, stagedPerCommit } from '../list-steps.ts';
import type { CaseStore, LeadRow, ListRow } from '../working-set.ts';
import type { StagedCase, StagedPerson } from './list-mapping.ts';
import { readList } from './read-list.ts';
import type { Duplicates, ListOrder, ListProgress } from './stage-list.ts';

export interface ImportParts {
  clock: Clock;
  ids: Ids;
  store: Pick<CaseStore, 'batchesOf' | 'stopsOfPerson'>;
  /** HMAC with the site's key: what stands in ledger and counters for a number or a person. */
  digest(kind: 'person' | 'number' | 'reference', text: string): string;
  /** Decides the event that `make` builds from what the store holds at this moment. */
  askNow(make: () => ListEvent): Outcome;
  /** Reading failed for a reason that is not in the file. */
  report(what: string, cause: unknown): void;
}

export interface ImportOrder {
  listId: string;
  file: ListOrder;
  campaignId: string;
  creditorId: string;
  name: string;
  deadlineUtcMs?: number | undefined;
  recallUtcMs?: number | undefined;
  /** The person who brings it in; another one has to confirm it. */
  byPersonId: string;
}

/** A list on its way in. */
interface Staging extends ImportOrder {
  batchId: string;
  newId(kind: string): string;
}

export interface Import {
  progress(): ListProgress | undefined;
  /** Resolves when the file was read to its end, or refused, and that is recorded. */
  finished: Promise<void>;
  /** Stops reading, and records nothing: for the end of the daemon. */
  cancel(): void;
}

/** The list was dropped while it was read. */
class ListGone extends Error {}

/** Begins to take a list in; nothing of it can be called before somebody else confirms it. */
export function importList(parts: ImportParts, order: ImportOrder): Outcome<{ import: Import }> {
  const { listId, file } = order;
  const staging = { ...order, batchId: parts.ids.next('batch'), newId: risingIds(parts.ids) };
  const opened = parts.askNow(() => openEvent(parts, staging));
  if (!opened.done) return opened;
  let latest: ListProgress | undefined;
  let cancelled = false;
  const reading = readList(file, (rows, progress) => {
    latest = progress;
    return stageRows(parts, staging, rows);
  });
  const finish = async () => {
    try {
      const result = await reading.done;
      const event: ListEvent = result.ok
        ? {
            kind: 'close-list',
            listId,
            file: {
              fileSha256: result.sha256,
              rejectSha256: result.rejectSha256,
              rejected: result.rejected,
            },
          }
        : { kind: 'fail-list', listId, why: result.fault, line: result.line };
      parts.askNow(() => event);
    } catch (cause) {
      if (cancelled || cause instanceof ListGone) return;
      parts.report('read-list', cause);
      parts.askNow(() => ({ kind: 'fail-list', listId, why: causeCode(cause) }));
    }
  };
  const cancel = () => {
    cancelled = true;
    void reading.cancel();
  };
  return { done: true, import: { progress: () => latest, finished: finish(), cancel } };
}

function causeCode(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'reading-failed';
  return toCode(code);
}

function openEvent(
  { clock }: ImportParts,
  order: Staging,
): Extract<ListEvent, { kind: 'open-list' }> {
  const { listId, batchId, campaignId, creditorId, name, deadlineUtcMs, recallUtcMs, byPersonId } =
    order;
  const atUtcMs = clock.utcMs();
  const list: ListRow = {
    id: listId,
    campaignId,
    batchId,
    state: 'staging',
    rejectPath: order.file.rejectPath,
    accepted: 0,
    rejected: 0,
    duplicates: 0,
    byPersonId,
    atUtcMs,
  };
  const batch = {
    id: batchId,
    creditorId,
    name,
    receivedUtcMs: atUtcMs,
    ...(deadlineUtcMs === undefined ? {} : { deadlineUtcMs }),
    ...(recallUtcMs === undefined ? {} : { recallUtcMs }),
  };
  return { kind: 'open-list', list, batch, by: byPersonId };
}

async function stageRows(
  parts: ImportParts,
  order: Staging,
  rows: readonly StagedCase[],
): Promise<Duplicates> {
  const duplicates: Duplicates[number][] = [];
  for (let from = 0; from < rows.length; from += stagedPerCommit) {
    const slice = rows.slice(from, from + stagedPerCommit);
    // Between two commits whatever else waits has its turn.
    await new Promise<void>((resolve) => parts.clock.soon(resolve));
    const staged = parts.askNow(() => {
      const found = stageSlice(parts, order, slice);
      for (const { index, reason } of found.duplicates) {
        duplicates.push({ index: from + index, reason });
      }
      return found.event;
    });
    if (!staged.done) throw new ListGone(staged.why);
  }
  return duplicates;
}

/** Asked in the tick of its commit: what the store knows by then is all that can be a duplicate. */
function stageSlice(
  parts: ImportParts,
  order: Staging,
  slice: readonly StagedCase[],
): { event: ListEvent; duplicates: Duplicates[number][] } {
  const { listId, batchId, creditorId } = order;
  const keys = slice.map(({ reference }) =>
    parts.digest('reference', `${creditorId}/${reference}`),
  );
  const known = parts.store.batchesOf(keys);
  const rows: StagedRows[] = [];
  const duplicates: Duplicates[number][] = [];
  for (const [index, row] of slice.entries()) {
    const referenceKey = keys[index] ?? '';
    const before = known.get(referenceKey);
    if (before === undefined) {
      known.set(referenceKey, batchId);
      rows.push(rowsOf(parts, order, referenceKey, row));
    } else {
      const reason = before === batchId ? 'duplicate-in-list' : 'duplicate';
      duplicates.push({ index, reason });
    }
  }
  const event = { kind: 'stage-rows', listId, rows, duplicates: duplicates.length } as const;
  return { event, duplicates };
}

function rowsOf(
  parts: ImportParts,
  { listId, campaignId, batchId, creditorId, newId }: Staging,
  referenceKey: string,
  staged: StagedCase,
): StagedRows {
  const keys = staged.people.map((person, index) =>
    personKey(parts, creditorId, staged, person, index),
  );
  const kept = keys.map((key) => parts.store.stopsOfPerson(key));
  // What is true of a person was told once; nobody has to be called to tell it again.
  const stops = keptStops(
    staged.people.flatMap(({ role }, i) => (role === 'debtor' ? (kept[i] ?? []) : [])),
  );
  const atUtcMs = parts.clock.utcMs();
  const caseRow: CaseRow = {
    id: newId('case'),
    batchId,
    creditorId,
    reference: staged.reference,
    referenceKey,
    stops,
    version: 1,
    ...(stops.length > 0 ? { stoppedUtcMs: atUtcMs } : {}),
    ...(staged.product === undefined ? {} : { product: staged.product }),
    ...(staged.amountMinor === undefined ? {} : { amountMinor: staged.amountMinor }),
  };
  const people: CasePersonRow[] = [];
  const numbers: NumberRow[] = [];
  const leads: LeadRow[] = [];
  for (const [index, person] of staged.people.entries()) {
    const refusal = kept[index]?.find(({ reason }) => reason === personRefused);
    const row: CasePersonRow = {
      id: newId('debtor'),
      caseId: caseRow.id,
      role: person.role,
      personKey: keys[index] ?? '',
      version: 1,
      ...(person.name === undefined ? {} : { name: person.name }),
      ...(person.zone === undefined ? {} : { zone: person.zone }),
      ...(refusal && person.role !== 'debtor' ? { refusedUtcMs: refusal.atUtcMs } : {}),
    };
    people.push(row);
    for (const { e164, kind } of person.numbers) {
      const number: NumberRow = {
        id: newId('number'),
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
        id: newId('lead'),
        campaignId,
        listId,
        caseId: caseRow.id,
        personId: row.id,
        numberId: number.id,
        state: stops.length > 0 ? 'closed' : 'open',
        nextUtcMs: 0,
        tries: 0,
        version: 1,
      });
    }
  }
  return { case: caseRow, people, numbers, leads };
}

function personKey(
  { digest }: ImportParts,
  creditorId: string,
  { reference }: StagedCase,
  { identity, customer }: StagedPerson,
  index: number,
): string {
  // No creditor's id begins with a slash, so the two kinds of numbers never meet.
  if (identity !== undefined) return digest('person', `/identity/${identity}`);
  // The creditor's number of a person is the same in all cases; without one a case stands alone.
  return digest('person', `${creditorId}/${customer ?? `${reference}/${index}`}`);
}
