// Verification of what is signed: checkpoints against lines, and the succession of signing keys.
import { describe, expect, it } from 'vitest';
import {
  call,
  chain,
  checkpointOf,
  entries,
  found,
  honest,
  key,
  nextKey,
  rootOf,
  siteId,
  started,
  thirdKey,
} from '../../tests/fast/chains.ts';
import {
  checkpointSigned,
  ledgerStarted,
  originOf,
  publicKeyText,
  signCheckpoint,
  signingKeyReplaced,
  signingKeyRotated,
} from './checkpoint.ts';

describe('checkpoints', () => {
  const inside = chain([...entries, checkpointSigned(siteId, 41, rootOf(honest)), call(1)]);

  it('that the ledger records are missed when their file is gone', () => {
    expect(found(inside, { checkpoints: [checkpointOf(inside, 41)] }).codes).toEqual([]);
    expect(found(inside).listed).toEqual([{ code: 'checkpoint-lost', place: 'size 41' }]);
  });

  it('must have the root that the ledger records', () => {
    const lying = chain([...entries, checkpointSigned(siteId, 41, rootOf(honest, 40))]);
    expect(found(lying, { checkpoints: [checkpointOf(lying, 41)] }).codes).toEqual([
      'checkpoint-root',
    ]);
  });

  it('of the future can not be recorded', () => {
    const early = chain([started, checkpointSigned(siteId, 2, rootOf(honest))]);
    expect(found(early, { checkpoints: [checkpointOf(early, 2)] }).codes).toEqual([
      'checkpoint-lost',
    ]);
  });

  it.each<[string, { name: string; text: string }, string]>([
    ['is signed by another key', checkpointOf(honest, 20, nextKey), 'checkpoint-signature'],
    ['is none', { name: 'x', text: 'junk' }, 'checkpoint-form'],
    [
      'comes from another site',
      {
        name: 'x',
        text: signCheckpoint(
          { origin: originOf('site-b'), size: 20, root: rootOf(honest, 20) },
          key,
        ),
      },
      'checkpoint-origin',
    ],
  ])('are refused when one %s', (_name, checkpoint, code) => {
    const { codes, summary } = found(honest, { checkpoints: [checkpoint] });
    expect(codes).toEqual([code]);
    expect(summary.validCheckpoints).toBe(0);
  });
});

describe('signing keys', () => {
  const rotated = chain([
    ...entries,
    signingKeyRotated(siteId, 'system', key, publicKeyText(nextKey)),
    ...entries.slice(1),
  ]);

  it('pass on: each checkpoint is held against the key in force at its size', () => {
    const { codes, summary } = found(rotated, {
      checkpoints: [checkpointOf(rotated, 41), checkpointOf(rotated, 42, nextKey)],
      trustedKey: publicKeyText(key),
    });
    expect(codes).toEqual([]);
    expect(summary.keys).toEqual([
      { fromSeq: 1, key: publicKeyText(key) },
      { fromSeq: 42, key: publicKeyText(nextKey) },
    ]);
  });

  it('are worth nothing after they were passed on, nor before they came', () => {
    const late = [checkpointOf(rotated, 60, key), checkpointOf(rotated, 41, nextKey)];
    const { check } = found(rotated, { checkpoints: late });
    expect(check.findings.counts.get('checkpoint-signature')).toBe(2);
  });

  it('do not pass on without the old one, and its checkpoints stay refused', () => {
    const taken = chain([
      ...entries,
      signingKeyRotated(siteId, 'system', nextKey, publicKeyText(nextKey)),
      call(1),
    ]);
    const { codes, summary } = found(taken, { checkpoints: [checkpointOf(taken, 43, nextKey)] });
    expect(codes.sort()).toEqual(['checkpoint-signature', 'key-unsigned']);
    expect(summary.keys).toHaveLength(1);
  });

  it('that were lost are replaced with a note, and only the new lineage is then trusted', () => {
    const replaced = chain([
      ...entries,
      signingKeyReplaced(siteId, 'system', publicKeyText(nextKey)),
      call(1),
    ]);
    const checkpoints = [checkpointOf(replaced, 41), checkpointOf(replaced, 43, nextKey)];
    expect(found(replaced, { checkpoints }).codes).toEqual(['key-replaced']);
    const trusting = (by: typeof key) =>
      found(replaced, { checkpoints, trustedKey: publicKeyText(by) }).codes;
    expect(trusting(key)).toContain('key-foreign');
    expect(trusting(nextKey)).not.toContain('key-foreign');
    expect(trusting(thirdKey)).toContain('key-foreign');
  });

  it('of a whole forged ledger are foreign to whoever holds the true one', () => {
    const forged = chain(entries.with(0, ledgerStarted(siteId, publicKeyText(nextKey))));
    const checkpoints = [checkpointOf(forged, 41, nextKey)];
    expect(found(forged, { checkpoints }).codes).toEqual([]);
    expect(found(forged, { checkpoints, trustedKey: publicKeyText(key) }).codes).toEqual([
      'key-foreign',
    ]);
  });
});
