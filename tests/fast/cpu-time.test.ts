// Whose CPU time it is: the encoder's thread is set apart, the vault's is the controller's.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { cpuTimeOf, cpuTimeSince } from '../../bench/cpu-time.ts';
import { niceness } from '../../src/worker-thread.ts';

/** A thread that has used so much time, and lives until it is ended. */
async function busyThread(nice: number, busyMs: number): Promise<Worker> {
  const worker = new Worker(
    `require('node:os').setPriority(${nice});
     const { parentPort } = require('node:worker_threads');
     parentPort.on('message', () => {});
     const until = process.cpuUsage().user + ${busyMs * 1_000};
     while (process.cpuUsage().user < until) for (let i = 0; i < 1e6; i += 1) Math.sqrt(i);
     parentPort.postMessage('done');`,
    { eval: true },
  );
  await once(worker, 'message');
  return worker;
}

it.each([
  ['encoder', (since: ReturnType<typeof cpuTimeSince>) => since.encoderMs],
  ['vault', (since: ReturnType<typeof cpuTimeSince>) => since.ownMs],
] as const)('time of a thread as the %s’s is found there', async (name, timeOf) => {
  const before = cpuTimeOf(process.pid);
  const worker = await busyThread(niceness[name], 300);
  try {
    const since = cpuTimeSince(before, process.pid);
    expect(timeOf(since)).toBeGreaterThanOrEqual(200);
    if (name === 'vault') expect(since.encoderMs).toBe(0);
  } finally {
    await worker.terminate();
  }
});
