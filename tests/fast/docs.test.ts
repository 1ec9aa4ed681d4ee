// What the pages say and what the program does are held to each other.
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { configMarkdown } from '../../src/config-markdown.ts';
import { configSchema, type SchemaPart } from '../../src/config-schema.ts';
import { errorTable } from '../../src/errors.ts';
import { files, product, textOf } from '../sources.ts';

const pages = files.filter((path) => path.endsWith('.md'));
const headingsOf = (text: string) => text.match(/^#+ .*$/gm) ?? [];

describe('docs/errors.md', () => {
  const [errors = '', alarms = ''] = textOf('docs/errors.md').split('## Alarms');
  const sections = (text: string) => text.split(/^### /m).slice(1);

  it('explains every code of errors.ts with its kind, and no other', () => {
    const stated = sections(errors).map((section) => section.split('\n')[0]);
    const codes = Object.entries(errorTable).map(([code, [kind]]) => `\`${code}\` (${kind})`);
    expect(stated).toEqual(codes.sort());
  });

  it('explains every alarm that a room raises, and no other', () => {
    const raised = product.flatMap((path) =>
      [...textOf(path).matchAll(/raiseAlarm\(\s*draft,\s*'([a-z-]+)'/g)].map(([, code]) => code),
    );
    const stated = sections(alarms).map((section) => /^`(.+)`/.exec(section)?.[1]);
    expect(stated).toEqual([...new Set(raised)].sort());
  });

  it.each(sections(errors + alarms).map((section) => [section.split('\n')[0], section]))(
    '%s says what you see, why, and what to do',
    (_, section) => {
      expect(section).toMatch(/^- \*\*You see\*\* [\s\S]+^- \*\*Why\*\* [\s\S]+^- \*\*Do\*\* /m);
    },
  );
});

describe('the configuration', () => {
  it('is the page that the schema makes (vitest -u writes it)', async () => {
    await expect(configMarkdown()).toMatchFileSnapshot('../../docs/config.md');
  });

  it('of the example is one that a site could start with', () => {
    const { http, telephony } = loadConfig('gatehouse.example.yaml');
    expect(http.tls).toBeDefined();
    expect(telephony.asterisk.run).toBe('site');
  });

  it('has no key that nothing reads', () => {
    const code = product
      .filter((path) => !/\/config[^/]*$/.test(path))
      .map(textOf)
      .join('\n');
    // Read by their place in a group, not by name.
    const byGroup = /^contact\.(hours|caps)\./;
    const unread = leaves(configSchema, '').filter((path) => {
      const name = path.split('.').at(-1) ?? '';
      const isRead = new RegExp(`\\.${name}\\b|[{,]\\s*${name}\\s*[,}:]`);
      return !byGroup.test(path) && !isRead.test(code);
    });
    expect(unread).toEqual([]);
  });
});

/** Paths of all keys that hold a value. */
function leaves(schema: SchemaPart, at: string): string[] {
  const properties = schema.properties ?? schema.items?.properties;
  if (!properties) return [at];
  return Object.entries(properties).flatMap(([key, each]) =>
    leaves(each, at ? `${at}.${key}` : key),
  );
}

describe('links', () => {
  it.each(pages)('of %s lead somewhere', (page) => {
    // What stands in code is no link, whatever it looks like.
    const text = textOf(page).replace(/```[\s\S]*?```|`[^`\n]*`/g, '');
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');
    const lost = targets.filter((target) => {
      if (/^(https?|mailto):/.test(target)) return false;
      const [file = '', heading] = target.split('#');
      const path = file === '' ? page : normalize(join(dirname(page), file));
      if (!existsSync(path)) return true;
      return (
        heading !== undefined && !headingsOf(textOf(path)).some((each) => slug(each) === heading)
      );
    });
    expect(lost).toEqual([]);
  });
});

/** The anchor that a heading gets on the usual hosts of repositories. */
function slug(heading: string): string {
  const words = heading.replace(/^#+ /, '').toLowerCase();
  return words.replace(/[^\p{L}\p{Nd} _-]/gu, '').replaceAll(' ', '-');
}

describe('README.md and README.zh-CN.md', () => {
  const twins = ['README.md', 'README.zh-CN.md'].map(textOf);
  const commandsOf = (text: string) =>
    [...text.matchAll(/^```(?:sh|bash|yaml)?\n([\s\S]*?)^```/gm)].map(([, block]) =>
      // What a comment says is in the page's own language.
      block?.replace(/\s*#.*$/gm, ''),
    );

  it('are both there, with the same headings in the same order', () => {
    const [levels, twinLevels] = twins.map((text) =>
      headingsOf(text).map((heading) => heading.replace(/[^#].*$/, '')),
    );
    expect(levels?.length).toBeGreaterThan(3);
    expect(twinLevels).toEqual(levels);
  });

  it('name the same commands, the demo first and the tests second', () => {
    const [commands, twinCommands] = twins.map(commandsOf);
    expect(twinCommands).toEqual(commands);
    const text = commands?.join('\n') ?? '';
    expect(text.indexOf('npm run demo')).toBeGreaterThanOrEqual(0);
    expect(text.indexOf('npm test')).toBeGreaterThan(text.indexOf('npm run demo'));
  });
});
