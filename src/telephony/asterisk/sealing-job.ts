// One recording on its way to the vault: judged, encoded, decoded again and compared.
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import {
  bytesPerSample,
  judgeLegs,
  type QuarantineReason,
  type SealFailure,
  type SoundLegs,
} from '../recording.ts';
import type { SealOrder, SealOutcome } from '../recordings.ts';
import { decodeFlac, encodeFlac } from './flac.ts';
import { faultDetail, moveAside, type OpenLeg, openLeg, readMark, writeMark } from './spool.ts';
import { frameBytes, unweave, wavHeaderBytes, weave } from './wav.ts';

export interface SealingFolders {
  spool: string;
  quarantine: string;
  work: string;
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

/** So many samples of each leg are read, woven and handed on at once. */
const blockSamples = 65_536;

export async function encodeRecording(
  order: SealOrder,
  folders: SealingFolders,
  flac: string,
  signal: AbortSignal,
): Promise<JobOutcome> {
  const id = order.recordingId;
  try {
    const mark = await readMark(folders.quarantine, id);
    if (mark) {
      await moveAside(folders.spool, folders.quarantine, id);
      return { outcome: 'quarantined', why: mark.why };
    }
  } catch (cause) {
    return failed('quarantine-unwritable', cause);
  }
  let customer: OpenLeg | undefined;
  let agent: OpenLeg | undefined;
  try {
    customer = await openLeg(folders.spool, id, 'customer');
    agent = await openLeg(folders.spool, id, 'agent');
    const legs = { customer: customer.state, agent: agent.state };
    const judged = judgeLegs(legs, order.spanMs, order.crashed);
    if (judged.verdict === 'not-finished') return { outcome: 'not-finished' };
    if (judged.verdict === 'quarantine') {
      // Where nothing lies nothing is put aside, and a spool that is mounted again is not too late.
      if (judged.why !== 'both-legs-missing') return await putAside(order, judged.why, folders);
      await access(folders.spool);
      return { outcome: 'quarantined', why: judged.why };
    }
    const encoded = await encodeSound(id, judged, { customer, agent }, folders.work, flac, signal);
    if (encoded.outcome === 'encoded' && !(await unchanged(customer, agent))) {
      // Somebody still writes, so the crash that allowed the repair was none.
      return { outcome: 'not-finished' };
    }
    return encoded;
  } catch (cause) {
    return failed('spool-unreadable', cause);
  } finally {
    await customer?.handle?.close();
    await agent?.handle?.close();
  }
}

async function putAside(
  order: SealOrder,
  why: QuarantineReason,
  folders: SealingFolders,
): Promise<JobOutcome> {
  try {
    const { recordingId, spanMs, crashed } = order;
    await writeMark(folders.quarantine, { recordingId, spanMs, crashed, why });
    await moveAside(folders.spool, folders.quarantine, recordingId);
    return { outcome: 'quarantined', why };
  } catch (cause) {
    return failed('quarantine-unwritable', cause);
  }
}

async function encodeSound(
  id: string,
  sound: SoundLegs,
  legs: { customer: OpenLeg; agent: OpenLeg },
  work: string,
  flac: string,
  signal: AbortSignal,
): Promise<JobOutcome> {
  const flacPath = join(work, `${id}.flac`);
  const recorded = { customer: createHash('sha256'), agent: createHash('sha256') };
  const frames = weaveLegs(
    { blocks: readBlocks(legs.agent, sound.agentSamples), digest: recorded.agent },
    { blocks: readBlocks(legs.customer, sound.customerSamples), digest: recorded.customer },
  );
  const encoded = await encodeFlac(flac, frames, flacPath, signal);
  if (!encoded.done) return failed(encoded.why, encoded.detail);

  const comparison = new Comparison(sound.agentSamples, sound.customerSamples);
  const decoded = await decodeFlac(flac, flacPath, (piece) => comparison.take(piece), signal);
  if (!decoded.done) return failed(decoded.why, decoded.detail);
  const customerPcmSha256 = recorded.customer.digest('hex');
  const agentPcmSha256 = recorded.agent.digest('hex');
  if (!comparison.matches(agentPcmSha256, customerPcmSha256)) return failed('flac-differs', id);

  let flacSha256: string;
  try {
    flacSha256 = await digestFile(flacPath);
  } catch (cause) {
    return failed('work-unwritable', cause);
  }
  const { verdict: _, ...facts } = sound;
  return { outcome: 'encoded', ...facts, flacPath, flacSha256, customerPcmSha256, agentPcmSha256 };
}

interface LegSource {
  blocks: AsyncGenerator<Buffer, void>;
  digest: Hash;
}

async function* weaveLegs(left: LegSource, right: LegSource): AsyncGenerator<Buffer, void> {
  for (;;) {
    const [leftBlock, rightBlock] = await Promise.all([nextBlock(left), nextBlock(right)]);
    if (leftBlock.length === 0 && rightBlock.length === 0) return;
    yield weave(leftBlock, rightBlock);
  }
}

async function nextBlock({ blocks, digest }: LegSource): Promise<Buffer> {
  const next = await blocks.next();
  if (next.done) return Buffer.alloc(0);
  digest.update(next.value);
  return next.value;
}

/** Whole blocks but the last, so that the blocks of both legs stay in step. */
async function* readBlocks(leg: OpenLeg, samples: number): AsyncGenerator<Buffer, void> {
  let leftBytes = samples * bytesPerSample;
  let atByte = wavHeaderBytes;
  while (leftBytes > 0 && leg.handle) {
    const block = Buffer.alloc(Math.min(leftBytes, blockSamples * bytesPerSample));
    await readFully(leg.handle, block, atByte);
    atByte += block.length;
    leftBytes -= block.length;
    yield block;
  }
}

async function readFully(handle: FileHandle, block: Buffer, atByte: number): Promise<void> {
  let filled = 0;
  while (filled < block.length) {
    const { bytesRead } = await handle.read(block, filled, block.length - filled, atByte + filled);
    if (bytesRead === 0) throw new Error('the file got shorter while it was read');
    filled += bytesRead;
  }
}

/** Splits what was decoded into its channels and holds each against the leg's length and digest. */
class Comparison {
  private carried = Buffer.alloc(0);
  private readonly channels: { digest: Hash; leftBytes: number }[];
  private framesLeft: number;
  private different = false;

  constructor(leftSamples: number, rightSamples: number) {
    this.framesLeft = Math.max(leftSamples, rightSamples);
    this.channels = [leftSamples, rightSamples].map((samples) => ({
      digest: createHash('sha256'),
      leftBytes: samples * bytesPerSample,
    }));
  }

  take(piece: Buffer): void {
    const bytes = this.carried.length > 0 ? Buffer.concat([this.carried, piece]) : piece;
    const whole = bytes.length - (bytes.length % frameBytes);
    this.carried = Buffer.from(bytes.subarray(whole));
    this.framesLeft -= whole / frameBytes;
    const { left, right } = unweave(bytes.subarray(0, whole));
    for (const [i, samples] of [left, right].entries()) {
      const channel = this.channels[i];
      if (!channel) continue;
      const recorded = samples.subarray(0, channel.leftBytes);
      channel.digest.update(recorded);
      channel.leftBytes -= recorded.length;
      // Beyond the leg's own length there is nothing but the silence that fills it up.
      if (samples.subarray(recorded.length).some((byte) => byte !== 0)) this.different = true;
    }
  }

  matches(leftSha256: string, rightSha256: string): boolean {
    const digests = this.channels.map(({ digest }) => digest.digest('hex'));
    const whole = this.carried.length === 0 && this.framesLeft === 0;
    return whole && !this.different && digests[0] === leftSha256 && digests[1] === rightSha256;
  }
}

async function unchanged(...legs: OpenLeg[]): Promise<boolean> {
  for (const { handle, sizeBytes } of legs) {
    if (handle && (await handle.stat()).size !== sizeBytes) return false;
  }
  return true;
}

async function digestFile(path: string): Promise<string> {
  const digest = createHash('sha256');
  for await (const piece of createReadStream(path)) digest.update(piece);
  return digest.digest('hex');
}

function failed(why: SealFailure, cause: unknown): JobOutcome {
  return { outcome: 'failed', why, detail: faultDetail(cause) };
}
