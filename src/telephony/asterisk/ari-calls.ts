// The part of ARI the floor uses: requests, answers and events as plain data with written types.
import { readStamp } from './stamp.ts';

/** A request to Asterisk; the worker turns it into one call of the package. */
export type AriRequest =
  | { ask: 'filter'; app: string; types: readonly string[] }
  | { ask: 'subscribe'; app: string; source: string }
  | { ask: 'version' }
  | { ask: 'started' }
  | { ask: 'channels' }
  | { ask: 'bridges' }
  | ({ ask: 'originate' } & Originate)
  | { ask: 'make-bridge'; bridgeId: string }
  | { ask: 'end-bridge'; bridgeId: string }
  | { ask: 'join'; bridgeId: string; channelId: string }
  | { ask: 'continue'; channelId: string; context: string }
  | { ask: 'hang-up'; channelId: string };

export interface Originate {
  channelId: string;
  endpoint: string;
  context: string;
  callerId?: string;
  /** ARI counts ringing in whole seconds. */
  timeoutS: number;
  variables: Readonly<Record<string, string>>;
}

export interface AriChannel {
  channelId: string;
  state: string;
  /** The dialplan application it is in; `Stasis` = in the hands of an ARI application. */
  application: string;
}

export interface AriBridge {
  bridgeId: string;
  channelIds: readonly string[];
}

/** What each request is answered with; the others are answered with nothing. */
export interface AriValues {
  version: string;
  started: string;
  channels: readonly AriChannel[];
  bridges: readonly AriBridge[];
}

export type AriValue<R extends AriRequest> = R['ask'] extends keyof AriValues
  ? AriValues[R['ask']]
  : undefined;

/** refused: Asterisk answered with an error, `message` is its own text · unknown: no answer. */
export type AriAnswer<V> =
  | { outcome: 'done'; value: V }
  | { outcome: 'refused'; message: string }
  | { outcome: 'unknown'; reason: string };

/** Events, cut down in the worker to what the floor acts on. */
export type AriEvent =
  /** The far end rings. */
  | { type: 'ChannelStateChange'; channelId: string; atUtcMs: number }
  /** The far end sends sound before it answers. */
  | { type: 'Dial'; channelId: string; atUtcMs: number }
  | { type: 'StasisStart'; channelId: string; args: readonly string[]; atUtcMs: number }
  | { type: 'ChannelEnteredBridge'; channelId: string; bridgeId: string; atUtcMs: number }
  | { type: 'ChannelLeftBridge'; channelId: string; bridgeId: string; atUtcMs: number }
  /** The far end asked for the end. */
  | { type: 'ChannelHangupRequest'; channelId: string; atUtcMs: number }
  | {
      type: 'ChannelDestroyed';
      channelId: string;
      cause: number;
      sipCode?: number;
      /** It had been answered. */
      wasUp: boolean;
      atUtcMs: number;
    }
  /** Another client took our application. */
  | { type: 'ApplicationReplaced' };

/** Asked of Asterisk after each connect: it sends nothing else then. */
export const eventTypes = [
  'ApplicationReplaced',
  'ChannelDestroyed',
  'ChannelEnteredBridge',
  'ChannelHangupRequest',
  'ChannelLeftBridge',
  'ChannelStateChange',
  'Dial',
  'StasisStart',
] as const;

/** What the worker tells its owner. */
export type WorkerSaying =
  | { say: 'up' }
  | { say: 'lost'; reason: string }
  | { say: 'pong' }
  | { say: 'event'; event: AriEvent }
  | { say: 'answer'; id: number; answer: AriAnswer<unknown> };

/** What the owner tells the worker. */
export type WorkerOrder = { order: 'ping' } | { order: 'ask'; id: number; request: AriRequest };

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  value instanceof Object ? Object.fromEntries(Object.entries(value)) : {};
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/**
 * Cuts an ARI event down; undefined for what the floor does not act on. Asterisk can only leave out
 * whole types, and each event that crosses to the other thread costs as much as reading it.
 */
export function readEvent(raw: unknown): AriEvent | undefined {
  const event = fieldsOf(raw);
  const type = textOf(event.type);
  if (type === 'ApplicationReplaced') return { type };
  const channelId = textOf(fieldsOf(type === 'Dial' ? event.peer : event.channel).id);
  if (channelId === '') return undefined;
  const at = { channelId, atUtcMs: readStamp(textOf(event.timestamp)) };
  const bridgeId = textOf(fieldsOf(event.bridge).id);
  switch (type) {
    case 'ChannelStateChange':
      return textOf(fieldsOf(event.channel).state) === 'Ringing' ? { type, ...at } : undefined;
    case 'Dial':
      return event.dialstatus === 'PROGRESS' ? { type, ...at } : undefined;
    case 'StasisStart':
      return { type, ...at, args: Array.isArray(event.args) ? event.args.map(textOf) : [] };
    case 'ChannelEnteredBridge':
    case 'ChannelLeftBridge':
      return { type, ...at, bridgeId };
    case 'ChannelHangupRequest':
      // Soft: the phone system asked, by itself or for us.
      return event.soft === true ? undefined : { type, ...at };
    case 'ChannelDestroyed': {
      const cause = typeof event.cause === 'number' ? event.cause : 0;
      const sipCode = event.tech_cause;
      const wasUp = fieldsOf(event.channel).state === 'Up';
      return { type, ...at, cause, wasUp, ...(typeof sipCode === 'number' ? { sipCode } : {}) };
    }
    default:
      return undefined;
  }
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

export const readChannels = (raw: unknown): AriChannel[] =>
  listOf(raw).map((entry) => {
    const channel = fieldsOf(entry);
    return {
      channelId: textOf(channel.id),
      state: textOf(channel.state),
      application: textOf(fieldsOf(channel.dialplan).app_name),
    };
  });

export const readBridges = (raw: unknown): AriBridge[] =>
  listOf(raw).map((entry) => {
    const bridge = fieldsOf(entry);
    return { bridgeId: textOf(bridge.id), channelIds: listOf(bridge.channels).map(textOf) };
  });

/** The moment Asterisk started, as it writes it: the id of this boot. */
export const readStarted = (raw: unknown): string =>
  textOf(fieldsOf(fieldsOf(raw).status).startup_time);

/** Asterisk's own name for its version: `22.10.1~dfsg…`, `certified/20.7-cert5`, `GIT-22-…`. */
export const readVersion = (raw: unknown): string => textOf(fieldsOf(fieldsOf(raw).system).version);

/** What we rely on is documented and tested from this major version on. */
const leastMajor = 20;

/** A version without any number is of no release, and refused as well. */
export const isTooOld = (version: string): boolean =>
  Number(/\d+/.exec(version)?.[0] ?? 0) < leastMajor;

/** The package puts the secret into the socket's address, which then turns up in its errors. */
export function withoutSecret(cause: unknown, secret: string): string {
  const text = cause instanceof Error ? cause.message : 'unnamed failure';
  return text.replaceAll(secret, '…').replaceAll(encodeURIComponent(secret), '…');
}
