// A world that dies at one chosen moment: the process ends by SIGKILL, as it would by kill -9.
import type { Clock } from '../../src/clock.ts';
import type { PhoneFact } from '../../src/telephony/phone-system.ts';
import type { World } from '../../src/world.ts';

/**
 * A moment of the program. `commit`: the entry `what` is made durable · `fact`: the phone system's
 * fact of that kind is told to the floor · `order`: that function of the phone system or of the
 * recordings is called, and `after` means that its answer is there and nobody knows it yet.
 */
export interface KillPoint {
  at: 'commit' | 'fact' | 'order';
  what: string;
  when: 'before' | 'after';
  /** The process lives on for this long from that moment. */
  laterMs?: number;
}

export interface Hanging {
  world: World;
  /** Sets the moment; only the next time counts. */
  arm(point: KillPoint): void;
}

/** Wraps committer, phone system and recordings; until a moment is set they are as they were. */
export function makeMortal(world: World, clock: Clock): Hanging {
  let armed: KillPoint | undefined;
  const die = () => process.kill(process.pid, 'SIGKILL');
  const pass = (at: KillPoint['at'], what: string, when: KillPoint['when']) => {
    if (armed?.at !== at || armed.what !== what || armed.when !== when) return;
    const { laterMs } = armed;
    armed = undefined;
    if (laterMs === undefined) die();
    else clock.after(laterMs, die);
  };
  const { committer, phone } = world;
  const ordered = <P extends object>(port: P): P =>
    watched(port, (what, when) => {
      pass('order', what, when);
    });
  const told = (sink: (fact: PhoneFact) => void) => (fact: PhoneFact) => {
    pass('fact', fact.kind, 'before');
    sink(fact);
    pass('fact', fact.kind, 'after');
  };
  return {
    world: {
      ...world,
      committer: {
        load: (table, only) => committer.load(table, only),
        commit(batch) {
          for (const { what } of batch.entries) pass('commit', what, 'before');
          const outcome = committer.commit(batch);
          if (outcome.committed)
            for (const { what } of batch.entries) pass('commit', what, 'after');
          return outcome;
        },
      },
      phone: { ...ordered(phone), start: (sink) => phone.start(told(sink)) },
      recordings: ordered(world.recordings),
    },
    arm(point) {
      armed = point;
    },
  };
}

/** The same port, with word of each call of its functions and of each answer. */
function watched<P extends object>(
  port: P,
  hear: (name: string, when: KillPoint['when']) => void,
): P {
  return new Proxy(port, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function' || typeof name !== 'string') return method;
      return (...given: unknown[]) => {
        hear(name, 'before');
        const answer: unknown = Reflect.apply(method, target, given);
        if (answer instanceof Promise)
          answer.then(
            () => hear(name, 'after'),
            () => undefined,
          );
        return answer;
      };
    },
  });
}
