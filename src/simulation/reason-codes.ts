// Codes of telephony and cases in the ledger: which ones a campaign of seeds must have written.
import { actionCodes } from '../cases/action-code.ts';
import { stopReasons } from '../cases/case.ts';
import { ruleNames } from '../cases/may-contact.ts';
import { policy } from './site.ts';

const stops: readonly string[] = stopReasons;
const actions = Object.keys(actionCodes);
const modes = ['predictive', 'progressive', 'manual'];
const ends = [
  ...['busy', 'no-answer', 'rejected', 'invalid-number', 'carrier-failure', 'cancelled', 'failed'],
  ...['unknown', 'conversation', 'abandoned', 'not-recorded', 'agent-lost'],
];
/** `what` → every `why` that it must have had. */
const written: Readonly<Record<string, readonly string[]>> = {
  'agent-away': ['phone'],
  'agent-break': ['lunch', 'short', 'training'],
  'agent-out': [],
  'agent-ready': [],
  'agent-reserved': ['campaign-2', 'manual-call'],
  'agent-signed-in': [],
  'agent-talking': [],
  'agent-wrap-up': [],
  'phone-connected': [],
  'phone-lost': ['gone-unseen', 'phone-ended', 'phone-not-answered', 'phone-refused'],
  'ready-refused': ['agreement'],
  'call-dialed': modes,
  'call-answered': [],
  'call-assigned': ['longest-ready', 'own-agent'],
  'call-connected': [],
  'connect-refused': ['allocation-failed'],
  'call-abandoned': ['left-while-waiting', 'no-agent-free'],
  'call-ended': ends,
  'call-disposed': actions,
  'call-refused': ['manual-not-allocated', 'no-lead-due'],
  'campaign-created': [],
  'campaign-changed': [],
  'campaign-running': [],
  'campaign-paused': ['supervisor'],
  'campaign-stopped': [],
  'clock-stepped': [],
  'feed-stale': [],
  'orphan-ended': ['nobody-owns-it'],
  'pacing-changed': [
    ...['abandonment-over-limit', 'campaign-start', 'feed-stale', 'no-agents', 'set-progressive'],
    ...['within-budget'],
  ],
  'dialing-allowed': [],
  'dialing-withheld': ['call-not-recorded', 'spool-short', 'vault-short'],
  'recording-running': [],
  'recording-sealed': [],
  'raw-discarded': [],
  'recording-quarantined': [
    ...['both-legs-missing', 'customer-leg-missing', 'agent-leg-missing', 'header-broken'],
    ...['header-lies'],
  ],
  'object-erased': ['case-erased'],
  'alarm-raised': [
    ...['agent-phone-lost', 'batch-ended', 'calendar-unknown-year', 'call-not-recorded'],
    ...['case-stopped', 'feed-stale', 'recording-quarantined', 'sealing-failing', 'storage-low'],
    ...['storage-unreadable', 'trunk-failing'],
  ],
  'alarm-cleared': [
    ...['case-stopped', 'feed-stale', 'sealing-failing', 'storage-low', 'storage-unreadable'],
    ...['trunk-failing'],
  ],
  'alarm-acknowledged': ['case-stopped'],
  'contact-granted': modes,
  'contact-withheld': ruleNames(policy),
  'contact-settled': ends,
  'contact-reported': ['met'],
  'action-stated': actions,
  'case-stopped': stops,
  'stop-lifted': stops,
  'stop-listed': [
    ...['asked', 'person-refused', 'refused', 'dead', 'in-prison', 'ill', 'at-risk', 'defrauded'],
  ],
  'stop-list-ended': ['asked-again', 'stop-lifted'],
  'case-allocated': [],
  'case-taken-back': [],
  'case-released': [],
  'case-erased': ['time-is-over'],
  'case-gone': [],
  'batch-ended': ['expired', 'recalled'],
  'creditor-registered': [],
  'callback-agreed': [],
  'callback-cancelled': [],
  'promise-made': [],
  'number-invalid': ['invalid-number', 'no-such-number', 'wrong-number'],
  'number-stopped': ['not-this-number', 'other-refuses'],
  'person-refused': [],
  'list-live': [],
  'list-dropped': ['not-ours'],
  'list-rows-erased': [],
  'list-erased': [],
  'list-gone': [],
};

const tooSeldom = 'It can occur here, and too seldom to be demanded of twenty days.';
const noUpload = 'No file is uploaded here: reading lists is tested with real files.';
const notOrdered = 'Nobody orders it in this world; tests/fast, wishes of cases, does.';
const repeats = 'Each of these whys stands in another entry as well, where it is demanded.';

/** Codes that this world never writes, or is not asked to: each with its reason. */
export const undemandedCodes: Readonly<Record<string, string>> = {
  'contact-withheld:regf-frequency': 'The cap is not active in the default policy.',
  'contact-withheld:regf-pause': 'The cap is not active in the default policy.',
  'contact-withheld:gbt-creditor-conversations':
    'The cap on all conversations of a debtor has the same limit and stands before it.',
  'call-ended:no-permit': 'A call without a permit is forgotten without an entry.',
  'call-ended:not-dialed': tooSeldom,
  'contact-settled:not-dialed': tooSeldom,
  'agent-out:person-left': tooSeldom,
  'quarantine-erased': tooSeldom,
  'quarantine-erased:case-erased': tooSeldom,
  'connect-refused:agent-phone-lost': tooSeldom,
  'connect-refused:channel-not-found': 'A survey or its end takes such a call away first.',
  'connect-refused:ari-disconnected': tooSeldom,
  'connect-refused:person-left': tooSeldom,
  'call-abandoned:*': repeats,
  'call-refused:*': repeats,
  'alarm-acknowledged:*': repeats,
  'alarm-cleared:*': repeats,
  'callback-cancelled:*': 'Its whys are those of the stops; a stopped case seldom has a callback.',
  'recording-quarantined:leg-too-short': 'Only after a step of the clock while the daemon is dead.',
  'recording-quarantined:leg-too-long': 'Only after a step of the clock while the daemon is dead.',
  'recording-quarantined:lost-too-much': 'No crash of this phone system costs more than a block.',
  'recording-quarantined:legs-differ': 'Both legs of a recording are of one length here.',
  'recording-found': 'Raw files without a row come from a database that was put back.',
  'recording-found:after-restart':
    'Raw files without a row come from a database that was put back.',
  'dialing-withheld:unsealed-many': 'Twenty agents never leave 500 recordings to be sealed.',
  'alarm-raised:notice-too-long': 'The notice of this world takes no time.',
  'alarm-raised:erasure-failing': 'The log of a database in memory can always be emptied.',
  'action-refused': 'Agents ask whether an action can be stated before they state it.',
  'list-opened': noUpload,
  'list-staged': noUpload,
  'list-read': noUpload,
  'list-failed': noUpload,
  'rejects-removed': noUpload,
  'number-wishes-stated': notOrdered,
  'batch-recalled': notOrdered,
  'batch-reopened': notOrdered,
};

export const demandedCodes: ReadonlySet<string> = new Set(
  Object.entries(written)
    .flatMap(([what, whys]) => [what, ...whys.map((why) => `${what}:${why}`)])
    .filter((code) => !(code in undemandedCodes)),
);

/** Does a campaign know of this code, demanded or not? */
export function isKnownCode(code: string): boolean {
  const [what = ''] = code.split(':');
  return demandedCodes.has(code) || code in undemandedCodes || `${what}:*` in undemandedCodes;
}
