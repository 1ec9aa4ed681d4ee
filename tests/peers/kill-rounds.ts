// Kills the daemon at chosen moments of a running campaign, and sees it take up its work again.
import type { Clock } from '../../src/clock.ts';
import type { CarrierBehaviour } from '../../src/telephony/asterisk/sipp-scenarios.ts';
import { extensions, type FloorRig, numberOf } from './floor-rig.ts';
import type { KillPoint } from './mortal-world.ts';

/** The moments, in several variants: what is on record and what is done differs by one step. */
export const moments = {
  'before originate': [
    { at: 'commit', what: 'contact-granted', when: 'after' },
    { at: 'commit', what: 'call-dialed', when: 'before' },
    { at: 'commit', what: 'call-dialed', when: 'after' },
  ],
  'while ringing': [
    { at: 'order', what: 'dial', when: 'after' },
    { at: 'fact', what: 'call-ringing', when: 'before' },
    { at: 'fact', what: 'call-ringing', when: 'after', laterMs: 150 },
  ],
  'between answer and bridge': [
    { at: 'fact', what: 'call-answered', when: 'before' },
    { at: 'commit', what: 'call-assigned', when: 'after' },
    { at: 'order', what: 'connect', when: 'after' },
  ],
  'while talking': [
    { at: 'commit', what: 'call-connected', when: 'before' },
    { at: 'commit', what: 'call-connected', when: 'after', laterMs: 500 },
    { at: 'order', what: 'hangUp', when: 'before' },
  ],
  'while sealing': [
    { at: 'order', what: 'seal', when: 'before', laterMs: 1_100 },
    { at: 'order', what: 'seal', when: 'after' },
    { at: 'order', what: 'discardRaw', when: 'before' },
    { at: 'order', what: 'discardRaw', when: 'after' },
  ],
} as const satisfies Record<string, readonly KillPoint[]>;

export type MomentName = keyof typeof moments;
export const momentNames = Object.keys(moments) as MomentName[];

export interface Kill {
  point: KillPoint;
  /** The first ledger line that was told after it. */
  seq: number;
  /** From its start until the daemon had connected the next call. */
  backMs: number;
}

/** It has to be working again this soon after the cause ended; whoever strikes asserts it. */
export const backWithinMs = 10_000;
/** Longer than that nobody waits for it. */
export const hopelessMs = 60_000;
const hitWithinMs = 20_000;
const campaignId = 'campaign-kills';
const farEnds: readonly CarrierBehaviour[] = [
  ...(['hangsUpAfterTalk', 'talksUntilHungUp', 'hangsUpAfterTalk', 'busy'] as const),
  ...(['hangsUpAfterTalk', 'talksUntilHungUp', 'hangsUpAfter3s', 'answersAtOnce'] as const),
  ...(['hangsUpAfterTalk', 'declines'] as const),
];
/** Of each behaviour there are so many numbers that this many rounds of `farEnds` are possible. */
const longestList = 1_700;

/** Seats the agents and starts a campaign that lasts longer than the kills. */
export async function beginCampaign(rig: FloorRig, agents: number): Promise<void> {
  const turns = new Map<CarrierBehaviour, number>();
  const numbers = Array.from({ length: longestList }, (_, i) => {
    const farEnd = farEnds[i % farEnds.length] ?? 'busy';
    const turn = turns.get(farEnd) ?? 0;
    turns.set(farEnd, turn + 1);
    return numberOf(farEnd, turn);
  });
  await rig.campaign(campaignId, numbers);
  const seatOf = (extension: string) => ({ extension, campaignIds: [campaignId] });
  await rig.seat(
    extensions(agents).map((each) => ({ ...seatOf(each), way: 'pre-connected' as const })),
  );
  await rig.setCampaign(campaignId, 'running');
  const working = () => rig.news.said('call-connected').length >= agents;
  await rig.news.until('a floor at work', working, 20_000);
}

/** Kills the daemon at one moment, starts it again, and waits until it has connected a call. */
export async function killOnce(rig: FloorRig, point: KillPoint, clock: Clock): Promise<Kill> {
  const { news } = rig;
  await rig.ask({ do: 'arm', point });
  const child = rig.child();
  let dead = false;
  const died = child.ended.then((signal) => {
    dead = true;
    // Wakes whoever waits for news.
    news.hear({ say: 'lines', fromSeq: news.nextSeq, lines: [] });
    return signal;
  });
  await news.until(`death ${point.when} ${point.at} ${point.what}`, () => dead, hitWithinMs);
  const signal = await died;
  if (signal !== 'SIGKILL') throw new Error(`the floor ended by ${signal}`);
  const seq = news.nextSeq;
  const startedUptimeMs = clock.uptimeMs();
  await rig.start();
  await news.untilSaid('call-connected', news.nextSeq, hopelessMs);
  return { point, seq, backMs: Math.round(clock.uptimeMs() - startedUptimeMs) };
}

/** Ends the campaign; what is on the line talks to its end, and every agent is ready again. */
export async function endCampaign(rig: FloorRig): Promise<void> {
  const { news } = rig;
  await rig.setCampaign(campaignId, 'stopped');
  await rig.untilQuiet(60_000);
  const ready = () => news.all('Agent', ({ state }) => state !== 'ready').length === 0;
  await news.until('every agent ready', ready, 10_000);
}
