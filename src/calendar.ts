// Local days, hours and holidays: what a wall clock shows at an instant, when hours open next.
import assert from 'node:assert';
import type { HolidayYear } from './calendar-data.ts';

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;
const minutesOfDay = 1440;

/** Days since 1970-01-01 on a wall calendar: whole numbers, so that days can be subtracted. */
export type LocalDay = number;

/** The day as `YYYY-MM-DD`. */
export function dayText(day: LocalDay): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}

/** The day that `YYYY-MM-DD` names; undefined for any other text and for days that don't exist. */
export function dayOf(text: string): LocalDay | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  const atMs = Date.parse(`${text}T00:00:00Z`);
  if (Number.isNaN(atMs)) return undefined;
  const day = atMs / dayMs;
  // Date.parse rolls 2026-02-30 over into March.
  return dayText(day) === text ? day : undefined;
}

/** Is this the name of an IANA time zone that the runtime knows? */
export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

// Every change of a zone's offset since 1973 falls on a quarter hour of UTC. Intl takes some
// microseconds to find an offset and a permit needs a dozen: those of whole days are remembered.
const quarterMs = 15 * minuteMs;
const zoneLimit = 1_000;
const zoneDayLimit = 4_000;
interface Zone {
  format: Intl.DateTimeFormat;
  /** UTC day → offset; `changes` where clocks are set on that day. */
  days: Map<number, number | 'changes'>;
}
const zones = new Map<string, Zone>();

function zoneOf(name: string): Zone {
  const known = zones.get(name);
  if (known) return known;
  if (zones.size >= zoneLimit) zones.clear();
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const made: Zone = { format, days: new Map() };
  zones.set(name, made);
  return made;
}

function findOffset(format: Intl.DateTimeFormat, atUtcMs: number): number {
  const part: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(atUtcMs)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute) - atUtcMs;
}

/** How far the wall clocks of a zone are ahead of UTC at an instant. Throws on an unknown zone. */
function offsetMs(zone: string, atUtcMs: number): number {
  const { format, days } = zoneOf(zone);
  const utcDay = Math.floor(atUtcMs / dayMs);
  let offset = days.get(utcDay);
  if (offset === undefined) {
    const first = findOffset(format, utcDay * dayMs);
    offset = first === findOffset(format, (utcDay + 1) * dayMs) ? first : 'changes';
    if (days.size >= zoneDayLimit) days.clear();
    days.set(utcDay, offset);
  }
  if (offset !== 'changes') return offset;
  return findOffset(format, Math.floor(atUtcMs / quarterMs) * quarterMs);
}

/** What calendar and clock on the wall show: the day, and the minute since its midnight. */
export function localTime(atUtcMs: number, zone: string): { day: LocalDay; minute: number } {
  const localMs = atUtcMs + offsetMs(zone, atUtcMs);
  const day = Math.floor(localMs / dayMs);
  return { day, minute: Math.floor((localMs - day * dayMs) / minuteMs) };
}

/** The instant between two of different offset at which the wall clocks are set. */
function changeBetween(zone: string, fromUtcMs: number, toUtcMs: number): number {
  let low = Math.floor(fromUtcMs / quarterMs);
  let high = Math.ceil(toUtcMs / quarterMs);
  const before = offsetMs(zone, low * quarterMs);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetMs(zone, middle * quarterMs) === before) low = middle;
    else high = middle;
  }
  return high * quarterMs;
}

/**
 * The instants at which a wall clock shows this minute, in order: two where clocks are set back
 * over it; where they are set forward over it, the instant of the change stands for it.
 */
export function instantsOf(day: LocalDay, minute: number, zone: string): number[] {
  const localMs = day * dayMs + minute * minuteMs;
  const before = offsetMs(zone, localMs - dayMs);
  const after = offsetMs(zone, localMs + dayMs);
  const found = [...new Set([before, after])]
    .filter((offset) => offsetMs(zone, localMs - offset) === offset)
    .map((offset) => localMs - offset)
    .sort((a, b) => a - b);
  return found.length > 0 ? found : [changeBetween(zone, localMs - dayMs, localMs + dayMs)];
}

/** The first instant of a local day; not always a midnight, some zones change at it. */
export function startOfDay(day: LocalDay, zone: string): number {
  const [first] = instantsOf(day, 0, zone);
  assert(first !== undefined);
  return first;
}

/** Public holidays, ready to be asked. Build it with `holidaysOf`. */
export interface Holidays {
  readonly days: ReadonlyMap<LocalDay, 'holiday' | 'swapped'>;
  /** Years whose notice is in the data; `every` where the site keeps no public holidays. */
  readonly years: ReadonlySet<number> | 'every';
}

/** For a site that works on public holidays as on any day. */
export const noHolidays: Holidays = { days: new Map(), years: 'every' };

/**
 * Puts years together. A year that stands twice counts as the later one states it, so that a site
 * can correct a year that was changed by a second notice. Throws on days that don't exist.
 */
export function holidaysOf(years: readonly HolidayYear[]): Holidays {
  const byYear = new Map(years.map((each) => [each.year, each]));
  const days = new Map<LocalDay, 'holiday' | 'swapped'>();
  for (const { holidays, swapped } of byYear.values()) {
    for (const span of holidays) for (const day of daysOf(span)) days.set(day, 'holiday');
    for (const span of swapped) for (const day of daysOf(span)) days.set(day, 'swapped');
  }
  return { days, years: new Set(byYear.keys()) };
}

const longestSpanDays = 31;

function daysOf(span: string): LocalDay[] {
  const [firstText = '', lastText = firstText, ...rest] = span.split('/');
  const first = dayOf(firstText);
  const last = dayOf(lastText);
  assert(
    first !== undefined && last !== undefined && rest.length === 0,
    `not a day or span of days: ${span}`,
  );
  assert(first <= last && last - first < longestSpanDays, `a span of the wrong length: ${span}`);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

// New Year's holiday and its swap may begin in December (29 December 2018 was one), and they stand
// in the notice of the year to come: the last days of a year are known only with that notice.
const firstDayOfNextNotice = 28;

/** The year whose notice is missing for a day; undefined when the day is known. */
export function missingYear(day: LocalDay, { years }: Holidays): number | undefined {
  if (years === 'every') return undefined;
  const date = new Date(day * dayMs);
  const year = date.getUTCFullYear();
  if (!years.has(year)) return year;
  const yearEnd = date.getUTCMonth() === 11 && date.getUTCDate() >= firstDayOfNextNotice;
  return yearEnd && !years.has(year + 1) ? year + 1 : undefined;
}

/** Minutes since midnight, from (included) to (excluded); beyond 1440 it runs into the next day. */
export type MinuteRange = readonly [fromMinute: number, toMinute: number];

const weekdays = ['thu', 'fri', 'sat', 'sun', 'mon', 'tue', 'wed'] as const;
export type DayName = (typeof weekdays)[number] | 'holiday' | 'swapped';

/** Hours of each day of the week, of public holidays, and of swapped working days. */
export type WeeklyHours = Readonly<Record<DayName, readonly MinuteRange[]>>;

/** `08:00-20:00` → [480, 1200]; an end at or before the start lies in the next day. */
export function parseRange(text: string): MinuteRange | undefined {
  const match = /^([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/.exec(text);
  if (!match) return undefined;
  const from = Number(match[1]) * 60 + Number(match[2]);
  const to = match[3] === undefined ? 1440 : Number(match[3]) * 60 + Number(match[4]);
  return [from, to > from ? to : to + 1440];
}

/** The same hours on every day of the week and on swapped working days, none on holidays. */
export function everyDay(...ranges: readonly MinuteRange[]): WeeklyHours {
  return {
    mon: ranges,
    tue: ranges,
    wed: ranges,
    thu: ranges,
    fri: ranges,
    sat: ranges,
    sun: ranges,
    swapped: ranges,
    holiday: [],
  };
}

function dayName(day: LocalDay, holidays: Holidays): DayName {
  return holidays.days.get(day) ?? weekdays[((day % 7) + 7) % 7] ?? 'thu';
}

function covers(ranges: readonly MinuteRange[], minute: number): boolean {
  return ranges.some(([from, to]) => minute >= from && minute < to);
}

export type HoursAnswer =
  | { is: 'open' | 'closed' | 'holiday' }
  /** No notice for this year in the data: the caller must refuse and alarm, never guess. */
  | { is: 'unknown-year'; year: number };

/** Do the hours cover an instant in a zone? `holiday`: closed because the day is one. */
export function hoursAt(
  hours: WeeklyHours,
  zone: string,
  holidays: Holidays,
  atUtcMs: number,
): HoursAnswer {
  const { day, minute } = localTime(atUtcMs, zone);
  const year = missingYear(day, holidays);
  if (year !== undefined) return { is: 'unknown-year', year };
  const name = dayName(day, holidays);
  const yesterdays =
    missingYear(day - 1, holidays) === undefined ? hours[dayName(day - 1, holidays)] : [];
  if (covers(hours[name], minute) || covers(yesterdays, minute + minutesOfDay))
    return { is: 'open' };
  return { is: name === 'holiday' ? 'holiday' : 'closed' };
}

/** How many days ahead a change is looked for; the longest public holiday took ten. */
const changeHorizonDays = 31;

/**
 * The first instant, `atUtcMs` or later, that the hours cover; undefined when there is none within
 * 31 days or when a year on the way to it is unknown.
 */
export function nextOpening(
  hours: WeeklyHours,
  zone: string,
  holidays: Holidays,
  atUtcMs: number,
): number | undefined {
  return nextTurn(hours, zone, holidays, atUtcMs, true);
}

/** The first instant, `atUtcMs` or later, that the hours don't cover; undefined as above. */
export function nextClosing(
  hours: WeeklyHours,
  zone: string,
  holidays: Holidays,
  atUtcMs: number,
): number | undefined {
  return nextTurn(hours, zone, holidays, atUtcMs, false);
}

function nextTurn(
  hours: WeeklyHours,
  zone: string,
  holidays: Holidays,
  atUtcMs: number,
  toOpen: boolean,
): number | undefined {
  const isThere = (instant: number) =>
    (hoursAt(hours, zone, holidays, instant).is === 'open') === toOpen;
  if (isThere(atUtcMs)) return atUtcMs;
  const today = localTime(atUtcMs, zone).day;
  for (let day = today; day < today + changeHorizonDays; day += 1) {
    if (missingYear(day, holidays) !== undefined) return undefined;
    const yesterdays = hours[dayName(day - 1, holidays)].map(([, to]) => to - minutesOfDay);
    const minutes = hours[dayName(day, holidays)].flat().concat(yesterdays, 0);
    const instants = minutes
      .filter((minute) => minute >= 0 && minute < minutesOfDay)
      .flatMap((minute) => instantsOf(day, minute, zone));
    // Clocks that are set back into hours already over make them open again: at the change.
    const start = startOfDay(day, zone);
    const end = startOfDay(day + 1, zone);
    if (offsetMs(zone, start) !== offsetMs(zone, end))
      instants.push(changeBetween(zone, start, end));
    instants.sort((a, b) => a - b);
    const first = instants.find((instant) => instant > atUtcMs && isThere(instant));
    if (first !== undefined) return first;
  }
  return undefined;
}
