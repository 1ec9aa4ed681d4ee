// Routes that say who is not contacted, or not any more: lifted stops, the stop-list, erasure.
import Type from 'typebox';
import { type App, actorOf, answers, found, type HttpParts } from './app.ts';
import { StopReasonForm } from './cases-routes.ts';
import { Code, E164, exactly, Id, listOf, pageKeys, pageOf, Reason, textOf } from './forms.ts';
import { granted, Problem } from './problems.ts';
import { DoneView, StopListView } from './views.ts';

const rowsShown = 1_000;
const referenceChars = 500;
const CaseParam = exactly({ caseId: Id });

export function addStopsRoutes(app: App, parts: HttpParts): void {
  addCaseEnds(app, parts);
  addStopList(app, parts);
}

function addCaseEnds(app: App, { floor, history }: HttpParts): void {
  const { cases } = floor;

  app.post(
    '/api/cases/:caseId/lift-stop',
    {
      schema: {
        tags: ['cases'],
        summary: 'Take back one stop; the case moves again when it was the last',
        params: CaseParam,
        body: exactly({ reason: StopReasonForm, note: Reason }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const order = { ...request.body, caseId: request.params.caseId };
      return granted(await cases.liftStop(order, actorOf(request).who));
    },
  );

  app.post(
    '/api/cases/:caseId/erase',
    {
      schema: {
        tags: ['cases'],
        summary: 'Destroy what is known of a case; its reference has to be repeated',
        params: CaseParam,
        body: exactly({
          why: Code,
          reference: textOf(referenceChars, 'The case’s reference, as a second look at it.'),
        }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const { caseId } = request.params;
      const { why, reference } = request.body;
      const row = found(await history.case(caseId));
      if (row.reference !== reference) throw new Problem('reference-differs');
      return granted(await cases.eraseCase(caseId, actorOf(request).who, why));
    },
  );
}

function addStopList(app: App, { floor, history }: HttpParts): void {
  const { cases } = floor;

  app.get(
    '/api/stop-list',
    {
      schema: {
        tags: ['stop-list'],
        summary: 'Who must not be contacted, newest first; numbers as digests only',
        querystring: exactly(pageKeys),
        response: answers(exactly({ stops: listOf(StopListView, rowsShown) })),
      },
    },
    async (request) => ({ stops: await history.stopList(pageOf(request.query)) }),
  );

  app.post(
    '/api/stop-list',
    {
      schema: {
        tags: ['stop-list'],
        summary: 'A number, a debtor or a creditor’s whole book is not contacted from now on',
        body: Type.Union([
          exactly({ scope: Type.Literal('number'), e164: E164, reason: Code }),
          exactly({ scope: Type.Literal('debtor'), personId: Id, reason: Code }),
          exactly({ scope: Type.Literal('creditor'), creditorId: Id, reason: Code }),
        ]),
        response: answers(exactly({ stopId: Type.String() })),
      },
    },
    async (request) => granted(await cases.addToStopList(request.body, actorOf(request).who)),
  );

  app.post(
    '/api/stop-list/:stopId/end',
    {
      schema: {
        tags: ['stop-list'],
        summary: 'Take somebody off the list',
        params: exactly({ stopId: Id }),
        body: exactly({ why: Code }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const order = { ...request.body, stopId: request.params.stopId };
      return granted(await cases.takeOffStopList(order, actorOf(request).who));
    },
  );
}
