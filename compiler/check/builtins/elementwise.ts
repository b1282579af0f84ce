// One function for each elementwise record, under its name; on compile-time numbers the common ones are computed when compiling.

import { dimMax, dimNeg } from '../../ir/dims.js';
import { elementwiseOps } from '../../ops/elementwise/index.js';
import type { Context } from '../context.js';
import { refuseZeroDivisor } from '../operators.js';
import { dtypeOf, pointwise, toTensor } from '../tensors.js';
import { float, int, isWeakNumber, numberOf, tensor, type Val } from '../values.js';
import { type Arguments, type Builtin, define } from './builtin.js';

/** Records whose function std declares, or which have a signature of their own. */
const others = new Set(['add', 'sub', 'mul', 'div', 'hypot', 'where', 'cast', 'stop_gradient', 'pow', 'round']);

/** Functions of compile-time numbers. */
const numbers: Readonly<Record<string, (...args: number[]) => number>> = {
  abs: Math.abs,
  sqrt: Math.sqrt,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  tanh: Math.tanh,
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  maximum: Math.max,
  minimum: Math.min,
};

/** The value on compile-time numbers, where all operands are such. */
function onNumbers(name: string, operands: readonly Val[]): Val | undefined {
  const sizes = operands.flatMap((val) => (val.kind === 'int' ? [val.dim] : []));
  const [a, b] = sizes;
  if (a !== undefined && b !== undefined && sizes.length === operands.length) {
    if (name === 'maximum') return int(dimMax(a, b));
    // min(a, b) = -max(-a, -b)
    if (name === 'minimum') return int(dimNeg(dimMax(dimNeg(a), dimNeg(b))));
  }
  const compute = numbers[name];
  const values = operands.map(numberOf);
  if (
    compute === undefined ||
    values.some((value) => value === undefined) ||
    operands.some((val) => !isWeakNumber(val) || val.kind === 'bool')
  )
    return undefined;
  if (name === 'abs' && a !== undefined) return values[0] !== undefined && values[0] < 0 ? int(dimNeg(a)) : int(a);
  return float(compute(...(values as number[])));
}

/** Where a divisor of 0 has no value in integers. */
const divisions = new Set(['floor_div', 'trunc_div', 'remainder', 'fmod']);

const names = ['input', 'other', 'third'];

function elementwiseBuiltin(name: string, record: string, arity: number, doc: string): Builtin {
  const parameters = names.slice(0, arity);
  const signature = `${name}(${parameters.map((param) => `${param}: tensor`).join(', ')}) -> tensor`;
  return define(signature, doc, (cx, args) => {
    const operands = parameters.map((param) => args.numeric(param));
    const [left, right] = operands;
    if (divisions.has(name) && left !== undefined && right !== undefined) refuseZeroDivisor(cx, left, right);
    return onNumbers(name, operands) ?? pointwise(cx, record, operands, name);
  });
}

function where(cx: Context, args: Arguments): Val {
  const condition = args.numeric('condition');
  if (condition.kind === 'bool') return args.get(condition.value ? 'input' : 'other');
  const dtype = dtypeOf(cx, condition);
  if (dtype !== 'bool') {
    cx.fail('E0305', {
      message: `\`condition\` of where is a tensor of bool, not of ${dtype}`,
      site: args.site('condition'),
      help: 'compare it: where(c != 0, x, y)',
    });
  }
  return pointwise(cx, 'where', [condition, args.numeric('input'), args.numeric('other')], 'where');
}

export const elementwiseBuiltins = (): readonly Builtin[] => [
  ...elementwiseOps
    .filter(({ name }) => !others.has(name))
    .map(({ name, arity, doc }) => elementwiseBuiltin(name, name, arity, doc)),
  elementwiseBuiltin('round_half_even', 'round', 1, 'To the nearest integer, halves to even.'),
  define(
    'where(condition: tensor, input: tensor, other: tensor) -> tensor',
    'The first where the condition holds, else the second. The operand that is not taken gets gradient 0.',
    where,
  ),
  define(
    'cast(input: tensor, dtype: dtype) -> tensor',
    'The value in another dtype: floats to integers truncate, integers to narrower ones wrap, anything to bool is `!= 0`.',
    (cx, args) => {
      const input = args.numeric('input');
      // A number without a dtype is not rounded to the dtype that it would have by itself first.
      const isReal = input.kind === 'float' || input.kind === 'real';
      const value = isReal ? toTensor(cx, input, 'f64') : args.tensor('input');
      return tensor(cx.b.cast(value, args.dtype('dtype')));
    },
  ),
  define('stop_gradient(input: tensor) -> tensor', 'The same value, a constant for derivatives.', (cx, args) =>
    tensor(cx.b.elementwise('stop_gradient', [args.tensor('input')])),
  ),
];
