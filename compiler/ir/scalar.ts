// Scalar IR: pure expressions over scalars of one element. Elementwise operations, reductions and elementary functions
// (exp, tanh, erf, …) are written in it once; the interpreter evaluates it, the backends print it as vector C or CUDA.
//
// Expressions form a DAG: a node that is used twice is one object, and every consumer (evaluator, printer) visits it once.
// Semantics are IEEE 754 in the node's own dtype, with no contraction: a fused multiply-add exists only as `fma`.

import { type DType, dtypeKind } from './dtype.js';
import { roundHalf } from './evaluate/tensor.js';

/** Operators with one or more operands of one dtype and a result of the same dtype. */
export const arithmeticOps = [
  'neg', // -a
  'add',
  'sub',
  'mul',
  'div', // floats: IEEE; integers: quotient truncated toward zero, 0 when the divisor is 0
  'rem', // remainder of the truncated quotient: C's % and fmod, sign of the dividend; integers by zero give 0
  'fma', // a * b + c with one rounding; floats only
  'abs',
  'sqrt', // correctly rounded; floats only
  'floor',
  'ceil',
  'trunc',
  'round', // to nearest, ties to even
  'min', // NaN when either operand is NaN
  'max', // NaN when either operand is NaN
  'and', // bitwise; on bool logical
  'or',
  'xor',
  'not',
  'shl', // shift count taken modulo the width
  'shr', // arithmetic
  'ushr', // logical, on the two's complement bits
] as const;

/** Operators with operands of one dtype and a bool result. Comparisons with NaN are false, except `ne`. */
export const comparisonOps = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const;

export type ArithmeticOp = (typeof arithmeticOps)[number];
export type ComparisonOp = (typeof comparisonOps)[number];

/**
 * A scalar expression. `cast` converts values (float to integer truncates and saturates NaN to 0, integers wrap, anything to bool
 * is `!= 0`); `bitcast` keeps the bits between dtypes of one width; `select` is `condition ? then : otherwise`.
 */
export type Scalar =
  | { readonly kind: 'argument'; readonly index: number; readonly dtype: DType }
  | { readonly kind: 'constant'; readonly value: number | bigint; readonly dtype: DType }
  | {
      readonly kind: 'apply';
      readonly op: ArithmeticOp | ComparisonOp;
      readonly args: readonly Scalar[];
      readonly dtype: DType;
    }
  | {
      readonly kind: 'select';
      readonly condition: Scalar;
      readonly then: Scalar;
      readonly otherwise: Scalar;
      readonly dtype: DType;
    }
  | { readonly kind: 'cast'; readonly arg: Scalar; readonly dtype: DType }
  | { readonly kind: 'bitcast'; readonly arg: Scalar; readonly dtype: DType }
  /** A call of a named elementary function of `compiler/scalar/`, kept as a call so that backends print each function once. */
  | { readonly kind: 'call'; readonly fn: ScalarFunction; readonly args: readonly Scalar[]; readonly dtype: DType };

/** A named function in scalar IR, such as `exp` for f32: backends emit it once and call it. */
export interface ScalarFunction {
  /** Unique with its dtype, for example `exp_f32`. */
  readonly name: string;
  readonly params: readonly DType[];
  readonly body: Scalar;
  /** What it computes, the method and its source, and the largest error in ulp over the stated range. */
  readonly doc: string;
}

export const argument = (index: number, dtype: DType): Scalar => ({ kind: 'argument', index, dtype });

/** A constant, rounded to a float of 16 bits; booleans are 0 and 1; i64 constants may be given as bigint. */
export function constant(value: number | bigint | boolean, dtype: DType): Scalar {
  const plain = typeof value === 'boolean' ? Number(value) : value;
  if (dtypeKind(dtype) !== 'float' && typeof plain === 'number' && !Number.isInteger(plain)) {
    throw new RangeError(`${plain} is not a value of ${dtype}`);
  }
  if (dtype === 'i64') return { kind: 'constant', value: plain, dtype };
  return { kind: 'constant', value: roundHalf(dtype, Number(plain)), dtype };
}

const sameDType = (op: string, args: readonly Scalar[]): DType => {
  const dtype = args[0]?.dtype;
  if (dtype === undefined || args.some((arg) => arg.dtype !== dtype)) {
    throw new TypeError(`scalar ${op} needs operands of one dtype, got ${args.map((arg) => arg.dtype).join(', ')}`);
  }
  return dtype;
};

export const apply = (op: ArithmeticOp, ...args: readonly Scalar[]): Scalar => ({
  kind: 'apply',
  op,
  args,
  dtype: sameDType(op, args),
});

export function compare(op: ComparisonOp, left: Scalar, right: Scalar): Scalar {
  sameDType(op, [left, right]);
  return { kind: 'apply', op, args: [left, right], dtype: 'bool' };
}

export function select(condition: Scalar, then: Scalar, otherwise: Scalar): Scalar {
  if (condition.dtype !== 'bool') throw new TypeError(`scalar select needs a bool condition, got ${condition.dtype}`);
  return { kind: 'select', condition, then, otherwise, dtype: sameDType('select', [then, otherwise]) };
}

export const cast = (arg: Scalar, dtype: DType): Scalar => (arg.dtype === dtype ? arg : { kind: 'cast', arg, dtype });
export const bitcast = (arg: Scalar, dtype: DType): Scalar => ({ kind: 'bitcast', arg, dtype });

export function callScalar(fn: ScalarFunction, ...args: readonly Scalar[]): Scalar {
  if (args.length !== fn.params.length || args.some((arg, i) => arg.dtype !== fn.params[i])) {
    throw new TypeError(
      `scalar function ${fn.name} takes (${fn.params.join(', ')}), got (${args.map((arg) => arg.dtype).join(', ')})`,
    );
  }
  return { kind: 'call', fn, args, dtype: fn.body.dtype };
}

/** The direct operands of a node. */
export function scalarOperands(node: Scalar): readonly Scalar[] {
  switch (node.kind) {
    case 'argument':
    case 'constant':
      return [];
    case 'select':
      return [node.condition, node.then, node.otherwise];
    case 'cast':
    case 'bitcast':
      return [node.arg];
    default:
      return node.args;
  }
}
