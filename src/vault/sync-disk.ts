// The disk of a thread that has nothing else to do: each call holds it, none costs a way to a pool.
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import {
  type ByteRange,
  chunkBytes,
  type Disk,
  type DiskFile,
  dropCache,
  hasCode,
  readChunks,
} from './disk.ts';

function syncFile(file: number): DiskFile {
  return {
    async write(bytes) {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    },
    sync: async () => fsyncSync(file),
    close: async () => closeSync(file),
  };
}

function syncFolder(path: string): void {
  const file = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function makeFolder(path: string): void {
  const first = mkdirSync(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) {
    syncFolder(dirname(made));
  }
}

async function* read(path: string, range?: ByteRange): AsyncGenerator<Buffer> {
  const file = openSync(path, 'r');
  try {
    let at = range?.firstByte ?? 0;
    const endByte = range === undefined ? Number.POSITIVE_INFINITY : range.lastByte + 1;
    while (at < endByte) {
      const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, endByte - at));
      const count = readSync(file, chunk, 0, chunk.length, at);
      if (count === 0) return;
      at += count;
      yield chunk.subarray(0, count);
    }
  } finally {
    closeSync(file);
  }
}

function openMedium(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECT);
  } catch (cause) {
    if (!hasCode(cause, 'EINVAL')) throw cause;
    const [program, words] = dropCache(path);
    execFileSync(program, words);
    return openSync(path, constants.O_RDONLY);
  }
}

async function* readFromMedium(path: string): AsyncGenerator<Buffer> {
  const file = openMedium(path);
  yield* readChunks(
    (buffer) => readSync(file, buffer, 0, buffer.length, null),
    () => closeSync(file),
  );
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return [];
    throw cause;
  }
}

/** The disk of this machine, for worker threads. */
export const syncDisk: Disk = {
  create: async (path, mode) => syncFile(openSync(path, 'wx', mode)),
  append: async (path, mode) => syncFile(openSync(path, 'a', mode)),
  read,
  readFromMedium,
  sizeBytes: async (path) => statSync(path, { throwIfNoEntry: false })?.size,
  names: async (folder) => namesIn(folder),
  makeFolder: async (path) => makeFolder(path),
  link: async (from, to) => linkSync(from, to),
  rename: async (from, to) => renameSync(from, to),
  remove: async (path) => rmSync(path, { force: true }),
  truncate: async (path, sizeBytes) => truncateSync(path, sizeBytes),
  syncFolder: async (path) => syncFolder(path),
  async freeBytes(folder) {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  },
};
