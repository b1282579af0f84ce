// Hyperbolic functions and their inverses.

import { callScalar, type Scalar } from '../ir/scalar.js';
import { expm1, scaledExp } from './exp.js';
import {
  abs,
  add,
  choose,
  div,
  fma,
  gt,
  isNan,
  literal,
  lt,
  mul,
  or,
  polynomial,
  sqrt,
  sub,
  withSign,
} from './expression.js';
import { type ComputeDType, callElementary, computeDType, type Elementary, elementary } from './function.js';
import { log1p } from './log.js';
import { type HalfArgument, sigmoidal } from './sigmoidal.js';

/** (sinh x - x) / x³ as a function of x² for |x| < 1 */
const sinhTable: Readonly<Record<ComputeDType, readonly number[]>> = {
  f32: [0.1666666716337204, 0.00833331048488617, 0.0001984289410756901, 2.7822293304780032e-6],
  f64: [
    0.16666666666666669, 0.008333333333332924, 0.00019841269841579422, 2.7557319112309304e-6, 2.5052129995975985e-8,
    1.6056743643428506e-10, 7.77390481621198e-13,
  ],
};

/** tanh(x/2) / x = numerator / denominator as polynomials of x² for |x| ≤ 9.01, both times a factor that keeps rounding errors low. */
const tanhF32: HalfArgument = {
  bound: 9.0098,
  numerator: [0.9165613055229187, 0.02728354185819626, 0.00010459939221618697],
  denominator: [1.8331226110458374, 0.2073272168636322, 0.0022105230018496513, 2.24820746552723e-6],
};

/** tanh |x| = t / (t + 2) with t = e^2|x| - 1. */
function tanhBodyF64(x: Scalar): Scalar {
  const magnitude = abs(x);
  const t = callScalar(expm1.f64, mul(choose(gt(magnitude, 20), 20, magnitude), 2));
  return withSign(div(t, add(t, 2)), x);
}

export const tanh: Elementary = elementary('tanh', {
  doc: 'The hyperbolic tangent. In f32 a rational minimax function of half the argument, doubled, in f64 by way of e^2x - 1 (the form of fdlibm).',
  ulp: { f32: 3.6, f64: 2.7 },
  body: { f32: (x) => sigmoidal(x, tanhF32), f64: tanhBodyF64 },
});

/** e^|x| / 2, which overflows only where sinh and cosh do. */
const halfExp = (x: Scalar): Scalar => scaledExp(abs(x), -1);

function sinhBody(x: Scalar): Scalar {
  const table = sinhTable[computeDType(x.dtype)];
  const z = mul(x, x);
  const near = fma(mul(z, x), polynomial(z, table), x);
  const half = halfExp(x);
  return choose(lt(abs(x), 1), near, withSign(sub(half, div(0.25, half)), x));
}

function coshBody(x: Scalar): Scalar {
  const half = halfExp(x);
  return add(half, div(0.25, half));
}

export const sinh: Elementary = elementary('sinh', {
  doc: 'The hyperbolic sine. A minimax polynomial for |x| < 1, else e^|x|/2 - e^-|x|/2.',
  ulp: { f32: 1.7, f64: 1.7 },
  body: sinhBody,
});

export const cosh: Elementary = elementary('cosh', {
  doc: 'The hyperbolic cosine, e^|x|/2 + e^-|x|/2.',
  ulp: { f32: 1.5, f64: 1.5 },
  body: coshBody,
});

/** Beyond this log(1 + x) is log x, and the inverses are log 2x; squares do not overflow below. */
const largeFrom = (x: Scalar): number => (x.dtype === 'f64' ? 2 ** 60 : 2 ** 30);

function asinhBody(x: Scalar): Scalar {
  const magnitude = abs(x);
  const isLarge = gt(magnitude, largeFrom(x));
  const square = mul(magnitude, magnitude);
  const sum = add(magnitude, div(square, add(sqrt(add(square, 1)), 1)));
  const value = callElementary(log1p, choose(isLarge, magnitude, sum));
  return withSign(choose(isLarge, add(value, Math.LN2), value), x);
}

function acoshBody(x: Scalar): Scalar {
  const isLarge = gt(x, largeFrom(x));
  const t = sub(x, 1);
  const value = callElementary(log1p, choose(isLarge, t, add(t, sqrt(mul(t, add(t, 2))))));
  return choose(or(isNan(x), lt(x, 1)), literal(Number.NaN, x.dtype), choose(isLarge, add(value, Math.LN2), value));
}

function atanhBody(x: Scalar): Scalar {
  const magnitude = abs(x);
  return withSign(mul(callElementary(log1p, div(mul(magnitude, 2), sub(1, magnitude))), 0.5), x);
}

const byLog1p = 'By way of log1p (the form of fdlibm).';

export const asinh: Elementary = elementary('asinh', {
  doc: `The inverse hyperbolic sine. ${byLog1p}`,
  ulp: { f32: 1.8, f64: 1.8 },
  body: asinhBody,
});

export const acosh: Elementary = elementary('acosh', {
  doc: `The inverse hyperbolic cosine; NaN below 1. ${byLog1p}`,
  ulp: { f32: 2.1, f64: 2 },
  body: acoshBody,
});

export const atanh: Elementary = elementary('atanh', {
  doc: `The inverse hyperbolic tangent; infinite at ±1, NaN beyond. ${byLog1p}`,
  ulp: { f32: 2, f64: 2 },
  body: atanhBody,
});
