// Recordings as Asterisk makes them: the spool watched, and its files sealed by a worker thread.
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, pause, type Timer, withDeadline } from '../../clock.ts';
import { realDisk } from '../../vault/disk.ts';
import type { Vault } from '../../vault/vault.ts';
import {
  checkWithinMs,
  type LegName,
  type RecordingRoom,
  rawBytesPerHour,
  type SealFailure,
} from '../recording.ts';
import type {
  CheckOutcome,
  DiscardOutcome,
  Recordings,
  SealOrder,
  SealOutcome,
  SpoolSurvey,
} from '../recordings.ts';
import type { EncodedRecording, SealingFolders } from './sealing-job.ts';
import { SealingThread } from './sealing-thread.ts';
import {
  assertRecordingId,
  faultDetail,
  hasBegun,
  listSpool,
  removeQuarantined,
  removeRaw,
  surveySpool,
} from './spool.ts';

/** Batches under way at the same time, each with one flac child at a time. */
export const parallelBatches = 2;
/** Recordings that one flac child encodes; starting it costs more than a short call does. */
export const batchLimit = 16;
/** So long the first of a batch waits for others. */
export const gatherMs = 1_000;
/** Orders that may wait; the room repeats those that were refused. */
export const sealQueueLimit = 1_000;
/** How often the spool is looked at while a recording is expected to begin. */
export const checkEveryMs = 50;
/** For the vault to take one FLAC. */
export const keepDeadlineMs = 30_000;

export interface SealingParts {
  clock: Clock;
  /** The spool is Asterisk's and must exist; the quarantine lies on its file system. */
  folders: SealingFolders;
  /** The program, by path or name. */
  flac: string;
  vault: Pick<Vault, 'seal' | 'freeBytes'>;
}

/** Makes and cleans the work folder: what lies there was left by a run that ended early. */
export async function openSealing(parts: SealingParts): Promise<Sealing> {
  const { work, quarantine } = parts.folders;
  await realDisk.makeFolder(work);
  await realDisk.makeFolder(quarantine);
  for (const name of await realDisk.names(work)) {
    if (/\.(flac|raw)$/.test(name)) await realDisk.remove(join(work, name));
  }
  return new Sealing(parts);
}

interface Waiting {
  order: SealOrder;
  done: (outcome: SealOutcome) => void;
}

export class Sealing implements Recordings {
  private readonly parts: SealingParts;
  private readonly thread: SealingThread;
  private readonly orders = new Map<string, Promise<SealOutcome>>();
  private readonly waiting: Waiting[] = [];
  private running = 0;
  /** Set while the first that waits has not waited for `gatherMs`. */
  private gathering: Timer | undefined;

  constructor(parts: SealingParts) {
    this.parts = parts;
    this.thread = new SealingThread(parts.clock, { folders: parts.folders, flac: parts.flac });
  }

  async check(callId: string): Promise<CheckOutcome> {
    assertRecordingId(callId);
    const { clock, folders } = this.parts;
    const untilUptimeMs = clock.uptimeMs() + checkWithinMs;
    for (;;) {
      const customer = hasBegun(folders.spool, callId, 'customer');
      const agent = hasBegun(folders.spool, callId, 'agent');
      if (customer && agent) return { outcome: 'recording' };
      if (clock.uptimeMs() >= untilUptimeMs)
        return { outcome: 'missing', which: which(customer, agent) };
      await pause(clock, checkEveryMs);
    }
  }

  async seal(order: SealOrder): Promise<SealOutcome> {
    assertRecordingId(order.recordingId);
    const before = this.orders.get(order.recordingId);
    if (before) return before;
    if (this.waiting.length >= sealQueueLimit) {
      return failure('queue-full', `${sealQueueLimit} wait`);
    }
    const sealed = new Promise<SealOutcome>((done) => this.waiting.push({ order, done }));
    this.orders.set(order.recordingId, sealed);
    if (this.waiting.length === 1) this.gather();
    this.startBatches();
    return sealed;
  }

  async discardRaw(recordingId: string): Promise<DiscardOutcome> {
    assertRecordingId(recordingId);
    try {
      await removeRaw(this.parts.folders.spool, recordingId);
      return { outcome: 'discarded' };
    } catch (cause) {
      return { outcome: 'failed', detail: faultDetail(cause) };
    }
  }

  async eraseQuarantined(recordingId: string): Promise<void> {
    assertRecordingId(recordingId);
    await removeQuarantined(this.parts.folders.quarantine, recordingId);
  }

  async survey(): Promise<SpoolSurvey> {
    try {
      return { outcome: 'surveyed', recordings: await surveySpool(this.parts.folders.spool) };
    } catch (cause) {
      return { outcome: 'unreadable', detail: faultDetail(cause) };
    }
  }

  async room(): Promise<RecordingRoom & { fault?: string }> {
    const { folders, vault } = this.parts;
    try {
      await access(folders.spool, constants.W_OK);
      const unsealed = (await listSpool(folders.spool)).size;
      const spoolHours = (await realDisk.freeBytes(folders.spool)) / rawBytesPerHour;
      // A FLAC is never larger than what it holds, so that this promises too little, not too much.
      const vaultHours = (await vault.freeBytes()) / rawBytesPerHour;
      return { spoolHours, vaultHours, unsealed };
    } catch (cause) {
      return { spoolHours: 0, vaultHours: 0, unsealed: 0, fault: faultDetail(cause) };
    }
  }

  /** Ends the worker; orders under way fail and are left to be repeated. */
  async close(): Promise<void> {
    this.gathering?.cancel();
    for (const { order, done } of this.waiting.splice(0)) {
      this.orders.delete(order.recordingId);
      done(failure('worker-died', 'closed'));
    }
    await this.thread.close();
  }

  private gather(): void {
    this.gathering?.cancel();
    this.gathering = this.parts.clock.after(gatherMs, () => {
      this.gathering = undefined;
      this.startBatches();
    });
  }

  private startBatches(): void {
    const isDue = () => this.gathering === undefined || this.waiting.length >= batchLimit;
    while (this.running < parallelBatches && this.waiting.length > 0 && isDue()) {
      this.running += 1;
      void this.sealBatch(this.waiting.splice(0, batchLimit)).then(() => {
        this.running -= 1;
        this.startBatches();
      });
    }
  }

  private async sealBatch(batch: readonly Waiting[]): Promise<void> {
    const encoded = await this.thread.encode(batch.map(({ order }) => order));
    const results: (() => void)[] = [];
    for (const { order, done } of batch) {
      const { recordingId } = order;
      const job = encoded.get(recordingId) ?? failure('worker-died', 'no answer');
      const outcome = job.outcome === 'encoded' ? await this.keep(job) : job;
      const left = await this.cleanUp(recordingId);
      results.push(() => {
        this.orders.delete(recordingId);
        // What is sealed stays sealed; the next order of this id writes over the file.
        done(left !== undefined && outcome.outcome !== 'sealed' ? left : outcome);
      });
    }
    // What is told in one tick is recorded in one commit instead of one for each recording.
    for (const tell of results) tell();
  }

  private async cleanUp(recordingId: string): Promise<SealOutcome | undefined> {
    try {
      const path = join(this.parts.folders.work, recordingId);
      for (const ending of ['raw', 'flac']) await realDisk.remove(`${path}.${ending}`);
      return undefined;
    } catch (cause) {
      return failure('work-unwritable', faultDetail(cause));
    }
  }

  private async keep(encoded: EncodedRecording): Promise<SealOutcome> {
    const { clock, vault } = this.parts;
    const { flacPath, flacSha256, outcome: _, ...facts } = encoded;
    try {
      const kept = await withDeadline(clock, keepDeadlineMs, vault.seal(flacPath));
      if (kept.expired) return failure('deadline', 'vault');
      if (!kept.value.sealed) {
        const { reason, cause } = kept.value;
        const why = reason === 'disk-full' ? 'disk-full' : 'vault-failed';
        return failure(why, `${reason}: ${faultDetail(cause)}`);
      }
      const { object } = kept.value;
      if (object.plainSha256 !== flacSha256) return failure('vault-differs', object.objectId);
      return { outcome: 'sealed', ...facts, ...object };
    } catch (cause) {
      return failure('vault-failed', faultDetail(cause));
    }
  }
}

function which(customer: boolean, agent: boolean): LegName | 'both' {
  if (customer) return 'agent';
  return agent ? 'customer' : 'both';
}

function failure(
  why: SealFailure,
  detail: string,
): { outcome: 'failed'; why: SealFailure; detail: string } {
  return { outcome: 'failed', why, detail };
}
