// Index expressions: what they read, over which extents, and which nodes they become.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { f32, f64, i64, programOf, results } from '../../support/program.js';

const kinds = (text: string): readonly string[] =>
  [...programOf(text).module.functions.values()].flatMap((func) => func.nodes.map((node) => node.kind));

test('a product of two tensors that is summed is one contraction', () => {
  const text = 'export fn f(x: f32[2, 3], w: f32[4, 3]) -> f32[2, 4] {\n  out[n, o] = sum over k: x[n, k] * w[o, k]\n}';
  assert.equal(kinds(text), ['contract']);
  const x = f32([2, 3], [1, 2, 3, 4, 5, 6]);
  const w = f32([4, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1]);
  assert.equal(results(text, x, w), [[1, 2, 3, 6, 4, 5, 6, 15]]);
});

test('the result may have its indices in any order', () => {
  const text = 'export fn f(x: f32[2, 3]) -> f32[3, 2] {\n  out[j, i] = x[i, j]\n}';
  assert.equal(kinds(text), ['view']);
  assert.equal(results(text, f32([2, 3], [1, 2, 3, 4, 5, 6])), [[1, 4, 2, 5, 3, 6]]);
});

test('an index inside of a sum runs as far as the subscript stays inside', () => {
  const text = 'export fn f(x: f32[5], k: f32[3]) -> f32[3] {\n  out[i] = sum over u: x[i + u] * k[u]\n}';
  assert.equal(results(text, f32([5], [1, 2, 3, 4, 5]), f32([3], [1, 0, -1])), [[-2, -2, -2]]);
});

test('the declared result gives the extent, and elements outside are zero', () => {
  const text = 'export fn f(x: f32[3], k: f32[3]) -> f32[3] {\n  out[i] = sum over u: x[i + u - 1] * k[u]\n}';
  assert.equal(results(text, f32([3], [1, 2, 3]), f32([3], [1, 1, 1])), [[3, 6, 5]]);
});

test('strides, and a default outside', () => {
  const text = 'export fn f(x: f32[4]) -> f32[3] {\n  out[i] = max over u in 0..2: x[2 * i + u - 1] else -inf\n}';
  assert.equal(kinds(text), ['reduce']);
  assert.equal(results(text, f32([4], [-1, -2, -3, -4])), [[-1, -2, -4]]);
});

test('without a default, elements outside count as zero in a maximum too', () => {
  const text = 'export fn f(x: f32[2]) -> f32[2] {\n  out[i in 0..2] = max over u in 0..2: x[i + u]\n}';
  assert.equal(results(text, f32([2], [-1, -2])), [[-1, 0]]);
});

test('a division reads where it is exact', () => {
  const text = 'export fn f(x: f32[3]) -> f32[5] {\n  out[i] = x[i / 2]\n}';
  assert.equal(results(text, f32([3], [1, 2, 3])), [[1, 0, 2, 0, 3]]);
});

test('subscripts look up integers, beside shifted ones', () => {
  const text = 'export fn f(x: f32[2, 3], y: i64[4]) -> f32[4, 3] {\n  out[n, j] = x[y[n], j]\n}';
  assert.equal(results(text, f32([2, 3], [1, 2, 3, 4, 5, 6]), i64([4], [1, 0, 0, 1])), [
    [4, 5, 6, 1, 2, 3, 1, 2, 3, 4, 5, 6],
  ]);
  const shifted = 'export fn f(x: f32[2, 3], y: i64[2]) -> f32[2, 3] {\n  out[n, j] = x[y[n], j - 1]\n}';
  assert.equal(results(shifted, f32([2, 3], [1, 2, 3, 4, 5, 6]), i64([2], [1, 0])), [[0, 4, 5, 0, 1, 2]]);
});

test('reductions stand inside of expressions and nest', () => {
  const text = 'export fn f(x: f32[2, 2]) -> f32[2, 2] {\n  out[i, j] = x[i, j] / sum over k: x[i, k]\n}';
  assert.equal(results(text, f32([2, 2], [1, 3, 1, 1])), [[0.25, 0.75, 0.5, 0.5]]);
  const scalar = 'export fn f(x: f32[3], y: f32[3]) -> f32 = 1 + (sum over i: x[i] * y[i])';
  assert.equal(results(scalar, f32([3], [1, 2, 3]), f32([3], [1, 1, 1])), [[7]]);
});

test('products of three tensors, and factors that do not depend on the sum', () => {
  const text =
    'export fn f(a: f32[2], b: f32[2, 3], c: f32[3], d: f32[2]) -> f32[2] {\n  out[i] = sum over j: 2 * a[i] * b[i, j] * c[j] * d[i]\n}';
  const inputs = [f32([2], [1, 2]), f32([2, 3], [1, 2, 3, 4, 5, 6]), f32([3], [1, 0, 1]), f32([2], [1, -1])];
  assert.equal(results(text, ...inputs), [[8, -40]]);
});

test('conditions select the elements of a reduction', () => {
  const text = 'export fn f(x: f32[3]) -> f32[3] {\n  out[i] = sum over j: x[j] where j <= i\n}';
  assert.equal(results(text, f32([3], [1, 2, 4])), [[1, 3, 7]]);
  const largest = 'export fn f(x: f32[3]) -> f32 = max over j: x[j] where x[j] < 3';
  assert.equal(results(largest, f32([3], [1, 2, 4])), [[2]]);
});

test('index variables are numbers, and functions work on elements', () => {
  const text = 'export fn f(x: f32[3]) -> f32[3] {\n  out[i] = where(i == 1, exp(0 * x[i]), relu(-x[i]))\n}';
  assert.equal(results(text, f32([3], [-2, 5, 3])), [[2, 1, 0]]);
});

test('functions of numbers are evaluated for each element', () => {
  const functions = `fn sq(v: f32) -> f32 = v * v + 1
fn pick(v: f32, w: f32) -> f32 = if v > w { 2 * v } else { w }
fn settle(v: f32, steps: int) -> f32 = fold 0..steps from v { (a, _) => a * 0.5 + 1 }
`;
  const each = `${functions}export fn f(x: f32[3]) -> f32[3] {
  out[i] = sq(x[i]) + x[0]
}`;
  assert.equal(results(each, f32([3], [1, 2, 3])), [[3, 6, 11]]);
  const joint = `${functions}export fn f[n, m](x: f32[n], y: f32[n, m]) -> f32[n] {
  out[i] = sum over j: pick(x[i], y[i, j]) * settle(y[i, j], 2)
}`;
  // pick gives 2, 2 | 3, 4; settle gives y / 4 + 3 / 2.
  assert.equal(results(joint, f32([2], [1, 2]), f32([2, 2], [0, 2, 3, 4])), [[2 * 1.5 + 2 * 2, 3 * 2.25 + 4 * 2.5]]);
  const gradient = `${functions}fn total(x: f32[3]) -> f32 = sum over i: pick(sq(x[i]), 6)
export fn f(x: f32[3]) -> f32[3] = grad(total)(x)`;
  assert.equal(results(gradient, f32([3], [1, 2, 3])), [[0, 0, 12]]);
});

test('a function of one’s own sees one element, not the tensor', () => {
  const text = 'export fn f(x: f32[3]) -> f32[3] {\n  out[i] = softmax(x[i], dim: 0)\n}';
  assert.equal(results(text, f32([3], [1, 2, 3])), [[1, 1, 1]]);
});

test('means, products, positions and truth values', () => {
  assert.equal(results('export fn f(x: f32[4]) -> f32 = mean over i: x[i]', f32([4], [1, 2, 3, 6])), [[3]]);
  assert.equal(results('export fn f(x: f32[3]) -> f32 = prod over i: x[i]', f32([3], [2, 3, 4])), [[24]]);
  assert.equal(results('export fn f(x: f32[3]) -> i64 = argmax over i: x[i]', f32([3], [2, 9, 4])), [[1]]);
  assert.equal(results('export fn f(x: f32[3]) -> bool = any over i: x[i] > 8', f32([3], [2, 9, 4])), [[1]]);
});

test('a mean is that of the elements that its condition selects', () => {
  const text = `fn rows(x: f32[2, 2]) -> f32[2] {
  out[i] = mean over j: x[i, j] where j <= i
}
export fn f(x: f32[2, 2]) -> (f32[2], f32[2, 2], f32) =
  (rows(x), grad(x => sum(rows(x)))(x), mean over i, j: x[i, j] where x[i, j] > 9)`;
  assert.equal(results(text, f32([2, 2], [1, 2, 3, 4])), [[1, 3.5], [1, 0, 0.5, 0.5], [Number.NaN]]);
  const integers = 'export fn f(x: i64[3]) -> f32 = mean over i: x[i] where i > 0';
  assert.equal(results(integers, i64([3], [1, 2, 5])), [[3.5]]);
});

test('logsumexp over indices: windows, conditions, several variables, large elements', () => {
  const text = `fn windows(x: f64[4]) -> f64[4] {
  out[i] = logsumexp over u in 0..3: (x[i + u - 1] else -inf) where u != 2
}
export fn f(x: f64[4]) -> (f64[4], f64[4, 4], f64, f64) =
  (windows(x), jacobian(windows)(x), logsumexp over i, j: x[i] + x[j], logsumexp over k: x[k] where x[k] < 0)`;
  const [values, jacobian, pairs, none] = results(text, f64([4], [1, 2, 3, 1000]));
  const share = 1 / (1 + Math.E);
  const near = (got: readonly number[] | undefined, want: readonly number[]) =>
    assert.ok(
      want.every((x, i) => Math.abs(x - (got?.[i] as number)) < 1e-12 * (1 + Math.abs(x))),
      `${got}`,
    );
  near(values, [1, 2 + Math.log1p(Math.exp(-1)), 3 + Math.log1p(Math.exp(-1)), 1000]);
  near(jacobian, [1, 0, 0, 0, share, 1 - share, 0, 0, 0, share, 1 - share, 0, 0, 0, 0, 1]);
  near(pairs, [2000]);
  assert.equal(none, [Number.NEGATIVE_INFINITY]);
  // Two elements that do not depend on the index of the reduction.
  near(results('export fn f(x: f64) -> f64 = logsumexp over k in 0..2: x', f64([], [0]))[0], [Math.LN2]);
});

test('an extreme under a condition is right for the smallest and the largest integers', () => {
  const text = 'export fn f(x: i64[3]) -> (i64, i64) = (max over i: x[i] where i > 0, min over i: -x[i] where i > 0)';
  const [largest, smallest] = results(text, i64([3], [5, -(2 ** 53), -(2 ** 54)]));
  assert.equal([largest, smallest], [[-(2 ** 53)], [2 ** 53]]);
});

test('diagonals', () => {
  assert.equal(results('export fn f(x: f32[2, 2]) -> f32 = sum over i: x[i, i]', f32([2, 2], [1, 2, 3, 4])), [[5]]);
  const text = 'export fn f(x: f32[2, 2]) -> f32[2] {\n  out[i] = x[i, i]\n}';
  assert.equal(results(text, f32([2, 2], [1, 2, 3, 4])), [[1, 4]]);
});

test('run-time sizes', () => {
  const text = 'dim H\nexport fn f(x: f32[H], k: f32[2]) -> f32[H - 1] {\n  out[i] = sum over u: x[i + u] * k[u]\n}';
  assert.equal(results(text, f32([4], [1, 2, 3, 4]), f32([2], [1, 1])), [[3, 5, 7]]);
});

test('gradients come by themselves', () => {
  const text = `fn conv(x: f32[5], k: f32[2]) -> f32[2] {
  out[i] = sum over u: x[2 * i + u] * k[u]
}
export fn f(x: f32[5], k: f32[2]) -> (f32[5], f32[2]) = grad((x, k) => sum(conv(x, k)), wrt: [0, 1])(x, k)`;
  assert.equal(results(text, f32([5], [1, 2, 3, 4, 5]), f32([2], [10, 20])), [
    [10, 20, 10, 20, 0],
    [4, 6],
  ]);
});

test.run();
