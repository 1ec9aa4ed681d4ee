// Every route of the OpenAPI document with every role and without login, against the one table.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, makeApp } from '../../src/http/app.ts';
import { addAuth } from '../../src/http/auth.ts';
import { buildHttp } from '../../src/http/http.ts';
import { decideAccess, rights } from '../../src/http/rights.ts';
import { roles } from '../../src/people/person.ts';
import { openTestFloor, type TestFloor } from './http-floor.ts';

const denials = ['login-required', 'role-denied', 'route-not-in-table'];
/** Not from this machine, so that nothing is let in for that. */
const remoteAddress = '10.0.0.5';

let floor: TestFloor;
let app: App;
let routes: { method: string; url: string; key: string }[];
beforeAll(async () => {
  floor = await openTestFloor();
  app = await buildHttp(floor.parts);
  const { paths = {} } = app.swagger() as { paths?: Record<string, Record<string, unknown>> };
  routes = Object.entries(paths)
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => ({ method, path })))
    .map(({ method, path }) => {
      const key = `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`;
      return { method: method.toUpperCase(), url: path.replace(/\{\w+\}/g, 'thing-1'), key };
    })
    // Logging out comes last, since it ends the token that all of them are asked with.
    .sort(
      (a, b) => Number(a.key === 'DELETE /api/session') - Number(b.key === 'DELETE /api/session'),
    );
});
afterAll(async () => {
  await app.close();
  await floor.close();
});

/** The code of the denial, or `let in` whatever the route then says to an empty request. */
async function ask(method: string, url: string, token?: string): Promise<string> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const verb = method as 'GET';
  const asked = { method: verb, url, remoteAddress, headers, payloadAsStream: true } as const;
  const response = await app.inject(asked);
  if (response.statusCode === 200 && url === '/api/live') {
    response.stream().destroy();
    return 'let in';
  }
  const chunks: Buffer[] = [];
  for await (const chunk of response.stream()) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const problem = response.headers['content-type'] === 'application/problem+json';
  const code = problem ? (JSON.parse(text).code as string) : '';
  return denials.includes(code) ? code : 'let in';
}

describe('the table of rights', () => {
  it('has a line for every route that is described, and none for others', () => {
    const described = routes.map(({ key }) => key).sort();
    const undescribed = (key: string) => key.startsWith('GET /api/docs');
    expect(described.length).toBeGreaterThan(45);
    expect(
      Object.keys(rights)
        .filter((key) => !undescribed(key))
        .sort(),
    ).toEqual(described);
  });

  it('lets nobody without a login further than the open routes', async () => {
    for (const { method, url, key } of routes) {
      const expected = rights[key] === 'open' ? 'let in' : 'login-required';
      expect(await ask(method, url), key).toBe(expected);
      expect(await ask(method, url, 'session-2222222222222222.wrong'), key).toBe(expected);
    }
  });

  it.each(roles)('lets %s exactly where the table says', async (role) => {
    const { token } = await floor.person(role);
    let reached = 0;
    for (const { method, url, key } of routes) {
      const decision = decideAccess(rights[key], { roles: [role] }, false);
      const expected = decision.granted ? 'let in' : decision.why;
      expect(await ask(method, url, token), `${role}: ${key}`).toBe(expected);
      if (decision.granted) reached += 1;
    }
    expect(reached).toBeGreaterThan(5);
    expect(reached).toBeLessThan(routes.length);
  });

  it.each([
    ['agent', 'GET /api/recordings/:recordingId/audio'],
    ['agent', 'GET /api/people'],
    ['security', 'GET /api/cases/:caseId'],
    ['it', 'GET /api/recordings/:recordingId/audio'],
    ['it', 'GET /api/cases/:caseId'],
    ['auditor', 'PUT /api/campaigns/:campaignId/state'],
    ['lead', 'POST /api/lists/:listId/confirm'],
    ['field', 'POST /api/calls'],
  ] as const)('keeps %s from %s', (role, key) => {
    expect(rights[key]).toBeDefined();
    expect(decideAccess(rights[key], { roles: [role] }, true).granted).toBe(false);
  });

  it('denies a route that has no line, to everybody', async () => {
    const { token } = await floor.person(...roles);
    const bare = makeApp(undefined);
    bare.setErrorHandler((error, _, reply) => reply.code(599).send(String(error)));
    addAuth(bare, floor.people, floor.parts.log);
    let reached = false;
    bare.get('/api/forgotten', () => {
      reached = true;
      return {};
    });
    const headers = { authorization: `Bearer ${token}` };
    const response = await bare.inject({ method: 'GET', url: '/api/forgotten', headers });
    expect(response.statusCode).toBe(599);
    expect(response.body).toContain('Nobody may use this address.');
    expect(reached).toBe(false);
    await bare.close();
  });
});

describe('the description of the API', () => {
  it('takes nothing unknown: every object in a request is closed', () => {
    const open: string[] = [];
    const look = (value: unknown, place: string) => {
      if (typeof value !== 'object' || value === null) return;
      const schema = value as Record<string, unknown>;
      if (schema.type === 'object' && schema.additionalProperties !== false) open.push(place);
      for (const [key, inner] of Object.entries(schema)) look(inner, `${place}/${key}`);
    };
    const { paths = {} } = app.swagger() as unknown as {
      paths: Record<string, Record<string, { requestBody?: unknown }>>;
    };
    let bodies = 0;
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, { requestBody }] of Object.entries(methods)) {
        if (requestBody === undefined) continue;
        bodies += 1;
        look(requestBody, `${method} ${path}`);
      }
    }
    expect(open).toEqual([]);
    expect(bodies).toBeGreaterThan(15);
  });

  it('is served as a page that loads nothing from elsewhere', async () => {
    const page = await app.inject({ url: '/api/docs', remoteAddress });
    expect(page.statusCode).toBe(200);
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toMatch(/https?:|validator|\*/);
    expect(page.body).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    const links = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url ?? '');
    expect(links.length).toBeGreaterThan(4);
    for (const url of links) {
      const part = await app.inject({ url: new URL(url, 'http://x/api/docs').pathname });
      expect(part.statusCode, url).toBe(200);
    }
    const described = await app.inject({ url: '/api/docs/json', remoteAddress });
    expect(described.json().openapi).toBe('3.1.0');
  });
});
