// Routes of batches: what came together, and a supervisor's order to end it or take it up again.
import Type from 'typebox';
import { type App, actorOf, answers, type HttpParts } from './app.ts';
import { Code, exactly, Id, listOf, textOf, UtcMs } from './forms.ts';
import { granted } from './problems.ts';
import { BatchView, DoneView } from './views.ts';

const BatchParam = exactly({ batchId: Id });
const batchesShown = 10_000;
const Repeated = textOf(100, 'The batch’s name, as a second look at it.');

export function addBatchesRoutes(app: App, { floor }: HttpParts): void {
  const { cases } = floor;

  app.get(
    '/api/batches',
    {
      schema: {
        tags: ['batches'],
        summary: 'Batches, the newest first, with the dates on which they end',
        response: answers(exactly({ batches: listOf(BatchView, batchesShown) })),
      },
    },
    () => {
      const newest = [...cases.batches()].sort((a, b) => b.receivedUtcMs - a.receivedUtcMs);
      return { batches: newest.slice(0, batchesShown) };
    },
  );

  app.post(
    '/api/batches/:batchId/recall',
    {
      schema: {
        tags: ['batches'],
        summary: 'The creditor takes a batch back: all its cases stop; its name has to be repeated',
        params: BatchParam,
        body: exactly({ name: Repeated }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const order = { ...request.body, batchId: request.params.batchId };
      return granted(await cases.recallBatch(order, actorOf(request).who));
    },
  );

  app.post(
    '/api/batches/:batchId/reopen',
    {
      schema: {
        tags: ['batches'],
        summary: 'Take up a batch that has ended; its name has to be repeated',
        params: BatchParam,
        body: exactly({ name: Repeated, why: Code, deadlineUtcMs: Type.Optional(UtcMs) }),
        response: answers(DoneView),
      },
    },
    async (request) => {
      const order = { ...request.body, batchId: request.params.batchId };
      return granted(await cases.reopenBatch(order, actorOf(request).who));
    },
  );
}
