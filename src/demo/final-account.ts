// The demo's final account: what carrier, Asterisk, ledger and vault each say, held together.
import { foldersOf } from '../config.ts';
import type { Config } from '../config-schema.ts';
import type { RunningFloor } from '../daemon.ts';
import { readRecordedRows } from '../store/recording-proof.ts';
import { verifyFolder } from '../store/verify-folder.ts';
import { readCallRecords } from '../telephony/asterisk/cdr.ts';
import { realDisk } from '../vault/disk.ts';
import type { DemoPeers } from './demo-floor.ts';

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
  const asterisk = await cdrCounts(foldersOf(config).cdr);
  const ledger = ledgerCounts(store);
  await account.checkpoint();
  await account.flush();
  const report = await verifyFolder({
    disk: realDisk,
    dataFolder: config.dataDir,
    table: store,
    rows: readRecordedRows(database),
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

/** Calls by the unique id of the customer's channel, since a bridged call has several records. */
async function cdrCounts(folder: string): Promise<Omit<Counts, 'sealed'>> {
  const answered = new Map<string, boolean>();
  for (const { uniqueId, disposition } of await readCallRecords(folder)) {
    if (!uniqueId.startsWith('call-')) continue;
    answered.set(uniqueId, answered.get(uniqueId) === true || disposition === 'ANSWERED');
  }
  return { dialed: answered.size, answered: [...answered.values()].filter(Boolean).length };
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
