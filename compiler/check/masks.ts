// Selection by masks. How many elements a mask selects is part of the type of the result, so the mask is known when compiling.

import { type Dim, dimConst, printDim } from '../ir/dims.js';
import type { Value } from '../ir/graph.js';
import type { Complaint, Context } from './context.js';
import { knownValue } from './known.js';
import type { Site } from './values.js';

/** The positions of a mask's elements along one of its axes, which has `maskSize` of them. */
export interface MaskPositions {
  readonly value: Value;
  readonly maskSize: number;
}

/** What to say of a result whose size is known only when running: what has a bound, or keeps the shape, is there instead. */
export function dependsOnData(cx: Context, site: Site): Complaint {
  const name = cx.actor('');
  const shape = 'keep the shape: where(mask, x, 0), masked_fill(x, mask, v), or sum(where(mask, x, 0))';
  if (!withBound.has(name))
    return { message: 'the size of a selection by mask depends on the data', site, help: shape };
  const help = `state a bound, \`${name}(…, size: n)\`, or ${shape}`;
  return { message: `the size of what \`${name}\` gives depends on the data`, site, help };
}

/** Functions of the library that take a bound. */
const withBound: ReadonlySet<string> = new Set(['nonzero', 'masked_select', 'unique', 'bincount']);

/** Where a mask is true, in row-major order: the positions along each of its axes. */
export function maskPositions(cx: Context, mask: Value, site: Site): readonly MaskPositions[] {
  const known = knownValue(cx, mask);
  if (known === undefined) {
    return cx.fail('L0903', dependsOnData(cx, site));
  }
  const places = Array.from(known.data, Number).flatMap((element, place) => (element === 0 ? [] : [place]));
  let inner = known.data.length;
  return known.shape.map((size) => {
    inner = size === 0 ? 0 : inner / size;
    const along = places.map((place) => Math.floor(place / inner) % size);
    return { value: cx.b.literal(along, 'i64', [dimConst(along.length)]), maskSize: size };
  });
}

/** A mask has the size of the axis that it selects from. */
export function checkMask(cx: Context, maskSize: number | undefined, size: Dim, axis: number, site: Site): void {
  if (maskSize === undefined || cx.sameSize(dimConst(maskSize), size, 'a mask has the size of its axis')) return;
  cx.fail('E0302', {
    message: `the mask has ${maskSize} elements along axis ${axis}, the tensor ${printDim(size)}`,
    site,
  });
}
