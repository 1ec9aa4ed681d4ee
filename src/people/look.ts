// Who looked at what and why: an entry that stays, and a row with the reason that can be erased.
import { hash } from 'node:crypto';
import type { LookRow, Moment, PeopleDraft, PeopleEvent } from './working-set.ts';

/**
 * Writes the row and the entry. Its fact `reasonSha256` is SHA-256 of the salt's text, a newline
 * and the reason; without the row it says nothing, with it the reason is proved.
 */
export function recordLook(
  draft: PeopleDraft,
  { by, look, salt }: Extract<PeopleEvent, { kind: 'look' }>,
  moment: Moment,
): void {
  const { what, about, reason, facts } = look;
  const { who, personId } = by;
  const { atUtcMs } = moment;
  const said = reason === undefined ? {} : { reason, salt };
  const row: LookRow = { id: moment.newId('look'), who, personId, what, about, atUtcMs, ...said };
  draft.put('Look', row);
  draft.release('Look', row.id);
  const proof =
    reason === undefined ? {} : { reasonSha256: hash('sha256', `${salt}\n${reason}`, 'hex') };
  draft.entry({ what, who, about, facts: { lookId: row.id, ...facts, ...proof } });
}
