// `npm run torture [-- STEP… --each COUNT --seed SEED]`: long versions of whole-floor tests.
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { realClock } from '../src/clock.ts';
import { type Ids, seededIds } from '../src/ids.ts';
import { lacksOf, runSeeds, violationsOf } from '../src/simulation/seeds.ts';
import { beginTalking, cutOnce, endTalking, killAsterisk } from './peers/feed-rounds.ts';
import { closeAccount, type FloorAccount, lossFaults } from './peers/floor-account.ts';
import { type FloorManners, type FloorRig, openFloorRig } from './peers/floor-rig.ts';
import {
  backWithinMs,
  beginCampaign,
  endCampaign,
  killOnce,
  type MomentName,
  momentNames,
  moments,
} from './peers/kill-rounds.ts';
import type { KillPoint } from './peers/mortal-world.ts';
import { quietDays } from './peers/quiet-days.ts';
import { type Blow, Toll } from './peers/toll.ts';

/** Blows of each kind on one floor; then another one begins, since its numbers are used up. */
const killsEachOfFloor = 10;
const cutsEachOfFloor = 2;
/** A kill comes up to this long after its moment, every second time. */
const latestMs = 400;

const logFile = '.cache/torture.log';
mkdirSync('.cache', { recursive: true });

function say(text: string): void {
  const line = `${new Date(realClock.utcMs()).toISOString()} ${text}`;
  process.stdout.write(`${line}\n`);
  appendFileSync(logFile, `${line}\n`);
}

const load = () => loadavg()[0]?.toFixed(1);
/** Where others take the processors, the time that a floor needs says nothing about it. */
const isBusyMachine = () => (loadavg()[0] ?? 0) > 2 * cpus().length;

/** Blows after which a floor was late on such a machine: neither a fault nor a proof. */
let unknown = 0;

/** SIGTERM ends the torture after the floor that is open, with the account of all before it. */
let stops = false;
process.once('SIGTERM', () => {
  stops = true;
});

/** What one floor is, and what is done to it; each blow is told when the floor works again. */
interface Ordeal {
  name: string;
  manners: FloorManners;
  run(rig: FloorRig, hit: (blow: Blow) => void): Promise<void>;
}

/** Runs one floor from its opening to its account; resolves to the number of faults. */
async function runFloor({ name, manners, run }: Ordeal, toll: Toll): Promise<number> {
  const faults: string[] = [];
  const blows: Blow[] = [];
  let account: FloorAccount | undefined;
  let rig: FloorRig | undefined;
  const fault = (what: string) => {
    const said = `after ${toll.fault(what, account, blows)}: ${what}`;
    faults.push(said);
    say(`${name}: FAULT ${said}; load ${load()}`);
  };
  try {
    rig = await openFloorRig(manners);
    await run(rig, (blow) => {
      blows.push(blow);
      toll.struck(blow);
      if (blow.backMs <= backWithinMs) return;
      const late = `at work again only after ${blow.backMs} ms`;
      if (!isBusyMachine()) return fault(late);
      unknown += 1;
      say(`${name}: unknown, ${blow.name}, ${late}; load ${load()}`);
    });
    account = await closeAccount(rig);
    for (const loss of lossFaults(account)) fault(loss);
  } catch (cause) {
    fault(String(cause instanceof Error ? cause.stack : cause));
  }
  await rig?.close(faults.length > 0);
  if (account) toll.count(account, blows);
  if (rig && faults.length > 0) {
    const evidence = { faults, blows, account };
    writeFileSync(join(rig.folder, 'torture.json'), JSON.stringify(evidence, undefined, 1));
    say(`${name}: the floor is kept in ${rig.folder}`);
  }
  const entries = account ? `, ${account.report.entries} entries verified` : '';
  say(`${name}: ${blows.length} blows${entries}, ${faults.length} faults; load ${load()}`);
  return faults.length;
}

function shuffled<T>(all: readonly T[], ids: Ids): T[] {
  const rest = [...all];
  return all.flatMap(() => rest.splice(ids.below(rest.length), 1));
}

/** Floors with so many blows of each kind in a random order; resolves to the number of faults. */
async function runFloors<N extends string>(
  { each, eachOfFloor, names }: { each: number; eachOfFloor: number; names: readonly N[] },
  seed: number,
  ordealOf: (order: readonly N[], ids: Ids) => Omit<Ordeal, 'name'>,
): Promise<number> {
  const toll = new Toll(names);
  let faults = 0;
  for (let done = 0, next = seed; done < each && !stops; done += eachOfFloor, next += 1) {
    const ids = seededIds(next);
    const count = Math.min(eachOfFloor, each - done);
    const order = shuffled(
      names.flatMap((name) => Array<N>(count).fill(name)),
      ids,
    );
    faults += await runFloor({ name: `seed ${next}`, ...ordealOf(order, ids) }, toll);
  }
  for (const line of toll.lines()) say(line);
  return faults;
}

/** A variant of the moment, and every second time some time after it. */
function drawPoint(name: MomentName, ids: Ids): KillPoint {
  const variants: readonly KillPoint[] = moments[name];
  const point = variants[ids.below(variants.length)];
  if (point === undefined) throw new Error(`no moment ${name}`);
  return ids.below(2) === 0 || point.laterMs !== undefined
    ? point
    : { ...point, laterMs: ids.below(latestMs) };
}

function tortureKills(seed: number, each: number): Promise<number> {
  const agents = 5;
  const manners: FloorManners = {
    agents,
    carrier: { ringMs: [300, 600], talkMs: [1_000, 2_500] },
    habits: { talkMs: [1_500, 3_000], wrapUpMs: 50 },
  };
  const rounds = { each, eachOfFloor: killsEachOfFloor, names: momentNames };
  return runFloors(rounds, seed, (order, ids) => ({
    manners,
    async run(rig, hit) {
      await beginCampaign(rig, agents);
      for (const name of order)
        hit({ name, ...(await killOnce(rig, drawPoint(name, ids), realClock)) });
      await endCampaign(rig);
    },
  }));
}

function tortureFeeds(seed: number, each: number): Promise<number> {
  const agents = 20;
  const manners: FloorManners = {
    agents,
    carrier: { ringMs: [500, 1_500], talkMs: [1_500, 3_000] },
    habits: { talkMs: [2_000, 4_000], wrapUpMs: 50 },
  };
  const names = ['Asterisk killed', 'ami cut', 'ari cut'] as const;
  const rounds = { each, eachOfFloor: cutsEachOfFloor, names };
  return runFloors(rounds, seed, (order) => ({
    manners,
    async run(rig, hit) {
      await beginTalking(rig, agents);
      for (const name of order) {
        if (name === 'Asterisk killed') {
          hit({ name, ...(await killAsterisk(rig, agents, realClock)) });
          continue;
        }
        const cut = await cutOnce(rig, name === 'ami cut' ? 'ami' : 'ari', realClock);
        hit({ name, ...cut });
        if (cut.grantedBlind > 0) throw new Error(`${cut.grantedBlind} permits while ${name}`);
      }
      await endTalking(rig);
    },
  }));
}

interface Step {
  /** How often it does what it does, unless `--each` says otherwise. */
  each: number;
  /** Resolves to the number of faults. */
  run(seed: number, each: number): Promise<number>;
}

async function tortureSeeds(seed: number, each: number): Promise<number> {
  const days = await runSeeds(seed, each, {
    told: ({ seed: lived, calls, entries, violations }) =>
      say(`seed ${lived}: ${calls} calls, ${entries} entries, ${violations.length} violations`),
  });
  const faults = [...violationsOf(days), ...lacksOf(days), ...quietDays(days)];
  for (const fault of faults) say(`FAULT ${fault}`);
  return faults.length;
}

const steps: Readonly<Record<string, Step>> = {
  /** kill -9 of the daemon, so often at each moment. */
  kills: { each: 200, run: tortureKills },
  /** Asterisk killed with 20 calls up, AMI cut, ARI cut: so often each. */
  feeds: { each: 20, run: tortureFeeds },
  /** Days of the simulated floor, one from each seed. */
  seeds: { each: 200, run: tortureSeeds },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { each: { type: 'string' }, seed: { type: 'string', default: '1' } },
});
const numberOf = (text: string) => {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`not a count: ${text}`);
  return Number(text);
};
const seed = numberOf(values.seed);
for (const name of positionals) if (!steps[name]) throw new Error(`no step ${name}`);

let faults = 0;
for (const [name, { each: usual, run }] of Object.entries(steps)) {
  if (stops || (positionals.length > 0 && !positionals.includes(name))) continue;
  const each = values.each === undefined ? usual : numberOf(values.each);
  say(`${name}: begins, ${each} each, seed ${seed}`);
  const startedUptimeMs = realClock.uptimeMs();
  const found = await run(seed, each);
  faults += found;
  const minutes = Math.round((realClock.uptimeMs() - startedUptimeMs) / 60_000);
  say(`${name}: ${found} faults in ${minutes} minutes${stops ? '; it was stopped' : ''}`);
}
const late = `at work again within ${backWithinMs} ms: unknown ${unknown} times`;
say(`torture: ${faults} faults${unknown > 0 ? `; on a busy machine, ${late}` : ''}`);
process.exitCode = faults === 0 && unknown === 0 && !stops ? 0 : 1;
