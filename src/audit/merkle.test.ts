// Merkle tree: the vectors of RFC 6962's reference tests, and brute force on all small trees.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isIncluded } from '../../tests/fast/chains.ts';
import { leafHash, MerkleEdge, nodeHash, proveInclusion } from './merkle.ts';

const sha256 = (...hexParts: string[]) => {
  const digest = createHash('sha256');
  for (const part of hexParts) digest.update(part, 'hex');
  return digest.digest('hex');
};

/** The definition of RFC 6962 section 2.1, word for word, as the yardstick. */
function bruteRoot(leaves: string[]): string {
  if (leaves.length === 0) return sha256();
  const [only] = leaves;
  if (leaves.length === 1 && only) return only;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const left = bruteRoot(leaves.slice(0, split));
  return sha256('01', left, bruteRoot(leaves.slice(split)));
}

const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657'].concat(
  '606162636465666768696a6b6c6d6e6f',
);
const vectorLeaves = inputs.map((hex) => sha256('00', hex));
const vectorRoots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const at = (leaves: readonly string[]) => (index: number) => {
  const leaf = leaves[index];
  if (!leaf) throw new Error(`no leaf ${index}`);
  return leaf;
};
const someLeaves = Array.from({ length: 33 }, (_, i) => leafHash(`line ${i}`));
const roots = Array.from({ length: 34 }, (_, size) => bruteRoot(someLeaves.slice(0, size)));

describe('the root', () => {
  it('equals the published vectors at every size', () => {
    const edge = new MerkleEdge();
    const got = vectorLeaves.map((leaf) => {
      edge.append(leaf);
      return edge.root();
    });
    expect(got).toEqual(vectorRoots);
  });

  it('of an empty tree is SHA-256 of nothing', () => {
    expect(new MerkleEdge().root()).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
  });

  it('equals the definition, also when the edge is put away and taken up at every size', () => {
    let edge = new MerkleEdge();
    someLeaves.forEach((leaf, i) => {
      edge.append(leaf);
      const kept = MerkleEdge.from(JSON.parse(JSON.stringify(edge.state())));
      if (!kept) throw new Error('state refused');
      edge = kept;
      expect(edge.size).toBe(i + 1);
      expect(edge.root()).toEqual(roots[i + 1]);
    });
  });

  it.each([
    ['nothing', undefined],
    ['no size', { nodes: [] }],
    ['a negative size', { size: -1, nodes: [] }],
    ['a fraction', { size: 0.5, nodes: ['0'.repeat(64)] }],
    ['a node too few', { size: 3, nodes: ['0'.repeat(64)] }],
    ['a node too many', { size: 4, nodes: ['0'.repeat(64), '0'.repeat(64)] }],
    ['a short node', { size: 1, nodes: ['00'] }],
    ['no list', { size: 1, nodes: '0' }],
  ])('refuses a state with %s', (_name, state) => {
    expect(MerkleEdge.from(state)).toBeUndefined();
  });

  it('keeps leaf and node apart: a line that spells a node is not its hash', () => {
    const [left, right] = [leafHash('a'), leafHash('b')];
    const spelled = Buffer.from(left + right, 'hex').toString('latin1');
    expect(leafHash(spelled)).not.toEqual(nodeHash(left, right));
  });
});

describe('inclusion', () => {
  it('gives the published path of leaf 1 of 8', () => {
    expect(proveInclusion(at(vectorLeaves), 0, 8)).toEqual([
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ]);
  });

  it('holds for every leaf of every tree and fails for every other index, size and root', () => {
    for (let size = 1; size <= 33; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const proof = proveInclusion(at(someLeaves), index, size);
        const leaf = at(someLeaves)(index);
        const root = at(roots)(size);
        expect(isIncluded(leaf, index, size, proof, root)).toBe(true);
        for (let other = 0; other < size; other += 1) {
          if (other !== index) expect(isIncluded(leaf, other, size, proof, root)).toBe(false);
        }
        expect(isIncluded(leaf, index, size, proof, at(roots)(size - 1))).toBe(false);
        expect(isIncluded(leafHash('other'), index, size, proof, root)).toBe(false);
        expect(isIncluded(leaf, index, size, [...proof, root], root)).toBe(false);
        if (proof.length > 0) {
          expect(isIncluded(leaf, index, size, proof.slice(1), root)).toBe(false);
        }
      }
    }
  });

  it.each([
    [-1, 8],
    [8, 8],
    [0.5, 8],
    [0, Number.NaN],
    [0, Number.POSITIVE_INFINITY],
  ])('refuses index %s of %s', (index, size) => {
    const proof = proveInclusion(at(someLeaves), 0, 8);
    expect(isIncluded(at(someLeaves)(0), index, size, proof, at(roots)(8))).toBe(false);
  });
});
