// Whatever comes in whatever order, clocks set back and crashes included: the ledger shows no
// permit that the rules forbid. The rules are counted here anew, from the entries alone.
import { describe, expect, it } from 'vitest';
import { dayMs, hourMs, minuteMs } from '../../src/calendar.ts';
import { actionCodes } from '../../src/cases/action-code.ts';
import { type StopReason, stopReasons } from '../../src/cases/case.ts';
import { seededIds } from '../../src/ids.ts';
import {
  type CasesFloor,
  digest,
  type EntryRecord,
  numberOf,
  openCasesFloor,
  putCase,
  putList,
} from './cases-floor.ts';

const seeds = 6;
const steps = 200;
const caseCount = 24;
/** Eight people with three cases each, and numbers that several of them share. */
const personOf = (caseId: string) => `p${Number(caseId.slice(5)) % 8}`;
const numbersOf = (index: number) => [numberOf(index % 11), numberOf(20 + index)];
const caseIds = Array.from({ length: caseCount }, (_, i) => `case-${i + 1}`);
const agents = ['agent-1', 'agent-2'];
const by = 'person-1';

interface Made {
  id: string;
  caseId: string;
  person: string;
  number: string | undefined;
  atUtcMs: number;
  open: boolean;
  answered: boolean;
  conversation: boolean;
  dropped: boolean;
  call: boolean;
}

const shanghaiDay = (atUtcMs: number) => Math.floor((atUtcMs + 8 * hourMs) / dayMs);

/** What is wrong with the permits of a ledger. */
class Judge {
  readonly faults: string[] = [];
  readonly grants = new Map<string, number>();
  private readonly made: Made[] = [];
  private readonly stops = new Map<string, Set<string>>();
  private readonly allocated = new Map<string, string>();
  private readonly listed = new Map<string, string>();
  private readonly releases = new Map<string, { caseId: string; agentId: string; until: number }>();
  private readonly dead = new Set<string>();

  read(entry: EntryRecord & { atUtcMs: number }): void {
    const { what, about, why = '', facts = {}, atUtcMs } = entry;
    const text = (name: string) => String(facts[name]);
    if (what === 'case-stopped') this.stopsOf(about).add(why);
    else if (what === 'stop-lifted') this.stopsOf(about).delete(why);
    else if (what === 'case-allocated') this.allocated.set(about, text('agentId'));
    else if (what === 'case-taken-back') this.allocated.delete(about);
    else if (what === 'stop-listed') this.listed.set(about, text('key'));
    else if (what === 'stop-list-ended') this.listed.delete(about);
    else if (what === 'number-invalid' || what === 'number-stopped') this.dead.add(about);
    else if (what === 'case-released') {
      const release = { caseId: about, agentId: text('agentId'), until: Number(facts.untilUtcMs) };
      this.releases.set(text('releaseId'), release);
    } else if (what === 'contact-reported' || what === 'contact-granted') {
      const caseId = text('caseId');
      const made: Made = {
        id: about,
        caseId,
        person: personOf(caseId),
        number: what === 'contact-granted' ? numberText(text('numberId')) : undefined,
        atUtcMs: what === 'contact-granted' ? atUtcMs : Number(facts.atUtcMs),
        open: what === 'contact-granted',
        answered: false,
        conversation: facts.conversation === true,
        dropped: false,
        call: what === 'contact-granted',
      };
      if (what === 'contact-granted') this.judge(made, entry);
      this.made.push(made);
    } else if (what === 'contact-settled') {
      const made = this.made.find(({ id }) => id === about);
      if (!made) return;
      made.open = false;
      made.answered = facts.answered === true;
      made.conversation = facts.conversation === true;
      made.dropped = facts.dropped === true;
    }
  }

  private stopsOf(caseId: string): Set<string> {
    const known = this.stops.get(caseId) ?? new Set();
    this.stops.set(caseId, known);
    return known;
  }

  private judge(made: Made, { seq, why, who, facts = {} }: EntryRecord): void {
    const wrong = (what: string) => this.faults.push(`entry ${seq}: ${what}`);
    const { caseId, person, number, atUtcMs } = made;
    this.grants.set(why ?? '', (this.grants.get(why ?? '') ?? 0) + 1);
    if (this.stopsOf(caseId).size > 0) wrong('the case stands still');
    if (this.dead.has(String(facts.numberId))) wrong('the number is not to be called');
    const keys = [digest('person', person), digest('number', number ?? ''), 'creditor-1'];
    if ([...this.listed.values()].some((key) => keys.includes(key))) wrong('is on the stop-list');
    const minute = ((atUtcMs + 8 * hourMs) % dayMs) / minuteMs;
    if (minute < 8 * 60 || minute >= 20 * 60) wrong('outside of hours');
    const touching = this.made.filter(
      (each) => each.person === person || each.number === number || each.caseId === caseId,
    );
    if (touching.some(({ open }) => open)) wrong('one is under way');
    const calls = this.made.filter(({ call }) => call);
    const ofNumber = calls.filter((each) => each.number === number);
    const ofPerson = calls.filter((each) => each.person === person);
    const since = (list: Made[], startMs: number) =>
      list.filter((each) => each.atUtcMs > startMs).length;
    const today = shanghaiDay(atUtcMs) * dayMs - 8 * hourMs - 1;
    const weekMs = Math.min(today - 6 * dayMs, atUtcMs - 7 * dayMs);
    const cap = (name: string, count: number, limit: number) => {
      if (count >= limit) wrong(`${name}: ${count + 1} of ${limit}`);
    };
    cap('number a day', since(ofNumber, today), 3);
    cap('debtor a day', since(ofPerson, atUtcMs - dayMs), 5);
    cap('debtor a week', since(ofPerson, weekMs), 15);
    cap('number interval', since(ofNumber, atUtcMs - 2 * hourMs), 1);
    cap('debtor interval', since(ofPerson, atUtcMs - hourMs / 2), 1);
    cap(
      'answers',
      since(
        ofPerson.filter(({ answered }) => answered),
        today,
      ),
      3,
    );
    const spoken = this.made.filter((each) => each.person === person && each.conversation);
    cap('conversations', since(spoken, today), 3);
    if (why === 'predictive') {
      const dropped = touching.filter((each) => each.dropped && each.call);
      const locked = dropped.filter((each) => each.person === person || each.number === number);
      cap('dropped', since(locked, atUtcMs - 72 * hourMs), 1);
    }
    if (why === 'manual') this.judgeManual(made, who, facts.releaseId, wrong);
  }

  private judgeManual(
    { caseId, atUtcMs }: Made,
    who: string,
    releaseId: unknown,
    wrong: (what: string) => void,
  ): void {
    if (this.allocated.get(caseId) === who && releaseId === undefined) return;
    const release = this.releases.get(String(releaseId));
    if (!release) return void wrong('neither allocated nor released, or released before');
    // A release counts once.
    this.releases.delete(String(releaseId));
    if (release.caseId !== caseId || release.agentId !== who) wrong('a release of another');
    if (atUtcMs >= release.until) wrong('a release that is over');
  }
}

const numberText = (numberId: string) => {
  const [, caseIndex, , at] = /^number-case-(\d+)-(\d+)-(\d+)$/.exec(numberId) ?? [];
  return numbersOf(Number(caseIndex))[Number(at)];
};

const outcomes = [
  'conversation',
  'abandoned',
  'no-answer',
  'busy',
  'carrier-failure',
  'not-dialed',
];

/** One thing that may happen next, not waited for. */
function happen(floor: CasesFloor, below: (limit: number) => number): Promise<unknown> {
  const pick = <T>(list: readonly T[]) => list[below(list.length)] as T;
  const { cases } = floor;
  const caseId = pick(caseIds);
  const reason = pick(stopReasons) as StopReason;
  const agentId = pick(agents);
  const roll = below(100);
  if (roll < 32) return floor.permit({ mode: pick(['predictive', 'progressive']) });
  if (roll < 52) {
    const numberId = `number-${caseId}-0-${below(2)}`;
    return floor.permit({ mode: 'manual', agentId, caseId, numberId });
  }
  if (roll < 78) {
    const open = pick([...cases.view().all('Contact')]);
    if (!open) return floor.permit();
    const outcome = pick(outcomes);
    const answered = outcome === 'conversation' || outcome === 'abandoned';
    const code = pick(Object.keys(actionCodes));
    const mild = below(8) > 0 ? pick(['message-left', 'call-back', 'negotiating']) : code;
    return cases.settle({
      permitId: open.id,
      outcome,
      effective: below(2) === 0,
      agentId,
      ...(answered ? { answeredUtcMs: open.attemptUtcMs } : {}),
      ...(outcome === 'conversation' ? { disposition: mild } : {}),
      ...(mild === 'call-back'
        ? { stated: { callback: { dueUtcMs: floor.now() + hourMs, own: below(2) === 0 } } }
        : {}),
    });
  }
  if (roll < 80) return cases.stop({ caseId, reason }, by);
  if (roll < 84) {
    const held = floor.rows<{ id: string; stops: string }>(
      `SELECT id, stops FROM "Case" WHERE stops <> '[]'`,
    );
    const stopped = pick(held);
    const [first = reason] = JSON.parse(stopped?.stops ?? '[]') as StopReason[];
    return cases.liftStop({ caseId: stopped?.id ?? caseId, reason: first, note: 'n' }, by);
  }
  if (roll < 88) return cases.release({ caseId, agentId, note: 'n' }, by);
  if (roll < 91) return cases.allocate({ caseId, ...(below(3) > 0 ? { agentId } : {}) }, by);
  if (roll < 93) {
    return cases.addToStopList(
      { scope: 'number', e164: pick(numbersOf(below(caseCount) + 1)), reason: 'asked' },
      by,
    );
  }
  if (roll < 96) {
    const stopId = pick(floor.rows<{ id: string }>('SELECT id FROM "StopList"'))?.id ?? 'none';
    return cases.takeOffStopList({ stopId, why: 'agreed' }, by);
  }
  return cases.reportContact(
    {
      caseId,
      personId: `debtor-${caseId}-0`,
      channel: 'visit',
      atUtcMs: floor.now() - below(2 * hourMs),
      outcome: 'met',
      effective: below(2) === 0,
    },
    by,
  );
}

async function live(seed: number): Promise<{ judge: Judge; rules: Set<string> }> {
  const floor = await openCasesFloor({ seed });
  const { below } = seededIds(seed);
  try {
    putList(floor);
    for (const id of caseIds) {
      putCase(floor, { id, person: personOf(id), numbers: numbersOf(Number(id.slice(5))) });
      if (below(2) === 0) await floor.cases.allocate({ caseId: id, agentId: 'agent-1' }, by);
    }
    for (let step = 0; step < steps; step += 1) {
      await Promise.all(Array.from({ length: 1 + below(5) }, () => happen(floor, below)));
      const roll = below(100);
      const minute = ((floor.now() + 8 * hourMs) % dayMs) / minuteMs;
      if (minute < 8 * 60 || minute >= 20 * 60) await floor.pass(below(6 * hourMs));
      else if (roll < 45) await floor.pass(below(45 * minuteMs));
      else if (roll < 55) await floor.pass(below(14 * hourMs));
      else if (roll < 62) floor.stepWall(-below(30 * hourMs));
      else if (roll < 64) await floor.restart();
    }
    const judge = new Judge();
    const lines = floor.rows<{ line: string }>('SELECT line FROM ledger ORDER BY seq');
    for (const { line } of lines) judge.read(JSON.parse(line).rec);
    const rules = floor.entries('contact-withheld').map(({ why }) => why ?? '');
    return { judge, rules: new Set(rules) };
  } finally {
    await floor.close();
  }
}

describe('permits', () => {
  const rules = new Set<string>();
  const modes = new Map<string, number>();

  it.each(Array.from({ length: seeds }, (_, i) => i + 1))(
    'of seed %i break no rule',
    async (seed) => {
      const lived = await live(seed);
      expect(lived.judge.faults).toEqual([]);
      for (const rule of lived.rules) rules.add(rule);
      for (const [mode, count] of lived.judge.grants)
        modes.set(mode, (modes.get(mode) ?? 0) + count);
    },
  );

  it('were many, of every mode, and the rules were needed to hold others back', () => {
    expect(
      Math.min(...['predictive', 'progressive', 'manual'].map((mode) => modes.get(mode) ?? 0)),
    ).toBeGreaterThan(20);
    const held = ['stopped', 'stop-list', 'hours', 'under-way', 'manual-not-allocated'];
    const caps = ['house-number-day', 'house-debtor-day', 'interval-debtor', 'interval-number'];
    expect([...rules]).toEqual(expect.arrayContaining([...held, ...caps]));
  });
});
