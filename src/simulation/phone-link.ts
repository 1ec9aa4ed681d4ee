// The PhoneSystem port of one run of the daemon: orders and facts on their way, and what is lost.
import { pause } from '../clock.ts';
import { FloorError } from '../errors.ts';
import type {
  DialOrder,
  OrderOutcome,
  PhoneFact,
  PhoneSystem,
  RingAgentOrder,
  Survey,
} from '../telephony/phone-system.ts';
import type { Chance } from './chance.ts';
import type { FaultAccount, FaultRates } from './faults.ts';
import type { Feed, Listener, PhoneWorld } from './phone-world.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface PhoneLinkParts {
  world: PhoneWorld;
  clock: VirtualClock;
  chance: Chance;
  account: FaultAccount;
  rates: FaultRates;
  trunks: readonly string[];
  /** False once the daemon that holds this port is dead. */
  alive(): boolean;
}

const idForm = /^(?:call|leg)-[A-Za-z0-9-]{1,60}$/;
const numberForm = /^\+[1-9][0-9]{4,14}$/;
const soundForm = /^(?!.*\.\.)[A-Za-z0-9/_-][A-Za-z0-9/_.-]{0,250}$/;
const longestMs = 86_400_000;

const accepted: OrderOutcome = { outcome: 'accepted' };
const refused = (reason: string): OrderOutcome => ({ outcome: 'refused', reason });
/** An answer that never comes; the caller's deadline makes it unknown. */
const never = <T>() => new Promise<T>(() => {});

/** What an order takes on its way there, and back. */
const thereMs = 4;
const backMs = 3;
const readingMs = [5, 30] as const;
const lateMs = [20, 400] as const;

export class PhoneLink implements PhoneSystem, Listener {
  private readonly parts: PhoneLinkParts;
  private sink: ((fact: PhoneFact) => void) | undefined;
  private readonly known = new Set<string>();
  /** What this end believes of each link. */
  private readonly up: Record<Feed, boolean> = { ami: false, ari: false };
  private fresh = false;
  private reading = 0;
  private isReading = false;
  private endsMeanwhile: PhoneFact[] = [];
  private readonly lastToldMs = new Map<string, number>();
  private happened = 0;
  private latestTold = 0;

  constructor(parts: PhoneLinkParts) {
    this.parts = parts;
  }

  async start(sink: (fact: PhoneFact) => void): Promise<void> {
    this.sink = (fact) => {
      if (this.parts.alive()) sink(fact);
    };
    this.parts.world.attach(this);
    for (const feed of ['ami', 'ari'] as const) this.linkChanged(feed, 0);
  }

  async stop(): Promise<void> {
    this.sink = undefined;
    this.parts.world.attach(undefined);
  }

  dial(order: DialOrder): Promise<OrderOutcome> {
    const wrong = this.wrongDial(order);
    return this.place(wrong, order.callId, () => this.parts.world.dial(order));
  }

  ringAgent(order: RingAgentOrder): Promise<OrderOutcome> {
    const wrong = isPeriod(order.ringMs) ? undefined : 'time limit';
    return this.place(wrong, order.legId, () => this.parts.world.ringAgent(order));
  }

  private place(wrong: string | undefined, id: string, act: () => OrderOutcome) {
    if (wrong !== undefined) return Promise.resolve(refused(wrong));
    if (this.known.has(id)) return Promise.resolve(accepted);
    if (!this.fresh) return Promise.resolve(refused('feed-stale'));
    this.known.add(id);
    return this.order(id, () => this.perhapsRefused(id) ?? act());
  }

  connect(callId: string, legId: string): Promise<OrderOutcome> {
    const act = () => this.parts.world.connect(callId, legId);
    return this.order(callId, () => this.perhapsRefused(callId) ?? act());
  }

  private perhapsRefused(about: string): OrderOutcome | undefined {
    const { account, chance, rates } = this.parts;
    if (account.ended || !chance.hits(rates.orderRefusedPermille)) return undefined;
    account.strike('order-refused', about);
    return refused('Allocation failed');
  }

  endWithMessage(callId: string): Promise<OrderOutcome> {
    return this.order(callId, () => this.parts.world.endWithMessage(callId));
  }

  hangUp(channelId: string): Promise<OrderOutcome> {
    return this.order(channelId, () => this.parts.world.hangUp(channelId));
  }

  async survey(): Promise<Survey> {
    const { world, chance, clock } = this.parts;
    if (!this.up.ari) throw new FloorError('ari.disconnected');
    await pause(clock, chance.spanMs(2, 10));
    if (!world.links.ari) throw new FloorError('ari.disconnected');
    return world.survey();
  }

  /** An order that is on its way arrives even if the daemon dies meanwhile, as on a real wire. */
  private async order(about: string, act: () => OrderOutcome): Promise<OrderOutcome> {
    const { world, chance, account, rates, clock, alive } = this.parts;
    if (!alive()) return never();
    if (!this.up.ari) return refused('ari.disconnected');
    await pause(clock, chance.spanMs(1, thereMs));
    if (!world.links.ari) return never();
    if (!account.ended && chance.hits(rates.orderLostPermille)) {
      account.strike('order-lost', about);
      return never();
    }
    const outcome = act();
    await pause(clock, chance.spanMs(1, backMs));
    if (!world.links.ari) return never();
    if (account.ended || !chance.hits(rates.answerLostPermille)) return outcome;
    account.strike('answer-lost', about);
    return never();
  }

  private wrongDial({ callId, trunk, number, callerId, ...order }: DialOrder): string | undefined {
    if (!idForm.test(callId)) return 'call id';
    if (!this.parts.trunks.includes(trunk)) return 'unknown trunk';
    if (!numberForm.test(number)) return 'number';
    if (!numberForm.test(callerId)) return 'caller id';
    if (!isPeriod(order.ringMs) || !isPeriod(order.limitMs)) return 'time limit';
    const { messageSound, noticeSound = messageSound } = order;
    return soundForm.test(messageSound) && soundForm.test(noticeSound) ? undefined : 'sound';
  }

  linkChanged(feed: Feed, noticedAfterMs: number): void {
    const { world, clock } = this.parts;
    if (world.links[feed]) {
      if (this.up[feed]) return;
      this.up[feed] = true;
      if (this.up.ami && this.up.ari) this.readBack();
      return;
    }
    const notice = () => {
      if (!this.up[feed]) return;
      this.up[feed] = false;
      this.fresh = false;
      this.isReading = false;
      this.sink?.({ kind: 'feed-stale', feed, reason: 'cut' });
      // It may have healed before it was noticed: then it is opened anew.
      if (world.links[feed]) this.linkChanged(feed, 0);
    };
    if (noticedAfterMs <= 0) notice();
    else clock.after(noticedAfterMs, notice);
  }

  /** Reads what is alive, tells the ends that came meanwhile, then lets the facts flow again. */
  private readBack(): void {
    const { world, clock, chance } = this.parts;
    this.reading += 1;
    this.isReading = true;
    this.endsMeanwhile = [];
    const own = this.reading;
    clock.after(chance.spanMs(...readingMs), () => {
      if (own !== this.reading || !this.isReading) return;
      this.isReading = false;
      if (!world.links.ami || !world.links.ari) return;
      for (const fact of this.endsMeanwhile) this.sink?.(fact);
      this.fresh = true;
      this.sink?.({ kind: 'feed-fresh', survey: world.survey() });
    });
  }

  /** Tells the daemon something at once. */
  tell(fact: PhoneFact): void {
    this.sink?.(fact);
  }

  hear(fact: PhoneFact): void {
    const { world, clock, chance, account, rates } = this.parts;
    const isEnd = fact.kind === 'call-ended' || fact.kind === 'leg-ended';
    // AMI alone still tells the ends.
    if (!world.links.ari && !(isEnd && world.links.ami)) return;
    if (this.isReading) {
      if (isEnd) this.endsMeanwhile.push(fact);
      return;
    }
    const isLate = !account.ended && chance.hits(rates.factLatePermille);
    const delayMs = isLate ? chance.spanMs(...lateMs) : chance.below(3);
    const channelId = 'callId' in fact ? fact.callId : 'legId' in fact ? fact.legId : '';
    // Within one channel the order is kept, as the port promises.
    const atMs = Math.max(clock.uptimeMs + delayMs, this.lastToldMs.get(channelId) ?? 0);
    this.lastToldMs.set(channelId, atMs);
    this.happened += 1;
    const order = this.happened;
    clock.after(atMs - clock.uptimeMs, () => {
      if (order < this.latestTold) account.note('fact-overtaken');
      this.latestTold = Math.max(this.latestTold, order);
      if (isEnd) this.lastToldMs.delete(channelId);
      this.sink?.(fact);
      if (account.ended || !chance.hits(rates.factDoubledPermille)) return;
      account.note('fact-doubled');
      this.sink?.(fact);
    });
  }
}

const isPeriod = (ms: number) => Number.isFinite(ms) && ms > 0 && ms <= longestMs;
