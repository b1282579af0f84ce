// Operations whose operands meet at sizes that cannot be compared when compiling: the entry checks them when it is called, and the values are those
// of the same program for fixed sizes, in the interpreter and as compiled code.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { interpret } from '../../cli/backends.js';
import { Interpreter } from '../../compiler/ir/evaluate/evaluate.js';
import type { HostTensor } from '../../compiler/ir/evaluate/tensor.js';
import type { Func } from '../../compiler/ir/graph.js';
import { pipelines, runPipeline } from '../../compiler/pipeline.js';
import type { Program } from '../../compiler/program.js';
import { f32, i64, programOf } from '../support/program.js';
import { assertAgree, type CompileOptions, compile, randomNumbers, randomTensor } from './support.js';

/** That A·B = C·D, M ≤ N, M ≤ K, that H is even and S ≤ T is known of these sizes alone. */
const sizes = { A: 2, B: 6, C: 3, D: 4, N: 5, M: 4, K: 7, H: 6, S: 3, T: 5 };

const helpers = `
dim A, B, C, D, N, M, K, H, S, T
fn rows(x: tensor, n: int) -> tensor = reshape(x, [-1, n])
fn within(i: tensor, n: int) -> tensor = i % n
fn total(x: f32[N, 5], i: i64[M, 2], s: f32[K, 2]) -> f32 = sum(scatter(x, 1, within(i, 5), s) ** 3)
fn picked(x: f32[N, 5], i: i64[M, 2]) -> f32 = sum(gather(x, 1, within(i, 5)) ** 2)
fn coarse(x: f32[B, 4, H], y: i64[B, H]) -> f32 =
  cross_entropy(repeat_interleave(max_pool1d(x, 2), 2, dim: 2), within(y, 4))
fn product(x: f32[A, B], y: f32[C, D]) -> f32 = flatten(x) @ flatten(y)
fn squares(x: f32[*U]) -> f32[*U] = x * x
fn weighted(x: f32[3], y: f32[3]) -> f32 = sum(x * y)
fn pick(x: f32[_, 3], i: i64[_, 2]) -> tensor = gather(x, 1, within(i, 3))
`;

/** Entries by name: parameters and result, as they are written. */
const entries: Readonly<Record<string, string>> = {
  of_gather: '(x: f32[N, 5], i: i64[M, 2]) -> tensor = gather(x, 1, within(i, 5))',
  of_gather_gradient: '(x: f32[N, 5], i: i64[M, 2]) -> tensor = grad(picked)(x, i)',
  of_gather_of_many: '(x: f32[2, N, 3], i: i64[2, M, 2]) -> tensor = vmap(pick)(x, i)',
  of_scatter: '(x: f32[N, 5], i: i64[M, 2], s: f32[K, 2]) -> tensor = scatter(x, 1, within(i, 5), s)',
  of_scatter_number: '(x: f32[N, 5], i: i64[M, 2]) -> tensor = scatter(x, 1, within(i, 5), value: 3)',
  of_scatter_add: '(x: f32[N, 5], i: i64[M, 2], s: f32[K, 2]) -> tensor = scatter_add(x, 1, within(i, 5), s)',
  of_scatter_gradient: '(x: f32[N, 5], i: i64[M, 2], s: f32[K, 2]) -> tensor = grad(total)(x, i, s)',
  of_scatter_gradient_of_source: '(x: f32[N, 5], i: i64[M, 2], s: f32[K, 2]) -> tensor = grad(total, wrt: s)(x, i, s)',
  of_cross_entropy: '(x: f32[B, 4, H], y: i64[B, H]) -> f32 = coarse(x, y)',
  of_cross_entropy_gradient: '(x: f32[B, 4, H], y: i64[B, H]) -> tensor = grad(coarse)(x, y)',
  of_cross_entropy_of_slice:
    '(z: f32[B, T, 7], y: i64[B, S]) -> f32 = cross_entropy(permute(z[:, :S], [0, 2, 1]), within(y, 7))',
  of_nll_loss: '(x: f32[A, B, 3], y: i64[C, D]) -> f32 = nll_loss(rows(x, 3), within(flatten(y), 3))',
  of_multi_margin_loss: '(x: f32[A, B, 3], y: i64[C, D]) -> f32 = multi_margin_loss(rows(x, 3), within(flatten(y), 3))',
  of_index_put:
    '(x: f32[9, 9], i: i64[A, B], j: i64[C, D]) -> tensor = index_put(x, [within(flatten(i), 9), within(flatten(j), 9)], 3.0)',
  of_index_put_values:
    '(x: f32[9], i: i64[A, B], v: f32[C, D]) -> tensor = index_put(x, [within(flatten(i), 9)], flatten(v), accumulate: true)',
  of_index_add:
    '(x: f32[A, B, 3], i: i64[2], v: f32[C, D, 2]) -> tensor = index_add(rows(x, 3), 1, within(i, 3), rows(v, 2))',
  of_slice_scatter: '(x: f32[A, B, 3], v: f32[C, D, 2]) -> tensor = slice_scatter(rows(x, 3), rows(v, 2), 1, 0, 2)',
  of_take_along_dim:
    '(x: f32[A, B, 3], i: i64[C, D, 2]) -> tensor = take_along_dim(rows(x, 3), within(rows(i, 2), 3), 1)',
  of_take_along_dim_repeated: '(x: f32[N, 3], i: i64[1, 2]) -> tensor = take_along_dim(x, within(i, 3), 1)',
  of_bincount: '(x: i64[A, B], v: f32[C, D]) -> tensor = bincount(within(flatten(x), 7), flatten(v), size: 7)',
  of_order: '(x: f32[A, B, 3], y: f32[C, D, 3]) -> tensor = gather(rows(x, 3), 1, argsort(rows(y, 3), 1))',
  of_matmul: '(x: f32[3, A, B], y: f32[C, D, 4]) -> tensor = reshape(x, [3, -1]) @ rows(y, 4)',
  of_matmul_gradient: '(x: f32[A, B], y: f32[C, D]) -> tensor = grad(product)(x, y)',
  of_matmul_of_batches:
    '(x: f32[A, B, 3, 2], y: f32[C, D, 2, 4]) -> tensor = reshape(x, [-1, 3, 2]) @ reshape(y, [-1, 2, 4])',
  of_einsum: '(x: f32[A, B], y: f32[C, D, 3]) -> tensor = einsum("i,ij->ij", flatten(x), rows(y, 3))',
  of_vmap: '(x: f32[A, B, 3], y: f32[C, D, 3]) -> tensor = vmap(weighted)(rows(x, 3), rows(y, 3))',
  of_jvp: '(x: f32[A, B], y: f32[C, D]) -> tensor = jvp(squares, flatten(x), flatten(y))[1]',
  of_vjp: '(x: f32[A, B], y: f32[C, D]) -> tensor = vjp(squares, flatten(x), flatten(y))[1]',
  of_lookups:
    '(x: f32[9, 9], i: i64[A, B], j: i64[C, D]) -> tensor { let (u, v) = (within(flatten(i), 9), within(flatten(j), 9)); o[k] = x[u[k], v[k]]; o }',
  of_lookup_along:
    '(x: f32[A, B, 9], i: i64[C, D]) -> tensor { let (u, v) = (rows(x, 9), within(flatten(i), 9)); o[k] = u[k, v[k]] * 2 + u[k, 0]; o }',
  of_lookup_beside:
    '(x: f32[9], i: i64[C, D], w: f32[A, B]) -> f32 { let (t, v) = (flatten(w), within(flatten(i), 9)); sum over k: t[k] * x[v[k]] }',
  of_stated_range:
    '(x: f32[A, B], y: f32[C, D]) -> tensor { let u = flatten(x); o[i in 0..C * D] = u[i]; o + flatten(y) }',
  of_shorter_range: '(x: f32[5]) -> f32[3] { o[i in 0..3] = x[i]; o }',
  of_longer_range: '(x: f32[5]) -> f32[8] { o[i in 0..8] = x[i]; o }',
};

const textOf = (names: readonly string[]): string =>
  helpers + names.map((name) => `export fn ${name}${entries[name]}\n`).join('');

const names = Object.keys(entries);

/** Random arguments of an entry. */
function argumentsOf(program: Program, name: string): readonly HostTensor[] {
  const fn = program.module.functions.get(name) as Func;
  const next = randomNumbers(names.indexOf(name) + 1);
  return fn.params.map(({ type }) => randomTensor(type, new Map(Object.entries(sizes)), next));
}

const program = programOf(textOf(names));
const reference = runPipeline(program, pipelines.reference);
const dims = new Map(Object.entries(sizes));
const interpreted = (name: string): readonly HostTensor[] =>
  new Interpreter(reference.module).run(name, argumentsOf(program, name), { dims });

test('the sizes are known by the checks of the entries alone', () => {
  const withoutChecks = program.entries.filter(({ constraints }) => constraints.length === 0).map(({ name }) => name);
  assert.equal(withoutChecks, ['of_take_along_dim_repeated', 'of_stated_range', 'of_shorter_range', 'of_longer_range']);
});

test('values are those of fixed sizes', () => {
  const fixed = runPipeline(programOf(textOf(names), { dims: sizes }), pipelines.reference);
  for (const name of names) {
    const expected = new Interpreter(fixed.module).run(name, argumentsOf(program, name));
    interpreted(name).forEach((actual, i) => void assertAgree(actual, expected[i] as HostTensor, name));
  }
});

test('a range that is stated cuts or fills with zeros', () => {
  const x = f32([5], [1, 2, 3, 4, 5]);
  const run = (name: string) => Array.from(interpret(reference).run(name, [x])[0]?.data as Float32Array);
  assert.equal(run('of_shorter_range'), [1, 2, 3]);
  assert.equal(run('of_longer_range'), [1, 2, 3, 4, 5, 0, 0, 0]);
});

const backends: readonly (readonly [string, CompileOptions])[] = [
  ['as C', {}],
  ['in the emulated CUDA backend', { cuda: 'emulated' }],
];
for (const [what, options] of backends) {
  test(`compiled ${what}`, async () => {
    const compiled = await compile(program, options);
    for (const name of names) {
      const actual = compiled.run(name, argumentsOf(program, name));
      interpreted(name).forEach((expected, i) => void assertAgree(actual[i] as HostTensor, expected, name, 8));
    }
  });
}

test('sizes that do not fit are refused with what does not hold', () => {
  const refuse = (name: string, message: RegExp, ...args: HostTensor[]) => {
    const symbols = program.entries.find((entry) => entry.name === name)?.symbols ?? [];
    const found = new Map(symbols.map((symbol) => [symbol, sizes[symbol as keyof typeof sizes]]));
    const fn = program.module.functions.get(name) as Func;
    for (const [i, { type }] of fn.params.entries())
      for (const [axis, size] of type.shape.entries())
        if (found.has(size.key)) found.set(size.key, args[i]?.shape[axis] ?? 0);
    assert.throws(() => interpret(reference).run(name, args, found), message);
  };
  const zeros = (...shape: number[]) => f32(shape, new Array<number>(shape.reduce((a, b) => a * b)).fill(0));
  const positions = (...shape: number[]) => i64(shape, new Array<number>(shape.reduce((a, b) => a * b)).fill(0));
  refuse(
    'of_gather',
    /the index of gather fits the input .*: -M \+ N ≥ 0 is needed, but -M \+ N is -1, for M = 3, N = 2/,
    zeros(2, 5),
    positions(3, 2),
  );
  refuse('of_scatter', /the index of scatter fits the src .*: K - M ≥ 0/, zeros(4, 5), positions(3, 2), zeros(2, 2));
  refuse('of_cross_entropy', /need class indices of shape .*: H = 2\*\(H \/\/ 2\)/, zeros(1, 4, 5), positions(1, 5));
  refuse('of_matmul_gradient', /the inner sizes of a product are equal .*: A\*B = C\*D/, zeros(1, 4), zeros(1, 5));
});

test.run();
