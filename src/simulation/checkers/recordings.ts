// Checkers of recordings: every answered call has one in the vault, and nothing goes before it has.
import type { RecordingRow } from '../../telephony/working-set.ts';
import type { Invariant } from '../checker.ts';

/** A crash may cost one unwritten block, and the span has the tolerance of its measure. */
const mayLackMs = 2_500;
const mayLackShare = 0.011;

export const everyAnswerRecorded: Invariant = {
  name: 'every-answer-recorded',
  states: 'Every answered call has its whole recording in the vault, or an alarm says why not.',
  watch({ clock, account, world, rows, report }) {
    const answeredMs = new Map<string, number>();
    const spanMs = new Map<string, number>();
    const storedMs = new Map<string, number>();
    const alarmed = new Set<string>();
    const erased = new Set<string>();
    const recorded = new Set<string>();
    return {
      committed({ records }) {
        for (const { what, about, why, facts } of records) {
          if (what === 'alarm-raised' && why === 'recording-quarantined') alarmed.add(about);
          if (what === 'object-erased') erased.add(String(facts?.recordingId));
        }
      },
      happened(event) {
        const nowMs = clock.uptimeMs;
        if (event.kind === 'answered') {
          answeredMs.set(event.callId, nowMs);
          if (world.raw.has(event.callId)) recorded.add(event.callId);
        } else if (event.kind === 'stored') storedMs.set(event.recordingId, event.durationMs);
        else if (event.kind === 'gone') {
          const sinceMs = answeredMs.get(event.channelId);
          if (sinceMs !== undefined) spanMs.set(event.channelId, nowMs - sinceMs);
        }
      },
      closed() {
        for (const id of answeredMs.keys()) {
          const row = rows('Recording').get(id) as RecordingRow | undefined;
          const failed =
            account.struck('recording-fails', id) || account.struck('recording-damaged', id);
          if (row?.state === 'quarantined') {
            if (!alarmed.has(id)) report(`${id} is in quarantine and no alarm says so`);
            const stepped = account.steppedWithin(answeredMs.get(id) ?? 0, spanMs.get(id) ?? 0);
            if (!failed && !stepped) {
              report(`${id} is in quarantine (${row.why}) though it was recorded`);
            }
            continue;
          }
          // What never began to be recorded, and was over before anybody looked, left no trace.
          if (row === undefined && failed) continue;
          if (row?.state === 'erased' && (erased.has(id) || alarmed.has(id))) continue;
          if (row?.state !== 'kept') report(`the recording of ${id} is ${row?.state ?? 'missing'}`);
          const lackMs = (spanMs.get(id) ?? 0) - (storedMs.get(id) ?? 0);
          if (lackMs > mayLackMs + mayLackShare * (spanMs.get(id) ?? 0)) {
            report(`the recording of ${id} lacks ${Math.round(lackMs)} ms`);
          }
        }
        for (const id of world.raw.keys()) report(`raw files of ${id} are left in the spool`);
      },
    };
  },
};

export const sealedBeforeRemoved: Invariant = {
  name: 'sealed-before-removed',
  states: 'Raw files go only after the sealing of their recording was recorded.',
  watch({ report }) {
    const sealed = new Set<string>();
    return {
      committed({ records }) {
        for (const { what, about } of records) if (what === 'recording-sealed') sealed.add(about);
      },
      happened(event) {
        if (event.kind !== 'raw-removed') return;
        if (!sealed.has(event.recordingId)) report(`${event.recordingId} was removed unsealed`);
        if (event.open) report(`${event.recordingId} was removed while its call went on`);
      },
    };
  },
};
