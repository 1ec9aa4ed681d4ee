// The house of a simulated floor: what outlives the daemon, the daemon's lives, and what breaks.
import { FloorError } from '../errors.ts';
import { type Floor, openFloor } from '../floor.ts';
import type { Ids } from '../ids.ts';
import type { Batch, PendingRow } from '../room.ts';
import { openStore } from '../store/commit.ts';
import type { Database } from '../store/database.ts';
import { openCaseStore } from '../store/load.ts';
import type { World } from '../world.ts';
import { digestOf } from './book.ts';
import { Chance } from './chance.ts';
import { effectKinds } from './effect-kinds.ts';
import { drawFarEnd, drawPhone } from './far-ends.ts';
import { FaultAccount, type FaultRates } from './faults.ts';
import { PhoneLink } from './phone-link.ts';
import { type Damage, PhoneWorld } from './phone-world.ts';
import { type DiskFault, SimulatedVault, simulatedRecordings } from './recordings.ts';
import { agreement, limits, policy } from './site.ts';
import { trunk } from './supervisor.ts';
import { VirtualClock } from './virtual-clock.ts';
import { type Commit, KilledAfterRecord, watchedStore } from './watched-store.ts';
import type { Watch } from './world-event.ts';

/** Changes what stands between one life of the daemon and its world. */
export type Plant = (world: World, house: House) => World;

export interface HouseParts {
  ids: Ids;
  database: Database;
  startUtcMs: number;
  rates: FaultRates;
  /** Folder that the cases room takes for uploads; nothing is uploaded. */
  folder: string;
  watch: Watch;
  committed(commit: Commit): void;
  /** The daemon ended by itself, or a port threw what no port may throw. */
  crashed(cause: unknown): void;
  plant: Plant;
  /** Effects before which the daemon is killed whenever they first come up in this day. */
  killsBefore: readonly string[];
}

const damages: readonly Damage[] = [
  { customer: 'absent' },
  { agent: 'absent' },
  { agent: 'broken' },
  { customer: 'lying' },
];
const downMs = [200, 1_500] as const;
const longDownMs = [1_500, 12_000] as const;
const longDownPermille = 250;
const cutMs = [300, 6_000] as const;
const deafMs = [200, 2_000] as const;
const bootMs = [1_000, 5_000] as const;
/** So soon the phone system notices that a phone sends nothing any more. */
const silenceMs = [1_000, 5_000] as const;
const deadPhoneMs = [5_000, 90_000] as const;
const fullMs = [15_000, 120_000] as const;
const stepsMs = [1_000, 30_000, 600_000];
const floodSize = 12_000;
const crashLossMs = 2_048;
/** A kind of effect that did not come up by then is not waited for any longer. */
const armedMs = 900_000;

interface Life {
  readonly floor: Floor;
  readonly link: PhoneLink;
  started: boolean;
  end(): void;
}

export class House {
  readonly clock: VirtualClock;
  readonly account: FaultAccount;
  readonly world: PhoneWorld;
  readonly vault = new SimulatedVault();
  readonly killedBefore = new Set<string>();
  readonly database: Database;
  private readonly parts: HouseParts;
  private readonly chance: Chance;
  private readonly deadPhones = new Set<string>();
  private life: Life | undefined;
  private readonly diskFaults: DiskFault[] = [];
  private readonly armed = new Set<string>();
  private failsNext = false;

  constructor(parts: HouseParts) {
    const { ids, rates, watch } = parts;
    this.parts = parts;
    this.database = parts.database;
    const chance = new Chance(ids);
    this.chance = chance;
    const clock = new VirtualClock(parts.startUtcMs);
    const account = new FaultAccount(clock);
    this.clock = clock;
    this.account = account;
    this.world = new PhoneWorld({
      clock,
      farEndOf: (order) => drawFarEnd(chance, order),
      phoneOf: (extension) => (this.deadPhones.has(extension) ? {} : drawPhone(chance)),
      recordingFails: (callId) => {
        const fails =
          !account.ended && (this.unrecorded() || chance.hits(rates.recordingFailsPermille));
        if (fails) account.strike('recording-fails', callId);
        return fails;
      },
      damageOf: (callId) => this.drawDamage(callId),
      crashLossMs: () => chance.below(crashLossMs),
      watch,
    });
    for (const kind of parts.killsBefore) this.armed.add(kind);
    this.schedule();
  }

  /** The floor, while its daemon lives and has started. */
  floor(): Floor | undefined {
    return this.life?.started ? this.life.floor : undefined;
  }

  /** Starts the daemon; whatever its last life left is there. */
  open(): void {
    const { clock, account } = this;
    const own = clock.life();
    // The cases room looks into a real folder: until it has, no time passes.
    const release = clock.hold();
    let alive = true;
    const world = this.worldOf(
      own.clock,
      () => alive,
      () => release(),
    );
    const floor = openFloor(this.parts.plant(world.world, this));
    const recovered = account.breakDown('daemon');
    const life: Life = {
      floor,
      link: world.link,
      started: false,
      end() {
        alive = false;
        own.end();
        floor.drop();
        release();
        recovered();
      },
    };
    this.life = life;
    floor.start().then(
      () => {
        life.started = alive;
        recovered();
      },
      (cause) => this.ended(cause),
    );
  }

  private worldOf(clock: World['clock'], alive: () => boolean, looked: () => void) {
    const { ids, database, rates, folder, watch } = this.parts;
    const { world: phones, chance, account, vault } = this;
    const shared = { world: phones, clock: this.clock, chance, account, rates, alive };
    const link = new PhoneLink({ ...shared, trunks: [trunk] });
    const diskFault = () => this.diskFaults[0];
    const recordings = simulatedRecordings({ ...shared, vault, watch, diskFault });
    const store = openStore(database, clock);
    vault.judgeLeftovers(database);
    const world: World = {
      clock,
      ids,
      committer: watchedStore(store, {
        fails: (batch) => this.fails(batch),
        committed: this.parts.committed,
        kills: (batch) => this.kills(batch),
      }),
      caseStore: openCaseStore(database),
      phone: link,
      recordings: {
        ...recordings,
        room() {
          looked();
          return recordings.room();
        },
      },
      settleObject: async (objectId) => vault.settle(objectId),
      eraseObject: async (cipherSha256) => vault.erase(cipherSha256),
      policy,
      lists: { folder, region: 'CN', zones: [] },
      digest: digestOf,
      limits,
      requirements: [agreement],
      report: (_effect, cause) => {
        if (alive() && !(cause instanceof FloorError)) this.parts.crashed(cause);
      },
      stop: (cause) => {
        if (alive()) this.ended(cause);
      },
    };
    return { world, link };
  }

  /** The daemon's process ended; whoever watches over it starts it again. */
  private ended(cause: unknown): void {
    if (cause instanceof KilledAfterRecord) return;
    const isPlanned = cause instanceof FloorError && cause.code === 'store.commit-failed';
    if (!isPlanned) this.parts.crashed(cause);
    this.kill();
  }

  /** The daemon is gone from one instruction to the next, and comes back after a while. */
  kill(): void {
    const { chance, clock, account } = this;
    const { life } = this;
    if (!life) return;
    this.life = undefined;
    life.end();
    this.world.attach(undefined);
    const restarted = account.breakDown('daemon');
    const [leastMs, mostMs] = chance.hits(longDownPermille) ? longDownMs : downMs;
    clock.after(chance.spanMs(leastMs, mostMs), () => {
      restarted();
      this.open();
    });
  }

  private fails({ entries }: Batch): boolean {
    if (!this.failsNext || entries.length === 0) return false;
    this.failsNext = false;
    this.account.note('commit-fails');
    return true;
  }

  private kills({ changes }: Batch): boolean {
    const { armed } = this;
    if (armed.size === 0 || this.account.ended) return false;
    const ordered = changes.flatMap(({ table, row }) =>
      table === 'Pending' && row !== null ? [(row as PendingRow).kind] : [],
    );
    const kind = ordered.find((each) => armed.has(each));
    if (kind === undefined) return false;
    armed.delete(kind);
    this.account.note('kill-between-record-and-act');
    this.killedBefore.add(kind);
    this.kill();
    return true;
  }

  private schedule(): void {
    const { account, chance } = this;
    const { rates } = this.parts;
    account.hourly(chance, rates.feedCutPerHour, () => this.cutFeed());
    account.hourly(chance, rates.restartPerHour, () => this.restartPhones());
    account.hourly(chance, rates.phoneDeathPerHour, () => this.losePhone());
    account.hourly(chance, rates.diskFullPerHour, () => this.failDisk());
    account.hourly(chance, rates.clockStepPerHour, () => this.stepClock());
    account.hourly(chance, rates.floodPerHour, () => this.flood());
    account.hourly(chance, rates.commitFailsPerHour, () => {
      this.failsNext = true;
    });
    account.hourly(chance, rates.killPerHour, () => {
      if (!this.life) return;
      account.note('kill');
      this.kill();
    });
    account.hourly(chance, rates.killAfterRecordPerHour, () => {
      const kind = chance.pick(effectKinds);
      this.armed.add(kind);
      this.clock.after(armedMs, () => this.armed.delete(kind));
    });
  }

  private cutFeed(): void {
    const { world, account, chance, clock } = this;
    const isDeaf = chance.hits(400);
    account.note(isDeaf ? 'feed-deaf' : 'feed-cut');
    const noticedAfterMs = isDeaf ? chance.spanMs(...deafMs) : 0;
    const feeds = chance.pick([['ami'], ['ari'], ['ami', 'ari']] as const);
    const mended = account.breakDown('feed');
    for (const feed of feeds) world.cut(feed, noticedAfterMs);
    clock.after(noticedAfterMs + chance.spanMs(...cutMs), () => {
      for (const feed of feeds) world.heal(feed);
      mended();
    });
  }

  private restartPhones(): void {
    const { world, account, chance, clock } = this;
    account.note('phone-system-restart');
    const mended = account.breakDown('phone-system');
    world.crash();
    clock.after(chance.spanMs(...bootMs), () => {
      world.heal('ami');
      world.heal('ari');
      mended();
    });
  }

  private losePhone(): void {
    const { world, account, chance, clock, deadPhones } = this;
    const extension = `${101 + chance.below(20)}`;
    const isSilent = chance.hits(500);
    if (!world.losePhone(extension, isSilent ? chance.spanMs(...silenceMs) : undefined)) return;
    account.note(isSilent ? 'phone-silence' : 'phone-death');
    deadPhones.add(extension);
    clock.after(chance.spanMs(...deadPhoneMs), () => deadPhones.delete(extension));
  }

  /** Nothing can be recorded while the spool is full, or gone. */
  private unrecorded(): boolean {
    return this.diskFaults.some((fault) => fault !== 'vault-full');
  }

  private drawDamage(callId: string): Damage | undefined {
    const { account, chance } = this;
    if (account.ended || !chance.hits(this.parts.rates.recordingDamagedPermille)) return undefined;
    account.strike('recording-damaged', callId);
    return chance.pick(damages);
  }

  private failDisk(): void {
    const { account, chance, clock, diskFaults } = this;
    const fault = chance.pick(['disk-full', 'vault-full', 'spool-gone'] as const);
    account.note(fault);
    diskFaults.push(fault);
    const mended = fault === 'spool-gone' ? account.breakDown(fault) : () => {};
    clock.after(chance.spanMs(...fullMs), () => {
      const at = diskFaults.indexOf(fault);
      if (at >= 0) diskFaults.splice(at, 1);
      mended();
    });
  }

  private stepClock(): void {
    const { account, chance, clock } = this;
    const byMs = chance.pick(stepsMs);
    const isBack = chance.hits(500);
    account.strike(isBack ? 'clock-back' : 'clock-forward');
    clock.stepWall(isBack ? -byMs : byMs);
  }

  private flood(): void {
    if (!this.floor()) return;
    this.account.strike('inbox-flood');
    for (let i = 0; i < floodSize; i += 1) {
      this.life?.link.tell({ kind: 'call-ringing', callId: `call-unknown-${i}`, atUtcMs: 0 });
    }
  }

  /** Everything is mended; from now on nothing breaks. */
  mend(): void {
    this.account.endFaults();
    this.armed.clear();
    this.failsNext = false;
    this.diskFaults.length = 0;
    this.deadPhones.clear();
    this.world.heal('ami');
    this.world.heal('ari');
  }

  /** Ends the daemon in order and starts it again. */
  async restart(): Promise<void> {
    const { life } = this;
    this.life = undefined;
    await life?.floor.stop();
    life?.end();
    this.open();
  }
}
