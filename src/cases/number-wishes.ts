// What a person asked of one of their numbers: not at work, not at these times of their week.
import type { WeeklyHours } from '../calendar.ts';
import { type Outcome, refuse } from '../people/person.ts';
import type { NumberRow } from './case.ts';
import type { CasesDraft } from './working-set.ts';

export interface NumberWishes {
  /** This number reaches the person at work, where they do not want to be called. */
  notAtWork: boolean;
  /** Absent: at any time that the rules allow. */
  notThen?: WeeklyHours | undefined;
}

export interface StateWishes {
  kind: 'state-wishes';
  /** The rows of the number, in all cases of its person. */
  numbers: readonly NumberRow[];
  wishes: NumberWishes;
  by: string;
}

/** States all wishes of a number anew; the rules ask for them from the next contact on. */
export function stateWishes(draft: CasesDraft, { numbers, wishes, by }: StateWishes): Outcome {
  if (numbers.length === 0) return refuse('not-found');
  const { notAtWork, notThen } = wishes;
  for (const read of numbers) {
    const row = draft.get('Number', read.id) ?? read;
    const { notThen: _before, ...rest } = row;
    const said = { notAtWork, ...(notThen === undefined ? {} : { notThen }) };
    draft.put('Number', { ...rest, ...said, version: row.version + 1 }, row.version);
    const facts = { notAtWork, notThen: notThen !== undefined };
    draft.entry({ what: 'number-wishes-stated', who: by, about: row.id, facts });
  }
  return { done: true };
}
