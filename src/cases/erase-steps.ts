// Erasing: a case's rows go, its recordings' keys after them; the ledger keeps ids of nothing.
import { toCode } from '../draft.ts';
import { type Outcome, refuse } from '../people/person.ts';
import { endAlarm, orderWork } from './work.ts';
import type { CaseFile, CasesDraft, ListRow, Moment, Rejects } from './working-set.ts';

/** Cases of a dropped list in one commit. */
export const erasedPerCommit = 25;

export interface EraseCase {
  kind: 'erase-case';
  file: CaseFile | undefined;
  by: string;
  /** A code. */
  why: string;
}

export interface EraseSlice {
  kind: 'erase-slice';
  listId: string;
  files: readonly CaseFile[];
}

/**
 * Erases one case: people, numbers, leads, notes, callbacks, promises, releases. Its contacts stay:
 * they hold ids and keyed digests, and a counter never falls but by its window's moving. Refused
 * while a list of its creditor is read, whose wrong rows may name it.
 */
export function eraseCase(
  draft: CasesDraft,
  { file, by, why }: EraseCase,
  moment: Moment,
): Outcome<{ recordings: number }> {
  if (!file) return refuse('not-found');
  const caseId = file.case.id;
  for (const contact of draft.all('Contact')) {
    if (contact.caseId === caseId && contact.state === 'open') return refuse('contact-under-way');
  }
  const lists = listsOf(draft, file.case.creditorId);
  if (lists.some(({ state }) => state === 'staging')) return refuse('list-being-read');
  const { callIds } = file;
  dropFile(draft, file);
  endAlarm(draft, 'case-stopped', caseId, moment);
  draft.entry({
    what: 'case-erased',
    who: by,
    about: caseId,
    why: toCode(why),
    facts: { ...countsOf([file]), calls: callIds.length },
  });
  const rejects = lists.flatMap((list) => takeRejects(draft, list));
  orderWork(draft, { kind: 'erase-recordings', caseId, callIds, rejects }, moment);
  return { done: true, recordings: callIds.length };
}

function listsOf(draft: CasesDraft, creditorId: string): ListRow[] {
  return [...draft.all('List')].filter(
    ({ batchId }) => draft.get('Batch', batchId)?.creditorId === creditorId,
  );
}

/**
 * A wrong row may name the case, as a duplicate of it does, and none is known by its case. So all
 * reject files of the creditor go: whoever has the list gets them again by bringing it in again.
 */
function takeRejects(draft: CasesDraft, { rejectPath, ...list }: ListRow): Rejects[] {
  if (rejectPath === undefined) return [];
  draft.put('List', list);
  return [{ listId: list.id, path: rejectPath }];
}

/** The next cases of a list that never became live: nobody was called for them. */
export function eraseSlice(draft: CasesDraft, { listId, files }: EraseSlice): void {
  if (files.length === 0) return;
  for (const file of files) dropFile(draft, file);
  const facts = countsOf(files);
  draft.entry({ what: 'list-rows-erased', who: 'system', about: listId, facts });
}

function dropFile(draft: CasesDraft, file: CaseFile): void {
  for (const { id } of file.leads) draft.drop('Lead', id);
  for (const { id } of file.numbers) draft.drop('Number', id);
  for (const { id } of file.people) draft.drop('CasePerson', id);
  for (const { id } of file.callbacks) draft.drop('Callback', id);
  for (const { id } of file.promises) draft.drop('PayPromise', id);
  for (const { id } of file.notes) draft.drop('Note', id);
  for (const { id } of file.releases) draft.drop('Release', id);
  for (const { id } of file.looks) draft.drop('Look', id);
  draft.drop('Case', file.case.id);
}

function countsOf(files: readonly CaseFile[]) {
  const sum = (count: (file: CaseFile) => readonly unknown[]) =>
    files.reduce((total, file) => total + count(file).length, 0);
  return {
    callbacks: sum(({ callbacks }) => callbacks),
    cases: files.length,
    leads: sum(({ leads }) => leads),
    looks: sum(({ looks }) => looks),
    notes: sum(({ notes }) => notes),
    numbers: sum(({ numbers }) => numbers),
    people: sum(({ people }) => people),
    promises: sum(({ promises }) => promises),
    releases: sum(({ releases }) => releases),
  };
}
