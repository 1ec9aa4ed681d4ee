// Whether the process lives, may take work, what is wrong, and its figures.
import Type from 'typebox';
import { type App, answers, type HttpParts } from './app.ts';
import { exactly } from './forms.ts';
import type { Metrics } from './metrics.ts';
import { HealthView } from './views.ts';

const StateView = exactly({ state: Type.String() });

export function addHealthRoutes(app: App, { floor }: HttpParts, metrics: Metrics): void {
  app.get(
    '/livez',
    {
      schema: {
        tags: ['health'],
        summary: 'The process answers',
        response: answers(StateView),
      },
    },
    () => ({ state: 'live' }),
  );

  app.get(
    '/readyz',
    {
      schema: {
        tags: ['health'],
        summary: 'The floor takes work: 200, or not now: 503',
        response: { 200: StateView, 503: StateView },
      },
    },
    async (_, reply) => {
      const { ready } = floor.health();
      return reply.code(ready ? 200 : 503).send({ state: ready ? 'ready' : 'not-ready' });
    },
  );

  app.get(
    '/healthz',
    {
      schema: {
        tags: ['health'],
        summary: 'What is wrong, by part',
        response: answers(HealthView),
      },
    },
    () => floor.health(),
  );

  app.get(
    '/metrics',
    {
      schema: {
        tags: ['health'],
        summary: 'Figures for Prometheus; from this machine, or with a token',
        produces: ['text/plain'],
      },
    },
    async (_, reply) =>
      reply.header('content-type', metrics.contentType).send(await metrics.text()),
  );
}
