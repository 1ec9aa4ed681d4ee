// The simulated phone network and phone system: channels, agents' phones, and what breaks.
import type { Ids } from '../ids.ts';
import type {
  DialOrder,
  EndCause,
  EndedBy,
  OrderOutcome,
  PhoneFact,
  PhoneSystem,
  RingAgentOrder,
  Survey,
} from '../telephony/phone-system.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** How the far ends behave; shares are of 1,000. */
export interface FarEnds {
  answerPermille: number;
  busyPermille: number;
  invalidPermille: number;
  carrierFailurePermille: number;
  ringMs: number;
  talkMs: number;
  /** Mean patience of a caller who hears nothing. */
  patienceMs: number;
}

/** What breaks, per thousand of the thing it breaks. */
export interface PhoneFaults {
  orderLostPermille: number;
  answerLostPermille: number;
  factDoubledPermille: number;
  feedCutPerHour: number;
  restartPerHour: number;
  phoneDeathPerHour: number;
  recordingFailsPermille: number;
}

interface Channel {
  id: string;
  kind: 'call' | 'leg';
  state: 'dialing' | 'ringing' | 'up';
  held: boolean;
  legId?: string;
  order?: DialOrder;
  answeredUtcMs?: number;
}

/** A recording in the simulated spool; `open` while the call is up. */
export interface SimulatedRaw {
  open: boolean;
  spanMs: number;
  crashed: boolean;
}

/** What the outside world saw, for the checkers: independent of what the daemon believes. */
export interface PhoneLog {
  dialed: { callId: string; atUtcMs: number; number: string }[];
  answered: Set<string>;
  ended: Set<string>;
  connectedAfterMs: Map<string, number>;
  faults: Map<string, number>;
}

/** Everything here survives the death of the daemon, as the real network does. */
export class PhoneWorld {
  readonly log: PhoneLog = {
    dialed: [],
    answered: new Set(),
    ended: new Set(),
    connectedAfterMs: new Map(),
    faults: new Map(),
  };
  readonly raw = new Map<string, SimulatedRaw>();
  private readonly channels = new Map<string, Channel>();
  private readonly clock: VirtualClock;
  private readonly ids: Ids;
  private readonly farEnds: FarEnds;
  private readonly faults: PhoneFaults;
  private sink: ((fact: PhoneFact) => void) | undefined;
  private feedUp = false;
  private boot = 1;

  constructor(clock: VirtualClock, ids: Ids, farEnds: FarEnds, faults: PhoneFaults) {
    this.clock = clock;
    this.ids = ids;
    this.farEnds = farEnds;
    this.faults = faults;
    this.hourly(faults.feedCutPerHour, () => this.cutFeed());
    this.hourly(faults.restartPerHour, () => this.restart());
    this.hourly(faults.phoneDeathPerHour, () => this.killPhone());
  }

  /** Channels that live now; the checkers expect none at the end of the day. */
  living(): number {
    return this.channels.size;
  }

  /** The port as one run of the daemon sees it; a dead run's orders change nothing. */
  port(alive: () => boolean): PhoneSystem {
    const guarded = async (order: () => OrderOutcome): Promise<OrderOutcome> => {
      await this.delay(1 + this.ids.below(8));
      if (!alive()) return { outcome: 'unknown', reason: 'daemon-gone' };
      if (!this.feedUp) return { outcome: 'unknown', reason: 'feed-down' };
      if (this.fault('order-lost', this.faults.orderLostPermille)) return never();
      const outcome = order();
      await this.delay(1);
      if (this.fault('answer-lost', this.faults.answerLostPermille)) return never();
      return outcome;
    };
    return {
      start: async (sink) => {
        this.sink = (fact) => {
          if (alive()) sink(fact);
        };
        this.raiseFeed();
      },
      stop: async () => {
        this.sink = undefined;
      },
      dial: (order) => guarded(() => this.dial(order)),
      ringAgent: (order) => guarded(() => this.ringAgent(order)),
      connect: (callId, legId) => guarded(() => this.connect(callId, legId)),
      endWithMessage: (callId) => guarded(() => this.message(callId)),
      hangUp: (channelId) => guarded(() => this.hangUp(channelId)),
      survey: async () => {
        await this.delay(5);
        return this.survey();
      },
    };
  }

  private dial(order: DialOrder): OrderOutcome {
    if (this.channels.has(order.callId) || this.log.ended.has(order.callId)) return accepted;
    const { callId, number } = order;
    this.log.dialed.push({ callId, atUtcMs: this.clock.utcMs, number });
    const channel: Channel = { id: callId, kind: 'call', state: 'dialing', held: false, order };
    this.channels.set(callId, channel);
    const drawn = this.ids.below(1000);
    const { carrierFailurePermille, invalidPermille, busyPermille, answerPermille } = this.farEnds;
    const limits = [carrierFailurePermille, invalidPermille, busyPermille, answerPermille];
    let sum = 0;
    const kind = limits.findIndex((permille) => {
      sum += permille;
      return drawn < sum;
    });
    if (kind === 0) this.endLater(channel, 80, { cause: 34, sipCode: 503 });
    else if (kind === 1) this.endLater(channel, 300, { cause: 1, sipCode: 404 });
    else if (kind === 2) this.endLater(channel, 900, { cause: 17, sipCode: 486 });
    else this.ring(channel, order, kind === 3);
    return accepted;
  }

  private ring(channel: Channel, order: DialOrder, answers: boolean): void {
    this.later(channel, 200 + this.ids.below(1500), () => {
      channel.state = 'ringing';
      this.tell({ kind: 'call-ringing', callId: channel.id, atUtcMs: this.clock.utcMs });
      const ringMs = this.exponential(this.farEnds.ringMs);
      if (answers && ringMs < order.ringMs) this.later(channel, ringMs, () => this.answer(channel));
      else this.endLater(channel, order.ringMs, { cause: 19, sipCode: 480 });
    });
  }

  private answer(channel: Channel): void {
    channel.state = 'up';
    channel.held = this.sink !== undefined;
    channel.answeredUtcMs = this.clock.utcMs;
    this.log.answered.add(channel.id);
    const fails = this.fault('recording-fails', this.faults.recordingFailsPermille);
    if (!fails) this.raw.set(channel.id, { open: true, spanMs: 0, crashed: false });
    this.tell({ kind: 'call-answered', callId: channel.id, atUtcMs: this.clock.utcMs });
    const patienceMs = this.exponential(this.farEnds.patienceMs);
    this.later(channel, patienceMs, () => {
      if (channel.legId === undefined) this.end(channel, 'far-end', { cause: 0 });
    });
    // Nobody took the call out of the dialplan: it plays the message and ends by itself.
    this.later(channel, 2_000, () => {
      if (!channel.held) this.message(channel.id);
    });
    this.later(channel, channel.order?.limitMs ?? 0, () =>
      this.end(channel, 'phone-system', { cause: 16 }),
    );
  }

  private ringAgent(order: RingAgentOrder): OrderOutcome {
    if (this.channels.has(order.legId)) return accepted;
    const leg: Channel = { id: order.legId, kind: 'leg', state: 'ringing', held: true };
    this.channels.set(leg.id, leg);
    this.later(leg, 300 + this.ids.below(2_000), () => {
      leg.state = 'up';
      this.tell({ kind: 'leg-up', legId: leg.id, atUtcMs: this.clock.utcMs });
    });
    return accepted;
  }

  private connect(callId: string, legId: string): OrderOutcome {
    const call = this.channels.get(callId);
    const leg = this.channels.get(legId);
    if (call?.state !== 'up' || leg?.state !== 'up') return refused('channel-gone');
    if (call.legId === legId) return accepted;
    call.legId = legId;
    const afterMs = this.clock.utcMs - (call.answeredUtcMs ?? 0);
    this.log.connectedAfterMs.set(callId, afterMs);
    this.tell({ kind: 'bridge-joined', callId, legId, atUtcMs: this.clock.utcMs });
    this.later(call, this.exponential(this.farEnds.talkMs), () =>
      this.end(call, 'far-end', { cause: 0 }),
    );
    return accepted;
  }

  private message(callId: string): OrderOutcome {
    const call = this.channels.get(callId);
    if (!call) return accepted;
    call.held = false;
    this.later(call, 4_000, () => this.end(call, 'phone-system', { cause: 16 }));
    return accepted;
  }

  private hangUp(channelId: string): OrderOutcome {
    const channel = this.channels.get(channelId);
    if (channel) this.end(channel, 'us', { cause: 16 });
    return accepted;
  }

  private end(channel: Channel, by: EndedBy, cause: EndCause): void {
    if (!this.channels.delete(channel.id)) return;
    this.log.ended.add(channel.id);
    const atUtcMs = this.clock.utcMs;
    if (channel.kind === 'leg') {
      this.tell({ kind: 'leg-ended', legId: channel.id, atUtcMs, cause });
      return;
    }
    const raw = this.raw.get(channel.id);
    if (raw) {
      raw.open = false;
      raw.spanMs = atUtcMs - (channel.answeredUtcMs ?? atUtcMs);
    }
    this.tell({ kind: 'call-ended', callId: channel.id, atUtcMs, by, cause });
  }

  private survey(): Survey {
    const channels = [...this.channels.values()];
    return {
      bootId: `boot-${this.boot}`,
      calls: channels
        .filter(({ kind }) => kind === 'call')
        .map(({ id, state, held, legId }) => ({
          callId: id,
          state,
          held,
          ...(legId === undefined ? {} : { legId }),
        })),
      legs: channels
        .filter(({ kind }) => kind === 'leg')
        .map(({ id, state }) => ({ legId: id, up: state === 'up' })),
    };
  }

  private cutFeed(): void {
    this.count('feed-cut');
    this.feedUp = false;
    this.sink?.({ kind: 'feed-stale', feed: 'ari', reason: 'cut' });
    this.clock.after(500 + this.ids.below(5_000), () => this.raiseFeed());
  }

  private raiseFeed(): void {
    this.feedUp = true;
    for (const channel of this.channels.values())
      if (channel.state === 'up' && channel.kind === 'leg') channel.held = true;
    this.sink?.({ kind: 'feed-fresh', survey: this.survey() });
  }

  private restart(): void {
    this.count('restart');
    for (const channel of [...this.channels.values()]) {
      this.channels.delete(channel.id);
      this.log.ended.add(channel.id);
      const raw = this.raw.get(channel.id);
      if (raw) Object.assign(raw, { open: false, crashed: true });
    }
    this.boot += 1;
    this.cutFeed();
  }

  private killPhone(): void {
    const legs = [...this.channels.values()].filter(({ kind }) => kind === 'leg');
    const leg = legs[this.ids.below(Math.max(1, legs.length))];
    if (!leg) return;
    this.count('phone-death');
    const talking = [...this.channels.values()].find(({ legId }) => legId === leg.id);
    if (talking) delete talking.legId;
    this.end(leg, 'far-end', { cause: 44 });
  }

  private tell(fact: PhoneFact): void {
    if (!this.feedUp) return;
    this.sink?.(fact);
    if (this.fault('fact-doubled', this.faults.factDoubledPermille)) this.sink?.(fact);
  }

  private later(channel: Channel, delayMs: number, act: () => void): void {
    this.clock.after(delayMs, () => {
      if (this.channels.get(channel.id) === channel) act();
    });
  }

  private endLater(channel: Channel, delayMs: number, cause: EndCause): void {
    this.later(channel, delayMs, () => this.end(channel, 'far-end', cause));
  }

  private delay(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(ms, resolve));
  }

  private exponential(meanMs: number): number {
    return -meanMs * Math.log(1 - this.ids.below(1_000_000) / 1_000_000);
  }

  private hourly(perHour: number, act: () => void): void {
    if (perHour <= 0) return;
    this.clock.after(this.exponential(3_600_000 / perHour), () => {
      act();
      this.hourly(perHour, act);
    });
  }

  private fault(kind: string, permille: number): boolean {
    if (this.ids.below(1000) >= permille) return false;
    this.count(kind);
    return true;
  }

  count(kind: string): void {
    this.log.faults.set(kind, (this.log.faults.get(kind) ?? 0) + 1);
  }
}

const accepted: OrderOutcome = { outcome: 'accepted' };
const refused = (reason: string): OrderOutcome => ({ outcome: 'refused', reason });
/** An answer that never comes; the caller's deadline makes it unknown. */
const never = () => new Promise<OrderOutcome>(() => {});
