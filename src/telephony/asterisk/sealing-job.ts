// Recordings on their way to the vault: judged, encoded together, decoded again and compared.
import assert from 'node:assert';
import { createHash, type Hash, hash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../../vault/disk.ts';
import {
  bytesPerSample,
  crashLossMs,
  judgeLegs,
  type QuarantineReason,
  type SealFailure,
  type SoundLegs,
} from '../recording.ts';
import type { SealOrder, SealOutcome } from '../recordings.ts';
import { decodeFlacs, encodeFlacs, type FlacEnd } from './flac.ts';
import { faultDetail, moveAside, type OpenLeg, openLeg, readMark, writeMark } from './spool.ts';
import { frameBytes, unweave, wavHeaderBytes, weave } from './wav.ts';

export interface SealingFolders {
  spool: string;
  quarantine: string;
  work: string;
}

export interface SealingSetting {
  folders: SealingFolders;
  flac: string;
}

/** A FLAC in the work folder that was found to hold exactly what was recorded. */
export interface EncodedRecording extends Omit<SoundLegs, 'verdict'> {
  outcome: 'encoded';
  flacPath: string;
  flacSha256: string;
  customerPcmSha256: string;
  agentPcmSha256: string;
}

export type JobOutcome = EncodedRecording | Exclude<SealOutcome, { outcome: 'sealed' }>;
export type JobOutcomes = Map<string, JobOutcome>;

/** A sound recording as one raw stereo file in the work folder, with the digests of its legs. */
interface Woven extends Omit<SoundLegs, 'verdict'> {
  recordingId: string;
  rawPath: string;
  flacPath: string;
  customerPcmSha256: string;
  agentPcmSha256: string;
}

/** So many samples of each leg are read, woven and hashed at once. */
const blockSamples = 65_536;

/**
 * Takes each order as far as a FLAC in the work folder, or says what became of it; whoever ordered
 * cleans the folder. `atUtcMs` is now. Reading and hashing hold the thread, which has nothing else
 * to do; flac and quarantine are awaited.
 */
export async function encodeRecordings(
  orders: readonly SealOrder[],
  atUtcMs: number,
  { folders, flac }: SealingSetting,
  signal: AbortSignal,
): Promise<JobOutcomes> {
  const outcomes: JobOutcomes = new Map();
  const woven: Woven[] = [];
  for (const order of orders) {
    const prepared = await prepare(order, atUtcMs, folders);
    if ('outcome' in prepared) outcomes.set(order.recordingId, prepared);
    else woven.push(prepared);
  }
  await encodeWoven(woven, flac, signal, outcomes);
  return outcomes;
}

async function encodeWoven(
  woven: readonly Woven[],
  flac: string,
  signal: AbortSignal,
  outcomes: JobOutcomes,
): Promise<void> {
  if (woven.length === 0) return;
  const rawPaths = woven.map(({ rawPath }) => rawPath);
  const encoded = await encodeFlacs(flac, rawPaths, signal);
  const whole = woven.filter(({ rawPath }) => !existsSync(rawPath));
  for (const { recordingId } of woven) outcomes.set(recordingId, failedBy(encoded, 'flac-failed'));
  if (whole.length === 0) return;
  const flacPaths = whole.map(({ flacPath }) => flacPath);
  const decoded = await decodeFlacs(flac, flacPaths, signal);
  for (const each of whole) outcomes.set(each.recordingId, judgeDecoded(each, decoded));
}

async function prepare(
  order: SealOrder,
  atUtcMs: number,
  folders: SealingFolders,
): Promise<Woven | JobOutcome> {
  const { recordingId, spanMs, crashed, leastMs } = order;
  const { spool, quarantine, work } = folders;
  try {
    const mark = await readMark(quarantine, recordingId);
    if (mark) {
      await moveAside(spool, quarantine, recordingId);
      return { outcome: 'quarantined', why: mark.why };
    }
  } catch (cause) {
    return failed('quarantine-unwritable', cause);
  }
  const legs: OpenLeg[] = [];
  try {
    const customer = await openLeg(spool, recordingId, 'customer');
    legs.push(customer);
    const agent = await openLeg(spool, recordingId, 'agent');
    legs.push(agent);
    const states = { customer: customer.state, agent: agent.state };
    const judged = judgeLegs(states, spanMs, crashed, leastMs);
    if (judged.verdict === 'not-finished') return { outcome: 'not-finished' };
    if (judged.verdict === 'sound') {
      // Asterisk writes a block every 2,048 ms, so a crash that ended so lately may be none.
      const lively = legs.some(({ writtenUtcMs }) => isWithin(atUtcMs - writtenUtcMs, crashLossMs));
      if (judged.repaired && lively) return { outcome: 'not-finished' };
      return weaveLegs(recordingId, judged, customer, agent, work);
    }
    // Where nothing lies nothing is put aside, and a spool that is mounted again is not too late.
    if (judged.why !== 'both-legs-missing') return await putAside(order, judged.why, folders);
    await access(spool);
    return { outcome: 'quarantined', why: judged.why };
  } catch (cause) {
    return failed('spool-unreadable', cause);
  } finally {
    for (const { handle } of legs) await handle?.close();
  }
}

const isWithin = (ageMs: number, limitMs: number) => ageMs >= 0 && ageMs < limitMs;

async function putAside(
  order: SealOrder,
  why: QuarantineReason,
  { spool, quarantine }: SealingFolders,
): Promise<JobOutcome> {
  try {
    const { recordingId, spanMs, crashed } = order;
    await writeMark(quarantine, { recordingId, spanMs, crashed, why });
    await moveAside(spool, quarantine, recordingId);
    return { outcome: 'quarantined', why };
  } catch (cause) {
    return failed('quarantine-unwritable', cause);
  }
}

/** Reads both legs once: what is hashed is what is woven. Throws when a leg can not be read. */
function weaveLegs(
  recordingId: string,
  { verdict: _, ...sound }: SoundLegs,
  customer: OpenLeg,
  agent: OpenLeg,
  work: string,
): Woven | JobOutcome {
  const path = join(work, recordingId);
  const paths = { rawPath: `${path}.raw`, flacPath: `${path}.flac` };
  const digests = { customer: createHash('sha256'), agent: createHash('sha256') };
  const longest = Math.max(sound.customerSamples, sound.agentSamples);
  let raw: number | undefined;
  try {
    raw = openSync(paths.rawPath, 'w', 0o600);
    for (let at = 0; at < longest; at += blockSamples) {
      const left = readBlock(agent, at, sound.agentSamples);
      const right = readBlock(customer, at, sound.customerSamples);
      digests.agent.update(left);
      digests.customer.update(right);
      writeFully(raw, weave(left, right));
    }
  } catch (cause) {
    if (cause instanceof Unreadable) throw cause.cause;
    const full = hasCode(cause, 'ENOSPC') || hasCode(cause, 'EDQUOT');
    return failed(full ? 'disk-full' : 'work-unwritable', cause);
  } finally {
    if (raw !== undefined) closeSync(raw);
  }
  const customerPcmSha256 = digests.customer.digest('hex');
  const agentPcmSha256 = digests.agent.digest('hex');
  return { recordingId, ...paths, ...sound, customerPcmSha256, agentPcmSha256 };
}

class Unreadable extends Error {}

/** One block of a leg from a sample on; shorter at the leg's end, empty beyond it. */
function readBlock(leg: OpenLeg, fromSample: number, samples: number): Buffer {
  const count = Math.min(blockSamples, Math.max(0, samples - fromSample));
  const block = Buffer.allocUnsafe(count * bytesPerSample);
  try {
    readFully(leg.handle?.fd, block, wavHeaderBytes + fromSample * bytesPerSample);
  } catch (cause) {
    throw new Unreadable('leg', { cause });
  }
  return block;
}

function readFully(file: number | undefined, block: Buffer, fromByte: number): void {
  assert(file !== undefined || block.length === 0, 'a sound leg is open');
  for (let filled = 0; file !== undefined && filled < block.length; ) {
    const count = readSync(file, block, filled, block.length - filled, fromByte + filled);
    if (count === 0) throw new Error('the file got shorter while it was read');
    filled += count;
  }
}

function writeFully(file: number, block: Buffer): void {
  for (let at = 0; at < block.length; ) at += writeSync(file, block, at);
}

function judgeDecoded(woven: Woven, decoded: FlacEnd): JobOutcome {
  const { recordingId: _, rawPath, ...facts } = woven;
  try {
    if (!holdsLegs(woven)) return failedBy(decoded, 'flac-differs');
    return {
      outcome: 'encoded',
      ...facts,
      flacSha256: hash('sha256', readFileSync(facts.flacPath), 'hex'),
    };
  } catch (cause) {
    return failed('work-unwritable', cause);
  }
}

/** Whether the decoded file holds each leg in its channel, and silence where it was filled up. */
function holdsLegs(woven: Woven): boolean {
  if (!existsSync(woven.rawPath)) return false;
  const left = { digest: createHash('sha256'), samples: woven.agentSamples };
  const right = { digest: createHash('sha256'), samples: woven.customerSamples };
  const frames = Math.max(left.samples, right.samples);
  const raw = openSync(woven.rawPath, 'r');
  try {
    if (fstatSync(raw).size !== frames * frameBytes) return false;
    for (let at = 0; at < frames; at += blockSamples) {
      const block = Buffer.allocUnsafe(Math.min(blockSamples, frames - at) * frameBytes);
      readFully(raw, block, at * frameBytes);
      const channels = unweave(block);
      const kept = hashLeg(left, channels.left, at) && hashLeg(right, channels.right, at);
      if (!kept) return false;
    }
  } finally {
    closeSync(raw);
  }
  return (
    left.digest.digest('hex') === woven.agentPcmSha256 &&
    right.digest.digest('hex') === woven.customerPcmSha256
  );
}

function hashLeg(leg: { digest: Hash; samples: number }, block: Buffer, at: number): boolean {
  const recordedBytes = Math.max(0, leg.samples - at) * bytesPerSample;
  leg.digest.update(block.subarray(0, recordedBytes));
  return block.subarray(recordedBytes).every((byte) => byte === 0);
}

function failedBy(end: FlacEnd, otherwise: SealFailure): JobOutcome {
  return end.done ? failed(otherwise, 'flac said it went well') : failed(end.why, end.detail);
}

function failed(why: SealFailure, cause: unknown): JobOutcome {
  return { outcome: 'failed', why, detail: faultDetail(cause) };
}
