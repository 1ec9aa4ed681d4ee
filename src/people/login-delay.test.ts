// Brute force: how many guesses fit into an hour, by pair, by machine and over many machines.
import { describe, expect, it } from 'vitest';
import { keyLimit, openLoginDelay } from './login-delay.ts';

const hourMs = 3_600_000;

/** Guesses that an attacker gets through who asks again whenever the wait is over. */
function guesses(next: (n: number) => { login: string; address: string }, forMs: number): number {
  const delay = openLoginDelay();
  let taken = 0;
  let nowMs = 0;
  while (nowMs < forMs) {
    const { login, address } = next(taken);
    const waitMs = delay.ask(login, address, nowMs);
    if (waitMs === 0) taken += 1;
    nowMs += Math.max(1, waitMs);
  }
  return taken;
}

describe('the delay of logins', () => {
  it.each([
    ['one machine, one name', () => ({ login: 'li', address: '10.0.0.1' }), 75],
    ['one machine, many names', (n: number) => ({ login: `u${n}`, address: '10.0.0.1' }), 95],
    ['many machines, one name', (n: number) => ({ login: 'li', address: `10.0.0.${n}` }), 1_850],
  ])('%s: few guesses an hour', (_, next, most) => {
    const taken = guesses(next, hourMs);
    expect(taken).toBeLessThan(most);
    expect(taken).toBeGreaterThan(3);
  });

  it('never keeps the owner out for more than 2 s, whoever else tries the name', () => {
    const delay = openLoginDelay();
    let nowMs = 0;
    for (let n = 0; n < 500; n += 1) nowMs += Math.max(1, delay.ask('li', `10.1.0.${n}`, nowMs));
    expect(delay.ask('li', '10.0.0.9', nowMs)).toBeLessThanOrEqual(2_000);
  });

  it('counts attempts made in parallel, before any of them has failed', () => {
    const delay = openLoginDelay();
    const taken = Array.from({ length: 50 }, () => delay.ask('li', '10.0.0.1', 0));
    expect(taken.filter((waitMs) => waitMs === 0)).toHaveLength(3);
  });

  it('forgets the name after a right login, but not what the machine tried before', () => {
    const delay = openLoginDelay();
    for (let n = 0; n < 19; n += 1) expect(delay.ask(`u${n}`, '10.0.0.1', 0)).toBe(0);
    expect(delay.ask('li', '10.0.0.1', 0)).toBe(0);
    delay.succeeded('li', '10.0.0.1');
    expect(delay.ask('li', '10.0.0.1', 600)).toBe(0);
    expect(delay.ask('li', '10.0.0.1', 600)).toBeGreaterThan(0);
  });

  it('forgets failures after a quarter of an hour', () => {
    const delay = openLoginDelay();
    for (let n = 0; n < 3; n += 1) delay.ask('li', '10.0.0.1', 0);
    expect(delay.ask('li', '10.0.0.1', 1)).toBeGreaterThan(0);
    for (let n = 0; n < 3; n += 1) expect(delay.ask('li', '10.0.0.1', hourMs)).toBe(0);
  });

  it('remembers a bounded number of keys', () => {
    const delay = openLoginDelay();
    for (let n = 0; n < keyLimit; n += 1) delay.ask(`u${n}`, `10.0.${n >> 8}.${n & 255}`, 0);
    expect(delay.size()).toBe(keyLimit);
  });
});
