// A data folder with its database: what `gatehouse verify` finds in it, and that it always reports.
import { generateKeyPairSync } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { realClock } from '../../src/clock.ts';
import { openStore } from '../../src/store/commit.ts';
import type { Database } from '../../src/store/database.ts';
import { readRecordedRows } from '../../src/store/recording-proof.ts';
import { verifyFolder } from '../../src/store/verify-folder.ts';
import { realDisk } from '../../src/vault/disk.ts';
import { objectPath } from '../../src/vault/vault.ts';
import { runVerify, type VerifyOrder } from '../../src/verify-command.ts';
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

describe('gatehouse verify', () => {
  async function verify(order: Partial<VerifyOrder> = {}) {
    let text = '';
    const say = (said: string) => {
      text += said;
    };
    const code = await runVerify({ folder: dataFolder, ...order }, say);
    const findings = [...text.matchAll(/^(?:FAULT|NOTE) {2}(\S+) at (.*?): /gm)];
    return { code, text, found: findings.map(([, what, where]) => `${what} ${where}`) };
  }
  const at = (...path: string[]) => join(dataFolder, ...path);
  const file = () => at('gatehouse.db');
  const replace = (path: string, by: (path: string) => void) => {
    rmSync(path, { recursive: true, force: true });
    by(path);
  };
  const closed = (change: () => void) => () => {
    database.close();
    change();
  };
  const objectFile = () => at('vault', objectPath(floor.objects[1]?.cipherSha256 ?? ''));
  const lastSegment = () => at('ledger', readdirSync(at('ledger')).at(-1) ?? '');

  it('finds nothing in an honest folder, nor in a copy of what a stranger gets', async () => {
    writeFileSync(at('lock.db'), '');
    expect(await verify()).toMatchObject({ code: 0, found: [] });
    for (const name of ['gatehouse.db', 'gatehouse.db-wal', 'gatehouse.db-shm', 'lock.db']) {
      rmSync(at(name), { force: true });
    }
    expect(await verify()).toMatchObject({ code: 0, found: [] });
  });

  it.each<[string, () => void, RegExp]>([
    [
      'a database that is cut',
      closed(() => truncateSync(file(), 20_000)),
      /^table-unreadable gatehouse.db/,
    ],
    [
      'an empty database',
      closed(() => {
        truncateSync(file(), 0);
        rmSync(`${file()}-wal`, { force: true });
      }),
      /^table-unreadable gatehouse.db/,
    ],
    [
      'a database of garbage',
      closed(() => replace(file(), (path) => writeFileSync(path, 'x'.repeat(9000)))),
      /^table-unreadable gatehouse.db/,
    ],
    [
      'a folder as database',
      closed(() => replace(file(), (path) => mkdirSync(path))),
      /^table-unreadable gatehouse.db/,
    ],
    [
      'a database without the ledger',
      () => database.exec('DROP TABLE ledger'),
      /^table-unreadable gatehouse.db/,
    ],
    [
      'no database where a daemon works',
      closed(() => {
        writeFileSync(at('lock.db'), '');
        rmSync(file());
      }),
      /^table-lost gatehouse.db/,
    ],
    ['no last segment', () => rmSync(lastSegment()), /^segments-lost \d+ lines from seq/],
    ['no segment', () => rmSync(at('ledger'), { recursive: true }), /^segments-lost \d+ lines/],
    [
      'a folder as segment',
      () => replace(lastSegment(), (path) => mkdirSync(path)),
      /^file-unreadable ledger\/2026-11-25.jsonl/,
    ],
    [
      'a file as ledger folder',
      () => replace(at('ledger'), (path) => writeFileSync(path, 'x')),
      /^file-unreadable ledger$/,
    ],
    [
      'a folder as checkpoint',
      () => mkdirSync(at('checkpoints', '000000000999.checkpoint')),
      /^file-unreadable checkpoints\/000000000999.checkpoint/,
    ],
    [
      'a folder as object',
      () => replace(objectFile(), (path) => mkdirSync(path)),
      /^object-damaged object-/,
    ],
    [
      'a file as folder of objects',
      () => replace(at('vault', 'objects'), (path) => writeFileSync(path, 'x')),
      /^file-unreadable vault\/objects/,
    ],
  ])('reports %s, and goes on', async (_, spoil, expected) => {
    spoil();
    const { code, text, found } = await verify();
    expect(code).toBe(1);
    expect(found).toEqual(expect.arrayContaining([expect.stringMatching(expected)]));
    expect(text).toContain('What to do');
    expect(text).toMatch(/\d+ faults\.\n$/);
  });

  it('reads on when the database breaks off in the middle', async () => {
    const { held } = floor.table;
    const broken = {
      head: () => ({ seq: held.length, hash: '' }),
      lines() {
        throw Object.assign(new Error('malformed'), { code: 'SQLITE_CORRUPT' });
      },
    };
    const report = await verifyFolder({ disk: realDisk, dataFolder, table: broken });
    expect(report.findings).toEqual([
      { code: 'table-unreadable', place: 'gatehouse.db from seq 1' },
    ]);
    expect(report).toMatchObject({ faults: 1, entries: held.length });
  });

  it('refuses a key or folder that is none, before it checks anything', async () => {
    const pem = (type: 'rsa') =>
      generateKeyPairSync(type, { modulusLength: 1024 })
        .publicKey.export({ format: 'pem', type: 'spki' })
        .toString();
    writeFileSync(at('rsa.pem'), pem('rsa'));
    for (const keyFile of ['package.json', at('ledger'), at('no-such'), at('rsa.pem')]) {
      await expect(verify({ keyFile })).rejects.toMatchObject({ code: 'verify.unreadable' });
    }
    await expect(verify({ checkpointFile: at('ledger') })).rejects.toMatchObject({
      code: 'verify.unreadable',
    });
    await expect(verify({ folder: 'docs' })).rejects.toMatchObject({ code: 'verify.unreadable' });
    writeFileSync(at('key.pem'), floor.publicPem ?? '');
    expect(await verify({ keyFile: at('key.pem') })).toMatchObject({ code: 0 });
  });
});
