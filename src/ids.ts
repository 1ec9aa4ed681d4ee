// The only source of randomness: ids, keys and choices; real here, seeded in the simulation.
import { randomBytes, randomInt } from 'node:crypto';

export interface Ids {
  /** A new id, `<kind>-<16 letters and digits>`: safe in file names, URLs and the dialplan. */
  next(kind: string): string;
  /** Secret bytes; in the simulation they come from the seed. */
  bytes(sizeBytes: number): Buffer;
  /** A whole number from 0 up to, not including, `limit` (at most 2^48). */
  below(limit: number): number;
}

// No vowels and no look-alikes: ids are read aloud on the floor and must not spell words.
const letters = '23456789bcdfghjkmnpqrstvwxz';
const idLength = 16;

/** Builds an Ids from any source of whole numbers below a limit. */
export function idsFrom(below: (limit: number) => number): Ids {
  return {
    next(kind) {
      let text = `${kind}-`;
      for (let i = 0; i < idLength; i += 1) text += letters[below(letters.length)];
      return text;
    },
    bytes: (sizeBytes) => Buffer.from(Array.from({ length: sizeBytes }, () => below(256))),
    below,
  };
}

/**
 * Ids that rise, for rows that come by the hundred thousand: indexes take them at their end, where
 * random ones would touch a page each. The first half is random and is theirs alone.
 */
export function risingIds(ids: Ids): (kind: string) => string {
  const half = idLength / 2;
  const start = ids.next('x').slice(-half);
  let count = 0;
  return (kind) => {
    let rest = count;
    count += 1;
    let text = '';
    for (let i = 0; i < half; i += 1) {
      text = letters[rest % letters.length] + text;
      rest = Math.floor(rest / letters.length);
    }
    return `${kind}-${start}${text}`;
  };
}

export const realIds: Ids = {
  ...idsFrom((limit) => randomInt(limit)),
  bytes: (sizeBytes) => randomBytes(sizeBytes),
};

/** A repeatable Ids for the simulation and for tests (mulberry32; never for secrets). */
export function seededIds(seed: number): Ids {
  let state = seed >>> 0;
  const below = (limit: number) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * limit);
  };
  return idsFrom(below);
}
