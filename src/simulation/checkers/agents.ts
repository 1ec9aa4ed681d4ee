// Checkers of agents and feeds: nobody is stuck, and what broke works again soon.
import type { PendingRow } from '../../room.ts';
import type { AgentRow, CallRow, CampaignRow } from '../../telephony/working-set.ts';
import { type Invariant, type Scene, workingAgainMs } from '../checker.ts';

/** A phone rings, then a customer's: longer than this nobody is reserved. */
const longestReservedMs = 90_000;

/** The longest that the supervisor sets, and the time to work again. */
const longestWrapUpMs = 45_000 + workingAgainMs;

/** Why a state can't be, as the rows of one commit show it. */
function contradiction(agent: AgentRow, rows: Scene['rows']): string | undefined {
  const { state, callId, untilUtcMs, way, legState } = agent;
  const call = rows('Call').get(callId ?? '') as CallRow | undefined;
  switch (state) {
    case 'ready':
      return callId === undefined ? undefined : 'ready with a call';
    case 'out':
      return legState === 'none' ? undefined : 'out with a phone on the line';
    case 'wrap-up':
      return untilUtcMs === undefined ? 'in wrap-up without end' : undefined;
    case 'talking':
      return call?.state === 'talking' ? undefined : `talking, with a call that is ${call?.state}`;
    case 'reserved':
      if (way === 'ring-per-call' && callId === undefined) {
        return legState === 'none' ? 'reserved without phone and call' : undefined;
      }
      return call && call.state !== 'ended' ? undefined : `reserved, its call is ${call?.state}`;
    default:
      return undefined;
  }
}

export const agentsAreFree: Invariant = {
  name: 'agents-are-free',
  states: 'No agent is stuck: every state has what it needs, and ends.',
  watch({ clock, account, rows, report }) {
    const since = new Map<string, { state: string; atMs: number }>();
    const goneMs = new Map<string, number>();
    return {
      happened(event) {
        if (event.kind === 'gone') goneMs.set(event.channelId, clock.uptimeMs);
      },
      committed({ batch }) {
        for (const { table, id, row } of batch.changes) {
          if (table !== 'Agent' || row === null) continue;
          const agent = row as AgentRow;
          if (since.get(id)?.state !== agent.state) {
            since.set(id, { state: agent.state, atMs: clock.uptimeMs });
          }
          const why = contradiction(agent, rows);
          if (why !== undefined) report(`${id} is ${why}`);
        }
      },
      minute() {
        const nowMs = clock.uptimeMs;
        if (account.brokenUntilMs(nowMs - workingAgainMs, nowMs, '') !== undefined) return;
        for (const [id, row] of rows('Agent')) {
          const agent = row as AgentRow;
          const spentMs = nowMs - (since.get(id)?.atMs ?? nowMs);
          if (agent.state === 'reserved' && spentMs > longestReservedMs) {
            report(`${id} has been reserved for ${spentMs} ms`);
          }
          if (agent.state === 'wrap-up' && spentMs > longestWrapUpMs) {
            report(`${id} has been in wrap-up for ${spentMs} ms`);
          }
          const aloneMs = nowMs - (goneMs.get(agent.callId ?? '') ?? nowMs);
          if (agent.state === 'talking' && aloneMs > workingAgainMs) {
            report(`${id} has talked with nobody for ${Math.round(aloneMs)} ms`);
          }
        }
      },
    };
  },
};

export const feedComesBack: Invariant = {
  name: 'feed-comes-back',
  states: 'Ten seconds after the last trouble the phone system is heard, and every room turns.',
  watch({ clock, account, floor, report }) {
    return {
      minute() {
        const nowMs = clock.uptimeMs;
        if (account.brokenUntilMs(nowMs - workingAgainMs, nowMs, '') !== undefined) return;
        const feed = floor()?.telephony.view().get('Plant', 'now')?.feed;
        if (feed !== 'fresh') report(`the feed is ${feed} though nothing is broken`);
      },
    };
  },
};

/** With somebody ready, a running campaign asks whom to call at least as often as this. */
const longestPauseMs = 120_000;

export const workGoesOn: Invariant = {
  name: 'work-goes-on',
  states: 'While somebody is ready and nothing is broken, the running campaign asks whom to call.',
  watch({ clock, account, floor, rows, report }) {
    const askedMs = new Map<string, number>();
    const since = new Map<string, number>();
    return {
      committed({ batch }) {
        for (const { table, row } of batch.changes) {
          if (table !== 'Pending' || row === null) continue;
          const { kind, effect } = row as PendingRow;
          if (kind !== 'request-permit') continue;
          const { request } = effect as { request: { campaignId: string } };
          askedMs.set(request.campaignId, clock.uptimeMs);
        }
      },
      minute() {
        const nowMs = clock.uptimeMs;
        const view = floor()?.telephony.view();
        const plant = view?.get('Plant', 'now');
        const isBroken = account.brokenUntilMs(nowMs - longestPauseMs, nowMs, '') !== undefined;
        const isHeld = plant?.storageOk === false || Object.keys(plant?.trunks ?? {}).length > 0;
        for (const [id, row] of rows('Campaign')) {
          const isRunning = (row as CampaignRow).state === 'running' && !isBroken && !isHeld;
          const isStaffed = [...(rows('Agent') as ReadonlyMap<string, AgentRow>).values()].some(
            ({ state, campaignIds }) => state === 'ready' && campaignIds.includes(id),
          );
          if (!isRunning || !isStaffed) since.delete(id);
          else if (!since.has(id)) since.set(id, nowMs);
          const idleMs = nowMs - Math.max(since.get(id) ?? nowMs, askedMs.get(id) ?? 0);
          if (idleMs > longestPauseMs) report(`${id} has asked for nobody for ${idleMs} ms`);
        }
      },
    };
  },
};
