// Sessions, API tokens and enrolment codes: made, used, ended. Only digests of secrets are kept.
import { type Actor, mayGrant, type Outcome, type Role, refuse } from './person.ts';
import type { By, Moment, PeopleDraft, PeopleEvent, TokenRow } from './working-set.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** A session nobody used for this long ends. */
export const idleLimitMs = hourMs;
/** A session ends this long after its login, used or not: one shift. */
export const sessionLimitMs = 12 * hourMs;
/** An enrolment code opens an account within this time. */
export const codeLimitMs = 24 * hourMs;
/** A clock that was set back by more than this is not a small correction. */
export const clockStepMs = 5 * minuteMs;
/** The longest life of an API token. */
export const apiTokenLimitMs = 365 * 24 * hourMs;
/** A login beyond this many ends the oldest session of the person. */
export const sessionsPerPerson = 5;
export const apiTokensPerPerson = 20;
/** Entries for refused logins in a minute; beyond it they are counted in the next entry. */
export const refusalsPerMinute = 30;

/** When a token ends by itself; `usedUtcMs` counts for sessions. */
function endOf(token: TokenRow, usedUtcMs: number | undefined): number {
  if (token.kind !== 'session') return token.endsUtcMs;
  return Math.min(token.endsUtcMs, (usedUtcMs ?? token.madeUtcMs) + idleLimitMs);
}

/**
 * Why a token does not count now, or undefined while it does. One that is known from later than
 * now shows that the clock was set back: nobody can say how old it is.
 */
function overAt(token: TokenRow, usedUtcMs: number | undefined, atUtcMs: number) {
  if (atUtcMs >= token.endsUtcMs) return 'expired';
  if (atUtcMs >= endOf(token, usedUtcMs)) return 'idle';
  const knownUtcMs = Math.max(token.madeUtcMs, usedUtcMs ?? 0);
  return atUtcMs < knownUtcMs - clockStepMs ? 'clock-set-back' : undefined;
}

/** Next moment at which a token ends, for the room's wake. */
export function nextEndUtcMs(view: PeopleDraft): number | undefined {
  let next: number | undefined;
  for (const token of view.all('Token')) {
    const end = endOf(token, view.get('Use', token.id)?.atUtcMs);
    if (next === undefined || end < next) next = end;
  }
  return next;
}

export function endToken(draft: PeopleDraft, token: TokenRow, who: string, why: string): void {
  draft.drop('Token', token.id);
  draft.drop('Use', token.id);
  draft.entry({ what: 'token-ended', who, about: token.id, why, facts: { kind: token.kind } });
}

/** Ends whatever is over by its own limit. */
export function endExpired(draft: PeopleDraft, atUtcMs: number): void {
  for (const token of [...draft.all('Token')]) {
    const why = overAt(token, draft.get('Use', token.id)?.atUtcMs, atUtcMs);
    // What a program or a code is for outlasts a clock that is wrong for a while.
    if (why === undefined || (why === 'clock-set-back' && token.kind !== 'session')) continue;
    endToken(draft, token, 'system', why);
  }
}

/** Ends every token of a person that `which` chooses; returns how many. */
export function endTokensOf(
  draft: PeopleDraft,
  personId: string,
  who: string,
  why: string,
  which: (token: TokenRow) => boolean = () => true,
): number {
  const own = [...draft.all('Token')].filter((each) => each.personId === personId && which(each));
  for (const token of own) endToken(draft, token, who, why);
  return own.length;
}

/** A new one-time code; an unused one for the same person ends. */
export function putCode(
  draft: PeopleDraft,
  codeHash: string,
  personId: string | undefined,
  who: string,
  moment: Moment,
): void {
  for (const token of [...draft.all('Token')])
    if (token.kind === 'enrolment' && token.personId === personId) {
      endToken(draft, token, who, 'replaced');
    }
  const token: TokenRow = {
    id: moment.newId('enrolment'),
    kind: 'enrolment',
    ...(personId === undefined ? {} : { personId }),
    hash: codeHash,
    madeUtcMs: moment.atUtcMs,
    endsUtcMs: moment.atUtcMs + codeLimitMs,
  };
  draft.put('Token', token);
  draft.entry({
    what: 'code-issued',
    who,
    about: token.id,
    ...(personId === undefined ? { why: 'first-start' } : { facts: { personId } }),
  });
}

/** The valid enrolment token of a code's digest. */
export function findCode(
  view: PeopleDraft,
  codeHash: string,
  atUtcMs: number,
): TokenRow | undefined {
  for (const token of view.all('Token'))
    if (token.kind === 'enrolment' && token.hash === codeHash) {
      return overAt(token, undefined, atUtcMs) === undefined ? token : undefined;
    }
  return undefined;
}

/** The password was right a moment ago; it must still be the person's when the session starts. */
export function startSession(
  draft: PeopleDraft,
  event: Extract<PeopleEvent, { kind: 'start-session' }>,
  moment: Moment,
): Outcome<{ tokenId: string; endsUtcMs: number }> {
  const { personId } = event;
  if (draft.get('Login', personId)?.passwordHash !== event.passwordHash) {
    return refuse('login-refused');
  }
  const open = [...draft.all('Token')]
    .filter((token) => token.kind === 'session' && token.personId === personId)
    .sort((a, b) => a.madeUtcMs - b.madeUtcMs);
  const surplus = open.slice(0, Math.max(0, open.length + 1 - sessionsPerPerson));
  for (const token of surplus) endToken(draft, token, personId, 'too-many-sessions');
  const token: TokenRow = {
    id: moment.newId('session'),
    kind: 'session',
    personId,
    hash: event.hash,
    madeUtcMs: moment.atUtcMs,
    endsUtcMs: moment.atUtcMs + sessionLimitMs,
  };
  draft.put('Token', token);
  draft.put('Use', { id: token.id, atUtcMs: moment.atUtcMs });
  draft.entry({ what: 'session-started', who: personId, about: token.id });
  return { done: true, tokenId: token.id, endsUtcMs: token.endsUtcMs };
}

/** A wrong login has an entry, but an attacker can't fill the ledger with them. */
export function refuseLogin(draft: PeopleDraft, personId: string | undefined, atUtcMs: number) {
  const before = draft.get('Refusals', 'now');
  const fresh = before === undefined || Math.abs(atUtcMs - before.sinceUtcMs) >= minuteMs;
  const recorded = fresh ? 0 : before.recorded;
  const unrecorded = before?.unrecorded ?? 0;
  const sinceUtcMs = fresh ? atUtcMs : before.sinceUtcMs;
  if (recorded >= refusalsPerMinute) {
    draft.put('Refusals', { id: 'now', sinceUtcMs, recorded, unrecorded: unrecorded + 1 });
    return;
  }
  draft.put('Refusals', { id: 'now', sinceUtcMs, recorded: recorded + 1, unrecorded: 0 });
  draft.entry({
    what: 'login-refused',
    who: 'unknown',
    about: personId ?? 'unknown-login',
    why: personId === undefined ? 'unknown-login' : 'wrong-password',
    ...(unrecorded === 0 ? {} : { facts: { unrecorded } }),
  });
}

/** A token for a program. It acts for the person who asks, so that nobody can make another's. */
export function issueToken(
  draft: PeopleDraft,
  event: Extract<PeopleEvent, { kind: 'issue-token' }>,
  moment: Moment,
): Outcome<{ tokenId: string; endsUtcMs: number }> {
  const { by } = event;
  if (draft.get('Person', by.personId)?.state !== 'active') return refuse('person-left');
  if (!event.roles.every((role) => by.roles.includes(role))) return refuse('role-not-yours');
  const open = [...draft.all('Token')].filter(
    (token) => token.kind === 'api' && token.personId === by.personId,
  );
  if (open.length >= apiTokensPerPerson) return refuse('too-many-tokens');
  const token: TokenRow = {
    id: moment.newId('token'),
    kind: 'api',
    personId: by.personId,
    hash: event.hash,
    label: event.label,
    roles: event.roles,
    madeUtcMs: moment.atUtcMs,
    endsUtcMs: moment.atUtcMs + Math.min(event.validMs, apiTokenLimitMs),
  };
  draft.put('Token', token);
  draft.entry({
    what: 'token-issued',
    who: by.who,
    about: token.id,
    facts: { personId: by.personId, roles: event.roles, endsUtcMs: token.endsUtcMs },
  });
  return { done: true, tokenId: token.id, endsUtcMs: token.endsUtcMs };
}

/** Ends a session or token: one's own, or any whose person one may act on. */
export function revokeToken(
  draft: PeopleDraft,
  event: Extract<PeopleEvent, { kind: 'end-token' }>,
): Outcome {
  const token = draft.get('Token', event.tokenId);
  const own = token?.personId === event.by.personId;
  if (token?.personId === undefined || (event.onlyOwn && !own)) return refuse('not-found');
  const owner = draft.get('Person', token.personId);
  if (!own && !mayGrant(event.by.roles, owner?.roles ?? [])) return refuse('role-not-grantable');
  endToken(draft, token, event.by.who, own ? 'by-owner' : 'revoked');
  return { done: true };
}

/** Who speaks with this token: the person's roles of this moment, narrowed by the token's. */
export function actorOf(view: PeopleDraft, token: TokenRow, atUtcMs: number): Actor | undefined {
  const { id: tokenId, kind, personId } = token;
  if (kind === 'enrolment' || personId === undefined) return undefined;
  if (overAt(token, view.get('Use', tokenId)?.atUtcMs, atUtcMs) !== undefined) return undefined;
  const person = view.get('Person', personId);
  if (person?.state !== 'active') return undefined;
  const only = token.roles;
  const roles: readonly Role[] =
    only === undefined ? person.roles : person.roles.filter((role) => only.includes(role));
  return { personId, tokenId, kind, roles, who: kind === 'api' ? tokenId : personId };
}

/** What an actor's orders carry into the room. */
export const byOf = ({ who, personId, roles }: Actor): By => ({ who, personId, roles });
