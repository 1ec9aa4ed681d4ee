// A real Asterisk with its SIPp phones, run as a site's would be: beside the daemon, not by it.
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { realClock } from '../src/clock.ts';
import { realIds } from '../src/ids.ts';
import {
  type Owner,
  randomSecret,
  siteFolderMode,
  siteRecordingsMode,
  writePrivateConfig,
} from '../src/telephony/asterisk/asterisk-config.ts';
import { runAsterisk } from '../src/telephony/asterisk/asterisk-process.ts';
import { type Peer, startAgents, startCarrier } from '../src/telephony/asterisk/demo-peers.ts';
import type { AsteriskAccess } from '../src/telephony/asterisk/feeds.ts';
import type { CarrierManners } from '../src/telephony/asterisk/sipp-scenarios.ts';

export const trunk = 'carrier';

const firstPort = 9_000;
/** Of the benchmarks alone, below those of tests and demo. */
const ports = {
  http: firstPort,
  ami: firstPort + 1,
  ari: firstPort + 2,
  sip: firstPort + 3,
  carrier: firstPort + 5,
  carrierControl: firstPort + 6,
  phones: firstPort + 7,
  phonesControl: firstPort + 8,
  rtpFirst: firstPort + 100,
  rtpLast: firstPort + 1_499,
  phonesMedia: firstPort + 1_500,
  // SIPp takes four upwards for every call of a window, so nothing lies above.
  carrierMedia: 40_000,
};

const setUpFile = fileURLToPath(new URL('../.cache/asterisk/set-up.json', import.meta.url));
/** Asterisk must not run as root, though the benchmark may. */
const nobody: Owner = { uid: 65_534, gid: 65_534 };
const owner = process.getuid?.() === 0 ? nobody : undefined;

export interface PhoneRig {
  folder: string;
  access: AsteriskAccess;
  extensions: readonly string[];
  asteriskPid(): number;
  /** A carrier for one window; what it answers with stands in `carrierDigits`. */
  startCarrier(folder: string, manners: Omit<CarrierManners, 'toneFile'>): Promise<Peer>;
  /** Writes the configuration of a daemon in `folder` that drives this Asterisk; gives its path. */
  writeFloorConfig(folder: string): string;
  /** Removes every recording of a window that has ended. */
  clearSpool(): Promise<void>;
  close(): Promise<void>;
}

/** Throws where set-up has not fetched an Asterisk yet. */
export async function openPhoneRig(agents: number): Promise<PhoneRig> {
  if (!existsSync(setUpFile)) throw new Error('there is no Asterisk yet: npm run setup');
  const { launch, modules, data } = JSON.parse(readFileSync(setUpFile, 'utf8'));
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'));
  chmodSync(folder, 0o755);
  const spool = join(folder, 'spool');
  const secrets = { ami: randomSecret(realIds), ari: randomSecret(realIds) };
  const secretsDir = join(folder, 'secrets');
  mkdirSync(secretsDir, { mode: 0o700 });
  for (const [name, secret] of Object.entries(secrets))
    writeFileSync(join(secretsDir, `${name}.secret`), `${secret}\n`, { mode: 0o600 });
  const extensions = Array.from({ length: agents }, (_, i) => extensionOf(i));
  const contact = { host: '127.0.0.1', port: ports.phones };
  const configFile = await writePrivateConfig(
    {
      home: join(folder, 'asterisk'),
      recordings: spool,
      modules,
      data,
      amiPort: ports.ami,
      ariPort: ports.ari,
      sipPort: ports.sip,
      rtpFrom: ports.rtpFirst,
      rtpTo: ports.rtpLast,
      amiSecret: secrets.ami,
      ariSecret: secrets.ari,
      trunks: [{ name: trunk, host: '127.0.0.1', port: ports.carrier }],
      agents: extensions.map((extension) => ({
        extension,
        secret: randomSecret(realIds),
        contact,
      })),
    },
    owner,
  );
  // The daemons of the windows take this Asterisk for a site's own.
  chmodSync(spool, siteRecordingsMode);
  const launched = { command: launch, configFile, ...(owner === undefined ? {} : { owner }) };
  const asterisk = await runAsterisk(launched, realClock);
  const phones = await startAgents({
    folder: join(folder, 'phones'),
    sipPort: ports.phones,
    mediaPort: ports.phonesMedia,
    controlPort: ports.phonesControl,
  });
  return {
    folder,
    access: {
      amiPort: ports.ami,
      amiSecret: secrets.ami,
      ariPort: ports.ari,
      ariSecret: secrets.ari,
      trunks: [trunk],
    },
    extensions,
    asteriskPid() {
      const pid = asterisk.pid();
      if (pid === undefined) throw new Error('Asterisk has ended');
      return pid;
    },
    startCarrier: (place, manners) =>
      startCarrier(
        {
          folder: place,
          sipPort: ports.carrier,
          mediaPort: ports.carrierMedia,
          controlPort: ports.carrierControl,
        },
        manners,
      ),
    writeFloorConfig: (place) => writeFloorConfig(place, { spool, secretsDir, extensions }),
    async clearSpool() {
      for (const name of await readdir(spool)) rmSync(join(spool, name));
    },
    async close() {
      await phones.stop('SIGKILL');
      await asterisk.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** None ends with 7: such a phone hangs up by itself (sipp-scenarios.ts). */
const extensionOf = (index: number) =>
  `8${String(Math.floor(index / 9)).padStart(2, '0')}${'012345689'[index % 9]}`;

interface FloorPlace {
  spool: string;
  secretsDir: string;
  extensions: readonly string[];
}

/** Calls may be made at any hour of any day, so that the benchmark may run then. */
function writeFloorConfig(folder: string, place: FloorPlace): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // As systemd/gatehouse.tmpfiles makes it on a site; the umask would take the group's bits away.
  const configDir = join(folder, 'asterisk');
  mkdirSync(configDir);
  chmodSync(configDir, siteFolderMode);
  const year = new Date().getUTCFullYear();
  const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun', 'swapped', 'holiday'];
  const config = {
    dataDir: 'data',
    keysDir: 'keys',
    site: {
      timeZone: 'UTC',
      region: 'US',
      calendar: [year - 1, year, year + 1].map((each) => ({
        year: each,
        source: 'benchmark',
        holidays: [],
        swapped: [],
      })),
    },
    contact: {
      zones: ['UTC'],
      hours: Object.fromEntries(days.map((day) => [day, ['00:00-24:00']])),
    },
    http: { port: ports.http },
    telephony: {
      asterisk: {
        run: 'site',
        amiPort: ports.ami,
        ariPort: ports.ari,
        sipPort: ports.sip,
        configDir,
        secretsDir: place.secretsDir,
        spoolDir: place.spool,
      },
      trunks: [{ name: trunk, host: '127.0.0.1', port: ports.carrier }],
      extensions: place.extensions.map((number) => ({ number })),
      requirements: [],
      minSpoolHours: 1,
      minVaultHours: 1,
    },
  };
  const file = join(folder, 'gatehouse.yaml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}
