// Operators on values: arithmetic of compile-time values when all operands are such, else operations on tensors.

import { isProvablyNonNegative } from '../ir/bounds.js';
import { type Dim, dimAdd, dimConst, dimFloorDiv, dimMul, dimNeg, dimSub, dimValue, printDim } from '../ir/dims.js';
import { dtypeKind, isInt } from '../ir/dtype.js';
import type * as ast from '../syntax/ast.js';
import type { Context } from './context.js';
import { knownValue } from './known.js';
import { matmul } from './matmul.js';
import { dtypeOf, isNumeric, isRank0, type Numeric, pointwise, toTensor } from './tensors.js';
import {
  bool,
  describe,
  float,
  int,
  isUntyped,
  isWeakNumber,
  list,
  numberOf,
  type Relation,
  real,
  show,
  string,
  tensor,
  typeText,
  type Val,
} from './values.js';

type Arithmetic = '+' | '-' | '*' | '/' | '//' | '%' | '**';

const tensorOps: Readonly<Record<Arithmetic | Relation, string>> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '//': 'floor_div',
  '%': 'remainder',
  '**': 'pow',
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
};

const isRelation = (op: ast.BinaryOperator): op is Relation => ['==', '!=', '<', '<=', '>', '>='].includes(op);

/** `left op right`, for every operator but `&&` and `||` on compile-time operands, which decide without the right side. */
export function binary(cx: Context, op: ast.BinaryOperator, left: Val, right: Val): Val {
  if (op === '&&' || op === '||') return logical(cx, op, left, right);
  if (op === '@') return matmulOperator(cx, left, right);
  if (isWeakNumber(left) && isWeakNumber(right)) {
    const known = isRelation(op) ? compareNumbers(op, left, right) : arithmeticOnNumbers(cx, op, left, right);
    if (known !== undefined) return inRange(cx, known);
  }
  if (isNumeric(left) && isNumeric(right))
    return isRelation(op) ? pointwise(cx, tensorOps[op], [left, right], `\`${op}\``) : arithmetic(cx, op, left, right);
  return onOthers(cx, op, left, right);
}

/** The largest text that `+` makes. */
const maxText = 100_000;

/** A compile-time number, unless it is an int that cannot be computed with exactly, or a size that grows without bound. */
function inRange(cx: Context, val: Val): Val {
  if (val.kind !== 'int') return val;
  if (!val.dim.terms.every(({ coefficient }) => Number.isSafeInteger(coefficient)))
    return cx.fail('E0319', { message: 'the result is too large for a compile-time int', help: 'compute with floats' });
  cx.bounded(val.dim);
  return val;
}

/** `a && b`, `a || b` on truth values and numbers. */
function logical(cx: Context, op: '&&' | '||', left: Val, right: Val): Val {
  if (left.kind === 'bool' && right.kind === 'bool') {
    return bool(op === '&&' ? left.value && right.value : left.value || right.value);
  }
  if (isNumeric(left) && isNumeric(right))
    return pointwise(cx, op === '&&' ? 'logical_and' : 'logical_or', [left, right], `\`${op}\``);
  return undefinedFor(cx, op, left, right);
}

function matmulOperator(cx: Context, left: Val, right: Val): Val {
  if (isNumeric(left) && isNumeric(right)) return matmul(cx, left, right, '`@`');
  return undefinedFor(cx, '@', left, right);
}

function undefinedFor(cx: Context, op: string, left: Val, right: Val): never {
  return cx.fail('E0311', { message: `\`${op}\` is not defined for ${describe(left)} and ${describe(right)}` });
}

/** Operators on lists, strings, dtypes and the like. */
function onOthers(cx: Context, op: ast.BinaryOperator, left: Val, right: Val): Val {
  if (op === '==' || op === '!=') return bool(sameStatic(cx, left, right) === (op === '=='));
  const isText = (val: Val): boolean => val.kind !== 'tensor' && val.kind !== 'model' && val.kind !== 'function';
  if (op === '+' && (left.kind === 'string' || right.kind === 'string') && isText(left) && isText(right)) {
    const text = show(left) + show(right);
    if (text.length > maxText) cx.fail('E0311', { message: `a text has at most ${maxText} characters` });
    return string(text);
  }
  if (
    op === '+' &&
    ((left.kind === 'list' && right.kind === 'list') || (left.kind === 'tuple' && right.kind === 'tuple'))
  ) {
    cx.spend(left.items.length + right.items.length);
    return { kind: left.kind, items: [...left.items, ...right.items] };
  }
  if (op === '*' && left.kind === 'list' && right.kind === 'int') {
    const times = dimValue(right.dim);
    cx.spend((times ?? 0) * left.items.length);
    if (times !== undefined && times >= 0) return list(Array.from({ length: times }, () => left.items).flat());
  }
  return undefinedFor(cx, op, left, right);
}

/** Whether two compile-time values are the same. Values of different kinds differ; tensors cannot be asked. */
export function sameStatic(cx: Context, left: Val, right: Val): boolean {
  if ((left.kind === 'list' && right.kind === 'list') || (left.kind === 'tuple' && right.kind === 'tuple')) {
    return (
      left.items.length === right.items.length &&
      left.items.every((item, i) => sameStatic(cx, item, right.items[i] as Val))
    );
  }
  if (isWeakNumber(left) && isWeakNumber(right)) {
    const result = compareNumbers('==', left, right);
    if (result?.kind === 'bool') return result.value;
    if (left.kind === 'int' && right.kind === 'int') return cx.sameSize(left.dim, right.dim, 'sizes that are compared');
    return undefinedFor(cx, '==', left, right);
  }
  if (left.kind === 'string' && right.kind === 'string') return left.value === right.value;
  if (left.kind === 'dtype' && right.kind === 'dtype') return left.dtype === right.dtype;
  if (left.kind === 'none' || right.kind === 'none') return left.kind === right.kind;
  if (left.kind === right.kind) return undefinedFor(cx, '==', left, right);
  return false;
}

const decide: Readonly<Record<Relation, (a: number, b: number) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/** A comparison of compile-time numbers: decided where possible, also between sizes; undefined where a tensor is needed. */
function compareNumbers(op: Relation, left: Numeric, right: Numeric): Val | undefined {
  const [a, b] = [numberOf(left), numberOf(right)];
  if (a !== undefined && b !== undefined) return bool(decide[op](a, b));
  const [l, r] = [asDim(left), asDim(right)];
  if (l === undefined || r === undefined) return undefined;
  const truth = decideSizes(op, l, r);
  return truth === undefined ? { kind: 'relation', op, left: l, right: r } : bool(truth);
}

const asDim = (val: Val): Dim | undefined => (val.kind === 'int' ? val.dim : undefined);

/** A comparison of sizes that holds, or fails, whatever the run-time dimensions are. */
function decideSizes(op: Relation, left: Dim, right: Dim): boolean | undefined {
  const difference = dimSub(left, right);
  const fixed = dimValue(difference);
  if (fixed !== undefined) return decide[op](fixed, 0);
  const atLeast = (dim: Dim, bound: number) => isProvablyNonNegative(dimSub(dim, dimConst(bound)));
  const opposite = dimNeg(difference);
  if (atLeast(difference, 1)) return op === '>' || op === '>=' || op === '!=';
  if (atLeast(opposite, 1)) return op === '<' || op === '<=' || op === '!=';
  if (atLeast(difference, 0) && (op === '>=' || op === '<')) return op === '>=';
  if (atLeast(opposite, 0) && (op === '<=' || op === '>')) return op === '<=';
  return undefined;
}

/** Arithmetic of compile-time numbers; integers are sizes and stay exact. Undefined where a tensor is needed. */
function arithmeticOnNumbers(
  cx: Context,
  op: Exclude<ast.BinaryOperator, Relation | '&&' | '||' | '@'>,
  left: Val,
  right: Val,
): Val | undefined {
  const [l, r] = [asDim(left), asDim(right)];
  if (l !== undefined && r !== undefined) return arithmeticOnSizes(cx, op, l, r);
  const [a, b] = [numberOf(left), numberOf(right)];
  if (a === undefined || b === undefined || left.kind === 'bool' || right.kind === 'bool') return undefined;
  switch (op) {
    case '+':
      return float(a + b);
    case '-':
      return float(a - b);
    case '*':
      return float(a * b);
    case '/':
      return float(a / b);
    case '//':
      return float(Math.floor(a / b));
    case '%':
      return float(a - b * Math.floor(a / b));
    case '**':
      return float(a ** b);
  }
}

function arithmeticOnSizes(cx: Context, op: Arithmetic, left: Dim, right: Dim): Val | undefined {
  const [a, b] = [dimValue(left), dimValue(right)];
  switch (op) {
    case '+':
      return int(dimAdd(left, right));
    case '-':
      return int(dimSub(left, right));
    case '*':
      return int(dimMul(left, right));
    case '/':
      return a === undefined || b === undefined ? undefined : float(a / b);
    case '//':
    case '%': {
      if (b === 0) cx.fail('E0318', { message: `${printDim(left)} is divided by zero` });
      const quotient = dimFloorDiv(left, right);
      return int(op === '//' ? quotient : dimSub(left, dimMul(quotient, right)));
    }
    case '**': {
      if (b === undefined) return undefined;
      if (b < 0) return a === undefined ? undefined : float(a ** b);
      return powerOfSize(cx, left, b);
    }
  }
}

/** A power by squaring: it has few steps, and stops at the first of them that is too large. */
function powerOfSize(cx: Context, base: Dim, exponent: number): Val {
  let power = dimConst(1);
  for (const bit of exponent.toString(2)) {
    power = dimMul(power, power);
    inRange(cx, int(power));
    if (bit === '1') power = dimMul(power, base);
    inRange(cx, int(power));
  }
  return int(power);
}

/** Arithmetic with tensors. */
function arithmetic(cx: Context, op: Arithmetic, left: Numeric, right: Numeric): Val {
  const name = tensorOps[op];
  const areBools = dtypeOf(cx, left) === 'bool' && dtypeOf(cx, right) === 'bool';
  if (areBools && op === '+') return pointwise(cx, 'logical_or', [left, right]);
  if (areBools && op === '*') return pointwise(cx, 'logical_and', [left, right]);
  if (areBools && op === '-') {
    cx.fail('E0311', {
      message: '`-` is not defined for bools',
      help: 'use `a != b` for the exclusive or, or cast the operands',
    });
  }
  if (op === '**' && [left, right].every((val) => isInt(dtypeOf(cx, val)))) refuseNegativePower(cx, left, right);
  if (op === '//' || op === '%') refuseZeroDivisor(cx, left, right);
  if (op === '/') return pointwise(cx, name, [floatOperand(cx, left, right), right], '`/`');
  return pointwise(cx, name, [left, right], `\`${op}\``);
}

/** Integers to negative powers are no integers: exponents that are known to be negative are refused. */
function refuseNegativePower(cx: Context, left: Numeric, right: Numeric): void {
  const exponents = right.kind === 'tensor' ? knownValue(cx, right.value)?.data : [numberOf(right) ?? 0];
  const exponent = Array.from(exponents ?? [], Number).find((each) => each < 0);
  if (exponent === undefined) return;
  cx.fail('E0311', {
    message: `integers to the negative power ${exponent} are no integers`,
    label: `the base is ${dtypeOf(cx, left)}`,
    help: 'cast the base to a float',
  });
}

/** Integers have no infinity: a divisor that is known to be 0 is refused. */
export function refuseZeroDivisor(cx: Context, left: Numeric, right: Numeric): void {
  if ([left, right].some((val) => dtypeKind(dtypeOf(cx, val)) === 'float')) return;
  const known =
    right.kind === 'tensor'
      ? knownValue(cx, right.value)?.data.some((element) => Number(element) === 0)
      : numberOf(right) === 0;
  if (known) cx.fail('E0318', { message: 'integer division by zero' });
}

/** Of two integers, the first as a float, so that true division meets in floats. */
function floatOperand(cx: Context, left: Numeric, right: Numeric): Numeric {
  const both = [left, right].every((val) => dtypeKind(dtypeOf(cx, val)) !== 'float');
  if (!both) return left;
  if (!isUntyped(left)) return tensor(toTensor(cx, left, cx.options.defaultFloat));
  const number = numberOf(left);
  return number === undefined ? real(toTensor(cx, left, 'f64')) : float(number);
}

/** `-x` and `!x`. */
export function unary(cx: Context, op: ast.UnaryOperator, operand: Val): Val {
  if (op === '!') {
    if (operand.kind === 'bool') return bool(!operand.value);
    if (operand.kind === 'relation') return { ...operand, op: negated[operand.op] };
    if (isNumeric(operand)) return pointwise(cx, 'logical_not', [operand], '`!`');
  } else {
    if (operand.kind === 'int') return int(dimNeg(operand.dim));
    if (operand.kind === 'float') return float(-operand.value);
    if (operand.kind === 'tensor' && operand.value.type.dtype === 'bool') {
      cx.fail('E0311', {
        message: '`-` is not defined for bools',
        label: typeText(operand.value.type),
        help: 'use `!`',
      });
    }
    if (isNumeric(operand)) return pointwise(cx, 'neg', [operand], '`-`');
  }
  return cx.fail('E0311', { message: `\`${op}\` is not defined for ${describe(operand)}` });
}

const negated: Readonly<Record<Relation, Relation>> = {
  '==': '!=',
  '!=': '==',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
};

/** A value that a run-time decision can be made on. */
export const isTest = (val: Val): val is Numeric =>
  val.kind === 'bool' ||
  val.kind === 'relation' ||
  (val.kind === 'tensor' && isRank0(val) && val.value.type.dtype === 'bool');

/** Whether a value can be the condition of a compile-time decision, and which way it goes. */
export function condition(cx: Context, val: Val, what: string): boolean {
  if (val.kind === 'bool') return val.value;
  if (val.kind === 'relation' || (isRank0(val) && val.kind === 'tensor')) {
    const help =
      val.kind === 'relation'
        ? 'fix the run-time dimension with `--dim NAME=SIZE`, or choose between tensors with `where(condition, a, b)`'
        : 'choose element by element with `where(condition, a, b)`';
    return cx.fail('L0901', { message: `${what} is decided only when running: ${describe(val)}`, help });
  }
  return notOneBool(cx, val, what);
}

/** Refuses a condition that is no single truth value; many of them are what `where` takes. */
export function notOneBool(cx: Context, val: Val, what: string): never {
  const many = val.kind === 'tensor' && val.value.type.dtype === 'bool';
  return cx.fail('E0317', {
    message: `${what} is a bool, not ${describe(val)}`,
    help: many
      ? 'choose element by element with `where(condition, a, b)`, or make one bool with `all(condition)` or `any(condition)`'
      : undefined,
  });
}
