// The reference interpreter: each kind of node against plain loops, run-time dimensions, errors, and a training step in reasonable time.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Builder } from '../../../compiler/ir/builder.js';
import { dimConst } from '../../../compiler/ir/dims.js';
import type { DType } from '../../../compiler/ir/dtype.js';
import { EvaluationError } from '../../../compiler/ir/evaluate/error.js';
import { evaluateFunction, Interpreter } from '../../../compiler/ir/evaluate/evaluate.js';
import { type HostTensor, hostTensor, numbersOf } from '../../../compiler/ir/evaluate/tensor.js';
import type { Func } from '../../../compiler/ir/graph.js';
import { parseModule } from '../../../compiler/ir/parse.js';
import { plainAccess } from '../../../compiler/ir/space.js';
import { randomNumbers } from '../../support/graphs.js';

/** Evaluates the statements of a function body; the results are those of `return`. */
function run(params: string, body: string, results: string, inputs: readonly HostTensor[]): readonly HostTensor[] {
  const module = parseModule(`tdir 1\nfn f(${params}) -> (${results}) {\n${body}\n}`);
  return evaluateFunction(module, 'f', inputs);
}

const counted = (dtype: DType, ...shape: number[]): HostTensor => {
  const count = shape.reduce((a, b) => a * b, 1);
  return hostTensor(
    dtype,
    shape,
    Array.from({ length: count }, (_, i) => i),
  );
};
const f32 = (shape: readonly number[], ...values: number[]): HostTensor => hostTensor('f32', shape, values);
const only = (results: readonly HostTensor[]): number[] => numbersOf(results[0] as HostTensor);

test('elementwise nodes broadcast', () => {
  const x = f32([2, 1], 1, 2);
  const y = f32([3], 10, 20, 30);
  const z = run('%x: f32[2, 1], %y: f32[3]', '%z = add %x, %y : f32[2, 3]\nreturn %z', 'f32[2, 3]', [x, y]);
  assert.equal(only(z), [11, 21, 31, 12, 22, 32]);
  assert.equal(z[0]?.shape, [2, 3]);
  const w = run('%x: f32[N]', '%z = mul %x, f32(2) : f32[N]\nreturn %z', 'f32[N]', [counted('f32', 600)]);
  assert.equal(
    only(w),
    Array.from({ length: 600 }, (_, i) => 2 * i),
  );
  assert.equal(only(run('%x: f32[N]', '%z = neg %x : f32[N]\nreturn %z', 'f32[N]', [f32([0])])), []);
});

/** Σ over u of x[s·i + u - p]·k[u] with zeros outside. */
function convolve(x: readonly number[], k: readonly number[], stride: number, pad: number, size: number): number[] {
  return Array.from({ length: size }, (_, i) => k.reduce((sum, w, u) => sum + w * (x[stride * i + u - pad] ?? 0), 0));
}

test('contractions: products, windows, divisors, guards', () => {
  const a = counted('f32', 2, 3);
  const b = counted('f32', 3, 2);
  const product = '%z = contract [i, j] over k: %a[i, k] * %b[k, j] : f32[2, 2]\nreturn %z';
  assert.equal(only(run('%a: f32[2, 3], %b: f32[3, 2]', product, 'f32[2, 2]', [a, b])), [10, 13, 28, 40]);
  const x = [3, 1, 4, 1, 5, 9, 2];
  const k = [2, 7, 1];
  for (const [stride, pad, size] of [
    [1, 1, 7],
    [2, 2, 5],
    [1, 0, 5],
    [3, 1, 3],
  ] as const) {
    const body = `%z = contract [i] over u: %x[${stride}*i + u - ${pad}?] * %k[u] : f32[${size}]\nreturn %z`;
    const got = run('%x: f32[7], %k: f32[3]', body, `f32[${size}]`, [f32([7], ...x), f32([3], ...k)]);
    assert.equal(only(got), convolve(x, k, stride, pad, size), `stride ${stride}, pad ${pad}`);
  }
  // Transposed: z[s·i + u - p] += y[i]·k[u].
  const y = [1, 2, 3, 4];
  const want = new Array<number>(9).fill(0);
  y.forEach((v, i) => {
    k.forEach((w, u) => {
      const at = 2 * i + u - 1;
      if (at >= 0 && at < 9) want[at] = (want[at] as number) + v * w;
    });
  });
  const body = '%z = contract [j] over u: %y[(j - u + 1) / 2?] * %k[u] : f32[9]\nreturn %z';
  assert.equal(only(run('%y: f32[4], %k: f32[3]', body, 'f32[9]', [f32([4], ...y), f32([3], ...k)])), want);
  // Two divisors at once: every sixth sum counts.
  const both = '%z = contract [] over j < 24, k < 2: %x[(j + k) / 2?] * %y[(2*j - k) / 3?] : f32\nreturn %z';
  let sum = 0;
  for (let j = 0; j < 24; j++) {
    for (let m = 0; m < 2; m++)
      if ((j + m) % 2 === 0 && (2 * j - m) % 3 === 0) sum += (x[(j + m) / 2] ?? 0) * (y[(2 * j - m) / 3] ?? 0);
  }
  assert.equal(only(run('%x: f32[7], %y: f32[4]', both, 'f32', [f32([7], ...x), f32([4], ...y)])), [sum]);
  const diagonal = '%z = contract [i, j]: %x[i] where i - j == 0 : f32[2, 2]\nreturn %z';
  assert.equal(only(run('%x: f32[2]', diagonal, 'f32[2, 2]', [f32([2], 5, 6)])), [5, 0, 0, 6]);
  const trace = '%z = contract [] over i, j: %x[i, j] where i - j == 0 : f32\nreturn %z';
  assert.equal(only(run('%x: f32[2, 3]', trace, 'f32', [a])), [4]);
  const wrapped = '%z = contract [] over i: %x[i] * %x[i] : i8\nreturn %z';
  assert.equal(only(run('%x: i8[2]', wrapped, 'i8', [hostTensor('i8', [2], [100, 3])])), [((10009 + 128) % 256) - 128]);
  const big = '%z = contract [] over i: %x[i] * %x[i] : i64\nreturn %z';
  assert.is(
    run('%x: i64[1]', big, 'i64', [hostTensor('i64', [1], [3n ** 25n])])[0]?.data[0],
    BigInt.asIntN(64, 3n ** 50n),
  );
  assert.equal(
    only(run('%x: f32[0, 2]', '%z = contract [i] over b: %x[b, i] : f32[2]\nreturn %z', 'f32[2]', [f32([0, 2])])),
    [0, 0],
  );
});

test('sums of f32 are rounded once', () => {
  const x = f32([3], 2 ** 24, 1, 1);
  const z = run('%x: f32[3]', '%z = sum %x over [0] : f32\nreturn %z', 'f32', [x]);
  assert.equal(only(z), [2 ** 24 + 2]);
});

test('reductions: dimensions, windows, results with positions, absent elements', () => {
  const x = f32([2, 3], 3, 1, 2, -1, -5, -1);
  const sums = run('%x: f32[2, 3]', '%z = sum %x over [0] : f32[3]\nreturn %z', 'f32[3]', [x]);
  assert.equal(only(sums), [2, -4, 1]);
  const body = '%v, %i = max_with_index %x over [1] : f32[2], i64[2]\nreturn %v, %i';
  const [v, i] = run('%x: f32[2, 3]', body, 'f32[2], i64[2]', [x]);
  assert.equal(numbersOf(v as HostTensor), [3, -1]);
  assert.equal(numbersOf(i as HostTensor), [0, 0]);
  const pool = '%z = max [i] over u < 2: %x[2*i + u - 1?] : f32[3]\nreturn %z';
  assert.equal(only(run('%x: f32[4]', pool, 'f32[3]', [f32([4], -3, -1, -2, -9)])), [-3, -1, -9]);
  const long = run('%x: f32[N, M]', '%z = sum %x over [0] : f32[M]\nreturn %z', 'f32[M]', [counted('f32', 3, 700)]);
  assert.equal(
    only(long),
    Array.from({ length: 700 }, (_, m) => 3 * m + 2100),
  );
  assert.equal(only(run('%x: f32[N]', '%z = sum %x over [0] : f32\nreturn %z', 'f32', [f32([0])])), [0]);
  const empty = () => run('%x: f32[N]', '%z = max %x over [0] : f32  # a.td:4:2 max(x)\nreturn %z', 'f32', [f32([0])]);
  assert.throws(
    empty,
    (error: unknown) =>
      error instanceof EvaluationError && /^a\.td:4:2: max of no elements in 'max\(x\)'$/.test(error.message),
  );
});

test('order operations go along one dimension, from either end', () => {
  const x = counted('f32', 2, 3);
  const sums = (dim: number, how: string) =>
    only(run('%x: f32[2, 3]', `%z = cumsum %x along ${dim}${how} : f32[2, 3]\nreturn %z`, 'f32[2, 3]', [x]));
  assert.equal(sums(1, ''), [0, 1, 3, 3, 7, 12]);
  assert.equal(sums(1, ' reverse'), [3, 3, 2, 12, 9, 5]);
  assert.equal(sums(0, ''), [0, 1, 2, 3, 5, 7]);
});

test('some places of an order are those of the whole order', () => {
  const x = f32([2, 4], 3, 1, 2, 1, 5, 8, 6, 7);
  const places = (how: string, size: number) =>
    only(run('%x: f32[2, 4]', `%z = argsort %x along 1${how} : i64[2, ${size}]\nreturn %z`, `i64[2, ${size}]`, [x]));
  assert.equal(places('', 4), [1, 3, 2, 0, 0, 2, 3, 1]);
  assert.equal(places(' from [1]', 2), [3, 2, 2, 3]);
  assert.equal(places(' reverse from [0]', 1), [0, 1]);
});

test('views move elements', () => {
  const x = counted('f32', 2, 3);
  const view = (text: string, shape: string) =>
    only(run('%x: f32[2, 3]', `%z = ${text} : ${shape}\nreturn %z`, shape, [x]));
  assert.equal(view('reshape %x', 'f32[3, 2]'), [0, 1, 2, 3, 4, 5]);
  assert.equal(view('permute %x by [1, 0]', 'f32[3, 2]'), [0, 3, 1, 4, 2, 5]);
  assert.equal(view('broadcast %x at [0, 2]', 'f32[2, 2, 3]'), [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5]);
  assert.equal(view('slice %x from [1, 0] step [1, 2]', 'f32[1, 2]'), [3, 5]);
  assert.equal(view('flip %x along [0, 1]', 'f32[2, 3]'), [5, 4, 3, 2, 1, 0]);
  assert.equal(
    view('pad %x with f32(9) low [0, 1] high [1, 0] interior [0, 1]', 'f32[3, 6]'),
    [9, 0, 9, 1, 9, 2, 9, 3, 9, 4, 9, 5, 9, 9, 9, 9, 9, 9],
  );
  assert.equal(view('concat %x, %x along 1', 'f32[2, 6]'), [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5]);
});

test('gather and scatter; an index out of range names the place', () => {
  const x = counted('f32', 3, 2);
  const ids = (...values: number[]) => hostTensor('i64', [values.length], values);
  const gather = '%z = gather [n, d]: %x[%i[n], d] : f32[N, 2]  # emb.td:7:3 emb(i)\nreturn %z';
  const rows = (i: HostTensor) => run('%x: f32[3, 2], %i: i64[N]', gather, 'f32[N, 2]', [x, i]);
  assert.equal(only(rows(ids(2, 0, 2))), [4, 5, 0, 1, 4, 5]);
  assert.throws(
    () => rows(ids(0, 3)),
    /^emb\.td:7:3: the index 3 is out of range: it must be at least 0 and less than 3 in 'emb\(i\)'$/,
  );
  assert.throws(() => rows(ids(-1)), /the index -1 is out of range/);
  const scatter = (mode: string) =>
    only(
      run(
        '%b: f32[3], %i: i64[N], %u: f32[N]',
        `%z = scatter ${mode} [n]: %b[%i[n]] from %u : f32[3]\nreturn %z`,
        'f32[3]',
        [f32([3], 1, 2, 3), ids(0, 2, 0), f32([3], 10, 20, 5)],
      ),
    );
  assert.equal(scatter('add'), [16, 2, 23]);
  assert.equal(scatter('set'), [5, 2, 20]);
  assert.equal(scatter('max'), [10, 2, 20]);
  assert.equal(scatter('min'), [1, 2, 3]);
});

test('sources', () => {
  const source = (text: string, type: string) =>
    only(run('%x: f32[N, 2]', `%z = ${text} : ${type}\nreturn %z`, type, [counted('f32', 3, 2)]));
  assert.equal(source('constant 0.1', 'f32[2]'), [Math.fround(0.1), Math.fround(0.1)]);
  assert.equal(source('constant [1, 0]', 'bool[2]'), [1, 0]);
  assert.equal(source('iota along 1', 'i64[N, 2]'), [0, 1, 0, 1, 0, 1]);
  assert.equal(source('size {N*(N + 1)}', 'i64'), [12]);
  const key = hostTensor('i64', [2], [42, 0]);
  const bits = (count: number) =>
    only(run('%k: i64[2]', `%z = random_bits %k : i32[${count}]\nreturn %z`, `i32[${count}]`, [key]));
  // Pinned, so that no stream ever changes: a seed must give the same weights in every version.
  assert.equal(bits(5), [-1662324653, 2012563771, 314527917, 1463989207, -52747993]);
  assert.equal(bits(1500).slice(0, 5), bits(5));
  assert.is(new Set(bits(4000)).size, 4000);
  const folded = run('%k: i64[2], %d: i64', '%z = fold_in %k, %d : i64[2]\nreturn %z', 'i64[2]', [
    key,
    hostTensor('i64', [], [3]),
  ]);
  assert.equal(Array.from(folded[0]?.data ?? [], String), ['-7859916798062935977', '-3298227428750819194']);
});

test('calls, run-time dimensions and tensors that do not fit', () => {
  const module = parseModule(`tdir 1
fn g(%x: f32[N, M]) -> f32[N] {
  %z = sum %x over [1] : f32[N]
  return %z
}
fn f(%x: f32[N, M], %y: f32[2*N]) -> (f32[N], i64) {
  %s = call @g(%x) : f32[N]
  %k = kernel @g(%x) : f32[N]
  %t = add %s, %k : f32[N]
  %n = size {N + M} : i64
  return %t, %n
}
fn h(%x: f32[2*P + 1]) -> i64 {
  %p = size {P} : i64
  return %p
}`);
  const results = evaluateFunction(module, 'f', [counted('f32', 2, 3), counted('f32', 4)]);
  assert.equal(results.map(numbersOf), [[6, 24], [5]]);
  assert.equal(only(evaluateFunction(module, 'h', [counted('f32', 7)])), [3]);
  assert.throws(() => evaluateFunction(module, 'h', [counted('f32', 6)]), /the size P does not follow/);
  const bad = () => evaluateFunction(module, 'f', [counted('f32', 2, 3), counted('f32', 5)]);
  assert.throws(bad, /%y of @f is f32\[2\*N\] with N = 2, but the tensor given is f32\[5\]/);
  assert.throws(
    () => evaluateFunction(module, 'f', [counted('f64', 2, 3), counted('f32', 4)]),
    /the tensor given is f64\[2, 3\]/,
  );
  assert.throws(() => evaluateFunction(module, 'f', [counted('f32', 2, 3)]), /takes 2 tensors, got 1/);
  assert.throws(() => evaluateFunction(module, 'k', []), /no function @k/);
  const seen: string[] = [];
  evaluateFunction(module, 'f', [counted('f32', 2, 3), counted('f32', 4)], {
    onNode: (func, node) => void seen.push(`${func.name} ${node.kind}`),
  });
  assert.equal(seen, ['g reduce', 'f region', 'g reduce', 'f region', 'f elementwise', 'f source']);
});

test('a tensor needs as many elements as its shape has', () => {
  assert.throws(() => hostTensor('f32', [2, 2], [1]), /has 4 elements, got 1/);
  assert.throws(() => hostTensor('i32', [1], [0.5]), /must be integers/);
});

/** The forward and backward contractions of a step of a network 784-256-10, written out. */
function trainingStep(): Func {
  const b = new Builder('step');
  const type = (...shape: number[]) => ({ dtype: 'f32' as const, shape: shape.map(dimConst) });
  const [x, w1, w2] = [b.param('x', type(64, 784)), b.param('w1', type(256, 784)), b.param('w2', type(10, 256))];
  const product = (
    a: typeof x,
    c: typeof x,
    left: readonly number[],
    right: readonly number[],
    [m, n, k]: readonly [number, number, number],
  ) => {
    const indices = [m, n, k].map((extent, i) => ({ name: 'mnk'[i] as string, extent: dimConst(extent) }));
    return b.contract({ indices, outer: 2 }, [plainAccess(left), plainAccess(right)], [a, c]);
  };
  const z1 = product(x, w1, [0, 2], [1, 2], [64, 256, 784]);
  const h = b.elementwise('maximum', [z1, b.constant(0, 'f32')]);
  const z2 = product(h, w2, [0, 2], [1, 2], [64, 10, 256]);
  const d2 = b.elementwise('mul', [z2, b.constant(1 / 64, 'f32')]);
  const dh = product(d2, w2, [0, 2], [2, 1], [64, 256, 10]);
  const d1 = b.elementwise('where', [b.elementwise('gt', [z1, b.constant(0, 'f32')]), dh, b.constant(0, 'f32')]);
  const g1 = product(d1, x, [2, 0], [2, 1], [256, 784, 64]);
  const g2 = product(d2, h, [2, 0], [2, 1], [10, 256, 64]);
  const update = (w: typeof x, g: typeof x) =>
    b.elementwise('sub', [w, b.elementwise('mul', [g, b.constant(0.1, 'f32')])]);
  return b.finish([update(w1, g1), update(w2, g2)]);
}

test('twenty training steps take seconds', () => {
  const random = randomNumbers(1);
  const draw = (...shape: number[]) => {
    const count = shape.reduce((a, c) => a * c, 1);
    return hostTensor(
      'f32',
      shape,
      Array.from({ length: count }, () => random() * 0.1 - 0.05),
    );
  };
  const interpreter = new Interpreter({ functions: new Map([['step', trainingStep()]]) });
  const x = draw(64, 784);
  let weights: readonly HostTensor[] = [draw(256, 784), draw(10, 256)];
  const start = performance.now();
  for (let step = 0; step < 20; step++) weights = interpreter.run('step', [x, ...weights]);
  const seconds = (performance.now() - start) / 1000;
  assert.ok(numbersOf(weights[1] as HostTensor).every(Number.isFinite));
  assert.ok(seconds < 60, `${seconds} s`);
  if (process.env.TDSL_TIMES) console.log(`20 steps: ${seconds.toFixed(2)} s`);
});

test.run();
