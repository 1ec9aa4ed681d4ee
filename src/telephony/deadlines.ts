// Deadlines of telephony: waiting calls, lost rings, wrap-ups, pacing and retries of sealing.
import { free } from './agent.ts';
import { isUnanswered, lostRingMs, orderEnd, orderSurvey } from './call.ts';
import { endWithMessage, messageDueUtcMs, wrapUpOver } from './conversation.ts';
import { paceCampaigns } from './dialing.ts';
import { legGone } from './facts.ts';
import { plantOf } from './plant.ts';
import { orderDiscard, orderSeal } from './recording-steps.ts';
import type { AgentRow, CallRow, Moment, TelephonyDraft } from './working-set.ts';

/** The clock reached a deadline of ours: waiting calls, wrap-ups, lost rings, pacing, retries. */
export function wake(draft: TelephonyDraft, moment: Moment): void {
  for (const call of [...draft.all('Call')]) {
    if (call.nextTryUtcMs !== undefined && call.nextTryUtcMs <= moment.atUtcMs) {
      draft.put('Call', { ...call, nextTryUtcMs: undefined });
    }
    const dueUtcMs = messageDueUtcMs(draft, call);
    if (dueUtcMs !== undefined && dueUtcMs <= moment.atUtcMs) {
      endWithMessage(draft, call, 'no-agent-free', moment);
    }
    const lostUtcMs = ringLostUtcMs(draft, call);
    if (lostUtcMs !== undefined && lostUtcMs <= moment.atUtcMs) {
      orderEnd(draft, call, 'ring-time-over', moment);
      orderSurvey(draft, moment);
    }
  }
  for (const agent of [...draft.all('Agent')]) deadlinesOfAgent(draft, agent, moment);
  const plant = plantOf(draft);
  if (plant.surveyUtcMs !== undefined && plant.surveyUtcMs <= moment.atUtcMs) {
    draft.put('Plant', { ...plant, surveyUtcMs: undefined });
    orderSurvey(draft, moment);
  }
  for (const recording of [...draft.all('Recording')]) {
    if (recording.nextUtcMs === undefined || recording.nextUtcMs > moment.atUtcMs) continue;
    draft.put('Recording', { ...recording, nextUtcMs: undefined });
    if (recording.state === 'closed') orderSeal(draft, recording, moment);
    if (recording.state === 'sealed') orderDiscard(draft, recording, moment);
  }
  paceCampaigns(draft, moment);
}

function ringLostUtcMs(draft: TelephonyDraft, call: CallRow): number | undefined {
  if (!isUnanswered(call.state) || call.dialedUtcMs === undefined) return undefined;
  if (call.endAsked !== undefined) return undefined;
  const ringMs = draft.get('Campaign', call.campaignId)?.settings.ringMs ?? 0;
  return call.dialedUtcMs + ringMs + lostRingMs;
}

function deadlinesOfAgent(draft: TelephonyDraft, agent: AgentRow, moment: Moment): void {
  const { untilUtcMs, phoneUntilUtcMs, legId } = agent;
  if (phoneUntilUtcMs !== undefined && phoneUntilUtcMs <= moment.atUtcMs && legId !== undefined) {
    legGone(draft, legId, 'phone-not-answered', moment);
  }
  if (agent.state !== 'wrap-up' || untilUtcMs === undefined) return;
  if (untilUtcMs > moment.atUtcMs) return;
  const call = agent.callId === undefined ? undefined : draft.get('Call', agent.callId);
  if (call?.state === 'wrap-up') wrapUpOver(draft, call, true, 'system', moment);
  else free(draft, draft.get('Agent', agent.id) ?? agent, 'system', moment);
}

/** The next moment at which wake() has something to do. */
export function nextWakeUtcMs(view: TelephonyDraft): number | undefined {
  let next: number | undefined;
  const consider = (atUtcMs: number | undefined) => {
    if (atUtcMs !== undefined && (next === undefined || atUtcMs < next)) next = atUtcMs;
  };
  for (const call of view.all('Call')) {
    consider(messageDueUtcMs(view, call));
    consider(ringLostUtcMs(view, call));
    consider(call.nextTryUtcMs);
  }
  for (const agent of view.all('Agent')) {
    consider(agent.phoneUntilUtcMs);
    if (agent.state === 'wrap-up') consider(agent.untilUtcMs);
  }
  for (const recording of view.all('Recording')) consider(recording.nextUtcMs);
  consider(plantOf(view).surveyUtcMs);
  for (const campaign of view.all('Campaign')) {
    if (campaign.state === 'running') consider(view.get('Pace', campaign.id)?.nextUtcMs ?? 0);
  }
  return next;
}
