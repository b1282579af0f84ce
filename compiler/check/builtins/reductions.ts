// Reductions over whole axes, and operations along one axis in order.

import { dimConst, isDimConst } from '../../ir/dims.js';
import { dtypeKind } from '../../ir/dtype.js';
import type { Value } from '../../ir/graph.js';
import type { Context } from '../context.js';
import { tensor, tuple, typeText, type Val } from '../values.js';
import { type Arguments, type Builtin, define } from './builtin.js';

/** The axes that `dim` names: none and, as in PyTorch, the empty list mean all. */
function reducedAxes(args: Arguments, rank: number): readonly number[] {
  const all = Array.from({ length: rank }, (_, axis) => axis);
  if (args.isNone('dim')) return all;
  const axes = args.axes('dim', rank);
  return axes.length === 0 ? all : axes.filter((axis) => axis < rank);
}

/** Puts axes of size 1 in the place of the reduced ones. */
function keepAxes(cx: Context, value: Value, input: Value, axes: readonly number[]): Value {
  const kept = value.type.shape.values();
  return cx.b.reshape(
    value,
    input.type.shape.map((_, axis) => (axes.includes(axis) ? dimConst(1) : (kept.next().value ?? dimConst(1)))),
  );
}

function reduceAxes(cx: Context, args: Arguments, op: string, input: Value): readonly Value[] {
  const axes = reducedAxes(args, input.type.shape.length);
  const results = cx.b.reduce(op, input, axes);
  const keeps = args.bool('keepdim');
  return keeps ? results.map((result) => keepAxes(cx, result, input, axes)) : results;
}

/** Reductions such as a maximum have no value over no elements. */
function refuseEmpty(cx: Context, args: Arguments, input: Value): void {
  const axes = reducedAxes(args, input.type.shape.length);
  if (axes.some((axis) => isDimConst(input.type.shape[axis] ?? dimConst(1), 0))) {
    cx.fail('E0325', {
      message: `${args.actor} of no elements has no value`,
      label: typeText(input.type),
      site: args.site('input'),
    });
  }
}

const asBool = (cx: Context, value: Value): Value =>
  value.type.dtype === 'bool' ? value : cx.b.elementwise('ne', [value, cx.b.constant(0, value.type.dtype)]);

/** Integers and bools are summed and multiplied as i64. */
const asNumber = (cx: Context, value: Value): Value =>
  dtypeKind(value.type.dtype) === 'float' ? value : cx.b.cast(value, 'i64');

function one([result]: readonly Value[]): Val {
  if (result === undefined) throw new Error('a reduction without result');
  return tensor(result);
}

const reduction = (
  name: string,
  dims: string,
  op: string,
  doc: string,
  prepare: (cx: Context, value: Value) => Value,
  isEmptyFine: boolean,
): Builtin =>
  define(`${name}(input: tensor, dim: ${dims}, keepdim: bool = false) -> tensor`, doc, (cx, args) => {
    const input = prepare(cx, args.tensor('input'));
    if (!isEmptyFine) refuseEmpty(cx, args, input);
    return one(reduceAxes(cx, args, op, input));
  });

/** `argmax` without `dim` gives the position in the flattened tensor. */
const argument = (name: string, doc: string): Builtin =>
  define(`${name}(input: tensor, dim: int? = none, keepdim: bool = false) -> i64 tensor`, doc, (cx, args) => {
    const input = ordered(cx, args.tensor('input'));
    refuseEmpty(cx, args, input);
    return one(reduceAxes(cx, args, name, input));
  });

const withIndex = (name: string, doc: string): Builtin =>
  define(`${name}(input: tensor, dim: int, keepdim: bool = false) -> (values, indices)`, doc, (cx, args) => {
    const input = args.tensor('input');
    args.int('dim');
    refuseEmpty(cx, args, input);
    const [values, ...indices] = reduceAxes(cx, args, name, ordered(cx, input)) as [Value, ...Value[]];
    return tuple([cx.b.cast(values, input.type.dtype), ...indices].map(tensor));
  });

const asItIs = (_: Context, value: Value): Value => value;

/** Bools are ordered as integers. */
const ordered = (cx: Context, value: Value): Value => (value.type.dtype === 'bool' ? cx.b.cast(value, 'u8') : value);

/** An operation along one axis. On a number it is the operation on its only element. */
function along(cx: Context, args: Arguments, op: string, input: Value, reverse = false): readonly Value[] {
  const rank = input.type.shape.length;
  const dim = args.axis('dim', rank);
  const value = rank === 0 ? cx.b.reshape(input, [dimConst(1)]) : input;
  return cx.b
    .add({ kind: 'order', op, dim, reverse, inputs: [value] })
    .map((result) => cx.b.reshape(result, input.type.shape));
}

export const reductionBuiltins: readonly Builtin[] = [
  reduction(
    'sum',
    'ints? = none',
    'sum',
    'The sum; of integers and bools as i64. `dim` is an axis or a list; none for all.',
    asNumber,
    true,
  ),
  reduction('prod', 'ints? = none', 'prod', 'The product; of integers and bools as i64.', asNumber, true),
  reduction('any', 'ints? = none', 'any', 'Whether some element is not 0.', asBool, true),
  reduction('all', 'ints? = none', 'all', 'Whether no element is 0.', asBool, true),
  reduction('amax', 'ints = []', 'max', 'The largest element; its gradient is shared among equal ones.', asItIs, false),
  reduction(
    'amin',
    'ints = []',
    'min',
    'The smallest element; its gradient is shared among equal ones.',
    asItIs,
    false,
  ),
  argument('argmax', 'The position of the first largest element; in the flattened tensor without `dim`.'),
  argument('argmin', 'The position of the first smallest element; in the flattened tensor without `dim`.'),
  withIndex('max_with_index', 'The largest elements along an axis and the positions of the first ones.'),
  withIndex('min_with_index', 'The smallest elements along an axis and the positions of the first ones.'),
  define(
    'argsort(input: tensor, dim: int = -1, descending: bool = false) -> tensor',
    'The positions that sort the elements along an axis; equal elements keep their order, and NaN counts as above every number.',
    (cx, args) => one(along(cx, args, 'argsort', args.tensor('input'), args.bool('descending'))),
  ),
  define(
    'cumsum(input: tensor, dim: int) -> tensor',
    'Running sums along an axis; of integers and bools as i64.',
    (cx, args) => one(along(cx, args, 'cumsum', asNumber(cx, args.tensor('input')))),
  ),
  define(
    'cumprod(input: tensor, dim: int) -> tensor',
    'Running products along an axis; of integers and bools as i64.',
    (cx, args) => one(along(cx, args, 'cumprod', asNumber(cx, args.tensor('input')))),
  ),
  define(
    'cummax(input: tensor, dim: int) -> (values, indices)',
    'Running maxima along an axis and the positions of the last ones.',
    (cx, args) => tuple(along(cx, args, 'cummax', args.tensor('input')).map(tensor)),
  ),
  define(
    'cummin(input: tensor, dim: int) -> (values, indices)',
    'Running minima along an axis and the positions of the last ones.',
    (cx, args) => tuple(along(cx, args, 'cummin', args.tensor('input')).map(tensor)),
  ),
];
