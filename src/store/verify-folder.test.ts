// A whole data folder, one item, or a copy: clean when honest, and each kind of damage is found.

import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isIncluded } from '../../tests/fast/chains.ts';
import { ArrayTable, buildFloor, type SealedFloor } from '../../tests/fast/sealed-floor.ts';
import { readCheckpoint } from '../audit/checkpoint.ts';
import { formLine } from '../audit/entry.ts';
import { leafHash } from '../audit/merkle.ts';
import { findingTable, segmentClosed } from '../audit/verify.ts';
import { dayMs } from '../calendar.ts';
import { realDisk } from '../vault/disk.ts';
import { objectPath } from '../vault/vault.ts';
import { type VerifyParts, verifyFolder } from './verify-folder.ts';

const root = mkdtempSync(join(tmpdir(), 'gatehouse-verify-'));
afterAll(() => rmSync(root, { recursive: true }));
let floor: SealedFloor;
beforeAll(async () => {
  floor = await buildFloor(join(root, 'honest'));
});

let dataFolder = '';
let table = new ArrayTable();
let rounds = 0;
beforeEach(() => {
  rounds += 1;
  dataFolder = join(root, `${rounds}`);
  cpSync(floor.dataFolder, dataFolder, { recursive: true });
  table = new ArrayTable();
  table.held.push(...floor.table.held);
  table.nowUtcMs = floor.table.nowUtcMs;
});
const verify = (parts: Partial<VerifyParts> = {}) =>
  verifyFolder({ disk: realDisk, dataFolder, table, ...parts });
async function codes(parts: Partial<VerifyParts> = {}) {
  return [...(await verify(parts)).counts.keys()].sort();
}
/** Without the table, as a stranger has it. */
function verifyCopy(parts: Partial<VerifyParts> = {}) {
  return verifyFolder({ disk: realDisk, dataFolder, ...parts });
}
const segment = (day: string) => join(dataFolder, 'ledger', `2026-11-${day}.jsonl`);
const edit = (path: string, change: (text: string) => string) =>
  writeFileSync(path, change(readFileSync(path, 'utf8')));
const checkpoints = () =>
  readdirSync(join(dataFolder, 'checkpoints')).filter((name) => name.endsWith('.checkpoint'));
const checkpointPath = (name: string) => join(dataFolder, 'checkpoints', name);
const object = (index: number) => {
  const found = floor.objects[index];
  if (!found) throw new Error(`no object ${index}`);
  return found;
};
const objectFile = (index: number) =>
  join(dataFolder, 'vault', objectPath(object(index).cipherSha256));
function spoilObject(index: number, change: (bytes: Buffer) => Buffer): void {
  const path = objectFile(index);
  chmodSync(path, 0o600);
  writeFileSync(path, change(readFileSync(path)));
}

describe('an honest folder', () => {
  it('is clean, with its numbers', async () => {
    const report = await verify({ trustedKey: floor.firstKey });
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({
      faults: 0,
      entries: floor.table.held.length,
      tableLines: floor.table.held.length,
      segments: 3,
      validCheckpoints: 3,
      siteId: floor.siteId,
      objects: { recorded: 3, erased: 1, sound: 3 },
      item: [],
    });
    expect(report.keys.map(({ key }) => key)).toEqual([floor.firstKey, floor.secondKey]);
    // The last checkpoint, its own entry and two calls after it.
    expect(report.signedEntries).toBe(floor.table.held.length - 3);
  });

  it('is clean as a copy, and as a copy without its vault', async () => {
    expect(await verifyCopy()).toMatchObject({ findings: [], tableLines: undefined });
    rmSync(join(dataFolder, 'vault'), { recursive: true });
    const report = await verifyCopy();
    expect([...report.counts.keys()]).toEqual(['vault-absent']);
    expect(report.faults).toBe(0);
  });

  it('that is empty has nothing to find', async () => {
    const empty = join(root, 'empty');
    const report = await verify({ dataFolder: empty, table: new ArrayTable() });
    expect(report).toMatchObject({ findings: [], entries: 0, segments: 0 });
  });

  it('may have its table ahead of the segments, as after a crash', async () => {
    table.add({ room: 'telephony', what: 'call-ended', who: 'system', about: 'call-a' });
    const report = await verify();
    expect(report.findings).toEqual([
      { code: 'segments-behind', place: `1 lines from seq ${floor.table.held.length + 1}` },
    ]);
    expect(report).toMatchObject({ faults: 0, entries: table.held.length });
    // A whole segment is no moment's work: it was there and is gone.
    rmSync(segment('25'));
    expect(await codes()).toEqual(['segments-lost']);
  });

  it('is judged as it was when its reading began, also while a segment closes', async () => {
    const whole = readFileSync(segment('25'));
    const later = table.held.splice(-2);
    edit(segment('25'), (text) => text.split('\n').slice(0, -3).join('\n').concat('\n'));
    let lived = false;
    const disk = {
      ...realDisk,
      async *read(path: string) {
        yield* realDisk.read(path);
        if (path !== segment('25')) return;
        // The daemon goes on: two more lines, and at midnight the segment closes.
        table.held.push(...later);
        table.nowUtcMs += dayMs;
        const sha256 = createHash('sha256').update(whole).digest('hex');
        table.add(segmentClosed('2026-11-25', sha256, table.held.length));
        lived = true;
      },
    };
    const report = await verify({ disk });
    expect(lived).toBe(true);
    expect(report).toMatchObject({ findings: [], entries: table.held.length - 3 });
  });
});

describe('damage to the ledger', () => {
  const flip = (text: string) => text.replace('"ringMs":', '"ringMs":1');

  it.each<[string, () => void, string[]]>([
    [
      'an edited segment',
      () => edit(segment('22'), flip),
      ['chain-broken', 'checkpoint-root', 'segment-hash', 'table-differs'],
    ],
    [
      'an edited last segment',
      () => edit(segment('25'), flip),
      ['chain-broken', 'checkpoint-root', 'table-differs'],
    ],
    [
      'an edited table',
      () => {
        table.held[3] = flip(table.held[3] ?? '');
      },
      ['table-differs'],
    ],
    [
      'a line deleted from the table',
      () => table.held.splice(-2, 1),
      ['table-differs', 'table-short'],
    ],
    ['a table cut short', () => table.held.splice(-1), ['table-short']],
    ['an empty table', () => table.held.splice(0), ['table-short']],
    [
      'a line inserted into the table',
      () => table.held.splice(5, 0, table.held[5] ?? ''),
      ['chain-broken', 'line-order', 'segments-behind', 'table-differs'],
    ],
    [
      'a segment under another day',
      () => renameSync(segment('25'), segment('24')),
      ['segment-day'],
    ],
    [
      'a segment that was appended to',
      () =>
        appendFileSync(
          segment('25'),
          formLine('0'.repeat(64), 999, 0, { room: 'a', what: 'b', who: 'c', about: 'd' }).concat(
            '\n',
          ),
        ),
      ['chain-broken', 'clock-back', 'line-order', 'table-short'],
    ],
    [
      'a file beside the segments',
      () => writeFileSync(join(dataFolder, 'ledger', 'notes.txt'), ''),
      ['stray-file'],
    ],
    ['a torn last line', () => appendFileSync(segment('25'), '{"prev":"'), ['segment-torn']],
    [
      'an endless line',
      () => appendFileSync(segment('25'), `${'x'.repeat(40_000)}\n`),
      ['chain-broken', 'line-form', 'table-short'],
    ],
    [
      'bytes that are no text',
      () => appendFileSync(segment('25'), Buffer.from([0xff, 0xfe, 10])),
      ['chain-broken', 'line-form', 'table-short'],
    ],
  ])('as %s is found', async (_name, spoil, expected) => {
    spoil();
    const got = await codes();
    // A break of the chain may or may not be seen on the line itself; all else is certain.
    expect(got.filter((code) => code !== 'chain-broken' && code !== 'line-order')).toEqual(
      expected.filter((code) => code !== 'chain-broken' && code !== 'line-order'),
    );
    const isNote = expected.every(
      (code) => findingTable[code as keyof typeof findingTable][0] === 'note',
    );
    expect((await verify()).faults > 0).toBe(!isNote);
  });

  it('as a lost segment is found from all sides', async () => {
    rmSync(segment('22'));
    const got = await codes();
    for (const code of ['segment-lost', 'table-differs', 'ledger-start', 'checkpoint-root'])
      expect(got).toContain(code);
  });

  // Up to the last recording: what is cut then is nothing that the vault would miss.
  const cut = (text: string) => `${text.split('\n').slice(0, 3).join('\n')}\n`;

  it('as a cut tail is found in a copy by the last checkpoint', async () => {
    edit(segment('25'), cut);
    const report = await verifyCopy();
    expect(report.findings).toEqual([{ code: 'ledger-cut', place: checkpoints().at(-1) }]);
  });

  it('as a tail cut with its checkpoint is found only by one held elsewhere', async () => {
    edit(segment('25'), cut);
    rmSync(checkpointPath(checkpoints().at(-1) ?? ''));
    expect((await verifyCopy()).findings).toEqual([]);
    const heldCheckpoints = [{ name: 'shift book', text: floor.latest.text }];
    expect((await verifyCopy({ heldCheckpoints })).findings).toEqual([
      { code: 'ledger-cut', place: 'shift book' },
    ]);
  });

  it.each<[string, () => void, string]>([
    ['lost', () => rmSync(checkpointPath(checkpoints()[0] ?? '')), 'checkpoint-lost'],
    [
      'junk',
      () => writeFileSync(checkpointPath(checkpoints()[0] ?? ''), 'junk'),
      'checkpoint-form',
    ],
    [
      'huge',
      () => writeFileSync(checkpointPath(checkpoints()[0] ?? ''), 'x'.repeat(1e6)),
      'checkpoint-form',
    ],
    [
      'edited',
      () =>
        edit(checkpointPath(checkpoints()[0] ?? ''), (text) => text.replace(/\n\d+\n/, '\n9\n')),
      'checkpoint-root',
    ],
    [
      'another',
      () =>
        edit(checkpointPath(checkpoints()[0] ?? ''), () =>
          readFileSync(checkpointPath(checkpoints()[1] ?? ''), 'utf8'),
        ),
      'checkpoint-lost',
    ],
  ])('as a checkpoint that is %s is found', async (_name, spoil, code) => {
    spoil();
    expect(await codes()).toContain(code);
  });

  it('as a signing key that is not ours is found', async () => {
    const stranger = Buffer.alloc(32, 1).toString('base64');
    expect(await codes({ trustedKey: stranger })).toEqual(['key-foreign']);
  });
});

describe('damage to the vault', () => {
  it.each<[string, () => void, string]>([
    [
      'a flipped bit',
      () =>
        spoilObject(1, (bytes) => {
          bytes[100] = (bytes[100] ?? 0) ^ 1;
          return bytes;
        }),
      'object-damaged',
    ],
    ['a cut object', () => spoilObject(1, (bytes) => bytes.subarray(0, -1)), 'object-damaged'],
    [
      'an object that grew',
      () => spoilObject(1, (bytes) => Buffer.concat([bytes, Buffer.alloc(1)])),
      'object-damaged',
    ],
    [
      'another object in its place',
      () => spoilObject(1, () => readFileSync(objectFile(2))),
      'object-damaged',
    ],
    ['a lost object', () => rmSync(objectFile(1)), 'object-lost'],
    ['a lost vault', () => rmSync(join(dataFolder, 'vault'), { recursive: true }), 'object-lost'],
    ['an erased object that is back', () => cpSync(objectFile(1), objectFile(0)), 'object-remains'],
    [
      'an object nobody recorded',
      () => cpSync(objectFile(1), objectFile(1).slice(0, -1).concat('x')),
      'object-unlisted',
    ],
  ])('as %s is found', async (_name, spoil, code) => {
    spoil();
    const report = await verify();
    expect([...report.counts.keys()]).toEqual([code]);
    if (code !== 'object-lost' && code !== 'object-unlisted') {
      expect(report.findings[0]?.place).toBe(object(code === 'object-remains' ? 0 : 1).objectId);
    }
  });

  it('as a bad spot on the medium is damage to that object', async () => {
    const disk = {
      ...realDisk,
      readFromMedium(path: string) {
        if (path === objectFile(2)) throw Object.assign(new Error('medium'), { code: 'EIO' });
        return realDisk.readFromMedium(path);
      },
    };
    expect(await verify({ disk })).toMatchObject({
      findings: [{ code: 'object-damaged', place: object(2).objectId }],
      objects: { sound: 2 },
    });
  });
});

describe('one item', () => {
  it('is given with its entries, each proved to the signed root', async () => {
    for (const item of [object(1).recordingId, object(1).objectId]) {
      const report = await verify({ item });
      expect(report).toMatchObject({ findings: [], objects: { sound: 1 } });
      expect(report.item).toHaveLength(1);
      const [entry] = report.item;
      const tree = readCheckpoint(floor.latest.text);
      if (!entry?.proof || !tree) throw new Error('no proof');
      expect(entry.line).toContain(object(1).cipherSha256);
      const leaf = leafHash(entry.line);
      expect(isIncluded(leaf, entry.seq - 1, tree.size, [...entry.proof], tree.root)).toBe(true);
    }
  });

  it('has all its entries, the tombstone too, and no proof past the last checkpoint', async () => {
    const erased = await verify({ item: object(0).objectId });
    expect(erased.item.map(({ line }) => JSON.parse(line).rec.what)).toEqual([
      'recording-sealed',
      'object-erased',
    ]);
    const { about } = JSON.parse(floor.table.held.at(-1) ?? '').rec;
    expect((await verify({ item: about })).item).toMatchObject([{ proof: undefined }]);
  });

  it('is faulty when its object is damaged, and not when another is', async () => {
    spoilObject(1, (bytes) => bytes.subarray(1));
    expect(await codes({ item: object(1).recordingId })).toEqual(['object-damaged']);
    expect(await codes({ item: object(2).recordingId })).toEqual([]);
  });

  it('that nobody recorded is told', async () => {
    expect((await verify({ item: 'recording-a' })).findings).toEqual([
      { code: 'item-unknown', place: 'recording-a' },
    ]);
  });
});
