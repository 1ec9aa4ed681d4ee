// What a call costs in CPU: the real floor against the same dialplan under a bare ARI script.
import { type Measured, median, runs } from './figure.ts';
import { openPhoneRig } from './phone-rig.ts';
import {
  agentsFor,
  describeWindow,
  runWindow,
  type Side,
  type WindowPlan,
  type WindowResult,
} from './window.ts';

const loads = [
  { perSecond: 10, holdMs: 3_000 },
  { perSecond: 4, holdMs: 20_000 },
];
const windowSeconds = 60;
const perCallTimes = 1.2;
const controllerPercent = 15;

export interface ThroughputOptions {
  /** Length of a window; shorter ones show that it works, and no figure. */
  seconds?: number;
}

/** CPU of all parts a call, the controller's share, and whether any call or sound was lost. */
export async function bench({ seconds = windowSeconds }: ThroughputOptions): Promise<Measured[]> {
  const plans = loads.map((load) => ({ ...load, seconds }));
  const rig = await openPhoneRig(Math.max(...plans.map(agentsFor)));
  try {
    const measured: Measured[] = [];
    for (const plan of plans) {
      const done: Record<Side, WindowResult[]> = { bare: [], floor: [] };
      for (let round = 0; round < runs; round += 1) {
        const sides: Side[] = round % 2 === 0 ? ['bare', 'floor'] : ['floor', 'bare'];
        for (const side of sides) {
          const result = await runWindow(rig, side, plan);
          done[side].push(result);
          process.stdout.write(`${describeWindow(side, plan, result)}\n`);
        }
      }
      measured.push(...measure(plan, done));
    }
    return measured;
  } finally {
    await rig.close();
  }
}

function measure(plan: WindowPlan, done: Record<Side, readonly WindowResult[]>): Measured[] {
  const at = `at ${plan.perSecond}/s × ${plan.holdMs / 1_000} s`;
  const bareMs = done.bare.map(cpuPerCall);
  const count = (name: string, of: (result: WindowResult) => number): Measured => ({
    name: `${name}, ${at}`,
    unit: 'calls',
    values: done.floor.map(of),
    atMost: 0,
    everyRun: true,
    judged: 'when-idle',
  });
  return [
    {
      name: `CPU of Asterisk, controller and children a call, ${at}`,
      unit: 'ms',
      values: done.floor.map(cpuPerCall),
      yardsticks: bareMs,
      atMost: perCallTimes * median(bareMs),
      judged: 'at-any-load',
    },
    {
      name: `CPU of the controller against Asterisk’s, encoder apart, ${at}`,
      unit: '%',
      values: done.floor.map(controllerShare),
      yardsticks: done.bare.map(controllerShare),
      atMost: controllerPercent,
      judged: 'at-any-load',
    },
    count('lost', ({ lost, unrecorded }) => Math.max(lost, unrecorded)),
    count('short recordings', ({ short }) => short),
  ];
}

function cpuPerCall({ answered, cpu: { asteriskMs, controller } }: WindowResult): number {
  const { ownMs, encoderMs, childrenMs } = controller;
  return (asteriskMs + ownMs + encoderMs + childrenMs) / answered;
}

/** The encoder, which weaves and hashes, is set apart with its flac; the vault is not. */
function controllerShare({ cpu: { asteriskMs, controller } }: WindowResult): number {
  return (100 * controller.ownMs) / asteriskMs;
}
