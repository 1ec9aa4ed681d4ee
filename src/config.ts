// Reads the configuration: defaults, a YAML file over them, and one error that names every fault.
import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Settings } from 'typebox/system';
import { Value } from 'typebox/value';
import { parseDocument } from 'yaml';
import { idProblem } from './audit/entry.ts';
import { holidaysOf, isZone, parseRange } from './calendar.ts';
import { isRegion } from './cases/lists/phone-number.ts';
import {
  allowed,
  type Config,
  configSchema,
  type PathStart,
  type SchemaPart,
} from './config-schema.ts';
import { FloorError } from './errors.ts';

export type { Config } from './config-schema.ts';

/** A configuration is written by hand; a larger file is a mistake. */
export const maxConfigBytes = 1_048_576;
/** Faults named in one message; who has more of them starts with these. */
export const maxFaults = 20;
// The package stops at 8 faults; an unknown key costs two.
Settings.Set({ maxErrors: 4 * maxFaults });
/** A password or key in PEM form is never larger. */
export const maxSecretBytes = 65_536;

/**
 * The configuration of a file, or the defaults alone without one. Paths in it are absolute: a
 * relative one starts at the file's folder (or, without a file, at the working directory).
 * Throws config.unreadable, and config.invalid with every fault, what is allowed and where.
 */
export function loadConfig(file?: string): Config {
  const folder = file === undefined ? resolve('.') : dirname(resolve(file));
  return parseConfig(file === undefined ? '' : readText(file, maxConfigBytes), folder, file);
}

/** The same for a text; `folder` is where its relative paths start. */
export function parseConfig(text: string, folder: string, file = 'the configuration'): Config {
  const given = parseYaml(text, file) ?? {};
  const setsDays = isObject(given) && isObject(given.retention) && 'cdrDays' in given.retention;
  const found = Value.Default(configSchema, given);
  const faults = faultsOf(found);
  if (faults.length === 0) {
    const config = found as Config;
    faults.push(...contradictions(config));
    if (setsDays && config.telephony.asterisk.run === 'site')
      faults.push('retention.cdrDays: a site’s own records go by asterisk/site/logrotate.conf');
    const placed = withPaths(config, folder);
    faults.push(...overlaps(placed));
    if (faults.length === 0) return placed;
  }
  const rest = faults.length - maxFaults;
  const shown = faults.slice(0, maxFaults).concat(rest > 0 ? [`and ${rest} more`] : []);
  throw new FloorError('config.invalid', `Correct ${file}:\n  ${shown.join('\n  ')}`);
}

/**
 * The secret that a file holds, without the newline at its end. A file that others than its owner
 * can read is refused, since the secret in it is not one.
 */
export function readSecret(file: string): string {
  const text = readText(file, maxSecretBytes).trimEnd();
  if ((statSync(file).mode & 0o077) !== 0)
    throw new FloorError('config.unreadable', `${file} can be read by others: chmod 600 ${file}`);
  if (text === '') throw new FloorError('config.unreadable', `${file} is empty.`);
  return text;
}

function readText(file: string, maxBytes: number): string {
  try {
    const { size } = statSync(file);
    if (size > maxBytes) throw new Error(`it has ${size} bytes, at most ${maxBytes} are allowed`);
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FloorError('config.unreadable', `${file}: ${why}`, { cause });
  }
}

function parseYaml(text: string, file: string): unknown {
  const document = parseDocument(text);
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem) throw new FloorError('config.invalid', `Correct ${file}: ${problem.message}`);
  try {
    return document.toJS();
  } catch (cause) {
    // The package refuses a file whose aliases would grow beyond all measure.
    throw new FloorError('config.invalid', `Correct ${file}: ${String(cause)}`, { cause });
  }
}

function faultsOf(found: unknown): string[] {
  const faults = new Set<string>();
  for (const { instancePath, keyword } of Value.Errors(configSchema, found)) {
    // Each unknown key comes once more as a fault of the object round it.
    if (keyword === 'additionalProperties') continue;
    faults.add(faultAt(instancePath, found));
  }
  return [...faults];
}

/** One fault in words: the key, what stands there, what is allowed. */
function faultAt(instancePath: string, found: unknown): string {
  const keys = instancePath.split('/').slice(1);
  let schema: SchemaPart = configSchema;
  let value = found;
  let at = '';
  for (const key of keys) {
    const isItem = schema.items !== undefined;
    const next: SchemaPart | undefined = isItem ? schema.items : propertyOf(schema, key);
    value = (value as Record<string, unknown>)[key];
    at += isItem ? `[${key}]` : `${at && '.'}${key}`;
    if (next === undefined)
      return `${at} is not a key; allowed here: ${Object.keys(schema.properties ?? {}).join(', ')}`;
    schema = next;
  }
  const missing = Object.keys(schema.properties ?? {}).filter(
    (key) => schema.required?.includes(key) && isObject(value) && !(key in value),
  );
  if (missing.length > 0) return `${at} lacks ${missing.join(', ')}`;
  const quotes =
    schema.type === 'string' && typeof value === 'number' ? '; write it in quotes' : '';
  const shown = shownValue(value, schema);
  return `${at || 'the file'} is ${shown}; allowed: ${allowed(schema)}${quotes}`;
}

function propertyOf(schema: SchemaPart, key: string): SchemaPart | undefined {
  return schema.properties && Object.hasOwn(schema.properties, key)
    ? schema.properties[key]
    : undefined;
}

function shownValue(value: unknown, schema: SchemaPart): string {
  if (isObject(value)) return 'a group of keys';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value === undefined || value === null || value === '') return 'empty';
  // Text is repeated only where a word of a few is due: what stands at the wrong place may be a
  // secret, and errors are logged.
  if (typeof value === 'string' && !schema.enum) return `text of ${value.length} characters`;
  return schema.type === 'string' ? `a ${typeof value}` : JSON.stringify(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Is this an address that only this machine can reach? */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** What no single key shows: values that don't fit each other or the world. */
function contradictions({ site, http, telephony, contact }: Config): string[] {
  const { asterisk, campaign, trunks, extensions, requirements } = telephony;
  const faults: string[] = [];
  const unless = (fits: boolean, fault: string) => {
    if (!fits) faults.push(fault);
  };
  for (const [key, zone] of [
    ['site.timeZone', site.timeZone],
    ...contact.zones.map((zone, index) => [`contact.zones[${index}]`, zone]),
  ] as const)
    unless(isZone(zone ?? ''), `${key} is not the name of an IANA time zone`);
  unless(isRegion(site.region), 'site.region is not a country whose numbers can be read');
  for (const [day, ranges] of Object.entries(contact.hours))
    for (const range of ranges)
      unless(parseRange(range) !== undefined, `contact.hours.${day} has no hours like ${range}`);
  try {
    holidaysOf(site.calendar);
  } catch (cause) {
    faults.push(`site.calendar: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  unless(
    isLoopback(http.host) || http.tls !== undefined,
    'http.host is reachable from other machines, so http.tls must be set',
  );
  const { rtpFirstPort, rtpLastPort } = asterisk;
  unless(rtpFirstPort < rtpLastPort, 'telephony.asterisk.rtpFirstPort is not below rtpLastPort');
  unless(
    campaign.targetShare <= campaign.limitShare,
    'telephony.campaign.targetShare is above limitShare',
  );
  for (const [index, trunk] of trunks.entries())
    unless(
      (trunk.username === undefined) === (trunk.secretFile === undefined),
      `telephony.trunks[${index}]: username and secretFile stand together or not at all`,
    );
  for (const [key, name] of [
    ...trunks.map(({ name }, index) => [`telephony.trunks[${index}].name`, name] as const),
    ...requirements.map((name, index) => [`telephony.requirements[${index}]`, name] as const),
  ]) {
    // Both stand in entries, which take nothing that could be a person's number.
    const problem = idProblem(key, name);
    if (problem !== undefined) faults.push(problem);
  }
  for (const [key, values] of Object.entries({
    'telephony.asterisk ports': [asterisk.amiPort, asterisk.ariPort, asterisk.sipPort, http.port],
    'telephony.trunks names': trunks.map((trunk) => trunk.name),
    'telephony.extensions numbers': extensions.map((extension) => extension.number),
    'site.calendar years': site.calendar.map(({ year }) => year),
  })) {
    const twice = values.filter((value, index) => values.indexOf(value as never) !== index);
    unless(twice.length === 0, `${key} stand twice: ${twice.join(', ')}`);
  }
  return faults;
}

/** Where things lie; docs/evidence-format.md names those of the data folder a verifier needs. */
export function foldersOf(config: Config) {
  const { dataDir, telephony } = config;
  const { configDir, spoolDir } = telephony.asterisk;
  return {
    database: join(dataDir, 'gatehouse.db'),
    ledger: join(dataDir, 'ledger'),
    vault: join(dataDir, 'vault'),
    work: join(dataDir, 'work'),
    uploads: join(dataDir, 'uploads'),
    spool: spoolDir,
    // Beside the spool on its file system, so that moving a recording there can't lose it.
    quarantine: `${spoolDir}-quarantine`,
    cdr: join(configDir, 'log/cdr-csv'),
  };
}

const isWithin = (path: string, folder: string) => `${path}/`.startsWith(`${folder}/`);

/** Folders that would hold each other's files: what is tidied in one would be lost in another. */
function overlaps(config: Config): string[] {
  const { dataDir, keysDir, telephony } = config;
  const { configDir, secretsDir } = telephony.asterisk;
  const { ledger, vault, work, uploads, spool, quarantine } = foldersOf(config);
  const set = {
    keysDir,
    'telephony.asterisk.configDir': configDir,
    'telephony.asterisk.secretsDir': secretsDir,
    'telephony.asterisk.spoolDir': spool,
    'the quarantine beside telephony.asterisk.spoolDir': quarantine,
  };
  const all = Object.entries({ ...set, ledger, vault, work, uploads });
  const faults: string[] = [];
  // Whoever takes a backup of one must not get the other with it.
  if (isWithin(keysDir, dataDir)) faults.push('keysDir lies within dataDir');
  for (const [key, folder] of Object.entries(set)) {
    if (isWithin(dataDir, folder)) faults.push(`${key} holds dataDir`);
    for (const [other, place] of all)
      if (other !== key && isWithin(folder, place)) faults.push(`${key} lies within ${other}`);
  }
  return faults;
}

/** Every path made absolute; those within the data folder after the data folder itself. */
function withPaths(config: Config, folder: string): Config {
  const dataDir = resolve(folder, config.dataDir);
  return resolvePaths(configSchema, config, { config: folder, dataDir }) as Config;
}

function resolvePaths(
  schema: SchemaPart,
  value: unknown,
  starts: Record<PathStart, string>,
): unknown {
  if (schema.from && typeof value === 'string') return resolve(starts[schema.from], value);
  const { items, properties } = schema;
  if (items && Array.isArray(value)) return value.map((each) => resolvePaths(items, each, starts));
  if (!properties || !isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => {
      const part = properties[key];
      return [key, part ? resolvePaths(part, each, starts) : each];
    }),
  );
}
