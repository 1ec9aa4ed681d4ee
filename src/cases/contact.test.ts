// Contacts: what a settled permit counts, and how tallies are filled and kept short.
import { describe, expect, it } from 'vitest';
import {
  addTime,
  type ContactEnd,
  type ContactRow,
  countsOf,
  creditorKey,
  settleContact,
  tallyId,
  tallyOf,
} from './contact.ts';

const permit: ContactRow = {
  id: 'contact-1',
  channel: 'call',
  origin: 'granted',
  mode: 'predictive',
  caseId: 'case-1',
  personId: 'person-1',
  numberId: 'number-1',
  numberKey: 'nk',
  personKey: 'pk',
  creditorKey: creditorKey('pk', 'creditor-1'),
  localDay: '2026-11-23',
  attemptUtcMs: 100,
  version: 1,
};
const counts = { carrierFailureCounts: true };
const end = (change: Partial<ContactEnd>): ContactEnd => ({
  dropped: false,
  carrierFailed: false,
  spoke: false,
  outcome: 'ended',
  ...change,
});
const whats = (row: ContactRow) =>
  [...new Set(countsOf(row).map(({ id }) => id.split('/')[0]))].sort();

describe('settling', () => {
  it.each<[string, Partial<ContactEnd>, string[]]>([
    ['cancelled while ringing', {}, ['attempt']],
    ['failed in the network', { carrierFailed: true }, ['attempt']],
    [
      'answered by a machine',
      { answerUtcMs: 110, spoke: true, effective: false },
      ['answer', 'attempt'],
    ],
    ['answered and dropped', { answerUtcMs: 110, dropped: true }, ['answer', 'attempt', 'dropped']],
    [
      'spoken, marked effective',
      { answerUtcMs: 110, spoke: true, effective: true },
      ['answer', 'attempt', 'conversation'],
    ],
    [
      'spoken, not marked',
      { answerUtcMs: 110, spoke: true },
      ['answer', 'attempt', 'conversation'],
    ],
  ])('a call %s', (_name, change, want) => {
    const settled = settleContact(permit, end(change), counts, 120);
    expect(whats(settled)).toEqual(want);
    expect(settled).toMatchObject({ settledUtcMs: 120, outcome: 'ended', version: 2 });
  });

  it('gives an attempt back only for a failed carrier, where the policy says so', () => {
    const lenient = { carrierFailureCounts: false };
    expect(whats(settleContact(permit, end({ carrierFailed: true }), lenient, 120))).toEqual([]);
    expect(whats(settleContact(permit, end({}), lenient, 120))).toEqual(['attempt']);
  });

  it('counts the conversation of a call that came in, which is no attempt', () => {
    const { attemptUtcMs: _none, ...came } = permit;
    const inbound: ContactRow = { ...came, origin: 'inbound' };
    const settled = settleContact(inbound, end({ spoke: true, answerUtcMs: 90 }), counts, 120);
    expect(whats(settled)).toEqual(['answer', 'conversation']);
  });
});

describe('tallies', () => {
  it('stand under every key of the contact', () => {
    expect(countsOf(permit)).toEqual([
      { id: 'attempt/call/number/nk', atUtcMs: 100 },
      { id: 'attempt/call/debtor/pk', atUtcMs: 100 },
      { id: 'attempt/call/case/case-1', atUtcMs: 100 },
      { id: 'attempt/call/creditor/pk.creditor-1', atUtcMs: 100 },
    ]);
    const { numberKey: _none, ...visit } = { ...permit, channel: 'visit' as const };
    expect(countsOf(visit).map(({ id }) => id)).not.toContain('attempt/visit/number/nk');
  });

  it('stay in order and keep the latest, whatever order they come in', () => {
    let times: readonly number[] = [];
    for (const time of [50, 10, 40, 10, 30]) times = addTime(times, time, 3);
    expect(times).toEqual([30, 40, 50]);
  });

  it('of two cases of one person add up', () => {
    const other = {
      ...permit,
      id: 'contact-2',
      caseId: 'case-2',
      numberKey: 'nk2',
      attemptUtcMs: 90,
    };
    const tallies = tallyOf([permit, other], 15);
    expect(tallies.get(tallyId('attempt', 'call', 'debtor', 'pk'))?.times).toEqual([90, 100]);
    expect(tallies.get(tallyId('attempt', 'call', 'number', 'nk'))?.times).toEqual([100]);
  });
});
