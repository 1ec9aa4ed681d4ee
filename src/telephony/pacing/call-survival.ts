// Whether and when an unanswered call will be answered, from how earlier calls ended.
import {
  addDuration,
  type DurationCurve,
  type DurationPrior,
  newDurationCurve,
  quantileMs,
  shareWithin,
} from './duration-curve.ts';

/** Decayed counts of one segment (list, kind of number, hour, trunk), true at `atUptimeMs`. */
export interface SegmentCounts {
  readonly dialed: number;
  readonly answered: number;
  readonly atUptimeMs: number;
}

export interface CallSurvival {
  /** From dial to answer, of calls that were answered. */
  readonly answer: DurationCurve;
  /** From dial to the end, of calls that were not. */
  readonly end: DurationCurve;
  readonly all: SegmentCounts;
  readonly segments: Readonly<Record<string, SegmentCounts>>;
  readonly prior: { readonly answerShare: number; readonly weight: number };
}

export interface CallOutcome {
  segment: string;
  /** From the dial to the result: the delay before ringing is learned with the ring. */
  sinceDialMs: number;
  result: 'answered' | 'no-answer' | 'busy' | 'failed' | 'cancelled';
  atUptimeMs: number;
}

const halfLifeMs = 20 * 60_000;
/** The curves follow about the last 1,000 results of each kind. */
const curveMemory = 1_000;
/** A segment speaks half for itself after 40 recent dials, until then for the campaign. */
const ownDialsForHalf = 40;
/** Steps from above towards the share that fits; too few of them leave it too high, never low. */
const fitRounds = 8;
/** Beyond it a new segment counts as the campaign's mean. */
const maxSegmentsKnown = 500;

export function newCallSurvival(
  answer: DurationPrior,
  end: DurationPrior,
  prior: { answerShare: number; weight: number },
): CallSurvival {
  return {
    answer: newDurationCurve(answer),
    end: newDurationCurve(end),
    all: { dialed: 0, answered: 0, atUptimeMs: 0 },
    segments: {},
    prior,
  };
}

function faded(counts: SegmentCounts, uptimeMs: number): SegmentCounts {
  // After a restart uptime begins anew: older counts are then taken as they stand.
  const keep = 0.5 ** (Math.max(0, uptimeMs - counts.atUptimeMs) / halfLifeMs);
  return { dialed: counts.dialed * keep, answered: counts.answered * keep, atUptimeMs: uptimeMs };
}

function count(counts: SegmentCounts, uptimeMs: number, answered: number): SegmentCounts {
  const old = faded(counts, uptimeMs);
  return { dialed: old.dialed + 1, answered: old.answered + answered, atUptimeMs: uptimeMs };
}

/** A call that is neither answered nor ended. */
export interface OpenCall {
  segment: string;
  dialedUptimeMs: number;
}

/** An open call with the shares of calls, to be answered or not, that are still open at its age. */
interface AgedCall {
  segment: string;
  sinceDialMs: number;
  answersToCome: number;
  endsToCome: number;
}

function age(survival: CallSurvival, call: OpenCall, uptimeMs: number): AgedCall {
  const sinceDialMs = Math.max(0, uptimeMs - call.dialedUptimeMs);
  const answersToCome = 1 - shareWithin(survival.answer, sinceDialMs);
  const endsToCome = 1 - shareWithin(survival.end, sinceDialMs);
  return { segment: call.segment, sinceDialMs, answersToCome, endsToCome };
}

/** The chance that an open call will be answered at all. */
function everAnswered(share: number, { answersToCome, endsToCome }: AgedCall): number {
  const answered = share * answersToCome;
  const open = answered + (1 - share) * endsToCome;
  return open > 0 ? answered / open : 0;
}

/**
 * The share that fits both the calls that ended and those still open (the EM algorithm, from
 * above): failures come after 3 s and answers after 12, so the ended calls of a fresh start are
 * all failures and alone would order ten calls where one is due.
 */
function fitShare(ended: { answered: number; dialed: number }, open: readonly AgedCall[]): number {
  let share = 1;
  for (let round = 0; round < fitRounds; round += 1) {
    let answered = ended.answered;
    for (const call of open) answered += everAnswered(share, call);
    share = answered / (ended.dialed + open.length);
  }
  return share;
}

/** The shares (0 to 1) of dials that are answered now. */
export interface AnswerShares {
  campaign: number;
  /** Of the segments in flight, shrunk towards the campaign's. */
  segments: ReadonlyMap<string, number>;
}

function sharesOf(
  survival: CallSurvival,
  open: readonly AgedCall[],
  uptimeMs: number,
): AnswerShares {
  const { all, prior } = survival;
  const { answered, dialed } = faded(all, uptimeMs);
  const campaign = fitShare(
    { answered: answered + prior.answerShare * prior.weight, dialed: dialed + prior.weight },
    open,
  );
  const segments = new Map<string, number>();
  for (const { segment } of open) {
    if (segments.has(segment)) continue;
    const known = survival.segments[segment];
    const own = known === undefined ? { answered: 0, dialed: 0 } : faded(known, uptimeMs);
    const ended = {
      answered: own.answered + campaign * ownDialsForHalf,
      dialed: own.dialed + ownDialsForHalf,
    };
    const ofSegment = open.filter((call) => call.segment === segment);
    segments.set(segment, fitShare(ended, ofSegment));
  }
  return { campaign, segments };
}

function lateAnswerChance(survival: CallSurvival, outcome: CallOutcome): number {
  const { segment, sinceDialMs, atUptimeMs } = outcome;
  const call = age(survival, { segment, dialedUptimeMs: atUptimeMs - sinceDialMs }, atUptimeMs);
  return everAnswered(sharesOf(survival, [call], atUptimeMs).campaign, call);
}

/**
 * The survival after one call ended. A cancelled call tells only that it was not answered until
 * then, so it counts as answered by the part that still would have been: to leave it out would
 * make the answered look rarer than they are.
 */
export function addOutcome(survival: CallSurvival, outcome: CallOutcome): CallSurvival {
  const { segment, sinceDialMs, result, atUptimeMs } = outcome;
  const answered =
    result === 'answered' ? 1 : result === 'cancelled' ? lateAnswerChance(survival, outcome) : 0;
  const { segments } = survival;
  const known = segments[segment];
  const full = known === undefined && Object.keys(segments).length >= maxSegmentsKnown;
  const own = count(known ?? { dialed: 0, answered: 0, atUptimeMs }, atUptimeMs, answered);
  return {
    ...survival,
    answer:
      result === 'answered'
        ? addDuration(survival.answer, sinceDialMs, curveMemory)
        : survival.answer,
    end:
      result === 'answered' || result === 'cancelled'
        ? survival.end
        : addDuration(survival.end, sinceDialMs, curveMemory),
    all: count(survival.all, atUptimeMs, answered),
    segments: full ? segments : { ...segments, [segment]: own },
  };
}

/** The moments after the dial by which `shares` of the answers have come, in ms. */
export function answerMomentsMs(survival: CallSurvival, shares: readonly number[]): number[] {
  return shares.map((share) => quantileMs(survival.answer, share));
}

/**
 * The answers to come of the calls that are open: for each moment of `aheadMs` the chance of each
 * call to be answered by then, and the shares of dials these chances rest on.
 */
export function expectAnswers(
  survival: CallSurvival,
  calls: readonly OpenCall[],
  aheadMs: readonly number[],
  uptimeMs: number,
): { chances: number[][]; shares: AnswerShares } {
  const open = calls.map((call) => age(survival, call, uptimeMs));
  const shares = sharesOf(survival, open, uptimeMs);
  const chances: number[][] = aheadMs.map(() => []);
  for (const call of open) {
    const ever = everAnswered(shares.segments.get(call.segment) ?? shares.campaign, call);
    for (let moment = 0; moment < aheadMs.length; moment += 1) {
      const byMs = call.sinceDialMs + (aheadMs[moment] ?? 0);
      const later = 1 - shareWithin(survival.answer, byMs);
      const soon = call.answersToCome > 0 ? 1 - later / call.answersToCome : 0;
      chances[moment]?.push(ever * soon);
    }
  }
  return { chances, shares };
}
