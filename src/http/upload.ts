// Takes an upload as a stream into a file of our own name: bounded, digested, durable or gone.
import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Ids } from '../ids.ts';
import type { UploadedFile } from './floor-port.ts';
import { Problem } from './problems.ts';

/** A million rows of CSV with every column filled are a quarter of it. */
export const uploadLimitBytes = 512 * 1024 * 1024;
/** Uploads at the same time. */
export const uploadsAtOnce = 2;

export interface UploadPlace {
  folder: string;
  limitBytes: number;
  ids: Ids;
}

/**
 * Writes the stream to `<folder>/upload-….<form>`, mode 0600, and flushes it. On any failure, the
 * far end's leaving included, the file is gone. Throws a Problem `too-large`.
 */
export async function receiveUpload(
  bytes: Readable,
  form: UploadedFile['form'],
  { folder, limitBytes, ids }: UploadPlace,
): Promise<UploadedFile> {
  const path = join(folder, `${ids.next('upload')}.${form}`);
  const digest = createHash('sha256');
  let sizeBytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _, done) {
      sizeBytes += chunk.length;
      digest.update(chunk);
      done(sizeBytes > limitBytes ? new Problem('too-large') : null, chunk);
    },
  });
  // Opened before anything can fail: a stream that still opens its file makes it after its removal.
  const file = await open(path, 'wx', 0o600);
  try {
    await pipeline(bytes, count, file.createWriteStream({ flush: true }));
  } catch (cause) {
    await file.close();
    await rm(path);
    throw cause;
  }
  return { path, form, sizeBytes, sha256: digest.digest('hex') };
}
