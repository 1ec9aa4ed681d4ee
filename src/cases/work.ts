// Work of the cases room that goes on after a commit: ordered, repeated until done, slice by slice.
import { clearAlarm, raiseAlarm } from '../alarm.ts';
import type { CasesDraft, CasesEffect, CasesResult, Moment, Work } from './working-set.ts';

/** A slice takes milliseconds; what waits for another part of the house may take longer. */
const workDeadlineMs = 60_000;
/** Work that failed is done again after this long. */
const repeatMs = 10_000;

export function orderWork(draft: CasesDraft, work: Work, moment: Moment, waitMs = 0): void {
  const id = moment.newId('effect');
  draft.effect(id, { ...work, lane: id, deadlineMs: workDeadlineMs + waitMs, waitMs });
}

/** Ends an alarm that stands; the ledger keeps it, memory and table need not. */
export function endAlarm(draft: CasesDraft, code: string, about: string, moment: Moment): void {
  const id = `${code}:${about}`;
  if (!draft.get('Alarm', id)) return;
  clearAlarm(draft, code, about, moment);
  draft.drop('Alarm', id);
}

/** The one result of a piece of work. Each may be done twice: doing it again changes nothing. */
export function workDone(
  draft: CasesDraft,
  effect: CasesEffect,
  result: CasesResult | { outcome: 'unknown' },
  moment: Moment,
): void {
  const work = workOf(effect);
  if (result.outcome === 'unknown' || result.outcome === 'failed')
    return repeat(draft, work, moment);
  if (result.outcome === 'more') {
    const next = 'from' in work ? { ...work, from: result.next } : work;
    return orderWork(draft, next, moment);
  }
  switch (work.kind) {
    case 'erase-recordings':
      endAlarm(draft, 'erasure-failing', work.caseId, moment);
      for (const { listId } of work.rejects) rejectsRemoved(draft, listId);
      // The keys of the recordings stood in the database as well: its log is cleared after them.
      return orderWork(draft, { kind: 'clear-log', what: 'case-gone', about: work.caseId }, moment);
    case 'erase-list':
      draft.drop('Batch', work.batchId);
      endAlarm(draft, 'case-stopped', work.batchId, moment);
      draft.entry({ what: 'list-erased', who: 'system', about: work.listId });
      return orderWork(draft, { kind: 'clear-log', what: 'list-gone', about: work.listId }, moment);
    case 'clear-log':
      endAlarm(draft, 'erasure-failing', work.about, moment);
      // From here on nothing of it is left in the files of the database.
      return draft.entry({ what: work.what, who: 'system', about: work.about });
    case 'remove-rejects':
      return rejectsRemoved(draft, work.listId);
    default:
      return;
  }
}

function rejectsRemoved(draft: CasesDraft, listId: string): void {
  draft.entry({ what: 'rejects-removed', who: 'system', about: listId });
}

/** What a restart cut off is done again: each piece of work bears to be done twice. */
export function workRecovered(draft: CasesDraft, effect: CasesEffect, moment: Moment): void {
  orderWork(draft, workOf(effect), moment);
}

function workOf({ lane: _lane, deadlineMs: _deadline, waitMs: _wait, ...work }: CasesEffect): Work {
  return work;
}

function repeat(draft: CasesDraft, work: Work, moment: Moment): void {
  if (work.kind === 'erase-recordings') {
    raiseAlarm(draft, 'erasure-failing', work.caseId, moment);
  } else if (work.kind === 'clear-log') raiseAlarm(draft, 'erasure-failing', work.about, moment);
  orderWork(draft, work, moment, repeatMs);
}
