// What the two sides of a window share: the order they are given, what they say, the even ticks.
import { readFileSync } from 'node:fs';
import { pause, realClock } from '../src/clock.ts';
import type { AsteriskAccess } from '../src/telephony/asterisk/feeds.ts';

/** One window of calls, as the floor and the bare script are given it alike. */
export interface WindowOrder {
  /** For the files of this window. */
  folder: string;
  access: AsteriskAccess;
  /** Of a daemon that drives the same Asterisk. */
  configFile: string;
  extensions: readonly string[];
  /** E.164; each is called once at most. */
  numbers: readonly string[];
  perSecond: number;
  /** Calls that are not measured: what runs for weeks was compiled long ago. */
  warmUpSeconds: number;
  seconds: number;
  /** After the last order, until the last of its calls is over. */
  tailMs: number;
  /** A list that is taken in all the while. */
  importFile?: string;
}

/** One call of a window, as the side that placed it knows it. */
export interface PlacedCall {
  callId: string;
  number: string;
  /** Asterisk's own stamp of the customer's entry into the agent's bridge. */
  bridgedUtcMs?: number;
  /** By the floor's account; the bare script keeps none. */
  outcome?: string;
  /** Of the sealed recording. */
  recordedMs?: number;
  /** Why the recording was put aside instead. */
  quarantined?: string;
}

/** Rows of the list that were staged when the window began, and when it ended. */
export interface ImportedRows {
  before: number;
  after: number;
}

/** ready: every phone is on the line · over: window and tail have passed · done: all is sealed. */
export type Saying =
  | { say: 'ready' }
  | { say: 'over' }
  | {
      say: 'done';
      calls: readonly PlacedCall[];
      importedRows?: ImportedRows;
    };

/** How every call of a benchmark is placed, by the floor and by the bare script. */
export const callSettings = {
  callerId: '+12025550199',
  ringMs: 15_000,
  limitMs: 3_600_000,
  messageSound: 'vm-goodbye',
};

export const readOrder = (): WindowOrder =>
  JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as WindowOrder;

/** Says something; resolves when it was taken note of, and the next may be done. */
export function say(saying: Saying): Promise<void> {
  return new Promise((resolve) => {
    process.once('message', () => resolve());
    process.send?.(saying);
  });
}

/** Calls `tick` at even distances; one that is late does not delay those after it. */
export async function tickEvenly(
  { perSecond, tailMs }: WindowOrder,
  seconds: number,
  tick: () => void,
): Promise<void> {
  const startUptimeMs = realClock.uptimeMs();
  for (let i = 0; i < perSecond * seconds; i += 1) {
    const dueMs = startUptimeMs + (i * 1_000) / perSecond - realClock.uptimeMs();
    if (dueMs > 0) await pause(realClock, dueMs);
    tick();
  }
  await pause(realClock, tailMs);
}

/** Looks again and again until `holds`; throws after `limitMs`. */
export async function until(what: string, limitMs: number, holds: () => boolean): Promise<void> {
  const untilUptimeMs = realClock.uptimeMs() + limitMs;
  while (!holds()) {
    if (realClock.uptimeMs() > untilUptimeMs) throw new Error(`${what}: not within ${limitMs} ms`);
    await pause(realClock, 50);
  }
}
