// The sealing worker seen from the daemon: batches go in, each answered once, by its deadline.
import { type Clock, withDeadline } from '../../clock.ts';
import { AskedThread, type Died } from '../../worker-thread.ts';
import type { SealOrder } from '../recordings.ts';
import type { JobOutcomes, SealingSetting } from './sealing-job.ts';
import type { ToWorker } from './sealing-worker.ts';

/** For a batch; a busy machine encodes a minute of speech in less than a second. */
export const encodeDeadlineMs = 30_000;
export const encodeDeadlineShare = 1 / 60;
/** A worker that does not even answer an abort within this is ended. */
export const abortAnswerMs = 5_000;

/** Recordings on their way to a FLAC, in a thread of their own. */
export class SealingThread {
  private readonly clock: Clock;
  private readonly thread: AskedThread<ToWorker, JobOutcomes>;

  constructor(clock: Clock, setting: SealingSetting) {
    this.clock = clock;
    this.thread = new AskedThread('sealing-worker', import.meta.url, setting);
  }

  /** What became of each order; never rejects. */
  async encode(orders: readonly SealOrder[]): Promise<JobOutcomes> {
    const answer = await this.ask(orders);
    if (!('died' in answer)) return answer;
    const died = { outcome: 'failed', why: 'worker-died', detail: answer.died } as const;
    return new Map(orders.map(({ recordingId }) => [recordingId, died]));
  }

  close(): Promise<void> {
    return this.thread.close();
  }

  private async ask(orders: readonly SealOrder[]): Promise<JobOutcomes | Died> {
    const atUtcMs = this.clock.utcMs();
    const { number: batch, answer } = this.thread.ask((number) => ({
      kind: 'encode',
      ...{ batch: number, orders, atUtcMs },
    }));
    const spanMs = orders.reduce((sum, order) => sum + order.spanMs, 0);
    const deadlineMs = encodeDeadlineMs + spanMs * encodeDeadlineShare;
    const inTime = await withDeadline(this.clock, deadlineMs, answer);
    if (!inTime.expired) return inTime.value;
    this.thread.tell({ kind: 'abort', batch });
    const aborted = await withDeadline(this.clock, abortAnswerMs, answer);
    if (!aborted.expired) return aborted.value;
    await this.thread.end();
    return answer;
  }
}
