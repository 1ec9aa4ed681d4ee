// Decides one event of the telephony room: pure, everything it does is in the draft.

import { acknowledgeAlarm, clearAlarm, raiseAlarm } from '../alarm.ts';
import type { RoomEvent } from '../room.ts';
import {
  enter,
  type Outcome,
  type SetAgentState,
  type SignIn,
  setAgentState,
  signIn,
} from './agent.ts';
import { askCall, isUnanswered, orderEnd } from './call.ts';
import {
  type PutCampaign,
  putCampaign,
  type SetCampaignState,
  setCampaignState,
} from './campaign.ts';
import { followClock } from './clock-step.ts';
import {
  backToWaiting,
  type Dispose,
  dispose,
  endWithMessage,
  serveWaiting,
} from './conversation.ts';
import { wake } from './deadlines.ts';
import { decideFact, resurvey } from './facts.ts';
import type { PhoneFact } from './phone-system.ts';
import { freeLines, plantOf, whyNoDialing, withholdDialing } from './plant.ts';
import { judgeRoom, type RecordingLimits, type RecordingRoom } from './recording.ts';
import { type EraseRecordings, eraseRecordings } from './recording-steps.ts';
import { decideDone, decideRecovered } from './results.ts';
import type {
  AgentRow,
  CallRow,
  Moment,
  TelephonyDraft,
  TelephonyEffect,
  TelephonyResult,
} from './working-set.ts';

/** An agent calls a case's number by hand; the permit decides whether that may be. */
export interface ManualCall {
  kind: 'manual-call';
  agentId: string;
  campaignId: string;
  caseId: string;
  numberId: string;
}

export type TelephonyEvent =
  | SignIn
  | SetAgentState
  | Dispose
  | PutCampaign
  | SetCampaignState
  | ManualCall
  | { kind: 'acknowledge-alarm'; alarmId: string; by: string }
  | EraseRecordings
  /** Somebody wanted to hear it, so it was held against the ledger. */
  | { kind: 'recording-proved'; recordingId: string; sound: boolean }
  | { kind: 'hang-up-call'; callId: string; agentId: string }
  | { kind: 'stop-calls'; caseIds: readonly string[]; why: string }
  | { kind: 'person-unfit'; personId: string; lacks: string }
  | { kind: 'phone'; fact: PhoneFact }
  /** Facts were lost inside the daemon: only a survey shows what is true now. */
  | { kind: 'resync' }
  | { kind: 'storage'; room: RecordingRoom; limits: RecordingLimits; unreadable: boolean };

export type TelephonyRoomEvent = RoomEvent<TelephonyEvent, TelephonyEffect, TelephonyResult>;

/** Outcomes after which all goes on as it was ordered; what else comes of them comes as a fact. */
const asOrdered: readonly string[] = [
  'accepted',
  'recording',
  'sealed',
  'discarded',
  'erased',
  'settled',
];

/** Whether nobody and nothing waits for this, so that it is recorded with what comes next. */
export function isPatient(event: TelephonyRoomEvent): boolean {
  if (event.kind === 'phone')
    return event.fact.kind === 'call-ringing' || event.fact.kind === 'bridge-left';
  return event.kind === 'done' && asOrdered.includes(event.result.outcome);
}

/** Decides one event: pure, everything it does is in the draft. */
export function decideTelephony(
  draft: TelephonyDraft,
  event: TelephonyRoomEvent,
  moment: Moment,
): void {
  followClock(draft, moment);
  decideEvent(draft, event, moment);
  // Whatever made an agent free or let a call wait: nobody waits while somebody is ready.
  serveWaiting(draft, moment);
}

function decideEvent(draft: TelephonyDraft, event: TelephonyRoomEvent, moment: Moment): void {
  switch (event.kind) {
    case 'sign-in':
      return draft.answer(signIn(draft, event, moment));
    case 'set-agent-state':
      return draft.answer(setAgentState(draft, event, moment));
    case 'dispose':
      return draft.answer(dispose(draft, event, moment));
    case 'put-campaign':
      return draft.answer(putCampaign(draft, event));
    case 'set-campaign-state':
      return draft.answer(setCampaignState(draft, event, moment));
    case 'manual-call':
      return draft.answer(manualCall(draft, event, moment));
    case 'hang-up-call':
      return draft.answer(hangUpCall(draft, event, moment));
    case 'acknowledge-alarm':
      return draft.answer(acknowledgeAlarm(draft, event.alarmId, event.by, moment));
    case 'recording-proved':
      return recordingProved(draft, event, moment);
    case 'erase-recordings':
      return draft.answer(eraseRecordings(draft, event, moment));
    case 'stop-calls':
      return stopCalls(draft, event.caseIds, event.why, moment);
    case 'person-unfit':
      return personUnfit(draft, event.personId, event.lacks, moment);
    case 'phone':
      return decideFact(draft, event.fact, moment);
    case 'resync':
      return resurvey(draft, moment);
    case 'storage':
      return storageSeen(draft, event, moment);
    case 'wake':
      return wake(draft, moment);
    case 'done':
      return decideDone(draft, event, moment);
    case 'recovered':
      return decideRecovered(draft, event, moment);
  }
}

function recordingProved(
  draft: TelephonyDraft,
  { recordingId, sound }: { recordingId: string; sound: boolean },
  moment: Moment,
): void {
  if (sound) clearAlarm(draft, 'recording-unsound', recordingId, moment);
  else raiseAlarm(draft, 'recording-unsound', recordingId, moment);
}

function manualCall(draft: TelephonyDraft, event: ManualCall, moment: Moment): Outcome {
  const agent = draft.get('Agent', event.agentId);
  const campaign = draft.get('Campaign', event.campaignId);
  if (!agent || !campaign) return { done: false, why: 'not-signed-in' };
  if (agent.legState !== 'up') return { done: false, why: 'phone-not-connected' };
  if (agent.state !== 'ready' && agent.state !== 'away') return { done: false, why: 'busy' };
  const withheld = whyNoDialing(draft, campaign.settings.trunk, moment);
  if (withheld !== undefined) return { done: false, why: withheld };
  if (freeLines(draft, campaign.settings) <= 0) return { done: false, why: 'trunk-full' };
  const { agentId, caseId, numberId } = event;
  const call = askCall(draft, campaign, moment, { mode: 'manual', agentId, caseId, numberId });
  const { state, wanted } = agent;
  const reserved = enter(draft, agent, 'reserved', event.agentId, moment, 'manual-call');
  // Who called from away is away again afterwards.
  const after = state === 'away' ? 'away' : wanted;
  draft.put('Agent', { ...reserved, callId: call.id, wanted: after });
  return { done: true };
}

function hangUpCall(
  draft: TelephonyDraft,
  event: { callId: string; agentId: string },
  moment: Moment,
): Outcome {
  const call = draft.get('Call', event.callId);
  if (!call || call.agentId !== event.agentId) return { done: false, why: 'not-your-call' };
  if (call.state !== 'talking') return { done: false, why: 'not-talking' };
  orderEnd(draft, call, 'agent-hung-up', moment);
  return { done: true };
}

/** A case stopped: what rings or waits for it is ended, what was asked for it is not dialed. */
function stopCalls(
  draft: TelephonyDraft,
  caseIds: readonly string[],
  why: string,
  moment: Moment,
): void {
  for (const call of [...draft.all('Call')]) {
    if (call.caseId === undefined || !caseIds.includes(call.caseId)) continue;
    if (call.state === 'answered') endWithMessage(draft, call, why, moment);
    else if (isUnanswered(call.state) && call.state !== 'asked') orderEnd(draft, call, why, moment);
  }
}

/** Who left is off the phone; who lacks something else is away as soon as their call is over. */
function personUnfit(draft: TelephonyDraft, personId: string, lacks: string, moment: Moment): void {
  const left = lacks === 'person-left';
  for (const agent of [...draft.all('Agent')]) {
    if (agent.personId !== personId || agent.state === 'out') continue;
    const call = agent.callId === undefined ? undefined : draft.get('Call', agent.callId);
    if (!left && isResting(agent)) continue;
    const order = { agentId: agent.id, state: left ? 'out' : 'away', code: lacks } as const;
    setAgentState(draft, { kind: 'set-agent-state', ...order, by: 'system' }, moment);
    if (left && call) takeCallAway(draft, call, lacks, moment);
  }
}

/** Who left speaks with nobody any more; a call that is being connected waits for another agent. */
function takeCallAway(draft: TelephonyDraft, call: CallRow, why: string, moment: Moment): void {
  if (call.state === 'connecting') backToWaiting(draft, call, why, moment);
  else if (call.state !== 'wrap-up' && call.state !== 'ended') orderEnd(draft, call, why, moment);
}

/** Takes no calls now, nor with the phone back, or will take none once this one is over. */
function isResting({ state, code, wanted }: AgentRow): boolean {
  if (state === 'away' || state === 'break') return code !== 'phone' && wanted !== 'ready';
  return state !== 'ready' && wanted !== undefined && wanted !== 'ready';
}

/** Without room for recordings nothing is dialed: a call that can't be recorded must not be. */
function storageSeen(
  draft: TelephonyDraft,
  event: Extract<TelephonyEvent, { kind: 'storage' }>,
  moment: Moment,
): void {
  const plant = plantOf(draft);
  const judged = judgeRoom(plant.storageOk, event.room, event.limits);
  const { spoolHours, vaultHours } = event.room;
  draft.put('Plant', { ...plant, spoolHours, vaultHours });
  if (event.unreadable) raiseAlarm(draft, 'storage-unreadable', 'storage', moment);
  else clearAlarm(draft, 'storage-unreadable', 'storage', moment);
  if (!judged.mayDial) {
    raiseAlarm(draft, 'storage-low', 'storage', moment);
    return withholdDialing(draft, judged.why);
  }
  if (plant.storageOk) return;
  draft.put('Plant', { ...plantOf(draft), storageOk: true });
  draft.entry({ what: 'dialing-allowed', who: 'system', about: 'storage' });
  clearAlarm(draft, 'storage-low', 'storage', moment);
}
