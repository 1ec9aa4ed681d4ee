// The one committer: orders the batches of all rooms, chains their entries, makes one transaction.
import { formLine, genesisPrev, lineHash } from '../audit/entry.ts';
import type { LedgerReader } from '../audit/ledger.ts';
import type { Clock } from '../clock.ts';
import type { Change, Row } from '../draft.ts';
import { FloorError } from '../errors.ts';
import type { Batch, Committer, WorkingSet } from '../room.ts';
import type { Database, Statement } from './database.ts';
import { type Words, wordsOf } from './words.ts';

interface Column {
  name: string;
  /** Declared type, which says how a value is kept: JSONB as text, BOOLEAN as 0 or 1. */
  type: string;
}

interface Table {
  columns: readonly Column[];
  put: Statement;
  putIfVersion: Statement | undefined;
  drop: Statement;
  words: Words | undefined;
}

interface Line {
  seq: number;
  line: string;
}

class StaleRow extends Error {
  readonly change: Change;
  constructor(change: Change) {
    super(`stale ${change.table}/${change.id}`);
    this.change = change;
  }
}

/** The committer with the ledger's head; one for each data folder. */
export interface Store extends Committer, LedgerReader {
  /** Called after each commit with the lines it added, for segments and live views. */
  onLines(listener: (lines: readonly Line[]) => void): void;
}

/**
 * Makes the committer. `commit` is synchronous and durable when it returns; between the decision
 * and it stands no await, so nobody reads state ahead of the record. A commit that fails is told to
 * `failed`, whoever made it, and not only thrown: its caller may be a timer where nobody listens,
 * and nothing may happen in this process any more.
 */
export function openStore(
  database: Database,
  clock: Clock,
  failed: (cause: unknown) => void = () => {},
): Store {
  const tables = new Map<string, Table>();
  const insertLine = database.prepare('INSERT INTO ledger (seq, line) VALUES (?, ?)');
  const last = database.prepare('SELECT seq, line FROM ledger ORDER BY seq DESC LIMIT 1').get() as
    | Line
    | undefined;
  let head = last ? { seq: last.seq, hash: lineHash(last.line) } : { seq: 0, hash: genesisPrev };
  const readLines = database
    .prepare('SELECT line FROM ledger WHERE seq >= ? ORDER BY seq LIMIT ?')
    .pluck();
  const listeners: ((lines: readonly Line[]) => void)[] = [];

  const tableOf = (name: string): Table => {
    const known = tables.get(name);
    if (known) return known;
    const made = prepareTable(database, name);
    tables.set(name, made);
    return made;
  };

  const write = database.transaction((batch: Batch, lines: readonly Line[]) => {
    for (const { seq, line } of lines) insertLine.run(seq, line);
    for (const change of batch.changes) writeChange(tableOf(change.table), change);
  });

  return {
    head: () => head,
    lines: (fromSeq, limit) => readLines.all(fromSeq, limit) as string[],
    onLines: (listener) => listeners.push(listener),
    load: (name, only) => loadRows(database, name, only),
    commit(batch) {
      if (batch.entries.length === 0 && batch.changes.length === 0)
        return { committed: true, lastSeq: head.seq };
      const lines: Line[] = [];
      let { seq, hash } = head;
      const atUtcMs = clock.utcMs();
      for (const entry of batch.entries) {
        seq += 1;
        const line = formLine(hash, seq, atUtcMs, entry);
        lines.push({ seq, line });
        hash = lineHash(line);
      }
      try {
        write(batch, lines);
      } catch (cause) {
        if (cause instanceof StaleRow) return { committed: false, stale: cause.change };
        const failure = new FloorError('store.commit-failed', batch.room, { cause });
        failed(failure);
        throw failure;
      }
      head = { seq, hash };
      if (lines.length > 0) for (const listener of listeners) listener(lines);
      return { committed: true, lastSeq: seq };
    },
  };
}

function columnsOf(database: Database, table: string): Column[] {
  // A table's name can't be a parameter; it comes from our own code, never from outside.
  if (!/^[A-Za-z]+$/.test(table)) throw new Error(`not a table name: ${table}`);
  return database.pragma(`table_info("${table}")`) as Column[];
}

function prepareTable(database: Database, name: string): Table {
  const columns = columnsOf(database, name);
  if (columns.length === 0) throw new Error(`no table ${name}`);
  const names = columns.map((column) => `"${column.name}"`);
  const sets = names
    .filter((column) => column !== '"id"')
    .map((each) => `${each} = excluded.${each}`);
  const insert = `INSERT INTO "${name}" (${names.join(', ')})
    VALUES (${names.map(() => '?').join(', ')})`;
  const hasVersion = columns.some((column) => column.name === 'version');
  return {
    columns,
    put: database.prepare(`${insert} ON CONFLICT (id) DO UPDATE SET ${sets.join(', ')}`),
    putIfVersion: hasVersion
      ? database.prepare(
          `UPDATE "${name}" SET ${names.map((each) => `${each} = ?`).join(', ')}
           WHERE id = ? AND version = ?`,
        )
      : undefined,
    drop: database.prepare(`DELETE FROM "${name}" WHERE id = ?`),
    words: wordsOf(database, name),
  };
}

function writeChange(table: Table, change: Change): void {
  if (change.row === null) {
    table.words?.blank(change.id);
    table.drop.run(change.id);
    return;
  }
  const given = change.row as unknown as Record<string, unknown>;
  const row = table.words?.put(change.id, given) ?? given;
  const values = table.columns.map((column) => toStored(row[column.name]));
  if (change.expectVersion === undefined) {
    table.put.run(values);
    return;
  }
  if (!table.putIfVersion) throw new Error(`table ${change.table} has no version`);
  const { changes } = table.putIfVersion.run(...values, change.id, change.expectVersion);
  if (changes === 0) throw new StaleRow(change);
}

function toStored(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'object') return JSON.stringify(value);
  return value;
}

/** Makes a row of our types from a row of SQLite: absent columns, JSON, booleans. */
export function rowReader(
  database: Database,
  table: string,
): (stored: Record<string, unknown>) => Row {
  const special = columnsOf(database, table).filter(
    ({ type }) => type === 'JSONB' || type === 'BOOLEAN',
  );
  const words = wordsOf(database, table);
  return (stored) => {
    words?.read(stored);
    for (const key of Object.keys(stored)) if (stored[key] === null) delete stored[key];
    for (const { name, type } of special) {
      const value = stored[name];
      if (value === undefined) continue;
      stored[name] = type === 'BOOLEAN' ? value === 1 : JSON.parse(String(value));
    }
    return stored as unknown as Row;
  };
}

function loadRows(database: Database, name: string, only?: WorkingSet): Row[] {
  const columns = columnsOf(database, name);
  if (only && !columns.some((column) => column.name === only.column))
    throw new Error(`no column ${name}.${only.column}`);
  const where = only ? ` WHERE "${only.column}" IN (${only.values.map(() => '?').join(', ')})` : '';
  const rows = database
    .prepare(`SELECT * FROM "${name}"${where}`)
    .all(...(only?.values ?? [])) as Record<string, unknown>[];
  return rows.map(rowReader(database, name));
}
