// The two hooks every request passes: who asks, and whether the table lets them; denied by default.
import { isIP } from 'node:net';
import type { Log } from '../log.ts';
import type { People } from '../people/people.ts';
import type { App } from './app.ts';
import { Problem, routeOf } from './problems.ts';
import { decideAccess, rights } from './rights.ts';

/** A token is 64 to 80 characters long; anything longer is not looked at. */
const longestToken = 200;

/** The token of an `Authorization: Bearer` header. */
export function bearerOf(header: string | undefined): string | undefined {
  const token = /^Bearer ([\w.-]+)$/i.exec(header ?? '')?.[1];
  return token !== undefined && token.length <= longestToken ? token : undefined;
}

/** Whether an address is this machine itself. */
export function isLoopback(address: string): boolean {
  const plain = address.replace(/^\[(.*)\]$/, '$1').replace(/^::ffff:(?=\d+\.)/i, '');
  if (isIP(plain) === 4) return plain.startsWith('127.');
  return plain === '::1' || plain === 'localhost';
}

// A page of another site can make a browser on this machine ask us, but not under our own name.
const isLoopbackHost = (host: string | undefined) =>
  host !== undefined && isLoopback(host.replace(/:\d+$/, ''));

/**
 * Says who asks before anything else is done, and denies before the body is read. Between the two
 * the requests are counted, so that those without a login are counted too.
 */
export function addAuth(app: App, people: People, log: Log): void {
  app.decorateRequest('actor', undefined);
  app.decorateRequest('reach', 'own');

  app.addHook('onRequest', async (request) => {
    const token = bearerOf(request.headers.authorization);
    if (token === undefined) return;
    const actor = people.authenticate(token);
    if (!actor) return;
    request.actor = actor;
    people.noteUse(actor);
  });

  app.addHook('preParsing', async (request) => {
    if (request.is404) return;
    const route = routeOf(request);
    const loopback = isLoopback(request.ip) && isLoopbackHost(request.headers.host);
    const access = Object.hasOwn(rights, route) ? rights[route] : undefined;
    const decision = decideAccess(access, request.actor, loopback);
    if (decision.granted) {
      request.reach = decision.reach;
      return;
    }
    if (request.actor) {
      const { personId: about, tokenId } = request.actor;
      log.warn('A request was denied.', { route, about, session: tokenId, code: decision.why });
    }
    throw new Problem(decision.why);
  });
}
