// All order records: running sums, products and extremes along one dimension, and sorting.

import type { Builder } from '../ir/builder.js';
import { type DType, dtypeKind, dtypes, intRange } from '../ir/dtype.js';
import type { NodeOf, Subscript, Value } from '../ir/graph.js';
import { bitcast, cast, constant, type Scalar } from '../ir/scalar.js';
import { plainAccess, plainSubscript, shapeSpace } from '../ir/space.js';
import { add, and, choose, eq, ge, isNan, le, literal, mul, not, or, shr, xor } from '../scalar/expression.js';
import { computeDType } from '../scalar/function.js';
import type { JvpRule, OrderOp, ScanOp, SortOp } from './op.js';

const numbers = dtypes.filter((dtype) => dtype !== 'bool');

type Draft = Omit<ScanOp, 'kind' | 'method' | 'results' | 'init' | 'step' | 'merge' | 'finish' | 'accepts'>;

/** A running fold by an operator with an identity; half floats are folded in f32. */
const running = (identity: number, join: (a: Scalar, b: Scalar) => Scalar, rest: Draft): ScanOp => ({
  kind: 'order',
  method: 'scan',
  accepts: numbers,
  results: (dtype) => [dtype],
  init: (dtype) => [literal(identity, dtypeKind(dtype) === 'float' ? computeDType(dtype) : dtype)],
  step: ([state], element) => [join(state as Scalar, cast(element, (state as Scalar).dtype))],
  merge: ([left], [right]) => [join(left as Scalar, right as Scalar)],
  finish: ([state], dtype) => [cast(state as Scalar, dtype)],
  ...rest,
});

/** A running extreme with the position where it was seen last. */
const runningExtreme = (
  name: string,
  adjective: string,
  worst: (dtype: DType) => number | bigint,
  isAsGood: (a: Scalar, b: Scalar) => Scalar,
): ScanOp => {
  const step: ScanOp['step'] = (state, element, here) => {
    const [value, position] = state as readonly [Scalar, Scalar];
    const better = isAsGood(element, value);
    const takes = dtypeKind(value.dtype) === 'float' ? or(isNan(element), and(better, not(isNan(value)))) : better;
    return [choose(takes, element, value), choose(takes, here, position)];
  };
  return {
    kind: 'order',
    method: 'scan',
    name,
    doc:
      `The ${adjective} element so far and its position, of equal ones the last, as in PyTorch. NaN counts as beyond every number. ` +
      'The gradient goes to the element at the position.',
    accepts: numbers,
    results: (dtype) => [dtype, 'i64'],
    init: (dtype) => [constant(worst(dtype), dtype), literal(0, 'i64')],
    step,
    merge: (left, [value, position]) => step(left, value as Scalar, position as Scalar),
    finish: (state) => state,
    derivative: { kind: 'rule', jvp: tangentAtPosition },
    linear: false,
    domain: { low: -3, high: 3 },
    smooth: false,
  };
};

/** The tangent of a running extreme: that of the element at the position, gathered along the dimension. */
const tangentAtPosition: JvpRule<'order'> = (node, [tangent], b) => {
  if (tangent === undefined) return [undefined, undefined];
  const { shape } = tangent.type;
  const every = plainAccess(shape.map((_, i) => i));
  const lookup: Subscript = { kind: 'lookup', operand: 1, subscripts: every };
  const access = shape.map((_, i) => (i === node.dim ? lookup : plainSubscript(i)));
  return [b.gather(shapeSpace(shape), access, [tangent, node.results[1] as Value]), undefined];
};

/** Another running fold along the dimension of `node`. */
function along(node: NodeOf<'order'>, op: string, input: Value, b: Builder): Value {
  const [first] = b.add({ kind: 'order', op, dim: node.dim, reverse: node.reverse, inputs: [input] });
  return first as Value;
}

/**
 * The tangent of a running product c: before the first zero c · Σ t/x; from the first zero on, the tangent there times the
 * running product without it (every other term has that zero as a factor).
 */
const cumprodTangent: JvpRule<'order'> = (node, [tangent], b) => {
  if (tangent === undefined) return [undefined];
  const input = node.inputs[0] as Value;
  const { dtype } = input.type;
  const zero = b.constant(0, dtype);
  const one = b.constant(1, dtype);
  const where = (condition: Value, then: Value, otherwise: Value) =>
    b.elementwise('where', [condition, then, otherwise]);

  const isZero = b.elementwise('eq', [input, zero]);
  const zeros = along(node, 'cumsum', b.cast(isZero, 'i64'), b);
  const isFirst = b.elementwise('logical_and', [isZero, b.elementwise('eq', [zeros, b.constant(1, 'i64')])]);

  const ratio = where(isZero, zero, b.elementwise('div', [tangent, where(isZero, one, input)]));
  const before = b.elementwise('mul', [along(node, 'cumsum', ratio, b), node.results[0] as Value]);
  const without = along(node, 'cumprod', where(isFirst, one, input), b);
  const since = b.elementwise('mul', [along(node, 'cumsum', where(isFirst, tangent, zero), b), without]);
  return [b.elementwise('add', [before, since])];
};

const limit = (side: 'min' | 'max', infinity: number) => (dtype: DType) =>
  dtypeKind(dtype) === 'float' ? infinity : intRange(dtype)[side];

/**
 * A signed integer whose order is that of the elements: NaN above all numbers, both zeros equal. The bits of floats that are not negative are in
 * order; those of negative ones are turned over but for the sign.
 */
function sortKey(element: Scalar): Scalar {
  const { dtype } = element;
  if (dtype === 'bool' || dtype === 'u8') return cast(element, 'i16');
  if (dtypeKind(dtype) !== 'float') return element;
  const wide = cast(element, computeDType(dtype));
  const word = wide.dtype === 'f64' ? 'i64' : 'i32';
  const bits = bitcast(choose(eq(wide, 0), literal(0, wide.dtype), wide), word);
  const largest = literal(intRange(word).max, word);
  const ordered = xor(bits, and(shr(bits, literal(word === 'i64' ? 63 : 31, word)), largest));
  return choose(isNan(wide), largest, ordered);
}

const argsort: SortOp = {
  kind: 'order',
  method: 'sort',
  name: 'argsort',
  doc:
    'The positions that sort the elements, upwards or (`reverse`) downwards; equal elements keep their order both ways. ' +
    'NaN counts as above every number, as in PyTorch, and the zeros are equal.',
  accepts: dtypes,
  results: () => ['i64'],
  key: (element, reverse) => (reverse ? not(sortKey(element)) : sortKey(element)),
  derivative: { kind: 'none', reason: 'positions are integers' },
  linear: false,
  domain: { low: -3, high: 3 },
  smooth: false,
};

export const orderOps: readonly OrderOp[] = [
  argsort,
  running(0, add, {
    name: 'cumsum',
    doc: 'The sum of the elements so far. Integers wrap in their dtype.',
    derivative: { kind: 'rule', jvp: (node, [tangent], b) => [tangent && along(node, 'cumsum', tangent, b)] },
    linear: true,
    domain: { low: -3, high: 3 },
    smooth: true,
  }),
  running(1, mul, {
    name: 'cumprod',
    doc:
      'The product of the elements so far. Integers wrap in their dtype. The derivative is right at zeros; the second one ' +
      'where at most one element of a row is 0.',
    derivative: { kind: 'rule', jvp: cumprodTangent },
    linear: false,
    domain: { low: 0.5, high: 1.5 },
    smooth: true,
  }),
  runningExtreme('cummax', 'largest', limit('min', Number.NEGATIVE_INFINITY), ge),
  runningExtreme('cummin', 'smallest', limit('max', Number.POSITIVE_INFINITY), le),
];
