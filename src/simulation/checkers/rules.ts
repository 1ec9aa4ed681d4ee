// Checkers of the rules: the cap on abandonment, caps on contacts and their hours, counted anew.
import type { LedgerRecord } from '../../audit/verify.ts';
import { localTime, missingYear, startOfDay } from '../../calendar.ts';
import type { Axis, Counted } from '../../cases/contact.ts';
import type { Cap } from '../../cases/contact-policy.ts';
import type { PendingRow } from '../../room.ts';
import { upperShare } from '../../telephony/pacing/beta-bound.ts';
import type { CampaignDayRow } from '../../telephony/working-set.ts';
import type { BookedNumber } from '../book.ts';
import { digestOf } from '../book.ts';
import type { Invariant, Scene } from '../checker.ts';

const confidence = 0.95;

/** Answered and abandoned of one campaign, and its limit, as the ledger has them. */
interface Measure {
  answered: number;
  abandoned: number;
  limitShare: number;
  waitMs: number;
}

const boundOf = ({ answered, abandoned }: Measure) => upperShare(confidence, abandoned, answered);

export const noPredictiveOverCap: Invariant = {
  name: 'no-predictive-over-cap',
  states: 'No predictive call is asked for while the bound of abandoned calls is over the cap.',
  watch({ book, report }) {
    const measures = new Map<string, Measure>();
    const campaignOf = new Map<string, string>();
    const measureOf = (campaignId: string) => {
      const known = measures.get(campaignId);
      if (known) return known;
      const made: Measure = { answered: 0, abandoned: 0, limitShare: 0, waitMs: 0 };
      measures.set(campaignId, made);
      return made;
    };
    for (const { row } of book.changes.filter(({ table }) => table === 'CampaignDay')) {
      const { campaignId, answered, abandoned } = row as CampaignDayRow;
      const measure = measureOf(campaignId);
      measure.answered += answered;
      measure.abandoned += abandoned;
    }
    const take = ({ what, about, facts }: LedgerRecord) => {
      if (what === 'campaign-created' || what === 'campaign-changed') {
        const measure = measureOf(about);
        measure.limitShare = Number(facts?.limitPermille) / 1_000;
        measure.waitMs = Number(facts?.waitMs);
      } else if (what === 'call-dialed') campaignOf.set(about, String(facts?.campaignId));
      const measure = measureOf(campaignOf.get(about) ?? '');
      if (what === 'call-answered') measure.answered += 1;
      if (what === 'call-abandoned') measure.abandoned += 1;
      if (what === 'call-connected' && Number(facts?.afterMs) > measure.waitMs) {
        measure.abandoned += 1;
      }
    };
    return {
      committed({ records, batch }) {
        const asked = new Set<string>();
        for (const { table, row } of batch.changes) {
          if (table !== 'Pending' || row === null) continue;
          const campaignId = predictiveFor(row as PendingRow);
          if (campaignId !== undefined) asked.add(campaignId);
        }
        // In a batch the question may come before or after what changed the measure.
        const before = new Map([...asked].map((id) => [id, boundOf(measureOf(id))]));
        for (const record of records) take(record);
        for (const id of asked) {
          const measure = measureOf(id);
          const bound = Math.min(before.get(id) ?? 1, boundOf(measure));
          if (bound > measure.limitShare) {
            report(`${id} asked for a predictive call at a bound of ${bound.toFixed(4)}`);
          }
        }
      },
    };
  },
};

function predictiveFor({ kind, effect }: PendingRow): string | undefined {
  if (kind !== 'request-permit') return undefined;
  const { request } = effect as { request: { mode: string; campaignId: string } };
  return request.mode === 'predictive' ? request.campaignId : undefined;
}

const openMinute = 8 * 60;
const closeMinute = 20 * 60;

export const hoursHold: Invariant = {
  name: 'hours-hold',
  states: "No contact is granted outside of 8 to 20 in the person's zone, nor on a holiday there.",
  watch({ book, policy, report }) {
    const { holidays } = policy;
    return {
      committed({ records }) {
        for (const { what, about, facts, atUtcMs } of records) {
          if (what !== 'contact-granted') continue;
          const zone = book.numbers.get(String(facts?.numberId))?.person.zone;
          for (const place of zone === undefined ? policy.zones : [zone]) {
            const { day, minute } = localTime(atUtcMs, place);
            const isOpen = minute >= openMinute && minute < closeMinute;
            if (!isOpen) report(`${about} was granted at minute ${minute} of the day in ${place}`);
            if (holidays.days.get(day) === 'holiday') {
              report(`${about} was granted on a holiday in ${place}`);
            }
            if (missingYear(day, holidays) !== undefined) {
              report(`${about} was granted on a day whose holidays nobody knows in ${place}`);
            }
          }
        }
      },
    };
  },
};

/** Times of wall of one kind of contact under one key. */
type Times = Map<string, number[]>;

/** The house rule for one number; the working hours of a simulated day are in one day anywhere. */
const mostPerDay = 3;

export const capsHold: Invariant = {
  name: 'caps-hold',
  states:
    'No contact is granted beyond a cap, when the contacts are counted from the ledger alone.',
  watch(scene) {
    const times: Times = new Map();
    const permits = new Map<string, BookedNumber>();
    const answeredUtcMs = new Map<string, number>();
    const callOf = new Map<string, string>();
    const placed = new Map<string, number>();
    const add = (what: Counted, number: BookedNumber, atUtcMs: number) => {
      for (const key of Object.values(keysOf(number))) {
        const id = `${what} ${key}`;
        times.set(id, [...(times.get(id) ?? []), atUtcMs]);
      }
    };
    const granted = ({ about, why, facts, atUtcMs }: LedgerRecord) => {
      const number = scene.book.numbers.get(String(facts?.numberId));
      if (!number) return scene.report(`${about} is for a number that nobody knows`);
      for (const cap of scene.policy.caps) {
        if (!applies(cap, why !== 'predictive')) continue;
        const already = countCap(scene, times, cap, number, atUtcMs);
        if (already < cap.limit) continue;
        scene.report(`${about}: ${cap.name} allows ${cap.limit}, there were ${already}`);
      }
      permits.set(about, number);
      callOf.set(about, String(facts?.callId));
      add('attempt', number, atUtcMs);
    };
    return {
      committed({ records }) {
        for (const record of records) {
          const { what, about, facts, atUtcMs } = record;
          if (what === 'contact-granted') granted(record);
          else if (what === 'call-answered') answeredUtcMs.set(about, Number(facts?.answeredUtcMs));
          else if (what === 'contact-settled') {
            const number = permits.get(about);
            if (!number) continue;
            const spokenUtcMs = answeredUtcMs.get(callOf.get(about) ?? '') ?? atUtcMs;
            if (facts?.answered === true) add('answer', number, spokenUtcMs);
            if (facts?.dropped === true) add('dropped', number, spokenUtcMs);
            if (facts?.conversation === true) add('conversation', number, spokenUtcMs);
          }
        }
      },
      happened(event) {
        if (event.kind !== 'placed') return;
        const { number } = event.order;
        const times = (placed.get(number) ?? 0) + 1;
        placed.set(number, times);
        if (times > mostPerDay) scene.report(`a number was called ${times} times on one day`);
      },
    };
  },
};

function applies(cap: Cap, agentGuaranteed: boolean): boolean {
  if (!cap.active || !cap.channels.includes('call')) return false;
  return !(cap.unlessAgentGuaranteed === true && agentGuaranteed);
}

function keysOf({ e164, person, caseId, creditorId }: BookedNumber): Record<Axis, string> {
  const { personKey } = person;
  return {
    number: digestOf('number', e164),
    debtor: personKey,
    case: caseId,
    creditor: `${personKey}.${creditorId}`,
  };
}

/** How many of the past still count at this instant, the strictest possible zone decides. */
function countCap(
  { policy }: Scene,
  times: Times,
  { what, key, window }: Cap,
  number: BookedNumber,
  atUtcMs: number,
): number {
  const zones = number.person.zone === undefined ? policy.zones : [number.person.zone];
  const starts = zones.map((zone) => {
    const rolling = atUtcMs - (window.ms ?? 0);
    if (window.days === undefined) return rolling;
    const firstDay = localTime(atUtcMs, zone).day - window.days + 1;
    return Math.min(rolling, startOfDay(firstDay, zone) - 1);
  });
  const sinceUtcMs = Math.min(...starts);
  const own = times.get(`${what} ${keysOf(number)[key]}`) ?? [];
  return own.filter((time) => time > sinceUtcMs).length;
}
