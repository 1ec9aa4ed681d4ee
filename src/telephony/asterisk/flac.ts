// Debian's flac as a child process: raw stereo in and a verified FLAC out, and back again.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { bytesPerSample, type SealFailure, samplesPerSecond } from '../recording.ts';
import { faultDetail } from './spool.ts';

export type FlacEnd = { done: true } | { done: false; why: SealFailure; detail: string };

const rawForm = ['--force-raw-format', '--endian=little', '--sign=signed'];
const stereoForm = [
  '--channels=2',
  `--bps=${8 * bytesPerSample}`,
  `--sample-rate=${samplesPerSecond}`,
];
/** How much of what flac complains about is kept for the log. */
const complaintChars = 1_000;

/** Encodes raw stereo into `path`; flac itself decodes along and compares (--verify). */
export async function encodeFlac(
  program: string,
  frames: AsyncIterable<Buffer>,
  path: string,
  signal: AbortSignal,
): Promise<FlacEnd> {
  const args = ['--silent', '--verify', '--force', '--no-padding', '--no-seektable'];
  const child = spawn(program, [...args, ...rawForm, ...stereoForm, '-o', path, '-'], {
    stdio: ['pipe', 'ignore', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  const end = awaitEnd(child, signal);
  // When flac dies, writing fails too (EPIPE), and its end says why. When reading fails, flac sees
  // the end of its input and makes a FLAC that is whole but short.
  const fed = await pipeline(frames, child.stdin).then(
    () => undefined,
    (cause: unknown) => faultDetail(cause),
  );
  const ended = await end;
  if (!ended.done || fed === undefined) return ended;
  return { done: false, why: 'spool-unreadable', detail: fed };
}

/** Decodes `path`; `take` gets the raw stereo in pieces of any size. */
export async function decodeFlac(
  program: string,
  path: string,
  take: (piece: Buffer) => void,
  signal: AbortSignal,
): Promise<FlacEnd> {
  const child = spawn(program, ['--decode', '--silent', ...rawForm, '--stdout', path], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  child.stdout.on('data', take);
  return awaitEnd(child, signal);
}

function awaitEnd(
  child: ChildProcessByStdio<Writable | null, Readable | null, Readable>,
  signal: AbortSignal,
): Promise<FlacEnd> {
  return new Promise((resolve) => {
    let complaint = '';
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => {
      complaint = (complaint + text).slice(0, complaintChars);
    });
    child.on('error', (cause) => {
      // An aborted child is dead only when it has closed, and only then its file may be touched.
      if (signal.aborted && child.pid !== undefined) return;
      const why = signal.aborted ? 'deadline' : 'flac-missing';
      resolve({ done: false, why, detail: cause.message });
    });
    child.on('close', (code, killedBy) => {
      if (signal.aborted) resolve({ done: false, why: 'deadline', detail: complaint });
      else if (code === 0) resolve({ done: true });
      else resolve({ done: false, why: judge(complaint), detail: killedBy ?? complaint });
    });
  });
}

// flac ends with 1 for every fault, and only its words tell a full disk from the rest.
function judge(complaint: string): SealFailure {
  if (complaint.includes('error occurred while writing')) return 'disk-full';
  if (complaint.includes('error occurred opening the output')) return 'work-unwritable';
  return 'flac-failed';
}
