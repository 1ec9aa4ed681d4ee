// Checkers of what was placed into the network: by permit, once, and never for a stopped case.
import type { Invariant } from '../checker.ts';

/** A permit as the ledger grants it. */
interface Granted {
  readonly permitId: string;
  readonly caseId: string;
  readonly numberId: string;
}

const textOf = (fact: unknown) => (typeof fact === 'string' ? fact : '');

export const permitBeforeCall: Invariant = {
  name: 'permit-before-call',
  states: 'Nothing is placed into the network without a permit that was recorded before, for it.',
  watch({ book, report }) {
    const granted = new Map<string, Granted>();
    return {
      committed({ records }) {
        for (const { what, about, facts } of records) {
          if (what !== 'contact-granted') continue;
          const caseId = textOf(facts?.caseId);
          const numberId = textOf(facts?.numberId);
          granted.set(textOf(facts?.callId), { permitId: about, caseId, numberId });
        }
      },
      happened(event) {
        if (event.kind !== 'placed') return;
        const { callId, number } = event.order;
        const permit = granted.get(callId);
        if (!permit) return report(`${callId} was placed without a permit`);
        const permitted = book.numbers.get(permit.numberId)?.e164;
        if (permitted !== number) report(`${callId} was placed to another number than permitted`);
      },
    };
  },
};

export const oneCallPerPermit: Invariant = {
  name: 'one-call-per-permit',
  states: 'A permit is good for one call, and a call is placed into the network once.',
  watch({ report }) {
    const placed = new Set<string>();
    const spent = new Set<string>();
    return {
      committed({ records }) {
        for (const { what, about, facts } of records) {
          if (what !== 'call-dialed') continue;
          const permitId = textOf(facts?.permitId);
          if (spent.has(permitId)) report(`${permitId} was spent twice, also by ${about}`);
          spent.add(permitId);
        }
      },
      happened(event) {
        if (event.kind !== 'placed') return;
        const { callId } = event.order;
        if (placed.has(callId)) report(`${callId} was placed twice`);
        placed.add(callId);
      },
    };
  },
};

/** An order that was recorded in the tick of the stop may still be on its way. */
const onTheWayMs = 50;

export const stoppedIsSilent: Invariant = {
  name: 'stopped-is-silent',
  states: 'Nothing is granted or placed for a case after it was stopped, until the stop is lifted.',
  watch({ clock, book, report }) {
    const stops = new Map<string, { reasons: Set<string>; sinceMs: number }>();
    const caseOf = new Map<string, string>();
    for (const change of book.changes) {
      if (change.table !== 'Case' || change.row === null) continue;
      const { stops: reasons } = change.row as unknown as { stops: readonly string[] };
      if (reasons.length > 0)
        stops.set(change.id, { reasons: new Set(reasons), sinceMs: -onTheWayMs });
    }
    return {
      committed({ records }) {
        for (const { what, about, why = '', facts } of records) {
          if (what === 'case-stopped') {
            const known = stops.get(about);
            if (known) known.reasons.add(why);
            else stops.set(about, { reasons: new Set([why]), sinceMs: clock.uptimeMs });
          } else if (what === 'stop-lifted') {
            const known = stops.get(about);
            known?.reasons.delete(why);
            if (known?.reasons.size === 0) stops.delete(about);
          } else if (what === 'contact-granted') {
            const caseId = textOf(facts?.caseId);
            caseOf.set(textOf(facts?.callId), caseId);
            if (stops.has(caseId)) report(`${about} was granted for ${caseId}, which is stopped`);
          }
        }
      },
      happened(event) {
        if (event.kind !== 'placed') return;
        const { callId } = event.order;
        const stop = stops.get(caseOf.get(callId) ?? '');
        if (stop && clock.uptimeMs - stop.sinceMs > onTheWayMs) {
          report(`${callId} was placed ${clock.uptimeMs - stop.sinceMs} ms after its case stopped`);
        }
      },
    };
  },
};
