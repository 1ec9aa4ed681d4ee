// The values of the contact rules as data: hours, zones and the table of caps.
import { everyDay, type Holidays, hourMs, type WeeklyHours } from '../calendar.ts';
import type { Axis, Channel, Counted } from './contact.ts';

/**
 * How long a contact counts: `days` calendar days of the person, today included, and `ms` to the
 * very instant. Where both stand, it counts until it is out of both: the stricter one wins.
 */
export interface CapWindow {
  readonly days?: number;
  readonly ms?: number;
}

/** At most `limit` of something in a window: *what × key × window*. A pause is a limit of one. */
export interface Cap {
  /** Stands in permits, refusals and the ledger. */
  readonly name: string;
  readonly what: Counted;
  readonly key: Axis;
  readonly window: CapWindow;
  readonly limit: number;
  /** Contacts of these channels count, and are held back. */
  readonly channels: readonly Channel[];
  readonly active: boolean;
  /** Does not hold back a contact for which an agent is already waiting. */
  readonly unlessAgentGuaranteed?: true;
}

export interface ContactPolicy {
  /** Changes with every change of a value; it stands in every permit and refusal. */
  readonly version: string;
  /** In the person's own zone. */
  readonly hours: WeeklyHours;
  readonly holidays: Holidays;
  /** Zones in which a person of unknown zone may be: each of them has to allow the contact. */
  readonly zones: readonly string[];
  /** May contact persons be contacted at all? Never predictively, whatever stands here. */
  readonly contactPersons: boolean;
  /** Does a dial count that failed in the carrier's network? */
  readonly carrierFailureCounts: boolean;
  readonly caps: readonly Cap[];
}

const day: CapWindow = { days: 1 };
const rollingDay: CapWindow = { ms: 24 * hourMs };
const week: CapWindow = { days: 7, ms: 7 * 24 * hourMs };
const calls: readonly Channel[] = ['call'];
const spoken: readonly Channel[] = ['call', 'visit'];

/**
 * The table, strictest law first. Limits are defaults of policy values, not law in code: GB/T
 * 45251-2025 and the 2024 guide it replaced (kept as a house rule); US Reg F, 12 CFR 1006.14(b)(2),
 * which counts by debt and is for sites under it; Ofcom's 72 hours after a dropped call.
 */
export const defaultCaps: readonly Cap[] = [
  cap('gbt-conversations', 'conversation', 'debtor', day, 3, spoken),
  cap('gbt-creditor-conversations', 'conversation', 'creditor', day, 3, spoken),
  cap('guide-answers', 'answer', 'debtor', day, 3, calls),
  {
    ...cap('dropped-number', 'dropped', 'number', { ms: 72 * hourMs }, 1, calls),
    ...unlessAgent(),
  },
  {
    ...cap('dropped-debtor', 'dropped', 'debtor', { ms: 72 * hourMs }, 1, calls),
    ...unlessAgent(),
  },
  { ...cap('regf-frequency', 'attempt', 'case', week, 7, calls), active: false },
  { ...cap('regf-pause', 'conversation', 'case', { days: 7 }, 1, calls), active: false },
  cap('house-number-day', 'attempt', 'number', day, 3, calls),
  cap('house-debtor-day', 'attempt', 'debtor', rollingDay, 5, calls),
  cap('house-debtor-week', 'attempt', 'debtor', week, 15, calls),
  cap('interval-number', 'attempt', 'number', { ms: 2 * hourMs }, 1, calls),
  cap('interval-debtor', 'attempt', 'debtor', { ms: hourMs / 2 }, 1, calls),
];

function cap(
  name: string,
  what: Counted,
  key: Axis,
  window: CapWindow,
  limit: number,
  of: readonly Channel[],
): Cap {
  return { name, what, key, window, limit, channels: of, active: true };
}

function unlessAgent(): { unlessAgentGuaranteed: true } {
  return { unlessAgentGuaranteed: true };
}

/** The policy of a site that says nothing about it but its holidays and zones. */
export function defaultPolicy(holidays: Holidays, zones: readonly string[]): ContactPolicy {
  return {
    version: 'default-1',
    hours: everyDay([8 * 60, 20 * 60]),
    holidays,
    zones,
    contactPersons: false,
    carrierFailureCounts: true,
    caps: defaultCaps,
  };
}

/** How many times a tally has to keep so that no active or switchable cap misses one. */
export function tallyDepth(policy: ContactPolicy): number {
  return Math.max(1, ...policy.caps.map(({ limit }) => limit));
}
