// Reads CSV rows out of a file, UTF-8 or GB18030, without ever holding more than a few of them.
import { isAscii, isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { isBlank, ListFault, listLimits, type RawRow } from './list-file.ts';

export type Encoding = 'utf-8' | 'gb18030';

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Yields the rows in order; RFC 4180, comma, blank rows left out. Throws ListFault; `onBytes` hears
 * how far the file has been read.
 */
export async function* readCsv(
  path: string,
  encoding: Encoding,
  onBytes: (bytes: number) => void,
): AsyncGenerator<RawRow> {
  // The parser counts a CR LF inside quotes twice, so lines are counted here, as each row starts.
  let line = 1;
  const parser = parse({
    relax_column_count: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    max_record_size: listLimits.rowBytes,
    on_record: (cells: string[]) => {
      const startLine = String(line);
      line += 1 + cells.reduce((sum, cell) => sum + breaksIn(cell), 0);
      return isBlank(cells) ? null : [startLine, ...cells];
    },
  });
  const source = Readable.from(blocksOf(path, encoding, onBytes), { objectMode: false });
  source.on('error', (cause) => parser.destroy(cause));
  try {
    for await (const [startLine, ...cells] of source.pipe(parser) as AsyncIterable<string[]>)
      yield { line: Number(startLine), cells };
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const tooLong = cause.code === 'CSV_MAX_RECORD_SIZE';
    throw new ListFault(tooLong ? 'row-too-long' : 'unbalanced-quote', { line, cause });
  } finally {
    source.destroy();
  }
}

function breaksIn(cell: string): number {
  return cell.includes('\n') || cell.includes('\r') ? (cell.match(/\r\n|\n|\r/g)?.length ?? 0) : 0;
}

/** The file as UTF-8, in blocks of whole lines: no character and no check crosses a block's end. */
async function* blocksOf(
  path: string,
  encoding: Encoding,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  let bytes = 0;
  let line = 1;
  let utf8Only = true;
  let asciiOnly = true;
  const convert = (block: Buffer): Buffer => {
    utf8Only &&= isUtf8(block);
    asciiOnly &&= isAscii(block);
    const converted = decodeBlock(block, encoding, line);
    line += countOf(block, lineFeed);
    return converted;
  };
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > listLimits.csvBytes) throw new ListFault('file-too-large', { line });
    onBytes(bytes);
    let data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    if (bytes === chunk.length) data = afterMark(data);
    const end = 1 + Math.max(data.lastIndexOf(lineFeed), data.lastIndexOf(carriageReturn));
    rest = data.subarray(end);
    if (rest.length > listLimits.rowBytes) throw new ListFault('row-too-long', { line });
    if (end > 0) yield convert(data.subarray(0, end));
  }
  if (rest.length > 0) yield convert(rest);
  // Chinese text in UTF-8 also decodes as GB18030, into other Chinese text: names would be wrong.
  if (encoding === 'gb18030' && utf8Only && !asciiOnly)
    throw new ListFault('wrong-encoding', { detail: 'utf-8' });
}

/** Drops the byte order mark of UTF-8 and refuses those of UTF-16. */
function afterMark(data: Buffer): Buffer {
  const mark = data.subarray(0, 2).toString('latin1');
  if (mark === '\xff\xfe' || mark === '\xfe\xff')
    throw new ListFault('wrong-encoding', { line: 1, detail: 'utf-16' });
  return data.subarray(0, 3).toString('latin1') === '\xef\xbb\xbf' ? data.subarray(3) : data;
}

function decodeBlock(block: Buffer, encoding: Encoding, line: number): Buffer {
  const nul = block.indexOf(0);
  if (nul >= 0)
    throw new ListFault('nul-byte', { line: line + countOf(block.subarray(0, nul), lineFeed) });
  if (encoding === 'utf-8') {
    if (isUtf8(block)) return block;
    throw new ListFault('wrong-encoding', { line: line + firstBadLine(block, isUtf8) });
  }
  const decoded = decodeGb18030(block);
  if (decoded !== undefined) return Buffer.from(decoded);
  const bad = firstBadLine(block, (each) => decodeGb18030(each) !== undefined);
  throw new ListFault('wrong-encoding', { line: line + bad });
}

function decodeGb18030(block: Buffer): string | undefined {
  try {
    return new TextDecoder('gb18030', { fatal: true }).decode(block);
  } catch {
    // Not the encoding: the caller finds the line and throws.
    return undefined;
  }
}

function firstBadLine(block: Buffer, isGood: (line: Buffer) => boolean): number {
  let index = 0;
  for (let from = 0; from < block.length; index += 1) {
    const feed = block.indexOf(lineFeed, from);
    const to = feed < 0 ? block.length : feed + 1;
    if (!isGood(block.subarray(from, to))) return index;
    from = to;
  }
  return 0;
}

function countOf(block: Buffer, byte: number): number {
  let count = 0;
  for (let at = block.indexOf(byte); at >= 0; at = block.indexOf(byte, at + 1)) count += 1;
  return count;
}
