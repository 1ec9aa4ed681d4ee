// The state of what calls need beside agents: feeds, trunks, room for recordings.
import type { CampaignSettings, Moment, PlantRow, TelephonyDraft } from './working-set.ts';

const firstHoldMs = 2_000;
const longestHoldMs = 60_000;

const unknownPlant: PlantRow = {
  id: 'now',
  feed: 'stale',
  bootId: '',
  spoolHours: 0,
  vaultHours: 0,
  storageOk: false,
  trunks: {},
};

/** Until feeds and disks have reported, nothing is dialed. */
export function plantOf(draft: TelephonyDraft): PlantRow {
  return draft.get('Plant', 'now') ?? unknownPlant;
}

/** The trunk refused for reasons of its own: leave it alone, longer each time in a row. */
export function holdTrunk(draft: TelephonyDraft, trunk: string, moment: Moment): void {
  const plant = plantOf(draft);
  const failures = (plant.trunks[trunk]?.failures ?? 0) + 1;
  const holdMs = Math.min(longestHoldMs, firstHoldMs * 2 ** Math.min(failures - 1, 10));
  const trunks = { ...plant.trunks, [trunk]: { untilUtcMs: moment.atUtcMs + holdMs, failures } };
  draft.put('Plant', { ...plant, trunks });
}

/** The trunk carried a call to the ring: it works. */
export function releaseTrunk(draft: TelephonyDraft, trunk: string): void {
  const plant = plantOf(draft);
  if (!plant.trunks[trunk]) return;
  const { [trunk]: _, ...trunks } = plant.trunks;
  draft.put('Plant', { ...plant, trunks });
}

/** What would be dialed could not be recorded: nothing is, until the storage is seen in order. */
export function withholdDialing(draft: TelephonyDraft, why: string): void {
  const plant = plantOf(draft);
  if (!plant.storageOk) return;
  draft.put('Plant', { ...plant, storageOk: false });
  draft.entry({ what: 'dialing-withheld', who: 'system', about: 'storage', why });
}

/** Why nothing may be dialed on this trunk now; undefined when it may. */
export function whyNoDialing(
  draft: TelephonyDraft,
  trunk: string,
  moment: Moment,
): string | undefined {
  const plant = plantOf(draft);
  if (plant.feed !== 'fresh') return 'feed-stale';
  if (!plant.storageOk) return 'storage-low';
  if ((plant.trunks[trunk]?.untilUtcMs ?? 0) > moment.atUtcMs) return 'trunk-held';
  return undefined;
}

/** Lines of the campaign's trunk that no call of any campaign has; below 0 once there are fewer. */
export function freeLines(draft: TelephonyDraft, { trunk, maxLines }: CampaignSettings): number {
  let taken = 0;
  for (const { campaignId, state } of draft.all('Call')) {
    if (state === 'ended' || state === 'wrap-up') continue;
    if (draft.get('Campaign', campaignId)?.settings.trunk === trunk) taken += 1;
  }
  return maxLines - taken;
}

export function surveyOrdered(draft: TelephonyDraft): void {
  const plant = plantOf(draft);
  draft.put('Plant', { ...plant, surveys: (plant.surveys ?? 0) + 1 });
}

/** Gives the recordings whose raw files went while this survey was on its way. */
export function surveyOver(draft: TelephonyDraft): readonly string[] {
  const { gone, ...plant } = plantOf(draft);
  const surveys = Math.max(0, (plant.surveys ?? 0) - 1);
  draft.put('Plant', { ...plant, surveys, ...(surveys > 0 ? { gone } : {}) });
  return gone ?? [];
}

/** The raw files of a recording are gone; a survey that is on its way may still show them. */
export function rawGone(draft: TelephonyDraft, recordingId: string): void {
  const plant = plantOf(draft);
  if (!plant.surveys) return;
  draft.put('Plant', { ...plant, gone: [...(plant.gone ?? []), recordingId] });
}
