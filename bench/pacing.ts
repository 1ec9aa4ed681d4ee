// How busy pacing keeps a floor under the cap of abandoned calls, and what one decision costs.
import { fileURLToPath } from 'node:url';
import {
  type FloorPlan,
  runPacingFloor,
  type Scenario,
  scenarioA,
  scenarioB,
} from '../src/simulation/pacing-floor.ts';
import { upperShare } from '../src/telephony/pacing/beta-bound.ts';
import {
  type PacingInput,
  type PacingModels,
  paceCampaign,
} from '../src/telephony/pacing/pacing.ts';
import { type Measured, median, runs } from './figure.ts';

const hourMs = 3_600_000;
const dayMs = 8 * hourMs;
/** Seeds on which no number of the pacing was chosen. */
const firstSeed = 90_001;
const judgedDays = 30;
const boundLimit = 3;
const gainLimit = 8;
const decisionLimitUs = 1_000;
const timedCalls = 200;
const warmUpMs = hourMs / 6;
/** Counts of a campaign that has run for some days at its target. */
const history = { answeredBefore: 20_000, abandonedBefore: 400 };

interface Days {
  occupancy: number;
  abandoned: number;
  bound: number;
  worstDay: number;
  talkMinutesPerHour: number;
  dialsPerAnswer: number;
  cancelledOfDials: number;
}

function runDays(days: number, plan: Omit<FloorPlan, 'seed' | 'lengthMs'>): Days {
  let [answered, abandoned, dialed, cancelled] = [0, 0, 0, 0];
  let [talkMs, wrapMs, staffedMs, worstDay] = [0, 0, 0, 0];
  for (let seed = firstSeed; seed < firstSeed + days; seed += 1) {
    const day = runPacingFloor({ ...plan, seed, lengthMs: dayMs });
    answered += day.answered;
    abandoned += day.abandoned;
    dialed += day.dialed;
    cancelled += day.cancelled;
    talkMs += day.talkMs;
    wrapMs += day.wrapMs;
    staffedMs += day.staffedMs;
    worstDay = Math.max(worstDay, (100 * day.abandoned) / day.answered);
  }
  return {
    occupancy: (100 * (talkMs + wrapMs)) / staffedMs,
    abandoned: (100 * abandoned) / answered,
    bound: 100 * upperShare(0.95, abandoned, answered),
    worstDay,
    talkMinutesPerHour: (60 * talkMs) / staffedMs,
    dialsPerAnswer: dialed / answered,
    cancelledOfDials: (100 * cancelled) / dialed,
  };
}

/** The judged days: 10 agents, each day a campaign's first, progressive as the yardstick. */
export async function bench(): Promise<Measured[]> {
  const floor = { agents: 10, scenario: scenarioA };
  const predictive = runDays(judgedDays, { ...floor, mode: 'predictive' });
  const progressive = runDays(judgedDays, { ...floor, mode: 'progressive' });
  const decision = timeDecision();
  return [
    {
      name: '95 % upper bound of abandoned calls, 10 agents, 30 days',
      unit: '%',
      values: [predictive.bound],
      yardsticks: [progressive.bound],
      atMost: boundLimit,
      judged: 'at-any-load',
    },
    {
      name: 'occupancy, 10 agents, 30 days',
      unit: '%',
      values: [predictive.occupancy],
      yardsticks: [progressive.occupancy],
      atLeast: progressive.occupancy + gainLimit,
      judged: 'at-any-load',
    },
    {
      name: `decision at 100 agents and ${decision.inFlight} calls in flight`,
      unit: 'µs',
      values: decision.predictiveUs,
      yardsticks: decision.progressiveUs,
      atMost: decisionLimitUs,
      judged: 'when-idle',
    },
  ];
}

/** The cost of a decision on the moment of a large floor that has most calls in flight. */
function timeDecision() {
  let models: PacingModels | undefined;
  let input: PacingInput | undefined;
  let nearest = Number.POSITIVE_INFINITY;
  runPacingFloor({
    seed: firstSeed,
    agents: 100,
    lengthMs: hourMs / 4,
    scenario: { ...scenarioA, answerShareAt: () => 0.13 },
    mode: 'predictive',
    ...history,
    watch: (seen, decision) => {
      const off = Math.abs(seen.inFlight.length - timedCalls);
      if (seen.uptimeMs < warmUpMs || off >= nearest) return;
      nearest = off;
      input = structuredClone(seen);
      models = decision.models;
    },
  });
  if (models === undefined || input === undefined) throw new Error('the floor placed no call');
  const { settings } = input;
  const progressive = { ...input, settings: { ...settings, mode: 'progressive' as const } };
  return {
    predictiveUs: costsUs(models, input),
    progressiveUs: costsUs(models, progressive),
    inFlight: input.inFlight.length,
  };
}

/** The median of many batches, once for each run. */
function costsUs(models: PacingModels, input: PacingInput): number[] {
  const batch = 200;
  return Array.from({ length: runs }, () => {
    const times = Array.from({ length: 25 }, () => {
      const startedMs = performance.now();
      for (let j = 0; j < batch; j += 1) paceCampaign(models, input);
      return ((performance.now() - startedMs) * 1_000) / batch;
    });
    return median(times);
  });
}

const tableTickMs = 1_000;

function row(name: string, scenario: Scenario, agents: number, days: number): string {
  const floor = { agents, scenario, tickMs: tableTickMs };
  const cells = [
    runDays(days, { ...floor, mode: 'progressive' }),
    runDays(days, { ...floor, mode: 'predictive' }),
    runDays(days, { ...floor, mode: 'predictive', ...history }),
  ].map(
    (cell) =>
      `${cell.occupancy.toFixed(1)} (${cell.abandoned.toFixed(2)}, ${cell.worstDay.toFixed(2)}; ` +
      `${cell.talkMinutesPerHour.toFixed(1)} min/h, ${cell.dialsPerAnswer.toFixed(2)} dials, ` +
      `${cell.cancelledOfDials.toFixed(1)} cut)`,
  );
  return `| ${[name, agents, days, ...cells].join(' | ')} |\n`;
}

/** The table of docs/decisions/pacing.md: occupancy % (abandoned %, worst day %; …). */
function printTable(): void {
  process.stdout.write('| scenario | agents | days | progressive | first day | later day |\n');
  for (const [agents, days] of [
    [3, 12],
    [5, 12],
    [10, 12],
    [25, 4],
    [50, 3],
    [100, 2],
  ] as const) {
    process.stdout.write(row('A', scenarioA, agents, days));
  }
  for (const agents of [5, 10, 25]) process.stdout.write(row('B', scenarioB, agents, 4));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) printTable();
