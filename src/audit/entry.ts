// One ledger entry: what may stand in it, the exact bytes of its line, and the hash that chains it.
import assert from 'node:assert';
import { hash } from 'node:crypto';

/** A value beside an entry: ids, codes, digests and whole numbers, never text a person wrote. */
export type Fact = string | number | boolean | null | readonly string[];

/** What happened, as the room that decided it states it; see docs/evidence-format.md section 2. */
export interface Entry {
  /** The room that decided, as `telephony`. */
  room: string;
  /** What happened, in the past and in kebab case, as `call-answered`. */
  what: string;
  /** Who did it: `system`, or the id of a person or token. */
  who: string;
  /** The id of the thing it happened to. */
  about: string;
  /** The code of the rule that decided it. */
  why?: string;
  facts?: Readonly<Record<string, Fact>>;
}

/** `prev` of the first line: 64 zeros, since nothing stands before it. */
export const genesisPrev = '0'.repeat(64);

export const maxNameChars = 48;
export const maxIdChars = 128;
export const maxFactChars = 256;
export const maxFacts = 32;
export const maxListItems = 64;
/** All keys and strings of one entry together, so that a line stays below 10 kB. */
export const maxEntryChars = 8000;

const kebab = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const factName = /^[a-z][A-Za-z0-9]*(?:-[a-z0-9]+)*$/;
const idForm = /^[A-Za-z0-9]+(?:[-._:][A-Za-z0-9]+)*$/;
const madeId = /^[a-z]+(?:-[a-z]+)*-[2-9b-z]{16}$/;
const digestForm = /^[A-Za-z0-9+/]{22,}={0,2}$/;
const dates = /20\d\d-\d\d-\d\d/g;
const numberRun = /(?:^|[-._:])\d(?:[-._:]?\d){6,}(?:$|[-._:])/;

// A phone, card or identity number is seven or more digits that stand alone, also when written with
// separators. Days of this century are let through; so are ids that ids.ts made (they may consist
// of digits by chance) and digests, which are longer than any such number.
function looksLikeNumber(text: string): boolean {
  return numberRun.test(text) && !madeId.test(text) && numberRun.test(text.replace(dates, 'day'));
}

/**
 * Says why a value may not stand as an id or code in an entry, or undefined when it may. Asked
 * wherever a value from outside becomes one: what came further would stop the daemon (formLine).
 * `name`: what the message calls the value, which it never repeats.
 */
export function idProblem(name: string, text: unknown): string | undefined {
  if (typeof text !== 'string' || text.length > maxIdChars || !idForm.test(text)) {
    return `${name} is not an id of at most ${maxIdChars} characters`;
  }
  return looksLikeNumber(text) ? `${name} looks like a phone or card number` : undefined;
}

function textProblem(name: string, text: unknown): string | undefined {
  if (typeof text === 'string' && text.length <= maxFactChars && digestForm.test(text)) {
    return undefined;
  }
  return idProblem(`fact ${name}`, text);
}

function factProblem(name: string, fact: Fact | undefined): string | undefined {
  if (fact === null || typeof fact === 'boolean') return undefined;
  if (typeof fact === 'number') {
    return Number.isSafeInteger(fact) ? undefined : `fact ${name} is not a safe integer`;
  }
  if (!Array.isArray(fact)) return textProblem(name, fact);
  if (fact.length > maxListItems) return `fact ${name} has more than ${maxListItems} items`;
  for (const item of fact) {
    const problem = textProblem(name, item);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function factsProblem(facts: Readonly<Record<string, Fact>>): string | undefined {
  const names = Object.keys(facts);
  if (names.length === 0) return 'facts are empty; leave them out';
  if (names.length > maxFacts) return `there are more than ${maxFacts} facts`;
  let chars = 0;
  for (const name of names) {
    if (name.length > maxNameChars || !factName.test(name))
      return 'a fact has no kebab or camel name';
    const fact = facts[name];
    const problem = factProblem(name, fact);
    if (problem !== undefined) return problem;
    chars += name.length;
    if (typeof fact === 'string') chars += fact.length;
    else if (Array.isArray(fact)) for (const item of fact) chars += item.length;
  }
  return chars > maxEntryChars ? `the facts exceed ${maxEntryChars} characters` : undefined;
}

/**
 * Says why an entry may not stand in the ledger, or undefined when it may. The ledger is never
 * erased, so it takes only ids, codes, digests (hex or base64 of at least 128 bits) and safe
 * integers. The message names the place and never repeats the value, which may be personal.
 */
export function entryProblem(entry: Entry): string | undefined {
  if (entry.room.length > maxNameChars || !kebab.test(entry.room)) return 'room is not kebab case';
  if (entry.what.length > maxNameChars || !kebab.test(entry.what)) return 'what is not kebab case';
  return (
    idProblem('who', entry.who) ??
    idProblem('about', entry.about) ??
    (entry.why === undefined ? undefined : idProblem('why', entry.why)) ??
    (entry.facts === undefined ? undefined : factsProblem(entry.facts))
  );
}

// Every allowed string consists of ASCII that JSON never escapes, so quoting it is enough.
function formFact(fact: Fact): string {
  if (typeof fact === 'string') return `"${fact}"`;
  if (typeof fact !== 'object' || fact === null) return `${fact}`;
  return fact.length === 0 ? '[]' : `["${fact.join('","')}"]`;
}

function formFacts(facts: Readonly<Record<string, Fact>>): string {
  // RFC 8785 section 3.2.3 sorts by UTF-16 code units, which is what sort() does by default.
  let text = '"facts":{';
  let comma = '';
  for (const name of Object.keys(facts).sort()) {
    text += `${comma}"${name}":${formFact(facts[name] ?? null)}`;
    comma = ',';
  }
  return `${text}},`;
}

/**
 * The exact bytes of a line, ASCII and without its newline: `{"prev":"<hex>","rec":{…}}` with the
 * record in RFC 8785 form. Its keys are known, so they are written in their sorted order.
 * Asserts that the entry is allowed: a room that tries to record anything else is a wrong program.
 */
export function formLine(prev: string, seq: number, atUtcMs: number, entry: Entry): string {
  const problem = entryProblem(entry);
  assert(problem === undefined, `entry refused: ${problem}`);
  assert(
    Number.isSafeInteger(seq) && seq > 0 && Number.isSafeInteger(atUtcMs),
    'not a safe integer',
  );
  const facts = entry.facts === undefined ? '' : formFacts(entry.facts);
  const why = entry.why === undefined ? '' : `,"why":"${entry.why}"`;
  return (
    `{"prev":"${prev}","rec":{"about":"${entry.about}","atUtcMs":${atUtcMs},${facts}` +
    `"room":"${entry.room}","seq":${seq},"what":"${entry.what}","who":"${entry.who}"${why}}}`
  );
}

/** SHA-256 in hex of a line with its newline: the `prev` of the next line. */
export function lineHash(line: string): string {
  return hash('sha256', `${line}\n`, 'hex');
}

/** When a line was recorded, without reading the rest of it; for lines this program formed. */
export function lineUtcMs(line: string): number {
  // `about` stands before it and holds no quotation mark, so the first such key is the right one.
  const [, digits] = /,"atUtcMs":(-?\d+),/.exec(line) ?? [];
  assert(digits !== undefined, 'not a line of the ledger');
  return Number(digits);
}
