// Campaigns: orders to start and stop them, the counts of the 30-day measure, and their pacing.
import { dropLeg, enter, ringPhone } from './agent.ts';
import { askCall, orderEnd } from './call.ts';
import {
  learnAgent,
  learnCall,
  newPacingModels,
  type PacingDecision,
  type PacingInput,
  paceCampaign,
} from './pacing/pacing.ts';
import { plantOf, whyNoDialing } from './plant.ts';
import type {
  AgentRow,
  CallRow,
  CampaignDayRow,
  CampaignRow,
  CampaignSettings,
  Moment,
  PaceRow,
  TelephonyDraft,
} from './working-set.ts';

/** Pacing thinks again this often while a campaign runs, and not oftener than the second. */
export const paceTickMs = 250;
const paceSoonMs = 20;
const dayMs = 86_400_000;
const windowDays = 30;
/** Connecting takes this long at p99 (bench bridge), which the tolerated wait must leave room for. */
const bridgeMs = 200;
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
  draft.put('Campaign', { id, name, creditorId, mode, state, settings });
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
  if (event.state !== 'running') {
    for (const agent of [...draft.all('Agent')]) {
      const idle = agent.way === 'ring-per-call' && agent.callId === undefined;
      if (idle && agent.campaignIds.includes(campaign.id)) dropLeg(draft, agent, moment);
    }
  }
  paceSoon(draft, campaign.id, moment);
  return { done: true };
}

function dayOf(atUtcMs: number): string {
  return new Date(atUtcMs).toISOString().slice(0, 10);
}

/** Adds to a campaign's counts of today; durable with the call's own change. */
export function countOnDay(
  draft: TelephonyDraft,
  campaignId: string,
  moment: Moment,
  add: { dialed?: number; answered?: number; abandoned?: number },
): void {
  const day = dayOf(moment.atUtcMs);
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
  const first = dayOf(atUtcMs - (windowDays - 1) * dayMs);
  let answered30d = 0;
  let abandoned30d = 0;
  for (const row of draft.all('CampaignDay')) {
    if (row.campaignId !== campaignId || row.day < first) continue;
    answered30d += row.answered;
    abandoned30d += row.abandoned;
  }
  return { answered30d, abandoned30d };
}

function paceOf(draft: TelephonyDraft, campaignId: string): PaceRow {
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
  if (call.dialedUtcMs === undefined || call.mode !== 'predictive') return;
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

/** Every running campaign whose time it is places, withholds or cancels calls. */
export function paceCampaigns(draft: TelephonyDraft, moment: Moment): void {
  for (const campaign of [...draft.all('Campaign')]) {
    const pace = paceOf(draft, campaign.id);
    if (campaign.state !== 'running') {
      if (pace.nextUtcMs !== undefined) draft.put('Pace', { ...pace, nextUtcMs: undefined });
      continue;
    }
    if (pace.nextUtcMs !== undefined && pace.nextUtcMs > moment.atUtcMs) continue;
    paceOne(draft, campaign, pace, moment);
  }
}

function paceOne(draft: TelephonyDraft, campaign: CampaignRow, pace: PaceRow, moment: Moment) {
  const agents = [...draft.all('Agent')].filter((a) => a.campaignIds.includes(campaign.id));
  const calls = [...draft.all('Call')].filter((call) => call.campaignId === campaign.id);
  const decision = paceCampaign(pace.models, pacingInput(draft, campaign, agents, calls, moment));
  noteMode(draft, campaign, pace, decision);
  draft.put('Pace', {
    ...pace,
    models: decision.models,
    nextUtcMs: moment.atUtcMs + paceTickMs,
    mode: decision.mode,
    reason: decision.reason,
    figures: decision.figures,
  });
  for (const id of decision.cancel) {
    const call = draft.get('Call', id);
    if (call?.state === 'ringing') orderEnd(draft, call, 'pacing-cancel', moment);
  }
  const blocked = whyNoDialing(draft, campaign.settings.trunk, moment);
  if (blocked !== undefined || pace.dryUntilUtcMs > moment.atUtcMs) return;
  const mode = decision.mode === 'predictive' ? 'predictive' : 'progressive';
  for (let i = 0; i < decision.dial; i += 1) askCall(draft, campaign, moment, { mode });
  ringPerCall(draft, campaign, agents, moment);
}

function pacingInput(
  draft: TelephonyDraft,
  campaign: CampaignRow,
  agents: readonly AgentRow[],
  calls: readonly CallRow[],
  moment: Moment,
): PacingInput {
  const { limitShare, targetShare, waitMs, maxLines, maxCallsPerAgent } = campaign.settings;
  const uptimeOf = (atUtcMs: number) => moment.uptimeMs - Math.max(0, moment.atUtcMs - atUtcMs);
  const shared = calls.filter((call) => call.agentId === undefined);
  return {
    uptimeMs: moment.uptimeMs,
    settings: {
      mode: campaign.mode,
      limitShare,
      targetShare,
      toleratedWaitMs: Math.max(0, waitMs - bridgeMs),
      minRingMs,
      maxLines,
      maxCallsPerAgent,
    },
    agents: agents.flatMap((agent) => {
      const { id, state } = agent;
      if (agent.way !== 'pre-connected' || agent.legState !== 'up') return [];
      if (state === 'out' || state === 'away' || state === 'break') return [];
      // Who asked for a break while talking won't be free for a call when it ends.
      if (agent.wanted !== undefined && agent.wanted !== 'ready') return [];
      return [{ id, state, sinceUptimeMs: uptimeOf(agent.sinceUtcMs) }];
    }),
    inFlight: shared
      .filter(({ state }) => isUnanswered(state))
      .map((call) => ({
        id: call.id,
        segment: call.segment,
        dialedUptimeMs: uptimeOf(call.dialedUtcMs ?? moment.atUtcMs),
        ...(call.ringingUtcMs === undefined
          ? {}
          : { ringingUptimeMs: uptimeOf(call.ringingUtcMs) }),
      })),
    waiting: shared.filter(({ state }) => state === 'answered').length,
    feed: plantOf(draft).feed === 'fresh' ? 'fresh' : 'stale',
    abandonment: windowCounts(draft, campaign.id, moment.atUtcMs),
  };
}

export function isUnanswered(state: CallRow['state']): boolean {
  return state === 'asked' || state === 'dialing' || state === 'dialed' || state === 'ringing';
}

/** A change of the pacing's mode and its reason stand in the ledger; its every tick does not. */
function noteMode(
  draft: TelephonyDraft,
  campaign: CampaignRow,
  pace: PaceRow,
  { mode, reason, figures }: PacingDecision,
): void {
  if (pace.mode === mode && pace.reason === reason) return;
  draft.entry({
    what: 'pacing-changed',
    who: 'system',
    about: campaign.id,
    why: reason,
    facts: { mode, upperBoundPermyriad: Math.round(figures.upperBound * 10_000) },
  });
}

/** Agents who are rung per call: first their phone, and only then a customer is dialed. */
function ringPerCall(
  draft: TelephonyDraft,
  campaign: CampaignRow,
  agents: readonly AgentRow[],
  moment: Moment,
): void {
  for (const agent of agents) {
    if (agent.way !== 'ring-per-call' || agent.state !== 'ready') continue;
    const reserved = enter(draft, agent, 'reserved', 'system', moment, campaign.id);
    // After a call that nobody answered the phone is still on the line and serves the next one.
    if (reserved.legState === 'up') dialForAgent(draft, reserved, moment);
    else ringPhone(draft, reserved, moment);
  }
}

/** The phone of an agent who is rung per call is up: now the customer may be dialed. */
export function dialForAgent(draft: TelephonyDraft, agent: AgentRow, moment: Moment): void {
  const campaign = draft.get('Campaign', agent.code ?? '');
  if (agent.way !== 'ring-per-call' || agent.state !== 'reserved' || !campaign) return;
  const call = askCall(draft, campaign, moment, { mode: 'progressive', agentId: agent.id });
  const holding = draft.get('Agent', agent.id) ?? agent;
  draft.put('Agent', { ...holding, callId: call.id });
}
