// The people who are called, as a list: how their phones and they themselves behave, by chance.
import type { DialOrder, EndCause } from '../telephony/phone-system.ts';
import type { Chance } from './chance.ts';
import type { FarEnd, Phone } from './phone-world.ts';

/** How many of a thousand calls end so; the rest rings until it is given up. */
const refusals: readonly (readonly [permille: number, afterMs: number, cause: EndCause])[] = [
  [80, 900, { cause: 17, sipCode: 486 }],
  [20, 300, { cause: 1, sipCode: 404 }],
  [15, 80, { cause: 34, sipCode: 503 }],
  [15, 2_500, { cause: 21, sipCode: 603 }],
  [5, 700, { cause: 127 }],
];
const answersPermille = 400;
const earlyMediaPermille = 50;
const ringMeanMs = 12_000;
const waitMeanMs = 12_000;
/** Long talks: few calls fill twenty agents' day, so that a day is soon lived. */
const talkMeanMs = 900_000;
/** Some say a word and hang up. */
const shortTalkPermille = 100;
const shortTalkMs = [300, 5_000] as const;

/** What happens at the other end of one call. */
export function drawFarEnd(chance: Chance, _order: DialOrder): FarEnd {
  const ringsAfterMs = chance.spanMs(200, 1_700);
  const waitsMs = chance.exponentialMs(waitMeanMs);
  const talksMs = chance.hits(shortTalkPermille)
    ? chance.spanMs(...shortTalkMs)
    : chance.exponentialMs(talkMeanMs);
  const manners = { ringsAfterMs, waitsMs, talksMs };
  let drawn = chance.below(1_000);
  for (const [permille, afterMs, cause] of refusals) {
    if (drawn < permille) return { ...manners, refuses: { afterMs, cause } };
    drawn -= permille;
  }
  if (drawn >= answersPermille) return manners;
  const answersAfterMs = chance.exponentialMs(ringMeanMs);
  return { ...manners, answersAfterMs, earlyMedia: chance.hits(earlyMediaPermille) };
}

/** Nobody picks an agent's phone up so often. */
const notPickedUpPermille = 30;

export function drawPhone(chance: Chance): Phone {
  if (chance.hits(notPickedUpPermille)) return {};
  return { answersAfterMs: chance.spanMs(300, 2_300) };
}
