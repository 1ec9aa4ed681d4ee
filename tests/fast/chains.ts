// Ledgers in memory for the tests of verification: formed as the committer would, signed at will.
import {
  ledgerStarted,
  originOf,
  publicKeyText,
  signCheckpoint,
} from '../../src/audit/checkpoint.ts';
import { type Entry, formLine, genesisPrev, lineHash } from '../../src/audit/entry.ts';
import { leafHash, MerkleEdge, nodeHash } from '../../src/audit/merkle.ts';
import { ChainCheck, type ChainOptions } from '../../src/audit/verify.ts';
import { seededIds } from '../../src/ids.ts';
import { signingKeyFrom } from '../../src/vault/keys.ts';

const keyFrom = (seed: number) => signingKeyFrom(seededIds(seed).bytes(32));
export const [key, nextKey, thirdKey] = [keyFrom(1), keyFrom(2), keyFrom(3)];
export const siteId = 'site-23456789bcdfghjk';
export const startUtcMs = Date.parse('2026-11-22T20:00:00Z');

/** Lines as the committer would make them, one minute apart. */
export function chain(entries: readonly Entry[], minutesApart = 1): string[] {
  let prev = genesisPrev;
  return entries.map((entry, i) => {
    const line = formLine(prev, i + 1, startUtcMs + i * minutesApart * 60_000, entry);
    prev = lineHash(line);
    return line;
  });
}

export function rootOf(lines: readonly string[], size = lines.length): string {
  const edge = new MerkleEdge();
  for (const line of lines.slice(0, size)) edge.append(leafHash(line));
  return edge.root();
}

export const checkpointOf = (lines: readonly string[], size = lines.length, by = key) => ({
  name: `${size}`,
  text: signCheckpoint({ origin: originOf(siteId), size, root: rootOf(lines, size) }, by),
});

export const call = (n: number): Entry => ({
  room: 'telephony',
  what: 'call-answered',
  who: 'system',
  about: `call-${n}`,
  facts: { ringMs: n },
});
export const started = ledgerStarted(siteId, publicKeyText(key));
export const entries = [started, ...Array.from({ length: 40 }, (_, i) => call(i))];
export const honest = chain(entries);

/** What a verification of the lines gives. */
export function found(lines: readonly string[], options: Partial<ChainOptions> = {}) {
  const check = new ChainCheck({ checkpoints: [], ...options });
  for (const line of lines) check.add(line);
  const summary = check.finish();
  return {
    summary,
    check,
    codes: [...check.findings.counts.keys()],
    listed: check.findings.listed,
  };
}

const isHash = (text: string) => /^[0-9a-f]{64}$/.test(text);

/** RFC 9162 section 2.1.3.2. Every argument may come from a stranger. */
export function isIncluded(
  leaf: string,
  index: number,
  size: number,
  proof: readonly string[],
  root: string,
): boolean {
  if (!(Number.isSafeInteger(index) && Number.isSafeInteger(size))) return false;
  if (index < 0 || index >= size || !proof.every(isHash)) return false;
  let node = leaf;
  let at = index;
  let last = size - 1;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      node = nodeHash(sibling, node);
      while (at % 2 === 0 && at !== 0) {
        at = Math.floor(at / 2);
        last = Math.floor(last / 2);
      }
    } else {
      node = nodeHash(node, sibling);
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && node === root;
}
