// Rewrites of arithmetic. Only what holds for every float is here: x + 0 is not x when x is -0, and x · 0 is not 0 when x is NaN.

import { dimValue, shapeEquals } from '../../ir/dims.js';
import { type DType, dtypeBytes, dtypeKind, isFloat } from '../../ir/dtype.js';
import { evaluateElementwise } from '../../ir/evaluate/elementwise.js';
import { Programs } from '../../ir/evaluate/programs.js';
import { hostTensor } from '../../ir/evaluate/tensor.js';
import type { NodeOf, Value } from '../../ir/graph.js';
import {
  appliedBy,
  isAll,
  type Rewrite,
  repeatedTo,
  resultOf,
  type Surroundings,
  splat,
  withConstantLast,
} from './rewrite.js';

type Elementwise = NodeOf<'elementwise'>;

/** A rewrite of one operation with its operands. */
const onOperation = (
  op: string,
  name: string,
  doc: string,
  apply: (inputs: readonly Value[], around: Surroundings, node: Elementwise) => Value | undefined,
): Rewrite<'elementwise'> => ({
  name,
  doc,
  kind: 'elementwise',
  apply: (node, around) => {
    if (node.op !== op) return undefined;
    const value = apply(node.inputs, around, node);
    return value && [repeatedTo(value, resultOf(node).type.shape, around)];
  },
});

const pairOf = (inputs: readonly Value[]): readonly [Value, Value] => [inputs[0] as Value, inputs[1] as Value];
const isInteger = (value: Value): boolean => dtypeKind(value.type.dtype) === 'int';

const multiplyByOne = onOperation('mul', 'multiply-by-one', 'x · 1 is x.', (inputs, around) => {
  return withConstantLast(pairOf(inputs), (value) => isAll(value, 1, around))?.[0];
});

const multiplyByMinusOne = onOperation('mul', 'multiply-by-minus-one', 'x · -1 is -x.', (inputs, around, node) => {
  const [x] = withConstantLast(pairOf(inputs), (value) => isAll(value, -1, around)) ?? [];
  if (x === undefined || !isFloat(x.type.dtype) || !shapeEquals(x.type.shape, resultOf(node).type.shape))
    return undefined;
  return around.b.elementwise('neg', [x], around.hint);
});

const addZero = onOperation('add', 'add-zero', 'x + 0 is x for integers; for floats x + -0 is.', (inputs, around) => {
  const isZero = (value: Value) => isAll(value, isInteger(value) ? 0 : -0, around);
  return withConstantLast(pairOf(inputs), isZero)?.[0];
});

const subtractZero = onOperation('sub', 'subtract-zero', 'x - 0 is x.', ([x, y], around) =>
  isAll(y as Value, 0, around) ? x : undefined,
);

const divideByOne = onOperation('div', 'divide-by-one', 'x / 1 is x.', ([x, y], around) =>
  isAll(y as Value, 1, around) ? x : undefined,
);

/** Whether 1/c is a float of every width: c is a power of two of moderate size. */
const hasExactReciprocal = (c: number): boolean => {
  const exponent = Math.log2(Math.abs(c));
  return c !== 0 && Number.isInteger(exponent) && Math.abs(exponent) <= 14 && 2 ** exponent === Math.abs(c);
};

const divideByPowerOfTwo = onOperation(
  'div',
  'divide-by-power-of-two',
  'x / 2ⁿ is x · 2⁻ⁿ, which is exact and faster.',
  ([x, y], around) => {
    const { b, hint } = around;
    const divisor = splat(y as Value, around);
    if (divisor === undefined || !isFloat((x as Value).type.dtype) || !hasExactReciprocal(Number(divisor)))
      return undefined;
    return b.elementwise('mul', [x as Value, b.constant(1 / Number(divisor), (x as Value).type.dtype)], hint);
  },
);

const negateTwice = onOperation(
  'neg',
  'negate-twice',
  '-(-x) is x.',
  ([x], around) => appliedBy(x as Value, 'neg', around)?.inputs[0],
);

const notTwice = onOperation(
  'logical_not',
  'not-twice',
  'not not x is x.',
  ([x], around) => appliedBy(x as Value, 'logical_not', around)?.inputs[0],
);

const addNegated = onOperation('add', 'add-negated', 'a + -b is a - b.', (inputs, around) => {
  const pair = withConstantLast(pairOf(inputs), (value) => appliedBy(value, 'neg', around) !== undefined);
  const negated = pair && appliedBy(pair[1], 'neg', around)?.inputs[0];
  return pair && negated && around.b.elementwise('sub', [pair[0], negated], around.hint);
});

const subtractNegated = onOperation('sub', 'subtract-negated', 'a - -b is a + b.', ([x, y], around) => {
  const negated = appliedBy(y as Value, 'neg', around)?.inputs[0];
  return negated && around.b.elementwise('add', [x as Value, negated], around.hint);
});

const negateProduct = onOperation('neg', 'negate-product', '-(x · c) is x · -c for a constant c.', ([x], around) => {
  const product = appliedBy(x as Value, 'mul', around);
  const pair = product && withConstantLast(pairOf(product.inputs), (value) => splat(value, around) !== undefined);
  const factor = pair && splat(pair[1], around);
  if (pair === undefined || typeof factor !== 'number' || !isFloat(pair[0].type.dtype)) return undefined;
  return around.b.elementwise('mul', [pair[0], around.b.constant(-factor, pair[0].type.dtype)], around.hint);
});

const whereConstant = onOperation(
  'where',
  'where-constant',
  'A selection by a constant is one of its branches.',
  ([c, x, y], around) => {
    const condition = splat(c as Value, around);
    return condition === undefined ? undefined : Number(condition) !== 0 ? x : y;
  },
);

const whereSame = onOperation('where', 'where-same', 'A selection between equals is either.', ([, x, y]) =>
  x === y ? x : undefined,
);

const whereNot = onOperation('where', 'where-not', 'where(not c, a, b) is where(c, b, a).', ([c, x, y], around) => {
  const condition = appliedBy(c as Value, 'logical_not', around)?.inputs[0];
  return condition && around.b.elementwise('where', [condition, y as Value, x as Value], around.hint);
});

/** Bits of integer that a float represents exactly. */
const mantissa: Partial<Record<DType, number>> = { f16: 11, bf16: 8, f32: 24, f64: 53 };

/** Whether every value of one dtype is a value of the other. */
function isLossless(from: DType, to: DType): boolean {
  if (from === to) return true;
  const [fromKind, toKind] = [dtypeKind(from), dtypeKind(to)];
  if (toKind === 'bool') return false;
  if (fromKind === 'bool') return true;
  if (fromKind === 'float') return toKind === 'float' && (to === 'f64' || (to === 'f32' && dtypeBytes(from) === 2));
  const isSigned = from !== 'u8';
  const bits = 8 * dtypeBytes(from) - (isSigned ? 1 : 0);
  if (toKind === 'float') return bits <= (mantissa[to] ?? 0);
  return to !== 'u8' && bits <= 8 * dtypeBytes(to) - 1;
}

const castTwice: Rewrite<'elementwise'> = {
  name: 'cast-twice',
  doc: 'A cast of a cast that loses nothing is one cast.',
  kind: 'elementwise',
  apply(node, around) {
    const inner = node.op === 'cast' ? appliedBy(node.inputs[0] as Value, 'cast', around)?.inputs[0] : undefined;
    const middle = node.inputs[0]?.type.dtype;
    if (inner === undefined || middle === undefined || !isLossless(inner.type.dtype, middle)) return undefined;
    return [around.b.cast(inner, node.dtype ?? middle, around.hint)];
  },
};

const castToSame = onOperation('cast', 'cast-to-same', 'A cast to its own dtype is the operand.', ([x], _, node) =>
  x?.type.dtype === node.dtype ? x : undefined,
);

const simplePower = onOperation('pow', 'simple-power', 'x⁰ is 1, x¹ is x, x² is x · x.', ([x, y], around) => {
  const [base, exponent] = [x as Value, splat(y as Value, around)];
  if (exponent === undefined) return undefined;
  switch (Number(exponent)) {
    case 0:
      return around.b.constant(1, base.type.dtype);
    case 1:
      return base;
    case 2:
      return around.b.elementwise('mul', [base, base], around.hint);
    default:
      return undefined;
  }
});

/** Constants are folded with the interpreter's own arithmetic, so that a program means the same whether it is folded or not. */
const foldConstants: Rewrite<'elementwise'> = {
  name: 'fold-constants',
  doc: 'An operation on constants is a constant.',
  kind: 'elementwise',
  apply(node, around) {
    const numbers = node.inputs.map((input) => splat(input, around));
    if (numbers.some((number) => number === undefined)) return undefined;
    const dtypes = node.inputs.map((input) => input.type.dtype);
    const { dtype, shape } = resultOf(node).type;
    const program = new Programs().elementwise(node.op, dtypes, node.dtype);
    const operands = numbers.map((number, i) => hostTensor(dtypes[i] as DType, [], [number as number]));
    const folded = evaluateElementwise(program, operands, dtype, []).data[0] as number | bigint;
    return [around.b.constant(folded, dtype, shape)];
  },
};

const foldSizes: Rewrite<'source'> = {
  name: 'fold-sizes',
  doc: 'The size of a dimension that is known at compile time is a constant.',
  kind: 'source',
  apply(node, { b }) {
    if (node.source.type !== 'size') return undefined;
    const value = dimValue(node.source.value);
    return value === undefined ? undefined : [b.constant(value, 'i64')];
  },
};

const repeatConstants: Rewrite<'elementwise'> = {
  name: 'repeat-constants',
  doc: 'Operands of one repeated number become numbers of rank 0: elementwise operations broadcast by themselves.',
  kind: 'elementwise',
  apply(node, around) {
    const isLarge = (value: Value) => value.type.shape.length > 0 && splat(value, around) !== undefined;
    if (!node.inputs.some(isLarge)) return undefined;
    const others = node.inputs.filter((value) => !isLarge(value));
    if (!others.some((value) => shapeEquals(value.type.shape, resultOf(node).type.shape))) return undefined;
    const inputs = node.inputs.map((value) =>
      isLarge(value) ? around.b.constant(splat(value, around) as number, value.type.dtype) : value,
    );
    return around.b.add(
      { kind: 'elementwise', op: node.op, inputs, ...(node.dtype && { dtype: node.dtype }) },
      around.hint,
    );
  },
};

export const arithmeticRewrites: readonly Rewrite<'elementwise'>[] = [
  foldConstants,
  multiplyByOne,
  multiplyByMinusOne,
  addZero,
  subtractZero,
  divideByOne,
  divideByPowerOfTwo,
  negateTwice,
  notTwice,
  addNegated,
  subtractNegated,
  negateProduct,
  whereConstant,
  whereSame,
  whereNot,
  castTwice,
  castToSame,
  simplePower,
  repeatConstants,
];

export const sourceRewrites: readonly Rewrite<'source'>[] = [foldSizes];
