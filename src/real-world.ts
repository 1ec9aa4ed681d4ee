// Builds the world of a site from its configuration: files, keys, Asterisk; imports the adapters.
import { hash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { holidaysOf, parseRange, type WeeklyHours } from './calendar.ts';
import { chineseYears } from './calendar-data.ts';
import { type ContactPolicy, defaultCaps } from './cases/contact-policy.ts';
import { type Clock, realClock, type Timer } from './clock.ts';
import { foldersOf, readSecret } from './config.ts';
import type { Config } from './config-schema.ts';
import { FloorError } from './errors.ts';
import { type Ids, realIds } from './ids.ts';
import type { Log } from './log.ts';
import { type Account, keysInForce, openAccount } from './store/account.ts';
import { openStore, type Store } from './store/commit.ts';
import { type Database, lockFolder, migrate, openDatabase } from './store/database.ts';
import { openCaseStore } from './store/load.ts';
import { openAudioOf } from './store/recording-proof.ts';
import { createAsterisk } from './telephony/asterisk/asterisk.ts';
import {
  type FloorSettings,
  randomSecret,
  writePrivateConfig,
  writeSiteConfig,
} from './telephony/asterisk/asterisk-config.ts';
import { type RunningAsterisk, runAsterisk } from './telephony/asterisk/asterisk-process.ts';
import { makeCallRecords, rotateCallRecords } from './telephony/asterisk/cdr.ts';
import { openSealing } from './telephony/asterisk/sealing.ts';
import { realDisk } from './vault/disk.ts';
import { openSiteKeys, type SiteKeys, writeRecoverySheet } from './vault/keys.ts';
import type { Vault } from './vault/vault.ts';
import { openThreadedVault } from './vault/vault-thread.ts';
import type { World } from './world.ts';

export interface RealWorld {
  world: World;
  store: Store;
  database: Database;
  account: Account;
  vault: Vault;
  keys: SiteKeys;
  /** Plain bytes of a recording that is what was sealed. */
  openAudio: ReturnType<typeof openAudioOf>;
  /** File of the recovery sheet; only at the first start. */
  recoverySheetFile: string | undefined;
  /** The Asterisk that the daemon runs itself; undefined where a unit of the site does. */
  asterisk: RunningAsterisk | undefined;
  close(): Promise<void>;
}

/** The folder that holds `prisma/`, from the sources and from the built files alike. */
export function projectFolder(): string {
  let folder = fileURLToPath(new URL('.', import.meta.url));
  while (!existsSync(join(folder, 'prisma/migrations'))) {
    const up = join(folder, '..');
    if (up === folder) throw new FloorError('config.unreadable', 'prisma/migrations is missing');
    folder = up;
  }
  return folder;
}

export interface House {
  store: Store;
  database: Database;
  /** Names of the migrations that were applied now. */
  applied: readonly string[];
  close(): void;
}

/** Takes the data folder for this process and brings its database to the shipped form. */
export function openHouse(config: Config, clock: Clock, failed?: (cause: unknown) => void): House {
  const lock = lockFolder(config.dataDir);
  const database = openDatabase(foldersOf(config).database);
  const close = () => {
    database.close();
    lock.release();
  };
  try {
    const applied = migrate(database, join(projectFolder(), 'prisma/migrations'), clock.utcMs());
    return { store: openStore(database, clock, failed), database, applied, close };
  } catch (cause) {
    close();
    throw cause;
  }
}

export async function openRealWorld(
  config: Config,
  log: Log,
  stop: (cause: unknown) => void,
): Promise<RealWorld> {
  const clock = realClock;
  const ids = realIds;
  const folders = foldersOf(config);
  const house = openHouse(config, clock, stop);
  const { store, database, applied } = house;
  if (applied.length > 0) log.info('database migrated', { applied });
  const inForce = keysInForce(store);
  const opened = openSiteKeys(config.keysDir, ids, inForce?.signingKey, inForce?.keyId);
  if (!opened.opened) throw new FloorError(`keys.${opened.fault}`, opened.place);
  const { keys, signingKey } = opened;
  const failed = (cause: unknown) => log.error('account not written', { cause });
  const { ledger, dataDir } = config;
  const everyMs = ledger.checkpointEveryMs;
  const account = openAccount({
    store,
    disk: realDisk,
    clock,
    ids,
    dataDir,
    signingKey,
    keyId: keys.keyId,
    everyMs,
    failed,
  });
  const vault = openThreadedVault(folders.vault, opened.master, realDisk, ids);
  await realDisk.makeFolder(folders.vault);
  const recorded = database.prepare('SELECT 1 FROM "Recording" WHERE objectId = ?');
  const removed = await vault.judgeLeftovers((objectId) => recorded.get(objectId) !== undefined);
  if (removed.length > 0) log.info('unrecorded vault objects removed', { removed });
  const { access, asterisk } = await openAsterisk(config, ids, clock);
  const rotation = asterisk && keepCallRecords(config, store, clock, log);
  const recordings = await openSealing({ clock, folders, flac: 'flac', vault });
  return {
    world: {
      clock,
      ids,
      committer: store,
      caseStore: openCaseStore(database),
      phone: createAsterisk(access, clock, ids, stop),
      recordings,
      settleObject: (objectId) => vault.settle(objectId),
      eraseObject: (cipherSha256) => vault.eraseObject({ cipherSha256 }),
      policy: policyOf(config),
      lists: {
        folder: folders.uploads,
        region: config.site.region,
        zones: [config.site.timeZone, ...config.contact.zones],
      },
      digest: (kind, text) => keys.digest(kind, text),
      limits: config.telephony,
      requirements: config.telephony.requirements,
      report: (effect, cause) => log.warn('an effect ended in an error', { effect, cause }),
      stop,
    },
    store,
    database,
    account,
    vault,
    keys,
    openAudio: openAudioOf(database, vault),
    recoverySheetFile:
      inForce === undefined
        ? writeRecoverySheet(config.keysDir, opened.sheet(account.siteId))
        : undefined,
    asterisk,
    async close() {
      rotation?.cancel();
      await asterisk?.stop();
      await recordings.close();
      await vault.close();
      await account.end();
      house.close();
    },
  };
}

const rotateEveryMs = 3_600_000;

/** Asterisk's own records hold numbers: each is kept for the days that are set, and no longer. */
function keepCallRecords(config: Config, store: Store, clock: Clock, log: Log): Timer {
  const { cdr } = foldersOf(config);
  let timer: Timer;
  const about = 'call-records';
  const why = 'retention';
  const entry = { room: 'telephony', what: 'call-records-deleted', who: 'system', about, why };
  const deleting = (files: number) =>
    store.commit({ room: 'telephony', entries: [{ ...entry, facts: { files } }], changes: [] });
  const rotate = () => rotateCallRecords(cdr, config.retention.cdrDays, clock, deleting);
  const hourly = () => {
    timer = clock.after(rotateEveryMs, hourly);
    rotate().catch((cause) => log.error('call records not rotated', { cause }));
  };
  timer = clock.after(0, hourly);
  return { cancel: () => timer.cancel() };
}

interface SetUpRecord {
  launch: readonly string[];
  modules: string;
  data: string;
  major: number;
}

/** Writes Asterisk's configuration, and runs it where the configuration says that we do. */
async function openAsterisk(config: Config, ids: Ids, clock: Clock) {
  const { asterisk: own, trunks } = config.telephony;
  const floor = floorSettings(config, ids);
  const access = {
    amiPort: own.amiPort,
    amiSecret: floor.amiSecret,
    ariPort: own.ariPort,
    ariSecret: floor.ariSecret,
    trunks: trunks.map(({ name }) => name),
  };
  if (own.run === 'site') {
    await writeSiteConfig(floor, own.configDir);
    return { access, asterisk: undefined };
  }
  const { launch, modules, data } = readSetUp(own.setUpFile);
  const configFile = await writePrivateConfig({
    ...floor,
    home: own.configDir,
    modules,
    data,
    amiPort: own.amiPort,
    ariPort: own.ariPort,
    sipPort: own.sipPort,
    rtpFrom: own.rtpFirstPort,
    rtpTo: own.rtpLastPort,
  });
  mkdirSync(foldersOf(config).cdr, { recursive: true, mode: 0o700 });
  await makeCallRecords(foldersOf(config).cdr);
  return { access, asterisk: await runAsterisk({ command: launch, configFile }, clock) };
}

function readSetUp(file: string): SetUpRecord {
  if (!existsSync(file)) throw new FloorError('asterisk.not-set-up', file);
  return JSON.parse(readFileSync(file, 'utf8')) as SetUpRecord;
}

function floorSettings(config: Config, ids: Ids): FloorSettings {
  const { asterisk, trunks, extensions } = config.telephony;
  const secret = (name: string) => keptSecret(asterisk.secretsDir, name, ids);
  return {
    amiSecret: secret('ami'),
    ariSecret: secret('ari'),
    recordings: asterisk.spoolDir,
    trunks: trunks.map(({ name, host, port, username, secretFile }) => ({
      name,
      host,
      port,
      ...(username !== undefined && secretFile !== undefined
        ? { username, secret: readSecret(secretFile) }
        : {}),
    })),
    agents: extensions.map(({ number, secretFile, contact }) => ({
      extension: number,
      secret: secretFile === undefined ? secret(`phone-${number}`) : readSecret(secretFile),
      ...(contact === undefined ? {} : { contact }),
    })),
  };
}

/** A secret of ours: made once, 32 random bytes, in a file that only we can read. */
function keptSecret(folder: string, name: string, ids: Ids): string {
  const file = join(folder, `${name}.secret`);
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(file, `${randomSecret(ids)}\n`, { mode: 0o600, flag: 'wx' });
  }
  return readSecret(file);
}

/** The contact rules as the configuration sets them. */
function policyOf({ contact, site }: Config): ContactPolicy {
  const rangesOf = (texts: readonly string[]) =>
    texts.map((text) => parseRange(text)).filter((range) => range !== undefined);
  const { mon, tue, wed, thu, fri, sat, sun, swapped, holiday } = contact.hours;
  const days = { mon, tue, wed, thu, fri, sat, sun, swapped, holiday };
  const hours = Object.fromEntries(
    Object.entries(days).map(([day, texts]) => [day, rangesOf(texts)]),
  ) as unknown as WeeklyHours;
  const years = new Map(chineseYears.map((year) => [year.year, year]));
  for (const year of site.calendar) years.set(year.year, year);
  const limits = contact.caps as Readonly<Record<string, number>>;
  const caps = defaultCaps.map((cap) => ({
    ...cap,
    limit: limits[cap.name] ?? cap.limit,
    active: !contact.capsOff.includes(cap.name),
  }));
  const { zones, contactPersons, carrierFailureCounts } = contact;
  const holidays = holidaysOf([...years.values()]);
  const rules = { hours, zones, contactPersons, carrierFailureCounts, caps };
  return { version: policyVersion(rules), holidays, ...rules };
}

/** Names the values themselves, so that two decisions under different values can't look alike. */
function policyVersion(rules: unknown): string {
  return `policy-${hash('sha256', JSON.stringify(rules)).slice(0, 32)}`;
}
