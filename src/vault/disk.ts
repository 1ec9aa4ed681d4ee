// The disk as vault, segments and checkpoints use it: durable writes, reads from the medium.
import { execFile } from 'node:child_process';
import { constants, createReadStream } from 'node:fs';
import {
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  statfs,
  truncate,
} from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

/** Bytes of a file as RFC 9110 section 14.1.2 counts them: both ends are included. */
export interface ByteRange {
  firstByte: number;
  lastByte: number;
}

/** A file being written. After a failed sync() its bytes are lost: remove it, write another. */
export interface DiskFile {
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when the bytes so far survive a power cut. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * What may go wrong rejects with the system's error (`code` as ENOENT, ENOSPC, EIO), so that the
 * simulation can let any call fail.
 */
export interface Disk {
  /** A new file; rejects with EEXIST rather than touch one that is there. */
  create(path: string, mode: number): Promise<DiskFile>;
  /** Writes at the end of a file, which is made when it is not there. */
  append(path: string, mode: number): Promise<DiskFile>;
  /** Each chunk is at most `chunkBytes` and may be kept. */
  read(path: string, range?: ByteRange): AsyncIterable<Buffer>;
  /** As read(), but from the medium; a chunk is only valid until the next is asked for. */
  readFromMedium(path: string): AsyncIterable<Buffer>;
  /** Undefined when there is no such file. */
  sizeBytes(path: string): Promise<number | undefined>;
  /** Names in a folder, sorted; none when there is no such folder. */
  names(folder: string): Promise<string[]>;
  /** Makes a folder and its parents, mode 0700, durably. */
  makeFolder(path: string): Promise<void>;
  /** A second name for a file; rejects with EEXIST when the name is taken. */
  link(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Does nothing when there is no such file. */
  remove(path: string): Promise<void>;
  truncate(path: string, sizeBytes: number): Promise<void>;
  /** Makes new, renamed and removed names in a folder survive a power cut. */
  syncFolder(path: string): Promise<void>;
  freeBytes(folder: string): Promise<number>;
}

/** Bytes read at once: short enough that hashing a chunk holds the event loop below 1 ms. */
export const chunkBytes = 256 * 1024;

/** Whether an error of the system has this code. */
export function hasCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code;
}

/** Writes a small file so that it is there whole or not at all, and replaces one of that name. */
export async function writeWhole(disk: Disk, path: string, text: string): Promise<void> {
  const part = `${path}.part`;
  await disk.remove(part);
  const file = await disk.create(part, 0o600);
  try {
    await file.write(Buffer.from(text));
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(part, path);
  await disk.syncFolder(dirname(path));
}

/** The text of a small file; rejects with EFBIG when it is longer than `maxBytes`. */
export async function readWhole(disk: Disk, path: string, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of disk.read(path)) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes)
      throw Object.assign(new Error(`${path} is too long`), { code: 'EFBIG' });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function diskFile(handle: FileHandle): DiskFile {
  return {
    async write(bytes) {
      // One write() may take fewer bytes than it was given.
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, null);
        at += bytesWritten;
      }
    },
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) {
    await syncFolder(dirname(made));
  }
}

async function sizeBytes(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return undefined;
    throw cause;
  }
}

async function names(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return [];
    throw cause;
  }
}

function read(path: string, range?: ByteRange): AsyncIterable<Buffer> {
  const ends = range && { start: range.firstByte, end: range.lastByte };
  return createReadStream(path, { ...ends, highWaterMark: chunkBytes });
}

const pageBytes = 65_536;
const runFile = promisify(execFile);

// O_DIRECT wants memory on a page boundary, which of all of Node's buffers only WebAssembly's has;
// its types belong to the browser's library, so the one thing used is declared here.
declare const WebAssembly: {
  Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
};
/** Each costs 256 kB and a reservation of address space, so they are used again. */
const maxSpareBuffers = 8;
const spareBuffers: Buffer[] = [];
const takeBuffer = () =>
  spareBuffers.pop() ??
  Buffer.from(new WebAssembly.Memory({ initial: chunkBytes / pageBytes }).buffer);

/** All of an open file in chunks that stay valid until the next is asked for; closes it. */
export async function* readChunks(
  fill: (buffer: Buffer) => number | Promise<number>,
  close: () => void | Promise<void>,
): AsyncGenerator<Buffer> {
  const buffer = takeBuffer();
  try {
    for (;;) {
      const bytesRead = await fill(buffer);
      if (bytesRead > 0) yield buffer.subarray(0, bytesRead);
      // A direct read that is short has met the end; another would start off the page boundary.
      if (bytesRead < buffer.length) return;
    }
  } finally {
    if (spareBuffers.length < maxSpareBuffers) spareBuffers.push(buffer);
    await close();
  }
}

/** What lets go of a file's pages in the cache; for file systems that know no O_DIRECT. */
export const dropCache = (path: string) =>
  ['dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none']] as const;

/**
 * A re-read that the page cache answers says nothing about the medium. Where the file system knows
 * O_DIRECT the cache is passed by; elsewhere it is dropped first, by the system's own `dd`.
 */
async function* readFromMedium(path: string): AsyncGenerator<Buffer> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_DIRECT);
  } catch (cause) {
    if (!hasCode(cause, 'EINVAL')) throw cause;
    const [program, words] = dropCache(path);
    await runFile(program, words);
    handle = await open(path, constants.O_RDONLY);
  }
  const fill = async (buffer: Buffer) =>
    (await handle.read(buffer, 0, buffer.length, null)).bytesRead;
  yield* readChunks(fill, () => handle.close());
}

/** The disk of this machine. */
export const realDisk: Disk = {
  create: async (path, mode) => diskFile(await open(path, 'wx', mode)),
  append: async (path, mode) => diskFile(await open(path, 'a', mode)),
  read,
  readFromMedium,
  sizeBytes,
  names,
  makeFolder,
  link,
  rename,
  remove: (path) => rm(path, { force: true }),
  truncate,
  syncFolder,
  async freeBytes(folder) {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  },
};
