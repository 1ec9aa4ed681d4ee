// A data folder with its database: what `gatehouse verify` finds in it, and that it always reports.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { realClock } from '../../src/clock.ts';
import { openStore } from '../../src/store/commit.ts';
import type { Database } from '../../src/store/database.ts';
import { readRecordedRows } from '../../src/store/recording-proof.ts';
import { verifyFolder } from '../../src/store/verify-folder.ts';
import { realDisk } from '../../src/vault/disk.ts';
import { addDatabase } from './sealed-database.ts';
import { buildFloor, type SealedFloor } from './sealed-floor.ts';

const root = mkdtempSync(join(tmpdir(), 'gatehouse-verify-'));
let floor: SealedFloor;
let dataFolder = '';
let rounds = 0;
let database: Database;
beforeAll(async () => {
  floor = await buildFloor(join(root, 'honest'));
});
beforeEach(() => {
  rounds += 1;
  dataFolder = join(root, `${rounds}`);
  cpSync(floor.dataFolder, dataFolder, { recursive: true });
  database = addDatabase(floor, dataFolder);
  return () => database.close();
});
afterAll(() => rmSync(root, { recursive: true }));

const recording = (index: number) => floor.objects[index]?.recordingId ?? '';

describe('the rows of recordings', () => {
  const set = (index: number, column: string, value: string | number | null) =>
    database
      .prepare(`UPDATE "Recording" SET "${column}" = ? WHERE id = ?`)
      .run(value, recording(index));
  const swap = () => {
    const rename = database.prepare('UPDATE "Recording" SET id = ? WHERE id = ?');
    rename.run('call-x', recording(1));
    rename.run(recording(1), recording(2));
    rename.run(recording(2), 'call-x');
  };
  async function found(item?: string) {
    const table = openStore(database, realClock);
    const rows = readRecordedRows(database);
    const asked = item === undefined ? {} : { item };
    const { findings } = await verifyFolder({ disk: realDisk, dataFolder, table, rows, ...asked });
    return findings.map(({ code, place }) => `${code} ${place}`).sort();
  }

  it.each<[string, () => unknown, () => string[]]>([
    ['as they were sealed', () => undefined, () => []],
    [
      'exchanged',
      swap,
      () => [`row-differs ${recording(1)}`, `row-differs ${recording(2)}`].sort(),
    ],
    [
      'with the hash of another file',
      () => set(1, 'plainSha256', 'a'.repeat(64)),
      () => [`row-differs ${recording(1)}`],
    ],
    [
      'of which one is gone',
      () => database.prepare('DELETE FROM "Recording" WHERE id = ?').run(recording(3)),
      () => [`row-lost ${recording(3)}`],
    ],
    [
      'of which one lost its key',
      () => set(3, 'objectId', null),
      () => [`row-lost ${recording(3)}`],
    ],
    [
      'of which an erased one is back',
      () => set(0, 'objectId', floor.objects[0]?.objectId ?? ''),
      () => [`row-unstated ${recording(0)}`],
    ],
  ])('are found %s', async (_, spoil, expected) => {
    spoil();
    expect(await found()).toEqual(expected());
  });

  it('are judged for one item alone', async () => {
    swap();
    expect(await found(recording(1))).toEqual([`row-differs ${recording(1)}`]);
    expect(await found(floor.objects[2]?.objectId)).toEqual([`row-differs ${recording(2)}`]);
    expect(await found(recording(3))).toEqual([]);
  });

  it('are those of one moment, while the daemon seals on', async () => {
    const rows = readRecordedRows(database);
    const table = openStore(database, realClock);
    const facts = { objectId: 'object-new', cipherSha256: 'b'.repeat(64) };
    const entry = { room: 'telephony', what: 'recording-sealed', who: 'system', facts };
    table.commit({ room: 'telephony', entries: [{ ...entry, about: 'call-new' }], changes: [] });
    const { counts } = await verifyFolder({ disk: realDisk, dataFolder, table, rows });
    expect(counts.get('object-lost')).toBe(1);
    expect([...counts.keys()].filter((code) => code.startsWith('row-'))).toEqual([]);
  });
});
