// Facts from events in every order that Asterisk may send them: in order, each one once.
import { describe, expect, it } from 'vitest';
import { seededIds } from '../../ids.ts';
import type { AriEvent } from './ari-calls.ts';
import {
  adoptSurvey,
  type Channels,
  endChannel,
  expectChannel,
  findBroken,
  hearEvent,
  noteLastMessage,
  noteOurEnd,
  readSurvey,
  rememberedEnds,
} from './channel-facts.ts';

type ChannelEvent = Exclude<AriEvent, { type: 'ApplicationReplaced' }>;

const callId = 'call-1';
const legId = 'leg-1';
const answeredUtcMs = 1_795_312_405_217;

const ringing: ChannelEvent = { type: 'ChannelStateChange', channelId: callId, atUtcMs: 1 };
const earlyMedia: ChannelEvent = { type: 'Dial', channelId: callId, atUtcMs: 2 };
const stasis: ChannelEvent = {
  type: 'StasisStart',
  channelId: callId,
  args: ['call', String(answeredUtcMs)],
  atUtcMs: answeredUtcMs + 3,
};
const entered = (channelId: string, leg = legId): ChannelEvent => ({
  type: 'ChannelEnteredBridge',
  channelId,
  bridgeId: `bridge-${leg}`,
  atUtcMs: 5,
});
const left: ChannelEvent = {
  type: 'ChannelLeftBridge',
  channelId: callId,
  bridgeId: `bridge-${legId}`,
  atUtcMs: 6,
};
const farHangUp: ChannelEvent = { type: 'ChannelHangupRequest', channelId: callId, atUtcMs: 7 };
const destroyed = (channelId: string, cause = 16, sipCode?: number): ChannelEvent => ({
  type: 'ChannelDestroyed',
  channelId,
  cause,
  wasUp: cause === 16,
  ...(sipCode === undefined ? {} : { sipCode }),
  atUtcMs: 8,
});

function hearAll(events: readonly ChannelEvent[], channels: Channels = new Map()) {
  return events.flatMap((event) => hearEvent(channels, event));
}
const kinds = (events: readonly ChannelEvent[]) => hearAll(events).map((fact) => fact.kind);

describe('a call', () => {
  const orders: readonly [string, ChannelEvent[], string[]][] = [
    ['answered', [ringing, stasis], ['call-ringing', 'call-answered']],
    ['with early media', [earlyMedia, stasis], ['call-early-media', 'call-answered']],
    ['told twice', [ringing, ringing, stasis, stasis], ['call-ringing', 'call-answered']],
    ['ringing after answer', [stasis, ringing, earlyMedia], ['call-answered']],
    ['told after its end', [destroyed(callId), ringing, stasis, entered(callId)], ['call-ended']],
    ['ended twice', [destroyed(callId), destroyed(callId)], ['call-ended']],
    [
      'that ends in a bridge it was not told to leave',
      [stasis, entered(callId), destroyed(callId)],
      ['call-answered', 'bridge-joined', 'bridge-left', 'call-ended'],
    ],
    [
      'that is moved to another leg',
      [stasis, entered(callId), entered(callId, 'leg-2'), left],
      ['call-answered', 'bridge-joined', 'bridge-left', 'bridge-joined', 'bridge-left'],
    ],
    ['in a bridge that is not ours', [stasis, entered(callId, 'x')], ['call-answered']],
    ['that is not ours', [{ ...ringing, channelId: '1795312405.1' }], []],
  ];
  it.each(orders)('%s', (_what, events, told) => {
    expect(kinds(events)).toEqual(told);
  });

  it('is answered when the dialplan says so, not when it is handed over', () => {
    const [fact] = hearAll([stasis]);
    expect(fact).toEqual({ kind: 'call-answered', callId, atUtcMs: answeredUtcMs });
    const [without] = hearAll([{ ...stasis, args: ['call'] }]);
    expect(without).toMatchObject({ atUtcMs: stasis.atUtcMs });
  });

  it('has heard the notice when the dialplan says so', () => {
    const noticedUtcMs = answeredUtcMs + 900;
    const args = ['call', String(answeredUtcMs), String(noticedUtcMs)];
    expect(hearAll([{ ...stasis, args }])).toMatchObject([{ noticedUtcMs }]);
    const [without] = hearAll([{ ...stasis, args: ['call', String(answeredUtcMs), ''] }]);
    expect(without).not.toHaveProperty('noticedUtcMs');
  });

  it.each(Array.from({ length: 200 }, (_, seed) => [seed]))(
    'tells each fact once whatever the order of its events (seed %i)',
    (seed) => {
      const ids = seededIds(seed);
      const all = [
        ringing,
        earlyMedia,
        stasis,
        entered(callId),
        left,
        farHangUp,
        destroyed(callId),
      ];
      const events = [...all, ...all]
        .map((event) => ({ event, order: ids.below(1_000_000) }))
        .sort((a, b) => a.order - b.order)
        .map(({ event }) => event);
      const told = kinds(events);
      for (const kind of ['call-ringing', 'call-early-media', 'call-answered', 'call-ended'])
        expect(told.filter((one) => one === kind).length).toBeLessThanOrEqual(1);
      expect(told.at(-1)).toBe('call-ended');
      const joined = told.filter((one) => one === 'bridge-joined').length;
      expect(told.filter((one) => one === 'bridge-left')).toHaveLength(joined);
    },
  );
});

describe('the end of a call', () => {
  const blames: readonly [string, (channels: Channels) => void, string][] = [
    ['that nobody asked for is the phone system’s', () => undefined, 'phone-system'],
    ['that the far end asked for', (c) => void hearEvent(c, farHangUp), 'far-end'],
    ['that we asked for', (c) => noteOurEnd(c, callId), 'us'],
    ['after the message', (c) => noteLastMessage(c, callId), 'us'],
    [
      'is the far end’s if it came first',
      (c) => {
        hearEvent(c, farHangUp);
        noteOurEnd(c, callId);
      },
      'far-end',
    ],
    [
      'is ours if we came first',
      (c) => {
        noteOurEnd(c, callId);
        hearEvent(c, farHangUp);
      },
      'us',
    ],
    [
      'in the middle of the message is the far end’s',
      (c) => {
        noteLastMessage(c, callId);
        hearEvent(c, farHangUp);
      },
      'far-end',
    ],
  ];
  it.each(blames)('%s', (_what, before, by) => {
    const channels: Channels = new Map();
    expectChannel(channels, callId);
    before(channels);
    const [fact] = hearAll([destroyed(callId, 17, 486)], channels);
    const cause = { cause: 17, sipCode: 486 };
    expect(fact).toEqual({ kind: 'call-ended', callId, atUtcMs: 8, by, cause });
  });

  it('is told once, whichever feed tells it first', () => {
    const channels: Channels = new Map();
    const end = { cause: { cause: 16 }, wasUp: true, atUtcMs: 5 };
    expect(endChannel(channels, callId, end)).toHaveLength(1);
    expect(hearAll([destroyed(callId)], channels)).toEqual([]);
  });
});

describe('a leg', () => {
  it('is up when it is in its own bridge, and no sooner', () => {
    expect(kinds([{ ...stasis, channelId: legId }, entered(legId, 'leg-2')])).toEqual([]);
    expect(kinds([entered(legId), entered(legId)])).toEqual(['leg-up']);
    expect(hearAll([destroyed(legId, 44)])).toEqual([
      { kind: 'leg-ended', legId, atUtcMs: 8, cause: { cause: 44 } },
    ]);
  });
});

describe('a survey', () => {
  const channels = [
    { channelId: callId, state: 'Up', application: 'Stasis' },
    { channelId: 'call-2', state: 'Ringing', application: 'AppDial2' },
    { channelId: 'call-3', state: 'Down', application: 'AppDial2' },
    { channelId: 'call-4', state: 'Up', application: 'Wait' },
    { channelId: legId, state: 'Up', application: 'Stasis' },
    { channelId: 'leg-2', state: 'Up', application: 'Stasis' },
    { channelId: '1795312405.7', state: 'Up', application: 'Dial' },
  ];
  const bridges = [
    { bridgeId: `bridge-${legId}`, channelIds: [legId, callId] },
    { bridgeId: 'bridge-leg-9', channelIds: [] },
    { bridgeId: 'of-the-site', channelIds: ['1795312405.7'] },
  ];
  const survey = readSurvey('boot', channels, bridges);

  it('lists what is ours, and in whose bridge it is', () => {
    expect(survey).toEqual({
      bootId: 'boot',
      calls: [
        { callId, state: 'up', held: true, legId },
        { callId: 'call-2', state: 'ringing', held: false },
        { callId: 'call-3', state: 'dialing', held: false },
        { callId: 'call-4', state: 'up', held: false },
      ],
      legs: [
        { legId, up: true },
        { legId: 'leg-2', up: false },
      ],
    });
  });

  it('finds legs without a bridge and bridges without a leg, and leaves those of the site', () => {
    expect(findBroken(channels, bridges)).toEqual({
      unbridgedLegs: ['leg-2'],
      orphanBridges: ['bridge-leg-9'],
    });
  });

  it('is where facts go on: nothing it showed is told again, nothing it lacks comes back', () => {
    const known: Channels = new Map();
    expectChannel(known, 'call-8');
    adoptSurvey(known, survey);
    expect(hearAll([ringing, stasis, entered(callId), entered(legId)], known)).toEqual([]);
    expect(hearAll([{ ...stasis, channelId: 'call-4' }], known)).toHaveLength(1);
    expect(hearAll([{ ...stasis, channelId: 'call-8' }], known)).toEqual([]);
    expect(hearAll([left], known)).toHaveLength(1);
  });
});

it('remembers a limited number of ends, and no living channel is forgotten', () => {
  const channels: Channels = new Map();
  expectChannel(channels, 'call-living');
  for (let n = 0; n < 3 * rememberedEnds; n += 1)
    endChannel(channels, `call-${n}`, { cause: { cause: 16 }, wasUp: true, atUtcMs: n });
  expect(channels.size).toBeLessThanOrEqual(rememberedEnds);
  expect(channels.get('call-living')?.phase).toBe('dialing');
  expect(channels.get(`call-${3 * rememberedEnds - 1}`)?.phase).toBe('ended');
});
