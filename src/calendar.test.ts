// Local time over DST nights, hours and holidays; the data against an independent package.
import chineseDays from 'chinese-days';
import { describe, expect, it } from 'vitest';
import {
  dayMs,
  dayOf,
  dayText,
  everyDay,
  holidaysOf,
  hourMs,
  hoursAt,
  instantsOf,
  isZone,
  type LocalDay,
  localTime,
  minuteMs,
  missingYear,
  nextClosing,
  nextOpening,
  noHolidays,
  parseRange,
  startOfDay,
  type WeeklyHours,
} from './calendar.ts';
import { chineseYears } from './calendar-data.ts';
import { seededIds } from './ids.ts';

const china = holidaysOf(chineseYears);
const at = (text: string) => Date.parse(text);
const day = (text: string): LocalDay => {
  const found = dayOf(text);
  if (found === undefined) throw new Error(text);
  return found;
};
const iso = (atUtcMs: number | undefined) =>
  atUtcMs === undefined ? undefined : new Date(atUtcMs).toISOString();

describe('days', () => {
  it('reads only days that exist', () => {
    expect(dayText(day('2024-02-29'))).toBe('2024-02-29');
    expect(day('1970-01-02')).toBe(1);
    for (const text of ['2026-02-29', '2026-13-01', '2026-1-1', '20260101', '', '2026-01-01T00'])
      expect(dayOf(text)).toBeUndefined();
  });

  it('knows zones', () => {
    expect(isZone('Asia/Shanghai')).toBe(true);
    expect(isZone('Asia/Nowhere')).toBe(false);
  });
});

describe('local time', () => {
  it.each([
    ['2026-11-22T23:59:59.999Z', 'Asia/Shanghai', '2026-11-23', 7 * 60 + 59],
    ['2026-03-08T06:59:59Z', 'America/New_York', '2026-03-08', 60 + 59],
    ['2026-03-08T07:00:00Z', 'America/New_York', '2026-03-08', 3 * 60],
    ['2026-11-01T05:30:00Z', 'America/New_York', '2026-11-01', 90],
    ['2026-11-01T06:30:00Z', 'America/New_York', '2026-11-01', 90],
    ['2026-10-03T15:29:00Z', 'Australia/Lord_Howe', '2026-10-04', 119],
    ['2026-10-03T15:30:00Z', 'Australia/Lord_Howe', '2026-10-04', 150],
    ['2026-11-22T12:00:00Z', 'Asia/Kathmandu', '2026-11-22', 17 * 60 + 45],
    ['1969-12-31T23:59:00Z', 'UTC', '1969-12-31', 1439],
  ])('%s in %s is %s, minute %i', (text, zone, wantDay, wantMinute) => {
    const found = localTime(at(text), zone);
    expect([dayText(found.day), found.minute]).toEqual([wantDay, wantMinute]);
  });

  it('agrees with Intl at random instants of 30 years in zones of every kind', () => {
    const ids = seededIds(7);
    const names = ['Asia/Shanghai', 'America/New_York', 'Europe/London', 'Australia/Lord_Howe'];
    names.push('America/St_Johns', 'Africa/Casablanca', 'Pacific/Apia', 'Africa/Cairo');
    for (let i = 0; i < 1_000; i += 1) {
      const zone = names[ids.below(names.length)] ?? 'UTC';
      const instant = at('1996-01-01') + ids.below(30 * 365 * 1440) * minuteMs;
      const found = localTime(instant, zone);
      const want = new Date(instant).toLocaleString('sv-SE', { timeZone: zone });
      const minute = Number(want.slice(11, 13)) * 60 + Number(want.slice(14, 16));
      expect([zone, dayText(found.day), found.minute]).toEqual([zone, want.slice(0, 10), minute]);
    }
  });

  it('finds both instants of a doubled minute, and the change for one that is left out', () => {
    const zone = 'America/New_York';
    expect(instantsOf(day('2026-11-01'), 90, zone).map(iso)).toEqual([
      '2026-11-01T05:30:00.000Z',
      '2026-11-01T06:30:00.000Z',
    ]);
    expect(instantsOf(day('2026-03-08'), 150, zone).map(iso)).toEqual(['2026-03-08T07:00:00.000Z']);
  });

  it('starts a day at its first instant where clocks change at midnight', () => {
    // Cairo sets its clocks from 00:00 to 01:00 on the last Friday of April.
    expect(iso(startOfDay(day('2026-04-24'), 'Africa/Cairo'))).toBe('2026-04-23T22:00:00.000Z');
    expect(localTime(at('2026-04-23T22:00:00Z'), 'Africa/Cairo').minute).toBe(60);
  });

  it('gives back the start of the day for any instant of it', () => {
    const ids = seededIds(11);
    const names = ['Asia/Shanghai', 'America/New_York', 'Africa/Cairo', 'Australia/Lord_Howe'];
    for (let i = 0; i < 2_000; i += 1) {
      const zone = names[ids.below(names.length)] ?? 'UTC';
      const instant = at('2022-01-01') + ids.below(5 * 365 * 1440) * minuteMs;
      const { day: today } = localTime(instant, zone);
      const start = startOfDay(today, zone);
      const end = startOfDay(today + 1, zone);
      expect(start <= instant && instant < end).toBe(true);
      expect([23, 23.5, 24, 24.5, 25]).toContain((end - start) / hourMs);
    }
  });
});

describe('hours', () => {
  const office = everyDay([480, 1200]);
  const zone = 'Asia/Shanghai';

  it('reads ranges', () => {
    expect(parseRange('08:00-20:00')).toEqual([480, 1200]);
    expect(parseRange('22:00-06:00')).toEqual([1320, 1800]);
    expect(parseRange('00:00-24:00')).toEqual([0, 1440]);
    for (const text of ['8:00-20:00', '08:00-25:00', '08:60-09:00', '24:00-08:00', '08:00', ''])
      expect(parseRange(text)).toBeUndefined();
  });

  it.each([
    ['2026-11-23T07:59:59.999+08:00', 'closed'],
    ['2026-11-23T08:00:00+08:00', 'open'],
    ['2026-11-23T19:59:59.999+08:00', 'open'],
    ['2026-11-23T20:00:00+08:00', 'closed'],
    ['2026-10-01T10:00:00+08:00', 'holiday'],
    ['2026-10-10T10:00:00+08:00', 'open'],
    ['2027-01-05T10:00:00+08:00', 'unknown-year'],
    ['2026-12-28T10:00:00+08:00', 'unknown-year'],
    ['2026-12-27T10:00:00+08:00', 'open'],
    ['2021-12-31T10:00:00+08:00', 'unknown-year'],
  ])('at %s a floor in Shanghai is %s', (text, want) => {
    expect(hoursAt(office, zone, china, at(text)).is).toBe(want);
  });

  it('names the year whose notice is missing', () => {
    expect(hoursAt(office, zone, china, at('2026-12-31T10:00:00+08:00'))).toEqual({
      is: 'unknown-year',
      year: 2027,
    });
  });

  it('keeps no holidays and no years where the site wants none', () => {
    expect(hoursAt(office, zone, noHolidays, at('2041-10-01T10:00:00+08:00')).is).toBe('open');
  });

  it('opens swapped Saturdays although Saturdays are closed', () => {
    const weekdaysOnly: WeeklyHours = { ...office, sat: [], sun: [] };
    expect(hoursAt(weekdaysOnly, zone, china, at('2026-10-10T10:00:00+08:00')).is).toBe('open');
    expect(hoursAt(weekdaysOnly, zone, china, at('2026-10-17T10:00:00+08:00')).is).toBe('closed');
  });

  it('carries a night shift over midnight, by the day it began on', () => {
    const nights: WeeklyHours = { ...everyDay(), fri: [[1320, 1800]] };
    const open = (text: string) => hoursAt(nights, zone, china, at(text)).is;
    expect(open('2026-11-27T22:00:00+08:00')).toBe('open');
    expect(open('2026-11-28T05:59:00+08:00')).toBe('open');
    expect(open('2026-11-28T06:00:00+08:00')).toBe('closed');
    expect(open('2026-11-28T22:00:00+08:00')).toBe('closed');
  });

  it.each([
    ['2026-11-23T07:00:00+08:00', '2026-11-23T00:00:00.000Z'],
    ['2026-11-23T12:00:00+08:00', '2026-11-23T04:00:00.000Z'],
    ['2026-11-23T20:00:00+08:00', '2026-11-24T00:00:00.000Z'],
    ['2026-02-14T21:00:00+08:00', '2026-02-24T00:00:00.000Z'],
    ['2026-12-27T21:00:00+08:00', undefined],
  ])('after %s it opens at %s', (text, want) => {
    expect(iso(nextOpening(office, zone, china, at(text)))).toBe(want);
  });

  it('never opens without hours', () => {
    expect(nextOpening(everyDay(), zone, china, at('2026-03-01'))).toBeUndefined();
  });

  it('holds over the nights on which clocks change', () => {
    const york = 'America/New_York';
    const next = (hours: WeeklyHours, text: string) =>
      iso(nextOpening(hours, york, noHolidays, at(text)));
    // A range inside the hour that is left out never opens that night.
    expect(next(everyDay([130, 170]), '2026-03-08T06:00:00Z')).toBe('2026-03-09T06:10:00.000Z');
    // One that reaches beyond it opens at the change.
    expect(next(everyDay([130, 240]), '2026-03-08T06:00:00Z')).toBe('2026-03-08T07:00:00.000Z');
    // The doubled hour opens twice, the second time at its start or at the change itself.
    expect(next(everyDay([90, 110]), '2026-11-01T06:00:00Z')).toBe('2026-11-01T06:30:00.000Z');
    expect(next(everyDay([30, 75]), '2026-11-01T05:20:00Z')).toBe('2026-11-01T06:00:00.000Z');
  });

  it('finds the earliest opening and closing, for random hours, zones and instants', () => {
    const ids = seededIds(23);
    const names = ['Asia/Shanghai', 'America/New_York', 'Africa/Cairo', 'Australia/Lord_Howe'];
    for (let i = 0; i < 300; i += 1) {
      const name = names[ids.below(names.length)] ?? 'UTC';
      const from = ids.below(1440);
      const hours = everyDay([from, from + 1 + ids.below(1440)]);
      const start = at('2026-10-24') + ids.below(30 * 1440) * minuteMs;
      const walkTo = (open: boolean) => {
        let instant = start;
        while ((hoursAt(hours, name, noHolidays, instant).is === 'open') !== open) {
          instant += minuteMs;
          if (instant > start + 3 * dayMs) return undefined;
        }
        return instant;
      };
      expect(iso(nextOpening(hours, name, noHolidays, start))).toBe(iso(walkTo(true)));
      expect(iso(nextClosing(hours, name, noHolidays, start))).toBe(iso(walkTo(false)));
    }
  });
});

describe('the Chinese calendar', () => {
  it('agrees on each day of its years with an independent collection', () => {
    for (const { year } of chineseYears) {
      for (let each = day(`${year}-01-01`); each < day(`${year + 1}-01-01`); each += 1) {
        const text = dayText(each);
        const weekend = [2, 3].includes(((each % 7) + 7) % 7);
        const kind = china.days.get(each);
        const detail = chineseDays.getDayDetail(text);
        const works = kind === undefined ? !weekend : kind === 'swapped';
        expect([text, works]).toEqual([text, detail.work]);
        expect([text, kind === 'holiday']).toEqual([
          text,
          chineseDays.isHoliday(text) && detail.name.includes(','),
        ]);
      }
    }
  });

  it('swaps only Saturdays and Sundays', () => {
    for (const [each, kind] of china.days)
      if (kind === 'swapped') expect([2, 3]).toContain(each % 7);
  });

  it('lets a site add a year, and correct one', () => {
    const own = { source: 'site', holidays: ['2027-01-01'], swapped: [] };
    const more = holidaysOf([
      ...chineseYears,
      { year: 2027, ...own },
      { year: 2026, ...own, holidays: [] },
    ]);
    expect(missingYear(day('2026-12-30'), more)).toBeUndefined();
    expect(missingYear(day('2027-06-01'), more)).toBeUndefined();
    expect(missingYear(day('2027-12-28'), more)).toBe(2028);
    expect(more.days.get(day('2026-10-01'))).toBeUndefined();
    expect(more.days.get(day('2027-01-01'))).toBe('holiday');
  });

  it('refuses days that do not exist and spans that run backwards or too long', () => {
    for (const span of [
      '2027-02-29',
      '2027-02-03/2027-02-01',
      '2027-01-01/2027-03-01',
      'x',
      '2027-01-01/2027-01-02/2027-01-03',
    ])
      expect(() =>
        holidaysOf([{ year: 2027, source: '', holidays: [span], swapped: [] }]),
      ).toThrow();
  });
});
