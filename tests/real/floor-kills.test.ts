// kill -9 of the daemon at every step of a call: nothing unrecorded, nobody called twice or stuck.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realClock } from '../../src/clock.ts';
import { closeAccount, lossFaults } from '../peers/floor-account.ts';
import { type FloorRig, openFloorRig } from '../peers/floor-rig.ts';
import {
  backWithinMs,
  beginCampaign,
  endCampaign,
  killOnce,
  momentNames,
  moments,
} from '../peers/kill-rounds.ts';
import type { KillPoint } from '../peers/mortal-world.ts';

const agents = 5;
let rig: FloorRig;

beforeAll(async () => {
  rig = await openFloorRig({
    agents,
    carrier: { ringMs: [300, 600], talkMs: [1_000, 2_500] },
    habits: { talkMs: [1_500, 3_000], wrapUpMs: 50 },
  });
  await beginCampaign(rig, agents);
});
afterAll(() => rig?.close());

describe.each(momentNames)('killed %s', (name) => {
  const points: readonly KillPoint[] = moments[name];
  it.each(points)('$when the $at $what, it works again', async (point) => {
    const kill = await killOnce(rig, point, realClock);
    expect(kill.backMs).toBeLessThan(backWithinMs);
  });
});

it('after all kills every answered call is recorded, and nobody was called twice', async () => {
  await endCampaign(rig);
  const account = await closeAccount(rig);
  expect(lossFaults(account)).toEqual([]);
  expect(account.report.objects.sound).toBeGreaterThan(0);
});
