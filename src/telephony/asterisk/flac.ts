// Debian's flac as a child process: raw stereo files into verified FLACs, and those back again.
import { spawn } from 'node:child_process';
import { bytesPerSample, type SealFailure, samplesPerSecond } from '../recording.ts';

export type FlacEnd = { done: true } | { done: false; why: SealFailure; detail: string };

const rawForm = ['--force-raw-format', '--endian=little', '--sign=signed'];
const stereoForm = [
  '--channels=2',
  `--bps=${8 * bytesPerSample}`,
  `--sample-rate=${samplesPerSecond}`,
];
// Two voices are unlike, so that looking for what the channels share costs a quarter of the time
// and saves nothing.
const flacForm = ['--no-mid-side', '--no-padding', '--no-seektable'];
/** How much of what flac complains about is kept for the log. */
const complaintChars = 1_000;

/**
 * Encodes each `<name>.raw` into `<name>.flac` beside it, all in one process, since starting one
 * costs more than a short call. flac itself decodes along and compares; it removes a raw file only
 * when its FLAC is whole and was found right, so that whatever raw file is left tells its failure.
 */
export function encodeFlacs(
  program: string,
  rawPaths: readonly string[],
  signal: AbortSignal,
): Promise<FlacEnd> {
  const how = ['--silent', '--verify', '--force', '--delete-input-file'];
  return runFlac(program, [...how, ...flacForm, ...rawForm, ...stereoForm, ...rawPaths], signal);
}

/** Decodes each `<name>.flac` into `<name>.raw`; one that is spoilt leaves no raw file. */
export function decodeFlacs(
  program: string,
  flacPaths: readonly string[],
  signal: AbortSignal,
): Promise<FlacEnd> {
  return runFlac(program, ['--decode', '--silent', ...rawForm, ...flacPaths], signal);
}

function runFlac(program: string, args: string[], signal: AbortSignal): Promise<FlacEnd> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  return new Promise((resolve) => {
    let complaint = '';
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => {
      complaint = (complaint + text).slice(0, complaintChars);
    });
    child.on('error', (cause) => {
      // An aborted child is dead only when it has closed, and only then its files may be touched.
      if (child.pid === undefined) {
        resolve({ done: false, why: 'flac-missing', detail: cause.message });
      }
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
