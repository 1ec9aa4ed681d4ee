// Numbers as people write them: E.164 or a reason, never something in between.
import { describe, expect, it } from 'vitest';
import { isRegion, readNumber } from './phone-number.ts';

// +1 202-555-01xx and +44 20 7946 0xxx are kept for fiction; 010-5555 0xxx is not assigned.
describe('a number', () => {
  it.each([
    ['+1 202-555-0123', 'CN', '+12025550123'],
    ['(202) 555-0123', 'US', '+12025550123'],
    ['1 202 555 0123', 'US', '+12025550123'],
    ['202.555.0123', 'US', '+12025550123'],
    ['001 202 555 0123', 'GB', '+12025550123'],
    ['020 7946 0123', 'GB', '+442079460123'],
    ['010-5555 0123', 'CN', '+861055550123'],
    ['（010）5555—0123', 'CN', '+861055550123'],
    ['２０２５５５０１２３', 'US', '+12025550123'],
    ['\u202a+12025550123\u202c', 'US', '+12025550123'],
    [' +12025550123\u200b ', 'US', '+12025550123'],
  ])('%s in %s is %s', (text, region, e164) => {
    expect(readNumber(text, region)).toEqual({ ok: true, e164 });
  });

  it.each([
    ['', 'US', 'not-a-number'],
    ['none', 'US', 'not-a-number'],
    ['call 202-555-0123', 'US', 'not-a-number'],
    ['202-555-0123 or 202-555-0124', 'US', 'not-a-number'],
    ['202-555-0123 / 202-555-0124', 'US', 'not-a-number'],
    ['1-800-FLOWERS', 'US', 'not-a-number'],
    ['=2025550123', 'US', 'not-a-number'],
    ['2.02555E+9', 'US', 'not-a-number'],
    ['tel:+12025550123', 'US', 'not-a-number'],
    ['+12025550123;phone-context=x', 'US', 'not-a-number'],
    ['202-555-0123 ext 12', 'US', 'extension'],
    ['202-555-0123 x12', 'US', 'extension'],
    ['911', 'US', 'invalid-number'],
    ['202-555-012', 'US', 'invalid-number'],
    ['+1 202 555 01234', 'US', 'invalid-number'],
    ['+44 7700 900123', 'GB', 'invalid-number'],
    ['900-555-0123', 'US', 'premium-rate'],
  ])('%s in %s is refused: %s', (text, region, fault) => {
    expect(readNumber(text, region)).toEqual({ ok: false, fault });
  });

  it('survives any text', () => {
    for (const text of ['\u0000', '+', '+999999999999999999999', '1'.repeat(100_000), '\ud800'])
      expect(readNumber(text, 'US').ok).toBe(false);
  });
});

it('knows regions', () => {
  expect(isRegion('CN')).toBe(true);
  expect(isRegion('XX')).toBe(false);
  expect(() => readNumber('1', 'XX')).toThrow('no such region');
});
