// The ways in which a random graph grows by one or a few nodes (see graphs.ts).

import type { Builder } from '../../compiler/ir/builder.js';
import {
  type Dim,
  dimAdd,
  dimConst,
  dimEquals,
  dimMul,
  dimProduct,
  dimSub,
  dimValue,
  isDimConst,
} from '../../compiler/ir/dims.js';
import { type DType, isFloat } from '../../compiler/ir/dtype.js';
import type { Access, Affine, Func, Index, Value } from '../../compiler/ir/graph.js';
import { affine, affineSubscript, plainAccess, plainSubscript } from '../../compiler/ir/space.js';
import { findElementwiseOp, findOrderOp, findReduceOp } from '../../compiler/ops/table.js';
import type { Choices } from './choices.js';
import type { GraphOptions } from './graphs.js';

export interface Grower {
  readonly b: Builder;
  readonly choices: Choices;
  readonly dtype: DType;
  /** Values of the dtype so far. */
  readonly values: readonly Value[];
  readonly functions: ReadonlyMap<string, Func>;
  readonly options: GraphOptions;
}

/** Adds nodes and returns what may be used further; nothing when the step does not fit. */
type Step = (grower: Grower) => readonly Value[];

const pick = ({ choices, values }: Grower): Value => choices.of(values);
const rankOf = (value: Value): number => value.type.shape.length;
const sizeOf = (value: Value, dim: number): Dim => value.type.shape[dim] as Dim;

/** Names of operations that exist and take the dtype; `smooth` keeps those with a derivative. */
function available(names: readonly string[], { dtype, options }: Grower): readonly string[] {
  return names.filter((name) => {
    const record = findElementwiseOp(name) ?? findReduceOp(name) ?? findOrderOp(name);
    return record?.accepts.includes(dtype) && (options.differentiable !== true || record.smooth);
  });
}

const unary: Step = (grower) => {
  const names = available(['neg', 'sin', 'tanh', 'sigmoid', 'abs', 'floor', 'cos', 'relu', 'atan'], grower);
  return [grower.b.elementwise(grower.choices.of(names), [pick(grower)])];
};

/** Whether two shapes broadcast, as far as symbols allow to say. */
const broadcasts = (a: readonly Dim[], b: readonly Dim[]): boolean =>
  a.toReversed().every((dim, i) => {
    const other = b.toReversed()[i];
    return other === undefined || dimEquals(dim, other) || isDimConst(dim, 1) || isDimConst(other, 1);
  });

/** Another value that broadcasts with one, or a constant. */
function partner(grower: Grower, value: Value): Value {
  const fitting = grower.values.filter((other) => broadcasts(value.type.shape, other.type.shape));
  if (grower.choices.oneIn(3)) return grower.b.constant(grower.choices.of([1, 0, 2, -1]), grower.dtype);
  return grower.choices.of(fitting);
}

const binary: Step = (grower) => {
  const a = pick(grower);
  const names = available(['add', 'sub', 'mul', 'maximum', 'minimum'], grower);
  return [grower.b.elementwise(grower.choices.of(names), [a, partner(grower, a)])];
};

const choose: Step = (grower) => {
  const a = pick(grower);
  const c = partner(grower, a);
  const condition = grower.b.elementwise(grower.choices.of(['gt', 'le']), [a, c]);
  return [grower.b.elementwise('where', [condition, a, c])];
};

/** Casts there and back; in differentiable graphs only between floats. */
const casts: Step = (grower) => {
  const via: DType =
    grower.options.differentiable === true ? 'f64' : grower.choices.of(['f64', 'i32', 'f32', 'i64', 'bool'] as const);
  return [grower.b.cast(grower.b.cast(pick(grower), via), grower.dtype)];
};

/** An einsum: indices of the second operand are new, or shared with the first where the extents are equal; some are summed. */
const einsum: Step = (grower) => {
  const { b, choices } = grower;
  const a = pick(grower);
  const second = choices.oneIn(4) ? undefined : pick(grower);
  const indices: { extent: Dim; summed: boolean }[] = a.type.shape.map((extent) => ({
    extent,
    summed: choices.oneIn(2),
  }));
  const first = a.type.shape.map((_, i) => i);
  const used = new Set<number>();
  const other = (second?.type.shape ?? []).map((extent) => {
    const shared = indices.findIndex((index, i) => i < first.length && !used.has(i) && dimEquals(index.extent, extent));
    if (shared >= 0 && !choices.oneIn(3)) {
      used.add(shared);
      return shared;
    }
    indices.push({ extent, summed: choices.oneIn(2) });
    return indices.length - 1;
  });
  const outer = indices.flatMap((index, i) => (index.summed ? [] : [i]));
  if (outer.length > 4) return [];
  const order = [...outer, ...indices.flatMap((index, i) => (index.summed ? [i] : []))];
  const at = (index: number) => order.indexOf(index);
  const space = {
    indices: order.map((index, i): Index => ({ name: `i${i}`, extent: indices[index]?.extent as Dim })),
    outer: outer.length,
  };
  const operands = second === undefined ? [a] : [a, second];
  const accesses =
    second === undefined ? [plainAccess(first.map(at))] : [plainAccess(first.map(at)), plainAccess(other.map(at))];
  const guards: Affine[] = [];
  if (order.length >= 2 && choices.oneIn(4)) {
    const terms = [
      { index: 0, coefficient: 1 },
      { index: 1, coefficient: -1 },
    ];
    guards.push(affine(terms, choices.below(2)));
  }
  return [b.contract(space, accesses, operands, guards)];
};

/** The last dimension read through a window: strided, dilated, reflected, divided; masked where it leaves the operand. */
function windowed(
  grower: Grower,
  value: Value,
  window: Index,
): { indices: readonly Index[]; access: Access; outer: number } | undefined {
  const { choices } = grower;
  const last = rankOf(value) - 1;
  if (last < 0) return undefined;
  const size = sizeOf(value, last);
  const outer: Index[] = value.type.shape.map((extent, i) => ({ name: `o${i}`, extent }));
  const stride = choices.of([1, 2, -1]);
  const divisor = choices.of([1, 1, 2, 3]);
  const offset = choices.of([dimConst(0), dimConst(-1), dimSub(size, dimConst(1)), dimConst(1)]);
  if (choices.oneIn(2)) outer[last] = { name: 'o', extent: dimAdd(size, dimConst(choices.below(2))) };
  const indices = [...outer, window];
  const expression = affine(
    [
      { index: last, coefficient: stride },
      { index: indices.length - 1, coefficient: choices.of([1, -1, 2]) },
    ],
    offset,
  );
  const access = [
    ...value.type.shape.slice(0, -1).map((_, i) => plainSubscript(i)),
    affineSubscript(expression, divisor, size, indices),
  ];
  return { indices, access, outer: outer.length };
}

const convolution: Step = (grower) => {
  const value = pick(grower);
  const kernels = grower.values.filter((k) => rankOf(k) === 1);
  const extent = dimConst(1 + grower.choices.below(3));
  const kernel = kernels.length > 0 ? grower.choices.of(kernels) : undefined;
  const window: Index = { name: 'u', extent: kernel === undefined ? extent : sizeOf(kernel, 0) };
  const read = windowed(grower, value, window);
  if (read === undefined) return [];
  const space = { indices: read.indices, outer: read.outer };
  const accesses = kernel === undefined ? [read.access] : [read.access, plainAccess([read.outer])];
  return [grower.b.contract(space, accesses, kernel === undefined ? [value] : [value, kernel])];
};

const windowReduction: Step = (grower) => {
  const value = pick(grower);
  const read = windowed(grower, value, { name: 'u', extent: dimConst(1 + grower.choices.below(3)) });
  const names = available(['sum', 'prod'], grower);
  if (read === undefined) return [];
  return grower.b.reduceOver(
    grower.choices.of(names),
    value,
    { indices: read.indices, outer: read.outer },
    read.access,
  );
};

const reduction: Step = (grower) => {
  const { choices } = grower;
  const value = pick(grower);
  const dims = value.type.shape.flatMap((_, dim) => (choices.oneIn(2) ? [dim] : []));
  const names = available(['sum', 'max', 'min', 'prod', 'argmax', 'max_with_index'], grower);
  const [first] = grower.b.reduce(choices.of(names), value, dims);
  return [grower.b.cast(first as Value, grower.dtype)];
};

const scan: Step = (grower) => {
  const value = pick(grower);
  const names = available(['cumsum', 'cumprod', 'cummax'], grower);
  if (rankOf(value) === 0 || names.length === 0) return [];
  const draft = {
    kind: 'order',
    op: grower.choices.of(names),
    dim: grower.choices.below(rankOf(value)),
    reverse: grower.choices.oneIn(2),
  } as const;
  return grower.b.add({ ...draft, inputs: [value] });
};

const reshape: Step = (grower) => {
  const value = pick(grower);
  const { shape } = value.type;
  const flat = [dimProduct(shape)];
  const split = shape.flatMap((dim) => (dimValue(dim) === 4 ? [dimConst(2), dimConst(2)] : [dim]));
  return [grower.b.view(value, { type: 'reshape', shape: grower.choices.of([flat, [dimConst(1), ...shape], split]) })];
};

const permute: Step = (grower) => {
  const value = pick(grower);
  const rest = value.type.shape.map((_, i) => i);
  const permutation: number[] = [];
  while (rest.length > 0) permutation.push(...rest.splice(grower.choices.below(rest.length), 1));
  return [grower.b.view(value, { type: 'permute', permutation })];
};

const broadcast: Step = (grower) => {
  const { choices } = grower;
  const value = pick(grower);
  const { shape } = value.type;
  const at = choices.below(rankOf(value) + 1);
  const repeated = shape.map((dim) => (isDimConst(dim, 1) && choices.oneIn(2) ? dimConst(3) : dim));
  const to = [...repeated.slice(0, at), dimConst(2), ...repeated.slice(at)];
  return [grower.b.view(value, { type: 'broadcast', shape: to, dims: shape.map((_, i) => (i < at ? i : i + 1)) })];
};

const slice: Step = (grower) => {
  const { choices } = grower;
  const value = pick(grower);
  const parts = value.type.shape.map((dim) => {
    const size = dimValue(dim);
    if (size === undefined) return { start: dimConst(0), step: 1, size: dim };
    const start = choices.below(size);
    const step = 1 + choices.below(2);
    return { start: dimConst(start), step, size: dimConst(choices.below(Math.ceil((size - start) / step)) + 1) };
  });
  const view = {
    type: 'slice',
    starts: parts.map((p) => p.start),
    steps: parts.map((p) => p.step),
    sizes: parts.map((p) => p.size),
  } as const;
  return [grower.b.view(value, view)];
};

const flip: Step = (grower) => {
  const value = pick(grower);
  const dims = value.type.shape.flatMap((_, dim) => (grower.choices.oneIn(2) ? [dim] : []));
  return [grower.b.view(value, { type: 'flip', dims })];
};

const pad: Step = (grower) => {
  const { b, choices } = grower;
  const value = pick(grower);
  const widths = () => value.type.shape.map(() => dimConst(choices.below(2)));
  const fill = b.constant(choices.of([0, 1]), grower.dtype);
  return [
    b.pad(
      value,
      fill,
      widths(),
      widths(),
      value.type.shape.map(() => choices.below(2)),
    ),
  ];
};

const concat: Step = (grower) => {
  const { choices } = grower;
  const value = pick(grower);
  if (rankOf(value) === 0) return [];
  const dim = choices.below(rankOf(value));
  const fits = (other: Value) =>
    rankOf(other) === rankOf(value) &&
    other.type.shape.every((size, i) => i === dim || dimEquals(size, sizeOf(value, i)));
  const others = Array.from({ length: choices.below(3) }, () => choices.of(grower.values.filter(fits)));
  return [grower.b.concat([value, ...others], dim)];
};

/** Random positions in a dimension of a known size, as an index tensor; by data where the dimension is a run-time one. */
function positions(grower: Grower, size: Dim, count: number): Value {
  const known = dimValue(size) ?? 1;
  const data = Array.from({ length: count }, () => grower.choices.below(known));
  const dtype = grower.choices.of(['i64', 'i32'] as const);
  return grower.b.literal(data, dtype, [dimConst(count)]);
}

const gather: Step = (grower) => {
  const value = pick(grower);
  if (rankOf(value) === 0 || value.type.shape.some((dim) => isDimConst(dim, 0))) return [];
  const tables = [positions(grower, sizeOf(value, 0), 3)];
  const others = value.type.shape.slice(1).map((extent, i): Index => ({ name: `d${i}`, extent }));
  const indices = [{ name: 'n', extent: dimConst(3) }, ...others];
  const access: Access = [
    { kind: 'lookup', operand: 1, subscripts: [plainSubscript(0)] },
    ...others.map((_, i) => plainSubscript(i + 1)),
  ];
  if (rankOf(value) > 1 && grower.choices.oneIn(2)) {
    const second = { kind: 'lookup', operand: 2, subscripts: [plainSubscript(0)] } as const;
    const swapped = [access[0] as Access[number], second, ...access.slice(2)];
    return [
      grower.b.gather({ indices, outer: indices.length }, swapped, [
        value,
        ...tables,
        positions(grower, sizeOf(value, 1), 3),
      ]),
    ];
  }
  return [grower.b.gather({ indices, outer: indices.length }, access, [value, ...tables])];
};

const scatter: Step = (grower) => {
  const { b, choices } = grower;
  const value = pick(grower);
  if (rankOf(value) === 0 || value.type.shape.some((dim) => isDimConst(dim, 0))) return [];
  const [size, ...rest] = value.type.shape as [Dim, ...Dim[]];
  const indices = [{ name: 'n', extent: size }, ...rest.map((extent, i): Index => ({ name: `d${i}`, extent }))];
  const table = b.iota([size], 0);
  const half = b.elementwise('floor_div', [table, b.constant(2, 'i64')]);
  const access: Access = [
    { kind: 'lookup', operand: 2, subscripts: [plainSubscript(0)] },
    ...rest.map((_, i) => plainSubscript(i + 1)),
  ];
  const updates = b.elementwise('neg', [value]);
  const mode = grower.options.differentiable === true ? 'add' : choices.of(['add', 'set', 'max', 'min'] as const);
  return [b.scatter(mode, { indices, outer: indices.length }, access, [value, updates, half])];
};

const sources: Step = (grower) => {
  const { b, choices, dtype } = grower;
  const { shape } = pick(grower).type;
  switch (choices.below(4)) {
    case 0:
      return shape.length === 0 ? [] : [b.cast(b.iota(shape, choices.below(shape.length)), dtype)];
    case 1:
      return [b.size(dimMul(dimProduct(shape), dimConst(2)), dtype)];
    case 2:
      return [b.constant(choices.of(isFloat(dtype) ? [2, -0.5, 3] : [2, -1, 3]), dtype, shape)];
    default: {
      const key = b.literal([7n, 2n ** 60n], 'i64', [dimConst(2)]);
      const [folded] = b.add({
        kind: 'source',
        source: { type: 'fold_in' },
        inputs: [key, b.constant(choices.below(9), 'i64')],
      });
      const [bits] = b.add({ kind: 'source', source: { type: 'random_bits', shape }, inputs: [folded as Value] });
      const value = b.cast(bits as Value, dtype);
      return [isFloat(dtype) ? b.elementwise('mul', [value, b.constant(2 ** -31, dtype)]) : value];
    }
  }
};

/** A region that carries a function of the module whose parameters can be supplied. */
const region: Step = (grower) => {
  const { b, choices, functions, options } = grower;
  if (functions.size === 0) return [];
  const callee = choices.of([...functions.values()]);
  const supply = (type: Value['type']): Value => {
    const fitting = grower.values.filter(
      (v) => v.type.shape.map((d) => d.key).join() === type.shape.map((d) => d.key).join(),
    );
    return fitting.length > 0 ? choices.of(fitting) : b.constant(1, type.dtype, type.shape);
  };
  const inputs = callee.params.map((param) => supply(param.type));
  const results = callee.results.map((result) => result.type);
  const kinds = ['call', 'jvp', 'vjp'] as const;
  const kind = options.regions === 'derivatives' ? choices.of(kinds) : 'call';
  if (kind === 'call') return b.region({ type: 'call', fn: callee.name }, inputs, results, callee.name);
  const wrt = callee.params.flatMap((_, i) => (i === 0 || choices.oneIn(2) ? [i] : []));
  const of = callee.results.map((_, i) => i);
  const params = callee.params.map((param) => param.type);
  const seeded =
    kind === 'jvp' ? wrt.map((i) => params[i] as Value['type']) : of.map((i) => results[i] as Value['type']);
  const made = kind === 'jvp' ? of.map((i) => results[i] as Value['type']) : wrt.map((i) => params[i] as Value['type']);
  return b.region({ type: kind, fn: callee.name, wrt, of }, [...inputs, ...seeded.map(supply)], [...results, ...made]);
};

/** All steps, simplest first. */
export const steps: readonly Step[] = [
  unary,
  binary,
  reduction,
  einsum,
  choose,
  casts,
  reshape,
  permute,
  broadcast,
  slice,
  flip,
  pad,
  concat,
  gather,
  scatter,
  sources,
  convolution,
  windowReduction,
  scan,
  region,
];
