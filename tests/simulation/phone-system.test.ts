// The conformance suite of the PhoneSystem port on the simulated phone system, on virtual time.
import type { Clock } from '../../src/clock.ts';
import { seededIds } from '../../src/ids.ts';
import { Chance } from '../../src/simulation/chance.ts';
import { calmDay, FaultAccount } from '../../src/simulation/faults.ts';
import { PhoneLink } from '../../src/simulation/phone-link.ts';
import { type FarEnd as Manners, PhoneWorld } from '../../src/simulation/phone-world.ts';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';
import type { PhoneSystem } from '../../src/telephony/phone-system.ts';
import { FactLog, type FarEnd, type Phone, type PhoneRig } from '../conformance/phone-rig.ts';
import { phoneSystemConformance } from '../conformance/phone-system.ts';

const trunk = 'carrier';
const forHours = 10 * 3_600_000;
const stepMs = 5;
const silenceMs = 3_000;
const bootMs = 1_500;

const patient = { ringsAfterMs: 100, waitsMs: forHours, talksMs: forHours } as const;
const refuses = (cause: number, sipCode: number): Manners => ({
  ...patient,
  refuses: { afterMs: 200, cause: { cause, sipCode } },
});
const farEnds: Readonly<Record<FarEnd, Manners>> = {
  declines: refuses(21, 603),
  busy: refuses(17, 486),
  congested: refuses(34, 503),
  unallocated: refuses(1, 404),
  neverAnswers: patient,
  talksUntilHungUp: { ...patient, answersAfterMs: 1_000 },
  earlyMedia: { ...patient, earlyMedia: true, answersAfterMs: 1_400 },
  hangsUpAfter3s: { ...patient, answersAfterMs: 500, waitsMs: 3_000 },
  answersAtOnce: { ...patient, ringsAfterMs: 20, answersAfterMs: 0 },
};
const names = Object.keys(farEnds) as FarEnd[];
const numberOf = (farEnd: FarEnd) => `+1202555010${names.indexOf(farEnd)}`;
const extensions: Readonly<Record<Phone, string>> = {
  ...{ first: '101', second: '102', leaving: '103', mortal: '104' },
};

/** Time passes only while somebody waits for it: then as fast as the machine can. */
class Pacemaker {
  readonly clock = new VirtualClock(Date.parse('2026-11-23T09:00:00+08:00'));
  private readonly own = this.clock.life().clock;
  private waiting = 0;
  private running = false;

  /** A clock on whose timers somebody waits. */
  readonly awaited: Clock = {
    ...this.own,
    after: (delayMs, fire) => {
      const over = this.begin();
      const timer = this.own.after(delayMs, () => {
        over();
        fire();
      });
      return {
        cancel() {
          over();
          timer.cancel();
        },
      };
    },
  };

  async during<T>(work: Promise<T>): Promise<T> {
    const over = this.begin();
    try {
      return await work;
    } finally {
      over();
    }
  }

  private begin(): () => void {
    this.waiting += 1;
    let waits = true;
    void this.run();
    return () => {
      if (waits) this.waiting -= 1;
      waits = false;
    };
  }

  private async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    while (this.waiting > 0) await this.clock.run(this.clock.uptimeMs + stepMs);
    this.running = false;
  }
}

/** The port with every answer awaited on virtual time. */
function awaitedPhone(pacemaker: Pacemaker, phone: PhoneSystem): PhoneSystem {
  return {
    start: (sink) => pacemaker.during(phone.start(sink)),
    stop: () => pacemaker.during(phone.stop()),
    dial: (order) => pacemaker.during(phone.dial(order)),
    ringAgent: (order) => pacemaker.during(phone.ringAgent(order)),
    connect: (callId, legId) => pacemaker.during(phone.connect(callId, legId)),
    endWithMessage: (callId) => pacemaker.during(phone.endWithMessage(callId)),
    hangUp: (channelId) => pacemaker.during(phone.hangUp(channelId)),
    survey: () => pacemaker.during(phone.survey()),
  };
}

async function openSimulatedRig(): Promise<PhoneRig> {
  const pacemaker = new Pacemaker();
  const { clock } = pacemaker;
  const placed: string[] = [];
  const world = new PhoneWorld({
    clock,
    farEndOf: ({ number }) => farEnds[names.find((each) => numberOf(each) === number) ?? 'busy'],
    phoneOf: (extension) => ({
      answersAfterMs: 300,
      ...(extension === extensions.leaving ? { hangsUpAfterMs: 3_000 } : {}),
    }),
    recordingFails: () => false,
    damageOf: () => undefined,
    crashLossMs: () => 0,
    watch: (event) => {
      if (event.kind === 'placed') placed.push(event.order.number);
    },
  });
  const facts = new FactLog(pacemaker.awaited);
  const shared = { world, clock, chance: new Chance(seededIds(22)), trunks: [trunk] };
  const account = new FaultAccount(clock);
  const connect = () => {
    const link = new PhoneLink({ ...shared, account, rates: calmDay, alive: () => true });
    return awaitedPhone(pacemaker, link);
  };
  let phone = connect();
  const begin = () => phone.start((fact) => facts.hear(fact));
  await begin();
  return {
    get phone() {
      return phone;
    },
    facts,
    trunk,
    messageSound: 'gatehouse/no-agent',
    // Every message lasts four seconds here.
    longSound: 'gatehouse/no-agent',
    number: numberOf,
    extension: (which) => extensions[which],
    timesCalled: async (number) => placed.filter((each) => each === number).length,
    async killMortalPhone() {
      world.losePhone(extensions.mortal, silenceMs);
    },
    cut: (feed) => world.cut(feed),
    heal: (feed) => world.heal(feed),
    async crash() {
      world.crash();
      clock.after(bootMs, () => {
        world.heal('ami');
        world.heal('ari');
      });
    },
    daemonLeaves: () => phone.stop(),
    async daemonReturns() {
      phone = connect();
      await begin();
    },
    pass: (ms) => new Promise((resolve) => pacemaker.awaited.after(ms, () => resolve())),
    async recordings(callId) {
      const raw = world.raw.get(callId);
      const durationMs = raw?.spanMs ?? 0;
      const agentTone = raw?.connected === true ? 1 : 0;
      return {
        customer: { durationMs, customerTone: 1, agentTone: 0 },
        agent: { durationMs, customerTone: 0, agentTone },
      };
    },
    close: () => phone.stop(),
  };
}

phoneSystemConformance('The simulated phone system', openSimulatedRig);
