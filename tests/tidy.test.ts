// The rules of the house that no other tool checks: who imports whom, dead code, names, budgets.
import { describe, expect, it } from 'vitest';
import { layerOf } from './layers.ts';
import {
  bareOf,
  code,
  files,
  type Import,
  imports,
  ownImports,
  product,
  reached,
  textOf,
} from './sources.ts';

const maxFileLines = 400;
const maxColumns = 100;
/** Packages that several files may import: the language of schemas, and fastify within http/. */
const sharedPackages = /^(node:|typebox\b|@?fastify\b)/;
const readsClock = /\bDate\b|\bperformance\b|\bset(Timeout|Interval|Immediate)\b/;
const makesRandom = /\brandom(UUID|Bytes|Int|FillSync)\b|\bgetRandomValues\b|\bMath\.random\b/;
const clockFiles = ['src/clock.ts', 'src/ids.ts', 'src/calendar.ts'];
const bannedWords = /^(util|helper|common|misc|manager|service|handler|processor|base|impl)s?$/i;
// Put together from parts, since this file is searched as well.
const hosts = [
  'npm' + 'js\\.',
  'npm' + 'mirror',
  'debian' + '\\.org',
  'yarn' + 'pkg\\.',
  'ghcr' + '\\.io',
];
const machinePath = `(^|[\\s'"\`(=])/(${['work', 'root', 'tmp'].join('|')})/\\w`;

const shown = ({ from, to }: Import) => `${from} (${layerOf(from)[0]}) → ${to} (${layerOf(to)[0]})`;
const ofProduct = ({ from }: Import) => product.includes(from);

describe('imports', () => {
  it('go where the table of layers lets them', () => {
    const wrong = ownImports.filter(ofProduct).filter(({ from, to, isType }) => {
      const layer = layerOf(to)[0];
      const may = `facts ~frame ${layerOf(from)[2]}`.split(' ');
      if (may.includes(layer)) return false;
      if (isType && may.includes(`~${layer}`)) return false;
      return from.split('/')[1] !== to.split('/')[1] || !may.includes(`.${layer}`);
    });
    expect(wrong.map(shown)).toEqual([]);
  });

  it('leave pure files pure: nothing from outside but assertions and digests', () => {
    const pure = imports
      .filter((each) => ofProduct(each) && !each.isType)
      .filter(({ from }) => ['facts', 'pure', 'port'].includes(layerOf(from)[0]));
    const outside = pure.filter(({ to }) => !code.includes(to));
    expect(outside.filter(({ to }) => !/^node:(assert|crypto)$/.test(to)).map(shown)).toEqual([]);
  });

  it('let one file know each package', () => {
    const importers = new Map<string, Set<string>>();
    for (const { from, to } of imports.filter((each) => ofProduct(each) && !each.isType)) {
      const name = to
        .split('/')
        .slice(0, to.startsWith('@') ? 2 : 1)
        .join('/');
      if (to.startsWith('src/') || sharedPackages.test(to)) continue;
      importers.set(name, (importers.get(name) ?? new Set()).add(from));
    }
    expect([...importers].filter(([, { size }]) => size > 1)).toEqual([]);
  });

  it('make no circle in the running program', () => {
    const real = ownImports.filter(({ isType }) => !isType);
    const circular = real.filter(({ from, to }) => reached([to], real).has(from));
    expect(circular.map(shown)).toEqual([]);
  });

  it('reach every file from a command, a test of the whole or a benchmark', () => {
    const named = ['package.json', '.ci/run', 'CONTRIBUTING.md'].map(textOf).join();
    const isRoot = (path: string) =>
      /^(tests\/.*\.test\.|bench\/|[\w.-]+$)/.test(path) || named.includes(path);
    const alive = reached(code.filter(isRoot));
    expect(code.filter((path) => !/\.(test|d)\.\w+$/.test(path) && !alive.has(path))).toEqual([]);
  });
});

describe('every file', () => {
  it('exports no function and no class that only it uses, and none that only tests use', () => {
    const exported = product.flatMap((path) =>
      [...bareOf(path).matchAll(/^export (?:async )?(?:function\*?|class) (\w+)/gm)].map(
        ([, name]) => ({ path, name: new RegExp(`\\b${name}\\b`) }),
      ),
    );
    const users = code.filter((path) => !/^tests\/|\.test\./.test(path));
    const dead = exported.filter(({ path, name }) => {
      const usedWithin = bareOf(path).split(name).length > 2;
      const usedBy = (from: readonly string[]) =>
        from.some((other) => other !== path && name.test(bareOf(other)));
      return !usedBy(usedWithin ? code : users);
    });
    expect(dead.map(({ path, name }) => `${path}: ${name.source}`)).toEqual([]);
  });

  it.each(code)('%s keeps to names, length, width, first line, clock and ids', (path) => {
    const bare = bareOf(path);
    const lines = textOf(path).split('\n');
    // What a package calls its own things is not ours to name.
    const ours = bare.replace(/^import [^;]*;/gm, '');
    const declared = ours.matchAll(/\b(?:const|let|function\*?|class|interface|type)\s+(\w+)/g);
    const names = [...[...declared].map(([, name]) => name ?? ''), ...path.split('/').slice(1)];
    const isBanned = (name: string) =>
      /^I[A-Z][a-z]/.test(name) ||
      name.split(/(?=[A-Z])|[-._]/).some((part) => bannedWords.test(part));
    expect.soft(names.filter(isBanned), 'names').toEqual([]);
    expect.soft(lines.length - 1, 'lines').toBeLessThanOrEqual(maxFileLines);
    const wide = lines.flatMap((line, at) => ([...line].length > maxColumns ? [at + 1] : []));
    expect.soft(wide, `lines wider than ${maxColumns} columns`).toEqual([]);
    expect.soft(lines[0], 'a first line that says what the file is for').toMatch(/^(\/\/ |#!)/);
    if (!product.includes(path)) return;
    expect.soft(bare, 'default exports').not.toMatch(/^export default /m);
    if (path !== 'src/main.ts')
      expect.soft(bare, 'ends of the process').not.toMatch(/\bprocess\.exit\b/);
    if (clockFiles.includes(path)) return;
    expect.soft(bare.match(readsClock)?.[0], 'time that is not the clock’s').toBeUndefined();
    expect.soft(bare.match(makesRandom)?.[0], 'randomness that is not the ids’').toBeUndefined();
  });

  it('names no package registry and no path of one machine', () => {
    const banned = new RegExp([...hosts, machinePath].join('|'), 'im');
    expect(files.filter((path) => banned.test(textOf(path)))).toEqual([]);
    expect(textOf('package-lock.json')).not.toContain('"resolved": "http');
  });
});
