// What copies leave out: the values of a coordinate at which a factor is absent, where tiles take no summed points that lead there.
//
// The gradient of an unpadded convolution by its input has 4 rows without a factor above an image and 4 below it, for 5 taps. Tiles of one row take
// only the taps that lead to a row that there is (windows.ts), so that a copy needs no others; tiles of two rows read one row more.

import { dimValue } from '../../../compiler/ir/dims.js';
import { type Coordinate, extentOf } from './copies.js';
import type { Nest } from './nest.js';
import type { Copy } from './orientation.js';
import { type Bound, constantOf, type Windows } from './windows.js';

/** A copy without the values of its coordinates that no tile reads, in chunks that cover all values of the indices in them. */
export function withoutMargins(copy: Copy, nest: Nest, windows: Windows, tile: ReadonlyMap<string, number>): Copy {
  if (windows.size === 0) return copy;
  const narrowed = new Map(copy.coordinates.map((each) => [each, narrow(each, nest, windows, tile)]));
  const of = (coordinate: Coordinate): Coordinate => narrowed.get(coordinate) as Coordinate;
  return { ...copy, coordinates: copy.coordinates.map(of), along: copy.along && of(copy.along) };
}

/** The outer indices of which a chunk has to cover all values, because a copy leaves out margins. */
export const wholeIndices = (copies: readonly (Copy | undefined)[]): readonly string[] =>
  copies.flatMap((copy) =>
    (copy?.coordinates ?? []).flatMap(({ terms, margins }) =>
      margins === undefined ? [] : terms.map(({ index }) => index),
    ),
  );

function narrow(coordinate: Coordinate, nest: Nest, windows: Windows, tile: ReadonlyMap<string, number>): Coordinate {
  let [first, last] = [0, 0];
  const range = rangeOf(coordinate, nest);
  if (range === undefined) return coordinate;
  for (const [index, bounds] of windows)
    for (const bound of bounds) {
      const scale = scaleOf(coordinate, index, bound);
      const constant = constantOf(bound, index);
      if (scale === undefined || constant === undefined) continue;
      // Rows of a tile share its taps, so that some of them read beyond the limit.
      const beyond = coordinate.terms.reduce(
        (sum, term) =>
          term.index === index ? sum : sum + Math.abs(term.coefficient) * ((tile.get(term.index) ?? 1) - 1),
        0,
      );
      if (scale > 0) first = Math.max(first, Math.ceil(-constant / scale) - range.least - beyond);
      else last = Math.max(last, range.most - Math.floor(constant / -scale) - beyond);
    }
  return first + last > 0 && first + last <= range.most - range.least
    ? { ...coordinate, margins: [first, last] }
    : coordinate;
}

/** The least and the largest value of Σ coefficient · index; undefined where an extent is not known. */
function rangeOf({ terms }: Coordinate, nest: Nest): { readonly least: number; readonly most: number } | undefined {
  let [least, most] = [0, 0];
  for (const { index, coefficient } of terms) {
    const extent = dimValue(extentOf(nest, index));
    if (extent === undefined) return undefined;
    if (coefficient > 0) most += coefficient * (extent - 1);
    else least += coefficient * (extent - 1);
  }
  return { least, most };
}

/** By how much the value of a bound moves with the coordinate, if it depends on nothing else. */
function scaleOf({ terms }: Coordinate, index: string, { step, outer }: Bound): number | undefined {
  const slopes = new Map([...outer, [index, step]]);
  if (terms.length < 2 || terms.length !== slopes.size) return undefined;
  const scales = terms.map((term) => (slopes.get(term.index) ?? Number.NaN) / term.coefficient);
  const [scale] = scales;
  return scales.every((each) => each === scale) && Number.isInteger(scale) ? scale : undefined;
}
