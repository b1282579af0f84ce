// Selections of the host whose size depends on the data, with PyTorch's results.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bincount, maskedSelect, nonzero, nonzeroTuple, Tensor, unique } from '../../runtime/index.js';

const x = Tensor.from([
  [3, 0, 1],
  [0, 3, 2],
]);

test('maskedSelect keeps the dtype, and broadcasts both ways', () => {
  const mask = Tensor.from([true, false, true]);
  const chosen = maskedSelect(x, mask);
  assert.is(chosen.dtype, 'i64');
  assert.equal(chosen.toArray(), [3, 1, 0, 2]);
  const column = Tensor.from([[1.5], [2.5]]);
  assert.equal(maskedSelect(column, mask).toArray(), [1.5, 1.5, 2.5, 2.5]);
  assert.equal(maskedSelect(x, Tensor.zeros([2, 3], { dtype: 'bool' })).shape, [0]);
  assert.throws(() => maskedSelect(x, x), /a mask of bools, not i64\[2, 3\]/);
  assert.throws(() => maskedSelect(x, Tensor.from([true, false])), /do not broadcast: 3 against 2/);
});

test('nonzero gives positions in row-major order', () => {
  assert.equal(nonzero(x).toArray(), [
    [0, 0],
    [0, 2],
    [1, 1],
    [1, 2],
  ]);
  assert.equal(
    nonzeroTuple(x).map((axis) => axis.toArray()),
    [
      [0, 0, 1, 1],
      [0, 2, 1, 2],
    ],
  );
  assert.equal(nonzero(Tensor.from(5)).shape, [1, 0]);
  assert.equal(nonzero(Tensor.zeros([2, 0])).shape, [0, 2]);
  assert.equal(nonzero(Tensor.from([0, Number.NaN, -0])).toArray(), [[1]]);
});

test('unique sorts, tells where and how often', () => {
  const { output, inverse, counts } = unique(x);
  assert.equal(output.toArray(), [0, 1, 2, 3]);
  assert.equal(inverse.toArray(), [
    [3, 0, 1],
    [0, 3, 2],
  ]);
  assert.equal(counts.toArray(), [2, 1, 1, 2]);
  const odd = unique(Tensor.from([Number.NaN, 1, Number.NaN, 0, -0], { dtype: 'f64' }));
  assert.equal(odd.output.toArray(), [0, 1, Number.NaN, Number.NaN]);
  assert.equal(odd.counts.toArray(), [2, 1, 1, 1]);
  const big = new Tensor('i64', [2], BigInt64Array.of(2n ** 60n, 2n ** 60n + 1n));
  assert.is(unique(big).output.size, 2);
  assert.equal(unique(Tensor.zeros([0])).output.shape, [0]);
});

test('bincount counts, or sums weights', () => {
  assert.equal(bincount(Tensor.from([1, 1, 3])).toArray(), [0, 2, 0, 1]);
  assert.equal(bincount(Tensor.from([1]), { minlength: 4 }).toArray(), [0, 1, 0, 0]);
  const weighed = bincount(Tensor.from([0, 2, 2]), { weights: Tensor.from([0.5, 1, 2]) });
  assert.is(weighed.dtype, 'f32');
  assert.equal(weighed.toArray(), [0.5, 0, 3]);
  assert.equal(bincount(Tensor.zeros([0], { dtype: 'i64' })).shape, [0]);
  assert.throws(() => bincount(Tensor.from([-1])), /not negative, not -1/);
  assert.throws(() => bincount(Tensor.from([0.5])), /a vector of integers, not f32\[1\]/);
  assert.throws(() => bincount(Tensor.from([1, 2]), { weights: Tensor.from([1]) }), /a weight for each of 2 integers/);
});

test.run();
