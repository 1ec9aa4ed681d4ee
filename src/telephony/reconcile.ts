// After a cut or a restart: what the phone system says is alive, held against what we remember.

import { clearAlarm } from '../alarm.ts';
import { free, legEnded, ringPhone } from './agent.ts';
import { endChannel, endUnanswered, isUnanswered } from './call.ts';
import { paceSoon } from './campaign.ts';
import {
  callAnswered,
  connected,
  endAnswered,
  endUnseen,
  giveAgent,
  tellMessage,
} from './conversation.ts';
import { phoneUp } from './facts.ts';
import type { Survey, SurveyedCall } from './phone-system.ts';
import { plantOf } from './plant.ts';
import { adoptRecording } from './recording-steps.ts';
import type { RawRecording } from './recordings.ts';
import type { CallRow, Moment, TelephonyDraft } from './working-set.ts';

const feeds = ['ami', 'ari', 'survey'];

/**
 * Settles every call and leg by a survey. Of calls that it does not show, those with `callIds` had
 * been dialed before it was asked for: they are over. What began later is left alone.
 * Our memory loses wherever the phone system knows better; channels nobody owns are ended.
 */
export function reconcile(
  draft: TelephonyDraft,
  callIds: readonly string[],
  survey: Survey,
  raw: readonly RawRecording[],
  moment: Moment,
): void {
  const plant = plantOf(draft);
  const restarted = plant.bootId !== '' && plant.bootId !== survey.bootId;
  draft.put('Plant', { ...plant, feed: 'fresh', surveyUtcMs: undefined, bootId: survey.bootId });
  for (const feed of feeds) clearAlarm(draft, 'feed-stale', `feed-${feed}`, moment);
  const recorded = new Set(raw.map(({ recordingId }) => recordingId));
  const dialed = new Set(callIds);
  const alive = new Map(survey.calls.map((call) => [call.callId, call]));
  for (const call of [...draft.all('Call')]) {
    const seen = alive.get(call.id);
    if (seen) resume(draft, call, seen, moment);
    else if (dialed.has(call.id)) lost(draft, call, recorded.has(call.id), restarted, moment);
  }
  for (const call of survey.calls)
    if (!draft.get('Call', call.callId)) endOrphan(draft, call.callId, moment);
  reconcileLegs(draft, survey, moment);
  for (const { recordingId } of raw) adopt(draft, recordingId, moment);
  for (const campaign of draft.all('Campaign')) paceSoon(draft, campaign.id, moment);
}

/** A call that lives: it may have been answered, connected or left alone while nobody looked. */
function resume(draft: TelephonyDraft, call: CallRow, seen: SurveyedCall, moment: Moment): void {
  // An order to end it that was refused or lost on the way is given again.
  if (call.state === 'message' && seen.held) return tellMessage(draft, call.id, moment);
  if (call.endAsked !== undefined && call.state !== 'message') {
    return endChannel(draft, call.id, moment);
  }
  if (seen.state === 'up' && isUnanswered(call.state)) {
    draft.put('Call', { ...call, recovered: true });
    callAnswered(draft, { ...call, recovered: true }, moment.atUtcMs, moment);
  } else if (call.state === 'connecting' && seen.legId !== undefined) {
    connected(draft, call, moment);
  } else if (call.state === 'connecting' && seen.held) {
    const agent = draft.get('Agent', call.agentId ?? '');
    const waiting: CallRow = { ...call, state: 'answered', agentId: undefined };
    draft.put('Call', waiting);
    if (agent?.callId === call.id) free(draft, agent, 'system', moment);
    giveAgent(draft, waiting, moment);
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
  if (recording?.state === 'live') draft.put('Recording', { ...recording, crashed: true });
  if (!isUnanswered(call.state)) endAnswered(draft, gone, end, moment);
  // Recording starts at the answer, so this one was answered while nobody looked.
  else if (wasRecorded) endUnseen(draft, gone, end, moment);
  else endUnanswered(draft, gone, 'unknown', end, moment);
}

function endOrphan(draft: TelephonyDraft, channelId: string, moment: Moment): void {
  draft.entry({ what: 'orphan-ended', who: 'system', about: channelId, why: 'nobody-owns-it' });
  endChannel(draft, channelId, moment);
}

function reconcileLegs(draft: TelephonyDraft, survey: Survey, moment: Moment): void {
  const legs = new Map(survey.legs.map((leg) => [leg.legId, leg.up]));
  for (const agent of [...draft.all('Agent')]) {
    const { legId } = agent;
    // A phone whose end is known was hung up, or is unwanted: it is rung when its agent asks.
    if (legId === undefined) continue;
    if (legs.has(legId)) {
      if (legs.get(legId) && agent.legState !== 'up') phoneUp(draft, legId, moment);
      continue;
    }
    const working = agent.state === 'ready' || agent.wanted === 'ready';
    const next = legEnded(draft, legId, 'gone-unseen', moment);
    if (next?.way !== 'pre-connected' || next.state === 'out') continue;
    // Nobody at this seat hung up: the phone is rung again, and whoever worked goes on working.
    const current = draft.get('Agent', next.id) ?? next;
    ringPhone(draft, working ? { ...current, wanted: 'ready' } : current, moment);
  }
  const owned = new Set([...draft.all('Agent')].map((agent) => agent.legId));
  for (const { legId } of survey.legs) if (!owned.has(legId)) endOrphan(draft, legId, moment);
}

/** Raw files in the spool that no row accounts for, or whose row waits, are taken in again. */
function adopt(draft: TelephonyDraft, recordingId: string, moment: Moment): void {
  if (draft.get('Recording', recordingId) || draft.get('Call', recordingId)) return;
  adoptRecording(draft, recordingId, moment);
}
