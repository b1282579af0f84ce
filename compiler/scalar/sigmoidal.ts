// Odd functions that go to ±1, in f32: cheaper than with an exponential, and they never exceed 1.
//
// y = 2t / (1 + t²) doubles a hyperbolic argument: t = tanh(½ artanh y). It is flat at t = 1, so that errors of t vanish where y goes to 1.
// With t = n / d that is 2nd / (n² + d²), one division. Since 2nd ≤ n² + d², the value stays within ±1.

import type { Scalar } from '../ir/scalar.js';
import { add, div, fma, mul, polynomial } from './expression.js';
import { clamp } from './steps.js';

/** t / x as a quotient of polynomials in x². From `bound` on the function is 1 in f32, and at `bound` it is computed as 1. */
export interface HalfArgument {
  readonly bound: number;
  readonly numerator: readonly number[];
  readonly denominator: readonly number[];
}

/** The odd function y(x) whose t is given. */
export function sigmoidal(x: Scalar, { bound, numerator, denominator }: HalfArgument): Scalar {
  const inside = clamp(x, -bound, bound);
  const z = mul(inside, inside);
  const n = mul(inside, polynomial(z, numerator));
  const d = polynomial(z, denominator);
  return div(mul(add(n, n), d), fma(n, n, mul(d, d)));
}
