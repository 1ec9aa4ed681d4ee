// Rows that telephony's decisions are tested with, and the moments at which they are made.
import { Draft } from '../../src/draft.ts';
import { seededIds } from '../../src/ids.ts';
import type {
  AgentRow,
  CallRow,
  CampaignRow,
  Moment,
  TelephonyDraft,
  TelephonyEffect,
  TelephonyTables,
} from '../../src/telephony/working-set.ts';

const ids = seededIds(22);

/** A moment of a floor whose wall clock is ahead of its uptime by `aheadMs`. */
export const momentAt = (uptimeMs: number, aheadMs = 0): Moment => ({
  ...{ atUtcMs: uptimeMs + aheadMs, uptimeMs },
  newId: (kind) => ids.next(kind),
});

export const newDraft = (): TelephonyDraft =>
  new Draft<TelephonyTables, TelephonyEffect>('telephony', new Map());

/** A progressive campaign that runs. */
export const campaignRow = (
  more: Partial<CampaignRow> = {},
  settings: Partial<CampaignRow['settings']> = {},
): CampaignRow => ({
  ...{ id: 'campaign-1', name: 'One', creditorId: 'creditor-1', mode: 'progressive' },
  ...{ state: 'running', ...more },
  settings: {
    ...{ trunk: 'carrier', callerId: '+12025550199', ringMs: 15_000, limitMs: 600_000 },
    ...{ messageSound: 'message', waitMs: 2_000, limitShare: 0.03, targetShare: 0.02 },
    ...{ wrapUpMs: 1_000, maxLines: 10, maxCallsPerAgent: 4, ...settings },
  },
});

/** An agent of that campaign, ready on a connected phone. */
export const agentRow = (name: string, more: Partial<AgentRow> = {}): AgentRow => ({
  ...{ id: `agent-${name}`, personId: name, extension: name, way: 'pre-connected' },
  ...{ campaignIds: ['campaign-1'], state: 'ready', sinceUtcMs: 0, legState: 'up' },
  ...{ legId: `leg-${name}`, ...more },
});

/** A call of that campaign which rings since 0. */
export const callRow = (more: Partial<CallRow> = {}): CallRow => ({
  ...{ id: 'call-1', campaignId: 'campaign-1', mode: 'progressive', state: 'ringing' },
  ...{ segment: 's', permitId: 'permit-1', askedUtcMs: 0, dialedUtcMs: 0, recovered: false },
  ...more,
});
