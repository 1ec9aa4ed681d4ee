// Moments as Asterisk writes them: `2026-11-22T01:51:56.929+0000` in ARI, without zone in its CDR.
import { dayMs, dayOf, hourMs, minuteMs } from '../../calendar.ts';

const form = /^(\d{4}-\d\d-\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{3}))?(?:([+-])(\d\d)(\d\d))?$/;

/** Milliseconds since 1970 in UTC; a text without a zone is UTC. NaN where it is no moment. */
export function readStamp(text: string): number {
  const match = form.exec(text);
  const day = dayOf(match?.[1] ?? '');
  if (match === null || day === undefined) return Number.NaN;
  const number = (at: number) => Number(match[at] ?? 0);
  const zoneMs = (match[6] === '-' ? -1 : 1) * (number(7) * hourMs + number(8) * minuteMs);
  const timeMs = number(2) * hourMs + number(3) * minuteMs + number(4) * 1000 + number(5);
  return day * dayMs + timeMs - zoneMs;
}
