// Real rooms of people, cases and telephony behind HTTP, for tests; with a quiet phone system.
import { createHmac } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { everyDay, noHolidays } from '../../src/calendar.ts';
import { type Cases, openCases } from '../../src/cases/cases.ts';
import { defaultPolicy } from '../../src/cases/contact-policy.ts';
import { realClock } from '../../src/clock.ts';
import type { Floor } from '../../src/floor.ts';
import type { App } from '../../src/http/app.ts';
import type { LiveMessage } from '../../src/http/floor-port.ts';
import { floorForHttp } from '../../src/http/from-floor.ts';
import { buildHttp } from '../../src/http/http.ts';
import type { AlarmView } from '../../src/http/views.ts';
import { realIds } from '../../src/ids.ts';
import { openAccount } from '../../src/store/account.ts';
import { openCaseStore } from '../../src/store/load.ts';
import type { DialOrder, PhoneFact, PhoneSystem } from '../../src/telephony/phone-system.ts';
import type { Recordings } from '../../src/telephony/recordings.ts';
import { openTelephony, type Telephony } from '../../src/telephony/telephony.ts';
import { realDisk } from '../../src/vault/disk.ts';
import { signingKeyFrom } from '../../src/vault/keys.ts';
import { openTestFloor, type TestFloor } from './http-floor.ts';

export interface TestRooms {
  test: TestFloor;
  cases: Cases;
  telephony: Telephony;
  app: App;
  news: LiveMessage[];
  /** Calls that the phone system was told to place. */
  dialed: DialOrder[];
  /** Says something as the phone system. */
  tellFact(fact: PhoneFact): void;
  ask: ReturnType<typeof asker>;
  close(): Promise<void>;
}

const taken = { outcome: 'accepted' } as const;
const empty = { bootId: 'boot-1', calls: [], legs: [] };
export const limits = { minSpoolHours: 1, minVaultHours: 1, maxUnsealed: 10 };
export const recordings: Recordings = {
  check: async () => ({ outcome: 'recording' }),
  seal: async () => ({ outcome: 'not-finished' }),
  eraseQuarantined: async () => {},
  discardRaw: async () => ({ outcome: 'discarded' }),
  survey: async () => ({ outcome: 'surveyed', recordings: [] }),
  room: async () => ({ spoolHours: 48, vaultHours: 240, unsealed: 0 }),
};

export function quietPhone() {
  const dialed: DialOrder[] = [];
  let sink: (fact: PhoneFact) => void = () => {};
  const phone: PhoneSystem = {
    async start(told) {
      sink = told;
      sink({ kind: 'feed-fresh', survey: empty });
    },
    stop: async () => {},
    async dial(order) {
      dialed.push(order);
      return taken;
    },
    ringAgent: async () => taken,
    connect: async () => taken,
    endWithMessage: async () => taken,
    hangUp: async () => taken,
    survey: async () => empty,
  };
  return { phone, dialed, tellFact: (fact: PhoneFact) => sink(fact) };
}

const trunk = { name: 'carrier', host: '127.0.0.1', port: 5060, maxLines: 10 };
export const defaults = {
  ...{ ringMs: 30_000, limitMs: 3_600_000, messageSound: 'gatehouse/no-agent', waitMs: 2_000 },
  ...{ limitShare: 0.03, targetShare: 0.02, wrapUpMs: 30_000, maxCallsPerAgent: 4 },
};

export const signingKey = signingKeyFrom(Buffer.alloc(32, 7));

const asker =
  (app: App) =>
  async (method: 'GET' | 'POST' | 'PUT', url: string, token: string, payload?: object) => {
    const body = payload === undefined ? {} : { payload };
    const headers = { authorization: `Bearer ${token}` };
    const response = await app.inject({ method, url, headers, ...body });
    return { status: response.statusCode, json: response.json() };
  };

/** Opens the rooms on a store of their own, with one creditor and one campaign. */
export async function openRooms(): Promise<TestRooms> {
  const test = await openTestFloor();
  const { phone, dialed, tellFact } = quietPhone();
  const stop = (cause: unknown) => {
    throw cause;
  };
  const world = { clock: realClock, ids: realIds, committer: test.store, report: stop, stop };
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  mkdirSync(join(folder, 'uploads'));
  const account = openAccount({
    ...{ store: test.store, disk: realDisk, clock: realClock, ids: realIds, dataDir: folder },
    ...{ signingKey, keyId: 'f'.repeat(32), everyMs: 3_600_000, failed: stop },
  });
  const batch = { id: 'batch-1', creditorId: 'creditor-1', name: 'Batch', receivedUtcMs: 1 };
  const changes = [{ table: 'Batch', id: batch.id, row: batch }];
  test.store.commit({ room: 'cases', entries: [], changes });
  const cases = openCases(world, {
    store: openCaseStore(test.database),
    policy: { ...defaultPolicy(noHolidays, ['UTC']), hours: everyDay([0, 1_440]) },
    lists: { folder: join(folder, 'uploads'), region: 'US', zones: ['UTC'] },
    digest: (kind, text) => createHmac('sha256', 'site').update(`${kind}/${text}`).digest('hex'),
    stopped: () => true,
    eraseRecordings: async () => {},
  });
  await cases.start();
  const telephony = openTelephony(world, {
    phone,
    recordings,
    limits,
    settleObject: async () => {},
    eraseObject: async () => {},
    permit: (request) => cases.permit(request),
    settle: (contact) => cases.settle(contact),
  });
  await telephony.start();
  const rooms = { people: test.people, cases, telephony } as Floor;
  const stands = test.parts.floor;
  const floor = floorForHttp(rooms, {
    clock: realClock,
    onLines: test.store.onLines,
    windowCounts: () => ({ answered30d: 200, abandoned30d: 3 }),
    alarms: {
      all: () =>
        [...telephony.view().all('Alarm')].filter((row) => !row.clearedUtcMs) as AlarmView[],
      acknowledge: stands.alarms.acknowledge,
    },
    dialing: { campaign: defaults, trunks: [trunk] },
    account,
    lists: stands.lists,
    recordings: stands.recordings,
  });
  const news: LiveMessage[] = [];
  floor.live.subscribe((message) => news.push(message));
  const app = await buildHttp({ ...test.parts, floor });
  const by = 'system';
  const callerId = '+12025550199';
  await cases.putCreditor({ id: 'creditor-1', name: 'Demo Bank', callerId }, by);
  const settings = { ...defaults, trunk: 'carrier', callerId, maxLines: 10 };
  const creditorId = 'creditor-1';
  const campaign = { id: 'campaign-1', name: 'March', creditorId, mode: 'predictive' } as const;
  await telephony.ask({ kind: 'put-campaign', ...campaign, settings, by });
  return {
    ...{ test, cases, telephony, app, news, dialed, tellFact },
    ask: asker(app),
    async close() {
      await app.close();
      await telephony.stop();
      cases.end();
      await account.end();
      rmSync(folder, { recursive: true });
      await test.close();
    },
  };
}

/** Goes on until something is so, as fast as the event loop turns. */
export async function until(isSo: () => boolean): Promise<void> {
  const endMs = realClock.uptimeMs() + 5_000;
  while (!isSo()) {
    if (realClock.uptimeMs() > endMs) throw new Error('not within 5 s');
    await new Promise<void>((resolve) => realClock.soon(resolve));
  }
}
