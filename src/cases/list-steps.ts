// A list on its way in: staged in small batches, confirmed by a second person, live at one stroke.
import type { BatchRow, CasePersonRow, CaseRow, NumberRow } from './case.ts';
import type { Outcome } from './case-steps.ts';
import type { CasesDraft, CasesTables, LeadRow, ListRow, Moment } from './working-set.ts';

export type ListEvent =
  | { kind: 'open-list'; list: ListRow; batch: BatchRow; by: string }
  | { kind: 'stage-rows'; listId: string; rows: readonly StagedRows[] }
  | { kind: 'close-list'; list: ListRow }
  | { kind: 'confirm-list'; listId: string; by: string }
  | { kind: 'drop-list'; listId: string; by: string; why: string };

/** The rows that one line of a list becomes. */
export interface StagedRows {
  case: CaseRow;
  people: readonly CasePersonRow[];
  numbers: readonly NumberRow[];
  leads: readonly LeadRow[];
}

/** Lines of a list in one commit: it must not hold up a call that is being answered. */
export const stagedPerCommit = 50;

export function listStep(draft: CasesDraft, event: ListEvent, moment: Moment): Outcome {
  switch (event.kind) {
    case 'open-list':
      return openList(draft, event.list, event.batch, event.by);
    case 'stage-rows':
      return stageRows(draft, event.listId, event.rows);
    case 'close-list':
      return closeList(draft, event.list);
    case 'confirm-list':
      return confirmList(draft, event.listId, event.by, moment);
    case 'drop-list':
      return dropList(draft, event.listId, event.by, event.why);
  }
}

function openList(draft: CasesDraft, list: ListRow, batch: BatchRow, by: string): Outcome {
  draft.put('Batch', batch);
  draft.put('List', list);
  const facts = { batchId: batch.id, campaignId: list.campaignId };
  draft.entry({ what: 'list-opened', who: by, about: list.id, facts });
  return { done: true };
}

function stageRows(draft: CasesDraft, listId: string, rows: readonly StagedRows[]): Outcome {
  const list = draft.get('List', listId);
  if (list?.state !== 'staging') return { done: false, why: 'list-not-staging' };
  for (const staged of rows) {
    stage(draft, 'Case', staged.case);
    for (const person of staged.people) stage(draft, 'CasePerson', person);
    for (const number of staged.numbers) stage(draft, 'Number', number);
    for (const lead of staged.leads) stage(draft, 'Lead', lead);
  }
  draft.put('List', { ...list, accepted: list.accepted + rows.length });
  draft.entry({ what: 'list-staged', who: 'system', about: listId, facts: { rows: rows.length } });
  return { done: true };
}

/** Writes a row that memory need not keep. */
function stage<N extends 'Case' | 'CasePerson' | 'Number' | 'Lead'>(
  draft: CasesDraft,
  table: N,
  row: CasesTables[N],
): void {
  draft.put(table, row);
  draft.release(table, row.id);
}

/** The file was read to its end; one entry says which file, what came of it, what was rejected. */
function closeList(draft: CasesDraft, list: ListRow): Outcome {
  const known = draft.get('List', list.id);
  if (known?.state !== 'staging') return { done: false, why: 'list-not-staging' };
  draft.put('List', { ...list, accepted: known.accepted });
  draft.entry({
    what: list.state === 'staged' ? 'list-read' : 'list-failed',
    who: 'system',
    about: list.id,
    facts: {
      accepted: known.accepted,
      duplicates: list.duplicates,
      rejected: list.rejected,
      ...(list.fileSha256 === undefined ? {} : { fileSha256: list.fileSha256 }),
      ...(list.rejectSha256 === undefined ? {} : { rejectSha256: list.rejectSha256 }),
    },
  });
  if (list.state !== 'staged') draft.release('List', list.id);
  return { done: true };
}

/** A second person makes the list live; one row changes, so it is live as a whole or not at all. */
function confirmList(draft: CasesDraft, listId: string, by: string, moment: Moment): Outcome {
  const list = draft.get('List', listId);
  if (list?.state !== 'staged') return { done: false, why: 'list-not-staged' };
  if (list.byPersonId === by) return { done: false, why: 'same-person' };
  draft.put('List', { ...list, state: 'live', confirmedBy: by, atUtcMs: moment.atUtcMs });
  draft.release('List', listId);
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

function dropList(draft: CasesDraft, listId: string, by: string, why: string): Outcome {
  const list = draft.get('List', listId);
  if (!list) return { done: false, why: 'list-not-staged' };
  draft.put('List', { ...list, state: 'dropped' });
  draft.release('List', listId);
  draft.entry({ what: 'list-dropped', who: by, about: listId, why });
  return { done: true };
}
