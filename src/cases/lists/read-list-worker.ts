// The thread that reads a list: batches go out, an answer for each comes back, then the account.
import assert from 'node:assert';
import { parentPort, workerData } from 'node:worker_threads';
import type { StagedCase } from './list-mapping.ts';
import {
  type Duplicates,
  type ListOrder,
  type ListProgress,
  type ListResult,
  stageList,
} from './stage-list.ts';

export type FromListWorker =
  | { kind: 'batch'; rows: readonly StagedCase[]; progress: ListProgress }
  | { kind: 'end'; result: ListResult };

/** The answer to a batch; the next one is not read before it came. */
export interface ToListWorker {
  duplicates: Duplicates;
}

assert(parentPort, 'runs only as a worker thread');
const port = parentPort;
const tell = (message: FromListWorker) => port.postMessage(message);

let answered: ((duplicates: Duplicates) => void) | undefined;
port.on('message', ({ duplicates }: ToListWorker) => answered?.(duplicates));

const result = await stageList(workerData as ListOrder, (rows, progress) => {
  tell({ kind: 'batch', rows, progress });
  return new Promise((resolve) => {
    answered = resolve;
  });
});
tell({ kind: 'end', result });
port.close();
