// Programs that the interpreter runs behind a session: calls, state, shared names, files, and models as text.

import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { evaluate, interpret } from '../../cli/api.js';
import { packageRoot } from '../../cli/package.js';
import type { AsyncMethod, Method } from '../../runtime/method.js';
import type { Session } from '../../runtime/session.js';
import { Tensor } from '../../runtime/tensor.js';

interface Regression extends Session {
  readonly net: { readonly weight: Tensor; readonly bias: Tensor };
  readonly opt: { lr: number };
  readonly predict: Method<{ x: Tensor }, Tensor>;
  readonly predictAsync: AsyncMethod<{ x: Tensor }, Tensor>;
  readonly trainStep: Method<{ x: Tensor; y: Tensor }, Tensor<'f32', []>>;
  readonly trainStepAsync: AsyncMethod<{ x: Tensor; y: Tensor }, Tensor>;
}

const regression = {
  text: `
import std.nn { Linear }
import std.optim { SGD }
dim B
fn loss(net: Linear(2, 1), x: f32[B, 2], y: f32[B, 1]) -> f32 = mse_loss(net(x), y)
export fn predict(net: Linear(2, 1), x: f32[B, 2]) -> f32[B, 1] = net(x)
export fn train_step(net: mut Linear(2, 1), opt: mut SGD(net, lr: 0.1), x: f32[B, 2], y: f32[B, 1]) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x, y)
  opt.step(net, g)
  l
}
`,
};

const data = () => ({
  x: Tensor.from(
    [
      [1, 0],
      [0, 1],
      [1, 1],
    ],
    { dtype: 'f32' },
  ),
  y: Tensor.from([[2], [3], [5]], { dtype: 'f32' }),
});

test('an interpreted session trains, queues asynchronous calls and keeps its state', async () => {
  const s = await interpret<Regression>(regression, { seed: 3 });
  const { x, y } = data();
  const first = s.trainStep({ x, y }).item();
  await Promise.all(Array.from({ length: 100 }, () => s.trainStepAsync({ x, y })));
  assert.ok(s.trainStep({ x, y }).item() < 1e-2 * first);
  assert.ok(s.predict({ x }).allClose(y, { atol: 0.2 }));
  assert.is(s.predict({ x: x.slice(0, 1) }).shape[0], 1);
  s.opt.lr = 0;
  const before = s.net.weight.clone();
  s.trainStep({ x, y });
  assert.ok(s.net.weight.equals(before));
  s.net.weight.fill(0);
  s.net.bias.fill(7);
  assert.equal((await s.predictAsync({ x })).toArray(), [[7], [7], [7]]);
  assert.throws(() => s.predict({ x: Tensor.ones([1, 3]) }), /dimension 1 is 3, not 2/);
});

test('the initial state and the files are those of compiled modules', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tdsl-interpreted-'));
  try {
    const [a, b] = [
      await interpret<Regression>(regression, { seed: 1 }),
      await interpret<Regression>(regression, { seed: 2 }),
    ];
    assert.not.ok(a.net.weight.equals(b.net.weight));
    await a.save(path.join(folder, 'a.safetensors'));
    await b.load(path.join(folder, 'a.safetensors'));
    assert.ok(a.net.weight.equals(b.net.weight));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('errors of a program are thrown with the diagnostics', async () => {
  const message = await interpret({ text: 'export fn f(x: f32[2]) -> f32[3] = x\n' }).then(String, String);
  assert.match(message, /E0\d\d\d/);
  assert.match(message, /program\.td/);
});

test('errors of values carry codes', async () => {
  type Failing = Session & Record<'pick' | 'most' | 'reach' | 'part', Method<{ i: Tensor }, Tensor>>;
  const text = `
export fn pick(i: i64[n]) -> f32[n] = index_select(tensor([1.5, 2.5]), 0, i)
export fn most(i: i64[_]) -> i64[] = max(i)
export fn reach(i: i64[1]) -> i64[1] = while sum(i) < 100 max 3 from i = i { i + 1 }
export fn part(i: i64[n]) -> i64[n - 2] = zeros([n - 2], i64) + sum(i)
`;
  const s = await interpret<Failing>({ text });
  assert.equal(s.pick({ i: Tensor.from([1, 0]) }).toArray(), [2.5, 1.5]);
  const failing: readonly [string, () => unknown][] = [
    ['TDSL_INDEX', () => s.pick({ i: Tensor.from([2]) })],
    ['TDSL_VALUE', () => s.most({ i: Tensor.zeros([0], { dtype: 'i64' }) })],
    ['TDSL_LIMIT', () => s.reach({ i: Tensor.from([2]) })],
    ['TDSL_SHAPE', () => s.part({ i: Tensor.from([2]) })],
  ];
  for (const [code, call] of failing) {
    try {
      call();
      assert.unreachable();
    } catch (error) {
      assert.is((error as { code?: string }).code, code);
    }
  }
});

test('expressions are evaluated over tensors', () => {
  const x = Tensor.from([1, 2, 3], { dtype: 'f32' });
  const [sum, largest] = evaluate('(sum(x), max(x, dim: 0)[1])', { x });
  assert.equal([sum?.item(), largest?.item()], [6, 2]);
  assert.is(evaluate('cast(x, bf16) / 3', { x })[0]?.dtype, 'bf16');
  assert.ok(evaluate('rand([3])', {}, { seed: 5 })[0]?.equals(evaluate('rand([3])', {}, { seed: 5 })[0] as Tensor));
});

const declared = (model: string, imports: string) =>
  interpret({ text: `${imports}\n${model}\nexport fn use(net: Net) -> f32 = 0.0\n` });

test('a shared layer is one set of parameters under two names', async () => {
  const s = await declared(
    'model Net { embed: Embedding(4, 2)\n let block = Linear(2, 2)\n layers: [block, ReLU(), block]\n head: tied(embed.weight) }',
    'import std.nn { Embedding, Linear, ReLU }',
  );
  const names = (entries: readonly (readonly [string, Tensor])[]) => entries.map(([name]) => name);
  assert.equal(names(s.namedParameters({ root: 'net' })), ['embed.weight', 'layers.0.weight', 'layers.0.bias']);
  const state = s.stateDict({ root: 'net' });
  const all = ['embed.weight', 'layers.0.weight', 'layers.0.bias', 'layers.2.weight', 'layers.2.bias', 'head'];
  assert.equal(Object.keys(state), all);
  assert.is(state['layers.2.weight'], state['layers.0.weight']);
  assert.is(state.head, state['embed.weight']);
  assert.is(s.parameters().length, 3);
  assert.equal(s.namedModules(), [
    ['', 'Net'],
    ['embed', 'Embedding'],
    ['layers', 'ModuleList'],
    ['layers.0', 'Linear'],
    ['layers.1', 'ReLU'],
  ]);
});

test('models print as in PyTorch', async () => {
  const cases = JSON.parse(
    readFileSync(path.join(packageRoot, 'tests', 'samples', 'print', 'modules.json'), 'utf8'),
  ) as readonly { readonly tdsl: string; readonly text: string }[];
  const layers = new Set(cases.flatMap(({ tdsl }) => tdsl.match(/\b[A-Z]\w+(?=\()/g) ?? []));
  const fields = cases.map(({ tdsl }, i) => `layer${i}: ${tdsl}`);
  const s = await declared(`model Net {\n${fields.join('\n')}\n}`, `import std.nn { ${[...layers].join(', ')} }`);
  for (const [i, { text }] of cases.entries()) assert.is(s.describeModel(`net.layer${i}`), text);
});

test('gradients of a shared parameter add up over its uses', async () => {
  // What two layers with equal weights get together is what one layer in both places gets.
  const s = await interpret<
    Session & { shared: Method<{ x: Tensor }, Tensor[]>; apart: Method<{ x: Tensor }, Tensor[]> }
  >({
    text: `
import std.nn { Linear }
model Shared { let block = Linear(2, 2)\n layers: [block, block]\n again: tied(block.weight) }
model Apart { a: Linear(2, 2)\n b: Linear(2, 2) }
fn shared_loss(net: Shared, x: f32[2]) -> f32 = sum(net.layers[1](tanh(net.layers[0](x))) ** 2) + sum(net.again)
fn apart_loss(net: Apart, x: f32[2]) -> f32 = sum(net.b(tanh(net.a(x))) ** 2)
export fn shared(one: Shared, x: f32[2]) -> (f32[2, 2], f32[2]) {
  let g = grad(shared_loss, wrt: net)(one, x)
  (g.layers[0].weight, g.layers[0].bias)
}
export fn apart(two: Apart, x: f32[2]) -> (f32[2, 2], f32[2]) {
  let g = grad(apart_loss, wrt: net)(two, x)
  (g.a.weight + g.b.weight + 1, g.a.bias + g.b.bias)
}
`,
  });
  const weight = Tensor.from([0.5, -1, 2, 0.25], { dtype: 'f32', shape: [2, 2] });
  const bias = Tensor.from([0.1, -0.2], { dtype: 'f32' });
  s.loadStateDict({ 'layers.0.weight': weight, 'layers.0.bias': bias }, { root: 'one' });
  s.loadStateDict({ 'a.weight': weight, 'a.bias': bias, 'b.weight': weight, 'b.bias': bias }, { root: 'two' });
  const x = Tensor.from([1, -0.5], { dtype: 'f32' });
  const [shared, apart] = [s.shared({ x }), s.apart({ x })];
  for (const i of [0, 1])
    assert.ok(shared[i]?.allClose(apart[i] as Tensor, { rtol: 1e-5 }), `${shared[i]} ${apart[i]}`);
});

test('buffers belong to the state and not to the parameters', async () => {
  const s = await declared('model Net { bn: BatchNorm1d(2) }', 'import std.nn { BatchNorm1d }');
  const names = (entries: readonly (readonly [string, Tensor])[]) => entries.map(([name]) => name);
  assert.equal(names(s.namedParameters({ root: 'net' })), ['bn.weight', 'bn.bias']);
  const buffers = ['bn.running_mean', 'bn.running_var', 'bn.num_batches_tracked'];
  assert.equal(names(s.namedBuffers({ root: 'net' })), buffers);
});

test('models of the program print their parts, and what they say of themselves', async () => {
  const s = await declared(
    `model Scale(factor: float) {
  fn forward(x: tensor) -> tensor = factor * x
  fn extra_repr() -> string = "factor=" + repr(factor)
}
model Net {
  body: { scale: Scale(2.0), fc: Linear(2, 1) }
  heads: [ReLU()]
  param w: f32[2] = zeros
}`,
    'import std.nn { Linear, ReLU }',
  );
  assert.is(
    s.describeModel(),
    `Net(
  (body): ModuleDict(
    (scale): Scale(factor=2.0)
    (fc): Linear(in_features=2, out_features=1, bias=True)
  )
  (heads): ModuleList(
    (0): ReLU()
  )
)`,
  );
  assert.throws(() => s.describeModel('nut'), /there is no model nut; the models are net/);
});

test('functions and state that hide each other or members of the session are refused', async () => {
  const refused = async (text: string, message: RegExp): Promise<void> => {
    const error = await interpret({ text }).then(
      () => undefined,
      (reason: Error) => reason,
    );
    assert.match(error?.message ?? 'no error', message);
  };
  await refused(
    'export fn a_b(x: f32) -> f32 = x\nexport fn aB(x: f32) -> f32 = x + 1',
    /error\[E0213\]: the function `aB`/,
  );
  await refused('export fn save(x: f32) -> f32 = x', /error\[E0213\]: the function `save`/);
});

test.run();
