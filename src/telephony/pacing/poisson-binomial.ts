// The number of successes among independent trials of unequal chance (Poisson-binomial).

/**
 * `tally[k]` is the chance of exactly `k` successes; its length is the number of trials + 1. It
 * grows in place, for a decision adds hundreds of trials; it never outlives the decision.
 */
export type Tally = number[];

/** The tally of trials with these chances (each 0 to 1): O(n²). */
export function tallyOf(chances: readonly number[]): Tally {
  const tally = [1];
  for (const chance of chances) addTrial(tally, chance);
  return tally;
}

/** Adds to `tally` one more trial that succeeds with `chance` (0 to 1): O(trials). */
export function addTrial(tally: Tally, chance: number): void {
  const last = tally.length - 1;
  let here = tally[last] ?? 0;
  tally.push(here * chance);
  for (let k = last; k > 0; k -= 1) {
    const below = tally[k - 1] ?? 0;
    tally[k] = here + (below - here) * chance;
    here = below;
  }
  tally[0] = here * (1 - chance);
}

/**
 * The chance that demand reaches or passes supply: P(demand + `demandSure` >= supply +
 * `supplySure`), the two tallies being independent. O(demand + supply).
 */
export function chanceDemandMeetsSupply(
  demand: Tally,
  demandSure: number,
  supply: Tally,
  supplySure: number,
): number {
  const lead = supplySure - demandSure;
  let total = 0;
  let reached = 0;
  // From the largest supply down, the part of demand that reaches it grows and is summed once.
  let next = demand.length;
  for (let free = supply.length - 1; free >= 0; free -= 1) {
    const needed = Math.max(0, free + lead);
    while (next > needed) {
      next -= 1;
      reached += demand[next] ?? 0;
    }
    total += (supply[free] ?? 0) * reached;
  }
  return total;
}
