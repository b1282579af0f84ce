// Reduction of angles: |x| = q·π/2 + r with |r| ≤ π/4, right for every finite x (the idea of Payne and Hanek).
//
// x·2/π is computed modulo 4: 2/π is a constant of many digits in pieces, the products of x with the pieces are exact, and what they
// hold in whole turns is dropped. The digits that matter lie at a place that depends on the exponent of x.

import { cast, type Scalar } from '../ir/scalar.js';
import { add, choose, fma, ge, literal, mul, round, sub, twoProduct, twoSum } from './expression.js';

/** |x| = quadrant·π/2 + r, with the quadrant modulo 4 as a small f64. */
export interface Angle {
  readonly quadrant: Scalar;
  readonly r: Scalar;
}

/** 2/π in pieces of 29 bits: the product with an f32 is exact in f64. The last one reaches 2^-203. */
const twoOverPi29 = [
  0.636619770899415, 1.4681663246252086e-9, 2.2760100671971816e-18, 5.8812147387730434e-27, 1.0346868700836215e-35,
  3.783256351091319e-45, 3.720474878517739e-53,
];

/** 2/π in pieces of 53 bits; piece k is given times 2^(53k). */
const twoOverPi53 = [
  0.6366197723675813, 0.6455004762340146, 0.8260347502167291, 0.6177029686506639, 0.22946046207480975,
  0.28461387860774945, 0.006138546976630632, 0.5660391411155584, 0.16270821739654884, 0.6478181222020806,
  0.752362340216695, 0.7848375294503177, 0.2882121784458589, 0.3143043483578357, 0.505462883924126, 0.35474129975356194,
  0.495348441190541, 0.9093006150323975, 0.7102755855591438, 0.9716433593102769, 0.645159640989469, 0.38377539675336436,
  0.7971457910852385,
];

const twoPi = [6.283185307179586, 2.4492935982947064e-16] as const;

/** What exceeds the nearest integer; exact. */
const fraction = (turns: Scalar): Scalar => sub(turns, round(turns));

/**
 * The angle of |x| for an f32, in f64. The quadrant is taken from a rough sum of the fractions; it is then subtracted from the
 * first and the others are added in order of size, so that where the sum cancels it cancels exactly.
 */
export function reduceF32(magnitude: Scalar): Angle {
  const quarter = mul(cast(magnitude, 'f64'), 0.25);
  const fractions = twoOverPi29.map((piece) => fraction(mul(quarter, piece)));
  const quadrant = round(mul(add(...fractions), 4));
  const turns = fractions.slice(1).reduce((sum, part) => add(sum, part), fma(quadrant, -0.25, fractions[0] as Scalar));
  return { quadrant, r: mul(turns, twoPi[0]) };
}

const digits = 53;
/** A piece may be dropped, as it gives whole turns only, when the number is at least this times 2^(53 · pieces). */
const dropFrom = 2 ** 54;
const piecesUsed = 5;

/** The pieces of 2/π that matter for x, and x with the exponent that the dropped ones would have taken. */
function windowOf(magnitude: Scalar): { readonly scaled: Scalar; readonly pieces: readonly Scalar[] } {
  let scaled = magnitude;
  let pieces: readonly Scalar[] = twoOverPi53.map((piece) => literal(piece, 'f64'));
  for (let step = 16; step >= 1; step /= 2) {
    const drops = ge(scaled, dropFrom * 2 ** (digits * step));
    scaled = choose(drops, mul(scaled, 2 ** (-digits * step)), scaled);
    const stay = Math.min(pieces.length, step - 1 + piecesUsed);
    pieces = pieces.slice(0, stay).map((piece, i) => {
      const later = pieces[i + step];
      // Without a piece that far on, so much cannot be dropped any more.
      return later === undefined ? piece : choose(drops, later, piece);
    });
  }
  return { scaled, pieces };
}

/** The angle of |x| for an f64, to about 110 bits; `lost` is the part of the remainder below the last place of r. */
export function reduceF64(magnitude: Scalar): Angle & { readonly lost: Scalar } {
  const { scaled, pieces } = windowOf(magnitude);
  const products = pieces.map((piece, i) => twoProduct(mul(scaled, 2 ** (-digits * i - 2)), piece));
  const [[a, b], [c, d], [e, f], [g, h], [i]] = products as [Pair, Pair, Pair, Pair, Pair];
  // These may hold whole turns or add up to some; the others are smaller than 2^-53.
  const large = [fraction(a), fraction(b), fraction(c), d, e];
  const quadrant = round(mul(add(...large), 4));
  const [first, ...rest] = large as [Scalar, ...Scalar[]];
  const [turns, lost] = sumInThree([first, mul(quadrant, -0.25), ...rest], [f, g], add(h, i));
  const [r, low] = twoProduct(turns, literal(twoPi[0], 'f64'));
  const tail = add(low, fma(turns, twoPi[1], mul(lost, twoPi[0])));
  const [rounded, left] = twoSum(r, tail);
  return { quadrant, r: rounded, lost: left };
}

type Pair = readonly [Scalar, Scalar];

/** Σ large + Σ middle + small as a number and what its rounding lost, even where the large terms cancel. */
function sumInThree(large: readonly Scalar[], middle: readonly Scalar[], small: Scalar): Pair {
  const [high, lost] = cascade(large);
  const [mid, lostAgain] = cascade([...lost, ...middle]);
  const [sum, rest] = twoSum(high, mid);
  const [turns, left] = twoSum(sum, add(rest, ...lostAgain, small));
  return [turns, left];
}

/** The rounded sum of the terms in order, and the errors of the additions. */
function cascade(terms: readonly Scalar[]): readonly [sum: Scalar, lost: readonly Scalar[]] {
  const [first, ...others] = terms as [Scalar, ...Scalar[]];
  let sum = first;
  const lost = others.map((term) => {
    const [next, error] = twoSum(sum, term);
    sum = next;
    return error;
  });
  return [sum, lost];
}
