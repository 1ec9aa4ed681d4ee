// The site of a simulated floor: its days, its rules of contact, what an agent's record must show.
import assert from 'node:assert';
import { dayOf, holidaysOf, instantsOf } from '../calendar.ts';
import { chineseYears } from '../calendar-data.ts';
import { type ContactPolicy, defaultPolicy } from '../cases/contact-policy.ts';
import type { RecordingLimits } from '../telephony/recording.ts';

export const agreement = 'agreement';
export const limits: RecordingLimits = { minSpoolHours: 1, minVaultHours: 1, maxUnsealed: 500 };
export const policy: ContactPolicy = defaultPolicy(holidaysOf(chineseYears), [
  'Asia/Shanghai',
  'Asia/Urumqi',
]);

/**
 * When a day begins: an ordinary morning; the first working day after the National Day holidays,
 * which still last in zones to the west; the last evening of the last year whose holidays are
 * known; an afternoon that runs into the closing hour.
 */
const starts: readonly (readonly [day: string, minute: number])[] = [
  ['2026-11-23', 9 * 60],
  ['2026-10-08', 9 * 60],
  ['2026-12-27', 15 * 60 + 40],
  ['2026-11-24', 16 * 60 + 10],
];

export function startOf(seed: number): number {
  const [text = '', minute = 0] = starts[seed % starts.length] ?? [];
  const [atUtcMs] = instantsOf(dayOf(text) ?? 0, minute, 'Asia/Shanghai');
  assert(atUtcMs !== undefined, `no such minute on ${text}`);
  return atUtcMs;
}
