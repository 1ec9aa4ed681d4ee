// The contact rules: each refusal by name, each cap at its edge, and what no clock may free.
import { describe, expect, it } from 'vitest';
import { everyDay, holidaysOf, hourMs, noHolidays } from '../calendar.ts';
import { chineseYears } from '../calendar-data.ts';
import type {
  BatchRow,
  CasePersonRow,
  CaseRow,
  NumberRow,
  ReleaseRow,
  StopListRow,
} from './case.ts';
import { stopReasons } from './case.ts';
import { type Axis, type Counted, keysOf, type TallyRow, tallyId } from './contact.ts';
import { type ContactPolicy, defaultPolicy } from './contact-policy.ts';
import { type ContactFacts, type ContactRequest, mayContact, ruleNames } from './may-contact.ts';

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
  referenceKey: 'rk-1',
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
