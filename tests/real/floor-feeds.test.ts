// Asterisk killed with 20 calls up, AMI or ARI cut alone: what was recorded is kept, work goes on.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realClock } from '../../src/clock.ts';
import {
  beginTalking,
  type Crash,
  cutOnce,
  endTalking,
  killAsterisk,
} from '../peers/feed-rounds.ts';
import { closeAccount, type FloorAccount, lossFaults } from '../peers/floor-account.ts';
import { type FloorRig, openFloorRig } from '../peers/floor-rig.ts';
import { backWithinMs } from '../peers/kill-rounds.ts';

const agents = 20;
let rig: FloorRig;

beforeAll(async () => {
  rig = await openFloorRig({
    agents,
    carrier: { ringMs: [500, 1_500], talkMs: [1_500, 3_000] },
    habits: { talkMs: [2_000, 4_000], wrapUpMs: 50 },
  });
  await beginTalking(rig, agents);
});
afterAll(() => rig?.close());

const isAbout = (what: string) => (line: { about: string }) => line.about === what;

it.each(['ami', 'ari'] as const)('%s cut alone stops dialing until it is back', async (feed) => {
  const { news } = rig;
  const from = news.nextSeq;
  const cut = await cutOnce(rig, feed, realClock);
  expect(cut.grantedBlind).toBe(0);
  expect(cut.backMs).toBeLessThan(backWithinMs);
  const [cleared] = news.said('alarm-cleared', from).filter(isAbout(`feed-${feed}`));
  expect(cleared?.why).toBe('feed-stale');
});

describe('Asterisk killed while 20 calls are up', () => {
  let crash: Crash;
  let account: FloorAccount;

  it('is started again, phones are rung again, and calls are connected', async () => {
    const pid = rig.asteriskPid();
    crash = await killAsterisk(rig, agents, realClock);
    expect(crash.backMs).toBeLessThan(backWithinMs);
    expect(rig.asteriskPid()).not.toBe(pid);
    expect(crash.callIds).toHaveLength(agents);
    for (const id of crash.callIds)
      expect(rig.news.get('Call', id)).toMatchObject({ outcome: 'conversation', recovered: true });
  });

  it('after it every answered call is recorded, and nobody was called twice', async () => {
    await endTalking(rig);
    account = await closeAccount(rig);
    expect(lossFaults(account)).toEqual([]);
  });

  it('what was being recorded is repaired, and marked so', () => {
    for (const callId of crash.callIds) {
      const call = account.calls.find((each) => each.callId === callId);
      expect(call?.recording).toMatchObject({ state: 'kept', repaired: true });
      const sealed = call?.ledger.find(({ what }) => what === 'recording-sealed');
      expect(sealed?.facts).toMatchObject({ repaired: true });
    }
  });
});
