// The loop: what is decided is durable before it is done, and every effect has one result.
import { describe, expect, it } from 'vitest';
import type { Clock } from './clock.ts';
import type { Draft, Effect, Row } from './draft.ts';
import { seededIds } from './ids.ts';
import {
  type Batch,
  type Committer,
  gatherMs,
  inboxLimit,
  longestSleepMs,
  Room,
  type RoomEvent,
} from './room.ts';

interface Count extends Row {
  readonly n: number;
}
type Add = { kind: 'add'; by: number };
interface Tell extends Effect {
  kind: 'tell';
  n: number;
}
type Told = { outcome: 'accepted' };
type Events = RoomEvent<Add, Tell, Told>;

function makeRoom(act: (effect: Tell) => Promise<Told>, refuse = 0) {
  const turns: (() => void)[] = [];
  const timers: { atMs: number; fire: () => void; live: boolean }[] = [];
  const clock: Clock = {
    utcMs: () => 1_000,
    uptimeMs: () => 0,
    after(delayMs, fire) {
      const timer = { atMs: delayMs, fire, live: true };
      timers.push(timer);
      return {
        cancel: () => {
          timer.live = false;
        },
      };
    },
    soon: (fire) => turns.push(fire),
  };
  const batches: Batch[] = [];
  const log: string[] = [];
  const stops: unknown[] = [];
  let toRefuse = refuse;
  const committer: Committer = {
    commit(batch) {
      if (toRefuse > 0) {
        toRefuse -= 1;
        return { committed: false, stale: { table: 'Count', id: 'a', row: null } };
      }
      batches.push(batch);
      log.push('commit');
      return { committed: true, lastSeq: batches.length };
    },
    load: (table) => (table === 'Count' ? [{ id: 'a', n: 10 } as Row] : []),
  };
  let overflows = 0;
  let wakeUtcMs: number | undefined;
  const room = new Room<{ Count: Count }, Add, Tell, Told>(
    {
      name: 'counting',
      tables: { Count: 'all' },
      volatile: [],
      decide(draft: Draft<{ Count: Count }, Tell>, event: Events, moment) {
        if (event.kind === 'done') {
          draft.entry({ what: 'told', who: 'system', about: 'a', why: event.result.outcome });
        }
        if (event.kind !== 'add') return;
        if (event.by === 13) throw new Error('programmer error');
        const n = (draft.get('Count', 'a')?.n ?? 0) + event.by;
        draft.put('Count', { id: 'a', n });
        draft.entry({ what: 'added', who: 'system', about: 'a', facts: { n } });
        draft.effect(moment.newId('effect'), { kind: 'tell', lane: 'a', deadlineMs: 50, n });
        draft.answer(n);
      },
      isPatient: (event) => event.kind === 'add' && event.by === 0,
      nextWakeUtcMs: () => wakeUtcMs,
      act: (effect) => {
        log.push(`act ${effect.n}`);
        return act(effect);
      },
      judge: async () => 'unknown',
      overflowed: () => {
        overflows += 1;
        // As telephony does, which says of its feed that it is stale.
        room.post({ kind: 'add', by: 1 });
      },
    },
    { clock, ids: seededIds(1), committer, report: () => {}, stop: (cause) => stops.push(cause) },
  );
  const run = async () => {
    for (let quiet = 0; quiet < 20; quiet += 1) {
      const turn = turns.shift();
      if (turn) quiet = 0;
      turn?.();
      await Promise.resolve();
    }
  };
  const wakeAt = (atUtcMs: number) => {
    wakeUtcMs = atUtcMs;
  };
  return { room, run, batches, log, timers, stops, wakeAt, overflows: () => overflows };
}

describe('a room', () => {
  it('decides events in order, sees its own changes, and commits before it acts', async () => {
    const { room, run, batches, log } = makeRoom(async () => ({ outcome: 'accepted' }));
    const answers = [room.ask<number>({ kind: 'add', by: 1 }), room.ask({ kind: 'add', by: 2 })];
    await run();
    expect(await Promise.all(answers)).toEqual([11, 13]);
    expect(log).toEqual(['commit', 'act 11', 'commit', 'act 13', 'commit']);
    expect(batches[0]?.changes.filter(({ table }) => table === 'Pending')).toHaveLength(2);
    const results = batches.slice(1).flatMap((batch) => batch.changes);
    expect(results).toHaveLength(2);
    expect(results.every((change) => change.table === 'Pending' && change.row === null)).toBe(true);
  });

  it('keeps the order of one lane: the second effect waits for the first', async () => {
    const finish: (() => void)[] = [];
    const { room, run, log } = makeRoom(
      () => new Promise((resolve) => finish.push(() => resolve({ outcome: 'accepted' }))),
    );
    room.post({ kind: 'add', by: 1 });
    room.post({ kind: 'add', by: 1 });
    await run();
    expect(log.filter((line) => line.startsWith('act'))).toEqual(['act 11']);
    finish[0]?.();
    await run();
    expect(log.filter((line) => line.startsWith('act'))).toEqual(['act 11', 'act 12']);
  });

  it('lets a lane go on when the deadline of its first effect has passed', async () => {
    const { room, run, log, timers } = makeRoom(() => new Promise(() => {}));
    room.post({ kind: 'add', by: 1 });
    room.post({ kind: 'add', by: 1 });
    await run();
    timers.find(({ atMs, live }) => live && atMs === 50)?.fire();
    await run();
    expect(log.filter((line) => line.startsWith('act'))).toEqual(['act 11', 'act 12']);
  });

  it('decides what is patient with what comes next, in order, or when it has waited', async () => {
    const { room, run, batches, timers } = makeRoom(() => new Promise(() => {}));
    const gathering = () => timers.filter(({ atMs, live }) => live && atMs === gatherMs);
    room.post({ kind: 'add', by: 0 });
    room.post({ kind: 'add', by: 0 });
    await run();
    expect(batches).toHaveLength(0);
    expect(gathering()).toHaveLength(1);
    room.post({ kind: 'add', by: 3 });
    await run();
    expect(batches.map(({ entries }) => entries.map(({ facts }) => facts?.n))).toEqual([
      [10, 10, 13],
    ]);
    expect(gathering()).toHaveLength(0);
    room.post({ kind: 'add', by: 0 });
    await run();
    gathering()[0]?.fire();
    await run();
    expect(batches).toHaveLength(2);
  });

  it('calls an effect unknown when its deadline passes or its port throws', async () => {
    const late = makeRoom(() => new Promise(() => {}));
    late.room.post({ kind: 'add', by: 1 });
    await late.run();
    late.timers.find((timer) => timer.atMs === 50 && timer.live)?.fire();
    await late.run();
    expect(late.batches.at(-1)?.entries[0]?.why).toBe('unknown');
    const broken = makeRoom(() => Promise.reject(new Error('lost')));
    broken.room.post({ kind: 'add', by: 1 });
    await broken.run();
    broken.timers.find((timer) => timer.atMs !== 50 && timer.live)?.fire();
    await broken.run();
    expect(broken.batches.at(-1)?.entries[0]?.why).toBe('unknown');
  });

  it('decides a stale batch again and never twice', async () => {
    const { room, run, batches } = makeRoom(async () => ({ outcome: 'accepted' }), 1);
    room.post({ kind: 'add', by: 1 });
    room.post({ kind: 'add', by: 2 });
    await run();
    expect(room.view().get('Count', 'a')?.n).toBe(13);
    expect(
      batches.flatMap((batch) => batch.entries).filter((e) => e.what === 'added'),
    ).toHaveLength(2);
  });

  it('refuses events beyond its limit, says so once, and goes on', async () => {
    const { room, run, overflows } = makeRoom(async () => ({ outcome: 'accepted' }));
    for (let i = 0; i < inboxLimit; i += 1) expect(room.post({ kind: 'add', by: 1 })).toBe(true);
    expect(room.post({ kind: 'add', by: 1 })).toBe(false);
    expect(room.post({ kind: 'add', by: 1 })).toBe(false);
    expect(overflows()).toBe(1);
    await run();
    expect(room.view().get('Count', 'a')?.n).toBe(10 + inboxLimit);
  });

  it('stops the process on a programmer error and decides nothing more', async () => {
    const { room, run, stops, batches } = makeRoom(async () => ({ outcome: 'accepted' }));
    room.post({ kind: 'add', by: 13 });
    await run();
    expect(stops).toHaveLength(1);
    expect(room.post({ kind: 'add', by: 1 })).toBe(false);
    expect(batches).toHaveLength(0);
  });

  it('answers at once when asked now, after everything that waited', async () => {
    const { room, batches, stops } = makeRoom(async () => ({ outcome: 'accepted' }));
    room.post({ kind: 'add', by: 1 });
    room.post({ kind: 'add', by: 2 });
    let seen = 0;
    const make = () => {
      seen = room.view().get('Count', 'a')?.n ?? 0;
      return { kind: 'add', by: 4 } as const;
    };
    expect(room.askNow<number>(make)).toBe(17);
    expect(seen).toBe(13);
    expect(batches.at(-1)?.entries).toHaveLength(1);
    expect(() => room.askNow(() => ({ kind: 'add', by: 13 }))).toThrow(/takes no more events/);
    expect(stops).toHaveLength(1);
    expect(() => room.askNow(make)).toThrow(/takes no more events/);
  });

  it('sleeps at most an hour, however far away its next moment is', async () => {
    const { room, run, timers, wakeAt } = makeRoom(async () => ({ outcome: 'accepted' }));
    wakeAt(1_000 + 90 * 24 * 3_600_000);
    room.post({ kind: 'add', by: 1 });
    await run();
    const sleeps = () => timers.filter(({ atMs, live }) => live && atMs === longestSleepMs);
    expect(sleeps()).toHaveLength(1);
    sleeps()[0]?.fire();
    await run();
    expect(sleeps()).toHaveLength(2);
  });
});
