// The conventions at edges that the records' documentation states: values at ties, zeros, infinities and NaN, and the gradients there.
// They are PyTorch's where the documentation says so.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type DType, isInt } from '../../../compiler/ir/dtype.js';
import { type HostTensor, numbersOf } from '../../../compiler/ir/evaluate/tensor.js';
import type { Value } from '../../../compiler/ir/graph.js';
import { argument } from '../../../compiler/ir/scalar.js';
import { elementwiseOp } from '../../../compiler/ops/table.js';
import { buildFunction, evaluate, unsignedZeros, vector, vectorType, withDerivatives } from '../../support/calculus.js';
import { type Plain, sampled } from '../../support/scalar.js';

const inf = Number.POSITIVE_INFINITY;
const nan = Number.NaN;

/** The value of an elementwise operation at operands of one dtype. */
function value(op: string, dtype: DType, ...operands: readonly Plain[]): Plain {
  const record = elementwiseOp(op);
  const params = operands.map((_, i) => record.fixed?.[i] ?? dtype);
  const expression = record.value(
    params.map((param, i) => argument(i, param)),
    dtype,
  );
  const [result] = sampled(expression, params)(...operands.map((operand) => [operand]));
  return typeof result === 'bigint' ? Number(result) : (result as Plain);
}

/** Each row is operands and value. */
function checkValues(op: string, dtype: DType, rows: readonly (readonly Plain[])[]): void {
  for (const row of rows) {
    const operands = row.slice(0, -1);
    const got = value(op, dtype, ...operands);
    const want = row.at(-1) as Plain;
    assert.ok(Object.is(got, want), `${op}(${operands.join(', ')}) of ${dtype} is ${got}, expected ${want}`);
  }
}

/** The gradients of Σ op(x, …) by its operands, elementwise. */
function gradients(op: string, ...operands: readonly (readonly number[])[]): number[][] {
  const length = operands[0]?.length ?? 0;
  const func = buildFunction(
    operands.map(() => vectorType(length)),
    (b, inputs) => [b.elementwise(op, inputs)],
  );
  const inputs = operands.map((data) => vector(data));
  const [, ...grads] = evaluate(withDerivatives(func), 'vjp.f', [...inputs, vector(Array(length).fill(1))]);
  return grads.map(numbersOf);
}

test('division and remainders of integers follow the signs that they promise', () => {
  for (const dtype of ['i8', 'i16', 'i32', 'i64'] as const) {
    checkValues('floor_div', dtype, [
      [7, 2, 3],
      [-7, 2, -4],
      [7, -2, -4],
      [-7, -2, 3],
      [6, 3, 2],
      [-6, 3, -2],
      [5, 0, 0],
    ]);
    checkValues('trunc_div', dtype, [
      [7, 2, 3],
      [-7, 2, -3],
      [7, -2, -3],
      [-7, -2, 3],
      [5, 0, 0],
    ]);
    checkValues('remainder', dtype, [
      [7, 3, 1],
      [-7, 3, 2],
      [7, -3, -2],
      [-7, -3, -1],
      [6, 3, 0],
      [5, 0, 0],
    ]);
    checkValues('fmod', dtype, [
      [7, 3, 1],
      [-7, 3, -1],
      [7, -3, 1],
      [-7, -3, -1],
      [5, 0, 0],
    ]);
  }
  checkValues('floor_div', 'u8', [
    [255, 2, 127],
    [5, 0, 0],
  ]);
  checkValues('remainder', 'u8', [[255, 7, 3]]);
});

test('division and remainders of floats', () => {
  for (const dtype of ['f32', 'f64'] as const) {
    checkValues('div', dtype, [
      [1, 0, inf],
      [-1, 0, -inf],
      [0, 0, nan],
      [1, inf, 0],
      [inf, inf, nan],
    ]);
    checkValues('floor_div', dtype, [
      [7.5, 2, 3],
      [-7.5, 2, -4],
      [7.5, -2, -4],
      [1, 0, inf],
      [-1, 0, -inf],
      [0, 0, nan],
      [1, inf, 0],
      [-1, inf, -1],
      [nan, 1, nan],
      [0, -3, -0],
      [6, 3, 2],
      [-6, 3, -2],
    ]);
    checkValues('trunc_div', dtype, [
      [7.5, 2, 3],
      [-7.5, 2, -3],
      [1, 0, inf],
      [0, 0, nan],
    ]);
    checkValues('remainder', dtype, [
      [7.5, 2, 1.5],
      [-7.5, 2, 0.5],
      [7.5, -2, -0.5],
      [-7.5, -2, -1.5],
      [1, 0, nan],
      [1, inf, 1],
      [-1, inf, inf],
      [1, -inf, -inf],
      [inf, 2, nan],
    ]);
    checkValues('fmod', dtype, [
      [7.5, 2, 1.5],
      [-7.5, 2, -1.5],
      [7.5, -2, 1.5],
      [1, 0, nan],
      [1, inf, 1],
      [inf, 2, nan],
    ]);
  }
  // The rounded quotient is 10, the exact one below it.
  checkValues('floor_div', 'f64', [[1, 0.1, 9]]);
  checkValues('floor_div', 'f16', [
    [7.5, 2, 3],
    [-7.5, 2, -4],
  ]);
});

test('signs, absolute values, roundings', () => {
  checkValues('sign', 'f32', [
    [2.5, 1],
    [-2.5, -1],
    [0, 0],
    [-0, 0],
    [nan, 0],
    [inf, 1],
    [-inf, -1],
  ]);
  checkValues('sign', 'u8', [
    [200, 1],
    [0, 0],
  ]);
  checkValues('sign', 'i64', [
    [-5, -1],
    [0, 0],
    [9, 1],
  ]);
  checkValues('abs', 'f32', [
    [-0, 0],
    [-inf, inf],
    [nan, nan],
  ]);
  checkValues('abs', 'i8', [
    [-128, -128],
    [-5, 5],
  ]);
  checkValues('round', 'f32', [
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-0.5, -0],
    [-1.5, -2],
    [3.499, 3],
    [inf, inf],
    [nan, nan],
  ]);
  checkValues('floor', 'f32', [
    [-0.5, -1],
    [2, 2],
    [-0, -0],
    [inf, inf],
    [nan, nan],
  ]);
  checkValues('ceil', 'f32', [
    [-0.5, -0],
    [0.5, 1],
    [-inf, -inf],
  ]);
  checkValues('trunc', 'f32', [
    [-0.5, -0],
    [1.9, 1],
    [-1.9, -1],
  ]);
  checkValues('round', 'i32', [[7, 7]]);
});

test('extremes of two, relu, logic on bool', () => {
  checkValues('maximum', 'f32', [
    [1, 2, 2],
    [nan, 1, nan],
    [1, nan, nan],
    [-inf, 3, 3],
  ]);
  checkValues('minimum', 'f32', [
    [1, 2, 1],
    [nan, 1, nan],
    [1, nan, nan],
    [inf, 3, 3],
  ]);
  checkValues('maximum', 'bool', [
    [0, 1, 1],
    [0, 0, 0],
  ]);
  checkValues('minimum', 'bool', [
    [0, 1, 0],
    [1, 1, 1],
  ]);
  checkValues('relu', 'f32', [
    [-2, 0],
    [3, 3],
    [nan, nan],
    [-inf, 0],
    [inf, inf],
  ]);
  checkValues('relu', 'i32', [
    [-2, 0],
    [3, 3],
  ]);
  checkValues('add', 'bool', [
    [1, 1, 1],
    [0, 1, 1],
    [0, 0, 0],
  ]);
  checkValues('mul', 'bool', [
    [1, 1, 1],
    [0, 1, 0],
  ]);
  checkValues('logical_xor', 'bool', [
    [1, 1, 0],
    [0, 1, 1],
  ]);
  checkValues('logical_not', 'bool', [
    [1, 0],
    [0, 1],
  ]);
  checkValues('bitwise_not', 'bool', [
    [1, 0],
    [0, 1],
  ]);
});

test('comparisons with NaN are false, but ne', () => {
  for (const op of ['eq', 'lt', 'le', 'gt', 'ge'])
    checkValues(op, 'f32', [
      [nan, 1, 0],
      [1, nan, 0],
      [nan, nan, 0],
    ]);
  checkValues('ne', 'f32', [
    [nan, nan, 1],
    [1, nan, 1],
    [1, 1, 0],
  ]);
  checkValues('isnan', 'f32', [
    [nan, 1],
    [inf, 0],
    [0, 0],
  ]);
  checkValues('lt', 'bool', [
    [0, 1, 1],
    [1, 0, 0],
  ]);
});

test('bits and shifts', () => {
  checkValues('bitwise_not', 'i32', [
    [0, -1],
    [5, -6],
  ]);
  checkValues('bitwise_not', 'u8', [[0, 255]]);
  checkValues('bitwise_and', 'i64', [
    [12, 10, 8],
    [-1, 7, 7],
  ]);
  for (const [dtype, width] of [
    ['i8', 8],
    ['i16', 16],
    ['i32', 32],
    ['i64', 64],
  ] as const) {
    checkValues('bitwise_left_shift', dtype, [
      [3, 2, 12],
      [1, width, 0],
      [1, -1, 0],
    ]);
    checkValues('bitwise_right_shift', dtype, [
      [12, 2, 3],
      [-5, 1, -3],
      [-5, width, -1],
      [5, width, 0],
      [-5, -1, -1],
    ]);
  }
  checkValues('bitwise_left_shift', 'u8', [
    [255, 1, 254],
    [1, 8, 0],
  ]);
  checkValues('bitwise_right_shift', 'u8', [
    [255, 1, 127],
    [255, 8, 0],
  ]);
});

test('powers of integers', () => {
  for (const dtype of ['i32', 'i64'] as const) {
    checkValues('pow', dtype, [
      [2, 10, 1024],
      [-3, 3, -27],
      [-3, 4, 81],
      [0, 0, 1],
      [7, 0, 1],
      [0, 5, 0],
      [2, -1, 0],
      [1, -5, 1],
      [-1, -5, -1],
      [-1, -4, 1],
      [0, -1, 0],
      [-1, 1000001, -1],
    ]);
  }
  checkValues('pow', 'i64', [
    [3, 30, 205891132094649],
    [2, 62, 2 ** 62],
    [2, 64, 0],
  ]);
  checkValues('pow', 'i8', [
    [2, 6, 64],
    [3, 5, -13],
  ]);
  checkValues('pow', 'u8', [
    [2, 7, 128],
    [3, 5, 243],
    [3, 6, 217],
    [255, 255, 255],
  ]);
});

test('casts', () => {
  const cast = (from: DType, to: DType, operand: Plain): Plain => {
    const expression = elementwiseOp('cast').value([argument(0, from)], from, to);
    const [result] = sampled(expression, [from])([operand]);
    return typeof result === 'bigint' ? Number(result) : (result as Plain);
  };
  assert.is(cast('f32', 'i32', -2.7), -2);
  assert.is(cast('f32', 'i32', nan), 0);
  assert.is(cast('f64', 'i32', 1e20), 2 ** 31 - 1);
  assert.is(cast('i32', 'u8', 300), 44);
  assert.is(cast('f32', 'bool', 0.5), 1);
  assert.is(cast('f32', 'bool', nan), 1);
  assert.is(cast('bool', 'f32', 1), 1);
  assert.is(isInt('i8') && cast('i64', 'i8', 128), -128);
});

test('gradients at ties and kinks', () => {
  assert.equal(gradients('maximum', [1, 2, 3], [1, 3, 2]), [
    [0.5, 0, 1],
    [0.5, 1, 0],
  ]);
  assert.equal(gradients('minimum', [1, 2, 3], [1, 3, 2]), [
    [0.5, 1, 0],
    [0.5, 0, 1],
  ]);
  assert.equal(gradients('relu', [0, -1, 1, -0]), [[0, 0, 1, 0]]);
  assert.equal(gradients('abs', [0, -0, -3, 2]).map(unsignedZeros), [[0, 0, -1, 1]]);
  assert.equal(gradients('sign', [0, 2]).map(unsignedZeros), [[0, 0]]);
  assert.equal(gradients('floor', [0.5, 2]).map(unsignedZeros), [[0, 0]]);
});

test('gradients of powers at 0', () => {
  const [byBase, byExponent] = gradients('pow', [0, 0, 0, 0, -2, 3, 3], [2, 1, 0, 0.5, 2, 0, 2]);
  assert.equal(unsignedZeros(byBase as number[]), [0, 1, 0, inf, -4, 0, 6]);
  assert.equal(unsignedZeros(byExponent?.slice(0, 4) as number[]), [0, 0, 0, 0]);
  assert.ok(Number.isNaN(byExponent?.[4]));
  assert.ok(Math.abs((byExponent?.[6] as number) - 9 * Math.log(3)) < 1e-14);
});

test('gradients of roots and logarithms at 0 are infinite, of hypot at the origin 0', () => {
  assert.equal(gradients('sqrt', [0, 4]), [[inf, 0.25]]);
  assert.equal(gradients('log', [0, 2]), [[inf, 0.5]]);
  assert.equal(
    gradients('hypot', [0, 3], [0, 4]).map((list) => list.map((g) => Number(g.toFixed(12)))),
    [
      [0, 0.6],
      [0, 0.8],
    ],
  );
  assert.equal(gradients('remainder', [7.5], [2]), [[1], [-3]]);
  assert.equal(gradients('fmod', [-7.5], [2]), [[1], [3]]);
});

test('the operand of where that is not taken gets exactly 0', () => {
  const func = buildFunction([vectorType(2), vectorType(2)], (b, [x, y]) => {
    const positive = b.elementwise('gt', [x as Value, b.constant(0, 'f64')]);
    return [b.elementwise('where', [positive, x as Value, y as Value])];
  });
  const inputs = [vector([nan, 4]), vector([1, inf]), vector([1, 1])];
  const [, first, second] = evaluate(withDerivatives(func), 'vjp.f', inputs);
  assert.equal(numbersOf(first as HostTensor), [0, 1]);
  assert.equal(numbersOf(second as HostTensor), [1, 0]);
});

test('half floats are computed in f32 and rounded once', () => {
  for (const dtype of ['f16', 'bf16'] as const) {
    const exact = value('exp', 'f32', 1.5) as number;
    const tolerance = dtype === 'f16' ? 2 ** -10 : 2 ** -7;
    assert.ok(Math.abs((value('exp', dtype, 1.5) as number) - exact) <= (exact * tolerance) / 2);
  }
});

test.run();
