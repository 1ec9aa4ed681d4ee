// Which campaign an agent of several counts for: each agent for one of them at a time.

export interface DealtAgent {
  id: string;
  campaignIds: readonly string[];
  isReady: boolean;
}

/** A campaign that wants agents. */
export interface Claimant {
  id: string;
  /** Agents whom its calls on the way will want: nobody else is offered those. */
  needs: number;
  /** More could be dialed now. */
  isOpen: boolean;
  /** When it last asked for a call; of two that are equal the other one is next. */
  askedUtcMs: number;
}

/**
 * The agents that calls on the way and waiting ones will want: what a share of answers expects, and
 * a standard deviation more, for promised twice an agent makes an abandoned call. A `share` of 1
 * needs one for each.
 */
export function neededAgents(inFlight: number, waiting: number, share: number): number {
  const mean = inFlight * share;
  const spread = Math.sqrt(mean * (1 - share));
  return waiting + Math.min(inFlight, Math.ceil(mean + spread));
}

/**
 * Deals each agent to one of the campaigns that they serve: agent id → campaign id. Calls on the
 * way come first, then campaigns that may dial, those with the fewest agents before the others.
 * The same rows give the same deal in whatever order they stand.
 */
export function dealAgents(
  agents: readonly DealtAgent[],
  claimants: readonly Claimant[],
): ReadonlyMap<string, string> {
  const dealt = new Map<string, string>();
  const counts = new Map<string, number>();
  const countOf = ({ id }: Claimant) => counts.get(id) ?? 0;
  const unmet = (claimant: Claimant) => Math.max(0, claimant.needs - countOf(claimant));
  const byClaim = (a: Claimant, b: Claimant) =>
    unmet(b) - unmet(a) ||
    Number(b.isOpen) - Number(a.isOpen) ||
    countOf(a) - countOf(b) ||
    a.askedUtcMs - b.askedUtcMs ||
    (a.id < b.id ? -1 : 1);
  for (const { id, campaignIds } of [...agents].sort(byChoice)) {
    const [first, ...others] = claimants.filter((each) => campaignIds.includes(each.id));
    if (!first) continue;
    const best = others.reduce((most, each) => (byClaim(each, most) < 0 ? each : most), first);
    dealt.set(id, best.id);
    counts.set(best.id, countOf(best) + 1);
  }
  return dealt;
}

/** The ready before the busy, since calls want agents now; those of one campaign before others. */
function byChoice(a: DealtAgent, b: DealtAgent): number {
  const ready = Number(b.isReady) - Number(a.isReady);
  return ready || a.campaignIds.length - b.campaignIds.length || (a.id < b.id ? -1 : 1);
}
