// The account of a floor when it is over: what carrier, Asterisk, ledger, tables and vault say.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ContactRow } from '../../src/cases/contact.ts';
import { realClock } from '../../src/clock.ts';
import { openStore } from '../../src/store/commit.ts';
import { openDatabaseToRead } from '../../src/store/database.ts';
import { readRecordedRows } from '../../src/store/recording-proof.ts';
import { type FolderReport, verifyFolder } from '../../src/store/verify-folder.ts';
import { readCallRecords } from '../../src/telephony/asterisk/cdr.ts';
import type { AgentRow, CallRow, RecordingRow } from '../../src/telephony/working-set.ts';
import { realDisk } from '../../src/vault/disk.ts';
import type { LedgerLine } from './floor-news.ts';
import type { FloorRig } from './floor-rig.ts';

/** One call as each of them knows it. */
export interface CallAccount {
  callId: string;
  number: string;
  row: CallRow | undefined;
  recording: RecordingRow | undefined;
  /** What the carrier's own log says of its number, in order. */
  carrier: string[];
  /** Dispositions of its records at Asterisk. */
  cdr: string[];
  /** What the ledger says of it, in order. */
  ledger: LedgerLine[];
}

export interface FloorAccount {
  calls: CallAccount[];
  agents: AgentRow[];
  /** Numbers the carrier was called at, once for each time. */
  invited: string[];
  /** Calls that Asterisk knows and the floor does not. */
  strangers: string[];
  alarmed: ReadonlySet<string>;
  pending: number;
  openContacts: number;
  /** Raw files that lie in the spool still. */
  spool: string[];
  report: FolderReport;
}

/** Asks the floor for its rows, ends it, and reads everybody else's account. */
export async function closeAccount(rig: FloorRig): Promise<FloorAccount> {
  const rows = <R>(table: string) => rig.ask<R[]>({ do: 'rows', table });
  const contacts = await rows<ContactRow & { state: string }>('Contact');
  const numbers = new Map(
    (await rows<{ id: string; e164: string }>('Number')).map(({ id, e164 }) => [id, e164]),
  );
  const callRows = new Map((await rows<CallRow>('Call')).map((row) => [row.id, row]));
  const recordings = new Map((await rows<RecordingRow>('Recording')).map((row) => [row.id, row]));
  const agents = await rows<AgentRow>('Agent');
  const pending = await rows('Pending');
  const spool = readdirSync(rig.inside(rig.spool)).filter((name) => name.endsWith('.wav'));
  await rig.stop();

  const carrier = await rig.carrier.account();
  const records = await readCallRecords(rig.cdrFolder);
  const own = records.filter(({ uniqueId }) => uniqueId.startsWith('call-'));
  const calls = contacts.flatMap(({ callId, numberId }) => {
    if (callId === undefined) return [];
    const number = numbers.get(numberId ?? '') ?? '';
    return {
      ...{ callId, number, row: callRows.get(callId), recording: recordings.get(callId) },
      carrier: carrier.filter((line) => `+${line.number}` === number).map(({ what }) => what),
      cdr: own.filter(({ uniqueId }) => uniqueId === callId).map((record) => record.disposition),
      ledger: rig.news.lines.filter(({ about }) => about === callId),
    };
  });
  const known = new Set(calls.map(({ callId }) => callId));
  return {
    ...{ calls, agents, pending: pending.length, spool },
    invited: carrier.filter(({ what }) => what === 'invited').map(({ number }) => `+${number}`),
    strangers: own.map(({ uniqueId }) => uniqueId).filter((id) => !known.has(id)),
    alarmed: new Set(rig.news.said('alarm-raised').map(({ why, about }) => `${why}:${about}`)),
    openContacts: contacts.filter(({ state }) => state === 'open').length,
    report: await verify(rig.dataDir),
  };
}

async function verify(dataFolder: string): Promise<FolderReport> {
  const database = openDatabaseToRead(join(dataFolder, 'gatehouse.db'));
  try {
    return await verifyFolder({
      disk: realDisk,
      dataFolder,
      table: openStore(database, realClock),
      rows: readRecordedRows(database),
    });
  } finally {
    database.close();
  }
}

const says = ({ ledger }: CallAccount, what: string) => ledger.some((line) => line.what === what);
const wasAnswered = ({ cdr, carrier }: CallAccount) =>
  cdr.includes('ANSWERED') || carrier.includes('answered');

const answeredOutcomes: readonly string[] = [
  ...['conversation', 'abandoned', 'agent-lost', 'not-recorded'],
];

/** What must hold after everything, kills included: each breach in words. */
export function lossFaults(account: FloorAccount): string[] {
  const { calls, agents, invited, strangers, alarmed, report } = account;
  const faults: string[] = [];
  const unless = (holds: boolean, fault: string) => {
    if (!holds) faults.push(fault);
  };
  const twice = invited.filter((number, at) => invited.indexOf(number) !== at);
  unless(twice.length === 0, `dialed twice: ${twice.join(' ')}`);
  const dialed = new Set(calls.filter((c) => says(c, 'call-dialed')).map(({ number }) => number));
  for (const number of invited) unless(dialed.has(number), `invited and not dialed: ${number}`);
  unless(strangers.length === 0, `calls of nobody: ${strangers.join(' ')}`);
  for (const call of calls) {
    const { callId, row, recording, ledger, cdr } = call;
    const told = `${callId} ${JSON.stringify(call.carrier)} ${JSON.stringify(call.cdr)}`;
    if (wasAnswered(call) || says(call, 'call-answered')) {
      const isSealed = says(call, 'recording-sealed');
      // Where nothing could be written nothing lies, and for that the call was ended.
      const hasLeg = recording?.why !== 'both-legs-missing' || row?.outcome === 'not-recorded';
      const isPut = hasLeg && says(call, 'recording-quarantined');
      const isSafe = isSealed
        ? recording?.state === 'kept' && typeof recording.wrappedKey === 'string'
        : isPut &&
          recording?.state === 'quarantined' &&
          alarmed.has(`recording-quarantined:${callId}`);
      unless(isSafe, `answered and not recorded: ${told} ${recording?.state} ${recording?.why}`);
    }
    const isTold = answeredOutcomes.includes(row?.outcome ?? '') || !cdr.includes('ANSWERED');
    unless(isTold, `answered and ended as ${row?.outcome}: ${told}`);
    const ends = ledger.filter(({ what }) => what === 'call-ended').length;
    unless(!says(call, 'call-dialed') || ends === 1, `${ends} ends: ${told}`);
    unless(row === undefined || row.state === 'ended', `still ${row?.state}: ${told}`);
    for (const { facts = {} } of ledger.filter(({ what }) => what === 'recording-sealed')) {
      unless(Number(facts.lostMs) <= 2_100, `${facts.lostMs} ms lost: ${told}`);
    }
  }
  for (const { id, state, legState } of agents)
    unless(state === 'ready' && legState === 'up', `agent stuck: ${id} ${state} ${legState}`);
  unless(account.pending === 0, `${account.pending} effects without a result`);
  unless(account.openContacts === 0, `${account.openContacts} permits not settled`);
  unless(account.spool.length === 0, `in the spool: ${account.spool.join(' ')}`);
  const sealed = calls.filter((call) => says(call, 'recording-sealed')).length;
  unless(report.faults === 0, `verify: ${JSON.stringify(report.findings)}`);
  unless(report.objects.sound === sealed, `${report.objects.sound} sound of ${sealed} sealed`);
  return faults;
}

/** Outcomes of calls that nobody answered, as Asterisk's records word them. */
const cdrWords: Readonly<Record<string, string>> = {
  busy: 'BUSY',
  'no-answer': 'NO ANSWER',
  rejected: 'NO ANSWER',
  'invalid-number': 'NO ANSWER',
  'carrier-failure': 'CONGESTION',
};

/** What must hold where nothing was killed: all of them say the same of each call. */
export function agreementFaults(account: FloorAccount): string[] {
  const faults = lossFaults(account);
  for (const call of account.calls) {
    const { row, recording, cdr, carrier } = call;
    const told = `${call.callId} ${row?.outcome} ${JSON.stringify(carrier)} ${JSON.stringify(cdr)}`;
    const answered = says(call, 'call-answered');
    if (carrier.includes('answered') !== answered) faults.push(`carrier's answer: ${told}`);
    if (cdr.includes('ANSWERED') !== answered) faults.push(`Asterisk's answer: ${told}`);
    if ((recording?.state === 'kept') !== answered) faults.push(`recording: ${told}`);
    if (carrier.filter((what) => what === 'invited').length !== 1) faults.push(`invite: ${told}`);
    const word = cdrWords[row?.outcome ?? ''];
    if (!answered && !cdr.every((disposition) => disposition === word)) {
      faults.push(`disposition: ${told}`);
    }
    if (cdr.length === 0) faults.push(`no record at Asterisk: ${told}`);
  }
  return faults;
}
