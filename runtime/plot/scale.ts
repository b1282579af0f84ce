// Axes: from what the data say to where it lies on the page, and the round numbers beside them.

import { ticks } from 'd3-array';

/** One axis. */
export interface Scale {
  readonly ticks: readonly number[];
  /** The place of a value on the page. */
  place(value: number): number;
}

export type ScaleKind = 'linear' | 'log';

/** The least and the largest of some values. */
export function extent(values: Iterable<number>): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}

/** Round numbers that cover a range in about `count` steps of 1, 2 or 5 times a power of ten. */
export const ticksBetween = (low: number, high: number, count: number): number[] =>
  high > low ? ticks(low, high, count) : [low];

/** A scale from a range of values to a range of the page. A range of one value is made wider; `count` is about how many ticks there are. */
export function makeScale(
  kind: ScaleKind,
  [least, most]: readonly [number, number],
  from: number,
  to: number,
  count: number,
): Scale {
  const project = kind === 'log' ? Math.log10 : (value: number) => value;
  const [a, b] = [project(least), project(most)];
  const pad = b > a ? 0 : Math.abs(a) * 0.1 || 1;
  const [low, high] = [a - pad, b + pad];
  return {
    ticks: kind === 'log' ? logTicks(low, high, count) : ticksBetween(low, high, count),
    place: (value) => from + ((project(value) - low) / (high - low)) * (to - from),
  };
}

/** Powers of ten between two exponents; where there are few, also their doubles and fives, and within one decade round numbers. */
function logTicks(low: number, high: number, count: number): number[] {
  const decades = ticksBetween(low, high, count).filter(Number.isInteger);
  if (decades.length >= 3) return decades.map((power) => 10 ** power);
  const [first, last] = [Math.floor(low), Math.ceil(high)];
  const finer = Array.from({ length: last - first + 1 }, (_, i) => first + i).flatMap((power) =>
    [1, 2, 5].map((multiple) => Number(`${multiple}e${power}`)),
  );
  const within = finer.filter((tick) => tick >= 10 ** low * (1 - 1e-9) && tick <= 10 ** high * (1 + 1e-9));
  return within.length >= 3 ? within : ticksBetween(10 ** low, 10 ** high, count).filter((tick) => tick > 0);
}
