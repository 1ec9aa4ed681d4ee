// Tells systemd that the daemon is ready, still turning, or stopping.
import { execFile } from 'node:child_process';
import type { Clock, Timer } from './clock.ts';
import type { Log } from './log.ts';

/** Beats sent in the time after which systemd gives the daemon up, so that one may be late. */
const beatsPerLimit = 3;
/** What systemd-notify may take before it is ended; it waits for systemd to have read it. */
const notifyDeadlineMs = 5_000;

/** The three things systemd wants to know (sd_notify(3)). */
export interface Notify {
  /** The floor is open; from now on the watchdog is fed. */
  ready(): void;
  /** The daemon ends on purpose; it feeds the watchdog no more. */
  stopping(): void;
}

/**
 * Node has no datagram sockets of the Unix kind, so each message is one run of systemd-notify; the
 * unit therefore has `NotifyAccess=all`. Without systemd (no `NOTIFY_SOCKET`) nothing is sent.
 * `standing` names the rooms whose loops have not turned within the last milliseconds: a timer
 * alone would prove nothing but itself, so the watchdog is fed only while there are none.
 */
export function openNotify(
  clock: Clock,
  log: Log,
  standing: (withinMs: number) => readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Notify {
  let timer: Timer | undefined;
  let ended = false;

  const send = (...words: string[]) => {
    if (environment.NOTIFY_SOCKET === undefined) return;
    const options = { env: environment, timeout: notifyDeadlineMs };
    execFile('systemd-notify', words, options, (cause) => {
      if (cause) log.warn('systemd was not told', { words, cause });
    });
  };

  const beatMs = watchdogMs(environment) / beatsPerLimit;
  const beat = () => {
    if (ended) return;
    const rooms = standing(beatMs);
    if (rooms.length === 0) send('WATCHDOG=1');
    else log.error('a room does not turn: the watchdog is not fed', { rooms, beatMs });
    timer = clock.after(beatMs, beat);
  };

  return {
    ready() {
      send('--ready');
      if (beatMs > 0) timer = clock.after(beatMs, beat);
    },
    stopping() {
      ended = true;
      timer?.cancel();
      send('STOPPING=1');
    },
  };
}

/** After this long without a beat systemd ends the daemon; 0: it does not watch this process. */
function watchdogMs({ WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv): number {
  const isOurs = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid;
  const limitMs = Number(WATCHDOG_USEC ?? 0) / 1_000;
  return isOurs && limitMs > 0 ? limitMs : 0;
}
