// Jacobians: products with the unit vectors of the inputs (forward mode) or of the outputs (reverse mode), all at once by `vmap`.

import { Builder } from '../ir/builder.js';
import { positionType, stacked } from '../ir/control.js';
import {
  type Dim,
  dimAdd,
  dimConst,
  dimEvaluate,
  dimFloorDiv,
  dimMul,
  dimProduct,
  dimSub,
  dimSymbols,
  dimValue,
} from '../ir/dims.js';
import { isFloat } from '../ir/dtype.js';
import type { TensorType, Value } from '../ir/graph.js';
import { call } from './call.js';
import type { Context } from './context.js';
import { obstacle } from './control/bounds.js';
import { expectWay, type Outlined, outline, rebuildAll, treesOf } from './transforms.js';
import { leafType } from './trees.js';
import { type Arg, calleeName, type Transform, tensor, tuple, type Val } from './values.js';
import { selectArguments, substituted } from './wrt.js';

type Jacobian = Extract<Transform, { name: 'jacobian' }>;

/** What a run-time size counts in the choice of the mode. */
const assumedSize = 1000;

/** The number of elements as far as it is known when compiling; a run-time size counts as `assumedSize`. */
function assumedCount(types: readonly TensorType[]): number {
  return types.reduce((sum, { shape }) => {
    const count = dimProduct(shape);
    const symbols = new Map([...dimSymbols(count)].map((name) => [name, assumedSize]));
    return sum + dimEvaluate(count, symbols);
  }, 0);
}

/** Calls `jacobian(f)`. The result has the structure of f's result with, for each of its tensors, the structure of the arguments. */
export function applyJacobian(cx: Context, { of, wrt, mode: asked, chunk }: Jacobian, args: readonly Arg[]): Val {
  const name = calleeName(of);
  const selected = selectArguments(cx, of, wrt, args);
  const given = treesOf(cx, selected);
  const outlined = outline(cx, name, given, (substitute) => call(cx, of, substituted(args, selected, substitute)));
  const outputs = outlined.value.values.map(({ type }) => type);
  if (outputs.length === 0 || outputs.some(({ dtype }) => !isFloat(dtype))) {
    cx.fail('E0502', {
      message:
        outputs.length === 0
          ? `\`${name}\` gives no tensor, so it has no Jacobian`
          : `only tensors of floats have derivatives, but \`${name}\` gives others too`,
    });
  }
  const inputs = given.leaves.map(({ value }) => leafType(value) as TensorType);
  const all = inputs.map((_, i) => i);
  const cheaper = assumedCount(inputs) <= assumedCount(outputs) ? 'jvp' : 'vjp';
  const isBlocked = asked === 'auto' && obstacle(cx.functions, 'vjp', outlined.fn, all) !== undefined;
  const mode = asked !== 'auto' ? asked : isBlocked ? 'jvp' : cheaper;
  expectWay(cx, { type: mode, fn: outlined.fn, wrt: all });
  const blocks =
    mode === 'jvp' ? byColumns(cx, outlined, inputs, outputs, chunk) : byRows(cx, outlined, inputs, outputs, chunk);
  if (outlined.written.length > 0) {
    const results = cx.b.region({ type: 'call', fn: outlined.fn }, outlined.inputs, outlined.results, name);
    outlined.written.forEach((cell, i) => void cx.frame.assign(cell, results[outputs.length + i] as Value));
  }
  return outlined.value.fill(
    blocks.map((row) => {
      const trees = rebuildAll(given.trees, row.map(tensor));
      return wrt.single ? (trees[0] as Val) : tuple(trees);
    }),
  );
}

/** `count` unit vectors of a type from `first` on, or from the first, along a new first dimension; 0 beyond the last. */
function unitVectors(b: Builder, { dtype, shape }: TensorType, count: Dim, first?: Value): Value {
  const rows = [count, dimProduct(shape)];
  const own = b.iota(rows, 0);
  const isOne = b.elementwise('eq', [first === undefined ? own : b.elementwise('add', [own, first]), b.iota(rows, 1)]);
  return b.reshape(b.cast(isOne, dtype), [count, ...shape]);
}

/** Products with the unit vectors of one type, as stacks along a new first dimension. */
function products(
  cx: Context,
  outlined: Outlined,
  region: { readonly type: 'jvp' | 'vjp'; readonly wrt: readonly number[]; readonly of: readonly number[] },
  vector: TensorType,
  types: readonly TensorType[],
  chunk: number | undefined,
): readonly Value[] {
  const { fn } = outlined;
  if (vector.shape.length === 0) {
    const one = cx.b.constant(1, vector.dtype);
    const results = cx.b.region({ ...region, fn }, [...outlined.inputs, one], [...outlined.results, ...types], fn);
    return results
      .slice(outlined.results.length)
      .map((value) => cx.b.reshape(value, [dimConst(1), ...value.type.shape]));
  }
  const b = new Builder(cx.functionName(`${region.type}.${fn}`));
  const params = outlined.inputs.map(({ name, type }) => b.param(name, type));
  const seed = b.param(region.type === 'jvp' ? 'tangent' : 'cotangent', vector);
  const results = b.region({ ...region, fn }, [...params, seed], [...outlined.results, ...types], fn);
  const func = b.finish(results.slice(outlined.results.length), cx.frame.origin);
  cx.functions.set(func.name, func);
  const size = dimProduct(vector.shape);
  const many = (builder: Builder, inputs: readonly Value[], count: Dim, first?: Value) =>
    builder.region(
      { type: 'vmap', fn: func.name, over: [params.length], size: count },
      [...inputs, unitVectors(builder, vector, count, first)],
      types.map((type) => stacked(type, count)),
      fn,
    );
  const known = dimValue(size);
  if (chunk === undefined || (known !== undefined && known <= chunk)) return many(cx.b, outlined.inputs, size);
  return inChunks(cx, outlined, size, dimConst(chunk), many);
}

/** `count` products from one on, as stacks. */
type Many = (builder: Builder, inputs: readonly Value[], count: Dim, first: Value) => readonly Value[];

/** `size` products, `chunk` of them in each trip of a loop; those of the last trip that are too many are left out. */
function inChunks(cx: Context, { fn, inputs }: Outlined, size: Dim, chunk: Dim, many: Many): readonly Value[] {
  const b = new Builder(cx.functionName(`chunk.${fn}`));
  const position = b.param('chunk', positionType);
  const params = inputs.map(({ name, type }) => b.param(name, type));
  const results = many(b, params, chunk, b.elementwise('mul', [position, b.size(chunk)]));
  const func = b.finish(results, cx.frame.origin);
  cx.functions.set(func.name, func);
  const length = dimFloorDiv(dimSub(dimAdd(size, chunk), dimConst(1)), chunk);
  const stacks = cx.b.region(
    { type: 'loop', fn: func.name, length, counted: false, reverse: false, carries: 0, xs: 0 },
    inputs,
    results.map(({ type }) => stacked(type, length)),
    fn,
  );
  return stacks.map((stack) => {
    const [, , ...shape] = stack.type.shape;
    const rows = cx.b.reshape(stack, [dimMul(length, chunk), ...shape]);
    const starts = rows.type.shape.map(() => dimConst(0));
    return cx.b.view(rows, { type: 'slice', starts, steps: starts.map(() => 1), sizes: [size, ...shape] });
  });
}

/** For each output and each input the block of derivatives. */
type Blocks = readonly (readonly Value[])[];

const blockShape = (output: TensorType, input: TensorType): readonly Dim[] => [...output.shape, ...input.shape];

/** Forward mode: a product for each element of the inputs. */
function byColumns(
  cx: Context,
  outlined: Outlined,
  inputs: readonly TensorType[],
  outputs: readonly TensorType[],
  chunk: number | undefined,
): Blocks {
  const of = outputs.map((_, j) => j);
  const columns = inputs.map((input, i) =>
    products(cx, outlined, { type: 'jvp', wrt: [i], of }, input, outputs, chunk),
  );
  return outputs.map((output, j) =>
    inputs.map((input, i) => {
      const stack = (columns[i] as readonly Value[])[j] as Value;
      const last = cx.b.permute(stack, [...stack.type.shape.slice(1).map((_, d) => d + 1), 0]);
      return cx.b.reshape(last, blockShape(output, input));
    }),
  );
}

/** Reverse mode: a product for each element of the outputs. */
function byRows(
  cx: Context,
  outlined: Outlined,
  inputs: readonly TensorType[],
  outputs: readonly TensorType[],
  chunk: number | undefined,
): Blocks {
  const wrt = inputs.map((_, i) => i);
  return outputs.map((output, j) => {
    const rows = products(cx, outlined, { type: 'vjp', wrt, of: [j] }, output, inputs, chunk);
    return inputs.map((input, i) => cx.b.reshape(rows[i] as Value, blockShape(output, input)));
  });
}
