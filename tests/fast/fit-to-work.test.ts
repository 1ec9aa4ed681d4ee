// Ready only while fit: what a person loses takes them out of ready, at once or after a restart.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noHolidays } from '../../src/calendar.ts';
import { defaultPolicy } from '../../src/cases/contact-policy.ts';
import { realClock } from '../../src/clock.ts';
import { type Floor, openFloor } from '../../src/floor.ts';
import { realIds } from '../../src/ids.ts';
import type { Actor, Role } from '../../src/people/person.ts';
import { openStore } from '../../src/store/commit.ts';
import { type Database, migrate, openDatabase } from '../../src/store/database.ts';
import { openCaseStore } from '../../src/store/load.ts';
import type { AgentRow } from '../../src/telephony/working-set.ts';
import { password, required } from './http-floor.ts';
import { limits, quietPhone, recordings } from './http-rooms.ts';

const migrations = new URL('../../prisma/migrations', import.meta.url).pathname;
let folder: string;
let database: Database;
let floor: Floor;
let lead: Actor;
let agent: Actor;

function open(requirements: readonly string[] = required): Floor {
  const stop = (cause: unknown) => {
    throw cause;
  };
  return openFloor({
    ...{ clock: realClock, ids: realIds, committer: openStore(database, realClock) },
    ...{ caseStore: openCaseStore(database), phone: quietPhone().phone, recordings, limits },
    ...{ settleObject: async () => {}, eraseObject: async () => {}, requirements },
    policy: defaultPolicy(noHolidays, ['UTC']),
    lists: { folder: join(folder, 'uploads'), region: 'US', zones: ['UTC'] },
    digest: (kind, text) => `${kind}-${text}`,
    ...{ report: stop, stop },
  });
}

async function login(name: string): Promise<Actor> {
  const outcome = await floor.people.login(name, password, '::1');
  const actor = outcome.done ? floor.people.authenticate(outcome.token) : undefined;
  if (!actor) throw new Error('no login');
  return actor;
}

async function add(by: Actor, name: string, roles: readonly Role[]): Promise<Actor> {
  const added = await floor.people.addPerson(by, { name, roles });
  if (!added.done) throw new Error(added.why);
  await floor.people.enrol({ code: added.code, login: name, password }, '::1');
  return login(name);
}

const seat = () => floor.telephony.view().get('Agent', agent.personId);
/** Until the other room has had its turn: the effect, its event, its commit. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise<void>((done) => realClock.soon(done));
}

async function takeSeat(state: 'ready' | 'break' = 'ready'): Promise<void> {
  const { personId } = agent;
  const who = { agentId: personId, by: personId } as const;
  const phone = { extension: '101', way: 'ring-per-call', campaignIds: [] } as const;
  await floor.telephony.ask({ kind: 'sign-in', ...who, personId, ...phone });
  await floor.telephony.ask({ kind: 'set-agent-state', ...who, state, code: 'lunch' });
  expect(seat()?.state).toBe(state);
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  database = openDatabase(join(folder, 'gatehouse.db'));
  migrate(database, migrations, 0);
  floor = open();
  const { enrolmentCode: code = '' } = await floor.start();
  await floor.people.enrol({ code, login: 'first', password, name: 'First' }, '::1');
  const first = await login('first');
  lead = await add(first, 'lead', ['supervisor']);
  agent = await add(first, 'agent', ['agent', 'data']);
  for (const each of required) await floor.people.recordRequirement(lead, agent.personId, each);
  expect(floor.people.lacks(agent.personId)).toBeUndefined();
});
afterEach(async () => {
  await floor.stop();
  database.close();
  rmSync(folder, { recursive: true });
});

const losses: [string, Partial<AgentRow>, () => Promise<unknown>][] = [
  [
    'the role',
    { state: 'away', code: 'not-an-agent' },
    () => floor.people.setRoles(lead, agent.personId, ['data'], 'moved'),
  ],
  [
    'a requirement',
    { state: 'away', code: 'exam-passed' },
    () => floor.people.withdrawRequirement(lead, agent.personId, 'exam-passed', 'lapsed'),
  ],
  [
    'the job',
    { state: 'out', code: 'person-left' },
    () => floor.people.leave(lead, agent.personId, 'resigned'),
  ],
];

describe('a ready agent', () => {
  it.each(losses)('who loses %s is not ready any more', async (_, after, lose) => {
    await takeSeat();
    expect(await lose()).toEqual({ done: true });
    await turns();
    expect(seat()).toMatchObject(after);
  });

  it.each(losses)('who loses %s as the daemon dies is not ready after', async (_, after, lose) => {
    await takeSeat();
    expect(await lose()).toEqual({ done: true });
    floor.drop();
    floor = open();
    await floor.start();
    expect(seat()).toMatchObject(after);
  });

  it('stays ready when roles change that calls do not need', async () => {
    await takeSeat();
    await floor.people.setRoles(lead, agent.personId, ['agent'], 'moved');
    await turns();
    expect(seat()?.state).toBe('ready');
  });

  it('is away when the site starts with a requirement that they lack', async () => {
    await takeSeat();
    floor.drop();
    floor = open([...required, 'mock-call-passed']);
    await floor.start();
    expect(seat()).toMatchObject({ state: 'away', code: 'mock-call-passed' });
  });

  it('on a break stays there', async () => {
    await takeSeat('break');
    await floor.people.withdrawRequirement(lead, agent.personId, 'exam-passed', 'lapsed');
    await turns();
    expect(seat()).toMatchObject({ state: 'break', code: 'lunch' });
  });
});

describe('a requirement', () => {
  it('is withdrawn by somebody else only, once, and the account says why', async () => {
    const { people } = floor;
    const withdraw = (by: Actor) =>
      people.withdrawRequirement(by, agent.personId, 'exam-passed', 'lapsed');
    expect(await withdraw(agent)).toEqual({ done: false, why: 'own-record' });
    expect(await withdraw(lead)).toEqual({ done: true });
    expect(await withdraw(lead)).toEqual({ done: false, why: 'not-found' });
    const line = "SELECT line FROM ledger WHERE line LIKE '%requirement-withdrawn%'";
    const rows = database.prepare(line).all() as { line: string }[];
    expect(rows.map((row) => JSON.parse(row.line).rec)).toMatchObject([
      { about: agent.personId, why: 'lapsed', facts: { requirement: 'exam-passed' } },
    ]);
  });
});
