// Permits on a real store: who is called next, what is withheld, what an agent's word changes.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dayMs, hourMs, minuteMs } from '../../src/calendar.ts';
import type { CallbackRow } from '../../src/cases/case.ts';
import { releaseMs } from '../../src/cases/case-steps.ts';
import type { ContactReport } from '../../src/cases/questions.ts';
import {
  type CasesFloor,
  campaignId,
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
const lead = (caseId: string, at = 0) =>
  floor.rows(`SELECT * FROM "Lead" WHERE id = 'lead-${caseId}-0-${at}'`)[0];
const caseRow = (id: string) => floor.rows(`SELECT * FROM "Case" WHERE id = '${id}'`)[0];
const alarms = () => [...floor.cases.view().all('Alarm')].map(({ id }) => id);

/** Settles a permit as telephony does after a conversation of an agent. */
function talked(permitId: string, more: Partial<ContactReport> = {}): Promise<void> {
  return floor.cases.settle({
    permitId,
    outcome: 'conversation',
    answeredUtcMs: floor.now(),
    effective: true,
    agentId: 'agent-1',
    ...more,
  });
}

describe('a permit', () => {
  it('is for the lead that is due longest, and is committed with its entry', async () => {
    putCase(floor, { id: 'case-1' });
    putCase(floor, { id: 'case-2' });
    floor.rows(`UPDATE "Lead" SET nextUtcMs = 5 WHERE caseId = 'case-1' RETURNING id`);
    const permit = granted(await floor.permit({ callId: 'call-9' }));
    expect(permit).toMatchObject({ caseId: 'case-2', number: numberOf(2), segment: 'mobile-10' });
    expect(floor.entries('contact-granted')).toMatchObject([
      { about: permit.permitId, why: 'predictive', facts: { callId: 'call-9', caseId: 'case-2' } },
    ]);
    expect(floor.rows('SELECT id, state, callId FROM "Contact"')).toEqual([
      { id: permit.permitId, state: 'open', callId: 'call-9' },
    ]);
    expect(lead('case-2')).toMatchObject({ tries: 1, version: 2, nextUtcMs: morning + 4 * hourMs });
  });

  it('learns the hour of an unknown zone from the first zone of the policy', async () => {
    putCase(floor, { id: 'case-1', zone: 'unknown' });
    expect(granted(await floor.permit()).segment).toBe('mobile-10');
  });

  it('is withheld with the rule, and looked at again when the rule ends', async () => {
    putCase(floor, { id: 'case-1' });
    floor.stepWall(11 * hourMs);
    const answer = await floor.permit();
    expect(answer).toEqual({
      outcome: 'refused',
      rule: 'hours',
      untilUtcMs: morning + 22 * hourMs,
    });
    expect(lead('case-1')).toMatchObject({ nextUtcMs: morning + 22 * hourMs, tries: 0 });
    expect(refused(await floor.permit())).toBe('no-lead-due');
    expect(floor.entries('contact-withheld')).toMatchObject([
      { about: 'number-case-1-0-0', why: 'hours', facts: { caseId: 'case-1' } },
    ]);
    floor.stepWall(11 * hourMs);
    granted(await floor.permit());
  });

  it('goes on to the next leads while all that were looked at are withheld', async () => {
    for (let i = 1; i <= 30; i += 1) putCase(floor, { id: `case-${i}` });
    for (let i = 1; i <= 29; i += 1) {
      floor.rows(`UPDATE "Number" SET notAtWork = 1 WHERE caseId = 'case-${i}' RETURNING id`);
    }
    expect(granted(await floor.permit()).caseId).toBe('case-30');
    expect(floor.entries('contact-withheld')).toHaveLength(29);
  });

  it('shows only the number of the creditor whose case it is', async () => {
    putCase(floor, { id: 'case-1', allocatedTo: 'agent-1' });
    expect(refused(await floor.permit({ creditorId: 'creditor-2' }))).toBe('other-creditor');
    const manual = { mode: 'manual', agentId: 'agent-1', caseId: 'case-1' } as const;
    const numberId = 'number-case-1-0-0';
    const other = { ...manual, numberId, creditorId: 'creditor-2' };
    expect(refused(await floor.permit(other))).toBe('other-creditor');
    granted(await floor.permit({ ...manual, numberId }));
  });

  it('never sees leads of a list that is not live', async () => {
    putList(floor, 'list-2');
    putCase(floor, { id: 'case-1', listId: 'list-2' });
    for (const state of ['staging', 'staged', 'dropped', 'failed']) {
      floor.rows(`UPDATE "List" SET state = '${state}' WHERE id = 'list-2' RETURNING id`);
      expect(refused(await floor.permit())).toBe('no-lead-due');
    }
    floor.rows(`UPDATE "List" SET state = 'live' WHERE id = 'list-2' RETURNING id`);
    expect(granted(await floor.permit()).caseId).toBe('case-1');
  });

  it('is never given twice for one person, number or case at a time', async () => {
    putCase(floor, { id: 'case-1', person: 'p', numbers: [numberOf(1), numberOf(2)] });
    putCase(floor, { id: 'case-2', person: 'p', numbers: [numberOf(3)] });
    putCase(floor, { id: 'case-3', person: 'q', numbers: [numberOf(1)] });
    const answers = await Promise.all([1, 2, 3, 4].map(() => floor.permit()));
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual([
      'granted',
      'refused',
      'refused',
      'refused',
    ]);
    const rules = floor.entries('contact-withheld').map(({ why }) => why);
    expect(rules).toEqual(['under-way', 'under-way', 'under-way']);
  });

  it('that a crash lost is counted and closed; one that telephony took is its own', async () => {
    putCase(floor, { id: 'case-1' });
    putCase(floor, { id: 'case-2' });
    const lost = granted(await floor.permit({ callId: 'call-1' }));
    const taken = granted(await floor.permit({ callId: 'call-2' }));
    floor.put('Call', {
      id: 'call-2',
      campaignId,
      mode: 'predictive',
      state: 'ringing',
      permitId: taken.permitId,
      segment: '',
      askedUtcMs: morning,
      recovered: false,
    } as { id: string });
    await floor.restart();
    const state = (id: string) => floor.rows(`SELECT * FROM "Contact" WHERE id = '${id}'`)[0];
    expect(state(lost.permitId)).toMatchObject({ state: 'settled', outcome: 'not-dialed' });
    expect(state(lost.permitId)).toMatchObject({ attemptUtcMs: morning });
    expect(state(taken.permitId)).toMatchObject({ state: 'open' });
    await talked(taken.permitId);
    expect(state(taken.permitId)).toMatchObject({ state: 'settled', agentId: 'agent-1' });
  });
});

describe('a manual call', () => {
  const manual = {
    mode: 'manual',
    agentId: 'agent-1',
    caseId: 'case-1',
    numberId: 'number-case-1-0-0',
  } as const;

  it('needs the case, or a release that opens it once', async () => {
    putCase(floor, { id: 'case-1' });
    expect(refused(await floor.permit(manual))).toBe('manual-not-allocated');
    await floor.cases.release({ caseId: 'case-1', agentId: 'agent-1', note: 'asked for me' }, by);
    expect(refused(await floor.permit({ ...manual, agentId: 'agent-2' }))).toBe(
      'manual-not-allocated',
    );
    const { permitId } = granted(await floor.permit(manual));
    await talked(permitId, { outcome: 'no-answer', answeredUtcMs: undefined, effective: false });
    await floor.pass(3 * hourMs);
    expect(refused(await floor.permit(manual))).toBe('manual-not-allocated');
    await floor.cases.allocate({ caseId: 'case-1', agentId: 'agent-1' }, by);
    granted(await floor.permit(manual));
    expect(floor.entries('case-allocated')).toMatchObject([
      { who: by, about: 'case-1', facts: { agentId: 'agent-1', before: null } },
    ]);
  });

  it('can not use one release twice, even when asked in the same tick', async () => {
    putCase(floor, { id: 'case-1', numbers: [numberOf(1), numberOf(2)] });
    await floor.cases.release({ caseId: 'case-1', agentId: 'agent-1', note: 'once' }, by);
    const first = floor.permit(manual);
    const settled = first.then((answer) => talked(granted(answer).permitId, { effective: false }));
    const second = settled.then(() =>
      floor.permit({ ...manual, numberId: 'number-case-1-0-1', callId: 'call-2' }),
    );
    granted(await first);
    expect(refused(await second)).not.toBe('');
    expect(floor.rows('SELECT usedUtcMs FROM "Release"')).toEqual([{ usedUtcMs: morning }]);
    expect(floor.rows('SELECT id FROM "Contact" WHERE releaseId IS NOT NULL')).toHaveLength(1);
  });

  it('is not opened by a release that is over, nor after the case was taken back', async () => {
    putCase(floor, { id: 'case-1' });
    await floor.cases.release({ caseId: 'case-1', agentId: 'agent-1', note: 'today' }, by);
    floor.stepWall(releaseMs);
    expect(refused(await floor.permit(manual))).toBe('manual-not-allocated');
    await floor.cases.allocate({ caseId: 'case-1', agentId: 'agent-1' }, by);
    await floor.cases.allocate({ caseId: 'case-1' }, by);
    expect(refused(await floor.permit(manual))).toBe('manual-not-allocated');
    expect(floor.entries('case-taken-back')).toHaveLength(1);
    expect(await floor.cases.allocate({ caseId: 'case-9' }, by)).toMatchObject({ done: false });
  });

  it('keeps the words of a release in a row only', async () => {
    putCase(floor, { id: 'case-1' });
    const note = 'Mr Example asked for agent one';
    await floor.cases.release({ caseId: 'case-1', agentId: 'agent-1', note }, by);
    expect(floor.store.load('Note')).toMatchObject([{ caseId: 'case-1', text: note }]);
    const [entry] = floor.entries('case-released');
    expect(entry?.facts?.noteSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(floor.entries())).not.toContain('Example');
  });
});

describe('an action code', () => {
  interface Wanted {
    stops?: string;
    number?: string;
    others?: string;
    refused?: true;
  }
  it.each<[string, 'debtor' | 'guarantor', Wanted]>([
    ['disputes', 'debtor', { stops: '["disputed"]' }],
    ['says-paid', 'debtor', { stops: '["paid"]' }],
    ['died', 'debtor', { stops: '["dead"]', others: '["dead"]' }],
    ['refuses', 'debtor', { stops: '["refused"]', others: '["refused"]' }],
    ['wrong-number', 'debtor', { number: 'invalid' }],
    ['not-this-number', 'debtor', { number: 'stopped' }],
    ['other-refuses', 'debtor', { number: 'stopped' }],
    ['other-refuses', 'guarantor', { refused: true }],
    ['will-not-pay', 'debtor', {}],
    ['busy', 'debtor', {}],
  ])('%s of the %s does what stands in its line', async (disposition, role, wanted) => {
    const numbers = role === 'debtor' ? [numberOf(1)] : [];
    const more = role === 'debtor' ? [] : [{ role, number: numberOf(1) }];
    putCase(floor, { id: 'case-1', person: 'p', numbers, more });
    const { permitId } = granted(await floor.permit());
    putCase(floor, { id: 'case-2', person: 'p', numbers: [numberOf(1)] });
    await talked(permitId, { disposition });
    expect(caseRow('case-1')).toMatchObject({ stops: wanted.stops ?? '[]' });
    expect(caseRow('case-2')).toMatchObject({ stops: wanted.others ?? '[]' });
    const number = (id: string) => floor.rows(`SELECT state FROM "Number" WHERE caseId = '${id}'`);
    expect(number('case-1')).toEqual([{ state: wanted.number ?? 'ok' }]);
    if (role === 'debtor') expect(number('case-2')).toEqual([{ state: wanted.number ?? 'ok' }]);
    const person = floor.rows(`SELECT refusedUtcMs FROM "CasePerson" WHERE caseId = 'case-1'`);
    expect(person).toEqual([{ refusedUtcMs: wanted.refused ? morning : null }]);
    expect(floor.entries('action-stated')).toMatchObject([{ who: 'agent-1', why: disposition }]);
    expect(alarms()).toEqual(
      wanted.stops === undefined
        ? []
        : ['case-1', ...(wanted.others === undefined ? [] : ['case-2'])].map(
            (id) => `case-stopped:${id}`,
          ),
    );
  });

  it('that nobody knows changes nothing, and the conversation counts', async () => {
    putCase(floor, { id: 'case-1' });
    const { permitId } = granted(await floor.permit());
    await talked(permitId, { disposition: 'toString' });
    expect(floor.entries('action-refused')).toMatchObject([{ why: 'unknown-code' }]);
    expect(floor.rows('SELECT conversationUtcMs FROM "Contact"')).toEqual([
      { conversationUtcMs: morning },
    ]);
    expect(floor.cases.checkAction({ code: 'toString' })).toEqual({
      done: false,
      why: 'unknown-code',
    });
    expect(floor.cases.checkAction({ code: 'call-back' })).toMatchObject({ done: false });
    expect(floor.cases.checkAction({ code: 'busy' })).toEqual({ done: true });
  });

  it('counts as a conversation when it says so, whatever the agent marked', async () => {
    putCase(floor, { id: 'case-1' });
    const { permitId } = granted(await floor.permit());
    await talked(permitId, { disposition: 'will-not-pay', effective: false });
    await talked(permitId, { disposition: 'busy', effective: false });
    expect(floor.entries('contact-settled')).toMatchObject([{ facts: { conversation: true } }]);
  });

  it('takes a promise to pay into a row, and lets the case rest until the day after', async () => {
    putCase(floor, { id: 'case-1', numbers: [numberOf(1), numberOf(2)] });
    const { permitId } = granted(await floor.permit());
    const promise = { amountMinor: 123_45, dueUtcMs: morning + 2 * dayMs };
    await talked(permitId, { disposition: 'promise-to-pay', stated: { promise } });
    expect(floor.rows('SELECT amountMinor, dueUtcMs, state FROM "PayPromise"')).toEqual([
      { ...promise, state: 'open' },
    ]);
    expect(JSON.stringify(floor.entries())).not.toContain('12345');
    expect([lead('case-1'), lead('case-1', 1)]).toMatchObject([
      { nextUtcMs: promise.dueUtcMs + dayMs },
      { nextUtcMs: promise.dueUtcMs + dayMs },
    ]);
  });

  it('invalidates a number that does not exist, in all cases of its person', async () => {
    putCase(floor, { id: 'case-1', person: 'p', numbers: [numberOf(1)] });
    const { permitId } = granted(await floor.permit());
    putCase(floor, { id: 'case-2', person: 'p', numbers: [numberOf(1)] });
    await floor.cases.settle({ permitId, outcome: 'invalid-number', effective: false });
    expect(floor.rows('SELECT state FROM "Number"')).toEqual([
      { state: 'invalid' },
      { state: 'invalid' },
    ]);
  });
});

describe('a callback', () => {
  const callbacks = () => floor.rows<CallbackRow>('SELECT * FROM "Callback"');
  /** Talks with case-1, which asks to be called back in three hours. */
  async function agree(own: boolean): Promise<number> {
    putCase(floor, { id: 'case-1' });
    const { permitId } = granted(await floor.permit());
    const dueUtcMs = morning + 3 * hourMs;
    const stated = { callback: { dueUtcMs, own } };
    await talked(permitId, { disposition: 'call-back', stated });
    for (let i = 2; i <= 20; i += 1) putCase(floor, { id: `case-${i}` });
    return dueUtcMs;
  }

  it('is granted before every other lead once it is due, and not before', async () => {
    const dueUtcMs = await agree(false);
    expect(granted(await floor.permit()).caseId).not.toBe('case-1');
    floor.stepWall(dueUtcMs - morning);
    const kept = granted(await floor.permit());
    expect(kept.caseId).toBe('case-1');
    expect(callbacks()).toMatchObject([{ state: 'done' }]);
    expect(granted(await floor.permit()).caseId).not.toBe('case-1');
  });

  it('of an agent waits for this agent, and for anybody after a quarter of an hour', async () => {
    const dueUtcMs = await agree(true);
    floor.stepWall(dueUtcMs - morning);
    expect(callbacks()).toMatchObject([{ agentId: 'agent-1', state: 'open' }]);
    expect(granted(await floor.permit({ agentId: 'agent-2' })).caseId).not.toBe('case-1');
    expect(granted(await floor.permit()).caseId).not.toBe('case-1');
    floor.stepWall(15 * minuteMs);
    expect(granted(await floor.permit()).caseId).toBe('case-1');
  });

  it('of an agent is given to this agent at once', async () => {
    const dueUtcMs = await agree(true);
    floor.stepWall(dueUtcMs - morning);
    const own = { agentId: 'agent-1', mode: 'progressive' } as const;
    expect(granted(await floor.permit(own)).caseId).toBe('case-1');
  });

  it('does not beat a cap, and is kept when the cap lets it', async () => {
    const dueUtcMs = await agree(false);
    floor.stepWall(dueUtcMs - morning - 10 * minuteMs);
    const visit = { channel: 'visit', outcome: 'met', effective: true } as const;
    const place = { caseId: 'case-1', personId: 'debtor-case-1-0', atUtcMs: floor.now() };
    for (let i = 0; i < 3; i += 1) await floor.cases.reportContact({ ...place, ...visit }, by);
    floor.stepWall(10 * minuteMs);
    expect(granted(await floor.permit()).caseId).not.toBe('case-1');
    expect(floor.entries('contact-withheld')).toMatchObject([{ why: 'gbt-conversations' }]);
    expect(callbacks()).toMatchObject([{ state: 'open' }]);
    // The next day of the person, at eight: the cap is over, the promise stands.
    floor.stepWall(19 * hourMs);
    expect(granted(await floor.permit()).caseId).toBe('case-1');
  });

  it('that was not placed is still owed', async () => {
    const dueUtcMs = await agree(false);
    floor.stepWall(dueUtcMs - morning);
    const { permitId } = granted(await floor.permit());
    await floor.cases.settle({ permitId, outcome: 'carrier-failure', effective: false });
    expect(callbacks()).toMatchObject([{ state: 'open', nextUtcMs: dueUtcMs + 15 * minuteMs }]);
  });

  it('is off when the case stops', async () => {
    await agree(false);
    await floor.cases.stop({ caseId: 'case-1', reason: 'complained' }, by);
    expect(callbacks()).toMatchObject([{ state: 'cancelled' }]);
    floor.stepWall(4 * hourMs);
    expect(granted(await floor.permit()).caseId).not.toBe('case-1');
  });
});
