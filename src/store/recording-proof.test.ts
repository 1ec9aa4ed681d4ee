// What is heard is what was sealed: damaged, lost and exchanged recordings are not played.
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addDatabase } from '../../tests/fast/sealed-database.ts';
import { buildFloor, type SealedFloor } from '../../tests/fast/sealed-floor.ts';
import { seededIds } from '../ids.ts';
import { realDisk } from '../vault/disk.ts';
import { siteKeysFrom } from '../vault/keys.ts';
import { objectPath, openVault } from '../vault/vault.ts';
import type { Database } from './database.ts';
import { openAudioOf } from './recording-proof.ts';

const root = mkdtempSync(join(tmpdir(), 'gatehouse-proof-'));
let floor: SealedFloor;
let database: Database;
let openAudio: ReturnType<typeof openAudioOf>;
let dataFolder = '';
let rounds = 0;
beforeAll(async () => {
  floor = await buildFloor(join(root, 'honest'));
});
beforeEach(() => {
  rounds += 1;
  dataFolder = join(root, `${rounds}`);
  cpSync(floor.dataFolder, dataFolder, { recursive: true });
  database = addDatabase(floor, dataFolder);
  openAudio = openAudioOf(database, vaultOf(floor.keys));
});
afterEach(() => database.close());
afterAll(() => rmSync(root, { recursive: true }));

const vaultOf = (keys: SealedFloor['keys']) =>
  openVault(join(dataFolder, 'vault'), keys, realDisk, seededIds(5));
const object = (index: number) => {
  const found = floor.objects[index];
  if (!found) throw new Error(`no object ${index}`);
  return found;
};
const hear = (index: number, firstByte = 0, lastByte = object(index).plainBytes - 1) =>
  openAudio(object(index).recordingId, { firstByte, lastByte });
const set = (index: number, column: string, value: string | number | null) =>
  database
    .prepare(`UPDATE "Recording" SET "${column}" = ? WHERE id = ?`)
    .run(value, object(index).recordingId);
const file = (index: number) => join(dataFolder, 'vault', objectPath(object(index).cipherSha256));

describe('a recording', () => {
  it('is played whole and in part when it is what was sealed', async () => {
    const whole = await hear(1);
    expect(whole.done && (await buffer(whole.bytes)).equals(object(1).plain)).toBe(true);
    const part = await hear(2, 100, 199);
    const expected = object(2).plain.subarray(100, 200);
    expect(part.done && (await buffer(part.bytes)).equals(expected)).toBe(true);
  });

  it('is found by an index, not by reading the ledger', () => {
    const plan = database
      .prepare(
        `EXPLAIN QUERY PLAN SELECT line FROM ledger
         WHERE instr(line, ',"what":"recording-sealed",') > 0
         AND substr(line, 92, 64) >= 'a' AND substr(line, 92, 64) < 'b'`,
      )
      .all() as { detail: string }[];
    expect(plan.map(({ detail }) => detail).join()).toContain('USING INDEX ledger_sealed');
  });

  it.each<[string, () => void, string]>([
    [
      'one byte of it changed, far from the part that is asked for',
      () => {
        chmodSync(file(1), 0o600);
        const bytes = readFileSync(file(1));
        bytes[2000] = (bytes[2000] ?? 0) ^ 1;
        writeFileSync(file(1), bytes);
      },
      'object-damaged',
    ],
    ['its file is gone', () => rmSync(file(1)), 'object-lost'],
    [
      'its row and that of another call were exchanged',
      () => {
        const [mine, other] = [object(1).recordingId, object(2).recordingId];
        const swap = database.prepare('UPDATE "Recording" SET id = ? WHERE id = ?');
        swap.run('call-x', mine);
        swap.run(mine, other);
        swap.run(other, 'call-x');
      },
      'recording-differs',
    ],
    ['its row states another length', () => set(1, 'durationMs', 5), 'recording-differs'],
    [
      'no entry says that it was sealed',
      () => database.prepare('DELETE FROM ledger WHERE line LIKE ?').run('%recording-sealed%'),
      'recording-differs',
    ],
    ['its key is that of another object', () => set(1, 'iv', object(2).iv), 'object-damaged'],
    ['its key is gone', () => set(1, 'wrappedKey', null), 'object-key-unknown'],
    [
      'the master key is another one',
      () => {
        openAudio = openAudioOf(database, vaultOf(siteKeysFrom(Buffer.alloc(32, 9))));
      },
      'object-key-unknown',
    ],
  ])('is refused as unsound when %s', async (_, spoil, why) => {
    spoil();
    expect(await hear(1, 0, 9)).toEqual({ done: false, why, unsound: true });
  });

  it('that was erased, or never was, is only not there', async () => {
    expect(await hear(0)).toEqual({ done: false, why: 'not-in-vault' });
    expect(await openAudio('call-9', { firstByte: 0, lastByte: 1 })).toEqual({
      done: false,
      why: 'no-such-recording',
    });
  });
});
