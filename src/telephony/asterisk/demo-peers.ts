// A SIPp carrier and SIPp agents' phones on loopback: the far ends of the demo and of the tests.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, pause, realClock } from '../../clock.ts';
import { FloorError } from '../../errors.ts';
import { agentScenario, type CarrierManners, carrierScenario } from './sipp-scenarios.ts';

/** Where a peer listens; all of it on 127.0.0.1. */
export interface PeerPlace {
  /** Its scenario, tone and log are written here. */
  folder: string;
  sipPort: number;
  /** First of its media ports; SIPp takes them upwards, four for each call. */
  mediaPort: number;
  /** UDP port of SIPp's remote control; without it SIPp would listen on every address. */
  controlPort: number;
}

export interface Peer {
  pid: number;
  /** Lines of the peer's own account: one for each thing that happened to a call. */
  account(): Promise<PeerLine[]>;
  /** Ends the process; `SIGKILL` is a phone that falls silent, without a BYE. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/** `what` is invited, answered, hung-up, left, cancelled or a SIP status (486, 503, …). */
export interface PeerLine {
  atUtcMs: number;
  what: string;
  /** Dialed digits without the plus sign, or an extension. */
  number: string;
}

export const carrierToneHz = 440;
export const agentToneHz = 880;

const readyLimitMs = 5000;
const readyLookMs = 20;
const sampleRateHz = 8000;

/** G.711 u-law (ITU-T G.711) of one linear 16-bit sample. */
export function encodeUlaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), 32635) + 132;
  const exponent = Math.max(0, Math.floor(Math.log2(magnitude)) - 7);
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}

/** A tone that can be looped: ten seconds at a third of full scale, 8 kHz u-law. */
function toneUlaw(frequencyHz: number): Uint8Array {
  return Uint8Array.from({ length: sampleRateHz * 10 }, (_, i) =>
    encodeUlaw(Math.round(10_000 * Math.sin((2 * Math.PI * frequencyHz * i) / sampleRateHz))),
  );
}

/** Starts the carrier. What it does with a call is in `carrierDigits`. */
export async function startCarrier(
  place: PeerPlace,
  manners: Omit<CarrierManners, 'toneFile'>,
  clock: Clock = realClock,
): Promise<Peer> {
  const toneFile = await writeTone(place.folder, 'carrier', carrierToneHz);
  return startSipp('carrier', place, carrierScenario({ ...manners, toneFile }), clock);
}

/** Starts phones that answer for any extension sent to `place.sipPort`. */
export async function startAgents(place: PeerPlace, clock: Clock = realClock): Promise<Peer> {
  const toneFile = await writeTone(place.folder, 'agents', agentToneHz);
  return startSipp('agents', place, agentScenario(toneFile), clock);
}

async function writeTone(folder: string, name: string, frequencyHz: number): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${name}-tone.ulaw`);
  await writeFile(file, toneUlaw(frequencyHz));
  return file;
}

async function startSipp(
  name: string,
  place: PeerPlace,
  scenario: string,
  clock: Clock,
): Promise<Peer> {
  const scenarioFile = join(place.folder, `${name}.xml`);
  const logFile = join(place.folder, `${name}.log`);
  await writeFile(scenarioFile, scenario);
  const address = '127.0.0.1';
  const child = spawn(
    'sipp',
    [
      ...['-sf', scenarioFile, '-i', address, '-p', String(place.sipPort), '-t', 'u1'],
      ...['-mi', address, '-mp', String(place.mediaPort), '-rtp_payload', '0'],
      ...['-ci', address, '-cp', String(place.controlPort), '-nostdin', '-l', '5000'],
      ...['-trace_logs', '-log_file', logFile],
      ...['-trace_err', '-error_file', join(place.folder, `${name}-errors.log`)],
    ],
    { cwd: place.folder, stdio: 'ignore' },
  );
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  await untilBound(child, name, place.sipPort, clock);
  return {
    pid: child.pid ?? 0,
    account: async () => readAccount(await readFile(logFile, 'utf8').catch(() => '')),
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      await ended;
    },
  };
}

/** SIPp says nothing when it is ready, so its UDP port is looked for in the kernel's table. */
async function untilBound(
  child: ChildProcess,
  name: string,
  port: number,
  clock: Clock,
): Promise<void> {
  const wanted = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const deadlineMs = clock.uptimeMs() + readyLimitMs;
  while (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    if ((await readFile('/proc/net/udp', 'utf8')).includes(wanted)) return;
    if (clock.uptimeMs() > deadlineMs) break;
    await pause(clock, readyLookMs);
  }
  child.kill('SIGKILL');
  throw new FloorError('asterisk.peer-not-started', `${name} on port ${port}`);
}

/** Reads `<date> <time> <epoch> <what> <number>` lines; SIPp parts the first three by tabs. */
export function readAccount(text: string): PeerLine[] {
  const lines: PeerLine[] = [];
  for (const line of text.split('\n')) {
    const match = /(\d+\.\d+)\s+([\w-]+)\s+(\d+)\s*$/.exec(line);
    if (match === null) continue;
    const [, epoch, what, number] = match;
    if (what === undefined || number === undefined) continue;
    lines.push({ atUtcMs: Number(epoch) * 1000, what, number });
  }
  return lines;
}
