// Exponentials: e^x, 2^x, e^x - 1, and the sigmoid.
//
// Method (Cody and Waite): x = n·ln 2 + r with |r| ≤ ln 2 / 2, e^r by a minimax polynomial of ours, and 2^n put into the exponent.
// Operands are clamped to where the result has already reached 0 or infinity, so that n stays in range; NaN passes the clamps.

import type { Scalar } from '../ir/scalar.js';
import { ln2 } from './constants.js';
import { abs, add, choose, div, fma, ge, lt, mul, neg, polynomial, sub } from './expression.js';
import { type ComputeDType, computeDType, type Elementary, elementary } from './function.js';
import { clamp, halfPower, nearestInteger, scaleByPowerOfTwo, type Whole } from './steps.js';

interface ExpTable {
  /** Beyond these the result is 0 or infinity. */
  readonly lowest: number;
  readonly highest: number;
  /** (e^r - 1 - r) / r² */
  readonly exp: readonly number[];
  /** (2^r - 1) / r for |r| ≤ 1/2 */
  readonly exp2: readonly number[];
  /** The exponents between which 2^x is neither 0 nor infinite. */
  readonly exp2Range: readonly [number, number];
}

const tables: Readonly<Record<ComputeDType, ExpTable>> = {
  f32: {
    lowest: -104,
    highest: 89,
    exp: [0.5, 0.166665181517601, 0.04166645556688309, 0.008368954993784428, 0.0013935798779129982],
    exp2: [
      0.6931471824645996, 0.24022647738456726, 0.05550359562039375, 0.009618500247597694, 0.0013390970416367054,
      0.00015328872541431338,
    ],
    exp2Range: [-151, 129],
  },
  f64: {
    lowest: -746,
    highest: 710,
    exp: [
      0.5000000000000013, 0.16666666666666685, 0.04166666666651151, 0.008333333333315462, 0.001388888894789146,
      0.00019841269900363888, 2.4801489139815564e-5, 2.7557230974445855e-6, 2.7631539570706896e-7, 2.511333986572694e-8,
    ],
    exp2: [
      Math.LN2,
      0.2402265069591011,
      0.05550410866482176,
      0.009618129107600654,
      0.0013333558146534571,
      0.00015403530450089868,
      1.5252733646937838e-5,
      1.3215438365041743e-6,
      1.0178154266016733e-7,
      7.073306669334421e-9,
      4.439764731683314e-10,
    ],
    exp2Range: [-1077, 1025],
  },
};

const tableOf = (x: Scalar): ExpTable => tables[computeDType(x.dtype)];

/** x = n·ln 2 + r: n and r, with the part of r that its rounding lost. */
function reduce(x: Scalar): { readonly n: Whole; readonly r: Scalar; readonly lost: Scalar } {
  const [high, low] = ln2[computeDType(x.dtype)];
  const n = nearestInteger(x, Math.LOG2E);
  const { float } = n;
  const exact = fma(float, -high, x);
  const r = fma(float, -low, exact);
  return { n, r, lost: fma(float, -low, sub(exact, r)) };
}

/** e^x · 2^shift for all x; the shift is small. */
export function scaledExp(x: Scalar, shift = 0): Scalar {
  const table = tableOf(x);
  const { n, r } = reduce(clamp(x, table.lowest, table.highest - shift));
  const p = polynomial(r, [1, 1, ...table.exp]);
  const shifted = { float: add(n.float, shift), raised: add(n.raised, shift) };
  return scaleByPowerOfTwo(p, shift === 0 ? n : shifted);
}

/**
 * e^(high + low) of f64s, where `low` is much smaller than `high`: what a power needs. Where `high` is so large that the result is 0 or
 * infinite, `low` may be anything.
 */
export function expOfTwo(high: Scalar, low: Scalar): Scalar {
  const { lowest, highest, exp } = tableOf(high);
  const { n, r, lost } = reduce(clamp(high, lowest, highest));
  const rest = add(lost, choose(lt(abs(high), 2 * highest), low, 0));
  const square = mul(r, r);
  const p = polynomial(r, exp);
  // e^(r + rest) = e^r + rest · e^r, in order of size.
  const tail = fma(square, p, fma(rest, fma(square, p, r), rest));
  return scaleByPowerOfTwo(add(add(r, tail), 1), n);
}

/** e^(r + lost) - 1 for a small r and what the rounding of r lost. */
const expMinusOne = (r: Scalar, lost: Scalar): Scalar => add(r, fma(mul(r, r), polynomial(r, tableOf(r).exp), lost));

function expm1Body(x: Scalar): Scalar {
  const { highest } = tableOf(x);
  const digits = x.dtype === 'f64' ? 53 : 24;
  // From -(digits + 2) ln 2 down the result is -1.
  const { n, r, lost } = reduce(clamp(x, -(digits + 2) * Math.LN2, highest));
  // 2^n may overflow where the result does not, so everything is halved until the last step.
  const half = halfPower(n);
  const value = mul(fma(half, expMinusOne(r, lost), sub(half, 0.5)), 2);
  return choose(lt(abs(x), 2 ** -(digits + 1)), x, value);
}

function exp2Body(x: Scalar): Scalar {
  const { exp2, exp2Range } = tableOf(x);
  const clamped = clamp(x, ...exp2Range);
  const n = nearestInteger(clamped);
  const r = sub(clamped, n.float);
  return scaleByPowerOfTwo(fma(r, polynomial(r, exp2), 1), n);
}

const reduction = 'Cody and Waite reduction by ln 2, minimax polynomial.';

export const exp: Elementary = elementary('exp', {
  doc: `e^x. ${reduction}`,
  ulp: { f32: 1, f64: 1 },
  body: (x) => scaledExp(x),
});

export const exp2: Elementary = elementary('exp2', {
  doc: '2^x. The nearest integer goes to the exponent, a minimax polynomial takes the rest.',
  ulp: { f32: 1, f64: 1 },
  body: exp2Body,
});

export const expm1: Elementary = elementary('expm1', {
  doc: `e^x - 1 without cancellation. ${reduction}`,
  ulp: { f32: 1.6, f64: 1.7 },
  body: expm1Body,
});

export const sigmoid: Elementary = elementary('sigmoid', {
  doc: '1 / (1 + e^-x), as e^-|x| / (1 + e^-|x|) for negative x, so that it neither overflows nor loses small results.',
  ulp: { f32: 2.4, f64: 2.4 },
  body: (x) => {
    const e = scaledExp(neg(abs(x)));
    return div(choose(ge(x, 0), 1, e), add(e, 1));
  },
});
