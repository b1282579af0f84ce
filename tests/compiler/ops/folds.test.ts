// The conventions of reductions and running folds at edges: which of equal elements an index tells, NaN, nothing to fold, and gradients at zeros and ties.
// They are PyTorch's where the documentation of the records says so.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dimConst } from '../../../compiler/ir/dims.js';
import type { DType } from '../../../compiler/ir/dtype.js';
import { type HostTensor, hostTensor, numbersOf } from '../../../compiler/ir/evaluate/tensor.js';
import type { Value } from '../../../compiler/ir/graph.js';
import {
  buildFunction,
  evaluate,
  moduleOf,
  unsignedZeros,
  vector,
  vectorType,
  withDerivatives,
} from '../../support/calculus.js';

const inf = Number.POSITIVE_INFINITY;
const nan = Number.NaN;

/** A reduction of a matrix over its second dimension: all results, and the gradient of the sum of the first one. */
function reduced(op: string, rows: readonly (readonly number[])[], dtype: DType = 'f64') {
  const shape = [rows.length, rows[0]?.length ?? 0];
  const func = buildFunction([{ dtype, shape: shape.map(dimConst) }], (b, [x]) => b.reduce(op, x as Value, [1]));
  return evaluate(moduleOf(func), 'f', [hostTensor(dtype, shape, rows.flat())]).map(numbersOf);
}

function reducedGradient(op: string, rows: readonly (readonly number[])[]): number[] {
  const shape = [rows.length, rows[0]?.length ?? 0];
  const func = buildFunction([{ dtype: 'f64', shape: shape.map(dimConst) }], (b, [x]) => [
    b.reduce(op, x as Value, [1])[0] as Value,
  ]);
  const module = withDerivatives(func);
  const ones = vector(rows.map(() => 1));
  return numbersOf(evaluate(module, 'vjp.f', [hostTensor('f64', shape, rows.flat()), ones])[1] as HostTensor);
}

test('reductions: first index of equal elements, NaN beyond every number', () => {
  const rows = [
    [1, 3, 3],
    [2, 2, 2],
    [5, nan, nan],
    [-inf, -inf, -inf],
  ];
  assert.equal(reduced('max', rows), [[3, 2, nan, -inf]]);
  assert.equal(reduced('argmax', rows), [[1, 0, 1, 0]]);
  assert.equal(reduced('max_with_index', rows), [
    [3, 2, nan, -inf],
    [1, 0, 1, 0],
  ]);
  const low = [
    [3, 1, 1],
    [2, 2, 2],
    [5, nan, nan],
    [inf, inf, inf],
  ];
  assert.equal(reduced('min', low), [[1, 2, nan, inf]]);
  assert.equal(reduced('argmin', low), [[1, 0, 1, 0]]);
  assert.equal(reduced('min_with_index', low), [
    [1, 2, nan, inf],
    [1, 0, 1, 0],
  ]);
  assert.equal(
    reduced(
      'argmax',
      [
        [-128, -128],
        [1, 2],
      ],
      'i8',
    ),
    [[0, 1]],
  );
});

test('reductions of nothing and of truth values', () => {
  assert.equal(reduced('sum', [[]]), [[0]]);
  assert.equal(reduced('prod', [[]]), [[1]]);
  assert.equal(reduced('any', [[]], 'bool'), [[0]]);
  assert.equal(reduced('all', [[]], 'bool'), [[1]]);
  assert.throws(() => reduced('max', [[]]));
  assert.equal(
    reduced(
      'any',
      [
        [0, 1],
        [0, 0],
      ],
      'bool',
    ),
    [[1, 0]],
  );
  assert.equal(
    reduced(
      'all',
      [
        [0, 1],
        [1, 1],
      ],
      'bool',
    ),
    [[0, 1]],
  );
  assert.equal(
    reduced(
      'max',
      [
        [0, 1],
        [0, 0],
      ],
      'bool',
    ),
    [[1, 0]],
  );
});

test('gradients of extremes: shared among ties, or all at the index', () => {
  assert.equal(
    reducedGradient('max', [
      [1, 3, 3],
      [2, 2, 2],
      [1, 0, 0],
    ]).map((g) => g * 6),
    [0, 3, 3, 2, 2, 2, 6, 0, 0],
  );
  assert.equal(reducedGradient('min', [[1, 1, 2]]), [0.5, 0.5, 0]);
  assert.equal(
    reducedGradient('max_with_index', [
      [1, 3, 3],
      [2, 2, 2],
    ]),
    [0, 1, 0, 1, 0, 0],
  );
  assert.equal(
    reducedGradient('prod', [
      [2, 0, 3],
      [0, 0, 3],
      [2, 4, 3],
    ]),
    [0, 6, 0, 0, 0, 0, 12, 6, 8],
  );
});

test('the second derivative of prod is right where two elements are 0', () => {
  const func = buildFunction([vectorType(3)], (b, [x]) => b.reduce('prod', x as Value, [0]));
  const module = withDerivatives(func, 2);
  // The Hessian of x·y·z at (0, 0, 3), along (1, 0, 0).
  const inputs = [vector([0, 0, 3]), hostTensor('f64', [], [1]), vector([1, 0, 0]), hostTensor('f64', [], [0])];
  const results = evaluate(module, 'jvp.vjp.f', inputs);
  assert.equal(unsignedZeros(numbersOf(results.at(-1) as HostTensor)), [0, 3, 0]);
});

/** A running operation along a vector. */
function running(op: string, data: readonly number[], reverse = false): number[][] {
  const func = buildFunction([vectorType(data.length)], (b, [x]) =>
    b.add({ kind: 'order', op, dim: 0, reverse, inputs: [x as Value] }),
  );
  return evaluate(moduleOf(func), 'f', [vector(data)]).map(numbersOf);
}

function runningGradient(op: string, data: readonly number[], cotangent: readonly number[]): number[] {
  const func = buildFunction([vectorType(data.length)], (b, [x]) => [
    b.add({ kind: 'order', op, dim: 0, reverse: false, inputs: [x as Value] })[0] as Value,
  ]);
  return numbersOf(evaluate(withDerivatives(func), 'vjp.f', [vector(data), vector(cotangent)])[1] as HostTensor);
}

test('running folds: last index of equal elements, NaN stays', () => {
  assert.equal(running('cumsum', [1, 2, 3]), [[1, 3, 6]]);
  assert.equal(running('cumsum', [1, 2, 3], true), [[6, 5, 3]]);
  assert.equal(running('cumprod', [2, 0, 3]), [[2, 0, 0]]);
  assert.equal(running('cummax', [1, 3, 2, 3, nan, 9]), [
    [1, 3, 3, 3, nan, nan],
    [0, 1, 1, 3, 4, 4],
  ]);
  assert.equal(running('cummin', [3, 1, 2, 1]), [
    [3, 1, 1, 1],
    [0, 1, 1, 3],
  ]);
});

test('gradients of running folds at zeros and ties', () => {
  assert.equal(runningGradient('cumprod', [2, 0, 3, 5], [1, 1, 1, 1]), [1, 2 + 6 + 30, 0, 0]);
  assert.equal(runningGradient('cumprod', [2, 0, 3, 0, 5], [1, 1, 1, 1, 1]), [1, 8, 0, 0, 0]);
  assert.equal(runningGradient('cummax', [1, 3, 2, 3], [1, 1, 1, 1]), [1, 2, 0, 1]);
  assert.equal(runningGradient('cumsum', [1, 2, 3], [1, 10, 100]), [111, 110, 100]);
});

test('sums of half floats are of f32', () => {
  // In f16 itself a sum of ones would stop at 2048.
  assert.equal(reduced('sum', [Array(3000).fill(1)], 'f16'), [[3000]]);
});

test.run();
