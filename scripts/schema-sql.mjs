// Prints the SQL that creates the tables of prisma/schema.prisma on SQLite, for writing migrations.
// Prisma's own diff needs a native engine that can't be downloaded everywhere; the subset of the
// schema language used here is small: scalars, optional, id, unique, index, map.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const sqlTypes = {
  String: 'TEXT',
  Int: 'INTEGER',
  BigInt: 'BIGINT',
  Boolean: 'BOOLEAN',
  Json: 'JSONB',
};

/** Models of a schema: `[{ table, columns: [{name, type, optional, key}], indexes, uniques }]`. */
export function readModels(schema) {
  const models = [];
  for (const [, name, body] of schema.matchAll(/^model (\w+) \{\n([\s\S]*?)^\}/gm)) {
    const model = { table: name, columns: [], indexes: [], uniques: [] };
    for (const raw of body.split('\n')) {
      const line = raw.trim();
      const map = /^@@map\("(\w+)"\)$/.exec(line);
      const index = /^@@(index|unique)\(\[([^\]]+)\]\)$/.exec(line);
      const column = /^(\w+)\s+(\w+)(\?)?(.*)$/.exec(line);
      if (map) model.table = map[1];
      else if (index)
        (index[1] === 'index' ? model.indexes : model.uniques).push(index[2].split(/,\s*/));
      else if (column && !line.startsWith('//')) {
        const [, columnName, type, optional, rest] = column;
        if (!sqlTypes[type]) throw new Error(`schema.prisma: ${name}.${columnName}: ${type}`);
        model.columns.push({
          name: columnName,
          type: sqlTypes[type],
          optional: Boolean(optional),
          key: /@id\b/.test(rest),
        });
        if (/@unique\b/.test(rest)) model.uniques.push([columnName]);
      } else if (line !== '' && !line.startsWith('//')) {
        throw new Error(`schema.prisma: not understood: ${line}`);
      }
    }
    models.push(model);
  }
  return models;
}

/** CREATE statements for the models. */
export function sqlFor(models) {
  const parts = [];
  for (const { table, columns, indexes, uniques } of models) {
    const lines = columns.map(
      ({ name, type, optional, key }) =>
        `    "${name}" ${type}${optional ? '' : ' NOT NULL'}${key ? ' PRIMARY KEY' : ''}`,
    );
    parts.push(`CREATE TABLE "${table}" (\n${lines.join(',\n')}\n);`);
    const quote = (names) => names.map((name) => `"${name}"`).join(', ');
    for (const names of indexes)
      parts.push(`CREATE INDEX "${table}_${names.join('_')}_idx" ON "${table}" (${quote(names)});`);
    for (const names of uniques)
      parts.push(
        `CREATE UNIQUE INDEX "${table}_${names.join('_')}_key" ON "${table}" (${quote(names)});`,
      );
  }
  return `${parts.join('\n\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = new URL('../prisma/schema.prisma', import.meta.url);
  process.stdout.write(sqlFor(readModels(readFileSync(path, 'utf8'))));
}
