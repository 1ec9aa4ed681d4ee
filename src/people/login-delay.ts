// How long the next attempt to log in must wait; memory only, bounded, no lockout.

/** Attempts in a row that cost nothing, and the longest wait after that. */
interface Rule {
  readonly free: number;
  readonly longestMs: number;
}

// Three keys: one person typing, one machine trying many names, many machines trying one name. The
// last is short, since whoever tries another's name must not be able to keep them out
// (ASVS 5.0, 6.3.1: delay rather than lockout).
const rules: { readonly [K in 'pair' | 'address' | 'login']: Rule } = {
  pair: { free: 3, longestMs: 60_000 },
  address: { free: 20, longestMs: 60_000 },
  login: { free: 20, longestMs: 2_000 },
};
const firstWaitMs = 500;
/** Failures older than this are forgotten. */
const forgetMs = 15 * 60_000;
/** Keys remembered at once; the oldest goes first. */
export const keyLimit = 10_000;

interface Count {
  failures: number;
  lastMs: number;
  notBeforeMs: number;
}

export interface LoginDelay {
  /**
   * Asks for an attempt: 0 takes it, counted as failed until succeeded() is called, so that
   * attempts made in parallel are counted too; otherwise how many ms to wait first.
   */
  ask(login: string, address: string, uptimeMs: number): number;
  succeeded(login: string, address: string): void;
  size(): number;
}

export function openLoginDelay(): LoginDelay {
  const counts = new Map<string, Count>();
  const keysOf = (login: string, address: string) => [
    { key: `pair ${login} ${address}`, rule: rules.pair },
    { key: `address ${address}`, rule: rules.address },
    { key: `login ${login}`, rule: rules.login },
  ];

  const fail = (key: string, rule: Rule, uptimeMs: number) => {
    const before = counts.get(key);
    const failures = (before && uptimeMs - before.lastMs < forgetMs ? before.failures : 0) + 1;
    const beyond = failures - rule.free;
    const waitMs = beyond < 0 ? 0 : Math.min(rule.longestMs, firstWaitMs * 2 ** beyond);
    // Taken out and put in again: the map's order is the order of the last failure.
    counts.delete(key);
    counts.set(key, { failures, lastMs: uptimeMs, notBeforeMs: uptimeMs + waitMs });
    for (const oldest of counts.keys()) {
      if (counts.size <= keyLimit) break;
      counts.delete(oldest);
    }
  };

  return {
    ask(login, address, uptimeMs) {
      const keys = keysOf(login, address);
      const waits = keys.map(({ key }) => (counts.get(key)?.notBeforeMs ?? 0) - uptimeMs);
      const waitMs = Math.max(0, ...waits);
      if (waitMs === 0) for (const { key, rule } of keys) fail(key, rule, uptimeMs);
      return Math.ceil(waitMs);
    },
    succeeded(login, address) {
      // The address keeps its count less this one: a right login must not clear a wrong hundred.
      const [pair, machine, name] = keysOf(login, address);
      if (pair) counts.delete(pair.key);
      if (name) counts.delete(name.key);
      const count = machine && counts.get(machine.key);
      if (count) count.failures = Math.max(0, count.failures - 1);
    },
    size: () => counts.size,
  };
}
