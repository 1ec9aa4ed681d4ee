// One day of a simulated floor: the house opens, works under faults, closes, and is looked over.
import { hash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ledgerStarted } from '../audit/checkpoint.ts';
import type { LedgerRecord } from '../audit/verify.ts';
import { hourMs, minuteMs } from '../calendar.ts';
import type { Change, Row } from '../draft.ts';
import { type Ids, seededIds } from '../ids.ts';
import type { PersonRow } from '../people/person.ts';
import { openStore } from '../store/commit.ts';
import { type Database, migrate, openDatabase } from '../store/database.ts';
import { type Book, writeBook } from './book.ts';
import { Chance } from './chance.ts';
import type { Checker, Invariant, Scene } from './checker.ts';
import { agentIds, Crew, traineeId } from './crew.ts';
import { effectKinds } from './effect-kinds.ts';
import { type FaultKind, type FaultRates, roughDay } from './faults.ts';
import { House, type Plant } from './house.ts';
import { agreement, policy, startOf } from './site.ts';
import { Supervisor, supervisorId } from './supervisor.ts';
import { VirtualClock } from './virtual-clock.ts';
import type { Commit } from './watched-store.ts';
import type { WorldEvent } from './world-event.ts';

export interface DayOptions {
  seed: number;
  hours: number;
  invariants: readonly Invariant[];
  rates?: FaultRates;
  /** Puts something wrong between the floor and its world; for the tests of the checkers. */
  plant?: Plant;
}

export interface Violation {
  readonly invariant: string;
  readonly text: string;
  /** Uptime of the house. */
  readonly atMs: number;
}

export interface DayReport {
  seed: number;
  /** The first of them, as many as are worth reading. */
  violations: readonly Violation[];
  faults: ReadonlyMap<FaultKind, number>;
  /** Kinds of effects between whose record and act the daemon was killed. */
  killedBefore: ReadonlySet<string>;
  /** What telephony and cases wrote, as `what` and as `what:why`, and how often. */
  codes: ReadonlyMap<string, number>;
  /** Calls that were placed into the network. */
  calls: number;
  entries: number;
  /** SHA-256 of the ledger's last line: the same for the same seed, or the world is not one. */
  chain: string;
}

const listedViolations = 12;
const openingMs = 1_000;
const openingTries = 60;
/** Closing takes no longer than this: the last call is ended, everything is sealed and settled. */
const closingMinutes = 30;
const afterRestartMs = 3 * minuteMs;

/** Lives one day. Nothing in it depends on anything but the options. */
export async function liveDay(options: DayOptions): Promise<DayReport> {
  const day = new Day(options);
  try {
    await day.live();
    return day.report();
  } finally {
    day.clear();
  }
}

class Day {
  private readonly options: DayOptions;
  private readonly folder = mkdtempSync(join(tmpdir(), 'gatehouse-simulation-'));
  private readonly database: Database = openDatabase(':memory:');
  private readonly violations: Violation[] = [];
  private readonly codes = new Map<string, number>();
  private readonly tables = new Map<string, Map<string, Row>>();
  private readonly book: Book;
  private readonly house: House;
  private readonly checkers: Checker[] = [];
  private calls = 0;
  private entries = 0;
  private lastLine = '';

  constructor({ seed, rates = roughDay, plant = (world) => world, ...options }: DayOptions) {
    this.options = { seed, rates, plant, ...options };
    const ids = seededIds(seed);
    const startUtcMs = startOf(seed);
    this.house = new House({
      ids,
      database: this.database,
      startUtcMs,
      rates,
      folder: this.folder,
      watch: (event) => this.happened(event),
      committed: (commit) => this.committed(commit),
      crashed: (cause) => this.crashed(cause),
      plant,
      killsBefore: rates.killAfterRecordPerHour > 0 ? turnOf(effectKinds, seed) : [],
    });
    this.book = writeBook(new Chance(ids), (kind) => ids.next(kind), startUtcMs);
    for (const invariant of options.invariants) this.checkers.push(this.watch(invariant));
    this.furnish(ids, startUtcMs);
  }

  /** What is there before the first start: the beginning of the ledger, people, and the book. */
  private furnish(ids: Ids, startUtcMs: number): void {
    migrate(this.database, migrationsFolder(), startUtcMs);
    const siteId = ids.next('site');
    const signingKey = ids.bytes(32).toString('base64');
    const account: Row & { siteId: string; signingKey: string } = {
      id: 'head',
      siteId,
      signingKey,
    };
    const changes: Change[] = [{ table: 'Account', id: account.id, row: account }];
    const people = [...agentIds, traineeId, supervisorId];
    for (const id of people) {
      const person: PersonRow = {
        id,
        name: id,
        roles: id === supervisorId ? ['supervisor', 'it'] : ['agent'],
        state: 'active',
        sinceUtcMs: startUtcMs,
        requirements: id === traineeId ? {} : { [agreement]: startUtcMs },
      };
      changes.push({ table: 'Person', id, row: person });
    }
    const store = openStore(this.database, new VirtualClock(startUtcMs).life().clock);
    const batch = {
      room: 'audit',
      entries: [ledgerStarted(siteId, signingKey)],
      changes: [...changes, ...this.book.changes],
    };
    let lines: readonly string[] = [];
    store.onLines((added) => {
      lines = added.map(({ line }) => line);
    });
    store.commit(batch);
    this.committed({ batch, lines });
  }

  private watch(invariant: Invariant): Checker {
    const { clock, account, world } = this.house;
    const scene: Scene = {
      clock,
      account,
      world,
      policy,
      book: this.book,
      database: this.database,
      rows: (table) => this.tables.get(table) ?? new Map(),
      floor: () => this.house.floor(),
      report: (text) => this.violate(invariant.name, text),
    };
    return invariant.watch(scene);
  }

  private violate(invariant: string, text: string): void {
    const atMs = Math.round(this.house.clock.uptimeMs);
    if (this.violations.length < listedViolations) this.violations.push({ invariant, text, atMs });
  }

  private crashed(cause: unknown): void {
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    this.violate('no-crash', text);
  }

  private happened(event: WorldEvent): void {
    if (event.kind === 'placed') this.calls += 1;
    for (const checker of this.checkers) checker.happened?.(event);
  }

  private committed(commit: Commit): void {
    for (const { table, id, row } of commit.batch.changes) {
      let rows = this.tables.get(table);
      if (!rows) {
        rows = new Map();
        this.tables.set(table, rows);
      }
      if (row === null) rows.delete(id);
      else rows.set(id, row);
    }
    this.lastLine = commit.lines.at(-1) ?? this.lastLine;
    const records = commit.lines.map((line) => JSON.parse(line).rec as LedgerRecord);
    for (const { room, what, why } of records) {
      this.entries += 1;
      if (room !== 'telephony' && room !== 'cases') continue;
      this.count(what);
      if (why !== undefined) this.count(`${what}:${why}`);
    }
    for (const checker of this.checkers) checker.committed?.({ ...commit, records });
  }

  private count(code: string): void {
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
  }

  async live(): Promise<void> {
    const { house, book } = this;
    const { clock } = house;
    const chance = new Chance(seededIds(this.options.seed + 1_000_000));
    const parts = { clock, chance, book, floor: () => house.floor() };
    house.open();
    // The daemon may have been killed in its very first moments.
    for (let i = 0; i < openingTries && !house.floor(); i += 1) await this.pass(openingMs);
    const supervisor = new Supervisor(parts);
    const crew = new Crew(parts);
    supervisor.openDay();
    const endMs = this.options.hours * hourMs;
    while (clock.uptimeMs < endMs && this.violations.length === 0) await this.pass(minuteMs);
    house.mend();
    supervisor.close();
    crew.close();
    for (let i = 0; i < closingMinutes && !this.isQuiet(); i += 1) await this.pass(minuteMs);
    // A last start finds what nobody looked for any more.
    const restarted = house.restart();
    await this.pass(afterRestartMs);
    await restarted;
    for (const checker of this.checkers) checker.closed?.();
  }

  private async pass(ms: number): Promise<void> {
    const { clock } = this.house;
    await clock.run(clock.uptimeMs + ms);
    for (const checker of this.checkers) checker.minute?.();
  }

  private isQuiet(): boolean {
    const { size } = this.tables.get('Pending') ?? new Map();
    return size === 0 && this.house.world.living().length === 0 && this.house.world.raw.size === 0;
  }

  report(): DayReport {
    const { violations, codes, calls, entries, house } = this;
    const { killedBefore, account } = house;
    const { seed } = this.options;
    const chain = hash('sha256', this.lastLine, 'hex');
    return { chain, seed, violations, codes, calls, entries, killedBefore, faults: account.counts };
  }

  clear(): void {
    this.database.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const turns = 6;

/** Those whose turn it is with this seed, so that a campaign of seeds comes to all of them. */
function turnOf<T>(all: readonly T[], seed: number): T[] {
  return all.filter((_, at) => at % turns === seed % turns);
}

/** The folder of the migrations, from the sources and from the built files alike. */
function migrationsFolder(): string {
  let folder = fileURLToPath(new URL('.', import.meta.url));
  while (!existsSync(join(folder, 'prisma/migrations'))) folder = join(folder, '..');
  return join(folder, 'prisma/migrations');
}
