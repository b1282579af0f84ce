// The functions of the library are differentiated rightly: forward mode, reverse mode and finite differences agree in f64, at points
// away from kinks and ties.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { elementCount, type HostTensor, hostTensor, numbersOf } from '../../compiler/ir/evaluate/tensor.js';
import { f64, results } from '../support/program.js';
import { compileFor, type Inputs } from './evaluate.js';

const gradients = suite('gradients of std');

/** A reproducible sequence of numbers in [0, 1) (Park and Miller). */
function* random(): Generator<number, never> {
  for (let state = 20231; ; ) {
    state = (state * 48271) % 2147483647;
    yield state / 2147483647;
  }
}

interface Domain {
  readonly shape: readonly number[];
  readonly low?: number;
  readonly high?: number;
  /** Numbers as they are, instead of random ones. */
  readonly data?: readonly number[];
  readonly dtype?: 'f64' | 'i64';
}

/** Random elements that keep a distance from each other and from small multiples of 1/2, where kinks are. */
function sample(
  { shape, low = -2, high = 2, data, dtype = 'f64' }: Domain,
  numbers: Iterator<number, never>,
): HostTensor {
  if (data !== undefined) return hostTensor(dtype, shape, data);
  const count = elementCount(shape);
  const spread = Array.from(
    { length: count },
    (_, i) => low + ((high - low) * (i + 0.2 + 0.6 * numbers.next().value)) / count,
  );
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(numbers.next().value * (i + 1));
    [spread[i], spread[j]] = [spread[j] as number, spread[i] as number];
  }
  const away = (x: number) => (Math.abs(2 * x - Math.round(2 * x)) < 1e-3 ? x + 2e-3 : x);
  return hostTensor(dtype, shape, spread.map(away));
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);

/** Checks the derivative of an expression by its f64 inputs. */
function check(expr: string, domains: Readonly<Record<string, Domain>>): void {
  const numbers = random();
  const inputs: Inputs = Object.fromEntries(
    Object.entries(domains).map(([name, domain]) => [name, sample(domain, numbers)]),
  );
  const names = Object.keys(inputs).filter((name) => inputs[name]?.dtype === 'f64');
  const points = Object.values(inputs);
  const [output, ...others] = compileFor(expr, inputs)(points) as readonly [HostTensor, ...HostTensor[]];
  assert.is(others.length, 0, 'one result is checked');
  const cotangent = sample({ shape: output.shape }, numbers);
  const tangents = names.map((name) => sample({ shape: inputs[name]?.shape ?? [] }, numbers));
  const named = (prefix: string, tensors: readonly HostTensor[]): Inputs =>
    Object.fromEntries(tensors.map((tensor, i) => [`${prefix}${names[i] ?? ''}`, tensor]));

  const parameters = `(${names.join(', ')})`;
  const list = (prefix: string) =>
    names.length === 1 ? `${prefix}${names[0]}` : `(${names.map((name) => prefix + name).join(', ')})`;
  const reverse = { ...inputs, cotangent__: cotangent };
  const gradient = compileFor(
    `vjp(${parameters} => ${expr}, ${list('')}, cotangent__)[1]`,
    reverse,
  )(Object.values(reverse));
  const forward = { ...inputs, ...named('d_', tangents) };
  const [tangent] = compileFor(
    `jvp(${parameters} => ${expr}, ${list('')}, ${list('d_')})[1]`,
    forward,
  )(Object.values(forward)) as readonly [HostTensor];

  const run = compileFor(expr, inputs);
  const along = (t: number): number => {
    const moved = Object.keys(inputs).map((name) => {
      const tensor = inputs[name] as HostTensor;
      const direction = tangents[names.indexOf(name)];
      if (direction === undefined) return tensor;
      const [at, by] = [numbersOf(tensor), numbersOf(direction)];
      return hostTensor(
        'f64',
        tensor.shape,
        at.map((x, i) => x + t * (by[i] as number)),
      );
    });
    return dot(numbersOf(run(moved)[0] as HostTensor), numbersOf(cotangent));
  };
  // Central differences of fourth order.
  const h = 1e-4;
  const difference = (8 * (along(h) - along(-h)) - (along(2 * h) - along(-2 * h))) / (12 * h);
  const byForward = dot(numbersOf(tangent), numbersOf(cotangent));
  const byReverse = tangents.reduce(
    (sum, direction, i) => sum + dot(numbersOf(gradient[i] as HostTensor), numbersOf(direction)),
    0,
  );
  const close = (a: number, b: number, tolerance: number) =>
    Math.abs(a - b) <= tolerance * (1 + Math.abs(a) + Math.abs(b));
  assert.ok(close(byForward, byReverse, 1e-10), `forward ${byForward}, reverse ${byReverse}`);
  assert.ok(close(byForward, difference, 1e-6), `forward ${byForward}, differences ${difference}`);
}

const x: Domain = { shape: [3, 4] };
const y: Domain = { shape: [3, 4] };
const positive: Domain = { shape: [3, 4], low: 0.2, high: 2 };
const unit: Domain = { shape: [3, 4], low: 0.05, high: 0.95 };
const classes: Domain = { shape: [3], dtype: 'i64', data: [1, 3, 0] };
const matrix: Domain = { shape: [3, 3], data: [1.3, -0.4, 0.6, 0.2, -1.1, 0.9, 0.7, 1.6, 0.8] };
const images: Domain = { shape: [2, 4, 5, 6] };
const volumes: Domain = { shape: [1, 2, 4, 3, 4] };
const series: Domain = { shape: [2, 4, 7] };

/** The expressions by module, with the domains of their inputs. */
const table: Readonly<Record<string, readonly (readonly [string, Readonly<Record<string, Domain>>])[]>> = {
  pointwise: [
    ['add(x, y, alpha: 2)', { x, y }],
    ['sub(x, y, alpha: 0.5)', { x, y }],
    ['div(x, y)', { x, y: positive }],
    ['pow(x, y)', { x: positive, y }],
    ['addcdiv(x, y, z, value: 0.5)', { x, y, z: positive }],
    ['addcmul(x, y, z, value: -1)', { x, y, z: y }],
    ['clamp(x, min: -0.7, max: 0.9)', { x }],
    ['clamp(x, min: y, max: z)', { x, y: { shape: [4], low: -1, high: 0 }, z: { shape: [3, 1], low: 0.2, high: 1 } }],
    ['frac(x)', { x }],
    ['hypot(x, y)', { x, y }],
    ['lerp(x, y, z)', { x, y, z: unit }],
    ['logaddexp(x, y)', { x, y }],
    ['square(x)', { x }],
    ['xlogy(x, y)', { x, y: positive }],
  ],
  activation: [
    ...[
      'celu(x, alpha: 1.3)',
      'elu(x, alpha: 0.7)',
      'selu(x)',
      'gelu(x)',
      'gelu(x, approximate: "tanh")',
      'glu(x)',
      'glu(x, dim: 1)',
    ],
    ...[
      'hardshrink(x)',
      'hardsigmoid(3 * x)',
      'hardswish(2.3 * x)',
      'hardtanh(x)',
      'leaky_relu(x, 0.1)',
      'log_softmax(x, 0)',
    ],
    ...[
      'logsigmoid(x)',
      'mish(x)',
      'relu(x)',
      'relu6(5 * x)',
      'silu(x)',
      'softmax(x, -1)',
      'softmin(x, 0)',
      'softplus(x, beta: 3, threshold: 4)',
    ],
    ...['softshrink(x)', 'softsign(x)', 'tanhshrink(x)', 'threshold(x, 0.3, 2.0)', 'sigmoid(x)', 'tanh(x)'],
  ].map((expr) => [expr, { x }] as const),
  prelu: [
    ['prelu(x, w)', { x, w: { shape: [1] } }],
    ['prelu(x, w)', { x, w: { shape: [4] } }],
  ],
  reduce: [
    ...[
      'mean(x)',
      'mean(x, 1, keepdim: true)',
      'mean(x, [0, 1])',
      'max(x)',
      'min(x, 0)[0]',
      'amax(x, [1])',
      'nansum(x, 1)',
      'logsumexp(x, 0)',
    ],
    ...['logsumexp(x, [0, 1], keepdim: true)', 'prod(x, 1)', 'cumsum(x, 0)', 'cumprod(x, 1)', 'cummax(x, 1)[0]'],
    ...[
      'var(x)',
      'var(x, 1, false)',
      'std(x, [0])',
      'norm(x)',
      'norm(x, 1, 0)',
      'norm(x, 3.5, 1, true)',
      'norm(x, inf)',
      'norm(x, -inf, 1)',
    ],
    ...[
      'sort(x, 1, true)[0]',
      'topk(x, 2, 0)[0]',
      'kthvalue(x, 2)[0]',
      'median(x)',
      'median(x, 0)[0]',
      'quantile(x, 0.3, 1)',
    ],
  ].map((expr) => [expr, { x }] as const),
  shape: [
    ...[
      'flatten(x)',
      'transpose(x, 0, 1)',
      'x.T',
      'unsqueeze(x, 1)',
      'repeat(x, [2, 1, 3])',
      'repeat_interleave(x, 2, 1)',
      'roll(x, [1, -1], [0, 1])',
    ],
    ...[
      'roll(x, 5)',
      'flip(x, [0])',
      'movedim(x, 0, 1)',
      'broadcast_to(x, [2, 3, 4])',
      'x[1:, ::2]',
      'repeat_interleave(x, [1, 0, 2], 0)',
    ],
    ...[
      'stack((x, 2 * x), 1)',
      'hstack((x, x))',
      'vstack((x, x[0]))',
      'split(x, 3, 1)[1]',
      'chunk(x, 2)[0]',
      'unbind(x, 1)[2]',
    ],
    ...[
      'diag(x[0], 1)',
      'diag(x, -1)',
      'diagonal(x)',
      'tril(x)',
      'triu(x, 1)',
      'trace(x)',
      'select_scatter(x, x[0] * 3, 0, 2)',
    ],
    ...[
      'slice_scatter(x, x[:, :2] * 2, 1, 1, none, 2)',
      'index_select(x, 1, tensor([2, 0, 2]))',
      'take(x, tensor([5, 5, 0]))',
    ],
    ...[
      'index_add(x, 0, tensor([1, 1]), x[:2] * 2, alpha: 3)',
      'index_fill(x, 1, tensor([1]), 4.0)',
      'masked_fill(x, x > 0.3, 7.0)',
    ],
  ].map((expr) => [expr, { x }] as const),
  product: [
    ['x @ y.T', { x, y }],
    ['mv(x, v)', { x, v: { shape: [4] } }],
    ['dot(x, y)', { x: { shape: [5] }, y: { shape: [5] } }],
    ['outer(x, y)', { x: { shape: [5] }, y: { shape: [2] } }],
    ['addmm(c, x, y.T, beta: 0.5, alpha: 2)', { c: { shape: [3] }, x, y }],
    ['addbmm(c, a, b)', { c: { shape: [3, 3] }, a: { shape: [2, 3, 4] }, b: { shape: [2, 4, 3] } }],
    ['baddbmm(c, a, b, beta: 2)', { c: { shape: [2, 3, 3] }, a: { shape: [2, 3, 4] }, b: { shape: [2, 4, 3] } }],
    ['cross(a, b, 0)', { a: { shape: [3, 2] }, b: { shape: [3, 2] } }],
    ['kron(a, b)', { a: { shape: [2, 2] }, b: { shape: [3] } }],
    ['tensordot(a, b, 2)', { a: { shape: [2, 3, 4] }, b: { shape: [3, 4, 2] } }],
    ['tensordot(a, b, [[0, 2], [1, 0]])', { a: { shape: [2, 3, 4] }, b: { shape: [4, 2, 5] } }],
    ['einsum("i,ij,j->", a, b, c)', { a: { shape: [2] }, b: { shape: [2, 3] }, c: { shape: [3] } }],
    [
      'bilinear(a, b, w, c)',
      { a: { shape: [2, 3] }, b: { shape: [2, 4] }, w: { shape: [5, 3, 4] }, c: { shape: [5] } },
    ],
    ['linear(x, w, b)', { x: { shape: [2, 3, 4] }, w: { shape: [5, 4] }, b: { shape: [5] } }],
    ['matrix_power(a, 3)', { a: { shape: [3, 3] } }],
    ['matrix_power(a, -2)', { a: matrix }],
    ['solve_triangular(a, b, upper: true)', { a: matrix, b: { shape: [3, 2] } }],
    ['cholesky(a @ a.T + 2 * eye(3, dtype: f64))', { a: matrix }],
    ['(q => q[:, 2:] @ q[:, 2:].T + abs(q[:, 0]))(qr(a, mode: "complete")[0])', { a: { shape: [4, 2] } }],
    ['(u => u[:, 2:] @ u[:, 2:].T + abs(u[:, 0]))(svd(a)[0])', { a: { shape: [4, 2] } }],
    ['pinv(a)', { a: { shape: [2, 3] } }],
    ['lstsq(a, b)', { a: { shape: [4, 2] }, b: { shape: [4] } }],
    ['det(a)', { a: { shape: [3, 3], data: [1, 2, 3, 4, 5, 6, 7, 8, 9] } }],
    ['det(a)', { a: { shape: [2, 2], data: [0, 1, 0, 0] } }],
    ['cofactors(a)', { a: { shape: [3, 3], data: [1, 2, 3, 4, 5, 6, 7, 8, 9] } }],
    ['matrix_exp(a)', { a: { shape: [2, 3, 3] } }],
    ['grad(x => sum(inverse(x) ** 2))(a)', { a: matrix }],
    ['grad(x => det(x) ** 2)(a)', { a: matrix }],
    ['grad(x => slogdet(x)[1] ** 2)(a)', { a: matrix }],
    ['grad(x => sum(solve(x, x[0]) ** 2))(a)', { a: matrix }],
    ['grad(x => sum(cholesky(x @ x.T + eye(2, dtype: f64)) ** 3))(a)', { a: { shape: [2, 2] } }],
    ['grad(x => sum(qr(x)[1] ** 3))(a)', { a: { shape: [3, 2] } }],
    ['grad(x => sum(svdvals(x) ** 3))(a)', { a: { shape: [3, 2] } }],
    ['grad(x => sum(abs(eigh(x + x.T)[1]) ** 3))(a)', { a: { shape: [2, 2] } }],
    ['grad(x => sum(pinv(x) ** 2))(a)', { a: { shape: [3, 2] } }],
    ['grad(x => sum(matrix_exp(x) ** 2))(a)', { a: { shape: [2, 2] } }],
    ['embedding(i, w)', { i: { shape: [2, 2], dtype: 'i64', data: [0, 3, 3, 1] }, w: { shape: [4, 3] } }],
    [
      'embedding_bag(i, w, tensor([0, 2]))',
      { i: { shape: [4], dtype: 'i64', data: [0, 3, 3, 1] }, w: { shape: [4, 3] } },
    ],
  ],
  loss: [
    ...[
      'mse_loss(x, y)',
      'l1_loss(x, y, "sum")',
      'smooth_l1_loss(x, y, beta: 0.7)',
      'huber_loss(x, y, "none", 0.6)',
    ].map((expr) => [expr, { x, y }] as const),
    ['binary_cross_entropy(x, y)', { x: unit, y: unit }],
    ['binary_cross_entropy_with_logits(x, y, pos_weight: w)', { x, y: unit, w: { shape: [4], low: 0.5, high: 2 } }],
    ['cross_entropy(x, c)', { x, c: classes }],
    ['cross_entropy(x, c, label_smoothing: 0.2, reduction: "none")', { x, c: classes }],
    ['cross_entropy(x, y)', { x, y: unit }],
    ['nll_loss(x, c, tensor([0.5, 1.0, 2.0, 0.1], f64))', { x, c: classes }],
    ['kl_div(x, y, "batchmean")', { x, y: unit }],
    ['soft_margin_loss(x, y)', { x, y }],
    ['cosine_similarity(x, y)', { x, y }],
    ['cosine_embedding_loss(x, y, tensor([1, -1, 1], f64), 0.1)', { x, y }],
    ['gaussian_nll_loss(x, y, v)', { x, y, v: positive }],
    ['poisson_nll_loss(x, y)', { x, y: positive }],
    ['multi_margin_loss(x, c)', { x, c: classes }],
    ['triplet_margin_loss(x, y, z)', { x, y, z: { shape: [3, 4], low: -3, high: 1 } }],
  ],
  conv: [
    ['conv1d(x, w, b, stride: 2, padding: 1)', { x: series, w: { shape: [3, 4, 3] }, b: { shape: [3] } }],
    ['conv1d(x, w, padding: "same")', { x: series, w: { shape: [3, 4, 4] } }],
    ['conv2d(x, w, b, stride: [2, 1], padding: [1, 2])', { x: images, w: { shape: [3, 4, 3, 2] }, b: { shape: [3] } }],
    ['conv2d(x, w, dilation: 2, groups: 2)', { x: images, w: { shape: [6, 2, 2, 3] } }],
    ['conv3d(x, w, stride: 2, padding: 1)', { x: volumes, w: { shape: [2, 2, 3, 2, 2] } }],
    ['conv_transpose1d(x, w, stride: 3, padding: 1, output_padding: 2)', { x: series, w: { shape: [4, 2, 3] } }],
    [
      'conv_transpose2d(x, w, b, stride: 2, padding: 1, groups: 2)',
      { x: images, w: { shape: [4, 3, 2, 3] }, b: { shape: [6] } },
    ],
    ['conv_transpose3d(x, w, dilation: 2)', { x: volumes, w: { shape: [2, 1, 2, 2, 2] } }],
    ['unfold(x, [2, 3], dilation: [2, 1], padding: 1, stride: 2)', { x: images }],
    ['fold(x, [4, 5], [2, 2], padding: 1, stride: 2)', { x: { shape: [2, 8, 9] } }],
    ['pixel_shuffle(x, 2)', { x: images }],
    ['pad(x, [1, 2, -1, 1])', { x: images }],
    ['pad(x, [2, 3], "reflect")', { x: series }],
    ['pad(x, [2, 3, 1, 0], "replicate")', { x: images }],
    ['pad(x, [2, 3], "circular")', { x: series }],
    ['interpolate(x, scale_factor: 2)', { x: images }],
    ['interpolate(x, size: 4, mode: "linear", align_corners: true)', { x: series }],
    ['interpolate(x, size: [7, 3], mode: "bilinear")', { x: images }],
    ['interpolate(x, size: [7, 3], mode: "bicubic")', { x: images }],
  ],
  pool: [
    ...[
      'max_pool2d(x, 2)',
      'max_pool2d(x, [2, 3], stride: [1, 2], padding: 1, dilation: [2, 1])',
      'max_pool2d(x, 2, ceil_mode: true)',
    ],
    ...[
      'avg_pool2d(x, 3, 2, 1)',
      'avg_pool2d(x, 3, 2, 1, count_include_pad: false, ceil_mode: true)',
      'avg_pool2d(x, 2, divisor_override: 3)',
    ],
    ...[
      'lp_pool2d(x * x, 2, 2)',
      'adaptive_avg_pool2d(x, [3, 4])',
      'max_unpool2d(max_pool2d(x, 2), max_pool2d(x, 2, return_indices: true)[1], 2)',
    ],
    ...[
      'adaptive_max_pool1d(x[0], 4)',
      'max_pool1d(x[0], 3, 1, 1)',
      'avg_pool1d(x[0], 2, 3)',
      'max_pool3d(x, 2)',
      'avg_pool3d(x, 2, 1)',
    ],
  ].map((expr) => [expr, { x: images }] as const),
  norm: [
    ['batch_norm(x, none, none, w, b, training: true)', { x: images, w: { shape: [4] }, b: { shape: [4] } }],
    ['batch_norm(x, m, v, training: false)[0]', { x: images, m: { shape: [4] }, v: { shape: [4], low: 0.5, high: 2 } }],
    ['layer_norm(x, [5, 6], w, b)', { x: images, w: { shape: [5, 6] }, b: { shape: [5, 6] } }],
    ['group_norm(x, 2, w)', { x: images, w: { shape: [4] } }],
    ['instance_norm(x)', { x: images }],
    ['local_response_norm(x, 3)', { x: images }],
    ['normalize(x, 3.0, 1)', { x: images }],
  ],
};

for (const [module, cases] of Object.entries(table)) {
  for (const [expr, domains] of cases) gradients(`${module}: ${expr}`, () => check(expr, domains));
}

gradients('a quantile of numbers with a NaN goes with that NaN, as in PyTorch', () => {
  const text = `export fn f(x: f64[2, 4]) -> (f64[2], f64[2, 4]) =
  (quantile(x, 0.4, dim: 1), grad(x => sum(quantile(x, tensor([0.4, 0.9], f64), dim: 1)))(x))`;
  const [values, gradient = []] = results(text, f64([2, 4], [1, Number.NaN, 3, 2, 4, 3, 2, 1]));
  assert.is(Number.isNaN(values?.[0]), true);
  [0, 2, 0, 0, 0.7, 0.5, 0.8, 0].forEach((want, i) => {
    assert.ok(Math.abs((gradient[i] as number) - want) < 1e-12, `[${i}]: ${gradient[i]}, expected ${want}`);
  });
});

gradients.run();
