// Campaigns: orders to start and stop them, the counts of the 30-day measure, what pacing learns.
import { dayMs, dayText } from '../calendar.ts';
import { dropLeg, free } from './agent.ts';
import { learnAgent, learnCall, newPacingModels } from './pacing/pacing.ts';
import type {
  CallRow,
  CampaignDayRow,
  CampaignRow,
  CampaignSettings,
  Moment,
  PaceRow,
  TelephonyDraft,
} from './working-set.ts';

/** Pacing thinks this soon after an event, once for all events until then. */
const paceSoonMs = 20;
const windowDays = 30;
/** The law's shortest ring before a cancel: 16 CFR 310.4(b)(4)(ii). */
export const minRingMs = 15_000;

export interface PutCampaign {
  kind: 'put-campaign';
  id: string;
  name: string;
  creditorId: string;
  mode: CampaignRow['mode'];
  settings: CampaignSettings;
  by: string;
}

export interface SetCampaignState {
  kind: 'set-campaign-state';
  id: string;
  state: CampaignRow['state'];
  why?: string | undefined;
  by: string;
}

/** Creates a campaign or changes its settings; the caps of the law can't be loosened. */
export function putCampaign(draft: TelephonyDraft, event: PutCampaign) {
  const { settings } = event;
  if (settings.limitShare > 0.03) return { done: false, why: 'limit-over-three-percent' };
  if (settings.targetShare > settings.limitShare) return { done: false, why: 'target-over-limit' };
  if (settings.ringMs < minRingMs) return { done: false, why: 'ring-under-fifteen-seconds' };
  if (settings.waitMs > 2_000) return { done: false, why: 'wait-over-two-seconds' };
  const { id, name, creditorId, mode } = event;
  const known = draft.get('Campaign', id);
  const state = known?.state ?? 'stopped';
  const stateWhy = known?.stateWhy;
  draft.put('Campaign', { id, name, creditorId, mode, state, stateWhy, settings });
  draft.entry({
    what: known ? 'campaign-changed' : 'campaign-created',
    who: event.by,
    about: id,
    facts: {
      mode,
      limitPermille: Math.round(settings.limitShare * 1000),
      targetPermille: Math.round(settings.targetShare * 1000),
      ringMs: settings.ringMs,
      waitMs: settings.waitMs,
    },
  });
  return { done: true };
}

export function setCampaignState(draft: TelephonyDraft, event: SetCampaignState, moment: Moment) {
  const campaign = draft.get('Campaign', event.id);
  if (!campaign) return { done: false, why: 'no-such-campaign' };
  if (campaign.state === event.state) return { done: true };
  draft.put('Campaign', { ...campaign, state: event.state, stateWhy: event.why });
  draft.entry({
    what: `campaign-${event.state}`,
    who: event.by,
    about: campaign.id,
    ...(event.why === undefined ? {} : { why: event.why }),
  });
  if (event.state !== 'running') restPhones(draft, campaign.id, moment);
  paceSoon(draft, campaign.id, moment);
  return { done: true };
}

/** Phones that were to serve a campaign's next calls are let go; who waited for theirs is free. */
function restPhones(draft: TelephonyDraft, campaignId: string, moment: Moment): void {
  for (const agent of [...draft.all('Agent')]) {
    if (agent.way !== 'ring-per-call' || agent.callId !== undefined) continue;
    const isReserved = agent.state === 'reserved';
    if (isReserved ? agent.code !== campaignId : !agent.campaignIds.includes(campaignId)) continue;
    dropLeg(draft, agent, moment);
    if (isReserved) free(draft, draft.get('Agent', agent.id) ?? agent, 'system', moment);
  }
}

/** The measure of abandonment counts by days of UTC: 30 of them are 30 days in any zone. */
function utcDayOf(atUtcMs: number): string {
  return dayText(Math.floor(atUtcMs / dayMs));
}

/** Adds to a campaign's counts of today; durable with the call's own change. */
export function countOnDay(
  draft: TelephonyDraft,
  campaignId: string,
  moment: Moment,
  add: { dialed?: number; answered?: number; abandoned?: number },
): void {
  const day = utcDayOf(moment.atUtcMs);
  const id = `${campaignId}:${day}`;
  const known = draft.get('CampaignDay', id);
  const row: CampaignDayRow = {
    id,
    campaignId,
    day,
    dialed: (known?.dialed ?? 0) + (add.dialed ?? 0),
    answered: (known?.answered ?? 0) + (add.answered ?? 0),
    abandoned: (known?.abandoned ?? 0) + (add.abandoned ?? 0),
  };
  draft.put('CampaignDay', row);
}

/** Answered and abandoned in the last 30 days, today included. */
export function windowCounts(draft: TelephonyDraft, campaignId: string, atUtcMs: number) {
  const first = utcDayOf(atUtcMs - (windowDays - 1) * dayMs);
  let answered30d = 0;
  let abandoned30d = 0;
  for (const row of draft.all('CampaignDay')) {
    if (row.campaignId !== campaignId || row.day < first) continue;
    answered30d += row.answered;
    abandoned30d += row.abandoned;
  }
  return { answered30d, abandoned30d };
}

/** What pacing knows of a campaign, from the first call on. */
export function paceOf(draft: TelephonyDraft, campaignId: string): PaceRow {
  const known = draft.get('Pace', campaignId);
  return known ?? { id: campaignId, models: newPacingModels(), dryUntilUtcMs: 0 };
}

/** Lets pacing think again soon; many events in a row make it think once. */
export function paceSoon(draft: TelephonyDraft, campaignId: string, moment: Moment): void {
  const pace = paceOf(draft, campaignId);
  const soonUtcMs = moment.atUtcMs + paceSoonMs;
  if (pace.nextUtcMs !== undefined && pace.nextUtcMs <= soonUtcMs) return;
  draft.put('Pace', { ...pace, nextUtcMs: soonUtcMs });
}

export function learnFromCall(draft: TelephonyDraft, call: CallRow, moment: Moment): void {
  if (call.dialedUtcMs === undefined || call.mode === 'manual') return;
  const pace = paceOf(draft, call.campaignId);
  const result =
    call.state === 'answered'
      ? ('answered' as const)
      : call.outcome === 'busy' || call.outcome === 'no-answer' || call.outcome === 'cancelled'
        ? call.outcome
        : ('failed' as const);
  const models = learnCall(pace.models, {
    segment: call.segment,
    sinceDialMs: Math.max(0, moment.atUtcMs - call.dialedUtcMs),
    result,
    atUptimeMs: moment.uptimeMs,
  });
  draft.put('Pace', { ...pace, models });
}

export function learnFromTalk(draft: TelephonyDraft, call: CallRow, moment: Moment): void {
  const { agentId, connectedUtcMs, endedUtcMs } = call;
  if (agentId === undefined || connectedUtcMs === undefined || endedUtcMs === undefined) return;
  const pace = paceOf(draft, call.campaignId);
  const models = learnAgent(pace.models, {
    agentId,
    talkMs: Math.max(0, endedUtcMs - connectedUtcMs),
    wrapMs: Math.max(0, moment.atUtcMs - endedUtcMs),
  });
  draft.put('Pace', { ...pace, models });
}
