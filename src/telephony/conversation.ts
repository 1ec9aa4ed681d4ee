// The life of a call from its answer on: an agent within the limit or the message, then wrap-up.

import { clearAlarm, raiseAlarm } from '../alarm.ts';
import { toCode } from '../draft.ts';
import { enter, free, longestReady, startWrapUp } from './agent.ts';
import {
  type CallEnd,
  finish,
  isUnanswered,
  orderDeadlineMs,
  orderEnd,
  orderSurvey,
  settle,
  trunkCarries,
} from './call.ts';
import { countOnDay, learnFromCall, learnFromTalk, paceSoon } from './campaign.ts';
import type { OrderOutcome } from './phone-system.ts';
import { closeRecording, openRecording } from './recording-steps.ts';
import type {
  AgentRow,
  CallOutcomeCode,
  CallRow,
  Moment,
  Stated,
  TelephonyDraft,
} from './working-set.ts';

/** Time kept for the order itself: the far end is connected or hears us within the limit. */
export const orderReserveMs = 150;
/** A lost order to connect must be noticed while the far end still waits. */
const connectDeadlineMs = 700;
/** Each further refusal of one call makes its next try wait so much longer. */
const retryConnectMs = 100;
const defaultWaitMs = 2_000;

/** The far end answered: count it, watch its recording begin, give it an agent if one is free. */
export function callAnswered(
  draft: TelephonyDraft,
  call: CallRow,
  answeredUtcMs: number,
  moment: Moment,
  noticedUtcMs?: number,
): void {
  if (call.state === 'answered') return tryAgain(draft, call, moment);
  if (call.answeredUtcMs !== undefined || call.state === 'ended') return;
  giveAgent(draft, noteAnswer(draft, call, answeredUtcMs, moment, noticedUtcMs), moment);
}

function noteAnswer(
  draft: TelephonyDraft,
  call: CallRow,
  answeredUtcMs: number,
  moment: Moment,
  noticedUtcMs?: number,
): CallRow {
  const stampUtcMs = Math.round(answeredUtcMs);
  const next: CallRow = { ...call, state: 'answered', answeredUtcMs: stampUtcMs };
  draft.put('Call', next);
  const facts = { answeredUtcMs: stampUtcMs };
  draft.entry({ what: 'call-answered', who: 'system', about: call.id, facts });
  countOnDay(draft, call.campaignId, moment, { answered: 1 });
  learnFromCall(draft, next, moment);
  trunkCarries(draft, next, moment);
  openRecording(draft, next, noticedUtcMs !== undefined, moment);
  if (noticedUtcMs !== undefined) judgeNotice(draft, next, noticedUtcMs - stampUtcMs, moment);
  paceSoon(draft, call.campaignId, moment);
  return next;
}

/** The wait runs from the answer: a notice that fills it makes every call an abandoned one. */
function judgeNotice(draft: TelephonyDraft, call: CallRow, noticeMs: number, moment: Moment): void {
  const { campaignId } = call;
  if (noticeMs <= waitLimitMs(draft, call) - orderReserveMs) {
    clearAlarm(draft, 'notice-too-long', campaignId, moment);
  } else raiseAlarm(draft, 'notice-too-long', campaignId, moment);
}

/** Connects a waiting call to its own agent, or to the one who has been ready longest. */
function giveAgent(draft: TelephonyDraft, call: CallRow, moment: Moment): void {
  // It answered while it was being given up: it may be gone before anybody says a word.
  if (call.endAsked !== undefined) return;
  const agent =
    call.agentId === undefined
      ? longestReady(draft, call.campaignId)
      : draft.get('Agent', call.agentId);
  // Who is about to be hung up is not put through any more.
  if (call.endAsked !== undefined) return;
  if (!agent || agent.legId === undefined || agent.legState !== 'up') return;
  if (agent.callId !== undefined && agent.callId !== call.id) return;
  const connecting: CallRow = { ...call, state: 'connecting', agentId: agent.id };
  draft.put('Call', connecting);
  const reserved: AgentRow = {
    ...agent,
    state: 'reserved',
    callId: call.id,
    sinceUtcMs: moment.atUtcMs,
  };
  draft.put('Agent', reserved);
  draft.entry({
    what: 'call-assigned',
    who: 'system',
    about: call.id,
    why: call.agentId === undefined ? 'longest-ready' : 'own-agent',
    facts: {
      agentId: agent.id,
      readyMs: Math.max(0, Math.round(moment.atUtcMs - agent.sinceUtcMs)),
    },
  });
  draft.effect(moment.newId('effect'), {
    kind: 'connect',
    lane: call.id,
    deadlineMs: connectDeadlineMs,
    callId: call.id,
    legId: agent.legId,
  });
}

/** A waiting call is surely in our hands: what was refused before may work now. */
export function tryAgain(draft: TelephonyDraft, call: CallRow, moment: Moment): void {
  const waiting: CallRow = { ...call, refusals: undefined, nextTryUtcMs: undefined };
  draft.put('Call', waiting);
  giveAgent(draft, waiting, moment);
}

/** Calls that wait, the oldest first, are given to whoever is ready. */
export function serveWaiting(draft: TelephonyDraft, moment: Moment): void {
  const waiting = [...draft.all('Call')]
    .filter((call) => call.state === 'answered' && (call.nextTryUtcMs ?? 0) <= moment.atUtcMs)
    .sort((a, b) => (a.answeredUtcMs ?? 0) - (b.answeredUtcMs ?? 0));
  for (const call of waiting) giveAgent(draft, call, moment);
}

/** The phone system's answer to the connecting; its `bridge-joined` fact may have come before. */
export function connectDone(
  draft: TelephonyDraft,
  call: CallRow,
  legId: string,
  result: OrderOutcome,
  moment: Moment,
): void {
  if (!isConnectingTo(draft, call, legId)) return;
  if (result.outcome === 'accepted') connected(draft, call, legId, moment);
  else if (result.outcome === 'unknown') orderSurvey(draft, moment);
  else backToWaiting(draft, call, result.reason, moment);
}

/** False for what is still said of an agent whom the call has been taken from since. */
export function isConnectingTo(draft: TelephonyDraft, call: CallRow, legId: string): boolean {
  const agent = draft.get('Agent', call.agentId ?? '');
  return call.state === 'connecting' && agent?.legId === legId;
}

/** Customer and agent hear each other. */
export function connected(
  draft: TelephonyDraft,
  call: CallRow,
  legId: string,
  moment: Moment,
): void {
  if (!isConnectingTo(draft, call, legId)) return;
  const agent = draft.get('Agent', call.agentId ?? '');
  draft.put('Call', { ...call, state: 'talking', connectedUtcMs: moment.atUtcMs });
  const afterMs = Math.round(moment.atUtcMs - (call.answeredUtcMs ?? moment.atUtcMs));
  draft.entry({
    what: 'call-connected',
    who: 'system',
    about: call.id,
    facts: { agentId: call.agentId ?? '', afterMs },
  });
  // Connected beyond the limit is abandoned by the rule's own words, though they do talk.
  if (afterMs > waitLimitMs(draft, call))
    countOnDay(draft, call.campaignId, moment, { abandoned: 1 });
  if (agent?.state === 'reserved') enter(draft, agent, 'talking', 'system', moment);
}

/**
 * The agent who was to take it can not: the next one is tried at once. It may be the call's own
 * fault, so that further tries wait, each for longer.
 */
export function backToWaiting(
  draft: TelephonyDraft,
  call: CallRow,
  why: string,
  moment: Moment,
): void {
  draft.entry({ what: 'connect-refused', who: 'system', about: call.id, why: toCode(why) });
  const refusals = (call.refusals ?? 0) + 1;
  const nextTryUtcMs = moment.atUtcMs + (refusals - 1) * retryConnectMs;
  waitAgain(draft, { ...call, refusals, nextTryUtcMs }, moment);
}

/** The call waits again, for any agent; the one it was to be connected to is free. */
export function waitAgain(draft: TelephonyDraft, call: CallRow, moment: Moment): void {
  const agent = draft.get('Agent', call.agentId ?? '');
  draft.put('Call', { ...call, state: 'answered', agentId: undefined });
  if (agent?.callId === call.id) free(draft, agent, 'system', moment);
}

function waitLimitMs(draft: TelephonyDraft, call: CallRow): number {
  return draft.get('Campaign', call.campaignId)?.settings.waitMs ?? defaultWaitMs;
}

/** When a waiting call must hear the message; undefined for calls that don't wait. */
export function messageDueUtcMs(draft: TelephonyDraft, call: CallRow): number | undefined {
  if (call.state !== 'answered' || call.answeredUtcMs === undefined) return undefined;
  return call.answeredUtcMs + waitLimitMs(draft, call) - orderReserveMs;
}

/** Nobody is free within the limit: the message, then the end, both done by the phone system. */
export function endWithMessage(draft: TelephonyDraft, call: CallRow, why: string, moment: Moment) {
  draft.put('Call', { ...call, state: 'message', endAsked: why });
  draft.entry({ what: 'call-abandoned', who: 'system', about: call.id, why });
  countOnDay(draft, call.campaignId, moment, { abandoned: 1 });
  tellMessage(draft, call.id, moment);
}

/** Orders the message; given again, it starts once more only for a call that is still held. */
export function tellMessage(draft: TelephonyDraft, callId: string, moment: Moment): void {
  const deadlineMs = orderDeadlineMs;
  const order = { kind: 'end-with-message', lane: callId, deadlineMs, callId } as const;
  draft.effect(moment.newId('effect'), order);
}

/** An answered call is over, whoever ended it. */
export function endAnswered(
  draft: TelephonyDraft,
  call: CallRow,
  end: CallEnd,
  moment: Moment,
): void {
  const outcome = outcomeOfAnswered(call);
  if (call.connectedUtcMs === undefined && call.state !== 'message') {
    const why = toCode(call.endAsked ?? 'left-while-waiting');
    draft.entry({ what: 'call-abandoned', who: 'system', about: call.id, why });
    countOnDay(draft, call.campaignId, moment, { abandoned: 1 });
  }
  const ended = finish(draft, call, outcome, end);
  closeRecording(draft, ended, moment);
  const agent = draft.get('Agent', call.agentId ?? '');
  const holdsAgent = agent?.callId === call.id;
  if (call.connectedUtcMs !== undefined) {
    const wrapUpMs = draft.get('Campaign', call.campaignId)?.settings.wrapUpMs ?? 0;
    if (agent && holdsAgent && agent.state === 'talking') {
      const wrapping: CallRow = { ...ended, state: 'wrap-up' };
      draft.put('Call', wrapping);
      startWrapUp(draft, agent, wrapUpMs, moment);
      // Who stated the result while talking has nothing left to do after the call.
      if (wrapping.disposition !== undefined) {
        wrapUpOver(draft, wrapping, wrapping.effective ?? true, agent.id, moment);
      }
    } else closeCall(draft, ended, moment, ended.effective ?? true);
  } else {
    if (agent && holdsAgent) free(draft, agent, 'system', moment);
    settle(draft, ended, false, moment);
    draft.release('Call', call.id);
  }
  paceSoon(draft, call.campaignId, moment);
}

/**
 * A call that was answered and is over, and nobody saw the answer: it heard the message or left. It
 * counts as any other one that no agent took; when it was answered is not known.
 */
export function endUnseen(
  draft: TelephonyDraft,
  call: CallRow,
  end: CallEnd,
  moment: Moment,
): void {
  const answeredUtcMs = call.ringingUtcMs ?? call.dialedUtcMs ?? moment.atUtcMs;
  const answered = noteAnswer(draft, { ...call, recovered: true }, answeredUtcMs, moment);
  endAnswered(draft, answered, end, moment);
}

function outcomeOfAnswered(call: CallRow): CallOutcomeCode {
  if (call.endAsked === 'not-recorded') return 'not-recorded';
  if (call.connectedUtcMs === undefined) return 'abandoned';
  return call.endAsked === 'agent-phone-lost' ? 'agent-lost' : 'conversation';
}

export interface Dispose {
  kind: 'dispose';
  callId: string;
  agentId: string;
  by: string;
  /** Action code of the contact, as the campaign's list has it. */
  disposition: string;
  /** A person was spoken to and the matter raised. */
  effective: boolean;
  stated?: Stated | undefined;
}

/** The agent's result of a call; ends wrap-up when the call is over. */
export function dispose(draft: TelephonyDraft, event: Dispose, moment: Moment) {
  const call = draft.get('Call', event.callId);
  if (!call || call.agentId !== event.agentId || call.connectedUtcMs === undefined) {
    return { done: false, why: 'not-your-call' };
  }
  if (call.disposition !== undefined) return { done: false, why: 'already-disposed' };
  const { disposition, stated, effective } = event;
  const next: CallRow = { ...call, disposition, stated, effective };
  draft.put('Call', next);
  draft.entry({
    what: 'call-disposed',
    who: event.by,
    about: call.id,
    why: event.disposition,
    facts: { effective: event.effective },
  });
  if (call.state === 'wrap-up') wrapUpOver(draft, next, event.effective, event.by, moment);
  return { done: true };
}

/** Wrap-up ended by the disposition or by its timer; an unmarked conversation counts as one. */
export function wrapUpOver(
  draft: TelephonyDraft,
  call: CallRow,
  effective: boolean,
  who: string,
  moment: Moment,
): void {
  const agent = draft.get('Agent', call.agentId ?? '');
  closeCall(draft, call, moment, effective);
  if (agent?.callId !== call.id) return;
  learnFromTalk(draft, call, moment);
  if (agent.state === 'wrap-up') {
    free(draft, agent, who, moment);
  } else draft.put('Agent', { ...agent, callId: undefined });
}

function closeCall(draft: TelephonyDraft, call: CallRow, moment: Moment, effective = true): void {
  // A promised sum is personal: it goes to the case with the contact, and does not stay here.
  draft.put('Call', { ...call, state: 'ended', stated: undefined });
  settle(draft, call, effective, moment);
  draft.release('Call', call.id);
}

/** The phone of the call's agent was lost: a customer must not stay on the line alone. */
export function agentLost(draft: TelephonyDraft, call: CallRow, moment: Moment): void {
  if (call.state === 'connecting') backToWaiting(draft, call, 'agent-phone-lost', moment);
  else if (call.state === 'talking' || isUnanswered(call.state)) {
    orderEnd(draft, call, 'agent-phone-lost', moment);
  }
  raiseAlarm(draft, 'agent-phone-lost', call.agentId ?? call.id, moment);
}
