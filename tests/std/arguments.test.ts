// Arguments of the library at the edges of what it takes: shapes that broadcast, dtypes that meet, and constants that have no meaning.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { numbersOf } from '../../compiler/ir/evaluate/tensor.js';
import { diagnosticsOf, f32, f64, instanceOf } from '../support/program.js';
import { evaluate } from './evaluate.js';

test('cosine similarity broadcasts before it takes norms', () => {
  const found = evaluate('cosine_similarity(a, b, dim: -1)', { a: f32([1, 3], [1, 2, 2]), b: f32([2, 1], [3, -1]) });
  const cosine = 5 / Math.sqrt(27);
  for (const [i, value] of numbersOf(found[0]!).entries()) assert.ok(Math.abs(value - [cosine, -cosine][i]!) < 1e-6);
  assert.equal(
    evaluate('cosine_similarity(a, b)', { a: f32([2, 3], [1, 0, 0, 0, 1, 0]), b: f32([3], [1, 0, 0]) }).map(numbersOf),
    [[1, 0]],
  );
});

test('dtypes of results', () => {
  const [powers, product] = evaluate('(logspace(0, 4, 5, base: 2, dtype: i64), xlogy(x, y))', {
    x: f32([2], [0, 1]),
    y: f64([], [1]),
  });
  assert.is(powers?.dtype, 'i64');
  assert.equal(numbersOf(powers!), [1, 2, 4, 8, 16]);
  assert.is(product?.dtype, 'f32');
});

test('what has several steps is rounded once for floats of 16 bits', () => {
  const text = `
fn steps[T: float](x: T[2, 4]) = (layer_norm(x, [4]), log_softmax(x, -1), logsumexp(x, -1), gelu(x), var(x, -1), grad(x => sum(layer_norm(x, [4]) * reshape(cast(arange(end: 8), x.dtype), [2, 4])))(x))
export fn narrow(x: f32[2, 4]) -> any = steps(cast(x, bf16))
export fn wide(x: f32[2, 4]) -> any = steps(cast(cast(x, bf16), f32))
`;
  const x = f32([2, 4], [0.3, -1.2, 2.5, 0.7, 10, 9, 8.5, 11]);
  const instance = instanceOf(text);
  const wide = instance.run('wide', [x]).map(numbersOf);
  for (const [i, result] of instance.run('narrow', [x]).entries()) {
    assert.is(result.dtype, 'bf16');
    for (const [at, value] of numbersOf(result).entries()) {
      const exact = wide[i]![at]!;
      assert.ok(Math.abs(value - exact) <= Math.abs(exact) * 2 ** -8, `result ${i}: ${value} for ${exact}`);
    }
  }
});

test('constants without a meaning are refused', () => {
  const refused: Readonly<Record<string, RegExp>> = {
    'tensor([2]) ** tensor([-1])': /negative power -1/,
    'repeat_interleave(x, tensor([1, -1, 1]), dim: 0)': /repeats is at least 0, not -1/,
    'multinomial(tensor([0.0, 0.0]), 1)': /all weights are 0/,
    'multinomial(tensor([1.0, 0.0, 1.0]), 3)': /fewer than 3 weights/,
    'celu(x, alpha: 0)': /alpha, which is 0/,
    'softshrink(x, lambd: -1.0)': /not negative/,
    'cross_entropy(x, softmax(x, 0), ignore_index: 1)': /no class to ignore/,
    'masked_fill(x, x > 0, x)': /one value, not a tensor of rank 1/,
    'add(tensor([1]), tensor([2]), alpha: 1.5)': /an integer, not 1.5/,
    'index_add(x, 0, tensor([1]), cast(x[:1], f64))': /the source is f64, but the input f32/,
  };
  for (const [call, pattern] of Object.entries(refused)) {
    const [found] = diagnosticsOf(`export fn f(x: f32[3]) -> any = ${call}`);
    assert.match(found?.message ?? 'accepted', pattern, call);
  }
});

test.run();
