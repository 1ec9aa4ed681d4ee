// The demo's final account: what carrier, Asterisk, ledger and vault each say, held together.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config-schema.ts';
import type { RunningFloor } from '../daemon.ts';
import { foldersOf } from '../real-world.ts';
import { verifyFolder } from '../store/verify-folder.ts';
import { realDisk } from '../vault/disk.ts';
import type { DemoPeers } from './demo-floor.ts';

/** Columns of Asterisk's Master.csv (cdr_csv, loguniqueid=yes): disposition and unique id. */
const dispositionColumn = 14;
const uniqueIdColumn = 16;

/** The calls of Asterisk's own records, by the customer channel's unique id: answered or not. */
export function readCdr(text: string): Map<string, boolean> {
  const calls = new Map<string, boolean>();
  for (const line of text.split('\n')) {
    const cells = [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, cell]) =>
      (cell ?? '').replace(/^"|"$/g, ''),
    );
    const id = cells[uniqueIdColumn] ?? '';
    if (!id.startsWith('call-')) continue;
    calls.set(id, (calls.get(id) ?? false) || cells[dispositionColumn] === 'ANSWERED');
  }
  return calls;
}

interface Counts {
  dialed: number;
  answered: number;
  sealed: number;
}

/** Prints the account; true when all counts agree and the whole data folder verifies. */
export async function finalAccount(
  { real }: RunningFloor,
  config: Config,
  peers: DemoPeers,
  say: (text: string) => void,
): Promise<boolean> {
  const { store, account, database } = real;
  const asterisk = cdrCounts(join(foldersOf(config).cdr, 'Master.csv'));
  const ledger = ledgerCounts(store);
  await account.checkpoint();
  await account.flush();
  const report = await verifyFolder({
    disk: realDisk,
    dataFolder: config.dataDir,
    table: store,
  });
  const tally = (table: string, where: string) =>
    Number(database.prepare(`SELECT count(*) FROM "${table}" WHERE ${where}`).pluck().get());
  const missing = ledger.answered - ledger.sealed;
  const conversations = tally('Call', "outcome = 'conversation'");
  const abandoned = tally('Call', "outcome = 'abandoned'");
  const invites = (await peers.carrier.account()).filter(({ what }) => what === 'invite').length;
  say('Final account');
  say(row('', 'dialed', 'answered', 'recorded'));
  say(row('Asterisk (CDR)', asterisk.dialed, asterisk.answered, ''));
  say(row('Ledger', ledger.dialed, ledger.answered, ledger.sealed));
  say(row('Vault', '', '', report.objects.sound));
  say(`  conversations ${conversations}, abandoned ${abandoned}, recordings_missing ${missing}`);
  if (invites > 0) say(`  calls the carrier saw: ${invites}`);
  say(`  verify: ${report.entries} entries, ${report.faults} faults`);
  for (const finding of report.findings) say(`    ${finding.code} at ${finding.place}`);
  const agreed =
    asterisk.dialed === ledger.dialed &&
    asterisk.answered === ledger.answered &&
    ledger.sealed === ledger.answered &&
    report.objects.sound === ledger.sealed &&
    report.faults === 0 &&
    ledger.dialed > 0;
  say(agreed ? '  All counts agree.' : '  THE COUNTS DO NOT AGREE.');
  return agreed;
}

function row(...cells: (string | number)[]): string {
  const [name = '', ...rest] = cells.map(String);
  return `  ${name.padEnd(16)}${rest.map((cell) => cell.padStart(10)).join('')}`;
}

function cdrCounts(path: string): Omit<Counts, 'sealed'> {
  const calls = existsSync(path) ? readCdr(readFileSync(path, 'utf8')) : new Map();
  return { dialed: calls.size, answered: [...calls.values()].filter(Boolean).length };
}

/** Counted from the lines themselves, not from the tables that were written beside them. */
function ledgerCounts(store: RunningFloor['real']['store']): Counts {
  const counts: Counts = { dialed: 0, answered: 0, sealed: 0 };
  const fieldOf: Record<string, keyof Counts> = {
    'call-dialed': 'dialed',
    'call-answered': 'answered',
    'recording-sealed': 'sealed',
  };
  for (let seq = 1; seq <= store.head().seq; seq += 1_000) {
    for (const line of store.lines(seq, 1_000)) {
      const field = fieldOf[(JSON.parse(line) as { rec: { what: string } }).rec.what];
      if (field) counts[field] += 1;
    }
  }
  return counts;
}
