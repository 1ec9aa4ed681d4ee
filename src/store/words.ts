// Words that name a person or a debt: written once, never moved, blanked where they stand.
//
// SQLite overwrites deleted rows (secure_delete), but when it balances pages it may leave a second
// image of rows that moved, which no later deletion reaches: of 1,267 deleted names one could still
// be read in the file. A row never moves in a table that only grows at its end and whose rows never
// change their length; so these words have such a table, and are erased by blanks of their length.
// The row they belong to holds their number in their column.
import assert from 'node:assert';
import type { Database } from './database.ts';

/** Columns of our rows that hold the number of their words. */
const wordColumns: Readonly<Record<string, readonly string[]>> = {
  Case: ['reference'],
  CasePerson: ['name'],
  Number: ['e164'],
  Note: ['text', 'salt'],
  Look: ['reason', 'salt'],
};

type Values = Readonly<Record<string, unknown>>;

/** The words of the rows of one table. */
export interface Words {
  /** Writes those of a row that is put, and gives the row as it is stored. */
  put(id: string, row: Values): Values;
  /** Blanks those of a row that is about to be dropped. */
  blank(id: string): void;
  /** Turns the numbers in a row that was read into their words. */
  read(row: Record<string, unknown>): void;
}

/** Undefined for a table whose rows hold none. */
export function wordsOf(database: Database, table: string): Words | undefined {
  const columns = wordColumns[table];
  if (!columns) return undefined;
  const insert = database.prepare('INSERT INTO "Words" (text) VALUES (?)');
  const read = database.prepare('SELECT text FROM "Words" WHERE id = ?').pluck();
  // As many bytes as before: then SQLite writes over the row where it lies.
  const blank = database.prepare(
    `UPDATE "Words" SET text = replace(hex(zeroblob(length(CAST(text AS BLOB)))), '00', '.')
     WHERE id = ?`,
  );
  const numbers = database.prepare(`SELECT ${columns.join(', ')} FROM "${table}" WHERE id = ?`);
  const numbersOf = (id: string) => numbers.get(id) as Values | undefined;
  return {
    put(id, row) {
      const before = numbersOf(id);
      const stored: Record<string, unknown> = { ...row };
      for (const column of columns) {
        const text = row[column];
        const known = before?.[column] ?? null;
        const same =
          before === undefined || (known === null ? undefined : read.get(known)) === text;
        assert(same, `the ${column} of a row is written once`);
        stored[column] = known ?? (text === undefined ? null : insert.run(text).lastInsertRowid);
      }
      return stored;
    },
    blank(id) {
      for (const number of Object.values(numbersOf(id) ?? {})) blank.run(number);
    },
    read(row) {
      for (const column of columns) {
        if (row[column] !== null) row[column] = read.get(row[column]);
      }
    },
  };
}

/**
 * Writes a small table anew: emptied as a whole, each of its pages is overwritten. For the one that
 * holds numbers for a moment only, and whose rows come and go.
 */
export function rewrite(database: Database, table: 'Pending'): void {
  database.transaction(() => {
    const rows = database.prepare(`SELECT * FROM "${table}"`).all() as Values[];
    database.prepare(`DELETE FROM "${table}"`).run();
    for (const row of rows) {
      const names = Object.keys(row);
      const places = names.map(() => '?').join(', ');
      database
        .prepare(`INSERT INTO "${table}" (${names.join(', ')}) VALUES (${places})`)
        .run(...Object.values(row));
    }
  })();
}
