// What counts as the recording of a call: its two legs judged, and the room there must be for more.

/** How the phone system records: G.711 decoded to 16 bits at 8 kHz, one mono file a leg. */
export const samplesPerSecond = 8_000;
export const bytesPerSample = 2;
/** Two legs of one call for one hour, as they lie in the spool: 115.2 MB. */
export const rawBytesPerHour = 2 * samplesPerSecond * bytesPerSample * 3_600;

/** Both files of a call must exist so soon after its answer, else the call is ended. */
export const checkWithinMs = 500;
/** A leg may differ from the span by this, or by a hundredth of the span if that is more. */
export const spanToleranceMs = 300;
export const spanToleranceShare = 0.01;
/** A crash loses at most one unwritten block of 32 KB (2,048 ms) and the 20 ms frames around it. */
export const crashLossMs = 2_100;

/** customer: what the far end said · agent: what the far end was played. */
export type LegName = 'customer' | 'agent';

/**
 * What the file of one leg looks like. `closed`: the header states the length the file has ·
 * `open`: the header states no length yet, so the phone system still writes or has crashed ·
 * `lying`: it states another length · `broken`: not a file with the one header we expect.
 */
export type LegState =
  | { state: 'absent' }
  | { state: 'broken' }
  | { state: 'lying' }
  | { state: 'open' | 'closed'; samples: number };

/** Why a recording was put aside, unsealed, for a person to look at. */
export const quarantineReasons = {
  'both-legs-missing': 'Neither leg lies in the spool.',
  'customer-leg-missing': 'What the customer said was not recorded.',
  'agent-leg-missing': 'What the customer was played was not recorded.',
  'header-broken': 'A leg is not a 16-bit mono WAV file of 8 kHz.',
  'header-lies': 'A leg states another length than its file has.',
  'leg-too-short': 'A leg is shorter than the call by more than the tolerance.',
  'leg-too-long': 'A leg is longer than the call by more than the tolerance.',
  'lost-too-much': 'A crash cost more than one unwritten block of a leg.',
  'legs-differ': 'Nobody saw the call end, and its legs differ by more than they may.',
} as const;
export type QuarantineReason = keyof typeof quarantineReasons;

/** Why sealing failed for now. The raw recording lies where it lay: order it again later. */
export const sealFailures = {
  'queue-full': 'Too many recordings wait to be sealed.',
  deadline: 'Sealing took longer than a recording of this length ever should.',
  'worker-died': 'The sealing worker ended.',
  'spool-unreadable': 'A raw recording can not be read.',
  'quarantine-unwritable': 'A raw recording can not be moved into quarantine.',
  'work-unwritable': 'The work folder can not be written.',
  'disk-full': 'The disk of the work folder or of the vault is full.',
  'flac-missing': 'The program flac can not be started.',
  'flac-failed': 'The program flac ended with an error or was killed.',
  'flac-differs': 'The FLAC, decoded again, is not what was recorded.',
  'vault-failed': 'The vault did not take the FLAC.',
  'vault-differs': 'The vault took other bytes than those that were compared.',
} as const;
export type SealFailure = keyof typeof sealFailures;

export interface SoundLegs {
  verdict: 'sound';
  customerSamples: number;
  agentSamples: number;
  /** Of the longer leg, and so of the FLAC. */
  durationMs: number;
  /** A header stated no length, so that the length was taken from the size of the file. */
  repaired: boolean;
  /** What a crash cost: how much the shorter leg lacks, or the most it can where nobody knows. */
  lostMs: number;
}

export type LegsJudgement =
  | SoundLegs
  | { verdict: 'not-finished' }
  | { verdict: 'quarantine'; why: QuarantineReason };

/** By how much a leg of a call of this span may be too long or, without a crash, too short. */
export function toleranceMs(spanMs: number): number {
  return Math.max(spanToleranceMs, spanMs * spanToleranceShare);
}

/**
 * Judges both legs against the span from answer to hang-up. Without a crash, a header without
 * length means that the phone system has not closed the file yet. After one it is repaired, and a
 * leg may lack `crashLossMs`; where nothing had to be repaired, the tolerance of a long call holds
 * too. A span of 0 says that nobody saw the call end: the legs are judged against each other, and
 * against `leastMs`, for which the call surely lasted.
 */
export function judgeLegs(
  legs: Readonly<Record<LegName, LegState>>,
  spanMs: number,
  crashed: boolean,
  leastMs = 0,
): LegsJudgement {
  const { customer, agent } = legs;
  if (customer.state === 'absent' || agent.state === 'absent') {
    return { verdict: 'quarantine', why: missingReason(customer, agent) };
  }
  if (customer.state === 'broken' || agent.state === 'broken') {
    return { verdict: 'quarantine', why: 'header-broken' };
  }
  if (customer.state === 'lying' || agent.state === 'lying') {
    return { verdict: 'quarantine', why: 'header-lies' };
  }
  const repaired = customer.state === 'open' || agent.state === 'open';
  if (repaired && !crashed) return { verdict: 'not-finished' };

  const longerMs = msOf(Math.max(customer.samples, agent.samples));
  const shorterMs = msOf(Math.min(customer.samples, agent.samples));
  const wrong =
    spanMs === 0
      ? unseenFault(shorterMs, longerMs, leastMs, repaired)
      : lengthFault(shorterMs, longerMs, spanMs, crashed, repaired);
  if (wrong) return { verdict: 'quarantine', why: wrong };
  const lackMs = spanMs === 0 ? crashLossMs : Math.max(0, Math.round(spanMs - shorterMs));
  return {
    verdict: 'sound',
    customerSamples: customer.samples,
    agentSamples: agent.samples,
    durationMs: Math.round(longerMs),
    repaired,
    lostMs: repaired || spanMs - shorterMs > toleranceMs(spanMs) ? lackMs : 0,
  };
}

function unseenFault(
  shorterMs: number,
  longerMs: number,
  leastMs: number,
  repaired: boolean,
): QuarantineReason | undefined {
  if (longerMs - shorterMs > (repaired ? crashLossMs : toleranceMs(longerMs))) return 'legs-differ';
  const mayLackMs = repaired ? crashLossMs : toleranceMs(leastMs);
  return leastMs - shorterMs > mayLackMs ? 'lost-too-much' : undefined;
}

function lengthFault(
  shorterMs: number,
  longerMs: number,
  spanMs: number,
  crashed: boolean,
  repaired: boolean,
): QuarantineReason | undefined {
  const usualMs = toleranceMs(spanMs);
  const lackMs = spanMs - shorterMs;
  if (longerMs - spanMs > usualMs) return 'leg-too-long';
  if (!crashed) return lackMs > usualMs ? 'leg-too-short' : undefined;
  return lackMs > (repaired ? crashLossMs : Math.max(crashLossMs, usualMs))
    ? 'lost-too-much'
    : undefined;
}

const msOf = (samples: number) => (samples * 1_000) / samplesPerSecond;

function missingReason(customer: LegState, agent: LegState): QuarantineReason {
  if (customer.state !== 'absent') return 'agent-leg-missing';
  return agent.state === 'absent' ? 'both-legs-missing' : 'customer-leg-missing';
}

/** How much can still be recorded. A folder that can not be asked has no room at all. */
export interface RecordingRoom {
  spoolHours: number;
  vaultHours: number;
  /** Recordings in the spool, those of living calls among them. */
  unsealed: number;
}

export interface RecordingLimits {
  minSpoolHours: number;
  minVaultHours: number;
  maxUnsealed: number;
}

/** Dialing that was stopped for want of room begins again only this much clear of the limit. */
export const clearanceShare = 0.2;

export type RoomJudgement =
  | { mayDial: true }
  | { mayDial: false; why: 'spool-short' | 'vault-short' | 'unsealed-many' };

/**
 * Whether there is room to record what would be dialed. `before` is the last judgement: once
 * stopped, every limit must be kept by a fifth, so that dialing does not flutter at the edge.
 */
export function judgeRoom(
  before: boolean,
  room: RecordingRoom,
  limits: RecordingLimits,
): RoomJudgement {
  const clearance = before ? 0 : clearanceShare;
  const needed = (hours: number) => hours * (1 + clearance);
  if (room.spoolHours < needed(limits.minSpoolHours)) return { mayDial: false, why: 'spool-short' };
  if (room.vaultHours < needed(limits.minVaultHours)) return { mayDial: false, why: 'vault-short' };
  if (room.unsealed > limits.maxUnsealed * (1 - clearance)) {
    return { mayDial: false, why: 'unsealed-many' };
  }
  return { mayDial: true };
}
