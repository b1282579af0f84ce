// Sums, products, quotients and what is made from them.

import { dtypeKind } from '../../ir/dtype.js';
import { type ArithmeticOp, apply, type Scalar } from '../../ir/scalar.js';
import {
  add,
  and,
  choose,
  div,
  eq,
  floor,
  gt,
  le,
  literal,
  lt,
  mul,
  ne,
  rem,
  sqrt,
  sub,
  trunc,
} from '../../scalar/expression.js';
import { inComputeDType } from '../../scalar/function.js';
import * as d from '../formula.js';
import { none, partial, result, where, x, y } from '../formula.js';
import type { ElementwiseOp } from '../op.js';
import { anyDType, anywhere, floats, from, numbers, only, pair, positive, record } from './shared.js';

/** The scalar operator on numbers; on bool the one that PyTorch means by it. */
const withBool =
  (op: ArithmeticOp, onBool: ArithmeticOp) =>
  (args: readonly Scalar[]): Scalar =>
    apply(args[0]?.dtype === 'bool' ? onBool : op, ...args);

const isFloat = (arg: Scalar): boolean => dtypeKind(arg.dtype) === 'float';
const hasOtherSign = (a: Scalar, b: Scalar): Scalar => ne(lt(a, 0), lt(b, 0));

/** ⌊a / b⌋ by way of the remainder, so that it is right where the rounded quotient is not (CPython's float division). */
function floorDivFloat(a: Scalar, b: Scalar): Scalar {
  const remainder = rem(a, b);
  const quotient = div(sub(a, remainder), b);
  const crosses = and(ne(remainder, 0), hasOtherSign(remainder, b));
  const lowered = choose(crosses, sub(quotient, 1), quotient);
  const down = floor(lowered);
  const nearest = choose(gt(sub(lowered, down), 0.5), add(down, 1), down);
  const plain = div(a, b);
  const signedZero = mul(plain, 0);
  return choose(eq(b, 0), plain, choose(eq(lowered, 0), signedZero, nearest));
}

function floorDivInt(a: Scalar, b: Scalar): Scalar {
  const quotient = div(a, b);
  const remainder = rem(a, b);
  return choose(and(ne(remainder, 0), hasOtherSign(remainder, b)), sub(quotient, 1), quotient);
}

const quotientStep = none('a quotient rounded to an integer is constant between its jumps');

/** The share of the tangent that an operand of a maximum or minimum gets: all, none, or half of it at a tie. */
const selected = (mine: d.Part, other: d.Part, loses: 'lt' | 'gt') =>
  partial(where(d.on('eq', mine, other), 0.5, where(d.on(loses, mine, other), 0, 1)));

export const arithmeticOps: readonly ElementwiseOp[] = [
  record({
    name: 'add',
    doc: 'Sum. Integers wrap; on bool it is the logical or, as in PyTorch.',
    accepts: anyDType,
    value: withBool('add', 'or'),
    linear: [[0, 1]],
    partials: [partial(1), partial(1)],
  }),
  record({
    name: 'sub',
    doc: 'Difference. Integers wrap.',
    accepts: numbers,
    value: (args) => apply('sub', ...args),
    linear: [[0, 1]],
    partials: [partial(1), partial(d.literal(-1))],
  }),
  record({
    name: 'mul',
    doc: 'Product. Integers wrap; on bool it is the logical and, as in PyTorch.',
    accepts: anyDType,
    value: withBool('mul', 'and'),
    linear: [[0], [1]],
    partials: [partial(y), partial(x)],
  }),
  record({
    name: 'div',
    doc: 'True division by IEEE 754: x / 0 is an infinity and 0 / 0 NaN. Integers are cast to floats first.',
    accepts: floats,
    value: (args) => apply('div', ...args),
    linear: [[0]],
    partials: [partial(d.div(1, y)), partial(d.neg(d.div(result, y)))],
    domain: [anywhere, positive],
  }),
  record({
    name: 'floor_div',
    doc:
      'The quotient rounded to -∞: of floats by way of the exact remainder, as in Python and PyTorch; division of a float ' +
      'by 0 gives what `div` gives, of an integer 0.',
    accepts: numbers,
    value: (args) => {
      const [a, b] = pair(args);
      return isFloat(a) ? inComputeDType(args, (wide) => floorDivFloat(...pair(wide))) : floorDivInt(a, b);
    },
    partials: [quotientStep, quotientStep],
    domain: [anywhere, positive],
    smooth: false,
  }),
  record({
    name: 'trunc_div',
    doc: 'The quotient rounded to 0. Division of a float by 0 gives what `div` gives, of an integer 0.',
    accepts: numbers,
    value: (args) => {
      const [a, b] = pair(args);
      return isFloat(a) ? inComputeDType(args, (wide) => trunc(div(...pair(wide)))) : div(a, b);
    },
    partials: [quotientStep, quotientStep],
    domain: [anywhere, positive],
    smooth: false,
  }),
  record({
    name: 'remainder',
    doc:
      "The remainder with the sign of the divisor: `x - floor_div(x, y) · y`, Python's and PyTorch's `%`. By 0 it is NaN for " +
      'floats and 0 for integers; a remainder by an infinity of the other sign is that infinity.',
    accepts: numbers,
    value: (args) => {
      const [a, b] = pair(args);
      const remainder = rem(a, b);
      return choose(and(ne(remainder, 0), hasOtherSign(remainder, b)), add(remainder, b), remainder);
    },
    partials: [partial(1), partial(d.neg(d.on('floor_div', x, y)))],
    domain: [from(0.1, 0.9), from(1, 3)],
    smooth: false,
  }),
  record({
    name: 'fmod',
    doc: "The remainder with the sign of the dividend, C's fmod. By 0 it is NaN for floats and 0 for integers.",
    accepts: numbers,
    value: (args) => apply('rem', ...args),
    partials: [partial(1), partial(d.neg(d.on('trunc_div', x, y)))],
    domain: [from(0.1, 0.9), from(1, 3)],
    smooth: false,
  }),
  record({
    name: 'neg',
    doc: 'The negative. Integers wrap.',
    accepts: numbers,
    value: (args) => apply('neg', ...args),
    linear: [[0]],
    partials: [partial(d.literal(-1))],
  }),
  record({
    name: 'abs',
    doc: 'The absolute value. The smallest integer stays itself. The derivative at 0 is 0.',
    accepts: numbers,
    value: (args) => apply('abs', ...args),
    partials: [partial(d.on('sign', x))],
    smooth: false,
  }),
  record({
    name: 'sign',
    doc: '-1, 0 or 1. Both zeros give 0, and so does NaN, as in PyTorch.',
    accepts: numbers,
    value: (args) => {
      const a = only(args);
      const orZero =
        a.dtype === 'u8' ? literal(0, a.dtype) : choose(lt(a, 0), literal(-1, a.dtype), literal(0, a.dtype));
      return choose(gt(a, 0), 1, orZero);
    },
    partials: [none('the sign is constant on both sides of 0')],
    smooth: false,
  }),
  record({
    name: 'reciprocal',
    doc: '1 / x. Integers are cast to floats first.',
    accepts: floats,
    value: (args) => div(1, only(args)),
    partials: [partial(d.neg(d.mul(result, result)))],
    domain: [positive],
  }),
  record({
    name: 'sqrt',
    doc: 'The square root, correctly rounded. Negative numbers give NaN; the derivative at 0 is infinite.',
    accepts: floats,
    value: (args) => apply('sqrt', ...args),
    partials: [partial(d.div(0.5, result))],
    domain: [positive],
  }),
  record({
    name: 'rsqrt',
    doc: '1 / √x. At 0 it is infinite (with the sign of the zero), of negative numbers NaN.',
    accepts: floats,
    value: (args) => inComputeDType(args, (wide) => div(1, sqrt(only(wide)))),
    partials: [partial(d.mul(d.mul(-0.5, result), d.mul(result, result)))],
    domain: [positive],
  }),
  record({
    name: 'relu',
    doc: 'max(x, 0). NaN passes. The derivative at 0 is 0.',
    accepts: numbers,
    value: (args) => {
      const a = only(args);
      return choose(le(a, 0), 0, a);
    },
    // In terms of the result, so that the operand need not be kept for the derivative.
    partials: [partial(where(d.on('le', result, 0), 0, 1))],
    smooth: false,
  }),
  record({
    name: 'maximum',
    doc: 'The larger operand; NaN when either is NaN. At a tie both get half of the gradient, as in PyTorch.',
    accepts: anyDType,
    value: withBool('max', 'or'),
    partials: [selected(x, y, 'lt'), selected(y, x, 'lt')],
    smooth: false,
  }),
  record({
    name: 'minimum',
    doc: 'The smaller operand; NaN when either is NaN. At a tie both get half of the gradient, as in PyTorch.',
    accepts: anyDType,
    value: withBool('min', 'and'),
    partials: [selected(x, y, 'gt'), selected(y, x, 'gt')],
    smooth: false,
  }),
];
