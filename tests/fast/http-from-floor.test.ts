// Orders and views over HTTP on real rooms, store and ledger, with a quiet phone system.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isSignedBy, publicKeyText, readCheckpoint } from '../../src/audit/checkpoint.ts';
import { realClock } from '../../src/clock.ts';
import type { LiveMessage } from '../../src/http/floor-port.ts';
import { putRecording, required } from './http-floor.ts';
import { defaults, openRooms, signingKey, type TestRooms, until } from './http-rooms.ts';

let rooms: TestRooms;
let test: TestRooms['test'];
let telephony: TestRooms['telephony'];
let ask: TestRooms['ask'];
let app: TestRooms['app'];
let news: TestRooms['news'];
let tellFact: TestRooms['tellFact'];
beforeAll(async () => {
  rooms = await openRooms();
  ({ test, telephony, ask, app, news, tellFact } = rooms);
});
afterAll(() => rooms.close());

describe('the floor behind HTTP', () => {
  it('signs an agent in, rings the phone, lets them be ready once all is on record', async () => {
    const { personId, token } = await test.person('agent');
    const boss = await test.person('supervisor');
    const seat = { extension: '101', way: 'pre-connected', campaignIds: ['campaign-1'] };
    const signedIn = await ask('POST', `/api/agents/${personId}/sign-in`, token, seat);
    expect(signedIn).toEqual({ status: 200, json: { done: true } });
    const again = await ask('POST', `/api/agents/${personId}/sign-in`, token, seat);
    expect(again).toMatchObject({ status: 409, json: { code: 'already-signed-in' } });
    const mine = await ask('GET', '/api/agents', token);
    expect(mine.json.agents).toMatchObject([{ id: personId, state: 'away', phone: 'ringing' }]);
    const state = `/api/agents/${personId}/state`;
    const early = await ask('PUT', state, token, { state: 'ready' });
    expect(early).toMatchObject({ status: 409, json: { code: required[0] } });
    expect(test.entries('ready-refused')).toMatchObject([{ about: personId }]);
    for (const requirement of required) {
      await ask('POST', `/api/people/${personId}/requirements`, boss.token, { requirement });
    }
    const legId = telephony.view().get('Agent', personId)?.legId ?? '';
    tellFact({ kind: 'leg-up', legId, atUtcMs: realClock.utcMs() });
    await until(() => telephony.view().get('Agent', personId)?.legState === 'up');
    expect(await ask('PUT', state, token, { state: 'ready' })).toMatchObject({ status: 200 });
    const seen = await ask('GET', '/api/floor', boss.token);
    expect(seen.json).toMatchObject({
      feed: 'fresh',
      agents: [{ id: personId, state: 'ready', phone: 'up' }],
      campaigns: [{ id: 'campaign-1', state: 'stopped', answered30d: 200, abandoned30d: 3 }],
      abandonShare: 0.015,
    });
    const isReady = (message: LiveMessage) =>
      message.topic === 'agent' && message.data.state === 'ready' && message.personId === personId;
    await until(() => news.some(isReady));
    const none = await ask('PUT', state, token, { state: 'break' });
    expect(none.json.code).toBe('break-without-code');
    const lunch = { state: 'break', code: 'lunch' };
    expect((await ask('PUT', state, token, lunch)).status).toBe(200);
    expect((await ask('POST', `/api/agents/${personId}/sign-out`, token, {})).status).toBe(200);
  });

  it('tells how a list comes in, up to its end', async () => {
    const { lists } = rooms.cases;
    const path = join(lists.folder, 'list.csv');
    writeFileSync(path, 'ref,name,tel\nA-1,Li Na,+12025550101\nA-2,Wu Min,none\n');
    const numbers = [{ column: 'tel', kind: 'mobile' as const }];
    const mapping = { reference: 'ref', people: [{ role: 'debtor', name: 'name', numbers }] };
    const named = { campaignId: 'campaign-1', creditorId: 'creditor-1', name: 'March' };
    const order = { ...named, file: { path }, encoding: 'utf-8', mapping } as const;
    const begun = await lists.begin(order as Parameters<typeof lists.begin>[0], 'person-x');
    if (!begun.done) throw new Error(begun.why);
    const told = () => news.flatMap(({ topic, data }) => (topic === 'import' ? [data] : [])).at(-1);
    await until(() => told()?.state === 'staged');
    const counts = { accepted: 1, rejected: 1, duplicates: 0 };
    expect(told()).toEqual({ id: begun.listId, state: 'staged', ...counts });
    await lists.drop(begun.listId, 'mistaken', 'person-x');
    await until(() => told()?.state !== 'staged');
  });

  it('changes a campaign within the limits of the law, and tells of it', async () => {
    const { personId, token } = await test.person('supervisor');
    const settings = '/api/campaigns/campaign-1/settings';
    expect((await ask('PUT', settings, token, { ringMs: 14_999 })).status).toBe(400);
    expect((await ask('PUT', settings, token, { limitShare: 0.031 })).status).toBe(400);
    expect((await ask('PUT', settings, token, {})).status).toBe(400);
    const over = await ask('PUT', settings, token, { limitShare: 0.01 });
    expect(over.json.code).toBe('target-over-limit');
    expect((await ask('PUT', settings, token, { targetShare: 0.01 })).status).toBe(200);
    const started = { state: 'running', why: 'shift-begins' };
    expect((await ask('PUT', '/api/campaigns/campaign-1/state', token, started)).status).toBe(200);
    const { json } = await ask('GET', '/api/campaigns', token);
    expect(json.campaigns[0]).toMatchObject({
      state: 'running',
      stateWhy: 'shift-begins',
      settings: { targetShare: 0.01, ringMs: 30_000 },
    });
    expect(test.entries('campaign-running')).toMatchObject([{ who: personId }]);
    const none = await ask('PUT', '/api/campaigns/campaign-9/state', token, started);
    expect(none).toMatchObject({ status: 404, json: { code: 'no-such-campaign' } });
    await until(() => news.some(({ topic, data }) => topic === 'campaign' && 'pacing' in data));
  });

  it('is set up: creditors with one number each, campaigns that show it', async () => {
    const { token } = await test.person('it');
    const boss = await test.person('supervisor');
    const creditor = { name: 'River Bank', callerId: '+12025550150' };
    const bank = '/api/creditors/creditor-2';
    const spoken = { ...creditor, callerId: '0202 555 0150' };
    expect((await ask('PUT', bank, token, spoken)).status).toBe(400);
    const path = '/api/campaigns/campaign-2';
    const plan = { name: 'April', creditorId: 'creditor-2', mode: 'progressive', trunk: 'carrier' };
    const early = await ask('PUT', path, boss.token, plan);
    expect(early).toMatchObject({ status: 409, json: { code: 'no-such-creditor' } });
    expect((await ask('PUT', bank, token, creditor)).status).toBe(200);
    const known = await ask('GET', '/api/creditors', boss.token);
    expect(known.json.creditors).toContainEqual({ id: 'creditor-2', ...creditor });
    const lost = await ask('PUT', path, boss.token, { ...plan, trunk: 'nowhere' });
    expect(lost).toMatchObject({ status: 409, json: { code: 'no-such-trunk' } });
    const own = { callerId: '+12025550177' };
    expect((await ask('PUT', path, boss.token, { ...plan, ...own })).status).toBe(400);
    expect((await ask('PUT', path, boss.token, { ...plan, settings: own })).status).toBe(400);
    const quick = { ...plan, settings: { ringMs: 14_999 } };
    expect((await ask('PUT', path, boss.token, quick)).status).toBe(400);
    const short = { ...plan, settings: { wrapUpMs: 5_000 } };
    expect((await ask('PUT', path, token, short)).json).toEqual({ done: true });
    const started = { state: 'running', why: 'shift-begins' };
    expect((await ask('PUT', `${path}/state`, boss.token, started)).status).toBe(200);
    // Neither a new name nor the creditor's new number sets back what was set before.
    expect((await ask('PUT', path, boss.token, { ...plan, name: 'May' })).status).toBe(200);
    const moved = { ...creditor, callerId: '+12025550151' };
    expect((await ask('PUT', bank, boss.token, moved)).status).toBe(200);
    const { json } = await ask('GET', '/api/campaigns', boss.token);
    expect(json.campaigns.find(({ id }: { id: string }) => id === 'campaign-2')).toMatchObject({
      ...{ name: 'May', mode: 'progressive', state: 'running', stateWhy: 'shift-begins' },
      ...{ trunk: 'carrier', callerId: '+12025550151' },
      settings: { ...defaults, wrapUpMs: 5_000 },
    });
    expect(telephony.view().get('Campaign', 'campaign-2')?.settings.maxLines).toBe(10);
    expect(telephony.view().get('Campaign', 'campaign-1')?.settings.callerId).toBe('+12025550199');
  });

  it('signs the ledger when it is asked to', async () => {
    const { token } = await test.person('auditor');
    const latest = '/api/ledger/checkpoints/latest';
    expect(await ask('GET', latest, token)).toMatchObject({ status: 404 });
    const { status, json } = await ask('POST', '/api/ledger/checkpoint', token);
    expect(status).toBe(200);
    const checkpoint = readCheckpoint(json.text);
    expect(checkpoint && isSignedBy(checkpoint, publicKeyText(signingKey))).toBe(true);
    expect(json.name).toBe(`${String(checkpoint?.size).padStart(12, '0')}.checkpoint`);
    expect((await ask('GET', latest, token)).json).toEqual(json);
    expect(test.entries('checkpoint-signed')).toHaveLength(1);
  });

  it('refuses a recording that is not what was sealed, with an alarm until it is', async () => {
    const { token } = await test.person('qa');
    putRecording(test.store, 'call-unsound', 'person-x');
    const { recordings } = test.parts.floor;
    const { openAudio } = recordings;
    const alarmed = () =>
      test.entries('alarm-raised').filter(({ about }) => about === 'call-unsound');
    const hear = () =>
      app.inject({
        url: '/api/recordings/call-unsound/audio?reason=sample',
        headers: { authorization: `Bearer ${token}` },
      });
    recordings.openAudio = async () => ({ done: false, why: 'object-damaged', unsound: true });
    for (let i = 0; i < 2; i += 1) {
      const answer = await hear();
      expect(answer.statusCode).toBe(409);
      expect(answer.json()).toMatchObject({
        code: 'object-damaged',
        title: 'The recording is damaged.',
      });
      expect(alarmed()).toMatchObject([{ who: 'system', why: 'recording-unsound' }]);
    }
    expect(test.entries('recording-played')).toEqual([]);
    recordings.openAudio = async () => ({ done: false, why: 'not-in-vault' });
    expect((await hear()).json()).toMatchObject({ code: 'not-in-vault' });
    expect(test.entries('alarm-cleared')).toEqual([]);
    recordings.openAudio = openAudio;
    expect((await hear()).statusCode).toBe(200);
    expect(test.entries('alarm-cleared')).toMatchObject([{ about: 'call-unsound' }]);
  });

  it('says how it is', async () => {
    const { token } = await test.person('it');
    const health = await ask('GET', '/healthz', token);
    expect(health.json).toEqual({
      ready: true,
      checks: [
        { name: 'phone-system', state: 'ok' },
        { name: 'storage', state: 'ok' },
      ],
    });
    const figures = await app.inject({ url: '/metrics' });
    expect(figures.body).toContain('gatehouse_agents{state="out"} 1');
    expect(figures.body).toContain('gatehouse_abandon_ratio 0.015');
    expect(figures.body).toContain('gatehouse_storage_days_left{class="vault"} 10');
    tellFact({ kind: 'feed-stale', feed: 'ari', reason: 'closed' });
    await until(() => telephony.view().get('Plant', 'now')?.feed === 'stale');
    expect((await app.inject({ url: '/readyz' })).statusCode).toBe(503);
  });
});
