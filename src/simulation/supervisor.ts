// The supervisor of a simulated floor: campaigns, stops, lists and people, every few minutes.
import { stopReasons } from '../cases/case.ts';
import type { Floor } from '../floor.ts';
import type { Actor } from '../people/person.ts';
import type { CampaignSettings } from '../telephony/working-set.ts';
import { bringsLists, campaigns, confirmsLists } from './book.ts';
import { agentIds, type CrewParts, quietly } from './crew.ts';

export const trunk = 'carrier';
export const supervisorId = 'person-supervisor';
const everyMs = [30_000, 120_000] as const;
const pauseMs = [20_000, 120_000] as const;
/** One agent leaves the house for good late in the day. */
const leaverId = agentIds.at(-1) ?? '';

const settings: CampaignSettings = {
  trunk,
  callerId: '+12025550199',
  ringMs: 35_000,
  limitMs: 3_600_000,
  noticeSound: 'gatehouse/notice',
  messageSound: 'gatehouse/no-agent',
  waitMs: 2_000,
  limitShare: 0.03,
  targetShare: 0.02,
  wrapUpMs: 20_000,
  maxLines: 100,
  maxCallsPerAgent: 4,
};

const supervisor: Actor = {
  personId: supervisorId,
  tokenId: 'token-supervisor',
  kind: 'session',
  roles: ['supervisor', 'it'],
  who: supervisorId,
};

export class Supervisor {
  private readonly parts: CrewParts;
  private closed = false;
  private readonly stopIds: string[] = [];
  /** Cases that were being called whenever this person looked. */
  private readonly called: string[] = [];

  constructor(parts: CrewParts) {
    this.parts = parts;
    this.next();
  }

  /** Puts the campaigns up and starts them. */
  openDay(): void {
    const floor = this.parts.floor();
    if (!floor) throw new Error('the day can not begin without a daemon');
    for (const { id, creditorId, mode } of campaigns) {
      const order = { id, name: id, creditorId, mode, settings, by: supervisorId };
      quietly(floor.telephony.ask({ kind: 'put-campaign', ...order }));
      this.setState(id, 'running');
    }
  }

  /** Stops every campaign, and again until it is so. */
  close(): void {
    this.closed = true;
    const view = this.parts.floor()?.telephony.view();
    const isOver = view && [...view.all('Campaign')].every(({ state }) => state === 'stopped');
    for (const { id } of campaigns) this.setState(id, 'stopped');
    if (!isOver) this.parts.clock.after(5_000, () => this.close());
  }

  private next(): void {
    const { clock, chance } = this.parts;
    clock.after(chance.spanMs(...everyMs), () => {
      if (this.closed) return;
      const floor = this.parts.floor();
      if (floor) {
        this.called.push(...callsOf(floor));
        chance.pick(this.acts)(floor);
      }
      this.next();
    });
  }

  private setState(id: string, state: 'running' | 'paused' | 'stopped', why?: string): void {
    const floor = this.parts.floor();
    const order = { kind: 'set-campaign-state', id, state, why, by: supervisorId } as const;
    if (floor) quietly(floor.telephony.ask(order));
  }

  /** What is done now and then, each as likely; some of it stands here twice for that. */
  private readonly acts: readonly ((floor: Floor) => void)[] = [
    () => this.pause(),
    (floor) => this.change(floor),
    (floor) => this.stopCase(floor),
    (floor) => this.stopCase(floor),
    (floor) => this.stopCase(floor),
    (floor) => this.liftStop(floor),
    (floor) => this.liftStop(floor),
    (floor) => this.stopList(floor),
    (floor) => this.endStopList(floor),
    (floor) => this.takeBack(floor),
    (floor) => this.nameCreditor(floor),
    (floor) => this.eraseCase(floor),
    (floor) => this.reportContact(floor),
    (floor) => this.decideLists(floor),
    (floor) => this.acknowledge(floor),
    (floor) => this.sendAway(floor),
  ];

  private pause(): void {
    const { id } = this.parts.chance.pick(campaigns);
    this.setState(id, 'paused', 'supervisor');
    this.resume(id);
  }

  /** Said again while the daemon is away: a pause must not outlast the day. */
  private resume(id: string): void {
    const { clock, chance, floor } = this.parts;
    clock.after(chance.spanMs(...pauseMs), () => {
      if (this.closed) return;
      if (!floor()) return this.resume(id);
      this.setState(id, 'running');
      this.check(id);
    });
  }

  private check(id: string): void {
    const { clock, floor } = this.parts;
    clock.after(10_000, () => {
      const campaign = floor()?.telephony.view().get('Campaign', id);
      if (!this.closed && campaign?.state !== 'running') this.resume(id);
    });
  }

  private change(floor: Floor): void {
    const { chance } = this.parts;
    const { id, creditorId, mode } = chance.pick(campaigns);
    const changed: CampaignSettings = {
      ...settings,
      ringMs: chance.pick([20_000, 28_000, 35_000]),
      waitMs: chance.pick([1_500, 1_800, 2_000]),
      targetShare: chance.pick([0.015, 0.02, 0.025]),
      wrapUpMs: chance.pick([5_000, 20_000, 45_000]),
    };
    const order = { id, name: id, creditorId, mode, settings: changed, by: supervisorId };
    quietly(floor.telephony.ask({ kind: 'put-campaign', ...order }));
  }

  /** A case, often one that is being called at this very moment. */
  private aCase(floor: Floor): string {
    const { chance, book } = this.parts;
    const called = callsOf(floor);
    return chance.pick(called.length > 0 && chance.hits(700) ? called : book.caseIds);
  }

  private stopCase(floor: Floor): void {
    const reason = this.parts.chance.pick(stopReasons);
    quietly(floor.cases.stop({ caseId: this.aCase(floor), reason }, supervisorId));
  }

  private liftStop(floor: Floor): void {
    const alarms = [...floor.cases.view().all('Alarm')];
    const stops = alarms.filter(({ code }) => code === 'case-stopped');
    if (stops.length === 0) return;
    const stopped = this.parts.chance.pick(stops);
    for (const reason of stopReasons) {
      const order = { caseId: stopped.about, reason, note: 'it was a mistake' };
      quietly(floor.cases.liftStop(order, supervisorId));
    }
  }

  private stopList(floor: Floor): void {
    const { chance, book } = this.parts;
    const by = supervisorId;
    const { e164 } = chance.pick([...book.numbers.values()]);
    quietly(floor.cases.addToStopList({ scope: 'number', e164, reason: 'asked' }, by));
    const personId = chance.pick(book.personIds);
    const listed = floor.cases.addToStopList({ scope: 'debtor', personId, reason: 'asked' }, by);
    quietly(
      listed.then((outcome) => {
        if (outcome.done) this.stopIds.push(outcome.stopId);
      }),
    );
  }

  private endStopList(floor: Floor): void {
    const stopId = this.stopIds.shift();
    if (stopId === undefined) return;
    quietly(floor.cases.takeOffStopList({ stopId, why: 'asked-again' }, supervisorId));
  }

  private takeBack(floor: Floor): void {
    const allocated = [...floor.telephony.view().all('Call')].find(({ mode }) => mode === 'manual');
    const caseId = allocated?.caseId ?? this.aCase(floor);
    quietly(floor.cases.allocate({ caseId }, supervisorId));
  }

  private nameCreditor(floor: Floor): void {
    const { creditorId: id } = this.parts.chance.pick(campaigns);
    quietly(floor.cases.putCreditor({ id, name: id, callerId: '+12025550199' }, supervisorId));
  }

  private eraseCase(floor: Floor): void {
    // Most often one that has been called before, so that there is a recording to erase.
    const { chance, book } = this.parts;
    const caseId = chance.pick(this.called.length > 0 ? this.called : book.caseIds);
    quietly(floor.cases.eraseCase(caseId, supervisorId, 'time-is-over'));
  }

  private reportContact(floor: Floor): void {
    const { chance, book, clock } = this.parts;
    const { id: numberId, caseId, person } = chance.pick([...book.numbers.values()]);
    const channel = chance.pick(['visit', 'sms', 'letter'] as const);
    const contact = { channel, atUtcMs: clock.utcMs, outcome: 'met', effective: true };
    const about = { caseId, personId: person.id, numberId };
    quietly(floor.cases.reportContact({ ...contact, ...about }, supervisorId));
  }

  /** Who brought a list in may not confirm it, however often they try. */
  private decideLists(floor: Floor): void {
    const { stagedListId, unwantedListId } = this.parts.book;
    quietly(floor.cases.lists.confirm(stagedListId, bringsLists));
    quietly(floor.cases.lists.confirm(stagedListId, confirmsLists));
    quietly(floor.cases.lists.drop(unwantedListId, 'not-ours', confirmsLists));
  }

  private acknowledge(floor: Floor): void {
    for (const { id } of [...floor.cases.view().all('Alarm')].slice(0, 3))
      quietly(floor.cases.acknowledge(id, supervisorId));
  }

  private sendAway(floor: Floor): void {
    const { chance } = this.parts;
    if (chance.hits(100)) quietly(floor.people.leave(supervisor, leaverId, 'resigned'));
  }
}

function callsOf(floor: Floor): string[] {
  return [...floor.telephony.view().all('Call')].flatMap(({ caseId }) => caseId ?? []);
}
