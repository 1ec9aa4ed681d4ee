// The yardstick: a bare script on the same dialplan and the same ARI transport; decides nothing,
// records nothing. A process of its own, as the floor is.
import { realClock } from '../src/clock.ts';
import { realIds } from '../src/ids.ts';
import { type AriConnection, connectAri } from '../src/telephony/asterisk/ari.ts';
import { type AriEvent, type AriRequest, eventTypes } from '../src/telephony/asterisk/ari-calls.ts';
import { contexts } from '../src/telephony/asterisk/asterisk.ts';
import { bridgeOf, isCall, isLeg } from '../src/telephony/asterisk/channel-facts.ts';
import { application } from '../src/telephony/asterisk/feeds.ts';
import { trunk } from './phone-rig.ts';
import { callSettings, type PlacedCall, readOrder, say, tickEvenly, until } from './window-side.ts';

const phonesMs = 60_000;
const order = readOrder();
const calls = new Map<string, PlacedCall>();
const agentOf = new Map<string, string>();
const legs = new Set<string>();
/** Legs that take a call, the longest free one first. */
const free: string[] = [];
let connection: AriConnection | undefined;
let leaving = false;

const ask = async (request: AriRequest): Promise<void> => {
  const answer = await connection?.ask(request);
  if (answer?.outcome !== 'done' && !leaving) console.error(request.ask, answer);
};

function hear(event: AriEvent): void {
  if (event.type === 'ApplicationReplaced') throw new Error('another client took the application');
  const { channelId } = event;
  if (event.type === 'StasisStart') void receive(channelId);
  if (event.type === 'ChannelEnteredBridge') {
    const call = calls.get(channelId);
    if (call) call.bridgedUtcMs ??= event.atUtcMs;
    else free.push(channelId);
  }
  if (event.type === 'ChannelDestroyed') {
    const legId = agentOf.get(channelId);
    if (legId) free.push(legId);
    legs.delete(channelId);
  }
}

async function receive(channelId: string): Promise<void> {
  const legId = agentOf.get(channelId) ?? channelId;
  const bridgeId = bridgeOf(legId);
  if (isLeg(channelId)) await ask({ ask: 'make-bridge', bridgeId });
  if (isLeg(channelId) || isCall(channelId)) await ask({ ask: 'join', bridgeId, channelId });
}

async function connectPhones(): Promise<void> {
  await new Promise<void>((resolve) => {
    const { ariPort: port, ariSecret: secret } = order.access;
    connection = connectAri({ port, app: application, user: application, secret }, realClock, {
      up: resolve,
      lost(reason) {
        if (!leaving) throw new Error(reason);
      },
      event: hear,
    });
  });
  await ask({ ask: 'filter', app: application, types: eventTypes });
  await ask({ ask: 'subscribe', app: application, source: `endpoint:PJSIP/${trunk}` });
  for (const extension of order.extensions) {
    const endpoint = `PJSIP/${extension}`;
    await ask({ ask: 'subscribe', app: application, source: `endpoint:${endpoint}` });
    const channelId = realIds.next('leg');
    legs.add(channelId);
    const { leg: context } = contexts;
    const variables = {};
    await ask({ ask: 'originate', channelId, endpoint, context, timeoutS: 20, variables });
  }
  await until('phones', phonesMs, () => free.length === order.extensions.length);
}

function place(number: string, legId: string): void {
  const callId = realIds.next('call');
  calls.set(callId, { callId, number });
  agentOf.set(callId, legId);
  void ask({
    ask: 'originate',
    channelId: callId,
    endpoint: `PJSIP/${number}@${trunk}`,
    context: contexts.call,
    callerId: callSettings.callerId,
    timeoutS: callSettings.ringMs / 1_000,
    variables: {
      GATEHOUSE_LIMIT: String(callSettings.limitMs / 1_000),
      GATEHOUSE_NOTICE: '',
      GATEHOUSE_MESSAGE: callSettings.messageSound,
    },
  });
}

await connectPhones();
const numbers = order.numbers.values();
const tick = () => {
  const legId = free.shift();
  const number = legId === undefined ? undefined : numbers.next().value;
  if (legId !== undefined && number !== undefined) place(number, legId);
};
await tickEvenly(order, order.warmUpSeconds, tick);
await say({ say: 'ready' });
await tickEvenly(order, order.seconds, tick);
await say({ say: 'over' });
await say({ say: 'done', calls: [...calls.values()] });
leaving = true;
for (const channelId of legs) {
  await ask({ ask: 'hang-up', channelId });
  await ask({ ask: 'end-bridge', bridgeId: bridgeOf(channelId) });
}
await until('hang-up', phonesMs, () => legs.size === 0);
await connection?.close();
process.disconnect();
