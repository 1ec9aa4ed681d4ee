// The floor as the HTTP side sees it: orders become events of its rooms, rows become views.
import { dayMs } from '../calendar.ts';
import type { Config } from '../config-schema.ts';
import type { Floor } from '../floor.ts';
import { type Outcome, refuse } from '../people/person.ts';
import type { CampaignRow, TelephonyDraft } from '../telephony/working-set.ts';
import type {
  AccountForHttp,
  CasesForHttp,
  FloorFigures,
  FloorForHttp,
  ListsForHttp,
  RecordingsForHttp,
  TelephonyForHttp,
} from './floor-port.ts';
import { type NewsParts, openNews } from './news.ts';
import type {
  AgentView,
  AlarmView,
  CampaignSettings,
  CampaignView,
  FloorView,
  HealthView,
} from './views.ts';

const hoursOfDay = dayMs / 3_600_000;
/** Both stay in memory for good, campaigns with what pacing learns of them. */
export const campaignLimit = 1_000;
export const creditorLimit = 1_000;

/** What the rooms' own front can't give: it is handed over by whoever opens the floor. */
export interface FromFloorParts extends NewsParts {
  /** Answered and abandoned of a campaign in its window of 30 days. */
  windowCounts(campaignId: string): { answered30d: number; abandoned30d: number };
  /** The trunks there are, and what a new campaign starts with. */
  dialing: Pick<Config['telephony'], 'trunks' | 'campaign'>;
  account: AccountForHttp;
  lists: ListsForHttp;
  recordings: RecordingsForHttp;
}

/** Answers every question of the HTTP side from the rooms of an open floor. */
export function floorForHttp(floor: Floor, parts: FromFloorParts): FloorForHttp {
  const { clock, account, lists, recordings, alarms } = parts;
  const look = () => viewsOf(floor.telephony.view(), parts);
  return {
    people: floor.people,
    telephony: telephonyOf(floor, parts),
    cases: casesOf(floor),
    account,
    lists,
    recordings: recordingsOf(floor, recordings),
    alarms,
    live: {
      snapshot: () => look().floor(clock.utcMs()),
      subscribe: openNews(floor, parts, look),
    },
    health: () => healthOf(floor.telephony.view(), alarms.all()),
    figures: () => figuresOf(floor.telephony.view(), parts),
  };
}

/** What is not as it was sealed is an alarm, durable before the asker is told. */
function recordingsOf({ telephony }: Floor, recordings: RecordingsForHttp): RecordingsForHttp {
  return {
    async openAudio(recordingId, range) {
      const outcome = await recordings.openAudio(recordingId, range);
      const unsound = !outcome.done && outcome.unsound === true;
      if (outcome.done || unsound) {
        await telephony.ask({ kind: 'recording-proved', recordingId, sound: outcome.done });
      }
      return outcome;
    },
  };
}

function casesOf({ cases, telephony }: Floor): CasesForHttp {
  return {
    ...cases,
    creditors: () => [...cases.view().all('Creditor')],
    batches: () => [...cases.view().all('Batch')],
    async putCreditor(creditor, by) {
      const { id, callerId } = creditor;
      const known = [...cases.view().all('Creditor')];
      const isNew = known.every((each) => each.id !== id);
      if (isNew && known.length >= creditorLimit) return refuse('too-many-creditors');
      await cases.putCreditor(creditor, by);
      for (const row of [...telephony.view().all('Campaign')]) {
        if (row.creditorId !== id || row.settings.callerId === callerId) continue;
        await telephony.ask(putCampaign({ ...row, settings: { ...row.settings, callerId } }, by));
      }
      return { done: true };
    },
  };
}

const putCampaign = (
  { id, name, creditorId, mode, settings }: Omit<CampaignRow, 'state'>,
  by: string,
) => ({ kind: 'put-campaign', id, name, creditorId, mode, settings, by }) as const;

function telephonyOf({ cases, telephony }: Floor, parts: FromFloorParts): TelephonyForHttp {
  const setState = (order: Parameters<TelephonyForHttp['setState']>[0], by: string) =>
    telephony.ask<Outcome>({ kind: 'set-agent-state', ...order, by });
  return {
    agents: () => viewsOf(telephony.view(), parts).agents(),
    signIn: (order, by) =>
      telephony.ask({ kind: 'sign-in', ...order, personId: order.agentId, by }),
    signOut: (agentId, by) => telephony.ask({ kind: 'set-agent-state', agentId, state: 'out', by }),
    setState,
    call: (order) => telephony.ask({ kind: 'manual-call', ...order }),
    hangUp: (order) => telephony.ask({ kind: 'hang-up-call', ...order }),
    async dispose({ callId, agentId, actionCode: disposition, effective, ...stated }, by) {
      // What no code stands for is refused here: later the agent could not be asked any more.
      const checked = cases.checkAction({ code: disposition, ...stated });
      if (!checked.done) return checked;
      return telephony.ask({
        kind: 'dispose',
        ...{ callId, agentId, by, disposition, effective, stated },
      });
    },
    campaigns: () => viewsOf(telephony.view(), parts).campaigns(),
    setCampaignState: ({ campaignId: id, state, why }, by) =>
      telephony.ask({ kind: 'set-campaign-state', id, state, why, by }),
    async setCampaignSettings({ campaignId, settings }, by) {
      const row = telephony.view().get('Campaign', campaignId);
      if (!row) return { done: false, why: 'no-such-campaign' };
      return telephony.ask(putCampaign({ ...row, settings: { ...row.settings, ...settings } }, by));
    },
    async putCampaign({ campaignId: id, settings: wanted, trunk: wish, ...named }, by) {
      const view = telephony.view();
      const known = view.get('Campaign', id);
      const isFull = [...view.all('Campaign')].length >= campaignLimit;
      if (!known && isFull) return refuse('too-many-campaigns');
      const { campaign: defaults, trunks } = parts.dialing;
      const line = trunks.find(({ name }) => name === wish);
      if (!line) return refuse('no-such-trunk');
      const { maxLines, name: trunk } = line;
      const callerId = cases.view().get('Creditor', named.creditorId)?.callerId;
      if (callerId === undefined) return refuse('no-such-creditor');
      const own = known?.settings ?? defaults;
      const settings = { ...own, ...wanted, trunk, maxLines, callerId };
      return telephony.ask(putCampaign({ id, ...named, settings }, by));
    },
  };
}

type ViewParts = Pick<FromFloorParts, 'windowCounts' | 'alarms'>;

/** What the API shows of telephony's rows at one moment. */
function viewsOf(view: TelephonyDraft, { windowCounts, alarms }: ViewParts) {
  const views = {
    agent: (id: string) => agentView(view, id),
    agents: () => [...view.all('Agent')].flatMap(({ id }) => agentView(view, id) ?? []),
    campaign(id: string): CampaignView | undefined {
      const row = view.get('Campaign', id);
      if (!row) return undefined;
      const { name, creditorId, mode, state, stateWhy, settings } = row;
      const pace = view.get('Pace', id);
      return {
        ...{ id, name, creditorId, mode, state },
        ...(stateWhy === undefined ? {} : { stateWhy }),
        ...(pace?.mode === undefined ? {} : { pacing: pace.mode }),
        ...(pace?.reason === undefined ? {} : { pacingWhy: pace.reason }),
        ...windowCounts(id),
        trunk: settings.trunk,
        callerId: settings.callerId,
        settings: shownSettings(settings),
      };
    },
    campaigns: () => [...view.all('Campaign')].flatMap(({ id }) => views.campaign(id) ?? []),
    floor(atUtcMs: number): FloorView {
      const abandonShare = shareOf(views.campaigns());
      return {
        atUtcMs,
        feed: view.get('Plant', 'now')?.feed ?? 'stale',
        agents: views.agents(),
        campaigns: views.campaigns(),
        lines: countBy(view.all('Call')),
        ...(abandonShare === undefined ? {} : { abandonShare }),
        recordings: countBy(view.all('Recording')),
        alarms: alarms.all(),
      };
    },
  };
  return views;
}

function agentView(view: TelephonyDraft, id: string): AgentView | undefined {
  const row = view.get('Agent', id);
  if (!row) return undefined;
  const { extension, way, campaignIds, state, code, sinceUtcMs, callId, untilUtcMs } = row;
  const caseId = callId === undefined ? undefined : view.get('Call', callId)?.caseId;
  return {
    ...{ id, extension, way, state, sinceUtcMs, campaignIds: [...campaignIds] },
    phone: row.legState,
    ...(code === undefined ? {} : { code }),
    ...(callId === undefined ? {} : { callId }),
    ...(caseId === undefined ? {} : { caseId }),
    ...(untilUtcMs === undefined ? {} : { untilUtcMs }),
  };
}

function shownSettings({ noticeSound, ...settings }: CampaignRow['settings']): CampaignSettings {
  const { trunk: _, callerId: _by, maxLines: _lines, ...shown } = settings;
  return { ...shown, ...(noticeSound === undefined ? {} : { noticeSound }) };
}

function shareOf(campaigns: readonly CampaignView[]): number | undefined {
  const answered = campaigns.reduce((sum, { answered30d }) => sum + answered30d, 0);
  const abandoned = campaigns.reduce((sum, { abandoned30d }) => sum + abandoned30d, 0);
  return answered === 0 ? undefined : Math.min(1, abandoned / answered);
}

function countBy(rows: Iterable<{ state: string }>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of rows) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

function healthOf(view: TelephonyDraft, alarms: readonly AlarmView[]): HealthView {
  const plant = view.get('Plant', 'now');
  const feed = plant?.feed ?? 'stale';
  const storageOk = plant?.storageOk;
  return {
    ready: feed === 'fresh' && storageOk === true,
    checks: [
      { name: 'phone-system', state: feedStates[feed] },
      { name: 'storage', state: storageOk === undefined ? 'unknown' : okIf(storageOk) },
      ...alarms.map(({ room, code, sinceUtcMs }) => ({
        name: room,
        state: 'failed' as const,
        code,
        sinceUtcMs,
      })),
    ],
  };
}

const okIf = (ok: boolean) => (ok ? 'ok' : 'failed');
const feedStates = { fresh: 'ok', surveying: 'unknown', stale: 'failed' } as const;

function figuresOf(view: TelephonyDraft, parts: FromFloorParts): FloorFigures {
  const abandonShare = shareOf(viewsOf(view, parts).campaigns());
  const plant = view.get('Plant', 'now');
  const waiting = [...view.all('Recording')].filter(({ state }) => unsealed.includes(state));
  return {
    agents: countBy(view.all('Agent')),
    ...(abandonShare === undefined ? {} : { abandonShare }),
    recordingsUnverified: waiting.length,
    storage: plant
      ? [
          { class: 'spool', daysLeft: plant.spoolHours / hoursOfDay },
          { class: 'vault', daysLeft: plant.vaultHours / hoursOfDay },
        ]
      : [],
  };
}

const unsealed = ['live', 'closed'];
