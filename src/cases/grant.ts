// Granting and settling contacts: a permit is committed with its counters before anything rings.
import { localTime } from '../calendar.ts';
import { type ContactRow, creditorKey, settleContact, tallyOf } from './contact.ts';
import { type ContactPolicy, tallyDepth } from './contact-policy.ts';
import { type ContactAnswer, mayContact } from './may-contact.ts';
import type {
  Candidate,
  CasesDraft,
  Grant,
  GrantAnswer,
  LeadRow,
  Moment,
  Settle,
  StoredContact,
} from './working-set.ts';

/** A lead that no rule names an end for is looked at again after this long. */
const refusedAgainMs = 60 * 60_000;
/** After a fruitless call the number rests this long; the caps may hold it back longer. */
const fruitlessAgainMs = 4 * 60 * 60_000;
/** After a conversation the case rests, unless a callback was agreed. */
const spokenAgainMs = 7 * 24 * 60 * 60_000;

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
    if (answer.granted) return permit(draft, event, candidate, answer.permit, moment);
    withhold(draft, candidate, answer, moment);
    refusal = { outcome: 'refused', rule: answer.rule, untilUtcMs: answer.untilUtcMs };
  }
  return refusal;
}

function judge(
  draft: CasesDraft,
  { mode, agentId }: Grant,
  candidate: Candidate,
  policy: ContactPolicy,
  moment: Moment,
): ContactAnswer {
  // Contacts granted since the store was read stand in memory only: both are counted, once each.
  const contacts = new Map<string, ContactRow>(candidate.contacts.map((row) => [row.id, row]));
  let underWay = false;
  for (const open of draft.all('Contact')) {
    const samePerson = open.personKey === candidate.person.personKey;
    const sameNumber = open.numberKey === candidate.number.numberKey;
    if (!samePerson && !sameNumber && open.caseId !== candidate.case.id) continue;
    contacts.set(open.id, open);
    if (open.state === 'open') underWay = true;
  }
  const tallies = tallyOf(contacts.values(), tallyDepth(policy));
  const { case: row, batch, person, number, stopList, release } = candidate;
  return mayContact(
    {
      channel: 'call',
      mode,
      agentGuaranteed: mode !== 'predictive',
      ...(agentId === undefined ? {} : { agentId }),
    },
    {
      case: draft.get('Case', row.id) ?? row,
      batch,
      person,
      number: draft.get('Number', number.id) ?? number,
      stopList: [
        ...stopList,
        ...[...draft.all('StopList')].filter((each) => hits(each, candidate)),
      ],
      underWay,
      tally: (id) => tallies.get(id),
      ...(release === undefined ? {} : { release }),
    },
    policy,
    moment.atUtcMs,
  );
}

function hits(stop: { scope: string; key: string }, { case: row, person, number }: Candidate) {
  const keys: Record<string, string> = {
    number: number.numberKey,
    debtor: person.personKey,
    creditor: row.creditorId,
  };
  return keys[stop.scope] === stop.key;
}

function permit(
  draft: CasesDraft,
  event: Grant,
  { case: row, person, number, lead, release }: Candidate,
  granted: Extract<ContactAnswer, { granted: true }>['permit'],
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
    policy: granted.policy,
    localDay: granted.localDay,
    attemptUtcMs: moment.atUtcMs,
    version: 1,
    ...(event.agentId === undefined ? {} : { agentId: event.agentId }),
    ...(granted.releaseId === undefined ? {} : { releaseId: granted.releaseId }),
  };
  draft.put('Contact', contact);
  if (release && granted.releaseId === release.id) {
    draft.put('Release', { ...release, usedUtcMs: moment.atUtcMs });
  }
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
    },
  });
  const hour = Math.floor(localTime(moment.atUtcMs, person.zone ?? 'UTC').minute / 60);
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

/** A lead that may not be called now waits; that it was withheld, and by which rule, is recorded. */
function withhold(
  draft: CasesDraft,
  { case: row, number, lead }: Candidate,
  answer: Extract<ContactAnswer, { granted: false }>,
  moment: Moment,
): void {
  const nextUtcMs = Math.max(
    moment.atUtcMs + 1_000,
    answer.untilUtcMs ?? moment.atUtcMs + refusedAgainMs,
  );
  if (lead) putLead(draft, lead, nextUtcMs, lead.tries);
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
}

function putLead(draft: CasesDraft, lead: LeadRow, nextUtcMs: number, tries: number): void {
  const next: LeadRow = { ...lead, nextUtcMs, tries, version: lead.version + 1 };
  draft.put('Lead', next, lead.version);
  draft.release('Lead', lead.id);
}

/** Settles a permit by what became of the call; a second report of it changes nothing. */
export function settle(
  draft: CasesDraft,
  event: Settle,
  policy: ContactPolicy,
  moment: Moment,
): void {
  const open = draft.get('Contact', event.permitId);
  if (!open || open.state === 'settled') return;
  const { outcome, answeredUtcMs, dropped, carrierFailed, spoke, effective } = event;
  const end = {
    outcome,
    dropped,
    carrierFailed,
    spoke,
    effective,
    ...(answeredUtcMs === undefined ? {} : { answerUtcMs: answeredUtcMs }),
  };
  const settled: StoredContact = {
    ...settleContact(open, end, policy, moment.atUtcMs),
    state: 'settled',
  };
  draft.put('Contact', settled);
  draft.release('Contact', open.id);
  draft.entry({
    what: 'contact-settled',
    who: 'system',
    about: open.id,
    why: outcome,
    facts: { answered: answeredUtcMs !== undefined, dropped, conversation: spoke && effective },
  });
  if (event.invalidNumber && event.number && event.number.state === 'ok') {
    const { number } = event;
    draft.put(
      'Number',
      { ...number, state: 'invalid', version: number.version + 1 },
      number.version,
    );
    draft.release('Number', number.id);
    draft.entry({ what: 'number-invalid', who: 'system', about: number.id, why: outcome });
  }
  if (event.lead && spoke && effective) {
    putLead(draft, event.lead, moment.atUtcMs + spokenAgainMs, event.lead.tries);
  }
}
