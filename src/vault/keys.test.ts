// Site keys: what follows from the master key, what a person types back, what a folder may hold.
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { publicKeyText } from '../audit/checkpoint.ts';
import { realIds, seededIds } from '../ids.ts';
import {
  addSigningKey,
  type KeysOutcome,
  openSiteKeys,
  readRecoverySheet,
  recoverySheet,
  restoreMasterKey,
  signingKeyFrom,
  siteKeysFrom,
} from './keys.ts';

const ids = seededIds(21);
const master = ids.bytes(32);
const keys = siteKeysFrom(master);

const folders: string[] = [];
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-keys-'));
  folders.push(folder);
  return folder;
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
function opened(outcome: KeysOutcome) {
  if (!outcome.opened) throw new Error(outcome.fault);
  return outcome;
}

describe('what follows from a master key', () => {
  it('wraps and unwraps, the same key always to the same text', () => {
    const objectKey = ids.bytes(32);
    expect(keys.unwrap(keys.wrap(objectKey))).toEqual(objectKey);
    expect(siteKeysFrom(master).wrap(objectKey)).toBe(keys.wrap(objectKey));
  });

  it('does not unwrap what another master wrapped, nor any changed digit', () => {
    const wrapped = keys.wrap(ids.bytes(32));
    expect(siteKeysFrom(ids.bytes(32)).unwrap(wrapped)).toBeUndefined();
    for (let i = 0; i < wrapped.length; i += 1) {
      const other = wrapped[i] === '0' ? '1' : '0';
      expect(keys.unwrap(wrapped.slice(0, i) + other + wrapped.slice(i + 1))).toBeUndefined();
    }
    for (const bad of ['', wrapped.slice(2), `${wrapped}00`, wrapped.toUpperCase(), 'x'.repeat(80)])
      expect(keys.unwrap(bad)).toBeUndefined();
  });

  it('is what stock openssl derives: HKDF, then RFC 3394', () => {
    const derive = (use: string) =>
      execFileSync('openssl', [
        ...['kdf', '-keylen', '32', '-kdfopt', 'digest:SHA256'],
        ...['-kdfopt', `hexkey:${master.toString('hex')}`, '-kdfopt', `info:gatehouse ${use} v1`],
        ...['-binary', 'HKDF'],
      ]);
    const objectKey = ids.bytes(32);
    const unwrapped = execFileSync(
      'openssl',
      [
        ...['enc', '-d', '-id-aes256-wrap', '-iv', 'a6a6a6a6a6a6a6a6'],
        ...['-K', derive('wrap').toString('hex')],
      ],
      { input: Buffer.from(keys.wrap(objectKey), 'hex') },
    );
    expect(unwrapped).toEqual(objectKey);
    const hmac = createHmac('sha256', derive('digest')).update('phone-number\n+12025550123');
    expect(keys.digest('phone-number', '+12025550123')).toBe(hmac.digest('hex'));
  });

  it('keeps kinds and sites apart in its digests, and shows no key in its name', () => {
    const text = '+12025550123';
    expect(keys.digest('phone-number', text)).not.toBe(keys.digest('card', text));
    expect(siteKeysFrom(ids.bytes(32)).digest('card', text)).not.toBe(keys.digest('card', text));
    expect(keys.keyId).toMatch(/^[0-9a-f]{32}$/);
    expect(siteKeysFrom(ids.bytes(32)).keyId).not.toBe(keys.keyId);
  });
});

describe('the recovery sheet', () => {
  const sheet = recoverySheet(master, 'site-23456789bcdfghjk');
  const lineOf = (number: number) =>
    sheet.split('\n').find((line) => line.trim().startsWith(`${number}:`)) ?? '';

  it('is read back as printed, and for any key', () => {
    expect(readRecoverySheet(sheet)).toEqual({ read: true, master });
    for (let i = 0; i < 100; i += 1) {
      const other = ids.bytes(32);
      expect(readRecoverySheet(recoverySheet(other, 'site-a'))).toEqual({
        read: true,
        master: other,
      });
    }
  });

  it.each<[string, (text: string) => string]>([
    ['in capitals', (text) => text.toUpperCase()],
    ['with O for 0 and l for 1', (text) => text.replaceAll('0', 'O').replace(/1(?!:)/g, 'l')],
    ['without blanks', (text) => text.replaceAll(' ', '')],
    ['with dots after the numbers', (text) => text.replaceAll(':', '.')],
    ['backwards', (text) => text.split('\n').reverse().join('\n')],
    ['with carriage returns', (text) => text.replaceAll('\n', '\r\n')],
    ['only its four lines', () => [1, 2, 3, 4].map(lineOf).join('\n')],
  ])('may be typed %s', (_name, typed) => {
    expect(readRecoverySheet(typed(sheet))).toEqual({ read: true, master });
  });

  it('names each line with any wrong or swapped digit', () => {
    for (let number = 1; number <= 4; number += 1) {
      const line = lineOf(number);
      for (let i = line.indexOf(':') + 1; i < line.length; i += 1) {
        if (!/[0-9a-f]/.test(line[i] ?? '')) continue;
        const wrong = line.slice(0, i) + (line[i] === '7' ? '8' : '7') + line.slice(i + 1);
        const reading = readRecoverySheet(sheet.replace(line, wrong));
        expect(reading).toEqual({ read: false, wrongLines: [number] });
      }
    }
  });

  it('names lines that are missing, exchanged or too long', () => {
    expect(readRecoverySheet('')).toEqual({ read: false, wrongLines: [1, 2, 3, 4] });
    const swapped = sheet.replace('  1:', '  x:').replace('  2:', '  1:').replace('  x:', '  2:');
    expect(readRecoverySheet(swapped)).toEqual({ read: false, wrongLines: [1, 2] });
    const long = sheet.replace(lineOf(3), `${lineOf(3)}0`);
    expect(readRecoverySheet(long)).toEqual({ read: false, wrongLines: [3] });
  });

  it('has the site, and of the master key its name but not the whole name', () => {
    expect(sheet).toContain('site-23456789bcdfghjk');
    expect(sheet.replaceAll(' ', '')).toContain(keys.keyId.slice(0, 16));
  });
});

describe('the key folder', () => {
  it('is filled at the first start, for the owner only, and then opened the same', () => {
    const folder = join(newFolder(), 'keys');
    const first = opened(openSiteKeys(folder, realIds, undefined));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(folder)) {
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    }
    const inForce = publicKeyText(first.signingKey);
    const second = opened(openSiteKeys(folder, realIds, inForce));
    expect(second.keys.keyId).toBe(first.keys.keyId);
    expect(publicKeyText(second.signingKey)).toBe(inForce);
    const reading = readRecoverySheet(second.sheet('site-a'));
    expect(reading.read && siteKeysFrom(reading.master).keyId).toBe(first.keys.keyId);
  });

  it('keeps the master key when a crash came before the first entry', () => {
    const folder = newFolder();
    const first = opened(openSiteKeys(folder, realIds, undefined));
    const second = opened(openSiteKeys(folder, realIds, undefined));
    expect(second.keys.keyId).toBe(first.keys.keyId);
  });

  it('holds the signing key that the ledger names, also after another was added', () => {
    const folder = newFolder();
    const first = opened(openSiteKeys(folder, realIds, undefined));
    const next = addSigningKey(folder, realIds);
    const old = opened(openSiteKeys(folder, realIds, publicKeyText(first.signingKey)));
    expect(publicKeyText(old.signingKey)).toBe(publicKeyText(first.signingKey));
    expect(publicKeyText(opened(openSiteKeys(folder, realIds, next)).signingKey)).toBe(next);
  });

  it('never makes keys anew once the ledger has begun', () => {
    const folder = newFolder();
    const { signingKey } = opened(openSiteKeys(folder, realIds, undefined));
    const inForce = publicKeyText(signingKey);
    const place = join(folder, 'master.key');
    rmSync(place);
    const outcome = openSiteKeys(folder, realIds, inForce);
    expect(outcome).toEqual({ opened: false, fault: 'key-lost', place });
    expect(openSiteKeys(newFolder(), realIds, inForce)).toMatchObject({ fault: 'key-lost' });
    expect(readdirSync(folder)).not.toContain('master.key');
  });

  it.each<[string, (folder: string, signing: string) => void, string]>([
    [
      'a readable master key',
      (folder) => chmodSync(join(folder, 'master.key'), 0o640),
      'key-exposed',
    ],
    [
      'a readable signing key',
      (folder, name) => chmodSync(join(folder, name), 0o604),
      'key-exposed',
    ],
    ['an open folder', (folder) => chmodSync(folder, 0o750), 'key-exposed'],
    [
      'half a master key',
      (folder) => writeFileSync(join(folder, 'master.key'), 'ab12'),
      'key-unreadable',
    ],
    [
      'junk as signing key',
      (folder, name) => writeFileSync(join(folder, name), 'junk'),
      'key-unreadable',
    ],
    [
      'another signing key',
      (folder, name) =>
        writeFileSync(
          join(folder, name),
          signingKeyFrom(ids.bytes(32)).export({ format: 'pem', type: 'pkcs8' }),
        ),
      'key-unreadable',
    ],
    ['no signing key', (folder, name) => rmSync(join(folder, name)), 'key-lost'],
  ])('is refused with %s', (_name, spoil, fault) => {
    const folder = newFolder();
    const { signingKey } = opened(openSiteKeys(folder, realIds, undefined));
    const signing = readdirSync(folder).find((name) => /^signing-.*\.key$/.test(name)) ?? '';
    spoil(folder, signing);
    const outcome = openSiteKeys(folder, realIds, publicKeyText(signingKey));
    expect(outcome).toMatchObject({ opened: false, fault });
    expect(JSON.stringify(outcome)).not.toContain('ab12');
  });

  it('is refused with the master key of another site, once the ledger names its own', () => {
    const folder = newFolder();
    const first = opened(openSiteKeys(folder, realIds, undefined));
    const inForce = publicKeyText(first.signingKey);
    const { keyId } = first.keys;
    expect(opened(openSiteKeys(folder, realIds, inForce, keyId)).keys.keyId).toBe(keyId);
    const place = join(folder, 'master.key');
    writeFileSync(place, `${master.toString('hex')}\n`);
    const outcome = openSiteKeys(folder, realIds, inForce, keyId);
    expect(outcome).toEqual({ opened: false, fault: 'key-foreign', place });
  });

  it('takes a master key back from a sheet, but never over another', () => {
    const folder = newFolder();
    restoreMasterKey(folder, master);
    const inForce = addSigningKey(folder, realIds);
    expect(opened(openSiteKeys(folder, realIds, inForce)).keys.keyId).toBe(keys.keyId);
    expect(() => restoreMasterKey(folder, ids.bytes(32))).toThrow('never replaced');
    expect(readFileSync(join(folder, 'master.key'), 'utf8')).toBe(`${master.toString('hex')}\n`);
  });
});
