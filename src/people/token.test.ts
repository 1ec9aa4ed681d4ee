// Tokens and a wall clock that is set back: nothing counts longer for it.
import { describe, expect, it } from 'vitest';
import { Draft } from '../draft.ts';
import { actorOf, clockStepMs, endExpired, findCode, idleLimitMs } from './token.ts';
import type { PeopleDraft, TokenRow } from './working-set.ts';

const dayMs = 86_400_000;
const madeUtcMs = 1_795_000_000_000;
const token = (kind: TokenRow['kind'], endsUtcMs: number): TokenRow => ({
  id: `${kind}-1`,
  kind,
  personId: 'person-1',
  hash: `hash of ${kind}`,
  madeUtcMs,
  endsUtcMs,
});
const session = token('session', madeUtcMs + dayMs / 2);
const api = token('api', madeUtcMs + 30 * dayMs);
const code = token('enrolment', madeUtcMs + dayMs);
const person = {
  id: 'person-1',
  name: 'N',
  roles: ['it'],
  state: 'active',
  sinceUtcMs: 0,
  requirements: {},
} as const;

function room(usedUtcMs = madeUtcMs): PeopleDraft {
  const rows = (...all: { id: string }[]) => new Map(all.map((row) => [row.id, row]));
  return new Draft(
    'people',
    new Map([
      ['Person', rows(person)],
      ['Token', rows(session, api, code)],
      ['Use', rows({ id: session.id, atUtcMs: usedUtcMs } as { id: string })],
    ]),
  );
}

describe('a session', () => {
  it.each([
    ['as it was made', madeUtcMs, true],
    ['after a small correction of the clock', madeUtcMs - clockStepMs, true],
    ['after the clock was set back', madeUtcMs - clockStepMs - 1, false],
    ['after the clock was set back by days', madeUtcMs - 10 * dayMs, false],
    ['after an idle hour', madeUtcMs + idleLimitMs, false],
  ])('%s', (_, atUtcMs, counts) => {
    expect(actorOf(room(), session, atUtcMs) !== undefined).toBe(counts);
  });

  it('does not gain idle time from a clock that was set back after its last use', () => {
    const usedUtcMs = madeUtcMs + 2 * idleLimitMs;
    const atUtcMs = usedUtcMs - idleLimitMs;
    expect(actorOf(room(usedUtcMs), session, atUtcMs)).toBeUndefined();
    expect(actorOf(room(usedUtcMs), session, usedUtcMs)).toBeDefined();
  });

  it('has ended when the clock is right again; codes and tokens of programs have not', () => {
    const draft = room();
    endExpired(draft, madeUtcMs - dayMs);
    expect(draft.entries).toMatchObject([
      { what: 'token-ended', about: session.id, why: 'clock-set-back' },
    ]);
    expect(actorOf(draft, api, madeUtcMs - dayMs)).toBeUndefined();
    expect(findCode(draft, code.hash, madeUtcMs - dayMs)).toBeUndefined();
    expect(actorOf(draft, api, madeUtcMs + 1)).toBeDefined();
    expect(findCode(draft, code.hash, madeUtcMs + 1)).toBeDefined();
  });
});
