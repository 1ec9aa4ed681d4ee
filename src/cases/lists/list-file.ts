// What every list file is read into, what no file may exceed, and why a file is refused as a whole.
import { open } from 'node:fs/promises';

/** Bounds on what one file may hold; a file beyond one of them is refused with its line. */
export const listLimits = {
  /** One row with all its cells. */
  rowBytes: 256 * 1024,
  columns: 200,
  /** One cell that the mapping uses. */
  cellChars: 1_000,
  csvBytes: 4 * 1024 ** 3,
  /** A workbook is one zip: sheets of any size, but their strings have to stand in memory. */
  xlsxBytes: 64 * 1024 ** 2,
  xlsxPartBytes: 1024 ** 3,
  xlsxStringBytes: 128 * 1024 ** 2,
  xlsxRows: 200_000,
  /** What a reject file repeats of one cell: enough to find and correct it in the list itself. */
  rejectCellChars: 1_000,
  /** A small workbook may name one long text in each of its cells, so this is bounded by itself. */
  rejectBytes: 256 * 1024 ** 2,
} as const;

/** A cell as text; `fault` where the file holds no plain value. */
export type RawCell =
  | string
  | { readonly fault: 'formula' | 'error-value' | 'digits-lost'; readonly text: string };

/** One row that is not blank. `line` is where it starts in the file, counted from 1. */
export interface RawRow {
  readonly line: number;
  readonly cells: readonly RawCell[];
}

/** Why a whole file is refused. Nothing of it goes live: nothing of it is lost in silence. */
export type FaultCode =
  | 'empty'
  | 'wrong-encoding'
  | 'nul-byte'
  | 'unbalanced-quote'
  | 'row-too-long'
  | 'too-many-columns'
  | 'column-missing'
  | 'column-doubled'
  | 'file-too-large'
  | 'too-many-rows'
  | 'too-many-rejects'
  | 'old-excel'
  | 'broken-workbook'
  | 'encrypted-workbook'
  | 'several-sheets'
  | 'no-such-sheet';

/** Thrown by the readers and turned into data where reading ends; it never holds a cell's text. */
export class ListFault extends Error {
  readonly code: FaultCode;
  readonly line: number | undefined;
  readonly detail: string | undefined;

  constructor(code: FaultCode, place: { line?: number; detail?: string; cause?: unknown } = {}) {
    super(`list refused: ${code}`, { cause: place.cause });
    this.name = 'ListFault';
    this.code = code;
    this.line = place.line;
    this.detail = place.detail;
  }
}

/** Tells a workbook from text by its first bytes, whatever the file is called. */
export async function kindOf(path: string): Promise<'csv' | 'xlsx'> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
    const start = buffer.subarray(0, bytesRead).toString('latin1');
    // The old binary workbook; an encrypted .xlsx is wrapped into the same container.
    if (start.startsWith('\xd0\xcf\x11\xe0')) throw new ListFault('old-excel');
    return start.startsWith('PK\x03\x04') ? 'xlsx' : 'csv';
  } finally {
    await file.close();
  }
}

export function textOf(cell: RawCell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

export function isBlank(cells: readonly RawCell[]): boolean {
  return cells.every((cell) => textOf(cell).trim() === '');
}
