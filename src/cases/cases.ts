// The cases room's front: who may be contacted, by whom, when; every contact spends a permit.
import { acknowledgeAlarm } from '../alarm.ts';
import { type Outcome, refuse } from '../people/person.ts';
import { Room, type RoomEvent, type RoomWorld } from '../room.ts';
import { type ActionCode, type ActionStatement, actionCodes, readAction } from './action-code.ts';
import {
  type BatchOrder,
  batchOrder,
  endBatches,
  nextBatchUtcMs,
  type ReopenSlice,
  reopenSlice,
  type StopSlice,
  stoppedPerCommit,
  stopSlice,
} from './batch-steps.ts';
import { type CaseOrder, caseOrder } from './case-steps.ts';
import type { ContactPolicy } from './contact-policy.ts';
import {
  type EraseCase,
  type EraseSlice,
  eraseCase,
  erasedPerCommit,
  eraseSlice,
} from './erase-steps.ts';
import { type Grant, type GrantAnswer, grant } from './grant.ts';
import { endRejects, failList, type ListEvent, listStep, nextRejectsUtcMs } from './list-steps.ts';
import { type ListSettings, type Lists, openLists, removeRejects } from './lists/intake.ts';
import { readNumber } from './lists/phone-number.ts';
import { longestWindowMs } from './may-contact.ts';
import { type StateWishes, stateWishes } from './number-wishes.ts';
import { type Orders, openOrders } from './orders.ts';
import { type ContactReport, grantQuestion, type PermitWish, settleQuestion } from './questions.ts';
import { type Settle, settle } from './settle.ts';
import { endAlarm, workDone, workRecovered } from './work.ts';
import type {
  BatchPlace,
  CaseStore,
  CasesDraft,
  CasesEffect,
  CasesResult,
  CasesTables,
  Moment,
} from './working-set.ts';

export type CasesEvent =
  | Grant
  | Settle
  | CaseOrder
  | ListEvent
  | EraseCase
  | EraseSlice
  | StopSlice
  | BatchOrder
  | ReopenSlice
  | StateWishes
  | { kind: 'open' }
  | { kind: 'acknowledge-alarm'; alarmId: string; by: string };

export interface CasesPorts {
  store: CaseStore;
  policy: ContactPolicy;
  lists: ListSettings;
  /** HMAC with the site's key: what stands in ledger and counters for a number or a person. */
  digest(kind: 'person' | 'number' | 'reference', text: string): string;
  /** Ends what rings for these cases in other rooms; false when it could not be told. */
  stopped(caseIds: readonly string[], reason: string): boolean;
  /** Destroys the keys of these calls' recordings for good; also true of those that have none. */
  eraseRecordings(callIds: readonly string[]): Promise<void>;
}

/** `by` is what stands as `who` in the entry. Every order is durable when its promise resolves. */
export interface Cases extends Orders {
  /** Settles what the last run left pending. */
  start(): Promise<void>;
  end(): void;
  lists: Lists;
  /** A permit for the next lead of a campaign, or for one number of a case by hand. */
  permit(wish: PermitWish): Promise<GrantAnswer>;
  settle(report: ContactReport): Promise<void>;
  /** Whether an action may be stated so; to be asked before the agent's wrap-up ends. */
  checkAction(statement: ActionStatement): Outcome;
  /** What an agent may state after a contact. */
  actionCodes: Readonly<Record<string, ActionCode>>;
  /** Deals with an alarm of this room; false where it has none such. */
  acknowledge(alarmId: string, by: string): Promise<boolean>;
  view(): CasesDraft;
  /** Turns the loop though nothing waits; for the watchdog. */
  touch(): void;
  lastTurnUptimeMs(): number;
}

/** Questions to the store for one permit, while all that was found is withheld. */
const looksPerPermit = 8;

type CasesRoomEvent = RoomEvent<CasesEvent, CasesEffect, CasesResult>;
type CasesRoom = Room<CasesTables, CasesEvent, CasesEffect, CasesResult>;

function decide(policy: ContactPolicy) {
  return (draft: CasesDraft, event: CasesRoomEvent, moment: Moment): void => {
    switch (event.kind) {
      case 'grant':
        return draft.answer(grant(draft, event, policy, moment));
      case 'settle':
        return settle(draft, event, policy, moment);
      case 'open':
        return open(draft, policy, moment);
      case 'wake':
        endBatches(draft, moment);
        return endRejects(draft, moment);
      case 'recovered':
        return workRecovered(draft, event.effect, moment);
      case 'done':
        return workDone(draft, event.effect, event.result, moment);
      case 'stop-slice':
        return stopSlice(draft, event, moment);
      case 'reopen-slice':
        return reopenSlice(draft, event, moment);
      case 'recall-batch':
      case 'reopen-batch':
        return draft.answer(batchOrder(draft, event, moment));
      case 'state-wishes':
        return draft.answer(stateWishes(draft, event));
      case 'erase-slice':
        return eraseSlice(draft, event);
      case 'erase-case':
        return draft.answer(eraseCase(draft, event, moment));
      case 'acknowledge-alarm':
        return draft.answer(acknowledge(draft, event, moment));
      case 'open-list':
      case 'stage-rows':
      case 'close-list':
      case 'fail-list':
      case 'confirm-list':
      case 'drop-list':
        return draft.answer(listStep(draft, event, moment));
      default:
        return draft.answer(caseOrder(draft, event, policy, moment));
    }
  };
}

/** At start: a reading that was cut off has failed; an alarm about a year that is known is over. */
function open(draft: CasesDraft, policy: ContactPolicy, moment: Moment): void {
  for (const { id: listId, state } of [...draft.all('List')]) {
    if (state === 'staging') failList(draft, { listId, why: 'daemon-restarted' }, moment);
  }
  const { years } = policy.holidays;
  for (const { code, about } of [...draft.all('Alarm')]) {
    const year = Number(about.replace('year-', ''));
    if (code !== 'calendar-unknown-year' || (years !== 'every' && !years.has(year))) continue;
    endAlarm(draft, code, about, moment);
  }
}

/** Who has seen that a case or batch stopped has dealt with it; others go with their cause. */
function acknowledge(
  draft: CasesDraft,
  { alarmId, by }: { alarmId: string; by: string },
  moment: Moment,
): boolean {
  const alarm = draft.get('Alarm', alarmId);
  if (!alarm || !acknowledgeAlarm(draft, alarmId, by, moment)) return false;
  const { code, about } = alarm;
  if (code === 'case-stopped' || code === 'batch-ended') endAlarm(draft, code, about, moment);
  return true;
}

/** Opens the room. Nothing is decided before start(). */
export function openCases(world: RoomWorld, ports: CasesPorts): Cases {
  const { store, policy, digest } = ports;
  const room: CasesRoom = new Room(
    {
      name: 'cases',
      tables: {
        Creditor: 'all',
        Batch: 'all',
        List: 'all',
        Contact: { column: 'state', values: ['open'] },
        Alarm: { column: 'room', values: ['cases'] },
      },
      volatile: [],
      decide: decide(policy),
      isPatient: () => false,
      nextWakeUtcMs: (view) => {
        const due = [nextBatchUtcMs(view), nextRejectsUtcMs(view)].filter((at) => at !== undefined);
        return due.length > 0 ? Math.min(...due) : undefined;
      },
      act: (effect) => act(world, ports, room, effect),
      judge: async () => 'not-done',
      // Nothing comes in by itself here: whoever asks is refused and asks again.
      overflowed: () => {},
    },
    world,
  );
  const { clock, ids, report } = world;
  const askNow = (make: () => ListEvent) => room.askNow<Outcome>(make);
  const parts = { clock, ids, store, digest, askNow, report };
  const lists = openLists(ports.lists, parts, () => room.view().all('List'));
  return {
    ...contacts(world, ports, room),
    ...openOrders({
      ...{ ...ports, ids, askNow: (make) => room.askNow(make), view: () => room.view() },
      e164Of(text) {
        const answer = readNumber(text, ports.lists.region);
        return answer.ok ? answer.e164 : undefined;
      },
    }),
    lists,
    actionCodes,
    async start() {
      await room.recover();
      room.askNow(() => ({ kind: 'open' }));
      for (const { id, callId } of [...room.view().all('Contact')]) {
        if (callId === undefined || store.wasPermitted(callId)) continue;
        // Its answer never reached telephony: nothing was dialed, and nobody else will settle it.
        const lost = { permitId: id, outcome: 'not-dialed', effective: false };
        room.askNow(() => settleQuestion(store, room.view(), lost));
      }
      await lists.start();
    },
    end() {
      lists.end();
      room.end();
    },
    acknowledge: async (alarmId, by) =>
      room.askNow<boolean>(() => ({ kind: 'acknowledge-alarm', alarmId, by })),
    view: () => room.view(),
    touch: () => room.touch(),
    lastTurnUptimeMs: () => room.lastTurnUptimeMs,
  };
}

/** Permits and what becomes of them. */
function contacts(
  { clock }: RoomWorld,
  { store, policy }: CasesPorts,
  room: CasesRoom,
): Pick<Cases, 'permit' | 'settle' | 'checkAction'> {
  const windowMs = longestWindowMs(policy);
  return {
    async permit(wish) {
      let answer: GrantAnswer = { outcome: 'refused', rule: 'no-lead-due' };
      for (let look = 0; look < looksPerPermit; look += 1) {
        const next = room.askNow<GrantAnswer>(() =>
          grantQuestion(store, wish, clock.utcMs(), windowMs, look === 0 ? 'first' : 'later'),
        );
        if (next.outcome === 'granted' || wish.mode === 'manual') return next;
        if (next.rule === 'no-lead-due') break;
        answer = next;
      }
      return answer;
    },
    async settle(report) {
      room.askNow(() => settleQuestion(store, room.view(), report));
    },
    checkAction(statement) {
      const action = readAction(statement, clock.utcMs());
      return action.accepted ? { done: true } : refuse(action.reason);
    },
  };
}

/** Does what was recorded. A slice is read and decided in one tick, like any other question. */
async function act(
  { clock }: RoomWorld,
  { store, stopped, eraseRecordings }: CasesPorts,
  room: CasesRoom,
  effect: CasesEffect,
): Promise<CasesResult> {
  if (effect.waitMs > 0) await new Promise<void>((next) => clock.after(effect.waitMs, next));
  switch (effect.kind) {
    case 'tell-stopped':
      // A permit that was granted in this very tick is on its way: it has to be there before this.
      await new Promise<void>((next) => clock.soon(next));
      return { outcome: stopped(effect.caseIds, effect.reason) ? 'done' : 'failed' };
    case 'stop-batch':
    case 'reopen-batch': {
      const { batchId, from } = effect;
      let next: BatchPlace | undefined;
      room.askNow(() => {
        const slice = store.casesOfBatch(batchId, from, stoppedPerCommit);
        next = slice.next;
        const cases = slice.cases.map((row) => store.movingCase(row));
        return effect.kind === 'reopen-batch'
          ? { kind: 'reopen-slice', batchId, cases }
          : { kind: 'stop-slice', batchId, cases, reason: effect.reason };
      });
      return next === undefined ? { outcome: 'done' } : { outcome: 'more', next };
    }
    case 'erase-list': {
      const { listId, batchId } = effect;
      let next: BatchPlace | undefined;
      room.askNow(() => {
        const slice = store.casesOfBatch(batchId, 0, erasedPerCommit);
        next = slice.next;
        const files = slice.cases.map((row) => store.caseFile(row));
        return { kind: 'erase-slice', listId, files };
      });
      return next === undefined ? { outcome: 'done' } : { outcome: 'more', next };
    }
    case 'erase-recordings':
      for (const { path } of effect.rejects) await removeRejects(path);
      await eraseRecordings(effect.callIds);
      return { outcome: 'done' };
    case 'clear-log':
      return { outcome: store.clearLog() ? 'done' : 'failed' };
    case 'remove-rejects':
      await removeRejects(effect.path);
      return { outcome: 'done' };
  }
}
