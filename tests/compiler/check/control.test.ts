// Loops and branches on run-time values in the language: what they compute, their derivatives, state and draws inside of them, errors.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { reasonText, relationText } from '../../../compiler/constraints.js';
import { isControl, isLoop } from '../../../compiler/ir/control.js';
import { verifyProgram } from '../../../compiler/ir/verify-program.js';
import { replayPasses } from '../../../compiler/pipeline.js';
import { diagnosticsOf, f32, f64, instanceOf, numbers, programOf, results } from '../../support/program.js';

const codes = (text: string) => diagnosticsOf(text).map(({ code }) => code);

/** The loops and branches of all functions of a program. */
const controlOf = (text: string) => {
  const program = programOf(text);
  verifyProgram(program, { stage: 'elaborated' });
  return [...program.module.functions.values()].flatMap(({ nodes }) => nodes.filter(isControl));
};

function near(got: readonly number[] | undefined, want: readonly number[], tolerance = 1e-6): void {
  assert.is(got?.length, want.length);
  want.forEach((x, i) => {
    const y = got?.[i] as number;
    assert.ok(Math.abs(x - y) <= tolerance * (1 + Math.abs(x)), `${i}: ${y}, not ${x}`);
  });
}

const doubling = `fn norm2(x: f64[n]) -> f64 = sqrt(sum(x * x))
fn doubling(a: f64[n]) -> f64[n] {
  let b = while norm2(b) < 1000 max 64 from b = 2 * a { 2 * b }
  if sum(b) > 0 { b } else { 100 * b }
}
dim n
`;

test('a loop that ends on data has the gradient d / a', () => {
  const text = `${doubling}export fn f(a: f64[n]) -> (f64[n], f64[n]) {
  (doubling(a), grad(x => sum(doubling(x)))(a))
}`;
  for (const a of [3, -0.4]) {
    const [d, gradient] = results(text, f64([1], [a]));
    near(gradient, [(d?.[0] as number) / a], 1e-12);
  }
  assert.throws(() => results(text, f64([1], [0])), /64 trips, its limit/);
});

test('the bound of a loop is not negative', () => {
  const text = (bound: string) =>
    `export fn f(x: f64, n: dim) -> f64 = grad(x => while y < 9 max ${bound} from y = x { 2 * y })(x)`;
  assert.equal(codes(text('-1')), ['E0324']);
  assert.equal(codes(text('0')), []);
  assert.match(
    programOf(text('n - 5'))
      .entries[0]?.constraints.map((constraint) => `${reasonText(constraint)}: ${relationText(constraint)}`)
      .join() ?? '',
    /the bound of `while` is not negative \(.*:1:\d+\): n - 5 ≥ 0/,
  );
});

const elman = `import std.nn { Linear }
dim B, T
model Elman(inputs: int, hidden: int) {
  from_input: Linear(inputs, hidden)
  from_state: Linear(hidden, hidden, bias: false)
  fn forward(xs: f32[T, B, inputs], h0: f32[B, hidden]) -> (f32[T, B, hidden], f32[B, hidden]) =
    scan xs from h0 { (h, x) => let h = tanh(from_input(x) + from_state(h)); (h, h) }
}
fn loss(net: Elman(2, 3), xs: f32[T, B, 2]) -> f32 = sum(net(xs, zeros([B, 3]))[0] ** 2)
export fn step(net: mut Elman(2, 3), xs: f32[T, B, 2]) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, xs)
  map (p, d) over (net, g) { p = p - 0.1 * d }
  l
}
`;

test('a recurrent layer over a run-time length trains as the unrolled one does', () => {
  const xs = f32(
    [4, 2, 2],
    Array.from({ length: 16 }, (_, i) => Math.sin(i)),
  );
  const running = instanceOf(elman);
  assert.ok(controlOf(elman).some(isLoop));
  const unrolled = instanceOf(elman, { dims: { T: 4 } });
  assert.not.ok([...unrolled.program.module.functions.values()].some(({ nodes }) => nodes.some(isControl)));
  for (let trip = 0; trip < 4; trip++) {
    near(running.run('step', [xs]).map(numbers)[0], unrolled.run('step', [xs]).map(numbers)[0] as number[], 1e-5);
  }
});

test('derivatives stand inside of loops, and loops inside of derivatives', () => {
  const text = `dim T
fn newton(f: fn(f64) -> f64, x0: f64, ts: f64[T]) -> f64 = fold ts from x0 { (x, _) => x - f(x) / grad(f)(x) }
fn root(a: f64, ts: f64[T]) -> f64 = newton(x => x * x - a, 1 + a, ts)
export fn f(a: f64, ts: f64[T]) -> (f64, f64, f64) {
  let first = b => grad(c => root(c, ts))(b)
  (root(a, ts), first(a), grad(first)(a))
}`;
  const [x, first, second] = results(text, f64([], [2]), f64([12], Array(12).fill(0)));
  near(x, [Math.SQRT2], 1e-12);
  near(first, [0.5 / Math.SQRT2], 1e-12);
  near(second, [-0.25 * 2 ** -1.5], 1e-12);
});

test('loops go over ranges, tuples of tensors and known lengths', () => {
  const text = `dim T, n
export fn f(x: f64[n], ys: f64[T, n], zs: f64[T]) -> (f64[n], f64[n], f64[T], f64) {
  let a = fold 2..T from x { (h, i) => h + i }
  let (_, b) = scan (ys, zs) from x { (h, (y, z)) => (h + y * z, sum(y)) }
  let (c, _) = scan zs from 0.0 { (s, z) => (s + z, s) }
  let weights = [1.0, 2.0, 3.0]
  let d = fold 0..3 from 0.0 { (s, i) => s + weights[i] }
  (a, b, c, d)
}`;
  const [a, b, c, d] = results(text, f64([2], [1, 2]), f64([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]), f64([4], [1, 2, 3, 4]));
  near(a, [6, 7]);
  near(b, [1 + 1 + 6 + 15 + 28, 2 + 2 + 8 + 18 + 32]);
  near(c, [0, 1, 3, 6]);
  near(d, [6]);
});

test('a body that needs its position when compiling is unrolled', () => {
  const list = Array.from({ length: 12 }, (_, i) => `${i}.5`).join(', ');
  const text = `export fn f(x: f64) -> f64 {
  let weights = [${list}]
  fold 0..12 from x { (s, i) => s + weights[i] }
}`;
  near(results(text, f64([], [1]))[0], [1 + 66 + 6]);
});

test('branches give values, assign variables and nest', () => {
  const text = `dim n
export fn f(x: f64[n]) -> (f32, f64[n], f32) {
  let y = x
  let count = 0.0
  if sum(x) > 10 { y = y * 2; count = count + 1 } else if sum(x) > 0 { y = y - 1 }
  let kind = if max(x) > 5 { 1 } else { -1.5 }
  if n > 2 { count = count + 10 }
  (kind, y, count)
}`;
  const run = (...x: number[]) => results(text, f64([x.length], x));
  assert.equal(run(6, 7), [[1], [12, 14], [1]]);
  assert.equal(run(1, 2), [[-1.5], [0, 1], [0]]);
  assert.equal(run(-1, -2, -3), [[-1.5], [-1, -2, -3], [10]]);
});

test('every trip draws anew, and buffers are carried', () => {
  const text = `import std.nn { BatchNorm1d, Dropout }
dim B, T
model Net(n: int) {
  norm: BatchNorm1d(n)
  drop: Dropout(0.5)
  fn forward(xs: f32[T, B, n]) -> (f32[T, B, n], f32[B, n]) = scan xs from xs[0] { (h, x) => (drop(x), norm(x)) }
}
export fn f(net: mut Net(2), xs: f32[T, B, 2]) -> (f32[B, 2], f32[T]) {
  let (last, _) = (net(xs)[1], 0)
  let (draws, _) = scan xs from 0.0 { (s, x) => (s, rand([])) }
  (last, draws)
}`;
  const program = instanceOf(text);
  const xs = f32([3, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  const [, draws] = program.run('f', [xs]);
  assert.is(new Set(numbers(draws as never)).size, 3);
  const at = program.program.state.findIndex(({ path }) => path.endsWith('num_batches_tracked'));
  assert.ok(at >= 0);
  const steps = replayPasses(programOf(text), 5);
  assert.not.ok(
    steps.some(({ failure }) => failure !== undefined),
    JSON.stringify(steps),
  );
});

test('a checkpoint changes no value and no gradient', () => {
  const text = (call: string) => `dim N, K, n
fn block(w: f64[n], h: f64[n], xs: f64[K, n]) -> f64[n] = fold xs from h { (h, x) => tanh(w * h + x) }
fn long(w: f64[n], h: f64[n], xs: f64[N, K, n]) -> f64 = sum(fold xs from h { (h, b) => ${call} })
export fn f(w: f64[n], h: f64[n], xs: f64[N, K, n]) -> (f64, f64[n], f64[n]) {
  let (l, (dw, dh)) = value_and_grad(long, wrt: (w, h))(w, h, xs)
  (l, dw, dh)
}`;
  const inputs = [
    f64([2], [0.5, -0.3]),
    f64([2], [0.1, 0.2]),
    f64(
      [3, 2, 2],
      Array.from({ length: 12 }, (_, i) => Math.cos(i)),
    ),
  ];
  const plain = results(text('block(w, h, b)'), ...inputs);
  const kept = results(text('checkpoint(block, w, h, b)'), ...inputs);
  plain.forEach((values, i) => void near(kept[i], values, 1e-12));
});

test('forward mode goes through loops without a bound', () => {
  const text = `fn square(x: f64) -> f64 = while x < 100 from x = x { x * x }
export fn f(x: f64) -> (f64, f64) = jvp(square, x, 1.0)`;
  assert.equal(results(text, f64([], [2])), [[256], [8 * 2 ** 7]]);
  assert.equal(codes(text.replace('jvp(square, x, 1.0)', 'value_and_grad(square)(x)')), ['E0505']);
  const fixed = text.replace('jvp(square, x, 1.0)', 'value_and_grad(square)(x)').replace('100 from', '100 max 9 from');
  assert.equal(results(fixed, f64([], [2])), [[256], [8 * 2 ** 7]]);
  const tangent = `fn square(x: f64) -> f64 = while x < 100 from x = x { x * x }
export fn f(x: f64, y: f64) -> f64 = grad(v => jvp(square, y, v)[1])(x)`;
  assert.equal(codes(tangent), ['E0505']);
  const constant = 'export fn f(x: f64) -> f64 = grad(y => y * no_grad { while z < 9 from z = y { z * z } })(x)';
  assert.equal(results(constant, f64([], [2])), [[16]]);
});

test('what a loop carries and what branches give keeps its type', () => {
  const head = 'dim T, n\n';
  assert.equal(codes(`${head}export fn f(x: f64[T, n]) -> f64[n] = fold x from 0.0 { (s, v) => s + v }`), ['E0301']);
  assert.equal(codes(`${head}export fn f(x: f64[T]) -> f64 = fold x from (0.0, 1.0) { (s, v) => v }`), ['E0301']);
  assert.equal(codes(`${head}export fn f(x: f64[n]) -> f64[n] = if sum(x) > 0 { x } else { (x, x) }`), ['E0301']);
  assert.equal(codes(`${head}export fn f(x: f64[n]) -> f64[n] = if sum(x) > 0 { x } else { x[0] }`), ['E0301']);
  assert.equal(codes(`${head}export fn f(x: f64) -> f64 = while x from y = x { y }`), ['E0317']);
});

test.run();
