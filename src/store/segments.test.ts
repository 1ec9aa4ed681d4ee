// Segments: the table's lines by day, whatever a crash tore, and never over anything else.
import { createHash } from 'node:crypto';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type Entry, formLine, genesisPrev, lineHash } from '../audit/entry.ts';
import type { LedgerReader } from '../audit/ledger.ts';
import { readLine } from '../audit/verify.ts';
import { dayMs } from '../calendar.ts';
import { realClock } from '../clock.ts';
import { seededIds } from '../ids.ts';
import { VirtualClock } from '../simulation/virtual-clock.ts';
import { type Disk, realDisk } from '../vault/disk.ts';
import {
  flushDelayMs,
  openSegments,
  retryDelayMs,
  SegmentDiffers,
  type SegmentParts,
  sliceLines,
} from './segments.ts';

const startUtcMs = Date.parse('2026-11-22T23:00:00Z');
const root = mkdtempSync(join(tmpdir(), 'gatehouse-segments-'));
afterAll(() => rmSync(root, { recursive: true }));

/** A table of lines that the test appends to, as the committer would. */
class Table implements LedgerReader {
  readonly held: string[] = [];
  nowUtcMs = startUtcMs;

  add(count = 1, entry?: Entry): void {
    for (let i = 0; i < count; i += 1) {
      const seq = this.held.length + 1;
      const call = { room: 'telephony', what: 'call-ended', who: 'system', about: `call-${seq}` };
      const { hash } = this.head();
      this.held.push(formLine(hash, seq, this.nowUtcMs, entry ?? call));
    }
  }

  head() {
    const last = this.held.at(-1);
    return { seq: this.held.length, hash: last === undefined ? genesisPrev : lineHash(last) };
  }

  lines(fromSeq: number, limit: number) {
    return this.held.slice(fromSeq - 1, fromSeq - 1 + limit);
  }
}

let folder = '';
let table = new Table();
let rounds = 0;
const failures: unknown[] = [];
beforeEach(() => {
  rounds += 1;
  folder = join(root, `${rounds}`, 'ledger');
  table = new Table();
  failures.length = 0;
});
const open = (parts: Partial<SegmentParts> = {}) =>
  openSegments({
    folder,
    reader: table,
    disk: realDisk,
    clock: realClock,
    record: (entry) => table.add(1, entry),
    failed: (cause) => failures.push(cause),
    level: () => {},
    ...parts,
  });
const fileOf = (day: string) => join(folder, `${day}.jsonl`);
const textOf = (day: string) => readFileSync(fileOf(day), 'utf8');
const written = () =>
  readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('');
const ofTable = () => table.held.map((line) => `${line}\n`).join('');
const statements = () =>
  table.held.flatMap((line) => {
    const record = readLine(line)?.record;
    return record?.what === 'segment-closed' ? [record] : [];
  });

describe('segments', () => {
  it('hold the lines of the table, more than a slice at once, and end durable', async () => {
    table.add(2 * sliceLines + 3);
    const segments = open();
    await segments.flush();
    expect(textOf('2026-11-22')).toBe(ofTable());
    table.add(5);
    await segments.end();
    expect(textOf('2026-11-22')).toBe(ofTable());
  });

  it('are nothing while there is no line', async () => {
    const segments = open();
    await segments.end();
    expect(() => readdirSync(folder)).toThrow('ENOENT');
  });

  it('begin anew with each UTC day, and state the hash of the one that ended', async () => {
    table.add(3);
    const segments = open();
    await segments.flush();
    table.nowUtcMs += dayMs;
    table.add(2);
    await segments.flush();
    expect(textOf('2026-11-22')).toBe(
      table.held
        .slice(0, 3)
        .map((line) => `${line}\n`)
        .join(''),
    );
    expect(statements()).toMatchObject([
      {
        seq: 6,
        about: 'segment-2026-11-22',
        facts: {
          lastSeq: 3,
          sha256: createHash('sha256').update(textOf('2026-11-22')).digest('hex'),
        },
      },
    ]);
    expect(written()).toBe(ofTable());
    await segments.end();
  });

  it('pass over days without lines, and state in order when many days wait', async () => {
    for (let day = 0; day < 4; day += 1) {
      table.nowUtcMs += day * dayMs;
      table.add(2);
    }
    const segments = open();
    await segments.end();
    expect(readdirSync(folder)).toEqual(
      ['22', '23', '25', '28'].map((day) => `2026-11-${day}.jsonl`),
    );
    expect(statements().map(({ about }) => about)).toEqual(
      ['22', '23', '25'].map((day) => `segment-2026-11-${day}`),
    );
    expect(written()).toBe(ofTable());
  });

  it('do not go back to an older day when the clock does', async () => {
    table.nowUtcMs += dayMs;
    table.add(1);
    table.nowUtcMs -= 3 * dayMs;
    table.add(2);
    const segments = open();
    await segments.end();
    expect(readdirSync(folder)).toEqual(['2026-11-23.jsonl']);
    expect(written()).toBe(ofTable());
  });

  it('are written a moment after wake(), several at once, and no more after the end', async () => {
    const world = new VirtualClock(startUtcMs);
    const { clock } = world.life();
    const segments = open({ clock });
    table.add(1);
    segments.wake();
    segments.wake();
    await world.run(flushDelayMs - 1);
    expect(() => readdirSync(folder)).toThrow('ENOENT');
    await world.run(flushDelayMs);
    await segments.flush();
    expect(written()).toBe(ofTable());
    await segments.end();
    table.add(1);
    segments.wake();
    await world.run(10 * retryDelayMs);
    expect(written()).not.toBe(ofTable());
    expect(failures).toEqual([]);
  });
});

describe('a start after a crash', () => {
  async function filled(lines: number): Promise<void> {
    table.add(lines);
    await open().end();
  }
  const whole = () => readFileSync(fileOf('2026-11-22'));

  it.each([0, 1, 100])('goes on after %i whole lines', async (kept) => {
    await filled(100);
    const keepBytes = table.held.slice(0, kept).join('\n').length + (kept > 0 ? 1 : 0);
    truncateSync(fileOf('2026-11-22'), keepBytes);
    table.add(3);
    await open().end();
    expect(written()).toBe(ofTable());
  });

  it('mends a line torn at any byte', async () => {
    await filled(3);
    const bytes = whole();
    for (let size = 0; size <= bytes.length; size += 7) {
      writeFileSync(fileOf('2026-11-22'), bytes.subarray(0, size));
      await open().end();
      expect(written()).toBe(ofTable());
    }
  });

  it('mends zeros where the bytes were to come', async () => {
    await filled(5);
    const bytes = Buffer.from(whole());
    bytes.fill(0, bytes.length - 900);
    writeFileSync(fileOf('2026-11-22'), bytes);
    await open().end();
    expect(written()).toBe(ofTable());
    writeFileSync(fileOf('2026-11-22'), Buffer.alloc(100_000));
    await open().end();
    expect(written()).toBe(ofTable());
  });

  it('mends the first line of a later day', async () => {
    await filled(3);
    table.nowUtcMs += dayMs;
    table.add(2);
    await open().end();
    for (const text of ['', textOf('2026-11-23').slice(0, 50)]) {
      writeFileSync(fileOf('2026-11-23'), text);
      await open().end();
      expect(written()).toBe(ofTable());
    }
    expect(statements()).toHaveLength(1);
  });

  it.each<[string, (text: string) => string]>([
    ['an edited line', (text) => text.replace('call-2', 'call-9')],
    ['an edited line and a torn one', (text) => text.replace('call-2', 'call-9').slice(0, -20)],
    ['a torn line that is another', (text) => `${text.slice(0, -20)}x`],
    ['zeros before other bytes', (text) => `${text.slice(0, -20)}\0\0x`],
    ['a deleted line', (text) => text.slice(text.indexOf('\n') + 1)],
    ['a line more', (text) => `${text}${text.slice(text.lastIndexOf('{"prev"'))}`],
    ['junk', () => 'junk\n'],
    ['a long line', (text) => `${text}${'x'.repeat(100_000)}`],
    ['an empty line', (text) => `${text}\n`],
  ])('does not touch %s, and says so', async (_name, spoil) => {
    await filled(5);
    const spoilt = spoil(textOf('2026-11-22'));
    writeFileSync(fileOf('2026-11-22'), spoilt);
    table.add(2);
    await expect(open().flush()).rejects.toThrow(SegmentDiffers);
    expect(textOf('2026-11-22')).toBe(spoilt);
  });

  it('does not touch segments that a restored, older table does not have', async () => {
    await filled(5);
    table.held.length = 3;
    await expect(open().flush()).rejects.toThrow('after seq 3');
  });

  it('states a segment at least once, wherever it fell: 300 crashes over many days', async () => {
    const ids = seededIds(61);
    let crashes = 0;
    for (let round = 0; round < 300; round += 1) {
      let left = ids.below(12);
      const crash = () => {
        left -= 1;
        if (left < 0) throw new Error('crash');
      };
      const crashing: Disk = {
        ...realDisk,
        async append(path, mode) {
          crash();
          const file = await realDisk.append(path, mode);
          return {
            ...file,
            async write(bytes) {
              // A crash may let through any beginning of what was written.
              if (left === 0) await file.write(bytes.subarray(0, ids.below(bytes.length)));
              crash();
              await file.write(bytes);
            },
            async sync() {
              crash();
              await file.sync();
            },
          };
        },
        async syncFolder(path) {
          crash();
          await realDisk.syncFolder(path);
        },
      };
      table.nowUtcMs += ids.below(2) * dayMs;
      table.add(ids.below(4));
      const segments = open({
        disk: crashing,
        record(entry) {
          crash();
          table.add(1, entry);
          crash();
        },
      });
      try {
        await segments.end();
      } catch (cause) {
        expect(String(cause)).toBe('Error: crash');
        crashes += 1;
      }
    }
    await open().end();
    expect(crashes).toBeGreaterThan(100);
    expect(written()).toBe(ofTable());
    const days = readdirSync(folder).map((name) => name.slice(0, 10));
    expect(days.length).toBeGreaterThan(50);
    const stated = new Set(statements().map(({ about }) => about));
    expect([...stated]).toEqual(days.slice(0, -1).map((day) => `segment-${day}`));
    for (const { about, facts } of statements()) {
      const text = textOf(about.slice('segment-'.length));
      expect(facts?.sha256).toBe(createHash('sha256').update(text).digest('hex'));
    }
  });
});

describe('a disk that fails while running', () => {
  it('is told once, tried again later, and then holds everything', async () => {
    const world = new VirtualClock(startUtcMs);
    const { clock } = world.life();
    let failing = true;
    const disk: Disk = {
      ...realDisk,
      async append(path, mode) {
        const file = await realDisk.append(path, mode);
        return {
          ...file,
          async write(bytes) {
            await file.write(failing ? bytes.subarray(0, 10) : bytes);
            if (failing) throw Object.assign(new Error('no room'), { code: 'ENOSPC' });
          },
        };
      },
    };
    const segments = open({ clock, disk });
    table.add(3);
    segments.wake();
    await world.run(flushDelayMs);
    await expect.poll(() => failures).toHaveLength(1);
    segments.wake();
    await world.run(flushDelayMs + retryDelayMs - 1);
    expect(failures).toHaveLength(1);
    failing = false;
    await world.run(flushDelayMs + retryDelayMs);
    await segments.flush();
    expect(failures).toHaveLength(1);
    expect(written()).toBe(ofTable());
    await segments.end();
  });
});
