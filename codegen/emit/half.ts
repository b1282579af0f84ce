// The narrow floats f16 and bf16 as scalar IR over 32-bit patterns: one text serves single values and vectors.

import { argument, bitcast, type Scalar, type ScalarFunction } from '../../compiler/ir/scalar.js';
import { add, and, choose, ge, gt, literal, lt, mul, or, shl, sub, ushr } from '../../compiler/scalar/expression.js';

type Narrow = 'f16' | 'bf16';

const SIGN = -(2 ** 31);
const bits = (x: Scalar): Scalar => bitcast(x, 'i32');
const float = (x: Scalar): Scalar => bitcast(x, 'f32');

/** The pattern in the low 16 bits as f32. */
function widenF16(pattern: Scalar): Scalar {
  const magnitude = shl(and(pattern, 0x7fff), 13);
  // Multiplying by 2^112 moves the exponent's bias and makes subnormal numbers normal; infinity and NaN need all exponent bits.
  const scaled = bits(mul(float(magnitude), 2 ** 112));
  const value = choose(ge(magnitude, 0x7c00 << 13), or(magnitude, 0x7f800000), scaled);
  return float(or(value, shl(and(pattern, 0x8000), 16)));
}

/** f32 rounded to f16 (ties to even), the pattern in the low 16 bits. */
function narrowF16(x: Scalar): Scalar {
  const all = bits(x);
  const sign = and(all, SIGN);
  const magnitude = and(all, 0x7fffffff);
  // Normal results: rebias the exponent and round the 13 low bits. Adding the carry may reach infinity, which is right.
  const odd = and(ushr(magnitude, 13), 1);
  const normal = ushr(add(add(sub(magnitude, 112 << 23), 0xfff), odd), 13);
  // Subnormal results: adding 2^-1 · 2^… aligns the mantissa so that the float addition rounds it.
  const aligned = sub(bits(add(float(magnitude), 0.5)), 0x3f000000);
  const finite = choose(lt(magnitude, 113 << 23), aligned, normal);
  const large = choose(gt(magnitude, 0x7f800000), literal(0x7e00, 'i32'), 0x7c00);
  const result = choose(ge(magnitude, 143 << 23), large, finite);
  return or(result, ushr(sign, 16));
}

const widenBf16 = (pattern: Scalar): Scalar => float(shl(pattern, 16));

function narrowBf16(x: Scalar): Scalar {
  const all = bits(x);
  const odd = and(ushr(all, 16), 1);
  const rounded = ushr(add(add(all, 0x7fff), odd), 16);
  const isNan = gt(and(all, 0x7fffffff), 0x7f800000);
  return choose(isNan, or(ushr(all, 16), 0x40), rounded);
}

const define = (name: string, param: 'i32' | 'f32', body: (x: Scalar) => Scalar, doc: string): ScalarFunction => ({
  name,
  params: [param],
  body: body(argument(0, param)),
  doc,
});

/** i32 with the pattern in its low bits → f32. */
export const widen: Readonly<Record<Narrow, ScalarFunction>> = {
  f16: define('widen_f16', 'i32', widenF16, 'The value of an f16 pattern.'),
  bf16: define('widen_bf16', 'i32', widenBf16, 'The value of a bf16 pattern.'),
};

/** f32 → i32 with the pattern in its low bits. */
export const narrow: Readonly<Record<Narrow, ScalarFunction>> = {
  f16: define('narrow_f16', 'f32', narrowF16, 'The f16 pattern nearest to a value, ties to even.'),
  bf16: define('narrow_bf16', 'f32', narrowBf16, 'The bf16 pattern nearest to a value, ties to even.'),
};

/** A value of the narrow type as f32 → i32 with its pattern in the low bits: what is stored was rounded before. */
export const patternOf: Readonly<Record<Narrow, ScalarFunction>> = {
  f16: narrow.f16,
  bf16: define('pattern_bf16', 'f32', (x) => ushr(bits(x), 16), 'The pattern of a bf16 value.'),
};

/** f32 → f32: rounds to a value of the narrow type. */
export const roundTo: Readonly<Record<Narrow, ScalarFunction>> = {
  f16: define('round_f16', 'f32', (x) => widenF16(narrowF16(x)), 'The f16 value nearest to a value.'),
  bf16: define('round_bf16', 'f32', (x) => widenBf16(narrowBf16(x)), 'The bf16 value nearest to a value.'),
};
