// How many calls to place now: the chance that one more answer finds no agent, held to a budget.
import {
  type AgentSurvival,
  addTalk,
  type BusyAgent,
  freeChances,
  newAgentSurvival,
} from './agent-survival.ts';
import { type AbandonmentCounts, aimShare, type Budget, newBudget, stepBudget } from './budget.ts';
import {
  addOutcome,
  answerMomentsMs,
  type CallOutcome,
  type CallSurvival,
  expectAnswers,
  newCallSurvival,
} from './call-survival.ts';
import { addTrial, chanceDemandMeetsSupply, type Tally, tallyOf } from './poisson-binomial.ts';

export interface PacingSettings {
  mode: 'predictive' | 'progressive';
  /** The cap on the 95 % upper bound of the abandoned share (0.03). */
  limitShare: number;
  /** The abandoned share to work at (0.02). */
  targetShare: number;
  /** How long an answered call may wait: 2,000 ms less the measured bridge and detection time. */
  toleratedWaitMs: number;
  /** No call is cancelled before it has rung so long (15,000 ms). */
  minRingMs: number;
  maxLines: number;
  maxCallsPerAgent: number;
}

/** An agent at work; those away or on a break are not passed. */
export interface PacedAgent {
  id: string;
  /** `reserved` is promised to a callback or another call and takes no call of this campaign. */
  state: 'ready' | 'reserved' | 'talking' | 'wrap-up';
  sinceUptimeMs: number;
  wrapUpLimitMs?: number;
}

/** A call that was ordered and has not been answered or ended. */
export interface PacedCall {
  id: string;
  dialedUptimeMs: number;
  ringingUptimeMs?: number;
  segment: string;
}

export interface PacingInput {
  uptimeMs: number;
  settings: PacingSettings;
  agents: readonly PacedAgent[];
  inFlight: readonly PacedCall[];
  /** Answered calls that have no agent yet. */
  waiting: number;
  /** `stale`: phone system unheard, events queued, clock stepped, an agent's state unknown. */
  feed: 'fresh' | 'stale';
  abandonment: AbandonmentCounts;
}

/** Why the dialing is as it is; stands in the ledger with each change. */
export type PacingReason =
  | 'within-budget'
  | 'set-progressive'
  | 'feed-stale'
  | 'campaign-start'
  | 'budget-spent'
  | 'abandonment-over-limit'
  | 'no-agents';

/** Numbers for the panel; the ones of the model are null while it is not asked. */
export interface PacingFigures {
  /** The chance that one more call's answer finds no agent. */
  abandonChance: number | null;
  /** The largest such chance at which a call is still placed. */
  threshold: number;
  upperBound: number;
  aimShare: number;
  /** The share of dials that are answered now. */
  answerShare: number | null;
  /** Agents expected free when half of the answers to a call placed now would have come. */
  expectedFree: number | null;
}

export interface PacingDecision {
  dial: number;
  /** Calls to give up, for more answers are coming than agents. */
  cancel: readonly string[];
  mode: 'predictive' | 'progressive' | 'stopped';
  reason: PacingReason;
  figures: PacingFigures;
}

/** All that pacing has learned: plain data, to be handed back at the next decision. */
export interface PacingModels {
  readonly agents: AgentSurvival;
  readonly calls: CallSurvival;
  readonly budget: Budget;
  readonly mode: PacingDecision['mode'];
}

/** The answer moments at which one more call is judged: the middles of three equal parts. */
const answerQuantiles = [1 / 6, 1 / 2, 5 / 6];
/** A ringing call is given up only when its answer would more likely than so find no agent. */
const cancelChance = 0.5;

/**
 * Models of a campaign about which nothing is known. Answers are believed likely and talks long,
 * each worth some ten observations: the first mistakes are idle agents, not abandoned calls.
 */
export function newPacingModels(): PacingModels {
  return {
    agents: newAgentSurvival(
      { medianMs: 60_000, shape: 1.8, weight: 15 },
      { medianMs: 20_000, shape: 2, weight: 15 },
    ),
    calls: newCallSurvival(
      { medianMs: 12_000, shape: 3, weight: 15 },
      { medianMs: 25_000, shape: 3, weight: 15 },
      { answerShare: 0.5, weight: 10 },
    ),
    budget: newBudget(),
    mode: 'progressive',
  };
}

/** The models after one call ended or was answered. */
export function learnCall(models: PacingModels, outcome: CallOutcome): PacingModels {
  return { ...models, calls: addOutcome(models.calls, outcome) };
}

/** The models after one agent's talk and wrap-up ended. */
export function learnAgent(
  models: PacingModels,
  talk: { agentId: string; talkMs: number; wrapMs: number },
): PacingModels {
  return { ...models, agents: addTalk(models.agents, talk) };
}

function judge(input: PacingInput, budget: Budget): Pick<PacingDecision, 'mode' | 'reason'> {
  const { settings, abandonment } = input;
  if (input.agents.length === 0) return { mode: 'stopped', reason: 'no-agents' };
  if (input.feed === 'stale') return { mode: 'progressive', reason: 'feed-stale' };
  if (settings.mode === 'progressive') return { mode: 'progressive', reason: 'set-progressive' };
  if (budget.upperBound <= settings.limitShare) {
    const spent = aimShare(abandonment, settings) <= 0;
    if (spent) return { mode: 'progressive', reason: 'budget-spent' };
    return { mode: 'predictive', reason: 'within-budget' };
  }
  const share = abandonment.abandoned30d / Math.max(1, abandonment.answered30d);
  return {
    mode: 'progressive',
    reason: share <= settings.targetShare ? 'campaign-start' : 'abandonment-over-limit',
  };
}

/** The calls that may be cancelled, longest ringing last, and those that may not. */
function splitByRing(input: PacingInput): { kept: PacedCall[]; loose: PacedCall[] } {
  const { inFlight, uptimeMs, settings } = input;
  const kept: PacedCall[] = [];
  const loose: PacedCall[] = [];
  for (const call of inFlight) {
    const rungMs = call.ringingUptimeMs === undefined ? 0 : uptimeMs - call.ringingUptimeMs;
    (rungMs >= settings.minRingMs ? loose : kept).push(call);
  }
  loose.sort((a, b) => b.dialedUptimeMs - a.dialedUptimeMs);
  return { kept, loose };
}

/** One call for each free agent; calls beyond that are given up once they have rung long enough. */
function paceProgressively(input: PacingInput): { dial: number; cancel: string[] } {
  const ready = input.agents.filter((agent) => agent.state === 'ready').length;
  const spare = ready - input.waiting - input.inFlight.length;
  if (spare >= 0) {
    const lines = input.settings.maxLines - input.inFlight.length;
    return { dial: Math.max(0, Math.min(spare, lines)), cancel: [] };
  }
  if (input.feed === 'stale') return { dial: 0, cancel: [] };
  const { loose } = splitByRing(input);
  return { dial: 0, cancel: loose.slice(spare).map((call) => call.id) };
}

/** Supply and demand at each answer moment of a call placed now. */
interface Outlook {
  readonly supply: readonly Tally[];
  readonly ready: number;
  readonly expectedFree: number;
}

function lookAhead(models: PacingModels, input: PacingInput, momentsMs: number[]): Outlook {
  const untilMs = momentsMs.map((ms) => ms + input.settings.toleratedWaitMs);
  const busy: BusyAgent[] = [];
  let ready = 0;
  for (const { id, state, sinceUptimeMs, wrapUpLimitMs } of input.agents) {
    if (state === 'ready') ready += 1;
    if (state !== 'talking' && state !== 'wrap-up') continue;
    const elapsedMs = Math.max(0, input.uptimeMs - sinceUptimeMs);
    busy.push({ id, state, elapsedMs, wrapUpLimitMs: wrapUpLimitMs ?? Number.POSITIVE_INFINITY });
  }
  const chances = freeChances(models.agents, busy, untilMs);
  const expectedFree = (chances[1] ?? []).reduce((sum, chance) => sum + chance, ready);
  return { supply: chances.map((own) => tallyOf(own)), ready, expectedFree };
}

function predict(
  models: PacingModels,
  input: PacingInput,
  known: PacingFigures,
): Pick<PacingDecision, 'dial' | 'cancel' | 'figures'> {
  const { settings, uptimeMs, waiting } = input;
  const momentsMs = answerMomentsMs(models.calls, answerQuantiles);
  const outlook = lookAhead(models, input, momentsMs);
  const { kept, loose } = splitByRing(input);
  const calls = [...kept, ...loose];
  const { chances, shares } = expectAnswers(models.calls, calls, momentsMs, uptimeMs);
  // No more answers than there can be free agents matter.
  const most = input.agents.length;
  const demandOfFirst = (count: number) => chances.map((own) => tallyOf(own.slice(0, count), most));
  let demand = demandOfFirst(calls.length);
  const add = (chanceAt: (moment: number) => number) => {
    demand.forEach((tally, moment) => {
      addTrial(tally, chanceAt(moment), most);
    });
  };
  const abandonChance = () =>
    demand.reduce((sum, tally, moment) => {
      const supply = outlook.supply[moment] ?? [1];
      return sum + chanceDemandMeetsSupply(tally, waiting, supply, outlook.ready);
    }, 0) / demand.length;
  const cancel: string[] = [];
  if (abandonChance() > cancelChance) {
    // Each call that may be given up is asked anew whether there is an agent for it.
    demand = demandOfFirst(kept.length);
    for (const [at, { id }] of loose.entries()) {
      if (abandonChance() > cancelChance) cancel.push(id);
      else add((moment) => chances[moment]?.[kept.length + at] ?? 0);
    }
  }
  const inFlight = input.inFlight.length - cancel.length;
  const lines = Math.min(settings.maxLines, settings.maxCallsPerAgent * input.agents.length);
  let dial = 0;
  let chance = abandonChance();
  const sure = outlook.ready - waiting;
  while ((chance < known.threshold || inFlight + dial < sure) && inFlight + dial < lines) {
    dial += 1;
    add((moment) => shares.campaign * (answerQuantiles[moment] ?? 1));
    chance = abandonChance();
  }
  const { expectedFree } = outlook;
  const answerShare = shares.campaign;
  return { dial, cancel, figures: { ...known, abandonChance: chance, answerShare, expectedFree } };
}

/**
 * Decides how many calls to place and which to give up; to be asked after every event of the
 * campaign and each 250 ms. Calls ordered by earlier decisions must stand in `inFlight`. The
 * method is described in docs/decisions/pacing.md; cost O(N x (N + K)) for N agents, K calls.
 */
export function paceCampaign(
  models: PacingModels,
  input: PacingInput,
): PacingDecision & { models: PacingModels } {
  const { settings } = input;
  const learning = models.mode === 'predictive';
  const budget = stepBudget(models.budget, input.abandonment, settings, learning);
  const { mode, reason } = judge(input, budget);
  const aim = aimShare(input.abandonment, settings);
  const threshold = mode === 'predictive' ? budget.multiplier * aim : 0;
  const figures: PacingFigures = {
    abandonChance: null,
    threshold,
    upperBound: budget.upperBound,
    aimShare: aim,
    answerShare: null,
    expectedFree: null,
  };
  const next =
    budget === models.budget && mode === models.mode ? models : { ...models, budget, mode };
  const decided = { mode, reason, models: next };
  if (mode !== 'predictive') return { ...decided, ...paceProgressively(input), figures };
  return { ...decided, ...predict(next, input, figures) };
}
