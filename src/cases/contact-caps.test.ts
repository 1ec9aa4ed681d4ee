// The caps at their edges, and counters that no walk of the clock may free.
import { describe, expect, it } from 'vitest';
import { dayMs, everyDay, holidaysOf, hourMs, noHolidays } from '../calendar.ts';
import { chineseYears } from '../calendar-data.ts';
import { seededIds } from '../ids.ts';
import {
  type Axis,
  addTime,
  type ContactRow,
  type Counted,
  keysOf,
  type TallyRow,
  tallyId,
  tallyOf,
} from './contact.ts';
import { type ContactPolicy, defaultPolicy, tallyDepth } from './contact-policy.ts';
import {
  type ContactFacts,
  type ContactRequest,
  longestWindowMs,
  mayContact,
} from './may-contact.ts';

const shanghai = 'Asia/Shanghai';
const policy = defaultPolicy(holidaysOf(chineseYears), [shanghai]);
const at = (text: string) => Date.parse(text);
/** A Monday morning in Shanghai. */
const morning = at('2026-11-23T10:00:00+08:00');

const ids = { caseId: 'case-1', personId: 'person-1' };
const theCase = { id: 'case-1', batchId: 'batch-1', creditorId: 'c-1', reference: 'R-1' };
const person = {
  id: 'person-1',

  caseId: 'case-1',
  role: 'debtor',
  personKey: 'pk-1',
} as const;
const number = { id: 'number-1', e164: '+12025550123', numberKey: 'nk-1', notAtWork: false };
const known: Omit<ContactFacts, 'tally'> = {
  case: { ...theCase, referenceKey: 'rk-1', stops: [], version: 1 },
  batch: { id: 'batch-1', creditorId: 'c-1', name: 'B', receivedUtcMs: 0 },
  person: { ...person, zone: shanghai, version: 1 },
  number: { ...number, ...ids, kind: 'mobile', state: 'ok', version: 1 },
  stopList: [],
  underWay: false,
};
const predictive: ContactRequest = { channel: 'call', mode: 'predictive', agentGuaranteed: false };
const nowhere: ContactFacts['person'] = { ...person, version: 1 };

type Tallies = ReadonlyMap<string, TallyRow>;
const facts = (change: Partial<ContactFacts>, tallies: Tallies): ContactFacts => ({
  ...known,
  tally: (id) => tallies.get(id),
  ...change,
});

const keys = keysOf(known.case, known.person, known.number);

function tally(what: Counted, axis: Axis, times: readonly number[]): Tallies {
  const id = tallyId(what, 'call', axis, keys[axis] ?? '');
  return new Map([[id, { id, times }]]);
}

/** Limit-th contact still counts at `holds`, and no longer at `frees`. */
const edges: [string, Counted, Axis, string[], string, string][] = [
  ...(['debtor', 'creditor'] as const).map((axis): (typeof edges)[number] => [
    axis === 'debtor' ? 'gbt-conversations' : 'gbt-creditor-conversations',
    'conversation',
    axis,
    ['2026-11-23T08:00', '2026-11-23T09:00', '2026-11-23T09:30'],
    '2026-11-23T19:59',
    '2026-11-24T00:00',
  ]),
  [
    'guide-answers',
    'answer',
    'debtor',
    ['2026-11-23T08:00', '2026-11-23T09:00', '2026-11-23T09:30'],
    '2026-11-23T19:59',
    '2026-11-24T00:00',
  ],
  [
    'dropped-number',
    'dropped',
    'number',
    ['2026-11-23T10:00'],
    '2026-11-26T09:59',
    '2026-11-26T10:00',
  ],
  [
    'dropped-debtor',
    'dropped',
    'debtor',
    ['2026-11-23T10:00'],
    '2026-11-26T09:59',
    '2026-11-26T10:00',
  ],
  [
    'regf-frequency',
    'attempt',
    'case',
    ['16T09', '16T13', '16T17', '17T09', '17T13', '17T17', '18T09'].map((t) => `2026-11-${t}:00`),
    '2026-11-22T19:59',
    '2026-11-23T09:00',
  ],
  // Conversation on Monday, day 1: nothing before Monday, day 8.
  [
    'regf-pause',
    'conversation',
    'case',
    ['2026-11-16T15:00'],
    '2026-11-22T19:59',
    '2026-11-23T00:00',
  ],
  [
    'house-number-day',
    'attempt',
    'number',
    ['2026-11-23T08:00', '2026-11-23T11:00', '2026-11-23T14:00'],
    '2026-11-23T19:59',
    '2026-11-24T00:00',
  ],
  [
    'house-debtor-day',
    'attempt',
    'debtor',
    ['10', '12', '14', '16', '18'].map((hour) => `2026-11-23T${hour}:00`),
    '2026-11-24T09:59',
    '2026-11-24T10:00',
  ],
  [
    'house-debtor-week',
    'attempt',
    'debtor',
    ['16', '17', '18', '19', '20'].flatMap((d) =>
      ['09', '13', '17'].map((h) => `2026-11-${d}T${h}:00`),
    ),
    '2026-11-23T08:59',
    '2026-11-23T09:00',
  ],
  [
    'interval-number',
    'attempt',
    'number',
    ['2026-11-23T10:00'],
    '2026-11-23T11:59',
    '2026-11-23T12:00',
  ],
  [
    'interval-debtor',
    'attempt',
    'debtor',
    ['2026-11-23T10:00'],
    '2026-11-23T10:29',
    '2026-11-23T10:30',
  ],
];

describe('each cap at its edge', () => {
  const local = (text: string) => at(`${text}:00+08:00`);
  // At any hour, so that only the cap speaks.
  const always: ContactPolicy = {
    ...policy,
    hours: everyDay([0, 1440]),
    caps: policy.caps.map((cap) => ({ ...cap, active: true })),
  };
  const only = (name: string): ContactPolicy => ({
    ...always,
    caps: always.caps.filter((cap) => cap.name === name),
  });

  it('stands in this table', () => {
    expect(edges.map(([name]) => name).sort()).toEqual(policy.caps.map(({ name }) => name).sort());
  });

  it.each(edges)('%s', (name, what, axis, texts, holds, frees) => {
    const times = texts.map(local);
    const tallies = tally(what, axis, times);
    const decide = (atUtcMs: number) =>
      mayContact(predictive, facts({}, tallies), only(name), atUtcMs);
    expect(decide(local(holds))).toEqual({
      granted: false,
      rule: name,
      untilUtcMs: local(frees),
      detail: [`count-${times.length}`, `limit-${times.length}`],
      ruleSet: 'contact-rules-1',
      policy: 'default-1',
    });
    expect(decide(local(frees) - 1).granted).toBe(false);
    expect(decide(local(frees)).granted).toBe(true);
    // One fewer leaves room, whichever one it is.
    for (let i = 0; i < times.length; i += 1) {
      const fewer = tally(
        what,
        axis,
        times.filter((_, j) => j !== i),
      );
      expect(mayContact(predictive, facts({}, fewer), only(name), local(holds)).granted).toBe(true);
    }
  });

  it('of the law are present and off until the site is under it', () => {
    const off = policy.caps.filter(({ active }) => !active).map(({ name }) => name);
    expect(off).toEqual(['regf-frequency', 'regf-pause']);
  });

  it('a dropped call locks out unless an agent is guaranteed', () => {
    const tallies = tally('dropped', 'debtor', [morning - hourMs]);
    const asked = (agentGuaranteed: boolean) =>
      mayContact({ ...predictive, agentGuaranteed }, facts({}, tallies), policy, morning);
    expect(asked(false)).toMatchObject({ rule: 'dropped-debtor' });
    expect(asked(true).granted).toBe(true);
  });

  it('counts a visit among conversations, and an SMS among neither', () => {
    const id = (channel: 'visit' | 'sms') => tallyId('conversation', channel, 'debtor', 'pk-1');
    const times = [1, 2, 3].map((hours) => morning - hours * 1000);
    const visits = new Map([[id('visit'), { id: id('visit'), times }]]);
    const texts = new Map([[id('sms'), { id: id('sms'), times }]]);
    expect(mayContact(predictive, facts({}, visits), policy, morning)).toMatchObject({
      rule: 'gbt-conversations',
    });
    expect(mayContact(predictive, facts({}, texts), policy, morning).granted).toBe(true);
  });

  it('of an unknown zone lasts until the day is over in every possible one', () => {
    const wide: ContactPolicy = { ...only('house-number-day'), zones: [shanghai, 'Asia/Tokyo'] };
    const tallies = tally(
      'attempt',
      'number',
      ['09', '12', '15'].map((h) => local(`2026-11-23T${h}:00`)),
    );
    // Tokyo is an hour ahead: its new day has begun, Shanghai's has not.
    const answer = mayContact(
      predictive,
      facts({ person: nowhere }, tallies),
      wide,
      local('2026-11-23T23:30'),
    );
    expect(answer).toMatchObject({ granted: false, untilUtcMs: local('2026-11-24T00:00') });
  });
});

describe('counters', () => {
  it('are never freed by a clock that steps back', () => {
    const random = seededIds(41);
    for (let run = 0; run < 60; run += 1) {
      const times = Array.from(
        { length: 1 + random.below(20) },
        () => morning - random.below(8 * dayMs),
      );
      let kept: number[] = [];
      for (const time of times) kept = addTime(kept, time, tallyDepth(policy));
      const axis = (['number', 'debtor', 'case', 'creditor'] as const)[random.below(4)] ?? 'case';
      const what = (['attempt', 'answer', 'conversation', 'dropped'] as const)[random.below(4)];
      const tallies = tally(what ?? 'attempt', axis, kept);
      const always = { ...policy, hours: everyDay([0, 1440]), holidays: noHolidays };
      let refused = false;
      // From now backwards: once a cap holds, no earlier wall time lets go of it.
      for (let back = 0; back < 10 * dayMs; back += 6 * hourMs + random.below(hourMs)) {
        const { granted } = mayContact(predictive, facts({}, tallies), always, morning - back);
        expect(refused && granted).toBe(false);
        refused = !granted;
      }
    }
  });

  it('hold under any walk of the clock: no window ever holds more than its cap', () => {
    const random = seededIds(43);
    const always = { ...policy, hours: everyDay([0, 1440]), holidays: noHolidays };
    let clock = morning;
    const stamps: number[] = [];
    const rows: ContactRow[] = [];
    for (let step = 0; step < 2_000; step += 1) {
      clock += random.below(10) === 0 ? -random.below(4 * hourMs) : random.below(hourMs);
      const tallies = tallyOf(rows, tallyDepth(policy));
      const answer = mayContact(predictive, facts({}, tallies), always, clock);
      if (!answer.granted) continue;
      stamps.push(clock);
      rows.push(contact(`contact-${step}`, clock));
      for (const start of stamps) {
        const inDay = stamps.filter((each) => each >= start && each < start + dayMs).length;
        const inWeek = stamps.filter((each) => each >= start && each < start + 7 * dayMs).length;
        expect(inDay).toBeLessThanOrEqual(5);
        expect(inWeek).toBeLessThanOrEqual(15);
      }
    }
    expect(stamps.length).toBeGreaterThan(20);
  });

  it('forget only what no cap can ask for', () => {
    const random = seededIds(47);
    for (let run = 0; run < 100; run += 1) {
      const times = Array.from(
        { length: random.below(40) },
        () => morning - random.below(9 * dayMs),
      );
      const full = tally(
        'attempt',
        'debtor',
        times.toSorted((a, b) => a - b),
      );
      let kept: number[] = [];
      for (const time of times) kept = addTime(kept, time, tallyDepth(policy));
      const short = tally('attempt', 'debtor', kept);
      const when = morning + random.below(9 * dayMs) - 4 * dayMs;
      const [a, b] = [full, short].map((each) =>
        mayContact(predictive, facts({}, each), policy, when),
      );
      expect(b?.granted).toBe(a?.granted);
      if (a && b && !a.granted && !b.granted) {
        expect([b.rule, b.untilUtcMs]).toEqual([a.rule, a.untilUtcMs]);
      }
    }
  });

  it('are loaded far enough back for every cap', () => {
    expect(longestWindowMs(policy)).toBe(9 * dayMs);
  });
});

function contact(id: string, attemptUtcMs: number): ContactRow {
  return {
    id,
    channel: 'call',
    origin: 'granted',
    caseId: theCase.id,
    personId: person.id,
    numberKey: number.numberKey,
    personKey: person.personKey,
    creditorKey: keys.creditor ?? '',
    localDay: '2026-11-23',
    attemptUtcMs,
    version: 1,
  };
}
