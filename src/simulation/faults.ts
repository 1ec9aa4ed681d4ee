// What breaks in the simulated world, how often, and the account of what has broken when.
import type { Chance } from './chance.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Every kind of fault; a campaign of seeds fails unless each of them struck. */
export const faultKinds = {
  'order-lost': 'An order never reached the phone system.',
  'order-refused': 'The phone system refused an order it could have carried out.',
  'answer-lost': 'An order was carried out, its answer never came.',
  'fact-doubled': 'A fact was told twice.',
  'fact-overtaken': 'A fact came late, after facts of other channels that happened later.',
  'feed-cut': 'Links to the phone system broke: facts were lost.',
  'feed-deaf': 'A link broke and nobody noticed for a while.',
  'phone-system-restart': 'The phone system died with every channel and started again.',
  'phone-death': "An agent's phone hung up in the middle of everything.",
  'phone-silence': "An agent's phone died without a word and was noticed seconds later.",
  'recording-fails': 'A call was answered and nothing was recorded.',
  'recording-damaged': 'A leg of a recording is missing, or its header is wrong.',
  'seal-fails': 'Sealing failed, and could be tried again.',
  'disk-full': 'The spool had no room for a while: nothing was recorded or sealed.',
  'vault-full': 'The vault had no room for a while: nothing was sealed.',
  'spool-gone': 'The spool could not be read or written for a while.',
  'clock-back': 'The wall clock stepped back.',
  'clock-forward': 'The wall clock stepped forward.',
  'inbox-flood': 'More facts came at once than a room takes.',
  'commit-fails': 'A commit failed, so the daemon ended.',
  kill: 'The daemon was killed at some moment.',
  'kill-between-record-and-act': 'The daemon was killed after a commit, before its effects.',
} as const satisfies Record<string, string>;

export type FaultKind = keyof typeof faultKinds;

/** How often what happens: of a thousand such things, or so many times an hour. */
export interface FaultRates {
  orderLostPermille: number;
  orderRefusedPermille: number;
  answerLostPermille: number;
  factDoubledPermille: number;
  factLatePermille: number;
  recordingFailsPermille: number;
  recordingDamagedPermille: number;
  sealFailsPermille: number;
  feedCutPerHour: number;
  restartPerHour: number;
  phoneDeathPerHour: number;
  diskFullPerHour: number;
  clockStepPerHour: number;
  floodPerHour: number;
  commitFailsPerHour: number;
  killPerHour: number;
  killAfterRecordPerHour: number;
}

/** A day worse than any real one, on which a floor still works most of the time. */
export const roughDay: FaultRates = {
  orderLostPermille: 3,
  orderRefusedPermille: 3,
  answerLostPermille: 3,
  factDoubledPermille: 20,
  factLatePermille: 20,
  recordingFailsPermille: 6,
  recordingDamagedPermille: 8,
  sealFailsPermille: 30,
  feedCutPerHour: 3,
  restartPerHour: 0.7,
  phoneDeathPerHour: 4,
  diskFullPerHour: 1,
  clockStepPerHour: 1,
  floodPerHour: 0.3,
  commitFailsPerHour: 0.4,
  killPerHour: 1,
  killAfterRecordPerHour: 3,
};

/** Nothing breaks; for runs that look at the floor itself. */
export const calmDay: FaultRates = Object.fromEntries(
  Object.keys(roughDay).map((rate) => [rate, 0]),
) as unknown as FaultRates;

/** Something outside the daemon's power that was broken from `fromMs` until `toMs` of uptime. */
interface Outage {
  readonly kind: string;
  readonly about?: string | undefined;
  readonly fromMs: number;
  toMs: number;
}

/** Counts faults and keeps the times in which something was broken, for the checkers' excuses. */
export class FaultAccount {
  readonly counts = new Map<FaultKind, number>();
  private readonly outages: Outage[] = [];
  private readonly clock: VirtualClock;
  private over = false;

  constructor(clock: VirtualClock) {
    this.clock = clock;
  }

  /** A fault that excuses nothing. */
  note(kind: FaultKind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  /** A fault struck at this moment, for everybody or for one id; it is over at once. */
  strike(kind: FaultKind, about?: string): void {
    this.note(kind);
    const atMs = this.clock.uptimeMs;
    this.outages.push({ kind, about, fromMs: atMs, toMs: atMs });
  }

  /** Something is broken from now until the function that this gives is called. */
  breakDown(kind: string): () => void {
    const outage: Outage = { kind, fromMs: this.clock.uptimeMs, toMs: Number.POSITIVE_INFINITY };
    this.outages.push(outage);
    return () => {
      outage.toMs = Math.min(outage.toMs, this.clock.uptimeMs);
    };
  }

  /**
   * The last moment at which something was broken for everybody, or for this id, between the two
   * times of uptime; undefined when all was well.
   */
  brokenUntilMs(fromMs: number, toMs: number, about: string): number | undefined {
    let last: number | undefined;
    for (const outage of this.outages) {
      if (outage.toMs < fromMs || outage.fromMs > toMs) continue;
      if (outage.about !== undefined && outage.about !== about) continue;
      last = Math.max(last ?? 0, outage.toMs);
    }
    return last;
  }

  /** Did a fault of this kind strike this very id? */
  struck(kind: FaultKind, about: string): boolean {
    return this.outages.some((each) => each.kind === kind && each.about === about);
  }

  /** Did the wall clock step within so many milliseconds from this time of uptime on? */
  steppedWithin(fromMs: number, spanMs: number): boolean {
    return this.outages.some(
      ({ kind, fromMs: atMs }) =>
        (kind === 'clock-back' || kind === 'clock-forward') &&
        atMs >= fromMs &&
        atMs <= fromMs + spanMs,
    );
  }

  /** Does `act` so many times an hour, as long as the day has faults. */
  hourly(chance: Chance, perHour: number, act: () => void): void {
    if (perHour <= 0) return;
    this.clock.after(chance.exponentialMs(3_600_000 / perHour), () => {
      if (this.over) return;
      act();
      this.hourly(chance, perHour, act);
    });
  }

  /** The day's work is done: from now on nothing breaks any more. */
  endFaults(): void {
    this.over = true;
  }

  get ended(): boolean {
    return this.over;
  }
}
