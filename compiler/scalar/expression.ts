// A small notation for scalar IR: operators that take numbers as operands. A number becomes a constant of the dtype of
// its neighbours (rounded to it), so that the formulas of elementary functions read as they do in the literature.

import type { DType } from '../ir/dtype.js';
import {
  type ArithmeticOp,
  apply,
  bitcast,
  type ComparisonOp,
  compare,
  constant,
  type Scalar,
  select,
} from '../ir/scalar.js';

/** A scalar expression, or a number that takes the dtype of the other operands. */
export type Term = Scalar | number | bigint;

const isScalar = (term: Term): term is Scalar => typeof term === 'object';

/** A constant of `dtype`; f32 constants are rounded here, so that the IR shows the number that is computed with. */
export const literal = (value: number | bigint, dtype: DType): Scalar =>
  constant(dtype === 'f32' ? Math.fround(Number(value)) : value, dtype);

/** The terms as scalars of their common dtype. */
function lift(terms: readonly Term[]): Scalar[] {
  const dtype = terms.find(isScalar)?.dtype;
  if (dtype === undefined) throw new TypeError('a scalar expression needs at least one operand that is not a number');
  return terms.map((term) => (isScalar(term) ? term : literal(term, dtype)));
}

const arithmetic =
  (op: ArithmeticOp) =>
  (...terms: readonly Term[]): Scalar =>
    apply(op, ...lift(terms));

const comparison =
  (op: ComparisonOp) =>
  (left: Term, right: Term): Scalar => {
    const [a, b] = lift([left, right]);
    return compare(op, a as Scalar, b as Scalar);
  };

export const neg = arithmetic('neg');
export const sub = arithmetic('sub');
export const div = arithmetic('div');
export const rem = arithmetic('rem');
export const abs = arithmetic('abs');
export const sqrt = arithmetic('sqrt');
export const floor = arithmetic('floor');
export const ceil = arithmetic('ceil');
export const trunc = arithmetic('trunc');
export const round = arithmetic('round');
export const min = arithmetic('min');
export const max = arithmetic('max');
export const not = arithmetic('not');
export const xor = arithmetic('xor');
export const shl = arithmetic('shl');
export const shr = arithmetic('shr');
export const ushr = arithmetic('ushr');

/** `a · b + c` with one rounding. */
export const fma = (a: Term, b: Term, c: Term): Scalar => arithmetic('fma')(a, b, c);

const chain =
  (op: ArithmeticOp) =>
  (...terms: readonly Term[]): Scalar =>
    lift(terms).reduce((left, right) => apply(op, left, right));

/** Sum from left to right. */
export const add = chain('add');
/** Product from left to right. */
export const mul = chain('mul');
export const and = chain('and');
export const or = chain('or');

export const eq = comparison('eq');
export const ne = comparison('ne');
export const lt = comparison('lt');
export const le = comparison('le');
export const gt = comparison('gt');
export const ge = comparison('ge');

/** `condition ? then : otherwise`. */
export function choose(condition: Scalar, then: Term, otherwise: Term): Scalar {
  const [a, b] = lift([then, otherwise]);
  return select(condition, a as Scalar, b as Scalar);
}

export const isNan = (x: Scalar): Scalar => ne(x, x);

/** The polynomial Σ coefficients[i] · x^i by Horner's rule with fused multiply-adds. Coefficients may be expressions. */
export function polynomial(x: Scalar, coefficients: readonly Term[]): Scalar {
  const [highest, ...lower] = [...coefficients].reverse();
  if (highest === undefined) throw new RangeError('a polynomial needs a coefficient');
  const start = isScalar(highest) ? highest : literal(highest, x.dtype);
  return lower.reduce<Scalar>((sum, coefficient) => fma(sum, x, coefficient), start);
}

/** a + b as its rounded value and what the rounding lost (Knuth). */
export function twoSum(a: Scalar, b: Scalar): readonly [sum: Scalar, lost: Scalar] {
  const sum = add(a, b);
  const added = sub(sum, a);
  return [sum, add(sub(a, sub(sum, added)), sub(b, added))];
}

/** a · b as its rounded value and what the rounding lost. */
export function twoProduct(a: Scalar, b: Scalar): readonly [product: Scalar, lost: Scalar] {
  const product = mul(a, b);
  return [product, fma(a, b, neg(product))];
}

/** The integer dtype with the bits of a float dtype, and where the fields of the float lie in it. */
export interface FloatLayout {
  readonly bits: 'i32' | 'i64';
  readonly mantissaBits: number;
  readonly bias: number;
}

/** The layout of f32 and f64, the dtypes that elementary functions compute in. */
export function floatLayout(dtype: DType): FloatLayout {
  if (dtype === 'f32') return { bits: 'i32', mantissaBits: 23, bias: 127 };
  if (dtype === 'f64') return { bits: 'i64', mantissaBits: 52, bias: 1023 };
  throw new TypeError(`elementary functions compute in f32 and f64, not in ${dtype}`);
}

/** The bits of a float as an integer of its width. */
export const bitsOf = (x: Scalar): Scalar => bitcast(x, floatLayout(x.dtype).bits);

/** 2^n as a float of `dtype`; n is an integer of its width and in the range of normal exponents. */
export function powerOfTwo(n: Scalar, dtype: DType): Scalar {
  const { mantissaBits, bias } = floatLayout(dtype);
  return bitcast(shl(add(n, bias), mantissaBits), dtype);
}

/** `x` with the sign of `sign`; `x` is not negative. */
export function withSign(x: Scalar, sign: Scalar): Scalar {
  return bitcast(or(bitsOf(x), and(bitsOf(sign), signBit(x.dtype))), x.dtype);
}

/** The integer with only the sign bit of a float dtype set. */
export const signBit = (dtype: DType): bigint | number => (dtype === 'f64' ? -(2n ** 63n) : -(2 ** 31));
