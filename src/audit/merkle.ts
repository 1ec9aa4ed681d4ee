// The Merkle tree over the ledger's lines (RFC 6962 section 2, RFC 9162 section 2.1), right edge only.
import assert from 'node:assert';
import { hash } from 'node:crypto';

const hexOfHash = /^[0-9a-f]{64}$/;

/** Leaf hash of a line without its newline: SHA-256(0x00 ‖ line). Lines are ASCII. */
export function leafHash(line: string): Buffer {
  return hash('sha256', `\0${line}`, 'buffer');
}

const pair = Buffer.alloc(65);
pair[0] = 1;

/** Hash of an inner node: SHA-256(0x01 ‖ left ‖ right), both 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  pair.set(left, 1);
  pair.set(right, 33);
  return hash('sha256', pair, 'buffer');
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
  readonly #nodes: Buffer[] = [];

  get size(): number {
    return this.#size;
  }

  append(leaf: Buffer): void {
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
  root(): Buffer {
    let root = this.#nodes.at(-1) ?? hash('sha256', '', 'buffer');
    for (let i = this.#nodes.length - 2; i >= 0; i -= 1) {
      const left = this.#nodes[i];
      assert(left !== undefined);
      root = nodeHash(left, root);
    }
    return root;
  }

  state(): EdgeState {
    return { size: this.#size, nodes: this.#nodes.map((node) => node.toString('hex')) };
  }

  /** Takes up a kept state; undefined when it is not the edge of any tree. */
  static from(state: unknown): MerkleEdge | undefined {
    const { size, nodes } = (state ?? {}) as Partial<EdgeState>;
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return undefined;
    if (!Array.isArray(nodes) || nodes.length !== countOnes(size)) return undefined;
    if (!nodes.every((node) => typeof node === 'string' && hexOfHash.test(node))) return undefined;
    const edge = new MerkleEdge();
    edge.#size = size;
    edge.#nodes.push(...nodes.map((node: string) => Buffer.from(node, 'hex')));
    return edge;
  }
}

/** All leaf hashes of a tree by index: an array's `at`, or a slice of one long buffer. */
export type LeafHashes = (index: number) => Buffer;

function largestPowerBelow(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

function subtreeRoot(leaves: LeafHashes, from: number, size: number): Buffer {
  const edge = new MerkleEdge();
  for (let i = from; i < from + size; i += 1) edge.append(leaves(i));
  return edge.root();
}

/** RFC 9162 section 2.1.3.1: the hashes that lead from leaf `index` to the root of `size` leaves. */
export function proveInclusion(leaves: LeafHashes, index: number, size: number): Buffer[] {
  assert(index >= 0 && index < size, 'no such leaf');
  const proof: Buffer[] = [];
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

/** RFC 9162 section 2.1.3.2. Every argument may come from a stranger. */
export function isIncluded(
  leaf: Buffer,
  index: number,
  size: number,
  proof: readonly Buffer[],
  root: Buffer,
): boolean {
  if (!(Number.isSafeInteger(index) && Number.isSafeInteger(size))) return false;
  if (index < 0 || index >= size || proof.some((node) => node.length !== 32)) return false;
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
  return last === 0 && node.equals(root);
}

/** RFC 9162 section 2.1.4.1: shows that the first `oldSize` of `size` leaves are unchanged. */
export function proveConsistency(leaves: LeafHashes, oldSize: number, size: number): Buffer[] {
  assert(oldSize > 0 && oldSize <= size, 'no such older tree');
  const proof: Buffer[] = [];
  let from = 0;
  let old = oldSize;
  let rest = size;
  while (old !== rest) {
    const left = largestPowerBelow(rest);
    if (old <= left) {
      proof.push(subtreeRoot(leaves, from + left, rest - left));
      rest = left;
    } else {
      proof.push(subtreeRoot(leaves, from, left));
      from += left;
      old -= left;
      rest -= left;
    }
  }
  // The verifier has the old root itself unless the old tree ends inside a larger subtree.
  if (from > 0) proof.push(subtreeRoot(leaves, from, rest));
  return proof.reverse();
}

/** RFC 9162 section 2.1.4.2. Every argument may come from a stranger. */
export function isConsistent(
  oldSize: number,
  oldRoot: Buffer,
  size: number,
  root: Buffer,
  proof: readonly Buffer[],
): boolean {
  if (!(Number.isSafeInteger(oldSize) && Number.isSafeInteger(size))) return false;
  if (oldSize < 1 || oldSize > size || proof.some((node) => node.length !== 32)) return false;
  if (oldSize === size) return proof.length === 0 && oldRoot.equals(root);
  let at = oldSize - 1;
  let last = size - 1;
  while (at % 2 === 1) {
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  const path = at === 0 ? [oldRoot, ...proof] : [...proof];
  const first = path.shift();
  if (first === undefined) return false;
  let oldNode = first;
  let node = first;
  for (const sibling of path) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      oldNode = nodeHash(sibling, oldNode);
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
  return last === 0 && oldNode.equals(oldRoot) && node.equals(root);
}
