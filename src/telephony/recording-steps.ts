// The recording of a call as telephony steps it: seen, closed, sealed, and only then its raw files.
import { clearAlarm, raiseAlarm } from '../alarm.ts';
import { orderEnd } from './call.ts';
import { rawGone, withholdDialing } from './plant.ts';
import type { SealedRecording } from './recordings.ts';
import type {
  CallRow,
  Moment,
  RecordingRow,
  TelephonyDraft,
  TelephonyResult,
} from './working-set.ts';

const checkDeadlineMs = 2_000;
const sealDeadlineMs = 120_000;
const discardDeadlineMs = 10_000;
const firstRetryMs = 1_000;
const longestRetryMs = 60_000;
/** Failures in a row of one recording before it is an alarm; it is tried on for ever. */
const alarmAfterTries = 3;
/** Looks at open files before they are held to have been left by a crash. */
const openTries = 4;

/**
 * Telephony's own watch over the recording that the phone system started at the answer. `notice`:
 * the far end is known to have been told that it is recorded.
 */
export function openRecording(
  draft: TelephonyDraft,
  call: CallRow,
  notice: boolean,
  moment: Moment,
): void {
  draft.put('Recording', {
    id: call.id,
    state: 'live',
    spanMs: 0,
    crashed: false,
    tries: 0,
    notice,
    repaired: false,
  });
  draft.effect(moment.newId('effect'), {
    kind: 'check-recording',
    lane: `recording:${call.id}`,
    deadlineMs: checkDeadlineMs,
    callId: call.id,
  });
}

/** A call without a recording must not go on: recording fails open in the phone system. */
export function recordingChecked(
  draft: TelephonyDraft,
  callId: string,
  result: TelephonyResult,
  moment: Moment,
): void {
  const call = draft.get('Call', callId);
  if (result.outcome === 'recording') {
    const notice = draft.get('Recording', callId)?.notice ?? false;
    draft.entry({ what: 'recording-running', who: 'system', about: callId, facts: { notice } });
    return;
  }
  raiseAlarm(draft, 'call-not-recorded', callId, moment);
  // The next one would most likely not be recorded either.
  withholdDialing(draft, 'call-not-recorded');
  if (call && call.state !== 'ended') orderEnd(draft, call, 'not-recorded', moment);
}

/** The call is over: what was recorded of it is to be sealed. */
export function closeRecording(draft: TelephonyDraft, call: CallRow, moment: Moment): void {
  const recording = draft.get('Recording', call.id);
  if (recording?.state !== 'live') return;
  const { answeredUtcMs, endedUtcMs } = call;
  const seenMs = Math.max(0, Math.round((endedUtcMs ?? 0) - (answeredUtcMs ?? 0)));
  // Nobody saw when a recovered call ended: its legs are then held against each other.
  const spanMs = call.recovered ? 0 : seenMs;
  const closed: RecordingRow = {
    ...recording,
    state: 'closed',
    spanMs,
    crashed: recording.crashed || call.recovered,
  };
  draft.put('Recording', closed);
  orderSeal(draft, closed, moment);
}

/** Raw files whose call nobody remembers as answered: they are sealed all the same. */
export function adoptRecording(draft: TelephonyDraft, id: string, moment: Moment): void {
  const adopted: RecordingRow = {
    id,
    state: 'closed',
    spanMs: 0,
    crashed: true,
    tries: 0,
    notice: false,
    repaired: false,
  };
  draft.put('Recording', adopted);
  draft.entry({ what: 'recording-found', who: 'system', about: id, why: 'after-restart' });
  orderSeal(draft, adopted, moment);
}

export function orderSeal(draft: TelephonyDraft, recording: RecordingRow, moment: Moment): void {
  draft.effect(moment.newId('effect'), {
    kind: 'seal',
    lane: `recording:${recording.id}`,
    deadlineMs: sealDeadlineMs,
    recordingId: recording.id,
    spanMs: recording.spanMs,
    ...(recording.leastMs === undefined ? {} : { leastMs: recording.leastMs }),
    crashed: recording.crashed,
  });
}

/** Sealed: the digests go to the ledger, and only after that commit may the raw files go. */
export function sealDone(
  draft: TelephonyDraft,
  recording: RecordingRow,
  result: TelephonyResult,
  moment: Moment,
): void {
  if (recording.state !== 'closed') return;
  if (result.outcome === 'sealed') sealed(draft, recording, result, moment);
  else if (result.outcome === 'quarantined') quarantined(draft, recording, result.why, moment);
  else sealLater(draft, recording, result, moment);
}

function sealed(
  draft: TelephonyDraft,
  recording: RecordingRow,
  result: SealedRecording,
  moment: Moment,
): void {
  const { objectId, plainSha256, cipherSha256, plainBytes, iv, wrappedKey, keyId } = result;
  const { durationMs, repaired, lostMs } = result;
  const object = { objectId, plainSha256, cipherSha256, plainBytes, iv, wrappedKey, keyId };
  draft.put('Recording', {
    ...recording,
    ...object,
    state: 'sealed',
    durationMs,
    repaired,
    sealedUtcMs: moment.atUtcMs,
    nextUtcMs: undefined,
  });
  draft.entry({
    what: 'recording-sealed',
    who: 'system',
    about: recording.id,
    facts: {
      agentPcmSha256: result.agentPcmSha256,
      agentSamples: result.agentSamples,
      cipherSha256,
      customerPcmSha256: result.customerPcmSha256,
      customerSamples: result.customerSamples,
      durationMs,
      flacSha256: plainSha256,
      lostMs,
      objectId,
      plainBytes,
      repaired,
    },
  });
  clearAlarm(draft, 'sealing-failing', recording.id, moment);
  orderDiscard(draft, { ...recording, objectId }, moment);
}

function quarantined(draft: TelephonyDraft, recording: RecordingRow, why: string, moment: Moment) {
  const { id } = recording;
  draft.put('Recording', { ...recording, state: 'quarantined', why, nextUtcMs: undefined });
  draft.release('Recording', id);
  rawGone(draft, id);
  draft.entry({ what: 'recording-quarantined', who: 'system', about: id, why });
  raiseAlarm(draft, 'recording-quarantined', id, moment);
}

/** Files still open are waited for; once nobody will close them they are repaired as crashed. */
function sealLater(
  draft: TelephonyDraft,
  recording: RecordingRow,
  result: TelephonyResult,
  moment: Moment,
): void {
  const tries = recording.tries + 1;
  const delayMs = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(tries - 1, 10));
  const why = 'why' in result ? result.why : result.outcome;
  const crashed = recording.crashed || (why === 'not-finished' && tries >= openTries);
  const nextUtcMs = moment.atUtcMs + delayMs;
  draft.put('Recording', { ...recording, tries, why, crashed, nextUtcMs });
  if (tries === alarmAfterTries) raiseAlarm(draft, 'sealing-failing', recording.id, moment);
}

export function orderDiscard(draft: TelephonyDraft, recording: RecordingRow, moment: Moment): void {
  if (recording.objectId === undefined) return;
  draft.effect(moment.newId('effect'), {
    kind: 'discard-raw',
    lane: `recording:${recording.id}`,
    deadlineMs: discardDeadlineMs,
    recordingId: recording.id,
    objectId: recording.objectId,
  });
}

/** The raw files are gone: the FLAC in the vault is the original now. */
export function discardDone(
  draft: TelephonyDraft,
  recording: RecordingRow,
  result: TelephonyResult,
  moment: Moment,
): void {
  if (recording.state !== 'sealed') return;
  if (result.outcome === 'discarded') {
    draft.put('Recording', { ...recording, state: 'kept', nextUtcMs: undefined });
    draft.release('Recording', recording.id);
    rawGone(draft, recording.id);
    draft.entry({ what: 'raw-discarded', who: 'system', about: recording.id });
  } else {
    draft.put('Recording', { ...recording, nextUtcMs: moment.atUtcMs + longestRetryMs });
  }
}

export interface EraseRecordings {
  kind: 'erase-recordings';
  /** The rows as the store holds them; kept recordings are not in memory. */
  rows: readonly RecordingRow[];
  why: string;
}

/**
 * Destroys the keys of recordings with their rows; the bytes that nobody can read any more follow.
 * False while one of them is still on its way into the vault: to be asked again.
 */
export function eraseRecordings(
  draft: TelephonyDraft,
  { rows, why }: EraseRecordings,
  moment: Moment,
): boolean {
  const waiting = rows.some((row) => {
    const { state } = draft.get('Recording', row.id) ?? row;
    return state === 'live' || state === 'closed' || state === 'sealed';
  });
  if (waiting) return false;
  for (const { id, state, objectId, cipherSha256, spanMs, crashed, notice, repaired } of rows) {
    if (state === 'erased') continue;
    draft.put('Recording', {
      ...{ id, state: 'erased', why, spanMs, crashed, notice, repaired, tries: 0 },
    });
    draft.release('Recording', id);
    clearAlarm(draft, 'recording-unsound', id, moment);
    if (state === 'quarantined') {
      draft.entry({ what: 'quarantine-erased', who: 'system', about: id, why });
      clearAlarm(draft, 'recording-quarantined', id, moment);
    }
    if (objectId === undefined || cipherSha256 === undefined) continue;
    const facts = { cipherSha256, recordingId: id };
    draft.entry({ what: 'object-erased', who: 'system', about: objectId, why, facts });
    const lane = `recording:${id}`;
    const deadlineMs = discardDeadlineMs;
    draft.effect(moment.newId('effect'), { kind: 'erase-object', lane, deadlineMs, cipherSha256 });
  }
  return true;
}
