// The site's keys: master key and its recovery sheet, wrapping of object keys, digests, signing.
import assert from 'node:assert';
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  hash,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { publicKeyText } from '../audit/checkpoint.ts';
import type { Ids } from '../ids.ts';

/** What the house does with the master key; the key itself stays inside. */
export interface SiteKeys {
  /** Names the master key in each vault object's row: 32 hex digits that do not reveal it. */
  keyId: string;
  /** Wraps the 32 bytes of an object's key (RFC 3394); 80 hex digits. */
  wrap(objectKey: Buffer): string;
  /** Undefined when the text was not wrapped by this master key. */
  unwrap(wrapped: string): Buffer | undefined;
  /**
   * HMAC-SHA-256 in hex: stands in the ledger for a number, name or card. `kind` keeps the same
   * text of different kinds apart, as `phone-number` and `card`.
   */
  digest(kind: string, text: string): string;
}

export const keyBytes = 32;
const lineBytes = 8;

function derive(master: Buffer, use: string): Buffer {
  // HKDF (RFC 5869) without salt: the master key is random already, so only the uses are parted.
  return Buffer.from(hkdfSync('sha256', master, '', `gatehouse ${use} v1`, keyBytes));
}

/** The keys that follow from a master key of 32 bytes. */
export function siteKeysFrom(master: Buffer): SiteKeys {
  assert(master.length === keyBytes, 'a master key has 32 bytes');
  const wrapKey = derive(master, 'wrap');
  const digestKey = derive(master, 'digest');
  // RFC 3394 section 2.2.3.1; the initial value is what shows a wrong key or changed bytes.
  const initialValue = Buffer.alloc(8, 0xa6);
  return {
    keyId: hash('sha256', wrapKey, 'hex').slice(0, 32),
    wrap(objectKey) {
      assert(objectKey.length === keyBytes, 'an object key has 32 bytes');
      const cipher = createCipheriv('id-aes256-wrap', wrapKey, initialValue);
      return Buffer.concat([cipher.update(objectKey), cipher.final()]).toString('hex');
    },
    unwrap(wrapped) {
      if (!/^[0-9a-f]{80}$/.test(wrapped)) return undefined;
      const decipher = createDecipheriv('id-aes256-wrap', wrapKey, initialValue);
      try {
        return Buffer.concat([decipher.update(Buffer.from(wrapped, 'hex')), decipher.final()]);
      } catch {
        // OpenSSL says no more than that the initial value did not come out.
        return undefined;
      }
    },
    digest: (kind, text) =>
      createHmac('sha256', digestKey).update(`${kind}\n${text}`).digest('hex'),
  };
}

const lineCheck = (line: number, hex: string) => hash('sha256', `${line}:${hex}`).slice(0, 4);
const inGroups = (hex: string) => hex.match(/.{4}/g)?.join(' ') ?? '';

/**
 * The sheet that is made once at set-up, printed and locked away: whoever holds it and the
 * database can read every recording, and without it and the key file nobody can.
 */
export function recoverySheet(master: Buffer, siteId: string): string {
  const lines = [];
  for (let at = 0; at < keyBytes; at += lineBytes) {
    const hex = master.toString('hex', at, at + lineBytes);
    const line = at / lineBytes + 1;
    lines.push(`  ${line}:  ${inGroups(hex)}  /  ${lineCheck(line, hex)}`);
  }
  return [
    'GATEHOUSE RECOVERY SHEET: print, lock away, keep off every computer.',
    `Site ${siteId}, master key ${inGroups(siteKeysFrom(master).keyId.slice(0, 16))}`,
    '',
    ...lines,
    '',
    'The last group of each line checks the line. Zero and one are digits; there is no o and no l.',
    '',
  ].join('\n');
}

export type SheetReading = { read: true; master: Buffer } | { read: false; wrongLines: number[] };

/** Reads what a person typed from a sheet: lines in any order, any spacing, O for 0 and l for 1. */
export function readRecoverySheet(typed: string): SheetReading {
  const parts = new Map<number, string>();
  for (const text of typed.split(/\r?\n/)) {
    const [, number, rest] = /^\s*([1-9])\s*[:.)]\s*(.*)$/.exec(text) ?? [];
    if (number === undefined || rest === undefined) continue;
    const hex = rest
      .toLowerCase()
      .replace(/[\s/|-]/g, '')
      .replaceAll('o', '0')
      .replace(/[il]/g, '1');
    const value = hex.slice(0, lineBytes * 2);
    if (hex === `${value}${lineCheck(Number(number), value)}` && /^[0-9a-f]{20}$/.test(hex)) {
      parts.set(Number(number), value);
    }
  }
  const numbers = Array.from({ length: keyBytes / lineBytes }, (_, i) => i + 1);
  const wrongLines = numbers.filter((number) => !parts.has(number));
  if (wrongLines.length > 0) return { read: false, wrongLines };
  return { read: true, master: Buffer.from(numbers.map((n) => parts.get(n)).join(''), 'hex') };
}

export interface OpenedKeys {
  opened: true;
  keys: SiteKeys;
  /** What the keys follow from, for threads of this process that need them too. */
  master: Buffer;
  signingKey: KeyObject;
  /** The text of the recovery sheet, made from the key file on demand. */
  sheet(siteId: string): string;
}

export type KeysFault = 'key-lost' | 'key-exposed' | 'key-unreadable' | 'key-foreign';

/** `place` is the file or folder at fault, never anything of its content. */
export type KeysOutcome = OpenedKeys | { opened: false; fault: KeysFault; place: string };

const masterName = 'master.key';

/** A signing key's file bears its public key's hash: the ledger says which one is in force. */
function signingName(publicKey: string): string {
  return `signing-${hash('sha256', Buffer.from(publicKey, 'base64')).slice(0, 32)}`;
}

/**
 * Opens the key folder, which lies outside the data folder and its backups. `inForce` is the public
 * signing key that the ledger names; it is undefined only while the ledger is empty, and only then
 * are keys made: one that gets lost later must never be replaced in silence. `keyId` is that of the
 * master key: with another site's no recording would open, and no stopped number be recognised.
 */
export function openSiteKeys(
  folder: string,
  ids: Ids,
  inForce: string | undefined,
  keyId?: string,
): KeysOutcome {
  const masterPath = join(folder, masterName);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (inForce === undefined && !hasMasterKey(folder)) {
    restoreMasterKey(folder, ids.bytes(keyBytes));
  }
  const signing = inForce ?? addSigningKey(folder, ids);
  const signingPath = join(folder, `${signingName(signing)}.key`);
  for (const place of [masterPath, signingPath]) {
    if (!existsSync(place)) return { opened: false, fault: 'key-lost', place };
  }
  for (const place of [folder, masterPath, signingPath]) {
    if ((statSync(place).mode & 0o077) !== 0) return { opened: false, fault: 'key-exposed', place };
  }
  const master = readMaster(masterPath);
  if (!master) return { opened: false, fault: 'key-unreadable', place: masterPath };
  const keys = siteKeysFrom(master);
  if (keyId !== undefined && keys.keyId !== keyId) {
    return { opened: false, fault: 'key-foreign', place: masterPath };
  }
  const signingKey = readSigningKey(signingPath, signing);
  if (!signingKey) return { opened: false, fault: 'key-unreadable', place: signingPath };
  return {
    opened: true,
    keys,
    master,
    signingKey,
    sheet: (siteId) => recoverySheet(master, siteId),
  };
}

/** Whether there is a file of the master key, sound or not. */
export function hasMasterKey(folder: string): boolean {
  return existsSync(join(folder, masterName));
}

/**
 * Writes the recovery sheet beside the keys, where it gives away nothing that is not there already;
 * printed to a log it would stay in the log. Returns the file, which has to leave the machine.
 */
export function writeRecoverySheet(folder: string, sheet: string): string {
  const name = 'recovery-sheet.txt';
  writeKeyFile(folder, name, sheet);
  return join(folder, name);
}

/** Puts a master key into the folder, as from a recovery sheet; asserts that there is none. */
export function restoreMasterKey(folder: string, master: Buffer): void {
  assert(!hasMasterKey(folder), 'a master key is there; it is never replaced');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeKeyFile(folder, masterName, `${master.toString('hex')}\n`);
}

/** The Ed25519 key of a seed of 32 bytes, before which RFC 8410 section 7 puts this prefix. */
export function signingKeyFrom(seed: Buffer): KeyObject {
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
  return createPrivateKey({ key: Buffer.concat([prefix, seed]), format: 'der', type: 'pkcs8' });
}

/**
 * Adds a signing key to the folder, its public half beside it for whoever verifies. It comes into
 * force by the ledger's entry about it, so that a crash in between leaves an unused file.
 */
export function addSigningKey(folder: string, ids: Ids): string {
  const key = signingKeyFrom(ids.bytes(keyBytes));
  const publicKey = publicKeyText(key);
  const name = signingName(publicKey);
  const publicPem = createPublicKey(key).export({ format: 'pem', type: 'spki' });
  writeKeyFile(folder, `${name}.pub`, publicPem.toString());
  writeKeyFile(folder, `${name}.key`, key.export({ format: 'pem', type: 'pkcs8' }).toString());
  return publicKey;
}

function readMaster(path: string): Buffer | undefined {
  const text = readFileSync(path, 'utf8');
  return /^[0-9a-f]{64}\n$/.test(text) ? Buffer.from(text.trim(), 'hex') : undefined;
}

function readSigningKey(path: string, publicKey: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(readFileSync(path, 'utf8'));
    return publicKeyText(key) === publicKey ? key : undefined;
  } catch {
    // The cause may quote the file, and nothing of a key may reach a log.
    return undefined;
  }
}

// Whole or not at all, also through a power cut: half a key file would look like a lost key.
function writeKeyFile(folder: string, name: string, text: string): void {
  const part = join(folder, `${name}.part`);
  rmSync(part, { force: true });
  const file = openSync(part, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(part, join(folder, name));
  const folderFile = openSync(folder, 'r');
  try {
    fsyncSync(folderFile);
  } finally {
    closeSync(folderFile);
  }
}
