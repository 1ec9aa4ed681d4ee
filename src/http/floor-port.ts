// What the HTTP side asks of the floor; types only, and each function is one line in floor.ts.
import type { Readable } from 'node:stream';
import type { ActionCode } from '../cases/action-code.ts';
import type { BatchRow, CreditorRow } from '../cases/case.ts';
import type { Orders } from '../cases/orders.ts';
import type { People } from '../people/people.ts';
import type { Outcome } from '../people/person.ts';
import type { Account } from '../store/account.ts';
import type {
  AgentView,
  AlarmView,
  CampaignSettings,
  CampaignView,
  FloorView,
  HealthView,
  ListMapping,
} from './views.ts';

export interface FloorForHttp {
  people: People;
  telephony: TelephonyForHttp;
  cases: CasesForHttp;
  lists: ListsForHttp;
  recordings: RecordingsForHttp;
  alarms: AlarmsForHttp;
  live: LiveSource;
  account: AccountForHttp;
  health(): HealthView;
  figures(): FloorFigures;
}

/** `by` is what stands as `who` in the entry. Every order is durable when its promise resolves. */
export interface TelephonyForHttp {
  agents(): AgentView[];
  /** An agent's id is the id of the person at the seat. */
  signIn(
    order: {
      agentId: string;
      extension: string;
      way: AgentView['way'];
      campaignIds: readonly string[];
    },
    by: string,
  ): Promise<Outcome>;
  signOut(agentId: string, by: string): Promise<Outcome>;
  /** `lacks`: what the person's record lacks to be ready; the room refuses `ready` for it. */
  setState(
    order: {
      agentId: string;
      state: 'ready' | 'away' | 'break';
      code?: string;
      lacks: string | undefined;
    },
    by: string,
  ): Promise<Outcome>;
  /** A manual call; the permit decides whether it may be. */
  call(
    order: { agentId: string; campaignId: string; caseId: string; numberId: string },
    by: string,
  ): Promise<Outcome>;
  hangUp(order: { callId: string; agentId: string }, by: string): Promise<Outcome>;
  dispose(
    order: {
      callId: string;
      agentId: string;
      actionCode: string;
      effective: boolean;
      /** `own`: the agent who agreed it wants to keep it. */
      callback?: { dueUtcMs: number; own: boolean };
      promise?: { amountMinor: number; dueUtcMs: number };
    },
    by: string,
  ): Promise<Outcome>;
  campaigns(): CampaignView[];
  /** Creates or changes a campaign; it shows its creditor's number. */
  putCampaign(order: CampaignOrder, by: string): Promise<Outcome>;
  setCampaignState(
    order: { campaignId: string; state: CampaignView['state']; why: string },
    by: string,
  ): Promise<Outcome>;
  setCampaignSettings(
    order: { campaignId: string; settings: Partial<CampaignSettings> },
    by: string,
  ): Promise<Outcome>;
}

export interface CampaignOrder {
  campaignId: string;
  name: string;
  creditorId: string;
  mode: CampaignView['mode'];
  trunk: string;
  /** The rest stays as it is, or as the configuration has it for a new campaign. */
  settings?: Partial<CampaignSettings>;
}

export interface CasesForHttp extends Orders {
  creditors(): CreditorRow[];
  batches(): BatchRow[];
  /** What an agent may state after a contact. */
  actionCodes: Readonly<Record<string, ActionCode>>;
}

/** A file that was uploaded; it is the room's from now on, also to delete. */
export interface UploadedFile {
  path: string;
  form: 'csv' | 'xlsx';
  sizeBytes: number;
  sha256: string;
}

export interface NewList {
  file: UploadedFile;
  encoding: 'utf-8' | 'gb18030';
  campaignId: string;
  creditorId: string;
  name: string;
  deadlineUtcMs?: number;
  recallUtcMs?: number;
  mapping: ListMapping;
}

/** Always by a person's id, never a token's: two tokens of one person are not two people. */
export interface ListsForHttp {
  /** Folder into which uploads are written, on the disk of the data folder. */
  folder: string;
  /** Resolves as soon as reading has begun. */
  begin(order: NewList, byPersonId: string): Promise<Outcome<{ listId: string }>>;
  /** How far a list that is being read has come. */
  progress(listId: string): { line: number; bytes: number; rows: number } | undefined;
  /** The room refuses whoever brought it in: `same-person`. */
  confirm(listId: string, byPersonId: string): Promise<Outcome>;
  drop(listId: string, why: string, byPersonId: string): Promise<Outcome>;
}

/** Bytes of a recording, both included. */
export interface ByteRange {
  firstByte: number;
  lastByte: number;
}

export interface RecordingsForHttp {
  /**
   * Opens the plain FLAC of a recording, whole and checked against the ledger; `unsound` is one
   * that is not what was sealed. Nothing of it is sent before the entry `recording-played` is
   * durable, which the HTTP side sees to.
   */
  openAudio(
    recordingId: string,
    range: ByteRange,
  ): Promise<{ done: true; bytes: Readable } | { done: false; why: string; unsound?: boolean }>;
}

export interface AlarmsForHttp {
  /** Alarms that stand, of every room. */
  all(): AlarmView[];
  acknowledge(alarmId: string, by: string): Promise<Outcome>;
}

/** The ledger's own signature: made on demand, and read. */
export type AccountForHttp = Pick<Account, 'checkpoint' | 'latestCheckpoint'>;

/** News of the floor. `personId`: whom it is about; those who see only their own get these. */
export type LiveMessage =
  | { topic: 'agent'; personId: string; data: AgentView }
  | { topic: 'campaign'; data: CampaignView }
  | { topic: 'call'; personId?: string; data: CallNews }
  | { topic: 'alarm'; data: AlarmView }
  | { topic: 'import'; data: ImportNews };

/** A list on its way in, while it is read and when that has ended. */
export interface ImportNews {
  id: string;
  state: string;
  accepted: number;
  rejected: number;
  duplicates: number;
  progress?: { line: number; bytes: number; rows: number };
}

export interface CallNews {
  id: string;
  campaignId: string;
  state: string;
  agentId?: string;
  caseId?: string;
  /** With the last news of a call. */
  outcome?: string;
  /** With the news that agent and customer hear each other. */
  answerToBridgeMs?: number;
}

export interface LiveSource {
  snapshot(): FloorView;
  /** Calls the listener after each commit that changed something; returns how to end it. */
  subscribe(listener: (message: LiveMessage) => void): () => void;
}

/** Figures of this moment for /metrics; an unknown one is left out, never zero. */
export interface FloorFigures {
  agents: Readonly<Record<string, number>>;
  abandonShare?: number;
  /** Recordings that are not sealed yet. */
  recordingsUnverified: number;
  storage: readonly { class: string; daysLeft: number }[];
}
