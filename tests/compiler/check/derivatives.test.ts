// Derivatives of functions, methods and models, nested and by several arguments.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { f32, f64, instanceOf, numbers, programOf, results } from '../../support/program.js';

const x3 = f64([3], [1, 2, 3]);

test('grad of a lambda, and of a function by the name of a parameter', () => {
  assert.equal(results('export fn f(x: f64[3]) -> f64[3] = grad(x => sum(x * x))(x)', x3), [[2, 4, 6]]);
  const text = `fn loss(w: f64[n], x: f64[n]) -> f64 = sum(w * x * x)
export fn f(w: f64[3], x: f64[3]) -> f64[3] = grad(loss, wrt: x)(w, x)`;
  assert.equal(results(text, f64([3], [1, 1, 2]), x3), [[2, 4, 12]]);
});

test('several arguments, by position, with the value', () => {
  const text = `export fn f(a: f64, b: f64) -> (f64, (f64, f64)) = value_and_grad((a, b) => a * b * b, wrt: [0, 1])(a, b)`;
  assert.equal(results(text, f64([], [3]), f64([], [2])), [[12], [4], [12]]);
});

test('trees of tensors', () => {
  const text = `export fn f(a: f64, b: f64[2]) -> { w: f64, v: f64[2] } = grad(p => p.w * sum(p.v * p.v))({ w: a, v: b })`;
  assert.equal(results(text, f64([], [3]), f64([2], [1, 2])), [[5], [6, 12]]);
});

test('derivatives of derivatives', () => {
  const text = `fn cube(x: f64) -> f64 = x ** 3
export fn f(x: f64) -> (f64, f64, f64) = (grad(cube)(x), grad(grad(cube))(x), grad(x => grad(cube)(x) * x)(x))`;
  assert.equal(results(text, f64([], [2])), [[12], [12], [36]]);
});

test('products with Jacobians, and of a gradient with a vector', () => {
  const text = `fn g(x: f64[3]) -> f64[3] = x * x
export fn f(x: f64[3], v: f64[3]) -> (f64[3], f64[3], f64[3]) = (jvp(g, x, v)[1], vjp(g, x, v)[1], jvp(grad(x => sum(x ** 3)), x, v)[1])`;
  assert.equal(results(text, x3, f64([3], [1, 0, 2])), [
    [2, 0, 12],
    [2, 0, 12],
    [6, 0, 36],
  ]);
});

test('several inputs of jvp and vjp are a tuple', () => {
  const text = `export fn f(a: f64, b: f64) -> (f64, (f64, f64)) = (jvp((a, b) => a * b, (a, b), (1.0, 10.0))[1], vjp((a, b) => a * b, (a, b))[1])`;
  assert.equal(results(text, f64([], [3]), f64([], [2])), [[32], [2, 3].slice(0, 1), [3]]);
});

test('what a function closes over counts as a constant', () => {
  const text = 'export fn f(x: f64[3], y: f64[3]) -> f64[3] = grad(x => sum(x * y))(x)';
  assert.equal(results(text, x3, f64([3], [5, 6, 7])), [[5, 6, 7]]);
});

test('constants for derivatives', () => {
  assert.equal(results('export fn f(x: f64[3]) -> f64[3] = grad(x => sum(stop_gradient(x) * x))(x)', x3), [[1, 2, 3]]);
  const block = 'export fn f(x: f64[3]) -> f64[3] = grad(x => { let s = no_grad { x * 3 }; sum(s * x) })(x)';
  assert.equal(results(block, x3), [[3, 6, 9]]);
  const assigned =
    'export fn f(x: f64[3]) -> f64[3] = grad(x => { let s = x\n no_grad { s = s * 3 }\n sum(s * x) })(x)';
  assert.equal(results(assigned, x3), [[3, 6, 9]]);
});

test('a model is differentiated by its parameters, shared ones once', () => {
  const text = `model Scale {
  param w: f32 = 2.0
  fn forward(x: f32[n]) -> f32[n] = w * x
}
model Net {
  first: Scale
  again: tied(first.w)
  param b: f32 = 1.0
  fn forward(x: f32[_]) -> f32 = sum(first(first(x)) + again * b)
}
export fn f(net: Net, x: f32[2]) -> (f32, { first: { w: f32 }, b: f32 }) = value_and_grad((m, x) => m(x), wrt: m)(net, x)`;
  const program = programOf(text);
  assert.equal(
    program.state.map(({ path }) => path),
    ['net.first.w', 'net.b'],
  );
  // 2 elements: sum of w²x + w·b over x = (1, 2)
  assert.equal(
    instanceOf(text)
      .run('f', [f32([2], [1, 2])])
      .map(numbers),
    [[4 * 3 + 2 * 2], [2 * 2 * 3 + 2], [2 * 2]],
  );
});

test('methods have derivatives', () => {
  const text = `model M {
  param w: f32[2] = 3.0
  fn energy(x: f32[2]) -> f32 = sum(w * x * x)
  fn force(x: f32[2]) -> f32[2] = -grad(energy)(x)
}
export fn f(m: M, x: f32[2]) -> f32[2] = m.force(x)`;
  assert.equal(
    instanceOf(text)
      .run('f', [f32([2], [1, 2])])
      .map(numbers),
    [[-6, -12]],
  );
});

test('state that a differentiated function writes comes out of the derivative', () => {
  const text = `model Counter {
  param w: f32 = 3.0
  buffer calls: i64 = 0
  fn forward(x: f32) -> f32 {
    calls += 1
    w * x
  }
}
export fn f(m: mut Counter, x: f32) -> (f32, i64) {
  let g = grad((m, x) => m(m(x)), wrt: m)(m, x)
  (g.w, m.calls)
}`;
  const instance = instanceOf(text);
  assert.equal(instance.run('f', [f32([], [2])]).map(numbers), [[12], [2]]);
  assert.equal(instance.run('f', [f32([], [2])]).map(numbers), [[12], [4]]);
});

test.run();
