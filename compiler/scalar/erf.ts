// The error function and its complement.

import type { Scalar } from '../ir/scalar.js';
import { scaledExp } from './exp.js';
import { abs, add, choose, div, fma, gt, lt, mul, neg, polynomial, sub, withSign } from './expression.js';
import { type ComputeDType, computeDType, type Elementary, elementary } from './function.js';
import { type HalfArgument, sigmoidal } from './sigmoidal.js';

/**
 * tanh(½ artanh(erf x)) / x = numerator / denominator as polynomials of x² for |x| ≤ 3.93. The factor that both have makes the
 * quotient of the constant terms 1/√π to more digits than either has, and keeps rounding errors low.
 */
const erfF32: HalfArgument = {
  bound: 3.93,
  numerator: [
    0.9599022269248962, 0.13700516521930695, 0.016991566866636276, 0.0005407996941357851, -5.771907126472797e-6,
  ],
  denominator: [1.7013823986053467, 0.2683955430984497, 0.06080428883433342, 0.003859245451167226],
};

/** erf x / x as a function of x² for |x| < 1 */
const erfF64 = [
  1.1283791670955126, -0.37612638903183354, 0.11283791670937227, -0.026866170641913854, 0.005223977595262504,
  -0.0008548325342205068, 0.00012055273296904609, -1.492424862768142e-5, 1.6440029438337515e-6, -1.613421587329872e-7,
  1.3245519474608026e-8, -6.04909353239599e-10, -2.8201151646224862e-11,
];

/** e^(a²) erfc(a) (1 + 2a) as a function of (a - 4) / (a + 4), for 0 ≤ a ≤ 27.5 (the transformation of Shepherd and Laframboise) */
const erfcxTable: Readonly<Record<ComputeDType, readonly number[]>> = {
  f32: [
    1.2329951524734497, -0.13962110877037048, 0.015376636758446693, 0.06809335201978683, -0.10098832100629807,
    0.09383466094732285, -0.066592276096344, 0.0363968126475811, -0.016117533668875694, 0.0067581492476165295,
    0.0007881858036853373,
  ],
  f64: [
    1.2329951186255526, -0.1396211168405625, 0.015379652102611264, 0.06809705425469435, -0.10103906603597898,
    0.09373283499803717, -0.06633036581761276, 0.0371675155456858, -0.016197734007471997, 0.005031969884745462,
    -0.0007577735934833072, -0.00019925611818801984, 0.00015062297341073298, -2.4401315447939582e-5,
    -1.1225991986698075e-5, 5.714278562545966e-6, 3.0224731462513307e-7, -8.308137341087258e-7, 6.292043446569559e-8,
    1.1240452467181592e-7, -8.51664442888036e-9, -1.2816597022917354e-8, -1.444425043354167e-9,
  ],
};

/** erfc a for a ≥ 0: e^(-a²) with a² to twice the precision, times the scaled function. */
function erfcPositive(a: Scalar): Scalar {
  const table = erfcxTable[computeDType(a.dtype)];
  const scaled = div(polynomial(div(sub(a, 4), add(a, 4)), table), fma(a, 2, 1));
  const square = mul(a, a);
  const lost = fma(a, a, neg(square));
  const bell = scaledExp(neg(square));
  return mul(fma(neg(lost), bell, bell), scaled);
}

function erfBodyF64(x: Scalar): Scalar {
  const magnitude = abs(x);
  const bounded = choose(gt(magnitude, 6), 6, magnitude);
  return choose(lt(magnitude, 1), erfNear(x), withSign(sub(1, erfcPositive(bounded)), x));
}

/** erf x for |x| < 1. */
const erfNear = (x: Scalar): Scalar =>
  x.dtype === 'f64' ? mul(x, polynomial(mul(x, x), erfF64)) : sigmoidal(x, erfF32);

function erfcBody(x: Scalar): Scalar {
  const magnitude = abs(x);
  const limit = x.dtype === 'f64' ? 27.5 : 11;
  const positive = erfcPositive(choose(gt(magnitude, limit), limit, magnitude));
  const far = choose(lt(x, 0), sub(2, positive), positive);
  return choose(lt(magnitude, 0.25), sub(1, erfNear(x)), far);
}

export const erf: Elementary = elementary('erf', {
  doc: 'The error function. In f32 a rational minimax function of half the (hyperbolic) argument, doubled, in f64 a polynomial for |x| < 1 and 1 - erfc beyond.',
  ulp: { f32: 3.9, f64: 1.6 },
  body: { f32: (x) => sigmoidal(x, erfF32), f64: erfBodyF64 },
});

export const erfc: Elementary = elementary('erfc', {
  doc: 'The complement of the error function, 1 - erf x, accurate where it is small: e^-x² times a minimax polynomial.',
  ulp: { f32: 4.3, f64: 3.9 },
  body: erfcBody,
});
