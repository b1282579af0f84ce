// Reads and writes at positions that tensors of integers hold.

import { type Dim, dimConst, dimEquals, dimSub, printDim } from '../../ir/dims.js';
import { isInt } from '../../ir/dtype.js';
import type { Access, Index, IndexSpace, ScatterMode, Value } from '../../ir/graph.js';
import { affineIndex, affineSubscript, plainSubscript, shapeSpace } from '../../ir/space.js';
import type { Context } from '../context.js';
import { fitted } from '../fitting.js';
import { itemsOf, nonNegativeIndices, placed, refuseOutside } from '../indexing.js';
import { knownValue } from '../known.js';
import { maskPositions } from '../masks.js';
import { broadcastShape, restate, toTensor } from '../tensors.js';
import { broadcastSubscripts, broadcastValues, updateTensor } from '../update.js';
import { tensor, tuple, typeText, type Val } from '../values.js';
import { type Arguments, type Builtin, define } from './builtin.js';

/** A tensor of positions, as i64 or i32. */
function positions(args: Arguments, name: string, value: Value): Value {
  if (isInt(value.type.dtype)) return value.type.dtype === 'i32' ? value : args.cx.b.cast(value, 'i64');
  return args.cx.fail('E0305', {
    message: `\`${name}\` of ${args.builtin.name} holds integers (i64), not ${value.type.dtype}`,
    site: args.site(name),
  });
}

/** `index` of gather and scatter: of the input's rank, and no larger than it in the other axes. */
function indexAlong(cx: Context, args: Arguments, input: Value): Value {
  const index = positions(args, 'index', args.tensor('index'));
  const rank = input.type.shape.length;
  if (index.type.shape.length !== rank) {
    cx.fail('E0303', {
      message: `\`index\` of ${args.builtin.name} has the rank of the input, ${rank}, not ${index.type.shape.length}`,
      label: `${typeText(input.type)} with index ${typeText(index.type)}`,
      site: args.site('index'),
    });
  }
  return index;
}

/** The access that replaces one axis by what an index tensor of the space's shape holds. */
function accessAlong({ indices }: IndexSpace, dim: number, operand: number): Access {
  const all = indices.map((_, axis) => plainSubscript(axis));
  return all.map((subscript, axis) => (axis === dim ? { kind: 'lookup', operand, subscripts: all } : subscript));
}

/** The other axes of the index must not reach beyond those of the tensor that it addresses. */
function requireInside(cx: Context, args: Arguments, index: Value, target: Value, dim: number, what: string): void {
  index.type.shape.forEach((size, axis) => {
    const room = target.type.shape[axis] as Dim;
    if (axis === dim || dimEquals(size, room)) return;
    if (cx.nonNegative(dimSub(room, size), `the index of ${args.builtin.name} fits the ${what}`)) return;
    cx.fail('E0302', {
      message: `\`index\` of ${args.builtin.name} is larger than the ${what} in axis ${axis}: ${printDim(size)} against ${printDim(room)}`,
      label: `${typeText(target.type)} with index ${typeText(index.type)}`,
      site: args.site('index'),
    });
  });
}

function gather(cx: Context, args: Arguments): Val {
  const input = args.tensor('input');
  const rank = input.type.shape.length;
  const dim = args.axis('dim', rank);
  const index = indexAlong(cx, args, input);
  if (rank === 0) return tensor(input);
  requireInside(cx, args, index, input, dim, 'input');
  refuseOutside(cx, index, input.type.shape[dim] as Dim, 0);
  const space = shapeSpace(index.type.shape);
  const access = accessAlong(space, dim, 1);
  return tensor(cx.b.gather(space, access, [fitted(cx, input, access, space.indices), index]));
}

function scatterAlong(
  cx: Context,
  args: Arguments,
  mode: ScatterMode,
  source: (index: Value, input: Value) => Value,
): Val {
  const input = args.tensor('input');
  const rank = input.type.shape.length;
  const dim = args.axis('dim', rank);
  const index = indexAlong(cx, args, input);
  if (rank === 0) return tensor(source(index, input));
  requireInside(cx, args, index, input, dim, 'input');
  refuseOutside(cx, index, input.type.shape[dim] as Dim, 0);
  const space = shapeSpace(index.type.shape);
  // All of the input is in the result, so that no part of it can be taken: a write that is not known to stay inside asks.
  const access = accessAlong(space, dim, 2).map((subscript, axis) =>
    axis === dim ? subscript : affineSubscript(affineIndex(axis), 1, input.type.shape[axis] as Dim, space.indices),
  );
  return tensor(cx.b.scatter(mode, space, access, [input, source(index, input), index]));
}

/** The part of `src` that the index covers. */
function sourceTensor(cx: Context, args: Arguments, index: Value, input: Value): Value {
  const src = args.tensor('src');
  if (src.type.dtype !== input.type.dtype) {
    cx.fail('E0305', {
      message: `\`src\` of ${args.builtin.name} is ${src.type.dtype}, the input ${input.type.dtype}`,
      site: args.site('src'),
    });
  }
  if (src.type.shape.length !== index.type.shape.length) {
    cx.fail('E0303', {
      message: `\`src\` of ${args.builtin.name} has the rank of the index, not ${typeText(src.type)}`,
      site: args.site('src'),
    });
  }
  requireInside(cx, args, index, src, -1, 'src');
  const { shape } = index.type;
  if (shape.every((size, axis) => dimEquals(size, src.type.shape[axis] as Dim))) return src;
  return cx.b.view(src, {
    type: 'slice',
    starts: shape.map(() => dimConst(0)),
    steps: shape.map(() => 1),
    sizes: shape,
  });
}

function scatter(cx: Context, args: Arguments): Val {
  if (args.isNone('src') === args.isNone('value')) {
    cx.fail('E0207', { message: 'scatter needs exactly one of `src` and `value`' });
  }
  return scatterAlong(cx, args, 'set', (index, input) => {
    if (!args.isNone('src')) return sourceTensor(cx, args, index, input);
    const value = args.numeric('value');
    const number =
      value.kind === 'tensor'
        ? cx.b.cast(value.value, input.type.dtype)
        : cx.b.constant(args.number('value'), input.type.dtype);
    return cx.b.broadcastTo(number, index.type.shape);
  });
}

function indexPut(cx: Context, args: Arguments): Val {
  const input = args.tensor('input');
  const indices = args.tensors('indices').map((value) => positions(args, 'indices', value));
  const rank = input.type.shape.length;
  if (indices.length === 0 || indices.length > rank) {
    cx.fail('E0303', {
      message: `index_put takes 1 to ${rank} index tensors for ${typeText(input.type)}, not ${indices.length}`,
      site: args.site('indices'),
    });
  }
  const shape = broadcastShape(
    cx,
    indices.map((value) => value.type.shape),
    (_, a, b) =>
      cx.fail('E0304', {
        message: `the index tensors do not broadcast: ${printDim(a)} against ${printDim(b)}`,
        site: args.site('indices'),
      }),
  );
  const rest = input.type.shape.slice(indices.length);
  const updates = [...shape, ...rest];
  const space: readonly Index[] = shapeSpace(updates).indices;
  const access: Access = input.type.shape.map((_, axis) => {
    const index = indices[axis];
    if (index === undefined) return plainSubscript(shape.length + axis - indices.length);
    return { kind: 'lookup', operand: 2 + axis, subscripts: broadcastSubscripts(index, shape, 0, space) };
  });
  const given = args.tensor('values');
  const values = given.type.shape.length === 0 ? cx.b.cast(given, input.type.dtype) : given;
  if (values.type.dtype !== input.type.dtype) args.refuse('values', `a tensor of ${input.type.dtype}`);
  const filled = broadcastValues(cx, values, updates, args.site('values'));
  const tables = indices.map((value, axis) =>
    restate(cx, nonNegativeIndices(cx, value, input.type.shape[axis] as Dim), shape),
  );
  const mode = args.bool('accumulate') ? 'add' : 'set';
  return tensor(cx.b.scatter(mode, { indices: space, outer: space.length }, access, [input, filled, ...tables]));
}

function update(cx: Context, args: Arguments): Val {
  const input = args.tensor('input');
  const index = args.get('index');
  const site = args.site('index');
  const items = index.kind === 'list' || index.kind === 'tuple' ? index.items : [index];
  const values = args.numeric('values');
  const converts = values.kind !== 'tensor' || values.value.type.shape.length === 0;
  if (!converts && values.kind === 'tensor' && values.value.type.dtype !== input.type.dtype) {
    args.refuse('values', `a tensor of ${input.type.dtype}`);
  }
  const places = items.flatMap((item) => placed(itemsOf(cx, item, site), site));
  return tensor(
    updateTensor(cx, input, places, toTensor(cx, values, input.type.dtype, args.site('values')), args.site('values')),
  );
}

/** The positions of what is not 0, of a tensor that is known when compiling. */
function knownNonzero(cx: Context, args: Arguments): Val {
  const input = args.tensor('input');
  const { dtype } = input.type;
  const mask = dtype === 'bool' ? input : cx.b.elementwise('ne', [input, cx.b.constant(0, dtype)]);
  const positions = maskPositions(cx, mask, args.site('input')).map(({ value }) => value);
  if (args.bool('as_tuple')) return tuple(positions.map(tensor));
  const columns = positions.map((value) => cx.b.reshape(value, [value.type.shape[0] as Dim, dimConst(1)]));
  if (columns.length > 0) return tensor(columns.length === 1 ? (columns[0] as Value) : cx.b.concat(columns, 1));
  const found = knownValue(cx, mask)?.data.some((element) => Number(element) !== 0) === true;
  return tensor(cx.b.literal([], 'i64', [dimConst(found ? 1 : 0), dimConst(0)]));
}

export const selectionBuiltins: readonly Builtin[] = [
  define(
    'known_nonzero(input: tensor, as_tuple: bool = false) -> i64 tensor',
    'The positions of the elements that are not 0, [n, rank], or one tensor for each axis. Their number is part of the type, so the input is known when compiling.',
    knownNonzero,
  ),
  define(
    'update(input: tensor, index: any, values: tensor) -> tensor',
    'The input with `values`, which broadcast, at the places of an index: `update(x, [1:3, ..., 0], v)`.',
    update,
  ),
  define(
    'gather(input: tensor, dim: int, index: tensor) -> tensor',
    'The elements at the positions along `dim` that `index` holds.',
    gather,
  ),
  define(
    'scatter(input: tensor, dim: int, index: tensor, src: tensor? = none, value: number? = none) -> tensor',
    'The input with elements of `src`, or `value`, at the positions along `dim` that `index` holds.',
    scatter,
  ),
  define(
    'scatter_add(input: tensor, dim: int, index: tensor, src: tensor) -> tensor',
    'The input with elements of `src` added at the positions along `dim` that `index` holds.',
    (cx, args) => scatterAlong(cx, args, 'add', (index, input) => sourceTensor(cx, args, index, input)),
  ),
  define(
    'index_put(input: tensor, indices: [tensor], values: tensor, accumulate: bool = false) -> tensor',
    'The input with `values` at the positions that the index tensors hold together; added with `accumulate`.',
    indexPut,
  ),
];
