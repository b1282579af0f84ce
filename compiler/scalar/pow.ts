// Powers of floats and of integers.

import { type DType, dtypeBytes, dtypes, isInt } from '../ir/dtype.js';
import { argument, callScalar, cast, type Scalar, type ScalarFunction } from '../ir/scalar.js';
import { exp, expOfTwo } from './exp.js';
import {
  abs,
  and,
  bitsOf,
  choose,
  eq,
  floor,
  fma,
  gt,
  isNan,
  literal,
  lt,
  mul,
  ne,
  neg,
  not,
  or,
  shr,
  sqrt,
  trunc,
  twoProduct,
} from './expression.js';
import { type Elementary, elementary } from './function.js';
import { log, logInTwo } from './log.js';

const infinity = Number.POSITIVE_INFINITY;

/** x^y where x ≥ 0 and neither the power of 0 nor of 1 matters: in f64, rounded to f32 afterwards. */
const positivePowerF32 = (x: Scalar, y: Scalar): Scalar =>
  cast(callScalar(exp.f64, mul(cast(y, 'f64'), callScalar(log.f64, cast(x, 'f64')))), 'f32');

/** x^y where x ≥ 0 and neither the power of 0 nor of 1 matters: the logarithm to 65 bits, times y, to the exponential. */
function positivePowerF64(x: Scalar, y: Scalar): Scalar {
  const [high, low] = logInTwo(x);
  const [product, lost] = twoProduct(y, high);
  const power = expOfTwo(product, fma(y, low, lost));
  const grows = eq(gt(x, 1), gt(y, 0));
  const isPlain = and(gt(x, 0), lt(x, infinity));
  return choose(
    isPlain,
    power,
    choose(isNan(x), x, choose(isNan(y), y, choose(grows, literal(infinity, 'f64'), literal(0, 'f64')))),
  );
}

function powBody(x: Scalar, y: Scalar): Scalar {
  const base = abs(x);
  const positive = x.dtype === 'f64' ? positivePowerF64(base, y) : positivePowerF32(base, y);
  const isInteger = eq(trunc(y), y);
  const half = mul(y, 0.5);
  const isOdd = and(isInteger, ne(floor(half), half));
  const isNegative = lt(bitsOf(x), literal(0, bitsOf(x).dtype));
  const isOne = or(eq(y, 0), and(eq(base, 1), or(not(isNegative), eq(abs(y), infinity))));
  const magnitude = choose(isOne, 1, positive);
  const signed = choose(and(isNegative, isOdd), neg(magnitude), magnitude);
  const isUndefined = and(and(lt(x, 0), gt(x, -infinity)), not(isInteger));
  return choose(isUndefined, literal(Number.NaN, x.dtype), signed);
}

export const pow: Elementary = elementary('pow', {
  arity: 2,
  doc:
    'x^y as in C: x^0 and 1^y are 1 even for NaN, a negative number to a power that is no integer is NaN. e^(y·log x) with the logarithm ' +
    'in more bits than the result has: in f64 for f32, in two numbers for f64.',
  ulp: { f32: 0.6, f64: 0.9 },
  body: powBody,
});

/** x^y by repeated squaring, wrapping. A negative power is that of the reciprocal, rounded to 0: 0 but for x = ±1. */
function integerPower(dtype: DType): ScalarFunction {
  const x = argument(0, dtype);
  const y = argument(1, dtype);
  const one = literal(1, dtype);
  const bits = dtypeBytes(dtype) * 8 - (dtype === 'u8' ? 0 : 1);
  let power: Scalar = one;
  let square: Scalar = x;
  for (let bit = 0; bit < bits; bit++) {
    const isSet = ne(and(shr(y, bit), 1), 0);
    power = choose(isSet, mul(power, square), power);
    if (bit + 1 < bits) square = mul(square, square);
  }
  if (dtype !== 'u8') {
    const isOdd = ne(and(y, 1), 0);
    const ofMinusOne = choose(eq(x, -1), choose(isOdd, literal(-1, dtype), one), 0);
    power = choose(lt(y, 0), choose(eq(x, 1), 1, ofMinusOne), power);
  }
  const doc = 'x^y of integers by repeated squaring; wraps. Negative powers are 0 but of 1 and -1.';
  return { name: `pow_${dtype}`, params: [dtype, dtype], body: power, doc };
}

const integerPowers: ReadonlyMap<DType, ScalarFunction> = new Map(
  dtypes.filter(isInt).map((dtype) => [dtype, integerPower(dtype)]),
);

/** The power of two integers of one dtype. */
export function callIntegerPower(x: Scalar, y: Scalar): Scalar {
  const fn = integerPowers.get(x.dtype);
  if (fn === undefined) throw new TypeError(`there is no integer power of ${x.dtype}`);
  return callScalar(fn, x, y);
}

/** √(x² + y²): in f64 for f32, where nothing overflows; for f64 scaled by the larger operand's power of two. */
function hypotBody(x: Scalar, y: Scalar): Scalar {
  const isInfinite = or(eq(abs(x), infinity), eq(abs(y), infinity));
  const root = x.dtype === 'f64' ? scaledHypot(x, y) : cast(plainHypot(cast(x, 'f64'), cast(y, 'f64')), x.dtype);
  return choose(isInfinite, infinity, root);
}

const plainHypot = (x: Scalar, y: Scalar): Scalar => sqrt(fma(x, x, mul(y, y)));

function scaledHypot(x: Scalar, y: Scalar): Scalar {
  const [a, b] = [abs(x), abs(y)];
  // Squares overflow above 2^511, and below 2^-450 they lose digits.
  const isLarge = or(gt(a, 2 ** 500), gt(b, 2 ** 500));
  const isSmall = and(lt(a, 2 ** -450), lt(b, 2 ** -450));
  const byCase = (large: number, small: number) =>
    choose(isLarge, literal(large, 'f64'), choose(isSmall, literal(small, 'f64'), literal(1, 'f64')));
  const scale = byCase(2 ** -600, 2 ** 600);
  return mul(plainHypot(mul(a, scale), mul(b, scale)), byCase(2 ** 600, 2 ** -600));
}

export const hypot: Elementary = elementary('hypot', {
  arity: 2,
  doc: '√(x² + y²) without overflow on the way; infinite when an operand is, even beside NaN.',
  ulp: { f32: 0.6, f64: 1.2 },
  body: hypotBody,
});
