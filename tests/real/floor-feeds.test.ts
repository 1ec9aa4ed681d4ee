// Asterisk killed with 20 calls up, AMI or ARI cut alone: what was recorded is kept, work goes on.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realClock } from '../../src/clock.ts';
import { closeAccount, type FloorAccount, lossFaults } from '../peers/floor-account.ts';
import type { FloorNews } from '../peers/floor-news.ts';
import { extensions, type FloorRig, numberOf, openFloorRig } from '../peers/floor-rig.ts';

const agents = 20;
const backWithinMs = 10_000;
const campaignId = 'campaign-feeds';
let rig: FloorRig;
let news: FloorNews;

beforeAll(async () => {
  rig = await openFloorRig({
    agents,
    carrier: { ringMs: [500, 1_500], talkMs: [1_500, 3_000] },
    habits: { talkMs: [2_000, 4_000], wrapUpMs: 50 },
  });
  news = rig.news;
  const numbers = Array.from({ length: 300 }, (_, turn) => [
    numberOf('hangsUpAfterTalk', turn),
    numberOf('talksUntilHungUp', turn),
    numberOf('talksUntilHungUp', turn + 300),
    numberOf('hangsUpAfter3s', turn),
  ]);
  await rig.campaign(campaignId, numbers.flat());
  await rig.seat(
    extensions(agents).map((extension) => ({
      ...{ extension, campaignIds: [campaignId], way: 'pre-connected' },
    })),
  );
  await rig.setCampaign(campaignId, 'running');
  await news.until('a floor at work', () => news.calls('talking').length >= 10, 20_000);
});
afterAll(() => rig?.close());

describe.each(['ami', 'ari'] as const)('%s cut alone', (feed) => {
  it('stops dialing while it is away; afterwards the floor works again', async () => {
    const link = feed === 'ami' ? rig.amiLink : rig.ariLink;
    const from = news.nextSeq;
    link.cut();
    const stale = await news.untilSaid('feed-stale', from, 5_000);
    expect(stale.about).toBe(`feed-${feed}`);
    // What has been dialed rings, is answered and ends; nothing is dialed beside it.
    await news.until('ends', () => news.said('call-ended', stale.seq).length > 5, 10_000);
    const late = news.said('contact-granted', stale.seq).filter(
      // What was asked for in the very moment is granted and not dialed.
      ({ atUtcMs }) => atUtcMs > stale.atUtcMs + 500,
    );
    expect(late).toEqual([]);
    const healedSeq = news.nextSeq;
    link.heal();
    await news.untilSaid('call-connected', healedSeq, backWithinMs);
    const cleared = await news.untilSaid('alarm-cleared', from, 1_000);
    expect(cleared).toMatchObject({ why: 'feed-stale', about: `feed-${feed}` });
  });
});

describe('Asterisk killed while 20 calls are up', () => {
  let account: FloorAccount;
  let lost: ReadonlySet<string>;

  it('is started again, phones are rung again, and calls are connected', async () => {
    await rig.ask({ do: 'habits', habits: { talkMs: [60_000, 60_001], wrapUpMs: 50 } });
    await news.until('20 calls up', () => news.calls('talking').length === agents, 30_000);
    lost = new Set(news.calls('talking').map(({ id }) => id));
    const from = news.nextSeq;
    const pid = rig.asteriskPid();
    process.kill(pid ?? 0, 'SIGKILL');
    const killedUptimeMs = realClock.uptimeMs();
    await rig.ask({ do: 'habits', habits: { talkMs: [2_000, 4_000], wrapUpMs: 50 } });
    await news.untilSaid('call-connected', from, backWithinMs);
    expect(realClock.uptimeMs() - killedUptimeMs).toBeLessThan(backWithinMs);
    expect(rig.asteriskPid()).not.toBe(pid);
    for (const id of lost) expect(news.get('Call', id)).toMatchObject({ outcome: 'conversation' });
    const ready = () => news.all('Agent', ({ legState }) => legState === 'up').length === agents;
    await news.until('every phone', ready, 10_000);
  });

  it('after it every answered call is recorded, and nobody was called twice', async () => {
    await rig.setCampaign(campaignId, 'stopped');
    await rig.untilQuiet(20_000);
    const ready = () => news.all('Agent', ({ state }) => state !== 'ready').length === 0;
    await news.until('every agent ready', ready, 10_000);
    account = await closeAccount(rig);
    expect(lossFaults(account)).toEqual([]);
  });

  it('what was being recorded is repaired, and marked so', () => {
    const cut = account.calls.filter(({ callId }) => lost.has(callId));
    expect(cut).toHaveLength(agents);
    for (const { recording, ledger } of cut) {
      expect(recording).toMatchObject({ state: 'kept', repaired: true });
      const sealed = ledger.find(({ what }) => what === 'recording-sealed');
      expect(sealed?.facts).toMatchObject({ repaired: true });
    }
  });
});
