// Asterisk's stamps against the platform's own reading of them.
import { expect, it } from 'vitest';
import { seededIds } from '../../ids.ts';
import { readStamp } from './stamp.ts';

it('reads what the platform reads, in every zone', () => {
  const ids = seededIds(7);
  for (let n = 0; n < 500; n += 1) {
    const utcMs = ids.below(4_000_000_000) * 1000 + ids.below(1000);
    const zoneMinutes = ids.below(27 * 4) * 15 - 12 * 60;
    const local = new Date(utcMs + zoneMinutes * 60_000).toISOString().slice(0, 23);
    const size = Math.abs(zoneMinutes);
    const two = (value: number) => String(value).padStart(2, '0');
    const zone = `${zoneMinutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
    expect(readStamp(local + zone)).toBe(utcMs);
  }
});

it('takes a moment without zone as UTC, as the call records have it', () => {
  expect(readStamp('2026-11-22 01:53:23')).toBe(Date.UTC(2026, 10, 22, 1, 53, 23));
});

it.each(['', '2026-13-01 00:00:00', 'yesterday', '2026-11-22'])('%j is no moment', (text) => {
  expect(readStamp(text)).toBeNaN();
});
