// Orders about cases: stop and lift, allocate and release, stop-list, contacts made elsewhere.
import { hash } from 'node:crypto';
import { raiseAlarm } from '../alarm.ts';
import { dayText, localTime } from '../calendar.ts';
import { toCode } from '../draft.ts';
import { type Outcome, refuse } from '../people/person.ts';
import {
  allocateCase,
  type BatchRow,
  type CasePersonRow,
  type CaseRow,
  type CreditorRow,
  keptStopId,
  liftStop,
  type NoteRow,
  type NumberRow,
  type StopListRow,
  type StopReason,
  stopCase,
} from './case.ts';
import { type Channel, creditorKey } from './contact.ts';
import type { ContactPolicy } from './contact-policy.ts';
import { putLead } from './grant.ts';
import { endAlarm, orderWork } from './work.ts';
import type { CasesDraft, Moment, MovingCase } from './working-set.ts';

/** What a person wrote, with a salt of its own, so that its digest tells nobody the words. */
export interface Words {
  text: string;
  salt: string;
}

/** Every row that an order needs stands in it: read in the same tick, so it can't be outdated. */
export type CaseOrder =
  | { kind: 'put-creditor'; creditor: CreditorRow; by: string }
  | ({ kind: 'stop-cases' } & StopCases)
  | LiftStop
  | { kind: 'allocate'; case: CaseRow | undefined; agentId?: string | undefined; by: string }
  | { kind: 'release'; case: CaseRow | undefined; agentId: string; words: Words; by: string }
  | { kind: 'add-to-stop-list'; stop: Omit<StopListRow, 'id' | 'atUtcMs'> | undefined }
  | TakeOff
  | ReportContact;

/** The cases that a stop is true of. `personKey`: the person it is true of beyond them. */
export interface StopCases {
  cases: readonly MovingCase[];
  personKey?: string | undefined;
  reason: StopReason;
  by: string;
}

export interface TakeOff {
  kind: 'take-off-stop-list';
  stop: StopListRow | undefined;
  /** Cases of the person, if it names one. */
  cases: readonly CaseRow[];
  why: string;
  by: string;
}

export interface LiftStop {
  kind: 'lift-stop';
  cases: readonly MovingCase[];
  batches: ReadonlyMap<string, BatchRow>;
  /** The stop as it is kept of the person. */
  kept: StopListRow | undefined;
  reason: StopReason;
  words: Words;
  by: string;
}

export interface ReportContact {
  kind: 'report-contact';
  case: CaseRow | undefined;
  person: CasePersonRow | undefined;
  /** `number` is that of the id, where it is known. */
  numberId: string | undefined;
  number: NumberRow | undefined;
  contact: {
    channel: Channel;
    /** The person called, wrote or came: no attempt of ours, but a conversation counts. */
    inbound?: boolean | undefined;
    atUtcMs: number;
    outcome: string;
    effective: boolean;
  };
  by: string;
}

/** A release is for the call that is due now, not for next week: it lasts a shift. */
export const releaseMs = 8 * 60 * 60_000;
/** What others report may bear a clock that is a little ahead of ours. */
const aheadMs = 5 * 60_000;

export function caseOrder(
  draft: CasesDraft,
  event: CaseOrder,
  policy: ContactPolicy,
  moment: Moment,
): Outcome<{ id?: string }> {
  switch (event.kind) {
    case 'put-creditor':
      return putCreditor(draft, event.creditor, event.by);
    case 'stop-cases':
      if (event.cases.length === 0) return refuse('not-found');
      stopCases(draft, event, moment);
      return { done: true };
    case 'lift-stop':
      return liftStops(draft, event, moment);
    case 'allocate':
      return allocate(draft, event, moment);
    case 'release':
      return release(draft, event, moment);
    case 'add-to-stop-list':
      return addToStopList(draft, event.stop, moment);
    case 'take-off-stop-list':
      return takeOffStopList(draft, event);
    case 'report-contact':
      return reportContact(draft, event, policy, moment);
  }
}

function putCreditor(draft: CasesDraft, creditor: CreditorRow, by: string): Outcome {
  draft.put('Creditor', creditor);
  draft.entry({ what: 'creditor-registered', who: by, about: creditor.id });
  return { done: true };
}

/** A case as this turn, or the loser of a version check, knows it. */
function newest(draft: CasesDraft, row: CaseRow): CaseRow {
  return draft.get('Case', row.id) ?? row;
}

/**
 * Stops every one of these cases: nothing of them is looked at any more, what was promised is off,
 * the supervisor is told, and what rings for them in other rooms is ended after the commit.
 * `alarmed` is false where one alarm stands for all of them.
 */
export function stopCases(
  draft: CasesDraft,
  { cases, personKey, reason, by }: StopCases,
  moment: Moment,
  alarmed = true,
): void {
  const changed = cases
    .map((moving) => ({ ...moving, case: newest(draft, moving.case) }))
    .filter(({ case: row }) => !row.stops.includes(reason));
  for (const { case: row, leads, callbacks } of changed) {
    draft.put('Case', stopCase(row, reason, moment.atUtcMs), row.version);
    draft.entry({ what: 'case-stopped', who: by, about: row.id, why: reason });
    for (const lead of leads) {
      if (lead.state === 'open') putLead(draft, lead, lead.nextUtcMs, lead.tries, 'closed');
    }
    for (const callback of callbacks) {
      draft.put('Callback', { ...callback, state: 'cancelled' });
      draft.entry({ what: 'callback-cancelled', who: by, about: callback.id, why: reason });
    }
    if (alarmed) raiseAlarm(draft, 'case-stopped', row.id, moment);
  }
  if (changed.length > 0 && personKey !== undefined)
    keepStop(draft, { personKey, reason, by }, moment);
  const caseIds = changed.map(({ case: { id } }) => id);
  if (caseIds.length > 0) orderWork(draft, { kind: 'tell-stopped', caseIds, reason }, moment);
}

/** Keeps what is true of a person for their cases to come; nobody can be read in it. */
export function keepStop(
  draft: CasesDraft,
  { personKey: key, reason, by }: { personKey: string; reason: string; by: string },
  moment: Moment,
): void {
  const id = keptStopId(key, reason);
  const scope = 'debtor';
  draft.put('StopList', { id, scope, key, reason, byPersonId: by, atUtcMs: moment.atUtcMs });
  draft.entry({ what: 'stop-listed', who: by, about: id, why: reason, facts: { scope, key } });
}

/** Takes a stop back where it stands; the numbers of a case with no other stop may be called. */
function liftStops(draft: CasesDraft, event: LiftStop, moment: Moment): Outcome {
  const { cases, batches, kept, reason, words, by } = event;
  let refusal = refuse(cases.length === 0 ? 'not-found' : 'no-such-stop');
  let lifted = 0;
  for (const moving of cases) {
    const { leads } = moving;
    const row = newest(draft, moving.case);
    const batch = batches.get(row.batchId);
    if (!batch) continue;
    const outcome = liftStop(row, reason, batch, moment.atUtcMs);
    if (!outcome.lifted) {
      if (outcome.reason === 'batch-ended') refusal = refuse(outcome.reason);
      continue;
    }
    lifted += 1;
    draft.put('Case', outcome.row, row.version);
    const facts = noteOf(draft, row.id, words, by, moment);
    draft.entry({ what: 'stop-lifted', who: by, about: row.id, why: reason, facts });
    resumeCase(draft, outcome.row, leads, moment);
  }
  if (lifted > 0 && kept) endStop(draft, kept, 'stop-lifted', by);
  return lifted > 0 ? { done: true } : refusal;
}

/** Once no stop holds a case any more, its numbers may be called. */
export function resumeCase(
  draft: CasesDraft,
  { id, stops }: CaseRow,
  leads: MovingCase['leads'],
  moment: Moment,
): void {
  if (stops.length > 0) return;
  for (const lead of leads) putLead(draft, lead, moment.atUtcMs, lead.tries, 'open');
  endAlarm(draft, 'case-stopped', id, moment);
}

/** Puts the words into a row that can be erased; the entry gets SHA-256 of salt, newline, words. */
function noteOf(
  draft: CasesDraft,
  caseId: string,
  { text, salt }: Words,
  who: string,
  moment: Moment,
): { noteId: string; noteSha256: string } {
  const note: NoteRow = {
    id: moment.newId('note'),
    caseId,
    who,
    text,
    salt,
    atUtcMs: moment.atUtcMs,
  };
  draft.put('Note', note);
  return { noteId: note.id, noteSha256: hash('sha256', `${salt}\n${text}`, 'hex') };
}

function allocate(
  draft: CasesDraft,
  { case: read, agentId, by }: Extract<CaseOrder, { kind: 'allocate' }>,
  moment: Moment,
): Outcome {
  if (!read) return refuse('not-found');
  const row = newest(draft, read);
  const next = allocateCase(row, agentId, moment.atUtcMs);
  if (next === row) return { done: true };
  draft.put('Case', next, row.version);
  draft.entry({
    what: agentId === undefined ? 'case-taken-back' : 'case-allocated',
    who: by,
    about: row.id,
    facts: { agentId: agentId ?? null, before: row.allocatedTo ?? null },
  });
  return { done: true };
}

function release(
  draft: CasesDraft,
  { case: row, agentId, words, by }: Extract<CaseOrder, { kind: 'release' }>,
  moment: Moment,
): Outcome<{ id: string }> {
  if (!row) return refuse('not-found');
  const note = noteOf(draft, row.id, words, by, moment);
  const id = moment.newId('release');
  const untilUtcMs = moment.atUtcMs + releaseMs;
  const reasonNoteId = note.noteId;
  draft.put('Release', { id, caseId: row.id, agentId, byPersonId: by, reasonNoteId, untilUtcMs });
  const facts = { ...note, agentId, releaseId: id, untilUtcMs };
  draft.entry({ what: 'case-released', who: by, about: row.id, facts });
  return { done: true, id };
}

/** Whoever is on the list is not contacted from this instant on; a call under way is ended. */
function addToStopList(
  draft: CasesDraft,
  stop: Omit<StopListRow, 'id' | 'atUtcMs'> | undefined,
  moment: Moment,
): Outcome<{ id: string }> {
  if (!stop) return refuse('not-found');
  const id = moment.newId('stop');
  draft.put('StopList', { ...stop, id, atUtcMs: moment.atUtcMs });
  const { scope, key, reason, byPersonId } = stop;
  const facts = { scope, key };
  draft.entry({ what: 'stop-listed', who: byPersonId, about: id, why: toCode(reason), facts });
  const ringing = [...draft.all('Contact')].filter((contact) => {
    if (contact.state !== 'open') return false;
    if (scope === 'number') return contact.numberKey === key;
    if (scope === 'debtor') return contact.personKey === key;
    return contact.creditorKey === creditorKey(contact.personKey, key);
  });
  const caseIds = ringing.map(({ caseId }) => caseId);
  if (caseIds.length > 0) {
    orderWork(draft, { kind: 'tell-stopped', caseIds, reason: 'stop-list' }, moment);
  }
  return { done: true, id };
}

/** A stop that a case of the person still bears is lifted there: one order ends it everywhere. */
function takeOffStopList(draft: CasesDraft, { stop, cases, why, by }: TakeOff): Outcome {
  if (!stop) return refuse('not-found');
  const isKept = stop.id === keptStopId(stop.key, stop.reason);
  const bears = cases.some((row) => newest(draft, row).stops.some((each) => each === stop.reason));
  if (isKept && bears) return refuse('stop-of-case');
  endStop(draft, stop, toCode(why), by);
  return { done: true };
}

function endStop(draft: CasesDraft, { id }: StopListRow, why: string, by: string): void {
  draft.drop('StopList', id);
  draft.entry({ what: 'stop-list-ended', who: by, about: id, why });
}

/** A contact made elsewhere, or by the person: it happened, so it counts, rules or not. */
function reportContact(
  draft: CasesDraft,
  { case: row, person, numberId, number, contact, by }: ReportContact,
  policy: ContactPolicy,
  moment: Moment,
): Outcome<{ id: string }> {
  if (!row || person?.caseId !== row.id) return refuse('not-found');
  if (numberId !== undefined && number?.personId !== person.id) return refuse('not-found');
  const { channel, inbound = false, atUtcMs, outcome, effective } = contact;
  if (atUtcMs > moment.atUtcMs + aheadMs) return refuse('in-the-future');
  const id = moment.newId('contact');
  const zone = person.zone ?? policy.zones[0] ?? 'UTC';
  draft.put('Contact', {
    id,
    state: 'settled',
    channel,
    origin: inbound ? 'inbound' : 'reported',
    caseId: row.id,
    personId: person.id,
    personKey: person.personKey,
    creditorKey: creditorKey(person.personKey, row.creditorId),
    localDay: dayText(localTime(atUtcMs, zone).day),
    ...(inbound ? {} : { attemptUtcMs: atUtcMs }),
    settledUtcMs: moment.atUtcMs,
    outcome: toCode(outcome),
    version: 1,
    ...(number === undefined ? {} : { numberId: number.id, numberKey: number.numberKey }),
    ...(effective ? { conversationUtcMs: atUtcMs } : {}),
  });
  draft.release('Contact', id);
  draft.entry({
    what: 'contact-reported',
    who: by,
    about: id,
    why: toCode(outcome),
    facts: {
      atUtcMs,
      caseId: row.id,
      channel,
      conversation: effective,
      inbound,
      personId: person.id,
      ...(number === undefined ? {} : { numberId: number.id }),
    },
  });
  return { done: true, id };
}
