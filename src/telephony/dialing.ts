// Dialing: what pacing decides for each running campaign becomes calls, ends of rings and phones.
import { enter, free, ringPhone } from './agent.ts';
import { askCall, isUnanswered, orderEnd } from './call.ts';
import { minRingMs, paceOf, windowCounts } from './campaign.ts';
import { dealAgents, neededAgents } from './dealing.ts';
import {
  type PacedAgent,
  type PacingDecision,
  type PacingInput,
  paceCampaign,
} from './pacing/pacing.ts';
import { freeLines, plantOf, whyNoDialing } from './plant.ts';
import type { AgentRow, CampaignRow, Moment, PaceRow, TelephonyDraft } from './working-set.ts';

/** Pacing thinks again this often while it predicts, since its chances move with every moment. */
const predictTickMs = 250;
/** Progressive dialing moves with events; this looks for holds that have ended by themselves. */
const idleTickMs = 1_000;
/** Connecting takes this long at p99 (bench bridge); the tolerated wait must leave room for it. */
const bridgeMs = 200;

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
  const decision = paceCampaign(pace.models, pacingInput(draft, campaign, moment));
  noteMode(draft, campaign, pace, decision);
  draft.put('Pace', {
    ...pace,
    models: decision.models,
    nextUtcMs: nextTickUtcMs(decision.mode, moment.atUtcMs),
    mode: decision.mode,
    reason: decision.reason,
    figures: decision.figures,
  });
  for (const id of decision.cancel) {
    const call = draft.get('Call', id);
    if (call?.state === 'ringing') orderEnd(draft, call, 'pacing-cancel', moment);
  }
  if (!mayDial(draft, campaign, moment)) return;
  const mode = decision.mode === 'predictive' ? 'predictive' : 'progressive';
  for (let i = 0; i < decision.dial; i += 1) askCall(draft, campaign, moment, { mode });
  const rung = ringPerCall(draft, campaign, moment);
  if (decision.dial + rung > 0) {
    draft.put('Pace', { ...paceOf(draft, campaign.id), askedUtcMs: moment.atUtcMs });
  }
}

function mayDial(draft: TelephonyDraft, campaign: CampaignRow, moment: Moment): boolean {
  if (campaign.state !== 'running') return false;
  if (whyNoDialing(draft, campaign.settings.trunk, moment) !== undefined) return false;
  return paceOf(draft, campaign.id).dryUntilUtcMs <= moment.atUtcMs;
}

/** Calls of a campaign that whoever of its agents is ready will take. */
function sharedCalls(draft: TelephonyDraft, campaignId: string) {
  const calls = [...draft.all('Call')].filter(
    (call) => call.campaignId === campaignId && call.agentId === undefined,
  );
  const waiting = calls.filter(
    ({ state, endAsked }) => state === 'answered' && endAsked === undefined,
  );
  return {
    inFlight: calls.filter(({ state }) => isUnanswered(state)),
    waiting: waiting.length,
  };
}

/** Who of these agents counts for which campaign; `needs` tells whom calls on the way want. */
function deal(
  draft: TelephonyDraft,
  agents: readonly AgentRow[],
  needs: (campaignId: string) => number,
  moment: Moment,
): ReadonlyMap<string, string> {
  const served = new Set(agents.flatMap(({ campaignIds }) => campaignIds));
  const campaigns = [...draft.all('Campaign')].filter(({ id }) => served.has(id));
  const claimants = campaigns.map((campaign) => ({
    id: campaign.id,
    needs: needs(campaign.id),
    isOpen: mayDial(draft, campaign, moment) && freeLines(draft, campaign.settings) > 0,
    askedUtcMs: draft.get('Pace', campaign.id)?.askedUtcMs ?? 0,
  }));
  const dealt = agents.map(({ id, campaignIds, state }) => {
    return { id, campaignIds, isReady: state === 'ready' };
  });
  return dealAgents(dealt, claimants);
}

/** On the same marks for all campaigns, so that they share a turn. */
function nextTickUtcMs(mode: PacingDecision['mode'], atUtcMs: number): number {
  const everyMs = mode === 'predictive' ? predictTickMs : idleTickMs;
  return (Math.floor(atUtcMs / everyMs) + 1) * everyMs;
}

function pacingInput(draft: TelephonyDraft, campaign: CampaignRow, moment: Moment): PacingInput {
  const { limitShare, targetShare, waitMs, maxCallsPerAgent } = campaign.settings;
  const uptimeOf = (atUtcMs: number) => moment.uptimeMs - Math.max(0, moment.atUtcMs - atUtcMs);
  const { inFlight, waiting } = sharedCalls(draft, campaign.id);
  const crew = [...draft.all('Agent')].filter(isAtWork);
  const dealt = deal(draft, crew, (campaignId) => needsOf(draft, campaignId), moment);
  return {
    uptimeMs: moment.uptimeMs,
    settings: {
      mode: campaign.mode,
      limitShare,
      targetShare,
      toleratedWaitMs: Math.max(0, waitMs - bridgeMs),
      minRingMs,
      // What talks, rings by hand or for another campaign has its line; these have theirs already.
      maxLines: freeLines(draft, campaign.settings) + inFlight.length,
      maxCallsPerAgent,
    },
    agents: crew
      .filter(({ campaignIds }) => campaignIds.includes(campaign.id))
      .map(({ id, state, sinceUtcMs }) => ({
        id,
        state: dealt.get(id) === campaign.id ? state : 'reserved',
        sinceUptimeMs: uptimeOf(sinceUtcMs),
      })),
    inFlight: inFlight.map((call) => ({
      id: call.id,
      segment: call.segment,
      dialedUptimeMs: uptimeOf(call.dialedUtcMs ?? moment.atUtcMs),
      ...(call.ringingUtcMs === undefined ? {} : { ringingUptimeMs: uptimeOf(call.ringingUtcMs) }),
    })),
    waiting,
    feed: plantOf(draft).feed === 'fresh' ? 'fresh' : 'stale',
    abandonment: windowCounts(draft, campaign.id, moment.atUtcMs),
  };
}

type AtWork = AgentRow & { state: PacedAgent['state'] };

/** On the line, and free for a call when the present one is over. */
function isAtWork(agent: AgentRow): agent is AtWork {
  const { way, legState, state, wanted } = agent;
  if (way !== 'pre-connected' || legState !== 'up') return false;
  if (state === 'out' || state === 'away' || state === 'break') return false;
  return wanted === undefined || wanted === 'ready';
}

/** While nothing is predicted, each call on the way has an agent of its own. */
function needsOf(draft: TelephonyDraft, campaignId: string): number {
  const { inFlight, waiting } = sharedCalls(draft, campaignId);
  const share = draft.get('Pace', campaignId)?.figures?.answerShare ?? 1;
  return neededAgents(inFlight.length, waiting, share);
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

/**
 * Agents who are rung per call: first their phone, and only then a customer is dialed. Gives how
 * many were taken.
 */
function ringPerCall(draft: TelephonyDraft, campaign: CampaignRow, moment: Moment): number {
  const ready = [...draft.all('Agent')].filter(
    ({ way, state }) => way === 'ring-per-call' && state === 'ready',
  );
  const dealt = deal(draft, ready, () => 0, moment);
  const mine = ready
    .filter(({ id }) => dealt.get(id) === campaign.id)
    .slice(0, Math.max(0, freeLines(draft, campaign.settings)));
  for (const agent of mine) {
    const reserved = enter(draft, agent, 'reserved', 'system', moment, campaign.id);
    // After a call that nobody answered the phone is still on the line and serves the next one.
    if (reserved.legState === 'up') dialForAgent(draft, reserved, moment);
    else ringPhone(draft, reserved, moment);
  }
  return mine.length;
}

/** The phone of an agent who is rung per call is up: now the customer may be dialed. */
export function dialForAgent(draft: TelephonyDraft, agent: AgentRow, moment: Moment): void {
  const campaign = draft.get('Campaign', agent.code ?? '');
  if (agent.way !== 'ring-per-call' || agent.state !== 'reserved' || !campaign) return;
  const { settings } = campaign;
  if (
    whyNoDialing(draft, settings.trunk, moment) !== undefined ||
    freeLines(draft, settings) <= 0
  ) {
    return free(draft, agent, 'system', moment);
  }
  const call = askCall(draft, campaign, moment, { mode: 'progressive', agentId: agent.id });
  const holding = draft.get('Agent', agent.id) ?? agent;
  draft.put('Agent', { ...holding, callId: call.id });
}
