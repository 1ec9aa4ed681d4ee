// Reasons from outside become codes that the ledger takes, whatever they say.
import { describe, expect, it } from 'vitest';
import { idProblem } from './audit/entry.ts';
import { toCode } from './draft.ts';
import { seededIds } from './ids.ts';

describe('a reason from outside', () => {
  it.each([
    ['Allocation failed', 'allocation-failed'],
    ['ENOSPC: no space left', 'enospc-no-space-left'],
    ['HTTP 503', 'http-503'],
    ['connect ECONNREFUSED 127.0.0.1:8088', 'connect-econnrefused-n-n-n-n-n'],
    ['called +86 100 0000 0101', 'called-n-n-n-n'],
    ['+12025550101', 'n'],
    ['电话', 'unnamed'],
    ['', 'unnamed'],
  ])('%j is the code %s', (reason, code) => {
    expect(toCode(reason)).toBe(code);
  });

  it('of any text is a code that an entry takes', () => {
    const ids = seededIds(31);
    const parts = ['a', 'Zq', '7', '12', '345', '2026', '-', '.', ':', '_', ' ', 'é', '号', '\n'];
    const codes = new Set<string>();
    for (let round = 0; round < 20_000; round += 1) {
      let reason = '';
      for (let size = ids.below(24); size > 0; size -= 1) reason += parts[ids.below(parts.length)];
      const code = toCode(reason);
      expect(idProblem(reason, code)).toBeUndefined();
      codes.add(code);
    }
    expect(codes.size).toBeGreaterThan(5_000);
  });
});
