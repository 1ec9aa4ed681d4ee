// A seeded call floor for judging pacing: agents, ringing calls, answers and nothing else.
import { type Ids, seededIds } from '../ids.ts';
import {
  learnAgent,
  learnCall,
  newPacingModels,
  type PacedAgent,
  type PacedCall,
  type PacingDecision,
  type PacingInput,
  type PacingModels,
  type PacingSettings,
  paceCampaign,
} from '../telephony/pacing/pacing.ts';

/** A duration of log-normal shape: its mean and its standard deviation over the mean. */
export interface Spread {
  meanMs: number;
  variation: number;
}

/** What the world does, whatever the pacing decides. */
export interface Scenario {
  /** The chance that a dial at this moment of the day is answered in time. */
  answerShareAt(uptimeMs: number): number;
  talk: Spread;
  wrap: Spread;
  ring: Spread;
  /** Part of the unanswered calls that fail at once, and when. */
  failShare: number;
  failAfterMs: number;
  ringTimeoutMs: number;
  meanPatienceMs: number;
}

export interface FloorPlan {
  seed: number;
  agents: number;
  lengthMs: number;
  scenario: Scenario;
  mode: PacingSettings['mode'];
  /** Counts of earlier days. */
  answeredBefore?: number;
  abandonedBefore?: number;
  /** The process restarts here: models are lost, the durable counts and the calls are not. */
  restartAtMs?: number;
  /** The feed is stale between these moments. */
  stale?: { fromMs: number; toMs: number };
  /** Agents with this number or higher are away between these moments, once they are free. */
  away?: { fromMs: number; toMs: number; fromAgent: number };
  tickMs?: number;
  /** What the pacing is told; a test plants a fault here. */
  distort?: (input: PacingInput) => PacingInput;
  /** Sees every decision with what led to it. */
  watch?: (input: PacingInput, decision: PacingDecision & { models: PacingModels }) => void;
}

export interface FloorResult {
  dialed: number;
  answered: number;
  /** Answered and not bridged within 2 s, whoever ended the wait. */
  abandoned: number;
  cancelled: number;
  talkMs: number;
  wrapMs: number;
  /** Agent time of those at work. */
  staffedMs: number;
  /** Of the bridged: the sum of their waits. */
  waitMs: number;
  models: PacingModels;
}

/** The reference's scenario A: three answers in ten, talks of 75 s, wrap-ups of 20 s. */
export const scenarioA: Scenario = {
  answerShareAt: () => 0.3,
  talk: { meanMs: 75_000, variation: 1.1 },
  wrap: { meanMs: 20_000, variation: 0.6 },
  ring: { meanMs: 12_000, variation: 0.5 },
  failShare: 0.15,
  failAfterMs: 3_000,
  ringTimeoutMs: 35_000,
  meanPatienceMs: 10_000,
};

/** The reference's scenario B: fewer answers, shorter talks. */
export const scenarioB: Scenario = {
  ...scenarioA,
  answerShareAt: () => 0.15,
  talk: { meanMs: 45_000, variation: 1.1 },
  wrap: { meanMs: 10_000, variation: 0.6 },
};

/** The law's wait: an answer not bridged within it is abandoned. */
const maxWaitMs = 2_000;
const wholeRange = 2 ** 32;

const floorSettings: Omit<PacingSettings, 'mode'> = {
  limitShare: 0.03,
  targetShare: 0.02,
  toleratedWaitMs: 1_900,
  minRingMs: 15_000,
  maxLines: 1_000,
  maxCallsPerAgent: 10,
};

function unit(ids: Ids): number {
  return (ids.below(wholeRange) + 0.5) / wholeRange;
}

function sample(ids: Ids, { meanMs, variation }: Spread): number {
  const variance = Math.log(1 + variation ** 2);
  const normal = Math.sqrt(-2 * Math.log(unit(ids))) * Math.cos(2 * Math.PI * unit(ids));
  return meanMs * Math.exp(Math.sqrt(variance) * normal - variance / 2);
}

interface FloorEvent {
  atMs: number;
  happen: () => void;
}

/** The coming events as a binary heap: the earliest is always at the root. */
class Agenda {
  private readonly events: FloorEvent[] = [];

  add(atMs: number, happen: () => void): void {
    const { events } = this;
    const added = { atMs, happen };
    let child = events.length;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      const above = events[parent];
      if (above === undefined || above.atMs <= atMs) break;
      events[child] = above;
      child = parent;
    }
    events[child] = added;
  }

  next(): FloorEvent | undefined {
    const { events } = this;
    const first = events[0];
    const last = events.pop();
    if (last === undefined || events.length === 0) return first;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if ((events[child + 1]?.atMs ?? Number.POSITIVE_INFINITY) < (events[child]?.atMs ?? 0)) {
        child += 1;
      }
      const below = events[child];
      if (below === undefined || below.atMs >= last.atMs) break;
      events[hole] = below;
      hole = child;
    }
    events[hole] = last;
    return first;
  }
}

interface FloorCall extends PacedCall {
  result: 'answered' | 'no-answer' | 'failed';
  talkMs: number;
  wrapMs: number;
  patienceMs: number;
  over: boolean;
}

class Floor {
  readonly result: Omit<FloorResult, 'models'> = {
    dialed: 0,
    answered: 0,
    abandoned: 0,
    cancelled: 0,
    talkMs: 0,
    wrapMs: 0,
    staffedMs: 0,
    waitMs: 0,
  };
  models: PacingModels = newPacingModels();
  private readonly plan: FloorPlan;
  private readonly ids: Ids;
  private readonly agenda = new Agenda();
  private readonly agents: PacedAgent[];
  private readonly away = new Map<string, number>();
  private inFlight: FloorCall[] = [];
  private waiting: { call: FloorCall; sinceMs: number }[] = [];
  private nowMs = 0;

  constructor(plan: FloorPlan) {
    this.plan = plan;
    this.ids = seededIds(plan.seed);
    this.agents = Array.from({ length: plan.agents }, (_, j) => ({
      id: `agent-${j}`,
      state: 'ready',
      sinceUptimeMs: 0,
    }));
  }

  /** Lives through the day; every event and every tick is followed by a decision. */
  run(): void {
    const { lengthMs, restartAtMs, away } = this.plan;
    this.tick();
    if (restartAtMs !== undefined) {
      this.agenda.add(restartAtMs, () => {
        this.models = newPacingModels();
      });
    }
    if (away !== undefined) {
      this.agenda.add(away.fromMs, () => {
        for (const agent of this.agents.filter((one) => one.state === 'ready')) this.free(agent);
      });
    }
    this.result.staffedMs = this.agents.length * lengthMs;
    for (;;) {
      const event = this.agenda.next();
      if (event === undefined || event.atMs > lengthMs) break;
      this.nowMs = event.atMs;
      event.happen();
      this.decide();
    }
  }

  private tick(): void {
    this.agenda.add(this.nowMs + (this.plan.tickMs ?? 250), () => this.tick());
  }

  private input(): PacingInput {
    const { plan, nowMs, result } = this;
    const stale = plan.stale !== undefined && nowMs >= plan.stale.fromMs && nowMs < plan.stale.toMs;
    const input: PacingInput = {
      uptimeMs: nowMs,
      settings: { ...floorSettings, mode: plan.mode },
      agents: this.away.size === 0 ? this.agents : this.agents.filter((a) => !this.away.has(a.id)),
      inFlight: this.inFlight,
      waiting: this.waiting.length,
      feed: stale ? 'stale' : 'fresh',
      abandonment: {
        answered30d: (plan.answeredBefore ?? 0) + result.answered,
        abandoned30d: (plan.abandonedBefore ?? 0) + result.abandoned,
      },
    };
    return plan.distort === undefined ? input : plan.distort(input);
  }

  private decide(): void {
    const input = this.input();
    const decision = paceCampaign(this.models, input);
    this.models = decision.models;
    this.plan.watch?.(input, decision);
    for (const id of decision.cancel) {
      const call = this.inFlight.find((one) => one.id === id);
      if (call === undefined) continue;
      this.result.cancelled += 1;
      this.endRinging(call, 'cancelled');
    }
    for (let j = 0; j < decision.dial; j += 1) this.dial();
  }

  /** All of a call's fate is drawn at the dial, so that policies meet the same calls in turn. */
  private dial(): void {
    const { ids, nowMs } = this;
    const { scenario } = this.plan;
    const wanted = unit(ids) < scenario.answerShareAt(nowMs);
    const fails = unit(ids) < scenario.failShare;
    const ringMs = sample(ids, scenario.ring);
    const answered = wanted && ringMs < scenario.ringTimeoutMs;
    this.result.dialed += 1;
    const call: FloorCall = {
      id: `call-${this.result.dialed}`,
      dialedUptimeMs: nowMs,
      ringingUptimeMs: nowMs,
      segment: 'list',
      result: answered ? 'answered' : fails ? 'failed' : 'no-answer',
      talkMs: sample(ids, scenario.talk),
      wrapMs: sample(ids, scenario.wrap),
      patienceMs: -Math.log(unit(ids)) * scenario.meanPatienceMs,
      over: false,
    };
    this.inFlight.push(call);
    const endMs = answered ? ringMs : fails ? scenario.failAfterMs : scenario.ringTimeoutMs;
    this.agenda.add(nowMs + endMs, () => {
      if (call.over) return;
      this.endRinging(call, call.result);
      if (answered) this.answer(call);
    });
  }

  private endRinging(call: FloorCall, result: FloorCall['result'] | 'cancelled'): void {
    call.over = true;
    this.inFlight = this.inFlight.filter((one) => one !== call);
    const { segment, dialedUptimeMs } = call;
    const sinceDialMs = this.nowMs - dialedUptimeMs;
    const outcome = { segment, sinceDialMs, result, atUptimeMs: this.nowMs };
    this.models = learnCall(this.models, outcome);
  }

  private answer(call: FloorCall): void {
    const ready = this.agents.filter((one) => one.state === 'ready' && !this.away.has(one.id));
    const longest = ready.sort((a, b) => a.sinceUptimeMs - b.sinceUptimeMs)[0];
    if (longest !== undefined) return this.bridge(longest, call, 0);
    const entry = { call, sinceMs: this.nowMs };
    this.waiting.push(entry);
    this.agenda.add(this.nowMs + Math.min(maxWaitMs, call.patienceMs), () => {
      if (!this.waiting.includes(entry)) return;
      this.waiting = this.waiting.filter((one) => one !== entry);
      this.result.answered += 1;
      this.result.abandoned += 1;
    });
  }

  private bridge(agent: PacedAgent, call: FloorCall, waitMs: number): void {
    const startMs = this.nowMs;
    this.result.answered += 1;
    this.result.waitMs += waitMs;
    this.enter(agent, 'talking');
    this.agenda.add(startMs + call.talkMs, () => {
      this.enter(agent, 'wrap-up');
      this.result.talkMs += call.talkMs;
      this.agenda.add(this.nowMs + call.wrapMs, () => {
        const { talkMs, wrapMs } = call;
        this.result.wrapMs += wrapMs;
        this.models = learnAgent(this.models, { agentId: agent.id, talkMs, wrapMs });
        this.free(agent);
      });
    });
  }

  private enter(agent: PacedAgent, state: PacedAgent['state']): void {
    agent.state = state;
    agent.sinceUptimeMs = this.nowMs;
  }

  /** A freed agent takes the oldest waiting call, or leaves for the break that is due. */
  private free(agent: PacedAgent): void {
    this.enter(agent, 'ready');
    const { away } = this.plan;
    const number = this.agents.indexOf(agent);
    if (away !== undefined && number >= away.fromAgent) {
      if (this.nowMs >= away.fromMs && this.nowMs < away.toMs) return this.leave(agent, away.toMs);
    }
    const oldest = this.waiting.shift();
    if (oldest !== undefined) this.bridge(agent, oldest.call, this.nowMs - oldest.sinceMs);
  }

  private leave(agent: PacedAgent, untilMs: number): void {
    this.away.set(agent.id, untilMs);
    this.result.staffedMs -= untilMs - this.nowMs;
    this.agenda.add(untilMs, () => {
      this.away.delete(agent.id);
      this.free(agent);
    });
  }
}

/** Runs one day on one floor; the same plan gives the same result. */
export function runPacingFloor(plan: FloorPlan): FloorResult {
  const floor = new Floor(plan);
  floor.run();
  return { ...floor.result, models: floor.models };
}
