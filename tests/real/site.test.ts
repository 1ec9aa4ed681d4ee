// A site as its units run it: two users, a confined daemon, one call recorded, sealed and verified.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { verifyFolder } from '../../src/store/verify-folder.ts';
import { type Peer, startAgents, startCarrier } from '../../src/telephony/asterisk/demo-peers.ts';
import { realDisk } from '../../src/vault/disk.ts';
import { numberOf } from '../peers/floor-rig.ts';
import { daemonUser, openSiteFloor, type SiteFloor } from '../peers/site-floor.ts';

let site: SiteFloor;
let carrier: Peer;
let phones: Peer;
beforeAll(async () => {
  site = openSiteFloor();
  const { ports, folder } = site;
  carrier = await startCarrier(
    {
      ...{ folder: join(folder, 'carrier'), sipPort: ports.carrier },
      ...{ mediaPort: ports.carrierMedia, controlPort: ports.carrierControl },
    },
    { ringMs: [200, 500], talkMs: [800, 1_500] },
  );
  phones = await startAgents({
    ...{ folder: join(folder, 'phones'), sipPort: ports.agents },
    ...{ mediaPort: ports.agentsMedia, controlPort: ports.agentsControl },
  });
});
afterAll(async () => {
  await Promise.all([carrier, phones].map((peer) => peer?.stop('SIGKILL')));
  await site?.close();
});

const until = <A>(holds: () => A | Promise<A>) =>
  vi.waitFor(holds, { timeout: 60_000, interval: 100 });
const modeOf = (path: string) => statSync(path).mode & 0o7777;
const password = 'correct horse battery';
const campaignId = 'campaign-site';
let first = '';

async function enrolled(code: string, login: string, name?: string) {
  const body = { code, login, password, ...(name === undefined ? {} : { name }) };
  await site.ask({ do: 'POST /api/enrol', body });
  const order = { do: 'POST /api/login', body: { login, password } } as const;
  return site.ask<{ personId: string; token: string }>(order);
}

async function added(login: string, ...roles: string[]) {
  const body = { name: `Test ${login}`, roles };
  const { code } = await site.ask<{ code: string }>({ do: 'POST /api/people', body }, first);
  return enrolled(code, login);
}

interface Entry {
  what: string;
  about: string;
}
/** What the ledger says, as the API tells it. */
async function entries(what: string): Promise<Entry[]> {
  const all: Entry[] = [];
  let afterSeq = 0;
  for (;;) {
    const order = { do: `GET /api/entries?limit=200&afterSeq=${afterSeq}` } as const;
    const page = await site.ask<{ entries: { seq: number; line: string }[] }>(order, first);
    if (page.entries.length === 0) return all.filter((entry) => entry.what === what);
    all.push(...page.entries.map(({ line }) => JSON.parse(line).rec as Entry));
    afterSeq = page.entries.at(-1)?.seq ?? afterSeq;
  }
}

it('the confined daemon starts, and writes what only the two users can read', async () => {
  const code = await until(() => {
    const [, found] = /enrol with the code (\S+)/.exec(site.said()) ?? [];
    if (found === undefined) throw new Error(site.said());
    return found;
  });
  const folder = site.at('/var/lib/gatehouse-asterisk');
  expect(modeOf(folder)).toBe(0o2750);
  const files = readdirSync(folder);
  expect(files.sort()).toEqual(['ari.conf', 'extensions.conf', 'manager.conf', 'pjsip.conf']);
  for (const name of files) {
    expect(modeOf(join(folder, name)), name).toBe(0o640);
    expect(statSync(join(folder, name)).gid).toBe(statSync(folder).gid);
  }
  if (daemonUser) expect(statSync(folder).gid).toBe(daemonUser.sharedGid);
  await site.startAsterisk();
  first = (await enrolled(code, 'first', 'Test First')).token;
});

it('one call is answered, recorded by the one user and sealed by the other', async () => {
  const data = await added('data', 'data');
  const supervisor = await added('supervisor', 'supervisor');
  const agent = await added('agent', 'agent');
  const as = (token: string) => (order: Parameters<typeof site.ask>[0]) => site.ask(order, token);
  const lead = as(supervisor.token);
  const { personId } = agent;
  const body = { requirement: 'agreement-signed' };
  await lead({ do: `POST /api/people/${personId}/requirements`, body });
  const creditor = { name: 'Test Bank', callerId: '+12025550199' };
  await lead({ do: 'PUT /api/creditors/creditor-site', body: creditor });
  const campaign = { name: 'Site', creditorId: 'creditor-site', mode: 'progressive' };
  await lead({
    do: `PUT /api/campaigns/${campaignId}`,
    body: { ...campaign, trunk: 'carrier' },
  });
  const mapping = {
    reference: 'reference',
    people: [{ role: 'debtor', name: 'name', numbers: [{ column: 'mobile', kind: 'mobile' }] }],
  };
  const named = { campaignId, creditorId: 'creditor-site', name: 'list' };
  const query = new URLSearchParams({ ...named, mapping: JSON.stringify(mapping) });
  const csv = `reference,name,mobile\nS-1,Test Person,${numberOf('hangsUpAfterTalk', 0)}\n`;
  const { listId } = await site.ask<{ listId: string }>(
    { do: `POST /api/lists?${query}`, body: csv },
    data.token,
  );
  await until(() => lead({ do: `POST /api/lists/${listId}/confirm` }));
  const seat = { extension: '8101', way: 'pre-connected', campaignIds: [campaignId] };
  await as(agent.token)({ do: `POST /api/agents/${personId}/sign-in`, body: seat });
  const state = { state: 'ready' };
  await as(agent.token)({ do: `PUT /api/agents/${personId}/state`, body: state });
  const running = { state: 'running', why: 'test' };
  await lead({ do: `PUT /api/campaigns/${campaignId}/state`, body: running });
  const [sealed] = await until(async () => {
    const found = await entries('recording-sealed');
    expect(found).toHaveLength(1);
    return found;
  });
  const [connected] = await entries('call-connected');
  expect(connected?.about).toBe(sealed?.about);
  await until(() => expect(readdirSync(site.at('/var/spool/gatehouse/recordings'))).toEqual([]));
  expect(modeOf(site.at('/var/spool/gatehouse/recordings'))).toBe(0o2770);
  await as(agent.token)({ do: `POST /api/agents/${personId}/sign-out` });
});

it('ends in order, and what it leaves verifies', async () => {
  site.daemon.kill('SIGTERM');
  expect(await site.ended).toBe(0);
  const report = await verifyFolder({ disk: realDisk, dataFolder: site.at('/var/lib/gatehouse') });
  expect(report.findings).toEqual([]);
  expect(report.objects).toMatchObject({ sound: 1 });
  const log = readFileSync(join(site.folder, 'asterisk/log/messages.log'), 'utf8');
  expect(log).not.toMatch(/ERROR/);
});
