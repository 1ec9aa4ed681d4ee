// One connection to Asterisk's ARI: a worker thread that may die, deadlines, pings, typed answers.
import type { Clock, Timer } from '../../clock.ts';
import { FloorError } from '../../errors.ts';
import { startWorker } from '../../worker-thread.ts';
import {
  type AriAnswer,
  type AriEvent,
  type AriRequest,
  type AriValue,
  type WorkerOrder,
  type WorkerSaying,
  withoutSecret,
} from './ari-calls.ts';

export interface AriAccess {
  /** Port on 127.0.0.1. */
  port: number;
  app: string;
  user: string;
  secret: string;
}

export interface AriHearing {
  /** The event socket is open; requests may be sent from now on. */
  up(): void;
  /** The connection is over, once and for ever; every open request has become unknown. */
  lost(reason: string): void;
  event(event: AriEvent): void;
}

export interface AriConnection {
  /** Asks Asterisk. Throws FloorError `ari.disconnected` when down, `ari.too-many-requests`. */
  ask<R extends AriRequest>(request: R): Promise<AriAnswer<AriValue<R>>>;
  /** Settles when the thread has ended, and its socket with it. */
  close(): Promise<void>;
}

export const ariLimits = {
  /** The package reads a dozen API descriptions before it opens the socket. */
  connectMs: 8000,
  answerMs: 5000,
  pingEveryMs: 3000,
  pongMs: 3000,
  openRequests: 1000,
} as const;

interface OpenRequest {
  settle(answer: AriAnswer<unknown>): void;
  deadline: Timer;
}

/** Starts a thread with one fresh client. Nothing of it is reused after a loss. */
export function connectAri(access: AriAccess, clock: Clock, hearing: AriHearing): AriConnection {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const worker = startWorker(new URL(`./ari-worker.${ending}`, import.meta.url), access);
  const open = new Map<number, OpenRequest>();
  let state: 'connecting' | 'up' | 'over' = 'connecting';
  let counter = 0;
  let ended: Promise<unknown> = Promise.resolve();
  let timer = clock.after(ariLimits.connectMs, () => end('no connection in time'));

  function end(reason: string): void {
    if (state === 'over') return;
    state = 'over';
    timer.cancel();
    for (const request of open.values()) {
      request.deadline.cancel();
      request.settle({ outcome: 'unknown', reason });
    }
    open.clear();
    ended = worker.terminate();
    hearing.lost(reason);
  }

  function ping(): void {
    timer = clock.after(ariLimits.pingEveryMs, () => {
      order({ order: 'ping' });
      timer = clock.after(ariLimits.pongMs, () => end('pings are not answered'));
    });
  }

  const order = (given: WorkerOrder) => worker.postMessage(given);

  worker.on('message', (saying: WorkerSaying) => {
    if (state === 'over') return;
    switch (saying.say) {
      case 'up':
        state = 'up';
        timer.cancel();
        ping();
        return hearing.up();
      case 'lost':
        return end(saying.reason);
      case 'pong':
        timer.cancel();
        return ping();
      case 'event':
        return hearing.event(saying.event);
      case 'answer': {
        const request = open.get(saying.id);
        open.delete(saying.id);
        request?.deadline.cancel();
        return request?.settle(saying.answer);
      }
    }
  });
  worker.on('error', (cause) => end(`the package failed: ${withoutSecret(cause, access.secret)}`));
  worker.on('exit', () => end('the thread ended'));

  return {
    ask<R extends AriRequest>(request: R) {
      if (state !== 'up') throw new FloorError('ari.disconnected');
      if (open.size >= ariLimits.openRequests) throw new FloorError('ari.too-many-requests');
      counter += 1;
      const id = counter;
      return new Promise<AriAnswer<AriValue<R>>>((resolve) => {
        const deadline = clock.after(ariLimits.answerMs, () => {
          open.delete(id);
          resolve({ outcome: 'unknown', reason: 'no answer in time' });
        });
        // The worker answers each request with the value of its kind (`run` in ari-worker.ts).
        const settle = resolve as (answer: AriAnswer<unknown>) => void;
        open.set(id, { settle, deadline });
        order({ order: 'ask', id, request });
      });
    },
    async close() {
      end('closed by us');
      await ended;
    },
  };
}
