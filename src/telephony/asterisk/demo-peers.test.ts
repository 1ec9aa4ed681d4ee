// The peers of the demo: their tone is G.711, their scenarios are whole, their account is readable.
import { describe, expect, it } from 'vitest';
import { encodeUlaw, readAccount } from './demo-peers.ts';
import { agentScenario, carrierDigits, carrierScenario } from './sipp-scenarios.ts';

/** The decoder of ITU-T G.711, as its tables define it. */
function decodeUlaw(byte: number): number {
  const bits = ~byte & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + 132) << ((bits >> 4) & 7)) - 132;
  return bits & 0x80 ? -magnitude : magnitude;
}

describe('encodeUlaw', () => {
  it('comes back within half a step of each segment', () => {
    for (let sample = -32_000; sample <= 32_000; sample += 7) {
      const decoded = decodeUlaw(encodeUlaw(sample));
      const step = 2 ** Math.max(3, Math.floor(Math.log2(Math.abs(sample) + 132)) - 4);
      expect(Math.abs(decoded - sample), `${sample}`).toBeLessThanOrEqual(step / 2 + 1);
    }
  });

  it('gives silence and full scale their known bytes', () => {
    expect([0, 32_767, -32_768].map(encodeUlaw)).toEqual([0xff, 0x80, 0x00]);
  });
});

describe('a scenario', () => {
  const manners = { ringMs: [100, 700], talkMs: [1000, 3000], toneFile: '/x/tone' } as const;
  const scenarios = { carrier: carrierScenario(manners), agent: agentScenario('/x/tone') };
  it.each(Object.entries(scenarios))('of the %s jumps only to labels it has', (_who, text) => {
    const labels = [...text.matchAll(/<label id="([^"]+)"/g)].map(([, id]) => id);
    const targets = [...text.matchAll(/(?:next|ontimeout)="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(labels).size).toBe(labels.length);
    expect(targets.filter((id) => !labels.includes(id))).toEqual([]);
  });

  it('of the carrier rings for spread times within the span', () => {
    const waits = [...scenarios.carrier.matchAll(/request="CANCEL" timeout="(\d+)"/g)];
    const ringMs = waits.map(([, ms]) => Number(ms)).filter((ms) => ms !== 1500);
    expect(ringMs).toEqual([150, 250, 350, 450, 550, 650]);
  });

  it('has a digit of its own for each behaviour', () => {
    expect(new Set(Object.values(carrierDigits)).size).toBe(10);
  });
});

it('an account is read line by line, and what is none is left out', () => {
  const lines = [
    '2026-11-22\t01:52:35.054885\t1795312355.054885 answered 12025550106',
    'The following events occurred:',
    '2026-11-22\t01:52:35.058508\t1795312355.058508 hung-up 12025550106',
    '',
  ];
  expect(readAccount(lines.join('\n'))).toEqual([
    { atUtcMs: 1_795_312_355.054_885 * 1000, what: 'answered', number: '12025550106' },
    { atUtcMs: 1_795_312_355.058_508 * 1000, what: 'hung-up', number: '12025550106' },
  ]);
});
