// Creditor → batch → case → people → numbers: their rows, and how a case stops and is allocated.
import type { WeeklyHours } from '../calendar.ts';

/** Who gave the debts. `callerId` is registered for them and answered: one per creditor. */
export interface CreditorRow {
  readonly id: string;
  readonly name: string;
  /** E.164 with its plus sign. */
  readonly callerId: string;
}

/** What a creditor handed over at once; from the instants named on, the batch is no longer ours. */
export interface BatchRow {
  readonly id: string;
  readonly creditorId: string;
  readonly name: string;
  readonly receivedUtcMs: number;
  readonly deadlineUtcMs?: number;
  readonly recallUtcMs?: number;
  /** The date of these that has come and is written into the cases, or is being written. */
  readonly ended?: BatchEnd;
}

export type BatchEnd = 'recalled' | 'expired';

export interface CaseRow {
  readonly id: string;
  readonly batchId: string;
  readonly creditorId: string;
  /** The creditor's own number of the case. */
  readonly reference: string;
  /** Creditor and reference as a keyed digest: by it a case that comes twice is found. */
  readonly referenceKey: string;
  readonly product?: string;
  /** In the smallest unit of the currency, so that sums stay exact. */
  readonly amountMinor?: number;
  /** Every reason for which the case stands still; it moves only while there is none. */
  readonly stops: readonly StopReason[];
  readonly stoppedUtcMs?: number;
  readonly allocatedTo?: string;
  readonly allocatedUtcMs?: number;
  readonly version: number;
}

export type PersonRole = 'debtor' | 'guarantor' | 'contact-person';

export interface CasePersonRow {
  readonly id: string;
  readonly caseId: string;
  readonly role: PersonRole;
  readonly name?: string;
  /**
   * Counters and stops are kept by it. A keyed digest: of the person's identity number, then it is
   * the same with all creditors, else of the creditor's own number of them.
   */
  readonly personKey: string;
  /** IANA name; absent = unknown, then the strictest of the policy's zones counts. */
  readonly zone?: string;
  /** When this person asked not to be contacted again. */
  readonly refusedUtcMs?: number;
  readonly version: number;
}

export const numberKinds = ['mobile', 'home', 'work', 'other'] as const;
export type NumberKind = (typeof numberKinds)[number];

export interface NumberRow {
  readonly id: string;
  readonly caseId: string;
  readonly personId: string;
  /** E.164 with its plus sign. */
  readonly e164: string;
  /** The same for one number in all cases; a keyed digest, so that it may stand in the ledger. */
  readonly numberKey: string;
  readonly kind: NumberKind;
  /** The person asked not to be called at work, and this number reaches them there. */
  readonly notAtWork: boolean;
  /** Times at which the person asked not to be called, in their own zone. */
  readonly notThen?: WeeklyHours;
  readonly state: 'ok' | 'invalid' | 'stopped';
  readonly version: number;
}

/**
 * A person, a number or a creditor's whole book that must not be contacted. A stop that is true of
 * a person stands here too, by keyed digest and reason only: it outlives their cases and its own
 * erasure, so that a new case of theirs is stopped from its first moment.
 */
export interface StopListRow {
  readonly id: string;
  readonly scope: 'number' | 'debtor' | 'creditor';
  /** A numberKey, a personKey, or a creditor's id, by scope. */
  readonly key: string;
  readonly reason: string;
  readonly byPersonId: string;
  readonly atUtcMs: number;
}

/** A supervisor lets one agent call once into a case that is not allocated to them. */
export interface ReleaseRow {
  readonly id: string;
  readonly caseId: string;
  readonly agentId: string;
  readonly byPersonId: string;
  /** Id of the note that states the reason. */
  readonly reasonNoteId: string;
  readonly untilUtcMs: number;
  readonly usedUtcMs?: number;
}

/** A promise to call at a time; without `agentId` any agent may keep it. Caps beat it. */
export interface CallbackRow {
  readonly id: string;
  readonly caseId: string;
  readonly numberId: string;
  readonly dueUtcMs: number;
  /** When it is due, and later while a rule holds it back. */
  readonly nextUtcMs: number;
  readonly agentId?: string;
  readonly state: 'open' | 'done' | 'cancelled';
}

export interface PromiseRow {
  readonly id: string;
  readonly caseId: string;
  readonly amountMinor: number;
  readonly dueUtcMs: number;
  readonly state: 'open' | 'kept' | 'broken' | 'cancelled';
}

/** Words of a person about a case; the ledger knows only their salted digest. */
export interface NoteRow {
  readonly id: string;
  readonly caseId: string;
  /** What stands as `who` in the entry. */
  readonly who: string;
  readonly text: string;
  readonly salt: string;
  readonly atUtcMs: number;
}

/**
 * A reason to stop at once. `person`: it is true of the debtor, so all their cases stop, those that
 * come later too; the others are about this one debt, or how it was asked for.
 */
export const stopScopes = {
  paid: 'case',
  recalled: 'case',
  expired: 'case',
  disputed: 'case',
  complained: 'case',
  defrauded: 'person',
  refused: 'person',
  dead: 'person',
  'in-prison': 'person',
  ill: 'person',
  'at-risk': 'person',
} as const satisfies Record<string, 'case' | 'person'>;

export type StopReason = keyof typeof stopScopes;
export const stopReasons = Object.keys(stopScopes) as readonly StopReason[];

/** A guarantor or contact person who refused; kept like a stop, but no reason to stop a case. */
export const personRefused = 'person-refused';

/** One id for each person and reason, so that a stop is kept once however often it is ordered. */
export function keptStopId(personKey: string, reason: string): string {
  return `stop.${personKey}.${reason}`;
}

/** Of the stop-list rows that name a debtor, the reasons for which any case of theirs stands. */
export function keptStops(rows: readonly StopListRow[]): StopReason[] {
  const known = new Set(rows.map(({ reason }) => reason));
  return stopReasons.filter((each) => stopScopes[each] === 'person' && known.has(each)).sort();
}

/** The reason for which a batch as a whole has ended, if it has. */
export function batchStop(batch: BatchRow, atUtcMs: number): BatchEnd | undefined {
  if (batch.recallUtcMs !== undefined && atUtcMs >= batch.recallUtcMs) return 'recalled';
  if (batch.deadlineUtcMs !== undefined && atUtcMs >= batch.deadlineUtcMs) return 'expired';
  return undefined;
}

/** The next date of a batch that is not written into its cases yet; a recall is the last one. */
export function nextBatchEndUtcMs(batch: BatchRow): number | undefined {
  const { deadlineUtcMs, recallUtcMs, ended } = batch;
  if (ended === 'recalled') return undefined;
  if (ended === 'expired' || deadlineUtcMs === undefined) return recallUtcMs;
  return Math.min(deadlineUtcMs, recallUtcMs ?? deadlineUtcMs);
}

/**
 * Why nobody in a case may be contacted. The batch's dates count from their very instant, whether
 * or not the stop has been written into the case by then.
 */
export function stopsOf(row: CaseRow, batch: BatchRow, atUtcMs: number): readonly StopReason[] {
  const ended = batchStop(batch, atUtcMs);
  return ended === undefined || row.stops.includes(ended) ? row.stops : [...row.stops, ended];
}

/** Adds a stop. One is enough to halt every number of the case; a second report changes nothing. */
export function stopCase(row: CaseRow, reason: StopReason, atUtcMs: number): CaseRow {
  if (row.stops.includes(reason)) return row;
  const stops = [...row.stops, reason].sort();
  return { ...row, stops, stoppedUtcMs: row.stoppedUtcMs ?? atUtcMs, version: row.version + 1 };
}

export type LiftOutcome =
  | { lifted: true; row: CaseRow }
  | { lifted: false; reason: 'no-such-stop' | 'batch-ended' };

/** Takes one stop back; the others go on holding. A batch that has ended can't be reopened so. */
export function liftStop(
  row: CaseRow,
  reason: StopReason,
  batch: BatchRow,
  atUtcMs: number,
): LiftOutcome {
  if (!row.stops.includes(reason)) return { lifted: false, reason: 'no-such-stop' };
  if (batchStop(batch, atUtcMs) === reason) return { lifted: false, reason: 'batch-ended' };
  const stops = row.stops.filter((each) => each !== reason);
  const { stoppedUtcMs, ...rest } = row;
  const since = stops.length > 0 && stoppedUtcMs !== undefined ? { stoppedUtcMs } : {};
  return { lifted: true, row: { ...rest, ...since, stops, version: row.version + 1 } };
}

/** Gives a case to an agent, or takes it from the one who has it. */
export function allocateCase(row: CaseRow, agentId: string | undefined, atUtcMs: number): CaseRow {
  if (row.allocatedTo === agentId) return row;
  const { allocatedTo: _agent, allocatedUtcMs: _since, ...rest } = row;
  const to = agentId === undefined ? {} : { allocatedTo: agentId, allocatedUtcMs: atUtcMs };
  return { ...rest, ...to, version: row.version + 1 };
}

/** Does a supervisor's release let this agent call into this case now? It counts once. */
export function releaseHolds(
  release: ReleaseRow | undefined,
  row: CaseRow,
  agentId: string,
  atUtcMs: number,
): release is ReleaseRow {
  return (
    release !== undefined &&
    release.caseId === row.id &&
    release.agentId === agentId &&
    release.usedUtcMs === undefined &&
    atUtcMs < release.untilUtcMs
  );
}
