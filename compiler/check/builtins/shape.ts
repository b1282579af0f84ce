// The same elements in other shapes and orders; joining and padding.

import {
  type Dim,
  dimAdd,
  dimConst,
  dimExactDiv,
  dimFloorDiv,
  dimMul,
  dimProduct,
  dimSub,
  dimValue,
  isDimConst,
  printDim,
  printShape,
} from '../../ir/dims.js';
import { promote } from '../../ir/dtype.js';
import type { Value } from '../../ir/graph.js';
import type { Context } from '../context.js';
import { sliceAxis, sliceRange } from '../indexing.js';
import { restate, stateUnits } from '../tensors.js';
import { int, tensor, typeText, type Val } from '../values.js';
import { type Arguments, type Builtin, define } from './builtin.js';

function reshape(cx: Context, args: Arguments): Val {
  const input = args.tensor('input');
  const given = args.dims('shape');
  const open = given.flatMap((size, i) => (isDimConst(size, -1) ? [i] : []));
  const total = dimProduct(input.type.shape);
  const text = `[${printShape(given)}]`;
  if (open.length > 1) cx.fail('E0309', { message: `only one size of ${text} may be -1`, site: args.site('shape') });
  const misfit = (): never =>
    cx.fail('E0309', {
      message: `${typeText(input.type)} does not reshape to ${text}`,
      label: `it has ${printDim(total)} elements${open.length === 0 ? `, not ${printDim(dimProduct(given))}` : ''}`,
      site: args.site('shape'),
    });
  if (open.length === 0) {
    for (const size of given) if (!cx.nonNegative(size, 'sizes are not negative')) misfit();
    if (!cx.sameSize(total, dimProduct(given), 'a reshape keeps the number of elements')) misfit();
    return tensor(cx.b.reshape(input, given));
  }
  const known = dimProduct(given.filter((_, i) => i !== open[0]));
  const inferred = inferSize(cx, total, known) ?? misfit();
  return tensor(
    cx.b.reshape(
      input,
      given.map((size, i) => (i === open[0] ? inferred : size)),
    ),
  );
}

/** The size that -1 stands for. */
function inferSize(cx: Context, total: Dim, known: Dim): Dim | undefined {
  if (isDimConst(known, 0)) return undefined;
  const exact = dimExactDiv(total, known);
  if (exact !== undefined) return exact;
  if (dimValue(total) !== undefined && dimValue(known) !== undefined) return undefined;
  const quotient = dimFloorDiv(total, known);
  return cx.sameSize(total, dimMul(quotient, known), 'a reshape keeps the number of elements') ? quotient : undefined;
}

function permute(cx: Context, args: Arguments): Val {
  const input = args.tensor('input');
  const rank = input.type.shape.length;
  const dims = args.axes('dims', rank);
  if (dims.length !== rank) {
    cx.fail('E0303', {
      message: `permute names ${dims.length} axes of a tensor of rank ${rank}`,
      label: typeText(input.type),
      site: args.site('dims'),
    });
  }
  return tensor(cx.b.permute(input, dims));
}

function expand(cx: Context, args: Arguments): Val {
  const given = args.tensor('input');
  const size = args.dims('size');
  const wanted = size.map((dim, axis) =>
    isDimConst(dim, -1) ? (given.type.shape[axis + given.type.shape.length - size.length] ?? dim) : dim,
  );
  const [own = given.type.shape] = stateUnits(cx, [given.type.shape, wanted]);
  const input = cx.b.reshape(given, own);
  const offset = size.length - own.length;
  if (offset < 0) {
    cx.fail('E0303', {
      message: `${typeText(input.type)} has ${own.length} axes, more than the ${size.length} of [${printShape(size)}]`,
      site: args.site('size'),
    });
  }
  const target = size.map((wanted, axis): Dim => {
    const have = own[axis - offset];
    if (isDimConst(wanted, -1))
      return have ?? cx.fail('E0324', { message: 'the size of a new axis is not -1', site: args.site('size') });
    if (have === undefined || isDimConst(have, 1)) {
      if (cx.nonNegative(wanted, 'sizes are not negative')) return wanted;
      return cx.fail('E0324', { message: `a size is negative: ${printDim(wanted)}`, site: args.site('size') });
    }
    if (cx.sameSize(have, wanted, 'only axes of size 1 expand')) return wanted;
    return cx.fail('E0304', {
      message: `${typeText(input.type)} does not expand to [${printShape(size)}]`,
      label: `only axes of size 1 expand: axis ${axis} is ${printDim(have)}, wanted ${printDim(wanted)}`,
      site: args.site('size'),
    });
  });
  return tensor(cx.b.broadcastTo(restate(cx, input, target), target));
}

function narrow(cx: Context, args: Arguments): Val {
  const input = args.tensor('input');
  const axis = args.axis('dim', input.type.shape.length);
  const size =
    input.type.shape[axis] ??
    cx.fail('E0303', { message: 'narrow takes a tensor of rank 1 or more', site: args.site('input') });
  const given = args.dim('start');
  const start = (dimValue(given) ?? 0) < 0 ? dimAdd(size, given) : given;
  const length = args.dim('length');
  const fits = [start, length, dimSub(dimSub(size, start), length)].every((part) =>
    cx.nonNegative(part, 'a narrowed stretch lies inside'),
  );
  if (!fits) {
    cx.fail('E0310', {
      message: `${printDim(length)} elements from ${printDim(given)} are not all inside of axis ${axis}`,
      label: `${typeText(input.type)}: it has size ${printDim(size)}`,
    });
  }
  return tensor(sliceAxis(cx, input, axis, { start, step: 1, size: length }));
}

function slice(cx: Context, args: Arguments): Val {
  const input = args.tensor('input');
  const axis = args.axis('dim', input.type.shape.length);
  const size =
    input.type.shape[axis] ??
    cx.fail('E0303', { message: 'slice takes a tensor of rank 1 or more', site: args.site('input') });
  const step = args.int('step');
  if (step < 1)
    cx.fail('E0310', {
      message: `the step of a slice is a positive int, not ${step}`,
      help: 'to read backwards use flip(x, dims)',
    });
  const bound = (name: 'start' | 'end') => (args.isNone(name) ? undefined : args.dim(name));
  const [start, stop] = [bound('start'), bound('end')];
  const range = sliceRange(
    cx,
    { kind: 'slice', step, ...(start === undefined ? {} : { start }), ...(stop === undefined ? {} : { stop }) },
    size,
  );
  return tensor(sliceAxis(cx, input, axis, range));
}

function cat(cx: Context, args: Arguments): Val {
  const all = args.tensors('tensors');
  const site = args.site('tensors');
  // PyTorch lets an empty vector stand for no tensor at all.
  const parts = all.filter((value) => !(value.type.shape.length === 1 && isDimConst(value.type.shape[0] as Dim, 0)));
  const [first, ...others] = parts.length === 0 ? all : parts;
  if (first === undefined) cx.fail('E0313', { message: 'cat needs at least one tensor', site });
  const rank = first.type.shape.length;
  if (rank === 0)
    cx.fail('E0303', { message: 'cat joins tensors of rank 1 or more', site, help: 'stack joins numbers' });
  const dim = args.axis('dim', rank);
  const dtype = all.map((value) => value.type.dtype).reduce(promote);
  const values = [first, ...others].map((value, i) => {
    if (value.type.shape.length !== rank) {
      cx.fail('E0313', {
        message: `cat joins tensors of one rank, not ${typeText(first.type)} and ${typeText(value.type)}`,
        label: `their ranks are ${rank} and ${value.type.shape.length}`,
        site,
      });
    }
    value.type.shape.forEach((size, axis) => {
      const wanted = first.type.shape[axis] as Dim;
      if (axis === dim || cx.sameSize(wanted, size, 'joined tensors agree in the other axes')) return;
      cx.fail('E0313', {
        message: `cat along axis ${dim} joins ${typeText(first.type)} and ${typeText(value.type)}`,
        label: `axis ${axis} has ${printDim(wanted)} and ${printDim(size)}`,
        notes: i > 1 ? [`the second is element ${i} of the list`] : [],
        site,
      });
    });
    const stated = first.type.shape.map((size, axis) => (axis === dim ? (value.type.shape[axis] as Dim) : size));
    return cx.b.cast(restate(cx, value, stated), dtype);
  });
  return tensor(values.length === 1 ? (values[0] as Value) : cx.b.concat(values, dim));
}

function padConstant(cx: Context, args: Arguments): Val {
  const input = args.tensor('input');
  const rank = input.type.shape.length;
  const [low, high] = [args.sizes('low'), args.sizes('high')];
  if (low.length !== rank || high.length !== rank) {
    cx.fail('E0303', {
      message: `pad_constant takes a size for each of the ${rank} axes`,
      label: typeText(input.type),
    });
  }
  const value = args.numeric('value');
  const filler =
    value.kind === 'tensor'
      ? cx.b.cast(value.value, input.type.dtype)
      : cx.b.constant(args.number('value'), input.type.dtype);
  if (filler.type.shape.length > 0) args.refuse('value', 'a number');
  return tensor(
    cx.b.pad(
      input,
      filler,
      low,
      high,
      input.type.shape.map(() => 0),
    ),
  );
}

export const shapeBuiltins: readonly Builtin[] = [
  define(
    'reshape(input: tensor, shape: ints) -> tensor',
    'The elements in row-major order in another shape; one size may be -1.',
    reshape,
  ),
  define('permute(input: tensor, dims: ints) -> tensor', 'The axes in another order.', permute),
  define(
    'expand(input: tensor, size: ints) -> tensor',
    'Repeats axes of size 1 and adds new ones in front; -1 keeps an axis.',
    expand,
  ),
  define('flip(input: tensor, dims: ints) -> tensor', 'The elements in reverse order along axes.', (cx, args) => {
    const input = args.tensor('input');
    const dims = args.axes('dims', input.type.shape.length);
    return tensor(
      dims.length === 0 || input.type.shape.length === 0
        ? input
        : cx.b.view(input, { type: 'flip', dims: [...dims].sort((a, b) => a - b) }),
    );
  }),
  define(
    'narrow(input: tensor, dim: int, start: dim, length: dim) -> tensor',
    'A stretch of an axis, which must lie inside.',
    narrow,
  ),
  define(
    'slice(input: tensor, dim: int, start: dim? = none, end: dim? = none, step: int = 1) -> tensor',
    'A slice of one axis, clamped as in Python.',
    slice,
  ),
  define('cat(tensors: [tensor], dim: int = 0) -> tensor', 'Joins tensors along an axis; the other axes agree.', cat),
  define(
    'pad_constant(input: tensor, low: ints, high: ints, value: number = 0) -> tensor',
    'Adds elements at both ends of each axis.',
    padConstant,
  ),
  define('size(input: tensor, dim: int) -> dim', 'The size of an axis.', (_, args) => {
    const { shape } = args.tensor('input').type;
    return int(shape[args.axis('dim', shape.length)] ?? dimConst(1));
  }),
  define('ndim(input: tensor) -> int', 'The number of axes.', (_, args) =>
    int(dimConst(args.tensor('input').type.shape.length)),
  ),
  define('numel(input: tensor) -> dim', 'The number of elements.', (_, args) =>
    int(dimProduct(args.tensor('input').type.shape)),
  ),
];
