// How soon a busy agent will be free again, from what talks and wrap-ups have lasted.
import {
  addDuration,
  type DurationCurve,
  type DurationPrior,
  newDurationCurve,
  shareWithin,
} from './duration-curve.ts';

/** One agent's lasting difference from the floor, in natural logarithms of durations. */
export interface AgentTempo {
  readonly seen: number;
  readonly talkLog: number;
  readonly wrapLog: number;
}

export interface AgentSurvival {
  readonly talk: DurationCurve;
  readonly wrap: DurationCurve;
  /** The floor's running means of ln(talk ms) and ln(wrap ms). */
  readonly floor: AgentTempo;
  readonly agents: Readonly<Record<string, AgentTempo>>;
}

/** The curves follow about the last 500 talks: two hours of ten agents. */
const talkMemory = 500;
/** An agent counts half as a person of their own after 20 talks, until then as the floor's mean. */
const ownTalksForHalf = 20;
const agentMemory = 100;
/** More agents than one floor seats; beyond it newcomers count as the floor's mean. */
const maxAgentsKnown = 500;
/** Into so many steps the time ahead is cut when the end of a talk and its wrap-up combine. */
const talkSteps = 8;

export function newAgentSurvival(talk: DurationPrior, wrap: DurationPrior): AgentSurvival {
  const floor = { seen: 0, talkLog: Math.log(talk.medianMs), wrapLog: Math.log(wrap.medianMs) };
  return { talk: newDurationCurve(talk), wrap: newDurationCurve(wrap), floor, agents: {} };
}

function follow(tempo: AgentTempo, talkLog: number, wrapLog: number, memory: number): AgentTempo {
  const seen = tempo.seen + 1;
  const part = 1 / Math.min(seen, memory);
  return {
    seen,
    talkLog: tempo.talkLog + (talkLog - tempo.talkLog) * part,
    wrapLog: tempo.wrapLog + (wrapLog - tempo.wrapLog) * part,
  };
}

/** The survival after one finished talk (`talkMs`) and its wrap-up (`wrapMs`). */
export function addTalk(
  survival: AgentSurvival,
  talk: { agentId: string; talkMs: number; wrapMs: number },
): AgentSurvival {
  const talkLog = Math.log(Math.max(500, talk.talkMs));
  const wrapLog = Math.log(Math.max(500, talk.wrapMs));
  const known = survival.agents[talk.agentId];
  const full = known === undefined && Object.keys(survival.agents).length >= maxAgentsKnown;
  const own = follow(known ?? { ...survival.floor, seen: 0 }, talkLog, wrapLog, agentMemory);
  return {
    talk: addDuration(survival.talk, talk.talkMs, talkMemory),
    wrap: addDuration(survival.wrap, talk.wrapMs, talkMemory),
    floor: follow(survival.floor, talkLog, wrapLog, talkMemory),
    agents: full ? survival.agents : { ...survival.agents, [talk.agentId]: own },
  };
}

/** By how much this agent's talks and wrap-ups are longer than the floor's, shrunk towards 1. */
function tempoOf(survival: AgentSurvival, agentId: string): { talk: number; wrap: number } {
  const own = survival.agents[agentId];
  if (own === undefined) return { talk: 1, wrap: 1 };
  const weight = own.seen / (own.seen + ownTalksForHalf);
  return {
    talk: Math.exp(weight * (own.talkLog - survival.floor.talkLog)),
    wrap: Math.exp(weight * (own.wrapLog - survival.floor.wrapLog)),
  };
}

export interface BusyAgent {
  id: string;
  state: 'talking' | 'wrap-up';
  elapsedMs: number;
  /** The timer that ends the wrap-up; infinite without one. */
  wrapUpLimitMs: number;
}

/** The chance that a wrap-up which is under way ends within `aheadMs`. */
function wrapEnds(wrap: DurationCurve, tempo: number, agent: BusyAgent, aheadMs: number): number {
  const { elapsedMs, wrapUpLimitMs } = agent;
  if (elapsedMs + aheadMs >= wrapUpLimitMs) return 1;
  const over = shareWithin(wrap, elapsedMs / tempo);
  if (over >= 1) return 0;
  return (shareWithin(wrap, (elapsedMs + aheadMs) / tempo) - over) / (1 - over);
}

/** The time ahead, cut into equal steps of talk that end at `endsMs`. */
interface Steps {
  endsMs: readonly number[];
  /** For each moment: the time left for the wrap-up of a talk that ends in the middle of a step. */
  leftMs: readonly (readonly number[])[];
  /** For each moment: the chance that such a wrap-up is over by then. */
  wrapEnds: readonly (readonly number[])[];
}

function cutAhead(wrap: DurationCurve, aheadMs: readonly number[]): Steps {
  const stepMs = Math.max(...aheadMs) / talkSteps;
  const endsMs = Array.from({ length: talkSteps }, (_, step) => stepMs * (step + 1));
  const leftMs = aheadMs.map((ms) => endsMs.map((endMs) => ms - endMs + stepMs / 2));
  const wrapEnds = leftMs.map((row) => row.map((ms) => shareWithin(wrap, ms)));
  return { endsMs, leftMs, wrapEnds };
}

/** The shares of the talks as long as this one so far that end in each of the steps. */
function talkEnds(
  talk: DurationCurve,
  tempo: number,
  elapsedMs: number,
  endsMs: readonly number[],
): number[] {
  const shares: number[] = [];
  let before = shareWithin(talk, elapsedMs / tempo);
  const left = 1 - before;
  for (const endMs of endsMs) {
    const after = shareWithin(talk, (elapsedMs + endMs) / tempo);
    shares.push(left > 0 ? (after - before) / left : 0);
    before = after;
  }
  return shares;
}

/**
 * For each moment of `aheadMs`, the chance of each agent to be free by then. A talk must end and
 * the wrap-up after it too, so each step of talk waits for its wrap-up. A wrap-up that follows a
 * talk is taken as the floor's; one that is under way, as the agent's own.
 */
export function freeChances(
  survival: AgentSurvival,
  agents: readonly BusyAgent[],
  aheadMs: readonly number[],
): number[][] {
  const steps = cutAhead(survival.wrap, aheadMs);
  const chances: number[][] = aheadMs.map(() => []);
  for (const agent of agents) {
    const { elapsedMs, wrapUpLimitMs } = agent;
    const tempo = tempoOf(survival, agent.id);
    if (agent.state === 'wrap-up') {
      for (let moment = 0; moment < aheadMs.length; moment += 1) {
        const ms = aheadMs[moment] ?? 0;
        chances[moment]?.push(wrapEnds(survival.wrap, tempo.wrap, agent, ms));
      }
      continue;
    }
    const ends = talkEnds(survival.talk, tempo.talk, elapsedMs, steps.endsMs);
    for (let moment = 0; moment < aheadMs.length; moment += 1) {
      const over = steps.wrapEnds[moment] ?? [];
      const leftMs = steps.leftMs[moment] ?? [];
      let chance = 0;
      for (let step = 0; step < ends.length; step += 1) {
        const limited = (leftMs[step] ?? 0) >= wrapUpLimitMs;
        chance += (ends[step] ?? 0) * (limited ? 1 : (over[step] ?? 0));
      }
      chances[moment]?.push(chance);
    }
  }
  return chances;
}
