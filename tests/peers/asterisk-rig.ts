// A private Asterisk with its SIPp carrier and phones, in a folder of its own, for one test.
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { realClock } from '../../src/clock.ts';
import { realIds } from '../../src/ids.ts';
import { createAsterisk } from '../../src/telephony/asterisk/asterisk.ts';
import {
  type AgentSettings,
  type Owner,
  randomSecret,
  writePrivateConfig,
} from '../../src/telephony/asterisk/asterisk-config.ts';
import {
  type RunningAsterisk,
  runAsterisk,
} from '../../src/telephony/asterisk/asterisk-process.ts';
import { type Peer, startAgents, startCarrier } from '../../src/telephony/asterisk/demo-peers.ts';
import type { AsteriskAccess } from '../../src/telephony/asterisk/feeds.ts';
import type { SpanMs } from '../../src/telephony/asterisk/sipp-scenarios.ts';
import type { PhoneSystem } from '../../src/telephony/phone-system.ts';
import { type RigPorts, takePorts } from './ports.ts';
import { type LinkProxy, startProxy } from './proxy.ts';

export const trunk = 'carrier';
/** Phones that stay; `leaving` hangs up after three seconds; `mortal` is a process of its own. */
export const extensions = {
  first: '8001',
  second: '8002',
  leaving: '8007',
  mortal: '8101',
} as const;

export interface AsteriskRig {
  folder: string;
  recordings: string;
  cdrFolder: string;
  ports: RigPorts;
  access: AsteriskAccess;
  /** A new adapter on the way through both proxies. */
  connect(): PhoneSystem;
  asterisk: RunningAsterisk;
  /** What the next daemon does while this Asterisk runs. */
  adopt(): Promise<RunningAsterisk>;
  secretOf(extension: string): string;
  carrier: Peer;
  agents: Peer;
  /** The phone of the extension `mortal`. */
  mortal: Peer;
  amiLink: LinkProxy;
  ariLink: LinkProxy;
  close(): Promise<void>;
}

interface SetUpRecord {
  launch: string[];
  modules: string;
  data: string;
}

const refuse = (cause: Error) => {
  throw cause;
};
const recordFile = fileURLToPath(new URL('../../.cache/asterisk/set-up.json', import.meta.url));
/** Tests run as root where CI does; Asterisk must not. */
const nobody: Owner = { uid: 65534, gid: 65534 };
const owner = process.getuid?.() === 0 ? nobody : undefined;

export interface RigManners {
  ringMs?: SpanMs;
  talkMs?: SpanMs;
  /** More agents, all of them on the phones that stay. */
  moreExtensions?: readonly string[];
  /** Agents whose phones register. */
  registering?: readonly string[];
}

export async function openAsteriskRig(manners: RigManners = {}): Promise<AsteriskRig> {
  const record: SetUpRecord = JSON.parse(await readFile(recordFile, 'utf8'));
  const folder = await mkdtemp(join(tmpdir(), 'gh-rig-'));
  await chmod(folder, 0o755);
  const ports = takePorts();
  const settings = {
    home: join(folder, 'asterisk'),
    recordings: join(folder, 'recordings'),
    modules: record.modules,
    data: record.data,
    amiPort: ports.ami,
    ariPort: ports.ari,
    sipPort: ports.sip,
    rtpFrom: ports.rtpFrom,
    rtpTo: ports.rtpTo,
    amiSecret: randomSecret(realIds),
    ariSecret: randomSecret(realIds),
    trunks: [{ name: trunk, host: '127.0.0.1', port: ports.carrier }],
    agents: agentsOf(ports, manners),
  };
  const configFile = await writePrivateConfig(settings, owner);
  const launch = { command: record.launch, configFile, ...(owner === undefined ? {} : { owner }) };
  const asterisk = await runAsterisk(launch, realClock);
  const watches = [asterisk];
  const { ringMs = [200, 400], talkMs = [2000, 4000] } = manners;
  const carrier = await startCarrier(
    {
      folder: join(folder, 'carrier'),
      sipPort: ports.carrier,
      mediaPort: ports.carrierMedia,
      controlPort: ports.carrierControl,
    },
    { ringMs, talkMs },
  );
  const agents = await startAgents({
    folder: join(folder, 'agents'),
    sipPort: ports.agents,
    mediaPort: ports.agentsMedia,
    controlPort: ports.agentsControl,
  });
  const mortal = await startAgents({
    folder: join(folder, 'mortal'),
    sipPort: ports.lastAgents,
    mediaPort: ports.agentsMedia + 400,
    controlPort: ports.lastAgentsControl,
  });
  const amiLink = await startProxy(ports.amiProxy, ports.ami);
  const ariLink = await startProxy(ports.ariProxy, ports.ari);
  const access: AsteriskAccess = {
    amiPort: ports.amiProxy,
    ariPort: ports.ariProxy,
    amiSecret: settings.amiSecret,
    ariSecret: settings.ariSecret,
    trunks: [trunk],
  };
  return {
    folder,
    recordings: settings.recordings,
    cdrFolder: join(settings.home, 'log/cdr-csv'),
    ports,
    access,
    connect: () => createAsterisk(access, realClock, realIds, refuse),
    asterisk,
    async adopt() {
      const next = await runAsterisk(launch, realClock);
      watches.push(next);
      return next;
    },
    secretOf: (extension) =>
      settings.agents.find((agent) => agent.extension === extension)?.secret ?? '',
    carrier,
    agents,
    mortal,
    amiLink,
    ariLink,
    async close() {
      await Promise.all([amiLink.close(), ariLink.close()]);
      await Promise.all([carrier, agents, mortal].map((peer) => peer.stop('SIGKILL')));
      // One that is left would start it again.
      await Promise.all(watches.map((watch) => watch.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function agentsOf(ports: RigPorts, manners: RigManners): AgentSettings[] {
  const { moreExtensions: more = [], registering = [] } = manners;
  const stay = [extensions.first, extensions.second, extensions.leaving, ...more];
  const at = (extension: string, port: number) => ({
    extension,
    secret: randomSecret(realIds),
    contact: { host: '127.0.0.1', port },
  });
  return [
    ...stay.map((extension) => at(extension, ports.agents)),
    at(extensions.mortal, ports.lastAgents),
    ...registering.map((extension) => ({ extension, secret: randomSecret(realIds) })),
  ];
}
