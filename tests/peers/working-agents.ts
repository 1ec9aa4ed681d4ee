// The agents of a floor under test: they talk for a while, hang up, and say how the call went.
import type { Clock } from '../../src/clock.ts';
import type { Row } from '../../src/draft.ts';
import type { Ids } from '../../src/ids.ts';
import type { TelephonyEvent } from '../../src/telephony/decide.ts';
import type { Telephony } from '../../src/telephony/telephony.ts';
import type { CallRow } from '../../src/telephony/working-set.ts';

export interface Habits {
  /** How long an agent talks before hanging up, if the far end does not. */
  talkMs: readonly [min: number, max: number];
  /** How long a wrap-up takes. */
  wrapUpMs: number;
}

export interface WorkingAgents {
  /** Takes up what is under way. */
  begin(telephony: Pick<Telephony, 'ask' | 'view'>): void;
  /** Changed rows of calls. */
  see(rows: readonly Row[]): void;
  setHabits(habits: Habits): void;
}

/** Nobody acts before begin(). An order that comes too late is refused, and that is all right. */
export function agentsAtWork(clock: Clock, ids: Ids, first: Habits): WorkingAgents {
  let habits = first;
  let telephony: Pick<Telephony, 'ask' | 'view'> | undefined;
  const seen = new Set<string>();

  function look(call: CallRow): void {
    const { id: callId, agentId, state } = call;
    const step = `${callId}:${state}`;
    if (!telephony || agentId === undefined || seen.has(step)) return;
    // Whatever comes after the end of the floor is refused.
    const ask = (event: TelephonyEvent) => void telephony?.ask(event).catch(() => undefined);
    seen.add(step);
    if (state === 'talking') {
      const [min, max] = habits.talkMs;
      const talkMs = min + ids.below(Math.max(1, max - min));
      clock.after(talkMs, () => ask({ kind: 'hang-up-call', callId, agentId }));
    } else if (state === 'wrap-up') {
      const by = agentId;
      const said = { disposition: 'negotiating', effective: true };
      clock.after(habits.wrapUpMs, () => ask({ kind: 'dispose', callId, agentId, by, ...said }));
    }
  }

  return {
    begin(to) {
      telephony = to;
      for (const call of to.view().all('Call')) look(call);
    },
    see: (rows) => {
      for (const row of rows) look(row as CallRow);
    },
    setHabits(next) {
      habits = next;
    },
  };
}
