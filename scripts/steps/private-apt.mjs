// A private apt: resolves and downloads signed sid packages without touching the system's own apt.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand, SetUpError, tryCommand } from './run-command.mjs';

export const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

const secondsPerDay = 24 * 60 * 60;
const msPerDay = secondsPerDay * 1000;
const expiryLine = /^E: Release file for \S+ is expired \(invalid since [^()]+\)\./;

/**
 * True where apt failed for one reason only: every error line says that a Release file is past its
 * Valid-Until. Anything else (a bad signature, a hash mismatch, no network) must end the set-up.
 */
export function onlyExpired(stderr) {
  const errors = stderr.split('\n').filter((line) => line.startsWith('E:'));
  return errors.length > 0 && errors.every((line) => expiryLine.test(line));
}

/**
 * The mirror this machine already uses for Debian, read from `apt-get indextargets`: one line per
 * target, `uri|component|release|label`. The security archive holds no sid.
 */
export function chooseMirror(lines) {
  const targets = lines
    .split('\n')
    .map((line) => line.split('|'))
    .filter(([uri, component, release, label]) => {
      const known = label !== undefined && !label.startsWith('$(');
      return (
        uri &&
        component === 'main' &&
        !release.includes('-security') &&
        (known ? label === 'Debian' : true)
      );
    });
  return targets[0]?.[0];
}

/** Release facts from the text of an InRelease file; times in ms UTC, undefined where absent. */
export function releaseFacts(text) {
  const timeOf = (key) => {
    const found = new RegExp(`^${key}: (.+)$`, 'm').exec(text);
    const atUtcMs = found ? Date.parse(found[1]) : Number.NaN;
    return Number.isNaN(atUtcMs) ? undefined : atUtcMs;
  };
  return { dateUtcMs: timeOf('Date'), validUntilUtcMs: timeOf('Valid-Until') };
}

/** The names and versions in the order of installation, from `apt-get -s install`. */
export function plannedPackages(simulation) {
  return simulation
    .split('\n')
    .map((line) => /^Inst (\S+) (?:\[\S+\] )?\((\S+) /.exec(line))
    .filter((found) => found !== null)
    .map((found) => ({ name: found[1], version: found[2] }));
}

function hostMirror() {
  const format = '$(REPO_URI)|$(COMPONENT)|$(RELEASE)|$(LABEL)';
  const ask = (more) => runCommand(['apt-get', 'indextargets', '--format', format, ...more]);
  // Without downloaded lists apt names a target only when it may leave the Release facts out.
  const mirror = chooseMirror(ask([])) ?? chooseMirror(ask(['--no-release-info']));
  if (mirror) return mirror;
  throw new SetUpError(
    "apt knows no Debian mirror on this machine: give it one (see 'man sources.list')",
  );
}

/** How the machine reaches its mirror (proxies and the like), as lines for our own apt.conf. */
function hostTransport() {
  return runCommand(['apt-config', 'dump'])
    .split('\n')
    .filter((line) => /^Acquire::(http|https|ftp|ForceIPv[46])\b/.test(line));
}

/**
 * Opens the private apt in `folder`. The host's parts and preferences are left out on purpose: one
 * that switches the freshness check off must not reach us. Only its way to the network is taken.
 */
export function openPrivateApt(folder) {
  const at = (...parts) => join(folder, ...parts);
  for (const part of [
    'parts',
    'sources',
    'preferences',
    'lists/partial',
    'cache/archives/partial',
  ]) {
    mkdirSync(at(part), { recursive: true });
  }
  writeFileSync(at('status'), '');
  const architecture = runCommand(['dpkg', '--print-architecture']).trim();
  const settings = [
    ...hostTransport(),
    `Dir::Etc::main "${at('none.conf')}";`,
    `Dir::Etc::parts "${at('parts')}";`,
    `Dir::Etc::sourcelist "${at('sources.list')}";`,
    `Dir::Etc::sourceparts "${at('sources')}";`,
    `Dir::Etc::preferences "${at('none.pref')}";`,
    `Dir::Etc::preferencesparts "${at('preferences')}";`,
    `Dir::State "${folder}";`,
    `Dir::State::lists "${at('lists')}";`,
    `Dir::State::status "${at('status')}";`,
    `Dir::Cache "${at('cache')}";`,
    `Dir::Log "${at('log')}";`,
    `APT::Architecture "${architecture}";`,
    `APT::Architectures { "${architecture}"; };`,
    'APT::Install-Recommends "false";',
    'APT::Update::Error-Mode "any";',
    'Acquire::Languages "none";',
    'Acquire::Retries "3";',
  ];
  // It may hold the password of a proxy.
  writeFileSync(at('apt.conf'), `${settings.join('\n')}\n`, { mode: 0o600 });
  const env = { ...process.env, APT_CONFIG: at('apt.conf'), LC_ALL: 'C' };
  return { folder, architecture, mirror: hostMirror(), env };
}

/**
 * Reads sid's index with every signature checked and strict freshness first. Only where the sole
 * error is an expired Release file it tries once more, with the file's life counted as
 * `maxAgeDays` from its date: bounded, and no signature check is touched.
 * Returns {mode: 'strict' | 'extended', dateUtcMs, validUntilUtcMs}.
 */
export function updateIndex(apt, maxAgeDays) {
  const update = (options) => {
    const source = `deb [signed-by=${keyring}${options}] ${apt.mirror} sid main\n`;
    writeFileSync(join(apt.folder, 'sources.list'), source);
    return ['apt-get', 'update'];
  };
  const strict = tryCommand(update(''), { env: apt.env });
  let mode = 'strict';
  if (strict.status !== 0) {
    if (!onlyExpired(strict.stderr)) {
      throw new SetUpError(`apt could not read Debian's sid index:\n${strict.stderr.trimEnd()}`);
    }
    if (maxAgeDays <= 0) {
      throw new SetUpError(
        `the mirror is out of date, and no extension is allowed:\n${strict.stderr.trimEnd()}`,
      );
    }
    mode = 'extended';
    runCommand(update(` valid-until-min=${maxAgeDays * secondsPerDay}`), { env: apt.env });
  }
  const lists = join(apt.folder, 'lists');
  const release = readdirSync(lists).find((name) => name.endsWith('_InRelease'));
  if (!release) throw new SetUpError('apt kept no signed Release file for sid');
  return { mode, ...releaseFacts(readFileSync(join(lists, release), 'utf8')) };
}

/** The lines of the warning for an index that was accepted past its own date. */
export function expiryWarning({ dateUtcMs, validUntilUtcMs }, nowUtcMs, maxAgeDays) {
  const day = (atUtcMs) =>
    atUtcMs === undefined ? 'unknown' : new Date(atUtcMs).toISOString().slice(0, 10);
  const age = dateUtcMs === undefined ? 'unknown' : Math.floor((nowUtcMs - dateUtcMs) / msPerDay);
  return [
    "The Debian mirror is out of date: sid's Release file is past its Valid-Until.",
    `Release date ${day(dateUtcMs)}, valid until ${day(validUntilUtcMs)}, age ${age} days.`,
    `It is used all the same, up to ${maxAgeDays} days from its date. Signatures were checked as`,
    'always, but protection against a replayed old index is weaker, and security fixes may be',
    'missing. Delete .cache/asterisk and run set-up again once the mirror is current.',
  ];
}
