// `jacobian`, `hessian` and `hvp`: structures, modes, what they refuse, and PyTorch's values in f64.

import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diagnosticsOf, f32, f64, instanceOf, numbers, programOf, results } from '../../support/program.js';

interface Reference {
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly jacobians: readonly (readonly number[])[];
  readonly hessians: readonly (readonly number[])[];
  readonly products: readonly (readonly number[])[];
}

const reference = JSON.parse(readFileSync('tests/reference/jacobian.json', 'utf8')) as Reference;
const program = readFileSync('tests/reference/jacobian.td', 'utf8');

function assertClose(actual: readonly number[], expected: readonly number[]): void {
  assert.is(actual.length, expected.length);
  actual.forEach((value, i) => {
    const want = expected[i] as number;
    assert.ok(Math.abs(value - want) <= 1e-8 * (1 + Math.abs(want)), `[${i}]: ${value}, expected ${want}`);
  });
}

test('the values of PyTorch, in both modes', () => {
  const instance = instanceOf(program);
  const inputs = [f64([4], reference.x), f64([3, 4], reference.w)];
  const found = instance.run('jacobians', inputs).map(numbers);
  reference.jacobians.forEach((want, i) => {
    for (const mode of [0, 1, 2]) {
      const blocks = found.slice(6 * i + 2 * mode, 6 * i + 2 * mode + 2).flat();
      assertClose(blocks, want);
    }
  });
  const second = instance.run('hessians', inputs).map(numbers);
  reference.hessians.forEach((want, i) => {
    assertClose(second.slice(6 * i, 6 * i + 4).flat(), want);
    assertClose(second.slice(6 * i + 4, 6 * i + 6).flat(), reference.products[i] ?? []);
  });
});

test('a function of the arguments, and its value at inputs', () => {
  const text = `fn g(x: f64[n], w: f64[n]) -> f64[n] = x * x * w
export fn f(x: f64[2], w: f64[2]) -> (f64[2, 2], f64[2, 2], (f64[2, 2], f64[2, 2]), f64[2, 2], (f64[2, 2],)) = (
  jacobian(g)(x, w), jacobian(g, wrt: w)(x, w), jacobian(g, (x, w)), jacobian(x => g(x, w), x), jacobian(g, (x, w), wrt: [1]))`;
  assert.equal(results(text, f64([2], [1, 2]), f64([2], [3, 4])), [
    [6, 0, 0, 16],
    [1, 0, 0, 4],
    [6, 0, 0, 16],
    [1, 0, 0, 4],
    [6, 0, 0, 16],
    [1, 0, 0, 4],
  ]);
});

test('in chunks it is the same, for sizes that chunks do not divide, and so are its derivatives', () => {
  const text = `dim N
fn g(x: f64[n], w: f64[n]) -> f64[n] = tanh(cumsum(x * w, 0)) * x
fn sums(x: f64[n], w: f64[n]) -> f64 = sum(g(x, w))
export fn f(x: f64[N], w: f64[N]) -> (f64[N, N], f64[N, N], f64[N, N], f64[N], f64[2, N, N]) = (
  jacfwd(g, chunk_size: 3)(x, w) - jacfwd(g)(x, w),
  jacrev(g, (x, w), chunk_size: 2)[1] - jacrev(g, (x, w))[1],
  hessian(sums, chunk_size: 2)(x, w) - hessian(sums)(x, w),
  grad(x => sum(jacobian(g, chunk_size: 2)(x, w) ** 2))(x) - grad(x => sum(jacobian(g)(x, w) ** 2))(x),
  vmap(x => jacobian(g, chunk_size: 2)(x, w))(stack([x, 2 * x])) - vmap(x => jacobian(g)(x, w))(stack([x, 2 * x])))`;
  const instance = instanceOf(text);
  for (const size of [0, 1, 4, 5]) {
    const x = Array.from({ length: size }, (_, i) => Math.sin(i + 1));
    const w = x.map((value) => 1 - value);
    for (const difference of instance.run('f', [f64([size], x), f64([size], w)]).map(numbers))
      assertClose(
        difference,
        difference.map(() => 0),
      );
  }
  assert.equal(
    diagnosticsOf('export fn f(x: f64[2]) -> f64[2, 2] = jacobian(tanh, x, chunk_size: 0)').map(
      ({ message }) => message,
    ),
    ['`chunk_size` of jacobian is at least 1, not the int 0'],
  );
});

test('structures: results, then arguments; models and records', () => {
  const text = `model M { param w: f32[2] = ones
  param b: f32 = ones }
fn g(m: M, x: f32[2]) -> { y: f32[2], s: f32 } = { y: m.w * x, s: m.b * sum(x) }
export fn f(m: M, x: f32[2]) -> (f32[2, 2], f32[2], f32[2], f32, f32[2, 2], f32[2, 2]) {
  let j = jacobian(g)(m, x)
  let h = hessian((m, x) => sum(m.w * x * x) * m.b, wrt: [0, 1])(m, x)
  (j.y.w, j.y.b, j.s.w, j.s.b, h[0].w[1], h[1][0].w)
}`;
  assert.equal(
    instanceOf(text)
      .run('f', [f32([2], [3, 5])])
      .map(numbers),
    [[3, 0, 0, 5], [0, 0], [0, 0], [8], [6, 0, 0, 10], [6, 0, 0, 10]],
  );
});

/** Which products the program takes: tangents go forward, cotangents backward. */
const modeOf = (text: string): string => {
  const names = [...programOf(text).module.functions.keys()];
  return names.some((name) => name.startsWith('jvp.')) ? 'forward' : 'reverse';
};

test('the mode that takes fewer products; run-time sizes count as large', () => {
  const of = (x: string, body: string) =>
    modeOf(`dim B\nexport fn f(x: f64[${x}], t: f64[B]) -> any = jacobian(x => ${body}, x)`);
  assert.is(of('3', 'x * x'), 'forward');
  assert.is(of('3', 'concat([x, x])'.replace('concat', 'cat')), 'forward');
  assert.is(of('3', 'x[:2] * x[2]'), 'reverse');
  assert.is(of('B', 'stack([sum(x), sum(x * x), prod(x)])'), 'reverse');
  assert.is(of('3', 'sum(x) * t'), 'forward');
});

test('a loop without a bound is differentiated forward', () => {
  const loop = 'while sum(h) < 100 from h = x { h * h }';
  const text = (call: string) => `export fn f(x: f64[3]) -> f64[3] = ${call}`;
  assert.equal(results(text(`jacobian(x => sum(${loop}), x)`), f64([3], [2, 3, 4])), [[32, 108, 256]]);
  assert.equal(
    diagnosticsOf(text(`jacrev(x => sum(${loop}), x)`)).map(({ code }) => code),
    ['E0505'],
  );
});

test('inside of loops and of derivatives: Newton steps, and their derivative', () => {
  const text = `fn newton[n](f: fn(f64[n]) -> f64, x0: f64[n], steps: int) -> f64[n] =
  fold 0..steps from x0 { (x, _) => x - grad(f)(x) / sum(hessian(f)(x) * eye(n), dim: 1) }
fn best(a: f64) -> f64 = newton(x => sum(cosh(x - a) + 0.1 * x * x), zeros([2], dtype: f64), 12)[0]
export fn f(a: f64) -> (f64, f64) = value_and_grad(best)(a)`;
  const solve = (a: number) => {
    let x = 0;
    for (let i = 0; i < 60; i++) x -= (Math.sinh(x - a) + 0.2 * x) / (Math.cosh(x - a) + 0.2);
    return x;
  };
  const [value, slope] = results(text, f64([], [0.7]));
  assertClose(value ?? [], [solve(0.7)]);
  const x = solve(0.7);
  assertClose(slope ?? [], [Math.cosh(x - 0.7) / (Math.cosh(x - 0.7) + 0.2)]);
});

test('state is written once', () => {
  const text = `model M {
  buffer n: f32 = zeros
  fn forward(x: f32[2]) -> f32[2] { n = n + 1; x * x }
}
export fn f(m: mut M, x: f32[2]) -> (f32[2, 2], f32) = (jacobian(x => m(x), x), m.n)`;
  assert.equal(
    instanceOf(text)
      .run('f', [f32([2], [1, 2])])
      .map(numbers),
    [[2, 0, 0, 4], [1]],
  );
});

test('what has no Jacobian or Hessian is refused', () => {
  const of = (expr: string) =>
    diagnosticsOf(`export fn f(x: f32[3], i: i64[3]) -> any = ${expr}`).map(({ code }) => code);
  assert.equal(of('jacobian(x => x, x)'), []);
  assert.equal(of('jacobian(x => cast(x, i64), x)'), ['E0502']);
  assert.equal(of('jacobian(x => x * 0.5, i)'), ['E0502']);
  assert.equal(of('hessian(x => x, x)'), ['E0501']);
  assert.equal(of('hvp(x => sum(x), x, x[:2])'), ['E0504']);
  assert.equal(of('jacobian(x => x, wrt: y)(x)'), ['E0503']);
  const [scalar] = diagnosticsOf('export fn f(x: f32[3]) -> any = hessian(x => x, x)');
  assert.match(scalar?.message ?? '', /^hessian differentiates a scalar/);
});

test.run();
