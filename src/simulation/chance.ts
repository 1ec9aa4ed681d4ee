// Chance of the simulated world: draws from a seed, in the forms in which a floor's luck comes.
import type { Ids } from '../ids.ts';

const grain = 1_000_000;

/** Draws from one seeded source; the same calls in the same order give the same day. */
export class Chance {
  private readonly ids: Ids;

  constructor(ids: Ids) {
    this.ids = ids;
  }

  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number {
    return this.ids.below(limit);
  }

  /** True so many times in a thousand. */
  hits(permille: number): boolean {
    return this.ids.below(grain) < permille * (grain / 1_000);
  }

  /** A whole number of milliseconds from `leastMs` to `mostMs`, each as likely. */
  spanMs(leastMs: number, mostMs: number): number {
    return leastMs + this.ids.below(mostMs - leastMs + 1);
  }

  /** The time until the next of events that come independently of each other. */
  exponentialMs(meanMs: number): number {
    return -meanMs * Math.log(1 - this.ids.below(grain) / grain);
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[this.ids.below(from.length)];
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  }
}
