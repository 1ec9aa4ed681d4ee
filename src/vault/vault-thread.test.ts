// The vault whose writing goes through a thread: what it seals, the vault itself opens.
import { hash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, expect, it } from 'vitest';
import { seededIds } from '../ids.ts';
import { realDisk } from './disk.ts';
import { siteKeysFrom } from './keys.ts';
import { openVault } from './vault.ts';
import { openThreadedVault } from './vault-thread.ts';

mkdirSync('.cache', { recursive: true });
const root = mkdtempSync(join('.cache', 'vault-thread-'));
const ids = seededIds(7);
const master = ids.bytes(32);
const folder = join(root, 'vault');
const threaded = openThreadedVault(folder, master, realDisk, ids);
const plain = openVault(folder, siteKeysFrom(master), realDisk, ids);
afterAll(async () => {
  await threaded.close();
  rmSync(root, { recursive: true });
});

it('seals several files at once, each opened by the same key, and settles them', async () => {
  const files = [0, 1, 700_000].map((size, i) => {
    const path = join(root, `file-${i}`);
    const bytes = Buffer.alloc(size, i + 1);
    writeFileSync(path, bytes);
    return { path, bytes };
  });
  const outcomes = await Promise.all(files.map(({ path }) => threaded.seal(path)));
  expect(outcomes[0]).toMatchObject({ sealed: false, reason: 'source-empty' });
  for (const [i, outcome] of outcomes.entries()) {
    if (!outcome.sealed) continue;
    const { object } = outcome;
    expect(object.plainSha256).toBe(hash('sha256', files[i]?.bytes ?? ''));
    const opened = await plain.open(object);
    if (!opened.opened) throw new Error(opened.reason);
    expect((await buffer(opened.bytes)).equals(files[i]?.bytes ?? Buffer.alloc(0))).toBe(true);
    await threaded.settle(object.objectId);
  }
  expect(outcomes.filter(({ sealed }) => sealed)).toHaveLength(2);
  expect(await plain.judgeLeftovers(() => false)).toEqual([]);
});

it('says which file can not be read', async () => {
  const outcome = await threaded.seal(join(root, 'nothing'));
  expect(outcome).toMatchObject({ sealed: false, reason: 'source-unreadable' });
});

it('fails, and settles nothing, when its thread can not live', async () => {
  const path = join(root, 'kept');
  writeFileSync(path, 'x');
  const dying = openThreadedVault(folder, master, realDisk, ids);
  await dying.close();
  const sealed = { sealed: false, reason: 'disk-failed', cause: 'closed' };
  expect(await dying.seal(path)).toEqual(sealed);
  await expect(dying.settle('object-1')).rejects.toThrow(/ended/);
});
