// The vault: files sealed under their own key, found by the hash of their ciphertext.
import assert from 'node:assert';
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import type { Ids } from '../ids.ts';
import { type ByteRange, type Disk, hasCode } from './disk.ts';
import { keyBytes, type SiteKeys } from './keys.ts';

/** One sealed file, as the row that the caller keeps; the vault itself has no memory. */
export interface VaultObject {
  objectId: string;
  /** SHA-256 in hex of the file as it was, and of the bytes that lie on the disk. */
  plainSha256: string;
  cipherSha256: string;
  /** The size of both: AES-CTR adds nothing. */
  plainBytes: number;
  /** 32 hex digits: the first counter block. */
  iv: string;
  /** Destroying every copy of this destroys the file. */
  wrappedKey: string;
  keyId: string;
}

/** An empty file has nothing to seal, and all empty files would be one object. */
export type SealFailure = 'source-unreadable' | 'source-empty' | 'disk-full' | 'disk-failed';
export type SealOutcome =
  | { sealed: true; object: VaultObject }
  | { sealed: false; reason: SealFailure; cause: unknown };
export type OpenOutcome =
  | { opened: true; bytes: Readable }
  | { opened: false; reason: 'object-lost' | 'key-unknown' };
export type ObjectState = 'sound' | 'lost' | 'damaged' | 'key-unknown';

export interface Vault {
  /** Seals a copy of a file; when it resolves to `sealed`, the object survives a power cut. */
  seal(sourcePath: string): Promise<SealOutcome>;
  /** To be called when the record of an object is durable: it is no leftover any more. */
  settle(objectId: string): Promise<void>;
  /**
   * The plain bytes, whole or a range inside the object. CTR does not notice changed bytes: a whole
   * stream ends in an error when it is not what was sealed, a range is only as sound as check().
   */
  open(object: VaultObject, range?: ByteRange): Promise<OpenOutcome>;
  /** Reads the object from the medium and holds both hashes against it. */
  check(object: VaultObject): Promise<ObjectState>;
  /** Removes the object's bytes, also when they are gone. Its key is the caller's to erase. */
  eraseObject(object: Pick<VaultObject, 'cipherSha256'>): Promise<void>;
  /**
   * At start: what a crash left between sealing and record is removed, for its key died with the
   * process; what `isRecorded` knows stays. Returns the ids of what was removed.
   */
  judgeLeftovers(isRecorded: (objectId: string) => boolean): Promise<string[]>;
  freeBytes(): Promise<number>;
}

/** A copy that the disk spoiled is made again from the source; twice in a row blames the disk. */
export const maxSealAttempts = 2;
const blockBytes = 16;
const partForm = /^(object-[a-z0-9]+)(?:\.([0-9a-f]{64}))?\.part$/;

/** Where an object lies below the vault's folder. */
export function objectPath(cipherSha256: string): string {
  return join('objects', cipherSha256.slice(0, 2), cipherSha256);
}

class SourceUnreadable extends Error {}
class SourceEmpty extends Error {}
class MediumDiffers extends Error {}

/** The vault in a folder on a file system with hard links. */
export function openVault(folder: string, keys: SiteKeys, disk: Disk, ids: Ids): Vault {
  const incoming = join(folder, 'incoming');
  return {
    seal: (sourcePath) => seal({ folder, incoming, keys, disk, ids }, sourcePath),
    async settle(objectId) {
      for (const { name } of await leftoversOf(disk, incoming, objectId)) {
        await disk.remove(join(incoming, name));
      }
      await disk.syncFolder(incoming);
    },
    open: (object, range) => open(folder, keys, disk, object, range),
    check: (object) => check(folder, keys, disk, object),
    async eraseObject({ cipherSha256 }) {
      const path = join(folder, objectPath(cipherSha256));
      if ((await disk.sizeBytes(path)) === undefined) return;
      await disk.remove(path);
      await disk.syncFolder(dirname(path));
    },
    async judgeLeftovers(isRecorded) {
      const removed: string[] = [];
      for (const leftover of await leftoversOf(disk, incoming)) {
        if (isRecorded(leftover.objectId)) await disk.remove(join(incoming, leftover.name));
        else {
          await discard(folder, disk, leftover);
          removed.push(leftover.objectId);
        }
      }
      return removed;
    },
    freeBytes: () => disk.freeBytes(folder),
  };
}

interface Leftover {
  name: string;
  objectId: string;
  /** Known once the copy was complete; then the object may be in its place already. */
  cipherSha256: string | undefined;
}

async function leftoversOf(disk: Disk, incoming: string, only?: string): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for (const name of await disk.names(incoming)) {
    const [, objectId, cipherSha256] = partForm.exec(name) ?? [];
    if (objectId === undefined || (only !== undefined && objectId !== only)) continue;
    found.push({ name, objectId, cipherSha256 });
  }
  return found;
}

// The object goes before the name that points to it, so that a crash in between forgets neither.
async function discard(folder: string, disk: Disk, { name, cipherSha256 }: Leftover) {
  if (cipherSha256 !== undefined) await disk.remove(join(folder, objectPath(cipherSha256)));
  await disk.remove(join(folder, 'incoming', name));
}

interface SealParts {
  folder: string;
  incoming: string;
  keys: SiteKeys;
  disk: Disk;
  ids: Ids;
}

async function seal(parts: SealParts, sourcePath: string): Promise<SealOutcome> {
  for (let attempt = 1; ; attempt += 1) {
    const objectId = parts.ids.next('object');
    try {
      return { sealed: true, object: await sealOnce(parts, objectId, sourcePath) };
    } catch (cause) {
      // A failed copy is never mended: the pages of a failed fsync are lost and marked clean.
      for (const leftover of await leftoversOf(parts.disk, parts.incoming, objectId)) {
        await discard(parts.folder, parts.disk, leftover);
      }
      if (cause instanceof SourceEmpty) return { sealed: false, reason: 'source-empty', cause };
      if (cause instanceof SourceUnreadable) {
        return { sealed: false, reason: 'source-unreadable', cause: cause.cause };
      }
      if (hasCode(cause, 'ENOSPC') || hasCode(cause, 'EDQUOT')) {
        return { sealed: false, reason: 'disk-full', cause };
      }
      if (attempt === maxSealAttempts) return { sealed: false, reason: 'disk-failed', cause };
    }
  }
}

async function sealOnce(
  { folder, incoming, keys, disk, ids }: SealParts,
  objectId: string,
  sourcePath: string,
): Promise<VaultObject> {
  await disk.makeFolder(incoming);
  const part = join(incoming, `${objectId}.part`);
  const objectKey = ids.bytes(keyBytes);
  const iv = ids.bytes(blockBytes);
  const written = await encrypt(disk, sourcePath, part, objectKey, iv);
  if (written.plainBytes === 0) throw new SourceEmpty(sourcePath);
  await sameOnMedium(disk, part, written.cipherSha256);
  // The name says from here on which object is this file, should the record never come about.
  const { cipherSha256 } = written;
  const complete = join(incoming, `${objectId}.${cipherSha256}.part`);
  await disk.rename(part, complete);
  await disk.syncFolder(incoming);
  const path = join(folder, objectPath(cipherSha256));
  await disk.makeFolder(dirname(path));
  await disk.link(complete, path);
  await disk.syncFolder(dirname(path));
  const { keyId } = keys;
  return { objectId, ...written, iv: iv.toString('hex'), wrappedKey: keys.wrap(objectKey), keyId };
}

async function* readSource(disk: Disk, path: string): AsyncGenerator<Buffer> {
  try {
    yield* disk.read(path);
  } catch (cause) {
    throw new SourceUnreadable(path, { cause });
  }
}

// Both hashes come from the one pass that writes, so that they speak of the same bytes.
async function encrypt(disk: Disk, from: string, to: string, key: Buffer, iv: Buffer) {
  const plain = createHash('sha256');
  const hidden = createHash('sha256');
  const cipher = createCipheriv('aes-256-ctr', key, iv);
  let plainBytes = 0;
  const file = await disk.create(to, 0o400);
  try {
    for await (const chunk of readSource(disk, from)) {
      plainBytes += chunk.length;
      plain.update(chunk);
      const bytes = cipher.update(chunk);
      hidden.update(bytes);
      await file.write(bytes);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { plainSha256: plain.digest('hex'), cipherSha256: hidden.digest('hex'), plainBytes };
}

async function sameOnMedium(disk: Disk, path: string, sha256: string): Promise<void> {
  const digest = createHash('sha256');
  for await (const chunk of disk.readFromMedium(path)) digest.update(chunk);
  if (digest.digest('hex') !== sha256) throw new MediumDiffers(`${path} was not written as given`);
}

// CTR counts blocks in the whole 16 bytes, big endian (NIST SP 800-38A appendix B.1).
function counterAt(iv: string, block: number): Buffer {
  const counter = (BigInt(`0x${iv}`) + BigInt(block)) & ((1n << 128n) - 1n);
  return Buffer.from(counter.toString(16).padStart(32, '0'), 'hex');
}

async function open(
  folder: string,
  keys: SiteKeys,
  disk: Disk,
  object: VaultObject,
  range?: ByteRange,
): Promise<OpenOutcome> {
  const path = join(folder, objectPath(object.cipherSha256));
  if ((await disk.sizeBytes(path)) === undefined) return { opened: false, reason: 'object-lost' };
  const key = keys.unwrap(object.wrappedKey);
  if (key === undefined) return { opened: false, reason: 'key-unknown' };
  const bytes = range ? rangeOf(disk, path, key, object, range) : wholeOf(disk, path, key, object);
  return { opened: true, bytes: Readable.from(bytes, { objectMode: false }) };
}

async function* wholeOf(disk: Disk, path: string, key: Buffer, object: VaultObject) {
  const decipher = createDecipheriv('aes-256-ctr', key, Buffer.from(object.iv, 'hex'));
  const digest = createHash('sha256');
  for await (const chunk of disk.read(path)) {
    const plain = decipher.update(chunk);
    digest.update(plain);
    yield plain;
  }
  if (digest.digest('hex') !== object.plainSha256) {
    throw new Error(`vault object ${object.objectId} is not what was sealed`);
  }
}

async function* rangeOf(
  disk: Disk,
  path: string,
  key: Buffer,
  { iv, plainBytes }: VaultObject,
  { firstByte, lastByte }: ByteRange,
) {
  assert(firstByte >= 0 && firstByte <= lastByte && lastByte < plainBytes, 'range is outside');
  const block = Math.floor(firstByte / blockBytes);
  const decipher = createDecipheriv('aes-256-ctr', key, counterAt(iv, block));
  let skip = firstByte - block * blockBytes;
  for await (const chunk of disk.read(path, { firstByte: block * blockBytes, lastByte })) {
    const plain = decipher.update(chunk);
    if (plain.length > skip) yield plain.subarray(skip);
    skip = Math.max(0, skip - plain.length);
  }
}

/** Whether the bytes on the medium are those that were sealed; needs no key. */
export async function checkCipher(
  folder: string,
  disk: Disk,
  cipherSha256: string,
  onChunk?: (chunk: Buffer) => void,
): Promise<'sound' | 'lost' | 'damaged'> {
  const path = join(folder, objectPath(cipherSha256));
  if ((await disk.sizeBytes(path)) === undefined) return 'lost';
  const digest = createHash('sha256');
  try {
    for await (const chunk of disk.readFromMedium(path)) {
      digest.update(chunk);
      onChunk?.(chunk);
    }
  } catch (cause) {
    // A bad spot on the medium, or something else in the object's place, is damage to this object.
    if (hasCode(cause, 'EIO') || hasCode(cause, 'EISDIR')) return 'damaged';
    throw cause;
  }
  return digest.digest('hex') === cipherSha256 ? 'sound' : 'damaged';
}

async function check(
  folder: string,
  keys: SiteKeys,
  disk: Disk,
  object: VaultObject,
): Promise<ObjectState> {
  const key = keys.unwrap(object.wrappedKey);
  if (key === undefined) return 'key-unknown';
  const decipher = createDecipheriv('aes-256-ctr', key, Buffer.from(object.iv, 'hex'));
  const plain = createHash('sha256');
  const state = await checkCipher(folder, disk, object.cipherSha256, (chunk) => {
    plain.update(decipher.update(chunk));
  });
  if (state !== 'sound') return state;
  return plain.digest('hex') === object.plainSha256 ? 'sound' : 'damaged';
}
