// The HTTP side: one server with every route, strict in, terse out; fastify stays in this folder.
import { readFileSync } from 'node:fs';
import rateLimit from '@fastify/rate-limit';
import { FloorError } from '../errors.ts';
import { type App, type HttpParts, makeApp, type TlsKeys } from './app.ts';
import { addAuth, isLoopback } from './auth.ts';
import { addBatchesRoutes } from './batches-routes.ts';
import { addCampaignsRoutes } from './campaigns-routes.ts';
import { addCasesRoutes } from './cases-routes.ts';
import { addDocs } from './docs.ts';
import { addHealthRoutes } from './health-routes.ts';
import { addLedgerRoutes } from './ledger-routes.ts';
import { addListsRoutes } from './lists-routes.ts';
import { openLive } from './live.ts';
import { openMetrics } from './metrics.ts';
import { addPeopleRoutes } from './people-routes.ts';
import { Problem, problemOf, routeOf, sendProblem } from './problems.ts';
import { addRecordingsRoutes } from './recordings-routes.ts';
import { addStopsRoutes } from './stops-routes.ts';
import { addTelephonyRoutes } from './telephony-routes.ts';

/** Requests of one session, token or address in a minute: a busy desktop makes a tenth. */
export const requestsPerMinute = 1_200;
const hstsS = 31_536_000;

export interface HttpSettings {
  host: string;
  port: number;
  tls?: { certFile: string; keyFile: string };
}

export interface Http {
  /** Where it listens, as `http://127.0.0.1:8790`. */
  address: string;
  /** Ends every stream and connection. */
  close(): Promise<void>;
}

/**
 * Starts listening. Throws http.insecure-bind for an address beyond loopback without TLS,
 * http.tls-unreadable, http.bind-failed.
 */
export async function openHttp(settings: HttpSettings, parts: HttpParts): Promise<Http> {
  const { host, port, tls } = settings;
  if (tls === undefined && !isLoopback(host)) throw new FloorError('http.insecure-bind', host);
  const app = await buildHttp(parts, tls === undefined ? undefined : readKeys(tls));
  try {
    return { address: await app.listen({ host, port }), close: () => app.close() };
  } catch (cause) {
    await app.close();
    throw new FloorError('http.bind-failed', `${host}:${port}`, { cause });
  }
}

function readKeys({ certFile, keyFile }: { certFile: string; keyFile: string }): TlsKeys {
  try {
    return { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  } catch (cause) {
    throw new FloorError('http.tls-unreadable', undefined, { cause });
  }
}

/** The server with all its routes, not listening yet. */
export async function buildHttp(parts: HttpParts, tls?: TlsKeys): Promise<App> {
  const { floor, clock, ids, log, version } = parts;
  const app = makeApp(tls);
  addHeaders(app, tls !== undefined);
  addProblems(app, parts);
  addAuth(app, floor.people, log);
  await app.register(rateLimit, {
    max: requestsPerMinute,
    timeWindow: 60_000,
    keyGenerator: (request) => request.actor?.tokenId ?? request.ip,
    errorResponseBuilder: (_, { ttl }) => new Problem('too-many-requests', { waitMs: ttl }),
  });
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (_, reply) =>
    sendProblem(reply, new Problem('not-found')),
  );
  await addDocs(app, version);
  const live = openLive(floor, clock, ids.next('boot'));
  const metrics = openMetrics(floor, version);
  addPeopleRoutes(app, parts);
  addTelephonyRoutes(app, parts, live);
  addCampaignsRoutes(app, parts);
  addCasesRoutes(app, parts);
  addStopsRoutes(app, parts);
  addBatchesRoutes(app, parts);
  addListsRoutes(app, parts);
  addRecordingsRoutes(app, parts);
  addLedgerRoutes(app, parts);
  addHealthRoutes(app, parts, metrics);
  app.addHook('preClose', async () => {
    live.end();
    metrics.end();
  });
  await app.ready();
  return app;
}

/** Headers of every answer (ASVS 5.0 section 3.4): nothing of the API is a page, or to be kept. */
function addHeaders(app: App, overTls: boolean): void {
  app.addHook('onRequest', async (_, reply) => {
    reply.headers({
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    });
    if (overTls) reply.header('strict-transport-security', `max-age=${hstsS}`);
  });
}

function addProblems(app: App, { ids, log }: HttpParts): void {
  app.setErrorHandler((error, request, reply) =>
    sendProblem(reply, problemOf(error, ids, log, routeOf(request))),
  );
}
