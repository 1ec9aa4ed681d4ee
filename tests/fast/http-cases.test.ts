// Cases over HTTP on real rooms: results of calls, stops taken back, erasure, the stop-list.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realClock } from '../../src/clock.ts';
import { putCase, required } from './http-floor.ts';
import { openRooms, type TestRooms, until } from './http-rooms.ts';

let rooms: TestRooms;
let test: TestRooms['test'];
let telephony: TestRooms['telephony'];
let ask: TestRooms['ask'];
let dialed: TestRooms['dialed'];
let tellFact: TestRooms['tellFact'];
beforeAll(async () => {
  rooms = await openRooms();
  ({ test, telephony, ask, dialed, tellFact } = rooms);
});
afterAll(() => rooms.close());

describe('cases behind HTTP', () => {
  const post = (url: string, token: string, payload: object) => ask('POST', url, token, payload);
  const codeOf = async (answer: ReturnType<typeof ask>) => (await answer).json.code as string;

  beforeAll(async () => {
    await until(() => telephony.view().get('Plant', 'now')?.feed === 'fresh');
  });

  /** A call by hand, up to the moment when agent and customer hear each other. */
  async function talk(personId: string, token: string, caseId: string): Promise<string> {
    const seat = { extension: '107', way: 'pre-connected', campaignIds: ['campaign-1'] };
    await post(`/api/agents/${personId}/sign-in`, token, seat);
    const agent = () => telephony.view().get('Agent', personId);
    tellFact({ kind: 'leg-up', legId: agent()?.legId ?? '', atUtcMs: realClock.utcMs() });
    await until(() => agent()?.legState === 'up');
    const order = { campaignId: 'campaign-1', caseId, numberId: `number-${caseId}` };
    expect(await codeOf(post('/api/calls', token, order))).toBe('agreement-signed');
    const { token: boss } = await test.person('lead');
    for (const requirement of required) {
      await post(`/api/people/${personId}/requirements`, boss, { requirement });
    }
    expect((await post('/api/calls', token, order)).json).toEqual({ done: true });
    await until(() => dialed.length === 1);
    const callId = dialed[0]?.callId ?? '';
    tellFact({ kind: 'call-answered', callId, atUtcMs: realClock.utcMs() });
    await until(() => telephony.view().get('Call', callId)?.state === 'talking');
    return callId;
  }

  it('takes the result of a call with what was promised, and shows what is owed', async () => {
    const { personId, token } = await test.person('agent');
    const other = await test.person('agent');
    const lead = await test.person('lead');
    putCase(test.store, 'case-7', personId);
    const callId = await talk(personId, token, 'case-7');
    const shown = { number: '+447700900123', callerId: '+12025550199', trunk: 'carrier' };
    expect(dialed).toMatchObject([shown]);
    const path = `/api/calls/${callId}/disposition`;
    const agreed = { actionCode: 'call-back', effective: true };
    const now = realClock.utcMs();
    const callback = { dueUtcMs: now + 3_600_000, own: true };
    const unknown = { ...agreed, actionCode: 'to-string' };
    expect(await codeOf(post(path, token, unknown))).toBe('unknown-code');
    expect(await codeOf(post(path, token, agreed))).toBe('callback-missing');
    const promised = { ...agreed, actionCode: 'promise-to-pay' };
    expect(await codeOf(post(path, token, promised))).toBe('promise-missing');
    const late = { ...agreed, callback: { ...callback, dueUtcMs: now - 1 } };
    expect(await codeOf(post(path, token, late))).toBe('past');
    const gift = { ...promised, promise: { amountMinor: 0, dueUtcMs: now + 3_600_000 } };
    expect(await codeOf(post(path, token, gift))).toBe('input-invalid');
    expect(test.entries('call-disposed')).toEqual([]);
    const stated = { ...agreed, callback };
    expect(await codeOf(post(path, other.token, stated))).toBe('not-your-call');
    expect((await post(`/api/calls/${callId}/hang-up`, token, {})).status).toBe(200);
    const end = { by: 'us', cause: { cause: 16 } } as const;
    tellFact({ kind: 'call-ended', callId, atUtcMs: realClock.utcMs(), ...end });
    await until(() => telephony.view().get('Call', callId)?.state === 'wrap-up');
    expect((await post(path, token, stated)).json).toEqual({ done: true });
    await until(() => test.entries('callback-agreed').length === 1);
    const owed = [{ caseId: 'case-7', numberId: 'number-case-7', agentId: personId }];
    const mine = await ask('GET', '/api/callbacks', token);
    expect(mine.json.callbacks).toMatchObject(owed);
    expect(mine.json.callbacks[0].dueUtcMs).toBe(callback.dueUtcMs);
    expect((await ask('GET', '/api/callbacks', lead.token)).json.callbacks).toMatchObject(owed);
    expect((await ask('GET', '/api/callbacks', other.token)).json.callbacks).toEqual([]);
    const theirs = `/api/callbacks?agentId=${personId}`;
    expect(await codeOf(ask('GET', theirs, other.token))).toBe('not-yours');
    const soon = await ask('GET', `/api/callbacks?dueBeforeUtcMs=${now}`, lead.token);
    expect(soon.json.callbacks).toEqual([]);
    const { json } = await ask('GET', '/api/action-codes', token);
    expect(json.codes).toContainEqual({
      ...{ code: 'call-back', zh: '约定回拨', en: 'Asks to be called back' },
      ...{ reached: 'debtor', effective: true, needs: 'callback' },
    });
  });

  it('takes a stop back with a reason, which does not stand in the ledger', async () => {
    const { personId, token } = await test.person('supervisor');
    putCase(test.store, 'case-8');
    const reason = 'disputed';
    const note = 'Li Na called: it was settled';
    expect((await post('/api/cases/case-8/stop', token, { reason })).status).toBe(200);
    const path = '/api/cases/case-8/lift-stop';
    expect((await post(path, token, { reason })).status).toBe(400);
    expect(await codeOf(post(path, token, { reason: 'paid', note }))).toBe('no-such-stop');
    expect((await post(path, token, { reason, note })).json).toEqual({ done: true });
    expect(test.entries('stop-lifted')).toMatchObject([{ who: personId, about: 'case-8' }]);
    expect(JSON.stringify(test.entries('stop-lifted'))).not.toContain('Li Na');
    expect((await ask('GET', '/api/cases/case-8', token)).json.stops).toEqual([]);
  });

  it('erases a case only when its reference is repeated', async () => {
    const { personId, token } = await test.person('supervisor');
    putCase(test.store, 'case-9');
    const path = '/api/cases/case-9/erase';
    const why = 'retention';
    expect((await post(path, token, { why })).status).toBe(400);
    const near = { why, reference: 'R-case-8' };
    expect(await codeOf(post(path, token, near))).toBe('reference-differs');
    expect((await ask('GET', '/api/cases/case-9', token)).status).toBe(200);
    const named = { why, reference: 'R-case-9' };
    expect((await post(path, token, named)).json).toEqual({ done: true });
    expect((await ask('GET', '/api/cases/case-9', token)).status).toBe(404);
    expect((await post(path, token, named)).status).toBe(404);
    expect(test.entries('case-erased')).toMatchObject([{ who: personId, about: 'case-9', why }]);
  });

  it('keeps the stop-list without showing a number', async () => {
    const { personId, token } = await test.person('data');
    const e164 = '+12025550166';
    const reason = 'asked-by-person';
    const wanted = { scope: 'number', e164, reason };
    for (const bad of [
      { ...wanted, e164: '202-555-0166' },
      { scope: 'number', personId: 'debtor-case-8', reason },
      { ...wanted, creditorId: 'creditor-1' },
      { scope: 'everybody', reason },
    ]) {
      expect((await post('/api/stop-list', token, bad)).status).toBe(400);
    }
    const short = { ...wanted, e164: '+1202555' };
    expect(await codeOf(post('/api/stop-list', token, short))).toBe('number-unreadable');
    const nobody = { scope: 'debtor', personId: 'debtor-nobody', reason };
    expect((await post('/api/stop-list', token, nobody)).status).toBe(404);
    const { stopId } = (await post('/api/stop-list', token, wanted)).json;
    const listed = await ask('GET', '/api/stop-list', token);
    const row = { id: stopId, scope: 'number', reason, byPersonId: personId };
    expect(listed.json.stops).toMatchObject([row]);
    const told = JSON.stringify([listed.json, test.entries('stop-listed')]);
    expect(told).not.toContain(e164.slice(1));
    const end = `/api/stop-list/${stopId}/end`;
    const lead = await test.person('supervisor');
    expect(await codeOf(post(end, token, { why: 'mistaken' }))).toBe('role-denied');
    expect((await post(end, lead.token, { why: 'mistaken' })).json).toEqual({ done: true });
    expect((await post(end, lead.token, { why: 'mistaken' })).status).toBe(404);
    expect((await ask('GET', '/api/stop-list', token)).json.stops).toEqual([]);
  });

  it('takes what a person asked of a number from whoever has the case', async () => {
    const { personId, token } = await test.person('agent');
    const other = await test.person('agent');
    putCase(test.store, 'case-10', personId);
    const path = '/api/cases/case-10/numbers/number-case-10/wishes';
    const put = (by: string, payload: object) => ask('PUT', path, by, payload);
    const notThen = { mon: ['09:00-12:00', '22:00-02:00'], sat: ['00:00-24:00'] };
    const wishes = { notAtWork: false, notThen };
    expect(await codeOf(put(other.token, wishes))).toBe('not-yours');
    for (const wrong of ['9 to 12', '25:00-26:00', '09:60-10:00']) {
      const bad = { notAtWork: false, notThen: { sun: [wrong] } };
      expect(await codeOf(put(token, bad))).toBe('input-invalid');
    }
    expect((await put(token, wishes)).json).toEqual({ done: true });
    const shown = await ask('GET', '/api/cases/case-10', token);
    expect(shown.json.people[0].numbers).toMatchObject([wishes]);
    expect((await put(token, { notAtWork: true })).json).toEqual({ done: true });
    const again = await ask('GET', '/api/cases/case-10', token);
    expect(again.json.people[0].numbers[0]).toMatchObject({ notAtWork: true });
    expect(again.json.people[0].numbers[0].notThen).toBeUndefined();
  });

  it('counts what a person did by themselves, and shows it beside the calls', async () => {
    const { token } = await test.person('lead');
    putCase(test.store, 'case-11');
    const atUtcMs = realClock.utcMs();
    const call = { personId: 'debtor-case-11', channel: 'call', inbound: true, atUtcMs };
    const report = { ...call, outcome: 'asked-for-terms', effective: true };
    const path = '/api/cases/case-11/contacts';
    expect((await post(path, token, report)).status).toBe(200);
    const { contacts } = (await ask('GET', path, token)).json;
    const shown = { decision: 'inbound', channel: 'call', atUtcMs, conversationUtcMs: atUtcMs };
    expect(contacts).toMatchObject([shown]);
    expect(contacts[0].attemptUtcMs).toBeUndefined();
  });

  it('recalls and reopens a batch only when its name is repeated', async () => {
    const { token } = await test.person('supervisor');
    const lead = await test.person('lead');
    const batch = async () => (await ask('GET', '/api/batches', token)).json.batches[0];
    expect(await batch()).toEqual({
      ...{ id: 'batch-1', creditorId: 'creditor-1', name: 'Batch', receivedUtcMs: 1 },
    });
    const recall = '/api/batches/batch-1/recall';
    expect(await codeOf(post(recall, lead.token, { name: 'Batch' }))).toBe('role-denied');
    expect(await codeOf(post(recall, token, { name: 'batch' }))).toBe('name-differs');
    expect((await post('/api/batches/batch-9/recall', token, { name: 'Batch' })).status).toBe(404);
    expect((await post(recall, token, { name: 'Batch' })).json).toEqual({ done: true });
    expect(await batch()).toMatchObject({ ended: 'recalled' });
    const reopen = '/api/batches/batch-1/reopen';
    const order = { name: 'Batch', why: 'ordered-by-creditor' };
    expect((await post(reopen, token, order)).json).toEqual({ done: true });
    expect(await codeOf(post(reopen, token, order))).toBe('batch-not-ended');
    expect((await batch()).ended).toBeUndefined();
  });
});
