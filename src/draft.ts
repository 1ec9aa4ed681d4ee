// What a decision reads and writes: rows, entries, effects. Data only; a room makes it happen.
import { type Entry, idProblem } from './audit/entry.ts';

/** A row of the working set. `id` is its key; every other column is plain data. */
export interface Row {
  readonly id: string;
}

/** The tables of a room's working set: name of the table → type of its rows. */
export type Tables = Record<string, Row>;

/** One changed row; `row: null` deletes. `expectVersion` makes the commit refuse a stale row. */
export interface Change {
  table: string;
  id: string;
  row: Row | null;
  expectVersion?: number;
}

/** Something to be done in the world. Effects of one lane are done one after the other. */
export interface Effect {
  readonly kind: string;
  readonly lane: string;
  /** After this long without a result the outcome is unknown. */
  readonly deadlineMs: number;
}

/** The moment at which a decision is made, and the source of new ids. */
export interface Moment {
  atUtcMs: number;
  uptimeMs: number;
  newId(kind: string): string;
}

const codeChars = 48;

/** A reason that came from outside, as a code that may stand in an entry: never its free text. */
export function toCode(reason: string): string {
  const code = codeOf(reason.replace(/\d{5,}/g, 'n'));
  // Shorter runs of digits in a row, as of an address and its port, look like a number together.
  return idProblem('code', code) === undefined ? code : codeOf(reason.replace(/\d+/g, 'n'));
}

function codeOf(reason: string): string {
  const code = reason
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, codeChars)
    .replace(/-+$/, '');
  return code === '' ? 'unnamed' : code;
}

/** Collects what a decision reads and writes; the state itself stays as it was. */
export class Draft<T extends Tables, F extends Effect> {
  readonly entries: Entry[] = [];
  readonly effects: { id: string; effect: F }[] = [];
  private readonly written = new Map<string, Map<string, Row | null>>();
  private readonly expected = new Map<string, number>();
  private readonly left: { table: string; id: string }[] = [];
  private answered: unknown;
  readonly room: string;
  private readonly state: ReadonlyMap<string, ReadonlyMap<string, Row>>;

  constructor(room: string, state: ReadonlyMap<string, ReadonlyMap<string, Row>>) {
    this.room = room;
    this.state = state;
  }

  get<N extends keyof T & string>(table: N, id: string): T[N] | undefined {
    const own = this.written.get(table)?.get(id);
    if (own === null) return undefined;
    return (own ?? this.state.get(table)?.get(id)) as T[N] | undefined;
  }

  *all<N extends keyof T & string>(table: N): Generator<T[N]> {
    const own = this.written.get(table);
    for (const [id, row] of this.state.get(table) ?? []) if (!own?.has(id)) yield row as T[N];
    for (const row of own?.values() ?? []) if (row !== null) yield row as T[N];
  }

  /**
   * `expectVersion`: the version the row had when it was read from the store. Of several puts in
   * one turn the first counts: the later ones build on it.
   */
  put<N extends keyof T & string>(table: N, row: T[N], expectVersion?: number): void {
    this.write(table, row.id, row);
    const key = `${table}/${row.id}`;
    if (expectVersion !== undefined && !this.expected.has(key)) {
      this.expected.set(key, expectVersion);
    }
  }

  drop<N extends keyof T & string>(table: N, id: string): void {
    this.write(table, id, null);
  }

  /** Lets a row leave the working set: it is written as it stands, and memory forgets it. */
  release<N extends keyof T & string>(table: N, id: string): void {
    this.left.push({ table, id });
  }

  released(): readonly { table: string; id: string }[] {
    return this.left;
  }

  entry(entry: Omit<Entry, 'room'>): void {
    this.entries.push({ room: this.room, ...entry });
  }

  effect(id: string, effect: F): void {
    this.effects.push({ id, effect });
  }

  /** What the asker of this event gets once the batch is durable. */
  answer(value: unknown): void {
    this.answered = value;
  }

  takeAnswer(): unknown {
    const answer = this.answered;
    this.answered = undefined;
    return answer;
  }

  changes(): Change[] {
    const list: Change[] = [];
    for (const [table, rows] of this.written)
      for (const [id, row] of rows) {
        const expectVersion = this.expected.get(`${table}/${id}`);
        list.push(
          expectVersion === undefined ? { table, id, row } : { table, id, row, expectVersion },
        );
      }
    return list;
  }

  private write(table: string, id: string, row: Row | null): void {
    let rows = this.written.get(table);
    if (!rows) {
      rows = new Map();
      this.written.set(table, rows);
    }
    // Deleting first keeps the order of the last write, which all() and the commit follow.
    rows.delete(id);
    rows.set(id, row);
  }
}
