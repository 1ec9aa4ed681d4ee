// Reads a list in a thread of its own, so that calls go on at full speed during an import.
import { startWorker } from '../../worker-thread.ts';
import type { FromListWorker, ToListWorker } from './read-list-worker.ts';
import type { ListOrder, ListResult, Stage } from './stage-list.ts';

/** A list that needs more is refused by its limits first; this stops what slips through them. */
const heapLimitMb = 512;
const youngHeapLimitMb = 16;

export interface ListReading {
  readonly done: Promise<ListResult>;
  /** Ends the reading; `done` then rejects. */
  cancel(): Promise<void>;
}

/**
 * Starts to read a list. `done` rejects when the disk, the thread or `stage` fails; a file that is
 * refused is a result. After a rejection the caller removes what stands at `rejectPath`.
 */
export function readList(order: ListOrder, stage: Stage): ListReading {
  const url = import.meta.url.endsWith('.ts')
    ? new URL('./read-list-worker.ts', import.meta.url)
    : new URL('./read-list-worker.js', import.meta.url);
  const worker = startWorker(url, order, {
    maxOldGenerationSizeMb: heapLimitMb,
    maxYoungGenerationSizeMb: youngHeapLimitMb,
  });
  const done = new Promise<ListResult>((resolve, reject) => {
    worker.on('message', (message: FromListWorker) => {
      if (message.kind === 'end') {
        resolve(message.result);
        return;
      }
      stage(message.rows, message.progress).then(
        (duplicates) => worker.postMessage({ duplicates } satisfies ToListWorker),
        (cause) => {
          reject(cause);
          void worker.terminate();
        },
      );
    });
    worker.on('error', reject);
    worker.on('exit', () => reject(new Error('the thread that read the list ended early')));
  });
  return { done, cancel: async () => void (await worker.terminate()) };
}
