// The number of successes among independent trials of unequal chance (Poisson-binomial).

/**
 * `tally[k]` is the chance of exactly `k` successes. It grows in place, for a decision adds
 * hundreds of trials, and never outlives the decision. A tally that is compared with a small supply
 * need not be known above it: it holds only its first entries, and what is missing to 1 lies above.
 */
export type Tally = number[];

/** The first `most` entries of the tally of trials with these chances: O(trials x most). */
export function tallyOf(chances: readonly number[], most = Number.POSITIVE_INFINITY): Tally {
  const tally = [1];
  for (const chance of chances) addTrial(tally, chance, most);
  return tally;
}

/** Adds to `tally` one more trial that succeeds with `chance` (0 to 1): O(its entries). */
export function addTrial(tally: Tally, chance: number, most = Number.POSITIVE_INFINITY): void {
  const last = tally.length - 1;
  let here = tally[last] ?? 0;
  if (tally.length < most) tally.push(here * chance);
  for (let k = last; k > 0; k -= 1) {
    const below = tally[k - 1] ?? 0;
    tally[k] = here + (below - here) * chance;
    here = below;
  }
  tally[0] = here * (1 - chance);
}

/**
 * The chance that demand reaches or passes supply: P(demand + `demandSure` >= supply +
 * `supplySure`), the two tallies being independent. Of demand the first supply + `supplySure`
 * entries are enough. O(supply + `supplySure`).
 */
export function chanceDemandMeetsSupply(
  demand: Tally,
  demandSure: number,
  supply: Tally,
  supplySure: number,
): number {
  const lead = supplySure - demandSure;
  let short = 0;
  let below = 0;
  let next = 0;
  for (let free = 0; free < supply.length; free += 1) {
    for (; next < free + lead; next += 1) below += demand[next] ?? 0;
    short += (supply[free] ?? 0) * below;
  }
  return Math.max(0, 1 - short);
}
