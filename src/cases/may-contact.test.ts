// The contact rules: each refusal by name, each cap at its edge, and what no clock may free.
import { describe, expect, it } from 'vitest';
import { dayMs, everyDay, holidaysOf, hourMs, noHolidays } from '../calendar.ts';
import { chineseYears } from '../calendar-data.ts';
import { seededIds } from '../ids.ts';
import type {
  BatchRow,
  CasePersonRow,
  CaseRow,
  NumberRow,
  ReleaseRow,
  StopListRow,
} from './case.ts';
import { stopReasons } from './case.ts';
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
  ruleNames,
} from './may-contact.ts';

const shanghai = 'Asia/Shanghai';
const policy = defaultPolicy(holidaysOf(chineseYears), [shanghai]);
const at = (text: string) => Date.parse(text);
/** A Monday morning in Shanghai. */
const morning = at('2026-11-23T10:00:00+08:00');

const theCase: CaseRow = {
  id: 'case-1',
  batchId: 'batch-1',
  creditorId: 'creditor-1',
  reference: 'R-1',
  stops: [],
  version: 1,
};
const batch: BatchRow = { id: 'batch-1', creditorId: 'creditor-1', name: 'B', receivedUtcMs: 0 };
const person: CasePersonRow = {
  id: 'person-1',
  caseId: 'case-1',
  role: 'debtor',
  personKey: 'pk-1',
  zone: shanghai,
  version: 1,
};
const number: NumberRow = {
  id: 'number-1',
  caseId: 'case-1',
  personId: 'person-1',
  e164: '+12025550123',
  numberKey: 'nk-1',
  kind: 'mobile',
  notAtWork: false,
  state: 'ok',
  version: 1,
};
const predictive: ContactRequest = { channel: 'call', mode: 'predictive', agentGuaranteed: false };
const manual: ContactRequest = {
  channel: 'call',
  mode: 'manual',
  agentId: 'agent-1',
  agentGuaranteed: true,
};

type Tallies = Map<string, TallyRow>;

function facts(change: Partial<ContactFacts> = {}, tallies: Tallies = new Map()): ContactFacts {
  return {
    case: theCase,
    batch,
    person,
    number,
    stopList: [],
    underWay: false,
    tally: (id) => tallies.get(id),
    ...change,
  };
}

function ask(change: Partial<ContactFacts>, request = predictive, atUtcMs = morning) {
  return mayContact(request, facts(change), policy, atUtcMs);
}

const keys = keysOf(theCase, person, number);

function tally(what: Counted, axis: Axis, times: readonly number[]): Tallies {
  const id = tallyId(what, 'call', axis, keys[axis] ?? '');
  return new Map([[id, { id, times }]]);
}

const listed = (scope: StopListRow['scope']): StopListRow => ({
  id: 'stop-1',
  scope,
  key: 'k',
  reason: 'asked',
  byPersonId: 'person-9',
  atUtcMs: 0,
});
const release: ReleaseRow = {
  id: 'release-1',
  caseId: 'case-1',
  agentId: 'agent-1',
  byPersonId: 'person-9',
  reasonNoteId: 'note-1',
  untilUtcMs: morning + hourMs,
};

describe('a contact that nothing speaks against', () => {
  it('is a permit that says what it was granted by and what it spent', () => {
    expect(ask({})).toEqual({
      granted: true,
      permit: {
        ruleSet: 'contact-rules-1',
        policy: 'default-1',
        localDay: '2026-11-23',
        spent: [
          { cap: 'house-number-day', count: 1, limit: 3 },
          { cap: 'house-debtor-day', count: 1, limit: 5 },
          { cap: 'house-debtor-week', count: 1, limit: 15 },
          { cap: 'interval-number', count: 1, limit: 1 },
          { cap: 'interval-debtor', count: 1, limit: 1 },
        ],
      },
    });
  });

  it('names the day of the person, not of the house', () => {
    const zoned = { ...person, zone: 'America/New_York' };
    const answer = ask({ person: zoned }, predictive, at('2026-11-24T00:30:00Z'));
    expect(answer).toMatchObject({ granted: true, permit: { localDay: '2026-11-23' } });
  });
});

describe('each rule refuses by its name', () => {
  it.each(stopReasons.map((reason) => [reason]))('stopped: %s', (reason) => {
    for (const channel of ['call', 'visit', 'sms', 'letter'] as const)
      expect(
        ask({ case: { ...theCase, stops: [reason] } }, { ...predictive, channel }),
      ).toMatchObject({ granted: false, rule: 'stopped', detail: [reason] });
  });

  it('stopped: a batch past its recall or deadline, from that very instant', () => {
    for (const [key, why] of [
      ['recallUtcMs', 'recalled'],
      ['deadlineUtcMs', 'expired'],
    ] as const) {
      expect(ask({ batch: { ...batch, [key]: morning } })).toMatchObject({
        rule: 'stopped',
        detail: [why],
      });
      expect(ask({ batch: { ...batch, [key]: morning + 1 } }).granted).toBe(true);
    }
  });

  it.each<[string, Partial<ContactFacts>, ContactRequest, string, string[]]>([
    ['number', { stopList: [listed('number')] }, predictive, 'stop-list', ['number']],
    [
      'two scopes',
      { stopList: [listed('debtor'), listed('creditor'), listed('debtor')] },
      { ...predictive, channel: 'letter' },
      'stop-list',
      ['creditor', 'debtor'],
    ],
    ['refused', { person: { ...person, refusedUtcMs: 1 } }, manual, 'person-refused', ['debtor']],
    [
      'invalid',
      { number: { ...number, state: 'invalid' } },
      predictive,
      'number-state',
      ['invalid'],
    ],
    [
      'stopped',
      { number: { ...number, state: 'stopped' } },
      predictive,
      'number-state',
      ['stopped'],
    ],
    [
      'not at work',
      { number: { ...number, notAtWork: true } },
      predictive,
      'number-not-at-work',
      ['not-at-work'],
    ],
    [
      'contact person, predictive',
      { person: { ...person, role: 'contact-person' } },
      predictive,
      'contact-person-predictive',
      ['never'],
    ],
    [
      'contact person',
      { person: { ...person, role: 'contact-person' } },
      manual,
      'contact-person-off',
      ['off'],
    ],
    ['under way', { underWay: true }, predictive, 'under-way', ['not-settled']],
    ['nobody', {}, { ...predictive, mode: 'manual' }, 'manual-not-allocated', ['no-agent']],
    ['not theirs', {}, manual, 'manual-not-allocated', ['no-release']],
    [
      'release of another agent',
      { release: { ...release, agentId: 'agent-2' } },
      manual,
      'manual-not-allocated',
      ['release-ended'],
    ],
    [
      'release used',
      { release: { ...release, usedUtcMs: 1 } },
      manual,
      'manual-not-allocated',
      ['release-ended'],
    ],
    [
      'release over',
      { release: { ...release, untilUtcMs: morning } },
      manual,
      'manual-not-allocated',
      ['release-ended'],
    ],
  ])('%s', (_name, change, request, rule, detail) => {
    expect(ask(change, request)).toMatchObject({ granted: false, rule, detail });
  });

  it('a stop hides behind no other reason', () => {
    const everything = {
      case: { ...theCase, stops: ['complained'] as const },
      stopList: [listed('number')],
      underWay: true,
    };
    expect(ask(everything, manual, at('2026-10-01T03:00:00+08:00'))).toMatchObject({
      rule: 'stopped',
    });
  });

  it('contact persons, once allowed, may be called by a person but never predictively', () => {
    const open: ContactPolicy = { ...policy, contactPersons: true };
    const other = facts({ person: { ...person, role: 'contact-person' }, case: allocated });
    expect(mayContact(manual, other, open, morning).granted).toBe(true);
    expect(mayContact(predictive, other, open, morning)).toMatchObject({
      rule: 'contact-person-predictive',
    });
  });
});

const allocated: CaseRow = { ...theCase, allocatedTo: 'agent-1', allocatedUtcMs: 1 };

describe('manual calls', () => {
  it('reach only a case of that agent, or one released for a reason', () => {
    expect(ask({ case: allocated }, manual)).toMatchObject({ granted: true });
    expect(ask({ case: allocated }, { ...manual, agentId: 'agent-2' }).granted).toBe(false);
    expect(ask({ release }, manual)).toMatchObject({
      granted: true,
      permit: { releaseId: 'release-1' },
    });
    const own = ask({ release, case: allocated }, manual);
    expect(own.granted && own.permit.releaseId).toBe(undefined);
  });

  it('are held by the caps like any other', () => {
    const times = [1, 2, 3].map((hours) => morning - hours * hourMs);
    const tallies = tally('attempt', 'number', times);
    expect(mayContact(manual, facts({ release }, tallies), policy, morning)).toMatchObject({
      rule: 'house-number-day',
    });
  });
});

describe('hours', () => {
  it.each([
    ['2026-11-23T07:59:59.999+08:00', 'hours', '2026-11-23T08:00:00+08:00'],
    ['2026-11-23T20:00:00+08:00', 'hours', '2026-11-24T08:00:00+08:00'],
    ['2026-10-07T12:00:00+08:00', 'holiday', '2026-10-08T08:00:00+08:00'],
    ['2026-10-10T12:00:00+08:00', 'granted', undefined],
    ['2027-03-01T12:00:00+08:00', 'calendar-unknown-year', undefined],
  ])('at %s: %s', (text, rule, until) => {
    const answer = ask({}, predictive, at(text));
    expect(answer.granted ? 'granted' : answer.rule).toBe(rule);
    expect(answer.granted ? undefined : answer.untilUtcMs).toBe(until && at(until));
  });

  it('bind calls, visits and SMS; a letter waits in the box', () => {
    const night = at('2026-11-23T23:00:00+08:00');
    for (const channel of ['call', 'visit', 'sms'] as const)
      expect(ask({}, { ...predictive, channel }, night)).toMatchObject({ rule: 'hours' });
    expect(ask({}, { ...predictive, channel: 'letter' }, night).granted).toBe(true);
  });

  it('of an unknown zone are those that all possible zones share', () => {
    const wide: ContactPolicy = {
      ...defaultPolicy(noHolidays, ['America/New_York', 'America/Los_Angeles']),
    };
    const { zone: _zone, ...nowhere } = person;
    const grants = (text: string) =>
      mayContact(predictive, facts({ person: nowhere }), wide, at(text));
    expect(grants('2026-11-23T14:00:00Z')).toMatchObject({
      rule: 'hours',
      detail: ['zone-unknown'],
      untilUtcMs: at('2026-11-23T16:00:00Z'),
    });
    expect(grants('2026-11-23T16:00:00Z').granted).toBe(true);
    expect(grants('2026-11-24T00:59:00Z').granted).toBe(true);
    expect(grants('2026-11-24T01:00:00Z')).toMatchObject({
      untilUtcMs: at('2026-11-24T16:00:00Z'),
    });
  });

  it('a person may take some away', () => {
    const noon = { ...number, notThen: { ...everyDay([720, 840]), tue: [] } };
    const then = (text: string) => ask({ number: noon }, predictive, at(text));
    expect(then('2026-11-23T12:00:00+08:00')).toMatchObject({
      rule: 'number-not-then',
      untilUtcMs: at('2026-11-23T14:00:00+08:00'),
    });
    expect(then('2026-11-23T11:59:00+08:00').granted).toBe(true);
    expect(then('2026-11-24T12:30:00+08:00').granted).toBe(true);
  });
});

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
    const { zone: _zone, ...nowhere } = person;
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
    const ids = seededIds(41);
    for (let run = 0; run < 60; run += 1) {
      const times = Array.from({ length: 1 + ids.below(20) }, () => morning - ids.below(8 * dayMs));
      let kept: number[] = [];
      for (const time of times) kept = addTime(kept, time, tallyDepth(policy));
      const axis = (['number', 'debtor', 'case', 'creditor'] as const)[ids.below(4)] ?? 'case';
      const what = (['attempt', 'answer', 'conversation', 'dropped'] as const)[ids.below(4)];
      const tallies = tally(what ?? 'attempt', axis, kept);
      const always = { ...policy, hours: everyDay([0, 1440]), holidays: noHolidays };
      let refused = false;
      // From now backwards: once a cap holds, no earlier wall time lets go of it.
      for (let back = 0; back < 10 * dayMs; back += 6 * hourMs + ids.below(hourMs)) {
        const { granted } = mayContact(predictive, facts({}, tallies), always, morning - back);
        expect(refused && granted).toBe(false);
        refused = !granted;
      }
    }
  });

  it('hold under any walk of the clock: no window ever holds more than its cap', () => {
    const ids = seededIds(43);
    const always = { ...policy, hours: everyDay([0, 1440]), holidays: noHolidays };
    let clock = morning;
    const stamps: number[] = [];
    const rows: ContactRow[] = [];
    for (let step = 0; step < 2_000; step += 1) {
      clock += ids.below(10) === 0 ? -ids.below(4 * hourMs) : ids.below(hourMs);
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
    const ids = seededIds(47);
    for (let run = 0; run < 100; run += 1) {
      const times = Array.from({ length: ids.below(40) }, () => morning - ids.below(9 * dayMs));
      const full = tally(
        'attempt',
        'debtor',
        times.toSorted((a, b) => a - b),
      );
      let kept: number[] = [];
      for (const time of times) kept = addTime(kept, time, tallyDepth(policy));
      const short = tally('attempt', 'debtor', kept);
      const when = morning + ids.below(9 * dayMs) - 4 * dayMs;
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

describe('the table', () => {
  it('names every rule once', () => {
    const names = ruleNames(policy);
    expect(new Set(names).size).toBe(names.length);
    expect(names[0]).toBe('stopped');
    expect(names.at(-1)).toBe('manual-not-allocated');
  });

  it('asserts that a call has a number', () => {
    const { number: _number, ...none } = facts();
    expect(() => mayContact(predictive, none, policy, morning)).toThrow('no number');
    const visit = { channel: 'visit', agentGuaranteed: true } as const;
    expect(mayContact(visit, none, policy, morning).granted).toBe(true);
  });
});
