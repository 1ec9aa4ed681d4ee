// The database of a folder that is verified: opened if it can be, and what is wrong with it if not.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '../audit/verify.ts';
import { realClock } from '../clock.ts';
import { openStore } from './commit.ts';
import { type Database, openDatabaseToRead } from './database.ts';
import { readRecordedRows } from './recording-proof.ts';
import type { VerifyParts } from './verify-folder.ts';

export interface OpenedTable extends Pick<VerifyParts, 'table' | 'rows'> {
  /** What was found amiss before a line was read. */
  known: readonly Finding[];
  close(): void;
}

/** A copy has no database. Where a daemon works there is its lock, and then there must be one. */
export function openTableToRead(folder: string): OpenedTable {
  const file = join(folder, 'gatehouse.db');
  const none = (...known: Finding[]): OpenedTable => ({ known, close: () => {} });
  if (!existsSync(file)) {
    const isLive = existsSync(join(folder, 'lock.db'));
    return isLive ? none({ code: 'table-lost', place: 'gatehouse.db' }) : none();
  }
  let database: Database | undefined;
  try {
    const opened = openDatabaseToRead(file);
    database = opened;
    const table = openStore(opened, realClock);
    const rows = readRecordedRows(opened);
    return { table, rows, known: [], close: () => opened.close() };
  } catch (cause) {
    database?.close();
    const isFault = cause instanceof Error && 'code' in cause;
    if (!isFault || !String(cause.code).startsWith('SQLITE_')) throw cause;
    return none({ code: 'table-unreadable', place: `gatehouse.db (${cause.code})` });
  }
}
