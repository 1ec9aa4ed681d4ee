// The thread in which recordings are judged, encoded and compared, beside the loop of the daemon.
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { SealOrder } from '../recordings.ts';
import { encodeRecording, type JobOutcome, type SealingFolders } from './sealing-job.ts';

export interface SealingSetting {
  folders: SealingFolders;
  flac: string;
}
export type ToWorker =
  | { kind: 'encode'; order: SealOrder }
  /** The deadline passed: the child is killed, and the answer still comes. */
  | { kind: 'abort'; recordingId: string };
export interface FromWorker {
  recordingId: string;
  outcome: JobOutcome;
}

/** Sealing can wait, the voices on the line can not; a child inherits this from its thread. */
const niceness = 10;

const { folders, flac } = workerData as SealingSetting;
const running = new Map<string, AbortController>();
setPriority(niceness);

parentPort?.on('message', (message: ToWorker) => {
  if (message.kind === 'abort') running.get(message.recordingId)?.abort();
  else void encode(message.order);
});

async function encode(order: SealOrder): Promise<void> {
  const { recordingId } = order;
  const controller = new AbortController();
  running.set(recordingId, controller);
  const outcome = await encodeRecording(order, folders, flac, controller.signal);
  running.delete(recordingId);
  parentPort?.postMessage({ recordingId, outcome } satisfies FromWorker);
}
