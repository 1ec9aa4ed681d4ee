// The repository as its own tests read it: every text file, and who imports whom.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const folders = [
  ...['src', 'tests', 'bench', 'scripts', 'prisma', 'asterisk', 'systemd', 'devices', 'docs'],
  '.ci',
];

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Paths of the repository's texts, generated ones left out. */
export const files: readonly string[] = folders
  // A folder that holds nothing yet is in no clone.
  .filter((folder) => existsSync(folder))
  .flatMap(filesIn)
  .concat(readdirSync('.').filter((name) => /\.(md|json|ts|yaml)$/.test(name)))
  .filter((path) => !path.startsWith('src/store/generated/') && !/\.(wav|png|bin)$/.test(path));

const texts = new Map(files.map((path) => [path, readFileSync(path, 'utf8')]));
export const textOf = (path: string): string => texts.get(path) ?? '';

export const code = files.filter((path) => /\.(ts|mjs)$/.test(path));
/** What is shipped: sources without their tests. */
export const product = code.filter((path) => /^src\/.*(?<!\.test|\.d)\.ts$/.test(path));

const commentOrText = /\/\*[\s\S]*?\*\/|\/\/.*|'(?:[^'\\\n]|\\.)*'/g;
const bares = new Map(
  code.map((path) => [
    path,
    textOf(path).replace(commentOrText, (cut) => cut.replace(/[^\n]/g, ' ')),
  ]),
);
/** Code without comments and quoted text, of the same number of lines. */
export const bareOf = (path: string): string => bares.get(path) ?? '';

/** One import: of a file of ours by its path, of anything else by its name. */
export interface Import {
  from: string;
  to: string;
  /** `import type`: gone when the program runs. */
  isType: boolean;
}

// A worker is named by a URL, whose ending differs between sources and built files.
const importForm =
  /^(?:im|ex)port\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|(?:import|URL)\(\s*['`]([^'`$]+)/gm;

export const imports: readonly Import[] = code.flatMap((from) =>
  [...textOf(from).matchAll(importForm)].map(([, type, plain, dynamic = '']) => {
    const name = (plain ?? dynamic).replace(/\.$/, '.ts');
    const to = name.startsWith('.') ? normalize(join(dirname(from), name)) : name;
    return { from, to, isType: type !== undefined };
  }),
);
export const ownImports = imports.filter(({ to }) => code.includes(to));

/** Everything that some files lead to, themselves included. */
export function reached(from: readonly string[], by = ownImports): ReadonlySet<string> {
  const seen = new Set(from);
  // A set that grows while it is walked is walked to its new end.
  for (const path of seen) for (const each of by) if (each.from === path) seen.add(each.to);
  return seen;
}
