// What a benchmark measured, and the one rule by which it is held to its bound.

/** With a load average below this at the start, the machine is idle enough to judge a speed. */
export const idleLoad = 0.5;
/** Runs of which the median is a figure. */
export const runs = 3;

export interface Measured {
  name: string;
  unit: string;
  /** One for each run. */
  values: readonly number[];
  /** The same work without the product, once in each of the same runs. */
  yardsticks?: readonly number[];
  atMost?: number;
  atLeast?: number;
  /** What may not happen once: every run is held to the bound, not only their median. */
  everyRun?: true;
  /**
   * at-any-load: the bound is a share of the yardstick, which suffered the same load, or the values
   * hold no time at all. Everything else is judged on an idle machine only.
   */
  judged: 'when-idle' | 'at-any-load';
}

/** A figure as the last line of `npm run bench` states it. */
export interface Figure {
  name: string;
  /** The median of the runs; of what every run must hold, the first that does not. */
  value: number;
  unit: string;
  /** null where nothing is promised. */
  bound: number | null;
  yardstick: number | null;
  /** unknown: the machine was busy, or nothing is promised. */
  ok: boolean | 'unknown';
  /** The lowest and the highest run. */
  spread: readonly [number, number];
  judged: Measured['judged'];
}

/** Holds what was measured to its bound; `load` is the load average at the start. */
export function judge(measured: Measured, load: number): Figure {
  const { name, unit, values, yardsticks, atMost, atLeast, everyRun, judged } = measured;
  const middle = median(values);
  const bound = atMost ?? atLeast;
  const breaks = (value: number) => !(value <= (atMost ?? value) && value >= (atLeast ?? value));
  // Without any run there is nothing that could hold.
  const broken = (everyRun && values.length > 0 ? values : [middle]).find(breaks);
  const known = bound !== undefined && (judged === 'at-any-load' || load < idleLoad);
  return {
    name,
    value: rounded(broken ?? middle),
    unit,
    bound: bound === undefined ? null : rounded(bound),
    yardstick: yardsticks === undefined ? null : rounded(median(yardsticks)),
    ok: known ? broken === undefined : 'unknown',
    spread: [rounded(Math.min(...values)), rounded(Math.max(...values))],
    judged,
  };
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** The value that a share of all of them does not pass. Of none it is NaN, which holds no bound. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

const rounded = (value: number) => Math.round(value * 100) / 100;
