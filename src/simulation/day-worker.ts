// One core's share of many simulated days: lives the day of each seed it is sent, and reports it.
import { parentPort, workerData } from 'node:worker_threads';
import { liveDay } from './day.ts';
import { invariants } from './invariants.ts';

const { hours } = workerData as { hours: number };

parentPort?.on('message', async (seed: number) => {
  parentPort?.postMessage(await liveDay({ seed, hours, invariants }));
});
