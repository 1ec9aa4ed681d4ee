// What telephony keeps in memory, the effects it asks for and their results: types only.
import type { AlarmRow } from '../alarm.ts';
import type { Draft, Effect, Moment, Row } from '../draft.ts';
import type { PacingFigures, PacingModels } from './pacing/pacing.ts';
import type { DialOrder, EndCause, EndedBy, OrderOutcome, Survey } from './phone-system.ts';
import type {
  CheckOutcome,
  DiscardOutcome,
  RawRecording,
  SealOrder,
  SealOutcome,
} from './recordings.ts';

/** out: not signed in · away: signed in, not working · the others as floor-life.md has them. */
export type AgentState = 'out' | 'away' | 'ready' | 'reserved' | 'talking' | 'wrap-up' | 'break';

export interface AgentRow extends Row {
  readonly personId: string;
  readonly extension: string;
  /** pre-connected: the phone stays on the line · ring-per-call: it is rung before each dial. */
  readonly way: 'pre-connected' | 'ring-per-call';
  readonly campaignIds: readonly string[];
  readonly state: AgentState;
  /** Why away or on break. */
  readonly code?: string | undefined;
  readonly sinceUtcMs: number;
  readonly legId?: string | undefined;
  readonly legState: 'none' | 'ringing' | 'up';
  readonly callId?: string | undefined;
  /** State the agent asked for, reached when the phone is up or the call is over. */
  readonly wanted?: 'ready' | 'away' | 'break' | 'out' | undefined;
  readonly wantedCode?: string | undefined;
  /** End of wrap-up. */
  readonly untilUtcMs?: number | undefined;
  /** End of the wait for the phone to be picked up. */
  readonly phoneUntilUtcMs?: number | undefined;
}

/**
 * asked → dialing (ordered) → dialed (taken) → ringing → answered (waits) → connecting → talking →
 * wrap-up → ended; message: hears that nobody is free. `ended` rows leave memory.
 */
export type CallState =
  | 'asked'
  | 'dialing'
  | 'dialed'
  | 'ringing'
  | 'answered'
  | 'connecting'
  | 'talking'
  | 'message'
  | 'wrap-up'
  | 'ended';

export type CallOutcomeCode =
  | 'no-permit'
  | 'busy'
  | 'no-answer'
  | 'rejected'
  | 'invalid-number'
  | 'carrier-failure'
  | 'not-dialed'
  | 'cancelled'
  | 'failed'
  | 'unknown'
  | 'conversation'
  | 'abandoned'
  | 'not-recorded'
  | 'agent-lost';

export interface CallRow extends Row {
  readonly campaignId: string;
  readonly mode: 'predictive' | 'progressive' | 'manual';
  readonly state: CallState;
  readonly permitId?: string | undefined;
  readonly caseId?: string | undefined;
  readonly debtorId?: string | undefined;
  readonly numberId?: string | undefined;
  /** Kind of number and hour of day, by which pacing learns. */
  readonly segment: string;
  /** Set from the start for a manual call and for an agent who is rung per call. */
  readonly agentId?: string | undefined;
  readonly askedUtcMs: number;
  readonly dialedUtcMs?: number | undefined;
  readonly ringingUtcMs?: number | undefined;
  readonly answeredUtcMs?: number | undefined;
  readonly connectedUtcMs?: number | undefined;
  readonly endedUtcMs?: number | undefined;
  readonly cause?: number | undefined;
  readonly sipCode?: number | undefined;
  readonly endedBy?: EndedBy | undefined;
  /** Why we asked the phone system to end it. */
  readonly endAsked?: string | undefined;
  readonly outcome?: CallOutcomeCode | undefined;
  readonly disposition?: string | undefined;
  /** As the agent stated with the disposition. */
  readonly effective?: boolean | undefined;
  /** Until the contact is settled with it. */
  readonly stated?: Stated | undefined;
  /** It was alive when the daemon or the phone system restarted. */
  readonly recovered: boolean;
  /** Memory only: how often it could not be connected, and when that is tried again. */
  readonly refusals?: number | undefined;
  readonly nextTryUtcMs?: number | undefined;
}

/** What an agent states beside the action code; `cases` acts on it when the contact is settled. */
export interface Stated {
  readonly callback?: { readonly dueUtcMs: number; readonly own: boolean } | undefined;
  readonly promise?: { readonly amountMinor: number; readonly dueUtcMs: number } | undefined;
}

export interface CampaignSettings {
  readonly trunk: string;
  /** The creditor's registered, answerable number. */
  readonly callerId: string;
  readonly ringMs: number;
  readonly limitMs: number;
  readonly noticeSound?: string | undefined;
  readonly messageSound: string;
  /** An answered call has an agent, or hears the message, this long after the answer. */
  readonly waitMs: number;
  readonly limitShare: number;
  readonly targetShare: number;
  readonly wrapUpMs: number;
  readonly maxLines: number;
  readonly maxCallsPerAgent: number;
}

export interface CampaignRow extends Row {
  readonly name: string;
  readonly creditorId: string;
  readonly mode: 'predictive' | 'progressive';
  readonly state: 'stopped' | 'running' | 'paused';
  readonly stateWhy?: string | undefined;
  readonly settings: CampaignSettings;
}

/** Counts of one campaign on one UTC day; id is `<campaign>:<day>`. */
export interface CampaignDayRow extends Row {
  readonly campaignId: string;
  readonly day: string;
  readonly dialed: number;
  readonly answered: number;
  readonly abandoned: number;
}

export interface RecordingRow extends Row {
  /**
   * live → closed → sealed → kept, or quarantined. kept: the raw files are gone · erased: its key
   * is destroyed, so that nobody can hear it again.
   */
  readonly state: 'live' | 'closed' | 'sealed' | 'kept' | 'quarantined' | 'erased';
  readonly why?: string | undefined;
  /** Answer to hang-up by the phone system's stamps; 0 where nobody saw the end. */
  readonly spanMs: number;
  /** Memory only: so long the call surely lasted, where nobody saw the end. */
  readonly leastMs?: number | undefined;
  readonly crashed: boolean;
  readonly tries: number;
  readonly nextUtcMs?: number | undefined;
  readonly objectId?: string | undefined;
  readonly plainSha256?: string | undefined;
  readonly cipherSha256?: string | undefined;
  readonly plainBytes?: number | undefined;
  readonly iv?: string | undefined;
  readonly wrappedKey?: string | undefined;
  readonly keyId?: string | undefined;
  readonly durationMs?: number | undefined;
  readonly sealedUtcMs?: number | undefined;
  readonly notice: boolean;
  readonly repaired: boolean;
}

/** Memory only: what pacing learned, and when it may think again. */
export interface PaceRow extends Row {
  readonly models: PacingModels;
  readonly nextUtcMs?: number | undefined;
  /** Until then no lead is asked for: the last answer was that none may be called. */
  readonly dryUntilUtcMs: number;
  readonly mode?: string | undefined;
  readonly reason?: string | undefined;
  readonly figures?: PacingFigures | undefined;
  /** When it last asked for a call: campaigns that share agents take turns. */
  readonly askedUtcMs?: number | undefined;
}

/** Memory only, one row `now`: the state of the feeds, the trunks and the disks. */
export interface PlantRow extends Row {
  readonly feed: 'stale' | 'surveying' | 'fresh';
  /** Wall clock less uptime: it moves only where somebody sets the wall clock. */
  readonly offsetMs?: number | undefined;
  /** Surveys on their way, and the recordings whose raw files have gone meanwhile. */
  readonly surveys?: number | undefined;
  readonly gone?: readonly string[] | undefined;
  /** The last survey or hang-up failed: then the next survey is asked for. */
  readonly surveyUtcMs?: number | undefined;
  /** Since then, or a little longer, what happens to calls may not have been told. */
  readonly lostUtcMs?: number | undefined;
  readonly bootId: string;
  readonly spoolHours: number;
  readonly vaultHours: number;
  readonly storageOk: boolean;
  /** Trunk → until when nothing is sent to it, and how often in a row it failed. */
  readonly trunks: Readonly<Record<string, { untilUtcMs: number; failures: number }>>;
}

export type TelephonyTables = {
  Agent: AgentRow;
  Call: CallRow;
  Campaign: CampaignRow;
  CampaignDay: CampaignDayRow;
  Recording: RecordingRow;
  Alarm: AlarmRow;
  Pace: PaceRow;
  Plant: PlantRow;
};

/** A contact that may be made: committed with its counters before this answer is given. */
export interface Permit {
  permitId: string;
  caseId: string;
  debtorId: string;
  numberId: string;
  number: string;
  segment: string;
}

export interface PermitRequest {
  campaignId: string;
  creditorId: string;
  callId: string;
  mode: CallRow['mode'];
  agentId?: string | undefined;
  caseId?: string | undefined;
  numberId?: string | undefined;
}

export type PermitAnswer =
  | { outcome: 'granted'; permit: Permit }
  | { outcome: 'refused'; rule: string; untilUtcMs?: number | undefined };

/** What became of a permitted contact; `cases` settles its counters by it. */
export interface ContactResult {
  permitId: string;
  callId: string;
  outcome: CallOutcomeCode;
  answeredUtcMs?: number | undefined;
  /** A person was spoken to; unmarked counts as effective. */
  effective: boolean;
  /** Who spoke with the far side, and stated what follows. */
  agentId?: string | undefined;
  disposition?: string | undefined;
  stated?: Stated | undefined;
  atUtcMs: number;
}

/** What a survey is held against: it may be older than what came about while it was on its way. */
export interface KnownThen {
  /** Calls that had been dialed; what is missing of them is over. */
  readonly callIds: readonly string[];
  /** Calls that an agent talked with; whoever of them is in no bridge is alone. */
  readonly talkingIds: readonly string[];
  /** Phones that had been rung; what is missing of them is gone. */
  readonly legIds: readonly string[];
}

export type TelephonyEffect = Effect &
  (
    | { kind: 'ring-agent'; legId: string; agentId: string; extension: string; ringMs: number }
    | { kind: 'request-permit'; request: PermitRequest }
    | { kind: 'dial'; order: DialOrder }
    | { kind: 'check-recording'; callId: string }
    | { kind: 'connect'; callId: string; legId: string }
    | { kind: 'end-with-message'; callId: string }
    | { kind: 'hang-up'; channelId: string }
    | ({ kind: 'seal' } & SealOrder)
    | { kind: 'discard-raw'; recordingId: string; objectId: string }
    | { kind: 'erase-object'; cipherSha256: string }
    | { kind: 'settle-contact'; contact: ContactResult }
    | ({ kind: 'survey' } & KnownThen)
  );

export type TelephonyResult =
  | OrderOutcome
  | PermitAnswer
  | CheckOutcome
  | SealOutcome
  | DiscardOutcome
  | { outcome: 'erased' }
  | { outcome: 'settled' }
  | { outcome: 'surveyed'; survey: Survey; raw: readonly RawRecording[] };

export type TelephonyDraft = Draft<TelephonyTables, TelephonyEffect>;
export type { EndCause, Moment };
