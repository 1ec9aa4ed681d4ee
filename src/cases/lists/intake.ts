// Lists as people bring them in: an order each to begin, confirm and drop; leftovers are removed.
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { idProblem } from '../../audit/entry.ts';
import { type Outcome, refuse } from '../../people/person.ts';
import type { ListRow } from '../working-set.ts';
import type { Encoding } from './csv.ts';
import { type Import, type ImportParts, importList } from './import-list.ts';
import type { ListMapping } from './list-mapping.ts';
import type { ListProgress } from './stage-list.ts';

/** What the site decides about lists. */
export interface ListSettings {
  /** Folder of uploads and of reject files, on the disk of the data folder. */
  folder: string;
  /** ISO 3166 code of the country of numbers without a country code. */
  region: string;
  /** Zones that a row may name. */
  zones: readonly string[];
}

export interface NewList {
  /** A file that was uploaded; it is deleted once it was read. */
  file: { path: string };
  encoding: Encoding;
  campaignId: string;
  creditorId: string;
  name: string;
  deadlineUtcMs?: number;
  recallUtcMs?: number;
  mapping: ListMapping;
}

/** Always by a person's id, never a token's: two tokens of one person are not two people. */
export interface Lists {
  folder: string;
  /** Resolves as soon as reading has begun. */
  begin(order: NewList, byPersonId: string): Promise<Outcome<{ listId: string }>>;
  /** How far a list that is being read has come. */
  progress(listId: string): ListProgress | undefined;
  /** Resolves when reading has ended, by whatever, and the upload is gone. */
  finished(listId: string): Promise<void>;
  confirm(listId: string, byPersonId: string): Promise<Outcome>;
  drop(listId: string, why: string, byPersonId: string): Promise<Outcome>;
  /** Removes the files that the last run left: nothing of them is needed any more. */
  start(): Promise<void>;
  end(): void;
}

/** `all`: every list there is, for what may be removed at start. */
export function openLists(
  settings: ListSettings,
  parts: ImportParts,
  all: () => Iterable<ListRow>,
): Lists {
  const { folder, region, zones } = settings;
  const running = new Map<string, { reading: Import; done: Promise<void> }>();
  let ended = false;
  return {
    folder,
    async begin({ file: { path }, encoding, mapping, ...named }, byPersonId) {
      const { campaignId, creditorId } = named;
      const wrong = idProblem('campaign', campaignId) ?? idProblem('creditor', creditorId);
      if (wrong !== undefined) {
        await rm(path, { force: true });
        return refuse('not-an-id');
      }
      const listId = parts.ids.next('list');
      const rejectPath = join(folder, `${listId}.rejects.csv`);
      const file = { path, rejectPath, encoding, mapping, region, zones };
      const begun = importList(parts, { ...named, listId, file, byPersonId });
      if (!begun.done) {
        await rm(path, { force: true });
        return begun;
      }
      const failed = (cause: unknown) => parts.report('read-list', cause);
      const done = begun.import.finished
        .catch(failed)
        // A file of a daemon that ends is removed at its next start, with what was staged of it.
        .then(() => (ended ? undefined : rm(path, { force: true })))
        .catch(failed)
        .then(() => void running.delete(listId));
      running.set(listId, { reading: begun.import, done });
      return { done: true, listId };
    },
    progress: (listId) => running.get(listId)?.reading.progress(),
    finished: async (listId) => running.get(listId)?.done,
    confirm: async (listId, by) => parts.askNow(() => ({ kind: 'confirm-list', listId, by })),
    drop: async (listId, why, by) => parts.askNow(() => ({ kind: 'drop-list', listId, why, by })),
    async start() {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const kept = new Set([...all()].map(({ rejectPath }) => rejectPath));
      for (const entry of await readdir(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name);
        if (entry.isFile() && !kept.has(path)) await rm(path, { force: true });
      }
    },
    end() {
      ended = true;
      for (const { reading } of running.values()) reading.cancel();
    },
  };
}

/** Removes a reject file; also true when it was gone. */
export async function removeRejects(path: string): Promise<void> {
  await rm(path, { force: true });
}
