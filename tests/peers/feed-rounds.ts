// Takes a working floor its links to Asterisk, or Asterisk itself, and sees it work again.
import type { Clock } from '../../src/clock.ts';
import type { FloorNews } from './floor-news.ts';
import { extensions, type FloorRig, numberOf } from './floor-rig.ts';
import { hopelessMs } from './kill-rounds.ts';

export type Feed = 'ami' | 'ari';

const campaignId = 'campaign-feeds';
/** Numbers of each of the four behaviours; one of them stands twice. */
const turns = 350;
/** Calls that end while a link is away. */
const endsUnseen = 5;

/** Seats the agents and starts a campaign in which calls of all lengths are on the line. */
export async function beginTalking(rig: FloorRig, agents: number): Promise<void> {
  const numbers = Array.from({ length: turns }, (_, turn) => [
    ...[numberOf('hangsUpAfterTalk', turn), numberOf('talksUntilHungUp', turn)],
    ...[numberOf('talksUntilHungUp', turn + turns), numberOf('hangsUpAfter3s', turn)],
  ]);
  await rig.campaign(campaignId, numbers.flat());
  const seats = extensions(agents).map((extension) => ({
    ...{ extension, campaignIds: [campaignId], way: 'pre-connected' as const },
  }));
  await rig.seat(seats);
  await rig.setCampaign(campaignId, 'running');
  const atWork = () => rig.news.calls('talking').length >= agents / 2;
  await rig.news.until('a floor at work', atWork, 20_000);
}

export interface Cut {
  /** The first ledger line after it. */
  seq: number;
  /** Permits granted while the floor knew that the link was away. */
  grantedBlind: number;
  /** From the healing until a call that was dialed after it is connected. */
  backMs: number;
}

/** Cuts one link, lets calls ring, be answered and end without it, and heals it. */
export async function cutOnce(rig: FloorRig, feed: Feed, clock: Clock): Promise<Cut> {
  const { news } = rig;
  const link = feed === 'ami' ? rig.amiLink : rig.ariLink;
  const from = news.nextSeq;
  link.cut();
  const isStale = () => news.said('feed-stale', from).find(({ about }) => about === `feed-${feed}`);
  const stale = await news.until(`stale ${feed}`, isStale, 5_000);
  const ends = () => news.said('call-ended', stale.seq).length > endsUnseen;
  await news.until('ends', ends, 15_000);
  // What was asked for in the very moment is granted, and not dialed.
  const isBlind = ({ atUtcMs }: { atUtcMs: number }) => atUtcMs > stale.atUtcMs + 500;
  const grantedBlind = news.said('contact-granted', stale.seq).filter(isBlind).length;
  const healedUptimeMs = clock.uptimeMs();
  const healedSeq = news.nextSeq;
  link.heal();
  await news.untilSaid('alarm-cleared', healedSeq, hopelessMs, `feed-${feed}`);
  await untilNewTalk(news, healedSeq);
  return { seq: from, grantedBlind, backMs: Math.round(clock.uptimeMs() - healedUptimeMs) };
}

/** What rang already is connected with one link as well: only what is dialed later shows work. */
async function untilNewTalk(news: FloorNews, fromSeq: number): Promise<void> {
  const look = () => {
    const dialed = new Set(news.said('call-dialed', fromSeq).map(({ about }) => about));
    return news.said('call-connected', fromSeq).some(({ about }) => dialed.has(about));
  };
  await news.until('call dialed and connected', look, hopelessMs);
}

export interface Crash {
  /** The first ledger line after it. */
  seq: number;
  /** Calls that were up when Asterisk died. */
  callIds: readonly string[];
  /** From its death until a call that was dialed after it is connected. */
  backMs: number;
}

/** Kills Asterisk once every agent talks, and waits until calls are connected again. */
export async function killAsterisk(rig: FloorRig, agents: number, clock: Clock): Promise<Crash> {
  const { news } = rig;
  const talkFor = (min: number, max: number) =>
    rig.ask({ do: 'habits', habits: { talkMs: [min, max], wrapUpMs: 50 } });
  await talkFor(60_000, 60_001);
  await news.until('every agent', () => news.calls('talking').length === agents, 30_000);
  const callIds = news.calls('talking').map(({ id }) => id);
  const from = news.nextSeq;
  const pid = rig.asteriskPid();
  if (pid === undefined) throw new Error('there is no Asterisk');
  process.kill(pid, 'SIGKILL');
  const killedUptimeMs = clock.uptimeMs();
  await talkFor(2_000, 4_000);
  await untilNewTalk(news, from);
  const backMs = Math.round(clock.uptimeMs() - killedUptimeMs);
  const up = () => news.all('Agent', ({ legState }) => legState === 'up').length === agents;
  await news.until('every phone', up, 10_000);
  return { seq: from, callIds, backMs };
}

/** Ends the campaign; what is on the line talks to its end, and every agent is ready again. */
export async function endTalking(rig: FloorRig): Promise<void> {
  await rig.setCampaign(campaignId, 'stopped');
  await rig.untilQuiet(60_000);
  const { news } = rig;
  const ready = () => news.all('Agent', ({ state }) => state !== 'ready').length === 0;
  await news.until('every agent ready', ready, 10_000);
}
