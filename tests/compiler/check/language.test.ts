// Names, sizes, compile-time values and control flow of the language.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../../compiler/index.js';
import { diagnosticsOf, f32, i64, memoryHost, programOf, results } from '../../support/program.js';

const entry = (text: string, name = 'f') => programOf(text).entries.find((candidate) => candidate.name === name);
const codes = (text: string) => diagnosticsOf(text).map(({ code }) => code);

test('a layer that is not imported is found where users import it from', () => {
  const help = (layer: string): readonly (string | undefined)[] =>
    diagnosticsOf(`export fn f(net: ${layer}, x: f32[3, 2]) -> f32 = sum(x)`).map((diagnostic) => diagnostic.help);
  assert.equal(help('LSTM(2, 3)'), ['import it: import std.nn { LSTM }']);
  assert.equal(help('Linear(2, 3)'), ['import it: import std.nn { Linear }']);
});

test('a dimension is bound anew in every call', () => {
  const text = `dim B
fn total(x: f32[B, 2]) -> f32 = sum(x) / B
export fn f(x: f32[B, 2]) -> (f32, f32) = (total(x), total(cat([x, x])))`;
  assert.equal(results(text, f32([2, 2], [1, 2, 3, 4])), [[5], [5]]);
  assert.equal(entry(text)?.symbols, ['B']);
});

test('rest shapes and dtype variables', () => {
  const text = `fn scaled[T: float](x: T[*S, n], by: T) -> T[*S, n] = x * by
export fn f(x: f32[2, 3], y: f64[3]) -> (f32[2, 3], f64[3]) = (scaled(x, 2), scaled(y, 3.0))`;
  const types = entry(text)?.result;
  assert.is(types?.kind, 'tuple');
  assert.equal(codes(`fn scaled[T: float](x: T[*S]) -> T[*S] = x\nexport fn f(x: i64[3]) -> i64[3] = scaled(x)`), [
    'E0301',
  ]);
});

test('sizes that must be equal become one dimension of the entry', () => {
  const text = 'export fn f[n, m](x: f32[n], y: f32[m]) -> f32[n] = x + y';
  assert.is(entry(text)?.symbols.length, 1);
  const fixed = 'export fn f[n](x: f32[n], w: f32[3]) -> f32 = sum(x * w)';
  assert.equal(entry(fixed)?.symbols, []);
  assert.equal(results(fixed, f32([3], [1, 2, 3]), f32([3], [1, 1, 1])), [[6]]);
});

test('what cannot be decided about sizes is checked on entry', () => {
  const text = 'export fn f[n](x: f32[n]) -> f32[n - 2] = narrow(x, 0, 1, n - 2)';
  const constraints = entry(text)?.constraints ?? [];
  assert.equal(
    constraints.map(({ left }) => left.key),
    ['n - 2'],
  );
  const reshaped = 'export fn f[n](x: f32[n]) -> f32[n // 2, 2] = reshape(x, [-1, 2])';
  const [even] = entry(reshaped)?.constraints ?? [];
  assert.is(`${even?.left.key} = ${even?.right?.key}`, 'n = 2*(n // 2)');
});

test('dimensions can be fixed from outside', () => {
  const text = 'dim B\nexport fn f(x: f32[B, 2]) -> f32[B] = sum(x, dim: 1) * B';
  const program = programOf(text, { dims: { B: 3 } });
  assert.equal(program.entries[0]?.symbols, []);
});

test('sizes are numbers of the program', () => {
  const text = `export fn f[n, m](x: f32[n, m]) -> (f32, i64, f32[m * n]) = (sum(x) / (n * m), n + 1, reshape(x, [m * n]))`;
  assert.equal(results(text, f32([2, 2], [1, 2, 3, 6])), [[3], [3], [1, 2, 3, 6]]);
});

test('compile-time values: lists, strings, comprehensions, conditions', () => {
  const text = `let sizes = [2 * i for i in 1..4 if i != 2]
fn pick(name: string) -> float = if name == "b" { 2.5 } else if name + "x" == "cx" { 3.5 } else { 0.0 }
fn count(xs: [int]) -> int {
  let total = 0
  for x in xs { total += x }
  total
}
export fn f() -> (i64[2], f32, i64, i64) {
  let { a, b: (c, _) } = { a: sizes[-1], b: (len(sizes), 1) }
  (tensor(sizes), pick("b") + pick("c"), count(sizes + [a]), c)
}`;
  assert.equal(results(text), [[2, 6], [6], [14], [2]]);
});

test('functions are values', () => {
  const text = `fn twice(g: fn(f32) -> f32, x: f32) -> f32 = g(g(x))
export fn f(x: f32) -> (f32, f32, f32) {
  let k = 3.0
  (twice(y => y * k, x), x |> exp |> log |> maximum(0.5), twice(relu, -x))
}`;
  const [a, b, c] = results(text, f32([], [2])).map(([value]) => value ?? 0);
  assert.equal([a, Math.round(b ?? 0), c], [18, 2, 0]);
});

test('recursion that ends when compiling', () => {
  const text = `fn power(x: f32, n: int) -> f32 = if n == 0 { 1.0 } else { x * power(x, n - 1) }
export fn f(x: f32) -> f32 = power(x, 5)`;
  assert.equal(results(text, f32([], [2])), [[32]]);
});

test('folds and scans over sequences of known length', () => {
  const text = `export fn f(xs: f32[3, 2], h: f32[2]) -> (f32[2], f32[3, 2], f32[2], i64) {
  let last = fold xs from h { (h, x) => h * 2 + x }
  let (all, final) = scan xs from h { (h, x) => let next = h + x; (next, next) }
  (last, all, final, fold 0..4 from 0 { (n, i) => n + i })
}`;
  const results_ = results(text, f32([3, 2], [1, 2, 3, 4, 5, 6]), f32([2], [1, 0]));
  assert.equal(results_, [[23, 22], [2, 2, 5, 6, 10, 12], [10, 12], [6]]);
});

test('numbers take the dtype of the tensor that they meet', () => {
  const text =
    'export fn f(x: i64[2], y: f32[2]) -> (i64[2], f32[2], f32[2], f32[2], i64[2]) = (x + 1, x * 0.5, x / 2, y + x, x // 2)';
  assert.equal(results(text, i64([2], [3, -3]), f32([2], [0.5, 1])), [
    [4, -2],
    [1.5, -1.5],
    [1.5, -1.5],
    [3.5, -2],
    [1, -2],
  ]);
});

test('indexing', () => {
  const text = `export fn f[n](x: f32[n, 4], i: i64[2]) -> (f32, f32[2], f32[1, 4], f32[2, 4], f32[2], f32[4]) =
  (x[-1, 0], x[0, ::2], x[none, 1], x[i], x[i, i], x[i[0]])`;
  const x = f32([2, 4], [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal(results(text, x, i64([2], [1, -2])), [
    [5],
    [1, 3],
    [5, 6, 7, 8],
    [5, 6, 7, 8, 1, 2, 3, 4],
    [6, 3],
    [5, 6, 7, 8],
  ]);
  const slices = 'export fn f[n](x: f32[n]) -> f32[_] = x[1:3]';
  const run = (length: number) => results(slices, f32([length], [1, 2, 3, 4].slice(0, length)));
  assert.equal([run(4), run(2), run(0)], [[[2, 3]], [[2]], [[]]]);
});

test('slices of run-time sizes: bounds counted from the end, starts that lie inside, one element that repeats', () => {
  const text = (body: string) => `export fn f[n, k](x: f32[n], y: f32[k]) -> f32[_] = ${body}`;
  const of = (body: string, x: readonly number[], y: readonly number[]) =>
    results(text(body), f32([x.length], x), f32([y.length], y))[0];
  const checked = (body: string) => entry(text(body))?.constraints.map(({ left, right }) => [left.key, right?.key]);
  assert.equal(of('cat([x[-k:], y])', [1, 2, 3], [7, 8]), [2, 3, 7, 8]);
  assert.equal(of('cat([x[-k:], y])', [1], [7, 8]), [1, 7, 8]);
  assert.equal(of('cat([x[:-k], y])', [1, 2, 3], [7]), [1, 2, 7]);
  assert.equal(of('x[-k] + y', [1, 2, 3], [7, 8]), [9, 10]);
  assert.equal(of('cat([x[n - k:], y])', [1, 2, 3], [7, 8]), [2, 3, 7, 8]);
  assert.equal(checked('cat([x[n - k:], y])'), [['-k + n', undefined]]);
  assert.equal(checked('cat([update(x, [n - k:], 0), y])'), [['-k + n', undefined]]);
  assert.equal(of('x[:1] + y', [1, 2, 3], [7, 8]), [8, 9]);
  assert.equal(of('y * x[-1:] - x[0:1]', [1, 2, 3], [7]), [20]);
  assert.equal(of('expand(x[:1] + y[0], [5])', [1, 2, 3], [7]), [8, 8, 8, 8, 8]);
  assert.equal(of('where(x[:1] > 0, y, x[-1:])', [1, 2, 3], [7, 8]), [7, 8]);
  assert.equal(of('grad(x => sum(x[:1] * y))(x)', [1, 2, 3], [7, 8]), [15, 0, 0]);
  assert.equal(checked('x[:1] + y'), [['max(-max(1, n) + n + 1, 0)', '1']]);
  const stacked = 'export fn f[n, m](x: f32[n, 1, 2], y: f32[m, 2, 1]) -> f32[m, 1, 1] = x[:1] @ y';
  assert.equal(results(stacked, f32([2, 1, 2], [1, 2, 3, 4]), f32([2, 2, 1], [1, 0, 0, 1])), [[1, 2]]);
});

test('index tensors beside other items', () => {
  const text = `export fn f(x: f32[2, 2, 3], i: i64[2]) -> (f32[2, 2], f32[2, 2], f32[2, 2]) = (x[0, :, i], x[:, 0, i], x[i, 0, 1:])`;
  const x = f32([2, 2, 3], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  // Ints remove their axes first, so a slice between an int and the index tensor changes nothing, as in PyTorch.
  assert.equal(results(text, x, i64([2], [1, 0])), [
    [1, 0, 4, 3],
    [1, 0, 7, 6],
    [7, 8, 1, 2],
  ]);
});

test('updates give tensors with other elements', () => {
  const text = `export fn f(x: f32[2, 4], v: f32[2], i: i64[2]) -> (f32[2, 4], f32[2, 4], f32[2, 4], f32[2, 4]) =
  (update(x, [1, 1:3], v), update(x, [..., ::2], 9), update(x, [i, i], v), update(x, 0, -1.0))`;
  const x = f32([2, 4], [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.equal(results(text, x, f32([2], [10, 20]), i64([2], [1, -2])), [
    [0, 1, 2, 3, 4, 10, 20, 7],
    [9, 1, 9, 3, 9, 5, 9, 7],
    [0, 1, 20, 3, 4, 10, 6, 7],
    [-1, -1, -1, -1, 4, 5, 6, 7],
  ]);
  const gradient =
    'export fn f(x: f32[4], v: f32[2]) -> (f32[4], f32[2]) = grad((x, v) => sum(update(x, [1:3], v) ** 2), wrt: [0, 1])(x, v)';
  assert.equal(results(gradient, f32([4], [1, 2, 3, 4]), f32([2], [5, 6])), [
    [2, 0, 0, 8],
    [10, 12],
  ]);
});

test('methods of tensors are functions', () => {
  const text = 'export fn f(x: f32[2, 3]) -> (f32[2], f32[3, 2], i64) = (x.sum(dim: 1), x.T, x.shape[1] * x.ndim)';
  assert.equal(results(text, f32([2, 3], [1, 2, 3, 4, 5, 6])), [[6, 15], [1, 4, 2, 5, 3, 6], [6]]);
});

test('files import from each other', () => {
  const host = memoryHost({
    'main.td': 'import "./lib.td" { double as twice, Scale }\nexport fn f(net: Scale, x: f32) -> f32 = twice(net(x))',
    'lib.td':
      'fn double(x: f32) -> f32 = 2 * _one(x)\nfn _one(x: f32) -> f32 = x\nmodel Scale {\n  param w: f32 = 3\n  fn forward(x: f32) -> f32 = double(w * x)\n}',
  });
  const { program, diagnostics } = compile('main.td', host);
  assert.equal(diagnostics, []);
  assert.equal(
    program?.state.map(({ path }) => path),
    ['net.w'],
  );
});

test('several errors are reported at once, and what follows from them is not', () => {
  const text = `export fn f(x: f32[3], y: f32[4]) -> f32[3] {
  let a = x + y
  let b = a * 2
  let c = unknown(x)
  x @ y
}
fn g(x: f32[2]) -> f32[3] = x`;
  assert.equal(codes(text), ['E0304', 'E0201', 'E0312', 'E0302']);
});

test('entries know their arguments, results and documentation', () => {
  const text = `dim B
## Says hello.
export fn f(x: { a: f32[B], b: (i64[B], bool) }) -> { sum: f32, parts: (f32[B], i64) } = { sum: sum(x.a), parts: (x.a, sum(x.b[0])) }`;
  const found = entry(text);
  assert.is(found?.doc, 'Says hello.');
  assert.equal(
    found?.inputs.map((input) => (input.kind === 'argument' ? input.path : '')),
    ['x.a', 'x.b.0', 'x.b.1'],
  );
  assert.equal(
    found?.outputs.map((output) => (output.kind === 'result' ? output.path : '')),
    ['sum', 'parts.0', 'parts.1'],
  );
  assert.is(found?.arguments[0]?.structure.kind, 'record');
});

test('functions that are named become entries', () => {
  const { program } = compile('main.td', memoryHost({ 'main.td': 'fn g(x: f32[n], y: f32[n]) -> f32[n] = x + y' }), {
    entries: ['g'],
  });
  assert.equal(
    program?.entries.map(({ name }) => name),
    ['g'],
  );
});

test('a cast takes compile-time numbers as they are written', () => {
  const text = `export fn f(x: f32[1]) -> (f64, f64[1], i64, i8, f32[1]) =
  (cast(0.1, f64), linspace(0.1, 0.1, 1, dtype: f64), cast(16777217.0, i64), cast(-1.5, i8), x)`;
  assert.equal(results(text, f32([1], [0])), [[0.1], [0.1], [16777217], [-1], [0]]);
});

test('a recursion on a size ends when compiling, and a function that recurs is checked where it is used', () => {
  const total = 'fn total(a: f32[n], b: f32[n]) -> f32 = if n == 1 { a[0] } else { b[0] + total(a[1:], b[1:]) }';
  assert.equal(codes(total), []);
  assert.equal(results(`${total}\nexport fn f(x: f32[3]) -> f32 = total(x, 2 * x)`, f32([3], [1, 2, 3])), [[9]]);
  assert.equal(codes(`dim n\n${total}\nexport fn f(x: f32[n]) -> f32 = total(x, x)`), ['E0408']);
});

test('a size that no argument says is refused', () => {
  const [found] = diagnosticsOf('dim N, M\nexport fn f(x: f32[N, 2]) -> f32[M, 4] = zeros([M, 4]) + sum(x)');
  assert.is(found?.code, 'E0307');
  assert.match(found?.message ?? '', /`M` is that of no argument/);
  const inside = (body: string) => codes(`export fn f[M](x: f32[3]) -> f32[3] = ${body}`);
  assert.equal(inside('x + sum(zeros([M]))'), ['E0307']);
  assert.equal(inside('if x[0] > 0 { x + sum(zeros([M])) } else { x }'), ['E0307']);
  assert.equal(inside('fold x from x { (s, v) => s + v + sum(zeros([M])) }'), ['E0307']);
  assert.equal(diagnosticsOf('dim N\nexport fn f(x: f32[N, 2], M: dim) -> f32[M, N] = zeros([M, N]) + sum(x)'), []);
});

test.run();
