// Each wall round the package ari-client, against a server that does what brings it down.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { Happenings } from '../../../tests/peers/fake-ami.ts';
import { VirtualClock } from '../../simulation/virtual-clock.ts';
import { type AriConnection, ariLimits, connectAri } from './ari.ts';
import { type AriEvent, eventTypes } from './ari-calls.ts';

// With a character that the socket's address would bear in another form.
const secret = 'a/secret+of=the test';

interface Rig {
  server: FakeAri;
  link: AriConnection;
  events: Happenings<AriEvent>;
  ups: Happenings<true>;
  losses: Happenings<string>;
  pass(ms: number): Promise<void>;
}

const open: { close(): void | Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function connectTo(server: FakeAri): Promise<Rig> {
  const time = new VirtualClock(0);
  const events = new Happenings<AriEvent>();
  const ups = new Happenings<true>();
  const losses = new Happenings<string>();
  const access = { port: server.port, app: 'gatehouse', user: 'gatehouse', secret };
  const link = connectAri(access, time.life().clock, {
    up: () => ups.add(true),
    lost: (reason) => losses.add(reason),
    event: (event) => events.add(event),
  });
  open.unshift(link);
  return { server, link, events, ups, losses, pass: (ms) => time.run(time.uptimeMs + ms) };
}

async function rigOf(manners: FakeAriManners = {}): Promise<Rig> {
  const server = await startFakeAri(manners);
  open.push(server);
  return connectTo(server);
}

async function upRig(manners: FakeAriManners = {}): Promise<Rig> {
  const rig = await rigOf(manners);
  await rig.ups.next();
  await rig.server.sockets.next();
  return rig;
}

const ringing = (channelId: string) =>
  JSON.stringify({
    type: 'ChannelStateChange',
    timestamp: '2026-11-22T01:51:56.929+0000',
    channel: { id: channelId, state: 'Ringing' },
  });

describe('connecting', () => {
  it('is up once the event socket is open', async () => {
    const rig = await rigOf();
    await rig.ups.next();
    expect(rig.losses.rest()).toEqual([]);
  });

  it('tells a refused socket without the secret that is part of its address', async () => {
    const rig = await rigOf({ socket: 'refused' });
    const reason = await rig.losses.next();
    expect(reason).not.toContain(secret);
    expect(reason).not.toContain(encodeURIComponent(secret));
    expect(() => rig.link.ask({ ask: 'channels' })).toThrow('ARI is down');
  });

  it('gives up on a socket that never opens', async () => {
    const rig = await rigOf({ socket: 'unanswered' });
    await rig.pass(ariLimits.connectMs);
    expect(await rig.losses.next()).toBe('no connection in time');
  });

  it('tells a port where nobody listens', async () => {
    const server = await startFakeAri();
    await server.close();
    const rig = await connectTo(server);
    expect(await rig.losses.next()).toContain('ECONNREFUSED');
  });
});

describe('events', () => {
  it('arrive in order, cut down to what is used', async () => {
    const rig = await upRig();
    for (const id of ['call-1', 'call-2']) rig.server.say(ringing(id));
    const atUtcMs = Date.UTC(2026, 10, 22, 1, 51, 56, 929);
    for (const channelId of ['call-1', 'call-2'])
      expect(await rig.events.next()).toEqual({ type: 'ChannelStateChange', channelId, atUtcMs });
  });

  it('of an unknown type end nothing, though the package would throw at them', async () => {
    const rig = await upRig({ eventsDescription: 'absent' });
    rig.server.say(JSON.stringify({ type: 'SomethingNew', channel: { id: 'call-1' } }));
    rig.server.say(JSON.stringify(null));
    rig.server.say(ringing('call-1'));
    expect(await rig.events.next()).toMatchObject({ channelId: 'call-1' });
    expect(rig.losses.rest()).toEqual([]);
  });

  it('that are no JSON cost the link, not the process', async () => {
    const rig = await upRig();
    rig.server.say('{"type":"Chan');
    expect(await rig.losses.next()).toBe('an event could not be read');
  });
});

describe('a connection that is lost', () => {
  it('makes every open request unknown, and refuses new ones', async () => {
    const rig = await upRig();
    const asked = [rig.link.ask({ ask: 'channels' }), rig.link.ask({ ask: 'bridges' })];
    await rig.server.calls.next();
    (await rig.server.calls.next()).cut();
    rig.server.say('x');
    const reason = await rig.losses.next();
    expect(await Promise.all(asked)).toEqual([
      { outcome: 'unknown', reason },
      { outcome: 'unknown', reason },
    ]);
    expect(() => rig.link.ask({ ask: 'channels' })).toThrow('ARI is down');
  });

  it('is told at the first close, and does not come back by itself', async () => {
    const server = await startFakeAri();
    open.push(server);
    const rig = await connectTo(server);
    await rig.ups.next();
    (await server.sockets.next()).close();
    expect(await rig.losses.next()).toBe('the socket was closed');
    const next = await connectTo(server);
    await next.ups.next();
    await server.sockets.next();
    expect(server.sockets.rest()).toEqual([]);
    expect(rig.losses.rest()).toEqual([]);
  });

  it('is found dead by pings that are not answered', async () => {
    const rig = await upRig({ pings: 'unanswered' });
    await rig.pass(ariLimits.pingEveryMs + ariLimits.pongMs);
    expect(await rig.losses.next()).toBe('pings are not answered');
  });
});

describe('requests', () => {
  it('are those of Asterisk’s description', async () => {
    const rig = await upRig();
    const { link, server } = rig;
    const channelId = 'call-1';
    const asked: readonly [Promise<unknown>, string, string, string][] = [
      [
        link.ask({ ask: 'filter', app: 'gatehouse', types: eventTypes.slice(0, 1) }),
        'PUT',
        '/applications/gatehouse/eventFilter',
        '{"allowed":[{"type":"ApplicationReplaced"}]}',
      ],
      [
        link.ask({
          ask: 'originate',
          channelId,
          endpoint: 'PJSIP/+12025550101@carrier',
          context: 'gatehouse-call',
          callerId: '+12025550199',
          timeoutS: 15,
          variables: { GATEHOUSE_LIMIT: '60' },
        }),
        'POST',
        '/channels?endpoint=PJSIP%2F%2B12025550101%40carrier&context=gatehouse-call&extension=s' +
          '&priority=1&timeout=15&callerId=%2B12025550199&channelId=call-1',
        '{"variables":{"GATEHOUSE_LIMIT":"60"}}',
      ],
      [
        link.ask({ ask: 'join', bridgeId: 'bridge-leg-1', channelId }),
        'POST',
        '/bridges/bridge-leg-1/addChannel?channel=call-1',
        '',
      ],
      [link.ask({ ask: 'hang-up', channelId }), 'DELETE', '/channels/call-1', ''],
    ];
    const calls = [];
    for (const _ of asked) calls.push(await server.calls.next());
    for (const [answer, method, path, body] of asked) {
      const call = calls.find((one) => one.path === path);
      expect(call).toMatchObject({ method, body });
      call?.answer(204);
      expect(await answer).toEqual({ outcome: 'done', value: undefined });
    }
  });

  it('give Asterisk’s own words when it refuses', async () => {
    const rig = await upRig();
    const asked = rig.link.ask({ ask: 'hang-up', channelId: 'call-1' });
    (await rig.server.calls.next()).answer(404, '{"message":"Channel not found"}');
    expect(await asked).toEqual({ outcome: 'refused', message: 'Channel not found' });
  });

  // The package itself never settles them.
  it('whose connection breaks are unknown at their deadline', async () => {
    const rig = await upRig();
    const asked = rig.link.ask({ ask: 'channels' });
    (await rig.server.calls.next()).cut();
    await rig.pass(ariLimits.answerMs);
    expect(await asked).toEqual({ outcome: 'unknown', reason: 'no answer in time' });
    expect(rig.losses.rest()).toEqual([]);
  });

  it('are open up to a limit', async () => {
    const rig = await upRig();
    for (let n = 0; n < ariLimits.openRequests; n += 1) void rig.link.ask({ ask: 'channels' });
    expect(() => rig.link.ask({ ask: 'channels' })).toThrow('Too many ARI requests');
  });
});

interface AriCall {
  method: string;
  /** Path below /ari, query included. */
  path: string;
  body: string;
  answer(status: number, body?: string): void;
  /** Ends the connection without an answer. */
  cut(): void;
}

interface FakeAri {
  port: number;
  calls: Happenings<AriCall>;
  sockets: Happenings<WebSocket>;
  /** Sends a text on the newest event socket. */
  say(text: string): void;
  close(): Promise<void>;
}

interface FakeAriManners {
  socket?: 'accepted' | 'refused' | 'unanswered';
  /** The API description of events, which the package can not do without. */
  eventsDescription?: 'present' | 'absent';
  pings?: 'answered' | 'unanswered';
}

const query = (name: string) => ({ name, paramType: 'query', dataType: 'string' });
const path = (name: string) => ({ name, paramType: 'path', dataType: 'string' });
const body = (name: string) => ({ name, paramType: 'body', dataType: 'containers' });

type Operation = [nickname: string, method: string, path: string, parameters: object[]];

/** The operations that ari-worker.ts uses, in the form of Asterisk's own description. */
const operations: Readonly<Record<string, Operation[]>> = {
  applications: [
    [
      'filter',
      'PUT',
      '/applications/{applicationName}/eventFilter',
      [path('applicationName'), body('filter')],
    ],
    [
      'subscribe',
      'POST',
      '/applications/{applicationName}/subscription',
      [path('applicationName'), query('eventSource')],
    ],
  ],
  asterisk: [['getInfo', 'GET', '/asterisk/info', [query('only')]]],
  bridges: [
    ['list', 'GET', '/bridges', []],
    ['createWithId', 'POST', '/bridges/{bridgeId}', [path('bridgeId'), query('type')]],
    ['destroy', 'DELETE', '/bridges/{bridgeId}', [path('bridgeId')]],
    ['addChannel', 'POST', '/bridges/{bridgeId}/addChannel', [path('bridgeId'), query('channel')]],
  ],
  channels: [
    ['list', 'GET', '/channels', []],
    [
      'originate',
      'POST',
      '/channels',
      [
        ...['endpoint', 'context', 'extension', 'priority', 'timeout', 'callerId', 'channelId'].map(
          query,
        ),
        body('variables'),
      ],
    ],
    ['hangup', 'DELETE', '/channels/{channelId}', [path('channelId')]],
    [
      'continueInDialplan',
      'POST',
      '/channels/{channelId}/continue',
      [path('channelId'), query('context'), query('extension'), query('priority')],
    ],
  ],
};

const described = (port: number, resource: string) => ({
  swaggerVersion: '1.1',
  basePath: `http://127.0.0.1:${port}/ari`,
  resourcePath: `/api-docs/${resource}.{format}`,
  apis: (operations[resource] ?? []).map(([nickname, httpMethod, at, parameters]) => ({
    path: at,
    operations: [{ nickname, httpMethod, parameters, responseClass: 'void', errorResponses: [] }],
  })),
  models: {},
});

async function startFakeAri(manners: FakeAriManners = {}): Promise<FakeAri> {
  const calls = new Happenings<AriCall>();
  const opened = new Happenings<WebSocket>();
  const sockets = new WebSocketServer({
    noServer: true,
    autoPong: manners.pings !== 'unanswered',
  });
  let newest: WebSocket | undefined;
  const withEvents = manners.eventsDescription !== 'absent';
  const resources = [...Object.keys(operations), ...(withEvents ? ['events'] : [])];

  const server = createServer((request, response) => {
    const at = request.url ?? '';
    const { port } = server.address() as AddressInfo;
    const resource = /^\/ari\/api-docs\/(\w+)\.json$/.exec(at)?.[1];
    if (resource === undefined) return void takeCall(request, response, calls);
    const apis = resources.map((name) => ({ path: `/api-docs/${name}.{format}`, description: '' }));
    const listing = { swaggerVersion: '1.1', basePath: `http://127.0.0.1:${port}/ari`, apis };
    const text = JSON.stringify(resource === 'resources' ? listing : described(port, resource));
    response.setHeader('content-type', 'application/json').end(text);
  });
  server.on('upgrade', (request, socket, head) => {
    if (manners.socket === 'refused') return void socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
    if (manners.socket === 'unanswered') return;
    sockets.handleUpgrade(request, socket, head, (made) => {
      newest = made;
      opened.add(made);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    calls,
    sockets: opened,
    say: (text) => newest?.send(text),
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function takeCall(
  request: IncomingMessage,
  response: ServerResponse,
  calls: Happenings<AriCall>,
): Promise<void> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  calls.add({
    method: request.method ?? '',
    path: (request.url ?? '').replace(/^\/ari/, ''),
    body: text,
    answer(status, given = '') {
      response.statusCode = status;
      response.setHeader('content-type', 'application/json').end(given);
    },
    cut: () => request.socket.destroy(),
  });
}
