// Verifies a data folder or a copy without the daemon: segments, table, checkpoints, vault.
import { createHash } from 'node:crypto';
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
} from '../audit/verify.ts';
import { type Disk, hasCode, readWhole } from '../vault/disk.ts';
import { checkCipher, objectPath } from '../vault/vault.ts';
import { checkpointNames } from './checkpoints.ts';
import { type RecordedRows, RowCheck } from './recording-proof.ts';
import { segmentDays, segmentPath } from './segments.ts';

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
  for (const name of await checkpointNames(disk, folder)) {
    try {
      checkpoints.push({
        name,
        text: await readWhole(disk, join(folder, name), maxCheckpointChars),
      });
    } catch (cause) {
      if (!hasCode(cause, 'EFBIG')) throw cause;
      findings.add('checkpoint-form', name);
    }
  }
  return checkpoints;
}

/** Reads the segments in order, the table in step with them, and then what only the table has. */
class FolderReading {
  segments = 0;
  tableLines = 0;
  readonly #parts: VerifyParts;
  readonly #check: ChainCheck;
  readonly #findings: Findings;
  readonly #folder: string;
  #slice: string[] = [];
  #lines = 0;

  constructor(parts: VerifyParts, check: ChainCheck, findings: Findings) {
    this.#parts = parts;
    this.#check = check;
    this.#findings = findings;
    this.#folder = join(parts.dataFolder, 'ledger');
  }

  async read(): Promise<void> {
    const { disk, table } = this.#parts;
    const days = await segmentDays(disk, this.#folder);
    await this.#findStrays(days);
    let headSeq = table?.head().seq ?? 0;
    for (const day of days) {
      // A segment that a running daemon closes while it is read must not be held against its
      // statement, which then comes after this head.
      headSeq = table?.head().seq ?? 0;
      await this.#readSegment(day);
    }
    this.#readRest(headSeq);
  }

  async #findStrays(days: readonly string[]): Promise<void> {
    const own = new Set(days.map((day) => `${day}.jsonl`));
    for (const name of await this.#parts.disk.names(this.#folder)) {
      if (!own.has(name)) this.#findings.add('stray-file', name);
    }
  }

  async #readSegment(day: string): Promise<void> {
    const digest = createHash('sha256');
    this.segments += 1;
    this.#check.openSegment(day);
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
    this.#check.closeSegment(digest.digest('hex'));
  }

  #readLine(line: string): void {
    this.#check.add(line);
    this.#lines += 1;
    if (this.#parts.table === undefined) return;
    const held = this.#nextOfTable();
    if (held === undefined) this.#findings.add('table-short', `seq ${this.#lines}`);
    else if (held !== line) this.#findings.add('table-differs', `seq ${this.#lines}`);
  }

  #nextOfTable(): string | undefined {
    if (this.#slice.length === 0) {
      const lines = this.#parts.table?.lines(this.tableLines + 1, tableSliceLines) ?? [];
      this.#slice = [...lines].reverse();
    }
    const line = this.#slice.pop();
    if (line !== undefined) this.tableLines += 1;
    return line;
  }

  #readRest(headSeq: number): void {
    const first = this.tableLines + 1;
    while (this.tableLines < headSeq) {
      const line = this.#nextOfTable();
      if (line === undefined) break;
      this.#check.add(line);
    }
    const behind = this.tableLines - first + 1;
    if (behind > 0) this.#findings.add('segments-behind', `${behind} lines from seq ${first}`);
  }
}

async function checkObjects(
  { disk, dataFolder, table }: VerifyParts,
  { present, erased }: RecordedObjects,
  findings: Findings,
  only: ReadonlySet<string> | undefined,
): Promise<number> {
  const folder = join(dataFolder, 'vault');
  if (table === undefined && !(await disk.names(dataFolder)).includes('vault')) {
    if (present.size > 0) findings.add('vault-absent', 'vault');
    return 0;
  }
  let sound = 0;
  for (const [objectId, cipherSha256] of present) {
    if (only !== undefined && !only.has(objectId)) continue;
    const state = await checkCipher(folder, disk, cipherSha256);
    if (state === 'sound') sound += 1;
    else findings.add(state === 'lost' ? 'object-lost' : 'object-damaged', objectId);
  }
  for (const [objectId, cipherSha256] of erased) {
    if (only !== undefined && !only.has(objectId)) continue;
    if ((await disk.sizeBytes(join(folder, objectPath(cipherSha256)))) !== undefined) {
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
  for (const part of await disk.names(join(folder, 'objects'))) {
    for (const name of await disk.names(join(folder, 'objects', part))) {
      if (!listed.has(name)) findings.add('object-unlisted', name);
    }
  }
}
