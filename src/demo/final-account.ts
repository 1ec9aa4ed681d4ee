// The demo's final account: what carrier, Asterisk, ledger and vault each say, held together.
import { join } from 'node:path';
import type { Entry } from '../audit/entry.ts';
import type { NumberRow } from '../cases/case.ts';
import { foldersOf } from '../config.ts';
import type { Config } from '../config-schema.ts';
import type { RunningFloor } from '../daemon.ts';
import type { Row } from '../draft.ts';
import { readRecordedRows } from '../store/recording-proof.ts';
import { verifyFolder } from '../store/verify-folder.ts';
import { readCallRecords } from '../telephony/asterisk/cdr.ts';
import { realDisk } from '../vault/disk.ts';
import { objectPath } from '../vault/vault.ts';
import { type DemoPeers, demoLeads } from './demo-floor.ts';

/** What each of them says: ids of calls, but for the carrier, which knows the numbers only. */
export interface DemoAccount {
  /** One for each call. */
  carrier: { dialed: readonly string[]; answered: readonly string[] };
  asterisk: { dialed: ReadonlySet<string>; answered: ReadonlySet<string> };
  ledger: {
    dialed: ReadonlySet<string>;
    answered: ReadonlySet<string>;
    sealed: ReadonlySet<string>;
  };
  /** The recordings whose objects lie in the vault. */
  vault: ReadonlySet<string>;
  /** Numbers of the calls as the house knows them. */
  numbers: ReadonlyMap<string, string>;
  /** Leads that were called, or withheld by a rule that the ledger names. */
  settledLeads: number;
  conversations: number;
  /** Objects that verification found sound, and the faults it found. */
  sound: number;
  faults: number;
}

/** Of the list's leads; the rest may wait for its time when the demo ends. */
const settledShare = 0.95;

/** Prints the account; true when all of it agrees and the whole data folder verifies. */
export async function finalAccount(
  running: RunningFloor,
  config: Config,
  peers: DemoPeers,
  say: (text: string) => void,
): Promise<boolean> {
  const { store, account, database } = running.real;
  await account.checkpoint();
  await account.flush();
  const report = await verifyFolder({
    disk: realDisk,
    dataFolder: config.dataDir,
    table: store,
    rows: readRecordedRows(database),
  });
  const { sound } = report.objects;
  const all: DemoAccount = {
    carrier: await carrierCalls(peers),
    asterisk: await recordedCalls(foldersOf(config).cdr),
    ...(await houseCalls(running, foldersOf(config).vault)),
    ...{ sound, faults: report.faults },
  };
  const { carrier, asterisk, ledger, vault, conversations } = all;
  const abandoned = database
    .prepare(`SELECT count(*) FROM "Call" WHERE outcome = 'abandoned'`)
    .pluck()
    .get();
  const missing = [...ledger.answered].filter((id) => !ledger.sealed.has(id)).length;
  say('Final account');
  say(row('', 'dialed', 'answered', 'recorded'));
  say(row('Carrier (SIPp)', carrier.dialed.length, carrier.answered.length, ''));
  say(row('Asterisk (CDR)', asterisk.dialed.size, asterisk.answered.size, ''));
  say(row('Ledger', ledger.dialed.size, ledger.answered.size, ledger.sealed.size));
  say(row('Vault', '', '', vault.size));
  say(`  leads called or withheld by a rule: ${all.settledLeads} of ${demoLeads}`);
  say(`  conversations ${conversations}, abandoned ${abandoned}, recordings_missing ${missing}`);
  say(`  verify: ${report.entries} entries, ${report.faults} faults`);
  for (const finding of report.findings) say(`    ${finding.code} at ${finding.place}`);
  const wrong = disagreements(all, demoLeads);
  for (const each of wrong) say(`  ${each}`);
  say(wrong.length === 0 ? '  All counts agree, call by call.' : '  THE COUNTS DO NOT AGREE.');
  return wrong.length === 0;
}

/** What one of them says and another does not, each in words; and what a demo must have shown. */
export function disagreements(account: DemoAccount, leads: number): string[] {
  const { carrier, asterisk, ledger, vault, numbers } = account;
  const wrong: string[] = [];
  const compare = (what: string, one: Iterable<string>, other: Iterable<string>) => {
    const [left, right] = [[...one].sort(), [...other].sort()];
    if (left.length === right.length && left.every((each, at) => each === right[at])) return;
    const rest = [...new Set([...left, ...right])].filter(
      (each) =>
        left.filter((id) => id === each).length !== right.filter((id) => id === each).length,
    );
    wrong.push(`${what} (${left.length} and ${right.length}): ${rest.slice(0, 5).join(' ')}`);
  };
  const unless = (holds: boolean, what: string) => {
    if (!holds) wrong.push(what);
  };
  const numbersOf = (ids: ReadonlySet<string>) => [...ids].map((id) => numbers.get(id) ?? id);
  compare('dialed by Asterisk and the ledger', asterisk.dialed, ledger.dialed);
  compare('answered by Asterisk and the ledger', asterisk.answered, ledger.answered);
  compare('dialed by carrier and ledger', carrier.dialed, numbersOf(ledger.dialed));
  compare('answered by carrier and ledger', carrier.answered, numbersOf(ledger.answered));
  compare('answered and recorded', ledger.answered, ledger.sealed);
  compare('recorded and in the vault', ledger.sealed, vault);
  unless(account.sound === vault.size, `${account.sound} of ${vault.size} objects are sound`);
  unless(account.faults === 0, `verification found ${account.faults} faults`);
  unless(account.conversations > 0, 'no call reached an agent');
  unless(
    account.settledLeads >= settledShare * leads,
    `only ${account.settledLeads} of ${leads} leads were called or withheld by a rule`,
  );
  return wrong;
}

function row(...cells: (string | number)[]): string {
  const [name = '', ...rest] = cells.map(String);
  return `  ${name.padEnd(16)}${rest.map((cell) => cell.padStart(10)).join('')}`;
}

async function carrierCalls({ carrier }: DemoPeers): Promise<DemoAccount['carrier']> {
  const lines = await carrier.account();
  const numbersOf = (wanted: string) =>
    lines.filter(({ what }) => what === wanted).map(({ number }) => `+${number}`);
  return { dialed: numbersOf('invited'), answered: numbersOf('answered') };
}

/** Calls by the unique id of the customer's channel, since a bridged call has several records. */
async function recordedCalls(folder: string): Promise<DemoAccount['asterisk']> {
  const records = await readCallRecords(folder);
  const calls = records.filter(({ uniqueId }) => uniqueId.startsWith('call-'));
  const answered = calls.filter(({ disposition }) => disposition === 'ANSWERED');
  const idsOf = (some: typeof records) => new Set(some.map(({ uniqueId }) => uniqueId));
  return { dialed: idsOf(calls), answered: idsOf(answered) };
}

/** Read from the ledger's own lines, not from the tables that were written beside them. */
async function houseCalls({ real: { store, database } }: RunningFloor, vaultFolder: string) {
  const said: Record<string, Entry[]> = {};
  for (let seq = 1; seq <= store.head().seq; seq += 1_000) {
    for (const line of store.lines(seq, 1_000)) {
      const { rec } = JSON.parse(line) as { rec: Entry };
      said[rec.what] ??= [];
      said[rec.what]?.push(rec);
    }
  }
  const about = (what: string) => new Set((said[what] ?? []).map((rec) => rec.about));
  const ledger = {
    dialed: about('call-dialed'),
    answered: about('call-answered'),
    sealed: about('recording-sealed'),
  };
  const vault = new Set<string>();
  for (const { about: id, facts } of said['recording-sealed'] ?? []) {
    const path = join(vaultFolder, objectPath(String(facts?.cipherSha256)));
    if ((await realDisk.sizeBytes(path)) !== undefined) vault.add(id);
  }
  const numberIds = new Map(
    (said['contact-granted'] ?? []).map(({ facts }) => [
      String(facts?.callId),
      String(facts?.numberId),
    ]),
  );
  const pluck = <R>(sql: string) => database.prepare(sql).all() as R[];
  const e164s = new Map(
    (store.load('Number') as (Row & Pick<NumberRow, 'e164'>)[]).map((each) => [each.id, each.e164]),
  );
  const settled = about('contact-withheld');
  for (const id of ledger.dialed) settled.add(numberIds.get(id) ?? '');
  const leads = pluck<{ numberId: string }>('SELECT numberId FROM "Lead"');
  return {
    ...{ ledger, vault },
    numbers: new Map([...numberIds].map(([id, numberId]) => [id, e164s.get(numberId) ?? numberId])),
    settledLeads: leads.filter(({ numberId }) => settled.has(numberId)).length,
    conversations: pluck(`SELECT id FROM "Call" WHERE outcome = 'conversation'`).length,
  };
}
