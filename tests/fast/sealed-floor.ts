// A small data folder with all that an evidence reader meets: three days, objects, two keys.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ledgerStarted,
  publicKeyText,
  readPublicKey,
  signingKeyRotated,
} from '../../src/audit/checkpoint.ts';
import { type Entry, formLine, genesisPrev, lineHash } from '../../src/audit/entry.ts';
import type { LedgerReader } from '../../src/audit/ledger.ts';
import { dayMs } from '../../src/calendar.ts';
import { realClock } from '../../src/clock.ts';
import { seededIds } from '../../src/ids.ts';
import { openCheckpoints } from '../../src/store/checkpoints.ts';
import { openSegments } from '../../src/store/segments.ts';
import { realDisk } from '../../src/vault/disk.ts';
import { addSigningKey, openSiteKeys } from '../../src/vault/keys.ts';
import { openVault, type VaultObject } from '../../src/vault/vault.ts';

/** The table `ledger` as an array, for tests that may also spoil it. */
export class ArrayTable implements LedgerReader {
  readonly held: string[] = [];
  nowUtcMs = Date.parse('2026-11-22T08:00:00Z');

  add(entry: Entry): void {
    this.nowUtcMs += 1000;
    this.held.push(formLine(this.head().hash, this.held.length + 1, this.nowUtcMs, entry));
  }

  head() {
    const last = this.held.at(-1);
    return { seq: this.held.length, hash: last === undefined ? genesisPrev : lineHash(last) };
  }

  lines(fromSeq: number, limit: number) {
    return this.held.slice(fromSeq - 1, fromSeq - 1 + limit);
  }
}

export type SealedFloor = Awaited<ReturnType<typeof buildFloor>>;

/** Builds `<root>/data` and `<root>/keys` with the program's own parts. */
export async function buildFloor(root: string) {
  const ids = seededIds(81);
  const dataFolder = join(root, 'data');
  const keysFolder = join(root, 'keys');
  const siteId = ids.next('site');
  mkdirSync(dataFolder, { recursive: true });
  const opened = openSiteKeys(keysFolder, ids, undefined);
  if (!opened.opened) throw new Error(opened.fault);
  const { keys } = opened;
  let { signingKey } = opened;
  const firstKey = publicKeyText(signingKey);
  const table = new ArrayTable();
  const record = (entry: Entry) => table.add(entry);
  const parts = { reader: table, disk: realDisk, clock: realClock, record };
  const segments = openSegments({
    ...parts,
    folder: join(dataFolder, 'ledger'),
    failed: (cause) => {
      throw cause;
    },
    level: () => {},
  });
  const checkpoints = openCheckpoints({
    ...parts,
    folder: join(dataFolder, 'checkpoints'),
    siteId,
    signingKey: () => signingKey,
  });
  const vault = openVault(join(dataFolder, 'vault'), keys, realDisk, ids);
  const objects: (VaultObject & { recordingId: string; plain: Buffer })[] = [];

  async function sealRecording(): Promise<void> {
    const plain = ids.bytes(3000 + ids.below(3000));
    const source = join(root, 'source.flac');
    writeFileSync(source, plain);
    const outcome = await vault.seal(source);
    if (!outcome.sealed) throw new Error(outcome.reason);
    const recordingId = ids.next('recording');
    const { objectId, plainSha256, cipherSha256, plainBytes } = outcome.object;
    record({
      room: 'telephony',
      what: 'recording-sealed',
      who: 'system',
      about: recordingId,
      facts: {
        agentPcmSha256: ids.bytes(32).toString('hex'),
        callId: ids.next('call'),
        cipherSha256,
        customerPcmSha256: ids.bytes(32).toString('hex'),
        durationMs: 61_250,
        flacSha256: plainSha256,
        objectId,
        plainBytes,
      },
    });
    await vault.settle(objectId);
    objects.push({ ...outcome.object, recordingId, plain });
  }
  function talk(count: number): void {
    for (let i = 0; i < count; i += 1) {
      const about = ids.next('call');
      const facts = { campaignId: 'campaign-a', ringMs: 1000 + ids.below(9000) };
      record({ room: 'telephony', what: 'call-answered', who: 'system', about, facts });
    }
  }

  record(ledgerStarted(siteId, firstKey));
  talk(7);
  await sealRecording();
  await sealRecording();
  await checkpoints.sign();
  talk(3);
  await segments.flush();
  table.nowUtcMs += dayMs;
  await sealRecording();
  const secondKey = addSigningKey(keysFolder, ids);
  record(signingKeyRotated(siteId, ids.next('person'), signingKey, secondKey));
  const reopened = openSiteKeys(keysFolder, ids, secondKey);
  if (!reopened.opened) throw new Error(reopened.fault);
  signingKey = reopened.signingKey;
  await checkpoints.sign();
  const [erased] = objects;
  if (erased === undefined) throw new Error('nothing was sealed');
  await vault.eraseObject(erased);
  const facts = { cipherSha256: erased.cipherSha256 };
  record({
    room: 'telephony',
    what: 'object-erased',
    who: 'system',
    about: erased.objectId,
    facts,
  });
  talk(4);
  await segments.flush();
  table.nowUtcMs += 2 * dayMs;
  talk(2);
  await sealRecording();
  await segments.flush();
  const latest = await checkpoints.sign();
  talk(2);
  await segments.end();
  const publicPem = readPublicKey(secondKey)?.export({ format: 'pem', type: 'spki' }).toString();
  return {
    dataFolder,
    keysFolder,
    siteId,
    keys,
    table,
    objects,
    firstKey,
    secondKey,
    latest,
    publicPem,
  };
}
