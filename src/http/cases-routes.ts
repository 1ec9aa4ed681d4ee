// Routes of the cases room: cases, contacts and why they were made, calls that are promised.
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { StopReason } from '../cases/case.ts';
import { type App, actorOf, answers, found, type HttpParts, mustBeOwn } from './app.ts';
import {
  Code,
  digits,
  exactly,
  Id,
  limitOf,
  listOf,
  numberOf,
  pageKeys,
  pageOf,
  Reason,
  UtcMs,
} from './forms.ts';
import { granted, Problem } from './problems.ts';
import {
  ActionCodeView,
  CallbackView,
  CaseSummary,
  CaseView,
  ContactView,
  DoneView,
  WeekForm,
} from './views.ts';
import { shownWeek, weekOf } from './week-form.ts';

const rowsShown = 1_000;
const CaseParam = exactly({ caseId: Id });

// As a record, since the compiler then holds it complete.
const stopReasons: Record<StopReason, true> = {
  paid: true,
  recalled: true,
  expired: true,
  disputed: true,
  complained: true,
  defrauded: true,
  refused: true,
  dead: true,
  'in-prison': true,
  ill: true,
  'at-risk': true,
};
export const StopReasonForm = Type.Enum(Object.keys(stopReasons) as StopReason[]);

export function addCasesRoutes(app: App, parts: HttpParts): void {
  addCases(app, parts);
  addCaseOrders(app, parts);
  addWishes(app, parts);
  addContacts(app, parts);
  addPromises(app, parts);
}

/** A case is one's own when it is allocated to one, or one is on a call about it. */
async function reached(request: FastifyRequest, { floor, history }: HttpParts, caseId: string) {
  const row = found(await history.case(caseId));
  if (request.reach === 'all') return row;
  const { personId } = actorOf(request);
  const seat = floor.telephony.agents().find(({ id }) => id === personId);
  if (seat?.caseId !== caseId) mustBeOwn(request, row.allocatedTo);
  return row;
}

function addCases(app: App, parts: HttpParts): void {
  const { history } = parts;

  app.get(
    '/api/cases',
    {
      schema: {
        tags: ['cases'],
        summary: 'Cases without names and numbers',
        querystring: exactly({
          allocatedTo: Type.Optional(Id),
          batchId: Type.Optional(Id),
          ...pageKeys,
        }),
        response: answers(exactly({ cases: listOf(CaseSummary, rowsShown) })),
      },
    },
    async (request) => {
      const { batchId } = request.query;
      const { personId } = actorOf(request);
      const own = request.reach === 'own' ? personId : undefined;
      const allocatedTo = request.query.allocatedTo ?? own;
      mustBeOwn(request, allocatedTo);
      return { cases: await history.cases({ allocatedTo, batchId }, pageOf(request.query)) };
    },
  );

  app.get(
    '/api/cases/:caseId',
    {
      schema: {
        tags: ['cases'],
        summary: 'One case with names and numbers; that you saw it is recorded',
        params: CaseParam,
        response: answers(CaseView),
      },
    },
    async (request) => {
      const { caseId } = request.params;
      const row = await reached(request, parts, caseId);
      const people = await history.casePeople(caseId);
      const look = { what: 'case-viewed', about: caseId };
      await parts.floor.people.noteLook(actorOf(request), look);
      const shown = people.map(({ numbers, ...person }) => ({
        ...person,
        numbers: numbers.map(({ notThen, ...number }) => ({
          ...number,
          ...(notThen === undefined ? {} : { notThen: shownWeek(notThen) }),
        })),
      }));
      return { ...row, people: shown };
    },
  );
}

function addCaseOrders(app: App, parts: HttpParts): void {
  const { cases, people } = parts.floor;

  app.post(
    '/api/cases/:caseId/stop',
    {
      schema: {
        tags: ['cases'],
        summary: 'Stop a case: no number of it is contacted from now on',
        params: CaseParam,
        body: exactly({ reason: StopReasonForm }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const { caseId } = request.params;
      await reached(request, parts, caseId);
      return granted(await cases.stop({ ...request.body, caseId }, actorOf(request).who));
    },
  );

  app.put(
    '/api/cases/:caseId/allocation',
    {
      schema: {
        tags: ['cases'],
        summary: 'Give a case to an agent, or without one take it back',
        params: CaseParam,
        body: exactly({ agentId: Type.Optional(Id) }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const { agentId } = request.body;
      if (agentId !== undefined && people.person(agentId)?.state !== 'active') {
        throw new Problem('not-found');
      }
      const order = { ...request.body, caseId: request.params.caseId };
      return granted(await cases.allocate(order, actorOf(request).who));
    },
  );

  app.post(
    '/api/cases/:caseId/release',
    {
      schema: {
        tags: ['cases'],
        summary: 'Let an agent call once into a case that is not theirs',
        params: CaseParam,
        body: exactly({ agentId: Id, note: Reason }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const order = { ...request.body, caseId: request.params.caseId };
      return granted(await cases.release(order, actorOf(request).who));
    },
  );
}

function addWishes(app: App, parts: HttpParts): void {
  app.put(
    '/api/cases/:caseId/numbers/:numberId/wishes',
    {
      schema: {
        tags: ['cases'],
        summary: 'State anew what the person asked of a number: not at work, not at these times',
        params: exactly({ caseId: Id, numberId: Id }),
        body: exactly({ notAtWork: Type.Boolean(), notThen: Type.Optional(WeekForm) }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const { caseId, numberId } = request.params;
      await reached(request, parts, caseId);
      const { notAtWork, notThen } = request.body;
      const wishes = { notAtWork, notThen: notThen && weekOf(notThen) };
      const order = { caseId, numberId, wishes };
      return granted(await parts.floor.cases.stateWishes(order, actorOf(request).who));
    },
  );
}

function addContacts(app: App, parts: HttpParts): void {
  const { history } = parts;
  const { cases } = parts.floor;

  app.get(
    '/api/cases/:caseId/contacts',
    {
      schema: {
        tags: ['cases'],
        summary: 'Why numbers of this case were called, or were not',
        params: CaseParam,
        querystring: exactly({
          beforeUtcMs: Type.Optional(digits('Only what was before this.')),
          limit: pageKeys.limit,
        }),
        response: answers(exactly({ contacts: listOf(ContactView, rowsShown) })),
      },
    },
    async (request) => {
      const { caseId } = request.params;
      await reached(request, parts, caseId);
      const { beforeUtcMs, limit } = request.query;
      const page = { beforeUtcMs: numberOf(beforeUtcMs), limit: limitOf(limit) };
      return { contacts: await history.contacts(caseId, page) };
    },
  );

  app.post(
    '/api/cases/:caseId/contacts',
    {
      schema: {
        tags: ['cases'],
        summary: 'Report a contact that was made elsewhere, or by the person; it is counted',
        params: CaseParam,
        body: exactly({
          personId: Id,
          numberId: Type.Optional(Id),
          channel: Type.Enum(['call', 'visit', 'sms', 'letter']),
          inbound: Type.Optional(
            Type.Boolean({
              description: 'The person made it: no attempt, its conversation counts.',
            }),
          ),
          atUtcMs: UtcMs,
          outcome: Code,
          effective: Type.Boolean(),
        }),
        response: answers(exactly({ contactId: Type.String() })),
      },
    },
    async (request) => {
      const order = { ...request.body, caseId: request.params.caseId };
      return granted(await cases.reportContact(order, actorOf(request).who));
    },
  );
}

function addPromises(app: App, { floor, history }: HttpParts): void {
  app.get(
    '/api/callbacks',
    {
      schema: {
        tags: ['cases'],
        summary: 'Calls that were promised and are still owed, the next one first',
        querystring: exactly({
          agentId: Type.Optional(Id),
          dueBeforeUtcMs: Type.Optional(digits('Only what is due before this.')),
          ...pageKeys,
        }),
        response: answers(exactly({ callbacks: listOf(CallbackView, rowsShown) })),
      },
    },
    async (request) => {
      const { personId } = actorOf(request);
      const agentId = request.query.agentId ?? (request.reach === 'own' ? personId : undefined);
      mustBeOwn(request, agentId);
      const dueBeforeUtcMs = numberOf(request.query.dueBeforeUtcMs);
      const page = pageOf(request.query);
      return { callbacks: await history.callbacks({ agentId, dueBeforeUtcMs }, page) };
    },
  );

  app.get(
    '/api/action-codes',
    {
      schema: {
        tags: ['cases'],
        summary: 'What an agent may state after a contact, and what follows from it',
        response: answers(exactly({ codes: listOf(ActionCodeView, rowsShown) })),
      },
    },
    () => ({
      codes: Object.entries(floor.cases.actionCodes).map(([code, each]) => ({ code, ...each })),
    }),
  );
}
