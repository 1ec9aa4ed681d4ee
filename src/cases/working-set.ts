// What the cases room keeps in memory, reads from the store, and asks for: types only.
import type { Draft, Effect, Moment, Row } from '../draft.ts';
import type {
  BatchRow,
  CasePersonRow,
  CaseRow,
  CreditorRow,
  NumberRow,
  ReleaseRow,
  StopListRow,
} from './case.ts';
import type { ContactMode, ContactRow } from './contact.ts';

/** One number of one case in one campaign: what the hopper is filled from. */
export interface LeadRow extends Row {
  readonly campaignId: string;
  readonly listId: string;
  readonly caseId: string;
  readonly personId: string;
  readonly numberId: string;
  readonly state: 'open' | 'closed';
  /** Not looked at before: the end of a refusal, or the rhythm after a fruitless call. */
  readonly nextUtcMs: number;
  readonly tries: number;
  readonly version: number;
}

/** A list as it came in. Its leads can't be seen before it is live, nor once it is dropped. */
export interface ListRow extends Row {
  readonly campaignId: string;
  readonly state: 'staging' | 'staged' | 'live' | 'dropped' | 'failed';
  readonly fileSha256?: string | undefined;
  readonly rejectSha256?: string | undefined;
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
  readonly case: CaseRow;
  readonly batch: BatchRow;
  readonly person: CasePersonRow;
  readonly number: NumberRow;
  readonly stopList: readonly StopListRow[];
  readonly release?: ReleaseRow | undefined;
  /** Contacts of the number, the person or the case that a cap may still count. */
  readonly contacts: readonly ContactRow[];
}

/** What stays in the store and comes in by question; one synchronous read each. */
export interface CaseStore {
  /** Leads of live lists whose time has come, earliest first. */
  dueLeads(campaignId: string, atUtcMs: number, sinceUtcMs: number, limit: number): Candidate[];
  /** One number of one case, for a call by hand. */
  candidate(
    caseId: string,
    numberId: string,
    agentId: string,
    sinceUtcMs: number,
  ): Candidate | undefined;
  caseById(caseId: string): CaseRow | undefined;
  /** All cases in which this person is the debtor. */
  casesOfPerson(personKey: string): CaseRow[];
  debtorOf(caseId: string): CasePersonRow | undefined;
  leadOf(numberId: string): LeadRow | undefined;
  numberById(numberId: string): NumberRow | undefined;
  /** Of these references of a creditor the known ones, each with the batch it came in with. */
  batchesOf(creditorId: string, references: readonly string[]): Map<string, string>;
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
  Contact: StoredContact;
  Lead: LeadRow;
  List: ListRow;
};

/** A permit as telephony gets it, with the number it may dial. */
export type GrantAnswer =
  | {
      outcome: 'granted';
      permit: {
        permitId: string;
        caseId: string;
        debtorId: string;
        numberId: string;
        number: string;
        segment: string;
      };
    }
  | { outcome: 'refused'; rule: string; untilUtcMs?: number | undefined };

export interface Grant {
  kind: 'grant';
  campaignId: string;
  callId: string;
  mode: ContactMode;
  agentId?: string | undefined;
  candidates: readonly Candidate[];
}

/** What became of a permit; the words are telephony's, the counting is ours. */
export interface Settle {
  kind: 'settle';
  permitId: string;
  outcome: string;
  answeredUtcMs?: number | undefined;
  dropped: boolean;
  carrierFailed: boolean;
  invalidNumber: boolean;
  spoke: boolean;
  effective: boolean;
  number: NumberRow | undefined;
  lead: LeadRow | undefined;
}

export type CasesEffect = Effect & {
  kind: 'tell-stopped';
  caseIds: readonly string[];
  reason: string;
};

export type CasesDraft = Draft<CasesTables, CasesEffect>;
export type { Moment };
