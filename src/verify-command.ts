// `gatehouse verify`: checks a data folder or a copy of one, beside the daemon or without it.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { publicKeyText } from './audit/checkpoint.ts';
import { type FindingCode, findingTable } from './audit/verify.ts';
import { FloorError } from './errors.ts';
import { type FolderReport, verifyFolder } from './store/verify-folder.ts';
import { openTableToRead } from './store/verify-table.ts';
import { realDisk } from './vault/disk.ts';

export interface VerifyOrder {
  folder: string;
  item?: string | undefined;
  /** PEM file of the public signing key that the verifier got another way. */
  keyFile?: string | undefined;
  /** A checkpoint that the verifier got another way. */
  checkpointFile?: string | undefined;
}

function readGiven(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new FloorError('verify.unreadable', file, { cause });
  }
}

function readKey(file: string): string {
  const text = readGiven(file);
  let key: KeyObject | undefined;
  try {
    key = createPublicKey(text);
  } catch {
    // OpenSSL's word for it helps nobody.
  }
  if (key?.asymmetricKeyType !== 'ed25519') {
    throw new FloorError('verify.unreadable', `${file} holds no public Ed25519 key in PEM`);
  }
  return publicKeyText(key);
}

/** Prints what was found; resolves to 0 when there is no fault, to 1 otherwise. */
export async function runVerify(order: VerifyOrder, say: (text: string) => void): Promise<number> {
  const { folder, item, keyFile, checkpointFile } = order;
  const isData = ['ledger', 'checkpoints', 'gatehouse.db'].some((name) =>
    existsSync(join(folder, name)),
  );
  if (!isData) throw new FloorError('verify.unreadable', folder);
  const trusted = keyFile === undefined ? {} : { trustedKey: readKey(keyFile) };
  const held =
    checkpointFile === undefined
      ? {}
      : {
          heldCheckpoints: [{ name: basename(checkpointFile), text: readGiven(checkpointFile) }],
        };
  const { close, ...parts } = openTableToRead(folder);
  try {
    const asked = item === undefined ? {} : { item };
    const dataFolder = folder;
    const report = await verifyFolder({
      ...{ disk: realDisk, dataFolder, ...parts, ...asked, ...trusted, ...held },
    });
    say(reportText(report));
    return report.faults === 0 ? 0 : 1;
  } finally {
    close();
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
    const shown = proof === undefined ? 'no checkpoint covers it yet' : 'proof';
    lines.push('', `Entry ${seq}`, line, shown);
    if (proof) lines.push(...proof.map((hash) => `  ${hash}`));
  }
  if (report.findings.length > 0) lines.push('');
  const todo = new Set<string>();
  for (const { code, place } of report.findings) {
    const [kind, meaning] = findingTable[code];
    lines.push(`${kind.toUpperCase()}  ${code} at ${place}: ${meaning}`);
    if (kind === 'fault') todo.add(todoOf(code));
  }
  if (todo.size > 0) lines.push('', 'What to do', ...[...todo].map((each) => `  ${each}`));
  lines.push('', report.faults === 0 ? 'No fault.' : `${report.faults} faults.`, '');
  return lines.join('\n');
}

const todos: readonly (readonly [RegExp, string])[] = [
  [/^item-/, 'Item: compare the id; it stands in the API, or in the entry that you look for.'],
  [/^(object|row)-/, 'Objects and rows: keep what is there, put both back from one backup.'],
  [/^(table|file)-/, 'Files: look at owner and disk (ls -l, dmesg); put back what is lost.'],
  [/^(checkpoint|key)-/, 'Signatures: compare with the key or checkpoint that was given away.'],
  [/./, 'Ledger: change nothing; compare with another copy from the first seq named here on.'],
];

const todoOf = (code: FindingCode) => todos.find(([codes]) => codes.test(code))?.[1] ?? '';
