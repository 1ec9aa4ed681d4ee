// Checkpoints: their exact form, what a stranger's text may not do, and how signing keys follow.
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { seededIds } from '../ids.ts';
import {
  checkpointSigned,
  isSignedBy,
  ledgerStarted,
  maxCheckpointChars,
  noteKeyHash,
  originOf,
  publicKeyText,
  readCheckpoint,
  readPublicKey,
  signCheckpoint,
  signingKeyRotated,
  succeedingKey,
} from './checkpoint.ts';
import { type Entry, entryProblem } from './entry.ts';
import { leafHash } from './merkle.ts';

const ids = seededIds(5);

/** A private key from a seed: RFC 8410's fixed prefix and 32 bytes. */
function keyFrom(seed: Buffer): KeyObject {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}
const key = keyFrom(ids.bytes(32));
const otherKey = keyFrom(ids.bytes(32));
const siteId = 'site-23456789bcdfghjk';
const origin = originOf(siteId);
const tree = { origin, size: 1234567, root: leafHash('anything') };
const text = signCheckpoint(tree, key);

function read(from: string) {
  const checkpoint = readCheckpoint(from);
  if (!checkpoint) throw new Error('not a checkpoint');
  return checkpoint;
}

describe('the form', () => {
  it('is, to the byte, that of a signed note', () => {
    const [body, notes] = text.split('\n\n');
    expect(body).toBe(
      `gatehouse/${siteId}\n1234567\n${Buffer.from(tree.root, 'hex').toString('base64')}`,
    );
    expect(notes).toMatch(/^— gatehouse\/site-23456789bcdfghjk [A-Za-z0-9+/]{91}=\n$/);
  });

  it.each([
    ['PeterNeumann', 'ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', 'c74f20a3'],
    ['sum.golang.org', 'Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8', '033de0ae'],
  ])('gives the published key hash of %s', (name, typeAndKey, keyHash) => {
    const keyText = Buffer.from(typeAndKey, 'base64').subarray(1).toString('base64');
    expect(noteKeyHash(name, keyText).toString('hex')).toBe(keyHash);
  });

  it('is read back whole and known by its key only', () => {
    const checkpoint = read(text);
    expect(checkpoint).toMatchObject(tree);
    expect(isSignedBy(checkpoint, publicKeyText(key))).toBe(true);
    expect(isSignedBy(checkpoint, publicKeyText(otherKey))).toBe(false);
    expect(isSignedBy(checkpoint, 'not a key')).toBe(false);
  });

  it('of an empty ledger is possible, and the same tree gives the same bytes', () => {
    const empty = { origin, size: 0, root: leafHash('') };
    expect(read(signCheckpoint(empty, key)).size).toBe(0);
    expect(signCheckpoint(tree, key)).toBe(text);
  });
});

describe('a text from a stranger', () => {
  const [body = '', notes = ''] = text.split('\n\n');
  const lines = body.split('\n');
  const withLine = (index: number, line: string) =>
    `${lines.with(index, line).join('\n')}\n\n${notes}`;
  const otherNote = signCheckpoint(tree, otherKey).split('\n\n')[1] ?? '';

  it.each([
    ['nothing', ''],
    ['no signature', `${body}\n`],
    ['an empty signature', `${body}\n\n\n`],
    ['no newline at its end', text.slice(0, -1)],
    ['a line more', `${body}\nextra\n\n${notes}`],
    ['a line less', `${lines.slice(0, 2).join('\n')}\n\n${notes}`],
    ['a blank in the origin', withLine(0, 'gatehouse/a b')],
    ['a plus in the origin', withLine(0, 'gatehouse/a+b')],
    ['an empty origin', withLine(0, '')],
    ['a leading zero', withLine(1, '01')],
    ['a sign', withLine(1, '-1')],
    ['a hexadecimal size', withLine(1, '0x10')],
    ['a blank before the size', withLine(1, ' 1')],
    ['a size beyond safety', withLine(1, '9999999999999999')],
    ['a short root', withLine(2, 'AAAA')],
    ['a root in hex', withLine(2, tree.root)],
    ['a root without padding', withLine(2, (lines[2] ?? '').slice(0, -1))],
    ['carriage returns', text.replaceAll('\n', '\r\n')],
    ['a hyphen for the dash', text.replace('—', '-')],
    ['a short signature', `${body}\n\n— ${origin} AAAA\n`],
    ['no base64', `${body}\n\n— ${origin} !!!!\n`],
    ['junk after the signatures', `${text}junk\n`],
    ['too much', `${body}\n\n${notes.repeat(maxCheckpointChars / 100)}`],
  ])('is refused with %s', (_name, hostile) => {
    expect(readCheckpoint(hostile)).toBeUndefined();
  });

  it.each([
    ['another origin', withLine(0, 'gatehouse/site-33333333333333')],
    ['another size', withLine(1, '1234566')],
    ['another root', withLine(2, Buffer.from(leafHash('x'), 'hex').toString('base64'))],
    ['only a signature of another key', `${body}\n\n${otherNote}`],
    [
      'a signature of another key under our key hash',
      `${body}\n\n— ${origin} ${Buffer.concat([
        noteKeyHash(origin, publicKeyText(key)),
        Buffer.from(otherNote.split(' ')[2] ?? '', 'base64').subarray(4),
      ]).toString('base64')}\n`,
    ],
  ])('is not signed with %s', (_name, forged) => {
    expect(isSignedBy(read(forged), publicKeyText(key))).toBe(false);
  });

  it('may carry a witness beside our signature, before or after it', () => {
    expect(isSignedBy(read(`${text}${otherNote}`), publicKeyText(key))).toBe(true);
    expect(isSignedBy(read(`${body}\n\n${otherNote}${notes}`), publicKeyText(key))).toBe(true);
  });

  it('fails under every single flipped bit of the signed text and of the signature', () => {
    const bytes = Buffer.from(text);
    const dash = Buffer.byteLength(body) + 2;
    for (let i = 0; i < bytes.length - 1; i += 1) {
      // The name in the signature line is only a label; the dash is form.
      if (i >= dash && i < dash + 4 + origin.length) continue;
      const flipped = Buffer.from(bytes);
      flipped[i] = (flipped[i] ?? 0) ^ (1 << ids.below(7));
      const checkpoint = readCheckpoint(flipped.toString());
      expect(checkpoint === undefined || !isSignedBy(checkpoint, publicKeyText(key)), `${i}`).toBe(
        true,
      );
    }
  });
});

describe('signing keys', () => {
  const publicText = publicKeyText(key);
  const rotation = signingKeyRotated(
    siteId,
    'person-23456789bcdfghjk',
    key,
    publicKeyText(otherKey),
  );

  it('start with the first entry, which the ledger takes', () => {
    const started = ledgerStarted(siteId, publicText);
    expect(entryProblem(started)).toBeUndefined();
    expect(started.facts?.signingKey).toBe(publicText);
    expect(entryProblem(checkpointSigned(siteId, 5, tree.root))).toBeUndefined();
  });

  it('pass on by the old key, and the ledger takes the entry', () => {
    expect(entryProblem(rotation)).toBeUndefined();
    expect(succeedingKey(siteId, publicText, rotation)).toBe(publicKeyText(otherKey));
  });

  const facts = rotation.facts ?? {};
  const third = publicKeyText(keyFrom(ids.bytes(32)));
  it.each<[string, string, string, Entry]>([
    [
      'to a key the old one did not sign',
      siteId,
      publicText,
      { ...rotation, facts: { ...facts, signingKey: third } },
    ],
    ['from a key not in force', siteId, third, rotation],
    ['of another site', 'site-33333333333333333', publicText, rotation],
    [
      'signed for another site',
      siteId,
      publicText,
      { ...signingKeyRotated('site-b', 'system', key, publicKeyText(otherKey)), about: siteId },
    ],
    [
      'signed by the new key itself',
      siteId,
      publicText,
      {
        ...rotation,
        facts: {
          ...facts,
          signature:
            signingKeyRotated(siteId, 'system', otherKey, publicKeyText(otherKey)).facts
              ?.signature ?? null,
        },
      },
    ],
    [
      'without facts',
      siteId,
      publicText,
      { room: 'audit', what: 'signing-key-rotated', who: 'system', about: siteId },
    ],
    ['to no key', siteId, publicText, { ...rotation, facts: { ...facts, signingKey: 'AAAA' } }],
  ])('do not pass on %s', (_name, site, current, entry) => {
    expect(succeedingKey(site, current, entry)).toBeUndefined();
  });

  it('are read from 32 bytes of base64 only', () => {
    expect(readPublicKey(publicText)?.asymmetricKeyType).toBe('ed25519');
    for (const bad of ['', 'AAAA', `${publicText}=`, publicText.slice(1)]) {
      expect(readPublicKey(bad)).toBeUndefined();
    }
  });

  it('never leave a checkpoint and a succession exchangeable', () => {
    const asCheckpoint = `gatehouse signing key\n${origin}\n${third}\n\n— ${origin} AAAAAAAA\n`;
    expect(readCheckpoint(asCheckpoint)).toBeUndefined();
  });
});
