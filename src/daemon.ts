// The daemon of a site: opens world and floor, and ends both in order when it is told to.

import { realClock } from './clock.ts';
import type { Config } from './config-schema.ts';
import { type Floor, openFloor } from './floor.ts';
import { type Log, openLog } from './log.ts';
import { openRealWorld, type RealWorld } from './real-world.ts';

export interface RunningFloor {
  real: RealWorld;
  floor: Floor;
  /** The one-time code by which the first person enrols; only in a house without anybody. */
  enrolmentCode?: string;
  stop(): Promise<void>;
}

/** Opens everything and starts it. `failed` is told of what must end the process. */
export async function startFloor(
  config: Config,
  log: Log,
  failed: (cause: unknown) => void,
): Promise<RunningFloor> {
  const real = await openRealWorld(config, log, failed);
  const floor = openFloor(real.world);
  const started = await floor.start();
  return {
    real,
    floor,
    ...started,
    async stop() {
      await floor.stop();
      await real.close();
    },
  };
}

/** Runs until SIGTERM or SIGINT; resolves to the exit code. */
export async function runDaemon(config: Config): Promise<number> {
  const log = openLog(realClock);
  let end: (code: number) => void = () => {};
  const ended = new Promise<number>((resolve) => {
    end = resolve;
  });
  const running = await startFloor(config, log, (cause) => {
    log.error('the floor must stop', { cause });
    end(1);
  });
  if (running.real.recoverySheet !== undefined) process.stdout.write(running.real.recoverySheet);
  if (running.enrolmentCode !== undefined) {
    process.stdout.write(`First person: enrol with the code ${running.enrolmentCode}\n`);
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => end(0));
  log.info('the floor is open');
  const code = await ended;
  // After a failed commit nothing may be decided any more, so nothing is settled either.
  if (code === 0) await running.stop();
  return code;
}
