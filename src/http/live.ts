// Live news by server-sent events: resumed by sequence number, with a beat, bounded per client.
import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../clock.ts';
import type { Actor } from '../people/person.ts';
import type { FloorForHttp, LiveMessage } from './floor-port.ts';
import type { Reach } from './rights.ts';
import type { FloorView } from './views.ts';

/** News kept for those who come back; at 50 a second that is 40 s of absence. */
export const keptNews = 2_000;
/** A page calls its figures stale after 3 s without a sign, so the beat comes each second. */
export const beatMs = 1_000;
/** What may wait unsent for one client before it is let go; it resumes when it comes back. */
export const clientBufferBytes = 256 * 1024;
export const clientLimit = 500;
/** More open pages of one person end the oldest. */
export const clientsPerPerson = 5;
/** How soon a browser whose stream broke asks again. */
const retryMs = 2_000;

interface News {
  seq: number;
  personId: string | undefined;
  text: string;
}

interface Client {
  actor: Actor;
  reach: Reach;
  response: ServerResponse;
  /** Who asks, by the token of the request: undefined once it has ended. */
  still(): { actor: Actor; reach: Reach } | undefined;
}

export interface Live {
  /** Writes the stream's head, then what was missed or the whole picture, then news as it comes. */
  serve(client: Client, lastEventId: string | undefined): void;
  /** Asked before a stream is begun: it takes nobody else now. */
  isFull(): boolean;
  end(): void;
}

/**
 * Opens the feed. Event ids are `<boot>.<seq>`: after a restart nothing can be resumed, and whoever
 * asks for it gets the whole picture, as does one who was away for too long.
 */
export function openLive(floor: FloorForHttp, clock: Clock, boot: string): Live {
  const kept: News[] = [];
  const clients = new Set<Client>();
  let seq = 0;
  let beat: Timer | undefined;

  const letGo = (client: Client) => {
    clients.delete(client);
    client.response.end();
  };

  const write = (client: Client, text: string) => {
    client.response.write(text);
    if (client.response.writableLength <= clientBufferBytes) return;
    // Too slow to follow: what waits for it is thrown away with its connection.
    clients.delete(client);
    client.response.destroy();
  };

  const unsubscribe = floor.live.subscribe((message) => {
    seq += 1;
    const { topic, personId, data } = message as LiveMessage & { personId?: string };
    const text = `id: ${boot}.${seq}\nevent: ${topic}\ndata: ${JSON.stringify(data)}\n\n`;
    const news = { seq, personId, text };
    kept.push(news);
    if (kept.length > keptNews) kept.shift();
    for (const client of clients) if (concerns(client, news)) write(client, text);
  });

  const giveBeat = () => {
    beat = undefined;
    for (const client of clients) {
      const now = client.still();
      if (now === undefined) letGo(client);
      else {
        Object.assign(client, now);
        write(client, `event: beat\ndata: {"atUtcMs":${clock.utcMs()}}\n\n`);
      }
    }
    if (clients.size > 0) beat = clock.after(beatMs, giveBeat);
  };

  const missedSince = (lastEventId: string | undefined): News[] | undefined => {
    const match = /^([\w-]{1,40})\.(\d{1,15})$/.exec(lastEventId ?? '');
    if (!match || match[1] !== boot) return undefined;
    const last = Number(match[2]);
    const oldest = kept[0]?.seq ?? seq + 1;
    if (last > seq || last < oldest - 1) return undefined;
    return kept.slice(last - oldest + 1);
  };

  return {
    serve(client, lastEventId) {
      const own = [...clients].filter(({ actor }) => actor.personId === client.actor.personId);
      const oldest = own[clientsPerPerson - 1] === undefined ? undefined : own[0];
      if (oldest) letGo(oldest);
      clients.add(client);
      client.response.on('close', () => clients.delete(client));
      write(client, `retry: ${retryMs}\n\n`);
      const missed = missedSince(lastEventId);
      if (missed) {
        for (const news of missed) if (concerns(client, news)) write(client, news.text);
      } else {
        const whole = JSON.stringify(seenBy(client, floor.live.snapshot()));
        write(client, `id: ${boot}.${seq}\nevent: floor\ndata: ${whole}\n\n`);
      }
      beat ??= clock.after(beatMs, giveBeat);
    },
    isFull: () => clients.size >= clientLimit,
    end() {
      unsubscribe();
      beat?.cancel();
      for (const client of clients) letGo(client);
    },
  };
}

function concerns({ reach, actor }: Client, { personId }: News): boolean {
  return reach === 'all' || personId === actor.personId;
}

/** The floor as somebody may see it: whoever reaches only their own sees their seat alone. */
export function seenBy(client: { reach: Reach; actor: Actor }, floor: FloorView): FloorView {
  if (client.reach === 'all') return floor;
  const agents = floor.agents.filter((agent) => agent.id === client.actor.personId);
  const mine = agents.flatMap((agent) => agent.campaignIds);
  const campaigns = floor.campaigns.filter(({ id }) => mine.includes(id));
  return { atUtcMs: floor.atUtcMs, feed: floor.feed, agents, campaigns, lines: {}, ...nothing };
}

const nothing = { recordings: {}, alarms: [] };
