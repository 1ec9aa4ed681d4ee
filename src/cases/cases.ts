// The cases room's front: who may be contacted, by whom, when; every contact spends a permit.
import { Room, type RoomEvent, type RoomWorld } from '../room.ts';
import { stopScopes } from './case.ts';
import {
  type Outcome,
  type PutCreditor,
  putCreditor,
  type StopCases,
  stopCases,
} from './case-steps.ts';
import type { ContactPolicy } from './contact-policy.ts';
import { grant, settle } from './grant.ts';
import { type ListEvent, listStep } from './list-steps.ts';
import { longestWindowMs } from './may-contact.ts';
import type {
  CaseStore,
  CasesDraft,
  CasesEffect,
  CasesTables,
  Grant,
  GrantAnswer,
  Moment,
  Settle,
} from './working-set.ts';

export type CasesEvent = Grant | Settle | StopCases | PutCreditor | ListEvent;
export type CasesResult = { outcome: 'told' };

export interface CasesPorts {
  store: CaseStore;
  policy: ContactPolicy;
  /** Ends what rings for these cases in other rooms, and tells the supervisor. */
  stopped(caseIds: readonly string[], reason: string): void;
}

/** What telephony reports of a contact it had a permit for. */
export interface ContactReport {
  permitId: string;
  outcome: string;
  answeredUtcMs?: number | undefined;
  effective: boolean;
}

export interface PermitWish {
  campaignId: string;
  callId: string;
  mode: 'predictive' | 'progressive' | 'manual';
  agentId?: string | undefined;
  caseId?: string | undefined;
  numberId?: string | undefined;
}

export interface Cases {
  start(): Promise<void>;
  stop(): void;
  /** A permit for the next lead of a campaign, or for one number of a case by hand. */
  permit(request: PermitWish): Promise<GrantAnswer>;
  settle(report: ContactReport): Promise<void>;
  /** Stops a case, and with a reason that is true of the person, all cases of its debtor. */
  stopCase(order: {
    caseId: string;
    reason: keyof typeof stopScopes;
    by: string;
  }): Promise<Outcome>;
  ask<A>(event: CasesEvent): Promise<A>;
  view(): CasesDraft;
  lastTurnUptimeMs(): number;
}

/** Candidates looked at for one permit; the next look follows when all were withheld. */
const candidatesPerPermit = 8;

type CasesRoomEvent = RoomEvent<CasesEvent, CasesEffect, CasesResult>;

function decide(policy: ContactPolicy) {
  return (draft: CasesDraft, event: CasesRoomEvent, moment: Moment): void => {
    switch (event.kind) {
      case 'grant':
        return draft.answer(grant(draft, event, policy, moment));
      case 'settle':
        return settle(draft, event, policy, moment);
      case 'stop-cases':
        return draft.answer(stopCases(draft, event, moment));
      case 'put-creditor':
        return draft.answer(putCreditor(draft, event));
      case 'recovered':
        return draft.effect(moment.newId('effect'), event.effect);
      case 'done':
      case 'wake':
        return;
      default:
        return draft.answer(listStep(draft, event, moment));
    }
  };
}

export function openCases(world: RoomWorld, ports: CasesPorts): Cases {
  const { store, policy } = ports;
  const windowMs = longestWindowMs(policy);
  const room = new Room<CasesTables, CasesEvent, CasesEffect, CasesResult>(
    {
      name: 'cases',
      tables: {
        Creditor: 'all',
        Batch: 'all',
        Contact: { column: 'state', values: ['open'] },
        List: { column: 'state', values: ['staging', 'staged'] },
      },
      volatile: [],
      decide: decide(policy),
      nextWakeUtcMs: () => undefined,
      act: async (effect) => {
        ports.stopped(effect.caseIds, effect.reason);
        return { outcome: 'told' };
      },
      judge: async () => 'not-done',
      // Nothing comes in by itself here: whoever asks is refused and asks again.
      overflowed: () => {},
    },
    world,
  );
  return {
    start: () => room.recover(),
    stop: () => room.end(),
    async permit(request) {
      return room.askNow<GrantAnswer>(() => grantEvent(world, store, windowMs, request));
    },
    async settle({ permitId, outcome, answeredUtcMs, effective }) {
      room.askNow(() => {
        const numberId = room.view().get('Contact', permitId)?.numberId ?? '';
        return {
          kind: 'settle',
          permitId,
          outcome,
          answeredUtcMs,
          dropped: outcome === 'abandoned',
          carrierFailed: outcome === 'carrier-failure' || outcome === 'not-dialed',
          invalidNumber: outcome === 'invalid-number',
          spoke: outcome === 'conversation' || outcome === 'agent-lost',
          effective,
          number: store.numberById(numberId),
          lead: store.leadOf(numberId),
        };
      });
    },
    async stopCase({ caseId, reason, by }) {
      if (!store.caseById(caseId)) return { done: false, why: 'no-such-case' };
      return room.askNow<Outcome>(() => {
        const debtor = stopScopes[reason] === 'person' ? store.debtorOf(caseId) : undefined;
        const row = store.caseById(caseId);
        const cases = debtor ? store.casesOfPerson(debtor.personKey) : row ? [row] : [];
        return { kind: 'stop-cases', cases, reason, by };
      });
    },
    ask: (event) => room.ask(event),
    view: () => room.view(),
    lastTurnUptimeMs: () => room.lastTurnUptimeMs,
  };
}

/** The question of a permit with everything the rules look at, as the store holds it now. */
function grantEvent(
  world: RoomWorld,
  store: CaseStore,
  windowMs: number,
  { campaignId, callId, mode, agentId, caseId, numberId }: PermitWish,
): Grant {
  const atUtcMs = world.clock.utcMs();
  const sinceUtcMs = atUtcMs - windowMs;
  const question = { kind: 'grant', campaignId, callId, mode, agentId } as const;
  if (caseId !== undefined && numberId !== undefined) {
    const found = store.candidate(caseId, numberId, agentId ?? '', sinceUtcMs);
    return { ...question, candidates: found ? [found] : [] };
  }
  if (mode === 'manual') return { ...question, candidates: [] };
  const candidates = store.dueLeads(campaignId, atUtcMs, sinceUtcMs, candidatesPerPermit);
  return { ...question, candidates };
}
