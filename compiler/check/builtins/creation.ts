// New tensors: constants, ranges, literals, random bits and keys.

import { dimAdd, dimConst, dimFloorDiv, dimMax, dimSub, dimValue } from '../../ir/dims.js';
import { type DType, dtypeKind, intRange, isFloat, promote } from '../../ir/dtype.js';
import type { TensorType, Value } from '../../ir/graph.js';
import type { Context } from '../context.js';
import { dtypeOf, toTensor } from '../tensors.js';
import { describe, isWeakNumber, numberOf, type Site, tensor, tuple, type Val } from '../values.js';
import { type Arguments, type Builtin, define } from './builtin.js';

function full(cx: Context, args: Arguments): Val {
  const size = args.sizes('size');
  const fill = args.numeric('fill_value');
  const dtype = args.optionalDType('dtype') ?? dtypeOf(cx, fill);
  const number = fill.kind === 'tensor' ? undefined : numberOf(fill);
  if (number !== undefined)
    return tensor(cx.b.constant(converted(cx, number, dtype, args.site('fill_value')), dtype, size));
  const value = toTensor(cx, fill, dtype);
  if (value.type.shape.length > 0) args.refuse('fill_value', 'a number');
  return tensor(cx.b.broadcastTo(value, size));
}

/** A step that leads away from the end is a mistake, as in PyTorch: an empty range has equal ends. */
function wrongDirection(cx: Context, args: Arguments, step: number): never {
  const [start, end] = [describe(args.get('start')), describe(args.get('end'))];
  return cx.fail('E0301', {
    message: `arange goes from ${start} to ${end}, but its step ${step} leads the other way`,
    site: args.site('step'),
    help: `swap the ends, or give a ${step > 0 ? 'negative' : 'positive'} step`,
  });
}

function arange(cx: Context, args: Arguments): Val {
  const parts = (['start', 'end', 'step'] as const).map((name) => args.get(name)) as [Val, Val, Val];
  const [start, end, step] = parts;
  if (start.kind === 'int' && end.kind === 'int' && step.kind === 'int') {
    const stride = dimValue(step.dim);
    if (stride === undefined || stride === 0) args.refuse('step', 'an int other than 0 that is known when compiling');
    const span = stride > 0 ? dimSub(end.dim, start.dim) : dimSub(start.dim, end.dim);
    if ((dimValue(span) ?? 0) < 0) wrongDirection(cx, args, stride);
    if (!span.terms.every(({ coefficient }) => Number.isSafeInteger(coefficient))) tooLong(cx, args);
    const width = Math.abs(stride);
    const count = dimFloorDiv(dimAdd(dimMax(span, dimConst(0)), dimConst(width - 1)), dimConst(width));
    const dtype = args.optionalDType('dtype') ?? 'i64';
    const steps = cx.b.iota(
      [count],
      0,
      isFloat(dtype) && dtype !== 'f64' && dtype !== 'f32' ? 'f32' : dtype === 'bool' ? 'i64' : dtype,
    );
    const common = steps.type.dtype;
    const scaled = stride === 1 ? steps : cx.b.elementwise('mul', [steps, cx.b.constant(stride, common)]);
    const moved = dimValue(start.dim) === 0 ? scaled : cx.b.elementwise('add', [scaled, toTensor(cx, start, common)]);
    return tensor(cx.b.cast(moved, dtype));
  }
  return realRange(cx, args);
}

/** A range with an end or a step that is no int: computed in f64, and rounded to the dtype at the end, as PyTorch does for floats. */
function realRange(cx: Context, args: Arguments): Val {
  const [from, to, by] = (['start', 'end', 'step'] as const).map((name) => {
    const number = args.number(name);
    return Number.isFinite(number) ? number : args.refuse(name, 'a finite number');
  }) as [number, number, number];
  if (by === 0) args.refuse('step', 'a number other than 0');
  if ((to - from) / by < 0) wrongDirection(cx, args, by);
  const count = Math.ceil((to - from) / by);
  if (!Number.isSafeInteger(count)) tooLong(cx, args);
  const steps = cx.b.elementwise('mul', [cx.b.iota([dimConst(count)], 0, 'f64'), cx.b.constant(by, 'f64')]);
  const moved = cx.b.elementwise('add', [steps, cx.b.constant(from, 'f64')]);
  return tensor(cx.b.cast(moved, args.optionalDType('dtype') ?? cx.options.defaultFloat));
}

function tooLong(cx: Context, args: Arguments): never {
  const [start, end, step] = [args.get('start'), args.get('end'), args.get('step')].map(describe);
  return cx.fail('E0319', { message: `arange from ${start} to ${end} by ${step} has too many elements` });
}

/** The numbers of a nested list in row-major order, and its shape. */
function nested(
  cx: Context,
  args: Arguments,
  data: Val,
): { readonly items: readonly Val[]; readonly shape: readonly number[] } {
  if (data.kind !== 'list' && data.kind !== 'tuple') return { items: [data], shape: [] };
  const parts = data.items.map((item) => nested(cx, args, item));
  const inner = parts[0]?.shape ?? [];
  if (parts.some(({ shape }) => shape.join() !== inner.join()))
    args.refuse('data', 'a nested list whose rows have equal lengths');
  return { items: parts.flatMap(({ items }) => items), shape: [data.items.length, ...inner] };
}

/** A literal: all integers give i64, any float the default float, bools bool. Elements may be tensors of rank 0. */
function literal(cx: Context, args: Arguments): Val {
  const data = args.get('data');
  if (data.kind === 'tensor')
    return tensor(cx.b.cast(data.value, args.optionalDType('dtype') ?? data.value.type.dtype));
  const { items, shape } = nested(cx, args, data);
  const dims = shape.map(dimConst);
  const kinds = items.map((item): DType => {
    if (item.kind === 'tensor' && item.value.type.shape.length === 0) return item.value.type.dtype;
    if (isWeakNumber(item)) return dtypeOf(cx, item);
    return cx.fail('E0301', {
      message: `a tensor is made of numbers, not of ${describe(item)}`,
      site: args.site('data'),
    });
  });
  const dtype = args.optionalDType('dtype') ?? (kinds.length === 0 ? cx.options.defaultFloat : kinds.reduce(promote));
  const numbers = items.map(numberOf);
  if (numbers.every((value): value is number => value !== undefined)) {
    return tensor(
      cx.b.literal(
        numbers.map((value) => converted(cx, value, dtype, args.site('data'))),
        dtype,
        dims,
      ),
    );
  }
  const parts = items.map(
    (item): Value => cx.b.reshape(toTensor(cx, item as Parameters<typeof toTensor>[1], dtype), [dimConst(1)]),
  );
  return tensor(cx.b.reshape(parts.length === 1 ? (parts[0] as Value) : cx.b.concat(parts, 0), dims));
}

/** A number as one of the dtype: truncated for integers, which must have it, and 0 or 1 for bools. */
function converted(cx: Context, value: number, dtype: DType, site: Site): number {
  const kind = dtypeKind(dtype);
  if (kind === 'bool') return Number(value !== 0);
  if (kind !== 'int') return value;
  const { min, max } = intRange(dtype);
  const whole = Math.trunc(value);
  if (whole >= Number(min) && whole <= Number(max)) return whole;
  return cx.fail('E0319', { message: `${value} is not a value of ${dtype}`, site });
}

const keyType: TensorType = { dtype: 'i64', shape: [dimConst(2)] };

/** The key of a draw: the one that is given, or the session's folded with the number of the draw. */
function drawKey(cx: Context, args: Arguments): Value {
  if (!args.isNone('key')) return keyArgument(args, 'key');
  if (cx.randomKey === undefined) throw new Error('a draw outside of an entry');
  return foldIn(cx, cx.randomKey(), cx.b.constant(BigInt(++cx.draws), 'i64'));
}

function keyArgument(args: Arguments, name: string): Value {
  const value = args.tensor(name);
  const isKey =
    value.type.dtype === keyType.dtype &&
    value.type.shape.length === 1 &&
    dimValue(value.type.shape[0] ?? dimConst(0)) === 2;
  return isKey ? value : args.refuse(name, 'a key');
}

/** A key that is independent of those folded from other data. */
export function foldIn(cx: Context, key: Value, data: Value): Value {
  const [folded] = cx.b.add({ kind: 'source', source: { type: 'fold_in' }, inputs: [key, data] });
  if (folded === undefined) throw new Error('fold_in has a result');
  return folded;
}

function randomBits(cx: Context, args: Arguments): Val {
  const shape = args.sizes('size');
  const [bits] = cx.b.add({ kind: 'source', source: { type: 'random_bits', shape }, inputs: [drawKey(cx, args)] });
  if (bits === undefined) throw new Error('random_bits has a result');
  return tensor(bits);
}

export const creationBuiltins: readonly Builtin[] = [
  define(
    'full(size: ints, fill_value: number, dtype: dtype? = none) -> tensor',
    'A tensor full of one number; the dtype is the number’s unless given.',
    full,
  ),
  define(
    'arange(start: number = 0, end: number, step: number = 1, dtype: dtype? = none) -> tensor',
    'The numbers from `start` up to `end`, which is excluded; i64 when all are integers. `arange(n)` is `arange(end: n)`.',
    arange,
  ),
  define('tensor(data: any, dtype: dtype? = none) -> tensor', 'A literal from a number or a nested list.', literal),
  define(
    'random_bits(size: ints, key: key? = none) -> i32 tensor',
    'Uniform random 32-bit patterns, from the key of the session unless one is given.',
    randomBits,
  ),
  define(
    'fold_in(key: key, data: number) -> key',
    'A key that is independent of those folded from other numbers.',
    (cx, args) => {
      const data = args.tensor('data');
      if (data.type.shape.length > 0 || dtypeKind(data.type.dtype) !== 'int') args.refuse('data', 'an integer');
      return tensor(foldIn(cx, keyArgument(args, 'key'), cx.b.cast(data, 'i64')));
    },
  ),
  define('split_key(key: key) -> (key, key)', 'Two independent keys.', (cx, args) => {
    const key = keyArgument(args, 'key');
    return tuple([1n, 2n].map((n) => tensor(foldIn(cx, key, cx.b.constant(n, 'i64')))));
  }),
];
