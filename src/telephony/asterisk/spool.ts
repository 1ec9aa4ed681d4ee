// The folder into which Asterisk records, and the quarantine beside it.
import assert from 'node:assert';
import { constants, statSync } from 'node:fs';
import { type FileHandle, open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { idProblem } from '../../audit/entry.ts';
import { hasCode, readWhole, realDisk, writeWhole } from '../../vault/disk.ts';
import type { LegName, LegState, QuarantineReason } from '../recording.ts';
import type { RawRecording, SealOrder } from '../recordings.ts';
import { readWavHeader, wavHeaderBytes } from './wav.ts';

export const legNames = ['customer', 'agent'] as const satisfies readonly LegName[];
/** As the dialplan names them: `c` is what Asterisk received (r), `a` what it sent (t). */
const suffixes = { customer: '-c.wav', agent: '-a.wav' } as const;
const rawName = /^([A-Za-z0-9-]{1,64})-([ca])\.wav$/;

/** Ids are ours and safe in names, so that another form is a wrong program. */
export function assertRecordingId(id: string): void {
  assert(rawName.test(`${id}${suffixes.agent}`), 'not a recording id');
}

const rawPath = (folder: string, id: string, leg: LegName) => join(folder, `${id}${suffixes[leg]}`);

/** What went wrong, for the log. */
export function faultDetail(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

export interface OpenLeg {
  state: LegState;
  sizeBytes: number;
  /** When the file was last written to, by the wall clock of its file system; 0 without a file. */
  writtenUtcMs: number;
  /** Open for reading unless the leg is absent or not a plain file; the caller closes it. */
  handle?: FileHandle;
}

/**
 * Opens and judges one leg. The folder is shared with Asterisk's user, so a link, a pipe or a
 * device in place of the file is not followed or waited for: it counts as broken.
 */
export async function openLeg(folder: string, id: string, leg: LegName): Promise<OpenLeg> {
  let handle: FileHandle;
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    handle = await open(rawPath(folder, id, leg), flags);
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return noFile('absent');
    if (hasCode(cause, 'ELOOP')) {
      return noFile('broken');
    }
    throw cause;
  }
  try {
    const found = await handle.stat();
    if (!found.isFile()) {
      await handle.close();
      return noFile('broken');
    }
    const header = Buffer.alloc(wavHeaderBytes);
    const { bytesRead } = await handle.read(header, 0, wavHeaderBytes, 0);
    const state = readWavHeader(header.subarray(0, bytesRead), found.size);
    return { state, sizeBytes: found.size, writtenUtcMs: found.mtimeMs, handle };
  } catch (cause) {
    await handle.close();
    throw cause;
  }
}

const noFile = (state: 'absent' | 'broken'): OpenLeg => ({
  state: { state },
  sizeBytes: 0,
  writtenUtcMs: 0,
});

/**
 * Whether a leg has its header, which Asterisk writes when it opens the file. On a full disk the
 * file appears too, but stays empty. Asked at every answer and again every 50 ms, it holds the loop
 * for less than a way to the pool and back would cost it.
 */
export function hasBegun(folder: string, id: string, leg: LegName): boolean {
  const found = statSync(rawPath(folder, id, leg), { throwIfNoEntry: false });
  return (found?.size ?? 0) >= wavHeaderBytes;
}

/** The ids of the recordings in the spool, each with the legs it has; other files are not ours. */
export async function listSpool(folder: string): Promise<Map<string, LegName[]>> {
  const found = new Map<string, LegName[]>();
  for (const name of (await readdir(folder)).sort()) {
    const [, id, letter] = rawName.exec(name) ?? [];
    if (id === undefined || idProblem('id', id) !== undefined) continue;
    const legs = found.get(id) ?? [];
    legs.push(letter === 'c' ? 'customer' : 'agent');
    found.set(id, legs);
  }
  return found;
}

/** Reads the header of every recording in the spool. */
export async function surveySpool(folder: string): Promise<RawRecording[]> {
  const recordings: RawRecording[] = [];
  for (const [recordingId, legs] of await listSpool(folder)) {
    let sizeBytes = 0;
    let closed = 0;
    for (const leg of legs) {
      const opened = await openLeg(folder, recordingId, leg);
      await opened.handle?.close();
      sizeBytes += opened.sizeBytes;
      if (opened.state.state === 'closed') closed += 1;
    }
    recordings.push({ recordingId, legs, sizeBytes, finished: closed === legNames.length });
  }
  return recordings;
}

/** Removes both legs; the removal is durable when this resolves. */
export async function removeRaw(folder: string, recordingId: string): Promise<void> {
  for (const leg of legNames) await realDisk.remove(rawPath(folder, recordingId, leg));
  await realDisk.syncFolder(folder);
}

/** Stands beside the raw files in quarantine and says why they are there. */
export interface QuarantineMark extends SealOrder {
  why: QuarantineReason;
}

/** A mark is one short line. */
const maxMarkBytes = 4_096;
const markPath = (quarantine: string, id: string) => join(quarantine, `${id}.json`);

/** The mark of a recording that was put aside before, by a run that may have been cut short. */
export async function readMark(
  quarantine: string,
  recordingId: string,
): Promise<QuarantineMark | undefined> {
  const path = markPath(quarantine, recordingId);
  if ((await realDisk.sizeBytes(path)) === undefined) return undefined;
  return JSON.parse(await readWhole(realDisk, path, maxMarkBytes));
}

/** The reason is durable before the first file moves, so that a run cut short ends the same way. */
export async function writeMark(quarantine: string, mark: QuarantineMark): Promise<void> {
  const path = markPath(quarantine, mark.recordingId);
  await writeWhole(realDisk, path, `${JSON.stringify(mark)}\n`);
}

/** Moves whatever of a recording still lies in the spool. Both folders are on one file system. */
export async function moveAside(spool: string, quarantine: string, id: string): Promise<void> {
  for (const leg of legNames) {
    try {
      await rename(rawPath(spool, id, leg), rawPath(quarantine, id, leg));
    } catch (cause) {
      if (!hasCode(cause, 'ENOENT')) throw cause;
    }
  }
  await realDisk.syncFolder(quarantine);
  await realDisk.syncFolder(spool);
}

/** Removes both legs and, last, the mark; the removal is durable when this resolves. */
export async function removeQuarantined(quarantine: string, recordingId: string): Promise<void> {
  await removeRaw(quarantine, recordingId);
  await realDisk.remove(markPath(quarantine, recordingId));
  await realDisk.syncFolder(quarantine);
}
