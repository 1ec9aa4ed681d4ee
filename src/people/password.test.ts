// Passwords: which are refused and why, what a hash costs, and that a flood of them has a limit.
import { describe, expect, it } from 'vitest';
import { openPasswords, parallelHashes, passwordProblem, waitingHashes } from './password.ts';

describe('passwordProblem', () => {
  it.each([
    ['correct horse battery', undefined],
    ['正确的马电池订书钉很长的句', undefined],
    ['short', 'password-too-short'],
    ['elevenchars', 'password-too-short'],
    ['x'.repeat(129), 'password-too-long'],
    ['aaaaaaaaaaaaaaaa', 'password-guessable'],
    ['abcdefghijklmnop', 'password-guessable'],
    ['121212121212', 'password-guessable'],
    ['wang.wei-is-here', 'password-guessable'],
    ['My-GateHouse-2026', 'password-guessable'],
  ])('%s → %s', (password, problem) => {
    expect(passwordProblem(password, 'wang.wei')).toBe(problem);
  });
});

describe('openPasswords', () => {
  it('hashes with argon2id at 46 MiB and verifies only the same password', async () => {
    const passwords = openPasswords();
    const phc = await passwords.hash('correct horse battery');
    expect(phc).toMatch(/^\$argon2id\$v=19\$m=47104,t=1,p=1\$/);
    expect(await passwords.verify(phc, 'correct horse battery')).toBe(true);
    expect(await passwords.verify(phc, 'correct horse battery ')).toBe(false);
    expect(await passwords.verify(undefined, 'correct horse battery')).toBe(false);
  });

  it('lets a bounded number wait, refuses the rest, and works on after that', async () => {
    const passwords = openPasswords();
    const asked = parallelHashes + waitingHashes + 10;
    const all = Array.from({ length: asked }, () => passwords.hash('correct horse battery'));
    const results = await Promise.allSettled(all);
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(10);
    expect(refused[0]?.reason).toMatchObject({ code: 'people.password-queue-full' });
    expect(await passwords.hash('correct horse battery')).toContain('argon2id');
  });
});
