// Batches whose dates come: their cases stop, slice by slice, and one alarm tells of all of them.
import { raiseAlarm } from '../alarm.ts';
import { type Outcome, refuse } from '../people/person.ts';
import { type BatchEnd, batchStop, liftStop, nextBatchEndUtcMs } from './case.ts';
import { resumeCase, stopCases } from './case-steps.ts';
import { endAlarm, orderWork } from './work.ts';
import type { CasesDraft, Moment, MovingCase } from './working-set.ts';

/** Cases in one commit, so that a recall of thousands holds up no call that is being answered. */
export const stoppedPerCommit = 25;

/**
 * The dates that have come by now. The rules count them from their very instant; this writes them
 * into the cases, ends what rings and tells the supervisor.
 */
export function endBatches(draft: CasesDraft, moment: Moment): void {
  for (const batch of [...draft.all('Batch')]) {
    const dueUtcMs = nextBatchEndUtcMs(batch);
    if (dueUtcMs === undefined || dueUtcMs > moment.atUtcMs) continue;
    const reason = batchStop(batch, moment.atUtcMs);
    if (reason === undefined) continue;
    draft.put('Batch', { ...batch, ended: reason });
    draft.entry({ what: 'batch-ended', who: 'system', about: batch.id, why: reason });
    raiseAlarm(draft, 'batch-ended', batch.id, moment);
    orderWork(draft, { kind: 'stop-batch', batchId: batch.id, reason, from: 0 }, moment);
  }
}

export function nextBatchUtcMs(view: CasesDraft): number | undefined {
  let next: number | undefined;
  for (const batch of view.all('Batch')) {
    const dueUtcMs = nextBatchEndUtcMs(batch);
    if (dueUtcMs !== undefined && (next === undefined || dueUtcMs < next)) next = dueUtcMs;
  }
  return next;
}

/** The next cases of a batch that has ended. */
export interface StopSlice {
  kind: 'stop-slice';
  batchId: string;
  cases: readonly MovingCase[];
  reason: BatchEnd;
}

export function stopSlice(draft: CasesDraft, event: StopSlice, moment: Moment): void {
  const { batchId, cases, reason } = event;
  const batch = draft.get('Batch', batchId);
  // Reopened meanwhile: what is stopped by now is taken up again behind this.
  if (batch && batchStop(batch, moment.atUtcMs) === undefined) return;
  stopCases(draft, { cases, reason, by: 'system' }, moment, false);
}

/** `name` is the batch's own, repeated: an order for thousands of cases names them twice. */
export type BatchOrder =
  | { kind: 'recall-batch'; batchId: string; name: string; by: string }
  | ReopenBatch;

export interface ReopenBatch {
  kind: 'reopen-batch';
  batchId: string;
  name: string;
  deadlineUtcMs?: number | undefined;
  /** A code. */
  why: string;
  by: string;
}

export function batchOrder(draft: CasesDraft, event: BatchOrder, moment: Moment): Outcome {
  const batch = draft.get('Batch', event.batchId);
  if (!batch) return refuse('not-found');
  if (batch.name !== event.name) return refuse('name-differs');
  const { atUtcMs } = moment;
  const end = batchStop(batch, atUtcMs);
  if (event.kind === 'reopen-batch') {
    return end === undefined ? refuse('batch-not-ended') : reopenBatch(draft, event, moment);
  }
  if (end === 'recalled') return refuse('batch-ended');
  draft.put('Batch', { ...batch, recallUtcMs: atUtcMs });
  draft.entry({ what: 'batch-recalled', who: event.by, about: batch.id });
  endBatches(draft, moment);
  return { done: true };
}

/** The batch is ours again, until its deadline where that lies ahead or a new one is given. */
function reopenBatch(
  draft: CasesDraft,
  { batchId, deadlineUtcMs: wanted, why, by }: ReopenBatch,
  moment: Moment,
): Outcome {
  const batch = draft.get('Batch', batchId);
  if (!batch) return refuse('not-found');
  if (wanted !== undefined && wanted <= moment.atUtcMs) return refuse('past');
  const { recallUtcMs: _recall, ended: _ended, deadlineUtcMs: before, ...rest } = batch;
  const stillDue = before !== undefined && before > moment.atUtcMs ? before : undefined;
  const deadlineUtcMs = wanted ?? stillDue;
  draft.put('Batch', { ...rest, ...(deadlineUtcMs === undefined ? {} : { deadlineUtcMs }) });
  const facts = { deadlineUtcMs: deadlineUtcMs ?? null };
  draft.entry({ what: 'batch-reopened', who: by, about: batchId, why, facts });
  endAlarm(draft, 'batch-ended', batchId, moment);
  orderWork(draft, { kind: 'reopen-batch', batchId, from: 0 }, moment);
  return { done: true };
}

/** The next cases of a batch that was reopened. */
export interface ReopenSlice {
  kind: 'reopen-slice';
  batchId: string;
  cases: readonly MovingCase[];
}

/** Takes the batch's own stops back; any other goes on holding, and promised calls stay off. */
export function reopenSlice(
  draft: CasesDraft,
  { batchId, cases }: ReopenSlice,
  moment: Moment,
): void {
  const batch = draft.get('Batch', batchId);
  if (!batch || batchStop(batch, moment.atUtcMs) !== undefined) return;
  for (const moving of cases) {
    for (const reason of ['recalled', 'expired'] as const) {
      const row = draft.get('Case', moving.case.id) ?? moving.case;
      const outcome = liftStop(row, reason, batch, moment.atUtcMs);
      if (!outcome.lifted) continue;
      draft.put('Case', outcome.row, row.version);
      const about = row.id;
      draft.entry({ what: 'stop-lifted', who: 'system', about, why: reason });
      resumeCase(draft, outcome.row, moving.leads, moment);
    }
  }
}
