// The account of a data folder: begun once, with the keys it is bound to.
import { mkdtempSync, rmSync } from 'node:fs';
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
