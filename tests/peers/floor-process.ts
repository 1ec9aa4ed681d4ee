// A whole floor as a process of its own, which a test can kill and start again on the same folder.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StopReason } from '../../src/cases/case.ts';
import { realClock } from '../../src/clock.ts';
import { loadConfig, readSecret } from '../../src/config.ts';
import type { Config } from '../../src/config-schema.ts';
import type { Row } from '../../src/draft.ts';
import { type Floor, openFloor } from '../../src/floor.ts';
import { realIds } from '../../src/ids.ts';
import { openLog } from '../../src/log.ts';
import type { Actor, Role } from '../../src/people/person.ts';
import { openRealWorld, type RealWorld } from '../../src/real-world.ts';
import { createAsterisk } from '../../src/telephony/asterisk/asterisk.ts';
import type { TelephonyEvent } from '../../src/telephony/decide.ts';
import type { AgentRow } from '../../src/telephony/working-set.ts';
import { type KillPoint, makeMortal } from './mortal-world.ts';
import { agentsAtWork, type Habits } from './working-agents.ts';

/** Tables of which every change is told. */
const toldTables = ['Agent', 'Call', 'Recording', 'Alarm'] as const;
export type ToldTable = (typeof toldTables)[number] | 'Plant';

export interface Seat {
  extension: string;
  way: AgentRow['way'];
  campaignIds: readonly string[];
}

/** What the process is asked to do; each order has one answer. */
export type Order =
  | {
      do: 'open';
      configFile: string;
      /** Ports of the links over which the floor reaches its Asterisk. */
      amiPort: number;
      ariPort: number;
      /** The first ledger line that the test does not have. */
      fromSeq: number;
      habits: Habits;
    }
  /** Enrols the first person and adds a supervisor. */
  | { do: 'found' }
  /** Adds an agent for each seat, signs them in and wants them ready; the answer is their ids. */
  | { do: 'seat'; seats: readonly Seat[] }
  /** Takes a list in and confirms it; the answer is the number of its rows. */
  | { do: 'list'; path: string; campaignId: string }
  | { do: 'telephony'; event: TelephonyEvent }
  | { do: 'cases'; order: CasesCall }
  | { do: 'rows'; table: string }
  | { do: 'arm'; point: KillPoint }
  | { do: 'habits'; habits: Habits }
  | { do: 'stop' };

/** An order of the cases room by its name, with what it takes. */
export type CasesCall =
  | { name: 'allocate'; given: { caseId: string; agentId?: string } }
  | { name: 'release'; given: { caseId: string; agentId: string; note: string } }
  | { name: 'stop'; given: { caseId: string; reason: StopReason } }
  | { name: 'eraseCase'; given: { caseId: string; why: string } };

/** What the process tells by itself, and its answers. */
export type Saying =
  | { say: 'lines'; fromSeq: number; lines: readonly string[] }
  | { say: 'rows'; table: ToldTable; rows: readonly Row[]; gone?: readonly string[] }
  | { say: 'failed'; cause: string }
  | { say: 'answer'; id: number; value: unknown }
  | { say: 'refused'; id: number; cause: string };

const creditor = { id: 'creditor-test', name: 'Test Bank', callerId: '+12025550199' };
const linesAtOnce = 1_000;

const tell = (saying: Saying) => void process.send?.(saying);

interface Opened {
  real: RealWorld;
  floor: Floor;
  enrolmentCode: string | undefined;
  arm(point: KillPoint): void;
  setHabits(habits: Habits): void;
}

let opened: Opened | undefined;
/** The first person while they are logged in: in the run that founded the floor. */
let founder: Actor | undefined;

async function open(order: Extract<Order, { do: 'open' }>): Promise<Opened> {
  const config = loadConfig(order.configFile);
  const logFile = join(config.dataDir, '../daemon.log');
  const log = openLog(realClock, (line) => appendFileSync(logFile, line));
  const real = await openRealWorld(config, log, (cause) => {
    log.error('the floor must stop', { cause });
    tell({ say: 'failed', cause: String(cause instanceof Error ? cause.stack : cause) });
  });
  const { store } = real;
  const linked = {
    ...real.world,
    phone: createAsterisk(access(config, order), realClock, realIds, real.world.stop),
  };
  const mortal = makeMortal(linked, realClock);
  const { committer } = mortal.world;
  const agents = agentsAtWork(realClock, realIds, order.habits);
  let toldPlant: Row | undefined;
  const floor = openFloor({
    ...mortal.world,
    committer: {
      load: (table, only) => committer.load(table, only),
      commit(batch) {
        const outcome = committer.commit(batch);
        if (outcome.committed) tellChanges(batch.changes);
        return outcome;
      },
    },
  });
  tellLines(store, order.fromSeq);
  store.onLines((lines) => {
    const [first] = lines;
    if (first) tell({ say: 'lines', fromSeq: first.seq, lines: lines.map(({ line }) => line) });
  });
  const { enrolmentCode } = await floor.start();
  for (const table of toldTables) tell({ say: 'rows', table, rows: store.load(table) });
  agents.begin(floor.telephony);
  return { real, floor, enrolmentCode, arm: mortal.arm, setHabits: agents.setHabits };

  function tellChanges(changes: readonly { table: string; id: string; row: Row | null }[]) {
    for (const table of toldTables) {
      const own = changes.filter((change) => change.table === table);
      const rows = own.flatMap(({ row }) => row ?? []);
      const gone = own.flatMap(({ id, row }) => (row === null ? [id] : []));
      if (own.length > 0) tell({ say: 'rows', table, rows, gone });
      if (table === 'Call') agents.see(rows);
    }
    // What is in memory only reaches no commit, so it is looked at when the turn is over.
    realClock.soon(() => {
      const plant = floor.telephony.view().get('Plant', 'now');
      if (plant === toldPlant || plant === undefined) return;
      toldPlant = plant;
      tell({ say: 'rows', table: 'Plant', rows: [plant] });
    });
  }
}

function tellLines(store: RealWorld['store'], fromSeq: number): void {
  for (let seq = fromSeq; seq <= store.head().seq; seq += linesAtOnce) {
    tell({ say: 'lines', fromSeq: seq, lines: [...store.lines(seq, linesAtOnce)] });
  }
}

/** The same Asterisk by way of the test's links. */
function access({ telephony }: Config, ports: { amiPort: number; ariPort: number }) {
  const secret = (name: string) =>
    readSecret(join(telephony.asterisk.secretsDir, `${name}.secret`));
  return {
    amiPort: ports.amiPort,
    ariPort: ports.ariPort,
    amiSecret: secret('ami'),
    ariSecret: secret('ari'),
    trunks: telephony.trunks.map(({ name }) => name),
  };
}

async function found({ floor, enrolmentCode = '' }: Opened): Promise<void> {
  const { people, cases } = floor;
  const login = 'test-it';
  const password = realIds.bytes(18).toString('base64url');
  const named = { code: enrolmentCode, login, password, name: 'Test IT' };
  const enrolled = await people.enrol(named, '127.0.0.1');
  if (!enrolled.done) throw new Error(`enrolment refused: ${enrolled.why}`);
  const session = await people.login(login, password, '127.0.0.1');
  const it = session.done ? people.authenticate(session.token) : undefined;
  if (!it) throw new Error('the first person can not log in');
  const roles = ['supervisor', 'data'] as const;
  const added = await people.addPerson(it, { name: 'Test Supervisor', roles });
  if (!added.done) throw new Error(`person refused: ${added.why}`);
  founder = it;
  await cases.putCreditor(creditor, added.personId);
}

async function seat({ floor }: Opened, seats: readonly Seat[]): Promise<string[]> {
  const { people, telephony } = floor;
  if (!founder) throw new Error('nobody is logged in');
  const ids: string[] = [];
  for (const each of seats) {
    const name = `Test Agent ${each.extension}`;
    const made = await people.addPerson(founder, { name, roles: ['agent'] });
    if (!made.done) throw new Error(`person refused: ${made.why}`);
    const { personId } = made;
    await people.recordRequirement(founder, personId, 'agreement-signed');
    const who = { agentId: personId, by: personId };
    await telephony.ask({ kind: 'sign-in', ...who, personId, ...each });
    const lacks = people.lacks(personId);
    await telephony.ask({ kind: 'set-agent-state', ...who, state: 'ready', lacks });
    ids.push(personId);
  }
  return ids;
}

async function takeList({ floor }: Opened, path: string, campaignId: string): Promise<number> {
  const { lists } = floor.cases;
  const begun = await lists.begin(
    {
      file: { path },
      encoding: 'utf-8',
      mapping: {
        reference: 'reference',
        people: [{ role: 'debtor', name: 'name', numbers: [{ column: 'mobile', kind: 'mobile' }] }],
      },
      campaignId,
      creditorId: creditor.id,
      name: 'Test batch',
    },
    personOf(floor, 'it'),
  );
  if (!begun.done) throw new Error(`list refused: ${begun.why}`);
  await lists.finished(begun.listId);
  const confirmed = await lists.confirm(begun.listId, personOf(floor, 'supervisor'));
  if (!confirmed.done) throw new Error(`list not confirmed: ${confirmed.why}`);
  return floor.cases.view().get('List', begun.listId)?.accepted ?? 0;
}

const personOf = ({ people }: Floor, role: Role) =>
  people.all().find(({ roles }) => roles.includes(role))?.id ?? '';

function askCases({ floor }: Opened, { name, given }: CasesCall): Promise<unknown> {
  const { cases } = floor;
  const by = personOf(floor, 'supervisor');
  switch (name) {
    case 'allocate':
      return cases.allocate(given, by);
    case 'release':
      return cases.release(given, by);
    case 'stop':
      return cases.stop(given, by);
    case 'eraseCase':
      return cases.eraseCase(given.caseId, by, given.why);
  }
}

async function perform(order: Order): Promise<unknown> {
  if (order.do === 'open') {
    opened = await open(order);
    return {};
  }
  if (!opened) throw new Error('the floor is not open');
  const { floor, real } = opened;
  switch (order.do) {
    case 'found':
      return found(opened);
    case 'seat':
      return seat(opened, order.seats);
    case 'list':
      return takeList(opened, order.path, order.campaignId);
    case 'telephony':
      return floor.telephony.ask(order.event);
    case 'cases':
      return askCases(opened, order.order);
    case 'rows':
      return real.store.load(order.table);
    case 'arm':
      return opened.arm(order.point);
    case 'habits':
      return opened.setHabits(order.habits);
    case 'stop':
      await floor.stop();
      await real.close();
      return {};
  }
}

const nobody = 65_534;
if (process.getuid?.() === 0) {
  process.setgroups?.([]);
  process.setgid?.(nobody);
  process.setuid?.(nobody);
}
process.on('message', ({ id, order }: { id: number; order: Order }) => {
  perform(order)
    .then((value) => tell({ say: 'answer', id, value: value ?? null }))
    .catch((cause) => tell({ say: 'refused', id, cause: String(cause?.stack ?? cause) }))
    .then(() => {
      if (order.do === 'stop') process.disconnect();
    });
});
// Agents who were to talk on would keep the process for as long as that.
process.on('disconnect', () => process.exit());
