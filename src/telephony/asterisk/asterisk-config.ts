// Writes Asterisk's configuration from typed settings: a private one whole, a site's own in part.
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FloorError } from '../../errors.ts';
import type { Ids } from '../../ids.ts';
import { makeCallRecords } from './cdr.ts';

/** What the floor needs of any Asterisk. */
export interface FloorSettings {
  trunks: readonly TrunkSettings[];
  agents: readonly AgentSettings[];
  amiSecret: string;
  ariSecret: string;
  /** Folder of the raw recordings; both Asterisk and the daemon write in it, nobody else reads. */
  recordings: string;
}

export interface TrunkSettings {
  /** Lower-case letters, digits and hyphens, a letter first. */
  name: string;
  host: string;
  port: number;
  /** Both or neither: the login that the carrier asks for when we call. */
  username?: string;
  secret?: string;
}

export interface AgentSettings {
  /** Digits; also the user name with which the phone registers. */
  extension: string;
  secret: string;
  /** Where a phone that does not register is found; on a site phones register. */
  contact?: { host: string; port: number };
}

/** A private Asterisk: runs from an unpacked tree and listens on loopback only. */
export interface PrivateSettings extends FloorSettings {
  /** Folder of everything it writes, recordings apart. */
  home: string;
  /** From the set-up record: `modules` and `data` of the unpacked tree. */
  modules: string;
  data: string;
  amiPort: number;
  ariPort: number;
  sipPort: number;
  /** Ports of the sound, two for each leg. */
  rtpFrom: number;
  rtpTo: number;
}

/** The user that Asterisk runs as, where that is not our own. */
export interface Owner {
  uid: number;
  gid: number;
}

/** Longest path of a Unix socket on Linux, its final zero byte apart (unix(7)). */
const socketPathLength = 107;

/** Asterisk reports these as errors when they are missing; nothing needs to stand in them. */
const emptyFiles = ['acl', 'ccss', 'features', 'pjproject', 'stasis', 'udptl'].concat(
  'websocket_client',
);
const emptyText = '; Nothing is set here; a missing file would be an error at each start.\n';

const forms = {
  name: /^[a-z][a-z0-9-]{0,31}$/,
  host: /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/,
  user: /^[A-Za-z0-9_.+@-]{1,64}$/,
  secret: /^[A-Za-z0-9_.~+/=-]{8,128}$/,
  extension: /^[0-9]{1,12}$/,
  // No character that the configuration or the dialplan would read as its own.
  path: /^\/[A-Za-z0-9/_.+~-]{1,200}$/,
} as const;

/** A secret for AMI, ARI or a phone: 32 random bytes, 64 hexadecimal digits. */
export const randomSecret = (ids: Ids): string => ids.bytes(32).toString('hex');

/**
 * Writes the whole configuration of a private Asterisk under `home` and makes its folders; returns
 * the path of asterisk.conf. Files are 0600. Throws FloorError `asterisk.config-unsafe` when a
 * value could be read as more than a value; nothing is written then.
 */
export async function writePrivateConfig(
  settings: PrivateSettings,
  owner?: Owner,
): Promise<string> {
  const { home } = settings;
  if (Buffer.byteLength(join(home, 'run/asterisk.ctl')) > socketPathLength)
    throw unsafe('home', 'the path of its control socket is too long');
  const etc = join(home, 'etc');
  const values = {
    home: checked('path', home),
    modules: checked('path', settings.modules),
    data: checked('path', settings.data),
    amiPort: port(settings.amiPort),
    ariPort: port(settings.ariPort),
    sipPort: port(settings.sipPort),
    rtpFrom: port(settings.rtpFrom),
    rtpTo: port(settings.rtpTo),
  };
  const floor = await floorFiles(settings, 'transport = gatehouse-udp\nmedia_address = 127.0.0.1');
  const files = new Map<string, string>();
  for (const [name, text] of floor) files.set(join(etc, 'floor', name), text);
  for (const name of privateFiles)
    files.set(join(etc, name), fill(await template(join('private', name)), values));
  for (const name of emptyFiles) files.set(join(etc, `${name}.conf`), emptyText);
  for (const folder of ['', 'etc', 'etc/floor', 'var', 'run', 'log', 'log/cdr-csv'])
    await makeFolder(join(home, folder), owner);
  const records = await makeCallRecords(join(home, 'log/cdr-csv'));
  if (owner !== undefined) await chown(records, owner.uid, owner.gid);
  // One user records here and reads it again.
  await makeFolder(settings.recordings, owner);
  for (const [file, text] of files) await writeWhole(file, text, 0o600, owner);
  return join(etc, 'asterisk.conf');
}

/** Asterisk's user reads the floor's part by the group of the folder; nobody else does. */
export const siteFolderMode = 0o2750;
/** Setgid and closed to others: what Asterisk records belongs to the group that both share. */
export const siteRecordingsMode = 0o2770;

/**
 * Writes the floor's part for a site's own Asterisk into `folder`, to be included by its files of
 * the same names: 0640, of the folder's own group. Both folders stay as the site made them
 * (systemd/gatehouse.tmpfiles), since a daemon without rights can give nothing to a group that it
 * is not in by itself. Throws FloorError `asterisk.folder-not-shared` where one is not there or
 * has another mode, and `asterisk.config-unsafe` as above; nothing is written then.
 */
export async function writeSiteConfig(settings: FloorSettings, folder: string): Promise<void> {
  // Transport and addresses are the site's.
  const files = await floorFiles(settings, '');
  await checkShared(folder, siteFolderMode);
  await checkShared(settings.recordings, siteRecordingsMode);
  for (const [name, text] of files) await writeWhole(join(folder, name), text, 0o640);
}

async function checkShared(folder: string, mode: number): Promise<void> {
  const due = `${folder} has to be a folder of mode ${mode.toString(8)}`;
  const found = await stat(folder).catch((cause) => {
    throw new FloorError('asterisk.folder-not-shared', due, { cause });
  });
  const has = (found.mode & 0o7777).toString(8);
  if (!found.isDirectory() || has !== mode.toString(8))
    throw new FloorError('asterisk.folder-not-shared', `${due}; it has ${has}.`);
}

const privateFiles = [
  'asterisk.conf',
  'modules.conf',
  'logger.conf',
  'http.conf',
  'manager.conf',
  'ari.conf',
  'pjsip.conf',
  'extensions.conf',
  'rtp.conf',
  'cdr.conf',
  'cel.conf',
  'indications.conf',
] as const;

async function floorFiles(settings: FloorSettings, transport: string) {
  const secrets = {
    amiSecret: checked('secret', settings.amiSecret),
    ariSecret: checked('secret', settings.ariSecret),
    recordings: checked('path', settings.recordings),
  };
  const parts = [
    '; Trunks and phones of the floor: written by Gatehouse, included by pjsip.conf.\n',
  ];
  for (const trunk of settings.trunks) parts.push(await trunkSections(trunk, transport));
  for (const agent of settings.agents) parts.push(await agentSections(agent, transport));
  return new Map([
    ['pjsip.conf', parts.join('')],
    ['extensions.conf', fill(await template('floor/extensions.conf'), secrets)],
    ['manager.conf', fill(await template('floor/manager.conf'), secrets)],
    ['ari.conf', fill(await template('floor/ari.conf'), secrets)],
  ]);
}

async function trunkSections(trunk: TrunkSettings, transport: string): Promise<string> {
  const name = checked('name', trunk.name);
  const login = trunk.username !== undefined;
  const text = fill(await template('floor/pjsip-trunk.conf'), {
    name,
    host: checked('host', trunk.host),
    port: port(trunk.port),
    transport,
    login: login ? `outbound_auth = ${name}-login` : '',
  });
  if (!login) return text;
  const username = checked('user', trunk.username ?? '');
  const secret = checked('secret', trunk.secret ?? '');
  return text + fill(await template('floor/pjsip-trunk-login.conf'), { name, username, secret });
}

async function agentSections(agent: AgentSettings, transport: string): Promise<string> {
  const extension = checked('extension', agent.extension);
  const { contact } = agent;
  return fill(await template('floor/pjsip-agent.conf'), {
    extension,
    secret: checked('secret', agent.secret),
    transport,
    reach:
      contact === undefined
        ? 'max_contacts = 1\nremove_existing = yes'
        : `contact = sip:${extension}@${checked('host', contact.host)}:${port(contact.port)}`,
  });
}

function unsafe(what: string, why: string): FloorError {
  return new FloorError('asterisk.config-unsafe', `${what}: ${why}`);
}

/** The value itself is not quoted in the error: it may be a secret. */
function checked(what: keyof typeof forms, value: string): string {
  if (!forms[what].test(value)) throw unsafe(what, 'not of its form');
  return value;
}

function port(value: number): string {
  if (!Number.isInteger(value) || value < 1 || value > 65535) throw unsafe('port', 'out of range');
  return String(value);
}

/** Puts values into `{{name}}` places; a place without a value is a fault of the template. */
function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{\{(\w+)\}\}/g, (place, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`no value for ${place}`);
    return value;
  });
}

/** Sources and built files lie at different depths below the folder that holds `asterisk/`. */
function templateFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'asterisk/private/asterisk.conf'))) {
    if (folder === dirname(folder)) throw new Error('the folder asterisk/ is missing');
    folder = dirname(folder);
  }
  return join(folder, 'asterisk');
}

const template = (name: string) => readFile(join(templateFolder(), name), 'utf8');

async function makeFolder(folder: string, owner?: Owner): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (owner !== undefined) await chown(folder, owner.uid, owner.gid);
  // One that was there may have had another mode.
  await chmod(folder, 0o700);
}

/** Never seen half-written, and never readable by more than `mode` says, not even for a moment. */
async function writeWhole(file: string, text: string, mode: number, owner?: Owner): Promise<void> {
  const draft = `${file}.new`;
  await writeFile(draft, text, { mode: 0o600 });
  // In spite of the umask.
  await chmod(draft, mode);
  if (owner !== undefined) await chown(draft, owner.uid, owner.gid);
  await rename(draft, file);
}
