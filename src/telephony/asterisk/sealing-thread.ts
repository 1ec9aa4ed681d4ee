// The sealing worker seen from the daemon: batches go in, each answered once, by its deadline.
import type { Worker } from 'node:worker_threads';
import { type Clock, withDeadline } from '../../clock.ts';
import { startWorker } from '../../worker-thread.ts';
import type { SealOrder } from '../recordings.ts';
import type { JobOutcomes, SealingSetting } from './sealing-job.ts';
import type { FromWorker, ToWorker } from './sealing-worker.ts';
import { faultDetail } from './spool.ts';

/** For a batch; a busy machine encodes a minute of speech in less than a second. */
export const encodeDeadlineMs = 30_000;
export const encodeDeadlineShare = 1 / 60;
/** A worker that does not even answer an abort within this is ended. */
export const abortAnswerMs = 5_000;

/** One worker lives until it dies; whatever it had in hand then fails and is ordered again. */
export class SealingThread {
  private readonly clock: Clock;
  private readonly setting: SealingSetting;
  private worker: Worker | undefined;
  private batches = 0;
  private readonly answers = new Map<number, (answer: JobOutcomes | string) => void>();
  private closed = false;

  constructor(clock: Clock, setting: SealingSetting) {
    this.clock = clock;
    this.setting = setting;
  }

  /** What became of each order; never rejects. */
  async encode(orders: readonly SealOrder[]): Promise<JobOutcomes> {
    const answer = this.closed ? 'closed' : await this.ask(orders);
    if (typeof answer !== 'string') return answer;
    const died = { outcome: 'failed', why: 'worker-died', detail: answer } as const;
    return new Map(orders.map(({ recordingId }) => [recordingId, died]));
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.worker?.terminate();
  }

  /** The answer, or the reason why the worker died before it. */
  private async ask(orders: readonly SealOrder[]): Promise<JobOutcomes | string> {
    const worker = this.aliveWorker();
    this.batches += 1;
    const batch = this.batches;
    const answer = new Promise<JobOutcomes | string>((resolve) => this.answers.set(batch, resolve));
    const say = (message: ToWorker) => worker.postMessage(message);
    say({ kind: 'encode', batch, orders, atUtcMs: this.clock.utcMs() });
    const spanMs = orders.reduce((sum, order) => sum + order.spanMs, 0);
    const deadlineMs = encodeDeadlineMs + spanMs * encodeDeadlineShare;
    const inTime = await withDeadline(this.clock, deadlineMs, answer);
    if (!inTime.expired) return inTime.value;
    say({ kind: 'abort', batch });
    const aborted = await withDeadline(this.clock, abortAnswerMs, answer);
    if (!aborted.expired) return aborted.value;
    await worker.terminate();
    return answer;
  }

  private aliveWorker(): Worker {
    if (this.worker) return this.worker;
    const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const url = new URL(`./sealing-worker.${ending}`, import.meta.url);
    const worker = startWorker(url, this.setting);
    let reason = 'ended';
    worker.on('error', (cause) => {
      reason = faultDetail(cause);
    });
    worker.on('message', ({ batch, outcomes }: FromWorker) => {
      this.answers.get(batch)?.(outcomes);
      this.answers.delete(batch);
    });
    worker.on('exit', () => {
      this.worker = undefined;
      const lost = [...this.answers.values()];
      this.answers.clear();
      for (const resolve of lost) resolve(reason);
    });
    this.worker = worker;
    return worker;
  }
}
