// Kinds of effects between whose record and act the daemon is killed; a campaign reaches them all.
import type { CasesEffect } from '../cases/working-set.ts';
import type { TelephonyEffect } from '../telephony/working-set.ts';

/**
 * A file is removed from a real folder, and nothing is uploaded here; nobody here reopens a batch.
 * Both have tests of their own (tests/fast, lists of cases and wishes).
 */
type Elsewhere = 'remove-rejects' | 'reopen-batch';
type EffectKind = Exclude<TelephonyEffect['kind'] | CasesEffect['kind'], Elsewhere>;

/** Written as a record, so that a new kind of effect is missed here by the compiler. */
const kinds: Readonly<Record<EffectKind, true>> = {
  'request-permit': true,
  dial: true,
  connect: true,
  'end-with-message': true,
  'hang-up': true,
  'ring-agent': true,
  survey: true,
  'check-recording': true,
  seal: true,
  'discard-raw': true,
  'erase-object': true,
  'settle-contact': true,
  'tell-stopped': true,
  'stop-batch': true,
  'erase-list': true,
  'erase-recordings': true,
  'clear-log': true,
};

export const effectKinds: readonly string[] = Object.keys(kinds);
