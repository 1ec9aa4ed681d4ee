// The people room on a real store: codes, logins, tokens, roles, leaving, and what the ledger says.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, realClock } from '../clock.ts';
import { realIds } from '../ids.ts';
import { openStore } from '../store/commit.ts';
import { type Database, migrate, openDatabase } from '../store/database.ts';
import { openPeople, type People } from './people.ts';
import type { Actor, Role } from './person.ts';
import { idleLimitMs, refusalsPerMinute, sessionLimitMs, sessionsPerPerson } from './token.ts';
import type { LookRow } from './working-set.ts';

const migrations = new URL('../../prisma/migrations', import.meta.url).pathname;
const password = 'correct horse battery';
const required = ['agreement-signed', 'exam-passed'];

let folder: string;
let database: Database;
let people: People;
let aheadMs = 0;
let stops: unknown[] = [];
let told: string[] = [];
let timers: { atUptimeMs: number; fire: () => void; live: boolean }[] = [];

/** Real turns of the event loop; wall time and uptime stand still unless a test moves them. */
const clock: Clock = {
  utcMs: () => 1_795_000_000_000 + aheadMs,
  uptimeMs: () => aheadMs,
  after(delayMs, fire) {
    const timer = { atUptimeMs: aheadMs + delayMs, fire, live: true };
    timers.push(timer);
    return {
      cancel: () => {
        timer.live = false;
      },
    };
  },
  soon: realClock.soon,
};

function pass(ms: number): void {
  aheadMs += ms;
  const due = timers.filter((timer) => timer.live && timer.atUptimeMs <= aheadMs);
  timers = timers.filter((timer) => !due.includes(timer));
  for (const { fire } of due) fire();
}

const turn = () => new Promise<void>((resolve) => realClock.soon(resolve));

function open(unfit = (id: string, lacks: string) => told.push(`${id} ${lacks}`) > 0): People {
  const committer = openStore(database, clock);
  const stop = (cause: unknown) => stops.push(cause);
  const world = { clock, ids: realIds, committer, report: () => {}, stop };
  return openPeople({ world, requirements: required, unfit });
}

beforeEach(() => {
  aheadMs = 0;
  stops = [];
  told = [];
  timers = [];
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  database = openDatabase(join(folder, 'gatehouse.db'));
  migrate(database, migrations, 0);
  people = open();
});
afterEach(() => {
  people.end();
  database.close();
  rmSync(folder, { recursive: true });
  expect(stops).toEqual([]);
});

interface Line {
  what: string;
  who: string;
  about: string;
  why?: string;
  facts?: Record<string, unknown>;
}
const lines = () => database.prepare('SELECT line FROM ledger ORDER BY seq').all() as unknown[];
const entries = (what?: string): Line[] =>
  lines()
    .map((row) => JSON.parse((row as { line: string }).line).rec as Line)
    .filter((entry) => what === undefined || entry.what === what);

async function firstPerson(): Promise<Actor> {
  const { enrolmentCode = '' } = await people.start();
  const order = { code: enrolmentCode, login: 'Wu.Min', password, name: 'Wu Min' };
  expect(await people.enrol(order, '::1')).toMatchObject({ done: true });
  return login('wu.min');
}

async function login(name: string, secret = password): Promise<Actor> {
  const outcome = await people.login(name, secret, '::1');
  if (!outcome.done) throw new Error(outcome.why);
  const actor = people.authenticate(outcome.token);
  if (!actor) throw new Error('token not valid');
  return actor;
}

async function add(by: Actor, name: string, roles: readonly Role[]): Promise<Actor> {
  const added = await people.addPerson(by, { name, roles });
  if (!added.done) throw new Error(added.why);
  await people.enrol({ code: added.code, login: name, password }, '::1');
  return login(name);
}

describe('the first start', () => {
  it('gives one code and no login; the code works once and makes one person in it', async () => {
    expect(await people.login('admin', 'admin', '::1')).toMatchObject({ why: 'login-refused' });
    const actor = await firstPerson();
    expect(actor.roles).toEqual(['it']);
    expect(people.person(actor.personId)).toMatchObject({ name: 'Wu Min', state: 'active' });
    expect(entries().map(({ what }) => what)).toEqual([
      'login-refused',
      'code-issued',
      'person-added',
      'token-ended',
      'person-enrolled',
      'session-started',
    ]);
    people.end();
    people = open();
    expect(await people.start()).toEqual({});
  });

  it('replaces an unused code at the next start, and lets it expire after a day', async () => {
    const first = await people.start();
    people.end();
    people = open();
    const second = await people.start();
    const order = { login: 'wu.min', password, name: 'Wu Min' };
    const old = { ...order, code: first.enrolmentCode ?? '' };
    expect(await people.enrol(old, '::1')).toEqual({ done: false, why: 'code-refused' });
    pass(25 * 3_600_000);
    const late = { ...order, code: second.enrolmentCode ?? '' };
    expect(await people.enrol(late, '::2')).toEqual({ done: false, why: 'code-refused' });
    expect(people.all()).toEqual([]);
  });

  it('lets two who have the same code in at once make one person', async () => {
    const { enrolmentCode: code = '' } = await people.start();
    const outcomes = await Promise.all([
      people.enrol({ code, login: 'wu.min', password, name: 'Wu Min' }, '::1'),
      people.enrol({ code, login: 'thief', password, name: 'Thief' }, '::2'),
    ]);
    expect(outcomes.filter((outcome) => outcome.done)).toHaveLength(1);
    expect(people.all()).toHaveLength(1);
  });
});

describe('secrets', () => {
  it('stand nowhere in the database, nor names in the ledger', async () => {
    const actor = await firstPerson();
    const added = await people.addPerson(actor, { name: 'Wang Wei', roles: ['agent'] });
    if (!added.done) throw new Error(added.why);
    const order = { label: 'crm', roles: ['it' as const], validMs: 1_000 };
    const issued = await people.issueToken(actor, order);
    if (!issued.done) throw new Error(issued.why);
    const tables = ['Person', 'Login', 'Token', 'ledger'];
    const dump = tables
      .flatMap((table) => database.prepare(`SELECT * FROM "${table}"`).all())
      .map((row) => JSON.stringify(row))
      .join('\n');
    for (const secret of [password, added.code, issued.token.split('.')[1] ?? '']) {
      expect(dump).not.toContain(secret);
    }
    expect(dump).toContain('Wang Wei');
    expect(JSON.stringify(lines())).not.toMatch(/Wang|Wu Min|wu\.min|crm/);
  });

  it('are compared whole: a changed, cut or foreign token is nobody', async () => {
    const actor = await firstPerson();
    const other = await people.login('wu.min', password, '::1');
    if (!other.done) throw new Error(other.why);
    const [id = '', secret = ''] = other.token.split('.');
    const tries = [
      '',
      '.',
      id,
      `${id}.`,
      `${id}.${secret}x`,
      `${id}.${secret}.`,
      `${actor.tokenId}.${secret}`,
      `__proto__.${secret}`,
      `constructor.${secret}`,
    ];
    for (const token of tries) expect(people.authenticate(token), token).toBeUndefined();
    expect(people.authenticate(other.token)).toMatchObject({ personId: actor.personId });
  });
});

describe('sessions', () => {
  it('end after an idle hour, go on while used, and end after twelve hours', async () => {
    await firstPerson();
    const outcome = await people.login('wu.min', password, '::1');
    if (!outcome.done) throw new Error(outcome.why);
    const { token } = outcome;
    for (let usedMs = 0; usedMs + idleLimitMs / 2 < sessionLimitMs; usedMs += idleLimitMs / 2) {
      const actor = people.authenticate(token);
      expect(actor, `after ${usedMs} ms`).toBeDefined();
      if (actor) people.noteUse(actor);
      await turn();
      pass(idleLimitMs / 2);
      await turn();
    }
    pass(idleLimitMs / 2);
    expect(people.authenticate(token)).toBeUndefined();
    await turn();
    expect(people.tokens()).toEqual([]);
    const ends = entries('token-ended').filter(({ facts }) => facts?.kind === 'session');
    expect(ends.map(({ why }) => why)).toEqual(['idle', 'expired']);
  });

  it('end oldest first when a person opens too many', async () => {
    const first = await firstPerson();
    for (let n = 0; n < sessionsPerPerson; n += 1) {
      pass(1);
      await login('wu.min');
    }
    const sessions = people.tokens().filter(({ kind }) => kind === 'session');
    expect(sessions).toHaveLength(sessionsPerPerson);
    expect(sessions.map(({ id }) => id)).not.toContain(first.tokenId);
  });

  it('live on over a restart', async () => {
    await firstPerson();
    const outcome = await people.login('wu.min', password, '::1');
    if (!outcome.done) throw new Error(outcome.why);
    people.end();
    aheadMs += 2 * idleLimitMs;
    people = open();
    await people.start();
    expect(people.authenticate(outcome.token)).toBeDefined();
  });

  it('end when the password is set, but for the one that set it', async () => {
    const actor = await firstPerson();
    await login('wu.min');
    const wrong = { current: 'not my password', next: 'another long sentence' };
    expect(await people.setPassword(actor, wrong, '::1')).toMatchObject({ why: 'password-wrong' });
    const right = { ...wrong, current: password };
    expect(await people.setPassword(actor, right, '::1')).toEqual({ done: true });
    expect(people.tokens().map(({ id }) => id)).toEqual([actor.tokenId]);
    expect(await people.login('wu.min', password, '::3')).toMatchObject({ why: 'login-refused' });
    await login('wu.min', 'another long sentence');
  });
});

describe('refused logins', () => {
  it('have entries, but never more than a bounded number a minute', async () => {
    await firstPerson();
    const before = entries('login-refused').length;
    for (let n = 0; n < refusalsPerMinute + 15; n += 1) {
      pass(1);
      await people.login(`u${n}`, 'wrong', `10.0.0.${n}`);
    }
    expect(entries('login-refused').length - before).toBe(refusalsPerMinute);
    pass(60_000);
    await people.login('wu.min', 'wrong', '10.0.1.1');
    expect(entries('login-refused').at(-1)).toMatchObject({
      who: 'unknown',
      why: 'wrong-password',
      facts: { unrecorded: 15 },
    });
  });

  it('wait before they cost a hash', async () => {
    const outcomes = [];
    for (let n = 0; n < 5; n += 1) outcomes.push(await people.login('li', 'wrong', '::1'));
    expect(outcomes.map((outcome) => !outcome.done && outcome.why)).toEqual([
      'login-refused',
      'login-refused',
      'login-refused',
      'too-many-attempts',
      'too-many-attempts',
    ]);
    expect(outcomes.at(-1)).toMatchObject({ waitMs: 500 });
  });
});

describe('rights', () => {
  it('are granted downwards only, and the last it stays', async () => {
    const it1 = await firstPerson();
    const boss = await add(it1, 'boss', ['supervisor']);
    const no = { done: false, why: 'role-not-grantable' };
    const crook = { name: 'x', roles: ['it' as const] };
    expect(await people.addPerson(boss, crook)).toEqual(no);
    expect(await people.issueCode(boss, it1.personId)).toEqual(no);
    expect(await people.leave(boss, it1.personId, 'resigned')).toEqual(no);
    expect(await people.setRoles(boss, boss.personId, ['it'], 'promoted')).toEqual(no);
    const last = { done: false, why: 'last-it' };
    expect(await people.setRoles(it1, it1.personId, ['agent'], 'moved')).toEqual(last);
    expect(await people.leave(it1, it1.personId, 'resigned')).toEqual(last);
    const it2 = await add(it1, 'second', ['it']);
    expect(await people.setRoles(it1, it1.personId, ['agent'], 'moved')).toEqual({ done: true });
    expect(people.person(it2.personId)?.roles).toEqual(['it']);
  });

  it('count at once: a token has the roles its person has now, narrowed by its own', async () => {
    const it1 = await firstPerson();
    const both = await add(it1, 'both', ['supervisor', 'data']);
    const more = { label: 'a', roles: ['it' as const], validMs: 1_000 };
    expect(await people.issueToken(both, more)).toEqual({ done: false, why: 'role-not-yours' });
    const issued = await people.issueToken(both, { ...more, roles: ['data'] });
    if (!issued.done) throw new Error(issued.why);
    const actor = people.authenticate(issued.token);
    expect(actor).toMatchObject({ roles: ['data'], who: issued.tokenId, kind: 'api' });
    if (actor) {
      const again = { label: 'b', roles: ['data' as const], validMs: 1_000 };
      expect(await people.issueToken(actor, again)).toMatchObject({ why: 'session-needed' });
    }
    await people.setRoles(it1, both.personId, ['supervisor'], 'moved');
    expect(people.authenticate(issued.token)?.roles).toEqual([]);
    pass(1_001);
    expect(people.authenticate(issued.token)).toBeUndefined();
  });
});

describe('an agent', () => {
  it('may be ready only when somebody else recorded what the site requires', async () => {
    const it1 = await firstPerson();
    const boss = await add(it1, 'boss', ['supervisor', 'agent']);
    expect(people.lacks(boss.personId)).toBe('agreement-signed');
    const own = await people.recordRequirement(boss, boss.personId, 'agreement-signed');
    expect(own).toEqual({ done: false, why: 'own-record' });
    for (const name of required) await people.recordRequirement(it1, boss.personId, name);
    expect(people.lacks(boss.personId)).toBeUndefined();
    const unknown = await people.recordRequirement(it1, boss.personId, 'horoscope');
    expect(unknown).toEqual({ done: false, why: 'requirement-unknown' });
    expect(entries('requirement-recorded')).toHaveLength(2);
  });
});

describe('a person who leaves', () => {
  it('loses login, sessions and tokens in one commit, and the other rooms hear of it', async () => {
    const it1 = await firstPerson();
    const agent = await add(it1, 'agent', ['agent', 'data']);
    const order = { label: 'crm', roles: ['data' as const], validMs: 60_000 };
    const issued = await people.issueToken(agent, order);
    if (!issued.done) throw new Error(issued.why);
    expect(await people.leave(it1, agent.personId, 'resigned')).toEqual({ done: true });
    expect(people.authenticate(issued.token)).toBeUndefined();
    expect(people.tokens(agent.personId)).toEqual([]);
    expect(people.lacks(agent.personId)).toBe('person-left');
    expect(await people.login('agent', password, '::1')).toMatchObject({ why: 'login-refused' });
    expect(await people.leave(it1, agent.personId, 'resigned')).toMatchObject({
      why: 'person-left',
    });
    await turn();
    expect(told).toEqual([`${agent.personId} person-left`]);
    expect(database.prepare('SELECT count(*) AS n FROM Pending').get()).toEqual({ n: 0 });
  });

  it('is told of again after a crash between record and act', async () => {
    const it1 = await firstPerson();
    const agent = await add(it1, 'agent', ['agent']);
    people.end();
    people = open(() => people.end() === undefined);
    await people.start();
    await people.leave(it1, agent.personId, 'resigned');
    await turn();
    expect(database.prepare('SELECT count(*) AS n FROM Pending').get()).toEqual({ n: 1 });
    people = open();
    await people.start();
    await turn();
    await turn();
    expect(told).toEqual([`${agent.personId} person-left`]);
    expect(database.prepare('SELECT count(*) AS n FROM Pending').get()).toEqual({ n: 0 });
  });
});

describe('a look', () => {
  it('is an entry with a digest of the reason, which the erasable row proves', async () => {
    const actor = await firstPerson();
    const reason = '客户 13800 投诉';
    const look = { what: 'recording-played', about: 'call-1', reason, facts: { firstByte: 0 } };
    await people.noteLook(actor, look);
    await people.noteLook(actor, { what: 'case-viewed', about: 'case-1' });
    const [entry] = entries('recording-played');
    const [row] = openStore(database, clock).load('Look', {
      column: 'what',
      values: [look.what],
    }) as LookRow[];
    if (!row) throw new Error('no row of the look');
    expect(entry).toMatchObject({ who: actor.personId, about: 'call-1' });
    expect(entry?.facts).toEqual({
      firstByte: 0,
      lookId: row.id,
      reasonSha256: createHash('sha256').update(`${row.salt}\n${row.reason}`).digest('hex'),
    });
    expect(row.reason).toBe(reason);
    expect(JSON.stringify(lines())).not.toContain('投诉');
    expect(entries('case-viewed')).toMatchObject([{ about: 'case-1' }]);
  });
});
