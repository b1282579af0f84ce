// Functions that state their derivative: it is used by every derivative, at every depth, wherever the call stands. The stated derivatives
// are wrong on purpose where that shows which one was taken.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { linearity } from '../../../compiler/ops/linearity.js';
import { diagnosticsOf, f32, f64, i64, instanceOf, numbers, programOf, results } from '../../support/program.js';

const near = (actual: readonly (readonly number[])[], expected: readonly (readonly number[])[]): void => {
  assert.is(actual.length, expected.length);
  actual.forEach((values, i) => {
    values.forEach((value, k) => {
      const want = expected[i]?.[k] ?? Number.NaN;
      assert.ok(
        Math.abs(value - want) <= 1e-12 * (1 + Math.abs(want)),
        `result ${i}[${k}]: ${value}, expected ${want}`,
      );
    });
  });
};

const cube = 'fn cube(x: f64[*S]) -> f64[*S] = x * x * x\n  derivative (dx) => 10 * x * x * dx\n';

test('both modes use the stated derivative, the second derivative is that of the stated one', () => {
  const text = `${cube}export fn f(x: f64) -> (f64, f64, f64, f64, f64, f64) = (
  cube(x), grad(cube)(x), jvp(cube, x, 2.0)[1],
  grad(grad(cube))(x), jvp(grad(cube), x)[1], grad(x => jvp(cube, x)[1])(x))`;
  assert.equal(results(text, f64([], [3])), [[27], [90], [180], [60], [60], [60]]);
});

test('third derivatives', () => {
  const text = `${cube}export fn f(x: f64) -> f64 = grad(grad(grad(cube)))(x)`;
  assert.equal(results(text, f64([], [3])), [[20]]);
});

test('the value of the function is `result`, whose own derivative is the stated one', () => {
  const text = `fn e(x: f64) -> f64 = exp(x)
  derivative (dx) => 2 * result * dx
export fn f(x: f64) -> (f64, f64, f64) = (grad(e)(x), grad(grad(e))(x), grad(grad(grad(e)))(x))`;
  near(
    results(text, f64([], [0.5])),
    [2, 4, 8].map((n) => [n * Math.exp(0.5)]),
  );
});

test('a parameter of the name `result` stays a parameter', () => {
  const text = `fn g(result: f64) -> f64 = exp(result)
  derivative (dx) => result * dx
export fn f(x: f64) -> f64 = grad(g)(x)`;
  assert.equal(results(text, f64([], [3])), [[3]]);
});

test('a derivative may call its own function', () => {
  const text = `fn g(x: f64) -> f64 = sin(x)
  derivative (dx) => g(x + 1) * dx
export fn f(x: f64) -> (f64, f64) = (grad(g)(x), grad(grad(g))(x))`;
  near(results(text, f64([], [0.3])), [[Math.sin(1.3)], [Math.sin(2.3)]]);
});

test('several parameters; those that are not differentiated have no part', () => {
  const text = `fn g(x: f64, w: f64) -> f64 = x * w
  derivative (dx, dw) => 2 * w * dx + 3 * x * dw
export fn f(x: f64, w: f64) -> (f64, f64, f64, (f64, f64)) = (
  grad(g)(x, w), grad(g, wrt: w)(x, w), grad(x => g(x, x))(x), grad(g, wrt: [0, 1])(x, w))`;
  assert.equal(results(text, f64([], [5]), f64([], [7])), [[14], [15], [25], [14], [15]]);
});

test('integers, compile-time values and keys have no tangent', () => {
  const text = `fn pick(x: f64[_], at: i64, factor: int, rate: float, k: key) -> f64 = rate * factor * x[at]
  derivative (dx) => 100 * factor * dx[at]
export fn f(x: f64[3], at: i64, k: key) -> f64[3] = grad(pick)(x, at, 4, 0.5, k)`;
  assert.equal(
    instanceOf(text)
      .run('f', [f64([3], [1, 2, 3]), i64([], [1])])
      .map(numbers),
    [[0, 400, 0]],
  );
});

test('results in a tuple, integers among them', () => {
  const text = `fn g(x: f64[n]) -> (f64, i64, f64[n]) = (sum(x), argmax(x), x * x)
  derivative (dx) => (5 * sum(dx), 7 * dx)
export fn f(x: f64[3]) -> (f64[3], f64, i64) {
  let (s, i, _) = g(x)
  (grad(x => { let (s, i, y) = g(x); s + x[i] + sum(y) })(x), s, i)
}`;
  assert.equal(results(text, f64([3], [1, 4, 2])), [[12, 13, 12], [7], [1]]);
});

test('generic functions: dtype, rest of the shape, numbers', () => {
  const text = `fn g[T: number](x: T[*S], scale: T = 2) -> T[*S] = x * scale
  derivative (dx, dscale) => 10 * scale * dx
export fn f(x: f32[2, 2], y: f64[3], i: i64) -> (f32[2, 2], f64[3], f64) = (
  grad(x => sum(g(x)))(x), grad(y => sum(g(y, 3)))(y), grad(y => sum(y) * g(i))(y)[0])`;
  assert.equal(results(text, f32([2, 2], [1, 2, 3, 4]), f64([3], [1, 2, 3]), i64([], [4])), [
    [20, 20, 20, 20],
    [30, 30, 30],
    [8],
  ]);
});

test('records, models and functions as parameters have tangents of their structure', () => {
  const record = `fn g(p: { w: f64, b: f64, n: i64 }, x: f64) -> f64 = p.w * x + p.b
  derivative (dp, dx) => 2 * dp.w * x + 3 * dp.b + 4 * p.w * dx
export fn f(w: f64, x: f64, n: i64) -> (f64, f64) = grad((w, x) => g({ w: w, b: x, n: n }, x), wrt: [0, 1])(w, x)`;
  assert.equal(results(record, f64([], [5]), f64([], [7]), i64([], [1])), [[14], [23]]);
  const model = `model M {
  param w: f32 = ones
  param b: f32 = ones
}
fn g(m: M, x: f32) -> f32 = m.w * x + m.b
  derivative (dm, dx) => 2 * dm.w * x + 3 * dm.b + 4 * m.w * dx
export fn f(m: M, x: f32) -> (f32, f32, f32) {
  let d = grad(g)(m, x)
  (d.w, d.b, grad(g, wrt: x)(m, x))
}`;
  assert.equal(
    instanceOf(model)
      .run('f', [f32([], [5])])
      .map(numbers),
    [[10], [3], [4]],
  );
});

test('the tangent of a function is what it changes by as what it closes over does', () => {
  const text = `fn root(f: fn(f64) -> f64, x0: f64) -> f64 = while abs(f(x)) > 1e-14 from x = x0 { x - f(x) / grad(f)(x) }
  derivative (df, dx0) => -df(result) / grad(f)(result)
fn square_root(a: f64) -> f64 = root(x => x * x - a, 1.0)
export fn f(a: f64) -> (f64, f64, f64, f64) = (
  square_root(a), grad(square_root)(a), grad(grad(square_root))(a), jvp(square_root, a, 2.0)[1])`;
  near(results(text, f64([], [2])), [[2 ** 0.5], [0.5 * 2 ** -0.5], [-0.25 * 2 ** -1.5], [2 ** -0.5]]);
});

test('calls in loops, branches and checkpoints', () => {
  const forms = [
    'sum(fold 0..12 from x { (h, _) => g(h) })',
    'sum((scan xs from x { (h, v) => let n = g(h) + v; (n, n) })[0])',
    'sum(while sum(h) < 5 max 20 from h = x { h + g(h) })',
    'if sum(x) > 0 { sum(g(x)) } else { sum(x) }',
    'sum(checkpoint(g, x)) + sum(fold 0..10 from x { (h, _) => checkpoint(g, h) })',
  ];
  for (const form of forms) {
    const of = (own: string) => `fn g(x: f64[n]) -> f64[n] = ${own}
fn h(x: f64[2], xs: f64[3, 2]) -> f64 = ${form}
export fn f(x: f64[2], xs: f64[3, 2]) -> (f64[2], f64[2], f64[2]) = (
  grad(h)(x, xs), grad(x => sum(grad(h)(x, xs) * xs[0]))(x), jvp(x => grad(h)(x, xs), x, xs[1])[1])`;
    const inputs = [f64([2], [0.3, 0.4]), f64([3, 2], [0.1, 0.2, 0.3, -0.1, 0.5, 0.2])];
    const stated = results(of('tanh(x)\n  derivative (dx) => (1 - result * result) * dx'), ...inputs);
    near(stated, results(of('tanh(x)'), ...inputs));
    const other = results(of('tanh(x)\n  derivative (dx) => 0.5 * dx'), ...inputs);
    assert.not.equal(other[0], stated[0]);
  }
});

test('the derivative may run loops and derivatives of other functions, and name its steps', () => {
  const text = `fn h(x: f64[n]) -> f64[n] = sin(x) * x
fn g(x: f64[n]) -> f64[n] = h(x)
  derivative (dx) => {
    let t = jvp(h, x, dx)[1]
    fold 0..9 from t { (t, _) => 2 * t }
  }
export fn f(x: f64[2]) -> (f64[2], f64[2]) = (grad(x => sum(g(x)))(x), grad(x => 512 * sum(h(x)))(x))`;
  const [own, expected] = results(text, f64([2], [0.3, 0.4]));
  near([own ?? []], [expected ?? []]);
});

test('state that the function writes is written, once', () => {
  const text = `model M {
  buffer n: f32 = zeros
  fn forward(x: f32) -> f32 { n = n + 1; x * x }
    derivative (dx) => 7 * dx
}
export fn f(m: mut M, x: f32) -> (f32, f32) = (grad(x => m(x) + m(x))(x), m.n)`;
  const { run } = instanceOf(text);
  assert.equal(run('f', [f32([], [5])]).map(numbers), [[14], [2]]);
});

test('what a stated derivative says nothing of is refused', () => {
  const method = (body: string) => `model M {
  param w: f32 = ones
  fn forward(x: f32) -> f32 = w * x
    derivative (dx) => w * dx
}
export fn f(m: M, x: f32) -> f32 = ${body}`;
  programOf(method('grad(x => m(x))(x)'));
  const codes = (body: string) => diagnosticsOf(method(body)).map(({ code }) => code);
  assert.equal(codes('grad(m => m(x))(m).w'), ['E0508']);
  assert.equal(codes('jvp(m => m(x), m, { w: x })[1]'), ['E0508']);
  assert.equal(codes('grad(x => grad(x => m(x) * m(x))(x))(x)'), []);
});

test('derivatives that are not linear, or that do not fit, are refused where they are written', () => {
  const of = (derivative: string, params = 'x: f32[3]') =>
    diagnosticsOf(`fn f(${params}) -> f32[3] = x * x\n  derivative ${derivative}`).map(({ code }) => code);
  assert.equal(of('(dx) => 2 * x * dx'), []);
  assert.equal(of('(dx) => if sum(x) > 0 { dx } else { 0 * dx }'), []);
  assert.equal(of('(dx) => where(x > 0, dx, 0.0)'), []);
  assert.equal(of('(dx) => 0.0'), []);
  assert.equal(of('(dx) => if sum(dx) > 0 { dx } else { 2 * dx }'), ['E0506']);
  assert.equal(of('(dx) => fold 0..20 from dx { (t, _) => t * t }'), ['E0506']);
  assert.equal(of('(dx) => fold 0..20 from dx { (t, _) => t + x }'), ['E0506']);
  for (const body of ['maximum(dx, 0.0)', 'dx + 1.0', 'x * dx * dx', 'x * x', 'exp(dx)', 'stop_gradient(dx)'])
    assert.equal(of(`(dx) => ${body}`), ['E0506'], body);
  for (const body of ['sum(dx)', '(dx, dx)', 'cast(dx, f64)']) assert.equal(of(`(dx) => ${body}`), ['E0507'], body);
  assert.equal(of('(dx, dy) => dx'), ['E0507']);
  assert.equal(of('(dx) => dx', 'x: f32[3], y: f32'), ['E0507']);
});

test('derivatives of the library at the edges, as in PyTorch', () => {
  const text = `export fn f(p: f64[4], t: f64[4], x: f64[3]) -> (f64[4], f64[3], f64[3]) = (
  grad(p => binary_cross_entropy(p, t, reduction: "sum"))(p),
  grad(x => sum(softplus(x, beta: 0.5)))(x), grad(x => sum(erfinv(x / 50)))(x))`;
  const slope = (x: number) => (x * 0.5 > 20 ? 1 : 1 / (1 + Math.exp(-0.5 * x)));
  const [entropy, soft, inverse] = results(
    text,
    f64([4], [0, 1, 0.25, 1]),
    f64([4], [1, 0, 0.5, 1]),
    f64([3], [-2, 3, 50]),
  );
  near([entropy ?? [], soft ?? []], [[-1e12, 1e12, -0.25 / 0.1875, 0], [-2, 3, 50].map(slope)]);
  assert.is(inverse?.[2], Number.POSITIVE_INFINITY);
});

test('linearity is told through loops, branches and derivatives', () => {
  const text = `fn g(x: f64[n], v: f64[n]) -> f64[n] = jvp(sin, x, v)[1] + vjp(sin, x, v)[1]
export fn f(x: f64[2], v: f64[2]) -> (f64[2], f64[2], f64[2]) = (
  fold 0..20 from v { (h, i) => x * h },
  if sum(x) > 0 { g(x, v) } else { v },
  x)`;
  const { module } = programOf(text);
  const main = [...module.functions.values()].find(({ name }) => name === 'f');
  assert.ok(main);
  assert.equal(linearity(module.functions, main, [false, true]), { results: ['linear', 'linear', 'free'] });
  const found = linearity(module.functions, main, [true, false]);
  assert.ok('node' in found);
});

test.run();
