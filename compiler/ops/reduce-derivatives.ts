// Tangents of reductions, for any index space: whole dimensions and windows alike.
//
// Each tangent (but a sum's, which is a sum) is one contraction of the operand's tangent, read where the reduction reads its
// operand, with a weight at every point of the space. So it is linear as it stands, and its transposition is a contraction again.

import type { Builder } from '../ir/builder.js';
import { dimConst, dimProduct, dimValue } from '../ir/dims.js';
import type { Access, NodeOf, Value, View } from '../ir/graph.js';
import { plainAccess, plainIndicesOf } from '../ir/space.js';
import type { JvpRule } from './op.js';

type Reduction = NodeOf<'reduce'>;

/** Values at the points of a reduction's space, in a layout that the contraction of the tangent can address. */
interface Points {
  /** The operand's element at every point; 0 where it is absent. */
  readonly values: Value;
  /** Whether the element is there, when some may be absent. */
  readonly present?: Value;
  /** How a tensor of this layout is addressed by the space. */
  readonly access: Access;
  /** Repeats a value over the outer indices to the layout. */
  readonly spread: (outer: Value) => Value;
}

const extents = (node: Reduction) => node.space.indices.map((index) => index.extent);

/** The operand in its own layout when the reduction is over whole dimensions of it, else laid out anew by the space's indices. */
function pointsOf(node: Reduction, b: Builder): Points {
  const operand = node.inputs[0] as Value;
  const { indices, outer } = node.space;
  const plain = plainIndicesOf(node.access);
  const isWhole = plain !== undefined && plain.length === indices.length && new Set(plain).size === indices.length;
  if (isWhole) {
    // The outer indices in the order of the operand's dimensions that carry them, and those dimensions.
    const dims = plain.flatMap((index, dim) => (index < outer ? [dim] : []));
    const order = dims.map((dim) => plain[dim] as number);
    const spread = (value: Value) =>
      b.view(b.permute(value, order), { type: 'broadcast', shape: operand.type.shape, dims });
    return { values: operand, access: node.access, spread };
  }
  return { ...unfolded(node, b), access: plainAccess(indices.map((_, i) => i)) };
}

/** The operand's elements as a tensor with one dimension for each index of the space. */
function unfolded(node: Reduction, b: Builder): Omit<Points, 'access'> {
  const operand = node.inputs[0] as Value;
  const { indices, outer } = node.space;
  const space = { indices, outer: indices.length };
  const view: View = { type: 'broadcast', shape: extents(node), dims: indices.slice(0, outer).map((_, i) => i) };
  const points = {
    values: b.contract(space, [node.access], [operand]),
    spread: (value: Value) => b.view(value, view),
  };
  const mayBeAbsent = node.access.some((s) => s.kind === 'affine' && (s.masked || s.divisor !== 1));
  if (!mayBeAbsent) return points;
  const ones = b.constant(1, operand.type.dtype, operand.type.shape);
  const zero = b.constant(0, operand.type.dtype);
  return { ...points, present: b.elementwise('ne', [b.contract(space, [node.access], [ones]), zero]) };
}

/** A sum's tangent is the sum of the tangents. */
export const sumTangent: JvpRule<'reduce'> = (node, [tangent], b) =>
  tangent === undefined ? [undefined] : b.reduceOver(node.op, tangent, node.space, node.access);

/** The tangent of an extreme value: the mean of the tangents of the elements that are equal to it. */
export const sharedAmongTies: JvpRule<'reduce'> = (node, [tangent], b) => {
  if (tangent === undefined) return [undefined];
  const points = pointsOf(node, b);
  const equal = b.elementwise('eq', [points.values, points.spread(node.results[0] as Value)]);
  const winners = points.present === undefined ? equal : b.elementwise('logical_and', [equal, points.present]);
  const weights = b.cast(winners, tangent.type.dtype, 'ties');
  const total = b.contract(node.space, [node.access, points.access], [tangent, weights]);
  const count = b.contract(node.space, [points.access], [weights]);
  return [b.elementwise('div', [total, count])];
};

/** The tangent of an extreme value with a position: that of the element at the position. */
export const tangentAtPosition: JvpRule<'reduce'> = (node, [tangent], b) => {
  if (tangent === undefined) return [undefined, undefined];
  const { indices, outer } = node.space;
  const inner = extents(node).slice(outer);
  const count = dimProduct(inner);
  // What is kept for the derivative of a window takes half the memory.
  const dtype = (dimValue(count) ?? Number.POSITIVE_INFINITY) < 2 ** 31 ? 'i32' : 'i64';
  const position = b.cast(node.results[1] as Value, dtype);
  const positions = b.reshape(b.iota([count], 0, dtype), inner, 'position');
  const ones = inner.map(() => dimConst(1));
  const isHere = b.elementwise('eq', [b.reshape(position, [...position.type.shape, ...ones]), positions], 'here');
  const here = b.cast(isHere, tangent.type.dtype, 'here');
  const points = plainAccess(indices.map((_, i) => i));
  return [b.contract(node.space, [node.access, points], [tangent, here]), undefined];
};

/**
 * The tangent of a product: every element's tangent times the product of all other elements, which is the product of those before it
 * and those after it. No division takes part, so it is right where elements are 0, and so is its own derivative.
 */
export const prodTangent: JvpRule<'reduce'> = (node, [tangent], b) => {
  if (tangent === undefined) return [undefined];
  const { indices, outer } = node.space;
  const { values, present } = unfolded(node, b);
  const one = b.constant(1, values.type.dtype);
  const factors = present === undefined ? values : b.elementwise('where', [present, values, one]);
  const shape = extents(node);
  const row = [...shape.slice(0, outer), dimProduct(shape.slice(outer))];
  const rows = b.reshape(factors, row);
  const others = b.elementwise('mul', [productBefore(rows, outer, false, b), productBefore(rows, outer, true, b)]);
  const points = plainAccess(indices.map((_, i) => i));
  const weights = b.reshape(others, shape, 'others');
  return [b.contract(node.space, [node.access, points], [tangent, weights])];
};

/** At every place along `dim`, the product of the elements before it (after it with `reverse`). */
function productBefore(rows: Value, dim: number, reverse: boolean, b: Builder): Value {
  const { dtype, shape } = rows.type;
  const at = (value: number, elsewhere: number) => shape.map((_, i) => dimConst(i === dim ? value : elsewhere));
  const low = at(reverse ? 0 : 1, 0);
  const high = at(reverse ? 1 : 0, 0);
  const longer = b.pad(
    rows,
    b.constant(1, dtype),
    low,
    high,
    shape.map(() => 0),
  );
  const shifted = b.view(longer, { type: 'slice', starts: high, steps: shape.map(() => 1), sizes: shape });
  const [products] = b.add({ kind: 'order', op: 'cumprod', dim, reverse, inputs: [shifted] });
  return products as Value;
}
