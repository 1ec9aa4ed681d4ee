// What a checker is: one invariant, held against everything that happens on a simulated day.
import type { LedgerRecord } from '../audit/verify.ts';
import type { ContactPolicy } from '../cases/contact-policy.ts';
import type { Row } from '../draft.ts';
import type { Floor } from '../floor.ts';
import type { Database } from '../store/database.ts';
import type { Book } from './book.ts';
import type { FaultAccount } from './faults.ts';
import type { PhoneWorld } from './phone-world.ts';
import type { VirtualClock } from './virtual-clock.ts';
import type { Commit } from './watched-store.ts';
import type { WorldEvent } from './world-event.ts';

/** A commit as a checker sees it: bytes, records, and the rows it changed. */
export interface SeenCommit extends Commit {
  readonly records: readonly LedgerRecord[];
}

/** What a checker may look at. Rows are those that are durable, kept by every commit. */
export interface Scene {
  readonly clock: VirtualClock;
  readonly account: FaultAccount;
  readonly book: Book;
  readonly policy: ContactPolicy;
  readonly world: PhoneWorld;
  readonly database: Database;
  rows(table: string): ReadonlyMap<string, Row>;
  /** The floor, while its daemon lives and has started. */
  floor(): Floor | undefined;
  /** Says that the invariant does not hold. */
  report(text: string): void;
}

export interface Checker {
  committed?(commit: SeenCommit): void;
  happened?(event: WorldEvent): void;
  /** Once in each minute of the day. */
  minute?(): void;
  /** The house is closed, everything that was going on has ended. */
  closed?(): void;
}

export interface Invariant {
  readonly name: string;
  /** One sentence, as it is to hold. */
  readonly states: string;
  watch(scene: Scene): Checker;
}

/** After the cause of a trouble has ended, the floor works again within this time. */
export const workingAgainMs = 10_000;
