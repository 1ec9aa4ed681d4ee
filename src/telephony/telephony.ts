// The telephony room's front: opens the loop over its tables and performs its effects.
import type { Clock, Timer } from '../clock.ts';
import { FloorError } from '../errors.ts';
import { Room, type RoomWorld } from '../room.ts';
import { windowCounts } from './campaign.ts';
import { nextWakeUtcMs } from './deadlines.ts';
import { decideTelephony, isPatient, type TelephonyEvent } from './decide.ts';
import type { PhoneSystem } from './phone-system.ts';
import type { RecordingLimits } from './recording.ts';
import type { Recordings } from './recordings.ts';
import type {
  ContactResult,
  PermitAnswer,
  PermitRequest,
  RecordingRow,
  TelephonyDraft,
  TelephonyEffect,
  TelephonyResult,
  TelephonyTables,
} from './working-set.ts';

/** What telephony needs of the world and, handed over by floor.ts, of the other rooms. */
export interface TelephonyPorts {
  phone: PhoneSystem;
  recordings: Recordings;
  limits: RecordingLimits;
  /** Grants a contact, with its counters committed, or names the rule that refuses it. */
  permit(request: PermitRequest): Promise<PermitAnswer>;
  /** The vault is told that an object's record is durable. */
  settleObject(objectId: string): Promise<void>;
  /** Removes an object whose key is destroyed. */
  eraseObject(cipherSha256: string): Promise<void>;
  /** Takes note of what became of a permitted contact; durable when it resolves. */
  settle(contact: ContactResult): Promise<void>;
}

export interface Telephony {
  /** Settles what the last run left pending, then connects to the phone system. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Ends the loop at once and tells the world nothing. */
  drop(): void;
  ask<A>(event: TelephonyEvent): Promise<A>;
  post(event: TelephonyEvent): boolean;
  view(): TelephonyDraft;
  /** Answered and abandoned of a campaign in its window of 30 days. */
  windowCounts(campaignId: string): { answered30d: number; abandoned30d: number };
  /**
   * Destroys the keys of these calls' recordings; resolves when what was put aside of them is gone
   * too. Rejects with `recording.not-sealed` if one waits. To be repeated until it resolves.
   */
  eraseRecordings(callIds: readonly string[], why: string): Promise<void>;
  /** Turns the loop though nothing waits; for the watchdog. */
  touch(): void;
  /** Uptime of the last completed turn of the loop. */
  lastTurnUptimeMs(): number;
}

/** How often the room left for recordings is looked at. */
const storageEveryMs = 10_000;
/** Pause before a room that refused facts asks for the whole picture again. */
const resyncMs = 500;

type TelephonyRoom = Room<TelephonyTables, TelephonyEvent, TelephonyEffect, TelephonyResult>;

export function openTelephony(world: RoomWorld, ports: TelephonyPorts): Telephony {
  const { clock } = world;
  let storageTimer: Timer | undefined;
  let ended = false;
  const room: TelephonyRoom = new Room(
    {
      name: 'telephony',
      tables: {
        Agent: 'all',
        Call: { column: 'state', values: livingCalls },
        Campaign: 'all',
        CampaignDay: 'all',
        Recording: { column: 'state', values: ['live', 'closed', 'sealed'] },
        Alarm: { column: 'room', values: ['telephony'] },
      },
      volatile: ['Pace', 'Plant'],
      decide: decideTelephony,
      isPatient,
      nextWakeUtcMs,
      act: (effect) => act(ports, effect),
      // No effect of telephony can be judged before the phone system has been surveyed: repeatable
      // ones are repeated, the others are settled by the survey that every start makes.
      judge: async () => 'unknown',
      overflowed: () => resync(clock, room),
    },
    world,
  );
  const lookAtStorage = async () => {
    const { fault, ...seen } = await ports.recordings.room();
    if (ended) return;
    const unreadable = fault !== undefined;
    room.post({ kind: 'storage', room: seen, limits: ports.limits, unreadable });
    storageTimer = clock.after(storageEveryMs, () => void lookAtStorage());
  };
  const drop = () => {
    ended = true;
    storageTimer?.cancel();
    room.end();
  };
  return {
    async start() {
      await room.recover();
      await lookAtStorage();
      await ports.phone.start((fact) => room.post({ kind: 'phone', fact }));
    },
    async stop() {
      drop();
      await ports.phone.stop();
    },
    drop,
    ask: (event) => room.ask(event),
    post: (event) => room.post(event),
    view: () => room.view(),
    windowCounts: (id) => windowCounts(room.view(), id, clock.utcMs()),
    async eraseRecordings(callIds, why) {
      const done = room.askNow<boolean>(() => {
        const own = { column: 'id', values: callIds };
        const rows = world.committer.load('Recording', own) as RecordingRow[];
        return { kind: 'erase-recordings', rows, why };
      });
      if (!done) throw new FloorError('recording.not-sealed');
      // Whatever lies there has no key that could be destroyed; most have nothing there.
      for (const callId of callIds) await ports.recordings.eraseQuarantined(callId);
    },
    touch: () => room.touch(),
    lastTurnUptimeMs: () => room.lastTurnUptimeMs,
  };
}

const livingCalls = [
  'asked',
  'dialing',
  'dialed',
  'ringing',
  'answered',
  'connecting',
  'talking',
  'message',
  'wrap-up',
];

/** Facts were refused for want of room: the picture is stale until a survey has mended it. */
function resync(clock: Clock, room: TelephonyRoom): void {
  if (!room.post({ kind: 'resync' })) clock.after(resyncMs, () => resync(clock, room));
}

async function act(ports: TelephonyPorts, effect: TelephonyEffect): Promise<TelephonyResult> {
  const { phone, recordings } = ports;
  switch (effect.kind) {
    case 'ring-agent':
      return phone.ringAgent(effect);
    case 'request-permit':
      return ports.permit(effect.request);
    case 'dial':
      return phone.dial(effect.order);
    case 'check-recording':
      return recordings.check(effect.callId);
    case 'connect':
      return phone.connect(effect.callId, effect.legId);
    case 'end-with-message':
      return phone.endWithMessage(effect.callId);
    case 'hang-up':
      return phone.hangUp(effect.channelId);
    case 'seal':
      return recordings.seal(effect);
    case 'discard-raw':
      // The object's record is durable here; the raw files go, and its incoming name with them.
      await ports.settleObject(effect.objectId);
      return recordings.discardRaw(effect.recordingId);
    case 'erase-object':
      await ports.eraseObject(effect.cipherSha256);
      return { outcome: 'erased' };
    case 'settle-contact':
      await ports.settle(effect.contact);
      return { outcome: 'settled' };
    case 'survey': {
      const spool = await recordings.survey();
      if (spool.outcome !== 'surveyed') throw new FloorError('spool.unreadable', spool.detail);
      return { outcome: 'surveyed', survey: await phone.survey(), raw: spool.recordings };
    }
  }
}
