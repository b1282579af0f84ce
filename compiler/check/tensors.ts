// Tensors from values of the elaborator: promotion of dtypes, weak numbers, broadcasting, elementwise operations.

import { isProvablyAtMost } from '../ir/bounds.js';
import { type Dim, dimConst, dimEquals, dimSub, dimValue, isDimConst, printDim } from '../ir/dims.js';
import { type DType, dtypeKind, intRange, isFloat, outranks, promote } from '../ir/dtype.js';
import type { Value } from '../ir/graph.js';
import { elementwiseOp } from '../ops/table.js';
import type { Context } from './context.js';
import {
  describe,
  isUntyped,
  isWeakNumber,
  type Relation,
  type Site,
  tensor,
  typeText,
  type Val,
  type WeakNumber,
  weakened,
} from './values.js';

/** An operand of an operation on tensors. */
export type Numeric = WeakNumber | Extract<Val, { kind: 'tensor' }>;

export const isNumeric = (val: Val): val is Numeric => val.kind === 'tensor' || isWeakNumber(val);

/** The dtype that a number has where it meets none. */
export function weakDType(cx: Context, val: WeakNumber): DType {
  if (val.kind === 'int') return 'i64';
  return val.kind === 'float' || val.kind === 'real' ? cx.options.defaultFloat : 'bool';
}

/** The dtype that a value has by itself. */
export const dtypeOf = (cx: Context, val: Numeric): DType =>
  val.kind === 'tensor' ? val.value.type.dtype : weakDType(cx, val);

/**
 * The dtype in which operands meet: tensors promote by kind and width; tensors of rank 0, and after them compile-time numbers, count only
 * where their kind is wider (bool < int < float) than that of the others.
 */
export function commonDType(cx: Context, operands: readonly Numeric[]): DType {
  const classes: (readonly DType[])[] = [
    operands.flatMap((val) => (val.kind === 'tensor' && val.value.type.shape.length > 0 ? [val.value.type.dtype] : [])),
    operands.flatMap((val) =>
      val.kind === 'tensor' && val.value.type.shape.length === 0 ? [val.value.type.dtype] : [],
    ),
    operands.flatMap((val) => (val.kind === 'tensor' ? [] : [weakDType(cx, val)])),
  ];
  let common: DType | undefined;
  for (const dtypes of classes) {
    const [first, ...others] = dtypes;
    if (first === undefined) continue;
    const joined = others.reduce(promote, first);
    if (common === undefined) common = joined;
    else if (outranks(joined, common)) common = joined;
  }
  if (common === undefined) throw new Error('an operation without operands');
  return common;
}

const relationOps: Readonly<Record<Relation, string>> = {
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
};

/** A value as a tensor of a dtype: numbers become constants of rank 0, tensors are cast. */
export function toTensor(cx: Context, val: Numeric, dtype: DType = dtypeOf(cx, val), site: Site = cx.site): Value {
  switch (val.kind) {
    case 'tensor':
      return cx.b.cast(val.value, dtype);
    case 'float':
      return constantOf(cx, val.value, dtype, site);
    case 'real':
      if (dtypeKind(dtype) === 'int')
        cx.fail('E0319', { message: `a real number is not a value of ${dtype}`, site, help: `cast(x, ${dtype})` });
      return cx.b.cast(val.value, dtype);
    case 'bool':
      return cx.b.constant(val.value, dtype);
    case 'int': {
      const value = dimValue(val.dim);
      return value === undefined ? cx.b.size(val.dim, dtype) : constantOf(cx, value, dtype, site);
    }
    case 'relation': {
      const sides = [cx.b.size(val.left), cx.b.size(val.right)];
      return cx.b.cast(cx.b.elementwise(relationOps[val.op], sides), dtype);
    }
  }
}

function constantOf(cx: Context, value: number, dtype: DType, site: Site): Value {
  if (dtypeKind(dtype) === 'int') {
    const { min, max } = intRange(dtype);
    if (!Number.isInteger(value) || value < Number(min) || value > Number(max)) {
      cx.fail('E0319', { message: `${value} is not a value of ${dtype}`, site });
    }
  }
  return cx.b.constant(dtype === 'bool' ? value !== 0 : value, dtype);
}

/** What the operand of a message is: its expression where that is short, and its type. */
export interface Operand {
  readonly val: Val;
  readonly site?: Site;
}

/** The shape that tensors broadcast to; sizes that must be equal and cannot be compared are assumed to be. */
export function broadcastShape(
  cx: Context,
  shapes: readonly (readonly Dim[])[],
  refuse: (axis: number, a: Dim, b: Dim) => never,
): readonly Dim[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.flatMap((shape) => shape[axis - rank + shape.length] ?? []);
    const size = sizes.find((candidate) => !isDimConst(candidate, 1)) ?? dimConst(1);
    for (const other of sizes) {
      if (isDimConst(other, 1) || cx.sameSize(size, other, 'operands that meet element by element have equal sizes'))
        continue;
      refuse(axis, size, other);
    }
    return size;
  });
}

/**
 * The shapes that broadcast together, with the sizes that are 0 or 1 when the entry runs, as that of `x[:1]`, stated as 1 where they meet
 * others: these axes repeat. That they are not empty is checked when the entry is called.
 */
export function stateUnits(cx: Context, shapes: readonly (readonly Dim[])[]): readonly (readonly Dim[])[] {
  if (!shapes.some((shape) => shape.some(hasMaximum))) return shapes;
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const isUnit = (size: Dim): boolean => isProvablyAtMost(size, 1);
  const axes = Array.from({ length: rank }, (_, axis) => shapes.map((shape) => shape[axis - rank + shape.length]));
  const repeats = axes.map((sizes) => sizes.some((size) => size !== undefined && !isUnit(size)));
  return shapes.map((shape) =>
    shape.map((size, axis) => {
      const one = dimConst(1);
      if (dimValue(size) !== undefined || repeats[axis + rank - shape.length] !== true || !isUnit(size)) return size;
      return cx.sameSize(size, one, 'an axis that repeats is not empty') ? one : size;
    }),
  );
}

const hasMaximum = (size: Dim): boolean => size.terms.some(({ atoms }) => atoms.some((atom) => atom.kind === 'max'));

/** The value with its sizes written as in `shape`, which it is known or assumed to have (axes of size 1 stay). */
export function restate(cx: Context, value: Value, shape: readonly Dim[]): Value {
  const own = value.type.shape;
  const offset = shape.length - own.length;
  const stated = own.map((size, axis) => (isDimConst(size, 1) ? size : (shape[axis + offset] as Dim)));
  return stated.every((size, axis) => dimEquals(size, own[axis] as Dim))
    ? value
    : cx.b.view(value, { type: 'reshape', shape: stated });
}

/** Applies an elementwise record to operands whose dtypes are settled. */
export function elementwise(cx: Context, op: string, given: readonly Value[], what: string = op): Value {
  const shapes = stateUnits(
    cx,
    given.map((value) => value.type.shape),
  );
  const operands = given.map((value, i) => cx.b.reshape(value, shapes[i] ?? []));
  const shape = broadcastShape(cx, shapes, (axis, a, b) => {
    const types = operands.filter((value) => value.type.shape.length > 0).map((value) => typeText(value.type));
    cx.fail('E0304', {
      message: `${what}: ${types.join(' and ')} do not broadcast`,
      label: `axis ${axis} has ${printDim(a)} and ${printDim(b)}`,
      help: 'axes are matched from the last one; each pair must be equal, or one of them 1',
    });
  });
  return cx.b.elementwise(
    op,
    operands.map((value) => restate(cx, value, shape)),
  );
}

/**
 * Applies an elementwise operation to operands that are promoted first. Where the operation works on floats only, integers and bools
 * become the default float; operands with a dtype of their own (the condition of `where`) are cast to it. Numbers alone give a number:
 * what is real is computed in f64, because the dtype that it will meet is not known here.
 */
export function pointwise(cx: Context, op: string, operands: readonly Numeric[], what: string = op): Val {
  const record = elementwiseOp(op);
  const shared = operands.filter((_, i) => record.fixed?.[i] === undefined);
  let common = commonDType(cx, shared);
  if (!record.accepts.includes(common)) common = widen(cx, record.accepts, common, what);
  const isNumber = shared.every(isUntyped) && operands.every(isRank0);
  if (isNumber && isFloat(common)) common = 'f64';
  const values = operands.map((val, i) => asDType(cx, val, record.fixed?.[i] ?? common));
  const result = elementwise(cx, op, values, what);
  return isNumber ? weakened(result) : tensor(result);
}

/** A dtype that an operation accepts for operands of `given`: the next wider kind. */
function widen(cx: Context, accepts: readonly DType[], given: DType, what: string): DType {
  const floats = accepts.some(isFloat);
  const integers = accepts.includes('i64');
  if (!isFloat(given) && floats && !integers) return cx.options.defaultFloat;
  if (given === 'bool' && integers) return 'i64';
  if (accepts.length === 1 && accepts[0] === 'bool') return 'bool';
  const kinds = [...new Set(accepts.map(dtypeKind))].map((kind) => `${kind}s`).join(' and ');
  return cx.fail('E0311', {
    message: `${what} works on ${kinds}, not on ${given}`,
  });
}

function asDType(cx: Context, val: Numeric, dtype: DType): Value {
  if (dtype !== 'bool' || dtypeOf(cx, val) === 'bool') return toTensor(cx, val, dtype);
  const own = toTensor(cx, val);
  return cx.b.elementwise('ne', [own, cx.b.constant(0, own.type.dtype)]);
}

/** The value as a tensor, or a failure that says what was expected. */
export function expectNumeric(cx: Context, val: Val, what: string, site: Site = cx.site): Numeric {
  if (isNumeric(val)) return val;
  return cx.fail('E0301', { message: `${what} takes a tensor or a number, not ${describe(val)}`, site });
}

/** Whether two sizes differ whatever the run-time dimensions are. */
export const surelyDiffer = (a: Dim, b: Dim): boolean => (dimValue(dimSub(a, b)) ?? 0) !== 0;

export const isRank0 = (val: Val): boolean =>
  isWeakNumber(val) || (val.kind === 'tensor' && val.value.type.shape.length === 0);
