// The rows of a list that were not taken, as a CSV file for the person who corrects them.
import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { ListFault, listLimits, type RawCell, textOf } from './list-file.ts';

export interface RejectFile {
  /** Throws ListFault when the file would become larger than `listLimits.rejectBytes`. */
  add(line: number, reason: string, column: string, cells: readonly RawCell[]): Promise<void>;
  /** Writes what is left and makes it durable; the digest is that of the whole file. */
  close(): Promise<{ sha256: string; bytes: number }>;
  /** Removes the file: the list it belongs to was refused. */
  drop(): Promise<void>;
}

const blockChars = 64 * 1024;

/**
 * Makes the file, which must not exist. Excel opens it as it is: UTF-8 with a byte order mark, CR
 * LF, every cell quoted. `header` is the first row of the list.
 */
export async function createRejectFile(
  path: string,
  header: readonly RawCell[],
): Promise<RejectFile> {
  const file = await open(path, 'wx', 0o600);
  const digest = createHash('sha256');
  let bytes = 0;
  let block = `\ufeff${lineOf(['line', 'reason', 'column'], header)}`;
  const write = async () => {
    const data = Buffer.from(block);
    block = '';
    digest.update(data);
    bytes += data.length;
    await file.writeFile(data);
  };
  return {
    async add(line, reason, column, cells) {
      block += lineOf([String(line), reason, column], cells);
      if (block.length > blockChars) await write();
      if (bytes > listLimits.rejectBytes) throw new ListFault('too-many-rejects', { line });
    },
    async close() {
      await write();
      await file.sync();
      await file.close();
      return { sha256: digest.digest('hex'), bytes };
    },
    async drop() {
      await file.close();
      await rm(path);
    },
  };
}

function lineOf(ours: readonly string[], cells: readonly RawCell[]): string {
  // A row may be wrong because it has more cells than any list; what is beyond is not repeated.
  const shown = [...ours, ...cells.slice(0, listLimits.columns)];
  return `${shown.map((cell) => quoteCell(cutCell(textOf(cell)))).join(',')}\r\n`;
}

/** A cell that is too long is shown by its beginning, and by an ellipsis where it goes on. */
function cutCell(text: string): string {
  const { rejectCellChars } = listLimits;
  return text.length > rejectCellChars ? `${text.slice(0, rejectCellChars)}…` : text;
}

/**
 * One cell in RFC 4180 quotes. A cell that a spreadsheet would take for a formula gets a leading
 * apostrophe (OWASP, CSV injection; ASVS 5.0 1.2.10), so that opening the file computes nothing.
 */
function quoteCell(text: string): string {
  const safe = /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}
