// Alarms of a room: raised once, counted while they last, cleared by what ended them.
import type { AlarmRow, Moment, TelephonyDraft } from './working-set.ts';

/** Raises an alarm or counts it again; only the first raising is an entry, so a flood is bounded. */
export function raiseAlarm(
  draft: TelephonyDraft,
  code: string,
  about: string,
  moment: Moment,
): void {
  const id = `${code}:${about}`;
  const known = draft.get('Alarm', id);
  if (known && known.clearedUtcMs === undefined) {
    draft.put('Alarm', { ...known, lastUtcMs: moment.atUtcMs, count: known.count + 1 });
    return;
  }
  const alarm: AlarmRow = {
    id,
    room: 'telephony',
    code,
    about,
    sinceUtcMs: moment.atUtcMs,
    lastUtcMs: moment.atUtcMs,
    count: 1,
  };
  draft.put('Alarm', alarm);
  draft.entry({ what: 'alarm-raised', who: 'system', about, why: code });
}

/** Clears an alarm that stands; nothing happens where none does. */
export function clearAlarm(
  draft: TelephonyDraft,
  code: string,
  about: string,
  moment: Moment,
): void {
  const known = draft.get('Alarm', `${code}:${about}`);
  if (!known || known.clearedUtcMs !== undefined) return;
  draft.put('Alarm', { ...known, clearedUtcMs: moment.atUtcMs });
  draft.entry({
    what: 'alarm-cleared',
    who: 'system',
    about,
    why: code,
    facts: { count: known.count },
  });
}
