// The Range header of RFC 9110 section 14, for one range; pure.
import type { ByteRange } from './floor-port.ts';

export type RangeDecision =
  | { kind: 'whole' }
  | { kind: 'part'; range: ByteRange }
  /** It begins beyond the end. */
  | { kind: 'impossible' };

/**
 * What to send of `sizeBytes` bytes. A header that is malformed, or asks for several ranges, is
 * passed over as section 14.2 allows: then the whole is sent.
 */
export function decideRange(header: string | undefined, sizeBytes: number): RangeDecision {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  if (!match) return { kind: 'whole' };
  const [, first = '', last = ''] = match;
  const end = sizeBytes - 1;
  if (first === '') {
    if (last === '') return { kind: 'whole' };
    // The last so many bytes; none of them is a range that can't be (section 14.1.2).
    const count = Number(last);
    if (count === 0 || sizeBytes === 0) return { kind: 'impossible' };
    return { kind: 'part', range: { firstByte: Math.max(0, sizeBytes - count), lastByte: end } };
  }
  const firstByte = Number(first);
  const lastByte = last === '' ? end : Math.min(end, Number(last));
  if (last !== '' && Number(last) < firstByte) return { kind: 'whole' };
  if (firstByte > end) return { kind: 'impossible' };
  return { kind: 'part', range: { firstByte, lastByte } };
}
