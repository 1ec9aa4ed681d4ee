// The Merkle tree over the ledger's lines (RFC 6962 section 2, RFC 9162 section 2.1).
import assert from 'node:assert';
import { hash } from 'node:crypto';

const isHash = (text: unknown) => typeof text === 'string' && /^[0-9a-f]{64}$/.test(text);

// Hashes are kept in hex: Node gives a digest as a string in half the time it needs for a buffer.

/** Leaf hash of a line without its newline: SHA-256(0x00 ‖ line) in hex. Lines are ASCII. */
export function leafHash(line: string): string {
  return hash('sha256', `\0${line}`, 'hex');
}

const pair = Buffer.alloc(65);
pair[0] = 1;

/** Hash of an inner node: SHA-256(0x01 ‖ left ‖ right); takes and gives 64 hex digits. */
export function nodeHash(left: string, right: string): string {
  pair.write(left, 1, 'hex');
  pair.write(right, 33, 'hex');
  return hash('sha256', pair, 'hex');
}

/** The right edge as it is kept between runs: the hashes of the full subtrees, largest first. */
export interface EdgeState {
  size: number;
  nodes: readonly string[];
}

function countOnes(size: number): number {
  let ones = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  return ones;
}

/**
 * Grows the tree leaf by leaf and keeps one hash per full subtree, so that a ledger of any length
 * costs at most 53 hashes of memory and two hashes of work per line.
 */
export class MerkleEdge {
  #size = 0;
  readonly #nodes: string[] = [];

  get size(): number {
    return this.#size;
  }

  append(leaf: string): void {
    let node = leaf;
    // A subtree is full as often as the old size ends in a one bit.
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      const left = this.#nodes.pop();
      assert(left !== undefined);
      node = nodeHash(left, node);
    }
    this.#nodes.push(node);
    this.#size += 1;
  }

  /** The root of the tree so far; SHA-256 of nothing while it is empty. */
  root(): string {
    let root = this.#nodes.at(-1) ?? hash('sha256', '', 'hex');
    for (let i = this.#nodes.length - 2; i >= 0; i -= 1) {
      const left = this.#nodes[i];
      assert(left !== undefined);
      root = nodeHash(left, root);
    }
    return root;
  }

  state(): EdgeState {
    return { size: this.#size, nodes: [...this.#nodes] };
  }

  /** Takes up a kept state; undefined when it is not the edge of any tree. */
  static from(state: unknown): MerkleEdge | undefined {
    const { size, nodes } = (state ?? {}) as Partial<EdgeState>;
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return undefined;
    if (!Array.isArray(nodes) || nodes.length !== countOnes(size)) return undefined;
    if (!nodes.every(isHash)) return undefined;
    const edge = new MerkleEdge();
    edge.#size = size;
    edge.#nodes.push(...nodes);
    return edge;
  }
}

/** Gives the leaf hash at an index, wherever all of them are kept. */
export type LeafHashes = (index: number) => string;

function largestPowerBelow(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

function subtreeRoot(leaves: LeafHashes, from: number, size: number): string {
  const edge = new MerkleEdge();
  for (let i = from; i < from + size; i += 1) edge.append(leaves(i));
  return edge.root();
}

/** RFC 9162 section 2.1.3.1: the hashes from leaf `index` up to the root of `size` leaves. */
export function proveInclusion(leaves: LeafHashes, index: number, size: number): string[] {
  assert(index >= 0 && index < size, 'no such leaf');
  const proof: string[] = [];
  let from = 0;
  for (let rest = size; rest > 1; ) {
    const left = largestPowerBelow(rest);
    if (index < from + left) {
      proof.push(subtreeRoot(leaves, from + left, rest - left));
      rest = left;
    } else {
      proof.push(subtreeRoot(leaves, from, left));
      from += left;
      rest -= left;
    }
  }
  return proof.reverse();
}
