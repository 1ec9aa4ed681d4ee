// Many simulated days, one from each seed, on every core; and what they must show together.
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { startWorker } from '../worker-thread.ts';
import type { DayReport } from './day.ts';
import { effectKinds } from './effect-kinds.ts';
import { faultKinds } from './faults.ts';
import { demandedCodes, isKnownCode } from './reason-codes.ts';

export const usualHours = 4;

export interface SeedsOptions {
  /** Hours of each simulated day. */
  hours?: number;
  /** Told of every day as it ends, in the order of their ends. */
  told?(day: DayReport): void;
}

/**
 * Lives `count` days from the seeds `from`, `from` + 1 and so on, as many at once as there are
 * cores; gives them in the order of their seeds. A violated invariant stands in its day's report.
 */
export async function runSeeds(
  from: number,
  count: number,
  { hours = usualHours, told }: SeedsOptions = {},
): Promise<DayReport[]> {
  const days: DayReport[] = [];
  const waiting = Array.from({ length: count }, (_, at) => from + at);
  const work = async () => {
    const worker = startWorker(workerUrl(), { hours });
    try {
      for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
        const day = await dayOf(worker, seed);
        days.push(day);
        told?.(day);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, availableParallelism()) }, work));
  return days.sort((a, b) => a.seed - b.seed);
}

function workerUrl(): URL {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./day-worker.${ending}`, import.meta.url);
}

function dayOf(worker: Worker, seed: number): Promise<DayReport> {
  return new Promise((resolve, reject) => {
    const lived = (day: DayReport) => {
      worker.off('error', failed);
      worker.off('exit', ended);
      resolve(day);
    };
    const failed = (cause: unknown) => reject(cause);
    const ended = (code: number) => reject(new Error(`a day's worker ended with ${code}`));
    worker.once('message', lived);
    worker.once('error', failed);
    worker.once('exit', ended);
    worker.postMessage(seed);
  });
}

/** The one command that lives a day again. */
export const replayCommand = (seed: number) => `npm run simulate -- --seed ${seed}`;

/** Every violation of these days, each with the command that replays it; empty when all held. */
export function violationsOf(days: readonly DayReport[]): string[] {
  return days.flatMap(({ seed, violations }) =>
    violations.map(
      ({ invariant, text, atMs }) =>
        `seed ${seed}: ${invariant}: ${text} (at ${atMs} ms); replay: ${replayCommand(seed)}`,
    ),
  );
}

/** What a campaign of seeds had to show and did not: without it, it has proved too little. */
export function lacksOf(days: readonly DayReport[]): string[] {
  const occurred = new Set(days.flatMap(({ codes }) => [...codes.keys()]));
  const struck = new Set<string>(days.flatMap(({ faults }) => [...faults.keys()]));
  const killed = new Set(days.flatMap(({ killedBefore }) => [...killedBefore]));
  const missing = (what: string, of: readonly string[], seen: ReadonlySet<string>) =>
    of.filter((each) => !seen.has(each)).map((each) => `${what}: ${each}`);
  return [
    ...missing('fault that never struck', Object.keys(faultKinds), struck),
    ...missing('effect before which the daemon was never killed', effectKinds, killed),
    ...missing('code that never stood in the ledger', [...demandedCodes], occurred),
    ...[...occurred].filter((code) => !isKnownCode(code)).map((code) => `unknown code: ${code}`),
  ];
}
