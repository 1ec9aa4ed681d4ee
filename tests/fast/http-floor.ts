// A floor for the tests of the HTTP side: real people, store and ledger; the other rooms stand in.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { actionCodes } from '../../src/cases/action-code.ts';
import { realClock } from '../../src/clock.ts';
import type { HttpParts } from '../../src/http/app.ts';
import type { FloorForHttp, LiveMessage, NewList } from '../../src/http/floor-port.ts';
import type { AgentView, FloorView } from '../../src/http/views.ts';
import { realIds } from '../../src/ids.ts';
import type { LogFields } from '../../src/log.ts';
import { openPeople, type People } from '../../src/people/people.ts';
import type { Actor, Role } from '../../src/people/person.ts';
import { type Client, openClient } from '../../src/store/client.ts';
import { openStore, type Store } from '../../src/store/commit.ts';
import { type Database, migrate, openDatabase } from '../../src/store/database.ts';
import { openHistory } from '../../src/store/history.ts';

const migrations = new URL('../../prisma/migrations', import.meta.url).pathname;
export const password = 'correct horse battery';
export const required = ['agreement-signed', 'exam-passed'];
/** What stands in for the plain FLAC of every recording. */
export const audio = Buffer.from(Array.from({ length: 10_000 }, (_, i) => (i * 7) % 251));
export const audioSha256 = 'a'.repeat(64);

export interface TestFloor {
  parts: HttpParts;
  people: People;
  store: Store;
  database: Database;
  /** Orders that reached a room, with who gave them. */
  orders: { order: string; given: unknown; by: string }[];
  /** What the log was told. */
  logged: { message: string; fields: LogFields }[];
  lists: NewList[];
  uploadFolder: string;
  tell(message: LiveMessage): void;
  /** Entries of the ledger by what happened. */
  entries(what: string): { who: string; about: string; facts?: Record<string, unknown> }[];
  /** A person with these roles, and a token of their login. */
  person(...roles: Role[]): Promise<{ personId: string; token: string; login: string }>;
  close(): Promise<void>;
}

const agentView = (personId: string): AgentView => ({
  id: personId,
  extension: '101',
  way: 'pre-connected',
  campaignIds: ['campaign-1'],
  state: 'talking',
  sinceUtcMs: 1,
  phone: 'up',
  callId: 'call-1',
  caseId: 'case-1',
});

/** Opens a store in a folder of its own, the people room on it, and stand-ins for the rest. */
export async function openTestFloor(): Promise<TestFloor> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  const uploadFolder = join(folder, 'uploads');
  mkdirSync(uploadFolder);
  const database = openDatabase(join(folder, 'gatehouse.db'));
  migrate(database, migrations, 0);
  const store = openStore(database, realClock);
  const client: Client = openClient(join(folder, 'gatehouse.db'));
  const stop = (cause: unknown) => {
    throw cause;
  };
  const world = { clock: realClock, ids: realIds, committer: store, report: stop, stop };
  const people = openPeople({ world, requirements: required, unfit: () => true });
  const { enrolmentCode: code = '' } = await people.start();
  const login = 'first';
  await people.enrol({ code, login, password, name: 'First Person' }, 'here');
  const first = await people.login(login, password, 'here');
  if (!first.done) throw new Error(first.why);
  const it1 = people.authenticate(first.token) as Actor;

  const listeners = new Set<(message: LiveMessage) => void>();
  const logged: TestFloor['logged'] = [];
  const say = (message: string, fields: LogFields = {}) => logged.push({ message, fields });
  const test: Omit<TestFloor, 'parts'> = {
    people,
    store,
    database,
    orders: [],
    logged,
    lists: [],
    uploadFolder,
    tell: (message) => {
      for (const listener of listeners) listener(message);
    },
    entries: (what) =>
      (database.prepare('SELECT line FROM ledger ORDER BY seq').all() as { line: string }[])
        .map(({ line }) => JSON.parse(line).rec)
        .filter((entry) => entry.what === what),
    async person(...roles) {
      const name = `p${people.all().length}`;
      const added = await people.addPerson(it1, { name: `Name of ${name}`, roles });
      if (!added.done) throw new Error(added.why);
      await people.enrol({ code: added.code, login: name, password }, `for ${name}`);
      const outcome = await people.login(name, password, `for ${name}`);
      if (!outcome.done) throw new Error(outcome.why);
      return { personId: added.personId, token: outcome.token, login: name };
    },
    async close() {
      people.end();
      await client.$disconnect();
      database.close();
      rmSync(folder, { recursive: true });
    },
  };
  const floor = standIns(test, listeners);
  const parts: HttpParts = {
    floor,
    history: openHistory(client),
    clock: realClock,
    ids: realIds,
    log: { info: say, warn: say, error: say },
    version: '0.1.0',
  };
  return { ...test, parts };
}

function standIns(
  test: Omit<TestFloor, 'parts'>,
  listeners: Set<(message: LiveMessage) => void>,
): FloorForHttp {
  const took = (order: string) => async (given: unknown, by: string) => {
    test.orders.push({ order, given, by });
    return { done: true } as const;
  };
  const atWork = () => test.people.all().filter(({ roles }) => roles.includes('agent'));
  const snapshot = (): FloorView => ({
    atUtcMs: 1,
    feed: 'fresh',
    agents: atWork().map(({ id }) => agentView(id)),
    campaigns: [],
    lines: { talking: 1 },
    abandonShare: 0.01,
    recordings: { sealed: 3 },
    alarms: [],
  });
  return {
    people: test.people,
    telephony: {
      agents: () => [...snapshot().agents],
      signIn: took('sign-in'),
      signOut: took('sign-out'),
      async setState(given, by) {
        if (given.state === 'ready' && given.lacks !== undefined) {
          return { done: false, why: given.lacks };
        }
        return took('set-state')(given, by);
      },
      call: took('call'),
      hangUp: took('hang-up'),
      dispose: took('dispose'),
      campaigns: () => [],
      putCampaign: took('put-campaign'),
      setCampaignState: took('set-campaign-state'),
      setCampaignSettings: took('set-campaign-settings'),
    },
    cases: {
      actionCodes,
      creditors: () => [{ id: 'creditor-1', name: 'Demo Bank', callerId: '+12025550199' }],
      putCreditor: took('put-creditor'),
      stop: took('stop'),
      liftStop: took('lift-stop'),
      batches: () => [],
      stateWishes: took('state-wishes'),
      recallBatch: took('recall-batch'),
      reopenBatch: took('reopen-batch'),
      async addToStopList(given, by) {
        await took('add-to-stop-list')(given, by);
        return { done: true, stopId: 'stop-1' };
      },
      takeOffStopList: took('take-off-stop-list'),
      eraseCase: (caseId, by, why) => took('erase-case')({ caseId, why }, by),
      allocate: took('allocate'),
      release: took('release'),
      async reportContact(given, by) {
        await took('report-contact')(given, by);
        return { done: true, contactId: 'contact-1' };
      },
    },
    lists: {
      folder: test.uploadFolder,
      async begin(order, by) {
        test.lists.push(order);
        await took('begin')(order.name, by);
        return { done: true, listId: 'list-1' };
      },
      progress: (listId) => (listId === 'list-1' ? { line: 5, bytes: 60, rows: 4 } : undefined),
      async confirm(listId, by) {
        await took('confirm')(listId, by);
        return { done: false, why: 'same-person' };
      },
      drop: (listId, why, by) => took('drop')({ listId, why }, by),
    },
    recordings: {
      openAudio: async (_, { firstByte, lastByte }) => ({
        done: true,
        bytes: Readable.from([audio.subarray(firstByte, lastByte + 1)]),
      }),
    },
    alarms: { all: () => [], acknowledge: took('acknowledge') },
    live: {
      snapshot,
      subscribe(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    account: {
      checkpoint: async () => ({ name: '000000000002.checkpoint', text: 'signed\n' }),
      latestCheckpoint: async () => undefined,
    },
    health: () => ({ ready: true, checks: [{ name: 'telephony', state: 'ok' }] }),
    figures: () => ({
      agents: { ready: 3 },
      recordingsUnverified: 2,
      storage: [{ class: 'vault', daysLeft: 12 }],
    }),
  };
}

/** A sealed recording and its call, as telephony would have left them. */
export function putRecording(store: Store, id: string, agentId: string): void {
  const call = {
    id,
    campaignId: 'campaign-1',
    mode: 'predictive',
    state: 'ended',
    segment: 'mobile',
    agentId,
    caseId: 'case-1',
    askedUtcMs: 1_795_000_000_000,
    recovered: false,
  };
  const recording = {
    id,
    state: 'sealed',
    spanMs: 1_000,
    crashed: false,
    tries: 0,
    objectId: 'object-1',
    plainSha256: audioSha256,
    cipherSha256: 'b'.repeat(64),
    plainBytes: audio.length,
    iv: 'c2VjcmV0LWl2',
    wrappedKey: 'c2VjcmV0LWtleQ',
    keyId: 'key-1',
    durationMs: 1_000,
    sealedUtcMs: 1_795_000_001_000,
    notice: true,
    repaired: false,
  };
  const outcome = store.commit({
    room: 'telephony',
    entries: [{ room: 'telephony', what: 'recording-sealed', who: 'system', about: id }],
    changes: [
      { table: 'Call', id, row: call },
      { table: 'Recording', id, row: recording },
    ],
  });
  if (!outcome.committed) throw new Error('not committed');
}

/** A case with its debtor and one number, as the cases room would have left it. */
export function putCase(store: Store, id: string, allocatedTo?: string): void {
  const row = { id, batchId: 'batch-1', creditorId: 'creditor-1', reference: `R-${id}` };
  const allocation = allocatedTo === undefined ? {} : { allocatedTo, allocatedUtcMs: 1 };
  const debtor = { id: `debtor-${id}`, caseId: id, role: 'debtor', name: 'Li Na' };
  const number = { id: `number-${id}`, caseId: id, personId: debtor.id, e164: '+447700900123' };
  const keys = { personKey: 'p', numberKey: 'n' };
  const rest = { kind: 'mobile', notAtWork: false, state: 'ok', version: 1 };
  const changes = [
    {
      table: 'Case',
      id,
      row: { ...row, referenceKey: 'rk', ...allocation, stops: [], version: 1 },
    },
    { table: 'CasePerson', id: debtor.id, row: { ...debtor, ...keys, version: 1 } },
    { table: 'Number', id: number.id, row: { ...number, ...keys, ...rest } },
  ];
  const outcome = store.commit({ room: 'cases', entries: [], changes });
  if (!outcome.committed) throw new Error('not committed');
}
