// The configuration: complete, closed to others, and no value can become more than a value.
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededIds } from '../../ids.ts';
import {
  type AgentSettings,
  type PrivateSettings,
  randomSecret,
  type TrunkSettings,
  writePrivateConfig,
  writeSiteConfig,
} from './asterisk-config.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gh-config-'));
});
afterEach(() => rm(folder, { recursive: true }));

const trunk: TrunkSettings = { name: 'carrier', host: 'sip.example.net', port: 5060 };
const agent: AgentSettings = { extension: '8001', secret: 'secret-of-8001' };

const settingsIn = (home: string): PrivateSettings => ({
  home,
  recordings: join(home, 'recordings'),
  modules: '/opt/asterisk/modules',
  data: '/opt/asterisk/data',
  amiPort: 5038,
  ariPort: 8088,
  sipPort: 5060,
  rtpFrom: 20_000,
  rtpTo: 20_999,
  amiSecret: randomSecret(seededIds(1)),
  ariSecret: randomSecret(seededIds(2)),
  trunks: [trunk],
  agents: [agent],
});

/** Sections of a configuration file: a list, since Asterisk lets names repeat. */
async function sectionsOf(file: string): Promise<{ name: string; lines: string[] }[]> {
  const sections: { name: string; lines: string[] }[] = [];
  for (const line of (await readFile(file, 'utf8')).split('\n')) {
    const text = line.replace(/^;.*/, '').trim();
    const name = /^\[(.+)\]$/.exec(text)?.[1];
    if (name !== undefined) sections.push({ name, lines: [] });
    else if (text !== '') sections.at(-1)?.lines.push(text);
  }
  return sections;
}

describe('a private configuration', () => {
  it('is complete: every file that is included stands there, no place is left open', async () => {
    const settings = settingsIn(folder);
    const main = await writePrivateConfig(settings);
    const etc = join(folder, 'etc');
    expect(main).toBe(join(etc, 'asterisk.conf'));
    for (const name of await readdir(etc, { recursive: true })) {
      if (!name.endsWith('.conf')) continue;
      const text = await readFile(join(etc, name), 'utf8');
      expect(text).not.toContain('{{');
      for (const [, included] of text.matchAll(/^#include "(.+)"$/gm))
        expect(existsSync(join(etc, included ?? '')), included).toBe(true);
    }
  });

  it('is readable by its owner only, as its recordings are', async () => {
    const settings = settingsIn(folder);
    await writePrivateConfig(settings);
    for (const name of await readdir(join(folder, 'etc'), { recursive: true })) {
      const found = await stat(join(folder, 'etc', name));
      expect(found.mode & 0o777, name).toBe(found.isDirectory() ? 0o700 : 0o600);
    }
    expect((await stat(join(folder, 'log/cdr-csv'))).mode & 0o777).toBe(0o700);
    expect((await stat(settings.recordings)).mode & 0o7777).toBe(0o700);
  });

  it('can be written again over itself', async () => {
    const settings = settingsIn(folder);
    await writePrivateConfig(settings);
    const file = join(folder, 'etc/floor/pjsip.conf');
    const first = await readFile(file, 'utf8');
    await writePrivateConfig(settings);
    expect(await readFile(file, 'utf8')).toBe(first);
    expect((await readdir(join(folder, 'etc/floor'))).sort()).toEqual([
      'ari.conf',
      'extensions.conf',
      'manager.conf',
      'pjsip.conf',
    ]);
  });

  it('listens on loopback only', async () => {
    await writePrivateConfig(settingsIn(folder));
    for (const [file, key] of [
      ['http.conf', 'bindaddr'],
      ['manager.conf', 'bindaddr'],
      ['pjsip.conf', 'bind'],
    ] as const) {
      const lines = (await sectionsOf(join(folder, 'etc', file))).flatMap((each) => each.lines);
      const binds = lines.filter((line) => line.split(' = ')[0] === key);
      expect(binds).toHaveLength(1);
      expect(binds[0]).toContain(' = 127.0.0.1');
    }
  });

  it('refuses a home whose control socket could not be made', async () => {
    const home = join(folder, 'x'.repeat(100));
    const unsafe = { code: 'asterisk.config-unsafe' };
    await expect(writePrivateConfig(settingsIn(home))).rejects.toMatchObject(unsafe);
    expect(existsSync(home)).toBe(false);
  });
});

describe('the part for a site’s own Asterisk', () => {
  const { trunks, agents, amiSecret, ariSecret } = settingsIn('/');
  const write = (recordings = join(folder, 'recordings')) =>
    writeSiteConfig({ trunks, agents, amiSecret, ariSecret, recordings }, join(folder, 'site'));
  /** As tmpfiles makes them; mkdir() alone would mask the modes. */
  beforeEach(async () => {
    for (const [name, mode] of Object.entries({ site: 0o2750, recordings: 0o2770 })) {
      await mkdir(join(folder, name));
      await chmod(join(folder, name), mode);
    }
  });
  const modeOf = async (...names: string[]) => (await stat(join(folder, ...names))).mode & 0o7777;

  it('stands alone, without transport or folders of ours', async () => {
    await write();
    const pjsip = await readFile(join(folder, 'site/pjsip.conf'), 'utf8');
    expect(pjsip).not.toContain('transport =');
    const dialplan = await readFile(join(folder, 'site/extensions.conf'), 'utf8');
    expect(dialplan).toContain(`Set(recording=${folder}/recordings/$`);
  });

  it('is for its group to read, in folders that stay as the site made them', async () => {
    await write();
    await write();
    expect(await modeOf('site')).toBe(0o2750);
    expect(await modeOf('recordings')).toBe(0o2770);
    const names = (await readdir(join(folder, 'site'))).sort();
    expect(names).toEqual(['ari.conf', 'extensions.conf', 'manager.conf', 'pjsip.conf']);
    for (const name of names) expect(await modeOf('site', name), name).toBe(0o640);
  });

  it.each([
    ['site', 0o750],
    ['site', 0o2755],
    ['recordings', 0o2750],
    ['recordings', 0o2777],
  ])('refuses a folder that is not shared by two users: %s of mode %o', async (name, mode) => {
    await chmod(join(folder, name), mode);
    const fault = { code: 'asterisk.folder-not-shared' };
    await expect(write()).rejects.toMatchObject(fault);
    expect(await readdir(join(folder, 'site'))).toEqual([]);
  });

  it('refuses a folder that is not there, or that is none', async () => {
    const fault = { code: 'asterisk.folder-not-shared' };
    await expect(write(join(folder, 'none'))).rejects.toMatchObject(fault);
    await write();
    const file = join(folder, 'site/ari.conf');
    await chmod(file, 0o2770);
    await expect(write(file)).rejects.toMatchObject(fault);
  });
});

describe('the floor’s part', () => {
  it('gives AMI and ARI one narrow user each', async () => {
    const settings = settingsIn(folder);
    await writePrivateConfig(settings);
    const [ami] = await sectionsOf(join(folder, 'etc/floor/manager.conf'));
    expect(ami?.lines).toContain('read = call');
    expect(ami?.lines).toContain('write = reporting');
    expect(ami?.lines).toContain(`secret = ${settings.amiSecret}`);
    const [ari] = await sectionsOf(join(folder, 'etc/floor/ari.conf'));
    expect(ari?.lines).toContain(`password = ${settings.ariSecret}`);
    expect(settings.ariSecret).toMatch(/^[0-9a-f]{64}$/);
  });

  it('lets no endpoint transfer, subscribe or reach anything by itself', async () => {
    await writePrivateConfig(settingsIn(folder));
    const sections = await sectionsOf(join(folder, 'etc/floor/pjsip.conf'));
    const endpoints = sections.filter((each) => each.lines.includes('type = endpoint'));
    expect(endpoints.map((each) => each.name)).toEqual(['carrier', '8001']);
    for (const { lines } of endpoints)
      for (const line of [
        'context = gatehouse-refuse',
        'allow_transfer = no',
        'allow_subscribe = no',
        'direct_media = no',
      ])
        expect(lines).toContain(line);
  });

  it('finds a phone by registration, or where it is said to be', async () => {
    const contact = { host: '127.0.0.1', port: 15_080 };
    const agents = [agent, { ...agent, extension: '8002', contact }];
    await writePrivateConfig({ ...settingsIn(folder), agents });
    const sections = await sectionsOf(join(folder, 'etc/floor/pjsip.conf'));
    const reach = (name: string) =>
      sections.find((each) => each.name === name && each.lines.includes('type = aor'))?.lines;
    expect(reach('8001')).toEqual(['type = aor', 'max_contacts = 1', 'remove_existing = yes']);
    expect(reach('8002')).toEqual(['type = aor', 'contact = sip:8002@127.0.0.1:15080']);
  });

  it('logs in to a carrier that asks for it', async () => {
    const trunks = [{ ...trunk, username: 'floor+1', secret: 'secret-of-carrier' }];
    await writePrivateConfig({ ...settingsIn(folder), trunks });
    const sections = await sectionsOf(join(folder, 'etc/floor/pjsip.conf'));
    expect(sections.find((each) => each.name === 'carrier-login')?.lines).toEqual([
      'type = auth',
      'auth_type = userpass',
      'username = floor+1',
      'password = secret-of-carrier',
    ]);
    expect(sections[0]?.lines).toContain('outbound_auth = carrier-login');
  });
});

describe('a value from outside', () => {
  const hostile: readonly [string, Partial<PrivateSettings>][] = [
    ['a trunk named as a section', { trunks: [{ ...trunk, name: 'x]\n[evil' }] }],
    ['a trunk named as a phone', { trunks: [{ ...trunk, name: '8001' }] }],
    ['a host with a line break', { trunks: [{ ...trunk, host: 'a\ncontext = x' }] }],
    ['a host with a comment', { trunks: [{ ...trunk, host: 'a;b' }] }],
    ['a host with a parameter', { trunks: [{ ...trunk, host: 'a>;x=<b' }] }],
    ['a port that is none', { trunks: [{ ...trunk, port: 70_000 }] }],
    ['a port with a fraction', { ariPort: 8088.5 }],
    ['a user with a line break', { trunks: [{ ...trunk, username: 'a\nb', secret: '12345678' }] }],
    ['a user without a secret', { trunks: [{ ...trunk, username: 'a' }] }],
    ['a secret with a comment', { agents: [{ ...agent, secret: 'abc;defgh' }] }],
    ['a short secret', { agents: [{ ...agent, secret: 'short' }] }],
    ['an extension that is a name', { agents: [{ ...agent, extension: 'carrier' }] }],
    ['a folder with a comma', { recordings: '/srv/a,b' }],
    ['a folder with a variable', { recordings: '/srv/$' + '{SHELL(x)}' }],
    ['a folder that is not absolute', { recordings: 'srv' }],
    ['a folder with a line break', { data: '/x\n[options]' }],
    ['an ARI secret with a line break', { ariSecret: 'abcdefgh\nread_only = no' }],
  ];
  it.each(hostile)('%s is refused, and nothing is written', async (_what, wrong) => {
    const home = join(folder, 'home');
    const settings = { ...settingsIn(home), ...wrong };
    const unsafe = { code: 'asterisk.config-unsafe', kind: 'refuse' };
    await expect(writePrivateConfig(settings)).rejects.toMatchObject(unsafe);
    expect(existsSync(home)).toBe(false);
  });
});

describe('the templates', () => {
  it('name only source files that exist', async () => {
    const root = fileURLToPath(new URL('../../../', import.meta.url));
    const templates = join(root, 'asterisk');
    const sources = (await readdir(join(root, 'src'), { recursive: true })).filter((name) =>
      name.endsWith('.ts'),
    );
    for (const name of await readdir(templates, { recursive: true })) {
      if (!name.endsWith('.conf')) continue;
      const text = await readFile(join(templates, name), 'utf8');
      for (const [source] of text.matchAll(/[\w/-]+\.ts\b/g))
        expect(
          sources.some((path) => path === source || `src/${path}`.endsWith(source)),
          `${name}: ${source}`,
        ).toBe(true);
    }
  });
});
