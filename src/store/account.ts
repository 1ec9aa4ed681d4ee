// The account of a data folder: begins the ledger, keeps segments beside it, signs its head hourly.
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { ledgerStarted, publicKeyText } from '../audit/checkpoint.ts';
import type { Entry } from '../audit/entry.ts';
import type { Clock, Timer } from '../clock.ts';
import type { Row } from '../draft.ts';
import type { Ids } from '../ids.ts';
import type { Disk } from '../vault/disk.ts';
import { type AuditAlarms, openAuditAlarms } from './audit-alarms.ts';
import { openCheckpoints, type SignedCheckpoint } from './checkpoints.ts';
import type { Store } from './commit.ts';
import { openSegments, SegmentDiffers } from './segments.ts';

interface AccountRow extends Row {
  readonly siteId: string;
  /** Public signing key in force, base64. */
  readonly signingKey: string;
  /** Id of the master key; absent until the first start of a release that notes it. */
  readonly keyId?: string | undefined;
}

export interface AccountParts {
  store: Store;
  disk: Disk;
  clock: Clock;
  ids: Ids;
  dataDir: string;
  signingKey: KeyObject;
  /** Id of the master key. */
  keyId: string;
  everyMs: number;
  /** Segments or a checkpoint could not be written; the table, which is the record, is whole. */
  failed(cause: unknown): void;
}

export interface Account {
  siteId: string;
  alarms: AuditAlarms;
  /** Signs the ledger as it is now; resolves when the checkpoint is durable. */
  checkpoint(): Promise<SignedCheckpoint>;
  /** The newest checkpoint; undefined before the first. */
  latestCheckpoint(): Promise<SignedCheckpoint | undefined>;
  /** Brings the segments level with the table. */
  flush(): Promise<void>;
  end(): Promise<void>;
}

const accountRow = (store: Store) => store.load('Account')[0] as AccountRow | undefined;

/** The keys that the ledger names; undefined before the first start. */
export function keysInForce(store: Store): Omit<AccountRow, 'id'> | undefined {
  return accountRow(store);
}

export function openAccount(parts: AccountParts): Account {
  const { store, disk, clock, dataDir, signingKey, keyId, failed } = parts;
  const known = accountRow(store);
  const siteId = known?.siteId ?? parts.ids.next('site');
  if (known?.keyId === undefined) {
    const key = publicKeyText(signingKey);
    const named = { room: 'audit', what: 'master-key-named', who: 'system', about: siteId };
    const row: AccountRow = { id: 'head', siteId, signingKey: key, keyId };
    store.commit({
      room: 'audit',
      entries: [...(known ? [] : [ledgerStarted(siteId, key)]), { ...named, facts: { keyId } }],
      changes: [{ table: 'Account', id: row.id, row }],
    });
  }
  const alarms = openAuditAlarms({ store, clock, ids: parts.ids });
  const record = (entry: Entry) => {
    store.commit({ room: 'audit', entries: [entry], changes: [] });
  };
  const segments = openSegments({
    folder: join(dataDir, 'ledger'),
    reader: store,
    disk,
    clock,
    record,
    failed(cause) {
      if (cause instanceof SegmentDiffers) alarms.segmentDiffers(cause.day);
      failed(cause);
    },
    level: () => alarms.segmentsLevel(),
  });
  store.onLines(() => segments.wake());
  segments.wake();
  const checkpoints = openCheckpoints({
    folder: join(dataDir, 'checkpoints'),
    reader: store,
    disk,
    clock,
    siteId,
    signingKey: () => signingKey,
    record,
  });
  let timer: Timer;
  const hourly = () => {
    timer = clock.after(parts.everyMs, hourly);
    checkpoints.sign().catch(failed);
  };
  timer = clock.after(parts.everyMs, hourly);
  return {
    siteId,
    alarms,
    checkpoint: () => checkpoints.sign(),
    latestCheckpoint: () => checkpoints.latest(),
    flush: () => segments.flush(),
    async end() {
      timer.cancel();
      await checkpoints.idle();
      await segments.end();
    },
  };
}
