// Logging in and one's rights over HTTP: brute force, delays, tokens, problems, own and others'.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../src/http/app.ts';
import { buildHttp, requestsPerMinute } from '../../src/http/http.ts';
import { parallelHashes, waitingHashes } from '../../src/people/password.ts';
import {
  openTestFloor,
  password,
  putCase,
  putRecording,
  required,
  type TestFloor,
} from './http-floor.ts';

let floor: TestFloor;
let app: App;
/** Every test comes from a machine of its own, since attempts and requests are counted by it. */
let remoteAddress = '';
let tests = 0;
beforeAll(async () => {
  floor = await openTestFloor();
  app = await buildHttp(floor.parts);
});
beforeEach(() => {
  tests += 1;
  remoteAddress = `10.9.0.${tests}`;
  floor.orders.length = 0;
});
afterAll(async () => {
  await app.close();
  await floor.close();
});

async function ask(method: string, url: string, token?: string, payload?: object) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const body = payload === undefined ? {} : { payload };
  const asked = { method: method as 'GET', url, remoteAddress, headers, ...body };
  const response = await app.inject(asked);
  const json = response.body === '' ? {} : response.json();
  return { status: response.statusCode, headers: response.headers, json };
}

describe('logging in', () => {
  it('gives a token that works until logged out', async () => {
    const { login } = await floor.person('lead');
    const { status, json } = await ask('POST', '/api/login', undefined, { login, password });
    expect(status).toBe(200);
    const me = await ask('GET', '/api/me', json.token);
    expect(me.json).toMatchObject({ roles: ['lead'], state: 'active', lacks: 'not-an-agent' });
    expect(await ask('DELETE', '/api/session', json.token)).toMatchObject({ status: 200 });
    expect(await ask('GET', '/api/me', json.token)).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
    });
  });

  it('says the same of an unknown login and a wrong password', async () => {
    const { login } = await floor.person('lead');
    const wrong = { login, password: 'wrong wrong wrong' };
    const before = floor.entries('login-refused').length;
    const one = await ask('POST', '/api/login', undefined, wrong);
    const two = await ask('POST', '/api/login', undefined, { ...wrong, login: 'nobody' });
    expect(one.status).toBe(401);
    expect(two.json).toEqual(one.json);
    expect(one.json).toEqual({
      type: 'urn:gatehouse:login-refused',
      title: expect.any(String),
      status: 401,
      code: 'login-refused',
      why: expect.any(String),
      todo: expect.any(String),
    });
    expect(floor.entries('login-refused')).toHaveLength(before + 2);
  });

  it('slows brute force down, also in parallel, and lets others in meanwhile', async () => {
    const { login } = await floor.person('lead');
    const guesses = Array.from({ length: 40 }, (_, n) => ({
      login,
      password: `guess number ${n}`,
    }));
    // The right password comes with them, while the wait lasts however slow the machine is.
    const all = [...guesses, { login, password }];
    const answers = await Promise.all(
      all.map((guess) => ask('POST', '/api/login', undefined, guess)),
    );
    expect(answers.pop()?.status).toBe(429);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(3);
    const waiting = answers.filter(({ status }) => status === 429);
    expect(waiting).toHaveLength(37);
    expect(waiting[0]?.json.code).toBe('too-many-attempts');
    expect(Number(waiting[0]?.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    const payload = { login, password };
    const right = { method: 'POST', url: '/api/login', payload } as const;
    const elsewhere = await app.inject({ ...right, remoteAddress: '10.0.2.7' });
    expect(elsewhere.statusCode).toBe(200);
  });

  it('checks a bounded number of passwords, and answers everybody else at once', async () => {
    const logins = Array.from({ length: 200 }, (_, n) =>
      app.inject({
        method: 'POST',
        url: '/api/login',
        remoteAddress: `10.0.0.${n}`,
        payload: { login: `nobody${n}`, password: 'x'.repeat(20) },
      }),
    );
    let checked = 0;
    for (const login of logins) {
      void login.then(({ statusCode }) => {
        if (statusCode === 401) checked += 1;
      });
    }
    for (let n = 0; n < 20; n += 1) {
      expect((await app.inject({ url: '/livez' })).statusCode).toBe(200);
    }
    expect(checked).toBeLessThan(20);
    const answers = await Promise.all(logins);
    expect(checked).toBeGreaterThanOrEqual(parallelHashes + waitingHashes);
    const busy = answers.filter(({ statusCode }) => statusCode === 503);
    expect(busy.length).toBeGreaterThan(0);
    expect(busy.length + checked).toBe(200);
    expect(busy[0]?.json().code).toBe('people.password-queue-full');
    expect(busy[0]?.headers['retry-after']).toBe('2');
  });

  it('spends an enrolment code once', async () => {
    const { token } = await floor.person('it');
    const added = await ask('POST', '/api/people', token, { name: '王伟', roles: ['agent'] });
    expect(added.status).toBe(200);
    const order = { code: added.json.code, login: '王伟', password };
    const short = await ask('POST', '/api/enrol', undefined, { ...order, password: 'short' });
    expect(short).toMatchObject({ status: 409, json: { code: 'password-too-short' } });
    expect(await ask('POST', '/api/enrol', undefined, order)).toMatchObject({ status: 200 });
    expect(await ask('POST', '/api/enrol', undefined, order)).toMatchObject({ status: 401 });
    const login = { login: '王伟', password };
    expect(await ask('POST', '/api/login', undefined, login)).toMatchObject({ status: 200 });
  });
});

describe('tokens', () => {
  it('are shown once, never listed, and belong to whoever made them', async () => {
    const boss = await floor.person('supervisor', 'data');
    const order = { label: 'crm', roles: ['data'], days: 30 };
    const made = await ask('POST', '/api/tokens', boss.token, order);
    expect(made.status).toBe(200);
    expect((await ask('GET', '/api/lists', made.json.token)).status).toBe(200);
    expect((await ask('GET', '/api/floor', made.json.token)).json.code).toBe('role-denied');
    const listed = await ask('GET', '/api/tokens', boss.token);
    expect(listed.json.tokens).toHaveLength(2);
    expect(JSON.stringify(listed.json)).not.toMatch(/hash/);
    expect(JSON.stringify(listed.json)).not.toContain(made.json.token.split('.')[1]);
    const other = await floor.person('agent');
    const path = `/api/tokens/${made.json.tokenId}`;
    expect(await ask('DELETE', path, other.token)).toMatchObject({ status: 404 });
    expect(await ask('DELETE', path, boss.token)).toMatchObject({ status: 200 });
    expect(await ask('GET', '/api/lists', made.json.token)).toMatchObject({ status: 401 });
    expect(floor.entries('token-ended').at(-1)).toMatchObject({ about: made.json.tokenId });
  });
});

describe('own and others', () => {
  it('lets an agent change their own seat only, ready only with all on record', async () => {
    const { personId, token } = await floor.person('agent');
    const other = await floor.person('agent');
    const lead = await floor.person('lead');
    const state = (id: string) => `/api/agents/${id}/state`;
    const ready = { state: 'ready' };
    const foreign = await ask('PUT', state(other.personId), token, ready);
    expect(foreign).toMatchObject({ status: 403, json: { code: 'not-yours' } });
    const lacking = await ask('PUT', state(personId), token, ready);
    expect(lacking).toMatchObject({ status: 409, json: { code: 'agreement-signed' } });
    for (const requirement of required) {
      const path = `/api/people/${personId}/requirements`;
      expect((await ask('POST', path, token, { requirement })).status).toBe(403);
      expect((await ask('POST', path, lead.token, { requirement })).status).toBe(200);
    }
    expect(await ask('PUT', state(personId), token, ready)).toMatchObject({ status: 200 });
    expect(await ask('PUT', state(other.personId), lead.token, { state: 'away' })).toMatchObject({
      status: 200,
    });
    expect(floor.orders.map(({ order, by }) => [order, by])).toEqual([
      ['set-state', personId],
      ['set-state', lead.personId],
    ]);
  });

  it('shows an agent their own calls, seat and cases, and nothing of others', async () => {
    const { personId, token } = await floor.person('agent');
    const other = await floor.person('agent');
    putRecording(floor.store, 'call-1', personId);
    putRecording(floor.store, 'call-2', other.personId);
    expect((await ask('GET', '/api/calls', token)).json.calls).toMatchObject([{ id: 'call-1' }]);
    expect((await ask('GET', '/api/calls/call-1', token)).status).toBe(200);
    expect((await ask('GET', '/api/calls/call-2', token)).json.code).toBe('not-yours');
    const others = `/api/calls?agentId=${other.personId}`;
    expect((await ask('GET', others, token)).json.code).toBe('not-yours');
    expect((await ask('GET', '/api/agents', token)).json.agents).toHaveLength(1);
    const seen = await ask('GET', '/api/floor', token);
    expect(seen.json).toMatchObject({ agents: [{ id: personId }], lines: {}, recordings: {} });
    expect(seen.json.abandonShare).toBeUndefined();
  });

  it('shows a case to whom it is given or who talks about it, and records who saw it', async () => {
    const { personId, token } = await floor.person('agent');
    // Every agent of this floor is on a call about case-1.
    putCase(floor.store, 'case-1');
    putCase(floor.store, 'case-2', 'person-x');
    putCase(floor.store, 'case-3', personId);
    const seen = await ask('GET', '/api/cases/case-1', token);
    expect(seen.json.people).toMatchObject([
      { role: 'debtor', name: 'Li Na', numbers: [{ e164: '+447700900123', kind: 'mobile' }] },
    ]);
    expect(JSON.stringify(seen.json)).not.toMatch(/personKey|numberKey|version/);
    expect((await ask('GET', '/api/cases/case-2', token)).json.code).toBe('not-yours');
    expect((await ask('GET', '/api/cases/case-2/contacts', token)).json.code).toBe('not-yours');
    expect((await ask('GET', '/api/cases/case-3', token)).status).toBe(200);
    expect((await ask('GET', '/api/cases/nothing', token)).status).toBe(404);
    expect((await ask('GET', '/api/cases', token)).json.cases).toMatchObject([{ id: 'case-3' }]);
    expect(floor.entries('case-viewed').map(({ who, about }) => [who, about])).toEqual([
      [personId, 'case-1'],
      [personId, 'case-3'],
    ]);
    const stop = { reason: 'disputed' };
    expect((await ask('POST', '/api/cases/case-2/stop', token, stop)).status).toBe(403);
    expect((await ask('POST', '/api/cases/case-3/stop', token, stop)).status).toBe(200);
    const unknown = await ask('POST', '/api/cases/case-3/stop', token, { reason: 'bored' });
    expect(unknown.status).toBe(400);
    expect(floor.orders).toEqual([
      { order: 'stop', given: { caseId: 'case-3', reason: 'disputed' }, by: personId },
    ]);
  });

  it('tells why a number was called and why it was not, newest first', async () => {
    const { token } = await floor.person('auditor');
    putCase(floor.store, 'case-5');
    const contact = {
      id: 'permit-1',
      state: 'settled',
      channel: 'call',
      origin: 'granted',
      mode: 'predictive',
      caseId: 'case-5',
      personId: 'debtor-case-5',
      numberId: 'number-case-5',
      personKey: 'p',
      creditorKey: 'p.c',
      localDay: '2026-11-22',
      policy: 'policy-1',
      attemptUtcMs: 1_000,
      outcome: 'no-answer',
      version: 2,
    };
    const withheld = { room: 'cases', what: 'contact-withheld', who: 'system', why: 'hours' };
    const facts = { caseId: 'case-5', detail: ['closed'], policy: 'policy-1', untilUtcMs: 5_000 };
    floor.store.commit({
      room: 'cases',
      entries: [
        { ...withheld, about: 'number-case-5', facts },
        { ...withheld, about: 'number-case-55', facts },
      ],
      changes: [{ table: 'Contact', id: contact.id, row: contact }],
    });
    const { json } = await ask('GET', '/api/cases/case-5/contacts', token);
    expect(json.contacts).toMatchObject([
      { decision: 'withheld', rule: 'hours', detail: ['closed'], untilUtcMs: 5_000 },
      { decision: 'granted', id: 'permit-1', atUtcMs: 1_000, outcome: 'no-answer' },
    ]);
    expect(json.contacts).toHaveLength(2);
    const older = await ask('GET', '/api/cases/case-5/contacts?beforeUtcMs=2000', token);
    expect(older.json.contacts).toMatchObject([{ id: 'permit-1' }]);
  });

  it('never shows what opens a recording, though the row has it', async () => {
    const { token } = await floor.person('auditor', 'it');
    putRecording(floor.store, 'call-3', 'person-x');
    const one = await ask('GET', '/api/recordings/call-3', token);
    const list = await ask('GET', '/api/recordings?state=sealed', token);
    expect(one.json.plainSha256).toHaveLength(64);
    expect(list.json.recordings.at(-1)).toEqual(one.json);
    expect(JSON.stringify([one.json, list.json])).not.toMatch(/iv|wrappedKey|c2Vj/);
    const entries = await ask('GET', '/api/entries?about=call-3', token);
    expect(entries.json.entries).toHaveLength(1);
    expect(JSON.parse(entries.json.entries[0].line).rec.what).toBe('recording-sealed');
    const none = await ask('GET', '/api/entries?about=call', token);
    expect(none.json.entries).toEqual([]);
    const people = await ask('GET', '/api/people', token);
    expect(JSON.stringify(people.json)).not.toMatch(/argon2|passwordHash/);
  });
});

describe('a program with a token of a person', () => {
  it('opens no account, gives no rights and makes no further token', async () => {
    const { token } = await floor.person('it');
    const { personId } = await floor.person('supervisor');
    const order = { label: 'crm', roles: ['it'], days: 1 };
    const program = (await ask('POST', '/api/tokens', token, order)).json.token;
    const person = { name: 'Ghost', roles: ['it', 'supervisor', 'data'] };
    const own = `/api/people/${personId}`;
    for (const [method, url, body] of [
      ['POST', '/api/tokens', order],
      ['POST', '/api/people', person],
      ['POST', `${own}/code`, undefined],
      ['PUT', `${own}/roles`, { roles: ['it'], why: 'moved' }],
    ] as const) {
      const answer = await ask(method, url, program, body);
      expect(answer, url).toMatchObject({ status: 403, json: { code: 'session-needed' } });
    }
    expect(floor.people.all().map(({ name }) => name)).not.toContain('Ghost');
    expect((await ask('POST', '/api/people', token, person)).status).toBe(200);
    expect((await ask('GET', '/api/people', program)).status).toBe(200);
  });
});

describe('limits', () => {
  it('gives each session so many requests a minute, and other sessions theirs', async () => {
    const { token } = await floor.person('lead');
    const other = await floor.person('lead');
    for (let n = 0; n < requestsPerMinute; n += 1) {
      const { status } = await ask('GET', '/api/me', token);
      if (status !== 200) throw new Error(`request ${n}: ${status}`);
    }
    const over = await ask('GET', '/api/me', token);
    expect(over).toMatchObject({ status: 429, json: { code: 'too-many-requests' } });
    expect(Number(over.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask('GET', '/api/me', other.token)).status).toBe(200);
  });

  it('counts requests without a login, and for addresses that do not exist', async () => {
    const url = '/api/nothing';
    for (let n = 0; n < requestsPerMinute; n += 1) await app.inject({ url, remoteAddress });
    expect((await app.inject({ url, remoteAddress })).statusCode).toBe(429);
    expect((await app.inject({ url, remoteAddress: '10.0.2.2' })).statusCode).toBe(404);
  });
});

describe('health and figures', () => {
  it('tells everybody that it lives, and details to those who may know', async () => {
    const { token } = await floor.person('it');
    expect(await ask('GET', '/livez')).toMatchObject({ status: 200, json: { state: 'live' } });
    expect(await ask('GET', '/readyz')).toMatchObject({ status: 200, json: { state: 'ready' } });
    expect((await ask('GET', '/healthz')).status).toBe(401);
    const health = await ask('GET', '/healthz', token);
    expect(health.json.checks).toEqual([{ name: 'telephony', state: 'ok' }]);
  });

  it('gives figures on loopback or with a token of it, under their agreed names', async () => {
    const call = { id: 'call-1', campaignId: 'campaign-1', state: 'ended' };
    floor.tell({ topic: 'call', data: { ...call, outcome: 'conversation' } });
    floor.tell({ topic: 'call', data: { ...call, state: 'talking', answerToBridgeMs: 7 } });
    const local = await app.inject({ url: '/metrics' });
    expect(local.statusCode).toBe(200);
    for (const line of [
      'gatehouse_build_info{version="0.1.0"} 1',
      'gatehouse_calls_total{result="conversation"} 1',
      'gatehouse_answer_to_bridge_seconds_bucket{le="0.01"} 1',
      'gatehouse_agents{state="ready"} 3',
      'gatehouse_recordings_unverified 2',
      'gatehouse_storage_days_left{class="vault"} 12',
    ]) {
      expect(local.body.split('\n')).toContain(line);
    }
    expect(local.body).toMatch(/^gatehouse_event_loop_delay_seconds \d/m);
    // Unknown is not zero: no sample at all.
    expect(local.body).not.toMatch(/^gatehouse_abandon_ratio /m);
    const remote = { url: '/metrics', remoteAddress: '10.0.0.2' };
    expect((await app.inject(remote)).statusCode).toBe(401);
    const rebound = await app.inject({ url: '/metrics', headers: { host: 'evil.example' } });
    expect(rebound.statusCode).toBe(401);
    const forwarded = { 'x-forwarded-for': '10.0.0.2' };
    const proxied = await app.inject({ url: '/metrics', headers: forwarded });
    expect(proxied.statusCode).toBe(401);
    const posed = { 'x-forwarded-for': '127.0.0.1' };
    expect((await app.inject({ ...remote, headers: posed })).statusCode).toBe(401);
    const { token } = await floor.person('it');
    const headers = { authorization: `Bearer ${token}` };
    expect((await app.inject({ ...remote, headers })).statusCode).toBe(200);
  });
});
