// Telephony on a simulated phone world with faults and kills: what the network saw is the account.
import { describe, expect, it } from 'vitest';
import { ChainCheck } from '../../src/audit/verify.ts';
import { type Ids, seededIds } from '../../src/ids.ts';
import { PhoneWorld } from '../../src/simulation/phone-world.ts';
import { simulatedRecordings } from '../../src/simulation/recordings.ts';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';
import { openStore } from '../../src/store/commit.ts';
import { type Database, migrate, openDatabase } from '../../src/store/database.ts';
import { openTelephony, type Telephony } from '../../src/telephony/telephony.ts';

const migrations = new URL('../../prisma/migrations', import.meta.url).pathname;
const minuteMs = 60_000;
const simulatedMinutes = 40;
const agents = Array.from({ length: 12 }, (_, i) => `agent-${i + 1}`);
const startUtcMs = Date.UTC(2026, 10, 23, 1);

const farEnds = {
  answerPermille: 300,
  busyPermille: 100,
  invalidPermille: 20,
  carrierFailurePermille: 10,
  ringMs: 12_000,
  talkMs: 60_000,
  patienceMs: 10_000,
};
const faults = {
  orderLostPermille: 5,
  answerLostPermille: 5,
  factDoubledPermille: 20,
  feedCutPerHour: 6,
  restartPerHour: 2,
  phoneDeathPerHour: 8,
  recordingFailsPermille: 4,
};
const settings = {
  trunk: 'carrier',
  callerId: '+12025550199',
  ringMs: 35_000,
  limitMs: 3_600_000,
  messageSound: 'gatehouse/no-agent',
  waitMs: 2_000,
  limitShare: 0.03,
  targetShare: 0.02,
  wrapUpMs: 20_000,
  maxLines: 60,
  maxCallsPerAgent: 4,
};

class SimulatedDay {
  readonly ids: Ids;
  readonly clock = new VirtualClock(startUtcMs);
  readonly database: Database = openDatabase(':memory:');
  readonly world: PhoneWorld;
  readonly vault = new Map<string, number>();
  readonly settled = new Map<string, number>();
  readonly granted = new Set<string>();
  telephony: Telephony;
  private alive = { now: true };
  private life = this.clock.life();

  constructor(seed: number) {
    this.ids = seededIds(seed);
    migrate(this.database, migrations, 0);
    this.world = new PhoneWorld(this.clock, this.ids, farEnds, faults);
    this.telephony = this.open();
  }

  open(): Telephony {
    const alive = { now: true };
    this.alive = alive;
    this.life = this.clock.life();
    const { clock } = this.life;
    const stop = (cause: unknown) => {
      throw cause;
    };
    const { ids, world, vault } = this;
    const committer = openStore(this.database, clock);
    this.telephony = openTelephony(
      { clock, ids, committer, report: () => {}, stop },
      {
        phone: world.port(() => alive.now),
        recordings: simulatedRecordings(
          this.clock,
          ids,
          world,
          vault,
          { sealFailsPermille: 20, diskFullPermille: 5 },
          () => alive.now,
        ),
        limits: { minSpoolHours: 1, minVaultHours: 1, maxUnsealed: 500 },
        settleObject: async () => {},
        eraseObject: async () => {},
        permit: async ({ callId }) => {
          this.granted.add(callId);
          const caseId = this.ids.next('case');
          const ids = { permitId: `permit-${callId.slice(5)}`, caseId, debtorId: caseId };
          const number = { numberId: caseId, number: '+12025550100', segment: 'mobile-10' };
          return { outcome: 'granted', permit: { ...ids, ...number } };
        },
        settle: async ({ permitId }) => {
          this.settled.set(permitId, (this.settled.get(permitId) ?? 0) + 1);
        },
      },
    );
    void this.telephony.start();
    return this.telephony;
  }

  /** Ends the daemon between any two instructions of its own, and starts it again. */
  async kill(): Promise<void> {
    this.alive.now = false;
    this.life.end();
    this.telephony.drop();
    this.world.count('kill');
    await this.run(700);
    this.open();
    await this.run(50);
  }

  run(forMs: number): Promise<void> {
    return this.clock.run(this.clock.uptimeMs + forMs);
  }

  ready(agentId: string): void {
    const order = { kind: 'set-agent-state', agentId, state: 'ready', by: agentId } as const;
    void this.telephony.ask(order);
  }

  async day(): Promise<void> {
    await this.run(1_000);
    const by = 'person-1';
    const id = 'campaign-1';
    const creditorId = 'creditor-1';
    const mode = 'predictive' as const;
    const put = {
      kind: 'put-campaign',
      id,
      name: 'March',
      creditorId,
      mode,
      settings,
      by,
    } as const;
    void this.telephony.ask(put);
    void this.telephony.ask({ kind: 'set-campaign-state', id, state: 'running', by });
    for (const [index, agentId] of agents.entries()) {
      const way = index > 9 ? 'ring-per-call' : 'pre-connected';
      const extension = `${100 + index}`;
      const seat = { agentId, personId: agentId, extension, way, campaignIds: [id] } as const;
      void this.telephony.ask({ kind: 'sign-in', ...seat, by: agentId });
      this.ready(agentId);
    }
    for (let minute = 0; minute < simulatedMinutes; minute += 1) {
      await this.run(minuteMs);
      for (const { id: agentId, state } of this.telephony.view().all('Agent'))
        if (state === 'away') this.ready(agentId);
      if (minute % 9 === 7) await this.kill();
    }
    void this.telephony.ask({ kind: 'set-campaign-state', id, state: 'stopped', by });
    await this.run(6 * minuteMs);
    for (const agentId of agents) {
      const state = 'out' as const;
      void this.telephony.ask({ kind: 'set-agent-state', agentId, state, by: agentId });
    }
    await this.run(minuteMs);
  }

  rows<R>(sql: string): R[] {
    return this.database.prepare(sql).all() as R[];
  }
}

describe.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'a simulated floor with faults and kills, seed %i',
  (seed) => {
    it('accounts for every call the network saw', async () => {
      const day = new SimulatedDay(seed);
      await day.day();
      const { log, raw } = day.world;

      const check = new ChainCheck({ checkpoints: [] });
      const records: { what: string; about: string }[] = [];
      for (const { line } of day.rows<{ line: string }>('SELECT line FROM ledger ORDER BY seq')) {
        check.add(line);
        records.push(JSON.parse(line).rec);
      }
      const count = (what: string) => records.filter((record) => record.what === what);
      // This ledger has no site, since no account was opened on it; all else must hold.
      const codes = check.findings.listed.map(({ code }) => code);
      expect(codes.filter((code) => code !== 'ledger-start')).toEqual([]);
      const dialed = new Set(count('call-dialed').map(({ about }) => about));

      // No call without a permit, none dialed twice, none that the ledger does not know.
      const seen = log.dialed.map(({ callId }) => callId);
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.filter((id) => !dialed.has(id) || !day.granted.has(id))).toEqual([]);

      // Every call ends once, and nothing is left on a line, with an agent, or undone.
      const ends = count('call-ended').map(({ about }) => about);
      expect(new Set(ends).size).toBe(ends.length);
      expect([...dialed].filter((id) => !ends.includes(id))).toEqual([]);
      expect(day.world.living()).toBe(0);
      expect(day.rows('SELECT * FROM "Pending"')).toEqual([]);
      expect(day.rows(`SELECT * FROM "Call" WHERE state <> 'ended'`)).toEqual([]);
      expect(day.rows(`SELECT * FROM "Agent" WHERE callId IS NOT NULL`)).toEqual([]);

      // Every answered call has its recording, or an alarm says why not; each permit is settled.
      const sealed = new Set(count('recording-sealed').map(({ about }) => about));
      const quarantined = new Set(count('recording-quarantined').map(({ about }) => about));
      expect([...log.answered].filter((id) => !sealed.has(id) && !quarantined.has(id))).toEqual([]);
      expect([...quarantined].filter((id) => day.vault.has(id))).toEqual([]);
      expect(raw.size).toBe(0);
      expect([...dialed].filter((id) => !day.settled.has(`permit-${id.slice(5)}`))).toEqual([]);

      // The counts of the 30-day measure are the ledger's own.
      const [total] = day.rows<{ dialed: number; answered: number; abandoned: number }>(
        `SELECT sum(dialed) dialed, sum(answered) answered, sum(abandoned) abandoned
       FROM CampaignDay`,
      );
      expect(total?.dialed).toBe(dialed.size);
      expect(total?.answered).toBe(count('call-answered').length);
      // Connected beyond two seconds is abandoned too, so more may be counted than heard us.
      expect(total?.abandoned).toBeGreaterThanOrEqual(count('call-abandoned').length);

      // It was a day worth the name.
      expect(log.connectedAfterMs.size).toBeGreaterThan(100);
      const kinds = [
        'kill',
        'feed-cut',
        'phone-death',
        'order-lost',
        'answer-lost',
        'fact-doubled',
      ];
      expect(kinds.filter((kind) => !log.faults.has(kind))).toEqual([]);
    });
  },
);
