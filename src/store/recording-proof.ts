// The row of a recording held against the entry that sealed it: the row alone proves nothing.
import { hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { type Findings, type LedgerRecord, readLine } from '../audit/verify.ts';
import type { RecordingRow } from '../telephony/working-set.ts';
import type { ByteRange } from '../vault/disk.ts';
import type { Vault, VaultObject } from '../vault/vault.ts';
import { rowReader } from './commit.ts';
import type { Database } from './database.ts';

/** Why a recording that stands as sealed is not played: each is an alarm. */
export type RecordingFault =
  | 'recording-differs'
  | 'object-lost'
  | 'object-damaged'
  | 'object-key-unknown';

export type AudioOutcome =
  | { done: true; bytes: Readable }
  | { done: false; why: 'no-such-recording' | 'not-in-vault' }
  | { done: false; why: RecordingFault; unsound: true };

type SealedFacts = Pick<
  RecordingRow,
  'objectId' | 'plainSha256' | 'cipherSha256' | 'plainBytes' | 'durationMs'
>;

/** What row and entry both state of a sealed recording, as one short text to compare. */
function sealedDigest(facts: SealedFacts): string {
  const { objectId, plainSha256, cipherSha256, plainBytes, durationMs } = facts;
  const text = [objectId, plainSha256, cipherSha256, plainBytes, durationMs].join(' ');
  return hash('sha256', text);
}

/** The same of the entry `recording-sealed` (docs/evidence-format.md section 6). */
function statedDigest({ facts = {} }: LedgerRecord): string {
  const { flacSha256, ...rest } = facts;
  return sealedDigest({ ...rest, plainSha256: flacSha256 } as SealedFacts);
}

/**
 * Opens recordings for somebody whose reason goes on record. Nothing is served of one whose row is
 * not what its entry states, or whose bytes on the medium are not those that were sealed: it could
 * be another call. Each request reads the object whole before its first byte (3 MB, a call of ten
 * minutes, in 11 ms), since CTR shows no change and a player asks for parts.
 */
export function openAudioOf(database: Database, vault: Pick<Vault, 'check' | 'open'>) {
  const rowOf = database.prepare('SELECT * FROM "Recording" WHERE id = ?');
  const read = rowReader(database, 'Recording');
  // The index of this expression and this condition answers it without reading other lines.
  const lineOf = database
    .prepare(
      `SELECT line FROM ledger WHERE instr(line, ',"what":"recording-sealed",') > 0
       AND substr(line, 92, 64) >= ? AND substr(line, 92, 64) < ? ORDER BY seq DESC LIMIT 1`,
    )
    .pluck();
  const sealedAs = (recordingId: string) => {
    const line = lineOf.get(`${recordingId}"`, `${recordingId}"~`) as string | undefined;
    const record = line === undefined ? undefined : readLine(line)?.record;
    return record?.about === recordingId ? statedDigest(record) : undefined;
  };

  return async (recordingId: string, range: ByteRange): Promise<AudioOutcome> => {
    const stored = rowOf.get(recordingId) as Record<string, unknown> | undefined;
    if (!stored) return { done: false, why: 'no-such-recording' };
    const row = read(stored) as RecordingRow;
    if (row.objectId === undefined) return { done: false, why: 'not-in-vault' };
    const refuse = (why: RecordingFault) => ({ done: false, why, unsound: true }) as const;
    if (sealedDigest(row) !== sealedAs(recordingId)) return refuse('recording-differs');
    const { iv, wrappedKey, keyId } = row;
    if (iv === undefined || wrappedKey === undefined || keyId === undefined) {
      return refuse('object-key-unknown');
    }
    const object = row as VaultObject;
    const state = await vault.check(object);
    if (state !== 'sound') return refuse(faults[state]);
    const opened = await vault.open(object, range);
    return opened.opened ? { done: true, bytes: opened.bytes } : refuse(faults.lost);
  };
}

const faults = {
  lost: 'object-lost',
  damaged: 'object-damaged',
  'key-unknown': 'object-key-unknown',
} as const;

/** All rows of recordings with the ledger's head, both of the same moment. */
export interface RecordedRows {
  headSeq: number;
  /** By recording: what its row states as sealed; undefined for one that states nothing so. */
  sealed: ReadonlyMap<string, string | undefined>;
}

/** Reads them in one transaction, since a daemon may go on writing meanwhile. */
export function readRecordedRows(database: Database): RecordedRows {
  return database.transaction(() => {
    const head = database.prepare('SELECT coalesce(max(seq), 0) FROM ledger').pluck().get();
    const rows = database.prepare(
      'SELECT id, objectId, plainSha256, cipherSha256, plainBytes, durationMs FROM "Recording"',
    );
    const sealed = new Map<string, string | undefined>();
    for (const row of rows.iterate() as Iterable<{ id: string } & SealedFacts>) {
      sealed.set(row.id, row.objectId ? sealedDigest(row) : undefined);
    }
    return { headSeq: Number(head), sealed };
  })();
}

/** Takes the entries in their order and holds the rows against them. */
export class RowCheck {
  readonly #rows: RecordedRows;
  readonly #stated = new Map<string, string>();
  readonly #recordings = new Map<string, string>();

  constructor(rows: RecordedRows) {
    this.#rows = rows;
  }

  note(record: LedgerRecord): void {
    const { seq, what, about, facts } = record;
    // What was recorded after the rows were read may be in no row yet.
    if (seq > this.#rows.headSeq) return;
    if (what === 'object-erased') this.#stated.delete(this.#recordings.get(about) ?? '');
    if (what !== 'recording-sealed') return;
    this.#stated.set(about, statedDigest(record));
    this.#recordings.set(String(facts?.objectId), about);
  }

  /** `only`: the recordings, objects or whatever else that are asked about; undefined for all. */
  finish(findings: Findings, only: ReadonlySet<string> | undefined): void {
    for (const [id, digest] of this.#stated) {
      if (only && !only.has(id)) continue;
      const held = this.#rows.sealed.get(id);
      if (held !== digest) findings.add(held === undefined ? 'row-lost' : 'row-differs', id);
    }
    for (const [id, digest] of this.#rows.sealed) {
      if (digest === undefined || this.#stated.has(id) || (only && !only.has(id))) continue;
      findings.add('row-unstated', id);
    }
  }
}
