// How many calls may still be abandoned: the law's cap, the house's target and what was spent.
import { upperShare } from './beta-bound.ts';

/** Answered calls of the campaign's last 30 days, and those of them not bridged within 2 s. */
export interface AbandonmentCounts {
  readonly answered30d: number;
  readonly abandoned30d: number;
}

export interface Budget {
  /** As last seen; null until the first decision. */
  readonly counts: AbandonmentCounts | null;
  /** 95 % upper bound of the abandoned share; 1 until the first decision. */
  readonly upperBound: number;
  /** What the feedback has learned: the risk one dial may take, in multiples of the aim. */
  readonly multiplier: number;
}

const confidence = 0.95;
/** The safety kept below the limit: 2.3 deviations (99 %), so that the bound is rarely reached. */
const deviations = 2.3;
/** Surplus and debt are spread over so many answers, and over a quarter of those so far. */
const spreadLeast = 100;
const spreadPart = 0.25;
/** An abandoned call lowers the risk taken by 5 %, an answer at the aim restores its part. */
const gain = 0.05;
const multiplierStart = 0.75;
const multiplierLeast = 0.05;
/** Windup ends here: a list that runs dry for an hour must not come back as a burst. */
const multiplierMost = 4;

/** A campaign without history: the bound is 1, so that it begins progressive. */
export function newBudget(): Budget {
  return { counts: null, upperBound: 1, multiplier: multiplierStart };
}

/**
 * The share of the next answers that may be abandoned: what brings the running share to the
 * target, never above half-way to the limit, and never so much that the number allowed by the
 * limit less its chance deviation (the safety) would be overspent at the end of the spread.
 */
export function aimShare(
  { answered30d, abandoned30d }: AbandonmentCounts,
  { limitShare, targetShare }: { limitShare: number; targetShare: number },
): number {
  const spread = spreadLeast + spreadPart * answered30d;
  const then = answered30d + spread;
  const safety = deviations * Math.sqrt(limitShare * (1 - limitShare) * then);
  const allowed = (limitShare * then - safety - abandoned30d) / spread;
  const steered = targetShare + (targetShare * answered30d - abandoned30d) / spread;
  const steady = Math.max(targetShare / 2, Math.min(steered, (targetShare + limitShare) / 2));
  return Math.max(0, Math.min(steady, allowed));
}

function sameCounts(a: AbandonmentCounts, b: AbandonmentCounts): boolean {
  return a.answered30d === b.answered30d && a.abandoned30d === b.abandoned30d;
}

/**
 * The budget after the counts have moved. The multiplier learns only from answers that predictive
 * dialing brought (`learning`): progressive hours abandon nothing and would teach it to be bold.
 */
export function stepBudget(
  budget: Budget,
  counts: AbandonmentCounts,
  settings: { limitShare: number; targetShare: number },
  learning: boolean,
): Budget {
  // The first counts are history: nothing in them was caused by what these models decided.
  const last = budget.counts ?? counts;
  if (budget.counts !== null && sameCounts(last, counts)) return budget;
  // The counts fall when a day leaves the window; that is no news about the present.
  const answered = Math.max(0, counts.answered30d - last.answered30d);
  const abandoned = Math.max(0, counts.abandoned30d - last.abandoned30d);
  const restored = learning ? answered * aimShare(last, settings) : 0;
  const multiplier = budget.multiplier * Math.exp(gain * (restored - abandoned));
  return {
    counts: { answered30d: counts.answered30d, abandoned30d: counts.abandoned30d },
    upperBound: upperShare(confidence, counts.abandoned30d, counts.answered30d),
    multiplier: Math.min(multiplierMost, Math.max(multiplierLeast, multiplier)),
  };
}
