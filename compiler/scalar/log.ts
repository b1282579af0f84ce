// Logarithms: natural, base 2 and 10, and log(1 + x).
//
// Method: x = 2^e · m with √½ ≤ m < √2, and log m by a minimax polynomial of ours: in f32 of f = m - 1 (the form of Cephes' logf), in
// f64 of s = f / (2 + f) (the form of fdlibm's log). Subnormal numbers are scaled first.

import { bitcast, cast, type Scalar } from '../ir/scalar.js';
import { ln2 } from './constants.js';
import {
  abs,
  add,
  and,
  bitsOf,
  choose,
  div,
  eq,
  floatLayout,
  fma,
  gt,
  literal,
  lt,
  mul,
  neg,
  polynomial,
  powerOfTwo,
  shl,
  shr,
  sub,
  twoSum,
} from './expression.js';
import { type Elementary, elementary } from './function.js';

/** (log(1 + f) - f + f²/2) / f³ */
const logF32 = [
  0.3333331346511841, -0.25000011920928955, 0.20002074539661407, -0.1666785180568695, 0.14220185577869415,
  -0.12408251315355301, 0.11886689066886902, -0.11660455912351608, 0.06731526553630829,
];

/** (log((1 + s) / (1 - s)) - 2s) / s³ as a function of s² */
const logF64 = [
  0.6666666666666734, 0.3999999999941663, 0.285714287420341, 0.222221986040006, 0.181835629321818, 0.1531408206091059,
  0.14795668516938737,
];

const isWide = (x: Scalar): boolean => x.dtype === 'f64';

/** x = 2^exponent · (1 + f), for positive finite x. */
interface Reduced {
  readonly exponent: Scalar;
  readonly f: Scalar;
}

/** Takes a positive finite number apart. */
function reduce(x: Scalar): Reduced {
  const { mantissaBits, bits, bias } = floatLayout(x.dtype);
  const isSubnormal = lt(x, 2 ** (1 - bias));
  const scale = mantissaBits + 2;
  const normal = choose(isSubnormal, mul(x, 2 ** scale), x);
  // The bits of a float grow by one exponent when the number doubles; counted from √½, the shift gives the exponent.
  const start = bitsOf(literal(Math.SQRT1_2, x.dtype));
  const steps = shr(sub(bitsOf(normal), start), mantissaBits);
  const m = bitcast(sub(bitsOf(normal), shl(steps, mantissaBits)), x.dtype);
  const exponent = sub(steps, choose(isSubnormal, literal(scale, bits), literal(0, bits)));
  return { exponent, f: sub(m, 1) };
}

/** f - log(1 + f), to its own accuracy. */
function logTail(f: Scalar): Scalar {
  const halfSquare = mul(f, f, 0.5);
  if (!isWide(f)) {
    const z = mul(f, f);
    return sub(halfSquare, mul(mul(z, f), polynomial(f, logF32)));
  }
  const s = div(f, add(f, 2));
  const z = mul(s, s);
  return sub(halfSquare, mul(s, fma(z, polynomial(z, logF64), halfSquare)));
}

/** Replaces the value outside the positive finite numbers: -∞ at 0, NaN below, x itself at ∞ and NaN. */
function outsideOfDomain(x: Scalar, value: Scalar): Scalar {
  const isPositive = gt(x, 0);
  const special = choose(eq(x, 0), Number.NEGATIVE_INFINITY, choose(isPositive, x, literal(Number.NaN, x.dtype)));
  return choose(and(isPositive, lt(x, Number.POSITIVE_INFINITY)), value, special);
}

function logOfReduced({ exponent, f }: Reduced): Scalar {
  const [high, low] = ln2[isWide(f) ? 'f64' : 'f32'];
  const e = cast(exponent, f.dtype);
  return fma(e, high, sub(f, fma(e, -low, logTail(f))));
}

/** log(x) · factor, where `factor` is given to twice the precision; `ofTwo` is log(2) · factor in two parts. */
function scaledLog(x: Scalar, factor: readonly [number, number], ofTwo: readonly [number, number]): Scalar {
  const { exponent, f } = reduce(x);
  const e = cast(exponent, x.dtype);
  const [high, low] = factor;
  // f · factor to twice the precision, since it is all there is when e is 0.
  const product = mul(f, high);
  const rest = fma(f, low, fma(f, high, neg(product)));
  const tail = fma(e, ofTwo[1], fma(neg(logTail(f)), high, rest));
  return outsideOfDomain(x, fma(e, ofTwo[0], add(product, tail)));
}

export const log: Elementary = elementary('log', {
  doc: 'The natural logarithm: -∞ at 0, NaN of negative numbers. Exponent and minimax polynomial (forms of Cephes and fdlibm).',
  ulp: { f32: 1, f64: 1 },
  body: (x) => outsideOfDomain(x, logOfReduced(reduce(x))),
});

const log2Factors = {
  f32: [1.4426950216293335, 1.925963033500011e-8],
  f64: [Math.LOG2E, 2.0355273740931033e-17],
} as const;

const log10Factors = {
  f32: {
    factor: [0.4342944920063019, -1.0103049952192578e-8],
    ofTwo: [0.301025390625, 4.605039066518657e-6],
  },
  f64: {
    factor: [Math.LOG10E, 1.098319650216765e-17],
    ofTwo: [0.301029995663157, 8.241712586023572e-13],
  },
} as const;

export const log2: Elementary = elementary('log2', {
  doc: 'The logarithm to base 2: -∞ at 0, NaN of negative numbers, exact at powers of 2. Exponent and minimax polynomial.',
  ulp: { f32: 1, f64: 1 },
  body: {
    f32: (x) => scaledLog(x, log2Factors.f32, [1, 0]),
    f64: (x) => scaledLog(x, log2Factors.f64, [1, 0]),
  },
});

export const log10: Elementary = elementary('log10', {
  doc: 'The logarithm to base 10: -∞ at 0, NaN of negative numbers. Exponent and minimax polynomial.',
  ulp: { f32: 1, f64: 1 },
  body: {
    f32: (x) => scaledLog(x, log10Factors.f32.factor, log10Factors.f32.ofTwo),
    f64: (x) => scaledLog(x, log10Factors.f64.factor, log10Factors.f64.ofTwo),
  },
});

function log1pBody(x: Scalar): Scalar {
  const { mantissaBits, bits } = floatLayout(x.dtype);
  // u + lost = 1 + x exactly (Knuth's two-sum).
  const u = add(x, 1);
  const added = sub(u, x);
  const lost = add(sub(x, sub(u, added)), sub(1, added));
  // f of u, to which the lost part is added in units of 2^exponent. For large exponents it does not matter any more.
  const { exponent, f } = reduce(u);
  const largest = literal(2 * mantissaBits, bits);
  const bounded = choose(gt(exponent, largest), largest, exponent);
  const value = logOfReduced({ exponent, f: fma(lost, powerOfTwo(neg(bounded), x.dtype), f) });
  return choose(lt(abs(x), 2 ** -(mantissaBits + 2)), x, outsideOfDomain(u, value));
}

export const log1p: Elementary = elementary('log1p', {
  doc: 'log(1 + x) without the error of 1 + x, which is carried along: -∞ at -1, NaN below. Exponent and minimax polynomial.',
  ulp: { f32: 1.5, f64: 1.5 },
  body: log1pBody,
});

const twoThirds = [0.6666666666666666, 3.700743415417188e-17] as const;

/** (log((1 + s) / (1 - s)) - 2s - 2s³/3) / s⁵ as a function of s² */
const logTailF64 = [
  0.40000000000002256, 0.2857142857009958, 0.22222222519925028, 0.18181784366799944, 0.1538675735019768,
  0.13256817236940718, 0.13196333932414364,
];

/** The logarithm of a positive finite f64 as a sum of two numbers, to about 65 bits: what a power needs. */
export function logInTwo(x: Scalar): readonly [high: Scalar, low: Scalar] {
  const { exponent, f } = reduce(x);
  const e = cast(exponent, 'f64');
  // s = f / (2 + f), its square and its cube, each as a number and what its rounding lost.
  const sum = add(f, 2);
  const s = div(f, sum);
  const sLost = div(fma(neg(s), sub(f, sub(sum, 2)), fma(neg(s), sum, f)), sum);
  const z = mul(s, s);
  const zLost = fma(mul(s, 2), sLost, fma(s, s, neg(z)));
  const cube = mul(z, s);
  const cubeLost = add(fma(z, s, neg(cube)), fma(z, sLost, mul(zLost, s)));
  // The factor of the cube: 2/3 and the terms after it.
  const after = fma(z, polynomial(z, logTailF64), twoThirds[1]);
  const factor = add(after, twoThirds[0]);
  const factorLost = sub(after, sub(factor, twoThirds[0]));
  const term = mul(cube, factor);
  const termLost = add(fma(cube, factor, neg(term)), fma(cube, factorLost, mul(cubeLost, factor)));
  // e·ln 2 + 2s + term: the first is exact, and each is larger than the next or 0.
  const [start, step] = [mul(e, ln2.f64[0]), mul(s, 2)];
  const [first, firstLost] = twoSum(start, step);
  const [high, highLost] = twoSum(first, term);
  return twoSum(high, add(fma(e, ln2.f64[1], add(termLost, mul(sLost, 2))), add(firstLost, highLost)));
}
