// Verification against every attack on a ledger's lines: each is found, and an honest one is clean.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  call,
  chain,
  checkpointOf,
  entries,
  found,
  honest,
  isIncluded,
  key,
  nextKey,
  rootOf,
  siteId,
  started,
  startUtcMs,
} from '../../tests/fast/chains.ts';
import { seededIds } from '../ids.ts';
import { ledgerStarted, publicKeyText } from './checkpoint.ts';
import { type Entry, formLine, genesisPrev, lineHash } from './entry.ts';
import { leafHash, proveInclusion } from './merkle.ts';
import { ChainCheck, maxListedPerCode, readLine, segmentClosed } from './verify.ts';

describe('an honest ledger', () => {
  it('gives no finding, and what it states is right', () => {
    const { summary, codes } = found(honest, {
      checkpoints: [checkpointOf(honest, 20), checkpointOf(honest, 1), checkpointOf(honest, 0)],
      trustedKey: publicKeyText(key),
    });
    expect(codes).toEqual([]);
    expect(summary).toEqual({
      entries: 41,
      headHash: lineHash(honest[40] ?? ''),
      root: rootOf(honest),
      siteId,
      keys: [{ fromSeq: 1, key: publicKeyText(key) }],
      signedEntries: 20,
      validCheckpoints: 3,
    });
  });

  it('gives each entry to the reader, in order', () => {
    const got: unknown[] = [];
    found(honest, { onRecord: ({ seq, atUtcMs, ...entry }) => got.push(entry) });
    expect(got).toEqual(entries);
  });

  it('keeps leaf hashes from which an entry is proved', () => {
    const { check, summary } = found(honest, { keepLeaves: true });
    const leaves = (index: number) => check.leaf(index);
    const proof = proveInclusion(leaves, 17, 41);
    expect(isIncluded(leafHash(honest[17] ?? ''), 17, 41, proof, summary.root)).toBe(true);
  });

  it('that is empty lacks its start by nothing: there is nothing to find', () => {
    expect(found([]).codes).toEqual([]);
  });
});

describe('an attack on the lines', () => {
  const at = (index: number) => honest[index] ?? '';
  const rechained = (changed: readonly Entry[]) => chain(changed);
  const signed = [checkpointOf(honest, 30)];

  it.each<[string, string[], string[]]>([
    [
      'edits a fact',
      honest.with(10, at(10).replace('"ringMs":9', '"ringMs":8')),
      ['chain-broken', 'checkpoint-root'],
    ],
    ['edits the last line', honest.with(40, at(40).replace('"ringMs":39', '"ringMs":38')), []],
    ['deletes a line', honest.toSpliced(10, 1), ['line-order', 'chain-broken', 'checkpoint-root']],
    [
      'doubles a line',
      honest.toSpliced(10, 0, at(10)),
      ['line-order', 'chain-broken', 'checkpoint-root'],
    ],
    [
      'inserts a line',
      honest.toSpliced(10, 0, formLine(lineHash(at(9)), 11, startUtcMs, call(99))),
      ['line-order', 'chain-broken', 'checkpoint-root'],
    ],
    [
      'swaps two lines',
      honest.with(10, at(11)).with(11, at(10)),
      ['line-order', 'chain-broken', 'checkpoint-root'],
    ],
    ['cuts the tail', honest.slice(0, 29), ['ledger-cut']],
    [
      'cuts the head',
      honest.slice(1),
      [
        'ledger-start',
        'line-order',
        'chain-broken',
        'checkpoint-root',
        'checkpoint-origin',
        'checkpoint-signature',
      ],
    ],
    ['cuts everything', [], ['ledger-cut']],
    ['rewrites and chains anew', rechained(entries.with(10, call(99))), ['checkpoint-root']],
    ['deletes and chains anew', rechained(entries.toSpliced(10, 1)), ['checkpoint-root']],
    [
      'starts with another key',
      rechained(entries.with(0, ledgerStarted(siteId, publicKeyText(nextKey)))),
      ['checkpoint-root'],
    ],
    [
      'adds a blank',
      honest.with(10, at(10).replace('"rec":{', '"rec": {')),
      ['line-form', 'chain-broken', 'checkpoint-root'],
    ],
    [
      'adds a key',
      honest.with(10, at(10).replace('"room"', '"note":"x","room"')),
      ['line-form', 'chain-broken', 'checkpoint-root'],
    ],
    [
      'doubles a key',
      honest.with(10, at(10).replace('"room"', '"room":"x","room"')),
      ['line-form', 'chain-broken', 'checkpoint-root'],
    ],
    [
      'writes free text',
      honest.with(10, at(10).replace('"call-9"', '"Zhang San"')),
      ['line-form', 'chain-broken', 'checkpoint-root'],
    ],
    [
      'writes a number',
      honest.with(10, at(10).replace('"call-9"', '"12025550123"')),
      ['line-form', 'chain-broken', 'checkpoint-root'],
    ],
    [
      'spells a letter differently',
      honest.with(10, at(10).replace('"call-9"', '"\\u0063all-9"')),
      ['line-form', 'chain-broken', 'checkpoint-root'],
    ],
    ['writes junk', honest.with(10, '}{'), ['line-form', 'chain-broken', 'checkpoint-root']],
    ['writes nothing', honest.with(10, ''), ['line-form', 'chain-broken', 'checkpoint-root']],
    ['writes null', honest.with(10, 'null'), ['line-form', 'chain-broken', 'checkpoint-root']],
    [
      'writes a deep nest',
      honest.with(10, '['.repeat(1e5)),
      ['line-form', 'chain-broken', 'checkpoint-root'],
    ],
  ])('that %s is found', (_name, lines, expected) => {
    const { codes } = found(lines, { checkpoints: signed });
    for (const code of codes) expect([...expected, 'line-order', 'clock-back']).toContain(code);
    for (const code of expected) {
      // Alternatives of a cut head: whichever check comes first names it.
      if (!code.startsWith('checkpoint-')) expect(codes).toContain(code);
    }
    const whole = found(lines, { checkpoints: [checkpointOf(honest)] }).check.findings;
    expect(whole.faults()).toBeGreaterThan(0);
  });

  it('on the last line only shows under a checkpoint that covers it: the stated limit', () => {
    const forged = honest.with(40, at(40).replace('"ringMs":39', '"ringMs":38'));
    expect(found(forged).codes).toEqual([]);
    expect(found(forged, { checkpoints: [checkpointOf(honest)] }).codes).toEqual([
      'checkpoint-root',
    ]);
  });

  it('with the checkpoint rolled back too shows only against a checkpoint held elsewhere', () => {
    const rolledBack = { checkpoints: [checkpointOf(honest, 20)] };
    expect(found(honest.slice(0, 25), rolledBack).codes).toEqual([]);
    const held = {
      checkpoints: [checkpointOf(honest, 20), { ...checkpointOf(honest, 30), name: 'held' }],
    };
    expect(found(honest.slice(0, 25), held).listed).toEqual([
      { code: 'ledger-cut', place: 'held' },
    ]);
  });

  it('is found wherever a single character of a line is changed', () => {
    const ids = seededIds(9);
    const checkpoints = [checkpointOf(honest)];
    for (let round = 0; round < 400; round += 1) {
      const index = ids.below(honest.length);
      const line = at(index);
      const cut = ids.below(line.length);
      const other = String.fromCharCode(32 + ids.below(95));
      if (other === line[cut]) continue;
      const forged = honest.with(index, line.slice(0, cut) + other + line.slice(cut + 1));
      expect(found(forged, { checkpoints }).check.findings.faults()).toBeGreaterThan(0);
    }
  });

  it('on many lines gives a report that can be read', () => {
    const long = chain([started, ...Array.from({ length: 500 }, (_, i) => call(i))]);
    const { check } = found(long.map((line, i) => (i > 100 ? `${line} ` : line)));
    expect(check.findings.counts.get('line-form')).toBe(400);
    expect(check.findings.listed.length).toBeLessThanOrEqual(2 * maxListedPerCode);
  });
});

describe('segments', () => {
  // Six hours apart: the 22nd has one line, each later day four.
  const days = ['2026-11-22', '2026-11-23', '2026-11-24', '2026-11-25'];
  const fileHash = (lines: readonly string[]) =>
    createHash('sha256')
      .update(lines.map((line) => `${line}\n`).join(''))
      .digest('hex');

  interface Forgery {
    stated?: (day: string, sha256: string, lastSeq: number) => Entry | undefined;
    names?: string[];
  }
  function build({ stated = segmentClosed }: Forgery) {
    const segments: string[][] = [];
    const all: string[] = [];
    days.forEach((day, i) => {
      const lines: string[] = [];
      const closed = segments.at(-1);
      const entry = closed && stated(days[i - 1] ?? '', fileHash(closed), all.length);
      const wanted = [i === 0 ? started : call(i), ...(entry ? [entry] : []), call(100 + i)];
      for (const each of wanted) {
        const prev = all.length === 0 ? genesisPrev : lineHash(all.at(-1) ?? '');
        const line = formLine(prev, all.length + 1, Date.parse(`${day}T08:00:00Z`), each);
        lines.push(line);
        all.push(line);
      }
      segments.push(lines);
    });
    return segments;
  }
  function check(segments: string[][], names = days) {
    const chainCheck = new ChainCheck({ checkpoints: [] });
    segments.forEach((lines, i) => {
      chainCheck.openSegment(names[i] ?? '');
      for (const line of lines) chainCheck.add(line);
      chainCheck.closeSegment(fileHash(lines));
    });
    chainCheck.finish();
    return chainCheck.findings.listed;
  }

  it('are clean when each closed one is stated in the next', () => {
    expect(check(build({}))).toEqual([]);
  });

  it.each<[string, Forgery, { code: string; place: string }[]]>([
    [
      'a hash is another',
      { stated: (day, _sha256, lastSeq) => segmentClosed(day, '0'.repeat(64), lastSeq) },
      days.slice(0, 3).map((place) => ({ code: 'segment-hash', place })),
    ],
    [
      'its end is another',
      { stated: (day, sha256, lastSeq) => segmentClosed(day, sha256, lastSeq - 1) },
      days.slice(0, 3).map((place) => ({ code: 'segment-hash', place })),
    ],
    [
      'none is stated',
      { stated: () => undefined },
      days.slice(0, 2).map((place) => ({ code: 'segment-unstated', place })),
    ],
    [
      'a later one is stated',
      { stated: (_day, sha256, lastSeq) => segmentClosed('2026-11-30', sha256, lastSeq) },
      [
        ...days.slice(0, 3).map(() => ({ code: 'segment-lost', place: '2026-11-30' })),
        ...days.slice(0, 2).map((place) => ({ code: 'segment-unstated', place })),
      ],
    ],
  ])('are faulty when %s', (_name, forgery, expected) => {
    expect(check(build(forgery))).toEqual(expected);
  });

  it('are faulty when a line stands under another day', () => {
    const codes = check(build({}), ['2026-11-22', '2026-11-22', '2026-11-24', '2026-11-26']);
    expect(codes.filter(({ code }) => code === 'segment-day').map(({ place }) => place)).toEqual([
      '2026-11-22 seq 3',
      '2026-11-22 seq 4',
      '2026-11-22 seq 5',
      '2026-11-26 seq 9',
    ]);
  });
});

describe('a clock that steps back', () => {
  it('is noted, is no fault, and does not touch the order', () => {
    let prev = genesisPrev;
    const lines = [started, call(1), call(2)].map((entry, i) => {
      const line = formLine(prev, i + 1, startUtcMs - i, entry);
      prev = lineHash(line);
      return line;
    });
    const { check, codes } = found(lines);
    expect(codes).toEqual(['clock-back']);
    expect(check.findings.faults()).toBe(0);
  });
});

describe('readLine', () => {
  it('is the inverse of formLine', () => {
    for (const [i, line] of honest.entries()) {
      expect(readLine(line)?.record).toEqual({
        ...entries[i],
        seq: i + 1,
        atUtcMs: startUtcMs + i * 60_000,
      });
    }
  });
});
