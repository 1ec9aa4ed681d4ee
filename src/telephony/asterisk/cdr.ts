// Asterisk's own call records: read to compare accounts, deleted in time since they hold numbers.
import { chmod, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { dayMs, dayOf, dayText } from '../../calendar.ts';
import type { Clock } from '../../clock.ts';
import { readStamp } from './stamp.ts';

/** One record. A call that was bridged has more than one; `uniqueId` is the channel's: our id. */
export interface CallRecord {
  uniqueId: string;
  /** ANSWERED, NO ANSWER, BUSY, FAILED or CONGESTION, in Asterisk's words. */
  disposition: string;
  startUtcMs: number;
  endUtcMs: number;
}

/** Asterisk opens this file for each record, so it may be moved away at any time. */
const currentFile = 'Master.csv';

/** Columns of cdr_csv with `loguniqueid` (cdr_csv.c): 18 at most, the unique id is the 17th. */
const columns = { start: 9, end: 11, disposition: 14, uniqueId: 16 } as const;

/**
 * Makes the file that Asterisk appends to, before Asterisk does: readable by its owner only, and
 * not, as its umask would have it, by the group that shares the recordings.
 */
export async function makeCallRecords(folder: string): Promise<string> {
  const file = join(folder, currentFile);
  await (await open(file, 'a', 0o600)).close();
  await chmod(file, 0o600);
  return file;
}

/** Reads every record that is kept in `folder`, oldest file first. */
export async function readCallRecords(folder: string): Promise<CallRecord[]> {
  const files = await kept(folder);
  const texts = await Promise.all(
    [...files.map(({ name }) => name), currentFile].map((name) =>
      readFile(join(folder, name), 'utf8').catch(() => ''),
    ),
  );
  return texts.flatMap((text) => text.split('\n')).flatMap(readRecord);
}

/**
 * Puts the records since the last rotation aside under today's date and deletes those of
 * `keepDays` days ago and before, once `deleting` has put on record how many files these are. A run
 * cut short between the two is made up for by the next one. Call it at least daily.
 */
export async function rotateCallRecords(
  folder: string,
  keepDays: number,
  clock: Clock,
  deleting: (files: number) => void,
): Promise<void> {
  const today = Math.floor(clock.utcMs() / dayMs);
  const files = await kept(folder);
  if (!files.some(({ day }) => day === today)) await putAside(folder, today);
  const old = files.filter(({ day }) => day <= today - keepDays).map(({ name }) => name);
  if (old.length > 0) deleting(old.length);
  for (const name of old) await rm(join(folder, name));
}

async function putAside(folder: string, today: number): Promise<void> {
  const name = `until-${dayText(today)}.csv`;
  try {
    await rename(join(folder, currentFile), join(folder, name));
  } catch (cause) {
    // No call since the last rotation.
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return;
    throw cause;
  }
  await makeCallRecords(folder);
}

async function kept(folder: string): Promise<{ name: string; day: number }[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => /^until-\d{4}-\d{2}-\d{2}\.csv$/.test(name))
    .sort()
    .map((name) => ({ name, day: dayOf(name.slice(6, 16)) ?? 0 }));
}

function readRecord(line: string): CallRecord[] {
  const fields = [...line.matchAll(/"((?:[^"]|"")*)"|([^",]+)|(?<=,)(?=,|$)/g)].map(
    ([, quoted, bare]) => (quoted ?? bare ?? '').replaceAll('""', '"'),
  );
  const uniqueId = fields[columns.uniqueId];
  const disposition = fields[columns.disposition];
  if (uniqueId === undefined || disposition === undefined) return [];
  // cdr.conf sets `usegmtime`.
  const startUtcMs = readStamp(fields[columns.start] ?? '');
  const endUtcMs = readStamp(fields[columns.end] ?? '');
  return [{ uniqueId, disposition, startUtcMs, endUtcMs }];
}
