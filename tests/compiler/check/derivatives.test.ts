// Derivatives of functions, methods and models, nested and by several arguments.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diagnosticsOf, f32, f64, i64, instanceOf, numbers, programOf, results } from '../../support/program.js';

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

test('what a function gives beside the value passes by the derivative', () => {
  const loss =
    'fn loss(w: f64[3], x: f64[3]) -> (f64, { y: f64[3], n: i64 }) = (sum(w * x * x), { y: w * x, n: sum(x > 0) })';
  const of = (result: string, body: string) =>
    results(`${loss}\nexport fn f(w: f64[3], x: f64[3]) -> ${result} = ${body}`, f64([3], [1, 1, 2]), x3);
  const aux = '{ y: f64[3], n: i64 }';
  assert.equal(of(`((f64, ${aux}), f64[3])`, 'value_and_grad(loss, has_aux: true)(w, x)'), [
    [23],
    [1, 2, 6],
    [3],
    [1, 4, 9],
  ]);
  assert.equal(of(`(f64[3], ${aux})`, 'grad(loss, wrt: x, has_aux: true)(w, x)'), [[2, 4, 12], [1, 2, 6], [3]]);
  const nested = 'grad(x => { let (g, aux) = grad(loss, has_aux: true)(w, x); sum(g) + sum(aux.y) })(x)';
  assert.equal(of('f64[3]', nested), [[3, 5, 8]]);
});

test('the report of a function with two results names has_aux, and that of has_aux what it takes', () => {
  const report = (body: string): string => {
    const [found] = diagnosticsOf(`export fn f(x: f32[3]) -> f32[3] = ${body}`);
    return `${found?.code} ${found?.message} ${found?.help}`;
  };
  assert.match(report('grad(x => (sum(x), x))(x)'), /E0501 .*gives \(f32, f32\[3\]\).*grad\(f, has_aux: true\)/);
  assert.match(report('grad(x => sum(x), has_aux: true)(x)'), /E0501 .*takes a function that gives \(value, aux\)/);
  assert.match(report('grad(x => (x, x), has_aux: true)(x)'), /E0501 .*differentiates a scalar/);
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

test('by parts of arguments: of models, records and lists', () => {
  const text = `import std.nn { Linear, Sequential }
model M {
  fc1: Linear(2, 2, bias: false)
  all: [Linear(2, 2, bias: false), Linear(2, 1, bias: false)]
  fn forward(x: f32[2]) -> f32 = sum(all[1](all[0](fc1(x))))
}
fn loss(m: M, p: { a: f32[2], more: [f32[2]] }) -> f32 = m(p.a) + 3 * sum(p.more[1] * p.a)
export fn f(m: M, a: f32[2]) -> (f32[2, 2], f32[2, 2], f32[2, 2], f32[1, 2], f32[2], f32[2], f32[2]) {
  let p = { a: a, more: [a, 2 * a] }
  let whole = grad(loss)(m, p)
  let (d, w, v) = grad(loss, wrt: [m.fc1, m.all[0].weight, p.more[1]])(m, p)
  (d.weight - whole.fc1.weight, w, whole.all[0].weight, grad(loss, wrt: "m.all.1")(m, p).weight - whole.all[1].weight,
   v, grad(loss, wrt: p.a)(m, p) - grad(loss, wrt: p)(m, p).a, jacobian(loss, wrt: p.more)(m, p)[0])
}`;
  const [d, w, all, last, v, a, more] = instanceOf(text)
    .run('f', [f32([2], [1, 2])])
    .map(numbers);
  assert.equal(
    [d, last, v, a, more],
    [
      [0, 0, 0, 0],
      [0, 0],
      [3, 6],
      [0, 0],
      [0, 0],
    ],
  );
  assert.equal(w, all);
});

test('a part that there is not is refused', () => {
  const of = (wrt: string) =>
    diagnosticsOf(`fn g(p: { a: f32, b: f32 }) -> f32 = p.a * p.b
export fn f(a: f32) -> any = grad(g, wrt: ${wrt})({ a: a, b: a })`);
  assert.equal(of('p.b'), []);
  assert.equal(of('[p.a, p.b]'), []);
  const [found] = of('p.c');
  assert.is(found?.code, 'E0503');
  assert.match(found?.message ?? '', /there is no `c` in/);
  assert.equal(
    of('p.a.x').map(({ code }) => code),
    ['E0503'],
  );
});

test('gathers and scatters with repeated indices have exact gradients', () => {
  const text = `export fn f(x: f64[4], u: f64[3], i: i64[3], m: f64[4, 2]) -> (f64[4], f64[4], f64[3], f64[4], f64[3], f64[4, 2]) = (
  grad(x => sum(x[i] * u))(x),
  grad(x => sum(scatter_add(x, 0, i, u) ** 2))(x),
  grad(u => sum(scatter_add(x, 0, i, u) ** 2))(u),
  grad(x => sum(index_put(x, [i], u) ** 2))(x),
  grad(u => sum(index_put(x, [i], u) ** 2))(u),
  grad(m => sum(m[i, i - 1] ** 2))(m))`;
  const inputs = [
    f64([4], [1, 2, 3, 4]),
    f64([3], [5, 7, 11]),
    i64([3], [2, 1, 2]),
    f64([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
  ];
  assert.equal(results(text, ...inputs), [
    [0, 7, 16, 0],
    [2, 18, 38, 8],
    [38, 18, 38],
    [2, 0, 0, 8],
    // Of equal indices the last one wins.
    [0, 14, 22],
    [0, 0, 6, 0, 0, 24, 0, 0],
  ]);
});

test('lists of records as arguments', () => {
  const text = `fn energy(bodies: [{ m: f64, p: f64[2] }]) -> f64 =
  sum(stack([a.m * b.m * sum(a.p * b.p) for a in bodies for b in bodies]))
export fn f(p: f64[2, 2], m: f64) -> any = grad(energy)([{ m: m, p: p[0] }, { m: 2 * m, p: p[1] }])`;
  // E = |m₁p₁ + m₂p₂|²
  assert.equal(results(text, f64([2, 2], [1, 2, 3, 4]), f64([], [1])), [
    [2 * (7 * 1 + 10 * 2)],
    [14, 20],
    [2 * (7 * 3 + 10 * 4)],
    [28, 40],
  ]);
});

test.run();
