// The agents of a simulated floor: they sign in, talk, state results, take breaks and go home.
import { type ActionCodeName, actionCodes } from '../cases/action-code.ts';
import type { Floor } from '../floor.ts';
import type { Outcome } from '../people/person.ts';
import type { TelephonyEvent } from '../telephony/decide.ts';
import type { AgentRow } from '../telephony/working-set.ts';
import { type Book, campaigns } from './book.ts';
import type { Chance } from './chance.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface CrewParts {
  clock: VirtualClock;
  chance: Chance;
  book: Book;
  /** The floor, while its daemon lives and has started. */
  floor(): Floor | undefined;
}

interface Seat {
  readonly agentId: string;
  readonly extension: string;
  readonly way: AgentRow['way'];
  readonly campaignIds: readonly string[];
  /** Calls by hand, and waits for calls in between. */
  readonly callsByHand: boolean;
  /** Uptime until which they are on a break, or away from the house. */
  restsUntilMs: number;
}

const seats = 20;
const ringPerCallSeats = 3;
const byHandSeats = 2;
/** So many work for the smaller campaign. */
const smallerSeats = 6;
/** Looks at their screen so often. */
const lookMs = [4_000, 15_000] as const;
const firstSignInMs = 120_000;
const breakMs = [60_000, 900_000] as const;
const breakCodes = ['lunch', 'short', 'training'];
const callbackMs = [20 * 60_000, 80 * 60_000] as const;
const promiseMs = 5 * 86_400_000;
const usualCodes: readonly ActionCodeName[] = [
  'promise-to-pay',
  'negotiating',
  'will-not-pay',
  'can-not-pay',
  'call-back',
  'message-left',
  'hung-up',
  'machine',
];
const allCodes = Object.keys(actionCodes) as ActionCodeName[];

/** The agents' ids; the last one has not passed what the site requires. */
export const traineeId = 'agent-trainee';
export const agentIds = Array.from({ length: seats }, (_, i) => `agent-${i + 1}`);

/** Twenty people and a trainee, each looking at their own screen every few seconds. */
export class Crew {
  private readonly parts: CrewParts;
  private goesHome = false;

  constructor(parts: CrewParts) {
    this.parts = parts;
    agentIds.forEach((agentId, at) => {
      const ringsPerCall = at < ringPerCallSeats;
      this.begin({
        agentId,
        extension: `${101 + at}`,
        way: ringsPerCall ? 'ring-per-call' : 'pre-connected',
        campaignIds: [campaigns[at < smallerSeats ? 1 : 0].id],
        callsByHand: !ringsPerCall && at < ringPerCallSeats + byHandSeats,
        restsUntilMs: 0,
      });
    });
    const extension = `${101 + seats}`;
    const way = 'pre-connected';
    const campaignIds = [campaigns[0].id];
    const trainee = { extension, way, campaignIds, callsByHand: false, restsUntilMs: 0 } as const;
    this.begin({ agentId: traineeId, ...trainee });
  }

  /** The working day is over: everybody ends their call and signs out. */
  close(): void {
    this.goesHome = true;
  }

  private begin(seat: Seat): void {
    const { clock, chance } = this.parts;
    clock.after(chance.spanMs(1_000, firstSignInMs), () => this.look(seat));
  }

  private look(seat: Seat): void {
    const { clock, chance, floor } = this.parts;
    clock.after(chance.spanMs(...lookMs), () => this.look(seat));
    const open = floor();
    if (!open) return;
    const agent = open.telephony.view().get('Agent', seat.agentId);
    if (!agent || agent.state === 'out') this.arrive(open, seat);
    else if (this.goesHome) this.leave(open, seat, agent);
    else this.work(open, seat, agent);
  }

  private arrive(floor: Floor, seat: Seat): void {
    if (this.goesHome || seat.restsUntilMs > this.parts.clock.uptimeMs) return;
    const { agentId, extension, way, campaignIds } = seat;
    // Who has left the house can't log in any more.
    if (floor.people.lacks(agentId) === 'person-left') return;
    const order = { agentId, personId: agentId, extension, way, campaignIds, by: agentId };
    this.ask(floor, { kind: 'sign-in', ...order });
    this.setState(floor, seat, 'ready');
  }

  private leave(floor: Floor, seat: Seat, agent: AgentRow): void {
    if (agent.state === 'talking') this.hangUp(floor, seat, agent);
    else if (agent.state === 'wrap-up') this.stateResult(floor, seat, agent);
    if (agent.wanted !== 'out') this.setState(floor, seat, 'out');
  }

  private work(floor: Floor, seat: Seat, agent: AgentRow): void {
    const { chance, clock } = this.parts;
    switch (agent.state) {
      case 'away':
        if (seat.callsByHand && chance.hits(500)) this.callByHand(floor, seat);
        else if (agent.wanted !== 'ready' && (seat.agentId !== traineeId || chance.hits(20))) {
          this.setState(floor, seat, 'ready');
        }
        return;
      case 'break':
        if (seat.restsUntilMs <= clock.uptimeMs) this.setState(floor, seat, 'ready');
        return;
      case 'ready':
        if (seat.callsByHand && chance.hits(100)) this.callByHand(floor, seat);
        else this.restNowAndThen(floor, seat, 6);
        return;
      case 'talking':
        if (chance.hits(3)) this.hangUp(floor, seat, agent);
        else if (chance.hits(5)) this.stateResult(floor, seat, agent);
        else this.restNowAndThen(floor, seat, 2);
        return;
      case 'wrap-up':
        if (chance.hits(500)) this.stateResult(floor, seat, agent);
        return;
      default:
        return;
    }
  }

  private restNowAndThen(floor: Floor, seat: Seat, permille: number): void {
    const { chance, clock } = this.parts;
    if (!chance.hits(permille)) return;
    seat.restsUntilMs = clock.uptimeMs + chance.spanMs(...breakMs);
    const state = chance.hits(100) ? 'out' : chance.hits(100) ? 'away' : 'break';
    this.setState(floor, seat, state, state === 'break' ? chance.pick(breakCodes) : undefined);
  }

  private setState(
    floor: Floor,
    { agentId }: Seat,
    state: 'ready' | 'away' | 'break' | 'out',
    code?: string,
  ): void {
    const lacks = state === 'ready' ? floor.people.lacks(agentId) : undefined;
    this.ask(floor, { kind: 'set-agent-state', agentId, state, code, lacks, by: agentId });
  }

  private callByHand(floor: Floor, { agentId }: Seat): void {
    const { chance, book } = this.parts;
    const numberId = chance.pick([...book.numbers.keys()]);
    const booked = book.numbers.get(numberId);
    if (!booked) return;
    const { caseId, campaignId: own } = booked;
    // Now and then through a campaign of another creditor, which no rule may let pass.
    const campaignId = chance.hits(100) ? chance.pick(campaigns).id : own;
    if (chance.hits(600)) quietly(floor.cases.allocate({ caseId, agentId }, 'person-supervisor'));
    else if (chance.hits(500)) {
      const note = 'asked for by the debtor';
      quietly(floor.cases.release({ caseId, agentId, note }, 'person-supervisor'));
    }
    this.ask(floor, { kind: 'manual-call', agentId, campaignId, caseId, numberId });
  }

  private hangUp(floor: Floor, { agentId }: Seat, { callId }: AgentRow): void {
    if (callId !== undefined) this.ask(floor, { kind: 'hang-up-call', callId, agentId });
  }

  private stateResult(floor: Floor, { agentId }: Seat, { callId }: AgentRow): void {
    const { chance, clock } = this.parts;
    if (callId === undefined) return;
    const code = chance.pick(chance.hits(200) ? allCodes : usualCodes);
    const stated = {
      ...(code === 'call-back'
        ? {
            callback: {
              dueUtcMs: clock.utcMs + chance.spanMs(...callbackMs),
              own: chance.hits(500),
            },
          }
        : {}),
      ...(code === 'promise-to-pay'
        ? { promise: { amountMinor: 10_000, dueUtcMs: clock.utcMs + promiseMs } }
        : {}),
    };
    if (!floor.cases.checkAction({ code, ...stated }).done) return;
    const { effective } = actionCodes[code];
    this.ask(floor, {
      kind: 'dispose',
      callId,
      agentId,
      by: agentId,
      disposition: code,
      effective,
      stated,
    });
  }

  private ask(floor: Floor, event: TelephonyEvent): void {
    quietly(floor.telephony.ask<Outcome>(event));
  }
}

/** A person's order may be refused or lost with the daemon; they look again and ask again. */
export function quietly(order: Promise<unknown>): void {
  order.catch(() => undefined);
}
