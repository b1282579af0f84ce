// Decompositions of matrices whose size is known only when running: they give the matrix back, and their vectors are orthonormal, to a few
// units in the last place times the size. Conventions where there is no answer.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { interpret, native } from '../../cli/backends.js';
import { type HostTensor, hostTensor, numbersOf } from '../../compiler/ir/evaluate/tensor.js';
import { pipelines, runPipeline } from '../../compiler/pipeline.js';
import { diagnosticsOf, f64, programOf } from '../support/program.js';
import { evaluate } from './evaluate.js';

const linalg = suite('linear algebra');

/** Each measure is 0 but for rounding. */
const measures = [
  'solve',
  'inverse',
  'cholesky',
  'qr',
  'columns of Q',
  'svd',
  'columns of U',
  'rows of Vh',
  'eigh',
  'eigenvectors',
  'determinant',
] as const;

type Float = 'f32' | 'f64';

const programFor = (dtype: Float) =>
  programOf(`tdsl 1
dim B, n
fn relative(error: tensor, size: tensor) -> tensor = norm(error) / where(size == 0, 1, size)
export fn measures(a: ${dtype}[B, n, n], b: ${dtype}[B, n, 2]) -> ${dtype}[${measures.length}] {
  let (x, inv) = (solve(a, b), inverse(a))
  let one = eye(n, dtype: ${dtype})
  let spd = a @ transpose(a, -1, -2) + one
  let l = cholesky(spd)
  let (q, r) = qr(a)
  let (u, s, vh) = svd(a)
  let sym = a + transpose(a, -1, -2)
  let (w, v) = eigh(sym)
  let (sign, size) = slogdet(a)
  stack([
    relative(a @ x - b, norm(a) * norm(x)),
    relative(a @ inv - one, norm(a) * norm(inv)),
    relative(l @ transpose(l, -1, -2) - spd, norm(spd)),
    relative(q @ r - a, norm(a)),
    relative(transpose(q, -1, -2) @ q - one, 1),
    relative((u * unsqueeze(s, -2)) @ vh - a, norm(a)),
    relative(transpose(u, -1, -2) @ u - one, 1),
    relative(vh @ transpose(vh, -1, -2) - one, 1),
    relative(sym @ v - v * unsqueeze(w, -2), norm(sym)),
    relative(transpose(v, -1, -2) @ v - one, 1),
    relative(sign * exp(size) - det(a), norm(det(a))),
  ])
}
`);

function* random(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (state * 48271) % 2147483647;
    yield (state / 2147483647) * 2 - 1;
  }
}

function check(
  dtype: Float,
  run: (entry: string, args: readonly HostTensor[]) => readonly HostTensor[],
  sizes: readonly number[],
): void {
  const epsilon = dtype === 'f32' ? 2 ** -23 : 2 ** -52;
  for (const n of sizes) {
    const numbers = random(17 + n);
    const make = (...shape: number[]) =>
      hostTensor(
        dtype,
        shape,
        Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => numbers.next().value),
      );
    const [found] = run('measures', [make(2, n, n), make(2, n, 2)]) as readonly [HostTensor];
    numbersOf(found).forEach((measure, i) => {
      const most = 8 * epsilon * Math.max(n, 4);
      assert.ok(measure <= most, `${measures[i]} of ${dtype}, n = ${n}: ${measure / epsilon} units`);
    });
  }
}

linalg('residuals are small in the interpreter', () => {
  for (const dtype of ['f32', 'f64'] as const)
    check(dtype, interpret(runPipeline(programFor(dtype), pipelines.reference)).run, [0, 1, 2, 5]);
});

linalg('residuals are small in C', async () => {
  const program = runPipeline(programFor('f32'), pipelines.default);
  check('f32', (await native({ program, stages: new Map() })).run, [0, 1, 2, 3, 16, 45]);
});

const values = (expr: string): readonly (readonly number[])[] => evaluate(expr).map(numbersOf);

linalg('without an answer, values are not finite', () => {
  const given = (expr: string, x: readonly number[]): readonly (readonly number[])[] =>
    evaluate(expr, { x: f64([2, 2], x) }).map(numbersOf);
  assert.equal(given('isfinite(inverse(x))', [1, 1, 1, 1]), [[0, 0, 0, 0]]);
  assert.equal(given('isnan(cholesky(x))', [1, 2, 2, 1]), [[0, 0, 0, 1]]);
  assert.equal(values('slogdet(zeros([2, 2]))'), [[0], [-Infinity]]);
  assert.equal(values('eigvalsh(tensor([[nan, 0.0], [0.0, 1.0]]))'), [[Number.NaN, Number.NaN]]);
});

linalg('constant matrices that have no answer are refused', () => {
  const message = (call: string): string =>
    diagnosticsOf(`fn f(b: f32[2]) = ${call}`)
      .map(({ message }) => message)
      .join('\n');
  for (const call of ['inverse(ones([2, 2]))', 'solve(zeros([2, 2]), b)', 'matrix_power(ones([2, 2]), -1)'])
    assert.match(message(call), /no inverse/, call);
  assert.match(message('cholesky(tensor([[1.0, 2.0], [2.0, 1.0]]))'), /not positive definite/);
  assert.is(message('cholesky(tensor([[2.0, 1.0], [1.0, 2.0]])) @ inverse(eye(2)) @ b'), '');
});

linalg('matrices of full and of no rank', () => {
  assert.equal(values('matrix_rank(stack([eye(3), zeros([3, 3]), ones([3, 3])]))'), [[3, 0, 1]]);
  assert.equal(values('svdvals(zeros([2, 3]))'), [[0, 0]]);
  assert.equal(values('det(zeros([2, 0, 0]))'), [[1, 1]]);
});

linalg('wrong shapes are told with both sizes', () => {
  const message = (call: string): string =>
    diagnosticsOf(`fn f(a: f32[2, 3], s: f32[3, 3], b: f32[2]) = ${call}`)
      .map((found) => `${found.message} ${found.label ?? ''}`)
      .join('\n');
  assert.match(message('inverse(a)'), /f32\[2, 3\].*size 3, not `n` = 2/);
  assert.match(message('solve(s, b)'), /the right side has 2 rows, but the matrix has 3/);
  assert.match(message('solve(a, b)'), /square matrices.*\[2, 3\]/);
  assert.match(message('lstsq(s, b)'), /the right side has 2 rows, but the matrix has 3/);
  assert.match(message('qr(s, mode: "thin")'), /mode is "reduced", "complete" or "r", not "thin"/);
  assert.match(message('eigh(s, UPLO: "X")'), /UPLO is "L" or "U", not "X"/);
});

// Rows and columns both of run-time size, tall and wide, with a rank below the smaller size too; the expected numbers are what the normal equations and the
// four equations of Penrose say, and the gradient is that of PyTorch.
const least = programOf(`
dim N
dim M
export fn solution(A: f64[N, M], B: f64[N]) -> f64[M] = lstsq(A, B)
export fn rows(A: f64[N, 2], B: f64[N]) -> f64[2] = lstsq(A, B)
export fn slope(A: f64[N, 2], B: f64[N]) -> f64[N, 2] = grad(A => sum(lstsq(A, B) ** 2))(A)
export fn penrose(A: f64[N, M]) -> f64[2] {
  let p = pinv(A)
  stack([sum(abs(A @ p @ A - A)), sum(abs(p @ A @ p - p))])
}
export fn rank(A: f64[N, M]) -> i64 = matrix_rank(A)
export fn size_of_all(A: f64[N, M]) -> f64 = sum(svdvals(A) ** 2)
export fn trace_of(A: f64[N, M]) -> f64 = sum(diagonal(A))
`);

linalg('least squares and the functions of singular values take matrices of run-time sizes', () => {
  const { run } = interpret(runPipeline(least, pipelines.reference));
  const tall = hostTensor('f64', [3, 2], [1, 2, 3, 4, 5, 7]);
  const wide = hostTensor('f64', [2, 3], [1, 2, 3, 4, 5, 7]);
  const poor = hostTensor('f64', [3, 2], [1, 2, 2, 4, 3, 6]);
  const right = (n: number) => hostTensor('f64', [n], [1, 2, 4].slice(0, n));
  const near = (name: string, args: readonly HostTensor[], wanted: readonly number[]) => {
    const found = run(name, args).flatMap((result) => [...numbersOf(result)]);
    assert.is(found.length, wanted.length);
    const apart = found.map((x, i) => Math.abs(x - (wanted[i] ?? 0)));
    assert.ok(Math.max(...apart) < 1e-12, `${name}: ${found}`);
  };
  near('solution', [tall, right(3)], [1 / 14, 1 / 2]);
  near('solution', [wide, right(2)], [-8 / 35, 1 / 7, 11 / 35]);
  near('rows', [tall, right(3)], [1 / 14, 1 / 2]);
  near('rows', [hostTensor('f64', [1, 2], [1, 2]), right(1)], [0.2, 0.4]);
  near('slope', [tall, right(3)], [39 / 343, -73 / 98, 215 / 343, -23 / 98, -275 / 686, 27 / 98]);
  for (const matrix of [tall, wide, poor]) near('penrose', [matrix], [0, 0]);
  for (const [matrix, rank] of [
    [tall, 2],
    [wide, 2],
    [poor, 1],
  ] as const)
    near('rank', [matrix], [rank]);
  near('size_of_all', [poor], [70]);
  near('trace_of', [tall], [5]);
  near('trace_of', [wide], [6]);
});

linalg('a decomposition whose shapes depend on which size is larger wants to know it', () => {
  const [found] = diagnosticsOf('dim M\nexport fn f(a: f32[N, M]) -> f32[N, N] = svd(a)[0]');
  assert.match(found?.message ?? '', /whether N rows are fewer than M columns/);
});

linalg.run();
