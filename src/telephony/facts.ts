// Facts of the phone system, decided in the order in which it stated them.

import { raiseAlarm } from '../alarm.ts';
import { legEnded, legUp } from './agent.ts';
import { callRinging, endUnanswered, isUnanswered, orderSurvey, outcomeOf } from './call.ts';
import { agentLost, callAnswered, connected, endAnswered, endUnseen } from './conversation.ts';
import { dialForAgent } from './dialing.ts';
import type { PhoneFact } from './phone-system.ts';
import { plantOf } from './plant.ts';
import type { Moment, TelephonyDraft } from './working-set.ts';

/** Decides one fact. */
export function decideFact(draft: TelephonyDraft, fact: PhoneFact, moment: Moment): void {
  switch (fact.kind) {
    case 'feed-stale':
      return feedStale(draft, fact.feed, moment);
    case 'feed-fresh':
      return resurvey(draft, moment);
    case 'leg-up':
      return phoneUp(draft, fact.legId, moment);
    case 'leg-ended':
      return legGone(draft, fact.legId, 'phone-ended', moment);
    case 'bridge-left':
      return;
    default:
      return decideCallFact(draft, fact, moment);
  }
}

function decideCallFact(
  draft: TelephonyDraft,
  fact: Extract<PhoneFact, { callId: string }>,
  moment: Moment,
): void {
  const call = draft.get('Call', fact.callId);
  if (!call || call.state === 'ended' || call.state === 'wrap-up') return;
  switch (fact.kind) {
    case 'call-ringing':
      return callRinging(draft, call, moment);
    case 'call-answered':
      return callAnswered(draft, call, fact.atUtcMs, moment, fact.noticedUtcMs);
    case 'bridge-joined':
      return connected(draft, call, fact.legId, moment);
    case 'call-ended': {
      const end = { by: fact.by, cause: fact.cause, atUtcMs: fact.atUtcMs };
      if (!isUnanswered(call.state)) return endAnswered(draft, call, end, moment);
      if (fact.wasUp) return endUnseen(draft, call, end, moment);
      const ours = call.endAsked !== undefined;
      return endUnanswered(draft, call, ours ? 'cancelled' : outcomeOf(fact.cause), end, moment);
    }
    default:
      // Early media is not an answer, and leaving the bridge is told by the call's end.
      return;
  }
}

/** Asks for the whole picture; until it is here nothing is dialed. */
export function resurvey(draft: TelephonyDraft, moment: Moment): void {
  draft.put('Plant', { ...plantOf(draft), feed: 'surveying' });
  orderSurvey(draft, moment);
}

function feedStale(draft: TelephonyDraft, feed: string, moment: Moment): void {
  const plant = plantOf(draft);
  if (plant.feed !== 'stale') {
    draft.entry({ what: 'feed-stale', who: 'system', about: `feed-${feed}` });
  }
  const lostUtcMs = plant.feed === 'fresh' ? moment.atUtcMs : plant.lostUtcMs;
  draft.put('Plant', { ...plant, feed: 'stale', lostUtcMs });
  raiseAlarm(draft, 'feed-stale', `feed-${feed}`, moment);
}

/** An agent's phone is on the line: now they can be connected, or their customer dialed. */
export function phoneUp(draft: TelephonyDraft, legId: string, moment: Moment): void {
  const agent = legUp(draft, legId, moment);
  if (agent) dialForAgent(draft, agent, moment);
}

/** An agent's phone is gone: so is every call that only this agent could take. */
export function legGone(draft: TelephonyDraft, legId: string, why: string, moment: Moment): void {
  const agent = legEnded(draft, legId, why, moment);
  if (agent?.callId === undefined) return;
  const call = draft.get('Call', agent.callId);
  if (call && call.state !== 'wrap-up') agentLost(draft, call, moment);
  const after = draft.get('Agent', agent.id);
  if (after && after.state !== 'wrap-up') draft.put('Agent', { ...after, callId: undefined });
}
