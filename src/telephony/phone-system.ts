// The port to the phone system: orders that telephony may give and facts that come back.

/**
 * Every channel bears an id of ours: a call's customer channel has the call's id (`call-…`), an
 * agent's phone the id of its leg (`leg-…`). Ids are made before the order is given, so that an
 * order whose answer was lost can be judged by looking for its id.
 */
export interface DialOrder {
  callId: string;
  trunk: string;
  /** E.164 with its plus sign. */
  number: string;
  /** The creditor's registered caller id, E.164. */
  callerId: string;
  /** The far end is let ring this long before the phone system cancels. */
  ringMs: number;
  /** The phone system itself ends the call after this long, with or without the daemon. */
  limitMs: number;
  /** Sound name of the recording notice played at answer; absent where policy asks for none. */
  noticeSound?: string;
  /** Sound name of the message a caller hears when no agent takes the call. */
  messageSound: string;
}

export interface RingAgentOrder {
  legId: string;
  extension: string;
  ringMs: number;
}

/** accepted: the phone system took it · refused: it did not, and why · unknown: judge by survey. */
export type OrderOutcome =
  | { outcome: 'accepted' }
  | { outcome: 'refused'; reason: string }
  | { outcome: 'unknown'; reason: string };

/** Who ended a call, as far as the phone system can tell. */
export type EndedBy = 'far-end' | 'us' | 'phone-system';

/** Q.850 cause with the SIP answer where the network gave one. */
export interface EndCause {
  cause: number;
  sipCode?: number;
}

/** Facts in the order in which the phone system stated them. `atUtcMs` is its own stamp. */
export type PhoneFact =
  | { kind: 'call-ringing'; callId: string; atUtcMs: number }
  | { kind: 'call-early-media'; callId: string; atUtcMs: number }
  /**
   * The far end answered, recording has begun and the call waits for an agent. `noticedUtcMs`: the
   * recording notice was played to its end at that time; absent where it was not.
   */
  | { kind: 'call-answered'; callId: string; atUtcMs: number; noticedUtcMs?: number }
  /** `wasUp`: the far end had answered, also where no fact has told so. */
  | {
      kind: 'call-ended';
      callId: string;
      atUtcMs: number;
      by: EndedBy;
      cause: EndCause;
      wasUp?: true;
    }
  | { kind: 'leg-up'; legId: string; atUtcMs: number }
  | { kind: 'leg-ended'; legId: string; atUtcMs: number; cause: EndCause }
  /** A channel entered or left the bridge of an agent's leg. */
  | { kind: 'bridge-joined'; callId: string; legId: string; atUtcMs: number }
  | { kind: 'bridge-left'; callId: string; legId: string; atUtcMs: number }
  /** Both feeds are up and the survey shows what is alive now. */
  | { kind: 'feed-fresh'; survey: Survey }
  /** A feed is down or behind: nothing may be dialed, predictive pacing stops. */
  | { kind: 'feed-stale'; feed: 'ami' | 'ari'; reason: string };

/** What is alive in the phone system at one moment. `bootId` changes when it was restarted. */
export interface Survey {
  bootId: string;
  calls: readonly SurveyedCall[];
  legs: readonly { legId: string; up: boolean }[];
}

export interface SurveyedCall {
  callId: string;
  state: 'dialing' | 'ringing' | 'up';
  /** In the daemon's hands (Stasis), so that it can be connected. */
  held: boolean;
  /** The leg in whose bridge it is. */
  legId?: string;
}

/** Raw recording of one party. `finished` = the header states the length of the data. */
export interface RawLeg {
  sizeBytes: number;
  finished: boolean;
}

export interface PhoneSystem {
  /** Starts both feeds and keeps them up until stop(); `sink` gets every fact. */
  start(sink: (fact: PhoneFact) => void): Promise<void>;
  stop(): Promise<void>;
  /** Places one call. A second order with the same id is answered `accepted` and places nothing. */
  dial(order: DialOrder): Promise<OrderOutcome>;
  /** Rings an agent's phone; once up it has a bridge of its own, named after the leg. */
  ringAgent(order: RingAgentOrder): Promise<OrderOutcome>;
  /** Puts an answered call into the bridge of an agent's leg. Repeating it changes nothing. */
  connect(callId: string, legId: string): Promise<OrderOutcome>;
  /** Plays the abandonment message, then ends the call; goes on without the daemon. */
  endWithMessage(callId: string): Promise<OrderOutcome>;
  /** Ends a channel, call or leg; one that is gone already counts as accepted. */
  hangUp(channelId: string): Promise<OrderOutcome>;
  /** Asks the phone system what is alive now. Throws FloorError when it can't be asked. */
  survey(): Promise<Survey>;
}
