// What the cases room keeps in memory, reads from the store, and asks for: types only.
import type { AlarmRow } from '../alarm.ts';
import type { Draft, Effect, Moment, Row } from '../draft.ts';
import type {
  BatchEnd,
  BatchRow,
  CallbackRow,
  CasePersonRow,
  CaseRow,
  CreditorRow,
  NoteRow,
  NumberRow,
  PromiseRow,
  ReleaseRow,
  StopListRow,
} from './case.ts';
import type { ContactRow } from './contact.ts';

/** One number of one case in one campaign: what the hopper is filled from. */
export interface LeadRow extends Row {
  readonly campaignId: string;
  readonly listId: string;
  readonly caseId: string;
  readonly personId: string;
  readonly numberId: string;
  /** closed: its case is stopped. */
  readonly state: 'open' | 'closed';
  /** Not looked at before: the end of a refusal, or the rhythm after a fruitless call. */
  readonly nextUtcMs: number;
  readonly tries: number;
  readonly version: number;
}

/** A list as it came in. Its leads can't be seen before it is live, nor once it is dropped. */
export interface ListRow extends Row {
  readonly campaignId: string;
  /** The batch that it becomes; each list is one. */
  readonly batchId: string;
  readonly state: 'staging' | 'staged' | 'live' | 'dropped' | 'failed';
  /** Why it failed or was dropped, and at which line of the file. */
  readonly why?: string | undefined;
  readonly line?: number | undefined;
  readonly fileSha256?: string | undefined;
  readonly rejectSha256?: string | undefined;
  /** Absent once the reject file is gone. */
  readonly rejectPath?: string | undefined;
  readonly accepted: number;
  readonly rejected: number;
  readonly duplicates: number;
  readonly byPersonId: string;
  readonly confirmedBy?: string | undefined;
  readonly atUtcMs: number;
}

/** Everything the decision about one contact looks at, read in the tick of the question. */
export interface Candidate {
  readonly lead?: LeadRow | undefined;
  /** The promised call that this one would keep. */
  readonly callback?: CallbackRow | undefined;
  readonly case: CaseRow;
  readonly batch: BatchRow;
  readonly person: CasePersonRow;
  readonly number: NumberRow;
  readonly stopList: readonly StopListRow[];
  readonly release?: ReleaseRow | undefined;
  /** Contacts of the number, the person or the case that a cap may still count. */
  readonly contacts: readonly ContactRow[];
}

/** A case with what stands still, or moves again, together with it. */
export interface MovingCase {
  readonly case: CaseRow;
  readonly leads: readonly LeadRow[];
  /** Open ones only. */
  readonly callbacks: readonly CallbackRow[];
}

/** Every row of a case that holds anything personal or hangs on one that does. */
export interface CaseFile {
  readonly case: CaseRow;
  readonly people: readonly CasePersonRow[];
  readonly numbers: readonly NumberRow[];
  readonly leads: readonly LeadRow[];
  readonly callbacks: readonly CallbackRow[];
  readonly promises: readonly PromiseRow[];
  readonly notes: readonly NoteRow[];
  readonly releases: readonly ReleaseRow[];
  /** What people wrote when they looked at the case or heard a recording of it. */
  readonly looks: readonly Row[];
  /** Calls of the case; their recordings bear its people's voices. */
  readonly callIds: readonly string[];
}

/** The place in a batch from which its next cases are read. */
export type BatchPlace = number;

/** What stays in the store and comes in by question; one synchronous read each. */
export interface CaseStore {
  /** Leads of live lists whose time has come, earliest first. */
  dueLeads(campaignId: string, atUtcMs: number, sinceUtcMs: number, limit: number): Candidate[];
  /** Promised calls whose time has come; those of another agent only from `strayUtcMs` back. */
  dueCallbacks(
    question: { campaignId: string; agentId: string; atUtcMs: number; strayUtcMs: number },
    sinceUtcMs: number,
    limit: number,
  ): Candidate[];
  /** One number of one case, for a call by hand. */
  candidate(
    caseId: string,
    numberId: string,
    agentId: string,
    sinceUtcMs: number,
  ): Candidate | undefined;
  caseById(caseId: string): CaseRow | undefined;
  batchById(batchId: string): BatchRow | undefined;
  movingCase(row: CaseRow): MovingCase;
  /** All cases in which this person is the debtor. */
  casesOfPerson(personKey: string): CaseRow[];
  /** Cases of a batch from a place on, and the next place while there are more. */
  casesOfBatch(
    batchId: string,
    from: BatchPlace,
    limit: number,
  ): { cases: CaseRow[]; next?: BatchPlace };
  debtorOf(caseId: string): CasePersonRow | undefined;
  personById(personId: string): CasePersonRow | undefined;
  numberById(numberId: string): NumberRow | undefined;
  /** The rows of one number of one person, in all their cases. */
  sameNumbers(numberKey: string, personKey: string): NumberRow[];
  callbackById(callbackId: string): CallbackRow | undefined;
  stopById(stopId: string): StopListRow | undefined;
  /** What the stop-list says of a person. */
  stopsOfPerson(personKey: string): StopListRow[];
  caseFile(row: CaseRow): CaseFile;
  /** Of these keys of references the known ones, each with the batch it came in with. */
  batchesOf(referenceKeys: readonly string[]): Map<string, string>;
  /** Did telephony take the permit of this call, so that it has settled or will settle it? */
  wasPermitted(callId: string): boolean;
  /** Takes what was deleted out of the write-ahead log too; false while a reader holds it. */
  clearLog(): boolean;
}

/** The state of a contact row in the store, so that open permits can be loaded at start. */
export type StoredContact = ContactRow & { readonly state: 'open' | 'settled' };

export type CasesTables = {
  Creditor: CreditorRow;
  Batch: BatchRow;
  Case: CaseRow;
  CasePerson: CasePersonRow;
  Number: NumberRow;
  StopList: StopListRow;
  Release: ReleaseRow;
  Callback: CallbackRow;
  PayPromise: PromiseRow;
  Note: NoteRow;
  /** Of the room of people, which keeps none in memory; erased with the case they are about. */
  Look: Row;
  Contact: StoredContact;
  Lead: LeadRow;
  List: ListRow;
  Alarm: AlarmRow;
};

/** The reject file of a list. */
export interface Rejects {
  readonly listId: string;
  readonly path: string;
}

/** What is done after the commit, in slices where it is too much for one. */
export type Work =
  | { kind: 'tell-stopped'; caseIds: readonly string[]; reason: string }
  | { kind: 'stop-batch'; batchId: string; reason: BatchEnd; from: BatchPlace }
  | { kind: 'reopen-batch'; batchId: string; from: BatchPlace }
  | { kind: 'erase-list'; listId: string; batchId: string }
  | { kind: 'erase-recordings'; caseId: string; callIds: readonly string[]; rejects: Rejects[] }
  /** What was deleted stands in the write-ahead log until that is emptied. */
  | { kind: 'clear-log'; what: 'case-gone' | 'list-gone'; about: string }
  | { kind: 'remove-rejects'; listId: string; path: string };

export type CasesEffect = Effect & Work & { readonly waitMs: number };

/** `more`: a slice is done, the next one begins there. `failed`: to be done again later. */
export type CasesResult = { outcome: 'done' | 'failed' } | { outcome: 'more'; next: BatchPlace };

export type CasesDraft = Draft<CasesTables, CasesEffect>;
export type { Moment };
