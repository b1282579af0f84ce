// Sine, cosine and tangent: reduction to |r| ≤ π/4 (reduction.ts), minimax polynomials of ours, and the quadrant's choice and sign.

import { bitcast, cast, type Scalar } from '../ir/scalar.js';
import {
  abs,
  add,
  and,
  bitsOf,
  choose,
  div,
  fma,
  lt,
  mul,
  ne,
  neg,
  polynomial,
  shl,
  signBit,
  sub,
  xor,
} from './expression.js';
import { type ComputeDType, type Elementary, elementary } from './function.js';
import { reduceF32, reduceF64 } from './reduction.js';

interface KernelTable {
  /** (sin r - r) / r³ as a function of r² */
  readonly sin: readonly number[];
  /** (cos r - 1 + r²/2) / r⁴ as a function of r² */
  readonly cos: readonly number[];
}

const tables: Readonly<Record<ComputeDType, KernelTable>> = {
  f32: {
    sin: [-0.16666655242443085, 0.008332189172506332, -0.00019518285989761353],
    cos: [0.04166664555668831, -0.0013887309469282627, 2.443236553517636e-5],
  },
  f64: {
    sin: [
      -0.1666666666666663, 0.008333333333321915, -0.0001984126982945505, 2.7557313581050424e-6, -2.5050742140924045e-8,
      1.589593407859336e-10,
    ],
    cos: [
      0.0416666666666666, -0.0013888888888874476, 2.4801587289673085e-5, -2.755731440139198e-7, 2.087572931017941e-9,
      -1.1359934510457183e-11,
    ],
  },
};

/** The same kernels in f64, as far as an f32 result needs them. */
const tanTable: KernelTable = {
  sin: [-0.16666666627962248, 0.008333328235140271, -0.00019839042746724197, 2.7160050300949348e-6],
  cos: [0.04166666662278601, -0.0013888883749777145, 2.4799519049530435e-5, -2.721015848221668e-7],
};

/** The sine and cosine of r + lost, |r| ≤ π/4. */
function kernels(table: KernelTable, r: Scalar, lost?: Scalar): { readonly sin: Scalar; readonly cos: Scalar } {
  const z = mul(r, r);
  const sinTail = mul(mul(z, r), polynomial(z, table.sin));
  const cosTail = mul(mul(z, z), polynomial(z, table.cos));
  if (lost === undefined) return { sin: add(r, sinTail), cos: add(fma(z, -0.5, 1), cosTail) };
  const half = mul(z, 0.5);
  const nearCos = sub(1, half);
  const cosLost = sub(sub(1, nearCos), half);
  return {
    sin: add(r, add(sinTail, fma(neg(half), lost, lost))),
    cos: add(nearCos, add(cosLost, fma(neg(r), lost, cosTail))),
  };
}

interface Turned {
  readonly sin: Scalar;
  readonly cos: Scalar;
  /** The quadrant as an integer of the width of the operand. */
  readonly quadrant: Scalar;
}

function turned(x: Scalar): Turned {
  if (x.dtype === 'f64') {
    const { quadrant, r, lost } = reduceF64(abs(x));
    return { ...kernels(tables.f64, r, lost), quadrant: cast(quadrant, 'i64') };
  }
  const { quadrant, r } = reduceF32(abs(x));
  return { ...kernels(tables.f32, cast(r, 'f32')), quadrant: cast(quadrant, 'i32') };
}

const isOdd = (quadrant: Scalar): Scalar => ne(and(quadrant, 1), 0);

/** Turns the sign over where bit 1 of the quadrant is set. */
function withQuadrantSign(value: Scalar, quadrant: Scalar): Scalar {
  const toSign = value.dtype === 'f64' ? 62 : 30;
  return bitcast(xor(bitsOf(value), shl(and(quadrant, 2), toSign)), value.dtype);
}

/** Turns the sign over where that of `sign` is negative. */
const timesSign = (value: Scalar, sign: Scalar): Scalar =>
  bitcast(xor(bitsOf(value), and(bitsOf(sign), signBit(value.dtype))), value.dtype);

/** In f64 the reduction of tiny numbers would meet subnormal ones; there the odd functions are their operand. */
const unlessTiny = (x: Scalar, value: Scalar): Scalar =>
  x.dtype === 'f64' ? choose(lt(abs(x), 2 ** -27), x, value) : value;

function sinBody(x: Scalar): Scalar {
  const { sin, cos, quadrant } = turned(x);
  return unlessTiny(x, timesSign(withQuadrantSign(choose(isOdd(quadrant), cos, sin), quadrant), x));
}

function cosBody(x: Scalar): Scalar {
  const { sin, cos, quadrant } = turned(x);
  return withQuadrantSign(choose(isOdd(quadrant), sin, cos), add(quadrant, 1));
}

/** The tangent of |x| from the kernels: in odd quadrants the negative reciprocal. */
const quotient = (sin: Scalar, cos: Scalar, odd: Scalar): Scalar =>
  div(choose(odd, neg(cos), sin), choose(odd, sin, cos));

function tanBody(x: Scalar): Scalar {
  if (x.dtype === 'f64') {
    const { sin, cos, quadrant } = turned(x);
    return unlessTiny(x, timesSign(quotient(sin, cos, isOdd(quadrant)), x));
  }
  // Both kernels and the division in f64 cost less than a pair of numbers in f32 that is exact enough.
  const { quadrant, r } = reduceF32(abs(x));
  const { sin, cos } = kernels(tanTable, r);
  return timesSign(cast(quotient(sin, cos, isOdd(cast(quadrant, 'i64'))), 'f32'), x);
}

const method =
  'Exact reduction by π/2 for every finite operand (after Payne and Hanek), minimax polynomials. NaN of infinities.';

export const sin: Elementary = elementary('sin', {
  doc: `The sine. ${method}`,
  ulp: { f32: 1.6, f64: 0.8 },
  body: sinBody,
});

export const cos: Elementary = elementary('cos', {
  doc: `The cosine. ${method}`,
  ulp: { f32: 1.6, f64: 0.8 },
  body: cosBody,
});

export const tan: Elementary = elementary('tan', {
  doc: `The tangent. ${method}`,
  ulp: { f32: 0.6, f64: 2.1 },
  body: tanBody,
});
