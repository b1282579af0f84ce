// `vmap`: over any argument and axis, nested with derivatives, over loops and branches that the sets decide, with draws; and what it refuses.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diagnosticsOf, f32, f64, i64, instanceOf, numbers, results } from '../../support/program.js';

const x23 = f64([2, 3], [1, 2, 3, 4, 5, 6]);
const near = (actual: readonly number[] | undefined, expected: readonly number[]): void => {
  assert.is(actual?.length, expected.length);
  for (const [i, value] of (actual ?? []).entries())
    assert.ok(Math.abs(value - (expected[i] ?? 0)) < 1e-12, `${actual} is not ${expected}`);
};

test('axes of arguments and results', () => {
  const text = `export fn f(x: f64[2, 3], w: f64[3], v: f64[2]) -> (f64[2], f64[3], f64[3, 2], f64[2, 3], f64[2]) = (
  vmap((x, w) => sum(x * w), in_dims: (0, none))(x, w),
  vmap((x, v) => sum(x * v), in_dims: (-1, none))(x, v),
  vmap(x => 2 * x, out_dims: 1)(x),
  vmap(vmap(x => -x), in_dims: 1, out_dims: -1)(x),
  vmap((x, s) => sum(x) * s)(x, 10))`;
  assert.equal(results(text, x23, f64([3], [1, 0, 2]), f64([2], [1, 10])), [
    [7, 16],
    [41, 52, 63],
    [2, 8, 4, 10, 6, 12],
    [-1, -2, -3, -4, -5, -6],
    [60, 150],
  ]);
});

test('records, tuples and lists, of arguments and of results', () => {
  const text = `fn g(p: { w: f64[n], b: f64 }, xs: [f64[n]]) -> { y: f64, all: (f64[n], f64) } =
  { y: sum(p.w * xs[0]) + p.b, all: (p.w * xs[1], p.b) }
export fn f(w: f64[3, 2], b: f64, x: f64[2, 3]) -> { y: f64[2], all: (f64[2, 3], f64[2]) } =
  vmap(g, in_dims: ({ w: 1, b: none }, 0))({ w: w, b: b }, [x, 2 * x])`;
  assert.equal(results(text, f64([3, 2], [1, 2, 1, 0, 1, 1]), f64([], [5]), x23), [
    [11, 19],
    [2, 4, 6, 16, 0, 12],
    [5, 5],
  ]);
});

test('gradients for each example, of a model too; the gradient of a function for many', () => {
  const text = `model M { param w: f32[2] = ones }
fn loss(m: M, x: f32[2], y: f32) -> f32 = (sum(m.w * x) - y) ** 2
export fn f(m: M, x: f32[3, 2], y: f32[3]) -> (f32[3, 2], f32[2], f32[3, 2]) = (
  vmap((x, y) => grad(loss)(m, x, y).w)(x, y),
  grad(m => sum(vmap(loss, in_dims: (none, 0, 0))(m, x, y)))(m).w,
  grad(x => sum(vmap((x, y) => loss(m, x, y))(x, y)))(x))`;
  const run = instanceOf(text)
    .run('f', [f32([3, 2], [1, 2, 3, 4, 5, 6]), f32([3], [1, 1, 1])])
    .map(numbers);
  assert.equal(run, [
    [4, 8, 36, 48, 100, 120],
    [140, 176],
    [4, 4, 12, 12, 20, 20],
  ]);
});

test('nesting: vmap of a Hessian, Hessian of a vmap, jvp of a vmap', () => {
  const text = `export fn f(x: f64[2, 3]) -> (f64[2, 3, 3], f64[2, 3, 2, 3], f64[2]) = (
  vmap(hessian(x => sum(x ** 3)))(x),
  hessian(x => sum(vmap(x => sum(x ** 3))(x)))(x),
  jvp(vmap(x => sum(x ** 2)), x, x)[1])`;
  const [each, all, tangent] = results(text, x23);
  const at = (i: number, j: number) => (i === j ? 6 * (i + 1) : 0);
  const six = [0, 1, 2, 3, 4, 5];
  assert.equal(
    each,
    [0, 3].flatMap((set) => [0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => at(set + i, set + j)))),
  );
  assert.equal(
    all,
    six.flatMap((i) => six.map((j) => at(i, j))),
  );
  assert.equal(tangent, [28, 154]);
});

const perSet = (body: string, x: readonly number[], shape: readonly number[] = [x.length]) => {
  const text = (call: string) =>
    `fn g(x: f64) -> f64 {\n  ${body}\n}\nexport fn f(x: f64[${shape}]) -> (f64[${shape}], f64[${shape}]) = ${call}`;
  const together = results(text('(vmap(g)(x), vmap(grad(g))(x))'), f64(shape, x));
  const alone = results(
    text(`(stack([g(x[i]) for i in 0..${x.length}]), stack([grad(g)(x[i]) for i in 0..${x.length}]))`),
    f64(shape, x),
  );
  for (const [i, values] of together.entries()) near(values, alone[i] ?? []);
  return together;
};

test('sets take branches of their own', () => {
  const [values] = perSet('if x > 0 { sqrt(x) } else { x * x }', [4, -3, 9, -1]);
  assert.equal(values, [2, 9, 3, 1]);
});

test('sets make trips of their own', () => {
  const [values] = perSet('while x < 100 max 20 from x = x { x * x }', [2, 3, 200, 1.5, 10]);
  assert.equal(values?.slice(0, 3), [256, 6561, 200]);
  perSet('let (_, n) = while x < 100 max 20 from (x, n) = (x, 0.0) { (x * x, n + x) }\n  n', [2, 3, 200, 1.5, 10]);
  perSet('fold 0..12 from x { (h, i) => if h > 1 { h * 0.5 } else { h + x } }', [2, 0.3, -1, 5]);
  perSet('let (ys, _) = scan 0..12 from x { (h, i) => let n = sin(h) + x; (n, n * h) }\n  sum(ys)', [2, 0.3, -1, 5]);
  perSet('checkpoint(y => fold 0..10 from y { (h, _) => sin(h) * y }, x)', [2, 0.3, -1, 5]);
});

test('a while loop that no set needs makes no trip, and a bound that one set reaches is an error', () => {
  const text = `export fn f(x: f64[3]) -> f64[3] = vmap(x => while x < 100 max 4 from x = x { 2 * x })(x)`;
  assert.equal(results(text, f64([3], [100, 200, 300])), [[100, 200, 300]]);
  assert.equal(results(text, f64([3], [100, 10, 50])), [[100, 160, 100]]);
  assert.throws(() => results(text, f64([3], [100, 1, 300])), /while x < 100/);
});

test('gathers with the indices of each set, and run-time numbers of sets', () => {
  const text = `export fn f(x: f64[B, n], i: i64[B, 2], t: f64[n]) -> (f64[B, 2], f64[B, 2], f64[B, n]) = (
  vmap((x, i) => x[i])(x, i),
  vmap(i => t[i])(i),
  vmap((x, i) => index_put(x, [i], tensor([10.0, 20.0], dtype: f64), accumulate: true))(x, i))`;
  assert.equal(results(text, x23, i64([2, 2], [0, 2, 1, 1]), f64([3], [7, 8, 9])), [
    [1, 3, 5, 5],
    [7, 9, 8, 8],
    [11, 2, 23, 4, 35, 6],
  ]);
});

test('draws: different for each set, the same for all, from a key of each', () => {
  const text = `export fn f(k: key, x: f64[3]) -> (f32[3, 4], f32[3, 4], f32[3, 4], i32[3, 4], i32[4]) {
  let keys = vmap(i => fold_in(k, i))(arange(3))
  (vmap(x => rand([4]))(x), vmap(x => rand([4]))(x), vmap(x => rand([4]), randomness: "same")(x),
   vmap(k => random_bits([4], key: k))(keys), random_bits([4], key: fold_in(k, 1)))
}`;
  const [different, again, same, keyed, one] = instanceOf(text)
    .run('f', [f64([3], [0, 0, 0])])
    .map(numbers) as [number[], number[], number[], number[], number[]];
  assert.is(new Set(different).size, 12);
  assert.is(new Set([...different, ...again]).size, 24);
  assert.is(new Set(same).size, 4);
  assert.equal(same.slice(0, 4), same.slice(8));
  assert.equal(keyed.slice(4, 8), one);
});

test('dropout differs for each set, and a recomputed draw is the same', () => {
  const text = `import std.nn { Dropout }
model M { drop: Dropout(0.5) }
export fn f(m: mut M, x: f32[4, 64]) -> (f32[4, 64], f32[4, 64]) {
  let (y, g) = vjp(vmap(x => m.drop(x)), x, ones([4, 64]))
  (y, g)
}`;
  const [y, g] = instanceOf(text)
    .run('f', [
      f32(
        [4, 64],
        Array.from({ length: 256 }, () => 1),
      ),
    ])
    .map(numbers) as [number[], number[]];
  assert.equal(y, g);
  const rows = [0, 1, 2, 3].map((row) => y.slice(64 * row, 64 * row + 64).join());
  assert.is(new Set(rows).size, 4);
});

test('constants, arguments by name, and functions among the arguments', () => {
  const text = `fn g(h: fn(f64) -> f64, x: f64, s: f64) -> (f64, f64) = (h(x) * s, 3.0)
export fn f(x: f64[2], a: f64) -> (f64[2], f64[2]) = vmap(g, in_dims: (none, 0, none))(y => y * a, x, s: 2)`;
  assert.equal(results(text, f64([2], [1, 2]), f64([], [5])), [
    [10, 20],
    [3, 3],
  ]);
});

test('what cannot be done for many sets is refused', () => {
  const of = (expr: string, extra = '') =>
    diagnosticsOf(`${extra}\nexport fn f(x: f32[4, 3], y: f32[3]) -> any = ${expr}`).map(({ code }) => code);
  assert.equal(of('vmap(x => x)(x)'), []);
  for (const expr of [
    'vmap((x, y) => x * y)(x, y)',
    'vmap(x => x, in_dims: 2)(x)',
    'vmap(x => x, in_dims: none)(x)',
    'vmap(x => x, in_dims: (0, 0))(x)',
    'vmap(x => x, in_dims: ((0, 0),))(x)',
    'vmap(x => x, out_dims: 2)(x)',
    'vmap(x => x, out_dims: none)(x)',
    'vmap(x => 2.0)(3.0)',
    'vmap(x => sum(x))(y[0])',
  ])
    assert.equal(of(expr), ['E0509'], expr);
  assert.equal(of('vmap(x => rand([2]), randomness: "error")(x)'), ['E0510']);
  assert.equal(of('vmap(x => x, randomness: "other")(x)'), ['E0301']);
});

test('what a set does not take has no derivative, where it would be NaN too', () => {
  const branch = `
fn f(v: f32) -> f32 = if v > 0 { sqrt(v) } else { 2.0 * v }
export fn g(x: f32[3]) -> f32[3] = grad(x => sum(vmap(f)(x)))(x)
`;
  assert.equal(numbers(instanceOf(branch).run('g', [f32([3], [-0.25, 0, 4])])[0]!), [2, 2, 0.25]);
  const loop = `
fn f(v: f32) -> f32 = while v > 0 max 4 from v = v { sqrt(v) - 1 }
export fn g(x: f32[2]) -> f32[2] = grad(x => sum(vmap(f)(x)))(x)
export fn h(x: f32[2]) -> f32[2] = vmap(grad(f))(x)
`;
  const x = f32([2], [0.25, 16]);
  assert.equal(instanceOf(loop).run('g', [x]).map(numbers), instanceOf(loop).run('h', [x]).map(numbers));
  assert.is(numbers(instanceOf(loop).run('g', [x])[0]!)[0], 1);
});

test.run();
