// Time of the simulated world: it moves only when everything due has been done.
import { type Clock, realClock, type Timer } from '../clock.ts';

interface Due {
  atUptimeMs: number;
  order: number;
  fire: () => void;
  live: boolean;
}

/** A clock that outlives the simulated daemon; each run of the daemon gets a life of its own. */
export class VirtualClock {
  private uptime = 0;
  private readonly startUtcMs: number;
  private wallStepMs = 0;
  private order = 0;
  private held = 0;
  private readonly heap: Due[] = [];
  private ready: (() => void)[] = [];

  constructor(startUtcMs: number) {
    this.startUtcMs = startUtcMs;
  }

  get uptimeMs(): number {
    return this.uptime;
  }

  get utcMs(): number {
    return Math.round(this.startUtcMs + this.uptime + this.wallStepMs);
  }

  /** A step of the wall clock, as NTP or an operator makes it. Uptime does not follow. */
  stepWall(byMs: number): void {
    this.wallStepMs += byMs;
  }

  /** The clock one run of the daemon sees; nothing it set fires once `alive` is false. */
  life(): { clock: Clock; end(): void } {
    let alive = true;
    const guarded = (fire: () => void) => () => {
      if (alive) fire();
    };
    const clock: Clock = {
      utcMs: () => this.utcMs,
      uptimeMs: () => this.uptime,
      after: (delayMs, fire) => this.after(delayMs, guarded(fire)),
      soon: (fire) => {
        this.ready.push(guarded(fire));
      },
    };
    return {
      clock,
      end() {
        alive = false;
      },
    };
  }

  /** Time stands still until the function that this gives is called: real work is going on. */
  hold(): () => void {
    this.held += 1;
    let holds = true;
    return () => {
      if (holds) this.held -= 1;
      holds = false;
    };
  }

  after(delayMs: number, fire: () => void): Timer {
    this.order += 1;
    const due: Due = {
      atUptimeMs: this.uptime + Math.max(0, delayMs),
      order: this.order,
      fire,
      live: true,
    };
    this.push(due);
    return {
      cancel() {
        due.live = false;
      },
    };
  }

  /** Runs the world until `untilUptimeMs`: everything that is due, in a repeatable order. */
  async run(untilUptimeMs: number): Promise<void> {
    for (;;) {
      await drained();
      const ready = this.ready;
      if (ready.length > 0) {
        this.ready = [];
        for (const fire of ready) fire();
        continue;
      }
      if (this.held > 0) continue;
      const next = this.heap[0];
      if (!next || next.atUptimeMs > untilUptimeMs) break;
      this.pop();
      if (!next.live) continue;
      this.uptime = next.atUptimeMs;
      next.fire();
    }
    this.uptime = Math.max(this.uptime, untilUptimeMs);
  }

  private before(a: Due, b: Due): boolean {
    return a.atUptimeMs < b.atUptimeMs || (a.atUptimeMs === b.atUptimeMs && a.order < b.order);
  }

  private push(due: Due): void {
    const { heap } = this;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (!parent || !this.before(due, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = due;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = heap[child];
      const right = heap[child + 1];
      if (!left) break;
      let least = left;
      if (right && this.before(right, left)) {
        least = right;
        child += 1;
      }
      if (!this.before(least, last)) break;
      heap[at] = least;
      at = child;
    }
    heap[at] = last;
  }
}

/** Resolves when all promise reactions that were due have run. */
function drained(): Promise<void> {
  return new Promise((resolve) => realClock.soon(resolve));
}
