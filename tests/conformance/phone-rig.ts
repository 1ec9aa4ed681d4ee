// What a phone system under test must let a test do; the real Asterisk and the fake both offer it.
import type { Clock } from '../../src/clock.ts';
import type { PhoneFact, PhoneSystem } from '../../src/telephony/phone-system.ts';

/** How the far end of a dialed number behaves. */
export type FarEnd =
  | 'declines'
  | 'talksUntilHungUp'
  | 'busy'
  | 'neverAnswers'
  | 'congested'
  | 'unallocated'
  | 'earlyMedia'
  | 'hangsUpAfter3s'
  | 'answersAtOnce';

/** Agents' phones: two that stay, one that hangs up after three seconds, one that can be killed. */
export type Phone = 'first' | 'second' | 'leaving' | 'mortal';

export interface PartyRecording {
  durationMs: number;
  /** Share of the sound's power (0 to 1) in the far end's tone and in the agent's tone. */
  customerTone: number;
  agentTone: number;
}

export interface PhoneRig {
  /** The adapter under test; another one after daemonReturns(). */
  readonly phone: PhoneSystem;
  readonly facts: FactLog;
  readonly trunk: string;
  readonly messageSound: string;
  /** Lasts longer than any far end listens. */
  readonly longSound: string;
  /** A number reserved for fiction whose far end behaves so. */
  number(farEnd: FarEnd): string;
  extension(phone: Phone): string;
  /** How often the far end was called at a number since the rig was opened. */
  timesCalled(number: string): Promise<number>;
  /** Ends the phone `mortal` without a word to anybody. */
  killMortalPhone(): Promise<void>;
  cut(feed: 'ami' | 'ari'): void;
  heal(feed: 'ami' | 'ari'): void;
  /** The phone system dies at once and is started again. */
  crash(): Promise<void>;
  /** The daemon's adapter is gone, the phone system stays. */
  daemonLeaves(): Promise<void>;
  daemonReturns(): Promise<void>;
  /** Lets that much time pass. */
  pass(ms: number): Promise<void>;
  /** Raw recordings of a call that has ended. */
  recordings(callId: string): Promise<{ customer: PartyRecording; agent: PartyRecording }>;
  close(): Promise<void>;
}

/** Every fact so far, and those still awaited. */
export class FactLog {
  readonly all: PhoneFact[] = [];
  readonly #clock: Clock;
  readonly #waiting = new Set<(fact: PhoneFact) => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  hear(fact: PhoneFact): void {
    this.all.push(fact);
    for (const wake of [...this.#waiting]) wake(fact);
  }

  /** Facts about a call or a leg, in order. */
  about(id: string): PhoneFact[] {
    return this.all.filter(
      (fact) => ('callId' in fact && fact.callId === id) || ('legId' in fact && fact.legId === id),
    );
  }

  kinds(id: string): string[] {
    return this.about(id).map((fact) => fact.kind);
  }

  /** The first fact that fits, among those told already from index `from` on, or yet to come. */
  until<F extends PhoneFact>(
    fits: (fact: PhoneFact) => fact is F,
    what: string,
    withinMs: number,
    from = 0,
  ): Promise<F> {
    const told = this.all.slice(from).find(fits);
    if (told !== undefined) return Promise.resolve(told);
    return new Promise((resolve, reject) => {
      const stop = () => {
        timer.cancel();
        this.#waiting.delete(wake);
      };
      const timer = this.#clock.after(withinMs, () => {
        stop();
        const last = this.all.slice(-8).map((fact) => JSON.stringify(fact));
        reject(new Error(`no ${what} within ${withinMs} ms; last facts:\n${last.join('\n')}`));
      });
      const wake = (fact: PhoneFact) => {
        if (!fits(fact)) return;
        stop();
        resolve(fact);
      };
      this.#waiting.add(wake);
    });
  }

  /** The first fact of this kind about a call or a leg. */
  untilKind<K extends PhoneFact['kind']>(kind: K, id: string, withinMs = 5000) {
    type Fact = Extract<PhoneFact, { kind: K }>;
    const about = (fact: PhoneFact): fact is Fact =>
      fact.kind === kind &&
      (('callId' in fact && fact.callId === id) || ('legId' in fact && fact.legId === id));
    return this.until(about, `${kind} of ${id}`, withinMs);
  }

  /** The first `feed-fresh` from index `from` on. */
  untilFresh(from: number, withinMs = 10_000) {
    type Fact = Extract<PhoneFact, { kind: 'feed-fresh' }>;
    const fits = (fact: PhoneFact): fact is Fact => fact.kind === 'feed-fresh';
    return this.until(fits, 'feed-fresh', withinMs, from);
  }

  /** The first `feed-stale` of that feed from index `from` on. */
  untilStale(feed: 'ami' | 'ari', from: number, withinMs = 10_000) {
    type Fact = Extract<PhoneFact, { kind: 'feed-stale' }>;
    const fits = (fact: PhoneFact): fact is Fact =>
      fact.kind === 'feed-stale' && fact.feed === feed;
    return this.until(fits, `feed-stale of ${feed}`, withinMs, from);
  }
}
