// The port to the recordings of calls: seen to begin, sealed into the vault, raw files let go.
import type { LegName, QuarantineReason, RecordingRoom, SealFailure } from './recording.ts';

/** One recording a call, under the call's id. */
export interface SealOrder {
  recordingId: string;
  /** From answer to hang-up, as the phone system stamped both; 0 where nobody saw one of them. */
  spanMs: number;
  /** How long the call lasted at least, where nobody saw its end. */
  leastMs?: number | undefined;
  /**
   * The phone system or the daemon crashed during the call, or it never closed the files: a header
   * without length is repaired, and the last block of a leg may be missing.
   */
  crashed: boolean;
}

/** What a vault object is known by; every field but the key belongs into the ledger. */
export interface SealedObject {
  objectId: string;
  /** SHA-256 in hex of the FLAC and of its encrypted bytes. */
  plainSha256: string;
  cipherSha256: string;
  plainBytes: number;
  iv: string;
  wrappedKey: string;
  keyId: string;
}

/**
 * A sealed recording: one FLAC of two channels, left the agent, right the customer. The shorter leg
 * is filled up with silence at its end. The digests are those of each leg's samples as recorded
 * (signed 16-bit little-endian, without header and filling): decode the FLAC, take the channel's
 * first `…Samples` samples, and SHA-256 gives the digest.
 */
export interface SealedRecording extends SealedObject {
  outcome: 'sealed';
  customerPcmSha256: string;
  customerSamples: number;
  agentPcmSha256: string;
  agentSamples: number;
  durationMs: number;
  /** A leg's length was taken from the size of its file. */
  repaired: boolean;
  /** What a crash cost, at most 2,100 ms; just that where nobody saw the end. */
  lostMs: number;
}

/**
 * not-finished: the phone system has not closed the files; order again, and once it surely will
 * not, as `crashed` · quarantined: put aside for good, a person has to look · failed: nothing has
 * changed, order again. `detail` is for the log only, since it holds paths.
 */
export type SealOutcome =
  | SealedRecording
  | { outcome: 'not-finished' }
  | { outcome: 'quarantined'; why: QuarantineReason }
  | { outcome: 'failed'; why: SealFailure; detail: string };

export type CheckOutcome =
  | { outcome: 'recording' }
  | { outcome: 'missing'; which: LegName | 'both' };

export type DiscardOutcome = { outcome: 'discarded' } | { outcome: 'failed'; detail: string };

export interface RawRecording {
  recordingId: string;
  legs: readonly LegName[];
  /** Of all its legs together, headers included. */
  sizeBytes: number;
  /** Both legs exist and state the length they have. */
  finished: boolean;
}

export type SpoolSurvey =
  | { outcome: 'surveyed'; recordings: readonly RawRecording[] }
  | { outcome: 'unreadable'; detail: string };

export interface Recordings {
  /** Waits until both files of an answered call have their header, at most `checkWithinMs`. */
  check(callId: string): Promise<CheckOutcome>;
  /**
   * Checks the raw recording, encodes it, compares the result with it and puts it into the vault.
   * Repeating it is safe: it gives a sealed object or the same quarantine. The raw files stay.
   */
  seal(order: SealOrder): Promise<SealOutcome>;
  /** Removes the raw files, durably. Only for a recording whose sealing stands in the ledger. */
  discardRaw(recordingId: string): Promise<DiscardOutcome>;
  /**
   * Removes what was put aside of a recording, durably; where nothing was, nothing happens. Throws
   * when a file can't be removed.
   */
  eraseQuarantined(recordingId: string): Promise<void>;
  /** What lies in the spool. */
  survey(): Promise<SpoolSurvey>;
  /** `fault` says for the log why a folder could not be asked; it counts as having no room. */
  room(): Promise<RecordingRoom & { fault?: string }>;
}
