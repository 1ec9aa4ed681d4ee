// The thread in which recordings are judged, encoded and compared, beside the loop of the daemon.
import { parentPort, workerData } from 'node:worker_threads';
import { type Answer, giveWay } from '../../worker-thread.ts';
import type { SealOrder } from '../recordings.ts';
import { encodeRecordings, type JobOutcomes, type SealingSetting } from './sealing-job.ts';

export type ToWorker =
  | { kind: 'encode'; batch: number; orders: readonly SealOrder[]; atUtcMs: number }
  /** The deadline passed: the child is killed, and the answer still comes. */
  | { kind: 'abort'; batch: number };

const setting = workerData as SealingSetting;
const running = new Map<number, AbortController>();
giveWay('encoder');

parentPort?.on('message', (message: ToWorker) => {
  if (message.kind === 'abort') running.get(message.batch)?.abort();
  else void encode(message.batch, message.orders, message.atUtcMs);
});

async function encode(batch: number, orders: readonly SealOrder[], atUtcMs: number): Promise<void> {
  const controller = new AbortController();
  running.set(batch, controller);
  const outcomes = await encodeRecordings(orders, atUtcMs, setting, controller.signal);
  running.delete(batch);
  parentPort?.postMessage({ number: batch, answer: outcomes } satisfies Answer<JobOutcomes>);
}
