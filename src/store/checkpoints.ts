// Signed checkpoints in their folder: hourly and on demand, each durable before the ledger says so.
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import {
  checkpointSigned,
  isSignedBy,
  maxCheckpointChars,
  originOf,
  publicKeyText,
  readCheckpoint,
  signCheckpoint,
} from '../audit/checkpoint.ts';
import type { Entry } from '../audit/entry.ts';
import type { LedgerReader } from '../audit/ledger.ts';
import { leafHash, MerkleEdge } from '../audit/merkle.ts';
import type { Clock } from '../clock.ts';
import { type Disk, readWhole, writeWhole } from '../vault/disk.ts';

/** Lines hashed at once; between two slices the event loop is free. */
const sliceLines = 500;
/** 53 hashes of 64 digits at most. */
const maxEdgeBytes = 8192;
const edgeName = 'right-edge.json';
const nameForm = /^\d{12}\.checkpoint$/;

export interface CheckpointParts {
  /** The folder of checkpoints alone, `<data>/checkpoints`. */
  folder: string;
  reader: LedgerReader;
  disk: Disk;
  clock: Clock;
  siteId: string;
  /** The private key that the ledger has in force at this moment. */
  signingKey(): KeyObject;
  /** Commits the entry that a checkpoint was signed. */
  record(entry: Entry): void;
}

export interface SignedCheckpoint {
  /** Its file's name in the folder of checkpoints. */
  name: string;
  /** The signed note itself. */
  text: string;
}

export interface Checkpoints {
  /** Signs the ledger as it is now; resolves when file and entry are durable. */
  sign(): Promise<SignedCheckpoint>;
  /** The newest one; undefined before the first. */
  latest(): Promise<SignedCheckpoint | undefined>;
  /** Resolves when nothing is being signed any more, so that the table may be closed. */
  idle(): Promise<void>;
}

/** The names of a folder's checkpoints, smallest tree first. */
export async function checkpointNames(disk: Disk, folder: string): Promise<string[]> {
  return (await disk.names(folder)).filter((name) => nameForm.test(name));
}

/** Opens the checkpoints of a data folder; nothing is read or written before the first sign(). */
export function openCheckpoints(parts: CheckpointParts): Checkpoints {
  let edge: MerkleEdge | undefined;
  let signing: Promise<unknown> = Promise.resolve();

  async function signOnce() {
    const { folder, disk, siteId, signingKey, record } = parts;
    edge ??= await resumeEdge(parts);
    await grow(parts, edge);
    const { size } = edge;
    const root = edge.root();
    const text = signCheckpoint({ origin: originOf(siteId), size, root }, signingKey());
    const name = `${`${size}`.padStart(12, '0')}.checkpoint`;
    await disk.makeFolder(folder);
    await writeWhole(disk, join(folder, name), text);
    await writeWhole(disk, join(folder, edgeName), `${JSON.stringify(edge.state())}\n`);
    record(checkpointSigned(siteId, size, root));
    return { name, text };
  }

  return {
    sign() {
      const work = signing.then(signOnce);
      // Whoever asked is told of a failure; the next one starts anew.
      signing = work.catch(() => undefined);
      return work;
    },
    async latest() {
      const { folder, disk } = parts;
      const name = (await checkpointNames(disk, folder)).at(-1);
      if (name === undefined) return undefined;
      return { name, text: await readWhole(disk, join(folder, name), maxCheckpointChars) };
    },
    async idle() {
      await signing;
    },
  };
}

async function grow({ reader, clock }: CheckpointParts, edge: MerkleEdge): Promise<void> {
  for (;;) {
    const before = edge.size;
    for (const line of reader.lines(before + 1, sliceLines)) edge.append(leafHash(line));
    if (edge.size - before < sliceLines) return;
    await new Promise<void>((resolve) => clock.soon(resolve));
  }
}

/**
 * The tree as the newest checkpoint left it, so that a start does not hash years of lines. It is
 * taken only when its root is the one that our present key signed; else the tree is grown anew.
 */
async function resumeEdge(parts: CheckpointParts): Promise<MerkleEdge> {
  const { folder, reader, disk, signingKey } = parts;
  const newest = (await checkpointNames(disk, folder)).at(-1);
  if (newest === undefined) return new MerkleEdge();
  const text = await readWhole(disk, join(folder, newest), maxCheckpointChars);
  const checkpoint = readCheckpoint(text);
  if (!checkpoint || !isSignedBy(checkpoint, publicKeyText(signingKey()))) return new MerkleEdge();
  // As after a restore of an old backup: to sign on would vouch for two histories.
  if (checkpoint.size > reader.head().seq) throw new Error(`the ledger is shorter than ${newest}`);
  const edgePath = join(folder, edgeName);
  if ((await disk.sizeBytes(edgePath)) === undefined) return new MerkleEdge();
  const kept = MerkleEdge.from(parsed(await readWhole(disk, edgePath, maxEdgeBytes)));
  const fits = kept?.size === checkpoint.size && kept.root() === checkpoint.root;
  return kept !== undefined && fits ? kept : new MerkleEdge();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The edge is only a short cut; what is no JSON is no edge.
    return undefined;
  }
}
