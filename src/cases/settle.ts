// Settling contacts: what became of a permit counts, and what the agent states of it is done.
import { dayMs } from '../calendar.ts';
import { type ActionCode, type ActionStatement, readAction } from './action-code.ts';
import { type CallbackRow, type CasePersonRow, type NumberRow, personRefused } from './case.ts';
import { keepStop, type StopCases, stopCases } from './case-steps.ts';
import { settleContact } from './contact.ts';
import type { ContactPolicy } from './contact-policy.ts';
import { putLead } from './grant.ts';
import type { CasesDraft, LeadRow, Moment, StoredContact } from './working-set.ts';

/** What became of a permit; the words are telephony's, the counting is ours. */
export interface Settle {
  kind: 'settle';
  permitId: string;
  outcome: string;
  answeredUtcMs?: number | undefined;
  /** As the agent marked it; unmarked counts. */
  effective: boolean;
  agentId?: string | undefined;
  statement?: ActionStatement | undefined;
  facts: SettleFacts;
}

/** What the store holds of the case of a permit. */
export interface SettleFacts {
  readonly person?: CasePersonRow | undefined;
  /** The rows of the number that was called, in all cases of its person. */
  readonly numbers: readonly NumberRow[];
  readonly leads: readonly LeadRow[];
  /** The cases that stop by what the agent states. */
  readonly stops: Pick<StopCases, 'cases' | 'personKey'>;
  /** The promised call that this one was. */
  readonly callback?: CallbackRow | undefined;
}

/** After a conversation the case rests, unless a call or a payment was promised. */
const spokenAgainMs = 7 * dayMs;
/** A promise to pay is waited for until the day after. */
const promiseGraceMs = dayMs;
/** A call that the carrier or we ourselves did not place is tried again soon. */
const failedAgainMs = 15 * 60_000;

/** Outcomes in which the far side answered and was left alone. */
const droppedOutcomes = ['abandoned', 'not-recorded'];
const failedOutcomes = ['carrier-failure', 'not-dialed'];
const spokenOutcomes = ['conversation', 'agent-lost'];

/** Settles a permit by what became of the call; a second report of it changes nothing. */
export function settle(
  draft: CasesDraft,
  event: Settle,
  policy: ContactPolicy,
  moment: Moment,
): void {
  const open = draft.get('Contact', event.permitId);
  if (!open || open.state === 'settled') return;
  const { outcome, answeredUtcMs, statement, agentId } = event;
  // Its times were checked when the agent stated it; by now they may have passed.
  const action = statement && readAction(statement, 0);
  const code = action?.accepted ? action.code : undefined;
  const spoke = spokenOutcomes.includes(outcome);
  const end = {
    outcome,
    dropped: droppedOutcomes.includes(outcome),
    carrierFailed: failedOutcomes.includes(outcome),
    spoke,
    // It counts when either says so: a wrong mark must not free a contact too many.
    effective: event.effective || code?.effective === true,
    ...(answeredUtcMs === undefined ? {} : { answerUtcMs: answeredUtcMs }),
  };
  const settled: StoredContact = {
    ...settleContact(open, end, policy, moment.atUtcMs),
    state: 'settled',
    ...(agentId === undefined ? {} : { agentId }),
  };
  draft.put('Contact', settled);
  draft.release('Contact', open.id);
  const talked = spoke && end.effective;
  draft.entry({
    what: 'contact-settled',
    who: 'system',
    about: open.id,
    why: outcome,
    facts: { answered: answeredUtcMs !== undefined, dropped: end.dropped, conversation: talked },
  });
  if (outcome === 'invalid-number') putNumbers(draft, event, 'invalid', outcome, 'system');
  if (action && !action.accepted) refuseAction(draft, event, action.reason);
  if (code && statement) doAction(draft, event, settled, code, moment);
  if (end.carrierFailed) tryAgain(draft, event, open.numberId, moment);
  if (talked) restLeads(draft, event, moment);
}

/** An action that no code stands for changes nothing; the contact counts all the same. */
function refuseAction(draft: CasesDraft, { permitId, agentId }: Settle, reason: string): void {
  draft.entry({
    what: 'action-refused',
    who: agentId ?? 'system',
    about: permitId,
    why: reason,
  });
}

function doAction(
  draft: CasesDraft,
  event: Settle,
  contact: StoredContact,
  code: ActionCode,
  moment: Moment,
): void {
  const { statement, facts, agentId } = event;
  if (!statement) return;
  const by = agentId ?? 'system';
  const { caseId, numberId } = contact;
  draft.entry({
    what: 'action-stated',
    who: by,
    about: contact.id,
    why: statement.code,
    facts: { caseId, ...(numberId === undefined ? {} : { numberId }) },
  });
  if (code.number) putNumbers(draft, event, code.number, statement.code, by);
  if (code.refusesPerson) refusePerson(draft, event, by, moment);
  if (code.stops) {
    stopCases(draft, { ...facts.stops, reason: code.stops, by }, moment);
    return;
  }
  if (statement.callback) agreeCallback(draft, statement.callback, contact, by, moment);
  if (statement.promise) takePromise(draft, statement.promise, contact, by, moment);
}

function agreeCallback(
  draft: CasesDraft,
  { dueUtcMs, own }: NonNullable<ActionStatement['callback']>,
  { caseId, numberId }: StoredContact,
  by: string,
  moment: Moment,
): void {
  if (numberId === undefined) return;
  const agent = own && by !== 'system' ? { agentId: by } : {};
  const row: CallbackRow = {
    id: moment.newId('callback'),
    caseId,
    numberId,
    dueUtcMs,
    nextUtcMs: dueUtcMs,
    state: 'open',
    ...agent,
  };
  draft.put('Callback', row);
  const facts = { caseId, numberId, dueUtcMs, ...agent };
  draft.entry({ what: 'callback-agreed', who: by, about: row.id, facts });
}

/** The sum stands in the row only, which can be erased. */
function takePromise(
  draft: CasesDraft,
  { amountMinor, dueUtcMs }: NonNullable<ActionStatement['promise']>,
  { caseId }: StoredContact,
  by: string,
  moment: Moment,
): void {
  const id = moment.newId('promise');
  draft.put('PayPromise', { id, caseId, amountMinor, dueUtcMs, state: 'open' });
  draft.entry({ what: 'promise-made', who: by, about: id, facts: { caseId, dueUtcMs } });
}

function putNumbers(
  draft: CasesDraft,
  { facts }: Settle,
  state: 'invalid' | 'stopped',
  why: string,
  who: string,
): void {
  for (const row of facts.numbers) {
    const number = draft.get('Number', row.id) ?? row;
    if (number.state === state || number.state === 'stopped') continue;
    const next: NumberRow = { ...number, state, version: number.version + 1 };
    draft.put('Number', next, number.version);
    draft.entry({ what: `number-${state}`, who, about: number.id, why });
  }
}

/**
 * Who refused is the person whose number it is; but behind a debtor's number it was somebody else,
 * so there the number is left alone and the debtor stays reachable on others.
 */
function refusePerson(draft: CasesDraft, event: Settle, by: string, moment: Moment): void {
  const { person } = event.facts;
  if (!person || person.refusedUtcMs !== undefined) return;
  if (person.role === 'debtor') return putNumbers(draft, event, 'stopped', 'other-refuses', by);
  draft.put(
    'CasePerson',
    { ...person, refusedUtcMs: moment.atUtcMs, version: person.version + 1 },
    person.version,
  );
  draft.entry({ what: 'person-refused', who: by, about: person.id });
  keepStop(draft, { personKey: person.personKey, reason: personRefused, by }, moment);
}

/** The call was not placed: it is tried again soon, and a promised one is still owed. */
function tryAgain(
  draft: CasesDraft,
  { facts: { leads, callback } }: Settle,
  numberId: string | undefined,
  moment: Moment,
): void {
  const nextUtcMs = moment.atUtcMs + failedAgainMs;
  const lead = leads.find((each) => each.numberId === numberId);
  if (lead) putLead(draft, lead, nextUtcMs, lead.tries);
  if (callback?.state === 'done') draft.put('Callback', { ...callback, state: 'open', nextUtcMs });
}

/** The case was spoken about: none of its numbers is called for a while. */
function restLeads(draft: CasesDraft, { facts, statement }: Settle, moment: Moment): void {
  const promised = statement?.promise?.dueUtcMs;
  const nextUtcMs =
    promised === undefined ? moment.atUtcMs + spokenAgainMs : promised + promiseGraceMs;
  for (const lead of facts.leads) putLead(draft, lead, nextUtcMs, lead.tries);
}
