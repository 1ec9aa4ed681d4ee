// The rows, events and effect of the people room; data only.
import type { Fact } from '../audit/entry.ts';
import type { Draft, Effect, Moment, Row } from '../draft.ts';
import type { PersonRow, Role } from './person.ts';

/** How a person logs in; it goes when they leave. `id` is the person's. */
export interface LoginRow extends Row {
  /** What they type, in lower case; unique. */
  readonly name: string;
  /** Argon2id in PHC form. */
  readonly passwordHash: string;
  readonly changedUtcMs: number;
}

/** A secret that opens something, kept as its SHA-256 only. */
export interface TokenRow extends Row {
  /** session: a login · api: a program's · enrolment: opens an account, once. */
  readonly kind: 'session' | 'api' | 'enrolment';
  /** Absent in the enrolment code of the first start, which makes the first person. */
  readonly personId?: string | undefined;
  readonly hash: string;
  readonly label?: string | undefined;
  /** An api token has at most these of its person's roles. */
  readonly roles?: readonly Role[] | undefined;
  readonly madeUtcMs: number;
  readonly endsUtcMs: number;
}

/** Memory only: when a session was last used. */
export interface UseRow extends Row {
  readonly atUtcMs: number;
}

/** Memory only, one row `now`: how many refused logins this minute's entries account for. */
export interface RefusalsRow extends Row {
  readonly sinceUtcMs: number;
  readonly recorded: number;
  readonly unrecorded: number;
}

/** Written and let go: only the store keeps it. */
export interface LookRow extends Row {
  readonly who: string;
  readonly personId: string;
  readonly what: string;
  readonly about: string;
  readonly reason?: string;
  readonly salt?: string;
  readonly atUtcMs: number;
}

export type PeopleTables = {
  Person: PersonRow;
  Login: LoginRow;
  Token: TokenRow;
  Look: LookRow;
  Use: UseRow;
  Refusals: RefusalsRow;
};

/** Has the other rooms told what a person lacks; pending until told, so a crash can't lose it. */
export interface TellUnfit extends Effect {
  readonly kind: 'tell-unfit';
  readonly personId: string;
}

/** Who orders a change: the id for the ledger, and what they may do. */
export interface By {
  readonly who: string;
  readonly personId: string;
  readonly roles: readonly Role[];
}

/** What a look is recorded as; the reason stays out of the ledger but for its salted digest. */
export interface LookOrder {
  /** What happened, as `recording-played`. */
  what: string;
  /** The id of what was looked at. */
  about: string;
  /** In the person's own words. */
  reason?: string;
  facts?: Readonly<Record<string, Fact>>;
}

export type PeopleEvent =
  | { kind: 'open'; codeHash: string }
  | { kind: 'add-person'; by: By; name: string; roles: readonly Role[]; codeHash: string }
  | { kind: 'issue-code'; by: By; personId: string; codeHash: string }
  | { kind: 'enrol'; codeHash: string; login: string; name?: string; passwordHash: string }
  | { kind: 'set-roles'; by: By; personId: string; roles: readonly Role[]; why: string }
  | { kind: 'record-requirement'; by: By; personId: string; requirement: string }
  | { kind: 'withdraw-requirement'; by: By; personId: string; requirement: string; why: string }
  | { kind: 'leave'; by: By; personId: string; why: string }
  | { kind: 'start-session'; personId: string; passwordHash: string; hash: string }
  | { kind: 'refuse-login'; personId?: string | undefined }
  | { kind: 'set-password'; by: By; tokenId: string; passwordHash: string }
  | {
      kind: 'issue-token';
      by: By;
      label: string;
      roles: readonly Role[];
      validMs: number;
      hash: string;
    }
  | { kind: 'look'; by: By; look: LookOrder; salt: string }
  | { kind: 'end-token'; by: By; tokenId: string; onlyOwn: boolean }
  | { kind: 'use'; tokenId: string };

export type PeopleDraft = Draft<PeopleTables, TellUnfit>;
export type { Moment };
