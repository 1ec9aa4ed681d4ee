// The wall clock was set while calls were up: what telephony waits for by its times moves with it.
import { plantOf } from './plant.ts';
import type { CallRow, Moment, TelephonyDraft } from './working-set.ts';

/** Less is what clocks drift and are slewed by. */
const leastStepMs = 1_000;

/**
 * Looks whether the wall clock has been set since the last event, and moves every time by which
 * something of telephony is measured or waited for, so that a call, a wrap-up and a pause last as
 * long as they would have. A step while the daemon was not running can't be told, and isn't.
 */
export function followClock(draft: TelephonyDraft, moment: Moment): void {
  const plant = plantOf(draft);
  const offsetMs = moment.atUtcMs - moment.uptimeMs;
  const byMs = Math.round(offsetMs - (plant.offsetMs ?? offsetMs));
  if (plant.offsetMs !== undefined && Math.abs(byMs) < leastStepMs) return;
  draft.put('Plant', { ...plant, offsetMs });
  if (byMs === 0) return;
  draft.entry({ what: 'clock-stepped', who: 'system', about: 'clock', facts: { byMs } });
  moveAll(draft, byMs);
}

function moveAll(draft: TelephonyDraft, byMs: number): void {
  const moved = <T extends number | undefined>(time: T) =>
    time === undefined ? time : time + byMs;
  for (const call of [...draft.all('Call')]) {
    if (call.state === 'ended' || call.state === 'wrap-up') continue;
    const { askedUtcMs, dialedUtcMs, ringingUtcMs, answeredUtcMs, connectedUtcMs } = call;
    const { nextTryUtcMs } = call;
    const next: CallRow = {
      ...call,
      askedUtcMs: askedUtcMs + byMs,
      dialedUtcMs: moved(dialedUtcMs),
      ringingUtcMs: moved(ringingUtcMs),
      answeredUtcMs: moved(answeredUtcMs),
      connectedUtcMs: moved(connectedUtcMs),
      nextTryUtcMs: moved(nextTryUtcMs),
    };
    draft.put('Call', next);
  }
  for (const agent of [...draft.all('Agent')]) {
    draft.put('Agent', {
      ...agent,
      sinceUtcMs: agent.sinceUtcMs + byMs,
      untilUtcMs: moved(agent.untilUtcMs),
      phoneUntilUtcMs: moved(agent.phoneUntilUtcMs),
    });
  }
  for (const recording of [...draft.all('Recording')]) {
    if (recording.nextUtcMs === undefined) continue;
    draft.put('Recording', { ...recording, nextUtcMs: recording.nextUtcMs + byMs });
  }
  for (const pace of [...draft.all('Pace')]) {
    const { dryUntilUtcMs, nextUtcMs, askedUtcMs } = pace;
    draft.put('Pace', {
      ...pace,
      dryUntilUtcMs: dryUntilUtcMs + byMs,
      nextUtcMs: moved(nextUtcMs),
      askedUtcMs: moved(askedUtcMs),
    });
  }
  const plant = plantOf(draft);
  const trunks = Object.entries(plant.trunks).map(([trunk, held]) => [
    trunk,
    { ...held, untilUtcMs: held.untilUtcMs + byMs },
  ]);
  const surveyUtcMs = moved(plant.surveyUtcMs);
  const lostUtcMs = moved(plant.lostUtcMs);
  draft.put('Plant', { ...plant, surveyUtcMs, lostUtcMs, trunks: Object.fromEntries(trunks) });
}
