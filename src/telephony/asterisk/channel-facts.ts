// What is known of each channel of ours, and the facts each event adds: in order, each one once.
import type { EndCause, EndedBy, PhoneFact, Survey } from '../phone-system.ts';
import type { AriBridge, AriChannel, AriEvent } from './ari-calls.ts';

/** Ended channels are remembered, so that a late word about one does not bring it back. */
export const rememberedEnds = 20_000;

const bridgePrefix = 'bridge-';
export const isCall = (channelId: string) => channelId.startsWith('call-');
export const isLeg = (channelId: string) => channelId.startsWith('leg-');
export const bridgeOf = (legId: string) => `${bridgePrefix}${legId}`;
const legOfBridge = (bridgeId: string) => bridgeId.slice(bridgePrefix.length);

/** The application a channel is in while it is in our hands. */
const heldIn = 'Stasis';

interface Channel {
  /** Steps only forward: a repeated or late event can not take it back. */
  phase: 'dialing' | 'ringing' | 'up' | 'ended';
  earlyMedia: boolean;
  /** The leg in whose bridge it is: a call's agent, or a leg itself once it is up. */
  inBridgeOf?: string;
  /** Set by whoever asked first for the end. */
  endedBy?: EndedBy;
  /** The last message was ordered; played to its end, the end is ours. */
  lastMessage?: true;
}

export type Channels = Map<string, Channel>;

/** Makes a channel known before Asterisk is asked for it: events can overtake the answer. */
export function expectChannel(channels: Channels, channelId: string): Channel {
  const known = channels.get(channelId);
  if (known !== undefined) return known;
  if (channels.size >= rememberedEnds) forgetEnded(channels);
  const channel: Channel = { phase: 'dialing', earlyMedia: false };
  channels.set(channelId, channel);
  return channel;
}

function forgetEnded(channels: Channels): void {
  let surplus = channels.size - rememberedEnds / 2;
  for (const [channelId, { phase }] of channels) {
    if (surplus <= 0) return;
    if (phase !== 'ended') continue;
    channels.delete(channelId);
    surplus -= 1;
  }
}

/** Notes that we asked for the end; a far end that hung up before keeps the blame. */
export function noteOurEnd(channels: Channels, channelId: string): void {
  const channel = channels.get(channelId);
  if (channel !== undefined) channel.endedBy ??= 'us';
}

/** Notes that we ordered the last message, after which the dialplan hangs up for us. */
export function noteLastMessage(channels: Channels, channelId: string): void {
  const channel = channels.get(channelId);
  if (channel !== undefined) channel.lastMessage = true;
}

/** Facts that one ARI event adds; none for channels that are not ours. */
export function hearEvent(
  channels: Channels,
  event: Exclude<AriEvent, { type: 'ApplicationReplaced' }>,
): PhoneFact[] {
  const { channelId, atUtcMs } = event;
  if (!isCall(channelId) && !isLeg(channelId)) return [];
  const channel = expectChannel(channels, channelId);
  if (channel.phase === 'ended') return [];
  switch (event.type) {
    case 'ChannelStateChange':
      return hearRinging(channel, channelId, atUtcMs);
    case 'Dial':
      if (channel.earlyMedia || channel.phase === 'up') return [];
      channel.earlyMedia = true;
      return isCall(channelId) ? [{ kind: 'call-early-media', callId: channelId, atUtcMs }] : [];
    case 'StasisStart':
      return hearStasis(channel, channelId, event.args, atUtcMs);
    case 'ChannelEnteredBridge':
      return enterBridge(channel, channelId, event.bridgeId, atUtcMs);
    case 'ChannelLeftBridge':
      return leaveBridge(channel, channelId, atUtcMs);
    case 'ChannelHangupRequest':
      channel.endedBy ??= 'far-end';
      return [];
    case 'ChannelDestroyed': {
      const { cause, sipCode, wasUp } = event;
      const end = { cause: { cause, ...(sipCode ? { sipCode } : {}) }, wasUp, atUtcMs };
      return endChannel(channels, channelId, end);
    }
  }
}

function hearRinging(channel: Channel, channelId: string, atUtcMs: number) {
  if (channel.phase !== 'dialing' || !isCall(channelId)) return [];
  channel.phase = 'ringing';
  return [{ kind: 'call-ringing', callId: channelId, atUtcMs } as const];
}

/**
 * The dialplan hands the channel over after answer and start of the recording, and states when the
 * answer was: with a notice, or a daemon that was away, the handing over is later than that. The
 * end of a notice that was played is stated too.
 */
function hearStasis(
  channel: Channel,
  channelId: string,
  [, answered, noticed]: readonly string[],
  atUtcMs: number,
): PhoneFact[] {
  if (channel.phase === 'up' || !isCall(channelId)) return [];
  channel.phase = 'up';
  const answeredUtcMs = readStamp(answered) ?? atUtcMs;
  const fact = { kind: 'call-answered', callId: channelId, atUtcMs: answeredUtcMs } as const;
  const noticedUtcMs = readStamp(noticed);
  return [noticedUtcMs === undefined ? fact : { ...fact, noticedUtcMs }];
}

function readStamp(text: string | undefined): number | undefined {
  const utcMs = Number(text);
  return Number.isSafeInteger(utcMs) && utcMs > 0 ? utcMs : undefined;
}

function enterBridge(
  channel: Channel,
  channelId: string,
  bridgeId: string,
  atUtcMs: number,
): PhoneFact[] {
  const legId = legOfBridge(bridgeId);
  if (!isLeg(legId) || channel.inBridgeOf === legId) return [];
  const left = leaveBridge(channel, channelId, atUtcMs);
  channel.inBridgeOf = legId;
  if (isCall(channelId))
    return [...left, { kind: 'bridge-joined', callId: channelId, legId, atUtcMs }];
  if (channelId !== legId || channel.phase === 'up') return [];
  channel.phase = 'up';
  return [{ kind: 'leg-up', legId, atUtcMs }];
}

function leaveBridge(channel: Channel, channelId: string, atUtcMs: number): PhoneFact[] {
  const legId = channel.inBridgeOf;
  if (legId === undefined) return [];
  delete channel.inBridgeOf;
  return isCall(channelId) ? [{ kind: 'bridge-left', callId: channelId, legId, atUtcMs }] : [];
}

/** The end of a channel as a feed states it. */
export interface ChannelEnd {
  cause: EndCause;
  /** It had been answered. */
  wasUp: boolean;
  atUtcMs: number;
}

/**
 * Ends a channel: the word of ARI, or of AMI where ARI said nothing. Nobody having asked, the phone
 * system did it by itself: its ring limit, its time limit, or a phone that fell silent.
 */
export function endChannel(
  channels: Channels,
  channelId: string,
  { cause, wasUp, atUtcMs }: ChannelEnd,
): PhoneFact[] {
  if (!isCall(channelId) && !isLeg(channelId)) return [];
  const channel = expectChannel(channels, channelId);
  if (channel.phase === 'ended') return [];
  const left = leaveBridge(channel, channelId, atUtcMs);
  channel.phase = 'ended';
  const by = channel.endedBy ?? (channel.lastMessage ? 'us' : 'phone-system');
  if (isLeg(channelId)) return [{ kind: 'leg-ended', legId: channelId, atUtcMs, cause }];
  const end = { kind: 'call-ended', callId: channelId, atUtcMs, by, cause } as const;
  return [...left, wasUp ? { ...end, wasUp } : end];
}

/** Channels and bridges as Asterisk lists them, in our words. */
export function readSurvey(
  bootId: string,
  channels: readonly AriChannel[],
  bridges: readonly AriBridge[],
): Survey {
  const legOf = new Map<string, string>();
  for (const { bridgeId, channelIds } of bridges) {
    const legId = legOfBridge(bridgeId);
    if (isLeg(legId)) for (const channelId of channelIds) legOf.set(channelId, legId);
  }
  const states = { Up: 'up', Ring: 'ringing', Ringing: 'ringing' } as const;
  const calls = channels
    .filter(({ channelId }) => isCall(channelId))
    .map(({ channelId, state, application }) => {
      const legId = legOf.get(channelId);
      return {
        callId: channelId,
        state: states[state as keyof typeof states] ?? 'dialing',
        held: application === heldIn,
        ...(legId === undefined ? {} : { legId }),
      };
    });
  const legs = channels
    .filter(({ channelId }) => isLeg(channelId))
    .map(({ channelId }) => ({ legId: channelId, up: legOf.get(channelId) === channelId }));
  return { bootId, calls, legs };
}

/** Legs that are in our hands without their bridge, and bridges whose leg is gone. */
export function findBroken(
  channels: readonly AriChannel[],
  bridges: readonly AriBridge[],
): { unbridgedLegs: string[]; orphanBridges: string[] } {
  const bridgeById = new Map(bridges.map((bridge) => [bridge.bridgeId, bridge]));
  const alive = new Set(channels.map(({ channelId }) => channelId));
  return {
    unbridgedLegs: channels
      .filter(({ channelId, application }) => isLeg(channelId) && application === heldIn)
      .map(({ channelId }) => channelId)
      .filter((legId) => !bridgeById.get(bridgeOf(legId))?.channelIds.includes(legId)),
    orphanBridges: bridges
      .map(({ bridgeId }) => bridgeId)
      .filter((bridgeId) => isLeg(legOfBridge(bridgeId)) && !alive.has(legOfBridge(bridgeId))),
  };
}

/** Takes over what a survey found: what it lists is alive, what it does not list is gone. */
export function adoptSurvey(channels: Channels, survey: Survey): void {
  const alive = new Set([...survey.calls.map((c) => c.callId), ...survey.legs.map((l) => l.legId)]);
  for (const [channelId, channel] of channels) if (!alive.has(channelId)) channel.phase = 'ended';
  for (const { callId, state, held, legId } of survey.calls) {
    const channel = expectChannel(channels, callId);
    if (held) channel.phase = 'up';
    else if (state !== 'dialing' && channel.phase === 'dialing') channel.phase = 'ringing';
    if (legId === undefined) delete channel.inBridgeOf;
    else channel.inBridgeOf = legId;
  }
  for (const { legId, up } of survey.legs) {
    const channel = expectChannel(channels, legId);
    if (!up) continue;
    channel.phase = 'up';
    channel.inBridgeOf = legId;
  }
}
