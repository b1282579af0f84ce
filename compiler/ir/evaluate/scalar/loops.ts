// The loops of the scalar evaluator for the dtypes whose elements are numbers: one short loop for each operator.
//
// A register is a typed array, and storing into it rounds (f32) or wraps (integers) as the dtype demands: sums, products,
// quotients and square roots of f32 computed in f64 and stored as f32 are rounded correctly, since 53 ≥ 2·24 + 2.

import { type DType, dtypeBytes, isFloat } from '../../dtype.js';
import type { ArithmeticOp, ComparisonOp } from '../../scalar.js';
import type { Numbers } from '../tensor.js';
import type { createFma } from './fma.js';

/** Computes the first `n` elements of a register from those of others. */
export type Loop = (n: number) => void;

type Unary = (out: Numbers, a: Numbers) => Loop;
type Binary = (out: Numbers, a: Numbers, b: Numbers) => Loop;

/* Each loop is written out, so that the engine specialises it; a shared loop that calls a function for each element would be many times slower. */

const floatUnary: Partial<Record<ArithmeticOp, Unary>> = {
  neg: (o, a) => (n) => {
    for (let i = 0; i < n; i++) o[i] = -a[i]!;
  },
  abs: (o, a) => (n) => {
    for (let i = 0; i < n; i++) o[i] = Math.abs(a[i]!);
  },
  sqrt: (o, a) => (n) => {
    for (let i = 0; i < n; i++) o[i] = Math.sqrt(a[i]!);
  },
  floor: (o, a) => (n) => {
    for (let i = 0; i < n; i++) o[i] = Math.floor(a[i]!);
  },
  ceil: (o, a) => (n) => {
    for (let i = 0; i < n; i++) o[i] = Math.ceil(a[i]!);
  },
  trunc: (o, a) => (n) => {
    for (let i = 0; i < n; i++) o[i] = Math.trunc(a[i]!);
  },
  round: (o, a) => (n) => {
    for (let i = 0; i < n; i++) o[i] = roundHalfEven(a[i]!);
  },
};

const floatBinary: Partial<Record<ArithmeticOp, Binary>> = {
  add: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = a[i]! + b[i]!;
  },
  sub: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = a[i]! - b[i]!;
  },
  mul: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = a[i]! * b[i]!;
  },
  div: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = a[i]! / b[i]!;
  },
  rem: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = a[i]! % b[i]!;
  },
  min: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = Math.min(a[i]!, b[i]!);
  },
  max: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = Math.max(a[i]!, b[i]!);
  },
};

const copy: Unary = (o, a) => (n) => {
  for (let i = 0; i < n; i++) o[i] = a[i]!;
};

const intUnary: Partial<Record<ArithmeticOp, Unary>> = {
  neg: (o, a) => (n) => {
    for (let i = 0; i < n; i++) o[i] = -a[i]!;
  },
  abs: (o, a) => (n) => {
    for (let i = 0; i < n; i++) o[i] = Math.abs(a[i]!);
  },
  floor: copy,
  ceil: copy,
  trunc: copy,
  round: copy,
  not: (o, a) => (n) => {
    for (let i = 0; i < n; i++) o[i] = ~a[i]!;
  },
};

/** `bits` is the width of the dtype; the mask of its bits makes unsigned what a logical shift reads. */
const intBinary = (bits: number): Partial<Record<ArithmeticOp, Binary>> => ({
  add: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = (a[i]! + b[i]!) | 0;
  },
  sub: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = (a[i]! - b[i]!) | 0;
  },
  mul: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = Math.imul(a[i]!, b[i]!);
  },
  div: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = (a[i]! / b[i]!) | 0;
  },
  rem: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = (a[i]! % b[i]!) | 0;
  },
  min: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = Math.min(a[i]!, b[i]!);
  },
  max: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = Math.max(a[i]!, b[i]!);
  },
  and: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = a[i]! & b[i]!;
  },
  or: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = a[i]! | b[i]!;
  },
  xor: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = a[i]! ^ b[i]!;
  },
  shl: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = a[i]! << (b[i]! & (bits - 1));
  },
  shr: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = a[i]! >> (b[i]! & (bits - 1));
  },
  ushr: (o, a, b) => (n) => {
    const mask = bits === 32 ? -1 : (1 << bits) - 1;
    for (let i = 0; i < n; i++) o[i] = (a[i]! & mask) >>> (b[i]! & (bits - 1));
  },
});

/** Bools are 0 and 1, so the bitwise operators are the logical ones. */
const boolNot: Unary = (o, a) => (n) => {
  for (let i = 0; i < n; i++) o[i] = 1 - a[i]!;
};

const comparisons: Record<ComparisonOp, Binary> = {
  eq: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = a[i]! === b[i]! ? 1 : 0;
  },
  ne: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = a[i]! !== b[i]! ? 1 : 0;
  },
  lt: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = a[i]! < b[i]! ? 1 : 0;
  },
  le: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = a[i]! <= b[i]! ? 1 : 0;
  },
  gt: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = a[i]! > b[i]! ? 1 : 0;
  },
  ge: (o, a, b) => (n) => {
    for (let i = 0; i < n; i++) o[i] = a[i]! >= b[i]! ? 1 : 0;
  },
};

/** To the nearest integer, ties to even; the sign of a zero result is that of the operand. */
export function roundHalfEven(x: number): number {
  if (!(Math.abs(x) < 2 ** 52)) return x;
  const floor = Math.floor(x);
  const rest = x - floor;
  const rounded = rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1;
  return rounded === 0 && (x < 0 || Object.is(x, -0)) ? -0 : rounded;
}

/** The loop of an operator on one, two or three registers of `dtype`; undefined when the dtype does not have the operator. */
export function numberLoop(
  op: ArithmeticOp | ComparisonOp,
  dtype: DType,
  out: Numbers,
  args: readonly Numbers[],
  fused: ReturnType<typeof createFma>,
): Loop | undefined {
  const [a, b, c] = args;
  if (a === undefined) return undefined;
  if (op === 'fma') {
    if (b === undefined || c === undefined || !isFloat(dtype)) return undefined;
    return fmaLoop(out, a, b, c, dtype === 'f64' ? fused.f64 : fused.f32);
  }
  if (b === undefined) {
    if (op === 'not' && dtype === 'bool') return boolNot(out, a);
    return (isFloat(dtype) ? floatUnary : intUnary)[op as ArithmeticOp]?.(out, a);
  }
  if (Object.hasOwn(comparisons, op)) return comparisons[op as ComparisonOp](out, a, b);
  return (isFloat(dtype) ? floatBinary : intBinary(dtypeBytes(dtype) * 8))[op as ArithmeticOp]?.(out, a, b);
}

function fmaLoop(
  o: Numbers,
  a: Numbers,
  b: Numbers,
  c: Numbers,
  fma: (a: number, b: number, c: number) => number,
): Loop {
  return (n) => {
    for (let i = 0; i < n; i++) o[i] = fma(a[i]!, b[i]!, c[i]!);
  };
}

/** `condition ? then : otherwise`. */
export const numberSelect =
  (o: Numbers, condition: Numbers, then: Numbers, otherwise: Numbers): Loop =>
  (n) => {
    for (let i = 0; i < n; i++) o[i] = condition[i]! !== 0 ? then[i]! : otherwise[i]!;
  };
