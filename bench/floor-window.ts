// One window of the real floor in a process of its own: real rooms, ledger, vault and sealing.
import { linkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { realClock } from '../src/clock.ts';
import { loadConfig } from '../src/config.ts';
import { type Floor, openFloor } from '../src/floor.ts';
import { realIds } from '../src/ids.ts';
import { openLog } from '../src/log.ts';
import { openRealWorld, type RealWorld } from '../src/real-world.ts';
import type { PhoneFact, PhoneSystem } from '../src/telephony/phone-system.ts';
import type { CampaignSettings } from '../src/telephony/working-set.ts';
import { listMapping } from './import.ts';
import { trunk } from './phone-rig.ts';
import { callSettings, type PlacedCall, readOrder, say, tickEvenly, until } from './window-side.ts';

const phonesMs = 60_000;
const sealedMs = 120_000;
const campaignId = 'campaign-bench';
const creditorId = 'creditor-bench';
const by = realIds.next('person');
const secondPerson = realIds.next('person');

const order = readOrder();
/** The agent of each extension; the benchmark's agents are nobody's login. */
const agents = new Map(order.extensions.map((each) => [each, realIds.next('person')]));
const calls = new Map<string, PlacedCall>();
const agentOfLeg = new Map<string, string>();
const agentOfCall = new Map<string, string>();
/** Agents without a call: fresh ones, and those whose last call waits for its disposition. */
const idle: { agentId: string; callId?: string }[] = [];

/** Notes what goes through the port, in the floor's own order and after the floor has it. */
function overheard(phone: PhoneSystem): PhoneSystem {
  const hear = (fact: PhoneFact) => {
    if (fact.kind === 'leg-up') idle.push({ agentId: agentOfLeg.get(fact.legId) ?? '' });
    if (fact.kind === 'leg-ended') agentOfLeg.delete(fact.legId);
    if (fact.kind === 'bridge-joined') {
      const call = calls.get(fact.callId);
      if (call) call.bridgedUtcMs ??= fact.atUtcMs;
      agentOfCall.set(fact.callId, agentOfLeg.get(fact.legId) ?? '');
    }
    if (fact.kind === 'call-ended') {
      const { callId } = fact;
      const agentId = agentOfCall.get(callId);
      if (agentId !== undefined) idle.push({ agentId, callId });
    }
  };
  return {
    ...phone,
    start: (sink) =>
      phone.start((fact) => {
        sink(fact);
        hear(fact);
      }),
    ringAgent(leg) {
      agentOfLeg.set(leg.legId, agents.get(leg.extension) ?? '');
      return phone.ringAgent(leg);
    },
    dial(call) {
      calls.set(call.callId, { callId: call.callId, number: call.number });
      return phone.dial(call);
    },
  };
}

/** Each tick frees one agent, and progressive pacing dials one call for each who is free. */
function freeAgent(floor: Floor): void {
  const next = idle.shift();
  if (next === undefined) return;
  const { agentId, callId } = next;
  void (callId === undefined
    ? floor.telephony.ask({
        kind: 'set-agent-state',
        agentId,
        state: 'ready',
        by: agentId,
      })
    : floor.telephony.ask({
        kind: 'dispose',
        callId,
        agentId,
        by: agentId,
        disposition: 'negotiating',
        effective: true,
      }));
}

async function openCampaign(floor: Floor): Promise<void> {
  const settings: CampaignSettings = {
    trunk,
    ...callSettings,
    waitMs: 2_000,
    limitShare: 0.03,
    targetShare: 0.02,
    // Longer than any window: the benchmark's ticks end a wrap-up.
    wrapUpMs: 1_800_000,
    maxLines: 1_000,
    maxCallsPerAgent: 1,
  };
  const { callerId } = settings;
  const creditor = { id: creditorId, name: 'Bench Bank', callerId };
  await floor.cases.putCreditor(creditor, by);
  await floor.telephony.ask({
    kind: 'put-campaign',
    id: campaignId,
    name: 'Bench',
    creditorId,
    mode: 'progressive',
    settings,
    by,
  });
  await floor.telephony.ask({ kind: 'set-campaign-state', id: campaignId, state: 'running', by });
}

/** Begins to take a list in, as an upload would; gives its id. */
async function begin(floor: Floor, path: string, campaign: string): Promise<string> {
  const order = { encoding: 'utf-8', mapping: listMapping, creditorId } as const;
  const begun = await floor.cases.lists.begin(
    { ...order, file: { path }, campaignId: campaign, name: campaign },
    by,
  );
  if (!begun.done) throw new Error(`list refused: ${begun.why}`);
  return begun.listId;
}

const acceptedOf = (floor: Floor, listId: string) =>
  floor.cases.view().get('List', listId)?.accepted ?? 0;

/** The numbers of the window become cases, people and leads that any rule may refuse. */
async function takeInNumbers(floor: Floor): Promise<void> {
  const rows = order.numbers.map((number, i) => `B-${i},P-${i},Person ${i},card,1.50,${number},`);
  const path = join(order.folder, 'numbers.csv');
  writeFileSync(path, `case,customer,name,product,amount,mobile,home\n${rows.join('\n')}\n`);
  const listId = await begin(floor, path, campaignId);
  await floor.cases.lists.finished(listId);
  const accepted = acceptedOf(floor, listId);
  if (accepted !== rows.length) throw new Error(`${accepted} of ${rows.length} rows`);
  await floor.cases.lists.confirm(listId, secondPerson);
}

/** Another list, taken in while calls go on; nobody will confirm it. */
async function beginImport(floor: Floor, file: string): Promise<() => number> {
  // What is taken in is deleted once it was read; the next window needs it too.
  const path = join(order.folder, 'import.csv');
  linkSync(file, path);
  const listId = await begin(floor, path, 'campaign-later');
  return () => acceptedOf(floor, listId);
}

async function connectPhones(floor: Floor): Promise<void> {
  await until(
    'feeds',
    phonesMs,
    () => floor.telephony.view().get('Plant', 'now')?.feed === 'fresh',
  );
  for (const [extension, agentId] of agents) {
    await floor.telephony.ask({
      kind: 'sign-in',
      agentId,
      personId: agentId,
      extension,
      way: 'pre-connected',
      campaignIds: [campaignId],
      by: agentId,
    });
  }
  await until('phones', phonesMs, () => idle.length === agents.size);
}

async function leave(floor: Floor): Promise<void> {
  for (const agentId of agents.values()) {
    const state = 'out';
    await floor.telephony.ask({ kind: 'set-agent-state', agentId, state, by: agentId });
  }
  await until('hang-up', phonesMs, () => agentOfLeg.size === 0);
}

interface AccountRow {
  id: string;
  outcome: string | null;
  state: string | null;
  why: string | null;
  durationMs: number | null;
}

/** What the floor's own tables say of each call that was dialed. */
function account(real: RealWorld): PlacedCall[] {
  const rows = real.database
    .prepare(
      `SELECT c.id, c.outcome, r.state, r.why, r.durationMs FROM "Call" c
       LEFT JOIN "Recording" r ON r.id = c.id`,
    )
    .all() as AccountRow[];
  return rows.flatMap(({ id, outcome, state, why, durationMs }) => {
    const call = calls.get(id);
    if (call === undefined) return [];
    return [
      {
        ...call,
        ...(outcome === null ? {} : { outcome }),
        ...(state === 'kept' && durationMs !== null ? { recordedMs: Number(durationMs) } : {}),
        ...(state === 'quarantined' && why !== null ? { quarantined: why } : {}),
      },
    ];
  });
}

const lines: string[] = [];
const log = openLog(realClock, (line) => lines.push(line));
const failed = (cause: unknown) => {
  console.error(...lines.slice(-20), cause);
  process.exit(1);
};
const real = await openRealWorld(loadConfig(order.configFile), log, failed);
const floor = openFloor({ ...real.world, phone: overheard(real.world.phone) });
await floor.start();
await openCampaign(floor);
await takeInNumbers(floor);
await connectPhones(floor);
const { importFile } = order;
const importedRows = importFile === undefined ? undefined : await beginImport(floor, importFile);
const untilSealed = () =>
  until('sealing', sealedMs, () => [...floor.telephony.view().all('Recording')].length === 0);
const tick = () => freeAgent(floor);
await tickEvenly(order, order.warmUpSeconds, tick);
await untilSealed();
const before = importedRows?.() ?? 0;
await say({ say: 'ready' });
await tickEvenly(order, order.seconds, tick);
const after = importedRows?.() ?? 0;
await say({ say: 'over' });
await untilSealed();
await say({
  say: 'done',
  calls: account(real),
  ...(importedRows === undefined ? {} : { importedRows: { before, after } }),
});
await leave(floor);
await floor.stop();
await real.close();
process.disconnect();
