// `gatehouse demo`: a whole floor on this machine, from an empty folder to its final account.
import { chownSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { realClock } from '../clock.ts';
import type { Config } from '../config-schema.ts';
import { type RunningFloor, startFloor } from '../daemon.ts';
import { openLog } from '../log.ts';
import type { Actor } from '../people/person.ts';
import { projectFolder } from '../real-world.ts';
import { becomeUser } from '../rights.ts';
import type { CampaignSettings } from '../telephony/working-set.ts';
import {
  demoExtensions,
  demoLeads,
  endLeftovers,
  layOutDemo,
  notePids,
  startDemoPeers,
  writeDemoList,
} from './demo-floor.ts';
import { finalAccount } from './final-account.ts';
import { openScreen } from './screen.ts';

const campaignId = 'campaign-demo';
const creditorId = 'creditor-demo';
/** Programs that need no rights get none: daemon, Asterisk and SIPp run as this user. */
const nobody = 65_534;
const tickMs = 250;
/** All of it but `--stay` is over within four minutes, or the demo has failed. */
const overallMs = 240_000;
/** So long before that, dialing ends; what still rings or talks then has half of it. */
const dialedBeforeMs = 60_000;
const quietBeforeMs = 30_000;
/** The phones of those who sign out are hung up at once. */
const signOutMs = 5_000;
const say = (text: string) => void process.stdout.write(`${text}\n`);

export interface DemoOptions {
  /** Keeps the floor running after the account, until Ctrl-C. */
  stay: boolean;
}

/**
 * Runs the demo; resolves to the exit code: 0 only when its account agrees, all verifies, and it is
 * over in time. Who interrupts it before its account stands has seen no proof.
 */
export async function runDemo({ stay }: DemoOptions): Promise<number> {
  const overdueUptimeMs = realClock.uptimeMs() + overallMs;
  const folder = resolve(process.env.GATEHOUSE_DEMO_DIR ?? '.demo');
  mkdirSync(folder, { recursive: true });
  if (process.getuid?.() === 0) {
    chownSync(folder, nobody, nobody);
    becomeUser({ uid: nobody, gid: nobody });
    process.env.HOME = folder;
  }
  const run = join(folder, 'floor');
  const setUpFile = join(projectFolder(), '.cache/asterisk/set-up.json');
  const config = layOutDemo(run, setUpFile, realClock.utcMs());
  say(`Gatehouse demo: configuration, ledger and recordings are in ${run}`);
  const { late, cancel } = deadline(run, overdueUptimeMs);
  const staying = stay ? { proven: cancel } : {};
  const code = await Promise.race([late, perform({ run, config, overdueUptimeMs, ...staying })]);
  cancel();
  return code;
}

/** Ends a demo that is not over in time, with all that it started; `late` is its exit code then. */
function deadline(run: string, overdueUptimeMs: number) {
  let cancel = () => {};
  const late = new Promise<number>((done) => {
    const timer = realClock.after(overdueUptimeMs - realClock.uptimeMs(), () => {
      process.stderr.write(`The demo was not over within ${overallMs / 60_000} minutes.\n`);
      endLeftovers(run);
      done(1);
    });
    cancel = () => timer.cancel();
  });
  return { late, cancel };
}

interface Performance {
  run: string;
  config: Config;
  overdueUptimeMs: number;
  /** Only of a demo that stays: told when its account stands, and nothing has to end any more. */
  proven?: () => void;
}

async function perform({ run, config, overdueUptimeMs, proven }: Performance): Promise<number> {
  const lines: string[] = [];
  const log = openLog(realClock, (line) => lines.push(line));
  let failure: unknown;
  const peers = await startDemoPeers(run);
  notePids(run, [peers.carrier.pid, peers.phones.pid]);
  let running: RunningFloor | undefined;
  let interrupted = false;
  process.once('SIGINT', () => {
    interrupted = true;
  });
  try {
    say('A demo carrier and demo phones speak SIP on loopback.');
    running = await startFloor(config, log, (cause) => {
      failure ??= cause;
    });
    notePids(run, [peers.carrier.pid, peers.phones.pid, running.real.asterisk?.pid()]);
    say(`Asterisk runs, the ledger has begun, the API is at ${running.http.address}/api/docs`);
    await staffFloor(running, config, run);
    await runCampaign(running, overdueUptimeMs, () => interrupted || failure !== undefined);
    if (failure !== undefined) throw failure;
    const agreed = (await finalAccount(running, config, peers, say)) && !interrupted;
    if (interrupted) say('  It was interrupted.');
    else if (proven) {
      proven();
      await untilInterrupted();
    }
    await signOut(running);
    return agreed ? 0 : 1;
  } catch (cause) {
    for (const line of lines.slice(-20)) process.stderr.write(line);
    throw cause;
  } finally {
    await running?.stop();
    await peers.carrier.stop();
    await peers.phones.stop();
  }
}

function untilInterrupted(): Promise<void> {
  say('\nThe floor stays up; Ctrl-C ends it.');
  return new Promise((done) => process.once('SIGINT', () => done()));
}

/** The first person enrols by the one-time code; supervisors and agents follow, then the list. */
async function staffFloor(running: RunningFloor, config: Config, run: string): Promise<void> {
  const { floor } = running;
  const { people, cases, telephony } = floor;
  const first = await enrol(running, running.enrolmentCode ?? '', 'demo-it', 'Demo IT');
  const supervisor = await added(running, first, 'Demo Supervisor', ['supervisor', 'data']);
  say('People: the one-time code of the first start enrolled IT, who added a supervisor.');
  const { campaign, trunks } = config.telephony;
  const settings: CampaignSettings = {
    trunk: trunks[0]?.name ?? '',
    callerId: '+12025550199',
    maxLines: trunks[0]?.maxLines ?? 1,
    ...campaign,
  };
  const by = supervisor.who;
  const creditor = { id: creditorId, name: 'Demo Bank', callerId: settings.callerId };
  await cases.putCreditor(creditor, by);
  await telephony.ask({
    kind: 'put-campaign',
    id: campaignId,
    name: 'Demo campaign',
    creditorId,
    mode: 'predictive',
    settings,
    by,
  });
  const begun = await cases.lists.begin(
    {
      file: { path: writeDemoList(run) },
      encoding: 'utf-8',
      mapping: {
        reference: 'reference',
        amount: 'amount',
        people: [{ role: 'debtor', name: 'name', numbers: [{ column: 'mobile', kind: 'mobile' }] }],
      },
      campaignId,
      creditorId,
      name: 'Demo batch',
    },
    first.personId,
  );
  if (!begun.done) throw new Error(`list refused: ${begun.why}`);
  const { listId } = begun;
  await cases.lists.finished(listId);
  await cases.lists.confirm(listId, supervisor.personId);
  const list = cases.view().get('List', listId);
  say(`List: ${list?.accepted} of ${demoLeads} rows accepted, confirmed by a second person.`);
  for (const [index, extension] of demoExtensions.entries()) {
    const agent = await added(running, first, `Demo Agent ${index + 1}`, ['agent']);
    await people.recordRequirement(first, agent.personId, 'agreement-signed');
    const { personId } = agent;
    await telephony.ask({
      kind: 'sign-in',
      agentId: personId,
      personId,
      extension,
      way: 'pre-connected',
      campaignIds: [campaignId],
      by: personId,
    });
    await telephony.ask({
      kind: 'set-agent-state',
      agentId: personId,
      state: 'ready',
      by: personId,
      lacks: people.lacks(personId),
    });
  }
  say(`${demoExtensions.length} agents signed in; their phones are being called.\n`);
  await telephony.ask({ kind: 'set-campaign-state', id: campaignId, state: 'running', by });
}

async function enrol(
  running: RunningFloor,
  code: string,
  login: string,
  name: string,
): Promise<Actor> {
  const { people } = running.floor;
  const { clock, ids } = running.real.world;
  const password = ids.bytes(18).toString('base64url');
  const enrolled = await people.enrol({ code, login, password, name }, '127.0.0.1');
  if (!enrolled.done) throw new Error(`enrolment refused: ${enrolled.why} ${clock.utcMs()}`);
  const session = await people.login(login, password, '127.0.0.1');
  if (!session.done) throw new Error(`login refused: ${session.why}`);
  const actor = people.authenticate(session.token);
  if (!actor) throw new Error('a fresh session is not valid');
  return actor;
}

async function added(
  running: RunningFloor,
  by: Actor,
  name: string,
  roles: readonly ('supervisor' | 'data' | 'agent')[],
): Promise<Actor> {
  const made = await running.floor.people.addPerson(by, { name, roles });
  if (!made.done) throw new Error(`person refused: ${made.why}`);
  return enrol(running, made.code, name.toLowerCase().replaceAll(' ', '-'), name);
}

/** Lets the floor work until the list is called; the demo’s agents only do their wrap-up. */
async function runCampaign(
  running: RunningFloor,
  overdueUptimeMs: number,
  ended: () => boolean,
): Promise<void> {
  const { clock, ids } = running.real.world;
  const { telephony } = running.floor;
  const screen = openScreen(running, campaignId, demoLeads);
  const started = clock.uptimeMs();
  let stopped = false;
  const wrapUps = new Map<string, number>();
  for (;;) {
    await new Promise<void>((done) => void clock.after(tickMs, done));
    const now = clock.uptimeMs() - started;
    const leftMs = overdueUptimeMs - clock.uptimeMs();
    const view = telephony.view();
    const calls = [...view.all('Call')];
    for (const call of calls) {
      if (call.agentId === undefined) continue;
      const { id: callId, agentId } = call;
      if (call.state === 'wrap-up') {
        const due = wrapUps.get(callId) ?? now + 300 + ids.below(1_500);
        wrapUps.set(callId, due);
        if (due > now) continue;
        const disposition = ids.below(3) === 0 ? 'promise-to-pay' : 'negotiating';
        const effective = true;
        const by = agentId;
        await telephony.ask({ kind: 'dispose', callId, agentId, by, disposition, effective });
      } else if (call.state === 'talking' && clock.utcMs() - (call.connectedUtcMs ?? 0) > 9_000) {
        await telephony.ask({ kind: 'hang-up-call', callId, agentId });
      }
    }
    screen.draw(now);
    const open = [...view.all('Recording')].length;
    const done = screen.dialed() >= demoLeads && calls.length === 0;
    if (!stopped && (done || leftMs < dialedBeforeMs || ended())) {
      stopped = true;
      const by = 'system';
      await telephony.ask({ kind: 'set-campaign-state', id: campaignId, state: 'stopped', by });
    }
    if (stopped && ((calls.length === 0 && open === 0) || leftMs < quietBeforeMs)) break;
  }
  screen.end();
}

/** Hangs up the agents' phones, so that Asterisk has nothing to wait for when it is told to end. */
async function signOut({ floor: { telephony }, real }: RunningFloor): Promise<void> {
  const { clock } = real.world;
  const agents = () => [...telephony.view().all('Agent')];
  for (const { id: agentId, state } of agents()) {
    const order = { kind: 'set-agent-state', agentId, by: agentId } as const;
    if (state !== 'out') await telephony.ask({ ...order, state: 'out' });
  }
  const untilUptimeMs = clock.uptimeMs() + signOutMs;
  while (agents().some(({ legState }) => legState !== 'none') && clock.uptimeMs() < untilUptimeMs)
    await new Promise<void>((done) => void clock.after(tickMs, done));
}
