// Opens the parts of a zip file (an .xlsx is one) by its central directory, within limits.
import { type FileHandle, open } from 'node:fs/promises';
import { PassThrough, Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { ListFault } from './list-file.ts';

// PKWARE APPNOTE.TXT 4.3.16, 4.3.12, 4.3.7: end of directory, directory entry, local header.
const endMark = 0x06054b50;
const entryMark = 0x02014b50;
const localMark = 0x04034b50;
const endBytes = 22;
const commentBytes = 0xffff;
const entryBytes = 46;
const localBytes = 30;
const directoryBytesLimit = 4 * 1024 * 1024;
const zip64 = 0xffffffff;

interface Part {
  encrypted: boolean;
  method: number;
  crc: number;
  packedBytes: number;
  bytes: number;
  offset: number;
}

export interface Zip {
  has(name: string): boolean;
  /** How much of the file the parts read so far took. */
  bytesRead(): number;
  /** The unpacked bytes; throws ListFault when they are broken or more than `limitBytes`. */
  read(name: string, limitBytes: number): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

/** Opens a zip file. Throws ListFault when its directory is missing, broken or too large. */
export async function openZip(path: string, limitBytes: number): Promise<Zip> {
  const file = await open(path, 'r');
  try {
    if ((await file.stat()).size > limitBytes) throw new ListFault('file-too-large');
    const parts = await readDirectory(file);
    let packedBytes = 0;
    return {
      has: (name) => parts.has(name),
      bytesRead: () => packedBytes,
      read(name, partLimitBytes) {
        const count = (bytes: number) => {
          packedBytes += bytes;
        };
        return readPart(file, parts.get(name), partLimitBytes, count);
      },
      close: () => file.close(),
    };
  } catch (cause) {
    await file.close();
    throw cause;
  }
}

function broken(detail: string, cause?: unknown): ListFault {
  return new ListFault('broken-workbook', { detail, cause });
}

async function bytesAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
  if (bytesRead < length) throw broken('truncated');
  return buffer;
}

const chunkBytes = 64 * 1024;

// The file's own read stream would close the file when it is ended early.
async function* bytesOf(
  file: FileHandle,
  start: number,
  length: number,
  onPacked: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  for (let at = 0; at < length; at += chunkBytes) {
    const chunk = await bytesAt(file, start + at, Math.min(chunkBytes, length - at));
    onPacked(chunk.length);
    yield chunk;
  }
}

async function readDirectory(file: FileHandle): Promise<Map<string, Part>> {
  const { size } = await file.stat();
  const tailBytes = Math.min(size, endBytes + commentBytes);
  const tail = await bytesAt(file, size - tailBytes, tailBytes);
  let end = tail.length - endBytes;
  while (end >= 0 && tail.readUInt32LE(end) !== endMark) end -= 1;
  if (end < 0) throw broken('no-directory');
  const bytes = tail.readUInt32LE(end + 12);
  const offset = tail.readUInt32LE(end + 16);
  // A workbook within our limits never needs the 64-bit forms.
  if (offset === zip64 || bytes > directoryBytesLimit) throw new ListFault('file-too-large');
  const directory = await bytesAt(file, offset, bytes);
  const parts = new Map<string, Part>();
  for (let at = 0; at + entryBytes <= directory.length; ) {
    if (directory.readUInt32LE(at) !== entryMark) throw broken('directory');
    const nameBytes = directory.readUInt16LE(at + 28);
    const name = directory.toString('utf8', at + entryBytes, at + entryBytes + nameBytes);
    parts.set(name, {
      encrypted: (directory.readUInt16LE(at + 8) & 1) === 1,
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      packedBytes: directory.readUInt32LE(at + 20),
      bytes: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    });
    at +=
      entryBytes + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return parts;
}

async function* readPart(
  file: FileHandle,
  part: Part | undefined,
  limitBytes: number,
  onPacked: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  if (!part) throw broken('part-missing');
  if (part.encrypted) throw new ListFault('encrypted-workbook');
  if (part.method !== 0 && part.method !== 8) throw broken('method');
  if (part.bytes > limitBytes) throw new ListFault('file-too-large');
  const local = await bytesAt(file, part.offset, localBytes);
  if (local.readUInt32LE(0) !== localMark) throw broken('local-header');
  const start = part.offset + localBytes + local.readUInt16LE(26) + local.readUInt16LE(28);
  if (part.packedBytes === 0 && part.bytes === 0) return;
  const packed = Readable.from(bytesOf(file, start, part.packedBytes, onPacked), {
    objectMode: false,
  });
  const unpacked = part.method === 8 ? createInflateRaw() : new PassThrough();
  packed.on('error', (cause) => unpacked.destroy(cause));
  let bytes = 0;
  let crc = 0;
  try {
    for await (const chunk of packed.pipe(unpacked) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      // What the directory says may be a lie: the bytes that come out are what counts.
      if (bytes > limitBytes) throw new ListFault('file-too-large');
      crc = crc32(chunk, crc);
      yield chunk;
    }
  } catch (cause) {
    throw cause instanceof ListFault ? cause : broken('deflate', cause);
  } finally {
    packed.destroy();
    unpacked.destroy();
  }
  if (bytes !== part.bytes || crc !== part.crc) throw broken('checksum');
}
