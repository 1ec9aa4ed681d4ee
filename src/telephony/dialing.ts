// Dialing: what pacing decides for each running campaign becomes calls, ends of rings and phones.
import { enter, free, ringPhone } from './agent.ts';
import { askCall, isUnanswered, orderEnd } from './call.ts';
import { minRingMs, paceOf, windowCounts } from './campaign.ts';
import { type PacingDecision, type PacingInput, paceCampaign } from './pacing/pacing.ts';
import { plantOf, whyNoDialing } from './plant.ts';
import type {
  AgentRow,
  CallRow,
  CampaignRow,
  Moment,
  PaceRow,
  TelephonyDraft,
} from './working-set.ts';

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
  const agents = [...draft.all('Agent')].filter((a) => a.campaignIds.includes(campaign.id));
  const calls = [...draft.all('Call')].filter((call) => call.campaignId === campaign.id);
  const decision = paceCampaign(pace.models, pacingInput(draft, campaign, agents, calls, moment));
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
  const blocked = whyNoDialing(draft, campaign.settings.trunk, moment);
  if (blocked !== undefined || pace.dryUntilUtcMs > moment.atUtcMs) return;
  const mode = decision.mode === 'predictive' ? 'predictive' : 'progressive';
  for (let i = 0; i < decision.dial; i += 1) askCall(draft, campaign, moment, { mode });
  ringPerCall(draft, campaign, agents, moment);
}

/** On the same marks for all campaigns, so that they share a turn. */
function nextTickUtcMs(mode: PacingDecision['mode'], atUtcMs: number): number {
  const everyMs = mode === 'predictive' ? predictTickMs : idleTickMs;
  return (Math.floor(atUtcMs / everyMs) + 1) * everyMs;
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
  if (whyNoDialing(draft, campaign.settings.trunk, moment) !== undefined) {
    return free(draft, agent, 'system', moment);
  }
  const call = askCall(draft, campaign, moment, { mode: 'progressive', agentId: agent.id });
  const holding = draft.get('Agent', agent.id) ?? agent;
  draft.put('Agent', { ...holding, callId: call.id });
}
