// News of the floor: which rows changed since the last look, how calls were connected and ended.
import type { Clock } from '../clock.ts';
import type { Floor } from '../floor.ts';
import type { AlarmsForHttp, ImportNews, ListsForHttp, LiveMessage } from './floor-port.ts';
import type { AgentView, AlarmView, CampaignView } from './views.ts';

export interface NewsParts {
  clock: Clock;
  /** Alarms of every room. */
  alarms: AlarmsForHttp;
  lists: Pick<ListsForHttp, 'progress'>;
  /** Calls the listener after each commit with its lines, as the store does. */
  onLines(listener: (lines: readonly { line: string }[]) => void): void;
}

/** What a changed row is shown as at this moment. */
export interface NewsViews {
  agent(id: string): AgentView | undefined;
  campaigns(): CampaignView[];
}

/** News are looked for this long after a commit, so that a burst of commits is one look. */
const newsEveryMs = 100;
/** How far a list has come is told this often while it is read. */
const importEveryMs = 1_000;

/**
 * News of what changed: rows are never changed in place, so a row that is another object than at
 * the last look has changed. How a call ended stands in its entry only: its row has left by then.
 */
export function openNews(
  { cases, telephony }: Pick<Floor, 'cases' | 'telephony'>,
  parts: NewsParts,
  look: () => NewsViews,
) {
  const listeners = new Set<(message: LiveMessage) => void>();
  const tell = (message: LiveMessage) => {
    for (const listener of listeners) listener(message);
  };
  const seen = { Agent: new Map(), Call: new Map() };
  // A campaign's view is made of several tables, and alarms stand in several rooms: there are few
  // of both, so they are compared as they were shown.
  const shown = { campaign: new Map<string, string>(), alarm: new Map<string, string>() };
  const isNew = (topic: keyof typeof shown, data: { id: string }) => {
    const text = JSON.stringify(data);
    const changes = shown[topic].get(data.id) !== text;
    shown[topic].set(data.id, text);
    return changes;
  };
  type Watched = keyof typeof seen;
  const changed = (table: Watched): string[] => {
    const before: Map<string, unknown> = seen[table];
    const now = new Map<string, unknown>();
    for (const row of telephony.view().all(table)) now.set(row.id, row);
    seen[table] = now;
    return [...now].filter(([id, row]) => before.get(id) !== row).map(([id]) => id);
  };
  let looking = false;
  const lookAgain = () => {
    looking = false;
    const views = look();
    for (const id of changed('Agent')) {
      const data = views.agent(id);
      if (data) tell({ topic: 'agent', personId: id, data });
    }
    for (const data of views.campaigns()) {
      if (isNew('campaign', data)) tell({ topic: 'campaign', data });
    }
    const standing = parts.alarms.all();
    for (const data of standing) if (isNew('alarm', data)) tell({ topic: 'alarm', data });
    for (const [id, text] of shown.alarm) {
      if (standing.some((alarm) => alarm.id === id)) continue;
      shown.alarm.delete(id);
      const clearedUtcMs = parts.clock.utcMs();
      tell({ topic: 'alarm', data: { ...(JSON.parse(text) as AlarmView), clearedUtcMs } });
    }
    for (const id of changed('Call')) tellCall(id);
  };
  const tellCall = (id: string, more: { outcome?: string; answerToBridgeMs?: number } = {}) => {
    const call = telephony.view().get('Call', id);
    if (!call) return;
    const { campaignId, agentId, caseId } = call;
    const state = more.outcome === undefined ? call.state : 'ended';
    const whose = agentId === undefined ? {} : { agentId };
    const data = { id, campaignId, state, ...whose, ...(caseId === undefined ? {} : { caseId }) };
    const about = agentId === undefined ? {} : { personId: agentId };
    tell({ topic: 'call', ...about, data: { ...data, ...more } });
  };
  const lookAtLists = openImports(cases, parts, tell);
  parts.onLines((lines) => {
    for (const { line } of lines) {
      if (line.includes('"room":"cases"') && line.includes('"what":"list-')) lookAtLists();
      if (!line.includes('"room":"telephony"')) continue;
      const { what, about, why, facts } = JSON.parse(line).rec;
      if (what === 'call-ended') tellCall(about, { outcome: why });
      if (what === 'call-connected') tellCall(about, { answerToBridgeMs: facts.afterMs });
    }
    if (looking) return;
    looking = true;
    parts.clock.after(newsEveryMs, lookAgain);
  });
  return (listener: (message: LiveMessage) => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
}

/** News of lists, each second while one is read: to be called after each entry about a list. */
function openImports(
  cases: Pick<Floor['cases'], 'view'>,
  { clock, lists }: NewsParts,
  tell: (message: LiveMessage) => void,
): () => void {
  const shown = new Map<string, string>();
  const news = (): ImportNews[] => {
    const changed: ImportNews[] = [];
    for (const { id, state, accepted, rejected, duplicates } of cases.view().all('List')) {
      const progress = lists.progress(id);
      const counts = { accepted, rejected, duplicates };
      const data = { id, state, ...counts, ...(progress === undefined ? {} : { progress }) };
      const text = JSON.stringify(data);
      if (shown.get(id) !== text) changed.push(data);
      shown.set(id, text);
    }
    return changed;
  };
  // What was there at the start is no news.
  news();
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    clock.after(importEveryMs, () => {
      waiting = false;
      for (const data of news()) tell({ topic: 'import', data });
    });
  };
}
