// The phone system on a real Asterisk: ARI gives the orders and the facts, AMI is the witness.
import type { Clock } from '../../clock.ts';
import { FloorError } from '../../errors.ts';
import type { Ids } from '../../ids.ts';
import type { DialOrder, OrderOutcome, PhoneSystem, RingAgentOrder } from '../phone-system.ts';
import type { AriAnswer, AriRequest, AriValue } from './ari-calls.ts';
import {
  bridgeOf,
  expectChannel,
  isCall,
  isLeg,
  noteLastMessage,
  noteOurEnd,
} from './channel-facts.ts';
import { type AsteriskAccess, Feeds } from './feeds.ts';

/** Names in the generated dialplan; extensions.conf holds their other end. */
export const contexts = {
  call: 'gatehouse-call',
  message: 'gatehouse-message',
  leg: 'gatehouse-leg',
} as const;

const idForm = /^(?:call|leg)-[A-Za-z0-9-]{1,60}$/;
const numberForm = /^\+[1-9][0-9]{4,14}$/;
const extensionForm = /^[0-9]{1,12}$/;
const soundForm = /^[A-Za-z0-9/_-][A-Za-z0-9/_.-]{0,250}$/;

const accepted: OrderOutcome = { outcome: 'accepted' };
const refused = (reason: string): OrderOutcome => ({ outcome: 'refused', reason });

/** Asterisk's own words for a channel that has ended. */
const saysGone = (message: string) => /channel not found/i.test(message);
const saysKnownId = (message: string) => /unique id already exists/i.test(message);

/**
 * The PhoneSystem that drives Asterisk 20 or later; nothing is opened before start(). At the first
 * link an older one is told to `refuse` as FloorError `asterisk.too-old`, and left alone.
 */
export function createAsterisk(
  access: AsteriskAccess,
  clock: Clock,
  ids: Ids,
  refuse: (cause: FloorError) => void,
): PhoneSystem {
  const feeds = new Feeds(access, clock, ids, refuse);
  const { channels } = feeds;

  async function order<R extends AriRequest>(request: R): Promise<AriAnswer<AriValue<R>>> {
    try {
      return await feeds.ask(request);
    } catch (cause) {
      // Nothing was sent, so this is certain: the order was not carried out.
      if (cause instanceof FloorError) return { outcome: 'refused', message: cause.code };
      throw cause;
    }
  }

  async function originate(request: Extract<AriRequest, { ask: 'originate' }>) {
    expectChannel(channels, request.channelId);
    const answer = await order(request);
    if (answer.outcome === 'refused' && !saysKnownId(answer.message)) {
      // Its end may have been told already, by events that overtook this answer.
      if (channels.get(request.channelId)?.phase === 'ended') return accepted;
      channels.delete(request.channelId);
    }
    return outcomeOf(answer, saysKnownId);
  }

  return {
    start: async (sink) => feeds.start(sink),
    stop: () => feeds.stop(),
    survey: () => feeds.survey(),

    async dial(call) {
      const wrong = checkDial(call, access.trunks);
      if (wrong !== undefined) return refused(wrong);
      if (channels.has(call.callId)) return accepted;
      if (!feeds.fresh) return refused('feed-stale');
      return originate({
        ask: 'originate',
        channelId: call.callId,
        endpoint: `PJSIP/${call.number}@${call.trunk}`,
        context: contexts.call,
        callerId: call.callerId,
        timeoutS: Math.ceil(call.ringMs / 1000),
        variables: {
          GATEHOUSE_LIMIT: String(Math.ceil(call.limitMs / 1000)),
          GATEHOUSE_NOTICE: call.noticeSound ?? '',
          GATEHOUSE_MESSAGE: call.messageSound,
        },
      });
    },

    async ringAgent(leg) {
      const wrong = checkRing(leg);
      if (wrong !== undefined) return refused(wrong);
      if (channels.has(leg.legId)) return accepted;
      if (!feeds.fresh) return refused('feed-stale');
      const endpoint = `PJSIP/${leg.extension}`;
      const subscribed = outcomeOf(await feeds.subscribe(`endpoint:${endpoint}`));
      if (subscribed.outcome !== 'accepted') return subscribed;
      const timeoutS = Math.ceil(leg.ringMs / 1000);
      const { legId: channelId } = leg;
      const context = contexts.leg;
      return originate({ ask: 'originate', channelId, endpoint, context, timeoutS, variables: {} });
    },

    async connect(callId, legId) {
      if (!isCall(callId) || !isLeg(legId)) return refused('not a call and a leg');
      if (channels.get(callId)?.inBridgeOf === legId) return accepted;
      // Its bridge may stand a moment longer than the leg.
      if (channels.get(legId)?.phase !== 'up') return refused('leg is not up');
      return outcomeOf(await order({ ask: 'join', bridgeId: bridgeOf(legId), channelId: callId }));
    },

    async endWithMessage(callId) {
      if (!isCall(callId)) return refused('not a call');
      noteLastMessage(channels, callId);
      const context = contexts.message;
      return outcomeOf(await order({ ask: 'continue', channelId: callId, context }));
    },

    async hangUp(channelId) {
      if (!idForm.test(channelId)) return refused('not a channel of ours');
      noteOurEnd(channels, channelId);
      return outcomeOf(await order({ ask: 'hang-up', channelId }), saysGone);
    },
  };
}

/** `means` tells the refusals that state what was wanted is already so. */
function outcomeOf(
  answer: AriAnswer<unknown>,
  means: (message: string) => boolean = () => false,
): OrderOutcome {
  if (answer.outcome === 'done') return accepted;
  if (answer.outcome === 'unknown') return answer;
  return means(answer.message) ? accepted : refused(answer.message);
}

/** Everything here becomes part of a dial string, a header or a dialplan variable. */
function checkDial(call: DialOrder, trunks: readonly string[]): string | undefined {
  if (!idForm.test(call.callId) || !isCall(call.callId)) return 'call id';
  if (!trunks.includes(call.trunk)) return 'unknown trunk';
  if (!numberForm.test(call.number)) return 'number';
  if (!numberForm.test(call.callerId)) return 'caller id';
  if (!isPeriod(call.ringMs) || !isPeriod(call.limitMs)) return 'time limit';
  if (!isSound(call.messageSound)) return 'message sound';
  if (call.noticeSound !== undefined && !isSound(call.noticeSound)) return 'notice sound';
  return undefined;
}

function checkRing(leg: RingAgentOrder): string | undefined {
  if (!idForm.test(leg.legId) || !isLeg(leg.legId)) return 'leg id';
  if (!extensionForm.test(leg.extension)) return 'extension';
  return isPeriod(leg.ringMs) ? undefined : 'time limit';
}

const isPeriod = (ms: number) => Number.isFinite(ms) && ms > 0 && ms <= 86_400_000;
const isSound = (sound: string) => soundForm.test(sound) && !sound.includes('..');
