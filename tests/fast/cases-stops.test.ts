// What stops a case and what moves it again: reasons, stop-list, recalls, and who is told of it.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dayMs, hourMs } from '../../src/calendar.ts';
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
const alarms = () => [...floor.cases.view().all('Alarm')].map(({ id }) => id);
const stops = () =>
  floor
    .rows<{ stops: string }>('SELECT stops FROM "Case" ORDER BY id')
    .map((row) => JSON.parse(row.stops));
const leadStates = () =>
  floor.rows<{ state: string }>('SELECT state FROM "Lead" ORDER BY id').map(({ state }) => state);

describe('a stop', () => {
  it('of the case leaves the debtor’s other cases alone, one of the person does not', async () => {
    putCase(floor, { id: 'case-1', person: 'p', numbers: [numberOf(1), numberOf(2)] });
    putCase(floor, { id: 'case-2', person: 'p', numbers: [numberOf(3)] });
    putCase(floor, { id: 'case-3', person: 'q', numbers: [numberOf(4)] });
    expect(await floor.cases.stop({ caseId: 'case-1', reason: 'disputed' }, by)).toEqual({
      done: true,
    });
    expect(stops()).toEqual([['disputed'], [], []]);
    expect(leadStates()).toEqual(['closed', 'closed', 'open', 'open']);
    await floor.cases.stop({ caseId: 'case-1', reason: 'ill' }, by);
    expect(stops()).toEqual([['disputed', 'ill'], ['ill'], []]);
    expect(granted(await floor.permit()).caseId).toBe('case-3');
    expect(refused(await floor.permit())).toBe('no-lead-due');
    expect(floor.entries('case-stopped').map(({ about, why, who }) => [about, why, who])).toEqual([
      ['case-1', 'disputed', by],
      ['case-1', 'ill', by],
      ['case-2', 'ill', by],
    ]);
  });

  it('tells other rooms after the commit, and the supervisor by an alarm', async () => {
    putCase(floor, { id: 'case-1', person: 'p' });
    putCase(floor, { id: 'case-2', person: 'p', numbers: [numberOf(2)] });
    granted(await floor.permit());
    await floor.cases.stop({ caseId: 'case-1', reason: 'dead' }, by);
    await floor.settle();
    expect(floor.stopped).toEqual([{ caseIds: ['case-1', 'case-2'], reason: 'dead' }]);
    expect(alarms()).toEqual(['case-stopped:case-1', 'case-stopped:case-2']);
    expect(floor.rows(`SELECT room, code FROM "Alarm"`)).toEqual([
      { room: 'cases', code: 'case-stopped' },
      { room: 'cases', code: 'case-stopped' },
    ]);
    expect(await floor.cases.acknowledge('case-stopped:case-1', by)).toBe(true);
    expect(await floor.cases.acknowledge('case-stopped:case-1', by)).toBe(false);
    expect(alarms()).toEqual(['case-stopped:case-2']);
    expect(floor.entries('alarm-acknowledged')).toMatchObject([{ who: by, about: 'case-1' }]);
  });

  it('is told again after a crash that cut the telling off', async () => {
    putCase(floor, { id: 'case-1' });
    await floor.cases.stop({ caseId: 'case-1', reason: 'dead' }, by);
    floor.stopped.length = 0;
    await floor.restart();
    expect(floor.stopped).toEqual([{ caseIds: ['case-1'], reason: 'dead' }]);
    expect(floor.rows('SELECT id FROM "Pending"')).toEqual([]);
    expect(alarms()).toEqual(['case-stopped:case-1']);
  });

  it('can not be missed by a permit asked for in the same tick', async () => {
    for (let i = 1; i <= 4; i += 1) putCase(floor, { id: `case-${i}` });
    const answers = [
      floor.permit(),
      floor.cases.stop({ caseId: 'case-2', reason: 'paid' }, by),
      floor.permit(),
      floor.cases.stop({ caseId: 'case-3', reason: 'paid' }, by),
      floor.permit(),
      floor.permit(),
    ] as const;
    const cases = [answers[0], answers[2], answers[4]].map(
      async (each) => granted(await each).caseId,
    );
    expect(await Promise.all(cases)).toEqual(['case-1', 'case-3', 'case-4']);
    expect(refused(await answers[5])).toBe('no-lead-due');
    await floor.settle();
    // The permit that was granted before its case stopped is ended by what the stop tells.
    expect(floor.stopped.flatMap(({ caseIds }) => caseIds)).toEqual(['case-2', 'case-3']);
  });

  it('reaches other rooms behind a permit that was granted just before it', async () => {
    putCase(floor, { id: 'case-1' });
    const heard: string[] = [];
    // Between telephony's question and its inbox lie a few promises; none takes a turn of the loop.
    let answer: Promise<unknown> = floor.permit();
    for (let hop = 0; hop < 50; hop += 1) answer = answer.then((value) => value);
    void answer.then(() => heard.push('permit'));
    floor.stopped.push = (...told) => heard.push(`stop of ${told[0]?.caseIds}`);
    await floor.cases.stop({ caseId: 'case-1', reason: 'paid' }, by);
    await floor.settle();
    expect(heard).toEqual(['permit', 'stop of case-1']);
  });

  it('is refused for a case that does not exist, and done once when ordered twice', async () => {
    putCase(floor, { id: 'case-1' });
    const order = { caseId: 'case-1', reason: 'paid' } as const;
    expect(await floor.cases.stop({ ...order, caseId: 'case-9' }, by)).toEqual({
      done: false,
      why: 'not-found',
    });
    await floor.cases.stop(order, by);
    await floor.cases.stop(order, by);
    expect(floor.entries('case-stopped')).toHaveLength(1);
  });
});

describe('lifting a stop', () => {
  const note = 'The debtor called: the dispute is settled';

  it('lets the case move when no other holds, with its reason in a row only', async () => {
    putCase(floor, { id: 'case-1', person: 'p' });
    putCase(floor, { id: 'case-2', person: 'p', numbers: [numberOf(2)] });
    await floor.cases.stop({ caseId: 'case-1', reason: 'ill' }, by);
    await floor.cases.stop({ caseId: 'case-1', reason: 'disputed' }, by);
    const lift = (reason: 'ill' | 'disputed') =>
      floor.cases.liftStop({ caseId: 'case-2', reason, note }, by);
    expect(await lift('disputed')).toEqual({ done: false, why: 'no-such-stop' });
    expect(await lift('ill')).toEqual({ done: true });
    expect(stops()).toEqual([['disputed'], []]);
    expect(leadStates()).toEqual(['closed', 'open']);
    expect(alarms()).toEqual(['case-stopped:case-1']);
    expect(granted(await floor.permit()).caseId).toBe('case-2');
    expect(floor.entries('stop-lifted').map(({ about }) => about)).toEqual(['case-1', 'case-2']);
    expect(JSON.stringify(floor.entries())).not.toContain('dispute is');
    expect(floor.store.load('Note')).toMatchObject([{ text: note }, { text: note }]);
  });

  it('is refused where the batch has ended', async () => {
    putList(floor, 'list-2', { recallUtcMs: morning });
    putCase(floor, { id: 'case-1', listId: 'list-2' });
    await floor.restart();
    await floor.pass(1);
    expect(stops()).toEqual([['recalled']]);
    const order = { caseId: 'case-1', reason: 'recalled', note } as const;
    expect(await floor.cases.liftStop(order, by)).toEqual({ done: false, why: 'batch-ended' });
  });
});

/** The number as people write it within its country, with the trunk prefix. */
const otherwise = (index: number) => numberOf(index).replace('+1', '+1 (1) ');

describe('the stop-list', () => {
  it.each([
    ['too short', '+1202555'],
    ['no country', '+9992025550101'],
    ['an extension', '+12025550101 ext 7'],
    ['no number', 'unknown'],
  ])('refuses a number that no list could hold: %s', async (_, e164) => {
    const outcome = await floor.cases.addToStopList({ scope: 'number', e164, reason: 'asked' }, by);
    expect(outcome).toEqual({ done: false, why: 'number-unreadable' });
    expect(floor.entries('stop-listed')).toEqual([]);
  });

  it.each([
    ['number', { scope: 'number', e164: numberOf(1) }, ['case-2', 'case-3']],
    ['number spelt otherwise', { scope: 'number', e164: otherwise(1) }, ['case-2', 'case-3']],
    ['debtor', { scope: 'debtor', personId: 'debtor-case-1-0' }, ['case-3']],
    ['creditor', { scope: 'creditor', creditorId: 'creditor-1' }, []],
  ] as const)('holds a %s back from that instant, until it is off', async (_, order, others) => {
    putCase(floor, { id: 'case-1', person: 'p' });
    putCase(floor, { id: 'case-2', person: 'p', numbers: [numberOf(2)] });
    putCase(floor, { id: 'case-3', person: 'q', numbers: [numberOf(3)] });
    const added = await floor.cases.addToStopList({ ...order, reason: 'asked' }, by);
    if (!added.done) throw new Error(added.why);
    const cases: string[] = [];
    for (;;) {
      const answer = await floor.permit();
      if (answer.outcome === 'refused') break;
      cases.push(answer.permit.caseId);
      const { permitId } = answer.permit;
      await floor.cases.settle({ permitId, outcome: 'cancelled', effective: false });
      floor.stepWall(hourMs);
    }
    expect([...new Set(cases)].sort()).toEqual(others);
    expect(new Set(floor.entries('contact-withheld').map(({ why }) => why))).toContain('stop-list');
    const off = { stopId: added.stopId, why: 'agreed' };
    expect(await floor.cases.takeOffStopList(off, by)).toEqual({ done: true });
    expect(await floor.cases.takeOffStopList(off, by)).toMatchObject({ done: false });
    floor.stepWall(dayMs);
    const first = granted(await floor.permit());
    expect(['case-1', 'case-2', 'case-3']).toContain(first.caseId);
    expect(JSON.stringify(floor.entries())).not.toContain('2025550');
  });

  it('ends what is under way for whoever is put on it', async () => {
    putCase(floor, { id: 'case-1' });
    putCase(floor, { id: 'case-2' });
    granted(await floor.permit());
    granted(await floor.permit());
    await floor.cases.addToStopList({ scope: 'number', e164: numberOf(2), reason: 'asked' }, by);
    await floor.settle();
    expect(floor.stopped).toEqual([{ caseIds: ['case-2'], reason: 'stop-list' }]);
  });

  it('refuses a person or creditor that does not exist', async () => {
    const person = { scope: 'debtor', personId: 'nobody', reason: 'asked' } as const;
    expect(await floor.cases.addToStopList(person, by)).toEqual({ done: false, why: 'not-found' });
    const creditor = { scope: 'creditor', creditorId: 'nobody', reason: 'asked' } as const;
    expect(await floor.cases.addToStopList(creditor, by)).toMatchObject({ done: false });
  });
});

describe('a batch whose date comes', () => {
  const count = stoppedPerCommit * 2 + 3;
  const recallUtcMs = morning + 40 * dayMs;
  async function fill(): Promise<void> {
    putList(floor, 'list-2', { deadlineUtcMs: morning + 30 * dayMs, recallUtcMs });
    for (let i = 1; i <= count; i += 1) putCase(floor, { id: `case-${i}`, listId: 'list-2' });
    // Read again with its batch, as after an import.
    await floor.restart();
  }

  it('stops all of its cases slice by slice, and one alarm tells of it', async () => {
    await fill();
    await floor.pass(30 * dayMs - 1);
    expect(stops().flat()).toEqual([]);
    await floor.pass(1);
    expect(stops()).toEqual(Array.from({ length: count }, () => ['expired']));
    expect(leadStates()).toEqual(Array.from({ length: count }, () => 'closed'));
    expect(alarms()).toEqual(['batch-ended:batch-of-list-2']);
    expect(floor.stopped.map(({ caseIds }) => caseIds.length)).toEqual([25, 25, 3]);
    await floor.pass(10 * dayMs);
    expect(stops()).toEqual(Array.from({ length: count }, () => ['expired', 'recalled']));
    await floor.pass(100 * dayMs);
    expect(floor.entries('batch-ended').map(({ why }) => why)).toEqual(['expired', 'recalled']);
    expect(floor.rows('SELECT id FROM "Pending"')).toEqual([]);
  });

  it('is not ours from that very instant, whatever is written by then', async () => {
    await fill();
    floor.stepWall(30 * dayMs - 1);
    granted(await floor.permit());
    floor.stepWall(1);
    expect(refused(await floor.permit())).toBe('stopped');
    expect(stops().flat()).toEqual([]);
  });

  it('goes on stopping after a crash in the middle', async () => {
    await fill();
    floor.stepWall(30 * dayMs);
    await floor.restart();
    expect(stops().flat().length).toBeLessThan(count);
    await floor.restart();
    await floor.pass(1);
    expect(stops()).toEqual(Array.from({ length: count }, () => ['expired']));
    expect(floor.entries('case-stopped')).toHaveLength(count);
  });
});

describe('a contact made elsewhere', () => {
  const visit = {
    caseId: 'case-1',
    personId: 'debtor-case-1-0',
    channel: 'visit',
    atUtcMs: morning - hourMs,
    outcome: 'met-at-home',
    effective: true,
  } as const;

  it('counts, even where the rules would have refused it', async () => {
    putCase(floor, { id: 'case-1' });
    await floor.cases.stop({ caseId: 'case-1', reason: 'complained' }, by);
    for (let i = 0; i < 4; i += 1) {
      expect(await floor.cases.reportContact(visit, by)).toMatchObject({ done: true });
    }
    await floor.cases.liftStop({ caseId: 'case-1', reason: 'complained', note: 'settled' }, by);
    expect(refused(await floor.permit())).toBe('gbt-conversations');
    expect(floor.entries('contact-reported')[0]).toMatchObject({
      who: by,
      why: 'met-at-home',
      facts: { channel: 'visit', conversation: true, atUtcMs: visit.atUtcMs },
    });
    expect(floor.rows('SELECT DISTINCT localDay, origin FROM "Contact"')).toEqual([
      { localDay: '2026-11-23', origin: 'reported' },
    ]);
  });

  it.each([
    ['a case that does not exist', { caseId: 'case-9' }, 'not-found'],
    ['a person of another case', { personId: 'debtor-case-2-0' }, 'not-found'],
    ['a number of nobody', { numberId: 'number-9' }, 'not-found'],
    ['a number of another person', { numberId: 'number-case-2-0-0' }, 'not-found'],
    ['a time that has not come', { atUtcMs: morning + hourMs }, 'in-the-future'],
  ])('is refused for %s', async (_, change, why) => {
    putCase(floor, { id: 'case-1' });
    putCase(floor, { id: 'case-2' });
    const outcome = await floor.cases.reportContact({ ...visit, ...change }, by);
    expect(outcome).toEqual({ done: false, why });
    expect(floor.rows('SELECT id FROM "Contact"')).toEqual([]);
  });
});

describe('a year without a calendar', () => {
  it('is an alarm, once, and over when the calendar knows it', async () => {
    await floor.close();
    const holidays = { days: new Map(), years: new Set([2025]) };
    floor = await openCasesFloor({ policy: { holidays } });
    putList(floor);
    putCase(floor, { id: 'case-1' });
    putCase(floor, { id: 'case-2' });
    expect(refused(await floor.permit())).toBe('calendar-unknown-year');
    expect(alarms()).toEqual(['calendar-unknown-year:year-2026']);
    expect(floor.entries('alarm-raised')).toHaveLength(1);
    expect(await floor.cases.acknowledge('calendar-unknown-year:year-2026', by)).toBe(true);
    expect(alarms()).toEqual(['calendar-unknown-year:year-2026']);
    holidays.years.add(2026);
    await floor.restart();
    expect(alarms()).toEqual([]);
  });
});
