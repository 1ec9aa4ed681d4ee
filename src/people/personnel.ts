// Changes of a person's record: added, enrolled, given roles, found fit to work, left.
import { mayGrant, type Outcome, type PersonRow, type Role, refuse } from './person.ts';
import { endToken, endTokensOf, findCode, putCode } from './token.ts';
import type { By, Moment, PeopleDraft, PeopleEvent } from './working-set.ts';

type Order<K extends PeopleEvent['kind']> = Extract<PeopleEvent, { kind: K }>;

/** People at work and gone; a site beyond it needs another design, not more memory. */
export const peopleLimit = 10_000;
const tellDeadlineMs = 5_000;
/** The first person can add everybody else, and nothing more. */
const firstRoles: readonly Role[] = ['it'];

/** At start: sessions live on, and a house without anybody gets a code for the first person. */
export function open(draft: PeopleDraft, event: Order<'open'>, moment: Moment): boolean {
  for (const token of [...draft.all('Token')])
    if (token.kind === 'session') draft.put('Use', { id: token.id, atUtcMs: moment.atUtcMs });
  for (const person of draft.all('Person')) if (person.state === 'active') return false;
  putCode(draft, event.codeHash, undefined, 'system', moment);
  return true;
}

export function addPerson(
  draft: PeopleDraft,
  event: Order<'add-person'>,
  moment: Moment,
): Outcome<{ personId: string }> {
  const { by, name, roles } = event;
  if (!mayGrant(by.roles, roles)) return refuse('role-not-grantable');
  if ([...draft.all('Person')].length >= peopleLimit) return refuse('too-many-people');
  const person: PersonRow = {
    id: moment.newId('person'),
    name,
    roles: [...new Set(roles)],
    state: 'active',
    sinceUtcMs: moment.atUtcMs,
    requirements: {},
  };
  draft.put('Person', person);
  const facts = { roles: person.roles };
  draft.entry({ what: 'person-added', who: by.who, about: person.id, facts });
  putCode(draft, event.codeHash, person.id, by.who, moment);
  return { done: true, personId: person.id };
}

/** A new code for somebody who forgot the password or let the first one expire. */
export function issueCode(draft: PeopleDraft, event: Order<'issue-code'>, moment: Moment): Outcome {
  const found = atWork(draft, event.by, event.personId);
  if (!found.done) return found;
  putCode(draft, event.codeHash, event.personId, event.by.who, moment);
  return { done: true };
}

/** Spends a code: the person has a login from now on, and older sessions of theirs are over. */
export function enrol(
  draft: PeopleDraft,
  event: Order<'enrol'>,
  moment: Moment,
): Outcome<{ personId: string }> {
  const code = findCode(draft, event.codeHash, moment.atUtcMs);
  if (!code) return refuse('code-refused');
  const personId = code.personId ?? moment.newId('person');
  for (const login of draft.all('Login'))
    if (login.name === event.login && login.id !== personId) return refuse('login-taken');
  if (code.personId === undefined) {
    if (event.name === undefined) return refuse('name-missing');
    draft.put('Person', {
      id: personId,
      name: event.name,
      roles: firstRoles,
      state: 'active',
      sinceUtcMs: moment.atUtcMs,
      requirements: {},
    });
    const facts = { roles: firstRoles };
    draft.entry({
      what: 'person-added',
      who: 'system',
      about: personId,
      why: 'first-start',
      facts,
    });
  }
  endTokensOf(draft, personId, personId, 'enrolled', ({ kind }) => kind === 'session');
  endToken(draft, code, personId, 'used');
  draft.put('Login', {
    id: personId,
    name: event.login,
    passwordHash: event.passwordHash,
    changedUtcMs: moment.atUtcMs,
  });
  draft.entry({ what: 'person-enrolled', who: personId, about: personId });
  return { done: true, personId };
}

/** Counts from the next request on: roles are read at each of them. */
export function setRoles(draft: PeopleDraft, event: Order<'set-roles'>, moment: Moment): Outcome {
  const found = atWork(draft, event.by, event.personId);
  if (!found.done) return found;
  if (!mayGrant(event.by.roles, event.roles)) return refuse('role-not-grantable');
  if (!event.roles.includes('it') && isLastIt(draft, found.person)) return refuse('last-it');
  const roles = [...new Set(event.roles)];
  draft.put('Person', { ...found.person, roles });
  draft.entry({
    what: 'roles-set',
    who: event.by.who,
    about: event.personId,
    why: event.why,
    facts: { before: found.person.roles, roles },
  });
  if (!roles.includes('agent')) tellUnfit(draft, event.personId, moment);
  return { done: true };
}

/** `known`: the names the site requires; anything else would never count for anything. */
export function recordRequirement(
  draft: PeopleDraft,
  event: Order<'record-requirement'>,
  known: readonly string[],
  moment: Moment,
): Outcome {
  const person = draft.get('Person', event.personId);
  if (!person) return refuse('not-found');
  if (person.state === 'left') return refuse('person-left');
  // The proof that one may work with debtors is somebody else's word.
  if (event.by.personId === person.id) return refuse('own-record');
  if (!known.includes(event.requirement)) return refuse('requirement-unknown');
  const requirements = { ...person.requirements, [event.requirement]: moment.atUtcMs };
  draft.put('Person', { ...person, requirements });
  draft.entry({
    what: 'requirement-recorded',
    who: event.by.who,
    about: person.id,
    why: event.requirement,
  });
  return { done: true };
}

/** What was recorded does not hold any more: it lapsed, or should not have been recorded. */
export function withdrawRequirement(
  draft: PeopleDraft,
  event: Order<'withdraw-requirement'>,
  moment: Moment,
): Outcome {
  const person = draft.get('Person', event.personId);
  if (person?.requirements[event.requirement] === undefined) return refuse('not-found');
  if (event.by.personId === person.id) return refuse('own-record');
  const { [event.requirement]: _, ...requirements } = person.requirements;
  draft.put('Person', { ...person, requirements });
  draft.entry({
    what: 'requirement-withdrawn',
    who: event.by.who,
    about: person.id,
    why: event.why,
    facts: { requirement: event.requirement },
  });
  tellUnfit(draft, person.id, moment);
  return { done: true };
}

/** Ends login, sessions and tokens in this one commit, and has the other rooms told. */
export function leave(draft: PeopleDraft, event: Order<'leave'>, moment: Moment): Outcome {
  const { by, personId } = event;
  const found = atWork(draft, by, personId);
  if (!found.done) return found;
  if (isLastIt(draft, found.person)) return refuse('last-it');
  draft.put('Person', { ...found.person, state: 'left', sinceUtcMs: moment.atUtcMs });
  draft.drop('Login', personId);
  draft.entry({ what: 'person-left', who: by.who, about: personId, why: event.why });
  endTokensOf(draft, personId, by.who, 'person-left');
  tellUnfit(draft, personId, moment);
  return { done: true };
}

export function tellUnfit(draft: PeopleDraft, personId: string, moment: Moment): void {
  draft.effect(moment.newId('effect'), {
    kind: 'tell-unfit',
    lane: personId,
    deadlineMs: tellDeadlineMs,
    personId,
  });
}

/** A new password ends every other session of the person. */
export function setPassword(
  draft: PeopleDraft,
  event: Order<'set-password'>,
  moment: Moment,
): Outcome {
  const { by } = event;
  const login = draft.get('Login', by.personId);
  if (!login) return refuse('person-left');
  const { passwordHash } = event;
  draft.put('Login', { ...login, passwordHash, changedUtcMs: moment.atUtcMs });
  draft.entry({ what: 'password-set', who: by.who, about: by.personId });
  const others = ({ id, kind }: { id: string; kind: string }) =>
    kind === 'session' && id !== event.tokenId;
  endTokensOf(draft, by.personId, by.who, 'password-set', others);
  return { done: true };
}

function atWork(draft: PeopleDraft, by: By, personId: string): Outcome<{ person: PersonRow }> {
  const person = draft.get('Person', personId);
  if (!person) return refuse('not-found');
  if (person.state === 'left') return refuse('person-left');
  if (!mayGrant(by.roles, person.roles)) return refuse('role-not-grantable');
  return { done: true, person };
}

/** Without anybody in the role `it` nobody could ever be added again. */
function isLastIt(draft: PeopleDraft, person: PersonRow): boolean {
  if (!person.roles.includes('it')) return false;
  for (const other of draft.all('Person')) {
    const able = other.state === 'active' && draft.get('Login', other.id) !== undefined;
    if (other.id !== person.id && able && other.roles.includes('it')) return false;
  }
  return true;
}
