// The migrations make exactly the tables that prisma/schema.prisma states.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { migrate, openDatabase } from '../../src/store/database.ts';

interface Model {
  table: string;
}
// Set-up's scripts are plain JavaScript, so what they export is stated here.
const script = '../../scripts/schema-sql.mjs';
const {
  readModels,
  sqlFor,
}: { readModels(schema: string): Model[]; sqlFor(models: Model[]): string } = await import(script);

const models = readModels(readFileSync('prisma/schema.prisma', 'utf8'));
const migrated = openDatabase(':memory:');
migrate(migrated, 'prisma/migrations', 0);
const stated = openDatabase(':memory:');
stated.exec(sqlFor(models));

// A migration can add a column only at the end, wherever the schema has it.
const byName = (a: { name: unknown }, b: { name: unknown }) =>
  String(a.name) < String(b.name) ? -1 : 1;

/** What SQLite says of a table: its columns, and its indexes by the columns they cover. */
function shapeOf(database: typeof migrated, table: string) {
  const indexes = database.pragma(`index_list("${table}")`) as { name: string; unique: number }[];
  return {
    columns: (database.pragma(`table_info("${table}")`) as Record<string, unknown>[])
      .map(({ name, type, notnull, pk, dflt_value }) => ({ name, type, notnull, pk, dflt_value }))
      .sort(byName),
    indexes: indexes
      .filter(({ name }) => !name.startsWith('sqlite_autoindex'))
      .map(({ name, unique }) => ({
        name,
        unique,
        columns: (database.pragma(`index_info("${name}")`) as { name: string | null }[]).map(
          (column) => column.name,
        ),
      }))
      // The schema's language has no word for an index over an expression.
      .filter(({ columns }) => !columns.includes(null))
      .sort(byName),
  };
}

describe('migrations and schema', () => {
  it('have the same tables', () => {
    const tables = migrated
      .prepare(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'",
      )
      .pluck()
      .all();
    expect(tables.sort()).toEqual(models.map(({ table }) => table).sort());
    expect(models.length).toBeGreaterThan(5);
  });

  it.each(models.map(({ table }) => table))('%s has the same columns and indexes', (table) => {
    const shape = shapeOf(migrated, table);
    expect(shape).toEqual(shapeOf(stated, table));
    expect(shape.columns.length).toBeGreaterThan(0);
  });
});
