// Steps of elementary functions and of the random generator for which some machines have one instruction: functions of their own, so that a
// backend can tell them by name.

import type { DType } from '../ir/dtype.js';
import { apply, argument, bitcast, callScalar, constant, type Scalar, type ScalarFunction } from '../ir/scalar.js';
import { add, bitsOf, choose, floatLayout, fma, gt, literal, lt, mul, shl, shr, sub } from './expression.js';
import { type ComputeDType, computeDType } from './function.js';

/** An integer n as a float, and raised by twice the bias in the low bits of an integer: those of a sign and an exponent; others may be anything. */
export interface Whole {
  readonly float: Scalar;
  readonly raised: Scalar;
}

/** The nearest integer to `x · factor` (ties to even, one rounding), for |value| < 2 · bias. */
export function nearestInteger(x: Scalar, factor = 1): Whole {
  // Adding 1.5·2^m pushes the fraction out of the mantissa, which then holds the integer in two's complement.
  const { mantissaBits, bias } = floatLayout(x.dtype);
  const magic = literal(1.5 * 2 ** mantissaBits + 2 * bias, x.dtype);
  const pushed = factor === 1 ? add(x, magic) : fma(x, factor, magic);
  return { float: sub(pushed, magic), raised: bitsOf(pushed) };
}

/** 2^n as a float of `dtype`, from an integer in whose low bits n + bias is a normal exponent. */
const powerOfBiased = (biased: Scalar, dtype: DType): Scalar =>
  bitcast(shl(biased, floatLayout(dtype).mantissaBits), dtype);

/** 2^(n - 1) for n that give a normal exponent. */
export const halfPower = ({ float, raised }: Whole): Scalar =>
  powerOfBiased(sub(raised, floatLayout(float.dtype).bias + 1), float.dtype);

const perDType = (build: (dtype: ComputeDType) => ScalarFunction): Readonly<Record<ComputeDType, ScalarFunction>> => ({
  f32: build('f32'),
  f64: build('f64'),
});

const scales = perDType((dtype) => {
  const { bits } = floatLayout(dtype);
  const [x, n] = [argument(0, dtype), argument(2, bits)];
  // The bias is in both halves once.
  const half = shr(n, 1);
  return {
    name: `scale_${dtype}`,
    params: [dtype, dtype, bits],
    body: mul(mul(x, powerOfBiased(half, dtype)), powerOfBiased(sub(n, half), dtype)),
    doc: 'x · 2^n, where n is given as a float and, raised by twice the bias, as an integer. In two steps, of which only the last one rounds.',
  };
});

/** x · 2^n where the result may overflow or be subnormal; |n| may be twice the largest exponent. */
export const scaleByPowerOfTwo = (x: Scalar, { float, raised }: Whole): Scalar =>
  callScalar(scales[computeDType(x.dtype)], x, float, raised);

const clamps = perDType((dtype) => {
  const [x, low, high] = [argument(0, dtype), argument(1, dtype), argument(2, dtype)];
  const raised = choose(lt(x, low), low, x);
  return {
    name: `clamp_${dtype}`,
    params: [dtype, dtype, dtype],
    body: choose(gt(raised, high), high, raised),
    doc: 'x moved into [low, high]; NaN stays.',
  };
});

/** `x` moved into [low, high]; NaN stays. */
export const clamp = (x: Scalar, low: number, high: number): Scalar =>
  callScalar(clamps[computeDType(x.dtype)], x, literal(low, x.dtype), literal(high, x.dtype));

/** Products of 32 bits are put together from halves, whose products fit 32 bits. */
function highProductFunction(): ScalarFunction {
  const [a, b] = [argument(0, 'i32'), argument(1, 'i32')];
  const lowHalf = (x: Scalar): Scalar => apply('and', x, constant(0xffff, 'i32'));
  const highHalf = (x: Scalar): Scalar => apply('ushr', x, constant(16, 'i32'));
  const times = (x: Scalar, y: Scalar): Scalar => apply('mul', x, y);
  const plus = (x: Scalar, y: Scalar): Scalar => apply('add', x, y);
  const [a0, a1, b0, b1] = [lowHalf(a), highHalf(a), lowHalf(b), highHalf(b)];
  // No sum below exceeds 32 bits: (2^16 - 1)^2 + 2·(2^16 - 1) < 2^32.
  const middle = plus(times(a1, b0), highHalf(times(a0, b0)));
  const cross = plus(times(a0, b1), lowHalf(middle));
  return {
    name: 'high_product',
    params: ['i32', 'i32'],
    body: plus(plus(times(a1, b1), highHalf(middle)), highHalf(cross)),
    doc: 'The high 32 bits of the 64-bit product of two unsigned words.',
  };
}

const highProducts = highProductFunction();

/** The high 32 bits of the 64-bit product of two unsigned words. */
export const highProduct = (a: Scalar, b: Scalar): Scalar => callScalar(highProducts, a, b);
