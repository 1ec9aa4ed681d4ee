// A whole floor for one test: real Asterisk, SIPp carrier and phones, and the daemon as a process.
import { chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { realClock } from '../../src/clock.ts';
import { type Peer, startAgents, startCarrier } from '../../src/telephony/asterisk/demo-peers.ts';
import {
  type CarrierBehaviour,
  carrierDigits,
  leavingAgentDigit,
  type SpanMs,
} from '../../src/telephony/asterisk/sipp-scenarios.ts';
import type { CampaignRow, CampaignSettings } from '../../src/telephony/working-set.ts';
import { type FloorChild, type SmallDisk, startFloorChild } from './floor-child.ts';
import { FloorNews } from './floor-news.ts';
import type { Order, Seat } from './floor-process.ts';
import { type RigPorts, takePorts } from './ports.ts';
import { type LinkProxy, startProxy } from './proxy.ts';
import type { Habits } from './working-agents.ts';

export const trunk = 'carrier';
export const ringMs = 15_000;

export interface FloorManners {
  /** Agents whose phones stay; extensions() names them. */
  agents: number;
  /** How long the far ends let it ring, and talk where they hang up themselves. */
  carrier?: { ringMs: SpanMs; talkMs: SpanMs };
  habits?: Habits;
  /** The spool lies on a disk of this size. */
  spoolMb?: number;
}

/** Hangs up by itself after three seconds; the other one is a process that can be killed. */
export const leavingPhone = `800${leavingAgentDigit}`;
export const mortalPhone = '8901';

/** Extensions of phones that stay. */
export function extensions(count: number): string[] {
  const found: string[] = [];
  for (let next = 8_100; found.length < count; next += 1) {
    if (!String(next).endsWith(leavingAgentDigit)) found.push(String(next));
  }
  return found;
}

const areas = [
  ...[201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 224],
  ...[225, 228, 229, 231, 234, 239, 240, 248, 251, 252, 253, 254, 256, 260, 262, 267, 269, 270],
  ...[276, 281, 301, 302, 303, 304, 305, 307, 308, 309, 310, 312, 313, 314, 315, 316, 317, 318],
  ...[319, 320, 321, 323, 330, 334, 336, 337, 339, 347, 351, 352, 360, 361, 386, 401, 402, 404],
];

/** The `turn`-th number whose far end behaves so; all of them are reserved for fiction. */
export function numberOf(behaviour: CarrierBehaviour, turn: number): string {
  const area = areas[Math.floor(turn / 10)];
  if (area === undefined) throw new Error(`no ${turn + 1} numbers for ${behaviour}`);
  return `+1${area}55501${turn % 10}${carrierDigits[behaviour]}`;
}

export interface FloorRig {
  folder: string;
  dataDir: string;
  spool: string;
  cdrFolder: string;
  news: FloorNews;
  carrier: Peer;
  phones: Peer;
  /** The phone of the extension `mortalPhone`. */
  mortal: Peer;
  amiLink: LinkProxy;
  ariLink: LinkProxy;
  /** The process of the floor that runs now. */
  child(): FloorChild;
  ask<A = unknown>(order: Order): Promise<A>;
  /** Starts the daemon again on what the last one left; resolves when its rooms are open. */
  start(): Promise<void>;
  /** Puts a campaign and brings in its list. */
  campaign(id: string, numbers: readonly string[], more?: CampaignWish): Promise<void>;
  setCampaign(id: string, state: CampaignRow['state']): Promise<void>;
  seat(seats: readonly Seat[]): Promise<string[]>;
  /** Waits until nothing is on the line and everything recorded is kept. */
  untilQuiet(withinMs: number): Promise<void>;
  /** A path as the floor's process sees it: its small disk is seen by nobody else. */
  inside(path: string): string;
  asteriskPid(): number | undefined;
  /** Ends the daemon in order, and with it its Asterisk. */
  stop(): Promise<void>;
  /** Ends whatever still runs; the folder goes too, unless it is kept to be looked at. */
  close(keepsFolder?: boolean): Promise<void>;
}

export interface CampaignWish extends Partial<CampaignSettings> {
  mode?: CampaignRow['mode'];
}

const setUpFile = fileURLToPath(new URL('../../.cache/asterisk/set-up.json', import.meta.url));
/** Tests run as root where CI does; floor and Asterisk must not. */
const nobody = 65_534;

/** Opens the floor with its first people, and nobody at a seat. */
export async function openFloorRig(manners: FloorManners): Promise<FloorRig> {
  const folder = await mkdtemp(join(tmpdir(), 'gh-floor-'));
  await chmod(folder, 0o755);
  const ports = takePorts();
  const disk = join(folder, 'disk');
  for (const each of [folder, disk]) {
    mkdirSync(each, { recursive: true });
    if (process.getuid?.() === 0) chownSync(each, nobody, nobody);
  }
  const configFile = join(folder, 'gatehouse.yaml');
  writeFileSync(configFile, configOf(ports, manners, join(disk, 'spool')), { mode: 0o644 });
  const { ringMs: carrierRingMs = [200, 500] as const, talkMs = [800, 2_000] as const } =
    manners.carrier ?? {};
  const place = (name: string, sipPort: number, controlPort: number, mediaPort: number) => ({
    ...{ folder: join(folder, name), sipPort, controlPort, mediaPort },
  });
  const carrierPlace = place('carrier', ports.carrier, ports.carrierControl, ports.carrierMedia);
  const carrier = await startCarrier(carrierPlace, { ringMs: carrierRingMs, talkMs });
  const phones = await startAgents(
    place('phones', ports.agents, ports.agentsControl, ports.agentsMedia),
  );
  const mortal = await startAgents(
    place('mortal', ports.lastAgents, ports.lastAgentsControl, ports.agentsMedia + 400),
  );
  const amiLink = await startProxy(ports.amiProxy, ports.ami);
  const ariLink = await startProxy(ports.ariProxy, ports.ari);
  const news = new FloorNews(realClock);
  let child: FloorChild | undefined;
  let lists = 0;

  const current = () => {
    if (!child) throw new Error('the floor was not started');
    return child;
  };
  const ask = <A>(order: Order) => current().ask<A>(order);
  const asteriskPid = () => pidOf(join(folder, 'data/asterisk'));
  const start = async () => {
    const own: SmallDisk | undefined =
      manners.spoolMb === undefined ? undefined : { folder: disk, sizeMb: manners.spoolMb };
    news.forget();
    child = startFloorChild(news, realClock, own);
    const { amiProxy: amiPort, ariProxy: ariPort } = ports;
    const { habits = { talkMs: [60_000, 60_001], wrapUpMs: 100 } } = manners;
    await ask({ do: 'open', configFile, amiPort, ariPort, fromSeq: news.nextSeq, habits });
  };
  const rig: FloorRig = {
    ...{ folder, dataDir: join(folder, 'data'), spool: join(disk, 'spool'), news },
    ...{ cdrFolder: join(folder, 'data/asterisk/log/cdr-csv'), asteriskPid },
    ...{ carrier, phones, mortal, amiLink, ariLink, child: current, ask, start },
    async campaign(id, numbers, wish = {}) {
      const { mode = 'progressive', ...settings } = wish;
      const all = { ...usualSettings, ...settings };
      const named = { id, name: id, creditorId: 'creditor-test', mode, settings: all };
      await ask({ do: 'telephony', event: { kind: 'put-campaign', ...named, by: 'system' } });
      lists += 1;
      const path = join(folder, `list-${lists}.csv`);
      writeFileSync(path, listOf(`L${lists}`, numbers), { mode: 0o644 });
      const taken = await ask<number>({ do: 'list', path, campaignId: id });
      if (taken !== numbers.length) throw new Error(`${taken} of ${numbers.length} rows taken`);
    },
    async setCampaign(id, state) {
      const event = { kind: 'set-campaign-state', id, state, by: 'system' } as const;
      await ask({ do: 'telephony', event });
    },
    inside: (path) => join(`/proc/${current().pid}/root`, path),
    seat: (seats) => ask({ do: 'seat', seats }),
    untilQuiet: async (withinMs) => {
      await news.until(
        'quiet',
        () =>
          news.all('Call', ({ state }) => state !== 'ended').length === 0 &&
          news.all('Recording', ({ state }) => state !== 'kept' && state !== 'quarantined')
            .length === 0,
        withinMs,
      );
    },
    async stop() {
      // With phones on the line Asterisk takes seconds to end.
      for (const { id: agentId } of news.all('Agent', ({ state }) => state !== 'out')) {
        const event = { kind: 'set-agent-state', agentId, state: 'out', by: 'system' } as const;
        await ask({ do: 'telephony', event });
      }
      await ask({ do: 'stop' });
      await current().ended;
    },
    async close(keepsFolder = false) {
      child?.kill();
      await child?.ended;
      const pid = asteriskPid();
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
      await Promise.all([amiLink.close(), ariLink.close()]);
      await Promise.all([carrier, phones, mortal].map((peer) => peer.stop('SIGKILL')));
      if (!keepsFolder) await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await start();
    await ask({ do: 'found' });
    await news.until('fresh feed', () => news.get('Plant', 'now')?.feed === 'fresh', 20_000);
  } catch (cause) {
    await rig.close();
    throw cause;
  }
  return rig;
}

const usualSettings: CampaignSettings = {
  trunk,
  callerId: '+12025550199',
  ringMs,
  limitMs: 120_000,
  messageSound: 'vm-goodbye',
  waitMs: 2_000,
  limitShare: 0.03,
  targetShare: 0.02,
  wrapUpMs: 3_000,
  maxLines: 60,
  maxCallsPerAgent: 4,
};

function listOf(prefix: string, numbers: readonly string[]): string {
  const rows = numbers.map((number, i) => `${prefix}-${i + 1},Test Person ${i + 1},${number}`);
  return `${['reference,name,mobile', ...rows].join('\n')}\n`;
}

function configOf(ports: RigPorts, { agents }: FloorManners, spool: string): string {
  const year = new Date(realClock.utcMs()).getUTCFullYear();
  const years = [year, year + 1].map(
    (y) => `{ year: ${y}, source: test, holidays: [], swapped: [] }`,
  );
  const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun', 'swapped', 'holiday'];
  const hours = days.map((day) => `${day}: ['00:00-24:00']`);
  const at = (port: number) => `contact: { host: 127.0.0.1, port: ${port} }`;
  const staying = [...extensions(agents), leavingPhone].map(
    (number) => `    - { number: '${number}', ${at(ports.agents)} }`,
  );
  return `${[
    'dataDir: data',
    'keysDir: keys',
    `site: { timeZone: Etc/UTC, region: US, calendar: [${years.join(', ')}] }`,
    `contact: { zones: [Etc/UTC], hours: { ${hours.join(', ')} } }`,
    'telephony:',
    '  asterisk:',
    `    setUpFile: ${setUpFile}`,
    `    amiPort: ${ports.ami}`,
    `    ariPort: ${ports.ari}`,
    `    sipPort: ${ports.sip}`,
    `    rtpFirstPort: ${ports.rtpFrom}`,
    `    rtpLastPort: ${ports.rtpTo}`,
    `    spoolDir: ${spool}`,
    `  trunks: [{ name: ${trunk}, host: 127.0.0.1, port: ${ports.carrier}, maxLines: 60 }]`,
    '  extensions:',
    ...staying,
    `    - { number: '${mortalPhone}', ${at(ports.lastAgents)} }`,
    '  requirements: [agreement-signed]',
    '  minSpoolHours: 1',
    '  minVaultHours: 1',
  ].join('\n')}\n`;
}

/** The Asterisk of this configuration; a pid alone proves nothing, for pids are used again. */
function pidOf(home: string): number | undefined {
  const file = join(home, 'run/asterisk.pid');
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, 'utf8').trim());
  const command = `/proc/${pid}/cmdline`;
  if (!(pid > 1) || !existsSync(command)) return undefined;
  return readFileSync(command, 'utf8').includes(join(home, 'etc/asterisk.conf')) ? pid : undefined;
}
