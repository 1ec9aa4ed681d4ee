// Checkers of the life of calls: each ends once, nothing leaks, who answers is served in time.
import type { CallRow } from '../../telephony/working-set.ts';
import { type Invariant, workingAgainMs } from '../checker.ts';

export const callsEndOnce: Invariant = {
  name: 'calls-end-once',
  states: 'Every dialed call ends exactly once in the ledger, and no channel outlives the day.',
  watch({ world, rows, report }) {
    const dialed = new Set<string>();
    const ended = new Map<string, number>();
    const placed = new Set<string>();
    return {
      committed({ records }) {
        for (const { what, about } of records) {
          if (what === 'call-dialed') dialed.add(about);
          if (what !== 'call-ended') continue;
          const times = (ended.get(about) ?? 0) + 1;
          ended.set(about, times);
          if (times > 1) report(`${about} ended ${times} times`);
        }
      },
      happened(event) {
        if (event.kind === 'placed') placed.add(event.order.callId);
      },
      closed() {
        for (const id of dialed) if (!ended.has(id)) report(`${id} was dialed and never ended`);
        for (const id of placed) if (!dialed.has(id)) report(`${id} was placed, never dialed`);
        for (const id of world.living()) report(`${id} is still alive in the network`);
        for (const [id, row] of rows('Call')) {
          const { state } = row as CallRow;
          if (state !== 'ended') report(`${id} is still ${state}`);
        }
      },
    };
  },
};

/** The law's limit for an answered call to be connected, or told that nobody is free. */
const limitMs = 2_000;

export const servedInTime: Invariant = {
  name: 'served-in-time',
  states: 'Who answers hears an agent or the message within two seconds; trouble excuses ten more.',
  watch({ clock, account, report }) {
    const waiting = new Map<string, number>();
    const served = (callId: string) => {
      const sinceMs = waiting.get(callId);
      if (sinceMs === undefined) return;
      waiting.delete(callId);
      const nowMs = clock.uptimeMs;
      if (nowMs - sinceMs <= limitMs) return;
      // Trouble shortly before counts as well: what it left behind may still be in work.
      const brokenMs = account.brokenUntilMs(sinceMs - workingAgainMs, sinceMs + limitMs, callId);
      if (brokenMs === undefined) {
        report(`${callId} waited ${Math.round(nowMs - sinceMs)} ms, and nothing was broken`);
        return;
      }
      // Trouble upon trouble: the time begins anew with each.
      const lastMs = account.brokenUntilMs(sinceMs - workingAgainMs, nowMs, callId) ?? brokenMs;
      if (nowMs - lastMs > workingAgainMs) {
        report(`${callId} still waited ${Math.round(nowMs - lastMs)} ms after the trouble`);
      }
    };
    return {
      happened(event) {
        if (event.kind === 'answered') waiting.set(event.callId, clock.uptimeMs);
        else if (event.kind === 'connected' || event.kind === 'message') served(event.callId);
        else if (event.kind === 'gone') served(event.channelId);
      },
    };
  },
};

export const oneCustomerPerAgent: Invariant = {
  name: 'one-customer-per-agent',
  states: 'No customer is put into a bridge in which another one is.',
  watch({ report }) {
    return {
      happened(event) {
        if (event.kind !== 'connected' || event.others.length === 0) return;
        report(`${event.callId} was connected to ${event.legId} beside ${event.others.join(', ')}`);
      },
    };
  },
};

export const networkAgrees: Invariant = {
  name: 'network-agrees',
  states: 'Ledger and network count the same calls, answers and connections; none is invented.',
  watch({ account, report }) {
    const inNetwork = { placed: new Set<string>(), answered: new Set<string>() };
    const connected = new Set<string>();
    const inLedger = { dialed: new Set<string>(), answered: new Set<string>() };
    const endedWhy = new Map<string, string>();
    return {
      committed({ records }) {
        for (const { what, about, why = '' } of records) {
          if (what === 'call-dialed') inLedger.dialed.add(about);
          else if (what === 'call-ended') endedWhy.set(about, why);
          else if (what === 'call-answered') {
            inLedger.answered.add(about);
            if (!inNetwork.answered.has(about)) report(`${about} counts as answered, and was not`);
          } else if (what === 'call-connected' && !connected.has(about)) {
            report(`${about} counts as connected, and was not`);
          }
        }
      },
      happened(event) {
        if (event.kind === 'placed') inNetwork.placed.add(event.order.callId);
        else if (event.kind === 'answered') inNetwork.answered.add(event.callId);
        else if (event.kind === 'connected') connected.add(event.callId);
      },
      closed() {
        for (const id of inLedger.dialed) {
          const why = endedWhy.get(id) ?? '';
          if (!inNetwork.placed.has(id) && !unplaced.has(why)) {
            report(`${id} ended as ${why} and was never placed`);
          }
        }
        for (const id of inNetwork.answered) {
          // What nobody saw and what was not recorded either has left no trace at all.
          if (inLedger.answered.has(id) || account.struck('recording-fails', id)) continue;
          report(`${id} was answered and ended as ${endedWhy.get(id) ?? 'nothing'}`);
        }
      },
    };
  },
};

/** As a call ends whose order never reached the network. */
const unplaced: ReadonlySet<string> = new Set(['failed', 'not-dialed', 'unknown', 'cancelled']);
