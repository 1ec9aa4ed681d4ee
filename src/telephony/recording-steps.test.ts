// What is recorded of a call, and what of it can be erased, step by step.
import { describe, expect, it } from 'vitest';
import { Draft, type Row } from '../draft.ts';
import { seededIds } from '../ids.ts';
import { eraseRecordings, recordingChecked } from './recording-steps.ts';
import type { Moment, RecordingRow, TelephonyDraft } from './working-set.ts';

const atUtcMs = Date.parse('2026-11-22T10:00:00Z');
const ids = seededIds(23);
const moment: Moment = { atUtcMs, uptimeMs: 1_000, newId: (kind) => ids.next(kind) };
const id = 'call-1';
const plant = {
  ...{ id: 'now', feed: 'fresh', bootId: 'b', spoolHours: 9, vaultHours: 9, storageOk: true },
  trunks: {},
};
const alarm = {
  ...{ id: `recording-quarantined:${id}`, room: 'telephony', code: 'recording-quarantined' },
  ...{ about: id, sinceUtcMs: 0, lastUtcMs: 0, count: 1 },
};

function draftOf(recording?: RecordingRow): TelephonyDraft {
  const rows: Record<string, readonly Row[]> = { Plant: [plant], Alarm: [alarm] };
  if (recording) rows.Recording = [recording];
  const state = new Map(
    Object.entries(rows).map(([table, own]) => [table, new Map(own.map((row) => [row.id, row]))]),
  );
  return new Draft('telephony', state);
}

const recordingIn = (state: RecordingRow['state'], more: Partial<RecordingRow> = {}) => ({
  ...{ id, state, spanMs: 900, crashed: false, notice: false, repaired: false, tries: 0 },
  ...more,
});
const object = { objectId: 'object-1', cipherSha256: 'c'.repeat(64), wrappedKey: 'key', iv: 'iv' };

describe('a call without a recording', () => {
  it('withholds dialing at once; the next one would not be recorded either', () => {
    const draft = draftOf();
    recordingChecked(draft, id, { outcome: 'missing', which: 'both' }, moment);
    expect(draft.get('Plant', 'now')?.storageOk).toBe(false);
    const whats = draft.entries.map(({ what }) => what);
    expect(whats).toEqual(['alarm-raised', 'dialing-withheld']);
  });

  it('is no reason to withhold it where both legs are there', () => {
    const draft = draftOf();
    recordingChecked(draft, id, { outcome: 'recording' }, moment);
    expect(draft.get('Plant', 'now')?.storageOk).toBe(true);
  });
});

describe('erasing the recordings of a case', () => {
  const erase = (row: RecordingRow, draft = draftOf()) => {
    const done = eraseRecordings(
      draft,
      { kind: 'erase-recordings', rows: [row], why: 'w' },
      moment,
    );
    return { done, draft, whats: draft.entries.map(({ what }) => what) };
  };

  it('takes the key of one that is kept, by an entry, and orders its bytes removed', () => {
    const { done, draft, whats } = erase(recordingIn('kept', object));
    expect(done).toBe(true);
    expect(whats).toEqual(['object-erased']);
    const stored = draft.changes().find(({ table }) => table === 'Recording');
    expect(stored?.row).toMatchObject({ id, state: 'erased' });
    expect(stored?.row).not.toHaveProperty('wrappedKey');
    expect(draft.effects).toMatchObject([{ effect: { kind: 'erase-object' } }]);
  });

  it('says of one that was put aside that it is gone, and ends its alarm', () => {
    const { done, draft, whats } = erase(recordingIn('quarantined', { why: 'leg-missing' }));
    expect(done).toBe(true);
    expect(whats).toEqual(['quarantine-erased', 'alarm-cleared']);
    expect(draft.get('Alarm', alarm.id)?.clearedUtcMs).toBe(atUtcMs);
    expect(draft.effects).toEqual([]);
  });

  it.each(['live', 'closed', 'sealed'] as const)('waits for one that is %s', (state) => {
    const row = recordingIn(state, state === 'sealed' ? object : {});
    const { done, whats } = erase(row, draftOf(row));
    expect(done).toBe(false);
    expect(whats).toEqual([]);
  });

  it('changes nothing of one that is erased', () => {
    const { done, whats } = erase(recordingIn('erased'));
    expect(done).toBe(true);
    expect(whats).toEqual([]);
  });
});
