// The loops of the scalar evaluator for i64: elements are bigints, and storing into a BigInt64Array wraps around.

import type { ArithmeticOp, ComparisonOp } from '../../scalar.js';
import type { Numbers } from '../tensor.js';
import type { Loop } from './loops.js';

type Unary = (a: bigint) => bigint;
type Binary = (a: bigint, b: bigint) => bigint;

const same: Unary = (a) => a;

const unary: Partial<Record<ArithmeticOp, Unary>> = {
  neg: (a) => -a,
  abs: (a) => (a < 0n ? -a : a),
  floor: same,
  ceil: same,
  trunc: same,
  round: same,
  not: (a) => ~a,
};

const count = (b: bigint): bigint => b & 63n;

const binary: Partial<Record<ArithmeticOp, Binary>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => (b === 0n ? 0n : a / b),
  rem: (a, b) => (b === 0n ? 0n : a % b),
  min: (a, b) => (a < b ? a : b),
  max: (a, b) => (a > b ? a : b),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << count(b),
  shr: (a, b) => a >> count(b),
  ushr: (a, b) => BigInt.asUintN(64, a) >> count(b),
};

const comparisons: Record<ComparisonOp, (a: bigint, b: bigint) => boolean> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
};

/** The loop of an operator whose result is i64; undefined when i64 does not have it. */
export function bigintLoop(op: ArithmeticOp, out: BigInt64Array, args: readonly BigInt64Array[]): Loop | undefined {
  const [a, b] = args;
  if (a === undefined) return undefined;
  if (b === undefined) {
    const f = unary[op];
    if (f === undefined) return undefined;
    return (n) => {
      for (let i = 0; i < n; i++) out[i] = f(a[i]!);
    };
  }
  const f = binary[op];
  if (f === undefined) return undefined;
  return (n) => {
    for (let i = 0; i < n; i++) out[i] = f(a[i]!, b[i]!);
  };
}

/** The loop of a comparison of two i64 registers. */
export function bigintComparison(op: ComparisonOp, out: Numbers, a: BigInt64Array, b: BigInt64Array): Loop {
  const f = comparisons[op];
  return (n) => {
    for (let i = 0; i < n; i++) out[i] = f(a[i]!, b[i]!) ? 1 : 0;
  };
}

export const bigintSelect =
  (out: BigInt64Array, condition: Numbers, then: BigInt64Array, otherwise: BigInt64Array): Loop =>
  (n) => {
    for (let i = 0; i < n; i++) out[i] = condition[i]! !== 0 ? then[i]! : otherwise[i]!;
  };
