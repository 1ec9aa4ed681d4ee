// The vault: what is sealed comes back and opens with stock tools; every fault of the disk is met.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
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
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { seededIds } from '../ids.ts';
import { chunkBytes, realDisk } from './disk.ts';
import { siteKeysFrom } from './keys.ts';
import { objectPath, openVault, type Vault, type VaultObject } from './vault.ts';

const ids = seededIds(41);
const keys = siteKeysFrom(ids.bytes(32));
const root = mkdtempSync(join(tmpdir(), 'gatehouse-vault-'));
afterAll(() => rmSync(root, { recursive: true }));

let folder = '';
let vault: Vault;
let rounds = 0;
beforeEach(() => {
  rounds += 1;
  folder = join(root, `${rounds}`);
  vault = openVault(folder, keys, realDisk, ids);
});

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
function source(bytes: Buffer): string {
  const path = join(root, `source-${ids.next('x')}`);
  writeFileSync(path, bytes);
  return path;
}
async function sealed(bytes: Buffer, by = vault): Promise<VaultObject> {
  const outcome = await by.seal(source(bytes));
  if (!outcome.sealed) throw new Error(outcome.reason, { cause: outcome.cause });
  return outcome.object;
}
async function opened(object: VaultObject, firstByte?: number, lastByte?: number) {
  const range =
    firstByte === undefined || lastByte === undefined ? undefined : { firstByte, lastByte };
  const outcome = await vault.open(object, range);
  if (!outcome.opened) throw new Error(outcome.reason);
  const chunks: Buffer[] = [];
  for await (const chunk of outcome.bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}
const fileOf = (object: VaultObject) => join(folder, objectPath(object.cipherSha256));
const filesIn = (path: string) =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
function spoil(object: VaultObject, change: (bytes: Buffer) => Buffer): void {
  chmodSync(fileOf(object), 0o600);
  writeFileSync(fileOf(object), change(readFileSync(fileOf(object))));
}

const sizes = [1, 15, 16, 17, 1000, chunkBytes - 1, chunkBytes, 2 * chunkBytes + 5];

describe('sealing', () => {
  it.each(sizes)('gives %i bytes back, and says what they were', async (size) => {
    const bytes = Buffer.alloc(size, ids.bytes(509));
    const object = await sealed(bytes);
    expect(object).toMatchObject({
      plainSha256: sha256(bytes),
      plainBytes: size,
      keyId: keys.keyId,
    });
    expect((await opened(object)).equals(bytes)).toBe(true);
    expect(await vault.check(object)).toBe('sound');
  });

  it('leaves ciphertext that nobody can write to, under the name of its hash', async () => {
    const bytes = Buffer.alloc(5000, 'the same words again ');
    const object = await sealed(bytes);
    const hidden = readFileSync(fileOf(object));
    expect(sha256(hidden)).toBe(object.cipherSha256);
    expect(hidden.includes('words')).toBe(false);
    expect(statSync(fileOf(object)).mode & 0o777).toBe(0o400);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('gives the same bytes another key, vector and place each time', async () => {
    const [one, two] = [await sealed(Buffer.from('same')), await sealed(Buffer.from('same'))];
    expect(one.plainSha256).toBe(two.plainSha256);
    for (const part of ['objectId', 'cipherSha256', 'iv', 'wrappedKey'] as const) {
      expect(one[part]).not.toBe(two[part]);
    }
  });

  it('opens with stock openssl', async () => {
    const bytes = ids.bytes(12345);
    const object = await sealed(bytes);
    const key = keys.unwrap(object.wrappedKey)?.toString('hex') ?? '';
    const args = ['enc', '-d', '-aes-256-ctr', '-K', key, '-iv', object.iv, '-in', fileOf(object)];
    expect(execFileSync('openssl', args).equals(bytes)).toBe(true);
  });

  it.each<[string, () => string, string]>([
    ['is not there', () => join(root, 'nothing'), 'source-unreadable'],
    ['is a folder', () => root, 'source-unreadable'],
    ['is empty', () => source(Buffer.alloc(0)), 'source-empty'],
  ])('refuses a source that %s, and leaves nothing', async (_name, path, reason) => {
    expect(await vault.seal(path())).toMatchObject({ sealed: false, reason });
    expect(filesIn(folder)).toEqual([]);
  });

  it('of several files at once mixes nothing', async () => {
    const all = Array.from({ length: 8 }, (_, i) => Buffer.alloc(chunkBytes + i, i));
    const objects = await Promise.all(all.map((bytes) => sealed(bytes)));
    for (const [i, object] of objects.entries()) {
      expect((await opened(object)).equals(all[i] ?? Buffer.alloc(0))).toBe(true);
    }
  });
});

describe('a range', () => {
  const bytes = Buffer.from(Array.from({ length: 2 * chunkBytes + 77 }, (_, i) => (i * 31) % 251));

  it('is the same bytes as of the whole, wherever it begins and ends', async () => {
    const object = await sealed(bytes);
    const last = bytes.length - 1;
    const ranges = [
      [0, 0],
      [0, last],
      [last, last],
      [15, 16],
      [16, 16],
      [chunkBytes - 1, chunkBytes],
      ...Array.from({ length: 60 }, () => {
        const firstByte = ids.below(bytes.length);
        return [firstByte, firstByte + ids.below(bytes.length - firstByte)];
      }),
    ];
    for (const [firstByte = 0, lastByte = 0] of ranges) {
      const part = await opened(object, firstByte, lastByte);
      expect(part.equals(bytes.subarray(firstByte, lastByte + 1)), `${firstByte}`).toBe(true);
    }
  });

  it('counts on past the end of a counter, as openssl does', async () => {
    const full = seededIds(1);
    const nearEnd = {
      ...full,
      bytes: (n: number) => (n === 16 ? Buffer.alloc(16, 0xff) : full.bytes(n)),
    };
    const object = await sealed(bytes, openVault(folder, keys, realDisk, nearEnd));
    expect(object.iv).toBe('ff'.repeat(16));
    const part = await opened(object, 1000, 2000);
    expect(part.equals(bytes.subarray(1000, 2001))).toBe(true);
  });

  it.each([
    [-1, 0],
    [1, 0],
    [0, 4],
    [4, 4],
  ])('from %i to %i of 4 bytes is a wrong program', async (firstByte, lastByte) => {
    const object = await sealed(Buffer.from('four'));
    await expect(opened(object, firstByte, lastByte)).rejects.toThrow('range is outside');
  });
});

describe('damage', () => {
  it.each<[string, (bytes: Buffer) => Buffer]>([
    [
      'a flipped bit',
      (bytes) => Buffer.from(bytes.map((byte, i) => (i === 700 ? byte ^ 4 : byte))),
    ],
    ['a cut tail', (bytes) => bytes.subarray(0, -1)],
    ['a byte more', (bytes) => Buffer.concat([bytes, Buffer.from([0])])],
    ['nothing left', () => Buffer.alloc(0)],
    ['other bytes', (bytes) => ids.bytes(bytes.length)],
  ])('as %s is found, and a whole stream ends in an error', async (_name, change) => {
    const object = await sealed(ids.bytes(1000));
    spoil(object, change);
    expect(await vault.check(object)).toBe('damaged');
    await expect(opened(object)).rejects.toThrow('not what was sealed');
  });

  it('of the row is found too', async () => {
    const [object, other] = [await sealed(ids.bytes(100)), await sealed(ids.bytes(100))];
    expect(await vault.check({ ...object, wrappedKey: other.wrappedKey })).toBe('damaged');
    expect(await vault.check({ ...object, iv: other.iv })).toBe('damaged');
    expect(await vault.check({ ...object, plainSha256: other.plainSha256 })).toBe('damaged');
    expect(await vault.check({ ...object, wrappedKey: '00'.repeat(40) })).toBe('key-unknown');
  });

  it('by loss of file or key is told before the first byte', async () => {
    const object = await sealed(ids.bytes(100));
    const foreign = openVault(folder, siteKeysFrom(ids.bytes(32)), realDisk, ids);
    expect(await foreign.open(object)).toEqual({ opened: false, reason: 'key-unknown' });
    rmSync(fileOf(object));
    expect(await vault.open(object)).toEqual({ opened: false, reason: 'object-lost' });
    expect(await vault.check(object)).toBe('lost');
  });
});

describe('erasing', () => {
  it('removes the bytes, and is true again when they are gone', async () => {
    const [object, other] = [await sealed(ids.bytes(100)), await sealed(ids.bytes(100))];
    await vault.settle(object.objectId);
    await vault.eraseObject(object);
    await vault.eraseObject(object);
    expect(await vault.check(object)).toBe('lost');
    expect(await vault.check(other)).toBe('sound');
  });
});

describe('room', () => {
  it('is told in bytes', async () => {
    await sealed(Buffer.from('x'));
    expect(await vault.freeBytes()).toBeGreaterThan(0);
  });
});
