// Writes docs/config.md from the schema, so that the page and the program can't disagree.
import { allowed, configSchema, type SchemaPart } from './config-schema.ts';

const preface = `# Configuration

Made from \`src/config-schema.ts\`; \`gatehouse config keys\` prints it. Without a file every
default holds: SQLite in \`./data\`, loopback only. With \`--config gatehouse.yaml\` the keys of the
file count, the rest stays at its default. \`gatehouse config check\` names every fault of a file.

- An unknown key, a value of another type or out of its range stops the start; nothing is guessed.
- A secret is never a value: a key that ends in \`File\` names a file, readable by its owner only.
- A relative path starts at the folder of the configuration file, or where said, in \`dataDir\`.
- Names end in their unit: \`Ms\` milliseconds, \`Hours\`, \`Days\`, \`Share\` from 0 to 1.
`;

/** The whole page as Markdown. */
export function configMarkdown(): string {
  return `${preface}\n${sections(configSchema, '').join('\n\n')}\n`;
}

/** A section for the group's own keys, then one for each group and list of groups within it. */
function sections(group: SchemaPart, at: string): string[] {
  const keys = Object.entries(group.properties ?? {});
  const inner = (schema: SchemaPart) => (schema.items?.properties ? schema.items : schema);
  const isGroup = (schema: SchemaPart) => inner(schema).properties !== undefined;
  const rows = keys
    .filter(([, schema]) => !isGroup(schema))
    .map(([key, schema]) => row(key, schema, group.required?.includes(key) ?? false));
  const made: string[] = [];
  const title = at === '' ? '## Top level' : `## \`${at}\``;
  const head = '| Key | Default | Allowed | What it is |\n| --- | --- | --- | --- |';
  if (rows.length > 0 || group.description)
    made.push(
      [title, at && group.description, rows.length > 0 && [head, ...rows].join('\n')]
        .filter(Boolean)
        .join('\n\n'),
    );
  for (const [key, schema] of keys.filter(([, each]) => isGroup(each))) {
    const path = `${at && `${at}.`}${key}${schema.items ? '[]' : ''}`;
    const { description } = schema;
    made.push(...sections(description ? { ...inner(schema), description } : inner(schema), path));
  }
  return made;
}

function row(key: string, schema: SchemaPart, isRequired: boolean): string {
  const standard =
    schema.default === undefined
      ? isRequired
        ? 'must be given'
        : 'none'
      : `\`${JSON.stringify(schema.default)}\``;
  const start = schema.from === 'dataDir' ? ', from `dataDir`' : '';
  // A bar would end the table's cell.
  const cells = [`\`${key}\``, standard, allowed(schema) + start, schema.description ?? ''];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
