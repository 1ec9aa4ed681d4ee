// The WAV header that Asterisk writes, and two mono legs woven into stereo and taken apart again.
import { bytesPerSample, type LegState, samplesPerSecond } from '../recording.ts';

export const wavHeaderBytes = 44;

/**
 * What a header says about a file of `fileBytes`, by the form of Asterisk's formats/format_wav.c:
 * both lengths are 0 until the file is closed, also when it is closed empty (then RIFF says 36).
 * A kill between the two writes of closing leaves the RIFF length alone; that file is open too.
 */
export function readWavHeader(header: Buffer, fileBytes: number): LegState {
  if (header.length < wavHeaderBytes || !hasExpectedForm(header)) return { state: 'broken' };
  const dataBytes = fileBytes - wavHeaderBytes;
  const riffSaid = header.readUInt32LE(4);
  const dataSaid = header.readUInt32LE(40);
  const riffRight = riffSaid === fileBytes - 8;
  if (riffRight && dataSaid === dataBytes && dataBytes % bytesPerSample === 0) {
    return { state: 'closed', samples: dataBytes / bytesPerSample };
  }
  if (dataSaid === 0 && (riffSaid === 0 || riffRight)) {
    return { state: 'open', samples: Math.floor(dataBytes / bytesPerSample) };
  }
  return { state: 'lying' };
}

function hasExpectedForm(header: Buffer): boolean {
  return (
    header.toString('latin1', 0, 4) === 'RIFF' &&
    header.toString('latin1', 8, 16) === 'WAVEfmt ' &&
    header.readUInt32LE(16) === 16 &&
    header.readUInt16LE(20) === 1 &&
    header.readUInt16LE(22) === 1 &&
    header.readUInt32LE(24) === samplesPerSecond &&
    header.readUInt32LE(28) === samplesPerSecond * bytesPerSample &&
    header.readUInt16LE(32) === bytesPerSample &&
    header.readUInt16LE(34) === 8 * bytesPerSample &&
    header.toString('latin1', 36, 40) === 'data'
  );
}

/** One frame of the FLAC: left the agent's sample, right the customer's. */
export const frameBytes = 2 * bytesPerSample;

/** The samples of a block; typed arrays of two bytes begin on even addresses only. */
function samplesOf(block: Buffer): Uint16Array {
  const even = block.byteOffset % bytesPerSample === 0 ? block : Buffer.from(block);
  return new Uint16Array(even.buffer, even.byteOffset, even.length / bytesPerSample);
}

const bytesOf = (samples: Uint16Array) => Buffer.from(samples.buffer);

/** Weaves two blocks of samples; the shorter is filled up with silence to the longer. */
export function weave(left: Buffer, right: Buffer): Buffer {
  const woven = new Uint16Array(Math.max(left.length, right.length));
  const lefts = samplesOf(left);
  const rights = samplesOf(right);
  for (let i = 0; i < lefts.length; i += 1) woven[2 * i] = lefts[i] ?? 0;
  for (let i = 0; i < rights.length; i += 1) woven[2 * i + 1] = rights[i] ?? 0;
  return bytesOf(woven);
}

/** Takes whole frames apart. */
export function unweave(woven: Buffer): { left: Buffer; right: Buffer } {
  const frames = samplesOf(woven);
  const left = new Uint16Array(frames.length / 2);
  const right = new Uint16Array(frames.length / 2);
  for (let i = 0; i < left.length; i += 1) {
    left[i] = frames[2 * i] ?? 0;
    right[i] = frames[2 * i + 1] ?? 0;
  }
  return { left: bytesOf(left), right: bytesOf(right) };
}
