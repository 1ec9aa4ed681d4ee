// Bugs planted between the floor and its simulated world, one for each invariant to find.
import { everyDay } from '../../src/calendar.ts';
import type { Batch } from '../../src/room.ts';
import { calmDay, type FaultRates } from '../../src/simulation/faults.ts';
import type { House, Plant } from '../../src/simulation/house.ts';
import type { PhoneFact, PhoneSystem } from '../../src/telephony/phone-system.ts';
import type { CampaignDayRow } from '../../src/telephony/working-set.ts';
import type { World } from '../../src/world.ts';

export interface PlantedBug {
  /** What is wrong, as a sentence. */
  readonly states: string;
  readonly plant: Plant;
  readonly rates?: FaultRates;
  readonly seed?: number;
  readonly hours?: number;
}

/** The phone system with some of its orders done otherwise. */
const phoneThat =
  (change: (phone: PhoneSystem, house: House) => Partial<PhoneSystem>): Plant =>
  (world, house) => {
    const { phone } = world;
    const same: PhoneSystem = {
      start: (sink) => phone.start(sink),
      stop: () => phone.stop(),
      dial: (order) => phone.dial(order),
      ringAgent: (order) => phone.ringAgent(order),
      connect: (callId, legId) => phone.connect(callId, legId),
      endWithMessage: (callId) => phone.endWithMessage(callId),
      hangUp: (channelId) => phone.hangUp(channelId),
      survey: () => phone.survey(),
    };
    return { ...world, phone: { ...same, ...change(phone, house) } };
  };

/** Facts pass through `pass`, which tells as many as it likes, when it likes. */
const factsThat = (
  pass: (fact: PhoneFact, tell: (fact: PhoneFact) => void, house: House) => void,
): Plant =>
  phoneThat((phone, house) => ({
    start: (sink) => phone.start((fact) => pass(fact, sink, house)),
  }));

/** Batches are changed on their way into the store. */
const batchesThat =
  (change: (batch: Batch) => Batch): Plant =>
  (world) => {
    const { committer } = world;
    return {
      ...world,
      committer: { ...committer, commit: (batch) => committer.commit(change(batch)) },
    };
  };

/** True every so many times. */
function every(times: number): () => boolean {
  let asked = 0;
  return () => {
    asked += 1;
    return asked % times === 0;
  };
}

const stopped: ReadonlySet<string> = new Set(['Case', 'Lead']);
const isLate = every(10);
const isInvented = every(10);
const isForgotten = every(5);
const isUnconnected = every(3);
const unconnected = new Map<string, boolean>();
const isThird = (callId: string): boolean => {
  const is = unconnected.get(callId) ?? isUnconnected();
  unconnected.set(callId, is);
  return is;
};
let firstLegId: string | undefined;

function dilutes(row: CampaignDayRow): CampaignDayRow {
  return { ...row, answered: row.answered + 5_000 };
}

/** By the name of the invariant that has to find it. */
export const plantedBugs: Readonly<Record<string, PlantedBug>> = {
  'permit-before-call': {
    states: 'With every call a second one is placed, to the same number.',
    plant: phoneThat((phone) => ({
      dial(order) {
        void phone.dial({ ...order, callId: `${order.callId}-b` });
        return phone.dial(order);
      },
    })),
  },
  'one-call-per-permit': {
    states: 'The phone system dials again by itself, a minute later.',
    plant: phoneThat((phone, house) => ({
      dial(order) {
        house.clock.after(60_000, () => house.world.dial(order));
        return phone.dial(order);
      },
    })),
  },
  'stopped-is-silent': {
    states: 'A stop is recorded in the ledger, and not in the rows of the case.',
    hours: 3,
    plant: batchesThat((batch) =>
      batch.entries.some(({ what }) => what === 'case-stopped')
        ? { ...batch, changes: batch.changes.filter(({ table }) => !stopped.has(table)) }
        : batch,
    ),
  },
  'caps-hold': {
    states: 'The rules have no caps.',
    plant: (world) => ({ ...world, policy: { ...world.policy, caps: [] } }),
  },
  'hours-hold': {
    states: 'The rules are open day and night.',
    plant: (world) => ({
      ...world,
      policy: { ...world.policy, hours: everyDay([0, 1_440]) },
    }),
  },
  'no-predictive-over-cap': {
    states:
      'The store gives back far more answered calls than there were; a third is not connected.',
    hours: 4,
    plant: (world, house) => {
      const { committer } = world;
      const load: World['committer']['load'] = (table, ...more) => {
        const rows = committer.load(table, ...more);
        if (table !== 'CampaignDay') return rows;
        return rows.map((row) => dilutes(row as CampaignDayRow));
      };
      const unconnected = phoneThat((phone) => ({
        connect: (callId, legId) =>
          isThird(callId)
            ? Promise.resolve({ outcome: 'refused', reason: 'planted' })
            : phone.connect(callId, legId),
      }));
      return unconnected({ ...world, committer: { ...committer, load } }, house);
    },
  },
  'calls-end-once': {
    states: 'Nothing is ever hung up.',
    plant: phoneThat(() => ({ hangUp: () => Promise.resolve({ outcome: 'accepted' }) })),
  },
  'network-agrees': {
    states: 'Of every tenth call that rings it is told that it was answered.',
    plant: factsThat((fact, tell) => {
      tell(fact);
      if (fact.kind === 'call-ringing' && isInvented()) tell({ ...fact, kind: 'call-answered' });
    }),
  },
  'served-in-time': {
    states: 'Every tenth answer is told three seconds late.',
    plant: factsThat((fact, tell, house) => {
      if (fact.kind === 'call-answered' && isLate()) house.clock.after(3_000, () => tell(fact));
      else tell(fact);
    }),
  },
  'one-customer-per-agent': {
    states: 'Every call is connected to the same agent.',
    plant: phoneThat((phone) => ({
      connect(callId, legId) {
        firstLegId ??= legId;
        return phone.connect(callId, firstLegId);
      },
    })),
  },
  'every-answer-recorded': {
    states: 'The spool is emptied before every fifth recording is sealed.',
    plant: (world, house) => ({
      ...world,
      recordings: {
        ...world.recordings,
        seal(order) {
          if (isForgotten()) house.world.raw.delete(order.recordingId);
          return world.recordings.seal(order);
        },
      },
    }),
  },
  'sealed-before-removed': {
    states: 'Raw files go as soon as they are sealed, before that is recorded.',
    plant: (world) => ({
      ...world,
      recordings: {
        ...world.recordings,
        async seal(order) {
          const outcome = await world.recordings.seal(order);
          if (outcome.outcome === 'sealed') await world.recordings.discardRaw(order.recordingId);
          return outcome;
        },
      },
    }),
  },
  'agents-are-free': {
    states: 'No end of a call is told.',
    plant: factsThat((fact, tell) => {
      if (fact.kind !== 'call-ended') tell(fact);
    }),
  },
  'feed-comes-back': {
    states: 'That the links are up again is never told.',
    plant: factsThat((fact, tell) => {
      if (fact.kind !== 'feed-fresh') tell(fact);
    }),
  },
  'work-goes-on': {
    states: 'That the links are up is never told, and agents who are rung per call wait.',
    plant: factsThat((fact, tell) => {
      if (fact.kind !== 'feed-fresh') tell(fact);
    }),
  },
  'chain-verifies': {
    states: 'A line of the ledger is changed in the database after it was written.',
    plant: (world, house) => {
      house.clock.after(600_000, () => {
        house.database.exec(`UPDATE ledger SET line = replace(line, 'system', 'nobody')`);
      });
      return world;
    },
  },
  'counts-are-the-ledgers': {
    states: 'Abandoned calls are counted twice.',
    plant: batchesThat(({ changes, ...batch }) => ({
      ...batch,
      changes: changes.map((change) => {
        if (change.table !== 'CampaignDay' || change.row === null) return change;
        const row = change.row as CampaignDayRow;
        const doubled: CampaignDayRow = { ...row, abandoned: row.abandoned + 1 };
        return { ...change, row: doubled };
      }),
    })),
  },
  'effects-end-once': {
    states: 'The result of every effect is recorded twice.',
    plant: batchesThat(({ changes, ...batch }) => ({
      ...batch,
      changes: changes.flatMap((change) =>
        change.table === 'Pending' && change.row === null
          ? [change, { ...change, id: change.id }]
          : [change],
      ),
    })),
  },
};

export const ratesOf = ({ rates = calmDay }: PlantedBug): FaultRates => rates;
