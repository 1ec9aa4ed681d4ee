// Words that name a person or a debt: written once, never moved, blanked where they stand.
//
// SQLite overwrites deleted rows (secure_delete), but when it balances pages it may leave a second
// image of rows that moved, which no later deletion reaches: of 1,267 deleted names one could still
// be read in the file. A row never moves in a table that only grows at its end and whose rows never
// change their length; so these words have such a table, and are erased by blanks of their length.
import assert from 'node:assert';
import type { Database } from './database.ts';

/** Columns of our rows that stand in the table of words instead of their own. */
const wordColumns: Readonly<Record<string, readonly string[]>> = {
  Case: ['reference'],
  CasePerson: ['name'],
  Number: ['e164'],
  Note: ['text', 'salt'],
};

type Values = Readonly<Record<string, unknown>>;

/** The words of the rows of one table. */
export interface Words {
  /** Writes those of a row that is put; a row that is put again has the same ones. */
  put(id: string, row: Values): void;
  /** Blanks those of a row that is dropped. */
  blank(id: string): void;
  /** Adds them to a row that was read. */
  read(row: Record<string, unknown>): void;
}

/** Undefined for a table whose rows hold none. */
export function wordsOf(database: Database, table: string): Words | undefined {
  const columns = wordColumns[table];
  if (!columns) return undefined;
  const insert = database.prepare(
    'INSERT INTO "Words" (id, text) VALUES (?, ?) ON CONFLICT (id) DO NOTHING',
  );
  // As many bytes as before: then SQLite writes over the row where it lies.
  const blank = database.prepare(
    `UPDATE "Words" SET text = replace(hex(zeroblob(length(CAST(text AS BLOB)))), '00', '.')
     WHERE id = ?`,
  );
  const read = database.prepare('SELECT text FROM "Words" WHERE id = ?').pluck();
  return {
    put(id, row) {
      for (const column of columns) {
        const text = row[column];
        if (text === undefined) continue;
        const { changes } = insert.run(`${id}.${column}`, text);
        if (changes === 1) continue;
        assert(read.get(`${id}.${column}`) === text, `the ${column} of a row is written once`);
      }
    },
    blank(id) {
      for (const column of columns) blank.run(`${id}.${column}`);
    },
    read(row) {
      for (const column of columns) {
        const text = read.get(`${row.id}.${column}`);
        if (text !== undefined) row[column] = text;
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
