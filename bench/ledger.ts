// How fast the ledger takes entries, how long one commit takes, and how long a million verify.
import { createHash } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ledgerStarted, originOf, publicKeyText, signCheckpoint } from '../src/audit/checkpoint.ts';
import { type Entry, formLine, genesisPrev, lineHash } from '../src/audit/entry.ts';
import { leafHash, MerkleEdge } from '../src/audit/merkle.ts';
import { segmentClosed } from '../src/audit/verify.ts';
import { dayMs, dayText } from '../src/calendar.ts';
import { realClock } from '../src/clock.ts';
import { seededIds } from '../src/ids.ts';
import type { Batch } from '../src/room.ts';
import { openStore, type Store } from '../src/store/commit.ts';
import { type Database, migrate, openDatabase } from '../src/store/database.ts';
import { verifyFolder } from '../src/store/verify-folder.ts';
import { realDisk } from '../src/vault/disk.ts';
import { signingKeyFrom } from '../src/vault/keys.ts';
import { type Measured, quantile, runs } from './figure.ts';

const batches = 400;
const batchEntries = 50;
const singleCommits = 2000;
const changedRows = 1000;
const verifiedEntries = 1_000_000;
const verifiedDays = 10;
const entriesPerSecondBound = 10_000;
const commitP99BoundMs = 5;
const verifyBoundMs = 15_000;

const ids = seededIds(1);
const migrations = new URL('../prisma/migrations', import.meta.url).pathname;

/** Commits, one-entry commits and verification, each beside its yardstick in the same run. */
export async function bench(): Promise<Measured[]> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  try {
    return [...benchCommits(folder), await benchVerify(folder)];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const p99 = (values: readonly number[]) => quantile(values, 0.99);

function callEntry(): Entry {
  return {
    room: 'telephony',
    what: 'call-answered',
    who: 'system',
    about: ids.next('call'),
    why: 'hours.default',
    facts: {
      agentId: ids.next('agent'),
      campaignId: 'campaign-23456789bcdfghjk',
      numberDigest: ids.bytes(32).toString('hex'),
      permitId: ids.next('permit'),
      ringMs: ids.below(30_000),
    },
  };
}

function changedRow(index: number) {
  const id = `campaign-day-${index % changedRows}`;
  const row = { id, campaignId: 'c', day: '2026-11-22', dialed: index, answered: 1, abandoned: 0 };
  return { table: 'CampaignDay', id, row };
}

/** The same bytes by the shortest way: two prepared statements in a transaction. */
function rawStatements(database: Database) {
  const line = database.prepare('INSERT INTO ledger (seq, line) VALUES (?, ?)');
  const row = database.prepare(
    `INSERT INTO "CampaignDay" (id, "campaignId", day, dialed, answered, abandoned)
     VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET dialed = excluded.dialed`,
  );
  return database.transaction((fromSeq: number, lines: readonly string[]) => {
    for (const [i, text] of lines.entries()) {
      const { row: values } = changedRow(fromSeq + i);
      line.run(fromSeq + i, text);
      row.run(values.id, values.campaignId, values.day, values.dialed, 1, 0);
    }
  });
}

function newDatabase(folder: string, name: string): Database {
  const database = openDatabase(join(folder, name));
  migrate(database, migrations, 0);
  return database;
}

function benchCommits(folder: string): Measured[] {
  const rates: number[] = [];
  const rawRates: number[] = [];
  const commitP99Ms: number[] = [];
  const rawCommitP99Ms: number[] = [];
  for (let round = 0; round < runs; round += 1) {
    const database = newDatabase(folder, `commits-${round}.db`);
    const raw = newDatabase(folder, `raw-${round}.db`);
    const work = Array.from({ length: batches }, (_, batch) => ({
      room: 'telephony',
      entries: Array.from({ length: batchEntries }, callEntry),
      changes: Array.from({ length: batchEntries }, (_, i) => changedRow(batch * batchEntries + i)),
    }));
    const store = openStore(database, realClock);
    rates.push((batches * batchEntries) / seconds(() => commitAll(store, work)));
    const lines = allLines(database);
    const insert = rawStatements(raw);
    const insertAll = () => {
      for (let at = 0; at < lines.length; at += batchEntries) {
        insert(at + 1, lines.slice(at, at + batchEntries));
      }
    };
    rawRates.push(lines.length / seconds(insertAll));
    const commitMs: number[] = [];
    const rawCommitMs: number[] = [];
    for (let i = 0; i < singleCommits; i += 1) {
      const batch = { room: 'telephony', entries: [callEntry()], changes: [changedRow(i)] };
      commitMs.push(1000 * seconds(() => store.commit(batch)));
      const line = lines[i] ?? '';
      rawCommitMs.push(1000 * seconds(() => insert(lines.length + 1 + i, [line])));
    }
    commitP99Ms.push(p99(commitMs));
    rawCommitP99Ms.push(p99(rawCommitMs));
    database.close();
    raw.close();
  }
  return [
    {
      name: 'entries committed, batches of 50, one changed row each',
      unit: 'entries/s',
      values: rates,
      yardsticks: rawRates,
      atLeast: entriesPerSecondBound,
      judged: 'when-idle',
    },
    {
      name: 'commit of one entry, p99',
      unit: 'ms',
      values: commitP99Ms,
      yardsticks: rawCommitP99Ms,
      atMost: commitP99BoundMs,
      judged: 'when-idle',
    },
  ];
}

function commitAll(store: Store, work: readonly Batch[]): void {
  for (const batch of work) store.commit(batch);
}

function allLines(database: Database): string[] {
  const rows = database.prepare('SELECT line FROM ledger ORDER BY seq').all() as { line: string }[];
  return rows.map(({ line }) => line);
}

function seconds(work: () => void): number {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}

async function benchVerify(folder: string): Promise<Measured> {
  const dataFolder = join(folder, 'data');
  writeLedger(dataFolder);
  const times: number[] = [];
  const hashTimes: number[] = [];
  for (let round = 0; round < runs; round += 1) {
    const start = performance.now();
    const report = await verifyFolder({ disk: realDisk, dataFolder });
    times.push(performance.now() - start);
    if (report.faults > 0 || report.signedEntries !== verifiedEntries) {
      throw new Error(`the ledger of the benchmark is faulty: ${JSON.stringify(report.findings)}`);
    }
    hashTimes.push(1000 * seconds(() => hashFiles(join(dataFolder, 'ledger'))));
  }
  return {
    name: 'verification of 1,000,000 entries from segments',
    unit: 'ms',
    values: times,
    yardsticks: hashTimes,
    atMost: verifyBoundMs,
    judged: 'when-idle',
  };
}

// The yardstick reads the same bytes and hashes them once; verification hashes each line thrice.
function hashFiles(ledger: string): void {
  for (const name of readdirSync(ledger)) {
    createHash('sha256')
      .update(readFileSync(join(ledger, name)))
      .digest();
  }
}

function writeLedger(dataFolder: string): void {
  const siteId = ids.next('site');
  const key = signingKeyFrom(ids.bytes(32));
  const edge = new MerkleEdge();
  const firstDay = 20_779;
  let prev = genesisPrev;
  let stated: Entry | undefined;
  mkdirSync(join(dataFolder, 'ledger'), { recursive: true });
  mkdirSync(join(dataFolder, 'checkpoints'));
  for (let day = firstDay; day < firstDay + verifiedDays; day += 1) {
    const path = join(dataFolder, 'ledger', `${dayText(day)}.jsonl`);
    const digest = createHash('sha256');
    const file = openSync(path, 'wx');
    const perDay = verifiedEntries / verifiedDays;
    let text = '';
    for (let i = 0; i < perDay; i += 1) {
      const isFirst = edge.size === 0;
      const entry = isFirst ? ledgerStarted(siteId, publicKeyText(key)) : (stated ?? callEntry());
      if (!isFirst) stated = undefined;
      const line = formLine(prev, edge.size + 1, day * dayMs + i * 500, entry);
      prev = lineHash(line);
      edge.append(leafHash(line));
      text += `${line}\n`;
      if (text.length > 1 << 20 || i === perDay - 1) {
        writeSync(file, text);
        digest.update(text);
        text = '';
      }
    }
    closeSync(file);
    stated = segmentClosed(dayText(day), digest.digest('hex'), edge.size);
  }
  const tree = { origin: originOf(siteId), size: edge.size, root: edge.root() };
  const name = `${`${edge.size}`.padStart(12, '0')}.checkpoint`;
  writeFileSync(join(dataFolder, 'checkpoints', name), signCheckpoint(tree, key));
}
