// A person's week as the API writes it, as in `"mon": ["09:00-12:00"]`, and as the rules read it.
import { type MinuteRange, parseRange, type WeeklyHours } from '../calendar.ts';
import { Problem } from './problems.ts';
import type { WeekForm } from './views.ts';

const minutesOfDay = 1_440;
const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** Reads the times of a week; throws a Problem that names the day of what is no time. */
export function weekOf(form: WeekForm): WeeklyHours {
  const read = (day: (typeof days)[number]) =>
    (form[day] ?? []).map((text) => {
      const range = parseRange(text);
      if (!range) throw new Problem('input-invalid', { detail: `body/notThen/${day} is no time` });
      return range;
    });
  return {
    ...{ mon: read('mon'), tue: read('tue'), wed: read('wed'), thu: read('thu') },
    ...{ fri: read('fri'), sat: read('sat'), sun: read('sun') },
    // A person's own week knows neither public holidays nor swapped days.
    ...{ holiday: [], swapped: [] },
  };
}

/** As it was stated; an end after midnight lies in the next day. */
export function shownWeek(hours: WeeklyHours): WeekForm {
  const shown = days.map((day) => [day, hours[day].map(rangeText)] as const);
  return Object.fromEntries(shown.filter(([, ranges]) => ranges.length > 0));
}

function rangeText([from, to]: MinuteRange): string {
  return `${timeText(from)}-${timeText(to > minutesOfDay ? to - minutesOfDay : to)}`;
}

function timeText(minute: number): string {
  const twoDigits = (count: number) => String(count).padStart(2, '0');
  return `${twoDigits(Math.floor(minute / 60))}:${twoDigits(minute % 60)}`;
}
