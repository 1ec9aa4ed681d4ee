// Contacts as they are counted: one row each, and the short lists of times that the caps look at.
import type { CasePersonRow, CaseRow, NumberRow } from './case.ts';

export const channels = ['call', 'visit', 'sms', 'letter'] as const;
export type Channel = (typeof channels)[number];

/**
 * attempt: handed to the carrier, or set out for · answer: the far side answered, person or machine
 * · conversation: a person was spoken to and the matter raised · dropped: answered, and no agent.
 */
export const counted = ['attempt', 'answer', 'conversation', 'dropped'] as const;
export type Counted = (typeof counted)[number];

/** creditor: the debtor with this creditor, agencies of theirs included where they report. */
export const axes = ['number', 'debtor', 'case', 'creditor'] as const;
export type Axis = (typeof axes)[number];

export type ContactMode = 'predictive' | 'progressive' | 'preview' | 'manual';

/**
 * One contact: a permit while `settledUtcMs` is absent, history afterwards; also what others
 * report, and calls that came in (these have no attempt). A time that stands counts for ever.
 */
export interface ContactRow {
  readonly id: string;
  readonly channel: Channel;
  readonly origin: 'granted' | 'reported' | 'inbound';
  readonly mode?: ContactMode;
  readonly caseId: string;
  readonly personId: string;
  readonly numberId?: string;
  readonly numberKey?: string;
  readonly personKey: string;
  readonly creditorKey: string;
  /** The call it was granted for. */
  readonly callId?: string;
  readonly agentId?: string;
  readonly releaseId?: string;
  /** The promised call that this one keeps. */
  readonly callbackId?: string;
  readonly policy?: string;
  /** The person's own day when it began, as `YYYY-MM-DD`. */
  readonly localDay: string;
  readonly attemptUtcMs?: number;
  readonly answerUtcMs?: number;
  readonly conversationUtcMs?: number;
  readonly droppedUtcMs?: number;
  readonly settledUtcMs?: number;
  readonly outcome?: string;
  readonly version: number;
}

/** Ids under which a contact counts on each axis. A visit or a letter has no number. */
export type ContactKeys = { readonly [A in Axis]?: string };

export function keysOf(row: CaseRow, person: CasePersonRow, number?: NumberRow): ContactKeys {
  return {
    ...(number ? { number: number.numberKey } : {}),
    debtor: person.personKey,
    case: row.id,
    creditor: creditorKey(person.personKey, row.creditorId),
  };
}

export function creditorKey(personKey: string, creditorId: string): string {
  return `${personKey}.${creditorId}`;
}

/** Times of one kind of contact under one key, rising; only as many as the highest cap needs. */
export interface TallyRow {
  readonly id: string;
  readonly times: readonly number[];
}

export function tallyId(what: Counted, channel: Channel, axis: Axis, key: string): string {
  return `${what}/${channel}/${axis}/${key}`;
}

/**
 * Adds a time and keeps the latest `depth`. A cap asks only whether its limit-th latest time lies
 * in the window, so older ones may be forgotten however the clock steps; the future's stay.
 */
export function addTime(times: readonly number[], atUtcMs: number, depth: number): number[] {
  const next = [...times, atUtcMs].sort((a, b) => a - b);
  return next.slice(Math.max(0, next.length - depth));
}

/** What a contact row adds to which tallies. */
export function countsOf(row: ContactRow): { id: string; atUtcMs: number }[] {
  const times: Record<Counted, number | undefined> = {
    attempt: row.attemptUtcMs,
    answer: row.answerUtcMs,
    conversation: row.conversationUtcMs,
    dropped: row.droppedUtcMs,
  };
  const keys: ContactKeys = {
    ...(row.numberKey === undefined ? {} : { number: row.numberKey }),
    debtor: row.personKey,
    case: row.caseId,
    creditor: row.creditorKey,
  };
  const list: { id: string; atUtcMs: number }[] = [];
  for (const what of counted) {
    const atUtcMs = times[what];
    if (atUtcMs === undefined) continue;
    for (const axis of axes) {
      const key = keys[axis];
      if (key !== undefined) list.push({ id: tallyId(what, row.channel, axis, key), atUtcMs });
    }
  }
  return list;
}

/** The tallies of a set of contacts: how memory is filled from the store. */
export function tallyOf(rows: Iterable<ContactRow>, depth: number): Map<string, TallyRow> {
  const tallies = new Map<string, TallyRow>();
  for (const row of rows)
    for (const { id, atUtcMs } of countsOf(row))
      tallies.set(id, { id, times: addTime(tallies.get(id)?.times ?? [], atUtcMs, depth) });
  return tallies;
}

/** How a contact ended, as far as it counts. */
export interface ContactEnd {
  readonly answerUtcMs?: number;
  /** Answered, and no agent took it in time. */
  readonly dropped: boolean;
  /** The carrier failed; the far side never rang. */
  readonly carrierFailed: boolean;
  /** An agent spoke; their action code says whether the matter was raised. Unmarked counts. */
  readonly spoke: boolean;
  readonly effective?: boolean;
  readonly outcome: string;
}

/**
 * Settles a permit by what became of it. The attempt reserved by the grant stays counted, cancelled
 * rings too; only a failed carrier gives it back, and only where the policy says so.
 */
export function settleContact(
  row: ContactRow,
  end: ContactEnd,
  policy: { readonly carrierFailureCounts: boolean },
  atUtcMs: number,
): ContactRow {
  const { attemptUtcMs, ...rest } = row;
  const given = end.carrierFailed && !policy.carrierFailureCounts;
  const { answerUtcMs } = end;
  return {
    ...rest,
    ...(attemptUtcMs === undefined || given ? {} : { attemptUtcMs }),
    ...(answerUtcMs === undefined ? {} : { answerUtcMs }),
    ...(end.spoke && end.effective !== false ? { conversationUtcMs: answerUtcMs ?? atUtcMs } : {}),
    ...(end.dropped ? { droppedUtcMs: answerUtcMs ?? atUtcMs } : {}),
    settledUtcMs: atUtcMs,
    outcome: end.outcome,
    version: row.version + 1,
  };
}
