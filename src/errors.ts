// Operating failures: one class, one table of codes; docs/errors.md explains each of them.

/** retry: may pass by itself · refuse: the request was wrong · operator: a person has to act. */
export type ErrorKind = 'retry' | 'refuse' | 'operator';

/** Every code, with its kind and the sentence that states what happened. */
export const errorTable = {
  'ami.disconnected': ['retry', "The link to the phone system's AMI is down."],
  'ami.too-many-actions': ['retry', 'Too many AMI actions wait for their answers.'],
  'ami.unsafe-value': ['refuse', 'A value for AMI holds a line break, a NUL or is too long.'],
  'ari.disconnected': ['retry', "The link to the phone system's ARI is down."],
  'ari.too-many-requests': ['retry', 'Too many ARI requests wait for their answers.'],
  'asterisk.config-unsafe': ['refuse', 'A value can not stand in an Asterisk configuration file.'],
  'asterisk.folder-not-shared': ['operator', "A folder is not shared with the site's Asterisk."],
  'asterisk.not-booted': ['operator', 'The private Asterisk did not boot.'],
  'asterisk.not-ended': ['operator', 'The private Asterisk did not end when it was told to.'],
  'asterisk.not-set-up': ['operator', 'Set-up has not fetched the private Asterisk.'],
  'asterisk.peer-not-started': ['operator', 'A SIPp carrier or phone did not start.'],
  'asterisk.too-old': ['operator', 'The site’s Asterisk is older than version 20.'],
  'config.invalid': ['refuse', 'The configuration has unknown keys or values out of range.'],
  'config.unreadable': ['refuse', 'The configuration file can not be read.'],
  'http.bind-failed': ['operator', 'The HTTP address can not be listened on.'],
  'http.insecure-bind': ['refuse', 'An address beyond loopback needs TLS.'],
  'http.tls-unreadable': ['operator', 'The TLS certificate or its key can not be read.'],
  'keys.key-exposed': ['operator', 'A key file can be read by others.'],
  'keys.key-foreign': ['operator', 'The master key is not that of this data folder.'],
  'keys.key-lost': ['operator', 'A key that the ledger names is missing.'],
  'keys.key-present': ['refuse', 'The key is there, so nothing was put in its place.'],
  'keys.key-unreadable': ['operator', 'A key file does not hold the key that the ledger names.'],
  'keys.not-begun': ['refuse', 'The data folder has no ledger yet, so there is no key to renew.'],
  'keys.sheet-wrong': ['refuse', 'The recovery sheet was not typed as it is printed.'],
  'main.folder-of-root': ['refuse', 'Started by root, but a folder is not another user’s.'],
  'main.usage': ['refuse', 'The command line is not one that Gatehouse knows.'],
  'people.password-queue-full': ['retry', 'Too many passwords are being checked at this moment.'],
  'verify.unreadable': ['refuse', 'What should be verified is not there.'],
  'store.locked': ['operator', 'Another process holds the data folder.'],
  'store.commit-failed': ['operator', 'A commit to the ledger failed, so the daemon stops.'],
  'store.migration-changed': ['operator', 'An applied migration differs from the shipped one.'],
  'store.newer': ['operator', 'The database was written by a newer Gatehouse.'],
  'spool.unreadable': ['retry', 'The folder of raw recordings can not be read.'],
  'recording.not-sealed': ['retry', 'A recording is still on its way into the vault.'],
  'room.ended': ['retry', 'A room takes no more events, since the daemon is ending.'],
  'room.inbox-full': ['retry', 'A room gets more events than it can decide; its feed is stale.'],
} as const satisfies Record<string, readonly [ErrorKind, string]>;

export type ErrorCode = keyof typeof errorTable;

/** An operating failure with a code a person can look up. Never thrown for an expected outcome. */
export class FloorError extends Error {
  readonly code: ErrorCode;
  readonly kind: ErrorKind;

  constructor(code: ErrorCode, detail?: string, options?: { cause?: unknown }) {
    super(detail ? `${errorTable[code][1]} ${detail}` : errorTable[code][1], options);
    this.name = 'FloorError';
    this.code = code;
    this.kind = errorTable[code][0];
  }
}
