// Exponentials, logarithms, trigonometric and hyperbolic functions, the error function and powers. Their values are the elementary
// functions of compiler/scalar; what is written here are the derivatives.

import { dtypeKind } from '../../ir/dtype.js';
import { erf, erfc } from '../../scalar/erf.js';
import { exp, exp2, expm1, sigmoid } from '../../scalar/exp.js';
import { callElementary } from '../../scalar/function.js';
import { acosh, asinh, atanh, cosh, sinh, tanh } from '../../scalar/hyperbolic.js';
import { acos, asin, atan, atan2 } from '../../scalar/inverse-trig.js';
import { log, log1p, log2, log10 } from '../../scalar/log.js';
import { callIntegerPower, hypot, pow } from '../../scalar/pow.js';
import { cos, sin, tan } from '../../scalar/trig.js';
import { add, div, mul, neg, on, partial, result, sub, where, x, y } from '../formula.js';
import type { ElementwiseOp } from '../op.js';
import { elementaryRecord, floats, from, numbers, pair, positive, record } from './shared.js';

const square = (of: typeof x) => mul(of, of);
/** 1 - x² without cancellation near ±1. */
const oneMinusSquare = mul(sub(1, x), add(1, x));
const bell = on('exp', neg(square(x)));

/** The result, or 1 at the origin, where a gradient of 0 is wanted and not 0 / 0. */
const hypotOrOne = where(on('eq', result, 0), 1, result);

export const transcendentalOps: readonly ElementwiseOp[] = [
  elementaryRecord(exp, partial(result)),
  elementaryRecord(exp2, partial(mul(result, Math.LN2))),
  elementaryRecord(expm1, partial(add(result, 1))),
  elementaryRecord(log, partial(div(1, x)), positive),
  elementaryRecord(log2, partial(div(1, mul(x, Math.LN2))), positive),
  elementaryRecord(log10, partial(div(1, mul(x, Math.LN10))), positive),
  elementaryRecord(log1p, partial(div(1, add(x, 1))), from(-0.9, 4)),
  elementaryRecord(sin, partial(on('cos', x))),
  elementaryRecord(cos, partial(neg(on('sin', x)))),
  elementaryRecord(tan, partial(add(square(result), 1)), from(-1.4, 1.4)),
  elementaryRecord(asin, partial(on('rsqrt', oneMinusSquare)), from(-0.95, 0.95)),
  elementaryRecord(acos, partial(neg(on('rsqrt', oneMinusSquare))), from(-0.95, 0.95)),
  elementaryRecord(atan, partial(div(1, add(square(x), 1)))),
  elementaryRecord(sinh, partial(on('cosh', x))),
  elementaryRecord(cosh, partial(on('sinh', x))),
  elementaryRecord(tanh, partial(sub(1, square(result)))),
  elementaryRecord(asinh, partial(on('rsqrt', add(square(x), 1)))),
  elementaryRecord(acosh, partial(on('rsqrt', mul(sub(x, 1), add(x, 1)))), from(1.1, 4)),
  elementaryRecord(atanh, partial(div(1, oneMinusSquare)), from(-0.95, 0.95)),
  elementaryRecord(erf, partial(mul(bell, 2 / Math.sqrt(Math.PI)))),
  elementaryRecord(erfc, partial(mul(bell, -2 / Math.sqrt(Math.PI)))),
  elementaryRecord(sigmoid, partial(mul(result, sub(1, result)))),
  record({
    name: 'atan2',
    doc: `${atan2.doc} At the origin the gradient is NaN, as in PyTorch.`,
    accepts: floats,
    value: (args) => callElementary(atan2, ...args),
    partials: [partial(div(y, add(square(x), square(y)))), partial(neg(div(x, add(square(x), square(y)))))],
    domain: [positive, positive],
  }),
  record({
    name: 'hypot',
    doc: `${hypot.doc} At the origin the gradient is 0.`,
    accepts: floats,
    value: (args) => callElementary(hypot, ...args),
    partials: [partial(div(x, hypotOrOne)), partial(div(y, hypotOrOne))],
    domain: [positive, positive],
  }),
  record({
    name: 'pow',
    doc:
      'x^y. Of floats as in C: x^0 and 1^y are 1 even for NaN, a negative number to a power that is no integer is NaN. Of integers by ' +
      'repeated multiplication, which wraps; a negative power is 0 but of 1 and -1. As in PyTorch the derivative by x is 0 where y is 0, ' +
      'and the derivative by y is 0 where x is 0 and y is not negative.',
    accepts: numbers,
    value: (args) => {
      const [base, exponent] = pair(args);
      return dtypeKind(base.dtype) === 'float' ? callElementary(pow, base, exponent) : callIntegerPower(base, exponent);
    },
    partials: [
      partial(mul(y, on('pow', x, where(on('eq', y, 0), 0, sub(y, 1))))),
      partial(mul(result, on('log', where(on('logical_and', on('eq', x, 0), on('ge', y, 0)), 1, x)))),
    ],
    domain: [positive, from(-2, 3)],
  }),
];
