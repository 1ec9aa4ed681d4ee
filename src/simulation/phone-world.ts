// The simulated network and phone system: channels, phones, bridges and raw recordings.
import type {
  DialOrder,
  EndCause,
  EndedBy,
  OrderOutcome,
  PhoneFact,
  RingAgentOrder,
  Survey,
} from '../telephony/phone-system.ts';
import type { VirtualClock } from './virtual-clock.ts';
import type { Watch } from './world-event.ts';

/** What the far end of one call does; times count from what comes before. */
export interface FarEnd {
  /** Ends the call unanswered so long after it was placed; nothing rings. */
  readonly refuses?: { readonly afterMs: number; readonly cause: EndCause };
  readonly ringsAfterMs: number;
  /** Sound of the network instead of ringing. */
  readonly earlyMedia?: boolean;
  /** Absent: nobody answers. */
  readonly answersAfterMs?: number;
  /** How long somebody waits who hears nobody, and talks who hears an agent. */
  readonly waitsMs: number;
  readonly talksMs: number;
}

/** What an agent's phone does when it is rung. */
export interface Phone {
  /** Absent: it is dead, or nobody picks it up. */
  readonly answersAfterMs?: number;
  readonly hangsUpAfterMs?: number;
}

export type Feed = 'ami' | 'ari';

/** Whoever listens to the phone system; one at a time, and none while the daemon is dead. */
export interface Listener {
  hear(fact: PhoneFact): void;
  linkChanged(feed: Feed, noticedAfterMs: number): void;
}

interface Channel {
  readonly id: string;
  readonly kind: 'call' | 'leg';
  state: 'dialing' | 'ringing' | 'up';
  /** In the daemon's hands: it can be connected. */
  held: boolean;
  /** The leg in whose bridge a call is. */
  legId?: string;
  readonly order?: DialOrder;
  readonly farEnd?: FarEnd;
  readonly extension?: string;
  answeredUtcMs?: number;
}

/** Raw files of one call, by uptime: the wall clock may have stepped meanwhile. */
export interface SimulatedRaw {
  open: boolean;
  readonly sinceMs: number;
  spanMs: number;
  /** What the end of the phone system cost; undefined where it closed the files. */
  lostMs?: number;
  connected: boolean;
  readonly damage?: Damage | undefined;
}

/** What is wrong with one leg, or with both. */
export interface Damage {
  readonly customer?: 'absent' | 'broken' | 'lying';
  readonly agent?: 'absent' | 'broken' | 'lying';
}

export interface PhoneWorldParts {
  clock: VirtualClock;
  farEndOf(order: DialOrder): FarEnd;
  phoneOf(extension: string): Phone;
  /** Is this answered call's recording one that never begins? */
  recordingFails(callId: string): boolean;
  /** What is wrong with the recording of this call. */
  damageOf(callId: string): Damage | undefined;
  /** Unwritten sound that a crash costs. */
  crashLossMs(): number;
  watch: Watch;
}

const retryMs = 200;
/** The dialplan waits so long for the daemon before it plays the message by itself. */
const dialplanWaitMs = 2_000;
const messageMs = 4_000;

const accepted: OrderOutcome = { outcome: 'accepted' };
const refused = (reason: string): OrderOutcome => ({ outcome: 'refused', reason });

/** Everything here outlives the daemon, as a real network and phone system do. */
export class PhoneWorld {
  readonly raw = new Map<string, SimulatedRaw>();
  readonly links: Record<Feed, boolean> = { ami: true, ari: true };
  private readonly channels = new Map<string, Channel>();
  private readonly parts: PhoneWorldParts;
  private readonly clock: VirtualClock;
  private listener: Listener | undefined;
  private boot = 1;

  constructor(parts: PhoneWorldParts) {
    this.parts = parts;
    this.clock = parts.clock;
  }

  /** Ids of what lives now. */
  living(): string[] {
    return [...this.channels.keys()];
  }

  attach(listener: Listener | undefined): void {
    this.listener = listener;
  }

  survey(): Survey {
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

  /** Places a call; the phone system knows only the ids of channels that live. */
  dial(order: DialOrder): OrderOutcome {
    const { callId: id } = order;
    if (this.channels.has(id)) return accepted;
    this.parts.watch({ kind: 'placed', order });
    const farEnd = this.parts.farEndOf(order);
    const call: Channel = {
      id,
      kind: 'call',
      state: 'dialing',
      held: false,
      order,
      farEnd,
    };
    this.channels.set(id, call);
    const { refuses } = farEnd;
    if (refuses) {
      this.later(call, refuses.afterMs, () => this.end(call, 'far-end', refuses.cause));
    } else this.later(call, farEnd.ringsAfterMs, () => this.ring(call, order, farEnd));
    return accepted;
  }

  private ring(call: Channel, order: DialOrder, farEnd: FarEnd): void {
    const { answersAfterMs, earlyMedia } = farEnd;
    const fact = { callId: call.id, atUtcMs: this.clock.utcMs };
    if (earlyMedia) this.tell({ kind: 'call-early-media', ...fact });
    else {
      call.state = 'ringing';
      this.tell({ kind: 'call-ringing', ...fact });
    }
    if (answersAfterMs !== undefined && answersAfterMs < order.ringMs) {
      this.later(call, answersAfterMs, () => this.answer(call, order, farEnd));
      return;
    }
    const unanswered = { cause: 19, sipCode: 480 };
    this.later(call, order.ringMs, () => this.end(call, 'phone-system', unanswered));
  }

  /** The dialplan sets the limit, starts the recording, then offers the call to the daemon. */
  private answer(call: Channel, order: DialOrder, farEnd: FarEnd): void {
    call.state = 'up';
    call.answeredUtcMs = this.clock.utcMs;
    this.parts.watch({ kind: 'answered', callId: call.id });
    if (!this.parts.recordingFails(call.id)) {
      const sinceMs = this.clock.uptimeMs;
      const damage = this.parts.damageOf(call.id);
      this.raw.set(call.id, { open: true, sinceMs, spanMs: 0, connected: false, damage });
    }
    this.later(call, order.limitMs, () => this.end(call, 'phone-system', { cause: 16 }));
    this.later(call, farEnd.waitsMs, () => {
      if (call.legId === undefined) this.end(call, 'far-end', { cause: 0 });
    });
    this.offer(call, this.clock.uptimeMs + dialplanWaitMs);
  }

  private offer(call: Channel, untilMs: number): void {
    if (this.listener && this.links.ari) {
      call.held = true;
      const atUtcMs = call.answeredUtcMs ?? this.clock.utcMs;
      const fact = { kind: 'call-answered', callId: call.id, atUtcMs } as const;
      this.tell(call.order?.noticeSound ? { ...fact, noticedUtcMs: atUtcMs } : fact);
    } else if (this.clock.uptimeMs >= untilMs) this.playMessage(call);
    else this.later(call, retryMs, () => this.offer(call, untilMs));
  }

  ringAgent({ legId, extension, ringMs }: RingAgentOrder): OrderOutcome {
    if (this.channels.has(legId)) return accepted;
    const leg: Channel = {
      id: legId,
      kind: 'leg',
      state: 'ringing',
      held: false,
      extension,
    };
    const busy = [...this.channels.values()].some((other) => other.extension === extension);
    this.channels.set(legId, leg);
    if (busy) {
      this.later(leg, 50, () => this.end(leg, 'far-end', { cause: 17, sipCode: 486 }));
      return accepted;
    }
    const { answersAfterMs, hangsUpAfterMs } = this.parts.phoneOf(extension);
    if (answersAfterMs === undefined) {
      this.later(leg, ringMs, () => this.end(leg, 'phone-system', { cause: 19 }));
      return accepted;
    }
    this.later(leg, answersAfterMs, () => {
      leg.state = 'up';
      leg.held = true;
      this.tell({ kind: 'leg-up', legId, atUtcMs: this.clock.utcMs });
      if (hangsUpAfterMs !== undefined) {
        this.later(leg, hangsUpAfterMs, () => this.end(leg, 'far-end', { cause: 0 }));
      }
    });
    return accepted;
  }

  connect(callId: string, legId: string): OrderOutcome {
    const call = this.channels.get(callId);
    const leg = this.channels.get(legId);
    if (!call?.held || leg?.state !== 'up') return refused('Channel not found');
    if (call.legId === legId) return accepted;
    const others = this.inBridgeOf(legId).map(({ id }) => id);
    this.leaveBridge(call);
    call.legId = legId;
    const raw = this.raw.get(callId);
    if (raw) raw.connected = true;
    this.parts.watch({ kind: 'connected', callId, legId, others });
    this.tell({ kind: 'bridge-joined', callId, legId, atUtcMs: this.clock.utcMs });
    const talksMs = call.farEnd?.talksMs ?? 0;
    this.later(call, talksMs, () => this.end(call, 'far-end', { cause: 16 }));
    return accepted;
  }

  endWithMessage(callId: string): OrderOutcome {
    const call = this.channels.get(callId);
    if (!call) return refused('Channel not found');
    if (!call.held) return refused('Channel not in Stasis application');
    this.playMessage(call);
    return accepted;
  }

  private playMessage(call: Channel): void {
    call.held = false;
    this.leaveBridge(call);
    this.parts.watch({ kind: 'message', callId: call.id });
    this.later(call, messageMs, () => this.end(call, 'us', { cause: 16 }));
  }

  hangUp(channelId: string): OrderOutcome {
    const channel = this.channels.get(channelId);
    if (channel) this.end(channel, 'us', { cause: 16 });
    return accepted;
  }

  private end(channel: Channel, by: EndedBy, cause: EndCause): void {
    const { id, kind } = channel;
    const atUtcMs = this.clock.utcMs;
    if (kind === 'leg') for (const call of this.inBridgeOf(id)) this.leaveBridge(call);
    else this.leaveBridge(channel);
    this.remove(channel);
    if (kind === 'leg') this.tell({ kind: 'leg-ended', legId: id, atUtcMs, cause });
    else {
      const wasUp = channel.answeredUtcMs === undefined ? {} : ({ wasUp: true } as const);
      this.tell({ kind: 'call-ended', callId: id, atUtcMs, by, cause, ...wasUp });
    }
  }

  private remove({ id }: Channel): void {
    this.channels.delete(id);
    const raw = this.raw.get(id);
    if (raw) Object.assign(raw, { open: false, spanMs: this.clock.uptimeMs - raw.sinceMs });
    this.parts.watch({ kind: 'gone', channelId: id });
  }

  private inBridgeOf(legId: string): Channel[] {
    return [...this.channels.values()].filter((channel) => channel.legId === legId);
  }

  private leaveBridge(call: Channel): void {
    const { id: callId, legId } = call;
    if (legId === undefined) return;
    delete call.legId;
    this.tell({ kind: 'bridge-left', callId, legId, atUtcMs: this.clock.utcMs });
  }

  /** A link to the daemon breaks; it notices so much later. */
  cut(feed: Feed, noticedAfterMs = 0): void {
    if (!this.links[feed]) return;
    this.links[feed] = false;
    this.listener?.linkChanged(feed, noticedAfterMs);
  }

  heal(feed: Feed): void {
    if (this.links[feed]) return;
    this.links[feed] = true;
    this.listener?.linkChanged(feed, 0);
  }

  /** Dies with everything that lives in it; its links stay down until they are healed. */
  crash(): void {
    for (const channel of [...this.channels.values()]) {
      this.remove(channel);
      const raw = this.raw.get(channel.id);
      if (raw) raw.lostMs = Math.min(raw.spanMs, this.parts.crashLossMs());
    }
    this.boot += 1;
    this.cut('ari');
    this.cut('ami');
  }

  /** A phone is gone: it hung up, or its silence is noticed later. False where it was not up. */
  losePhone(extension: string, silenceMs?: number): boolean {
    const leg = [...this.channels.values()].find((each) => each.extension === extension);
    if (!leg) return false;
    if (silenceMs === undefined) this.end(leg, 'far-end', { cause: 0 });
    else this.later(leg, silenceMs, () => this.end(leg, 'phone-system', { cause: 44 }));
    return true;
  }

  private tell(fact: PhoneFact): void {
    this.listener?.hear(fact);
  }

  private later(channel: Channel, delayMs: number, act: () => void): void {
    this.clock.after(delayMs, () => {
      if (this.channels.get(channel.id) === channel) act();
    });
  }
}
