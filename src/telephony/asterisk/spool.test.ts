// The spool is read as it is: what lies there, what has begun, and nothing that only looks like it.
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, realClock } from '../../clock.ts';
import { seededIds } from '../../ids.ts';
import { realDisk } from '../../vault/disk.ts';
import { siteKeysFrom } from '../../vault/keys.ts';
import { openVault } from '../../vault/vault.ts';
import { checkWithinMs, rawBytesPerHour } from '../recording.ts';
import { openSealing } from './sealing.ts';
import {
  assertRecordingId,
  hasBegun,
  listSpool,
  moveAside,
  openLeg,
  readMark,
  removeQuarantined,
  removeRaw,
  surveySpool,
  writeMark,
} from './spool.ts';

const root = mkdtempSync(join(tmpdir(), 'spool-'));
const spool = join(root, 'spool');
const quarantine = join(root, 'quarantine');
const ids = seededIds(4);
const vault = openVault(join(root, 'vault'), siteKeysFrom(ids.bytes(32)), realDisk, ids);
const at = (name: string) => join(spool, name);
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => {
  for (const folder of [spool, quarantine]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
  }
});

/** Four samples, closed as Asterisk closes a file, or left open by it. */
const closed = Buffer.from(
  '524946462c00000057415645666d7420100000000100010040' +
    '1f0000803e0000020010006461746108000000' +
    '0102030405060708',
  'hex',
);
const open = Buffer.from(closed);
open.writeUInt32LE(0, 4);
open.writeUInt32LE(0, 40);

it('takes no id that could leave the folder or be another name', () => {
  for (const id of ['', '..', 'a/b', '../a', 'a.b', 'a b', 'ä', 'a\0', 'a\n', 'a'.repeat(65)]) {
    expect(() => assertRecordingId(id), JSON.stringify(id)).toThrow('not a recording id');
  }
  expect(() => assertRecordingId('call-23456789bcdfghjk')).not.toThrow();
});

describe('openLeg', () => {
  async function stateOf(id: string): Promise<unknown> {
    const leg = await openLeg(spool, id, 'agent');
    await leg.handle?.close();
    expect(leg.writtenUtcMs > 0).toBe(leg.handle !== undefined);
    return { ...leg.state, sizeBytes: leg.sizeBytes };
  }

  it('tells absent, open, closed and broken', async () => {
    writeFileSync(at('closed-a.wav'), closed);
    writeFileSync(at('open-a.wav'), open);
    writeFileSync(at('empty-a.wav'), '');
    expect(await stateOf('absent')).toEqual({ state: 'absent', sizeBytes: 0 });
    expect(await stateOf('closed')).toEqual({ state: 'closed', samples: 4, sizeBytes: 52 });
    expect(await stateOf('open')).toEqual({ state: 'open', samples: 4, sizeBytes: 52 });
    expect(await stateOf('empty')).toEqual({ state: 'broken', sizeBytes: 0 });
  });

  it('neither follows a link nor waits for a pipe nor reads a folder', async () => {
    writeFileSync(at('real-a.wav'), closed);
    symlinkSync(at('real-a.wav'), at('link-a.wav'));
    execFileSync('mkfifo', [at('pipe-a.wav')]);
    mkdirSync(at('folder-a.wav'));
    for (const id of ['link', 'pipe', 'folder']) {
      expect(await stateOf(id), id).toEqual({ state: 'broken', sizeBytes: 0 });
    }
  });
});

it('sees that a leg has begun only once it has its header', async () => {
  expect(hasBegun(spool, 'x', 'agent')).toBe(false);
  writeFileSync(at('x-a.wav'), open.subarray(0, 43));
  expect(hasBegun(spool, 'x', 'agent')).toBe(false);
  writeFileSync(at('x-a.wav'), open.subarray(0, 44));
  expect(hasBegun(spool, 'x', 'agent')).toBe(true);
  expect(hasBegun(spool, 'x', 'customer')).toBe(false);
});

it('lists and surveys recordings, and leaves out what is none', async () => {
  writeFileSync(at('done-c.wav'), closed);
  writeFileSync(at('done-a.wav'), closed);
  writeFileSync(at('half-a.wav'), closed);
  writeFileSync(at('live-c.wav'), open);
  writeFileSync(at('live-a.wav'), closed);
  const others = ['notes.txt', 'x-b.wav', '-c.wav', 'x-c.wav.part', 'ä-c.wav'];
  // No id of ours: the ledger could not name them.
  for (const name of [...others, '1234567-a.wav', 'x--y-c.wav']) {
    writeFileSync(at(name), '');
  }
  expect([...(await listSpool(spool)).keys()]).toEqual(['done', 'half', 'live']);
  expect(await surveySpool(spool)).toEqual([
    { recordingId: 'done', legs: ['agent', 'customer'], sizeBytes: 104, finished: true },
    { recordingId: 'half', legs: ['agent'], sizeBytes: 52, finished: false },
    { recordingId: 'live', legs: ['agent', 'customer'], sizeBytes: 104, finished: false },
  ]);
  truncateSync(at('done-c.wav'), 50);
  expect((await surveySpool(spool))[0]).toMatchObject({ sizeBytes: 102, finished: false });
});

it('removes both legs of one recording, also when they are gone', async () => {
  for (const name of ['x-c.wav', 'x-a.wav', 'y-a.wav']) writeFileSync(at(name), closed);
  await removeRaw(spool, 'x');
  await removeRaw(spool, 'x');
  expect(readdirSync(spool)).toEqual(['y-a.wav']);
});

it('puts aside under a mark, and goes on where it was cut short', async () => {
  const mark = { recordingId: 'x', spanMs: 20, crashed: false, why: 'header-lies' } as const;
  expect(await readMark(quarantine, 'x')).toBeUndefined();
  writeFileSync(at('x-c.wav'), closed);
  writeFileSync(at('x-a.wav'), open);
  writeFileSync(join(quarantine, 'x.json.part'), 'cut sh');
  await writeMark(quarantine, mark);
  expect(await readMark(quarantine, 'x')).toEqual(mark);
  await moveAside(spool, quarantine, 'x');
  writeFileSync(at('x-c.wav'), closed);
  await moveAside(spool, quarantine, 'x');
  expect(readdirSync(spool)).toEqual([]);
  expect(readdirSync(quarantine)).toEqual(['x-a.wav', 'x-c.wav', 'x.json']);
  expect(readFileSync(join(quarantine, 'x-a.wav')).equals(open)).toBe(true);
});

it('erases what was put aside of one recording and nothing else; twice is once', async () => {
  for (const id of ['x', 'xx']) {
    writeFileSync(at(`${id}-c.wav`), closed);
    await writeMark(quarantine, {
      recordingId: id,
      spanMs: 20,
      crashed: false,
      why: 'header-lies',
    });
    await moveAside(spool, quarantine, id);
  }
  await removeQuarantined(quarantine, 'x');
  await removeQuarantined(quarantine, 'x');
  expect(readdirSync(quarantine)).toEqual(['xx-c.wav', 'xx.json']);
});

const watch = (clock: Clock) => {
  const folders = { spool, quarantine, work: join(root, 'work') };
  return openSealing({ clock, folders, flac: 'flac', vault });
};

describe('check', () => {
  /** Time passes only while somebody waits; `onWait` makes things happen meanwhile. */
  function waitingClock(onWait: (uptimeMs: number) => void = () => {}): Clock {
    let uptimeMs = 0;
    return {
      ...realClock,
      uptimeMs: () => uptimeMs,
      after(delayMs, fire) {
        uptimeMs += delayMs;
        onWait(uptimeMs);
        realClock.soon(fire);
        return { cancel: () => {} };
      },
    };
  }
  const begun = open.subarray(0, 44);
  const empty = Buffer.alloc(0);
  const record = (customer: Buffer | undefined, agent: Buffer | undefined) => {
    if (customer) writeFileSync(at('x-c.wav'), customer);
    if (agent) writeFileSync(at('x-a.wav'), agent);
  };

  it.each([
    ['no leg', undefined, undefined, 'both'],
    ['no customer', undefined, begun, 'customer'],
    ['no agent', begun, undefined, 'agent'],
    ['empty files, as on a full disk', empty, empty, 'both'],
  ])('%s', async (_, customer, agent, which) => {
    const clock = waitingClock();
    record(customer, agent);
    expect(await (await watch(clock)).check('x')).toEqual({ outcome: 'missing', which });
    expect(clock.uptimeMs()).toBe(checkWithinMs);
  });

  it.each([
    [checkWithinMs, 'recording'],
    [checkWithinMs + 50, 'missing'],
  ])('a leg that begins after %i ms: %s', async (beginsUptimeMs, outcome) => {
    record(begun, undefined);
    const clock = waitingClock((uptimeMs) => {
      if (uptimeMs === beginsUptimeMs) record(undefined, begun);
    });
    expect(await (await watch(clock)).check('x')).toMatchObject({ outcome });
  });
});

it('measures room in hours of two legs; a spool that can not be read has none', async () => {
  mkdirSync(join(root, 'vault'));
  const own = await watch(realClock);
  for (const name of ['x-c.wav', 'x-a.wav', 'y-a.wav']) writeFileSync(at(name), closed);
  const room = await own.room();
  expect(room.unsealed).toBe(2);
  const freeHours = (await realDisk.freeBytes(spool)) / rawBytesPerHour;
  expect(room.spoolHours / freeHours).toBeCloseTo(1, 1);
  expect(room.vaultHours / freeHours).toBeCloseTo(1, 1);

  rmSync(spool, { recursive: true });
  const detail = expect.stringContaining('ENOENT');
  expect(await own.survey()).toEqual({ outcome: 'unreadable', detail });
  const none = { spoolHours: 0, vaultHours: 0, unsealed: 0 };
  expect(await own.room()).toEqual({ ...none, fault: detail });
});
