// A site as README sets it up: its own Asterisk, and the daemon confined as its unit does it.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { realClock } from '../../src/clock.ts';
import { realIds } from '../../src/ids.ts';
import { randomSecret, writePrivateConfig } from '../../src/telephony/asterisk/asterisk-config.ts';
import { runAsterisk } from '../../src/telephony/asterisk/asterisk-process.ts';
import { type RigPorts, takePorts } from './ports.ts';
import { buildConfinement } from './unit-confinement.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const isRoot = process.getuid?.() === 0;
/** Only root can be two users; anybody else is both of them. */
const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
export const daemonUser = isRoot ? { uid: 64_101, gid: 64_101, sharedGid: 64_103 } : undefined;
const asteriskUser = isRoot ? { uid: 64_102, gid: 64_102 } : undefined;

export interface SiteFloor {
  folder: string;
  ports: RigPorts;
  /** A path of systemd/gatehouse.tmpfiles, where it lies here. */
  at(path: string): string;
  daemon: ChildProcess;
  /** Resolves to its exit code, or to nothing where a signal ended it. */
  ended: Promise<number | null>;
  /** What the daemon has said so far, on both of its outputs. */
  said(): string;
  /** Starts the site's Asterisk, which includes what the daemon has written for it. */
  startAsterisk(): Promise<void>;
  /** Asks the API; throws when it refuses. */
  ask<A>(order: ApiOrder, token?: string): Promise<A>;
  close(): Promise<void>;
}

export interface ApiOrder {
  do: `${'GET' | 'POST' | 'PUT'} /api/${string}`;
  /** An object is JSON, a text is a CSV file. */
  body?: object | string;
}

/** The folders that tmpfiles makes, below `folder`: modes and owners as the file says. */
function makeFolders(folder: string, at: SiteFloor['at']): void {
  const gids: Record<string, number | undefined> = {
    gatehouse: daemonUser?.gid,
    'gatehouse-asterisk': daemonUser?.sharedGid,
  };
  const text = readFileSync(join(project, 'systemd/gatehouse.tmpfiles'), 'utf8');
  const lines = text.matchAll(/^d (\/var\S+) (\d+) gatehouse (\S+) -$/gm);
  mkdirSync(join(folder, 'var/lib'), { recursive: true });
  mkdirSync(join(folder, 'var/spool'));
  for (const [, path = '', mode = '', group = ''] of lines) {
    mkdirSync(at(path));
    chownSync(at(path), daemonUser?.uid ?? own.uid, gids[group] ?? own.gid);
    chmodSync(at(path), Number.parseInt(mode, 8));
  }
}

function configOf(at: SiteFloor['at'], ports: RigPorts): string {
  const year = new Date(realClock.utcMs()).getUTCFullYear();
  const years = [year, year + 1].map(
    (each) => `{ year: ${each}, source: test, holidays: [], swapped: [] }`,
  );
  const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun', 'swapped', 'holiday'];
  const hours = days.map((day) => `${day}: ['00:00-24:00']`);
  return `${[
    `dataDir: ${at('/var/lib/gatehouse')}`,
    `keysDir: ${at('/var/lib/gatehouse-keys')}`,
    `site: { timeZone: Etc/UTC, region: US, calendar: [${years.join(', ')}] }`,
    `contact: { zones: [Etc/UTC], hours: { ${hours.join(', ')} } }`,
    `http: { port: ${ports.amiProxy} }`,
    'telephony:',
    '  asterisk:',
    '    run: site',
    `    amiPort: ${ports.ami}`,
    `    ariPort: ${ports.ari}`,
    `    configDir: ${at('/var/lib/gatehouse-asterisk')}`,
    `    spoolDir: ${at('/var/spool/gatehouse/recordings')}`,
    `  trunks: [{ name: carrier, host: 127.0.0.1, port: ${ports.carrier} }]`,
    `  extensions: [{ number: '8101', contact: { host: 127.0.0.1, port: ${ports.agents} } }]`,
    '  campaign: { ringMs: 15000, messageSound: vm-goodbye, wrapUpMs: 0 }',
    '  requirements: [agreement-signed]',
    '  minSpoolHours: 1',
    '  minVaultHours: 1',
  ].join('\n')}\n`;
}

/** Opens the folders and starts the daemon in them: `gatehouse run --config`. */
export function openSiteFloor(): SiteFloor {
  const folder = mkdtempSync(join(tmpdir(), 'gh-site-'));
  chmodSync(folder, 0o755);
  const ports = takePorts();
  const at = (path: string) => join(folder, path);
  makeFolders(folder, at);
  mkdirSync(at('/var/lib/gatehouse'), { mode: 0o700 });
  if (daemonUser) chownSync(at('/var/lib/gatehouse'), daemonUser.uid, daemonUser.gid);
  const configFile = join(folder, 'gatehouse.yaml');
  writeFileSync(configFile, configOf(at, ports));
  const [command = '', ...confined] = buildConfinement(folder, daemonUser);
  const program = [process.execPath, '--import', 'tsx', 'src/main.ts', 'run', '--config'];
  const daemon = spawn(command, [...confined, ...program, configFile], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH },
  });
  let said = '';
  for (const stream of [daemon.stdout, daemon.stderr])
    stream.on('data', (bytes: Buffer) => {
      said += bytes.toString();
    });
  const ended = new Promise<number | null>((done) => daemon.once('exit', done));
  let stopAsterisk = async () => {};
  return {
    ...{ folder, ports, at, daemon, ended, said: () => said },
    async startAsterisk() {
      stopAsterisk = await startSiteAsterisk(folder, ports, at('/var/lib/gatehouse-asterisk'));
    },
    async ask<A>({ do: order, body }: ApiOrder, token?: string): Promise<A> {
      const [method = '', path = ''] = order.split(' ');
      const type = typeof body === 'string' ? 'text/csv' : 'application/json';
      const answer = await fetch(`http://127.0.0.1:${ports.amiProxy}${path}`, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': type }),
        },
        ...(body === undefined
          ? {}
          : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      if (!answer.ok) throw new Error(`${order}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as A;
    },
    async close() {
      daemon.kill('SIGKILL');
      await ended;
      await stopAsterisk();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Asterisk as the site's own unit runs it: a user of its own, in the group of the two. */
async function startSiteAsterisk(folder: string, ports: RigPorts, floorPart: string) {
  const setUpFile = join(project, '.cache/asterisk/set-up.json');
  const { launch, modules, data } = JSON.parse(readFileSync(setUpFile, 'utf8'));
  const home = join(folder, 'asterisk');
  const secrets = { amiSecret: randomSecret(realIds), ariSecret: randomSecret(realIds) };
  const configFile = await writePrivateConfig(
    {
      ...{ home, modules, data, ...secrets, trunks: [], agents: [] },
      ...{ amiPort: ports.ami, ariPort: ports.ari, sipPort: ports.sip },
      ...{ rtpFrom: ports.rtpFrom, rtpTo: ports.rtpTo, recordings: join(home, 'unused') },
    },
    asteriskUser,
  );
  // A site's files include the daemon's by their path; here they include them by this link.
  rmSync(join(home, 'etc/floor'), { recursive: true });
  symlinkSync(floorPart, join(home, 'etc/floor'));
  const asUser =
    asteriskUser && daemonUser
      ? [
          ...['setpriv', `--reuid=${asteriskUser.uid}`, `--regid=${asteriskUser.gid}`],
          `--groups=${daemonUser.sharedGid}`,
        ]
      : [];
  const asterisk = await runAsterisk({ command: [...asUser, ...launch], configFile }, realClock);
  return () => asterisk.stop();
}
