// What truly happens in the simulated world, as the checkers see it: no belief of the daemon's.
import type { DialOrder } from '../telephony/phone-system.ts';

export type WorldEvent =
  /** A call was placed into the network. */
  | { kind: 'placed'; order: DialOrder }
  | { kind: 'answered'; callId: string }
  /** Customer and agent hear each other; `others`: calls that were in that bridge before. */
  | { kind: 'connected'; callId: string; legId: string; others: readonly string[] }
  /** The far end hears that nobody is free. */
  | { kind: 'message'; callId: string }
  /** A call or an agent's leg is gone from the network. */
  | { kind: 'gone'; channelId: string }
  | { kind: 'raw-removed'; recordingId: string; open: boolean }
  | { kind: 'stored'; recordingId: string; durationMs: number };

export type Watch = (event: WorldEvent) => void;
