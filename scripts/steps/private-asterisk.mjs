// Gets Asterisk 22 from Debian's signed sid packages into a private tree; installs nothing.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { proveBoot } from './boot-proof.mjs';
import { asteriskFolder, asteriskRecord } from './paths.mjs';
import { expiryWarning, openPrivateApt, plannedPackages, updateIndex } from './private-apt.mjs';
import { runCommand, SetUpError } from './run-command.mjs';
import { warnLoudly } from './step.mjs';

const treeFolder = join(asteriskFolder, 'tree');
const recordFormat = 1;
const leastMajor = 22;
/** Days a Release file may be used after its date when the mirror lags; 0 forbids it. */
const defaultMaxAgeDays = 45;

/** Where the dynamic loader and the libraries stand in the tree, by Debian architecture. */
const places = {
  amd64: { loader: 'usr/lib64/ld-linux-x86-64.so.2', libraries: 'usr/lib/x86_64-linux-gnu' },
  arm64: { loader: 'usr/lib/ld-linux-aarch64.so.1', libraries: 'usr/lib/aarch64-linux-gnu' },
};

/** Packages that only maintainer scripts need: none runs here. Libraries are never dropped. */
const maintainerOnly = [
  /^perl(-|$)/,
  /^gnupg/,
  /^gpg(-|$|sm|conf)/,
  /^dirmngr$/,
  /^pinentry-/,
  /^libpam-modules/,
  /^(cdebconf|debconf|libdebconfclient0)$/,
  /^(base-)?passwd$/,
  /^login\.defs$/,
  /^adduser$/,
  /^gcc-\d+-base$/,
  /^tzdata/,
  /^pci\.ids$/,
];

/** True for a package whose files Asterisk needs at run time. */
export function neededInTree(name) {
  return !maintainerOnly.some((pattern) => pattern.test(name));
}

/** Major number and full text from what `asterisk -V` prints; SetUpError below the least major. */
export function checkVersion(printed) {
  const found = /^Asterisk ((\d+)\.\S+)/m.exec(printed);
  if (!found) throw new SetUpError(`this is not a version of Asterisk: ${printed.trim()}`);
  const major = Number(found[2]);
  if (major < leastMajor) {
    throw new SetUpError(`Asterisk ${found[1]} is too old: ${leastMajor} or newer is needed`);
  }
  return { version: found[1], major };
}

/** The bound of the freshness fallback in days, from the environment's setting. */
export function maxAgeDaysFrom(text) {
  if (text === undefined || text === '') return defaultMaxAgeDays;
  if (!/^\d{1,3}$/.test(text)) {
    throw new SetUpError(`GATEHOUSE_RELEASE_MAX_AGE_DAYS must be a number of days, not '${text}'`);
  }
  return Number(text);
}

/**
 * Every path that a reader of the record needs, for a tree at this place. `launch` starts Asterisk:
 * the extracted loader runs the extracted binary against the extracted libraries, so that the
 * system's older C library is never mixed in.
 */
export function treePlaces(tree, architecture) {
  const place = places[architecture];
  if (!place) throw new SetUpError(`no private Asterisk for the architecture ${architecture} yet`);
  const libraries = join(tree, place.libraries);
  const loader = [join(tree, place.loader), '--inhibit-cache', '--library-path', libraries];
  return {
    tree,
    launch: [...loader, '--argv0', 'asterisk', join(tree, 'usr/sbin/asterisk')],
    modules: join(libraries, 'asterisk/modules'),
    data: join(tree, 'usr/share/asterisk'),
  };
}

function writeRecord(record) {
  const partial = `${asteriskRecord}.partial`;
  writeFileSync(partial, `${JSON.stringify(record, null, 2)}\n`);
  renameSync(partial, asteriskRecord);
}

/** The record of a finished tree, its paths set right after a move; undefined without a tree. */
export function readAsteriskRecord() {
  if (!existsSync(asteriskRecord) || !existsSync(join(treeFolder, 'usr/sbin/asterisk'))) return;
  const record = JSON.parse(readFileSync(asteriskRecord, 'utf8'));
  if (record.format !== recordFormat) return;
  const current = { ...record, ...treePlaces(treeFolder, record.architecture) };
  if (record.tree !== treeFolder) writeRecord(current);
  return current;
}

/** The file name that `apt-get download` gives to a package; an epoch's colon is escaped. */
export function debFileStart({ name, version }) {
  return `${name}_${version.replaceAll(':', '%3a')}_`;
}

function unpack(debs, packages, tree) {
  rmSync(tree, { recursive: true, force: true });
  // Before the first package: sid's packages ship files below usr/ only, and others rely on these.
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    mkdirSync(join(tree, 'usr', name), { recursive: true });
    symlinkSync(`usr/${name}`, join(tree, name));
  }
  const files = readdirSync(debs);
  for (const item of packages) {
    const file = files.find((name) => name.startsWith(debFileStart(item)));
    if (!file) throw new SetUpError(`apt did not deliver ${item.name} ${item.version}`);
    runCommand(['dpkg-deb', '-x', join(debs, file), tree]);
  }
  for (const name of ['doc', 'man', 'locale', 'lintian', 'bug', 'info']) {
    rmSync(join(tree, 'usr/share', name), { recursive: true, force: true });
  }
  // A maintainer script makes this link; without it prompts and ConfBridge warn.
  const sounds = join(tree, 'usr/share/asterisk/sounds');
  if (!existsSync(join(sounds, 'en'))) symlinkSync('en_US_f_Allison', join(sounds, 'en'));
}

function fetchPackages(apt, debs) {
  const plan = plannedPackages(
    runCommand(['apt-get', '-s', 'install', 'asterisk'], { env: apt.env }),
  );
  const needed = plan.filter(({ name }) => neededInTree(name));
  if (!needed.some(({ name }) => name === 'asterisk')) {
    throw new SetUpError('apt found no way to install asterisk from sid');
  }
  mkdirSync(debs, { recursive: true });
  const wanted = needed.map(({ name, version }) => `${name}=${version}`);
  runCommand(['apt-get', 'download', ...wanted], { cwd: debs, env: apt.env });
  return needed;
}

async function install(nowUtcMs) {
  mkdirSync(asteriskFolder, { recursive: true });
  // Until the new tree is whole, no record may speak for it.
  rmSync(asteriskRecord, { force: true });
  const maxAgeDays = maxAgeDaysFrom(process.env.GATEHOUSE_RELEASE_MAX_AGE_DAYS);
  const apt = openPrivateApt(join(asteriskFolder, 'apt'));
  const release = updateIndex(apt, maxAgeDays);
  if (release.mode === 'extended') warnLoudly(expiryWarning(release, nowUtcMs, maxAgeDays));
  const debs = join(asteriskFolder, 'debs');
  const packages = fetchPackages(apt, debs);
  unpack(debs, packages, treeFolder);
  const at = treePlaces(treeFolder, apt.architecture);
  const { version, major } = checkVersion(runCommand([...at.launch, '-V']));
  const { bootMs } = await proveBoot(at);
  writeRecord({
    format: recordFormat,
    version,
    major,
    architecture: apt.architecture,
    ...at,
    release: { ...release, maxAgeDays, fetchedAtUtcMs: nowUtcMs },
    packages: packages.map((item) => `${item.name} ${item.version}`),
  });
  rmSync(debs, { recursive: true });
  rmSync(apt.folder, { recursive: true });
  return `${version} from ${packages.length} signed packages, boots in ${bootMs} ms`;
}

/** Which Asterisk stands there and how fresh its index was: said in every run, kept in logs. */
function words() {
  const { version, release } = readAsteriskRecord();
  const extended = 'its index was PAST ITS DATE, accepted by the bounded fallback';
  return `${version}, ${release.mode === 'strict' ? 'its index was fresh' : extended}`;
}

export const privateAsterisk = {
  name: 'Asterisk',
  needed: () => readAsteriskRecord() === undefined,
  make: () => install(Date.now()),
  words,
};
