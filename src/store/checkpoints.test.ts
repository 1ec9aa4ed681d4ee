// Checkpoints on disk: what they sign, how they go on after a start, and when they must not.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { ledgerStarted, publicKeyText, readCheckpoint } from '../audit/checkpoint.ts';
import { type Entry, formLine, genesisPrev, lineHash } from '../audit/entry.ts';
import { ChainCheck } from '../audit/verify.ts';
import { realClock } from '../clock.ts';
import { seededIds } from '../ids.ts';
import { realDisk } from '../vault/disk.ts';
import { signingKeyFrom } from '../vault/keys.ts';
import { type CheckpointParts, openCheckpoints } from './checkpoints.ts';

const ids = seededIds(71);
const key = signingKeyFrom(ids.bytes(32));
const nextKey = signingKeyFrom(ids.bytes(32));
const siteId = 'site-23456789bcdfghjk';
const root = mkdtempSync(join(tmpdir(), 'gatehouse-checkpoints-'));
afterAll(() => rmSync(root, { recursive: true }));

let folder = '';
let lines: string[] = [];
let linesRead = 0;
let rounds = 0;
function add(entry: Entry): void {
  const prev = lines.length === 0 ? genesisPrev : lineHash(lines.at(-1) ?? '');
  lines.push(formLine(prev, lines.length + 1, 1_795_305_600_000, entry));
}
function addCalls(count: number): void {
  for (let i = 0; i < count; i += 1) {
    add({ room: 'telephony', what: 'call-ended', who: 'system', about: `call-${lines.length}` });
  }
}
beforeEach(() => {
  rounds += 1;
  folder = join(root, `${rounds}`, 'checkpoints');
  lines = [];
  linesRead = 0;
  add(ledgerStarted(siteId, publicKeyText(key)));
});
const open = (parts: Partial<CheckpointParts> = {}) =>
  openCheckpoints({
    folder,
    reader: {
      head: () => ({ seq: lines.length, hash: lineHash(lines.at(-1) ?? '') }),
      lines(fromSeq, limit) {
        const found = lines.slice(fromSeq - 1, fromSeq - 1 + limit);
        linesRead += found.length;
        return found;
      },
    },
    disk: realDisk,
    clock: realClock,
    siteId,
    signingKey: () => key,
    record: add,
    ...parts,
  });
function findings() {
  const checkpoints = readdirSync(folder)
    .filter((name) => name.endsWith('.checkpoint'))
    .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
  const check = new ChainCheck({ checkpoints, trustedKey: publicKeyText(key) });
  for (const line of lines) check.add(line);
  return { summary: check.finish(), listed: check.findings.listed };
}

describe('signing', () => {
  it('states the ledger as it is, first in a file, then in the ledger', async () => {
    addCalls(1300);
    const checkpoints = open();
    const { name, text } = await checkpoints.sign();
    expect(name).toBe('000000001301.checkpoint');
    expect(readFileSync(join(folder, name), 'utf8')).toBe(text);
    expect(readCheckpoint(text)).toMatchObject({ size: 1301, origin: `gatehouse/${siteId}` });
    expect(lines).toHaveLength(1302);
    await checkpoints.sign();
    expect(findings()).toMatchObject({
      listed: [],
      summary: { signedEntries: 1302, validCheckpoints: 2 },
    });
  });

  it('asked for twice at once signs twice, one after the other', async () => {
    const checkpoints = open();
    const [one, two] = await Promise.all([checkpoints.sign(), checkpoints.sign()]);
    expect([one.name, two.name]).toEqual(['000000000001.checkpoint', '000000000002.checkpoint']);
    expect(findings().listed).toEqual([]);
  });

  it('is over when idle() says so', async () => {
    const checkpoints = open();
    void checkpoints.sign();
    void checkpoints.sign();
    await checkpoints.idle();
    expect(lines).toHaveLength(3);
  });

  it('that fails on the disk states nothing, and the next one goes on', async () => {
    let failing = true;
    const disk = {
      ...realDisk,
      async rename(from: string, to: string) {
        if (failing) throw Object.assign(new Error('rename'), { code: 'EIO' });
        await realDisk.rename(from, to);
      },
    };
    const checkpoints = open({ disk });
    addCalls(5);
    await expect(checkpoints.sign()).rejects.toThrow('rename');
    expect(lines).toHaveLength(6);
    failing = false;
    addCalls(5);
    await checkpoints.sign();
    expect(findings()).toMatchObject({ listed: [], summary: { signedEntries: 11 } });
  });
});

describe('after a start', () => {
  const edge = () => join(folder, 'right-edge.json');

  it('goes on from the newest checkpoint without reading the lines before', async () => {
    addCalls(2000);
    await open().sign();
    linesRead = 0;
    addCalls(10);
    await open().sign();
    expect(linesRead).toBe(11);
    expect(findings().listed).toEqual([]);
  });

  it.each<[string, () => void]>([
    ['is lost', () => rmSync(edge())],
    ['is junk', () => writeFileSync(edge(), 'junk')],
    [
      'is of another tree',
      () =>
        writeFileSync(edge(), readFileSync(edge(), 'utf8').replace(/[0-9a-f]{8}"/, '00000000"')),
    ],
    ['is of another size', () => writeFileSync(edge(), '{"size":0,"nodes":[]}')],
  ])('grows the tree anew when its edge %s', async (_name, spoil) => {
    addCalls(700);
    await open().sign();
    spoil();
    linesRead = 0;
    await open().sign();
    expect(linesRead).toBe(702);
    expect(findings().listed).toEqual([]);
  });

  it('does not build on a checkpoint that another key signed', async () => {
    addCalls(3);
    await open({ signingKey: () => nextKey }).sign();
    linesRead = 0;
    await open().sign();
    expect(linesRead).toBe(5);
    expect(findings().listed.map(({ code }) => code)).toEqual(['checkpoint-signature']);
  });

  it('refuses to sign for a ledger that is shorter than it signed before', async () => {
    addCalls(20);
    await open().sign();
    lines.length = 10;
    await expect(open().sign()).rejects.toThrow('shorter than 000000000021.checkpoint');
    expect(lines).toHaveLength(10);
  });
});
