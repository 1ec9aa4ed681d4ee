// May this person be contacted, so, now? One table of rules; the first that objects is the answer.
import assert from 'node:assert';
import {
  dayMs,
  dayText,
  hoursAt,
  type LocalDay,
  localTime,
  nextClosing,
  nextOpening,
  noHolidays,
  startOfDay,
  type WeeklyHours,
} from '../calendar.ts';
import {
  type BatchRow,
  type CasePersonRow,
  type CaseRow,
  type NumberRow,
  type ReleaseRow,
  releaseHolds,
  type StopListRow,
  stopsOf,
} from './case.ts';
import { type Channel, type ContactMode, keysOf, type TallyRow, tallyId } from './contact.ts';
import type { Cap, ContactPolicy } from './contact-policy.ts';

/** The version of the rules below; it changes when one of them comes, goes or decides otherwise. */
export const ruleSet = 'contact-rules-1';

export interface ContactRequest {
  readonly channel: Channel;
  /** Only for calls. */
  readonly mode?: ContactMode;
  /** The agent who places a manual or preview call. */
  readonly agentId?: string;
  /** An agent is reserved for it, so that it can't become a dropped call. */
  readonly agentGuaranteed: boolean;
  /** Whose registered number the far end would see. */
  readonly creditorId?: string;
}

/** Everything the decision looks at; read together with it, so that nothing changes in between. */
export interface ContactFacts {
  readonly case: CaseRow;
  readonly batch: BatchRow;
  readonly person: CasePersonRow;
  /** Required for calls and SMS. */
  readonly number?: NumberRow;
  /** Stop-list rows that name the number, the person or the creditor. */
  readonly stopList: readonly StopListRow[];
  /** A contact with this person or number is under way: its permit is not settled. */
  readonly underWay: boolean;
  readonly release?: ReleaseRow;
  tally(id: string): TallyRow | undefined;
}

/** What a granted contact may take with it; it is committed together with its counters. */
export interface Permit {
  readonly ruleSet: string;
  readonly policy: string;
  /** The person's own day, for an unknown zone that of the first possible one. */
  readonly localDay: string;
  /** The release that was needed, which this contact uses up. */
  readonly releaseId?: string;
  /** Each cap that counted, with this contact in it. */
  readonly spent: readonly {
    readonly cap: string;
    readonly count: number;
    readonly limit: number;
  }[];
}

export type ContactAnswer =
  | { readonly granted: true; readonly permit: Permit }
  | {
      readonly granted: false;
      /** The name of the rule, or of the cap, that objects first. */
      readonly rule: string;
      /** The earliest instant at which this one rule would no longer object, where it is known. */
      readonly untilUtcMs?: number;
      /** Codes that say more, as the stop's reason or the year that is missing. */
      readonly detail: readonly string[];
      readonly ruleSet: string;
      readonly policy: string;
    };

interface Question {
  readonly request: ContactRequest;
  readonly facts: ContactFacts;
  readonly policy: ContactPolicy;
  readonly zones: readonly string[];
  readonly atUtcMs: number;
}

interface Objection {
  readonly untilUtcMs?: number | undefined;
  readonly detail: readonly string[];
}

interface Rule {
  readonly name: string;
  readonly channels: readonly Channel[];
  objects(question: Question): Objection | undefined;
}

const all: readonly Channel[] = ['call', 'visit', 'sms', 'letter'];
const toPerson: readonly Channel[] = ['call', 'visit', 'sms'];
const byNumber: readonly Channel[] = ['call', 'sms'];

/** In this order. A stop comes first: no other reason may hide that a case stands still. */
const rules: readonly Rule[] = [
  {
    name: 'stopped',
    channels: all,
    objects: ({ facts, atUtcMs }) => codes(stopsOf(facts.case, facts.batch, atUtcMs)),
  },
  {
    name: 'stop-list',
    channels: all,
    objects: ({ facts }) => codes([...new Set(facts.stopList.map(({ scope }) => scope))].sort()),
  },
  {
    // The far end sees the campaign's number, and may call it back: it must be its own creditor's.
    name: 'other-creditor',
    channels: ['call'],
    objects: ({ facts, request }) =>
      when(
        request.creditorId !== undefined && request.creditorId !== facts.case.creditorId,
        'caller-id',
      ),
  },
  {
    name: 'person-refused',
    channels: all,
    objects: ({ facts }) => when(facts.person.refusedUtcMs !== undefined, facts.person.role),
  },
  {
    name: 'number-state',
    channels: byNumber,
    objects: ({ facts }) => when(facts.number?.state !== 'ok', facts.number?.state ?? 'none'),
  },
  { name: 'calendar-unknown-year', channels: toPerson, objects: unknownYear },
  { name: 'holiday', channels: toPerson, objects: (question) => outside(question, 'holiday') },
  { name: 'hours', channels: toPerson, objects: (question) => outside(question, 'closed') },
  {
    name: 'number-not-at-work',
    channels: byNumber,
    objects: ({ facts }) => when(facts.number?.notAtWork === true, 'not-at-work'),
  },
  { name: 'number-not-then', channels: byNumber, objects: notThen },
  {
    name: 'contact-person-predictive',
    channels: ['call'],
    objects: ({ facts, request }) =>
      when(isContactPerson(facts) && request.mode === 'predictive', 'never'),
  },
  {
    name: 'contact-person-off',
    channels: all,
    objects: ({ facts, policy }) => when(isContactPerson(facts) && !policy.contactPersons, 'off'),
  },
  {
    name: 'under-way',
    channels: all,
    objects: ({ facts }) => when(facts.underWay, 'not-settled'),
  },
];

/** After the caps: a release never beats a cap, so it is asked for only where one could help. */
const lastRules: readonly Rule[] = [
  { name: 'manual-not-allocated', channels: ['call'], objects: notAllocated },
];

/** Every name that may stand in a refusal under a policy. */
export function ruleNames(policy: ContactPolicy): string[] {
  return [...rules, ...policy.caps, ...lastRules].map(({ name }) => name);
}

/**
 * Decides one contact at one instant. Pure: the caller commits the permit together with its
 * counters before anything is dialed, and records a refusal with its rule. Clocks that step back
 * free nothing, since times of the future count. Asserts that a call or SMS names its number.
 */
export function mayContact(
  request: ContactRequest,
  facts: ContactFacts,
  policy: ContactPolicy,
  atUtcMs: number,
): ContactAnswer {
  const { channel } = request;
  assert(!byNumber.includes(channel) || facts.number !== undefined, 'no number to contact');
  const zones = facts.person.zone === undefined ? policy.zones : [facts.person.zone];
  assert(zones.length > 0, 'a policy names at least one zone');
  const question: Question = { request, facts, policy, zones, atUtcMs };
  const refuse = (name: string, { untilUtcMs, detail }: Objection): ContactAnswer => {
    const until = untilUtcMs === undefined ? {} : { untilUtcMs };
    return { granted: false, rule: name, ...until, detail, ruleSet, policy: policy.version };
  };
  for (const rule of rules) {
    if (!rule.channels.includes(channel)) continue;
    const objection = rule.objects(question);
    if (objection) return refuse(rule.name, objection);
  }
  const spent: Permit['spent'][number][] = [];
  const keys = keysOf(facts.case, facts.person, facts.number);
  for (const cap of policy.caps) {
    const key = keys[cap.key];
    if (!capApplies(cap, request) || key === undefined) continue;
    const { count, untilUtcMs } = countCap(cap, key, question);
    if (count >= cap.limit)
      return refuse(cap.name, { untilUtcMs, detail: [`count-${count}`, `limit-${cap.limit}`] });
    if (cap.what === 'attempt') spent.push({ cap: cap.name, count: count + 1, limit: cap.limit });
  }
  for (const rule of lastRules) {
    if (!rule.channels.includes(channel)) continue;
    const objection = rule.objects(question);
    if (objection) return refuse(rule.name, objection);
  }
  return { granted: true, permit: permitOf(question, spent) };
}

function permitOf({ request, facts, policy, zones, atUtcMs }: Question, spent: Permit['spent']) {
  const localDay = dayText(localTime(atUtcMs, zones[0] ?? 'UTC').day);
  const released = request.mode === 'manual' && facts.case.allocatedTo !== request.agentId;
  const release = released && facts.release ? { releaseId: facts.release.id } : {};
  return { ruleSet, policy: policy.version, localDay, ...release, spent };
}

function codes(detail: readonly string[]): Objection | undefined {
  return detail.length > 0 ? { detail } : undefined;
}

function when(objects: boolean, detail: string): Objection | undefined {
  return objects ? { detail: [detail] } : undefined;
}

function isContactPerson({ person }: ContactFacts): boolean {
  return person.role === 'contact-person';
}

function unknownYear({ policy, zones, atUtcMs }: Question): Objection | undefined {
  for (const zone of zones) {
    const answer = hoursAt(policy.hours, zone, policy.holidays, atUtcMs);
    if (answer.is === 'unknown-year') return { detail: [`year-${answer.year}`] };
  }
  return undefined;
}

function outside(question: Question, is: 'closed' | 'holiday'): Objection | undefined {
  const { policy, zones, atUtcMs } = question;
  const shut = zones.some(
    (zone) => hoursAt(policy.hours, zone, policy.holidays, atUtcMs).is === is,
  );
  if (!shut) return undefined;
  const untilUtcMs = openEverywhere(question);
  return { untilUtcMs, detail: [question.facts.person.zone === undefined ? 'zone-unknown' : is] };
}

/** How often the zones may push the opening on before it counts as unknown. */
const openingRounds = 16;

/** The first instant at which the hours of every possible zone are open together. */
function openEverywhere({ policy, zones, atUtcMs }: Question): number | undefined {
  let instant = atUtcMs;
  for (let round = 0; round < openingRounds; round += 1) {
    const before = instant;
    for (const zone of zones) {
      const opening = nextOpening(policy.hours, zone, policy.holidays, instant);
      if (opening === undefined) return undefined;
      instant = opening;
    }
    if (instant === before) return instant;
  }
  return undefined;
}

function notThen({ facts, zones, atUtcMs }: Question): Objection | undefined {
  const asked: WeeklyHours | undefined = facts.number?.notThen;
  if (!asked) return undefined;
  // The person's own week knows no public holidays: they named hours of the clock.
  const until = zones.map((zone) => nextClosing(asked, zone, noHolidays, atUtcMs));
  if (until.every((each) => each === atUtcMs)) return undefined;
  const known = until.filter((each) => each !== undefined);
  const untilUtcMs = known.length === until.length ? Math.max(...known) : undefined;
  return { untilUtcMs, detail: ['not-then'] };
}

function notAllocated({ request, facts, atUtcMs }: Question): Objection | undefined {
  if (request.mode !== 'manual') return undefined;
  const { agentId } = request;
  if (agentId === undefined) return { detail: ['no-agent'] };
  if (facts.case.allocatedTo === agentId) return undefined;
  if (releaseHolds(facts.release, facts.case, agentId, atUtcMs)) return undefined;
  return { detail: [facts.release === undefined ? 'no-release' : 'release-ended'] };
}

function capApplies(cap: Cap, request: ContactRequest): boolean {
  if (!cap.active || !cap.channels.includes(request.channel)) return false;
  return !(cap.unlessAgentGuaranteed === true && request.agentGuaranteed);
}

function countCap(
  cap: Cap,
  key: string,
  { facts, zones, atUtcMs }: Question,
): { count: number; untilUtcMs: number | undefined } {
  const since = Math.min(...zones.map((zone) => windowStart(cap, zone, atUtcMs)));
  const times = cap.channels
    .flatMap((channel) => facts.tally(tallyId(cap.what, channel, cap.key, key))?.times ?? [])
    .filter((time) => time > since)
    .sort((a, b) => a - b);
  // Room for one more comes when the limit-th latest contact leaves the window.
  const last = times[times.length - cap.limit];
  const untilUtcMs =
    last === undefined ? undefined : Math.max(...zones.map((zone) => windowEnd(cap, zone, last)));
  return { count: times.length, untilUtcMs };
}

/** Contacts after this instant count; at it, they no longer do. */
function windowStart({ window }: Cap, zone: string, atUtcMs: number): number {
  const today: LocalDay = localTime(atUtcMs, zone).day;
  const byDays =
    window.days === undefined ? atUtcMs : startOfDay(today - window.days + 1, zone) - 1;
  return Math.min(byDays, atUtcMs - (window.ms ?? 0));
}

/** The instant at which a contact made at `timeUtcMs` has left the window for good. */
function windowEnd({ window }: Cap, zone: string, timeUtcMs: number): number {
  const day: LocalDay = localTime(timeUtcMs, zone).day;
  const byDays = window.days === undefined ? timeUtcMs : startOfDay(day + window.days, zone);
  return Math.max(byDays, timeUtcMs + (window.ms ?? 0));
}

/** The longest that any active cap looks back: contacts older than this need not be loaded. */
export function longestWindowMs(policy: ContactPolicy): number {
  const windows = policy.caps.map(({ window }) =>
    // A day more, since a local day lasts up to 25 hours and zones lie up to 26 hours apart.
    Math.max(window.ms ?? 0, ((window.days ?? 0) + 2) * dayMs),
  );
  return Math.max(dayMs, ...windows);
}
