// One list from its first byte to its account: rows to staging in small batches, the rest rejected.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type Encoding, readCsv } from './csv.ts';
import { kindOf, ListFault, type RawRow, textOf } from './list-file.ts';
import { type ListMapping, rowReader, type StagedCase } from './list-mapping.ts';
import { createRejectFile, type RejectFile } from './reject-file.ts';
import { readXlsx } from './xlsx.ts';

/** Rows of one batch, so that staging never holds the committer for long. */
export const batchRows = 500;
/** And their text, so that a batch of huge rows stays small too. */
const batchChars = 1024 * 1024;

export interface ListOrder {
  readonly path: string;
  /** Where the reject file is made; nothing may stand there yet. */
  readonly rejectPath: string;
  readonly encoding: Encoding;
  readonly mapping: ListMapping;
  /** ISO 3166 code of the country to which numbers without a country code belong. */
  readonly region: string;
  /** Zones that a row may name. */
  readonly zones: readonly string[];
}

export interface ListProgress {
  /** Line of the last row that was read. */
  readonly line: number;
  readonly bytes: number;
  readonly rows: number;
  readonly accepted: number;
  readonly rejected: number;
}

/** Which rows of a batch stand already in this list or in the store, by their index. */
export type Duplicates = readonly { index: number; reason: 'duplicate-in-list' | 'duplicate' }[];

/** Takes a batch to staging; reading goes on when it has answered. */
export type Stage = (rows: readonly StagedCase[], progress: ListProgress) => Promise<Duplicates>;

export type ListResult =
  | {
      readonly ok: true;
      readonly rows: number;
      readonly accepted: number;
      readonly rejected: number;
      readonly sha256: string;
      readonly bytes: number;
      readonly rejectSha256: string;
    }
  | {
      readonly ok: false;
      readonly fault: ListFault['code'];
      readonly line?: number;
      /** A name of the mapping or a code, never a cell of the file. */
      readonly detail?: string;
    };

/**
 * Reads a list and stages its rows. A file that is refused says why and at which line; the caller
 * then drops what was staged. Rejects only when the disk fails or `stage` does.
 */
export async function stageList(order: ListOrder, stage: Stage): Promise<ListResult> {
  try {
    const { sha256, bytes } = await digestOf(order.path);
    return { ...(await readRows(order, stage)), sha256, bytes };
  } catch (cause) {
    if (!(cause instanceof ListFault)) throw cause;
    const { code, line, detail } = cause;
    return {
      ok: false,
      fault: code,
      ...(line === undefined ? {} : { line }),
      ...(detail === undefined ? {} : { detail }),
    };
  }
}

async function digestOf(path: string): Promise<{ sha256: string; bytes: number }> {
  const digest = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    digest.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: digest.digest('hex'), bytes };
}

async function readRows(order: ListOrder, stage: Stage) {
  let bytes = 0;
  const onBytes = (read: number) => {
    bytes = read;
  };
  const rows =
    (await kindOf(order.path)) === 'xlsx'
      ? readXlsx(order.path, order.mapping.sheet, onBytes)
      : readCsv(order.path, order.encoding, onBytes);
  try {
    return await takeRows(rows, order, stage, () => bytes);
  } finally {
    await rows.return(undefined);
  }
}

async function takeRows(
  rows: AsyncGenerator<RawRow>,
  order: ListOrder,
  stage: Stage,
  bytesRead: () => number,
) {
  const { value: header, done } = await rows.next();
  if (done) throw new ListFault('empty');
  const read = rowReader(order.mapping, header, order.region, new Set(order.zones));
  const rejects = await createRejectFile(order.rejectPath, header.cells);
  const batch = new Batch(stage, rejects);
  try {
    for await (const row of rows) {
      const answer = read(row);
      if (answer.ok) batch.accept(answer.row, row);
      else await batch.reject(row, answer.fault, answer.column);
      if (batch.isFull()) await batch.flush(bytesRead());
    }
    await batch.flush(bytesRead());
  } catch (cause) {
    await rejects.drop();
    throw cause;
  }
  const { sha256: rejectSha256 } = await rejects.close();
  return { ok: true as const, ...batch.counts(), rejectSha256 };
}

/** The rows between two answers of staging, and the counts of the whole list. */
class Batch {
  private readonly stage: Stage;
  private readonly rejects: RejectFile;
  private staged: StagedCase[] = [];
  private raw: RawRow[] = [];
  private chars = 0;
  private line = 1;
  private rows = 0;
  private accepted = 0;
  private rejected = 0;

  constructor(stage: Stage, rejects: RejectFile) {
    this.stage = stage;
    this.rejects = rejects;
  }

  accept(row: StagedCase, raw: RawRow): void {
    this.seen(raw);
    this.staged.push(row);
    this.raw.push(raw);
    for (const cell of raw.cells) this.chars += textOf(cell).length;
  }

  async reject(raw: RawRow, reason: string, column: string): Promise<void> {
    this.seen(raw);
    this.rejected += 1;
    await this.rejects.add(raw.line, reason, column, raw.cells);
  }

  isFull(): boolean {
    return this.staged.length >= batchRows || this.chars >= batchChars;
  }

  async flush(bytes: number): Promise<void> {
    const { staged, raw, line, rows, accepted, rejected } = this;
    this.staged = [];
    this.raw = [];
    this.chars = 0;
    const duplicates = await this.stage(staged, { line, bytes, rows, accepted, rejected });
    this.accepted += staged.length - duplicates.length;
    this.rejected += duplicates.length;
    for (const { index, reason } of duplicates) {
      const row = raw[index];
      if (row) await this.rejects.add(row.line, reason, '', row.cells);
    }
  }

  counts(): { rows: number; accepted: number; rejected: number } {
    return { rows: this.rows, accepted: this.accepted, rejected: this.rejected };
  }

  private seen({ line }: RawRow): void {
    this.line = line;
    this.rows += 1;
  }
}
