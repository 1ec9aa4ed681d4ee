// How long something lasts (a talk, a wrap-up, a ring), learned as weights in widening bins.

/** Near zero a bin is 0.5 s wide, at 35 s about 2 s, at 5 minutes 15 s: all resolve alike. */
const scaleMs = 10_000;
const binsPerUnit = 20;
/** The last bin begins near 67 minutes and takes everything above. */
const binCount = 120;

/** `below[j]` is the weight of the durations that ended before the upper edge of bin `j`. */
export interface DurationCurve {
  readonly below: readonly number[];
}

/** What is believed before anything was seen, worth `weight` observations. */
export interface DurationPrior {
  medianMs: number;
  /** Steepness of a log-logistic curve: 2 is wide, 4 narrow; its tail is heavy either way. */
  shape: number;
  weight: number;
}

function positionOf(durationMs: number): number {
  return binsPerUnit * Math.log(1 + Math.max(0, durationMs) / scaleMs);
}

function upperEdgeMs(bin: number): number {
  return scaleMs * (Math.exp((bin + 1) / binsPerUnit) - 1);
}

/** A curve that holds only its prior. */
export function newDurationCurve({ medianMs, shape, weight }: DurationPrior): DurationCurve {
  const below = Array.from({ length: binCount }, (_, bin) =>
    bin === binCount - 1 ? weight : weight / (1 + (medianMs / upperEdgeMs(bin)) ** shape),
  );
  return { below };
}

/**
 * The curve after one more duration. All older weight, the prior included, fades by one part in
 * `memory`, so that the curve follows a list whose conversations change during the day.
 */
export function addDuration(
  curve: DurationCurve,
  durationMs: number,
  memory: number,
): DurationCurve {
  const bin = Math.min(binCount - 1, Math.floor(positionOf(durationMs)));
  const keep = 1 - 1 / memory;
  return { below: curve.below.map((weight, j) => weight * keep + (j >= bin ? 1 : 0)) };
}

/** The share (0 to 1) of durations that end within `durationMs`; linear inside a bin. */
export function shareWithin({ below }: DurationCurve, durationMs: number): number {
  const position = positionOf(durationMs);
  const bin = Math.floor(position);
  const total = below[binCount - 1] ?? 1;
  if (bin >= binCount - 1) return 1;
  const low = bin === 0 ? 0 : (below[bin - 1] ?? 0);
  return (low + ((below[bin] ?? 0) - low) * (position - bin)) / total;
}

/** The duration within which `share` (0 to 1) of all end: the inverse of `shareWithin`. */
export function quantileMs({ below }: DurationCurve, share: number): number {
  const wanted = share * (below[binCount - 1] ?? 1);
  const bin = below.findIndex((weight) => weight >= wanted);
  const low = bin <= 0 ? 0 : (below[bin - 1] ?? 0);
  const width = (below[bin] ?? 0) - low;
  const inside = width > 0 ? (wanted - low) / width : 0;
  return scaleMs * (Math.exp((Math.max(0, bin) + inside) / binsPerUnit) - 1);
}
