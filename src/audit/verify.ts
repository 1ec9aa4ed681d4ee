// Checks a ledger line by line as a stranger would: form, chain, tree, checkpoints, segments.
import { dayMs, dayOf } from '../calendar.ts';
import {
  type Checkpoint,
  isSignedBy,
  originOf,
  readCheckpoint,
  statedKey,
  succeedingKey,
} from './checkpoint.ts';
import { type Entry, formLine, genesisPrev, lineHash } from './entry.ts';
import { leafHash, MerkleEdge } from './merkle.ts';

/**
 * What a verification can find. A fault says that something is not as it was recorded; a note says
 * what a reader must know and an honest floor can show.
 */
export const findingTable = {
  'line-form': ['fault', 'The line is not one that this format can have.'],
  'line-order': ['fault', 'The sequence number is not one more than that of the line before.'],
  'chain-broken': ['fault', 'The line does not hold the hash of the line before.'],
  'ledger-start': ['fault', 'The ledger does not begin with its site and signing key.'],
  'ledger-cut': ['fault', 'A checkpoint states more lines than there are.'],
  'checkpoint-form': ['fault', 'The file is not a checkpoint.'],
  'checkpoint-origin': ['fault', 'The checkpoint is one of another ledger.'],
  'checkpoint-signature': ['fault', 'The signing key then in force did not sign the checkpoint.'],
  'checkpoint-root': ['fault', 'The lines do not give the root that was signed or recorded.'],
  'checkpoint-lost': ['fault', 'The ledger records a checkpoint whose file is not there.'],
  'key-unsigned': ['fault', 'A signing key was brought in that the key before did not sign.'],
  'key-foreign': ['fault', 'The signing key does not follow from the one the verifier holds.'],
  'key-replaced': ['note', 'A signing key was lost and replaced; learn the new one another way.'],
  'clock-back': ['note', 'The wall clock stepped back; the order is that of the numbers.'],
  'segment-hash': ['fault', 'The segment is not the file whose hash the ledger records.'],
  'segment-lost': ['fault', 'The ledger records a segment that is not there before it.'],
  'segment-day': ['fault', 'The lines of the segment are not those of its day.'],
  'segment-unstated': ['fault', 'No entry records the hash of a closed segment.'],
  'segment-torn': ['note', 'The last line of the last segment is not complete.'],
  'table-differs': ['fault', 'The table and the segments hold different lines.'],
  'table-short': ['fault', 'The segments hold lines that the table does not.'],
  'segments-lost': ['fault', 'The segments lack lines that were written to the table long before.'],
  'table-lost': ['fault', 'A daemon works in this folder, but its database is not there.'],
  'table-unreadable': ['fault', 'The database can not be read, so what it holds was not compared.'],
  'file-unreadable': ['fault', 'What stands there can not be read as a file or folder.'],
  'segments-behind': ['note', 'The table holds lines that were not yet written to segments.'],
  'row-differs': ['fault', 'The row of a recording is not what its entry says was sealed.'],
  'row-lost': ['fault', 'No row holds the key of a recording whose erasure is not recorded.'],
  'row-unstated': [
    'fault',
    'A row holds a sealed recording that no entry states, or an erased one.',
  ],
  'object-lost': ['fault', 'A recorded object is not in the vault and was not erased by record.'],
  'object-damaged': ['fault', 'An object in the vault is not the one that was sealed.'],
  'object-remains': ['fault', 'An object is still there although its erasure is recorded.'],
  'vault-absent': ['note', 'The copy has no vault, so no object was checked.'],
  'object-unlisted': ['note', 'The vault holds a file that no entry names.'],
  'item-unknown': ['fault', 'No entry names the item.'],
  'stray-file': ['note', 'A file stands where only segments or checkpoints belong.'],
} as const satisfies Record<string, readonly ['fault' | 'note', string]>;

export type FindingCode = keyof typeof findingTable;

/** Where something was found: `seq 17`, a file's name, an object's id. */
export interface Finding {
  code: FindingCode;
  place: string;
}

/** Findings of one code that are listed; the rest is only counted. */
export const maxListedPerCode = 100;

/** Collects findings, so that a thousand broken lines give a report that can be read. */
export class Findings {
  readonly listed: Finding[] = [];
  readonly counts = new Map<FindingCode, number>();

  add(code: FindingCode, place: string): void {
    const count = (this.counts.get(code) ?? 0) + 1;
    this.counts.set(code, count);
    if (count <= maxListedPerCode) this.listed.push({ code, place });
  }

  faults(): number {
    let faults = 0;
    for (const [code, count] of this.counts) if (findingTable[code][0] === 'fault') faults += count;
    return faults;
  }
}

/** An entry with its place in the ledger. */
export interface LedgerRecord extends Entry {
  seq: number;
  atUtcMs: number;
}

/**
 * Reads a line that may come from a stranger: undefined unless forming its content again gives the
 * same bytes, which excludes other spellings, doubled, unknown or unsorted keys and hidden text.
 */
export function readLine(line: string): { prev: string; record: LedgerRecord } | undefined {
  try {
    const { prev, rec: record } = JSON.parse(line);
    return formLine(prev, record.seq, record.atUtcMs, record) === line
      ? { prev, record }
      : undefined;
  } catch {
    // Whatever parsing or forming stumbles over, the line is not one that forming could have made.
    return undefined;
  }
}

export interface ChainOptions {
  /** Checkpoints from the folder or held elsewhere; `name` is only for the report. */
  checkpoints: readonly { name: string; text: string }[];
  /** The public key (base64) that the verifier got another way. */
  trustedKey?: string;
  /** Keeps every leaf hash (32 bytes each) for inclusion proofs. */
  keepLeaves?: boolean;
  onRecord?: (record: LedgerRecord, line: string) => void;
}

/** What the lines gave, whether or not anything was found. */
export interface ChainSummary {
  entries: number;
  /** Hash of the last line, and the Merkle root over all. */
  headHash: string;
  root: string;
  siteId: string | undefined;
  /** Signing keys in their order, each from the sequence number that brought it in. */
  keys: readonly { fromSeq: number; key: string }[];
  /** Entries that the latest valid checkpoint covers; what comes after is chained, not signed. */
  signedEntries: number;
  validCheckpoints: number;
}

const segmentAbout = 'segment-';

/** The entry that states the hash of a closed segment; `name` is its day, `2026-11-22`. */
export function segmentClosed(name: string, sha256: string, lastSeq: number): Entry {
  const about = `${segmentAbout}${name}`;
  const facts = { lastSeq, sha256 };
  return { room: 'audit', what: 'segment-closed', who: 'system', about, facts };
}

interface OpenSegment {
  name: string;
  dayStartUtcMs: number;
  first: boolean;
}

interface ReadSegment {
  sha256: string;
  lastSeq: number;
  stated: boolean;
}

/** Takes lines in their order and finds what is wrong with them; memory does not grow with them. */
export class ChainCheck {
  readonly findings: Findings;
  readonly #options: ChainOptions;
  readonly #edge = new MerkleEdge();
  readonly #awaited = new Map<number, { name: string; checkpoint: Checkpoint }[]>();
  readonly #segments = new Map<string, ReadSegment>();
  readonly #keys: { fromSeq: number; key: string; follows: boolean }[] = [];
  #leaves = Buffer.alloc(0);
  #prev = genesisPrev;
  #lastSeq = 0;
  #lastUtcMs = Number.MIN_SAFE_INTEGER;
  #siteId: string | undefined;
  #segment: OpenSegment | undefined;
  #signedEntries = 0;
  #validCheckpoints = 0;

  constructor(options: ChainOptions, findings = new Findings()) {
    this.#options = options;
    this.findings = findings;
    for (const { name, text } of options.checkpoints) {
      const checkpoint = readCheckpoint(text);
      if (checkpoint === undefined) findings.add('checkpoint-form', name);
      else this.#await(checkpoint.size, name, checkpoint);
    }
  }

  #await(size: number, name: string, checkpoint: Checkpoint): void {
    this.#awaited.set(size, [...(this.#awaited.get(size) ?? []), { name, checkpoint }]);
  }

  /** The lines that follow are those of this day's segment, `2026-11-22`. */
  openSegment(day: string): void {
    this.#segment = { name: day, dayStartUtcMs: (dayOf(day) ?? 0) * dayMs, first: true };
  }

  /** The segment ended; `sha256` is that of the file's bytes. */
  closeSegment(sha256: string): void {
    if (this.#segment === undefined) return;
    const { name } = this.#segment;
    this.#segments.set(name, { sha256, lastSeq: this.#lastSeq, stated: false });
    this.#segment = undefined;
  }

  add(line: string): void {
    const read = readLine(line);
    const seq = this.#lastSeq + 1;
    if (read === undefined) {
      this.findings.add('line-form', `seq ${seq}`);
      this.#lastSeq = seq;
    } else {
      if (read.prev !== this.#prev) this.findings.add('chain-broken', `seq ${seq}`);
      if (read.record.seq !== seq) this.findings.add('line-order', `seq ${seq}`);
      // One fault is reported once: what follows is judged by what stands here.
      this.#lastSeq = read.record.seq;
    }
    this.#prev = lineHash(line);
    const leaf = leafHash(line);
    this.#edge.append(leaf);
    if (this.#options.keepLeaves) this.#keepLeaf(leaf);
    if (this.#edge.size === 1) this.#start(read?.record);
    if (read !== undefined) this.#judge(read.record, line);
    this.#meetCheckpoints(this.#edge.size);
  }

  /** Lines so far. */
  get size(): number {
    return this.#edge.size;
  }

  /** The leaf hash at an index, for proofs; needs `keepLeaves`. */
  leaf(index: number): string {
    return this.#leaves.toString('hex', index * 32, index * 32 + 32);
  }

  /** Ends the ledger: what checkpoints and entries promised and did not come is found now. */
  finish(): ChainSummary {
    const { trustedKey } = this.#options;
    this.#meetCheckpoints(0);
    for (const [size, late] of this.#awaited) {
      if (size > this.#edge.size)
        for (const { name } of late) this.findings.add('ledger-cut', name);
    }
    this.#missStatements();
    if (trustedKey !== undefined && !this.#lastLineage().includes(trustedKey)) {
      this.findings.add('key-foreign', 'signing keys');
    }
    return {
      entries: this.#edge.size,
      headHash: this.#prev,
      root: this.#edge.root(),
      siteId: this.#siteId,
      keys: this.#keys.map(({ fromSeq, key }) => ({ fromSeq, key })),
      signedEntries: this.#signedEntries,
      validCheckpoints: this.#validCheckpoints,
    };
  }

  // The last segment is still open, and the one before it may have closed a moment ago.
  #missStatements(): void {
    const closed = [...this.#segments].slice(0, -2);
    for (const [name, { stated }] of closed) {
      if (!stated) this.findings.add('segment-unstated', name);
    }
  }

  #lastLineage(): string[] {
    const from = this.#keys.findLastIndex(({ follows }) => !follows);
    return this.#keys.slice(Math.max(0, from)).map(({ key }) => key);
  }

  #keepLeaf(leaf: string): void {
    const at = (this.#edge.size - 1) * 32;
    if (at + 32 > this.#leaves.length) {
      const grown = Buffer.alloc(Math.max(1 << 16, this.#leaves.length * 2));
      this.#leaves.copy(grown);
      this.#leaves = grown;
    }
    this.#leaves.write(leaf, at, 'hex');
  }

  #start(record: LedgerRecord | undefined): void {
    const key = record?.what === 'ledger-started' ? statedKey(record) : undefined;
    if (record === undefined || key === undefined) {
      this.findings.add('ledger-start', 'seq 1');
      return;
    }
    this.#siteId = record.about;
    this.#keys.push({ fromSeq: record.seq, key, follows: false });
  }

  #judge(record: LedgerRecord, line: string): void {
    if (record.atUtcMs < this.#lastUtcMs) this.findings.add('clock-back', `seq ${record.seq}`);
    this.#lastUtcMs = record.atUtcMs;
    if (this.#segment !== undefined) this.#judgeDay(this.#segment, record);
    if (record.room === 'audit') this.#judgeAudit(record);
    this.#options.onRecord?.(record, line);
  }

  // A segment begins with a line of its day; a clock that steps back does not reopen an older one.
  #judgeDay(
    segment: { name: string; dayStartUtcMs: number; first: boolean },
    record: LedgerRecord,
  ) {
    const sinceMs = record.atUtcMs - segment.dayStartUtcMs;
    if (sinceMs >= dayMs || (segment.first && sinceMs < 0)) {
      this.findings.add('segment-day', `${segment.name} seq ${record.seq}`);
    }
    segment.first = false;
  }

  #judgeAudit(record: LedgerRecord): void {
    if (record.what === 'segment-closed') this.#judgeSegment(record);
    else if (record.what === 'signing-key-rotated') this.#judgeRotation(record);
    else if (record.what === 'signing-key-replaced') this.#judgeReplacement(record);
    else if (record.what === 'checkpoint-signed') this.#judgeCheckpointEntry(record);
  }

  #judgeSegment(record: LedgerRecord): void {
    const name = record.about.slice(segmentAbout.length);
    const segment = this.#segments.get(name);
    if (segment === undefined) {
      this.findings.add('segment-lost', name);
      return;
    }
    const { sha256, lastSeq } = record.facts ?? {};
    if (sha256 !== segment.sha256 || lastSeq !== segment.lastSeq) {
      this.findings.add('segment-hash', name);
    }
    segment.stated = true;
  }

  #judgeRotation(record: LedgerRecord): void {
    const current = this.#keys.at(-1)?.key ?? '';
    const key = succeedingKey(this.#siteId ?? '', current, record);
    if (key === undefined) this.findings.add('key-unsigned', `seq ${record.seq}`);
    else this.#keys.push({ fromSeq: record.seq, key, follows: true });
  }

  #judgeReplacement(record: LedgerRecord): void {
    const key = statedKey(record);
    this.findings.add(key === undefined ? 'key-unsigned' : 'key-replaced', `seq ${record.seq}`);
    if (key !== undefined) this.#keys.push({ fromSeq: record.seq, key, follows: false });
  }

  // The root it states was met when that many lines had passed; its file must have been there too.
  #judgeCheckpointEntry(record: LedgerRecord): void {
    const { size, root } = record.facts ?? {};
    const met = typeof size === 'number' ? this.#awaited.get(size) : undefined;
    if (met === undefined || typeof size !== 'number' || size >= this.#edge.size) {
      this.findings.add('checkpoint-lost', `size ${size}`);
    } else if (!met.some(({ checkpoint }) => checkpoint.root === root)) {
      this.findings.add('checkpoint-root', `seq ${record.seq}`);
    }
  }

  #meetCheckpoints(size: number): void {
    for (const { name, checkpoint } of this.#awaited.get(size) ?? []) {
      const root = size === 0 ? new MerkleEdge().root() : this.#edge.root();
      const key = this.#keys.findLast(({ fromSeq }) => fromSeq <= Math.max(1, size))?.key;
      if (checkpoint.root !== root) this.findings.add('checkpoint-root', name);
      else if (this.#siteId === undefined || checkpoint.origin !== originOf(this.#siteId)) {
        this.findings.add('checkpoint-origin', name);
      } else if (key === undefined || !isSignedBy(checkpoint, key)) {
        this.findings.add('checkpoint-signature', name);
      } else {
        this.#signedEntries = Math.max(this.#signedEntries, size);
        this.#validCheckpoints += 1;
      }
    }
  }
}
