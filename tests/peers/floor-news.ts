// What a floor in another process tells of itself: its ledger and its rows, waited for by deadline.
import type { AlarmRow } from '../../src/alarm.ts';
import type { Entry } from '../../src/audit/entry.ts';
import type { Clock } from '../../src/clock.ts';
import type { AgentRow, CallRow, PlantRow, RecordingRow } from '../../src/telephony/working-set.ts';
import type { Saying } from './floor-process.ts';

export interface LedgerLine extends Entry {
  seq: number;
  atUtcMs: number;
}

interface Rows {
  Agent: AgentRow;
  Call: CallRow;
  Recording: RecordingRow;
  Alarm: AlarmRow;
  Plant: PlantRow;
}

export class FloorNews {
  /** The whole ledger, over all runs of the floor. */
  readonly lines: LedgerLine[] = [];
  readonly #rows: { [T in keyof Rows]: Map<string, Rows[T]> } = {
    Agent: new Map(),
    Call: new Map(),
    Recording: new Map(),
    Alarm: new Map(),
    Plant: new Map(),
  };
  readonly #clock: Clock;
  readonly #looks = new Set<() => void>();
  #failure: string | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  hear(saying: Saying): void {
    if (saying.say === 'lines') this.#take(saying.fromSeq, saying.lines);
    if (saying.say === 'failed') this.#failure = saying.cause;
    if (saying.say === 'rows') {
      const rows = this.#rows[saying.table] as Map<string, { id: string }>;
      for (const row of saying.rows) rows.set(row.id, row);
      for (const id of saying.gone ?? []) rows.delete(id);
    }
    for (const look of [...this.#looks]) look();
  }

  /** Another process is going to tell: what only memory held is unknown again. */
  forget(): void {
    this.#rows.Plant.clear();
    this.#failure = undefined;
  }

  /** The next line that is missing. */
  get nextSeq(): number {
    return this.lines.length + 1;
  }

  all<T extends keyof Rows>(table: T, fits: (row: Rows[T]) => boolean = () => true): Rows[T][] {
    return [...this.#rows[table].values()].filter(fits);
  }

  get<T extends keyof Rows>(table: T, id: string): Rows[T] | undefined {
    return this.#rows[table].get(id);
  }

  /** Lines of one kind from a seq on, or all of them. */
  said(what: string, fromSeq = 1): LedgerLine[] {
    return this.lines.slice(fromSeq - 1).filter((line) => line.what === what);
  }

  /** Calls that are on the line in one of these states. */
  calls(...states: CallRow['state'][]): CallRow[] {
    return this.all('Call', ({ state }) => states.includes(state));
  }

  /** Waits until `look` finds something; it is asked again with each piece of news. */
  until<V>(what: string, look: () => V | undefined | false, withinMs: number): Promise<V> {
    return new Promise((resolve, reject) => {
      const end = () => {
        timer.cancel();
        this.#looks.delete(again);
      };
      const timer = this.#clock.after(withinMs, () => {
        end();
        reject(new Error(`no ${what} within ${withinMs} ms\n${this.#scene()}`));
      });
      const again = () => {
        const found = look();
        if (this.#failure !== undefined) {
          end();
          return reject(new Error(`the floor failed: ${this.#failure}`));
        }
        if (found === undefined || found === false) return;
        end();
        resolve(found);
      };
      this.#looks.add(again);
      again();
    });
  }

  /** Waits for a line of this kind from a seq on, about something if that is given. */
  untilSaid(what: string, fromSeq: number, withinMs: number, about?: string): Promise<LedgerLine> {
    const fits = (line: LedgerLine) => about === undefined || line.about === about;
    const name = `${what}${about === undefined ? '' : ` about ${about}`}`;
    return this.until(name, () => this.said(what, fromSeq).find(fits), withinMs);
  }

  #take(fromSeq: number, lines: readonly string[]): void {
    for (const [index, line] of lines.entries()) {
      // What was committed just before a kill comes again with the next run.
      if (fromSeq + index !== this.nextSeq) continue;
      this.lines.push((JSON.parse(line) as { rec: LedgerLine }).rec);
    }
  }

  #scene(): string {
    const states = (rows: readonly { state: string }[]) => rows.map(({ state }) => state).join(' ');
    const living = this.all('Call', ({ state }) => state !== 'ended');
    return [
      `agents: ${states(this.all('Agent'))}`,
      `calls: ${states(living)}`,
      `plant: ${JSON.stringify(this.get('Plant', 'now'))}`,
      ...this.lines.slice(-12).map(({ facts: _, ...line }) => JSON.stringify(line)),
    ].join('\n');
  }
}
