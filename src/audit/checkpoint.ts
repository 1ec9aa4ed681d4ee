// Signed checkpoints (C2SP tlog-checkpoint in a C2SP signed note) and the signing keys' succession.
import assert from 'node:assert';
import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';
import type { Entry } from './entry.ts';

/** What a checkpoint states: this ledger had so many entries, and this was their Merkle root. */
export interface TreeHead {
  /** `gatehouse/<site id>`: names the ledger, and is the name of its signing keys too. */
  origin: string;
  size: number;
  /** In hex; the text of a checkpoint has it in base64. */
  root: string;
}

export interface Checkpoint extends TreeHead {
  /** The signed bytes: everything up to and including the newline before the blank line. */
  signedText: string;
  signatures: readonly { name: string; keyHash: Buffer; signature: Buffer }[];
}

/** Longer ones are refused unread; ours have one signature and are below 300 bytes. */
export const maxCheckpointChars = 4096;

const originForm = /^[!-*,-~]{1,200}$/;
const sizeForm = /^(?:0|[1-9][0-9]{0,15})$/;
const signatureLine = /^— ([!-*,-~]{1,200}) ([A-Za-z0-9+/]+={0,2})$/;
const ed25519NoteType = 1;
const sitePrefix = 'gatehouse/';

/** The origin of a site's ledger; `siteId` comes from `Ids.next('site')` and never changes. */
export function originOf(siteId: string): string {
  return `${sitePrefix}${siteId}`;
}

/** The 32 bytes of an Ed25519 public key, in base64 as the ledger holds it. */
export function publicKeyText(key: KeyObject): string {
  const { x } = (key.type === 'public' ? key : createPublicKey(key)).export({ format: 'jwk' });
  assert(typeof x === 'string' && key.asymmetricKeyType === 'ed25519', 'not an Ed25519 key');
  return Buffer.from(x, 'base64url').toString('base64');
}

/** The key of a text that publicKeyText made; undefined when it is not 32 bytes of base64. */
export function readPublicKey(text: string): KeyObject | undefined {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== 32 || bytes.toString('base64') !== text) return undefined;
  const key = { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') };
  return createPublicKey({ key, format: 'jwk' });
}

/** First 4 bytes of SHA-256(name ‖ newline ‖ 0x01 ‖ key), C2SP signed-note "Signatures". */
export function noteKeyHash(name: string, keyText: string): Buffer {
  const head = Buffer.from(`${name}\n`);
  const key = Buffer.from(keyText, 'base64');
  return hash(
    'sha256',
    Buffer.concat([head, Buffer.from([ed25519NoteType]), key]),
    'buffer',
  ).subarray(0, 4);
}

/** A checkpoint's text, signed; Ed25519 is deterministic: the same tree gives the same bytes. */
export function signCheckpoint(head: TreeHead, key: KeyObject): string {
  assert(originForm.test(head.origin), 'an origin has no blank and no plus sign');
  const root = Buffer.from(head.root, 'hex').toString('base64');
  const text = `${head.origin}\n${head.size}\n${root}\n`;
  const keyHash = noteKeyHash(head.origin, publicKeyText(key));
  const signature = Buffer.concat([keyHash, sign(null, Buffer.from(text), key)]);
  return `${text}\n— ${head.origin} ${signature.toString('base64')}\n`;
}

/** Reads a checkpoint that may come from a stranger; undefined when its form is wrong. */
export function readCheckpoint(text: string): Checkpoint | undefined {
  const blank = text.indexOf('\n\n');
  if (text.length > maxCheckpointChars || blank < 0 || !text.endsWith('\n')) return undefined;
  const [origin, sizeText, rootText, ...more] = text.slice(0, blank).split('\n');
  if (origin === undefined || sizeText === undefined || rootText === undefined) return undefined;
  const size = Number(sizeText);
  const root = Buffer.from(rootText, 'base64');
  if (!originForm.test(origin) || !sizeForm.test(sizeText)) return undefined;
  if (!Number.isSafeInteger(size) || more.length > 0) return undefined;
  if (root.length !== 32 || root.toString('base64') !== rootText) return undefined;
  const signatures = [];
  for (const line of text.slice(blank + 2, -1).split('\n')) {
    const [, name, base64] = signatureLine.exec(line) ?? [];
    if (name === undefined || base64 === undefined) return undefined;
    const bytes = Buffer.from(base64, 'base64');
    if (bytes.length < 5 || bytes.toString('base64') !== base64) return undefined;
    signatures.push({ name, keyHash: bytes.subarray(0, 4), signature: bytes.subarray(4) });
  }
  return {
    origin,
    size,
    root: root.toString('hex'),
    signedText: text.slice(0, blank + 1),
    signatures,
  };
}

/**
 * Whether the key signed the checkpoint. Signatures of others (witnesses) are passed over, as the
 * signed note asks; one that claims this key and fails spoils the whole.
 */
export function isSignedBy(checkpoint: Checkpoint, keyText: string): boolean {
  const key = readPublicKey(keyText);
  if (key === undefined) return false;
  const keyHash = noteKeyHash(checkpoint.origin, keyText);
  const own = checkpoint.signatures.filter(
    ({ name, keyHash: claimed }) => name === checkpoint.origin && claimed.equals(keyHash),
  );
  const text = Buffer.from(checkpoint.signedText);
  return own.length > 0 && own.every(({ signature }) => verify(null, text, key, signature));
}

/** The signing key that an entry brings in; undefined when it states none or no valid one. */
export function statedKey(entry: Entry): string | undefined {
  const key = entry.facts?.signingKey;
  return typeof key === 'string' && readPublicKey(key) !== undefined ? key : undefined;
}

/** The first entry of every ledger: names the site and its first signing key. */
export function ledgerStarted(siteId: string, signingKey: string): Entry {
  const facts = { signingKey };
  return { room: 'audit', what: 'ledger-started', who: 'system', about: siteId, facts };
}

// The text can not be mistaken for a checkpoint, whose second line is a decimal size.
function successionText(siteId: string, newKey: string): Buffer {
  return Buffer.from(`gatehouse signing key\n${originOf(siteId)}\n${newKey}\n`);
}

/** The entry that passes signing on from the old key to a new one; only the old key can make it. */
export function signingKeyRotated(
  siteId: string,
  who: string,
  oldKey: KeyObject,
  signingKey: string,
): Entry {
  const signature = sign(null, successionText(siteId, signingKey), oldKey).toString('base64');
  const facts = { oldKey: publicKeyText(oldKey), signature, signingKey };
  return { room: 'audit', what: 'signing-key-rotated', who, about: siteId, facts };
}

/**
 * The entry for a signing key that was lost, as after a restore on a new machine: nobody can show
 * that it follows from the old one, so a verifier has to learn its fingerprint another way.
 */
export function signingKeyReplaced(siteId: string, who: string, signingKey: string): Entry {
  const facts = { signingKey };
  return { room: 'audit', what: 'signing-key-replaced', who, about: siteId, facts };
}

/** The key that follows `currentKey` by this entry; undefined when the old key did not sign it. */
export function succeedingKey(
  siteId: string,
  currentKey: string,
  entry: Entry,
): string | undefined {
  const { oldKey, signature } = entry.facts ?? {};
  const signingKey = statedKey(entry);
  if (entry.about !== siteId || oldKey !== currentKey) return undefined;
  if (signingKey === undefined || typeof signature !== 'string') return undefined;
  const key = readPublicKey(currentKey);
  if (key === undefined) return undefined;
  const text = successionText(siteId, signingKey);
  return verify(null, text, key, Buffer.from(signature, 'base64')) ? signingKey : undefined;
}

/** States in the ledger itself that a checkpoint was signed, so that a lost file is missed. */
export function checkpointSigned(siteId: string, size: number, root: string): Entry {
  const facts = { root, size };
  return { room: 'audit', what: 'checkpoint-signed', who: 'system', about: siteId, facts };
}
