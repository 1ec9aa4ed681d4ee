// The store as the simulated world has it: every commit is seen, some fail, some are the last.
import { FloorError } from '../errors.ts';
import type { Batch } from '../room.ts';
import type { Store } from '../store/commit.ts';

/** What stands in a batch that is durable now: its lines as bytes, and the batch itself. */
export interface Commit {
  readonly batch: Batch;
  readonly lines: readonly string[];
}

export interface CommitWatch {
  /** Says whether this commit is one that fails: nothing of it is written. */
  fails(batch: Batch): boolean;
  committed(commit: Commit): void;
  /** Says whether the daemon is killed now: recorded, and nothing of it done. */
  kills(batch: Batch): boolean;
}

/** The daemon was killed right after a commit; the room's turn ends where it stands. */
export class KilledAfterRecord extends Error {}

export function watchedStore(store: Store, watch: CommitWatch): Store {
  let lines: string[] = [];
  store.onLines((added) => {
    lines = added.map(({ line }) => line);
  });
  return {
    ...store,
    commit(batch) {
      if (watch.fails(batch)) throw new FloorError('store.commit-failed', 'simulated');
      // A turn that found nothing to do: not worth a look.
      if (batch.entries.length === 0 && batch.changes.length === 0) return store.commit(batch);
      lines = [];
      const outcome = store.commit(batch);
      if (!outcome.committed) return outcome;
      watch.committed({ batch, lines });
      if (watch.kills(batch)) throw new KilledAfterRecord();
      return outcome;
    },
  };
}
