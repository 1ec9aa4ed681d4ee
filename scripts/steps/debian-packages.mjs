// Debian packages that Gatehouse needs: installed as root, otherwise named in one exact command.
import { runCommand, SetUpError, tryCommand } from './run-command.mjs';

const packages = [
  'g++', // with make and python3: better-sqlite3 is compiled here
  'make',
  'python3',
  'ca-certificates',
  'debian-archive-keyring', // checks the signatures of Asterisk's packages
  'flac', // seals recordings
  'espeak-ng', // speaks the demo's messages
  'sip-tester', // SIPp: the demo's and the tests' carrier and phones
  'openssl', // the stock-tool way of checking evidence
  'systemd', // systemd-notify, and systemd-analyze for scoring the unit
];

/** The names in `wanted` that `dpkg-query`'s lines (`name status`) do not show as installed. */
export function missingPackages(wanted, lines) {
  const installed = new Set(
    lines
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  return wanted.filter((name) => !installed.has(name));
}

function missing() {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: these are dpkg-query's own fields.
  const format = '${Package} ${db:Status-Status}\n';
  // It exits with 1 as soon as one name is unknown: the lines count, not the status.
  return missingPackages(
    packages,
    tryCommand(['dpkg-query', '-W', '-f', format, ...packages]).stdout,
  );
}

function install(names) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  const wait = ['-o', 'DPkg::Lock::Timeout=120'];
  const command = ['apt-get', ...wait, 'install', '-y', '--no-install-recommends', ...names];
  const haveLists = runCommand(['apt-get', 'indextargets'], { env }).trim() !== '';
  if (haveLists && tryCommand(command, { env }).status === 0) return;
  // No lists, or lists so old that the mirror no longer holds what they name.
  runCommand(['apt-get', ...wait, 'update'], { env });
  runCommand(command, { env });
}

export const debianPackages = {
  name: 'Debian packages',
  needed: () => missing().length > 0,
  make() {
    const names = missing();
    if (process.getuid() !== 0) {
      throw new SetUpError(
        `Debian packages are missing. Run this as root, then try again:\n\n` +
          `    apt-get update && apt-get install -y --no-install-recommends ${names.join(' ')}\n`,
      );
    }
    install(names);
    return `installed ${names.join(' ')}`;
  },
};
