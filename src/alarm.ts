// Alarms of a room: raised once, counted while they last, cleared by what ended them.
import type { Draft, Effect, Moment, Row } from './draft.ts';

export interface AlarmRow extends Row {
  readonly room: string;
  readonly code: string;
  readonly about: string;
  readonly sinceUtcMs: number;
  readonly lastUtcMs: number;
  readonly count: number;
  readonly clearedUtcMs?: number | undefined;
  readonly ackBy?: string | undefined;
  readonly ackUtcMs?: number | undefined;
}

/** A draft of any room that has alarms. */
type AlarmDraft = Pick<Draft<{ Alarm: AlarmRow }, Effect>, 'room' | 'get' | 'put' | 'entry'>;

/** Raises an alarm or counts it again; only the first raising is an entry: a flood is bounded. */
export function raiseAlarm(draft: AlarmDraft, code: string, about: string, moment: Moment): void {
  const id = `${code}:${about}`;
  const known = draft.get('Alarm', id);
  if (known && known.clearedUtcMs === undefined) {
    draft.put('Alarm', { ...known, lastUtcMs: moment.atUtcMs, count: known.count + 1 });
    return;
  }
  const alarm: AlarmRow = {
    id,
    room: draft.room,
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
export function clearAlarm(draft: AlarmDraft, code: string, about: string, moment: Moment): void {
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

/** Somebody has seen an alarm that stands; false where none does. */
export function acknowledgeAlarm(
  draft: AlarmDraft,
  alarmId: string,
  by: string,
  moment: Moment,
): boolean {
  const known = draft.get('Alarm', alarmId);
  if (!known || known.clearedUtcMs !== undefined) return false;
  if (known.ackUtcMs !== undefined) return true;
  draft.put('Alarm', { ...known, ackBy: by, ackUtcMs: moment.atUtcMs });
  draft.entry({ what: 'alarm-acknowledged', who: by, about: known.about, why: known.code });
  return true;
}
