// The daemon of a site: opens world, floor and HTTP, and ends them in order when it is told to.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { realClock } from './clock.ts';
import { foldersOf } from './config.ts';
import type { Config } from './config-schema.ts';
import { type Floor, openFloor } from './floor.ts';
import type { AlarmsForHttp } from './http/floor-port.ts';
import { floorForHttp } from './http/from-floor.ts';
import { type Http, openHttp } from './http/http.ts';
import type { AlarmView } from './http/views.ts';
import { type Log, openLog } from './log.ts';
import { openNotify } from './notify.ts';
import { openRealWorld, projectFolder, type RealWorld } from './real-world.ts';
import { leaveRoot } from './rights.ts';
import type { Account } from './store/account.ts';
import { openClient } from './store/client.ts';
import { openHistory } from './store/history.ts';

export interface RunningFloor {
  real: RealWorld;
  floor: Floor;
  http: Http;
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
  try {
    const floor = openFloor(real.world);
    const started = await floor.start();
    const client = openClient(foldersOf(config).database);
    const http = await openHttp(config.http, {
      floor: floorForHttp(floor, {
        clock: realClock,
        onLines: real.store.onLines,
        // A row's absent columns are left out of JSON, which is all that the view's type asks.
        alarms: alarmsOf(floor, real.account),
        windowCounts: (campaignId) => floor.telephony.windowCounts(campaignId),
        dialing: config.telephony,
        account: real.account,
        lists: floor.cases.lists,
        recordings: { openAudio: real.openAudio },
      }),
      history: openHistory(client),
      clock: realClock,
      ids: real.world.ids,
      log,
      version: versionOf(),
    });
    return {
      real,
      floor,
      http,
      ...started,
      async stop() {
        await http.close();
        await client.$disconnect();
        await floor.stop();
        await real.close();
      },
    };
  } catch (cause) {
    await real.close();
    throw cause;
  }
}

/** Alarms of the rooms and of the account that they share. */
function alarmsOf(floor: Floor, { alarms: ofAccount }: Account): AlarmsForHttp {
  return {
    all: () => [...floor.alarms.all(), ...ofAccount.standing()] as AlarmView[],
    async acknowledge(alarmId, by) {
      const known = await floor.alarms.acknowledge(alarmId, by);
      return !known.done && ofAccount.acknowledge(alarmId, by) ? { done: true } : known;
    },
  };
}

function versionOf(): string {
  const { version } = JSON.parse(readFileSync(join(projectFolder(), 'package.json'), 'utf8'));
  return String(version);
}

/**
 * Runs until SIGTERM or SIGINT; resolves to the exit code. With a private Asterisk both give up
 * what rights of root’s they were started with; a site’s unit names their users.
 */
export async function runDaemon(config: Config): Promise<number> {
  const { dataDir, keysDir, telephony } = config;
  if (telephony.asterisk.run === 'private') leaveRoot([dataDir, keysDir]);
  const log = openLog(realClock);
  let end: (code: number) => void = () => {};
  const ended = new Promise<number>((resolve) => {
    end = resolve;
  });
  const running = await startFloor(config, log, (cause) => {
    log.error('the floor must stop', { cause });
    end(1);
  });
  const { floor, http, real, enrolmentCode } = running;
  if (real.recoverySheetFile !== undefined) {
    const todo = 'Print it or copy it by hand, lock it away elsewhere, and delete the file.';
    process.stdout.write(`Recovery sheet: ${real.recoverySheetFile}\n${todo}\n`);
  }
  if (enrolmentCode !== undefined) {
    process.stdout.write(`First person: enrol with the code ${enrolmentCode}\n`);
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => end(0));
  const notify = openNotify(realClock, log, (withinMs) => standing(floor, withinMs));
  notify.ready();
  log.info('the floor is open', { address: http.address });
  const code = await ended;
  notify.stopping();
  // After a failed commit nothing may be decided any more, so nothing is settled either.
  if (code === 0) await running.stop();
  return code;
}

/** Rooms whose loop has not turned for so long; each is asked to turn for the next look. */
function standing(floor: Floor, withinMs: number): string[] {
  const now = realClock.uptimeMs();
  const names = Object.entries(floor.turns())
    // A beat may be a little late: what turned since the beat before the last one does turn.
    .filter(([, turnedMs]) => now - turnedMs > 2 * withinMs)
    .map(([name]) => name);
  floor.touch();
  return names;
}
