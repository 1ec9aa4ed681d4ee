// The two feeds from Asterisk: both kept up, read into facts, each one the witness of the other.
import type { Clock, Timer } from '../../clock.ts';
import { FloorError } from '../../errors.ts';
import type { Ids } from '../../ids.ts';
import type { PhoneFact, Survey } from '../phone-system.ts';
import { type AmiConnection, type AmiRecord, connectAmi } from './ami.ts';
import { type AriConnection, connectAri } from './ari.ts';
import {
  type AriAnswer,
  type AriEvent,
  type AriRequest,
  type AriValue,
  eventTypes,
  isTooOld,
} from './ari-calls.ts';
import {
  adoptSurvey,
  bridgeOf,
  type ChannelEnd,
  type Channels,
  endChannel,
  findBroken,
  hearEvent,
  isCall,
  isLeg,
  readSurvey,
} from './channel-facts.ts';
import { type Attempt, type Closable, type Keeper, keepOpen } from './keep-open.ts';

/** How to reach an Asterisk on this machine that runs the generated configuration. */
export interface AsteriskAccess {
  amiPort: number;
  amiSecret: string;
  ariPort: number;
  ariSecret: string;
  /** Names of the trunks that may be dialed through. */
  trunks: readonly string[];
}

/** ARI application and user name at both doors: ari.conf, manager.conf and extensions.conf. */
export const application = 'gatehouse';

/** One feed's word of an end must be followed by the other's within this time. */
export const witnessMs = 2000;
/** Events kept while what is alive is being read; beyond it the reading starts again. */
export const heldEvents = 10_000;

type FeedName = 'ami' | 'ari';
type ChannelEvent = Exclude<AriEvent, { type: 'ApplicationReplaced' }>;

/** An end that one feed has told and the other has not yet. */
interface LoneEnd extends ChannelEnd {
  heard: FeedName;
  timer: Timer;
}

/** Asterisk's number of a channel that is up (channelstate.h), as AMI has it. */
const amiUp = '6';

export class Feeds {
  readonly channels: Channels = new Map();
  readonly #access: AsteriskAccess;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #loneEnds = new Map<string, LoneEnd>();
  readonly #stale = new Set<FeedName>();
  readonly #subscribed = new Set<string>();
  readonly #keepers = new Map<FeedName, Keeper>();
  readonly #refuse: (cause: FloorError) => void;
  #tell: (fact: PhoneFact) => void = () => undefined;
  #ami: AmiConnection | undefined;
  #ari: AriConnection | undefined;
  #fresh = false;
  /** Events that arrive while what is alive is being read; undefined at all other times. */
  #held: ChannelEvent[] | undefined;

  /** `refuse` is told of an Asterisk that must not be driven: FloorError `asterisk.too-old`. */
  constructor(access: AsteriskAccess, clock: Clock, ids: Ids, refuse: (cause: FloorError) => void) {
    this.#refuse = refuse;
    this.#access = access;
    this.#clock = clock;
    this.#ids = ids;
  }

  start(sink: (fact: PhoneFact) => void): void {
    this.#tell = sink;
    this.#keep('ami', (attempt) => this.#openAmi(attempt));
    this.#keep('ari', (attempt) => this.#openAri(attempt));
  }

  async stop(): Promise<void> {
    this.#tell = () => undefined;
    this.#fresh = false;
    for (const { timer } of this.#loneEnds.values()) timer.cancel();
    this.#loneEnds.clear();
    await Promise.all([...this.#keepers.values()].map((keeper) => keeper.stop()));
  }

  /** Both feeds are up and what was alive has been read: calls may be placed. */
  get fresh(): boolean {
    return this.#fresh;
  }

  /** Throws FloorError `ari.disconnected` while nothing can be sent. */
  ask<R extends AriRequest>(request: R): Promise<AriAnswer<AriValue<R>>> {
    if (this.#ari === undefined) throw new FloorError('ari.disconnected');
    return this.#ari.ask(request);
  }

  /** Subscribes our application to a source, once in the life of a connection. */
  async subscribe(source: string): Promise<AriAnswer<undefined>> {
    if (this.#subscribed.has(source)) return { outcome: 'done', value: undefined };
    const answer = await this.ask({ ask: 'subscribe', app: application, source });
    if (answer.outcome === 'done') this.#subscribed.add(source);
    return answer;
  }

  /** What is alive now. Throws FloorError `ari.disconnected` when it can't be asked. */
  async survey(): Promise<Survey> {
    const { bootId, channels, bridges } = await this.#look();
    return readSurvey(bootId, channels, bridges);
  }

  #keep(name: FeedName, open: (attempt: Attempt) => Closable): void {
    const lost = (reason: string) => this.#feedLost(name, reason);
    this.#keepers.set(name, keepOpen(this.#clock, this.#ids, open, lost));
  }

  #openAmi(attempt: Attempt): AmiConnection {
    const { amiPort: port, amiSecret: secret } = this.#access;
    const connection = connectAmi({ port, user: application, secret }, this.#clock, this.#ids, {
      up: () => this.#feedUp('ami', attempt, () => (this.#ami = connection)),
      lost: (reason) => attempt.lost(reason),
      event: (record) => this.#hearAmi(record),
    });
    return connection;
  }

  #openAri(attempt: Attempt): AriConnection {
    const { ariPort: port, ariSecret: secret } = this.#access;
    const access = { port, app: application, user: application, secret };
    const connection = connectAri(access, this.#clock, {
      up: () => this.#feedUp('ari', attempt, () => (this.#ari = connection)),
      lost: (reason) => attempt.lost(reason),
      event: (event) => this.#hearAri(event),
    });
    return connection;
  }

  #feedUp(name: FeedName, attempt: Attempt, take: () => void): void {
    take();
    attempt.proven();
    this.#stale.delete(name);
    if (this.#ami !== undefined && this.#ari !== undefined) void this.#resync();
  }

  #feedLost(name: FeedName, reason: string): void {
    this.#fresh = false;
    this.#held = undefined;
    if (name === 'ami') this.#ami = undefined;
    else {
      this.#ari = undefined;
      this.#subscribed.clear();
    }
    // What the other feed alone has told is the best there is now.
    for (const [channelId, end] of this.#loneEnds) {
      end.timer.cancel();
      if (end.heard !== name) this.#tellEnd(channelId, end);
    }
    this.#loneEnds.clear();
    if (this.#stale.has(name)) return;
    this.#stale.add(name);
    this.#tell({ kind: 'feed-stale', feed: name, reason });
  }

  /** Reads what is alive, mends what is broken, then lets the facts flow again. */
  async #resync(): Promise<void> {
    const { ami, ari } = { ami: this.#ami, ari: this.#ari };
    const same = () => this.#ami === ami && this.#ari === ari;
    this.#held = [];
    const failure = await this.#readBack(same).catch((cause) => {
      if (cause instanceof FloorError) return cause.message;
      throw cause;
    });
    if (failure !== undefined && same()) this.#keepers.get('ari')?.renew(failure);
  }

  /** Returns why it failed; undefined when it is done, or overtaken by the loss of a feed. */
  async #readBack(same: () => boolean): Promise<string | undefined> {
    const version = done(await this.ask({ ask: 'version' }));
    if (!same()) return undefined;
    if (isTooOld(version)) {
      void this.stop();
      this.#refuse(new FloorError('asterisk.too-old', version));
      return undefined;
    }
    // Asterisk forgets both with the connection or its own end, and says so to nobody.
    const filter = { ask: 'filter', app: application, types: eventTypes } as const;
    const steps = [() => this.ask(filter)];
    for (const trunk of this.#access.trunks)
      steps.push(() => this.subscribe(`endpoint:PJSIP/${trunk}`));
    for (const step of steps) {
      const answer = await step();
      if (!same()) return undefined;
      if (answer.outcome === 'refused') return answer.message;
      if (answer.outcome === 'unknown') return answer.reason;
    }
    await this.#mend();
    const { bootId, channels, bridges } = await this.#look();
    const witnessed = await this.#ami?.action('CoreStatus');
    if (!same()) return undefined;
    if (witnessed?.outcome !== 'success') return 'AMI does not state its status';
    const { corestartupdate: day, corestartuptime: time } = witnessed.fields;
    if (!bootId.startsWith(`${day}T${time}`)) return 'AMI and ARI are not of one boot';
    this.#adopt(readSurvey(bootId, channels, bridges));
    return undefined;
  }

  #adopt(survey: Survey): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    const alive = new Set<string>([
      ...survey.calls.map((call) => call.callId),
      ...survey.legs.map((leg) => leg.legId),
    ]);
    // An end that came before the reading is told before it: the reading knows no cause.
    for (const event of held)
      if (event.type === 'ChannelDestroyed' && !alive.has(event.channelId)) this.#hearAri(event);
    // And so is one that AMI alone has told, while ARI was not heard yet.
    for (const [channelId, end] of this.#loneEnds) {
      if (end.heard !== 'ami' || alive.has(channelId)) continue;
      end.timer.cancel();
      this.#loneEnds.delete(channelId);
      this.#tellEnd(channelId, end);
    }
    adoptSurvey(this.channels, survey);
    this.#fresh = true;
    this.#tell({ kind: 'feed-fresh', survey });
    for (const event of held) this.#hearAri(event);
  }

  /** Gives legs that lost their bridge a new one, and ends bridges whose leg is gone. */
  async #mend(): Promise<void> {
    const { channels, bridges } = await this.#look();
    const { unbridgedLegs, orphanBridges } = findBroken(channels, bridges);
    for (const bridgeId of orphanBridges) await this.ask({ ask: 'end-bridge', bridgeId });
    for (const legId of unbridgedLegs) await this.#bridgeLeg(legId);
  }

  async #look() {
    const started = done(await this.ask({ ask: 'started' }));
    const channels = done(await this.ask({ ask: 'channels' }));
    const bridges = done(await this.ask({ ask: 'bridges' }));
    return { bootId: started, channels, bridges };
  }

  #hearAri(event: AriEvent): void {
    if (event.type === 'ApplicationReplaced') {
      // Someone else drives this Asterisk now; to come back would be a tug of war.
      void this.#keepers.get('ari')?.stop();
      return this.#feedLost('ari', 'another client took the application');
    }
    if (this.#held !== undefined) {
      if (this.#held.length >= heldEvents) this.#keepers.get('ari')?.renew('too many events');
      else this.#held.push(event);
      return;
    }
    this.#tellAll(hearEvent(this.channels, event));
    if (event.type === 'StasisStart') this.#receiveLeg(event.channelId);
    if (event.type !== 'ChannelDestroyed') return;
    const { channelId, cause, wasUp, atUtcMs } = event;
    if (isCall(channelId) || isLeg(channelId))
      this.#witness('ari', channelId, { cause: { cause }, wasUp, atUtcMs });
  }

  #hearAmi(record: AmiRecord): void {
    const channelId = record.uniqueid;
    if (record.event !== 'Hangup' || typeof channelId !== 'string') return;
    if (!isCall(channelId) && !isLeg(channelId)) return;
    const sipCode = Number(record.techcause);
    const cause = {
      cause: Number(record.cause) || 0,
      ...(Number.isInteger(sipCode) && sipCode > 0 ? { sipCode } : {}),
    };
    const atUtcMs = Math.round(Number(record.timestamp) * 1000);
    this.#witness('ami', channelId, { cause, wasUp: record.channelstate === amiUp, atUtcMs });
  }

  /** Both feeds tell every end. One that is told once only shows that the other feed is behind. */
  #witness(heard: FeedName, channelId: string, end: ChannelEnd): void {
    const first = this.#loneEnds.get(channelId);
    if (first !== undefined && first.heard !== heard) {
      first.timer.cancel();
      this.#loneEnds.delete(channelId);
      return;
    }
    const other = heard === 'ami' ? 'ari' : 'ami';
    if ((other === 'ami' ? this.#ami : this.#ari) === undefined) {
      if (heard === 'ami') this.#tellEnd(channelId, end);
      return;
    }
    const timer = this.#clock.after(witnessMs, () => {
      this.#keepers.get(other)?.renew(`${other} is behind ${heard}`);
    });
    this.#loneEnds.set(channelId, { ...end, heard, timer });
  }

  #tellEnd(channelId: string, end: ChannelEnd): void {
    this.#tellAll(endChannel(this.channels, channelId, end));
  }

  #tellAll(facts: readonly PhoneFact[]): void {
    for (const fact of facts) {
      if (fact.kind === 'leg-ended') this.#dropBridge(fact.legId);
      this.#tell(fact);
    }
  }

  /** A phone that answered gets its bridge at once; without one it is of no use and is hung up. */
  #receiveLeg(legId: string): void {
    if (!isLeg(legId) || this.channels.get(legId)?.phase !== 'dialing') return;
    this.#try(async () => {
      const answer = await this.#bridgeLeg(legId);
      if (answer.outcome !== 'done') await this.ask({ ask: 'hang-up', channelId: legId });
    });
  }

  async #bridgeLeg(legId: string): Promise<AriAnswer<undefined>> {
    const bridgeId = bridgeOf(legId);
    const made = await this.ask({ ask: 'make-bridge', bridgeId });
    if (made.outcome !== 'done') return made;
    return this.ask({ ask: 'join', bridgeId, channelId: legId });
  }

  /** Refused when it never had one; whatever else remains is found by the next reading. */
  #dropBridge(legId: string): void {
    this.#try(async () => {
      await this.ask({ ask: 'end-bridge', bridgeId: bridgeOf(legId) });
    });
  }

  /** Does what can wait: once a feed is lost, the reading after the next connect makes it good. */
  #try(work: () => Promise<void>): void {
    work().catch((cause) => {
      if (!(cause instanceof FloorError)) throw cause;
    });
  }
}

function done<V>(answer: AriAnswer<V>): V {
  if (answer.outcome === 'done') return answer.value;
  const detail = answer.outcome === 'refused' ? answer.message : answer.reason;
  throw new FloorError('ari.disconnected', detail);
}
