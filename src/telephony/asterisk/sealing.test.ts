// Raw legs become one proven FLAC in the vault, are put aside, or stay: flac and vault are real.
import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Clock, realClock } from '../../clock.ts';
import { seededIds } from '../../ids.ts';
import { realDisk } from '../../vault/disk.ts';
import { siteKeysFrom } from '../../vault/keys.ts';
import { openVault } from '../../vault/vault.ts';
import { crashLossMs, quarantineReasons, sealFailures } from '../recording.ts';
import type { SealedRecording, SealOutcome } from '../recordings.ts';
import {
  batchLimit,
  gatherMs,
  openSealing,
  parallelBatches,
  type Sealing,
  sealQueueLimit,
} from './sealing.ts';
import { unweave } from './wav.ts';

const root = mkdtempSync(join(tmpdir(), 'sealing-'));
const folderOf = (name: string) => join(root, name);
const spool = folderOf('spool');
const quarantine = folderOf('quarantine');
const work = folderOf('work');
const folders = { spool, quarantine, work };
const ids = seededIds(2);
const vault = openVault(folderOf('vault'), siteKeysFrom(ids.bytes(32)), realDisk, ids);

/** What the worker starts; a test may put another program in its place. */
const flac = folderOf('flac');
const realFlac = execFileSync('/bin/sh', ['-c', 'command -v flac'], { encoding: 'utf8' }).trim();
function useFlac(script?: string): void {
  rmSync(flac, { force: true });
  if (script === undefined) symlinkSync(realFlac, flac);
  else writeFileSync(flac, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

let inVault = 0;
let mostInVault = 0;
async function keep(sourcePath: string) {
  inVault += 1;
  mostInVault = Math.max(mostInVault, inVault);
  const outcome = await vault.seal(sourcePath);
  inVault -= 1;
  return outcome;
}
let keepNow: typeof keep = keep;

/** A leg as Asterisk leaves it: closed, or open with both lengths 0. Voice-like, from a seed. */
function leg(samples: number, state: 'open' | 'closed' = 'closed'): Buffer {
  const wav = Buffer.alloc(44 + 2 * samples);
  wav.write('524946460000000057415645666d74201000000001000100401f0000803e0000', 'hex');
  wav.write('020010006461746100000000', 32, 'hex');
  if (state === 'closed') wav.writeUInt32LE(wav.length - 8, 4);
  if (state === 'closed') wav.writeUInt32LE(wav.length - 44, 40);
  const pitch = 0.03 + ids.below(100) / 1_000;
  for (let i = 0; i < samples; i += 1) {
    const voice = 6_000 * Math.sin(i * pitch) * Math.sin(i / 3_000);
    wav.writeInt16LE(Math.round(voice) + ids.below(200) - 100, 44 + 2 * i);
  }
  return wav;
}

const lastWritten = (realClock.utcMs() - crashLossMs) / 1_000;
function record(customer: Buffer | undefined, agent: Buffer | undefined): string {
  const recordingId = ids.next('call');
  for (const [letter, wav] of [
    ['c', customer],
    ['a', agent],
  ] as const) {
    if (wav === undefined) continue;
    const path = join(spool, `${recordingId}-${letter}.wav`);
    writeFileSync(path, wav);
    // Asterisk would have written its next block by now.
    utimesSync(path, lastWritten, lastWritten);
  }
  return recordingId;
}
const namesOf = (folder: string, id: string) =>
  readdirSync(folder)
    .filter((name) => name.startsWith(id))
    .sort();

const reached = new Set<string>();
function note(outcome: SealOutcome): SealOutcome {
  if ('why' in outcome) reached.add(outcome.why);
  return outcome;
}

let sealing: Sealing;
const order = (recordingId: string, spanMs: number, crashed = false) => ({
  recordingId,
  spanMs,
  crashed,
});
const seal = async (recordingId: string, spanMs: number, crashed = false) =>
  note(await sealing.seal(order(recordingId, spanMs, crashed)));
/** Nobody waits for a batch to fill. */
const clock: Clock = {
  ...realClock,
  after: (delayMs, fire) => realClock.after(delayMs === gatherMs ? 0 : delayMs, fire),
};
const open = () =>
  openSealing({ clock, folders, flac, vault: { ...vault, seal: (path) => keepNow(path) } });

beforeAll(async () => {
  for (const folder of [spool, work, folderOf('vault')]) mkdirSync(folder);
  for (const name of ['call-left.flac', 'call-left.raw']) writeFileSync(join(work, name), 'over');
  useFlac();
  sealing = await open();
  expect(readdirSync(work)).toEqual([]);
});
afterEach(() => {
  useFlac();
  keepNow = keep;
});
afterAll(async () => {
  await sealing.close();
  rmSync(root, { recursive: true });
  const codes = [...Object.keys(quarantineReasons), ...Object.keys(sealFailures)];
  // The deadline has a file of its own.
  expect([...reached, 'deadline'].sort()).toEqual(codes.sort());
});

/** Takes a sealed recording out of the vault and apart, with stock flac. */
async function legsOf(sealed: SealedRecording): Promise<{ left: Buffer; right: Buffer }> {
  const opened = await vault.open(sealed);
  expect(opened.opened).toBe(true);
  const chunks: Buffer[] = [];
  if (opened.opened) for await (const chunk of opened.bytes) chunks.push(chunk);
  const input = Buffer.concat(chunks);
  const form = ['--force-raw-format', '--endian=little', '--sign=signed'];
  const maxBuffer = 16 * 1024 * 1024;
  return unweave(execFileSync('flac', ['-d', '-s', '-c', ...form, '-'], { input, maxBuffer }));
}

describe('seal', () => {
  it.each([
    ['legs of one length', 80_000, 80_000, 10_000],
    ['a longer agent', 79_000, 81_000, 10_000],
    ['a longer customer, over several blocks', 200_111, 199_999, 25_000],
    ['one sample', 1, 0, 20],
    ['no sample, for a call hung up at once', 0, 0, 40],
  ])('%s: stock flac gives both back', async (_, customerSamples, agentSamples, spanMs) => {
    const customer = leg(customerSamples);
    const agent = leg(agentSamples);
    const id = record(customer, agent);
    const sealed = await seal(id, spanMs);
    expect(sealed).toMatchObject({
      outcome: 'sealed',
      customerSamples,
      agentSamples,
      customerPcmSha256: hash('sha256', customer.subarray(44), 'hex'),
      agentPcmSha256: hash('sha256', agent.subarray(44), 'hex'),
      durationMs: Math.round(Math.max(customerSamples, agentSamples) / 8),
      repaired: false,
      lostMs: 0,
    });
    if (sealed.outcome !== 'sealed') return;
    const { left, right } = await legsOf(sealed);
    const longest = 2 * Math.max(customerSamples, agentSamples);
    const filled = (wav: Buffer) =>
      Buffer.concat([wav.subarray(44), Buffer.alloc(longest + 44 - wav.length)]);
    expect(left.equals(filled(agent))).toBe(true);
    expect(right.equals(filled(customer))).toBe(true);
    expect(namesOf(spool, id)).toEqual([`${id}-a.wav`, `${id}-c.wav`]);
    expect(namesOf(work, id)).toEqual([]);
  });

  it('repairs both legs after a crash, also where nobody saw the end', async () => {
    const id = record(leg(32_768, 'open'), leg(16_384, 'open'));
    const repaired = { outcome: 'sealed', repaired: true, durationMs: 4_096 };
    expect(await seal(id, 4_100, true)).toMatchObject({ ...repaired, lostMs: 4_100 - 2_048 });
    expect(await seal(id, 0, true)).toMatchObject({ ...repaired, lostMs: 2_100 });
  });

  it('gives the same FLAC when it is ordered again, as after a kill', async () => {
    const id = record(leg(16_000), leg(16_000));
    const [first, second] = [await seal(id, 2_000), await seal(id, 2_000)];
    expect(first.outcome).toBe('sealed');
    if (first.outcome === 'sealed') {
      expect(second).toMatchObject({ outcome: 'sealed', plainSha256: first.plainSha256 });
    }
  });

  it('encodes together what waits, two batches at a time, and each order once', async () => {
    mostInVault = 0;
    useFlac(`echo >> ${folderOf('starts')}; exec ${realFlac} "$@"`);
    const orders = Array.from({ length: 3 * batchLimit }, () => record(leg(800), leg(800)));
    const outcomes = orders.map((id) => seal(id, 100));
    const again = await sealing.seal(order(orders[3] ?? '', 100));
    expect(await outcomes[3]).toBe(again);
    for (const outcome of await Promise.all(outcomes)) expect(outcome.outcome).toBe('sealed');
    expect(mostInVault).toBe(parallelBatches);
    // Each batch is encoded and decoded.
    expect(readFileSync(folderOf('starts')).length).toBe(2 * 3);
  });

  it('tells each of a batch its own outcome', async () => {
    const good = record(leg(800), leg(800));
    const short = record(leg(800), leg(80));
    const full = record(leg(800), leg(800));
    symlinkSync('/dev/full', join(work, `${full}.flac`));
    const absent = ids.next('call');
    const outcomes = await Promise.all([good, short, full, absent].map((id) => seal(id, 400)));
    expect(outcomes.map((each) => ('why' in each ? each.why : each.outcome))).toEqual([
      'sealed',
      'leg-too-short',
      'disk-full',
      'both-legs-missing',
    ]);
  });

  it('waits for files not closed, also after a crash while one is still written', async () => {
    const unclosed = record(leg(16_000, 'open'), leg(16_000));
    expect(await seal(unclosed, 2_000)).toEqual({ outcome: 'not-finished' });
    expect((await seal(unclosed, 2_000, true)).outcome).toBe('sealed');
    appendFileSync(join(spool, `${unclosed}-c.wav`), Buffer.alloc(2));
    expect(await seal(unclosed, 2_000, true)).toEqual({ outcome: 'not-finished' });
    expect(namesOf(spool, unclosed).length).toBe(2);
  });
});

describe('quarantine', () => {
  const good = leg(40_000);
  const cases: [string, Buffer | undefined, Buffer | undefined, number, boolean][] = [
    ['customer-leg-missing', undefined, good, 5_000, false],
    ['agent-leg-missing', good, undefined, 5_000, false],
    ['header-broken', good, Buffer.alloc(0), 5_000, false],
    ['header-lies', good, Buffer.concat([good, Buffer.alloc(2)]), 5_000, false],
    ['header-lies', good.subarray(0, 40_000), good, 5_000, false],
    ['leg-too-short', good, leg(8_000), 5_000, false],
    ['leg-too-long', good, leg(50_000), 5_000, false],
    ['lost-too-much', leg(20_000, 'open'), good, 5_000, true],
    ['legs-differ', leg(20_000, 'open'), good, 0, true],
  ];
  it.each(cases)('%s', async (why, customer, agent, spanMs, crashed) => {
    const id = record(customer, agent);
    const before = namesOf(spool, id);
    const quarantined = { outcome: 'quarantined', why };
    expect(await seal(id, spanMs, crashed)).toEqual(quarantined);
    expect(namesOf(spool, id)).toEqual([]);
    expect(namesOf(quarantine, id)).toEqual([...before, `${id}.json`].sort());
    const mark = JSON.parse(readFileSync(join(quarantine, `${id}.json`), 'utf8'));
    expect(mark).toEqual({ recordingId: id, spanMs, crashed, why });

    // A run that was cut short after the mark has moved less; the next one ends the same way.
    for (const name of before.slice(1)) renameSync(join(quarantine, name), join(spool, name));
    expect(await seal(id, spanMs, crashed)).toEqual(quarantined);
    expect(namesOf(quarantine, id)).toEqual([...before, `${id}.json`].sort());
  });

  it('both-legs-missing leaves no mark, so that a spool that comes back is sealed', async () => {
    const id = record(leg(16_000), leg(16_000));
    for (const name of namesOf(spool, id)) renameSync(join(spool, name), folderOf(name));
    const missing = { outcome: 'quarantined', why: 'both-legs-missing' };
    expect(await seal(id, 2_000)).toEqual(missing);
    for (const name of namesOf(root, id)) renameSync(folderOf(name), join(spool, name));
    expect((await seal(id, 2_000)).outcome).toBe('sealed');
  });
});

describe('a failure leaves the raw files, and the next order seals them:', () => {
  const eachOf = (ending: string, script: string) =>
    `for f in "$@"; do case "$f" in *${ending}) f="\${f%${ending}}.raw"; ${script};; esac; done`;
  const rewrite = (filter: string) => `(${filter}) < "$f" > "$f.new"; mv "$f.new" "$f"`;
  const whenEncoding = (filter: string) =>
    useFlac(`${eachOf('.raw', rewrite(filter))}; exec ${realFlac} "$@"`);
  const whenDecoding = (filter: string) =>
    useFlac(`${realFlac} "$@"; ${eachOf('.flac', rewrite(filter))}`);
  const spoilFlac = `case "$1" in --decode) for f; do :; done; printf XXX >> "$f";; esac`;
  const dd = 'dd bs=1 status=none';
  const byteAfter = (skip: number) =>
    `${dd} count=${skip}; ${dd} count=1 of=/dev/null; printf X; cat`;
  const useVault = (instead: typeof keep) => {
    keepNow = instead;
  };
  const refusal = async (reason: 'disk-full' | 'disk-failed') =>
    ({ sealed: false, reason, cause: new Error('EIO') }) as const;
  const cases: [string, string, (id: string) => void][] = [
    ['flac-failed', 'flac is killed', () => useFlac('kill -9 $$')],
    ['flac-missing', 'there is no flac', () => rmSync(flac)],
    ['flac-failed', 'it says all went well', () => useFlac('exit 0')],
    ['flac-failed', 'the FLAC is spoilt', () => useFlac(`${spoilFlac}; exec ${realFlac} "$@"`)],
    ['flac-differs', 'other sound is encoded', () => whenEncoding(`tr '\\001' '\\002'`)],
    ['flac-differs', 'one byte of the agent', () => whenEncoding(byteAfter(0))],
    ['flac-differs', 'one byte of the customer', () => whenEncoding(byteAfter(2))],
    ['flac-differs', 'half is encoded', () => whenEncoding('head -c 32000')],
    ['flac-differs', 'less is decoded', () => whenDecoding('tail -c +5')],
    ['flac-differs', 'more is decoded', () => whenDecoding('cat; head -c 4 /dev/zero')],
    ['disk-full', 'work, raw', (id) => symlinkSync('/dev/full', join(work, `${id}.raw`))],
    ['disk-full', 'work, FLAC', (id) => symlinkSync('/dev/full', join(work, `${id}.flac`))],
    ['disk-full', 'vault', () => useVault(() => refusal('disk-full'))],
    ['vault-failed', 'by its answer', () => useVault(() => refusal('disk-failed'))],
    ['vault-failed', 'by throwing', () => useVault(() => Promise.reject(new Error('EIO')))],
    [
      'vault-differs',
      'the file was changed on the way',
      () =>
        useVault((path) => {
          writeFileSync(path, 'other bytes');
          return keep(path);
        }),
    ],
  ];
  it.each(cases)('%s (%s)', async (why, _, spoil) => {
    const id = record(leg(16_000), leg(16_000));
    spoil(id);
    expect(await seal(id, 2_000)).toEqual({ outcome: 'failed', why, detail: expect.any(String) });
    expect(namesOf(spool, id).length).toBe(2);
    expect(namesOf(work, id)).toEqual([]);
    useFlac();
    keepNow = keep;
    expect((await seal(id, 2_000)).outcome).toBe('sealed');
  });

  it('flac-differs (sound where the shorter leg is filled up)', async () => {
    const customer = leg(16_000);
    customer.write('aa', customer.length - 2);
    const id = record(customer, leg(15_990));
    whenEncoding(`head -c -4; printf 'XXaa'`);
    expect(await seal(id, 2_000)).toMatchObject({ outcome: 'failed', why: 'flac-differs' });
  });

  it('a folder is gone, or is none', async () => {
    const good = record(leg(16_000), leg(16_000));
    const half = record(leg(16_000), undefined);
    const spoilt = [
      [work, good, 'work-unwritable'],
      [quarantine, half, 'quarantine-unwritable'],
      [spool, good, 'spool-unreadable'],
    ] as const;
    for (const [folder, id, why] of spoilt) {
      renameSync(folder, `${folder}.away`);
      expect(await seal(id, 2_000)).toMatchObject({ outcome: 'failed', why });
      writeFileSync(folder, 'a file in its place');
      expect(await seal(id, 2_000)).toMatchObject({ outcome: 'failed', why });
      rmSync(folder);
      renameSync(`${folder}.away`, folder);
    }
    expect((await seal(good, 2_000)).outcome).toBe('sealed');
    expect(await seal(half, 2_000)).toMatchObject({ why: 'agent-leg-missing' });
  });

  it('too many wait, or it closes', async () => {
    const own = await open();
    const any = () => own.seal(order(ids.next('call'), 10));
    const taken = Array.from({ length: parallelBatches * batchLimit + sealQueueLimit }, any);
    expect(note(await any())).toMatchObject({ outcome: 'failed', why: 'queue-full' });
    await own.close();
    for (const outcome of await Promise.all(taken)) {
      expect(note(outcome)).toMatchObject({ outcome: 'failed', why: 'worker-died' });
    }
  });
});

describe('discardRaw', () => {
  it('lets the raw files go; again changes nothing', async () => {
    const id = record(leg(8_000), leg(8_000));
    const sealed = await seal(id, 1_000);
    if (sealed.outcome !== 'sealed') throw new Error(sealed.outcome);
    expect(await sealing.discardRaw(id)).toEqual({ outcome: 'discarded' });
    expect(namesOf(spool, id)).toEqual([]);
    expect(await sealing.discardRaw(id)).toEqual({ outcome: 'discarded' });
    expect((await legsOf(sealed)).left.length).toBe(16_000);
  });

  it('says when it can not', async () => {
    const id = ids.next('call');
    mkdirSync(join(spool, `${id}-c.wav`, 'in-the-way'), { recursive: true });
    expect(await sealing.discardRaw(id)).toMatchObject({ outcome: 'failed' });
    rmSync(join(spool, `${id}-c.wav`), { recursive: true });
  });
});
