// The committer on a real SQLite file: chain, changed rows and pending effects in one transaction.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lineHash } from '../audit/entry.ts';
import { realClock } from '../clock.ts';
import { openStore } from './commit.ts';
import { type Database, migrate, openDatabase } from './database.ts';

const migrations = new URL('../../prisma/migrations', import.meta.url).pathname;
const entry = { room: 'telephony', what: 'call-answered', who: 'system', about: 'call-1' };

let folder: string;
let database: Database;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  database = openDatabase(join(folder, 'gatehouse.db'));
  migrate(database, migrations, 0);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

describe('the committer', () => {
  it('survives a power cut after commit: WAL with synchronous FULL', () => {
    expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(database.pragma('synchronous', { simple: true })).toBe(2);
  });

  it('chains lines over batches and over a restart', () => {
    const first = openStore(database, realClock);
    first.commit({ room: 'telephony', entries: [entry, entry], changes: [] });
    const again = openStore(database, realClock);
    expect(again.head()).toEqual(first.head());
    again.commit({ room: 'telephony', entries: [entry], changes: [] });
    const lines = database.prepare('SELECT line FROM ledger ORDER BY seq').all() as {
      line: string;
    }[];
    const prevs = lines.map(({ line }) => JSON.parse(line).prev as string);
    expect(prevs[0]).toBe('0'.repeat(64));
    expect(prevs[1]).toBe(lineHash(lines[0]?.line ?? ''));
    expect(prevs[2]).toBe(lineHash(lines[1]?.line ?? ''));
  });

  it('gives back what was put: JSON, booleans, big numbers, absent columns', () => {
    const store = openStore(database, realClock);
    const row = {
      id: 'agent-1',
      personId: 'person-1',
      extension: '101',
      way: 'pre-connected',
      campaignIds: ['campaign-1'],
      state: 'away',
      sinceUtcMs: 1_795_000_000_123,
      legState: 'none',
    };
    store.commit({
      room: 'telephony',
      entries: [],
      changes: [{ table: 'Agent', id: row.id, row }],
    });
    expect(store.load('Agent')).toEqual([row]);
    expect(store.load('Agent', { column: 'state', values: ['ready'] })).toEqual([]);
    store.commit({
      room: 'telephony',
      entries: [],
      changes: [{ table: 'Agent', id: row.id, row: null }],
    });
    expect(store.load('Agent')).toEqual([]);
  });

  it('writes all or nothing: a broken change leaves neither line nor row', () => {
    const store = openStore(database, realClock);
    const before = store.head();
    const row = { id: 'campaign-1' };
    expect(() =>
      store.commit({
        room: 'telephony',
        entries: [entry],
        changes: [{ table: 'Campaign', id: row.id, row }],
      }),
    ).toThrow(/commit to the ledger failed/);
    expect(store.head()).toEqual(before);
    expect(database.prepare('SELECT count(*) AS n FROM ledger').get()).toEqual({ n: 0 });
  });

  it('refuses a database that a newer program wrote, and a changed migration', () => {
    expect(migrate(database, migrations, 0)).toEqual([]);
    database.prepare("UPDATE _prisma_migrations SET checksum = 'x'").run();
    expect(() => migrate(database, migrations, 0)).toThrow(/differs from the shipped/);
    database.prepare("UPDATE _prisma_migrations SET migration_name = '20990101000000_later'").run();
    expect(() => migrate(database, migrations, 0)).toThrow(/newer Gatehouse/);
  });
});
