// Windows at the border of an operand: which summed points a tile may leave out, because a factor is absent there for all of its results.
//
// The gradient of a convolution by its input sums dy[y - k] over the taps k where 0 ≤ y - k < height. A tile of the rows y = 0 and 1 needs the taps
// 0 and 1 alone.

import {
  type Dim,
  dimAdd,
  dimConst,
  dimFloorDiv,
  dimMax,
  dimNeg,
  dimSub,
  dimSubstitute,
  dimValue,
} from '../../../compiler/ir/dims.js';
import type { Guard, Position } from '../ir.js';
import { mentions, stride } from '../positions.js';
import { extentOf, type Factor } from './copies.js';
import type { Nest } from './nest.js';
import { rowPanels, smaller } from './runs.js';

/** A value that must not be negative where a factor is present. It depends on one summed index, by constant steps, and on outer indices. */
export interface Bound {
  readonly value: Position;
  readonly step: number;
  /** The outer indices in it, and their steps. */
  readonly outer: ReadonlyMap<string, number>;
}

/** Bounds by the summed index that they limit. */
export type Windows = ReadonlyMap<string, readonly Bound[]>;

/** The bounds that the conditions of factors set, those that depend on the vector index left out: its lanes differ. */
export function windowsOf(nest: Nest, factors: readonly Factor[], vector: string): Windows {
  const windows = new Map<string, Bound[]>();
  for (const { temp } of factors) {
    const definition = nest.values.get(temp.name);
    for (const guard of definition?.kind === 'load' ? definition.guards : []) {
      const found = boundOf(nest, guard, vector);
      if (found !== undefined) windows.set(found.index, [...(windows.get(found.index) ?? []), found.bound]);
    }
  }
  return windows;
}

function boundOf(nest: Nest, guard: Guard, vector: string): Limit | undefined {
  if (mentions(guard.value, vector)) return undefined;
  const names = (indices: Nest['outer']): readonly string[] => indices.map(({ name }) => name);
  const found = limitOf(guard, names(nest.summed), names(nest.outer));
  return found !== undefined && found.bound.outer.size > 0 ? found : undefined;
}

/** A bound, and the index that it limits. */
export interface Limit {
  readonly index: string;
  readonly bound: Bound;
}

/** The bound that a condition sets one of the inner indices; undefined where it depends on none or on several, or not by constant steps. */
export function limitOf(
  { kind, value }: Guard,
  innerNames: readonly string[],
  outerNames: readonly string[],
): Limit | undefined {
  if (kind !== 'nonnegative') return undefined;
  const own = (names: readonly string[]): ReadonlyMap<string, number | undefined> =>
    new Map(names.filter((name) => mentions(value, name)).map((name) => [name, stride(value, name)]));
  const outer = own(outerNames);
  const [limited, ...others] = own(innerNames);
  if (limited === undefined || others.length > 0) return undefined;
  const [index, step] = limited;
  if (step === undefined || [...outer.values()].includes(undefined)) return undefined;
  return { index, bound: { value, step, outer: outer as ReadonlyMap<string, number> } };
}

/** A part of the values of an index. */
export interface Span {
  readonly start: Position;
  readonly length: Dim;
}

/** The part of a summed index that a tile needs; `panel` is what it covers of an outer index. */
export function spanIn(bounds: readonly Bound[], index: string, extent: Dim, panel: (outer: string) => Span): Span {
  let first = dimConst(0);
  let end = extent;
  for (const { value, step, outer } of bounds) {
    // Where the outer indices favour it most.
    const best = [...outer].map(([name, slope]): readonly [string, Position] => {
      const { start, length } = panel(name);
      return [name, slope > 0 ? dimAdd(start, dimSub(length, dimConst(1))) : start];
    });
    const rest = dimSubstitute(value, new Map([...best, [index, dimConst(0)]]));
    const limit = dimFloorDiv(rest, dimConst(Math.abs(step)));
    if (step > 0) first = dimMax(first, dimNeg(limit));
    else end = smaller(end, dimAdd(limit, dimConst(1)));
  }
  return { start: first, length: dimMax(dimSub(end, first), dimConst(0)) };
}

/** Shares above this are not worth a loop whose bounds are computed. */
const WORTHWHILE_SHARE = 0.97;

/** Values begin ... begin + length - 1 of an index. */
type Stretch = readonly [begin: number, length: number];

/** A bound of which all numbers are known. */
interface KnownBound {
  readonly constant: number;
  readonly step: number;
  readonly outer: readonly (readonly [index: string, slope: number])[];
}

/** The value of a bound where all of its indices are 0, if it is known. */
export const constantOf = ({ value, outer }: Bound, index: string): number | undefined =>
  dimValue(dimSubstitute(value, new Map([...outer.keys(), index].map((name) => [name, dimConst(0)]))));

function knownBound(bound: Bound, index: string): KnownBound | undefined {
  const constant = constantOf(bound, index);
  return constant === undefined ? undefined : { constant, step: bound.step, outer: [...bound.outer] };
}

/** The share of a summed index that tiles need on average; 1 where it is not known, or hardly less. */
export function neededShare(
  nest: Nest,
  bounds: readonly Bound[],
  index: string,
  tile: ReadonlyMap<string, number>,
): number {
  const whole = dimValue(extentOf(nest, index));
  if (whole === undefined || whole === 0) return 1;
  const known = bounds.map((bound) => knownBound(bound, index));
  if (known.includes(undefined)) return 1;
  const names = [...new Set(bounds.flatMap(({ outer }) => [...outer.keys()]))];
  const panels = names.map((name) => stretches(extentOf(nest, name), tile.get(name) ?? 1));
  if (panels.includes(undefined)) return 1;
  const at = new Map<string, Stretch>();
  let [sum, count] = [0, 0];
  const visit = (d: number): void => {
    const name = names[d];
    if (name === undefined) {
      sum += neededLength(known as readonly KnownBound[], whole, at);
      count++;
      return;
    }
    for (const stretch of panels[d] as readonly Stretch[]) {
      at.set(name, stretch);
      visit(d + 1);
    }
  };
  visit(0);
  const share = sum / (whole * count);
  return share <= WORTHWHILE_SHARE ? share : 1;
}

/** The length of `spanIn` where all numbers are known. */
function neededLength(bounds: readonly KnownBound[], extent: number, at: ReadonlyMap<string, Stretch>): number {
  let [first, end] = [0, extent];
  for (const { constant, step, outer } of bounds) {
    let rest = constant;
    for (const [name, slope] of outer) {
      const [begin, length] = at.get(name) as Stretch;
      rest += slope * (slope > 0 ? begin + length - 1 : begin);
    }
    const limit = Math.floor(rest / Math.abs(step));
    if (step > 0) first = Math.max(first, -limit);
    else end = Math.min(end, limit + 1);
  }
  return Math.max(end - first, 0);
}

/** The panels of an index; undefined where its extent is not known. */
function stretches(extent: Dim, size: number): readonly Stretch[] | undefined {
  if (dimValue(extent) === undefined) return undefined;
  return rowPanels(extent, size).runs.flatMap(({ start, size: length, count }) =>
    Array.from({ length: dimValue(count) ?? 0 }, (_, i): Stretch => [(dimValue(start) ?? 0) + i * length, length]),
  );
}
