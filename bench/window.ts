// Runs one window of calls against the real Asterisk, and holds the accounts of all sides together.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readNumber } from '../src/cases/lists/phone-number.ts';
import { realClock, withDeadline } from '../src/clock.ts';
import type { PeerLine } from '../src/telephony/asterisk/demo-peers.ts';
import { carrierDigits, type SpanMs } from '../src/telephony/asterisk/sipp-scenarios.ts';
import { type CpuTime, cpuTimeOf, cpuTimeSince } from './cpu-time.ts';
import { median, quantile } from './figure.ts';
import type { PhoneRig } from './phone-rig.ts';
import type { ImportedRows, PlacedCall, Saying, WindowOrder } from './window-side.ts';

/** Who drives the calls: the real floor, or the script that is its yardstick. */
export type Side = 'floor' | 'bare';

export interface WindowPlan {
  perSecond: number;
  /** From the answer until the far end hangs up. */
  holdMs: number;
  seconds: number;
  /** A list that the floor takes in all the while. */
  importFile?: string;
}

export interface WindowResult {
  /** By the carrier's account. */
  answered: number;
  /** 200 OK, by the carrier's stamp, to the agent's bridge, by Asterisk's. */
  bridgeMs: number[];
  abandoned: number;
  /** Answered, and neither bridged nor abandoned by the rules. */
  lost: number;
  /** Answered, and there is no recording of it. Of the floor only. */
  unrecorded: number;
  /** Recordings that are shorter than the call, those in quarantine included. Of the floor only. */
  short: number;
  /** In the window and its tail; the controlling process until all was sealed. */
  cpu: { asteriskMs: number; controller: CpuTime };
  importedRows?: ImportedRows;
}

const ringMs: SpanMs = [100, 500];
const tailMs = 2_000;
/** Of the window, before it. */
const warmUpShare = 1 / 3;
/** How much shorter a recording may be than the call: src/telephony/recording.ts. */
const shortMs = 300;
const shortShare = 0.01;
/** Talking agents, and half as many again: Asterisk and a busy machine need their moments too. */
const spareAgents = 1.5;
const programs = { floor: 'floor-window.ts', bare: 'bare-window.ts' } as const;

export function agentsFor({ perSecond, holdMs }: WindowPlan): number {
  return Math.ceil(((perSecond * (ringMs[1] + holdMs + 500)) / 1_000) * spareAgents);
}

/** Throws when the window could not be run as planned. */
export async function runWindow(
  rig: PhoneRig,
  side: Side,
  plan: WindowPlan,
): Promise<WindowResult> {
  const folder = join(rig.folder, 'window');
  mkdirSync(folder);
  const { holdMs } = plan;
  const warmUpSeconds = Math.ceil(plan.seconds * warmUpShare);
  const carrier = await rig.startCarrier(join(folder, 'carrier'), {
    ringMs,
    talkMs: [holdMs, holdMs],
  });
  try {
    const order: WindowOrder = {
      folder,
      access: rig.access,
      configFile: rig.writeFloorConfig(join(folder, 'floor')),
      extensions: rig.extensions.slice(0, agentsFor(plan)),
      numbers: fictionNumbers(plan.perSecond * (warmUpSeconds + plan.seconds)),
      perSecond: plan.perSecond,
      warmUpSeconds,
      seconds: plan.seconds,
      tailMs: ringMs[1] + holdMs + tailMs,
      ...(plan.importFile === undefined ? {} : { importFile: plan.importFile }),
    };
    const orderFile = join(folder, 'order.json');
    writeFileSync(orderFile, JSON.stringify(order), { mode: 0o600 });
    const { done, cpu, sinceUtcMs } = await runSide(rig, side, orderFile);
    const lines = (await carrier.account()).filter(({ atUtcMs }) => atUtcMs >= sinceUtcMs);
    const { importedRows } = done;
    return {
      ...compare(lines, done.calls, side),
      cpu,
      ...(importedRows === undefined ? {} : { importedRows }),
    };
  } finally {
    await carrier.stop('SIGKILL');
    await rig.clearSpool();
    rmSync(folder, { recursive: true });
  }
}

async function runSide(rig: PhoneRig, side: Side, orderFile: string) {
  const program = fileURLToPath(new URL(programs[side], import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', program, orderFile], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    const pid = child.pid ?? 0;
    // Every saying waits for an answer, so that the processes can be looked at meanwhile.
    await hear(child, 'ready');
    const asterisk = cpuTimeOf(rig.asteriskPid());
    const before = cpuTimeOf(pid);
    const sinceUtcMs = Date.now();
    child.send('begin');
    await hear(child, 'over');
    const asteriskMs = cpuTimeSince(asterisk, rig.asteriskPid()).ownMs;
    child.send('finish');
    const done = await hear(child, 'done');
    const controller = cpuTimeSince(before, pid);
    child.send('leave');
    return { done, sinceUtcMs, cpu: { asteriskMs, controller } };
  } finally {
    // One that said all it had to say leaves by itself; after an error it has to be told.
    if (child.connected) await withDeadline(realClock, 30_000, ended);
    child.kill('SIGKILL');
    await ended;
  }
}

/** The next thing that the child says; throws when it is another one, or the child has ended. */
function hear<S extends Saying['say']>(
  child: ChildProcess,
  expected: S,
): Promise<Extract<Saying, { say: S }>> {
  return new Promise((resolve, reject) => {
    const failed = () => reject(new Error(`the window ended before it was ${expected}`));
    child.once('exit', failed);
    child.once('message', (saying: Saying) => {
      child.off('exit', failed);
      if (saying.say === expected) resolve(saying as Extract<Saying, { say: S }>);
      else reject(new Error(`${saying.say} instead of ${expected}`));
    });
  });
}

/** The carrier says which calls were answered and how long they lasted; the side, what became. */
function compare(lines: readonly PeerLine[], calls: readonly PlacedCall[], side: Side) {
  const byNumber = new Map(calls.map((call) => [call.number, call]));
  const leftUtcMs = new Map(
    lines.filter(({ what }) => what === 'left').map(({ number, atUtcMs }) => [number, atUtcMs]),
  );
  const result = {
    answered: 0,
    bridgeMs: [] as number[],
    abandoned: 0,
    lost: 0,
    unrecorded: 0,
    short: 0,
  };
  for (const { what, number, atUtcMs } of lines) {
    if (what !== 'answered') continue;
    result.answered += 1;
    const call = byNumber.get(`+${number}`);
    if (call?.bridgedUtcMs !== undefined) result.bridgeMs.push(call.bridgedUtcMs - atUtcMs);
    else if (call?.outcome === 'abandoned') result.abandoned += 1;
    else result.lost += 1;
    if (side === 'bare') continue;
    const heldMs = (leftUtcMs.get(number) ?? atUtcMs) - atUtcMs;
    const leastMs = heldMs - Math.max(shortMs, heldMs * shortShare);
    if (call?.quarantined !== undefined) result.short += 1;
    else if (call?.recordedMs === undefined) result.unrecorded += 1;
    else if (call.recordedMs < leastMs) result.short += 1;
  }
  return result;
}

/** Numbers reserved for fiction (555-0100 to 555-0199) that answer and hang up after the hold. */
export function fictionNumbers(count: number): string[] {
  const numbers: string[] = [];
  for (let area = 201; numbers.length < count; area += 1) {
    if (area > 999) throw new Error(`there are no ${count} such numbers`);
    if (!readNumber(`+1${area}5550109`, 'US').ok) continue;
    for (let ten = 0; ten < 10; ten += 1)
      numbers.push(`+1${area}55501${ten}${carrierDigits.hangsUpAfterTalk}`);
  }
  return numbers.slice(0, count);
}

/** Of all calls of a side, in one line. */
export function describeWindow(side: Side, plan: WindowPlan, result: WindowResult): string {
  const { answered, bridgeMs, abandoned, lost, unrecorded, short, cpu, importedRows } = result;
  const { asteriskMs, controller } = cpu;
  const perCall = (ms: number) => (ms / Math.max(1, answered)).toFixed(1);
  const { before, after } = importedRows ?? {};
  const rest = importedRows === undefined ? '' : ` · rows ${before} to ${after} came in`;
  return (
    `${side.padEnd(5)} ${plan.perSecond}/s × ${plan.holdMs / 1_000} s: ${answered} answered, ` +
    `${bridgeMs.length} bridged, ${abandoned} abandoned, ${lost} lost, ${unrecorded} unrecorded, ` +
    `${short} short · bridge p50 ${median(bridgeMs).toFixed(1)}, ` +
    `p99 ${quantile(bridgeMs, 0.99).toFixed(1)} ms · CPU ms a call: ` +
    `Asterisk ${perCall(asteriskMs)}, controller ${perCall(controller.ownMs)}, ` +
    `encoder ${perCall(controller.encoderMs)}, flac ${perCall(controller.childrenMs)}${rest}`
  );
}
