// Tries to get numbers and secrets into the log by every way a program hands things to it.
import { describe, expect, it } from 'vitest';
import { realClock } from './clock.ts';
import { openLog } from './log.ts';
import { maxItems, maxTextChars, redact, redactText } from './redact.ts';

function logged(message: string, fields?: Record<string, unknown>): string {
  let text = '';
  const log = openLog(realClock, (line) => {
    text += line;
  });
  log.error(message, fields);
  return text;
}

const numbers = [
  '+12025550123',
  '2025550123',
  '202-555-0123',
  '(202) 555 0123',
  '202.555.0123',
  '+44 7700 900123',
  '447700900123',
  '0086 100 0000 0000',
  '+86-100-0000-0000',
  '１００００００１２３４',
  '4242424242424242',
  '4242 4242 4242 4242',
  '5550123',
  '100_0000_0123',
  '100|0000|0123',
  '100\u200b0000\u200b0123',
  '1\u20600\u20600\u20600\u20600\u20600\u20600\u20601',
  '一〇〇〇〇〇〇零一二三',
  '幺零零 零零零零 零幺二三',
  '壹零零零零零零零壹贰叁',
];

const secrets = ['hunter2-and-more', 'c2VjcmV0c2VjcmV0c2VjcmV0'];

/** Every way from a text to a log line. */
const ways: Record<string, (text: string) => string> = {
  message: (text) => logged(`dialing ${text} failed`),
  field: (text) => logged('failed', { detail: `dialing ${text}` }),
  nested: (text) => logged('failed', { a: { b: [{ c: text }] } }),
  key: (text) => logged('failed', { [text]: 1 }),
  map: (text) => logged('failed', { map: new Map([[text, new Set([text])]]) }),
  'text round it': (text) => logged('failed', { a: `PJSIP/${text}@trunk-0001`, b: `x${text}y` }),
  'JSON text': (text) =>
    logged('failed', { body: JSON.stringify({ a: JSON.stringify({ text }) }) }),
  error: (text) => logged('failed', { cause: new Error(`no route to ${text}`) }),
  'cause of a cause': (text) =>
    logged('failed', { cause: new Error('a', { cause: new Error('b', { cause: text }) }) }),
  'field of an error': (text) =>
    logged('failed', { cause: Object.assign(new Error('a'), { text }) }),
  'errors of an error': (text) =>
    logged('failed', { cause: new AggregateError([new Error(text)], text) }),
  url: (text) => logged('failed', { url: new URL(`http://127.0.0.1/calls/${text}`) }),
  'long text': (text) =>
    logged('failed', { a: `${'-'.repeat(maxTextChars - text.length)}${text}` }),
};

describe.each(Object.entries(ways))('by %s', (_, way) => {
  it.each(numbers)('the number %s does not get out', (number) => {
    const line = way(number);
    expect(line).toContain('[number]');
    expect(line).not.toContain(number);
    expect(line.replace(/[\s().+-]/g, '')).not.toContain(number.replace(/[\s().+-]/g, ''));
    expect(() => JSON.parse(line)).not.toThrow();
  });
});

describe.each(secrets)('the secret %s does not get out', (secret) => {
  it.each([
    [`connect to http://127.0.0.1:8088/ari/events?app=gatehouse&api_key=gatehouse:${secret}`],
    [`http://gatehouse:${secret}@127.0.0.1/`],
    [`Authorization: Bearer ${secret}`],
    [`authorization: Basic ${secret}`],
    [`got "Bearer ${secret}"`],
    [`password=${secret}`],
    [`password: "${secret} with words"`],
    [`password: "${secret} that never ends`],
    [JSON.stringify({ sipPassword: secret })],
    [JSON.stringify({ body: JSON.stringify({ token: secret }) })],
    [`Set-Cookie: ${secret}; Path=/`],
    [`-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`],
    [`-----BEGIN PRIVATE KEY-----\n${secret}`],
  ])('in %s', (text) => {
    for (const way of Object.values(ways)) expect(way(text)).not.toContain(secret);
  });

  it('by the name of its field', () => {
    const names = ['secret', 'sipPassword', 'api_key', 'apiToken', 'authorization', 'wrappedKey'];
    for (const name of names) {
      const line = logged('failed', { a: { [name]: secret }, [name]: [{ value: secret }] });
      expect(line).not.toContain(secret);
    }
  });

  it('as bytes', () => {
    const line = logged('failed', {
      bytes: Buffer.from(secret),
      more: new TextEncoder().encode(secret),
    });
    expect(line).toContain(`[${secret.length} bytes]`);
  });
});

describe('numbers that are no text', () => {
  it('are hidden from seven digits on, unless their name has a unit', () => {
    expect(redact({ to: 12_025_550_123, also: 12_025_550_123n, port: 5060 })).toEqual({
      to: '[number]',
      also: '[number]',
      port: 5060,
    });
    const kept = {
      atUtcMs: 1_795_000_000_123,
      sizeBytes: 12_345_678,
      seq: 10_000_000,
      share: 1 / 3,
    };
    expect(redact(kept)).toEqual(kept);
    expect(redact({ number: '101', callerId: 5, e164: '12345' })).toEqual({
      number: '[number]',
      e164: '[number]',
      callerId: '[number]',
    });
  });
});

it('an enrolment code does not get out, whose it is may be read', () => {
  const code = 'enrol-5g4d8fj44br88rw4';
  for (const way of Object.values(ways)) {
    expect(way(code)).toContain('[secret]');
    expect(way(code)).not.toContain(code);
  }
  expect(redactText('enrolment-5g4d8fj44br88rw4')).toBe('enrolment-5g4d8fj44br88rw4');
});

describe('what a reader of the log needs stays', () => {
  it.each([
    'call-2345678923456b89',
    '/spool/call-2345678923456b89-c.wav',
    '2026-11-22T08:00:00.123Z',
    '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    '192.168.100.200:5060',
    'ports 5060 and 8088, 404 of 12345 calls, token expired',
  ])('%s', (text) => {
    expect(redactText(text)).toBe(text);
  });

  it('a line has level, time, message and fields, and an error its code and causes', () => {
    const cause = Object.assign(new Error('outer', { cause: new Error('inner') }), { code: 'x.y' });
    const line = JSON.parse(logged('a message', { cause, level: 'none', callId: 'call-1' }));
    expect(line).toMatchObject({ level: 'error', message: 'a message' });
    expect(line.fields).toMatchObject({ level: 'none', callId: 'call-1' });
    expect(line.fields.cause).toMatchObject({ type: 'Error', message: 'outer', code: 'x.y' });
    expect(line.fields.cause.cause.message).toBe('inner');
  });
});

describe('nothing that is logged ends the process or fills the disk', () => {
  it('cycles, depth, length, lists and getters that throw', () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    expect(redact(cycle)).toEqual({ self: '[circular]' });
    const trap = Object.defineProperty({}, 'a', { enumerable: true, get: () => decodeURI('%') });
    expect(redact(trap)).toBe('[unreadable]');
    expect(JSON.stringify(redact(Array(10_000).fill('x'.repeat(10_000)))).length).toBeLessThan(
      maxItems * (maxTextChars + 10),
    );
    let deep: unknown = 'end';
    for (let i = 0; i < 1_000; i += 1) deep = { deep };
    expect(JSON.stringify(redact(deep))).toContain('[deep]');
  });
});
