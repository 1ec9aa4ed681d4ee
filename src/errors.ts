// Operating failures: one class, one table of codes; docs/errors.md explains each of them.

/** retry: may pass by itself · refuse: the request was wrong · operator: a person has to act. */
export type ErrorKind = 'retry' | 'refuse' | 'operator';

/** Every code, with its kind and the sentence that states what happened. */
export const errorTable = {
  'config.invalid': ['refuse', 'The configuration has unknown keys or values out of range.'],
  'config.unreadable': ['refuse', 'The configuration file can not be read.'],
  'store.locked': ['operator', 'Another process holds the data folder.'],
  'store.commit-failed': ['operator', 'A commit to the ledger failed, so the daemon stops.'],
  'store.migration-changed': ['operator', 'An applied migration differs from the shipped one.'],
  'store.newer': ['operator', 'The database was written by a newer Gatehouse.'],
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
