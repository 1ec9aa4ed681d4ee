// Verifies a data folder or a copy without the daemon: segments, table, checkpoints, vault.
import { createHash, type Hash } from 'node:crypto';
import { join } from 'node:path';
import { maxCheckpointChars } from '../audit/checkpoint.ts';
import type { LedgerReader } from '../audit/ledger.ts';
import { proveInclusion } from '../audit/merkle.ts';
import {
  ChainCheck,
  type ChainSummary,
  type Finding,
  type FindingCode,
  Findings,
  type LedgerRecord,
  readLine,
} from '../audit/verify.ts';
import { type Disk, hasCode, readWhole } from '../vault/disk.ts';
import { checkCipher, objectPath } from '../vault/vault.ts';
import { checkpointNames } from './checkpoints.ts';
import { type RecordedRows, RowCheck } from './recording-proof.ts';
import { daysOf, segmentPath } from './segments.ts';

/** So long after the next lines a line is missed in the segments: they are written in 250 ms. */
export const segmentLagMs = 5_000;
/** No line of the ledger is longer; what is, is one faulty line. */
const maxLineChars = 16_384;
const tableSliceLines = 1000;
/** Entries of one item that are given with their proofs. */
export const maxItemLines = 1000;

export interface VerifyParts {
  disk: Disk;
  /** With `ledger/`, `checkpoints/` and `vault/`; a copy may lack the vault. */
  dataFolder: string;
  /** The table, unless only a copy is verified. */
  table?: LedgerReader;
  /** What was found amiss when table and rows were opened. */
  known?: readonly Finding[];
  /** What the database holds of recordings, read at one moment before; with a table only. */
  rows?: RecordedRows;
  /** The public signing key (base64) and checkpoints that the verifier got another way. */
  trustedKey?: string;
  heldCheckpoints?: readonly { name: string; text: string }[];
  /** The id of one object, recording or whatever else: only what names it is proved and read. */
  item?: string;
}

/** An entry of the item with the hashes that lead from it to the root of the signed tree. */
export interface ProvedLine {
  seq: number;
  line: string;
  /** Undefined for an entry that no checkpoint covers so far. */
  proof: readonly string[] | undefined;
}

export interface FolderReport extends ChainSummary {
  faults: number;
  findings: readonly Finding[];
  counts: ReadonlyMap<FindingCode, number>;
  segments: number;
  /** Lines of the table that were held against segments; undefined without a table. */
  tableLines: number | undefined;
  objects: { recorded: number; erased: number; sound: number };
  item: readonly ProvedLine[];
}

/** What the entries say about the vault. */
class RecordedObjects {
  readonly present = new Map<string, string>();
  readonly erased = new Map<string, string>();

  note({ what, about, facts }: LedgerRecord): void {
    const { objectId, cipherSha256 } = facts ?? {};
    if (what === 'object-erased') {
      const sealedAs = this.present.get(about);
      this.present.delete(about);
      if (sealedAs !== undefined) this.erased.set(about, sealedAs);
    } else if (what.endsWith('-sealed')) {
      if (typeof objectId !== 'string' || typeof cipherSha256 !== 'string') return;
      this.present.set(objectId, cipherSha256);
    }
  }
}

/**
 * Verifies whole, or one item. Expected damage is in the report; it rejects only when the disk can
 * not be read. Beside a running daemon it judges the ledger as it was when its reading began.
 */
export async function verifyFolder(parts: VerifyParts): Promise<FolderReport> {
  const { disk, dataFolder, table, rows, item, trustedKey, heldCheckpoints = [] } = parts;
  const findings = new Findings();
  for (const { code, place } of parts.known ?? []) findings.add(code, place);
  const objects = new RecordedObjects();
  const rowCheck = rows === undefined ? undefined : new RowCheck(rows);
  const found: { seq: number; line: string }[] = [];
  const ownIds = new Set<string>(item === undefined ? [] : [item]);
  const check = new ChainCheck(
    {
      checkpoints: [...(await readCheckpoints(disk, dataFolder, findings)), ...heldCheckpoints],
      ...(trustedKey === undefined ? {} : { trustedKey }),
      keepLeaves: item !== undefined,
      onRecord(record, line) {
        objects.note(record);
        rowCheck?.note(record);
        if (item === undefined || !names(record, item)) return;
        if (found.length < maxItemLines) found.push({ seq: check.size, line });
        const { objectId } = record.facts ?? {};
        if (typeof objectId === 'string') ownIds.add(objectId).add(record.about);
      },
    },
    findings,
  );
  const reading = new FolderReading(parts, check, findings);
  await reading.read();
  const summary = check.finish();
  if (item !== undefined && found.length === 0) findings.add('item-unknown', item);
  const only = item === undefined ? undefined : ownIds;
  rowCheck?.finish(findings, only);
  const sound = await checkObjects(parts, objects, findings, only);
  return {
    ...summary,
    faults: findings.faults(),
    findings: findings.listed,
    counts: findings.counts,
    segments: reading.segments,
    tableLines: table === undefined ? undefined : reading.tableLines,
    objects: { recorded: objects.present.size, erased: objects.erased.size, sound },
    item: found.map(({ seq, line }) => ({ seq, line, proof: prove(check, summary, seq) })),
  };
}

function names({ about, facts }: LedgerRecord, item: string): boolean {
  return about === item || Object.values(facts ?? {}).includes(item);
}

function prove(check: ChainCheck, { signedEntries }: ChainSummary, seq: number) {
  if (seq > signedEntries) return undefined;
  return proveInclusion((index) => check.leaf(index), seq - 1, signedEntries);
}

async function readCheckpoints(disk: Disk, dataFolder: string, findings: Findings) {
  const folder = join(dataFolder, 'checkpoints');
  const checkpoints = [];
  const names = await attempt(findings, 'checkpoints', [], () => checkpointNames(disk, folder));
  for (const name of names) {
    try {
      const path = join(folder, name);
      checkpoints.push({ name, text: await readWhole(disk, path, maxCheckpointChars) });
    } catch (cause) {
      if (!isSystemFault(cause)) throw cause;
      const tooLong = hasCode(cause, 'EFBIG');
      findings.add(tooLong ? 'checkpoint-form' : 'file-unreadable', `checkpoints/${name}`);
    }
  }
  return checkpoints;
}

const isSystemFault = (cause: unknown) =>
  cause instanceof Error && 'code' in cause && /^E[A-Z]+$/.test(String(cause.code));
const isDatabaseFault = (cause: unknown) =>
  cause instanceof Error && 'code' in cause && String(cause.code).startsWith('SQLITE_');

// One thing that can't be read is a finding about it, not the end of the verification.
async function attempt<T>(
  findings: Findings,
  place: string,
  otherwise: T,
  read: () => Promise<T>,
): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (!isSystemFault(cause)) throw cause;
    findings.add('file-unreadable', place);
    return otherwise;
  }
}

/** Reads the segments in order, the table in step with them, and then what only the table has. */
class FolderReading {
  segments = 0;
  tableLines = 0;
  readonly #parts: VerifyParts;
  readonly #check: ChainCheck;
  readonly #findings: Findings;
  readonly #folder: string;
  /** Undefined from the moment on at which it can't be read. */
  #table: LedgerReader | undefined;
  #slice: string[] = [];
  #lines = 0;

  constructor(parts: VerifyParts, check: ChainCheck, findings: Findings) {
    this.#parts = parts;
    this.#table = parts.table;
    this.#check = check;
    this.#findings = findings;
    this.#folder = join(parts.dataFolder, 'ledger');
  }

  async read(): Promise<void> {
    const { disk, table } = this.#parts;
    const names = () => disk.names(this.#folder);
    const found = await attempt(this.#findings, 'ledger', [], names);
    const days = daysOf(found);
    this.#findStrays(days, found);
    let headSeq = table?.head().seq ?? 0;
    for (const day of days) {
      // A segment that a running daemon closes while it is read must not be held against its
      // statement, which then comes after this head.
      headSeq = table?.head().seq ?? 0;
      await this.#readSegment(day);
    }
    this.#readRest(headSeq);
  }

  #findStrays(days: readonly string[], names: readonly string[]): void {
    const own = new Set(days.map((day) => `${day}.jsonl`));
    for (const name of names) {
      if (!own.has(name)) this.#findings.add('stray-file', name);
    }
  }

  async #readSegment(day: string): Promise<void> {
    const digest = createHash('sha256');
    this.segments += 1;
    this.#check.openSegment(day);
    await attempt(this.#findings, `ledger/${day}.jsonl`, undefined, () =>
      this.#readLines(day, digest),
    );
    this.#check.closeSegment(digest.digest('hex'));
  }

  async #readLines(day: string, digest: Hash): Promise<void> {
    let rest = '';
    let tooLong = false;
    for await (const chunk of this.#parts.disk.read(segmentPath(this.#folder, day))) {
      digest.update(chunk);
      // Lines are ASCII; any other byte becomes another character, and the line is found faulty.
      const lines = (rest + chunk.toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        this.#readLine(tooLong ? '' : line);
        tooLong = false;
      }
      if (rest.length > maxLineChars) {
        tooLong = true;
        rest = '';
      }
    }
    if (rest !== '' || tooLong) this.#findings.add('segment-torn', day);
  }

  #readLine(line: string): void {
    this.#check.add(line);
    this.#lines += 1;
    const held = this.#nextOfTable();
    if (this.#table === undefined) return;
    if (held === undefined) this.#findings.add('table-short', `seq ${this.#lines}`);
    else if (held !== line) this.#findings.add('table-differs', `seq ${this.#lines}`);
  }

  #nextOfTable(): string | undefined {
    if (this.#slice.length === 0) this.#slice = this.#sliceOfTable().reverse();
    const line = this.#slice.pop();
    if (line !== undefined) this.tableLines += 1;
    return line;
  }

  #sliceOfTable(): string[] {
    try {
      return [...(this.#table?.lines(this.tableLines + 1, tableSliceLines) ?? [])];
    } catch (cause) {
      if (!isDatabaseFault(cause)) throw cause;
      this.#findings.add('table-unreadable', `gatehouse.db from seq ${this.tableLines + 1}`);
      this.#table = undefined;
      return [];
    }
  }

  #readRest(headSeq: number): void {
    const first = this.tableLines + 1;
    let firstUtcMs: number | undefined;
    let lastUtcMs = 0;
    while (this.tableLines < headSeq) {
      const line = this.#nextOfTable();
      if (line === undefined) break;
      this.#check.add(line);
      lastUtcMs = readLine(line)?.record.atUtcMs ?? lastUtcMs;
      firstUtcMs ??= lastUtcMs;
    }
    const behind = this.tableLines - first + 1;
    if (behind === 0) return;
    const isLost = lastUtcMs - (firstUtcMs ?? 0) > segmentLagMs;
    const code = isLost ? 'segments-lost' : 'segments-behind';
    this.#findings.add(code, `${behind} lines from seq ${first}`);
  }
}

async function checkObjects(
  { disk, dataFolder, table }: VerifyParts,
  { present, erased }: RecordedObjects,
  findings: Findings,
  only: ReadonlySet<string> | undefined,
): Promise<number> {
  const folder = join(dataFolder, 'vault');
  const inFolder = await disk.names(dataFolder);
  if (table === undefined && !inFolder.includes('vault')) {
    if (present.size > 0) findings.add('vault-absent', 'vault');
    return 0;
  }
  let sound = 0;
  for (const [objectId, cipherSha256] of present) {
    if (only !== undefined && !only.has(objectId)) continue;
    const place = `vault/${objectPath(cipherSha256)}`;
    const state = await attempt(findings, place, undefined, () =>
      checkCipher(folder, disk, cipherSha256),
    );
    if (state === 'sound') sound += 1;
    else if (state !== undefined)
      findings.add(state === 'lost' ? 'object-lost' : 'object-damaged', objectId);
  }
  for (const [objectId, cipherSha256] of erased) {
    if (only !== undefined && !only.has(objectId)) continue;
    const path = objectPath(cipherSha256);
    const size = () => disk.sizeBytes(join(folder, path));
    if ((await attempt(findings, `vault/${path}`, undefined, size)) !== undefined) {
      findings.add('object-remains', objectId);
    }
  }
  if (only === undefined) await findUnlisted(disk, folder, present, erased, findings);
  return sound;
}

async function findUnlisted(
  disk: Disk,
  folder: string,
  present: ReadonlyMap<string, string>,
  erased: ReadonlyMap<string, string>,
  findings: Findings,
): Promise<void> {
  const listed = new Set([...present.values(), ...erased.values()]);
  const namesIn = (path: string) =>
    attempt(findings, `vault/${path}`, [], () => disk.names(join(folder, path)));
  for (const part of await namesIn('objects')) {
    for (const name of await namesIn(`objects/${part}`)) {
      if (!listed.has(name)) findings.add('object-unlisted', name);
    }
  }
}
