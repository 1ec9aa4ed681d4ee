// Steps on cases themselves: creditors, and stops that hold for every number at once.
import { type CaseRow, type CreditorRow, type StopReason, stopCase } from './case.ts';
import type { CasesDraft, Moment } from './working-set.ts';

export type Outcome = { done: true } | { done: false; why: string };

export interface StopCases {
  kind: 'stop-cases';
  cases: readonly CaseRow[];
  reason: StopReason;
  by: string;
}

export interface PutCreditor {
  kind: 'put-creditor';
  creditor: CreditorRow;
  by: string;
}

const stopDeadlineMs = 5_000;

/** Stops every one of these cases; what rings for them in other rooms is ended after the commit. */
export function stopCases(draft: CasesDraft, event: StopCases, moment: Moment): Outcome {
  const { reason, by } = event;
  const changed = event.cases.filter((row) => !row.stops.includes(reason));
  for (const row of changed) {
    draft.put('Case', stopCase(row, reason, moment.atUtcMs), row.version);
    draft.release('Case', row.id);
    draft.entry({ what: 'case-stopped', who: by, about: row.id, why: reason });
  }
  if (changed.length > 0) {
    draft.effect(moment.newId('effect'), {
      kind: 'tell-stopped',
      lane: 'stops',
      deadlineMs: stopDeadlineMs,
      caseIds: changed.map(({ id }) => id),
      reason,
    });
  }
  return { done: true };
}

export function putCreditor(draft: CasesDraft, { creditor, by }: PutCreditor): Outcome {
  draft.put('Creditor', creditor);
  draft.entry({ what: 'creditor-registered', who: by, about: creditor.id });
  return { done: true };
}
