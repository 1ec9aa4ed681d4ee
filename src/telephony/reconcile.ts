// After a cut or a restart: what the phone system says is alive, held against what we remember.

import { clearAlarm } from '../alarm.ts';
import { ringPhone } from './agent.ts';
import { endChannel, endUnanswered, isUnanswered, orderEnd } from './call.ts';
import { paceSoon } from './campaign.ts';
import {
  callAnswered,
  connected,
  endAnswered,
  endUnseen,
  isConnectingTo,
  tellMessage,
  tryAgain,
  waitAgain,
} from './conversation.ts';
import { legGone, phoneUp } from './facts.ts';
import type { Survey, SurveyedCall } from './phone-system.ts';
import { plantOf } from './plant.ts';
import { adoptRecording } from './recording-steps.ts';
import type { RawRecording } from './recordings.ts';
import type { CallRow, KnownThen, Moment, TelephonyDraft } from './working-set.ts';

/** A link that hangs is found out by its pings within this (asterisk/ari.ts: ping and pong). */
const lossNoticedMs = 6_000;
const feeds = ['ami', 'ari', 'survey'];

/**
 * Settles every call and leg by a survey. Of what it does not show, that is over which was there
 * before it was asked for (`known`). What began later is left alone.
 * Our memory loses wherever the phone system knows better; channels nobody owns are ended.
 */
export function reconcile(
  draft: TelephonyDraft,
  known: KnownThen,
  survey: Survey,
  raw: readonly RawRecording[],
  moment: Moment,
): void {
  const plant = plantOf(draft);
  const restarted = plant.bootId !== '' && plant.bootId !== survey.bootId;
  draft.put('Plant', { ...plant, feed: 'fresh', surveyUtcMs: undefined, bootId: survey.bootId });
  for (const feed of feeds) clearAlarm(draft, 'feed-stale', `feed-${feed}`, moment);
  const recorded = new Set(raw.map(({ recordingId }) => recordingId));
  const dialed = new Set(known.callIds);
  const alive = new Map(survey.calls.map((call) => [call.callId, call]));
  const living = [...draft.all('Call')].filter(({ id }) => alive.has(id));
  for (const call of [...draft.all('Call')])
    if (!alive.has(call.id) && dialed.has(call.id)) {
      lost(draft, call, recorded.has(call.id), restarted, moment);
    }
  losePhones(draft, known, survey, moment);
  for (const call of living) {
    const seen = alive.get(call.id);
    // The loss of its agent's phone has settled a call already.
    if (seen && draft.get('Call', call.id) === call) resume(draft, call, seen, known, moment);
  }
  for (const call of survey.calls)
    if (!draft.get('Call', call.callId)) endOrphan(draft, call.callId, moment);
  reconcileLegs(draft, survey, moment);
  draft.put('Plant', { ...plantOf(draft), lostUtcMs: undefined });
  for (const { recordingId } of raw) adopt(draft, recordingId, moment);
  for (const campaign of draft.all('Campaign')) paceSoon(draft, campaign.id, moment);
}

/** A call that lives: it may have been answered, connected or left alone while nobody looked. */
function resume(
  draft: TelephonyDraft,
  call: CallRow,
  seen: SurveyedCall,
  known: KnownThen,
  moment: Moment,
): void {
  // An order to end it that was refused or lost on the way is given again.
  if (call.state === 'message' && seen.held) return tellMessage(draft, call.id, moment);
  if (call.endAsked !== undefined && call.state !== 'message') {
    return endChannel(draft, call.id, moment);
  }
  // Answered and not held yet: the dialplan plays the notice, or tries again soon to hand it over.
  if (seen.held && isUnanswered(call.state)) {
    draft.put('Call', { ...call, recovered: true });
    callAnswered(draft, { ...call, recovered: true }, moment.atUtcMs, moment);
  } else if (call.state === 'connecting' && isConnectingTo(draft, call, seen.legId ?? '')) {
    connected(draft, call, seen.legId ?? '', moment);
  } else if (call.state === 'connecting' && seen.held) {
    waitAgain(draft, call, moment);
  } else if (call.state === 'answered' && seen.held) {
    tryAgain(draft, call, moment);
  } else if (call.state === 'talking') {
    const wasTalking = known.talkingIds.includes(call.id);
    if (wasTalking && seen.legId === undefined) orderEnd(draft, call, 'left-alone', moment);
  } else if (call.state === 'dialing' || call.state === 'dialed') {
    draft.put('Call', { ...call, state: seen.state === 'ringing' ? 'ringing' : 'dialed' });
  }
}

/** A call that is gone and whose end nobody saw. It counts as dialed; its recording tells more. */
function lost(
  draft: TelephonyDraft,
  call: CallRow,
  wasRecorded: boolean,
  restarted: boolean,
  moment: Moment,
): void {
  if (call.state === 'ended' || call.state === 'asked' || call.state === 'wrap-up') return;
  const gone: CallRow = { ...call, recovered: true };
  const why = restarted ? 'phone-system-restarted' : 'end-not-seen';
  const end = { by: 'phone-system', why, atUtcMs: moment.atUtcMs } as const;
  const recording = draft.get('Recording', call.id);
  if (recording?.state === 'live') {
    const leastMs = livedMs(call, plantOf(draft).lostUtcMs);
    draft.put('Recording', { ...recording, crashed: true, leastMs });
  }
  if (!isUnanswered(call.state)) endAnswered(draft, gone, end, moment);
  // Recording starts at the answer, so this one was answered while nobody looked.
  else if (wasRecorded) endUnseen(draft, gone, end, moment);
  else endUnanswered(draft, gone, 'unknown', end, moment);
}

/** For how long after its answer a call surely lived: what was told of it, and that it went on. */
function livedMs(
  { answeredUtcMs = 0, connectedUtcMs = answeredUtcMs }: CallRow,
  lostUtcMs = answeredUtcMs,
): number {
  const aliveUtcMs = Math.max(connectedUtcMs, lostUtcMs - lossNoticedMs);
  return Math.max(0, Math.round(aliveUtcMs - answeredUtcMs));
}

function endOrphan(draft: TelephonyDraft, channelId: string, moment: Moment): void {
  draft.entry({ what: 'orphan-ended', who: 'system', about: channelId, why: 'nobody-owns-it' });
  endChannel(draft, channelId, moment);
}

/** Phones that are gone: nobody stays on the line with them, and they are rung again. */
function losePhones(
  draft: TelephonyDraft,
  { legIds }: KnownThen,
  { legs }: Survey,
  moment: Moment,
): void {
  const alive = new Set(legs.map(({ legId }) => legId));
  for (const { id, legId, state, wanted } of [...draft.all('Agent')]) {
    // A phone whose end is known was hung up, or is unwanted: it is rung when its agent asks.
    if (legId === undefined || alive.has(legId) || !legIds.includes(legId)) continue;
    legGone(draft, legId, 'gone-unseen', moment);
    const agent = draft.get('Agent', id);
    if (agent?.way !== 'pre-connected' || agent.state === 'out') continue;
    // Nobody at this seat hung up: whoever worked goes on working.
    const working = state === 'ready' || wanted === 'ready';
    ringPhone(draft, working ? { ...agent, wanted: 'ready' } : agent, moment);
  }
}

function reconcileLegs(draft: TelephonyDraft, survey: Survey, moment: Moment): void {
  const up = new Set(survey.legs.flatMap(({ legId, up }) => (up ? legId : [])));
  for (const { legId, legState } of [...draft.all('Agent')])
    if (legId !== undefined && up.has(legId) && legState !== 'up') phoneUp(draft, legId, moment);
  const owned = new Set([...draft.all('Agent')].map((agent) => agent.legId));
  for (const { legId } of survey.legs) if (!owned.has(legId)) endOrphan(draft, legId, moment);
}

/** Raw files in the spool that no row accounts for, or whose row waits, are taken in again. */
function adopt(draft: TelephonyDraft, recordingId: string, moment: Moment): void {
  if (draft.get('Recording', recordingId) || draft.get('Call', recordingId)) return;
  adoptRecording(draft, recordingId, moment);
}
