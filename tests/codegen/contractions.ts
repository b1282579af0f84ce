// Contractions for tests: products, convolutions and their gradients, and random index spaces.

import type { Builder } from '../../compiler/ir/builder.js';
import { type Dim, dimAdd, dimConst, dimMul, dimSymbol, dimValue } from '../../compiler/ir/dims.js';
import type { Access, Func, Index, Subscript, Value } from '../../compiler/ir/graph.js';
import { affine, affineSubscript, plainAccess, plainSubscript } from '../../compiler/ir/space.js';
import type { Random } from '../support/random.js';
import { define } from './support.js';

export type Size = number | string;

export const dimOf = (size: Size): Dim => (typeof size === 'number' ? dimConst(size) : dimSymbol(size));
export const shapeOf = (...sizes: Size[]): readonly Dim[] => sizes.map(dimOf);

/** Indices by name and extent. */
export const indicesOf = (...extents: readonly (readonly [string, Size])[]): readonly Index[] =>
  extents.map(([name, size]) => ({ name, extent: dimOf(size) }));

type Float = 'f16' | 'bf16' | 'f32' | 'f64';
type Integer = 'u8' | 'i8' | 'i16' | 'i32' | 'i64';

/** What follows a contraction of rank 2. */
export type Epilogue = (b: Builder, sum: Value) => readonly Value[];

export interface ProductOptions {
  readonly dtype?: Float | Integer;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly epilogue?: Epilogue;
  /** Applied to the operands before they are multiplied. */
  readonly prologue?: (b: Builder, x: Value) => Value;
}

/** A product of matrices [m, k] and [k, n], either of them transposed in memory. */
export function matrixProduct(name: string, m: Size, n: Size, k: Size, options: ProductOptions = {}): Func {
  const { dtype = 'f32', transposeA = false, transposeB = false, prologue = (_, x) => x } = options;
  return define(name, (b) => {
    const x = b.param('x', { dtype, shape: transposeA ? shapeOf(k, m) : shapeOf(m, k) });
    const y = b.param('y', { dtype, shape: transposeB ? shapeOf(n, k) : shapeOf(k, n) });
    const sum = b.contract(
      { indices: indicesOf(['i', m], ['j', n], ['k', k]), outer: 2 },
      [plainAccess(transposeA ? [2, 0] : [0, 2]), plainAccess(transposeB ? [1, 2] : [2, 1])],
      [prologue(b, x), prologue(b, y)],
    );
    return options.epilogue?.(b, sum) ?? [sum];
  });
}

export interface ConvolutionSizes {
  readonly batch: Size;
  readonly channels: number;
  readonly outputs: number;
  readonly height: number;
  readonly width: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly padding?: number;
  readonly dilation?: number;
  readonly dtype?: Float;
}

/** Σ channels, ky, kx of x[b, c, stride·y + dilation·ky - padding, …] · w[o, c, ky, kx], and its two gradients. */
export function convolutions(name: string, sizes: ConvolutionSizes): readonly Func[] {
  const {
    batch,
    channels,
    outputs,
    height,
    width,
    kernel,
    stride = 1,
    padding = 0,
    dilation = 1,
    dtype = 'f32',
  } = sizes;
  const outer = (size: number): number => Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
  const [rows, columns] = [outer(height), outer(width)];
  const x = { dtype, shape: shapeOf(batch, channels, height, width) };
  const w = { dtype, shape: shapeOf(outputs, channels, kernel, kernel) };
  const y = { dtype, shape: shapeOf(batch, outputs, rows, columns) };
  const at = (
    indices: readonly Index[],
    terms: readonly (readonly [number, number])[],
    offset: number,
    divisor: number,
    size: number,
  ) =>
    affineSubscript(
      affine(
        terms.map(([index, coefficient]) => ({ index, coefficient })),
        offset,
      ),
      divisor,
      dimConst(size),
      indices,
    );
  const forward = define(name, (b) => {
    const indices = indicesOf(
      ['b', batch],
      ['o', outputs],
      ['y', rows],
      ['x', columns],
      ['c', channels],
      ['ky', kernel],
      ['kx', kernel],
    );
    const window = (out: number, tap: number, size: number) =>
      at(
        indices,
        [
          [out, stride],
          [tap, dilation],
        ],
        -padding,
        1,
        size,
      );
    const access = [plainSubscript(0), plainSubscript(4), window(2, 5, height), window(3, 6, width)];
    return [b.contract({ indices, outer: 4 }, [access, plainAccess([1, 4, 5, 6])], [b.param('x', x), b.param('w', w)])];
  });
  const toInput = define(`${name}_dx`, (b) => {
    const indices = indicesOf(
      ['b', batch],
      ['c', channels],
      ['y', height],
      ['x', width],
      ['o', outputs],
      ['ky', kernel],
      ['kx', kernel],
    );
    const window = (place: number, tap: number, size: number) =>
      at(
        indices,
        [
          [place, 1],
          [tap, -dilation],
        ],
        padding,
        stride,
        size,
      );
    const access = [plainSubscript(0), plainSubscript(4), window(2, 5, rows), window(3, 6, columns)];
    return [
      b.contract({ indices, outer: 4 }, [access, plainAccess([4, 1, 5, 6])], [b.param('dy', y), b.param('w', w)]),
    ];
  });
  const toWeight = define(`${name}_dw`, (b) => {
    const indices = indicesOf(
      ['o', outputs],
      ['c', channels],
      ['ky', kernel],
      ['kx', kernel],
      ['b', batch],
      ['y', rows],
      ['x', columns],
    );
    const window = (out: number, tap: number, size: number) =>
      at(
        indices,
        [
          [out, stride],
          [tap, dilation],
        ],
        -padding,
        1,
        size,
      );
    const access = [plainSubscript(4), plainSubscript(1), window(5, 2, height), window(6, 3, width)];
    return [
      b.contract({ indices, outer: 4 }, [plainAccess([4, 0, 5, 6]), access], [b.param('dy', y), b.param('x', x)]),
    ];
  });
  return [forward, toInput, toWeight];
}

/** A random contraction of two operands with what may stand before and behind it. Run-time dimensions are `n` and `m`. */
export function randomContraction(name: string, random: Random): Func {
  const dtype = random.pick<Float>(['f32', 'f32', 'f64']);
  const outer = random.int(1, 4);
  const summed = random.int(0, 3);
  const small = outer + summed > 4;
  const extents = Array.from({ length: outer + summed }, (): Size => {
    if (random.int(0, 5) === 0) return random.pick(['n', 'm']);
    return small ? random.int(1, 6) : random.pick([1, 2, 3, 5, 7, 8, 16, 17, 30]);
  });
  // At least one long index, so that tiles and tails of all kinds occur.
  extents[random.int(0, extents.length - 1)] = random.pick<Size>([19, 33, 40, 70, 'n']);
  const indices = indicesOf(...extents.map((size, i) => [`i${i}`, size] as const));
  return define(name, (b) => {
    const operand = (label: string): { readonly value: Value; readonly access: Access } => {
      const all = random.shuffle(indices.map((_, i) => i));
      // A size that is known at run time must be that of some dimension.
      const sized = label === 'x' ? all.filter((i) => dimValue((indices[i] as Index).extent) === undefined) : [];
      const used = all.filter((i) => !sized.includes(i)).slice(0, random.int(1, indices.length));
      const access: Subscript[] = sized.map(plainSubscript);
      const shape: Dim[] = sized.map((i) => (indices[i] as Index).extent);
      while (used.length > 0) {
        const [subscript, size] = randomSubscript(indices, used, random);
        access.push(subscript);
        shape.push(size);
      }
      const turned = random.int(0, 3) === 0 && shape.length > 1;
      const order = shape.map((_, i) => (turned ? shape.length - 1 - i : i));
      const param = b.param(label, { dtype, shape: order.map((i) => shape[i] as Dim) });
      const value = b.permute(param, order);
      return {
        value: random.int(0, 2) === 0 ? b.elementwise(random.pick(['relu', 'neg', 'tanh']), [value]) : value,
        access,
      };
    };
    const [x, y] = [operand('x'), operand('y')];
    const sum = b.contract({ indices, outer }, [x.access, y.access], [x.value, y.value]);
    return randomEpilogue(b, sum, random);
  });
}

/** A subscript over one or two of the indices `used`, which it takes, and the size of the dimension that it reads. */
function randomSubscript(indices: readonly Index[], used: number[], random: Random): [Subscript, Dim] {
  const first = used.pop() as number;
  const extent = (index: number): Dim => (indices[index] as Index).extent;
  const second = used.length > 0 && random.int(0, 1) === 0 ? used.pop() : undefined;
  if (second === undefined) {
    if (random.int(0, 3) > 0 || dimValue(extent(first)) === undefined) return [plainSubscript(first), extent(first)];
    const flipped = affine([{ index: first, coefficient: -1 }], dimAdd(extent(first), dimConst(-1)));
    return [affineSubscript(flipped, 1, extent(first), indices), extent(first)];
  }
  const [a, c] = [random.int(1, 3), random.pick([1, 1, 2, -1])];
  const divisor = random.pick([1, 1, 1, 2]);
  const offset = c < 0 ? random.int(0, 3) : -random.int(0, 2);
  const expression = affine(
    [
      { index: first, coefficient: a },
      { index: second, coefficient: c },
    ],
    offset,
  );
  // Sometimes all of the operand is reached, sometimes more than there is.
  const reach = dimAdd(dimMul(dimConst(a), extent(first)), dimMul(dimConst(Math.max(c, 0)), extent(second)));
  const size = random.int(0, 1) === 0 ? reach : dimConst(random.int(1, 20));
  return [affineSubscript(expression, divisor, size, indices), size];
}

function randomEpilogue(b: Builder, sum: Value, random: Random): readonly Value[] {
  const { dtype, shape } = sum.type;
  const follow = random.int(0, 5);
  if (follow === 1) {
    const bias = b.param('bias', { dtype, shape: shape.slice(-1) });
    return [b.elementwise('relu', [b.elementwise('add', [sum, bias])])];
  }
  if (follow === 2) {
    const old = b.param('old', { dtype, shape });
    return [b.elementwise('sub', [old, b.elementwise('mul', [sum, b.constant(0.5, dtype)])])];
  }
  if (follow === 3) return [sum, b.elementwise('gt', [sum, b.constant(0, dtype)])];
  // In another width than that of the sums.
  if (follow === 4) return [b.cast(b.elementwise('tanh', [b.cast(sum, dtype === 'f32' ? 'f64' : 'f32')]), 'f32')];
  return [sum];
}
