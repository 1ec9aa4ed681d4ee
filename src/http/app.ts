// The fastify instance that every file of routes builds on, and what their handlers share.
import http from 'node:http';
import https from 'node:https';
import type { Readable } from 'node:stream';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from 'fastify';
import type { TSchema } from 'typebox';
import { idProblem } from '../audit/entry.ts';
import type { Clock } from '../clock.ts';
import type { Ids } from '../ids.ts';
import type { Log } from '../log.ts';
import type { Actor } from '../people/person.ts';
import type { History } from '../store/history.ts';
import type { FloorForHttp } from './floor-port.ts';
import { idFormat } from './forms.ts';
import { Problem, sendProblem } from './problems.ts';
import type { Reach } from './rights.ts';
import { ProblemView } from './views.ts';

/** What the HTTP side is given; the floor behind it is reached only through these. */
export interface HttpParts {
  floor: FloorForHttp;
  history: History;
  clock: Clock;
  ids: Ids;
  log: Log;
  version: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; undefined without a valid token. */
    actor: Actor | undefined;
    /** How far the table of rights lets them reach here. */
    reach: Reach;
  }
}

/** No order of the API is longer; lists of cases come in another way. */
export const bodyLimitBytes = 65_536;
const headersTimeoutMs = 10_000;
/** A list of 512 MiB over a slow line. */
const requestTimeoutMs = 15 * 60_000;
const longestParam = 200;
const connectionLimit = 2_000;

export interface TlsKeys {
  cert: Buffer;
  key: Buffer;
}

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** The bare server: strict about what comes in, silent where the log would hold personal data. */
export function makeApp(tls: TlsKeys | undefined): App {
  const app = Fastify({
    serverFactory(handler) {
      const server = tls
        ? https.createServer({ ...tls, minVersion: 'TLSv1.2' }, handler)
        : http.createServer(handler);
      server.headersTimeout = headersTimeoutMs;
      server.requestTimeout = requestTimeoutMs;
      server.maxConnections = connectionLimit;
      return server;
    },
    bodyLimit: bodyLimitBytes,
    // A proxy on this machine says for whom it asks; what anybody else says of it is not believed.
    trustProxy: 'loopback',
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: longestParam },
    // An address that no route could ever have: broken escapes, or longer than any id.
    frameworkErrors: (_error, _request, reply) => {
      sendProblem(reply, new Problem('input-invalid', { detail: 'address' }));
    },
    clientErrorHandler(_, socket) {
      // Not even HTTP: there is no request to answer, and nothing of it is worth a log line.
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    },
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        allErrors: false,
        formats: { [idFormat]: (text: string) => idProblem('', text) === undefined },
      },
    },
  }).withTypeProvider<TypeBoxTypeProvider>();
  // Text is what a form of another site can send without asking; orders are JSON.
  app.removeContentTypeParser('text/plain');
  return app;
}

/** The answers of a route for its description: the one hoped for, and problems. */
export const answers = <T extends TSchema>(schema: T) => ({
  200: schema,
  '4xx': ProblemView,
  '5xx': ProblemView,
});

/** Who asks, on a route that the table opens to nobody without a login. */
export function actorOf(request: FastifyRequest): Actor {
  if (!request.actor) throw new Problem('login-required');
  return request.actor;
}

/** Refuses what belongs to somebody else where the roles reach only one's own. */
export function mustBeOwn(request: FastifyRequest, personId: string | undefined): void {
  if (request.reach === 'own' && personId !== actorOf(request).personId) {
    throw new Problem('not-yours');
  }
}

export function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Problem('not-found');
  return value;
}

/** Sends a stream as a file that no browser opens by itself. The name is made of our own id. */
export function sendFile(reply: FastifyReply, bytes: Readable, type: string, name: string) {
  return reply
    .header('content-type', type)
    .header('content-disposition', `attachment; filename="${name}"`)
    .send(bytes);
}
