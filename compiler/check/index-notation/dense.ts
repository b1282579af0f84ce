// Tensors whose axes are index variables: their alignment, operators between them, and the numbers that fill them.

import { type Dim, dimConst } from '../../ir/dims.js';
import { type DType, intRange, isInt } from '../../ir/dtype.js';
import type { Index, Value } from '../../ir/graph.js';
import type { Context } from '../context.js';
import { binary } from '../operators.js';
import { type Numeric, toTensor } from '../tensors.js';
import { float, tensor, type Val } from '../values.js';
import type { IndexVar, SubscriptTree } from './tree.js';

/** A tensor whose axes are the variables, in the order of their numbers; or a number without any. */
export interface Dense {
  readonly vars: readonly IndexVar[];
  readonly value: Numeric;
}

/** Variables in the order of their numbers, each once. */
export const sorted = (vars: Iterable<IndexVar>): readonly IndexVar[] => [...new Set(vars)].sort((a, b) => a.id - b.id);
export const extentOf = (index: IndexVar): Dim => index.extent as Dim;
export const indicesOf = (vars: readonly IndexVar[]): readonly Index[] =>
  vars.map((v) => ({ name: v.name, extent: extentOf(v) }));
/** The subscript that is a variable alone. */
export const one = (index: IndexVar): SubscriptTree => ({
  kind: 'affine',
  terms: new Map([[index, 1]]),
  offset: dimConst(0),
  divisor: 1,
});

/** Inserts axes of size 1 for the variables that a tensor does not have. */
export function align(cx: Context, value: Value, own: readonly IndexVar[], vars: readonly IndexVar[]): Value {
  return cx.b.reshape(
    value,
    vars.map((index) => (own.includes(index) ? (value.type.shape[own.indexOf(index)] as Dim) : dimConst(1))),
  );
}

/** The product of tensors over their joint variables. */
export function multiply(cx: Context, factors: readonly Dense[]): Dense {
  const [first, ...others] = factors as readonly [Dense, ...Dense[]];
  return others.reduce((left, right) => combine(cx, '*', left, right), first);
}

/** An operator on tensors over their joint variables. */
export function combine(cx: Context, operator: '*' | '/', left: Dense, right: Dense): Dense {
  const vars = sorted([...left.vars, ...right.vars]);
  const [a, b] = [left, right].map(({ value, vars: own }) =>
    value.kind === 'tensor' ? tensor(align(cx, value.value, own, vars)) : value,
  ) as [Val, Val];
  return { vars, value: binary(cx, operator, a, b) as Numeric };
}

/** The neutral element of a reduction in a dtype: an infinity is the end of the range of integers. */
export function neutralOf(cx: Context, neutral: number, dtype: DType): Value {
  if (Number.isFinite(neutral) || !isInt(dtype)) return toTensor(cx, float(neutral) as Numeric, dtype);
  const { min, max } = intRange(dtype);
  return cx.b.constant(neutral < 0 ? min : max, dtype);
}
