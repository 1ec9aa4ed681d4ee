// How long an answered call waits for its agent: the real floor against a bare ARI script.
import { join } from 'node:path';
import { type Measured, quantile, runs } from './figure.ts';
import { writeList } from './import.ts';
import { openPhoneRig, type PhoneRig } from './phone-rig.ts';
import {
  agentsFor,
  describeWindow,
  runWindow,
  type WindowPlan,
  type WindowResult,
} from './window.ts';

const rates = [5, 10, 20];
const holdMs = 3_000;
const windowSeconds = 60;
/** The rate for which the bounds are promised. */
const boundRate = 10;
const p99BoundMs = 50;
const addedP50BoundMs = 4;
const addedP99BoundMs = 15;
/** Of the calls that are placed; without them a wait says nothing of its rate. */
const answeredShare = 0.95;
const importRows = 1_000_000;

export interface BridgeOptions {
  /** Length of a window; shorter ones show that it works, and no figure. */
  seconds?: number;
  /** At the bound's rate only, while a list of a million rows is taken in. */
  import: boolean;
}

interface Round {
  floor: WindowResult;
  bare: WindowResult;
}

/** Windows of both sides in turn, each side first in every other round. */
export async function bench(options: BridgeOptions): Promise<Measured[]> {
  const { seconds = windowSeconds } = options;
  const plans = (options.import ? [boundRate] : rates).map((perSecond) => ({
    perSecond,
    holdMs,
    seconds,
  }));
  const rig = await openPhoneRig(Math.max(...plans.map(agentsFor)));
  try {
    const importFile = join(rig.folder, 'import.csv');
    if (options.import) await writeList(importFile, importRows);
    const rounds = new Map<WindowPlan, Round[]>(plans.map((plan) => [plan, []]));
    for (let round = 0; round < runs; round += 1) {
      for (const plan of plans) {
        const floorPlan = options.import ? { ...plan, importFile } : plan;
        rounds.get(plan)?.push(await runRound(rig, plan, floorPlan, round % 2 === 0));
      }
    }
    const during = options.import ? `, ${importRows} rows coming in` : '';
    return [...rounds].flatMap(([plan, done]) => measure(plan, during, done));
  } finally {
    await rig.close();
  }
}

async function runRound(
  rig: PhoneRig,
  barePlan: WindowPlan,
  floorPlan: WindowPlan,
  bareFirst: boolean,
): Promise<Round> {
  const run = async (side: 'floor' | 'bare') => {
    const plan = side === 'floor' ? floorPlan : barePlan;
    const result = await runWindow(rig, side, plan);
    process.stdout.write(`${describeWindow(side, plan, result)}\n`);
    return result;
  };
  if (bareFirst) {
    const bare = await run('bare');
    return { bare, floor: await run('floor') };
  }
  const floor = await run('floor');
  return { floor, bare: await run('bare') };
}

function measure(plan: WindowPlan, during: string, rounds: readonly Round[]): Measured[] {
  const { perSecond, seconds } = plan;
  const at = `at ${perSecond}/s${during}`;
  const isBound = perSecond === boundRate;
  const of = (side: keyof Round, share: number) =>
    rounds.map((round) => quantile(round[side].bridgeMs, share));
  const waits = (share: number, bounds: { atMost?: number; addedAtMost?: number }): Measured[] => {
    const floor = of('floor', share);
    const bare = of('bare', share);
    const name = `p${share * 100} ${at}`;
    const { atMost, addedAtMost } = bounds;
    return [
      {
        name: `200 OK to bridged, ${name}`,
        unit: 'ms',
        values: floor,
        yardsticks: bare,
        ...(atMost === undefined ? {} : { atMost }),
        judged: 'when-idle',
      },
      {
        name: `added over the bare script, ${name}`,
        unit: 'ms',
        values: floor.map((value, round) => value - (bare[round] ?? Number.NaN)),
        yardsticks: bare,
        ...(addedAtMost === undefined ? {} : { atMost: addedAtMost }),
        judged: 'when-idle',
      },
    ];
  };
  const total = (
    name: string,
    count: (result: WindowResult) => number,
    bound: { atMost?: number } = { atMost: 0 },
  ): Measured => ({
    name: `${name}, ${at}`,
    unit: 'calls',
    values: rounds.map(({ floor }) => count(floor)),
    ...bound,
    everyRun: true,
    judged: 'when-idle',
  });
  return [
    {
      name: `calls answered a second, ${at}`,
      unit: 'calls/s',
      values: rounds.map(({ floor }) => floor.answered / seconds),
      yardsticks: rounds.map(({ bare }) => bare.answered / seconds),
      ...(isBound ? { atLeast: answeredShare * perSecond } : {}),
      everyRun: true,
      judged: 'when-idle',
    },
    ...waits(0.5, isBound ? { addedAtMost: addedP50BoundMs } : {}),
    ...waits(0.99, isBound ? { atMost: p99BoundMs, addedAtMost: addedP99BoundMs } : {}),
    total('answered, neither bridged nor abandoned', ({ lost }) => lost),
    total('answered and not recorded', ({ unrecorded }) => unrecorded),
    // Half as many agents again stand by: one that is abandoned would be missing in the waits.
    total('abandoned', ({ abandoned }) => abandoned, isBound ? { atMost: 0 } : {}),
    ...(during === '' ? [] : importLasted(at, rounds)),
  ];
}

/** An import that stood still in its window, or ended before it did, would have proved less. */
function importLasted(at: string, rounds: readonly Round[]): Measured[] {
  const rows = (name: string, values: readonly number[]) =>
    ({
      name: `${name}, ${at}`,
      unit: 'rows',
      values,
      everyRun: true,
      judged: 'at-any-load',
    }) as const;
  const imported = rounds.map(({ floor }) => floor.importedRows ?? { before: 0, after: 0 });
  const during = imported.map(({ before, after }) => after - before);
  const until = imported.map(({ after }) => after);
  return [
    { ...rows('rows that came in during a window', during), atLeast: 1 },
    { ...rows('rows that had come in at its end', until), atMost: importRows - 1 },
  ];
}
