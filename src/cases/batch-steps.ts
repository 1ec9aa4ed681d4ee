// Batches whose dates come: their cases stop, slice by slice, and one alarm tells of all of them.
import { raiseAlarm } from '../alarm.ts';
import { type BatchEnd, batchStop, nextBatchEndUtcMs } from './case.ts';
import { stopCases } from './case-steps.ts';
import { orderWork } from './work.ts';
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
  cases: readonly MovingCase[];
  reason: BatchEnd;
}

export function stopSlice(draft: CasesDraft, { cases, reason }: StopSlice, moment: Moment): void {
  stopCases(draft, { cases, reason, by: 'system' }, moment, false);
}
