// Recordings as Asterisk makes them: the spool watched, and its files sealed by a worker thread.
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { type Clock, withDeadline } from '../../clock.ts';
import { realDisk } from '../../vault/disk.ts';
import type { Vault } from '../../vault/vault.ts';
import { startWorker } from '../../worker-thread.ts';
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
import type { EncodedRecording, JobOutcome, SealingFolders } from './sealing-job.ts';
import type { FromWorker, SealingSetting, ToWorker } from './sealing-worker.ts';
import {
  assertRecordingId,
  faultDetail,
  hasBegun,
  listSpool,
  removeRaw,
  surveySpool,
} from './spool.ts';

/** Recordings sealed at the same time, each with one flac child at a time. */
export const parallelSeals = 2;
/** Orders that may wait; the room repeats those that were refused. */
export const sealQueueLimit = 1_000;
/** How often the spool is looked at while a recording is expected to begin. */
export const checkEveryMs = 50;
/** For encoding and for the vault each; a busy machine encodes a minute of speech in a second. */
export const sealDeadlineMs = 30_000;
export const sealDeadlineShare = 1 / 60;
/** A worker that does not even answer an abort within this is ended. */
export const abortAnswerMs = 5_000;

export interface SealingParts {
  clock: Clock;
  /** The spool is Asterisk's and must exist; the quarantine lies on its file system. */
  folders: SealingFolders;
  /** The program, by path or name. */
  flac: string;
  vault: Pick<Vault, 'seal' | 'settle' | 'freeBytes'>;
}

/** Makes and cleans the work folder: what lies there was left by a run that ended early. */
export async function openSealing(parts: SealingParts): Promise<Sealing> {
  const { work, quarantine } = parts.folders;
  await mkdir(work, { recursive: true, mode: 0o700 });
  await mkdir(quarantine, { recursive: true, mode: 0o700 });
  for (const name of await readdir(work)) {
    if (name.endsWith('.flac')) await rm(join(work, name));
  }
  return new Sealing(parts);
}

interface Waiting {
  order: SealOrder;
  done: (outcome: SealOutcome) => void;
}

export class Sealing implements Recordings {
  private readonly parts: SealingParts;
  private readonly orders = new Map<string, Promise<SealOutcome>>();
  private readonly waiting: Waiting[] = [];
  private running = 0;
  private worker: Worker | undefined;
  private readonly answers = new Map<string, (outcome: JobOutcome) => void>();
  /** Objects whose record was not known to be durable yet; after a restart the vault asks. */
  private readonly unsettled = new Map<string, string>();
  private closed = false;

  constructor(parts: SealingParts) {
    this.parts = parts;
  }

  async check(callId: string): Promise<CheckOutcome> {
    assertRecordingId(callId);
    const { clock, folders } = this.parts;
    const untilUptimeMs = clock.uptimeMs() + checkWithinMs;
    for (;;) {
      const customer = await hasBegun(folders.spool, callId, 'customer');
      const agent = await hasBegun(folders.spool, callId, 'agent');
      if (customer && agent) return { outcome: 'recording' };
      if (clock.uptimeMs() >= untilUptimeMs)
        return { outcome: 'missing', which: which(customer, agent) };
      await new Promise<void>((resolve) => clock.after(checkEveryMs, resolve));
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
    this.startNext();
    return sealed;
  }

  async discardRaw(recordingId: string): Promise<DiscardOutcome> {
    assertRecordingId(recordingId);
    const { folders, vault } = this.parts;
    try {
      await removeRaw(folders.spool, recordingId);
      const objectId = this.unsettled.get(recordingId);
      if (objectId !== undefined) await vault.settle(objectId);
      this.unsettled.delete(recordingId);
      return { outcome: 'discarded' };
    } catch (cause) {
      return { outcome: 'failed', detail: faultDetail(cause) };
    }
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
    this.closed = true;
    for (const { order, done } of this.waiting.splice(0)) {
      this.orders.delete(order.recordingId);
      done(failure('worker-died', 'closed'));
    }
    await this.worker?.terminate();
  }

  private startNext(): void {
    while (this.running < parallelSeals) {
      const next = this.waiting.shift();
      if (!next) return;
      this.running += 1;
      void this.sealNow(next.order).then((outcome) => {
        this.running -= 1;
        this.orders.delete(next.order.recordingId);
        next.done(outcome);
        this.startNext();
      });
    }
  }

  private async sealNow(order: SealOrder): Promise<SealOutcome> {
    const encoded = await this.encode(order);
    const outcome = encoded.outcome === 'encoded' ? await this.keep(order, encoded) : encoded;
    const flacPath = join(this.parts.folders.work, `${order.recordingId}.flac`);
    try {
      await rm(flacPath, { force: true });
    } catch (cause) {
      // What is sealed stays sealed; the next order of this id writes over the file.
      if (outcome.outcome !== 'sealed') return failure('work-unwritable', faultDetail(cause));
    }
    return outcome;
  }

  private async keep(order: SealOrder, encoded: EncodedRecording): Promise<SealOutcome> {
    const { clock, vault } = this.parts;
    const { flacPath, flacSha256, outcome: _, ...facts } = encoded;
    try {
      const kept = await withDeadline(clock, deadlineOf(order), vault.seal(flacPath));
      if (kept.expired) return failure('deadline', 'vault');
      if (!kept.value.sealed) {
        const { reason, cause } = kept.value;
        const why = reason === 'disk-full' ? 'disk-full' : 'vault-failed';
        return failure(why, `${reason}: ${faultDetail(cause)}`);
      }
      const { object } = kept.value;
      if (object.plainSha256 !== flacSha256) return failure('vault-differs', object.objectId);
      this.unsettled.set(order.recordingId, object.objectId);
      return { outcome: 'sealed', ...facts, ...object };
    } catch (cause) {
      return failure('vault-failed', faultDetail(cause));
    }
  }

  private async encode(order: SealOrder): Promise<JobOutcome> {
    const { recordingId } = order;
    if (this.closed) return failure('worker-died', 'closed');
    const worker = this.aliveWorker();
    const answer = new Promise<JobOutcome>((resolve) => this.answers.set(recordingId, resolve));
    worker.postMessage({ kind: 'encode', order } satisfies ToWorker);
    const { clock } = this.parts;
    const inTime = await withDeadline(clock, deadlineOf(order), answer);
    if (!inTime.expired) return inTime.value;
    worker.postMessage({ kind: 'abort', recordingId } satisfies ToWorker);
    const aborted = await withDeadline(clock, abortAnswerMs, answer);
    if (!aborted.expired) return aborted.value;
    await worker.terminate();
    return answer;
  }

  /** One worker lives until it dies; whatever it had in hand then fails and is ordered again. */
  private aliveWorker(): Worker {
    if (this.worker) return this.worker;
    const { folders, flac } = this.parts;
    const setting: SealingSetting = { folders, flac };
    const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const url = new URL(`./sealing-worker.${ending}`, import.meta.url);
    const worker = startWorker(url, setting);
    let reason = 'ended';
    worker.on('error', (cause) => {
      reason = faultDetail(cause);
    });
    worker.on('message', ({ recordingId, outcome }: FromWorker) => {
      const resolve = this.answers.get(recordingId);
      this.answers.delete(recordingId);
      resolve?.(outcome);
    });
    worker.on('exit', () => {
      if (this.worker === worker) this.worker = undefined;
      const lost = [...this.answers.values()];
      this.answers.clear();
      for (const resolve of lost) resolve(failure('worker-died', reason));
    });
    this.worker = worker;
    return worker;
  }
}

function which(customer: boolean, agent: boolean): LegName | 'both' {
  if (customer) return 'agent';
  return agent ? 'customer' : 'both';
}

function deadlineOf(order: SealOrder): number {
  return sealDeadlineMs + order.spanMs * sealDeadlineShare;
}

function failure(
  why: SealFailure,
  detail: string,
): { outcome: 'failed'; why: SealFailure; detail: string } {
  return { outcome: 'failed', why, detail };
}
