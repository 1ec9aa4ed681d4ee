// What may never stand in a log: the one place that takes numbers and secrets out of any value.

/** Deeper nesting, longer lists and longer text are cut: a log line is read, not stored. */
export const maxDepth = 8;
export const maxItems = 50;
export const maxTextChars = 4_000;

export const hiddenNumber = '[number]';
export const hiddenSecret = '[secret]';

const secretWord =
  'secret|passw(?:or)?d|passphrase|token|authorization|cookie|credential|api[_-]?key|' +
  'private[_-]?key|wrapped[_-]?key|master[_-]?key';
const secretName = new RegExp(secretWord, 'i');
/** Fields that hold a number of a person whatever it looks like. */
const numberName = /^(number|e164|phone|mobile|msisdn|callerId|calleeId|cardNumber|pan|idNumber)$/i;
/** Whole numbers of seven digits and more are told only where their name ends in a unit. */
const countName = /(Ms|Bytes|Seq|Size|Count|Micros)$|^(seq|pid|count|size|bytes)$/;

/** It opens an account. People's room makes them, and shows each once. */
const enrolmentCode = /enrol-[2-9b-z]{16}/gi;
const pem = /-----BEGIN [A-Z ]+-----[\s\S]*?(?:-----END [A-Z ]+-----|$)/g;
// `name=value`, `"name": "value"` and `name: Bearer value`, also inside a longer name. A quoted
// value ends at the quote it began with, escaped as often, or with the text.
const assigned = new RegExp(
  String.raw`((?:${secretWord})[\w-]{0,40}[\\/]*["']?\s*[=:]\s*)(?:(?:bearer|basic|digest)\s+)?` +
    String.raw`(?:([\\/]*["'])[\s\S]*?(?:(?<![\\/])\2|$)|[^\s"',;&]+)`,
  'gi',
);
const bearer = /\b(bearer|basic)\s+[\w+/=.~-]{8,}/gi;
const userInUrl = /(:\/\/)[^\s/@]+@/g;
const secretInUrl = /([?&][\w-]*(?:key|sig|auth|pass)[\w-]*=)[^\s&#"']+/gi;

// Kept as they are: ids of ours (with a letter in the sixteen), days and times, digests, addresses.
const seconds = String.raw`(?::\d\d(?:\.\d{1,3})?)?`;
const kept = [
  String.raw`(?<![\w-])[a-z]+(?:-[a-z]+)*-(?=[2-9]*[b-z])[2-9b-z]{16}(?![a-z\d])`,
  String.raw`(?<!\p{Nd})(?:19|20)\d\d-[01]\d-[0-3]\d(?:T[0-2]\d:[0-5]\d${seconds}Z?)?(?!\p{Nd})`,
  String.raw`(?<!\w)(?=[\da-f]*[a-f])[\da-f]{32,}(?!\w)`,
  String.raw`(?<![\p{Nd}.])(?:\d{1,3}\.){3}\d{1,3}(?![\p{Nd}.])`,
].join('|');
// Seven digits of any script, with up to two marks between them, some of which nobody sees: E.164,
// national forms, cards, and numbers written out as they are read aloud.
const digit = String.raw`[\p{Nd}〇零一二三四五六七八九幺壹贰叁肆伍陆柒捌玖]`;
const mark = String.raw`[\s()._|·\-/+\u2010-\u2015\p{Cf}]`;
const number = String.raw`\+?${digit}(?:${mark}{0,2}${digit}){6,}`;
const keptOrNumber = new RegExp(`(${kept})|${number}`, 'gu');

/** The text without secrets, and without runs of digits that could be a phone or card number. */
export function redactText(text: string): string {
  const short = text.length > maxTextChars ? `${text.slice(0, maxTextChars)}…` : text;
  return short
    .replace(/(?:%[\da-f]{2})+/gi, decoded)
    .replace(pem, hiddenSecret)
    .replace(enrolmentCode, hiddenSecret)
    .replace(userInUrl, `$1${hiddenSecret}@`)
    .replace(assigned, `$1${hiddenSecret}`)
    .replace(bearer, `$1 ${hiddenSecret}`)
    .replace(secretInUrl, `$1${hiddenSecret}`)
    .replace(keptOrNumber, (_, keep: string | undefined) => keep ?? hiddenNumber);
}

/** What an address escaped, so that an escaped number is seen as one; wrong escapes stay. */
function decoded(escapes: string): string {
  try {
    return decodeURIComponent(escapes);
  } catch {
    return escapes;
  }
}

/**
 * A plain copy of any value that is safe to log: text redacted, secrets taken out by the name they
 * stand under, errors with their causes as data, cycles and depth cut. Never throws: a getter that
 * does must not end the process by being logged.
 */
export function redact(value: unknown): unknown {
  try {
    return redactAt(value, '', []);
  } catch {
    return '[unreadable]';
  }
}

function redactAt(value: unknown, name: string, above: readonly object[]): unknown {
  if (value === undefined || value === null || typeof value === 'boolean') return value;
  if (secretName.test(name)) return hiddenSecret;
  if (numberName.test(name)) return hiddenNumber;
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'number' || typeof value === 'bigint') return redactNumber(value, name);
  if (typeof value !== 'object') return `[${typeof value}]`;
  if (above.includes(value)) return '[circular]';
  if (above.length >= maxDepth) return '[deep]';
  const inside = [...above, value];
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof URL) return redactText(value.href);
  if (value instanceof Map) return redactFields([...value], inside);
  if (Array.isArray(value) || value instanceof Set) return redactList([...value], name, inside);
  if (value instanceof Error) return redactError(value, inside);
  return redactFields(Object.entries(value), inside);
}

function redactNumber(value: number | bigint, name: string): unknown {
  const digits = String(value).replace(/\D/g, '').length;
  if (digits >= 7 && Number.isInteger(Number(value)) && !countName.test(name)) return hiddenNumber;
  return typeof value === 'bigint' ? String(value) : value;
}

function redactList(items: readonly unknown[], name: string, above: readonly object[]): unknown[] {
  const list = items.slice(0, maxItems).map((item) => redactAt(item, name, above));
  if (items.length > maxItems) list.push(`and ${items.length - maxItems} more`);
  return list;
}

function redactError(error: Error, above: readonly object[]): unknown {
  const { name, message, stack, cause } = error;
  const fields: [string, unknown][] = [
    ['type', name],
    ['message', message],
    ...Object.entries(error).filter(
      ([key]) => !['name', 'message', 'stack', 'cause'].includes(key),
    ),
    ['stack', stack],
    ['cause', cause],
  ];
  if (error instanceof AggregateError) fields.push(['errors', error.errors]);
  return redactFields(fields, above);
}

function redactFields(
  fields: readonly (readonly [unknown, unknown])[],
  above: readonly object[],
): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [key, value] of fields.slice(0, maxItems))
    if (value !== undefined) safe[redactText(String(key))] = redactAt(value, String(key), above);
  if (fields.length > maxItems) safe.more = fields.length - maxItems;
  return safe;
}
