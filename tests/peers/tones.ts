// Which tones a raw recording holds: proof that each party is on its own track.
import { readFile } from 'node:fs/promises';
import type { PartyRecording } from '../conformance/phone-rig.ts';

const headerBytes = 44;
const sampleRateHz = 8000;
const blockSamples = 800;

/** Share of the power that lies at one frequency, by blocks of a tenth of a second (Goertzel). */
function shareAt(samples: Int16Array, frequencyHz: number): number {
  const turn = (2 * Math.PI * frequencyHz) / sampleRateHz;
  let inTone = 0;
  let inAll = 0;
  for (let start = 0; start + blockSamples <= samples.length; start += blockSamples) {
    let real = 0;
    let imaginary = 0;
    for (let i = 0; i < blockSamples; i += 1) {
      const sample = samples[start + i] ?? 0;
      real += sample * Math.cos(turn * i);
      imaginary += sample * Math.sin(turn * i);
      inAll += sample * sample;
    }
    // A pure tone of amplitude A gives (A·n/2)² here and n·A²/2 in the sum of squares.
    inTone += (2 * (real * real + imaginary * imaginary)) / blockSamples;
  }
  return inAll === 0 ? 0 : inTone / inAll;
}

/** Reads a finished 16-bit mono WAV of 8 kHz. */
export async function readParty(
  file: string,
  customerHz: number,
  agentHz: number,
): Promise<PartyRecording> {
  const bytes = await readFile(file);
  const data = bytes.subarray(headerBytes);
  if (bytes.readUInt32LE(40) !== data.length) throw new Error(`${file} is not finished`);
  const samples = new Int16Array(data.length / 2);
  for (let i = 0; i < samples.length; i += 1) samples[i] = data.readInt16LE(2 * i);
  return {
    durationMs: (samples.length / sampleRateHz) * 1000,
    customerTone: shareAt(samples, customerHz),
    agentTone: shareAt(samples, agentHz),
  };
}
