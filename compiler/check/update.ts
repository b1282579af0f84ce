// `update(x, [items], v)`: a tensor with other elements at the places that an index addresses. One scatter writes them.

import { type Dim, dimConst, dimValue, printDim } from '../ir/dims.js';
import type { Access, Index, Subscript, Value } from '../ir/graph.js';
import { affineConst, affineIndex, affineSubscript, plainSubscript, shapeSpace } from '../ir/space.js';
import type { Context } from './context.js';
import { areApart, expandEllipsis, nonNegativeIndices, type PlacedItem, position, sliceRange } from './indexing.js';
import { checkMask } from './masks.js';
import { broadcastShape, restate } from './tensors.js';
import { type Site, typeText } from './values.js';

/** How one axis of the tensor is addressed: at one position, along a slice, or through an index tensor. */
type Place =
  | { readonly kind: 'at'; readonly position: Dim }
  | { readonly kind: 'slice'; readonly start: Dim; readonly step: number; readonly size: Dim }
  | { readonly kind: 'lookup'; readonly table: Value };

/** The tensor with `values`, which broadcast to the elements addressed, in their places. */
export function updateTensor(
  cx: Context,
  value: Value,
  given: readonly PlacedItem[],
  values: Value,
  site: Site,
): Value {
  const items = expandEllipsis(cx, value, given);
  const places = items.map(({ item, site: at }, axis): Place => {
    const size = value.type.shape[axis] as Dim;
    switch (item.kind) {
      case 'int':
        return { kind: 'at', position: position(cx, item.at, size, axis, at) };
      case 'slice':
        return { kind: 'slice', ...sliceRange(cx, item, size) };
      case 'tensor':
        checkMask(cx, item.maskSize, size, axis, at);
        return { kind: 'lookup', table: nonNegativeIndices(cx, item.value, size) };
      default:
        return cx.fail('E0310', { message: 'the index of an update has no new axes', site: at });
    }
  });
  const tables = places.flatMap((place) => (place.kind === 'lookup' ? [place.table] : []));
  const looked = broadcastShape(
    cx,
    tables.map(({ type }) => type.shape),
    (_, a, b) =>
      cx.fail('E0304', { message: `the index tensors do not broadcast: ${printDim(a)} against ${printDim(b)}`, site }),
  );
  const slices = places.flatMap((place, axis) => (place.kind === 'slice' ? [{ ...place, axis }] : []));
  const first = places.findIndex((place) => place.kind === 'lookup');
  const front = tables.length === 0 || areApart(items) ? 0 : slices.filter(({ axis }) => axis < first).length;
  const shape = [...slices.slice(0, front), ...looked.map((size) => ({ size })), ...slices.slice(front)].map(
    ({ size }) => size,
  );
  const space = { indices: shapeSpace(shape).indices, outer: shape.length };
  const indexOfSlice = (axis: number): number => {
    const at = slices.findIndex((other) => other.axis === axis);
    return at < front ? at : at + looked.length;
  };
  const operands: Value[] = [];
  const access: Access = places.map((place, axis): Subscript => {
    const size = value.type.shape[axis] as Dim;
    if (place.kind === 'at') return affineSubscript(affineConst(place.position), 1, size, space.indices);
    if (place.kind === 'slice') {
      return affineSubscript(affineIndex(indexOfSlice(axis), place.step, place.start), 1, size, space.indices);
    }
    const operand = operands.push(restate(cx, place.table, looked)) + 1;
    return { kind: 'lookup', operand, subscripts: broadcastSubscripts(place.table, looked, front, space.indices) };
  });
  return cx.b.scatter('set', space, access, [value, broadcastValues(cx, values, shape, site), ...operands]);
}

/** An index tensor that broadcasts to `looked`, whose axes are the indices from `front` on. */
export function broadcastSubscripts(
  table: Value,
  looked: readonly Dim[],
  front: number,
  indices: readonly Index[],
): Access {
  const own = table.type.shape;
  const offset = looked.length - own.length;
  return own.map((size, i) =>
    dimValue(size) === 1
      ? affineSubscript(affineConst(0), 1, dimConst(1), indices)
      : plainSubscript(front + offset + i),
  );
}

/** The values repeated to the shape of the elements that they replace. */
export function broadcastValues(cx: Context, values: Value, shape: readonly Dim[], site: Site): Value {
  const refuse = (label: string): never =>
    cx.fail('E0304', {
      message: `${typeText(values.type)} does not broadcast to the elements that are updated`,
      label,
      site,
    });
  const full = broadcastShape(cx, [shape, values.type.shape], (axis, a, b) =>
    refuse(`axis ${axis} has ${printDim(a)} and ${printDim(b)}`),
  );
  if (full.length > shape.length) refuse(`there are ${shape.length} axes`);
  full.forEach((size, axis) => {
    const wanted = shape[axis] as Dim;
    if (!cx.sameSize(size, wanted, 'an update has the size of what it replaces'))
      refuse(`axis ${axis} has ${printDim(wanted)} and ${printDim(size)}`);
  });
  return cx.b.broadcastTo(restate(cx, values, shape), shape);
}
