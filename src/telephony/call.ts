// The life of a call up to its answer: asked for, permitted, dialed, ringing, or ended unanswered.

import { clearAlarm, raiseAlarm } from '../alarm.ts';
import { toCode } from '../draft.ts';
import { free } from './agent.ts';
import { countOnDay, learnFromCall, paceSoon } from './campaign.ts';
import type { EndCause, EndedBy, OrderOutcome } from './phone-system.ts';
import { holdTrunk, releaseTrunk, surveyOrdered, whyNoDialing } from './plant.ts';
import type {
  CallOutcomeCode,
  CallRow,
  CampaignRow,
  ContactResult,
  Moment,
  PermitAnswer,
  TelephonyDraft,
} from './working-set.ts';

export const orderDeadlineMs = 5_000;
/** Nothing is asked for again this soon after "no lead may be called now". */
const dryMs = 5_000;
/** A ringing call whose end nobody reported is ended by us this long after its ring time. */
export const lostRingMs = 5_000;

export function isUnanswered(state: CallRow['state']): boolean {
  return state === 'asked' || state === 'dialing' || state === 'dialed' || state === 'ringing';
}

/** Asks for permission to place one more call of a campaign. */
export function askCall(
  draft: TelephonyDraft,
  campaign: CampaignRow,
  moment: Moment,
  wish: { mode: CallRow['mode']; agentId?: string; caseId?: string; numberId?: string },
): CallRow {
  const call: CallRow = {
    id: moment.newId('call'),
    campaignId: campaign.id,
    state: 'asked',
    segment: '',
    askedUtcMs: moment.atUtcMs,
    recovered: false,
    ...wish,
  };
  draft.put('Call', call);
  const { id: campaignId, creditorId } = campaign;
  draft.effect(moment.newId('effect'), {
    kind: 'request-permit',
    lane: `permit:${call.id}`,
    deadlineMs: orderDeadlineMs,
    request: { campaignId, creditorId, callId: call.id, ...wish },
  });
  return call;
}

/** The permit came: dial. It did not: the call never was, and its agent is free again. */
export function permitAnswered(
  draft: TelephonyDraft,
  call: CallRow,
  answer: PermitAnswer,
  moment: Moment,
): void {
  const campaign = draft.get('Campaign', call.campaignId);
  if (answer.outcome === 'refused' || !campaign) {
    noPermit(draft, call, answer.outcome === 'refused' ? answer.rule : 'no-campaign', moment);
    return;
  }
  const { permit } = answer;
  const { permitId, caseId, debtorId, numberId, segment } = permit;
  const next: CallRow = { ...call, permitId, caseId, debtorId, numberId, segment };
  const why = whyNotWanted(draft, call, campaign, moment);
  if (why !== undefined) {
    const end = { by: 'us', why, atUtcMs: moment.atUtcMs } as const;
    endUnanswered(draft, next, 'not-dialed', end, moment);
    return;
  }
  const { trunk, callerId, ringMs, limitMs, noticeSound, messageSound } = campaign.settings;
  draft.put('Call', { ...next, state: 'dialing', dialedUtcMs: moment.atUtcMs });
  draft.entry({
    what: 'call-dialed',
    who: call.mode === 'manual' ? (call.agentId ?? 'system') : 'system',
    about: call.id,
    why: call.mode,
    facts: { permitId, caseId, numberId, campaignId: campaign.id },
  });
  countOnDay(draft, campaign.id, moment, { dialed: 1 });
  draft.effect(moment.newId('effect'), {
    kind: 'dial',
    lane: call.id,
    deadlineMs: orderDeadlineMs,
    order: {
      callId: call.id,
      trunk,
      number: permit.number,
      callerId,
      ringMs,
      limitMs,
      messageSound,
      ...(noticeSound === undefined ? {} : { noticeSound }),
    },
  });
}

/** Why a call that was asked for is not dialed: much may have changed until its permit came. */
function whyNotWanted(
  draft: TelephonyDraft,
  call: CallRow,
  campaign: CampaignRow,
  moment: Moment,
): string | undefined {
  if (call.endAsked !== undefined) return call.endAsked;
  if (campaign.state !== 'running' && call.mode !== 'manual') return 'campaign-not-running';
  return whyNoDialing(draft, campaign.settings.trunk, moment);
}

/** No lead may be called now, or the answer was lost: nothing was dialed. */
export function noPermit(draft: TelephonyDraft, call: CallRow, rule: string, moment: Moment): void {
  draft.drop('Call', call.id);
  const pace = draft.get('Pace', call.campaignId);
  if (pace && call.mode !== 'manual') {
    draft.put('Pace', { ...pace, dryUntilUtcMs: moment.atUtcMs + dryMs });
  }
  if (call.mode === 'manual') {
    draft.entry({ what: 'call-refused', who: 'system', about: call.id, why: rule });
  }
  freeReserved(draft, call, moment);
}

/** The phone system's answer to the order; an unknown dial counts as dialed and is looked for. */
export function dialDone(
  draft: TelephonyDraft,
  call: CallRow,
  result: OrderOutcome,
  moment: Moment,
): void {
  if (call.state !== 'dialing') return;
  if (result.outcome === 'refused') {
    const end = { by: 'phone-system', why: result.reason, atUtcMs: moment.atUtcMs } as const;
    endUnanswered(draft, call, 'failed', end, moment);
    return;
  }
  draft.put('Call', { ...call, state: 'dialed' });
  if (result.outcome === 'unknown') orderSurvey(draft, moment);
}

/**
 * Asks the phone system what is alive, to judge what nobody answered. What had come about before
 * is written down: by its times it could not be told once the wall clock stepped back.
 */
export function orderSurvey(draft: TelephonyDraft, moment: Moment): void {
  const dialed = [...draft.all('Call')].filter(
    ({ state, dialedUtcMs }) => dialedUtcMs !== undefined && state !== 'dialing',
  );
  surveyOrdered(draft);
  draft.effect(moment.newId('effect'), {
    kind: 'survey',
    lane: 'survey',
    deadlineMs: orderDeadlineMs,
    callIds: dialed.map(({ id }) => id),
    talkingIds: dialed.filter(({ state }) => state === 'talking').map(({ id }) => id),
    legIds: [...draft.all('Agent')].flatMap(({ legId }) => legId ?? []),
  });
}

export function callRinging(draft: TelephonyDraft, call: CallRow, moment: Moment): void {
  if (call.state !== 'dialing' && call.state !== 'dialed') return;
  draft.put('Call', { ...call, state: 'ringing', ringingUtcMs: moment.atUtcMs });
  trunkCarries(draft, call, moment);
}

/** The trunk took a call to its far end: one that was left alone for failing works again. */
export function trunkCarries(draft: TelephonyDraft, call: CallRow, moment: Moment): void {
  const trunk = draft.get('Campaign', call.campaignId)?.settings.trunk;
  if (trunk === undefined) return;
  releaseTrunk(draft, trunk);
  clearAlarm(draft, 'trunk-failing', trunk, moment);
}

/**
 * Orders the end of a channel, with the reason that its end will bear. A call that is only asked
 * for has no channel yet: its permit finds the reason.
 */
export function orderEnd(draft: TelephonyDraft, call: CallRow, why: string, moment: Moment): void {
  if (call.endAsked !== undefined) return;
  draft.put('Call', { ...call, endAsked: why });
  if (call.state !== 'asked') endChannel(draft, call.id, moment);
}

/** Orders the end of a channel of ours, call or phone. */
export function endChannel(draft: TelephonyDraft, channelId: string, moment: Moment): void {
  const lane = channelId;
  const deadlineMs = orderDeadlineMs;
  draft.effect(moment.newId('effect'), { kind: 'hang-up', lane, deadlineMs, channelId });
}

// Q.850 cause and SIP code decide together: the dial status alone calls an unallocated number
// "no answer", and it would be called again (docs/architecture.md, outcomes).
const bySip: Readonly<Record<number, CallOutcomeCode>> = {
  404: 'invalid-number',
  410: 'invalid-number',
  484: 'invalid-number',
  486: 'busy',
  600: 'busy',
  603: 'rejected',
  480: 'no-answer',
  487: 'no-answer',
  408: 'no-answer',
  500: 'carrier-failure',
  502: 'carrier-failure',
  503: 'carrier-failure',
  504: 'carrier-failure',
};
const byCause: Readonly<Record<number, CallOutcomeCode>> = {
  1: 'invalid-number',
  28: 'invalid-number',
  17: 'busy',
  18: 'no-answer',
  19: 'no-answer',
  21: 'rejected',
  27: 'carrier-failure',
  34: 'carrier-failure',
  38: 'carrier-failure',
  41: 'carrier-failure',
  42: 'carrier-failure',
  58: 'carrier-failure',
};

/** What an unanswered call's end means. */
export function outcomeOf({ cause, sipCode }: EndCause): CallOutcomeCode {
  return (sipCode === undefined ? undefined : bySip[sipCode]) ?? byCause[cause] ?? 'failed';
}

/** How a call ended; `atUtcMs` is the phone system's stamp where it gave one. */
export interface CallEnd {
  by: EndedBy;
  cause?: EndCause;
  why?: string;
  atUtcMs: number;
}

/** An unanswered call is over: say why, settle its permit, free its agent. */
export function endUnanswered(
  draft: TelephonyDraft,
  call: CallRow,
  outcome: CallOutcomeCode,
  end: CallEnd,
  moment: Moment,
): void {
  const ended = finish(draft, call, outcome, end);
  learnFromCall(draft, ended, moment);
  const trunk = draft.get('Campaign', call.campaignId)?.settings.trunk;
  if (trunk !== undefined && outcome === 'carrier-failure') {
    holdTrunk(draft, trunk, moment);
    raiseAlarm(draft, 'trunk-failing', trunk, moment);
  }
  settle(draft, ended, false, moment);
  draft.release('Call', call.id);
  freeReserved(draft, ended, moment);
  paceSoon(draft, call.campaignId, moment);
}

/** Writes the end of a call: its row and its entry. */
export function finish(
  draft: TelephonyDraft,
  call: CallRow,
  outcome: CallOutcomeCode,
  end: CallEnd,
): CallRow {
  const { by, cause, why } = end;
  const ended: CallRow = {
    ...call,
    state: 'ended',
    outcome,
    endedBy: by,
    endedUtcMs: Math.round(end.atUtcMs),
    cause: cause?.cause,
    sipCode: cause?.sipCode,
  };
  draft.put('Call', ended);
  const reason = call.endAsked ?? why;
  draft.entry({
    what: 'call-ended',
    who: 'system',
    about: call.id,
    why: outcome,
    facts: {
      by,
      ...(reason === undefined ? {} : { reason: toCode(reason) }),
      ...(cause === undefined ? {} : { cause: cause.cause }),
      ...(cause?.sipCode === undefined ? {} : { sipCode: cause.sipCode }),
    },
  });
  return ended;
}

/** Tells `cases` what became of the permit, until it has taken it. */
export function settle(
  draft: TelephonyDraft,
  call: CallRow,
  effective: boolean,
  moment: Moment,
): void {
  if (call.permitId === undefined || call.outcome === undefined) return;
  const contact: ContactResult = {
    permitId: call.permitId,
    callId: call.id,
    outcome: call.outcome,
    answeredUtcMs: call.answeredUtcMs,
    effective,
    agentId: call.connectedUtcMs === undefined ? undefined : call.agentId,
    disposition: call.disposition,
    stated: call.stated,
    atUtcMs: moment.atUtcMs,
  };
  draft.effect(moment.newId('effect'), {
    kind: 'settle-contact',
    lane: call.permitId,
    deadlineMs: orderDeadlineMs,
    contact,
  });
}

/** An agent who waited for this very call takes others again. */
function freeReserved(draft: TelephonyDraft, call: CallRow, moment: Moment): void {
  if (call.agentId === undefined) return;
  const agent = draft.get('Agent', call.agentId);
  if (agent?.state === 'reserved' && agent.callId === call.id) free(draft, agent, 'system', moment);
}
