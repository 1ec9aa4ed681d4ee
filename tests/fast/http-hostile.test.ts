// A real server under hostile input: clear problems, nothing taken over, told or lost.
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bodyLimitBytes } from '../../src/http/app.ts';
import { bearerOf, isLoopback } from '../../src/http/auth.ts';
import { type Http, openHttp } from '../../src/http/http.ts';
import { openTestFloor, password, type TestFloor } from './http-floor.ts';

let floor: TestFloor;
let http: Http;
let token = '';
let login = '';
beforeAll(async () => {
  floor = await openTestFloor();
  http = await openHttp({ host: '127.0.0.1', port: 0 }, floor.parts);
  ({ token, login } = await floor.person('it', 'supervisor', 'lead', 'qa', 'agent', 'data'));
});
afterAll(async () => {
  await http.close();
  await floor.close();
});

type Body = NonNullable<RequestInit['body']>;

interface Answer {
  status: number;
  headers: Headers;
  problem: Record<string, unknown>;
}

async function send(method: string, path: string, body?: Body, headers = {}): Promise<Answer> {
  const authorization = `Bearer ${token}`;
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const response = await fetch(`${http.address}${path}`, {
    method,
    headers: { authorization, ...type, ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const problem = text.startsWith('{') ? JSON.parse(text) : {};
  return { status: response.status, headers: response.headers, problem };
}

/** Bytes as they are, and what comes back until the far end closes. */
function sendRaw(bytes: string | Buffer): Promise<string> {
  const { port } = new URL(http.address);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
    socket.on('error', reject);
    socket.write(bytes);
  });
}

const stillWorks = async () => expect((await send('GET', '/api/me')).status).toBe(200);
const person = (fields: object) => JSON.stringify({ name: 'Li Na', roles: ['agent'], ...fields });
const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

describe('bodies', () => {
  it.each([
    ['no JSON', 'name=Li&roles=agent', 400, 'body-unreadable'],
    ['nothing', '', 400, 'body-unreadable'],
    ['cut off', '{"name":"Li Na","roles":["agent"', 400, 'body-unreadable'],
    ['a list', '[]', 400, 'input-invalid'],
    ['null', 'null', 400, 'input-invalid'],
    ['a number where text belongs', person({ name: 7 }), 400, 'input-invalid'],
    ['text where a list belongs', person({ roles: 'agent' }), 400, 'input-invalid'],
    ['an unknown role', person({ roles: ['root'] }), 400, 'input-invalid'],
    ['a role twice', person({ roles: ['agent', 'agent'] }), 400, 'input-invalid'],
    ['an unknown key', person({ admin: true }), 400, 'input-invalid'],
    ['NUL', person({ name: 'Li\0Na' }), 400, 'input-invalid'],
    ['a line break', person({ name: 'Li\r\nNa' }), 400, 'input-invalid'],
    ['half a character', '{"name":"Li\\ud800","roles":["agent"]}', 400, 'input-invalid'],
    ['spaces only', person({ name: '   ' }), 400, 'input-invalid'],
    ['a name of 101', person({ name: 'x'.repeat(101) }), 400, 'input-invalid'],
    ['__proto__', '{"__proto__":{"roles":["it"]},"name":"x","roles":[]}', 400, 'body-unreadable'],
    [
      'constructor.prototype',
      '{"constructor":{"prototype":{"x":1}},"name":"x","roles":[]}',
      400,
      'body-unreadable',
    ],
    ['deep', `{"name":"x","roles":${deep(20_000)}}`, 400, 'input-invalid'],
    ['deep in an unknown key', `{"x":${deep(20_000)}}`, 400, 'input-invalid'],
    ['too much', person({ name: 'x'.repeat(bodyLimitBytes) }), 413, 'too-large'],
    ['10 MB', Buffer.alloc(10_000_000, 0x20), 413, 'too-large'],
  ])('%s', async (_, body, status, code) => {
    const before = floor.people.all().length;
    // A server that stops reading may close before the client has sent all of it.
    const answer = await send('POST', '/api/people', body as Body).catch(() => undefined);
    if (answer || status !== 413) expect(answer).toMatchObject({ status, problem: { code } });
    if (answer) {
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      expect(Object.keys(answer.problem)).toEqual(
        expect.arrayContaining(['type', 'title', 'status', 'code', 'why', 'todo']),
      );
    }
    expect(floor.people.all()).toHaveLength(before);
    expect(({} as { roles?: unknown }).roles).toBeUndefined();
    await stillWorks();
  });

  it('takes a name of any script, once it is one', async () => {
    const answer = await send('POST', '/api/people', person({ name: '欧阳娜娜 (Nana) 𠮷' }));
    expect(answer.status).toBe(200);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'text/csv'])(
    'takes no order as %s, which a page of another site could send',
    async (type) => {
      const before = floor.people.all().length;
      const answer = await send('POST', '/api/people', person({}), { 'content-type': type });
      expect(answer).toMatchObject({ status: 415, problem: { code: 'type-unknown' } });
      expect(floor.people.all()).toHaveLength(before);
    },
  );

  it('sets no cookie and lets no other origin in', async () => {
    const order = JSON.stringify({ login, password });
    const origin = { origin: 'https://evil.example' };
    const answer = await send('POST', '/api/login', order, origin);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    const preflight = await send('OPTIONS', '/api/login', undefined, {
      ...origin,
      'access-control-request-method': 'POST',
    });
    expect(preflight.status).toBe(404);
  });
});

describe('addresses and headers', () => {
  it.each([
    ['a query key nobody knows', '/api/calls?agentId=a&admin=1', 400],
    ['__proto__ in the query', '/api/calls?__proto__[x]=1&agentId=a', 400],
    ['a list where one belongs', '/api/calls?agentId=a&agentId=b', 400],
    ['a number with a sign', '/api/calls?agentId=a&fromUtcMs=-1', 400],
    ['SQL', `/api/calls?agentId=${encodeURIComponent("a' OR 1=1--")}`, 400],
    ['a wildcard', '/api/entries?about=%25', 400],
    ['dots', '/api/people/..%2f..%2fetc%2fpasswd', 400],
    ['a NUL', '/api/people/a%00b', 400],
    ['broken percent', '/api/people/%zz', 400],
    ['too long', `/api/people/${'a'.repeat(150)}`, 400],
    ['much too long', `/api/people/${'a'.repeat(300)}`, 400],
    ['static files above the page', '/api/docs/static/..%2f..%2fpackage.json', 404],
  ])('%s', async (_, path, status) => {
    const { status: got, headers } = await send('GET', path);
    expect(got).toBe(status);
    expect(headers.get('content-type')).toBe('application/problem+json');
    await stillWorks();
  });

  it('does not let a header split the answer', async () => {
    const lines = `GET /api/people/a%0d%0aSet-Cookie:%20x=1 HTTP/1.1\r\nHost: x\r\n`;
    const answer = await sendRaw(
      `${lines}Authorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).not.toMatch(/^set-cookie/im);
  });

  it.each([
    ['no HTTP', 'hello\r\n\r\n'],
    ['a bare NUL', '\0\0\0\0\r\n\r\n'],
    [
      'two lengths',
      'POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    ],
    [
      'length and chunks',
      'POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n' +
        'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a header of 100 kB', `GET /livez HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`],
    ['a header without a name', 'GET /livez HTTP/1.1\r\nHost: x\r\n: x\r\n\r\n'],
  ])('closes on %s', async (_, bytes) => {
    expect(await sendRaw(bytes)).toMatch(/^HTTP\/1\.1 (400|431) /);
    await stillWorks();
  });

  it('says nothing of what it is made of, and lets nothing be framed or sniffed', async () => {
    const { headers } = await send('GET', '/api/me');
    expect(headers.get('server')).toBeNull();
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  });

  it('tells a fault of the program by an incident, without its cause', async () => {
    const { campaigns } = floor.parts.floor.telephony;
    floor.parts.floor.telephony.campaigns = () => {
      throw new Error('SELECT secret FROM /var/lib/x');
    };
    const answer = await send('GET', '/api/campaigns');
    floor.parts.floor.telephony.campaigns = campaigns;
    expect(answer).toMatchObject({ status: 500, problem: { code: 'internal' } });
    expect(JSON.stringify(answer.problem)).not.toMatch(/SELECT|\/var|at /);
    const line = floor.logged.find(({ fields }) => fields.instance === answer.problem.instance);
    expect(String(line?.fields.cause)).toContain('SELECT secret');
  });
});

describe('where it listens', () => {
  it.each(['0.0.0.0', '::', '192.0.2.7', 'floor.example', '127.evil.example'])(
    'refuses %s without TLS',
    async (host) => {
      await expect(openHttp({ host, port: 0 }, floor.parts)).rejects.toMatchObject({
        code: 'http.insecure-bind',
      });
    },
  );

  it.each(['127.0.0.1', '127.8.8.8', '::1', '[::1]', 'localhost', '::ffff:127.0.0.1'])(
    'takes %s for loopback',
    (host) => expect(isLoopback(host)).toBe(true),
  );

  it.each(['0.0.0.0', '::', '::ffff:10.0.0.1', '128.0.0.1', '1', ''])(
    'takes %s for beyond it',
    (host) => expect(isLoopback(host)).toBe(false),
  );

  it('says so when it can not listen, or the TLS files are not there', async () => {
    const { port } = new URL(http.address);
    const taken = { host: '127.0.0.1', port: Number(port) };
    await expect(openHttp(taken, floor.parts)).rejects.toMatchObject({ code: 'http.bind-failed' });
    const tls = { certFile: '/nowhere/cert.pem', keyFile: '/nowhere/key.pem' };
    await expect(openHttp({ host: '0.0.0.0', port: 0, tls }, floor.parts)).rejects.toMatchObject({
      code: 'http.tls-unreadable',
    });
  });

  it.each([
    ['Bearer a.b', 'a.b'],
    ['bearer a.b', 'a.b'],
    ['Bearer a b', undefined],
    ['Basic a.b', undefined],
    [`Bearer ${'a'.repeat(300)}`, undefined],
    [undefined, undefined],
  ])('reads the token of %s', (header, expected) => {
    expect(bearerOf(header)).toBe(expected);
  });
});
