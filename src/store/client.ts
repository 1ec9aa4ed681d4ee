// The reading side of the store: Prisma's client on a second, read-only connection.
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';
import { PrismaClient } from './generated/client.ts';

export type Client = PrismaClient;

/** How long the writer may hold the file before a query fails; under WAL it holds up no reader. */
const busyTimeoutMs = 5_000;

/**
 * Opens the database of a data folder for queries. Writing is the committer's alone, so this
 * connection can't: a changing query fails in SQLite itself.
 */
export function openClient(path: string): Client {
  const adapter = new PrismaBetterSqlite3({
    url: `file:${path}`,
    readonly: true,
    fileMustExist: true,
    timeout: busyTimeoutMs,
  });
  return new PrismaClient({ adapter });
}
