// Ledger lines: their exact bytes, and that nothing personal fits into an entry.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { idsFrom, seededIds } from '../ids.ts';
import {
  type Entry,
  entryProblem,
  type Fact,
  formLine,
  genesisPrev,
  lineHash,
  maxListItems,
} from './entry.ts';

const entry: Entry = {
  room: 'telephony',
  what: 'call-answered',
  who: 'system',
  about: 'call-23456789bcdfghjk',
};
const withFact = (fact: unknown, name = 'value'): Entry => ({
  ...entry,
  facts: { [name]: fact as Fact },
});

/** RFC 8785 for values of ASCII strings and integers, the slow and obvious way. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`;
}

describe('the line', () => {
  it('is, to the byte', () => {
    const full = { ...entry, why: 'hours.default', facts: { ringMs: 12000, early: false } };
    expect(formLine(genesisPrev, 1, 1795305600000, full)).toBe(
      `{"prev":"${genesisPrev}","rec":{"about":"call-23456789bcdfghjk","atUtcMs":1795305600000,` +
        '"facts":{"early":false,"ringMs":12000},"room":"telephony","seq":1,' +
        '"what":"call-answered","who":"system","why":"hours.default"}}',
    );
  });

  it('leaves out what was not said', () => {
    expect(formLine(genesisPrev, 2, 0, entry)).toBe(
      `{"prev":"${genesisPrev}","rec":{"about":"call-23456789bcdfghjk","atUtcMs":0,` +
        '"room":"telephony","seq":2,"what":"call-answered","who":"system"}}',
    );
  });

  it('is RFC 8785 for any allowed entry, whatever the order of its keys', () => {
    const ids = seededIds(11);
    const facts: (() => Fact)[] = [
      () => ids.below(2 ** 48) - 2 ** 47,
      () => ids.next('call'),
      () => ids.bytes(32).toString('hex'),
      () => ids.bytes(32).toString('base64'),
      () => ids.below(2) === 1,
      () => null,
      () => -0,
      () => [],
      () => [ids.next('a'), ids.bytes(16).toString('base64')],
    ];
    for (let seq = 1; seq <= 500; seq += 1) {
      const chosen: Record<string, Fact> = {};
      for (let i = ids.below(8); i >= 0; i -= 1) {
        const make = facts[ids.below(facts.length)];
        if (make) chosen[`${String.fromCharCode(97 + ids.below(26))}${ids.below(20)}Ms`] = make();
      }
      const full: Entry = { facts: chosen, why: 'a.b', ...entry };
      const line = formLine(lineHash(`${seq}`), seq, seq * 1000, full);
      const { prev, rec } = JSON.parse(line);
      expect(line).toBe(`{"prev":"${prev}","rec":${canonical(rec)}}`);
      expect(rec).toEqual(
        JSON.parse(JSON.stringify({ ...full, seq, atUtcMs: seq * 1000 }).replace(/-0\b/g, '0')),
      );
    }
  });

  it('chains by SHA-256 of the line with its newline', () => {
    const line = formLine(genesisPrev, 1, 0, entry);
    expect(lineHash(line)).toBe(createHash('sha256').update(`${line}\n`).digest('hex'));
  });

  it.each([
    ['a refused entry', 1, 0, { ...entry, about: 'two words' }],
    ['seq 0', 0, 0, entry],
    ['a fraction of a sequence', 1.5, 0, entry],
    ['a time that is no number', 1, Number.NaN, entry],
  ])('asserts against %s', (_name, seq, atUtcMs, refused) => {
    expect(() => formLine(genesisPrev, seq, atUtcMs, refused)).toThrow();
  });
});

const allowedFacts: [string, unknown][] = [
  ['an id', 'person-23456789bcdfghjk'],
  ['a code', 'cap.number-day'],
  ['a version', '22.4.1'],
  ['a hex digest', 'ab'.repeat(32)],
  ['a hex digest of digits only', '1'.repeat(64)],
  ['a base64 digest', 'q83vq83vq83vq83vq83vq83vq83vq83vq83vq83vq80='],
  ['a day', '2026-11-22'],
  ['an id that has a day', 'segment-2026-11-22'],
  ['six digits', '100086'],
  ['a list of ids', ['a-b', 'c-d']],
  ['nothing', null],
  ['a whole number', 13],
];

const refusedFacts: [string, unknown][] = [
  ['free text', 'called back later'],
  ['a comma', 'later,maybe'],
  ['a Chinese name', '王小明'],
  ['an accent', 'José'],
  ['a quote', 'a"b'],
  ['a backslash', 'a\\b'],
  ['a newline', 'a\nb'],
  ['a trailing newline', 'abc\n'],
  ['NUL', 'a\0b'],
  ['nothing between quotes', ''],
  ['a mail address', 'a@example.com'],
  ['a phone number', '12025550123'],
  ['seven digits', '5550123'],
  ['an international number', '+12025550123'],
  ['a number with dashes', '1-202-555-0123'],
  ['a number with dots', '202.555.0123'],
  ['a number after a kind', 'tel-12025550123'],
  ['a spaced number after a kind', 'tel-202-555-0123'],
  ['a number between words', 'tel:12025550123:home'],
  ['a number after a day', '2026-11-22-12025550123'],
  ['a card number', '6200000000000005'],
  ['a card number after a kind', 'card-6200000000000005'],
  ['a birthday of the last century', '1975-03-31'],
  ['a fraction', 0.5],
  ['a number beyond safety', 2 ** 53],
  ['no number', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['undefined', undefined],
  ['an object', { a: 1 }],
  ['a list of numbers', [1]],
  ['a list with a phone number', ['a-b', '12025550123']],
  ['a list in a list', [['a-b']]],
  ['a long list', Array.from({ length: maxListItems + 1 }, () => 'a')],
  ['a long string', 'a'.repeat(257)],
  ['a big integer', 1n],
];

describe('entryProblem', () => {
  it.each(allowedFacts)('lets %s through', (_name, fact) => {
    expect(entryProblem(withFact(fact))).toBeUndefined();
  });

  it.each(refusedFacts)('refuses %s', (_name, fact) => {
    expect(entryProblem(withFact(fact))).toBeTypeOf('string');
  });

  it.each(['', 'Value', 'two words', 'a"', 'a.b', '1a', 'a_b', 'a'.repeat(49), '__proto__', '号'])(
    'refuses a fact named %j',
    (name) => {
      const facts = Object.fromEntries([[name, 1]]);
      expect(entryProblem({ ...entry, facts })).toBeTypeOf('string');
    },
  );

  it.each([
    ['room', { room: 'Telephony' }],
    ['room', { room: '' }],
    ['what', { what: 'call answered' }],
    ['what', { what: 'callAnswered' }],
    ['what', { what: 'a'.repeat(49) }],
    ['who', { who: 'Zhang San' }],
    ['who', { who: '' }],
    ['who', { who: '12025550123' }],
    ['about', { about: '12025550123' }],
    ['about', { about: 'a'.repeat(129) }],
    ['why', { why: 'because I said so' }],
    ['facts', { facts: {} }],
    ['facts', { facts: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`a${i}`, 1])) }],
    [
      'characters',
      {
        facts: Object.fromEntries(
          Array.from({ length: 2 }, (_, i) => [
            `a${i}`,
            Array.from({ length: 20 }, () => 'a'.repeat(250)),
          ]),
        ),
      },
    ],
  ])('names %s as the place of the fault', (place, part) => {
    expect(entryProblem({ ...entry, ...part } as Entry)).toContain(place);
  });

  it('never repeats the value it refuses', () => {
    for (const [, fact] of refusedFacts) {
      const shown = String(fact);
      if (shown.length > 4) expect(entryProblem(withFact(fact))).not.toContain(shown);
    }
  });

  it('never refuses an id or a digest that happens to consist of digits', () => {
    const digits = idsFrom(() => 0);
    const id = digits.next('call');
    expect(id).toBe('call-2222222222222222');
    expect(entryProblem({ ...entry, about: id })).toBeUndefined();
    expect(entryProblem(withFact(id))).toBeUndefined();
    const ids = seededIds(3);
    for (let i = 0; i < 5000; i += 1) {
      expect(entryProblem({ ...entry, about: ids.next('number-key') })).toBeUndefined();
    }
  });
});
