// Headers as Asterisk wrote them are read right, and weaving stereo loses nothing.
import { describe, expect, it } from 'vitest';
import { seededIds } from '../../ids.ts';
import { readWavHeader, unweave, weave } from './wav.ts';

/** Captured from MixMonitor of Asterisk 22.10.1, the two lengths left out. */
function captured(riffBytes: number, dataBytes: number): Buffer {
  const header = Buffer.from(
    '5249464600000000' +
      '57415645666d742010000000010001' +
      '00401f0000803e0000020010006461746100000000',
    'hex',
  );
  header.writeUInt32LE(riffBytes, 4);
  header.writeUInt32LE(dataBytes, 40);
  return header;
}

describe('readWavHeader', () => {
  const cases: [string, Buffer, number, unknown][] = [
    ['while written', captured(0, 0), 32_812, { state: 'open', samples: 16_384 }],
    ['just opened', captured(0, 0), 44, { state: 'open', samples: 0 }],
    ['closed', captured(0xfa24, 0xfa00), 64_044, { state: 'closed', samples: 32_000 }],
    ['closed empty', captured(36, 0), 44, { state: 'closed', samples: 0 }],
    ['killed while closing', captured(0xfa24, 0), 64_044, { state: 'open', samples: 32_000 }],
    ['killed, odd size', captured(0, 0), 32_813, { state: 'open', samples: 16_384 }],
    [
      'closed on a full disk',
      captured(0x8ff8, 0x8fd4),
      36_864,
      { state: 'closed', samples: 18_410 },
    ],
    ['longer than it says', captured(0xfa24, 0xfa00), 64_046, { state: 'lying' }],
    ['shorter than it says', captured(0xfa24, 0xfa00), 64_042, { state: 'lying' }],
    ['an odd length', captured(0xfa25, 0xfa01), 64_045, { state: 'lying' }],
    ['only RIFF lies', captured(1, 0xfa00), 64_044, { state: 'lying' }],
    ['nothing', Buffer.alloc(0), 0, { state: 'broken' }],
    ['half a header', captured(0, 0).subarray(0, 43), 43, { state: 'broken' }],
  ];
  it.each(cases)('%s', (_, header, fileBytes, expected) => {
    expect(readWavHeader(header, fileBytes)).toEqual(expected);
  });

  it('refuses every other form, byte by byte', () => {
    for (let at = 0; at < 44; at += 1) {
      if ((at >= 4 && at < 8) || at >= 40) continue;
      const header = captured(0xfa24, 0xfa00);
      header[at] = (header[at] ?? 0) ^ 0x20;
      expect(readWavHeader(header, 64_044), `byte ${at}`).toEqual({ state: 'broken' });
    }
  });
});

describe('weave', () => {
  it('puts left before right, low byte first', () => {
    const woven = weave(Buffer.from('01020304', 'hex'), Buffer.from('a1a2a3a4', 'hex'));
    expect(woven.toString('hex')).toBe('0102a1a20304a3a4');
  });

  it('is undone by unweave, with silence after the shorter side', () => {
    const ids = seededIds(11);
    for (let run = 0; run < 200; run += 1) {
      const left = ids.bytes(2 * ids.below(50));
      const right = ids.bytes(2 * ids.below(50));
      const longer = Math.max(left.length, right.length);
      const filled = (leg: Buffer) => Buffer.concat([leg, Buffer.alloc(longer - leg.length)]);
      expect(unweave(weave(left, right))).toEqual({ left: filled(left), right: filled(right) });
    }
  });
});
