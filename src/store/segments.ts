// Daily JSONL segments: copies of the ledger's lines for strangers, written after the commit.
import { createHash, type Hash } from 'node:crypto';
import { join } from 'node:path';
import { type Entry, lineUtcMs } from '../audit/entry.ts';
import type { LedgerReader } from '../audit/ledger.ts';
import { readLine, segmentClosed } from '../audit/verify.ts';
import { dayMs, dayOf, dayText, type LocalDay } from '../calendar.ts';
import type { Clock, Timer } from '../clock.ts';
import type { Disk, DiskFile } from '../vault/disk.ts';

/** Lines are gathered so long, so that a busy floor writes a few times a second. */
export const flushDelayMs = 250;
/** After a failure of the disk the next attempt starts over from what the file then holds. */
export const retryDelayMs = 10_000;
/** Lines written at once; between two slices the event loop is free. */
export const sliceLines = 500;
/** No line of the ledger is as long; a file with a longer one is not one of ours. */
const maxLineBytes = 16_384;
const newline = 10;

export interface SegmentParts {
  /** The folder of segments alone, `<data>/ledger`. */
  folder: string;
  reader: LedgerReader;
  disk: Disk;
  clock: Clock;
  /** Commits the entry that states a closed segment's hash. */
  record(entry: Entry): void;
  /** Told once for each failure; the record itself, the table, is not touched by it. */
  failed(cause: unknown): void;
  /** Told whenever the files have become level with the table. */
  level(): void;
}

export interface Segments {
  /** There are new lines; returns at once. */
  wake(): void;
  /**
   * Resolves when all lines of the table are written; rejects with SegmentDiffers or the error of
   * the disk, and the next attempt starts over.
   */
  flush(): Promise<void>;
  /** Writes what waits, makes it durable and takes no more. */
  end(): Promise<void>;
}

/** A segment that is neither a copy of the table nor a torn one: nobody may overwrite it. */
export class SegmentDiffers extends Error {
  readonly day: string;
  constructor(day: string, seq: number) {
    super(`segment ${day} differs from the table after seq ${seq}`);
    this.day = day;
  }
}

/** The days of a folder's segments, in order; other names are not segments. */
export function daysOf(names: readonly string[]): string[] {
  return names
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => name.slice(0, -6))
    .filter((day) => dayOf(day) !== undefined);
}

export const segmentPath = (folder: string, day: string) => join(folder, `${day}.jsonl`);

interface OpenFile {
  day: LocalDay;
  file: DiskFile;
  digest: Hash;
  /** Of the last line in it. */
  lastSeq: number;
}

/**
 * The segments of a data folder; the first flush() at start holds them against the table and writes
 * what it is ahead. A line stands in the segment of its UTC day, or in the newest one when the
 * clock stepped back.
 */
export function openSegments(parts: SegmentParts): Segments {
  return new SegmentWriter(parts);
}

class SegmentWriter implements Segments {
  readonly #parts: SegmentParts;
  #open: OpenFile | undefined;
  /** The last line that is in the files; undefined until they have been held against the table. */
  #lastSeq: number | undefined;
  #writing: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  #ended = false;

  constructor(parts: SegmentParts) {
    this.#parts = parts;
  }

  wake(): void {
    this.#wakeIn(flushDelayMs);
  }

  flush(): Promise<void> {
    const work = this.#writing.then(() => this.#write());
    // Whoever asked is told of the failure; the next in line starts over all the same.
    this.#writing = work.catch(() => undefined);
    return work;
  }

  async end(): Promise<void> {
    this.#ended = true;
    this.#timer?.cancel();
    await this.flush();
    const file = this.#open?.file;
    this.#open = undefined;
    try {
      await file?.sync();
    } finally {
      await file?.close();
    }
  }

  #wakeIn(delayMs: number): void {
    if (this.#timer !== undefined || this.#ended) return;
    this.#timer = this.#parts.clock.after(delayMs, () => {
      this.#timer = undefined;
      this.flush().catch((cause) => {
        this.#parts.failed(cause);
        this.#wakeIn(retryDelayMs);
      });
    });
  }

  async #write(): Promise<void> {
    try {
      this.#lastSeq ??= await this.#resume();
      await this.#drain();
      this.#parts.level();
    } catch (cause) {
      // What the file holds now is unknown, so the next attempt reads it; of the two errors the
      // first is the one to tell.
      const open = this.#open;
      this.#lastSeq = undefined;
      this.#open = undefined;
      await open?.file.close().catch(() => undefined);
      throw cause;
    }
  }

  async #drain(): Promise<void> {
    for (;;) {
      const lines = [...this.#parts.reader.lines((this.#lastSeq ?? 0) + 1, sliceLines)];
      if (lines.length === 0) return;
      await this.#writeSlice(lines);
    }
  }

  async #writeSlice(lines: readonly string[]): Promise<void> {
    let text = '';
    let seq = this.#lastSeq ?? 0;
    for (const line of lines) {
      const day = Math.floor(lineUtcMs(line) / dayMs);
      if (this.#open === undefined || day > this.#open.day) {
        await this.#append(text, seq);
        text = '';
        await this.#begin(day, seq);
      }
      text += `${line}\n`;
      seq += 1;
    }
    await this.#append(text, seq);
  }

  async #append(text: string, lastSeq: number): Promise<void> {
    if (this.#open === undefined || text === '') return;
    const bytes = Buffer.from(text);
    await this.#open.file.write(bytes);
    this.#open.digest.update(bytes);
    this.#open.lastSeq = lastSeq;
    this.#lastSeq = lastSeq;
  }

  async #begin(day: LocalDay, lastSeq: number): Promise<void> {
    const { disk, folder } = this.#parts;
    if (this.#open !== undefined) await this.#close(this.#open);
    await disk.makeFolder(folder);
    const file = await disk.append(segmentPath(folder, dayText(day)), 0o600);
    this.#open = { day, file, digest: createHash('sha256'), lastSeq };
    await disk.syncFolder(folder);
  }

  // The entry is durable before the next file exists. A crash between the two lets the segment be
  // stated once more, which says the same again and harms nobody.
  async #close({ day, file, digest, lastSeq }: OpenFile): Promise<void> {
    await file.sync();
    await file.close();
    this.#open = undefined;
    this.#parts.record(segmentClosed(dayText(day), digest.digest('hex'), lastSeq));
  }

  /**
   * Holds the last segment against the table, which alone is the record, and cuts off what a crash
   * tore; returns the number of the last line in it.
   */
  async #resume(): Promise<number> {
    const { disk, folder } = this.#parts;
    const days = daysOf(await disk.names(folder));
    const last = days.at(-1);
    if (last === undefined) return 0;
    const path = segmentPath(folder, last);
    const before = days.at(-2);
    const beforeSeq = before === undefined ? 0 : await lastSeqOf(disk, segmentPath(folder, before));
    const compared = await this.#compare(last, beforeSeq);
    if (compared.torn) await disk.truncate(path, compared.keepBytes);
    const file = await disk.append(path, 0o600);
    const { digest } = compared;
    this.#open = { day: dayOf(last) ?? 0, file, digest, lastSeq: compared.lastSeq };
    return compared.lastSeq;
  }

  async #compare(day: string, beforeSeq: number) {
    const { disk, folder, reader } = this.#parts;
    const digest = createHash('sha256');
    let keepBytes = 0;
    let lastSeq = beforeSeq;
    let expected: string[] = [];
    for await (const line of linesOf(disk, segmentPath(folder, day))) {
      if (expected.length === 0) expected = [...reader.lines(lastSeq + 1, sliceLines)].reverse();
      const next = Buffer.from(`${expected.pop() ?? ''}\n`);
      if (!line.bytes.equals(next)) {
        if (isTorn(line, next)) return { torn: true, keepBytes, digest, lastSeq };
        throw new SegmentDiffers(day, lastSeq);
      }
      digest.update(line.bytes);
      keepBytes += line.bytes.length;
      lastSeq += 1;
    }
    return { torn: false, keepBytes, digest, lastSeq };
  }
}

interface FileLine {
  /** With its newline when the line is whole. */
  bytes: Buffer;
  whole: boolean;
}

/** The lines of a file as bytes; the last may be torn, one beyond the limit is cut there. */
async function* linesOf(disk: Disk, path: string): AsyncGenerator<FileLine> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of disk.read(path)) {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline)) {
      yield { bytes: bytes.subarray(0, end + 1), whole: true };
      bytes = bytes.subarray(end + 1);
    }
    rest = bytes;
    if (rest.length > maxLineBytes) break;
  }
  if (rest.length > 0) yield { bytes: rest, whole: false };
}

// A closed segment was made durable whole, so its last line tells where the next one begins; one
// that can not be read counts as 0, and then the next one is found to differ from the table.
async function lastSeqOf(disk: Disk, path: string): Promise<number> {
  const lastByte = ((await disk.sizeBytes(path)) ?? 0) - 1;
  const firstByte = Math.max(0, lastByte - maxLineBytes);
  let tail = '';
  if (lastByte < 0) return 0;
  for await (const chunk of disk.read(path, { firstByte, lastByte }))
    tail += chunk.toString('latin1');
  return readLine(tail.split('\n').at(-2) ?? '')?.record.seq ?? 0;
}

// A crash cuts a line short, and on some file systems leaves zeros where its bytes were to come.
function isTorn({ bytes, whole }: FileLine, expected: Buffer): boolean {
  if (whole) return false;
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return expected.subarray(0, end).equals(bytes.subarray(0, end));
}
