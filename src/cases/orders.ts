// Orders of people about cases, each with what the store holds at the moment of its decision.
import type { Ids } from '../ids.ts';
import { type Outcome, refuse } from '../people/person.ts';
import type { BatchOrder, ReopenBatch } from './batch-steps.ts';
import type { CreditorRow, StopListRow, StopReason } from './case.ts';
import type { CaseOrder, ReportContact } from './case-steps.ts';
import type { EraseCase } from './erase-steps.ts';
import type { NumberWishes, StateWishes } from './number-wishes.ts';
import { casesFor, liftQuestion } from './questions.ts';
import type { CaseStore, CasesDraft } from './working-set.ts';

export interface OrderParts {
  store: CaseStore;
  ids: Ids;
  /** HMAC with the site's key: what stands in ledger and counters for a number or a person. */
  digest(kind: 'person' | 'number' | 'reference', text: string): string;
  /** A number as lists are read: undefined for what no list could hold. */
  e164Of(text: string): string | undefined;
  /** Decides the event that `make` builds, in the same tick; gives the answer. */
  askNow(make: () => CaseOrder | EraseCase | BatchOrder | StateWishes): unknown;
  view(): CasesDraft;
}

/** `by` is what stands as `who` in the entry. Every order is durable when its promise resolves. */
export interface Orders {
  putCreditor(creditor: CreditorRow, by: string): Promise<Outcome>;
  /**
   * Stops a case, and with a reason that is true of the person, all cases of its debtor, those that
   * come in later too.
   */
  stop(order: { caseId: string; reason: StopReason }, by: string): Promise<Outcome>;
  liftStop(
    order: { caseId: string; reason: StopReason; note: string },
    by: string,
  ): Promise<Outcome>;
  /** Without `agentId` the case is taken back. */
  allocate(order: { caseId: string; agentId?: string }, by: string): Promise<Outcome>;
  /** Lets one agent call once into a case that is not theirs. */
  release(order: { caseId: string; agentId: string; note: string }, by: string): Promise<Outcome>;
  /** `reason`: a code. */
  addToStopList(order: StopListOrder, by: string): Promise<Outcome<{ stopId: string }>>;
  takeOffStopList(order: { stopId: string; why: string }, by: string): Promise<Outcome>;
  /** What the person asked of a number of theirs; it is stated anew as a whole. */
  stateWishes(
    order: { caseId: string; numberId: string; wishes: NumberWishes },
    by: string,
  ): Promise<Outcome>;
  /** The creditor takes a batch back: all its cases stop at once. */
  recallBatch(order: { batchId: string; name: string }, by: string): Promise<Outcome>;
  /** A batch that was recalled, or had expired, is ours again. */
  reopenBatch(order: Omit<ReopenBatch, 'kind' | 'by'>, by: string): Promise<Outcome>;
  /** A contact that was made elsewhere, or by the person: it is counted, never refused. */
  reportContact(
    order: ReportContact['contact'] & { caseId: string; personId: string; numberId?: string },
    by: string,
  ): Promise<Outcome<{ contactId: string }>>;
  /**
   * Destroys what is known of a case: its rows at once, then its recordings' keys, then what is
   * left of both in the files of the database. The entry `case-gone` says when the last of it is.
   */
  eraseCase(caseId: string, by: string, why: string): Promise<Outcome>;
}

export type StopListOrder = { reason: string } & (
  | { scope: 'number'; e164: string }
  | { scope: 'debtor'; personId: string }
  | { scope: 'creditor'; creditorId: string }
);

const saltBytes = 16;

/** Everything an order needs is read in the tick in which it is decided. */
export function openOrders(parts: OrderParts): Orders {
  const { store, ids } = parts;
  const order = <T = object>(make: () => CaseOrder | EraseCase | BatchOrder | StateWishes) =>
    parts.askNow(make) as Outcome<T>;
  const words = (text: string) => ({ text, salt: ids.bytes(saltBytes).toString('hex') });
  return {
    putCreditor: async (creditor, by) => order(() => ({ kind: 'put-creditor', creditor, by })),
    stop: async ({ caseId, reason }, by) =>
      order(() => {
        const row = store.caseById(caseId);
        const reach = row ? casesFor(store, row, reason) : { cases: [] };
        return { kind: 'stop-cases', ...reach, reason, by };
      }),
    liftStop: async ({ caseId, reason, note }, by) => {
      const said = words(note);
      return order(() => liftQuestion(store, store.caseById(caseId), { reason, words: said, by }));
    },
    allocate: async ({ caseId, agentId }, by) =>
      order(() => ({ kind: 'allocate', case: store.caseById(caseId), agentId, by })),
    release: async ({ caseId, agentId, note }, by) => {
      const said = words(note);
      return order(() => {
        const row = store.caseById(caseId);
        return { kind: 'release', case: row, agentId, words: said, by };
      });
    },
    addToStopList: async (wanted, by) => {
      if (wanted.scope === 'number' && parts.e164Of(wanted.e164) === undefined) {
        return refuse('number-unreadable');
      }
      const outcome = order<{ id: string }>(() => ({
        kind: 'add-to-stop-list',
        stop: stopOf(parts, wanted, by),
      }));
      return outcome.done ? { done: true, stopId: outcome.id } : outcome;
    },
    takeOffStopList: async ({ stopId, why }, by) =>
      order(() => {
        const stop = store.stopById(stopId);
        const cases = stop?.scope === 'debtor' ? store.casesOfPerson(stop.key) : [];
        return { kind: 'take-off-stop-list', stop, cases, why, by };
      }),
    stateWishes: async ({ caseId, numberId, wishes }, by) =>
      order(() => {
        const number = store.numberById(numberId);
        const person = number?.caseId === caseId ? store.personById(number.personId) : undefined;
        const numbers =
          number && person ? store.sameNumbers(number.numberKey, person.personKey) : [];
        return { kind: 'state-wishes', numbers, wishes, by };
      }),
    recallBatch: async (wanted, by) => order(() => ({ kind: 'recall-batch', ...wanted, by })),
    reopenBatch: async (wanted, by) => order(() => ({ kind: 'reopen-batch', ...wanted, by })),
    async reportContact({ caseId, personId, numberId, ...contact }, by) {
      const outcome = order<{ id: string }>(() => ({
        kind: 'report-contact',
        case: store.caseById(caseId),
        person: store.personById(personId),
        numberId,
        number: numberId === undefined ? undefined : store.numberById(numberId),
        contact,
        by,
      }));
      return outcome.done ? { done: true, contactId: outcome.id } : outcome;
    },
    eraseCase: async (caseId, by, why) =>
      order(() => {
        const row = store.caseById(caseId);
        return { kind: 'erase-case', file: row && store.caseFile(row), by, why };
      }),
  };
}

function stopOf(
  { store, digest, e164Of, view }: OrderParts,
  wanted: StopListOrder,
  byPersonId: string,
): Omit<StopListRow, 'id' | 'atUtcMs'> | undefined {
  const { scope, reason } = wanted;
  const row = (key: string | undefined) =>
    key === undefined ? undefined : { scope, key, reason, byPersonId };
  // Another spelling of the number would be another digest, and stop nothing.
  if (scope === 'number') return row(digest('number', e164Of(wanted.e164) ?? wanted.e164));
  if (scope === 'debtor') return row(store.personById(wanted.personId)?.personKey);
  return row(view().get('Creditor', wanted.creditorId)?.id);
}
