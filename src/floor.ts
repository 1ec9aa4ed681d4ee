// Opens every room; every rule and question that crosses rooms is one line here.
import type { AlarmRow } from './alarm.ts';
import { type Cases, openCases } from './cases/cases.ts';
import { openPeople, type People } from './people/people.ts';
import type { Outcome } from './people/person.ts';
import type { RoomWorld } from './room.ts';
import { openTelephony, type Telephony } from './telephony/telephony.ts';
import type { World } from './world.ts';

export interface Floor {
  people: People;
  cases: Cases;
  telephony: Telephony;
  /** Settles what the last run left pending, then lets the world in. */
  start(): Promise<{ enrolmentCode?: string }>;
  stop(): Promise<void>;
  /** Ends without settling anything, as a crash would; for the simulation's kills. */
  drop(): void;
  /** Alarms of every room that stand. */
  alarms: {
    all(): AlarmRow[];
    acknowledge(alarmId: string, by: string): Promise<Outcome>;
  };
  /** Lets every room's loop turn once, though nothing waits. */
  touch(): void;
  /** Uptime of the last turn of each room's loop, for the watchdog. */
  turns(): Record<string, number>;
}

export function openFloor(world: World): Floor {
  const { clock, ids, committer, report, stop } = world;
  const room: RoomWorld = { clock, ids, committer, report, stop };

  // Who leaves is off the phone in the same tick, who lacks something takes no more calls; badge
  // and seat rules join here.
  const unfit = (personId: string, lacks: string) =>
    telephony.post({ kind: 'person-unfit', personId, lacks });
  const people = openPeople({ world: room, requirements: world.requirements, unfit });
  const cases: Cases = openCases(room, {
    store: world.caseStore,
    policy: world.policy,
    lists: world.lists,
    digest: world.digest,
    // A stopped case is silent at once: what rings for it is ended.
    stopped: (caseIds, why) => telephony.post({ kind: 'stop-calls', caseIds, why }),
    // An erased case takes the keys of its recordings with it.
    eraseRecordings: (callIds) => telephony.eraseRecordings(callIds, 'case-erased'),
  });
  const telephony: Telephony = openTelephony(room, {
    phone: world.phone,
    recordings: world.recordings,
    limits: world.limits,
    settleObject: world.settleObject,
    eraseObject: world.eraseObject,
    // Nothing is dialed without a permit that is committed with its counters.
    permit: (request) => cases.permit(request),
    settle: (contact) => cases.settle(contact),
  });

  return {
    people,
    cases,
    telephony,
    async start() {
      const started = await people.start();
      // The site may require more than when they became ready.
      for (const { personId } of telephony.view().all('Agent')) {
        const lacks = people.lacks(personId);
        if (lacks !== undefined) unfit(personId, lacks);
      }
      await cases.start();
      await telephony.start();
      return started;
    },
    async stop() {
      await telephony.stop();
      cases.end();
      people.end();
    },
    drop() {
      telephony.drop();
      cases.end();
      people.end();
    },
    alarms: {
      all: () =>
        [...telephony.view().all('Alarm'), ...cases.view().all('Alarm')].filter(
          ({ clearedUtcMs }) => clearedUtcMs === undefined,
        ),
      async acknowledge(alarmId, by) {
        const known =
          (await telephony.ask<boolean>({ kind: 'acknowledge-alarm', alarmId, by })) ||
          (await cases.acknowledge(alarmId, by));
        return known ? { done: true } : { done: false, why: 'no-such-alarm' };
      },
    },
    touch() {
      people.touch();
      cases.touch();
      telephony.touch();
    },
    turns: () => ({
      people: people.lastTurnUptimeMs(),
      cases: cases.lastTurnUptimeMs(),
      telephony: telephony.lastTurnUptimeMs(),
    }),
  };
}
