// What people ask and report later: wishes of a number, contacts they made, batches taken back.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dayMs, everyDay, hourMs } from '../../src/calendar.ts';
import { stoppedPerCommit } from '../../src/cases/batch-steps.ts';
import {
  type CasesFloor,
  granted,
  morning,
  numberOf,
  openCasesFloor,
  putCase,
  putList,
  refused,
} from './cases-floor.ts';

let floor: CasesFloor;
beforeEach(async () => {
  floor = await openCasesFloor();
  putList(floor);
});
afterEach(() => floor.close());

const by = 'person-supervisor';

describe('the wishes of a number', () => {
  const at = { caseId: 'case-1', numberId: 'number-case-1-0-0' };
  const call = { ...at, mode: 'manual', agentId: 'agent-1' } as const;

  it('hold for it in all cases of its person, and not for others', async () => {
    const number = numberOf(1);
    putCase(floor, { id: 'case-1', person: 'p', numbers: [number], allocatedTo: 'agent-1' });
    putCase(floor, { id: 'case-2', person: 'p', numbers: [number], allocatedTo: 'agent-1' });
    putCase(floor, { id: 'case-3', person: 'q', numbers: [number] });
    const wishes = { notAtWork: true };
    expect(await floor.cases.stateWishes({ ...at, wishes }, by)).toEqual({ done: true });
    expect(refused(await floor.permit(call))).toBe('number-not-at-work');
    const second = { caseId: 'case-2', numberId: 'number-case-2-0-0' };
    expect(refused(await floor.permit({ ...call, ...second }))).toBe('number-not-at-work');
    expect(granted(await floor.permit()).caseId).toBe('case-3');
    expect(floor.entries('number-wishes-stated')).toMatchObject([
      { who: by, about: at.numberId, facts: { notAtWork: true, notThen: false } },
      { about: second.numberId },
    ]);
  });

  it('for times hold until these are over, and are stated anew as a whole', async () => {
    putCase(floor, { id: 'case-1', allocatedTo: 'agent-1' });
    // It is ten in the morning.
    const wishes = { notAtWork: false, notThen: everyDay([9 * 60, 11 * 60]) };
    await floor.cases.stateWishes({ ...at, wishes }, by);
    expect(await floor.permit(call)).toEqual({
      outcome: 'refused',
      rule: 'number-not-then',
      untilUtcMs: morning + hourMs,
    });
    await floor.cases.stateWishes({ ...at, wishes: { notAtWork: false } }, by);
    granted(await floor.permit(call));
  });

  it('are refused for a number that is not of the case', async () => {
    putCase(floor, { id: 'case-1' });
    putCase(floor, { id: 'case-2' });
    const refusal = { done: false, why: 'not-found' };
    const order = { caseId: 'case-2', numberId: at.numberId, wishes: { notAtWork: true } };
    expect(await floor.cases.stateWishes(order, by)).toEqual(refusal);
    const unknown = { ...order, numberId: 'number-9' };
    expect(await floor.cases.stateWishes(unknown, by)).toEqual(refusal);
  });
});

describe('a contact that the person made', () => {
  it('is no attempt, but its conversation counts', async () => {
    putCase(floor, { id: 'case-1' });
    const person = { caseId: 'case-1', personId: 'debtor-case-1-0' };
    const report = (channel: 'call' | 'visit', effective: boolean) =>
      floor.cases.reportContact(
        { ...person, channel, inbound: true, atUtcMs: floor.now(), outcome: 'called', effective },
        by,
      );
    for (let i = 0; i < 5; i += 1)
      expect(await report('call', false)).toMatchObject({ done: true });
    const { permitId } = granted(await floor.permit());
    await floor.cases.settle({ permitId, outcome: 'no-answer', effective: false });
    expect(await report('visit', true)).toMatchObject({ done: true });
    for (let i = 0; i < 3; i += 1) await report('call', true);
    await floor.pass(5 * hourMs);
    expect(refused(await floor.permit())).toBe('gbt-conversations');
    expect(
      floor.rows(`SELECT origin, attemptUtcMs FROM "Contact" WHERE origin <> 'granted' LIMIT 1`),
    ).toEqual([{ origin: 'inbound', attemptUtcMs: null }]);
    expect(floor.entries('contact-reported')[0]).toMatchObject({ facts: { inbound: true } });
  });
});

describe('a batch', () => {
  const batchId = 'batch-of-list-1';
  const name = 'Batch';
  const reopen = { batchId, name, why: 'extended' };
  const count = stoppedPerCommit * 2 + 3;
  const stops = () =>
    floor
      .rows<{ stops: string }>('SELECT stops FROM "Case" ORDER BY rowid')
      .map((row) => JSON.parse(row.stops).join());
  const alarms = () => [...floor.cases.view().all('Alarm')].map(({ id }) => id);

  beforeEach(async () => {
    for (let i = 1; i <= count; i += 1) putCase(floor, { id: `case-${i}` });
    await floor.restart();
  });

  it('is recalled and reopened by order; another stop of a case goes on holding', async () => {
    await floor.cases.stop({ caseId: 'case-2', reason: 'disputed' }, by);
    expect(await floor.cases.recallBatch({ batchId, name: 'Other' }, by)).toEqual({
      done: false,
      why: 'name-differs',
    });
    expect(await floor.cases.reopenBatch(reopen, by)).toEqual({
      done: false,
      why: 'batch-not-ended',
    });
    expect(await floor.cases.recallBatch({ batchId, name }, by)).toEqual({ done: true });
    // The rules count it from this very moment.
    expect(refused(await floor.permit())).toBe('stopped');
    await floor.settle();
    expect(new Set(stops())).toEqual(new Set(['recalled', 'disputed,recalled']));
    expect(alarms()).toContain(`batch-ended:${batchId}`);
    expect(await floor.cases.recallBatch({ batchId, name }, by)).toMatchObject({ done: false });
    expect(await floor.cases.reopenBatch(reopen, by)).toEqual({ done: true });
    await floor.settle();
    expect(
      stops()
        .map((each, i) => [i, each])
        .filter(([, each]) => each !== ''),
    ).toEqual([[1, 'disputed']]);
    expect(alarms()).not.toContain(`batch-ended:${batchId}`);
    granted(await floor.permit());
    expect(floor.entries('batch-recalled')).toMatchObject([{ who: by, about: batchId }]);
    expect(floor.entries('batch-reopened')).toMatchObject([{ who: by, why: 'extended' }]);
    await floor.restart();
    expect(stops()[0]).toBe('');
  });

  it('ends again by the deadline that it is reopened with', async () => {
    await floor.cases.recallBatch({ batchId, name }, by);
    const past = { ...reopen, deadlineUtcMs: morning };
    expect(await floor.cases.reopenBatch(past, by)).toEqual({ done: false, why: 'past' });
    await floor.cases.reopenBatch({ ...reopen, deadlineUtcMs: morning + dayMs }, by);
    await floor.settle();
    expect(stops()[count - 1]).toBe('');
    await floor.pass(dayMs);
    expect(stops()[count - 1]).toBe('expired');
  });

  it('that is reopened and recalled in one breath ends as ordered last', async () => {
    await floor.cases.recallBatch({ batchId, name }, by);
    await floor.cases.reopenBatch(reopen, by);
    await floor.settle();
    expect(new Set(stops())).toEqual(new Set(['']));
    await floor.cases.recallBatch({ batchId, name }, by);
    await floor.settle();
    await floor.cases.reopenBatch(reopen, by);
    await floor.cases.recallBatch({ batchId, name }, by);
    await floor.settle();
    expect(new Set(stops())).toEqual(new Set(['recalled']));
  });
});
