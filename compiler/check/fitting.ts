// Operands as an index space reads them. An index that runs along several axes has one extent, while the axes may state sizes of their own that
// were only assumed to be equal to it, or at least as large: an entry checks that when it is called, and the graph is written as if it were known.

import { type Dim, dimConst, dimEquals } from '../ir/dims.js';
import type { Access, Index, Subscript, Value } from '../ir/graph.js';
import { isInside, plainIndexOf } from '../ir/space.js';
import type { Context } from './context.js';

/**
 * The value with its axes as long as the indices that read them, so that no read needs to ask whether it is inside: sizes that are assumed to be
 * equal are stated anew, of an axis that is at least as large the part is taken that is read.
 */
export function fitted(cx: Context, value: Value, access: Access, indices: readonly Index[]): Value {
  const own = value.type.shape;
  const shape = own.map((size, axis) => readSize(access[axis] as Subscript, size, indices));
  if (shape.every((size, axis) => dimEquals(size, own[axis] as Dim))) return value;
  const isRestated = shape.every((size, axis) => cx.areAssumedEqual(size, own[axis] as Dim));
  if (isRestated) return cx.b.reshape(value, shape);
  return cx.b.view(value, {
    type: 'slice',
    starts: shape.map(() => dimConst(0)),
    steps: shape.map(() => 1),
    sizes: shape,
  });
}

/** How much of an axis is read: all of it, unless one index runs along it and is not known to stay inside. */
function readSize(subscript: Subscript, size: Dim, indices: readonly Index[]): Dim {
  const at = plainIndexOf(subscript);
  if (at === undefined || subscript.kind !== 'affine' || subscript.masked) return size;
  return isInside(subscript.expression, subscript.divisor, size, indices) ? size : (indices[at] as Index).extent;
}
