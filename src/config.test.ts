// The configuration: defaults that run as they are, and faults that are named, all at once.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isLoopback, loadConfig, maxFaults, parseConfig, readSecret } from './config.ts';
import { FloorError } from './errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
afterAll(() => rmSync(folder, { recursive: true }));

function faultOf(make: () => unknown): FloorError {
  try {
    make();
  } catch (error) {
    if (error instanceof FloorError) return error;
    throw error;
  }
  throw new Error('no fault');
}

describe('defaults', () => {
  it('run without any file, on loopback, below the working directory', () => {
    const config = loadConfig();
    expect(config.dataDir).toBe(join(process.cwd(), 'data'));
    expect(isLoopback(config.http.host)).toBe(true);
    expect(config.telephony.campaign).toMatchObject({ limitShare: 0.03, targetShare: 0.02 });
  });

  it('hold below the keys that a file sets, and paths start where they should', () => {
    const file = join(folder, 'gatehouse.yaml');
    writeFileSync(
      file,
      `dataDir: /var/lib/gatehouse
keysDir: own-keys
telephony:
  trunks: [{ name: carrier, host: 192.0.2.10 }]
  asterisk: { spoolDir: /var/spool/gatehouse }
`,
    );
    const { dataDir, keysDir, telephony, http } = loadConfig(file);
    expect({ dataDir, keysDir }).toEqual({
      dataDir: '/var/lib/gatehouse',
      keysDir: join(folder, 'own-keys'),
    });
    expect(telephony.asterisk.secretsDir).toBe('/var/lib/gatehouse/secrets');
    expect(telephony.asterisk.spoolDir).toBe('/var/spool/gatehouse');
    expect(telephony.trunks[0]).toEqual({
      name: 'carrier',
      host: '192.0.2.10',
      port: 5060,
      maxLines: 60,
    });
    expect(http.port).toBe(parseConfig('', folder).http.port);
  });
});

describe('faults', () => {
  it.each([
    ['an unknown key', 'zz: 1', 'zz is not a key; allowed here: dataDir, keysDir'],
    ['an inherited name', 'constructor: 1', 'constructor is not a key'],
    ['an unknown key within', 'http: { prot: 1 }', 'http.prot is not a key; allowed here: host'],
    ['a wrong type', 'http: { port: "80" }', 'http.port is text of 2 characters; allowed: a whole'],
    ['text without quotes', 'dataDir: 3', 'dataDir is a number; allowed: a path; write it in'],
    [
      'out of range',
      'telephony: { campaign: { ringMs: 9000 } }',
      'is 9000; allowed: a whole number',
    ],
    ['a wrong word', 'telephony: { asterisk: { run: x } }', 'is "x"; allowed: `private` or `site`'],
    ['an empty group', 'http:', 'http is empty; allowed: keys host'],
    ['a list for a group', 'http: []', 'http is a list of 0; allowed: keys host'],
    ['a missing key', 'telephony: { trunks: [{ name: a }] }', 'telephony.trunks[0] lacks host'],
    ['no mapping', 'hello', 'the file is text of 5 characters'],
    ['no YAML', 'a: [', 'Correct'],
    ['a key twice', 'dataDir: a\ndataDir: b', 'Map keys must be unique'],
    ['a tag', 'dataDir: !!binary aGk=', 'Correct'],
    ['a bind beyond loopback', 'http: { host: 0.0.0.0 }', 'so http.tls must be set'],
    ['an unknown zone', 'site: { timeZone: Mars/Base }', 'site.timeZone is not the name'],
    ['a region that is none', 'site: { region: XX }', 'site.region is not a country'],
    ['keys beside the data', 'keysDir: data', 'keysDir lies within dataDir'],
    ['keys in the data', 'keysDir: data/own/keys', 'keysDir lies within dataDir'],
    ['data in the keys', 'keysDir: .\ndataDir: data', 'keysDir holds dataDir'],
    ['a spool in the vault', asteriskWith('spoolDir: vault/raw'), 'spoolDir lies within vault'],
    ['a spool that is the data', asteriskWith('spoolDir: .'), 'spoolDir holds dataDir'],
    [
      'secrets that Asterisk reads',
      asteriskWith('secretsDir: asterisk/s'),
      'secretsDir lies within',
    ],
    [
      'a spool as a quarantine',
      asteriskWith('configDir: spool-quarantine'),
      'configDir lies within',
    ],
    [
      'days of records not ours',
      `${asteriskWith('run: site')}\nretention: { cdrDays: 7 }`,
      'logrotate',
    ],
    ['a phone nobody signs in at', phone('1000001'), 'telephony.extensions[0].number is text'],
    ['an unknown zone in a list', 'contact: { zones: [Here] }', 'contact.zones[0] is not the name'],
    [
      'hours that are none',
      'contact: { hours: { mon: ["08:00-24:30"] } }',
      'hours like 08:00-24:30',
    ],
    ['an unknown cap', 'contact: { caps: { often: 3 } }', 'contact.caps.often is not a key'],
    ['a cap of none', 'contact: { caps: { guide-answers: 0 } }', 'is 0; allowed: a whole number'],
    ['a day that is none', calendar('2027-02-30'), 'not a day or span of days: 2027-02-30'],
    ['a trunk like a number', trunk('line-2024-1001'), 'trunks[0].name looks like a phone'],
    ['a trunk that is no id', trunk('carrier--a'), 'telephony.trunks[0].name is not an id'],
    ['a requirement like a number', requirement('n-1234567'), 'requirements[0] looks like a phone'],
    ['a long extension', 'telephony: { extensions: [{ number: "1000001" }] }', 'text of 7 char'],
    ['ports twice', 'http: { port: 5060 }', 'ports stand twice: 5060'],
    ['a target above the limit', campaign('limitShare: 0.01'), 'targetShare is above limitShare'],
    ['a limit above the law', campaign('limitShare: 0.2'), 'a number from 0 to 0.03'],
  ])('%s', (_, text, message) => {
    const fault = faultOf(() => parseConfig(text, folder, 'site.yaml'));
    expect(fault.code).toBe('config.invalid');
    expect(fault.message).toContain(message);
    expect(fault.message).toContain('site.yaml');
  });

  it('are all named, up to a limit, and say how many more there are', () => {
    const keys = Array.from({ length: maxFaults + 5 }, (_, i) => `k${i}: 1`);
    const { message } = faultOf(() => parseConfig(keys.join('\n'), folder));
    expect(message.match(/is not a key/g)).toHaveLength(maxFaults);
    expect(message).toMatch(/and 5 more$/);
  });

  it('never repeat text, which may be a secret at the wrong place', () => {
    const { message } = faultOf(() => parseConfig('http: { port: hunter2 }', folder));
    expect(message).not.toContain('hunter2');
  });

  it('stop aliases that grow beyond all measure', () => {
    const lines = Array.from({ length: 9 }, (_, i) => `k${i}: &a${i} [${`*a${i - 1},`.repeat(9)}]`);
    const bomb = ['k: &a-1 [x]', ...lines].join('\n');
    expect(faultOf(() => parseConfig(bomb, folder)).code).toBe('config.invalid');
  });
});

describe('secret files', () => {
  const file = join(folder, 'secret');

  it('give their text without the newline', () => {
    writeFileSync(file, 'a secret\n', { mode: 0o600 });
    expect(readSecret(file)).toBe('a secret');
  });

  it('are refused when others can read them, when empty, when missing', () => {
    chmodSync(file, 0o640);
    expect(faultOf(() => readSecret(file)).message).toContain('chmod 600');
    writeFileSync(file, '\n');
    chmodSync(file, 0o600);
    expect(faultOf(() => readSecret(file)).message).toContain('is empty');
    expect(faultOf(() => readSecret(`${file}-none`)).code).toBe('config.unreadable');
  });
});

function asteriskWith(keys: string): string {
  return `telephony: { asterisk: { ${keys} } }`;
}

function phone(number: string): string {
  return `telephony: { extensions: [{ number: '${number}' }] }`;
}

function campaign(keys: string): string {
  return `telephony: { campaign: { ${keys} } }`;
}

function trunk(name: string): string {
  return `telephony: { trunks: [{ name: ${name}, host: 192.0.2.10 }] }`;
}

function requirement(name: string): string {
  return `telephony: { requirements: [${name}] }`;
}

function calendar(day: string): string {
  return `site: { calendar: [{ year: 2027, source: a, holidays: ['${day}'], swapped: [] }] }`;
}
