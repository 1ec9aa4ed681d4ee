// Results of telephony's effects, and what is done about those that the last run left pending.
import { raiseAlarm } from '../alarm.ts';
import type { Done, Recovered } from '../room.ts';
import { dialDone, noPermit, permitAnswered } from './call.ts';
import { connectDone } from './conversation.ts';
import { legGone } from './facts.ts';
import type { OrderOutcome } from './phone-system.ts';
import { plantOf, surveyOver } from './plant.ts';
import { reconcile } from './reconcile.ts';
import { discardDone, recordingChecked, sealDone } from './recording-steps.ts';
import type {
  KnownThen,
  Moment,
  TelephonyDraft,
  TelephonyEffect,
  TelephonyResult,
} from './working-set.ts';

/** The wait for the next look at what is alive, after an order or a look that failed. */
const resurveyMs = 2_000;

/** Decides the one result of an effect. */
export function decideDone(
  draft: TelephonyDraft,
  { effect, result }: Done<TelephonyEffect, TelephonyResult>,
  moment: Moment,
): void {
  if (effect.kind === 'survey') return surveyDone(draft, effect, result, moment);
  if (effect.kind === 'ring-agent') {
    if (result.outcome === 'refused') legGone(draft, effect.legId, 'phone-refused', moment);
    return;
  }
  if (effect.kind === 'hang-up' || effect.kind === 'end-with-message') {
    // The end itself comes as a fact; a lost order is given again until the channel is gone.
    if (result.outcome === 'unknown') repeat(draft, effect, moment);
    // Whatever refused it, a survey shows whether there is still something to end.
    if (result.outcome === 'refused') surveyLater(draft, moment);
    return;
  }
  if (effect.kind === 'settle-contact' || effect.kind === 'erase-object') {
    if (result.outcome === 'unknown') repeat(draft, effect, moment);
    return;
  }
  if (effect.kind === 'seal' || effect.kind === 'discard-raw') {
    const recording = draft.get('Recording', effect.recordingId);
    if (!recording) return;
    if (effect.kind === 'seal') return sealDone(draft, recording, result, moment);
    return discardDone(draft, recording, result, moment);
  }
  if (effect.kind === 'check-recording') {
    return recordingChecked(draft, effect.callId, result, moment);
  }
  decideCallDone(draft, effect, result, moment);
}

function decideCallDone(
  draft: TelephonyDraft,
  effect: Extract<TelephonyEffect, { kind: 'request-permit' | 'dial' | 'connect' }>,
  result: TelephonyResult,
  moment: Moment,
): void {
  const callId =
    effect.kind === 'dial'
      ? effect.order.callId
      : effect.kind === 'connect'
        ? effect.callId
        : effect.request.callId;
  const call = draft.get('Call', callId);
  if (!call) return;
  if (effect.kind === 'request-permit') {
    if (result.outcome === 'granted') return permitAnswered(draft, call, result, moment);
    return noPermit(draft, call, 'rule' in result ? result.rule : 'permit-unknown', moment);
  }
  if (!isOrderOutcome(result)) throw new Error(`not an order's outcome: ${result.outcome}`);
  if (effect.kind === 'dial') return dialDone(draft, call, result, moment);
  return connectDone(draft, call, effect.legId, result, moment);
}

function isOrderOutcome(result: TelephonyResult): result is OrderOutcome {
  return result.outcome === 'accepted' || 'reason' in result;
}

function repeat(draft: TelephonyDraft, effect: TelephonyEffect, moment: Moment): void {
  draft.effect(moment.newId('effect'), effect);
}

function surveyDone(
  draft: TelephonyDraft,
  known: KnownThen,
  result: TelephonyResult,
  moment: Moment,
): void {
  const gone = surveyOver(draft);
  if (plantOf(draft).feed === 'stale') return;
  if (result.outcome === 'surveyed') {
    const raw = result.raw.filter(({ recordingId }) => !gone.includes(recordingId));
    return reconcile(draft, known, result.survey, raw, moment);
  }
  // The links are up, or the feed would be stale: only what is alive is not known yet.
  const plant = plantOf(draft);
  if (plant.feed === 'fresh') {
    draft.entry({ what: 'feed-stale', who: 'system', about: 'feed-survey' });
  }
  draft.put('Plant', { ...plant, feed: 'surveying' });
  surveyLater(draft, moment);
  raiseAlarm(draft, 'feed-stale', 'feed-survey', moment);
}

function surveyLater(draft: TelephonyDraft, moment: Moment): void {
  draft.put('Plant', { ...plantOf(draft), surveyUtcMs: moment.atUtcMs + resurveyMs });
}

/** What the last run had ordered: told apart in docs/architecture.md, recovery. */
export function decideRecovered(
  draft: TelephonyDraft,
  { effect }: Recovered<TelephonyEffect>,
  moment: Moment,
): void {
  const call = (id: string) => draft.get('Call', id);
  switch (effect.kind) {
    case 'seal':
    case 'discard-raw':
    case 'erase-object':
    case 'settle-contact':
    case 'hang-up':
    case 'end-with-message':
    case 'check-recording':
      return repeat(draft, effect, moment);
    case 'request-permit': {
      const asked = call(effect.request.callId);
      return asked && noPermit(draft, asked, 'daemon-restarted', moment);
    }
    case 'dial': {
      // Whether the order was taken is unknown: it counts as dialed, and the survey looks for it.
      const dialing = call(effect.order.callId);
      if (dialing?.state === 'dialing') {
        draft.put('Call', { ...dialing, state: 'dialed', recovered: true });
      }
      return;
    }
    default:
      // Connecting, ringing a phone and surveys are judged by the survey that follows.
      return;
  }
}
