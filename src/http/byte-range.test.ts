// Ranges as RFC 9110 section 14 has them, by cases and against every range of a small file.
import { describe, expect, it } from 'vitest';
import { decideRange } from './byte-range.ts';

const part = (firstByte: number, lastByte: number) => ({
  kind: 'part',
  range: { firstByte, lastByte },
});
const whole = { kind: 'whole' };
const impossible = { kind: 'impossible' };

describe('decideRange of 1,000 bytes', () => {
  it.each([
    [undefined, whole],
    ['bytes=0-99', part(0, 99)],
    ['bytes=0-0', part(0, 0)],
    ['bytes=999-999', part(999, 999)],
    ['bytes=500-', part(500, 999)],
    ['bytes=500-5000', part(500, 999)],
    ['bytes=-100', part(900, 999)],
    ['bytes=-5000', part(0, 999)],
    ['bytes=1000-', impossible],
    ['bytes=1000-1001', impossible],
    ['bytes=-0', impossible],
    ['bytes=99-0', whole],
    ['bytes=-', whole],
    ['bytes=', whole],
    ['bytes=0-1,5-6', whole],
    ['bytes=a-b', whole],
    ['bytes= 0-1', whole],
    ['items=0-1', whole],
    ['bytes=0-99999999999999999999', whole],
    ['bytes=-1-5', whole],
  ])('%s', (header, expected) => {
    expect(decideRange(header, 1_000)).toEqual(expected);
  });

  it('has no range in an empty file', () => {
    expect(decideRange('bytes=0-', 0)).toEqual(impossible);
    expect(decideRange('bytes=-5', 0)).toEqual(impossible);
    expect(decideRange(undefined, 0)).toEqual(whole);
  });

  it('never leaves the file, whatever is asked', () => {
    for (let size = 0; size < 6; size += 1)
      for (const first of ['', '0', '1', '3', '5', '9'])
        for (const last of ['', '0', '1', '3', '5', '9']) {
          const decision = decideRange(`bytes=${first}-${last}`, size);
          if (decision.kind !== 'part') continue;
          const { firstByte, lastByte } = decision.range;
          expect(firstByte).toBeGreaterThanOrEqual(0);
          expect(lastByte).toBeGreaterThanOrEqual(firstByte);
          expect(lastByte).toBeLessThan(size);
        }
  });
});
