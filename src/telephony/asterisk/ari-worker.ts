// One ARI connection by the package ari-client, in a thread of its own: it throws from callbacks.
import { globalAgent } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';
import { type Client, connect } from 'ari-client';
import {
  type AriAnswer,
  type AriRequest,
  readBridges,
  readChannels,
  readEvent,
  readStarted,
  readVersion,
  type WorkerOrder,
  type WorkerSaying,
  withoutSecret,
} from './ari-calls.ts';

// Asterisk's HTTP server has a listen backlog of 10; a burst beyond it waits a second for the
// kernel's retry, so requests queue for these connections instead, which stay open.
const connections = 8;

const { port, app, user, secret } = workerData as {
  port: number;
  app: string;
  user: string;
  secret: string;
};

globalAgent.maxSockets = connections;

// The package below the package prints advice at each connect; failures come back as answers.
console.log = () => undefined;

const say = (saying: WorkerSaying) => parentPort?.postMessage(saying);

async function run(client: Client, request: AriRequest): Promise<unknown> {
  const { applications, asterisk, bridges, channels } = client;
  switch (request.ask) {
    case 'filter': {
      const allowed = request.types.map((type) => ({ type }));
      return applications.filter({ applicationName: request.app, filter: { allowed } });
    }
    case 'subscribe':
      return applications.subscribe({
        applicationName: request.app,
        eventSource: request.source,
      });
    case 'version':
      return readVersion(await asterisk.getInfo({ only: 'system' }));
    case 'started':
      return readStarted(await asterisk.getInfo({ only: 'status' }));
    case 'channels':
      return readChannels(await channels.list());
    case 'bridges':
      return readBridges(await bridges.list());
    case 'originate':
      return channels.originate({
        channelId: request.channelId,
        endpoint: request.endpoint,
        context: request.context,
        extension: 's',
        priority: 1,
        timeout: request.timeoutS,
        callerId: request.callerId,
        variables: { ...request.variables },
      });
    case 'make-bridge':
      return bridges.createWithId({ bridgeId: request.bridgeId, type: 'mixing' });
    case 'end-bridge':
      return bridges.destroy({ bridgeId: request.bridgeId });
    case 'join':
      return bridges.addChannel({ bridgeId: request.bridgeId, channel: request.channelId });
    case 'continue':
      return channels.continueInDialplan({
        channelId: request.channelId,
        context: request.context,
        extension: 's',
        priority: 1,
      });
    case 'hang-up':
      return channels.hangup({ channelId: request.channelId });
  }
}

const withValue = new Set<AriRequest['ask']>(['version', 'started', 'channels', 'bridges']);

async function answer(client: Client, request: AriRequest): Promise<AriAnswer<unknown>> {
  try {
    const value = await run(client, request);
    // Other answers hold the package's own objects, which can not cross to the other thread.
    return { outcome: 'done', value: withValue.has(request.ask) ? value : undefined };
  } catch (cause) {
    return { outcome: 'refused', message: messageOf(withoutSecret(cause, secret)) };
  }
}

/** Asterisk refuses with `{"message":"…"}` or `{"error":"…"}`; the package keeps that text. */
function messageOf(text: string): string {
  const match = /^\s*\{\s*"(?:message|error)"\s*:\s*"([^"]*)"/.exec(text);
  return match?.[1] ?? text;
}

/** What is no JSON is no event; the next reading of what is alive makes up for it. */
function parse(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    say({ say: 'lost', reason: 'an event could not be read' });
    return undefined;
  }
}

async function open(): Promise<void> {
  const client = await connect(`http://127.0.0.1:${port}`, user, secret);
  client.on('pong', () => say({ say: 'pong' }));
  // The package would try ten times and then be silent for ever; the owner starts a fresh thread.
  client.on('WebSocketReconnecting', () => say({ say: 'lost', reason: 'the socket was closed' }));
  await client.start(app);
  // The package's own reading of events throws at any it does not know, and takes 0.15 ms each.
  client._ws.removeAllListeners('message');
  client._ws.on('message', (text) => {
    const event = readEvent(parse(text));
    if (event !== undefined) say({ say: 'event', event });
  });
  parentPort?.on('message', (order: WorkerOrder) => {
    if (order.order === 'ping') client.ping();
    else
      answer(client, order.request).then((given) =>
        say({ say: 'answer', id: order.id, answer: given }),
      );
  });
  say({ say: 'up' });
}

open().catch((cause) => say({ say: 'lost', reason: withoutSecret(cause, secret) }));
