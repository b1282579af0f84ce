// Comparisons, logic on bool, bits of integers, and choices.

import { type DType, dtypeBytes } from '../../ir/dtype.js';
import { type ArithmeticOp, apply, type ComparisonOp, type Scalar, select } from '../../ir/scalar.js';
import { choose, ge, isNan, literal, lt, or, shr } from '../../scalar/expression.js';
import { none, partial, where, x } from '../formula.js';
import type { ElementwiseOp } from '../op.js';
import { anyDType, anywhere, bitPatterns, floats, from, integers, only, pair, record } from './shared.js';

const toBool = (): DType => 'bool';
const truth = none('a truth value has no derivative');
const bits = none('integers have no derivatives');

const comparison = (name: ComparisonOp, symbol: string, nan: string): ElementwiseOp =>
  record({
    name,
    doc: `x ${symbol} y. A comparison with NaN is ${nan}.`,
    accepts: anyDType,
    result: toBool,
    value: (args) => {
      const [a, b] = pair(args);
      return { kind: 'apply', op: name, args: [a, b], dtype: 'bool' };
    },
    partials: [truth, truth],
    smooth: false,
  });

const logical = (name: string, op: ArithmeticOp, doc: string, arity: 1 | 2 = 2): ElementwiseOp =>
  record({
    name,
    doc: `${doc} Numbers are compared with 0 first.`,
    accepts: ['bool'],
    value: (args) => apply(op, ...args),
    partials: Array.from({ length: arity }, () => truth),
    smooth: false,
  });

const bitwise = (name: string, op: ArithmeticOp, doc: string, arity: 1 | 2 = 2): ElementwiseOp =>
  record({
    name,
    doc,
    accepts: bitPatterns,
    value: (args) => apply(op, ...args),
    partials: Array.from({ length: arity }, () => bits),
    smooth: false,
  });

/** A shift; counts outside the width shift everything out. */
const shift = (name: string, op: 'shl' | 'shr', doc: string, shiftedOut: (a: Scalar) => Scalar): ElementwiseOp =>
  record({
    name,
    doc,
    accepts: integers,
    value: (args) => {
      const [a, count] = pair(args);
      const outside = or(lt(count, 0), ge(count, dtypeBytes(a.dtype) * 8));
      return choose(outside, shiftedOut(a), apply(op, a, count));
    },
    partials: [bits, bits],
    domain: [from(0, 100), from(0, 6)],
    smooth: false,
  });

export const logicOps: readonly ElementwiseOp[] = [
  comparison('eq', '=', 'false'),
  comparison('ne', '≠', 'true'),
  comparison('lt', '<', 'false'),
  comparison('le', '≤', 'false'),
  comparison('gt', '>', 'false'),
  comparison('ge', '≥', 'false'),
  logical('logical_and', 'and', 'Both.'),
  logical('logical_or', 'or', 'At least one.'),
  logical('logical_xor', 'xor', 'Exactly one.'),
  logical('logical_not', 'not', 'The opposite.', 1),
  bitwise('bitwise_and', 'and', 'The bits that are set in both operands.'),
  bitwise('bitwise_or', 'or', 'The bits that are set in at least one operand.'),
  bitwise('bitwise_xor', 'xor', 'The bits that are set in exactly one operand.'),
  bitwise(
    'bitwise_not',
    'not',
    "All bits turned over: -x - 1 on integers in two's complement, the opposite of a bool.",
    1,
  ),
  shift(
    'bitwise_left_shift',
    'shl',
    'x · 2^y, keeping the low bits. A count that is negative or not below the width gives 0.',
    (a) => literal(0, a.dtype),
  ),
  shift(
    'bitwise_right_shift',
    'shr',
    'x · 2^-y rounded to -∞ (the sign is kept). A count that is negative or not below the width gives 0, or -1 of a negative number.',
    (a) => (a.dtype === 'u8' ? literal(0, a.dtype) : shr(a, dtypeBytes(a.dtype) * 8 - 1)),
  ),
  record({
    name: 'isnan',
    doc: 'Whether it is not a number.',
    accepts: floats,
    result: toBool,
    value: (args) => isNan(only(args)),
    partials: [truth],
    smooth: false,
  }),
  record({
    name: 'where',
    doc: 'y where the condition x holds, else z. The operand that is not taken gets gradient 0 even where its value is infinite or NaN.',
    accepts: anyDType,
    fixed: { 0: 'bool' },
    value: ([condition, then, otherwise]) => select(condition as Scalar, then as Scalar, otherwise as Scalar),
    linear: [[1, 2]],
    partials: [truth, partial(where(x, 1, 0)), partial(where(x, 0, 1))],
    domain: [from(0, 1), anywhere, anywhere],
  }),
  record({
    name: 'cast',
    doc:
      'The value in another dtype. Floats go to integers by truncation (the nearest end of the range when outside, NaN to 0), ' +
      'integers to narrower integers by wrapping, anything to bool by `≠ 0`, and to floats by rounding to nearest.',
    accepts: anyDType,
    result: (common, target = common) => target,
    value: (args, common, target = common) => {
      const a = only(args);
      return a.dtype === target ? a : { kind: 'cast', arg: a, dtype: target };
    },
    linear: [[0]],
    partials: [partial(1)],
  }),
  record({
    name: 'stop_gradient',
    doc: "The operand itself, a constant for derivatives: PyTorch's detach.",
    accepts: anyDType,
    value: (args) => only(args),
    partials: [none('the operand counts as a constant')],
    smooth: false,
  }),
];
