// The one SQLite handle that writes; the only importer of better-sqlite3.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { FloorError } from '../errors.ts';

export type Database = Sqlite.Database;
export type Statement = Sqlite.Statement;

/** How long a reader of another connection may hold the file before a write fails. */
const busyTimeoutMs = 5_000;

/**
 * Opens the database of a data folder for writing. An acknowledged commit survives a power cut:
 * WAL alone would be `synchronous=NORMAL` in this build, which may lose the last commits.
 */
export function openDatabase(path: string): Database {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const database = new Sqlite(path, { timeout: busyTimeoutMs });
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.pragma('foreign_keys = ON');
  // What is deleted is overwritten: erased names, numbers and keys must not stay in free pages.
  database.pragma('secure_delete = ON');
  return database;
}

/** Opens a database that is only read, for `verify` beside or without the daemon. */
export function openDatabaseToRead(path: string): Database {
  return new Sqlite(path, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs });
}

/**
 * Takes a data folder for this process; the lock goes with the process, however it ends.
 * Throws store.locked while another process holds it.
 */
export function lockFolder(folder: string): { release(): void } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = new Sqlite(join(folder, 'lock.db'), { timeout: 0 });
  try {
    // SQLite's own exclusive lock is one of the kernel's on the file: a dead holder can't keep it.
    lock.pragma('locking_mode = EXCLUSIVE');
    lock.exec('CREATE TABLE IF NOT EXISTS held (pid INTEGER); DELETE FROM held; BEGIN IMMEDIATE');
  } catch (cause) {
    lock.close();
    throw new FloorError('store.locked', folder, { cause });
  }
  return { release: () => lock.close() };
}

// The table's form is Prisma's own, so that `prisma migrate status` accepts the database.
const migrationTable = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id TEXT PRIMARY KEY, checksum TEXT NOT NULL, finished_at DATETIME, migration_name TEXT NOT NULL,
  logs TEXT, rolled_back_at DATETIME, started_at DATETIME NOT NULL DEFAULT current_timestamp,
  applied_steps_count INTEGER UNSIGNED NOT NULL DEFAULT 0)`;

/**
 * Brings the database to the shipped form: forward only, each migration in one transaction.
 * Throws store.migration-changed and store.newer. Returns the names applied now.
 */
export function migrate(database: Database, folder: string, atUtcMs: number): string[] {
  database.exec(migrationTable);
  const applied = new Map(
    (
      database.prepare('SELECT migration_name, checksum FROM _prisma_migrations').all() as {
        migration_name: string;
        checksum: string;
      }[]
    ).map((row) => [row.migration_name, row.checksum]),
  );
  const shipped = readdirSync(folder)
    .filter((name) => /^\d{14}_/.test(name) && existsSync(join(folder, name, 'migration.sql')))
    .sort();
  const unknown = [...applied.keys()].filter((name) => !shipped.includes(name));
  if (unknown.length > 0) throw new FloorError('store.newer', unknown.join(', '));
  const done: string[] = [];
  for (const name of shipped) {
    const sql = readFileSync(join(folder, name, 'migration.sql'));
    const checksum = createHash('sha256').update(sql).digest('hex');
    const before = applied.get(name);
    if (before === checksum) continue;
    if (before !== undefined) throw new FloorError('store.migration-changed', name);
    applyOne(database, name, sql.toString('utf8'), checksum, atUtcMs);
    done.push(name);
  }
  return done;
}

function applyOne(database: Database, name: string, sql: string, checksum: string, at: number) {
  // Foreign keys can not be switched inside a transaction, and a table may have to be rebuilt.
  database.pragma('foreign_keys = OFF');
  try {
    database.transaction(() => {
      database.exec(sql);
      const broken = database.pragma('foreign_key_check') as unknown[];
      if (broken.length > 0)
        throw new FloorError('store.migration-changed', `${name}: broken keys`);
      database
        .prepare(
          `INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, started_at,
           applied_steps_count) VALUES (?, ?, ?, ?, ?, 1)`,
        )
        .run(checksum.slice(0, 36), checksum, at, name, at);
    })();
  } finally {
    database.pragma('foreign_keys = ON');
  }
}
