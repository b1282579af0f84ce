// Arc functions: one polynomial for the arc tangent and one for the arc sine, with reductions to the interval where they hold.

import type { Scalar } from '../ir/scalar.js';
import {
  abs,
  add,
  and,
  bitsOf,
  choose,
  div,
  eq,
  fma,
  gt,
  literal,
  lt,
  mul,
  neg,
  or,
  polynomial,
  sqrt,
  sub,
  withSign,
} from './expression.js';
import { type ComputeDType, computeDType, type Elementary, elementary } from './function.js';

interface ArcTable {
  /** π/2 and π/4 and what their rounding lost. */
  readonly halfPi: readonly [number, number];
  readonly quarterPi: readonly [number, number];
  /** (atan t - t) / t³ as a function of t², |t| ≤ √2 - 1 */
  readonly atan: readonly number[];
  /** (asin s - s) / s³ as a function of s², |s| ≤ 1/2 */
  readonly asin: readonly number[];
}

const tables: Readonly<Record<ComputeDType, ArcTable>> = {
  f32: {
    halfPi: [1.5707963705062866, -4.371138828673793e-8],
    quarterPi: [0.7853981852531433, -2.1855694143368964e-8],
    atan: [-0.33333316445350647, 0.19998526573181152, -0.14244344830513, 0.10598728060722351, -0.060887355357408524],
    asin: [0.16666753590106964, 0.07495257258415222, 0.04547491297125816, 0.024158958345651627, 0.04219919070601463],
  },
  f64: {
    halfPi: [1.5707963267948966, 6.123233995736766e-17],
    quarterPi: [0.7853981633974483, 3.061616997868383e-17],
    atan: [
      -0.3333333333333319, 0.19999999999952275, -0.14285714280071746, 0.11111110777507496, -0.09090897593130742,
      0.07692057382634486, -0.06663072763346695, 0.05847667288186177, -0.050383263056019735, 0.03804019479725094,
      -0.01788100753258474,
    ],
    asin: [
      0.16666666666665395, 0.07500000000340451, 0.04464285682543029, 0.03038195925942111, 0.02237175504121843,
      0.017359751235082935, 0.013884765926340007, 0.012172361538684555, 0.006514071217409006, 0.019567062281571655,
      -0.01628627136024288, 0.03195553876422763,
    ],
  },
};

const tableOf = (x: Scalar): ArcTable => tables[computeDType(x.dtype)];

/** The arc tangent of numerator / denominator, neither negative nor both 0: their quotient, 1 or its reciprocal is split off. */
function atanOfQuotient(numerator: Scalar, denominator: Scalar): Scalar {
  const { halfPi, quarterPi, atan } = tableOf(numerator);
  const steep = gt(mul(numerator, Math.SQRT2 - 1), denominator);
  const middle = gt(numerator, mul(denominator, Math.SQRT2 - 1));
  // tan(a - π/2) = -1 / tan a, and tan(a - π/4) = (tan a - 1) / (tan a + 1).
  const above = choose(steep, neg(denominator), choose(middle, sub(numerator, denominator), numerator));
  const below = choose(steep, numerator, choose(middle, add(numerator, denominator), denominator));
  const t = div(above, below);
  const z = mul(t, t);
  const pick = (part: 0 | 1) =>
    choose(
      steep,
      literal(halfPi[part], t.dtype),
      choose(middle, literal(quarterPi[part], t.dtype), literal(0, t.dtype)),
    );
  const tail = fma(mul(t, z), polynomial(z, atan), pick(1));
  return add(pick(0), add(t, tail));
}

function atanBody(x: Scalar): Scalar {
  const infinity = literal(Number.POSITIVE_INFINITY, x.dtype);
  const magnitude = abs(x);
  // atan of an infinity, as of 1 / 0.
  const isInfinite = eq(magnitude, infinity);
  const one = literal(1, x.dtype);
  return withSign(atanOfQuotient(choose(isInfinite, one, magnitude), choose(isInfinite, literal(0, x.dtype), one)), x);
}

function atan2Body(y: Scalar, x: Scalar): Scalar {
  const { halfPi } = tableOf(x);
  const [a, b] = [abs(y), abs(x)];
  // Equal zeros count as 0 / 1 and equal infinities as 1 / 1.
  const bothZero = eq(add(a, b), 0);
  const bothInfinite = and(eq(a, b), eq(a, Number.POSITIVE_INFINITY));
  const special = or(bothZero, bothInfinite);
  const one = literal(1, x.dtype);
  const quotient = div(choose(special, choose(bothZero, literal(0, x.dtype), one), a), choose(special, one, b));
  const isInfinite = eq(quotient, Number.POSITIVE_INFINITY);
  const angle = atanOfQuotient(choose(isInfinite, one, quotient), choose(isInfinite, literal(0, x.dtype), one));
  const isLeft = lt(bitsOf(x), literal(0, bitsOf(x).dtype));
  const turned = sub(2 * halfPi[0], sub(angle, 2 * halfPi[1]));
  return withSign(choose(isLeft, turned, angle), y);
}

/** asin s for |s| ≤ 1/2, where z = s², plus a correction of s. */
const asinKernel = (s: Scalar, z: Scalar): Scalar => mul(mul(s, z), polynomial(z, tableOf(s).asin));

/** For |x| > 1/2: √((1 - |x|) / 2), what its rounding lost, and its square. */
function halfAngle(magnitude: Scalar): { readonly s: Scalar; readonly lost: Scalar; readonly z: Scalar } {
  const z = mul(sub(1, magnitude), 0.5);
  const s = sqrt(z);
  const lost = choose(eq(s, 0), 0, div(fma(neg(s), s, z), mul(s, 2)));
  return { s, lost, z };
}

function asinBody(x: Scalar): Scalar {
  const { halfPi } = tableOf(x);
  const magnitude = abs(x);
  const { s, lost, z } = halfAngle(magnitude);
  // asin x = π/2 - 2 asin √((1 - x) / 2)
  const twice = mul(add(asinKernel(s, z), lost), 2);
  const far = sub(halfPi[0], sub(fma(s, 2, twice), halfPi[1]));
  const near = add(magnitude, asinKernel(magnitude, mul(magnitude, magnitude)));
  return withSign(choose(gt(magnitude, 0.5), far, near), x);
}

function acosBody(x: Scalar): Scalar {
  const { halfPi } = tableOf(x);
  const magnitude = abs(x);
  const { s, lost, z } = halfAngle(magnitude);
  const half = add(asinKernel(s, z), lost);
  const right = mul(add(s, half), 2);
  const left = sub(2 * halfPi[0], mul(sub(add(s, half), halfPi[1]), 2));
  const near = sub(halfPi[0], sub(add(x, asinKernel(x, mul(x, x))), halfPi[1]));
  return choose(gt(magnitude, 0.5), choose(gt(x, 0), right, left), near);
}

export const atan: Elementary = elementary('atan', {
  doc: 'The arc tangent, in [-π/2, π/2]. Reduction to |t| ≤ √2 - 1 (as in Cephes), minimax polynomial.',
  ulp: { f32: 1.9, f64: 1.8 },
  body: atanBody,
});

export const atan2: Elementary = elementary('atan2', {
  arity: 2,
  doc:
    'The angle of the point (x, y), operands in the order (y, x), in [-π, π], with the signs of zeros and infinities of C. The arc tangent ' +
    'of the quotient, turned to the left half plane where x is negative.',
  ulp: { f32: 2.3, f64: 2.1 },
  body: atan2Body,
});

export const asin: Elementary = elementary('asin', {
  doc: 'The arc sine, NaN outside [-1, 1]. A minimax polynomial for |x| ≤ 1/2, else by way of the half angle (the form of fdlibm).',
  ulp: { f32: 1.9, f64: 1.8 },
  body: asinBody,
});

export const acos: Elementary = elementary('acos', {
  doc: 'The arc cosine, NaN outside [-1, 1]. A minimax polynomial for |x| ≤ 1/2, else by way of the half angle (the form of fdlibm).',
  ulp: { f32: 1, f64: 1.1 },
  body: acosBody,
});
