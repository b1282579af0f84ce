// All elementwise records.

import type { ElementwiseOp } from '../op.js';
import { arithmeticOps } from './arithmetic.js';
import { logicOps } from './logic.js';
import { roundingOps } from './rounding.js';
import { transcendentalOps } from './transcendental.js';

export const elementwiseOps: readonly ElementwiseOp[] = [
  ...arithmeticOps,
  ...logicOps,
  ...roundingOps,
  ...transcendentalOps,
];
