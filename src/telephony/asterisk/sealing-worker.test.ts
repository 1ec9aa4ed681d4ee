// The worker and its deadlines: what hangs is killed, and a worker that can not go on is replaced.
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Clock, realClock } from '../../clock.ts';
import { seededIds } from '../../ids.ts';
import { realDisk } from '../../vault/disk.ts';
import { siteKeysFrom } from '../../vault/keys.ts';
import { openVault, type Vault } from '../../vault/vault.ts';
import { niceness } from '../../worker-thread.ts';
import { gatherMs, openSealing, type Sealing } from './sealing.ts';

const root = mkdtempSync(join(tmpdir(), 'sealing-worker-'));
const folderOf = (name: string) => join(root, name);
const folders = {
  spool: folderOf('spool'),
  quarantine: folderOf('quarantine'),
  work: folderOf('work'),
};
const flac = folderOf('flac');
const pidFile = folderOf('pids');
const realFlac = execFileSync('/bin/sh', ['-c', 'command -v flac'], { encoding: 'utf8' }).trim();
const ids = seededIds(3);
const vault = openVault(folderOf('vault'), siteKeysFrom(ids.bytes(32)), realDisk, ids);
let sealInVault: Vault['seal'] = vault.seal;
const order = { recordingId: 'call-x', spanMs: 1, crashed: false };

/** Its timers fire when the test says so; only batches do not wait to fill. */
const timers = new Set<() => void>();
const clock: Clock = {
  ...realClock,
  after(delayMs, fire) {
    if (delayMs === gatherMs) return realClock.after(0, fire);
    timers.add(fire);
    return { cancel: () => timers.delete(fire) };
  },
};
function passTime(): void {
  const due = [...timers];
  timers.clear();
  for (const fire of due) fire();
}

function useFlac(script?: string): void {
  rmSync(flac, { force: true });
  rmSync(pidFile, { force: true });
  if (script === undefined) symlinkSync(realFlac, flac);
  else writeFileSync(flac, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}
/** Waits for what is bound to come, as long as a fast test may take on a busy machine. */
const until = (holds: () => void) => vi.waitFor(holds, { timeout: 9_000, interval: 10 });
const pids = () => (existsSync(pidFile) ? readFileSync(pidFile, 'utf8') : '').match(/\d+/g) ?? [];
const isAlive = (pid: string | undefined) => existsSync(`/proc/${pid}`);

let sealing: Sealing;
beforeAll(async () => {
  mkdirSync(folders.spool);
  // Eight samples, closed as Asterisk closes a file.
  const wav = Buffer.from(
    '524946463400000057415645666d7420100000000100010040' +
      '1f0000803e0000020010006461746110000000' +
      '01020304050607080102030405060708',
    'hex',
  );
  for (const leg of ['c', 'a']) writeFileSync(join(folders.spool, `call-x-${leg}.wav`), wav);
  const parts = { ...vault, seal: (path: string) => sealInVault(path) };
  sealing = await openSealing({ clock, folders, flac, vault: parts });
});
afterAll(async () => {
  await sealing.close();
  rmSync(root, { recursive: true });
});

describe('when the deadline has passed', () => {
  it('a flac that hangs is killed', async () => {
    useFlac(`echo $$ >> ${pidFile}; exec sleep 60`);
    const sealed = sealing.seal(order);
    await until(() => expect(pids().length).toBe(1));
    expect(isAlive(pids()[0])).toBe(true);
    passTime();
    expect(await sealed).toMatchObject({ outcome: 'failed', why: 'deadline' });
    expect(isAlive(pids()[0])).toBe(false);
  });

  it('a worker that does not see the end of its child is ended', async () => {
    // A second process holds the pipe of the killed flac, so that it never closes.
    useFlac(`sleep 60 & echo $! $$ >> ${pidFile}; exec sleep 60`);
    const sealed = sealing.seal(order);
    await until(() => expect(pids().length).toBe(2));
    const [holder, child] = pids();
    passTime();
    await until(() => expect(isAlive(child)).toBe(false));
    passTime();
    expect(await sealed).toMatchObject({ outcome: 'failed', why: 'worker-died' });
    process.kill(Number(holder));
  });

  it('a vault that hangs is not waited for', async () => {
    useFlac();
    let asked = false;
    sealInVault = () => {
      asked = true;
      return new Promise(() => {});
    };
    const sealed = sealing.seal(order);
    await until(() => expect(asked).toBe(true));
    await until(() => expect(timers.size).toBe(1));
    passTime();
    expect(await sealed).toMatchObject({ outcome: 'failed', why: 'deadline', detail: 'vault' });
    sealInVault = vault.seal;
  });

  it('all goes on as before', async () => {
    useFlac();
    expect(await sealing.seal(order)).toMatchObject({ outcome: 'sealed', durationMs: 1 });
    expect(timers.size).toBe(0);
  });
});

it('runs the worker and its children behind everything else', async () => {
  useFlac(`nice >> ${pidFile}; exec ${realFlac} "$@"`);
  expect((await sealing.seal(order)).outcome).toBe('sealed');
  const nice = String(niceness.encoder);
  expect(pids()).toEqual([nice, nice]);
});

it('does nothing once it is closed', async () => {
  await sealing.close();
  expect(await sealing.seal(order)).toMatchObject({ outcome: 'failed', why: 'worker-died' });
});
