// What blows to a floor cost, summed up by their kind: how long until it worked, and what was lost.
import type { CallAccount, FloorAccount } from './floor-account.ts';
import { backWithinMs } from './kill-rounds.ts';

/** One kill or cut that a floor has taken. */
export interface Blow {
  name: string;
  /** The first ledger line after it; the calls that end from there to the next one are its. */
  seq: number;
  backMs: number;
}

interface Sums {
  backMs: number[];
  invited: number;
  answered: number;
  sealed: number;
  repaired: number;
  quarantined: number;
  late: number;
  faults: number;
}

export class Toll {
  readonly #sums = new Map<string, Sums>();

  /** Kinds of blows, in the order of the report. */
  constructor(names: readonly string[]) {
    for (const name of names) this.#of(name);
  }

  struck({ name, backMs }: Blow): void {
    const sums = this.#of(name);
    sums.backMs.push(backMs);
    if (backMs > backWithinMs) sums.late += 1;
  }

  /** Counts the calls of a floor to the blow they ended after. */
  count(account: FloorAccount, blows: readonly Blow[]): void {
    for (const call of account.calls) {
      const sums = this.#of(nameOf(call, blows));
      sums.invited += call.carrier.filter((what) => what === 'invited').length;
      if ([...call.carrier, ...call.cdr].some(isAnswer)) sums.answered += 1;
      if (call.recording?.state === 'quarantined') sums.quarantined += 1;
      if (call.recording?.state !== 'kept') continue;
      sums.sealed += 1;
      if (call.recording.repaired) sums.repaired += 1;
    }
  }

  /** Counts a fault to the blow of the call that it names; the answer is the name of that blow. */
  fault(fault: string, account: FloorAccount | undefined, blows: readonly Blow[]): string {
    const call = account?.calls.find((c) => fault.includes(c.callId) || fault.includes(c.number));
    const name = call ? nameOf(call, blows) : (blows.at(-1)?.name ?? noBlow);
    this.#of(name).faults += 1;
    return name;
  }

  /** A line for each kind of blow. */
  lines(): string[] {
    return [...this.#sums].map(([name, sums]) => {
      const { backMs, invited, answered, sealed, repaired, quarantined, late, faults } = sums;
      return [
        `${name}: ${backMs.length} times`,
        ...(backMs.length > 0 ? [`at work again ${spread(backMs)}`] : []),
        `${invited} calls at the carrier, ${answered} answered, ${sealed} recordings sealed`,
        `${repaired} of them repaired, ${quarantined} quarantined, ${late} late, ${faults} faults`,
      ].join('; ');
    });
  }

  #of(name: string): Sums {
    const known = this.#sums.get(name);
    if (known) return known;
    const fresh: Sums = {
      ...{ backMs: [], invited: 0, answered: 0, sealed: 0, repaired: 0 },
      ...{ quarantined: 0, late: 0, faults: 0 },
    };
    this.#sums.set(name, fresh);
    return fresh;
  }
}

const noBlow = 'before the first';
const isAnswer = (word: string) => word === 'ANSWERED' || word === 'answered';

function nameOf({ ledger }: CallAccount, blows: readonly Blow[]): string {
  const end = ledger.find(({ what }) => what === 'call-ended') ?? ledger.at(-1);
  return blows.findLast(({ seq }) => seq <= (end?.seq ?? 0))?.name ?? noBlow;
}

function spread(all: readonly number[]): string {
  const sorted = [...all].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`;
}
