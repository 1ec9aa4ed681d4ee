// `gatehouse verify`: checks a data folder or a copy of one, beside the daemon or without it.
import { createPublicKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { publicKeyText } from './audit/checkpoint.ts';
import { findingTable } from './audit/verify.ts';
import { realClock } from './clock.ts';
import { FloorError } from './errors.ts';
import { openStore } from './store/commit.ts';
import { openDatabaseToRead } from './store/database.ts';
import { readRecordedRows } from './store/recording-proof.ts';
import { type FolderReport, verifyFolder } from './store/verify-folder.ts';
import { realDisk } from './vault/disk.ts';

export interface VerifyOrder {
  folder: string;
  item?: string | undefined;
  /** PEM file of the public signing key that the verifier got another way. */
  keyFile?: string | undefined;
  /** A checkpoint that the verifier got another way. */
  checkpointFile?: string | undefined;
}

const readGiven = (file: string): string => {
  if (!existsSync(file)) throw new FloorError('verify.unreadable', file);
  return readFileSync(file, 'utf8');
};

/** Prints what was found; resolves to 0 when there is no fault, to 1 otherwise. */
export async function runVerify(order: VerifyOrder): Promise<number> {
  const { folder, item, keyFile, checkpointFile } = order;
  if (!existsSync(join(folder, 'ledger'))) throw new FloorError('verify.unreadable', folder);
  const databaseFile = join(folder, 'gatehouse.db');
  const database = existsSync(databaseFile) ? openDatabaseToRead(databaseFile) : undefined;
  try {
    const report = await verifyFolder({
      disk: realDisk,
      dataFolder: folder,
      ...(database === undefined
        ? {}
        : { table: openStore(database, realClock), rows: readRecordedRows(database) }),
      ...(item === undefined ? {} : { item }),
      ...(keyFile === undefined
        ? {}
        : { trustedKey: publicKeyText(createPublicKey(readGiven(keyFile))) }),
      ...(checkpointFile === undefined
        ? {}
        : {
            heldCheckpoints: [{ name: basename(checkpointFile), text: readGiven(checkpointFile) }],
          }),
    });
    process.stdout.write(reportText(report));
    return report.faults === 0 ? 0 : 1;
  } finally {
    database?.close();
  }
}

function reportText(report: FolderReport): string {
  const { entries, root, siteId, validCheckpoints, signedEntries, objects, segments } = report;
  const table =
    report.tableLines === undefined ? 'no table (a copy)' : `${report.tableLines} lines`;
  const lines = [
    `Site         ${siteId ?? 'unknown'}`,
    `Ledger       ${entries} entries in ${segments} segments; table: ${table}`,
    `Root         ${root}`,
    `Checkpoints  ${validCheckpoints} valid, the last covers ${signedEntries} entries`,
    `Vault        ${objects.recorded} recorded, ${objects.sound} sound, ${objects.erased} erased`,
  ];
  for (const { seq, line, proof } of report.item) {
    lines.push(
      '',
      `Entry ${seq}`,
      line,
      proof === undefined ? 'no checkpoint covers it yet' : 'proof',
    );
    if (proof) lines.push(...proof.map((hash) => `  ${hash}`));
  }
  if (report.findings.length > 0) lines.push('');
  for (const { code, place } of report.findings) {
    const [kind, meaning] = findingTable[code];
    lines.push(`${kind.toUpperCase()}  ${code} at ${place}: ${meaning}`);
  }
  lines.push('', report.faults === 0 ? 'No fault.' : `${report.faults} faults.`, '');
  return lines.join('\n');
}
