// The loop that every room runs: take what waits, decide, record once, then act.

import type { Entry } from './audit/entry.ts';
import type { Clock, Timer } from './clock.ts';
import { pause, withDeadline } from './clock.ts';
import { type Change, Draft, type Effect, type Moment, type Row, type Tables } from './draft.ts';
import { FloorError } from './errors.ts';
import type { Ids } from './ids.ts';

/** What a room hands to the committer: nothing changes without an entry beside it. */
export interface Batch {
  room: string;
  entries: readonly Entry[];
  changes: readonly Change[];
}

/** Orders the batches of all rooms; durable when commit() returns. Stale rows are named. */
export interface Committer {
  commit(batch: Batch): { committed: true; lastSeq: number } | { committed: false; stale: Change };
  /** Rows of a table: all, or those whose `column` holds one of the `values`. */
  load(table: string, only?: WorkingSet): Row[];
}

/** Which rows of a table belong to the working set. */
export interface WorkingSet {
  column: string;
  values: readonly string[];
}

/** An effect as it stands in the table `Pending` from the commit until its result. */
export interface PendingRow extends Row {
  readonly room: string;
  readonly lane: string;
  readonly kind: string;
  readonly effect: unknown;
  readonly atUtcMs: number;
}

/** The one result event of an effect; `unknown` when its deadline passed or its port threw. */
export interface Done<F extends Effect, R> {
  kind: 'done';
  effectId: string;
  effect: F;
  result: R | { outcome: 'unknown'; reason: string };
}

/** After a restart each effect still pending comes back as this event, before anything else. */
export interface Recovered<F extends Effect> {
  kind: 'recovered';
  effectId: string;
  effect: F;
  judged: 'done' | 'not-done' | 'unknown';
}

/** What makes a room out of the loop. All three functions are pure but `act`. */
export interface RoomParts<T extends Tables, E extends { kind: string }, F extends Effect, R> {
  name: string;
  /** Tables that are kept in memory, and which of their rows are loaded at start. */
  tables: { readonly [N in keyof T & string]?: WorkingSet | 'all' };
  /** Tables of memory only: what the room has learned, worthless after a restart. */
  volatile: readonly (keyof T & string)[];
  decide(draft: Draft<T, F>, event: RoomEvent<E, F, R>, moment: Moment): void;
  /**
   * Nothing waits for this event: it is decided with what comes next, after `gatherMs` at the
   * latest, so that one commit records several of them.
   */
  isPatient(event: RoomEvent<E, F, R>): boolean;
  /** The next wall time at which `decide` wants a `wake` event; undefined for none. */
  nextWakeUtcMs(view: Draft<T, F>): number | undefined;
  act(effect: F, effectId: string): Promise<R>;
  /** Judges what became of an effect that was pending when the process ended. */
  judge(effect: F, effectId: string): Promise<Recovered<F>['judged']>;
  /** The inbox is full: events were refused, so the room's picture of the world is stale. */
  overflowed(): void;
}

export type RoomEvent<E, F extends Effect, R> = E | Done<F, R> | Recovered<F> | { kind: 'wake' };

export interface RoomWorld {
  clock: Clock;
  ids: Ids;
  committer: Committer;
  /** A port threw: the effect's outcome is unknown, and the log should say what was thrown. */
  report(effectKind: string, cause: unknown): void;
  /** A programmer error or a failed commit: the process must end, and recover on its restart. */
  stop(cause: unknown): void;
}

/** Events that may wait undecided; results of effects are let in beyond it. */
export const inboxLimit = 10_000;
/** A thrown effect's result is told this much later. */
export const thrownPauseMs = 500;
/** Events decided in one batch, so that one commit stays short. */
export const batchLimit = 50;
/** A patient event waits no longer than this for others: below what a person notices. */
export const gatherMs = 100;

/**
 * A wake further away is looked at again after this long: timers take no more than 24 days, and a
 * wall clock that was set is noticed by then.
 */
export const longestSleepMs = 3_600_000;

interface Waiting<E> {
  event: E;
  answer?: (value: unknown) => void;
}

/** One room at work. Events go in by post() and ask(); nothing else changes its state. */
export class Room<T extends Tables, E extends { kind: string }, F extends Effect, R> {
  private readonly parts: RoomParts<T, E, F, R>;
  private readonly world: RoomWorld;
  private readonly state = new Map<string, Map<string, Row>>();
  private inbox: Waiting<RoomEvent<E, F, R>>[] = [];
  private readonly lanes = new Map<string, Promise<void>>();
  private scheduled = false;
  /** Set while nothing but patient events waits. */
  private gathering: Timer | undefined;
  private overflowing = false;
  private ended = false;
  private wake: { atUtcMs: number; timer: Timer } | undefined;
  /** Uptime of the last completed turn; the watchdog reads it. */
  lastTurnUptimeMs = 0;

  constructor(parts: RoomParts<T, E, F, R>, world: RoomWorld) {
    this.parts = parts;
    this.world = world;
    for (const table of parts.volatile) this.state.set(table, new Map());
    for (const [table, set] of Object.entries(parts.tables) as [string, WorkingSet | 'all'][]) {
      const rows = world.committer.load(table, set === 'all' ? undefined : set);
      this.state.set(table, new Map(rows.map((row) => [row.id, row])));
    }
  }

  /** Gives an event to the room; false when the inbox is full and the event was refused. */
  post(event: E): boolean {
    return this.enter({ event });
  }

  /** Gives an event and waits until what it changed is durable; resolves to the answer. */
  ask<A>(event: E): Promise<A> {
    return new Promise((resolve, reject) => {
      const taken = this.enter({ event, answer: (value) => resolve(value as A) });
      if (!taken) reject(new FloorError('room.inbox-full', this.parts.name));
    });
  }

  /**
   * Decides what waits, then the event that `make` builds from what the store holds at this very
   * moment; nothing can change between that reading and the decision. Gives the answer.
   */
  askNow<A>(make: () => E): A {
    while (this.inbox.length > 0 && !this.ended) this.turn();
    if (this.ended) throw new FloorError('room.ended', this.parts.name);
    let answer: unknown;
    this.inbox.push({
      event: make(),
      answer: (value) => {
        answer = value;
      },
    });
    this.turn();
    // A turn that failed has ended the room: nothing of it was recorded, so there is no answer.
    if (this.ended) throw new FloorError('room.ended', this.parts.name);
    return answer as A;
  }

  /** A look at the state between turns; nothing read here is ahead of the record. */
  view(): Draft<T, F> {
    return new Draft(this.parts.name, this.state);
  }

  /** Judges every effect left pending by the last run and lets decide() settle it. */
  async recover(): Promise<void> {
    const own = { column: 'room', values: [this.parts.name] };
    for (const row of this.world.committer.load('Pending', own) as PendingRow[]) {
      const effect = row.effect as F;
      const judged = await this.parts.judge(effect, row.id);
      this.enter({ event: { kind: 'recovered', effectId: row.id, effect, judged } }, true);
    }
    this.turn();
  }

  /** Turns the loop once though nothing waits, so that the watchdog sees that it can. */
  touch(): void {
    this.schedule();
  }

  /** Takes no more events; what is being done in the world is left to recover(). */
  end(): void {
    this.ended = true;
    this.wake?.timer.cancel();
    this.gathering?.cancel();
  }

  private enter(waiting: Waiting<RoomEvent<E, F, R>>, reserved = false): boolean {
    if (this.ended) return false;
    if (!reserved && this.inbox.length >= inboxLimit) {
      // Told once for each time it fills up; who is told may post, and is refused like any other.
      const isFirst = !this.overflowing;
      this.overflowing = true;
      if (isFirst) this.parts.overflowed();
      return false;
    }
    this.inbox.push(waiting);
    if (this.parts.isPatient(waiting.event)) this.gather();
    else this.schedule();
    return true;
  }

  private gather(): void {
    if (this.scheduled) return;
    this.gathering ??= this.world.clock.after(gatherMs, () => this.schedule());
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.world.clock.soon(() => {
      this.scheduled = false;
      this.turn();
    });
  }

  private turn(): void {
    if (this.ended) return;
    this.gathering?.cancel();
    this.gathering = undefined;
    try {
      const batch = this.inbox.slice(0, batchLimit);
      this.inbox = this.inbox.slice(batchLimit);
      if (batch.length > 0) this.decideAndRecord(batch);
      if (this.inbox.length > 0) this.schedule();
      else this.overflowing = false;
      this.armWake();
      this.lastTurnUptimeMs = this.world.clock.uptimeMs();
    } catch (cause) {
      this.end();
      this.world.stop(cause);
    }
  }

  private decideAndRecord(batch: readonly Waiting<RoomEvent<E, F, R>>[]): void {
    const { clock, ids, committer } = this.world;
    const draft = new Draft<T, F>(this.parts.name, this.state);
    const moment: Moment = {
      atUtcMs: clock.utcMs(),
      uptimeMs: clock.uptimeMs(),
      newId: (kind) => ids.next(kind),
    };
    const answers: (() => void)[] = [];
    for (const { event, answer } of batch) {
      this.parts.decide(draft, event, moment);
      const value = draft.takeAnswer();
      if (answer) answers.push(() => answer(value));
    }
    const changes = draft.changes();
    const outcome = committer.commit({
      room: this.parts.name,
      entries: draft.entries,
      changes: [
        ...changes.filter((change) => !this.parts.volatile.includes(change.table)),
        ...this.pendingChanges(batch, draft, moment.atUtcMs),
      ],
    });
    if (!outcome.committed) {
      this.decideAgain(batch, outcome.stale);
      return;
    }
    this.apply(changes);
    for (const { table, id } of draft.released()) this.state.get(table)?.delete(id);
    for (const answer of answers) answer();
    for (const { id, effect } of draft.effects) this.start(id, effect);
  }

  /** The loser of a version check is decided again: alone, so that it can't hold up the others. */
  private decideAgain(batch: readonly Waiting<RoomEvent<E, F, R>>[], stale: Change): void {
    if (batch.length > 1) {
      for (const waiting of batch) this.decideAndRecord([waiting]);
      return;
    }
    const own = { column: 'id', values: [stale.id] };
    const fresh = this.world.committer.load(stale.table, own)[0];
    const kept = this.state.get(stale.table);
    const rows = kept ?? new Map<string, Row>();
    this.state.set(stale.table, rows);
    if (fresh) rows.set(stale.id, fresh);
    else rows.delete(stale.id);
    this.decideAndRecord(batch);
    // What is not of the working set was here for this one decision.
    if (!kept) this.state.delete(stale.table);
  }

  private pendingChanges(
    batch: readonly Waiting<RoomEvent<E, F, R>>[],
    draft: Draft<T, F>,
    atUtcMs: number,
  ): Change[] {
    const changes: Change[] = [];
    for (const { event } of batch)
      if (isResult(event)) changes.push({ table: 'Pending', id: event.effectId, row: null });
    for (const { id, effect } of draft.effects) {
      const { lane, kind } = effect;
      const row: PendingRow = { id, room: this.parts.name, lane, kind, effect, atUtcMs };
      changes.push({ table: 'Pending', id, row });
    }
    return changes;
  }

  private apply(changes: readonly Change[]): void {
    for (const { table, id, row } of changes) {
      const rows = this.state.get(table);
      if (row === null) rows?.delete(id);
      else rows?.set(id, row);
    }
  }

  /**
   * One effect of a lane after the other. One whose deadline has passed holds up its lane no
   * longer: a call must be ended though an order before it hangs. Ports bear the overlap: phone
   * orders are sent before they wait; sealing is joined, discarding and erasing done twice.
   */
  private start(effectId: string, effect: F): void {
    const before = this.lanes.get(effect.lane) ?? Promise.resolve();
    const work = before.then(() => this.perform(effectId, effect));
    this.lanes.set(effect.lane, work);
    void work.then(() => {
      if (this.lanes.get(effect.lane) === work) this.lanes.delete(effect.lane);
    });
  }

  private async perform(effectId: string, effect: F): Promise<void> {
    if (this.ended) return;
    let result: R | { outcome: 'unknown'; reason: string };
    try {
      const work = this.parts.act(effect, effectId);
      const done = await withDeadline(this.world.clock, effect.deadlineMs, work);
      result = done.expired ? { outcome: 'unknown', reason: 'deadline' } : done.value;
    } catch (cause) {
      // A port that throws says nothing about what happened outside, so the outcome is unknown.
      const reason = cause instanceof FloorError ? cause.code : String(cause);
      this.world.report(effect.kind, cause);
      // What throws at once would be repeated at once: the pause keeps that from turning hot.
      await pause(this.world.clock, thrownPauseMs);
      result = { outcome: 'unknown', reason };
    }
    this.enter({ event: { kind: 'done', effectId, effect, result } }, true);
  }

  private armWake(): void {
    const atUtcMs = this.parts.nextWakeUtcMs(this.view());
    if (atUtcMs === this.wake?.atUtcMs) return;
    this.wake?.timer.cancel();
    this.wake = undefined;
    if (atUtcMs === undefined) return;
    const delayMs = Math.min(longestSleepMs, Math.max(0, atUtcMs - this.world.clock.utcMs()));
    const timer = this.world.clock.after(delayMs, () => {
      this.wake = undefined;
      this.enter({ event: { kind: 'wake' } }, true);
    });
    this.wake = { atUtcMs, timer };
  }
}

function isResult<E extends { kind: string }, F extends Effect, R>(
  event: RoomEvent<E, F, R>,
): event is Done<F, R> | Recovered<F> {
  return event.kind === 'done' || event.kind === 'recovered';
}
