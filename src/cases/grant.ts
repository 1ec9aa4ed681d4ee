// Granting contacts: a permit is committed with its counters before anything rings.
import { raiseAlarm } from '../alarm.ts';
import { localTime } from '../calendar.ts';
import { type ContactMode, type ContactRow, creditorKey, tallyOf } from './contact.ts';
import { type ContactPolicy, tallyDepth } from './contact-policy.ts';
import { type ContactAnswer, mayContact } from './may-contact.ts';
import type { Candidate, CasesDraft, LeadRow, Moment, StoredContact } from './working-set.ts';

/** A permit as telephony gets it, with the number it may dial. */
export type GrantAnswer =
  | {
      outcome: 'granted';
      permit: {
        permitId: string;
        caseId: string;
        debtorId: string;
        numberId: string;
        number: string;
        segment: string;
      };
    }
  | { outcome: 'refused'; rule: string; untilUtcMs?: number | undefined };

export interface Grant {
  kind: 'grant';
  campaignId: string;
  creditorId: string;
  callId: string;
  mode: ContactMode;
  agentId?: string | undefined;
  /** In the order in which they are to be tried. */
  candidates: readonly Candidate[];
}

/** What a refusal with no end that is known is looked at again after: a list may change by hand. */
const refusedAgainMs = 24 * 60 * 60_000;
/** A call to the same person or case is over by then, most of the time. */
const underWayAgainMs = 10 * 60_000;
const shortestWaitMs = 1_000;
/** After a fruitless call the number rests this long; the caps may hold it back longer. */
const fruitlessAgainMs = 4 * 60 * 60_000;

/** Grants the first candidate whom every rule lets be called now; the others' refusals are kept. */
export function grant(
  draft: CasesDraft,
  event: Grant,
  policy: ContactPolicy,
  moment: Moment,
): GrantAnswer {
  let refusal: GrantAnswer = { outcome: 'refused', rule: 'no-lead-due' };
  for (const candidate of event.candidates) {
    const { lead } = candidate;
    const current = lead && draft.get('Lead', lead.id);
    if (current && current.version !== lead.version) continue;
    const answer = judge(draft, event, candidate, policy, moment);
    if (answer.granted) return permit(draft, event, candidate, answer.permit, policy, moment);
    withhold(draft, candidate, answer, moment);
    refusal = { outcome: 'refused', rule: answer.rule, untilUtcMs: answer.untilUtcMs };
  }
  return refusal;
}

function judge(
  draft: CasesDraft,
  { creditorId, mode, agentId }: Grant,
  candidate: Candidate,
  policy: ContactPolicy,
  moment: Moment,
): ContactAnswer {
  const { case: row, batch, person, number, stopList, release } = candidate;
  const contacts = new Map<string, ContactRow>(candidate.contacts.map((each) => [each.id, each]));
  let underWay = false;
  for (const open of draft.all('Contact')) {
    const samePerson = open.personKey === person.personKey;
    const sameNumber = open.numberKey === number.numberKey;
    if (!samePerson && !sameNumber && open.caseId !== row.id) continue;
    contacts.set(open.id, open);
    if (open.state === 'open') underWay = true;
  }
  const tallies = tallyOf(contacts.values(), tallyDepth(policy));
  return mayContact(
    {
      channel: 'call',
      mode,
      creditorId,
      agentGuaranteed: mode !== 'predictive',
      ...(agentId === undefined ? {} : { agentId }),
    },
    {
      case: row,
      batch,
      person,
      number,
      stopList,
      underWay,
      tally: (id) => tallies.get(id),
      ...(release === undefined ? {} : { release }),
    },
    policy,
    moment.atUtcMs,
  );
}

function permit(
  draft: CasesDraft,
  event: Grant,
  { case: row, person, number, lead, release, callback }: Candidate,
  granted: Extract<ContactAnswer, { granted: true }>['permit'],
  policy: ContactPolicy,
  moment: Moment,
): GrantAnswer {
  const permitId = moment.newId('permit');
  const contact: StoredContact = {
    id: permitId,
    state: 'open',
    channel: 'call',
    origin: 'granted',
    mode: event.mode,
    caseId: row.id,
    personId: person.id,
    numberId: number.id,
    numberKey: number.numberKey,
    personKey: person.personKey,
    creditorKey: creditorKey(person.personKey, row.creditorId),
    callId: event.callId,
    policy: granted.policy,
    localDay: granted.localDay,
    attemptUtcMs: moment.atUtcMs,
    version: 1,
    ...(event.agentId === undefined ? {} : { agentId: event.agentId }),
    ...(granted.releaseId === undefined ? {} : { releaseId: granted.releaseId }),
    ...(callback === undefined ? {} : { callbackId: callback.id }),
  };
  draft.put('Contact', contact);
  if (release && granted.releaseId === release.id) {
    draft.put('Release', { ...release, usedUtcMs: moment.atUtcMs });
  }
  if (callback) draft.put('Callback', { ...callback, state: 'done' });
  if (lead) putLead(draft, lead, moment.atUtcMs + fruitlessAgainMs, lead.tries + 1);
  draft.entry({
    what: 'contact-granted',
    who: event.mode === 'manual' ? (event.agentId ?? 'system') : 'system',
    about: permitId,
    why: event.mode,
    facts: {
      callId: event.callId,
      campaignId: event.campaignId,
      caseId: row.id,
      localDay: granted.localDay,
      numberId: number.id,
      personId: person.id,
      policy: granted.policy,
      ruleSet: granted.ruleSet,
      spent: granted.spent.map(({ cap, count, limit }) => `${cap}:${count}.of.${limit}`),
      ...(callback === undefined ? {} : { callbackId: callback.id }),
      ...(granted.releaseId === undefined ? {} : { releaseId: granted.releaseId }),
    },
  });
  // Of an unknown zone the first one of the policy: pacing learns by it, no rule depends on it.
  const zone = person.zone ?? policy.zones[0] ?? 'UTC';
  const hour = Math.floor(localTime(moment.atUtcMs, zone).minute / 60);
  return {
    outcome: 'granted',
    permit: {
      permitId,
      caseId: row.id,
      debtorId: person.id,
      numberId: number.id,
      number: number.e164,
      segment: `${number.kind}-${hour}`,
    },
  };
}

/** A lead that may not be called now waits; that it was withheld, by which rule, is recorded. */
function withhold(
  draft: CasesDraft,
  { case: row, number, lead, callback }: Candidate,
  answer: Extract<ContactAnswer, { granted: false }>,
  moment: Moment,
): void {
  const againMs = answer.rule === 'under-way' ? underWayAgainMs : refusedAgainMs;
  const nextUtcMs = Math.max(
    moment.atUtcMs + shortestWaitMs,
    answer.untilUtcMs ?? moment.atUtcMs + againMs,
  );
  if (lead) putLead(draft, lead, nextUtcMs, lead.tries);
  if (callback) draft.put('Callback', { ...callback, nextUtcMs });
  draft.entry({
    what: 'contact-withheld',
    who: 'system',
    about: number.id,
    why: answer.rule,
    facts: {
      caseId: row.id,
      detail: answer.detail,
      policy: answer.policy,
      ruleSet: answer.ruleSet,
      untilUtcMs: lead ? nextUtcMs : null,
    },
  });
  const [year] = answer.detail;
  if (answer.rule === 'calendar-unknown-year' && year !== undefined) {
    raiseAlarm(draft, 'calendar-unknown-year', year, moment);
  }
}

/** Writes when a lead is looked at next; the commit refuses it if another change came first. */
export function putLead(
  draft: CasesDraft,
  lead: LeadRow,
  nextUtcMs: number,
  tries: number,
  state?: LeadRow['state'],
): void {
  const now = draft.get('Lead', lead.id) ?? lead;
  const next = { ...now, nextUtcMs, tries, state: state ?? now.state, version: now.version + 1 };
  draft.put('Lead', next, now.version);
}
