// The vault on a disk that fails and under a process that dies: nothing is left half.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { seededIds } from '../ids.ts';
import { chunkBytes, type Disk, realDisk } from './disk.ts';
import { siteKeysFrom } from './keys.ts';
import { maxSealAttempts, openVault, type Vault } from './vault.ts';

const ids = seededIds(43);
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

function source(bytes: Buffer): string {
  const path = join(root, `source-${ids.next('x')}`);
  writeFileSync(path, bytes);
  return path;
}
async function sealed(bytes: Buffer) {
  const outcome = await vault.seal(source(bytes));
  if (!outcome.sealed) throw new Error(outcome.reason, { cause: outcome.cause });
  return outcome.object;
}
const filesIn = (path: string) =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);

/** The real disk with one call that fails or lies the first `times`. */
function faulty(times: number, spoilt: (fail: () => boolean) => Partial<Disk>): Disk {
  let left = times;
  return {
    ...realDisk,
    ...spoilt(() => {
      left -= 1;
      return left >= 0;
    }),
  };
}
const error = (code: string) => Object.assign(new Error(code), { code });
const file = (part: 'write' | 'sync' | 'close', code: string) => (fail: () => boolean) => ({
  create: async (path: string, mode: number) => {
    const real = await realDisk.create(path, mode);
    return {
      ...real,
      [part]: async (bytes: Uint8Array) => {
        await real[part](bytes);
        if (fail()) throw error(code);
      },
    };
  },
});
const faults: [string, (fail: () => boolean) => Partial<Disk>, string][] = [
  ['fsync', file('sync', 'EIO'), 'disk-failed'],
  ['close', file('close', 'EIO'), 'disk-failed'],
  ['write', file('write', 'EIO'), 'disk-failed'],
  ['write for want of room', file('write', 'ENOSPC'), 'disk-full'],
  ['write for want of quota', file('write', 'EDQUOT'), 'disk-full'],
  [
    'sync of a folder',
    (fail) => ({
      syncFolder: async (path) => {
        if (fail()) throw error('EIO');
        await realDisk.syncFolder(path);
      },
    }),
    'disk-failed',
  ],
  [
    'link',
    (fail) => ({
      link: async (from, to) => {
        if (fail()) throw error('EPERM');
        await realDisk.link(from, to);
      },
    }),
    'disk-failed',
  ],
  [
    'rename',
    (fail) => ({
      rename: async (from, to) => {
        if (fail()) throw error('EIO');
        await realDisk.rename(from, to);
      },
    }),
    'disk-failed',
  ],
  [
    're-read that fails',
    (fail) => ({
      readFromMedium: (path) => {
        if (fail()) throw error('EIO');
        return realDisk.readFromMedium(path);
      },
    }),
    'disk-failed',
  ],
  [
    're-read that differs',
    (fail) => ({
      async *readFromMedium(path) {
        const lie = fail();
        for await (const chunk of realDisk.readFromMedium(path)) {
          if (lie) chunk[0] = (chunk[0] ?? 0) ^ 1;
          yield chunk;
        }
      },
    }),
    'disk-failed',
  ],
];

describe('a disk that fails', () => {
  const bytes = ids.bytes(chunkBytes + 9);

  it.each(faults)(
    'at %s once is met by a new copy, or by leaving nothing',
    async (_name, spoilt, reason) => {
      const on = openVault(folder, keys, faulty(1, spoilt), ids);
      const outcome = await on.seal(source(bytes));
      if (reason === 'disk-full') {
        expect(outcome).toMatchObject({ sealed: false, reason });
        expect(filesIn(folder)).toEqual([]);
        return;
      }
      if (!outcome.sealed) throw new Error(outcome.reason);
      expect(await vault.check(outcome.object)).toBe('sound');
      await vault.settle(outcome.object.objectId);
      expect(filesIn(folder)).toEqual([outcome.object.cipherSha256]);
    },
  );

  it.each(faults)(
    'at %s every time is blamed, and nothing is left',
    async (_name, spoilt, reason) => {
      const on = openVault(folder, keys, faulty(100, spoilt), ids);
      const outcome = await on.seal(source(bytes));
      expect(outcome).toMatchObject({ sealed: false, reason });
      expect(filesIn(folder)).toEqual([]);
    },
  );

  it('is not asked to sync the same file twice', async () => {
    const synced: string[] = [];
    const on = openVault(
      folder,
      keys,
      {
        ...realDisk,
        create: async (path, mode) => ({
          ...(await realDisk.create(path, mode)),
          sync: () => {
            synced.push(path);
            return Promise.reject(error('EIO'));
          },
        }),
      },
      ids,
    );
    await on.seal(source(bytes));
    expect(synced).toHaveLength(maxSealAttempts);
    expect(new Set(synced).size).toBe(maxSealAttempts);
  });

  it('while the source is read is not taken for the disk of the vault', async () => {
    const on = openVault(
      folder,
      keys,
      {
        ...realDisk,
        async *read() {
          yield Buffer.from('the first half');
          throw error('EIO');
        },
      },
      ids,
    );
    expect(await on.seal('any')).toMatchObject({ sealed: false, reason: 'source-unreadable' });
    expect(filesIn(folder)).toEqual([]);
  });
});

describe('what a crash leaves', () => {
  class Crash extends Error {}
  const steps = ['create', 'sync', 'readFromMedium', 'rename', 'link', 'syncFolder'] as const;

  /** From the step on the process does nothing more: no call reaches the disk. */
  function crashing(at: (typeof steps)[number], nth: number): Disk {
    let met = 0;
    let dead = false;
    const meet = (step: string) => {
      if (step === at) {
        met += 1;
        if (met > nth) dead = true;
      }
      if (dead) throw new Crash(step);
    };
    return {
      ...realDisk,
      async create(path, mode) {
        meet('create');
        const real = await realDisk.create(path, mode);
        return {
          ...real,
          async sync() {
            meet('sync');
            await real.sync();
          },
        };
      },
      readFromMedium(path) {
        meet('readFromMedium');
        return realDisk.readFromMedium(path);
      },
      async rename(from, to) {
        meet('rename');
        await realDisk.rename(from, to);
      },
      async link(from, to) {
        meet('link');
        await realDisk.link(from, to);
      },
      async syncFolder(path) {
        meet('syncFolder');
        await realDisk.syncFolder(path);
      },
      async names(path) {
        meet('names');
        return realDisk.names(path);
      },
    };
  }

  it.each(steps.flatMap((step) => [0, 1].map((nth) => [step, nth] as const)))(
    'before %s (%i passed) is cleared away at the next start',
    async (step, nth) => {
      const on = openVault(folder, keys, crashing(step, nth), ids);
      try {
        const outcome = await on.seal(source(ids.bytes(5000)));
        expect(outcome.sealed).toBe(true);
      } catch (cause) {
        expect(cause).toBeInstanceOf(Crash);
      }
      await vault.judgeLeftovers(() => false);
      expect(filesIn(folder)).toEqual([]);
    },
  );

  it('after the record stays, without one goes, and what was settled is left alone', async () => {
    const [settled, recorded, lost] = [
      await sealed(ids.bytes(10)),
      await sealed(ids.bytes(11)),
      await sealed(ids.bytes(12)),
    ];
    await vault.settle(settled.objectId);
    const removed = await vault.judgeLeftovers((objectId) => objectId === recorded.objectId);
    expect(removed).toEqual([lost.objectId]);
    expect(await vault.check(settled)).toBe('sound');
    expect(await vault.check(recorded)).toBe('sound');
    expect(await vault.check(lost)).toBe('lost');
    expect(readdirSync(join(folder, 'incoming'))).toEqual([]);
    expect(await vault.judgeLeftovers(() => false)).toEqual([]);
  });

  it('is judged by its own names only', async () => {
    await realDisk.makeFolder(join(folder, 'incoming'));
    writeFileSync(join(folder, 'incoming', 'note.txt'), 'not ours');
    expect(await vault.judgeLeftovers(() => false)).toEqual([]);
    expect(readdirSync(join(folder, 'incoming'))).toEqual(['note.txt']);
  });

  it('is nothing on a vault that never was used', async () => {
    expect(await vault.judgeLeftovers(() => false)).toEqual([]);
  });
});
