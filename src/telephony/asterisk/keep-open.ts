// Keeps a link up: one fresh connection at a time, with a jittered pause between two of them.
import type { Clock, Timer } from '../../clock.ts';
import type { Ids } from '../../ids.ts';

/** What one connection tells its keeper; each call counts once, and only while it is current. */
export interface Attempt {
  /** The connection works, so the next loss starts again from the shortest pause. */
  proven(): void;
  lost(reason: string): void;
}

/** What is kept open; close() settles when the other side can know of it. */
export interface Closable {
  close(): void | Promise<void>;
}

export interface Keeper {
  /** Gives up the current connection, if there is one, and opens another after a pause. */
  renew(reason: string): void;
  stop(): Promise<void>;
}

export const firstPauseMs = 100;
export const longestPauseMs = 3000;

/**
 * Calls `open` until stopped. Neither package's own reconnect is used: one keeps half records of
 * the old connection, the other gives up in silence after ten tries (both have tests).
 */
export function keepOpen(
  clock: Clock,
  ids: Ids,
  open: (attempt: Attempt) => Closable,
  told: (reason: string) => void,
): Keeper {
  let pauseMs = firstPauseMs;
  let current: Closable | undefined;
  let pause: Timer | undefined;
  let generation = 0;

  function lose(reason: string): void {
    generation += 1;
    void current?.close();
    current = undefined;
    // Half of the pause is random, so that several daemons do not come back in step.
    pause = clock.after(pauseMs / 2 + ids.below(Math.ceil(pauseMs / 2)), next);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    told(reason);
  }

  function next(): void {
    pause = undefined;
    generation += 1;
    const mine = generation;
    const opened = open({
      proven: () => {
        if (mine === generation) pauseMs = firstPauseMs;
      },
      lost: (reason) => {
        if (mine === generation) lose(reason);
      },
    });
    if (mine === generation) current = opened;
    else void opened.close();
  }

  next();
  return {
    renew(reason) {
      if (current !== undefined) lose(reason);
    },
    async stop() {
      generation += 1;
      pause?.cancel();
      const last = current;
      current = undefined;
      await last?.close();
    },
  };
}
