// Rounding to integers.

import { dtypeKind } from '../../ir/dtype.js';
import { type ArithmeticOp, apply } from '../../ir/scalar.js';
import { none } from '../formula.js';
import type { ElementwiseOp } from '../op.js';
import { numbers, only, record } from './shared.js';

const rounding = (name: ArithmeticOp, doc: string): ElementwiseOp =>
  record({
    name,
    doc: `${doc} Infinities, NaN and integers stay.`,
    accepts: numbers,
    value: (args) => (dtypeKind(only(args).dtype) === 'float' ? apply(name, ...args) : only(args)),
    partials: [none('a rounded value is constant between its jumps')],
    smooth: false,
  });

export const roundingOps: readonly ElementwiseOp[] = [
  rounding('floor', 'The largest integer that is not larger.'),
  rounding('ceil', 'The smallest integer that is not smaller.'),
  rounding('trunc', 'The integer part: rounding to 0.'),
  rounding('round', 'The nearest integer, the even one of two, as in PyTorch.'),
];
