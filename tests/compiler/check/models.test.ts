// Models: fields, places, sharing, modes, state across entries, and walks over trees.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diagnosticsOf, f32, instanceOf, numbers, programOf, results } from '../../support/program.js';

const paths = (text: string): readonly string[] =>
  programOf(text).state.map(({ path, role, shape }) => `${role} ${path}[${shape}]`);

test('fields have dotted paths; lists are numbered; conditions and constants are compile-time', () => {
  const text = `import std.nn { Linear }
model Net(n: int = 2, bias: bool = false, deep: bool = true) {
  let wide = 2 * n
  layers: [Linear(n, wide, bias: bias), Linear(wide, n)]
  extra: [Linear(i, i + 1, bias: false) for i in 1..3]
  if deep { param scale: f32[n] = ones } else { param other: f32 = 0 }
  fn forward(x: f32[*S, n]) -> f32[*S, n] = layers[1](layers[0](x)) * scale
}
export fn f(net: Net, x: f32[3, 2]) -> f32[3, 2] = net(x)`;
  assert.equal(paths(text), [
    'param net.layers.0.weight[4,2]',
    'param net.layers.1.weight[2,4]',
    'param net.layers.1.bias[2]',
    'param net.extra.0.weight[2,1]',
    'param net.extra.1.weight[3,2]',
    'param net.scale[2]',
  ]);
});

test('initial values: numbers, functions, calls without a size, other arguments', () => {
  const text = `model M(a: float = 3.0) {
  param w: f32[2] = a
  param x: f32[2] = ones
  param y: f64[2] = full(fill_value: 2.5)
  param z: f32[2] = if a > 2 { constant(value: 7) } else { zeros }
  param t: f32[2] = tensor([1.0, 2.0]) + 1
  state a: f32 = a
}
export fn f(m: M) -> (f32[2], f32[2], f64[2], f32[2], f32[2], f32) = (m.w, m.x, m.y, m.z, m.t, m.a)`;
  assert.equal(results(text), [[3, 3], [1, 1], [2.5, 2.5], [7, 7], [2, 3], [3]]);
});

test('the initial value of a leaf depends on its path and the seed alone', () => {
  const model = (more: string) => `model M {
  ${more}
  param w: f32[4] = normal(std: 1.0)
}
export fn f(m: M) -> f32[4] = m.w`;
  const plain = results(model(''))[0];
  assert.equal(results(model('param v: f32[9] = normal(std: 1.0)'))[0], plain);
  assert.is.not(new Set(plain).size, 1);
});

test('an optimizer has state like its model, and changes it', () => {
  const text = `model Net {
  param w: f32[2] = 1.0
  param b: f32 = 0.5
  fn forward(x: f32[2]) -> f32 = sum(w * x) + b
}
model SGD[M: model](net: M, lr: float = 0.01, momentum: float = 0.0) {
  state lr: f32 = lr
  state m: like(net) = zeros
  fn step(net: mut M, g: like(net)) {
    map (path, p, d, m) over (net, g, m) { m = momentum * m + d; p = p - lr * (if path == "b" { 0 * m } else { m }) }
  }
}
export fn f(net: mut Net, opt: mut SGD(net, lr: 0.5, momentum: 0.5), x: f32[2]) -> f32 {
  let (l, g) = value_and_grad((n, x) => n(x), wrt: n)(net, x)
  opt.step(net, g)
  l
}
export fn read(net: Net, opt: SGD(net, lr: 0.5, momentum: 0.5)) -> (f32[2], f32, f32[2]) = (net.w, net.b, opt.m.w)`;
  const instance = instanceOf(text);
  const x = f32([2], [1, 2]);
  assert.equal(instance.run('f', [x]).map(numbers), [[3.5]]);
  assert.equal(instance.run('read', []).map(numbers), [[0.5, 0], [0.5], [1, 2]]);
  instance.run('f', [x]);
  assert.equal(instance.run('read', []).map(numbers), [[-0.25, -1.5], [0.5], [1.5, 3]]);
  assert.equal(
    instance.program.state.map(({ path }) => path),
    ['net.w', 'net.b', 'opt.lr', 'opt.m.w', 'opt.m.b'],
  );
});

test('constants and functions that give models with their arguments are types', () => {
  const text = `import std.nn { Linear, ReLU, Sequential }
import std.optim { SGD }
let Net = Sequential([Linear(4, 3), ReLU(), Linear(3, 1)])
fn Opt(net: model) = SGD(net, lr: 0.05, momentum: 0.9)
fn wide(n: int) = Linear(4, n)
fn widest() = Linear(4, 9)
fn learn(net: mut Net, opt: mut Opt(net), x: f32[2, 4]) -> f32 {
  let (l, g) = value_and_grad(net => mean(net(x)))(net)
  opt.step(net, g)
  l
}
export fn f(a: mut Net, b: Net, opt: mut Opt(a), c: wide(5), x: f32[2, 4]) -> f32 = learn(a, opt, x) + sum(b(x)) + sum(c(x))`;
  const layers = (net: string) => [
    `${net}.0.weight[3,4]`,
    `${net}.0.bias[3]`,
    `${net}.2.weight[1,3]`,
    `${net}.2.bias[1]`,
  ];
  assert.equal(paths(text), [
    ...['a', 'b'].flatMap((net) => layers(net).map((leaf) => `param ${leaf}`)),
    'state opt.lr[]',
    ...layers('opt.momentum_buffer').map((leaf) => `state ${leaf}`),
    'param c.weight[5,4]',
    'param c.bias[5]',
  ]);
  const refused = (rest: string) =>
    diagnosticsOf(`import std.nn { Linear }\nlet Net = Linear(4, 3)\nfn bad(n: int) = n\n${rest}`).map(
      ({ code, message }) => `${code} ${message}`,
    );
  assert.equal(refused('export fn f(net: Net(3), x: f32) -> f32 = x'), [
    'E0211 `Net` has its arguments: it is a model Linear',
  ]);
  assert.equal(refused('export fn f(net: bad(3), x: f32) -> f32 = x'), ['E0301 `bad` gives the int 3, not a model']);
  assert.equal(refused('export fn f(net: bad, x: f32) -> f32 = x'), [
    'E0201 `bad` is not a type, but the function bad',
  ]);
});

test('an exported block without a type of its result is there for its effects; one that gives a value is refused', () => {
  const text = (end: string): string => `model M { param w: f32[2] = zeros }
export fn reset(net: mut M) {
  map (p) over (net) { p = p + 1 }${end}
}
export fn f(net: M) -> f32[2] = net.w`;
  const instance = instanceOf(text(''));
  assert.equal(instance.run('reset', []), []);
  assert.equal(instance.run('f', []).map(numbers), [[1, 1]]);
  assert.equal(
    diagnosticsOf(text('\n  net.w')).map(({ code }) => code),
    ['E0112'],
  );
});

test('a plain parameter trains where it comes from a mutable one, and `train` and `eval` override', () => {
  const text = `model M {
  buffer seen: f32 = 0.0
  fn forward(x: f32) -> f32 {
    if training { seen = seen + x }
    if training { x } else { -x }
  }
}
fn loss(m: M, x: f32) -> f32 = m(x)
export fn f(m: mut M, x: f32) -> (f32, f32, f32) = (loss(m, x), loss(m.eval(), x), m.seen)
export fn g(m: M, x: f32) -> (f32, f32) = (loss(m, x), m.seen)`;
  const instance = instanceOf(text);
  assert.equal(instance.run('f', [f32([], [2])]).map(numbers), [[2], [-2], [2]]);
  assert.equal(instance.run('g', [f32([], [2])]).map(numbers), [[-2], [2]]);
});

test('a model passed to a model is shared; one described there gets its place', () => {
  const text = `model Scale(by: float) {
  param w: f32 = by
  fn forward(x: f32) -> f32 = w * x
}
model Twice[M: model](inner: M) {
  inner: inner
  fn forward(x: f32) -> f32 = inner(inner(x))
}
model Chain(parts...: model) {
  parts: parts
  fn forward(x: f32) -> f32 {
    for part in parts { x = part(x) }
    x
  }
}
model Net {
  s: Scale(3.0)
  t: Twice(s)
  c: Chain(Scale(2.0), Twice(Scale(5.0)))
  fn forward(x: f32) -> f32 = t(x) + c(x)
}
export fn f(net: Net, x: f32) -> f32 = net(x)`;
  assert.equal(paths(text), ['param net.s.w[]', 'param net.c.parts.0.w[]', 'param net.c.parts.1.inner.w[]']);
  assert.equal(results(text, f32([], [1])), [[9 + 50]]);
});

test('the layers of a sequence have no name of a field in their paths', () => {
  const text = `import std.nn { Linear, ReLU, Sequential }
model Net {
  body: Sequential(Linear(2, 3), ReLU(), Sequential({ up: Linear(3, 2, bias: false) }))
  fn forward(x: f32[*S, 2]) -> f32[*S, 2] = body(x) + body[2].up(relu(body[0](x)))
}
export fn f(net: Net, x: f32[1, 2]) -> f32[1, 2] = net(x)
export fn g(net: Net, x: f32[1, 2]) -> f32[2, 3] = grad((n, x) => sum(n(x)), wrt: n)(net, x).body[2].up.weight`;
  assert.equal(paths(text), [
    'param net.body.0.weight[3,2]',
    'param net.body.0.bias[3]',
    'param net.body.2.up.weight[2,3]',
  ]);
});

test('walks over trees give trees, and may sum into a name around them', () => {
  const text = `export fn f(a: f32[2], b: f32) -> ({ p: f32[2], q: [f32] }, f32) {
  let total = 0.0
  let doubled = map (path, t) over ({ p: a, q: [b] }) {
    total += sum(t * t)
    if path == "q.0" { 3 * t } else { 2 * t }
  }
  (doubled, total)
}`
    .replace('[f32]', '(f32,)')
    .replace('q: [b]', 'q: (b,)');
  assert.equal(results(text, f32([2], [1, 2]), f32([], [4])), [[2, 4], [12], [21]]);
});

test('draws repeat with the seed and go on from call to call', () => {
  const text = `import std.nn { Dropout }
export fn f(net: mut Dropout(0.5), x: f32[64]) -> f32[64] = net(x)
export fn g(net: Dropout(0.5), x: f32[64]) -> f32[64] = net(x)`;
  const x = f32([64], new Array(64).fill(1));
  const [first, second] = [instanceOf(text), instanceOf(text)];
  const run = (instance: typeof first, entry: string) => numbers(instance.run(entry, [x])[0] ?? x);
  const draws = [run(first, 'f'), run(first, 'f')];
  assert.not.equal(draws[0], draws[1]);
  assert.equal([run(second, 'f'), run(second, 'f')], draws);
  assert.equal(run(first, 'g'), numbers(x));
});

test.run();
