// The account of a data folder: begun once, with the keys it is bound to.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readLine } from '../audit/verify.ts';
import { realClock } from '../clock.ts';
import { seededIds } from '../ids.ts';
import { realDisk } from '../vault/disk.ts';
import { signingKeyFrom } from '../vault/keys.ts';
import { type AccountParts, keysInForce, openAccount } from './account.ts';
import { openStore, type Store } from './commit.ts';
import { type Database, migrate, openDatabase } from './database.ts';
import { SegmentDiffers } from './segments.ts';

const migrations = new URL('../../prisma/migrations', import.meta.url).pathname;
const signingKey = signingKeyFrom(Buffer.alloc(32, 4));
const keyId = 'ab'.repeat(16);

let dataDir = '';
let database: Database;
let store: Store;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-account-'));
  database = openDatabase(join(dataDir, 'gatehouse.db'));
  migrate(database, migrations, 0);
  store = openStore(database, realClock);
});
afterEach(() => {
  database.close();
  rmSync(dataDir, { recursive: true });
});

const parts = (more: Partial<AccountParts> = {}): AccountParts => ({
  ...{ store, disk: realDisk, clock: realClock, ids: seededIds(8), dataDir, signingKey, keyId },
  ...{ everyMs: 3_600_000, failed: (cause) => expect.fail(String(cause)) },
  ...more,
});
const said = () => [...store.lines(1, 100)].map((line) => readLine(line)?.record.what);

describe('a segment that was changed', () => {
  const segment = () => join(dataDir, 'ledger', readdirSync(join(dataDir, 'ledger'))[0] ?? '');
  const alarmed = () =>
    [...store.lines(1, 100)]
      .map((line) => readLine(line)?.record)
      .flatMap((record) =>
        record?.what.startsWith('alarm-') ? [`${record.what} ${record.why}`] : [],
      );

  it('is an alarm with its entry, once, until the segments are level again', async () => {
    await openAccount(parts()).end();
    const honest = readFileSync(segment(), 'utf8');
    writeFileSync(segment(), honest.replace('"system"', '"person"'));
    const due: (() => void)[] = [];
    const after = (_: number, fire: () => void) => {
      due.push(fire);
      return { cancel: () => {} };
    };
    const failures: unknown[] = [];
    const account = openAccount(
      parts({ clock: { ...realClock, after }, failed: (cause) => failures.push(cause) }),
    );
    // What is waked here is the writing of segments; the hourly checkpoint comes after it.
    for (let round = 1; round <= 2; round += 1) {
      (round === 1 ? due[0] : due.at(-1))?.();
      await expect(account.flush()).rejects.toThrow(SegmentDiffers);
      await expect.poll(() => failures.length).toBe(round);
    }
    expect(alarmed()).toEqual(['alarm-raised segment-differs']);
    const [alarm] = account.alarms.standing();
    expect(alarm).toMatchObject({ code: 'segment-differs', room: 'audit', count: 2 });
    expect(account.alarms.acknowledge(alarm?.id ?? '', 'person-a')).toBe(true);
    expect(account.alarms.acknowledge('no-such', 'person-a')).toBe(false);
    writeFileSync(segment(), honest);
    await account.flush();
    expect(account.alarms.standing()).toEqual([]);
    expect(alarmed().at(-1)).toBe('alarm-cleared segment-differs');
    await account.end();
  });
});

describe('a commit that fails while nobody waits for it', () => {
  it('is told to the store, as when the ledger is signed by the hour', async () => {
    const told: unknown[] = [];
    store = openStore(database, realClock, (cause) => told.push(cause));
    const account = openAccount(parts());
    await account.flush();
    database.exec(
      'DROP TABLE ledger; CREATE TABLE ledger (seq INTEGER, line TEXT, CHECK (seq < 0))',
    );
    await expect(account.checkpoint()).rejects.toThrow();
    expect(told).toMatchObject([{ code: 'store.commit-failed' }]);
    await account.end();
  });
});

describe('an account', () => {
  it('begins with its site and both keys, and later starts add nothing', async () => {
    expect(keysInForce(store)).toBeUndefined();
    const first = openAccount(parts());
    await first.end();
    expect(keysInForce(store)).toMatchObject({ siteId: first.siteId, keyId });
    const again = openAccount(parts());
    await again.end();
    expect(again.siteId).toBe(first.siteId);
    expect(said()).toEqual(['ledger-started', 'master-key-named']);
  });

  it('of an older release learns which master key is its own', async () => {
    await openAccount(parts()).end();
    database.prepare('UPDATE "Account" SET keyId = NULL').run();
    await openAccount(parts()).end();
    expect(keysInForce(store)).toMatchObject({ keyId });
    expect(said().at(-1)).toBe('master-key-named');
  });
});
