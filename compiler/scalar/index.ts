// All elementary functions.

import { erf, erfc } from './erf.js';
import { exp, exp2, expm1, sigmoid } from './exp.js';
import type { Elementary } from './function.js';
import { acosh, asinh, atanh, cosh, sinh, tanh } from './hyperbolic.js';
import { acos, asin, atan, atan2 } from './inverse-trig.js';
import { log, log1p, log2, log10 } from './log.js';
import { hypot, pow } from './pow.js';
import { cos, sin, tan } from './trig.js';

export const elementaryFunctions: readonly Elementary[] = [
  exp,
  exp2,
  expm1,
  sigmoid,
  log,
  log2,
  log10,
  log1p,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  atan2,
  sinh,
  cosh,
  tanh,
  asinh,
  acosh,
  atanh,
  erf,
  erfc,
  pow,
  hypot,
];
