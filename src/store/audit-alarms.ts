// Alarms about the account itself, kept beside the rooms' own, since no room decides about it.
import { type AlarmRow, acknowledgeAlarm, clearAlarm, raiseAlarm } from '../alarm.ts';
import type { Clock } from '../clock.ts';
import { Draft, type Effect, type Moment } from '../draft.ts';
import type { Ids } from '../ids.ts';
import type { Store } from './commit.ts';

export interface AuditAlarms {
  /** Those that stand. */
  standing(): AlarmRow[];
  /** False when there is no such alarm. */
  acknowledge(alarmId: string, by: string): boolean;
  /** The last segment is neither a copy of the table nor a torn one; nobody overwrites it. */
  segmentDiffers(day: string): void;
  /** The segments are level with the table again. */
  segmentsLevel(): void;
}

interface AlarmParts {
  store: Pick<Store, 'load' | 'commit'>;
  clock: Clock;
  ids: Ids;
}

type AlarmDraft = Draft<{ Alarm: AlarmRow }, Effect>;

export function openAuditAlarms({ store, clock, ids }: AlarmParts): AuditAlarms {
  const kept = store.load('Alarm', { column: 'room', values: ['audit'] }) as AlarmRow[];
  const rows = new Map(kept.map((row) => [row.id, row]));
  const decide = <A>(step: (draft: AlarmDraft, moment: Moment) => A): A => {
    const draft: AlarmDraft = new Draft('audit', new Map([['Alarm', rows]]));
    const moment = {
      atUtcMs: clock.utcMs(),
      uptimeMs: clock.uptimeMs(),
      newId: (kind: string) => ids.next(kind),
    };
    const answer = step(draft, moment);
    const changes = draft.changes();
    store.commit({ room: 'audit', entries: draft.entries, changes });
    for (const { id, row } of changes) rows.set(id, row as AlarmRow);
    return answer;
  };
  const standing = () => [...rows.values()].filter((row) => row.clearedUtcMs === undefined);
  return {
    standing,
    acknowledge: (alarmId, by) =>
      decide((draft, moment) => acknowledgeAlarm(draft, alarmId, by, moment)),
    segmentDiffers(day) {
      const about = `segment-${day}`;
      decide((draft, moment) => raiseAlarm(draft, 'segment-differs', about, moment));
    },
    segmentsLevel() {
      for (const { code, about } of standing()) {
        decide((draft, moment) => clearAlarm(draft, code, about, moment));
      }
    },
  };
}
