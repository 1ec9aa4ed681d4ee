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
/** Longer than any call rings. */
const everMs = 3_600_000;
const curveMemory = 1_000;
/** A segment speaks half for itself after 40 recent dials, until then for the campaign. */
const ownDialsForHalf = 40;
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

/** The share (0 to 1) of the campaign's dials that are answered now. */
export function answerShare({ all, prior }: CallSurvival, uptimeMs: number): number {
  const { dialed, answered } = faded(all, uptimeMs);
  return (answered + prior.answerShare * prior.weight) / (dialed + prior.weight);
}

/** The same of one segment, shrunk towards the campaign's `pooled` share. */
function segmentShare(counts: SegmentCounts | undefined, pooled: number, uptimeMs: number): number {
  if (counts === undefined) return pooled;
  const { dialed, answered } = faded(counts, uptimeMs);
  return (answered + pooled * ownDialsForHalf) / (dialed + ownDialsForHalf);
}

function lateAnswerChance(survival: CallSurvival, outcome: CallOutcome): number {
  const { segment, sinceDialMs, atUptimeMs } = outcome;
  const call = { segment, dialedUptimeMs: atUptimeMs - sinceDialMs };
  return answerChances(survival, [call], [everMs], atUptimeMs)[0]?.[0] ?? 0;
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

/** A call that is neither answered nor ended. */
export interface OpenCall {
  segment: string;
  dialedUptimeMs: number;
}

/** For each moment of `aheadMs`, the chance of each call to be answered by then. */
export function answerChances(
  survival: CallSurvival,
  calls: readonly OpenCall[],
  aheadMs: readonly number[],
  uptimeMs: number,
): number[][] {
  const { answer, end, segments } = survival;
  const pooled = answerShare(survival, uptimeMs);
  const shares = new Map<string, number>();
  const chances: number[][] = aheadMs.map(() => []);
  for (const { segment, dialedUptimeMs } of calls) {
    const share = shares.get(segment) ?? segmentShare(segments[segment], pooled, uptimeMs);
    shares.set(segment, share);
    const sinceDialMs = Math.max(0, uptimeMs - dialedUptimeMs);
    const answeredBefore = shareWithin(answer, sinceDialMs);
    const unanswered = share * (1 - answeredBefore);
    const alive = unanswered + (1 - share) * (1 - shareWithin(end, sinceDialMs));
    for (let moment = 0; moment < aheadMs.length; moment += 1) {
      const byMs = sinceDialMs + (aheadMs[moment] ?? 0);
      const answers = share * (shareWithin(answer, byMs) - answeredBefore);
      chances[moment]?.push(alive > 0 ? answers / alive : 0);
    }
  }
  return chances;
}
