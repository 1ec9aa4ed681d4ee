// A list on its way in: staged in small batches, confirmed by a second person, live at one stroke.
import { raiseAlarm } from '../alarm.ts';
import { dayMs } from '../calendar.ts';
import { type Outcome, refuse } from '../people/person.ts';
import type { BatchRow, CasePersonRow, CaseRow, NumberRow } from './case.ts';
import { orderWork } from './work.ts';
import type { CasesDraft, LeadRow, ListRow, Moment } from './working-set.ts';

export type ListEvent =
  | { kind: 'open-list'; list: ListRow; batch: BatchRow; by: string }
  | { kind: 'stage-rows'; listId: string; rows: readonly StagedRows[]; duplicates: number }
  | { kind: 'close-list'; listId: string; file: ReadFile }
  | { kind: 'fail-list'; listId: string; why: string; line?: number | undefined }
  | { kind: 'confirm-list'; listId: string; by: string }
  | { kind: 'drop-list'; listId: string; by: string; why: string };

/** The rows that one line of a list becomes. */
export interface StagedRows {
  case: CaseRow;
  people: readonly CasePersonRow[];
  numbers: readonly NumberRow[];
  leads: readonly LeadRow[];
}

/** A file that was read to its end. */
export interface ReadFile {
  fileSha256: string;
  rejectSha256: string;
  rejected: number;
}

/** Lines of a list in one commit: it must not hold up a call that is being answered. */
export const stagedPerCommit = 25;
/** Wrong rows hold names and numbers: whoever corrects them does it within this time. */
export const keepRejectsMs = 7 * dayMs;

export function listStep(draft: CasesDraft, event: ListEvent, moment: Moment): Outcome {
  switch (event.kind) {
    case 'open-list':
      return openList(draft, event.list, event.batch, event.by);
    case 'stage-rows':
      return stageRows(draft, event, moment);
    case 'close-list':
      return closeList(draft, event.listId, event.file, moment);
    case 'fail-list':
      return failList(draft, event, moment);
    case 'confirm-list':
      return confirmList(draft, event.listId, event.by, moment);
    case 'drop-list':
      return dropList(draft, event, moment);
  }
}

function openList(draft: CasesDraft, list: ListRow, batch: BatchRow, by: string): Outcome {
  if (!draft.get('Creditor', batch.creditorId)) return refuse('no-such-creditor');
  draft.put('Batch', batch);
  draft.put('List', list);
  const facts = { batchId: batch.id, campaignId: list.campaignId };
  draft.entry({ what: 'list-opened', who: by, about: list.id, facts });
  return { done: true };
}

function stageRows(
  draft: CasesDraft,
  { listId, rows, duplicates }: Extract<ListEvent, { kind: 'stage-rows' }>,
  moment: Moment,
): Outcome {
  const list = draft.get('List', listId);
  if (list?.state !== 'staging') return refuse('list-not-staging');
  for (const staged of rows) {
    draft.put('Case', staged.case);
    for (const person of staged.people) draft.put('CasePerson', person);
    for (const number of staged.numbers) draft.put('Number', number);
    for (const lead of staged.leads) draft.put('Lead', lead);
    for (const why of staged.case.stops) {
      draft.entry({ what: 'case-stopped', who: 'system', about: staged.case.id, why });
    }
    // One alarm tells of all that came in stopped, with their count.
    if (staged.case.stops.length > 0) raiseAlarm(draft, 'case-stopped', list.batchId, moment);
  }
  const accepted = list.accepted + rows.length;
  draft.put('List', { ...list, accepted, duplicates: list.duplicates + duplicates });
  draft.entry({ what: 'list-staged', who: 'system', about: listId, facts: { rows: rows.length } });
  return { done: true };
}

/** The file was read to its end; one entry says which file, what came of it, what was rejected. */
function closeList(draft: CasesDraft, listId: string, file: ReadFile, moment: Moment): Outcome {
  const list = draft.get('List', listId);
  if (list?.state !== 'staging') return refuse('list-not-staging');
  draft.put('List', { ...list, ...file, state: 'staged', atUtcMs: moment.atUtcMs });
  draft.entry({
    what: 'list-read',
    who: 'system',
    about: listId,
    facts: { accepted: list.accepted, duplicates: list.duplicates, ...file },
  });
  return { done: true };
}

/** Reading ended before the file did: nothing of the list stays. */
export function failList(
  draft: CasesDraft,
  { listId, why, line }: Omit<Extract<ListEvent, { kind: 'fail-list' }>, 'kind'>,
  moment: Moment,
): Outcome {
  const list = draft.get('List', listId);
  if (list?.state !== 'staging') return refuse('list-not-staging');
  draft.entry({
    what: 'list-failed',
    who: 'system',
    about: listId,
    why,
    facts: { accepted: list.accepted, ...(line === undefined ? {} : { line }) },
  });
  putAway(draft, { ...list, state: 'failed', why, line }, moment);
  return { done: true };
}

/** A second person makes the list live; one row changes, so it is live as a whole or not at all. */
function confirmList(draft: CasesDraft, listId: string, by: string, moment: Moment): Outcome {
  const list = draft.get('List', listId);
  if (!list) return refuse('not-found');
  if (list.state !== 'staged') return refuse('list-not-staged');
  if (list.byPersonId === by) return refuse('same-person');
  draft.put('List', { ...list, state: 'live', confirmedBy: by, atUtcMs: moment.atUtcMs });
  draft.entry({
    what: 'list-live',
    who: by,
    about: listId,
    facts: {
      accepted: list.accepted,
      duplicates: list.duplicates,
      fileSha256: list.fileSha256 ?? null,
      importedBy: list.byPersonId,
      rejected: list.rejected,
      rejectSha256: list.rejectSha256 ?? null,
    },
  });
  return { done: true };
}

function dropList(
  draft: CasesDraft,
  { listId, by, why }: Extract<ListEvent, { kind: 'drop-list' }>,
  moment: Moment,
): Outcome {
  const list = draft.get('List', listId);
  if (!list) return refuse('not-found');
  if (list.state !== 'staged' && list.state !== 'staging') return refuse('list-not-staged');
  draft.entry({ what: 'list-dropped', who: by, about: listId, why });
  putAway(draft, { ...list, state: 'dropped', why }, moment);
  return { done: true };
}

/** What was staged of a list is erased, and its reject file removed, after this commit. */
function putAway(draft: CasesDraft, list: ListRow, moment: Moment): void {
  const { id: listId, batchId, rejectPath } = list;
  draft.put('List', { ...list, rejectPath: undefined, atUtcMs: moment.atUtcMs });
  orderWork(draft, { kind: 'erase-list', listId, batchId }, moment);
  if (rejectPath !== undefined) removeRejects(draft, listId, rejectPath, moment);
}

function removeRejects(draft: CasesDraft, listId: string, path: string, moment: Moment): void {
  orderWork(draft, { kind: 'remove-rejects', listId, path }, moment);
}

/** Reject files whose time is over. */
export function endRejects(draft: CasesDraft, moment: Moment): void {
  for (const list of [...draft.all('List')]) {
    const dueUtcMs = rejectsDueUtcMs(list);
    if (dueUtcMs === undefined || dueUtcMs > moment.atUtcMs) continue;
    const { rejectPath, ...rest } = list;
    draft.put('List', rest);
    if (rejectPath !== undefined) removeRejects(draft, list.id, rejectPath, moment);
  }
}

function rejectsDueUtcMs({ state, rejectPath, atUtcMs }: ListRow): number | undefined {
  if (state === 'staging' || rejectPath === undefined) return undefined;
  return atUtcMs + keepRejectsMs;
}

export function nextRejectsUtcMs(view: CasesDraft): number | undefined {
  let next: number | undefined;
  for (const list of view.all('List')) {
    const dueUtcMs = rejectsDueUtcMs(list);
    if (dueUtcMs !== undefined && (next === undefined || dueUtcMs < next)) next = dueUtcMs;
  }
  return next;
}
