// 500 calls at ten a second with 20 agents: four accounts of them, and all four agree.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CarrierBehaviour } from '../../src/telephony/asterisk/sipp-scenarios.ts';
import { agreementFaults, closeAccount } from '../peers/floor-account.ts';
import { extensions, type FloorRig, numberOf, openFloorRig } from '../peers/floor-rig.ts';

const agents = 20;
const calls = 500;
/** Of 20 numbers twelve answer. */
const farEnds: readonly CarrierBehaviour[] = [
  ...Array<CarrierBehaviour>(9).fill('hangsUpAfterTalk'),
  ...Array<CarrierBehaviour>(2).fill('talksUntilHungUp'),
  'answersAtOnce',
  ...Array<CarrierBehaviour>(4).fill('busy'),
  ...Array<CarrierBehaviour>(2).fill('declines'),
  'unallocated',
  'unallocated',
];

let rig: FloorRig;
beforeAll(async () => {
  rig = await openFloorRig({
    agents,
    carrier: { ringMs: [200, 600], talkMs: [1_500, 4_000] },
    habits: { talkMs: [2_500, 4_000], wrapUpMs: 50 },
  });
});
afterAll(() => rig?.close());

function numbers(): string[] {
  const turns = new Map<CarrierBehaviour, number>();
  return Array.from({ length: calls }, (_, i) => {
    // Who never answers rings for 15 s, so none of them stands at the end.
    const never = i < 400 && i % 20 === 7;
    const farEnd = never ? 'neverAnswers' : (farEnds[(i * 7) % farEnds.length] ?? 'busy');
    const turn = turns.get(farEnd) ?? 0;
    turns.set(farEnd, turn + 1);
    return numberOf(farEnd, turn);
  });
}

it('carrier, Asterisk, ledger and vault agree on every call of a campaign', async () => {
  const { news } = rig;
  await rig.campaign('campaign-500', numbers(), { mode: 'predictive' });
  await rig.seat(
    extensions(agents).map((extension) => ({
      extension,
      way: 'pre-connected',
      campaignIds: ['campaign-500'],
    })),
  );
  const ready = () => news.all('Agent', ({ state }) => state === 'ready').length === agents;
  await news.until('20 agents ready', ready, 15_000);
  await rig.setCampaign('campaign-500', 'running');
  await news.until('500 calls', () => news.said('call-ended').length === calls, 150_000);
  await rig.setCampaign('campaign-500', 'stopped');
  await rig.untilQuiet(20_000);
  await news.until('agents ready', ready, 10_000);

  const dialed = news.said('call-dialed');
  const account = await closeAccount(rig);
  const spanS = ((dialed.at(-1)?.atUtcMs ?? 0) - (dialed[0]?.atUtcMs ?? 0)) / 1_000;
  expect(agreementFaults(account)).toEqual([]);
  expect(account.calls).toHaveLength(calls);
  expect(account.report.objects.sound).toBeGreaterThan(calls / 2);
  expect(calls / spanS, 'calls a second').toBeGreaterThan(8);
}, 230_000);
