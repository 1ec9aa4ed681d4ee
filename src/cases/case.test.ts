// Cases: one stop is enough, each stop is lifted for itself, allocation and release.
import { describe, expect, it } from 'vitest';
import { seededIds } from '../ids.ts';
import {
  allocateCase,
  type BatchRow,
  batchStop,
  type CaseRow,
  liftStop,
  type ReleaseRow,
  releaseHolds,
  type StopReason,
  stopCase,
  stopReasons,
  stopScopes,
  stopsOf,
} from './case.ts';

const row: CaseRow = {
  id: 'case-1',
  batchId: 'batch-1',
  creditorId: 'creditor-1',
  reference: 'R-1',
  referenceKey: 'rk-1',
  stops: [],
  version: 7,
};
const batch: BatchRow = { id: 'batch-1', creditorId: 'creditor-1', name: 'B', receivedUtcMs: 0 };

describe('stops', () => {
  it('are the eleven of the floor, each true of the case or of the person', () => {
    expect(stopReasons.toSorted()).toEqual([
      'at-risk',
      'complained',
      'dead',
      'defrauded',
      'disputed',
      'expired',
      'ill',
      'in-prison',
      'paid',
      'recalled',
      'refused',
    ]);
    expect(stopScopes.dead).toBe('person');
    expect(stopScopes.defrauded).toBe('person');
    expect(stopScopes.disputed).toBe('case');
  });

  it('keep the moment of the first and raise the version once each', () => {
    const ill = stopCase(row, 'ill', 10);
    expect(ill).toEqual({ ...row, stops: ['ill'], stoppedUtcMs: 10, version: 8 });
    expect(stopCase(ill, 'ill', 20)).toBe(ill);
    const both = stopCase(ill, 'disputed', 20);
    expect(both).toMatchObject({ stops: ['disputed', 'ill'], stoppedUtcMs: 10, version: 9 });
  });

  it('are lifted one by one; the case moves when none is left', () => {
    const both = stopCase(stopCase(row, 'ill', 10), 'disputed', 20);
    const one = liftStop(both, 'ill', batch, 30);
    expect(one).toMatchObject({ lifted: true, row: { stops: ['disputed'], stoppedUtcMs: 10 } });
    if (!one.lifted) return;
    const none = liftStop(one.row, 'disputed', batch, 30);
    expect(none).toEqual({ lifted: true, row: { ...row, version: 11 } });
    expect(liftStop(row, 'ill', batch, 30)).toEqual({ lifted: false, reason: 'no-such-stop' });
  });

  it('of a batch count from the instant, and can not be lifted case by case', () => {
    const ended = { ...batch, deadlineUtcMs: 200, recallUtcMs: 100 };
    expect(batchStop(ended, 99)).toBeUndefined();
    expect(batchStop(ended, 100)).toBe('recalled');
    expect(batchStop({ ...batch, deadlineUtcMs: 200 }, 200)).toBe('expired');
    expect(stopsOf(row, ended, 99)).toEqual([]);
    expect(stopsOf(row, ended, 100)).toEqual(['recalled']);
    const stopped = stopCase(row, 'recalled', 100);
    expect(stopsOf(stopped, ended, 100)).toEqual(['recalled']);
    expect(liftStop(stopped, 'recalled', ended, 150)).toEqual({
      lifted: false,
      reason: 'batch-ended',
    });
    expect(liftStop(stopped, 'recalled', batch, 150).lifted).toBe(true);
  });

  it('in any order leave the same set, and a case never moves while one holds', () => {
    const ids = seededIds(5);
    for (let run = 0; run < 200; run += 1) {
      let current = row;
      const held = new Set<StopReason>();
      for (let step = 0; step < 20; step += 1) {
        const reason = stopReasons[ids.below(stopReasons.length)] ?? 'ill';
        if (ids.below(2) === 0) {
          current = stopCase(current, reason, step);
          held.add(reason);
        } else {
          const outcome = liftStop(current, reason, batch, step);
          expect(outcome.lifted).toBe(held.delete(reason));
          if (outcome.lifted) current = outcome.row;
        }
        expect(current.stops).toEqual([...held].sort());
        expect(current.stoppedUtcMs !== undefined).toBe(held.size > 0);
      }
    }
  });
});

describe('allocation', () => {
  it('gives, keeps and takes', () => {
    const given = allocateCase(row, 'agent-1', 5);
    expect(given).toEqual({ ...row, allocatedTo: 'agent-1', allocatedUtcMs: 5, version: 8 });
    expect(allocateCase(given, 'agent-1', 9)).toBe(given);
    expect(allocateCase(given, undefined, 9)).toEqual({ ...row, version: 9 });
  });

  it('is opened once, for one agent, one case and a time, by a release', () => {
    const release: ReleaseRow = {
      id: 'release-1',
      caseId: 'case-1',
      agentId: 'agent-1',
      byPersonId: 'person-1',
      reasonNoteId: 'note-1',
      untilUtcMs: 100,
    };
    expect(releaseHolds(release, row, 'agent-1', 99)).toBe(true);
    expect(releaseHolds(release, row, 'agent-1', 100)).toBe(false);
    expect(releaseHolds(release, row, 'agent-2', 50)).toBe(false);
    expect(releaseHolds(release, { ...row, id: 'case-2' }, 'agent-1', 50)).toBe(false);
    expect(releaseHolds({ ...release, usedUtcMs: 40 }, row, 'agent-1', 50)).toBe(false);
    expect(releaseHolds(undefined, row, 'agent-1', 50)).toBe(false);
  });
});
