// The only source of time and timers: real here, virtual in the simulation.

/** A timer that was set by a Clock; cancelling one that fired or was cancelled does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * Wall time may step (NTP, an operator); uptime never goes back. Durations are measured in uptime,
 * facts are stamped in wall time, and the two are never mixed.
 */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  utcMs(): number;
  /** Milliseconds since some moment before the process started; monotonic. */
  uptimeMs(): number;
  /** Runs `fire` once after `delayMs` of uptime. */
  after(delayMs: number, fire: () => void): Timer;
  /** Runs `fire` as soon as the current turn of the event loop has ended. */
  soon(fire: () => void): void;
}

export const realClock: Clock = {
  utcMs: () => Date.now(),
  uptimeMs: () => performance.now(),
  after(delayMs, fire) {
    const timer = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  soon: (fire) => {
    setImmediate(fire);
  },
};

/** Resolves after `ms` of uptime. */
export function pause(clock: Pick<Clock, 'after'>, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}

/** What became of a piece of work that had a deadline: an expired one is unknown, never failed. */
export type Deadlined<T> = { expired: false; value: T } | { expired: true };

/**
 * Waits for `work`, but not longer than `deadlineMs`. The work itself goes on; its late result is
 * dropped here, so a caller must treat "expired" as an unknown outcome. Rejections pass through.
 */
export function withDeadline<T>(
  clock: Clock,
  deadlineMs: number,
  work: Promise<T>,
): Promise<Deadlined<T>> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(deadlineMs, () => resolve({ expired: true }));
    work.then(
      (value) => {
        timer.cancel();
        resolve({ expired: false, value });
      },
      (cause) => {
        timer.cancel();
        reject(cause);
      },
    );
  });
}
