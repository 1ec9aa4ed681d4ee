// What the store knows about a question, read in the tick in which it is decided.
import { readAction } from './action-code.ts';
import { type CaseRow, keptStopId, type StopReason, stopScopes } from './case.ts';
import type { LiftStop, StopCases } from './case-steps.ts';
import type { ContactMode } from './contact.ts';
import type { Grant } from './grant.ts';
import type { Settle } from './settle.ts';
import type { CaseStore, CasesDraft } from './working-set.ts';

export interface PermitWish {
  campaignId: string;
  /** Whose campaign it is. */
  creditorId: string;
  callId: string;
  mode: ContactMode;
  agentId?: string | undefined;
  caseId?: string | undefined;
  numberId?: string | undefined;
}

/** What telephony reports of a contact it had a permit for. */
export interface ContactReport {
  permitId: string;
  outcome: string;
  answeredUtcMs?: number | undefined;
  effective: boolean;
  agentId?: string | undefined;
  /** Action code, and what has to be stated with some of them. */
  disposition?: string | undefined;
  stated?: Stated | undefined;
}

/** What an agent states beside the action code. */
export interface Stated {
  readonly callback?: { readonly dueUtcMs: number; readonly own: boolean } | undefined;
  readonly promise?: { readonly amountMinor: number; readonly dueUtcMs: number } | undefined;
}

/**
 * Candidates of the first look for a permit, which most often finds one, and of each later look,
 * which follows when all were withheld: every candidate costs six questions to the store.
 */
const candidatesOfLook = { first: 1, later: 8 };
/** An agent who agreed a callback has it to themselves for this long; then anybody keeps it. */
const ownCallbackMs = 15 * 60_000;

/** The numbers that a permit may be for: promised calls first, then what is due. */
export function grantQuestion(
  store: CaseStore,
  { caseId, numberId, ...wish }: PermitWish,
  atUtcMs: number,
  windowMs: number,
  look: keyof typeof candidatesOfLook,
): Grant {
  const sinceUtcMs = atUtcMs - windowMs;
  const { campaignId, mode, agentId } = wish;
  const question = { kind: 'grant', ...wish } as const;
  if (caseId !== undefined && numberId !== undefined) {
    const found = store.candidate(caseId, numberId, agentId ?? '', sinceUtcMs);
    return { ...question, candidates: found ? [found] : [] };
  }
  if (mode === 'manual') return { ...question, candidates: [] };
  const limit = candidatesOfLook[look];
  const promised = store.dueCallbacks(
    { campaignId, agentId: agentId ?? '', atUtcMs, strayUtcMs: atUtcMs - ownCallbackMs },
    sinceUtcMs,
    limit,
  );
  const due = store.dueLeads(campaignId, atUtcMs, sinceUtcMs, limit);
  const seen = new Set(promised.map(({ lead }) => lead?.id));
  return {
    ...question,
    candidates: [...promised, ...due.filter((each) => !seen.has(each.lead?.id))],
  };
}

/** What became of a permit, with everything that follows from it. */
export function settleQuestion(store: CaseStore, view: CasesDraft, report: ContactReport): Settle {
  const { permitId, outcome, answeredUtcMs, effective, agentId, disposition, stated } = report;
  const statement = disposition === undefined ? undefined : { code: disposition, ...stated };
  const contact = view.get('Contact', permitId);
  const row = contact && store.caseById(contact.caseId);
  const action = statement && readAction(statement, 0);
  const reason = action?.accepted ? action.code.stops : undefined;
  return {
    kind: 'settle',
    permitId,
    outcome,
    answeredUtcMs,
    effective,
    agentId,
    statement,
    facts: {
      person: contact && store.personById(contact.personId),
      numbers:
        contact?.numberKey === undefined
          ? []
          : store.sameNumbers(contact.numberKey, contact.personKey),
      leads: row ? store.movingCase(row).leads : [],
      stops: row && reason ? casesFor(store, row, reason) : { cases: [] },
      callback:
        contact?.callbackId === undefined ? undefined : store.callbackById(contact.callbackId),
    },
  };
}

/** The cases that a stop is true of: this one, or all of its debtor. */
export function casesFor(
  store: CaseStore,
  row: CaseRow,
  reason: StopReason,
): Pick<StopCases, 'cases' | 'personKey'> {
  const debtor = stopScopes[reason] === 'person' ? store.debtorOf(row.id) : undefined;
  const rows = debtor ? store.casesOfPerson(debtor.personKey) : [row];
  return { cases: rows.map((each) => store.movingCase(each)), personKey: debtor?.personKey };
}

/** The cases of which a stop is taken back, with the batches that may speak against it. */
export function liftQuestion(
  store: CaseStore,
  row: CaseRow | undefined,
  order: Pick<LiftStop, 'reason' | 'words' | 'by'>,
): LiftStop {
  const { cases, personKey } = row ? casesFor(store, row, order.reason) : { cases: [] };
  const kept =
    personKey === undefined ? undefined : store.stopById(keptStopId(personKey, order.reason));
  const batches = new Map(
    cases.flatMap(({ case: { batchId } }) => {
      const batch = store.batchById(batchId);
      return batch ? [[batchId, batch] as const] : [];
    }),
  );
  return { kind: 'lift-stop', ...order, cases, batches, kept };
}
