// An ARI server of a few lines, which a test makes say what Asterisk would not.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { Happenings } from './fake-ami.ts';

export interface AriCall {
  method: string;
  /** Path below /ari, query included. */
  path: string;
  body: string;
  answer(status: number, body?: string): void;
  /** Ends the connection without an answer. */
  cut(): void;
}

export interface FakeAri {
  port: number;
  calls: Happenings<AriCall>;
  sockets: Happenings<WebSocket>;
  /** Sends a text on the newest event socket. */
  say(text: string): void;
  close(): Promise<void>;
}

export interface FakeAriManners {
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

export async function startFakeAri(manners: FakeAriManners = {}): Promise<FakeAri> {
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
