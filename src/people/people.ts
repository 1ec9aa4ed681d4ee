// The people room: who works here, what they may do, how they prove it, and when all of it ends.
import { hash, timingSafeEqual } from 'node:crypto';
import { FloorError } from '../errors.ts';
import type { Ids } from '../ids.ts';
import { Room, type RoomEvent, type RoomWorld } from '../room.ts';
import { openLoginDelay } from './login-delay.ts';
import { recordLook } from './look.ts';
import { openPasswords, passwordProblem } from './password.ts';
import {
  type Actor,
  lacksToBeReady,
  type Outcome,
  type PersonRow,
  type Role,
  refuse,
} from './person.ts';
import * as personnel from './personnel.ts';
import * as tokens from './token.ts';
import type {
  By,
  LookOrder,
  Moment,
  PeopleDraft,
  PeopleEvent,
  PeopleTables,
  TellUnfit,
  TokenRow,
} from './working-set.ts';

type Told = { outcome: 'accepted' };
type Event = RoomEvent<PeopleEvent, TellUnfit, Told>;
type PeopleRoom = Room<PeopleTables, PeopleEvent, TellUnfit, Told>;

const secretBytes = 32;
const saltBytes = 16;
/** Codes are `enrol-` and 16 letters that can be read aloud: 76 bits, once, within a day. */
const codeKind = 'enrol';
/** Uses of a session nearer than this to the last one are not noted. */
const useStepMs = 60_000;
/** Stands for every enrolment code where attempts are counted: the caller names none. */
const enrolment = '(enrolment)';

export interface PeopleParts {
  world: RoomWorld;
  /** What the site requires before a person may be ready. */
  requirements: readonly string[];
  /**
   * Ends what a person may not do any more in the other rooms, for the code of what they lack;
   * said again after a crash, so it must bear that. False when it could not be taken.
   */
  unfit(personId: string, lacks: string): boolean;
}

export type LoginOutcome =
  | { done: true; personId: string; token: string; endsUtcMs: number }
  | { done: false; why: string; waitMs?: number };

/** A session or API token as it may be shown: without its digest. */
export type TokenView = Omit<TokenRow, 'hash'>;

export interface People {
  /** Judges what the last run left; a house without anybody gets a one-time enrolment code. */
  start(): Promise<{ enrolmentCode?: string }>;
  /** Checks a password; slow on purpose, and never on the event loop. `address`: for delays. */
  login(login: string, password: string, address: string): Promise<LoginOutcome>;
  /** Spends an enrolment code. `name` is needed for the first person only. */
  enrol(
    order: { code: string; login: string; password: string; name?: string },
    address: string,
  ): Promise<Outcome<{ personId: string }> & { waitMs?: number }>;
  /** Who speaks with this token, with the roles of this moment; undefined when it is not valid. */
  authenticate(token: string): Actor | undefined;
  /** Notes that a session is in use, which puts off its idle end. */
  noteUse(actor: Actor): void;
  addPerson(
    actor: Actor,
    order: { name: string; roles: readonly Role[] },
  ): Promise<Outcome<{ personId: string; code: string }>>;
  issueCode(actor: Actor, personId: string): Promise<Outcome<{ code: string }>>;
  setRoles(actor: Actor, personId: string, roles: readonly Role[], why: string): Promise<Outcome>;
  recordRequirement(actor: Actor, personId: string, requirement: string): Promise<Outcome>;
  withdrawRequirement(
    actor: Actor,
    personId: string,
    requirement: string,
    why: string,
  ): Promise<Outcome>;
  leave(actor: Actor, personId: string, why: string): Promise<Outcome>;
  setPassword(
    actor: Actor,
    order: { current: string; next: string },
    address: string,
  ): Promise<Outcome & { waitMs?: number }>;
  issueToken(
    actor: Actor,
    order: { label: string; roles: readonly Role[]; validMs: number },
  ): Promise<Outcome<{ tokenId: string; token: string; endsUtcMs: number }>>;
  /** `onlyOwn`: the actor may end their own only. */
  endToken(actor: Actor, tokenId: string, onlyOwn: boolean): Promise<Outcome>;
  /** Records that somebody looked at something; durable when it resolves. */
  noteLook(actor: Actor, look: LookOrder): Promise<void>;
  person(personId: string): PersonRow | undefined;
  all(): PersonRow[];
  /** Tokens of one person, or of everybody. */
  tokens(personId?: string): TokenView[];
  /** Why a person may not take calls now, or undefined: telephony's question before `ready`. */
  lacks(personId: string): string | undefined;
  requirements: readonly string[];
  /** Turns the loop though nothing waits; for the watchdog. */
  touch(): void;
  lastTurnUptimeMs(): number;
  end(): void;
}

function decide(requirements: readonly string[]) {
  return (draft: PeopleDraft, event: Event, moment: Moment): void => {
    switch (event.kind) {
      case 'open':
        return draft.answer(personnel.open(draft, event, moment));
      case 'add-person':
        return draft.answer(personnel.addPerson(draft, event, moment));
      case 'issue-code':
        return draft.answer(personnel.issueCode(draft, event, moment));
      case 'enrol':
        return draft.answer(personnel.enrol(draft, event, moment));
      case 'set-roles':
        return draft.answer(personnel.setRoles(draft, event, moment));
      case 'record-requirement':
        return draft.answer(personnel.recordRequirement(draft, event, requirements, moment));
      case 'withdraw-requirement':
        return draft.answer(personnel.withdrawRequirement(draft, event, moment));
      case 'leave':
        return draft.answer(personnel.leave(draft, event, moment));
      case 'set-password':
        return draft.answer(personnel.setPassword(draft, event, moment));
      case 'start-session':
        return draft.answer(tokens.startSession(draft, event, moment));
      case 'refuse-login':
        return tokens.refuseLogin(draft, event.personId, moment.atUtcMs);
      case 'look':
        return recordLook(draft, event, moment);
      case 'issue-token':
        return draft.answer(tokens.issueToken(draft, event, moment));
      case 'end-token':
        return draft.answer(tokens.revokeToken(draft, event));
      case 'use':
        if (draft.get('Token', event.tokenId)) {
          draft.put('Use', { id: event.tokenId, atUtcMs: moment.atUtcMs });
        }
        return;
      case 'wake':
        return tokens.endExpired(draft, moment.atUtcMs);
      case 'recovered':
        // Telling twice does no harm, not telling does: whatever was pending is told again.
        return personnel.tellUnfit(draft, event.effect.personId, moment);
      case 'done':
        if (event.result.outcome === 'accepted') return;
        return personnel.tellUnfit(draft, event.effect.personId, moment);
    }
  };
}

const digest = (secret: string) => hash('sha256', secret, 'hex');
const newSecret = (ids: Ids) => ids.bytes(secretBytes).toString('base64url');

/** Opens the room. Nothing is decided before start(). */
export function openPeople(parts: PeopleParts): People {
  const { world, requirements } = parts;
  const { clock, ids } = world;
  const room: PeopleRoom = new Room(
    {
      name: 'people',
      tables: { Person: 'all', Login: 'all', Token: 'all' },
      volatile: ['Use', 'Refusals'],
      decide: decide(requirements),
      isPatient: () => false,
      nextWakeUtcMs: tokens.nextEndUtcMs,
      act: async ({ personId }) => {
        const lacking = lacks(personId);
        if (lacking !== undefined && !parts.unfit(personId, lacking)) {
          throw new FloorError('room.inbox-full', personId);
        }
        return { outcome: 'accepted' };
      },
      judge: async () => 'not-done',
      // Every order of this room is an ask, and a refused ask is told to whoever asked.
      overflowed: () => {},
    },
    world,
  );
  const lacks = (personId: string) =>
    lacksToBeReady(room.view().get('Person', personId), requirements);
  return {
    ...passwordOrders(room, world),
    ...personOrders(room, ids),
    ...tokenOrders(room, world),
    requirements,
    async start() {
      await room.recover();
      const code = ids.next(codeKind);
      const issued = await room.ask<boolean>({ kind: 'open', codeHash: digest(code) });
      return issued ? { enrolmentCode: code } : {};
    },
    noteUse({ kind, tokenId }) {
      const used = room.view().get('Use', tokenId)?.atUtcMs ?? 0;
      if (kind !== 'session' || Math.abs(clock.utcMs() - used) < useStepMs) return;
      room.post({ kind: 'use', tokenId });
    },
    noteLook(actor, look) {
      const salt = ids.bytes(saltBytes).toString('hex');
      return room.ask({ kind: 'look', by: tokens.byOf(actor), look, salt });
    },
    person: (personId) => room.view().get('Person', personId),
    all: () => [...room.view().all('Person')],
    lacks,
    touch: () => room.touch(),
    lastTurnUptimeMs: () => room.lastTurnUptimeMs,
    end: () => room.end(),
  };
}

/**
 * Orders about another person's record. Those that open an account or give rights need a session:
 * a program's token that could do so would outlive its own end.
 */
function personOrders(
  room: PeopleRoom,
  ids: Ids,
): Pick<
  People,
  'addPerson' | 'issueCode' | 'setRoles' | 'recordRequirement' | 'withdrawRequirement' | 'leave'
> {
  return {
    async addPerson(actor, order) {
      if (actor.kind !== 'session') return refuse('session-needed');
      const code = ids.next(codeKind);
      const event = { kind: 'add-person', by: tokens.byOf(actor), codeHash: digest(code) } as const;
      const outcome = await room.ask<Outcome<{ personId: string }>>({ ...event, ...order });
      return outcome.done ? { ...outcome, code } : outcome;
    },
    async issueCode(actor, personId) {
      if (actor.kind !== 'session') return refuse('session-needed');
      const code = ids.next(codeKind);
      const codeHash = digest(code);
      const event = { kind: 'issue-code', by: tokens.byOf(actor), personId, codeHash } as const;
      const outcome = await room.ask<Outcome>(event);
      return outcome.done ? { ...outcome, code } : outcome;
    },
    async setRoles(actor, personId, roles, why) {
      if (actor.kind !== 'session') return refuse('session-needed');
      return room.ask({ kind: 'set-roles', by: tokens.byOf(actor), personId, roles, why });
    },
    recordRequirement: (actor, personId, requirement) =>
      room.ask({ kind: 'record-requirement', by: tokens.byOf(actor), personId, requirement }),
    withdrawRequirement: (actor, personId, requirement, why) => {
      const by = tokens.byOf(actor);
      return room.ask({ kind: 'withdraw-requirement', by, personId, requirement, why });
    },
    leave: (actor, personId, why) =>
      room.ask({ kind: 'leave', by: tokens.byOf(actor), personId, why }),
  };
}

/** What proves who somebody is at each request. */
function tokenOrders(
  room: PeopleRoom,
  { clock, ids }: RoomWorld,
): Pick<People, 'authenticate' | 'issueToken' | 'endToken' | 'tokens'> {
  return {
    authenticate(token) {
      const [tokenId = '', secret = '', ...rest] = token.split('.');
      const row = room.view().get('Token', tokenId);
      if (!row || rest.length > 0) return undefined;
      const given = Buffer.from(digest(secret), 'hex');
      if (!timingSafeEqual(given, Buffer.from(row.hash, 'hex'))) return undefined;
      return tokens.actorOf(room.view(), row, clock.utcMs());
    },
    async issueToken(actor, order) {
      // As with accounts and rights: a token that could make others would outlive its own end.
      if (actor.kind !== 'session') return refuse('session-needed');
      const secret = newSecret(ids);
      const event = { kind: 'issue-token', by: tokens.byOf(actor), hash: digest(secret) } as const;
      const outcome = await room.ask<Outcome<{ tokenId: string; endsUtcMs: number }>>({
        ...event,
        ...order,
      });
      return outcome.done ? { ...outcome, token: `${outcome.tokenId}.${secret}` } : outcome;
    },
    endToken: (actor, tokenId, onlyOwn) =>
      room.ask({ kind: 'end-token', by: tokens.byOf(actor), tokenId, onlyOwn }),
    tokens: (personId) =>
      [...room.view().all('Token')]
        .filter((token) => personId === undefined || token.personId === personId)
        .map(({ hash: _, ...shown }) => shown),
  };
}

/** The orders that hash a password; attempts are counted and delayed before a hash is spent. */
function passwordOrders(
  room: PeopleRoom,
  { clock, ids }: RoomWorld,
): Pick<People, 'login' | 'enrol' | 'setPassword'> {
  const passwords = openPasswords();
  const delay = openLoginDelay();
  const loginOf = (name: string) => {
    for (const login of room.view().all('Login')) if (login.name === name) return login;
    return undefined;
  };

  return {
    async login(typed, password, address) {
      const name = typed.normalize('NFKC').toLowerCase();
      const waitMs = delay.ask(name, address, clock.uptimeMs());
      if (waitMs > 0) return { ...refuse('too-many-attempts'), waitMs };
      const login = loginOf(name);
      if (!(await passwords.verify(login?.passwordHash, password)) || !login) {
        await room.ask({ kind: 'refuse-login', personId: login?.id });
        return refuse('login-refused');
      }
      delay.succeeded(name, address);
      const { id: personId, passwordHash } = login;
      const secret = newSecret(ids);
      const outcome = await room.ask<Outcome<{ tokenId: string; endsUtcMs: number }>>({
        kind: 'start-session',
        personId,
        passwordHash,
        hash: digest(secret),
      });
      if (!outcome.done) return outcome;
      const { tokenId, endsUtcMs } = outcome;
      return { done: true, personId, endsUtcMs, token: `${tokenId}.${secret}` };
    },
    async enrol({ code, login: typed, password, name }, address) {
      const login = typed.normalize('NFKC').toLowerCase();
      const waitMs = delay.ask(enrolment, address, clock.uptimeMs());
      if (waitMs > 0) return { ...refuse('too-many-attempts'), waitMs };
      const codeHash = digest(code.trim().toLowerCase());
      if (!tokens.findCode(room.view(), codeHash, clock.utcMs())) return refuse('code-refused');
      delay.succeeded(enrolment, address);
      const problem = passwordProblem(password, login);
      if (problem !== undefined) return refuse(problem);
      const passwordHash = await passwords.hash(password);
      const named = name === undefined ? {} : { name };
      return room.ask({ kind: 'enrol', codeHash, login, passwordHash, ...named });
    },
    async setPassword(actor, { current, next }, address) {
      if (actor.kind !== 'session') return refuse('session-needed');
      const login = room.view().get('Login', actor.personId);
      if (!login) return refuse('person-left');
      const waitMs = delay.ask(login.name, address, clock.uptimeMs());
      if (waitMs > 0) return { ...refuse('too-many-attempts'), waitMs };
      if (!(await passwords.verify(login.passwordHash, current))) {
        await room.ask({ kind: 'refuse-login', personId: login.id });
        return refuse('password-wrong');
      }
      delay.succeeded(login.name, address);
      const problem = passwordProblem(next, login.name);
      if (problem !== undefined) return refuse(problem);
      const passwordHash = await passwords.hash(next);
      const by: By = tokens.byOf(actor);
      return room.ask({ kind: 'set-password', by, tokenId: actor.tokenId, passwordHash });
    },
  };
}
