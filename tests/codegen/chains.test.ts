// Chains of kernels on the same rows: attention, forwards and backwards, agrees with the interpreter at all sizes of blocks, and what only passes
// between its stages takes memory of a block of rows instead of memory of its own.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../../codegen/build/places.js';
import { generate } from '../../codegen/generate.js';
import { lowerChain } from '../../codegen/kernel/chain/lower.js';
import { isChain } from '../../codegen/kernel/chain/stages.js';
import { type Lowered, lowerKernel } from '../../codegen/kernel/lower/kernel.js';
import { type PlannedLaunch, planEntry, type StepKernel } from '../../codegen/plan/entry.js';
import { type Dim, dimEvaluate } from '../../compiler/ir/dims.js';
import type { Func } from '../../compiler/ir/graph.js';
import { pipelines, runPipeline } from '../../compiler/pipeline.js';
import type { Entry, Program } from '../../compiler/program.js';
import { programOf } from '../support/program.js';
import { attention, compare } from './attention.js';
import { isEmulated, runnableMachines } from './support.js';

/** The launches of an entry, by how many functions each runs. */
function launchesOf(program: Program, entry: string): readonly PlannedLaunch[] {
  const lowered = runPipeline(program, pipelines.default);
  const { plan } = generate(lowered, { target: 'c', version: '', sourceHash: '' });
  return (plan.entries.get(entry)?.steps ?? []).filter((step) => step.kind === 'launch');
}

/** How many arrays of the size of all scores the workspace of the gradients holds, where B is 1 and T and S are 1000 (rounded down). */
function scoresOf(text: string): number {
  const lowered = runPipeline(programOf(text), pipelines.default);
  const { plan } = generate(lowered, { target: 'c', version: '', sourceHash: '' });
  const dims = new Map(Object.entries({ B: 1, T: 1000, S: 1000 }));
  return Math.floor(dimEvaluate(plan.workspace.get('gradients') as Dim, dims) / (4 * 2 * 1000 * 1000));
}

const sizes = [
  { B: 2, T: 64, S: 64 },
  { B: 1, T: 1, S: 1 },
  { B: 3, T: 5, S: 7 },
  { B: 1, T: 131, S: 140 },
  { B: 2, T: 65, S: 66 },
  { B: 0, T: 4, S: 4 },
];

for (const machine of runnableMachines()) {
  test(`attention on ${machine.name}`, async () => {
    await compare(attention, sizes, { machine });
  });
}

/** The program with constants in the place of its run-time dimensions. */
const fixed = (text: string, B: number, T: number, S: number): string =>
  text.replace('dim B, T, S\n', '').replace(/\bB\b/g, `${B}`).replace(/\bT\b/g, `${T}`).replace(/\bS\b/g, `${S}`);

/** The gradients by the result depend on all rows of it, so that all of the forward pass comes before all of the way back. */
const apart = attention.replace('sum(attend(q, k, v) ** 2)', 'sum(attend(q, k, v)) ** 2');
const checkpointed = apart.replace('sum(attend(q, k, v))', 'sum(checkpoint(attend, q, k, v))');

test('attention of constant sizes', async () => {
  const shapes = [
    [2, 70, 90],
    // Enough batches for sums over rows: one block, two full ones, three of which the last is shorter.
    [4, 50, 30],
    [4, 128, 33],
    [4, 130, 20],
  ] as const;
  for (const [B, T, S] of shapes) await compare(fixed(attention, B, T, S), [{}]);
});

for (const machine of runnableMachines()) {
  test(`ways back that are apart from the forward pass, on ${machine.name}`, async () => {
    await compare(apart, sizes, { machine });
    await compare(checkpointed, sizes, { machine });
  });
}

test('attention of halves is one launch as well', async () => {
  const halves = attention.replaceAll('f32', 'bf16');
  await compare(halves, sizes);
  if (!isEmulated) assert.is(launchesOf(programOf(halves), 'forward').length, 1);
});

test('attentions with all kinds of masks', async () => {
  const masks = readFileSync(path.join(packageRoot(), 'tests', 'cuda', 'masks.td'), 'utf8');
  const lengths = [
    { B: 1, T: 200, S: 150 },
    { B: 2, T: 66, S: 70 },
  ];
  for (const machine of runnableMachines()) await compare(masks, lengths, { machine, slack: 20 });
});

test('scores, softmax and weighted sum are one launch, and scores have no memory of their own', () => {
  if (isEmulated) return;
  const program = programOf(attention);
  assert.is(launchesOf(program, 'forward').length, 1);
  // All that follows from a row of scores, and the sums over rows: the gradients by keys and by values.
  assert.is(launchesOf(program, 'gradients').length, 1);
  assert.is(scoresOf(attention), 0);
});

test('between the forward pass and the way back, a softmax is stored once, and not at all with a checkpoint', () => {
  if (isEmulated) return;
  assert.is(scoresOf(apart), 1);
  assert.is(scoresOf(checkpointed), 0);
});

test('sums over rows are launches of their own where there are few batches to share out', () => {
  if (isEmulated) return;
  const count = (B: number): number => launchesOf(programOf(fixed(attention, B, 70, 90)), 'gradients').length;
  assert.is(count(4), 1);
  assert.is(count(3), 3);
});

test('two products before one softmax, of which one depends on all rows of the other', async () => {
  // The second scores follow from the first through a sum over all rows.
  const text = `tdsl 1
dim B, T
export fn f(q: f32[B, 2, T, 8], k: f32[B, 2, T, 8], v: f32[B, 2, T, 8]) -> f32[B, 2, T, 8] {
  let first = q @ transpose(k, -2, -1)
  let centred = k - 0.01 * sum(first, [-2, -1], keepdim: true)
  softmax(first + q @ transpose(centred, -2, -1), -1) @ v
}
`;
  await compare(text, [
    { B: 2, T: 7 },
    { B: 1, T: 70 },
  ]);
});

test('sums over rows of which a batch has one', async () => {
  await compare(
    `tdsl 1
export fn f(q: f32[4, 2, 130, 8], k: f32[4, 2, 20, 8], v: f32[4, 2, 20, 8]) -> (f32[4, 2, 130, 8], f32[4, 2]) {
  let o = softmax(q @ transpose(k, -2, -1), -1) @ v
  (o, einsum("bhtd,bhtd->bh", o, q))
}
`,
    [{}],
  );
});

test('stages that read one table', async () => {
  const text = `tdsl 1
dim B
fn c(x: f32[2, 3]) -> f32 = cross_entropy(x, tensor([0, 2]))
export fn f(x: f32[B, 2, 3]) -> (f32[B], f32[B, 2, 3, 2, 3]) = (vmap(c)(x), vmap(hessian(c))(x))
`;
  await compare(text, [{ B: 3 }, { B: 0 }]);
});

test('sums over no rows are 0, whatever lay there before', async () => {
  const text = attention
    .replace('gradients(q: f32[B, 2, T, 8]', 'gradients(w: f32[8, 40], q: f32[B, 2, T, 8]')
    .replace('-> (f32[B, 2, T, 8], f32[B, 2, S, 8], f32[B, 2, S, 8]) =', '-> (f32[B, 2, S, 40], f32[B, 2, S, 40]) {')
    .replace(
      'grad(loss, wrt: [q, k, v])(q, k, v)',
      'let (a, b, c) = grad(loss, wrt: [q, k, v])(q, k, v)\n  (b @ w, c @ w)\n}',
    );
  await compare(text, [
    { B: 4, T: 70, S: 9 },
    { B: 4, T: 0, S: 9 },
  ]);
});

test('heads beside each other in a row belong to other iterations', async () => {
  const text = `tdsl 1
dim T
export fn f(q: f32[4, 12, T, 8], w: f32[4, 12, 8, 8]) -> (f32[4, 12, T, 8], f32[4, 12, T, 8]) {
  let s = einsum("bhtc,bhcd->bthd", q, w)
  let p = softmax(transpose(s, 1, 2), -1)
  (p, einsum("bthc,bhcd->bhtd", pad(s[:, :, 1:12, :], [0, 0, 0, 1]), w))
}
`;
  await compare(text, [{ T: 70 }, { T: 3 }]);
});

test('a product of shared weights is no part of a chain, since every block would read all of them', () => {
  const classifier = `tdsl 1
dim B, T
export fn f(x: f32[B, T, 8], w: f32[4096, 8]) -> f32[B, T, 4096] = softmax(x @ w.T, -1)
`;
  assert.is(launchesOf(programOf(classifier), 'f').length, 2);
});

/** How often kernels are looked at while a network of so many layers is planned. */
function looksAt(layers: number): number {
  const text = `tdsl 1
import std.nn { TransformerEncoderLayer }
dim B
model Net(layers: int) {
  blocks: [TransformerEncoderLayer(16, 2, dim_feedforward: 16, batch_first: true) for i in 0..layers]
  fn forward(x: f32[B, 8, 16]) -> f32[B, 8, 16] {
    let h = x
    for block in blocks { h = block(h) }
    h
  }
}
let Deep = Net(${layers})
export fn gradient(net: Deep, x: f32[B, 8, 16]) -> f32[B, 8, 16] = grad(x => sum(net(x) ** 2))(x)
`;
  const program = runPipeline(programOf(text), pipelines.default);
  const kernels = new Map<Func, Lowered>();
  let looks = 0;
  const kernelOf = (fn: Func): StepKernel => {
    looks++;
    const lowered = kernels.get(fn) ?? (isChain(fn) ? lowerChain(fn) : lowerKernel(fn, 64));
    kernels.set(fn, lowered);
    return { ...lowered, scratch: () => undefined };
  };
  planEntry(program.module, program.entries.find(({ name }) => name === 'gradient') as Entry, kernelOf, () => true);
  return looks;
}

test('looks for chains once a step, however deep a network is', () => {
  const [two, four, eight] = [2, 4, 8].map(looksAt) as [number, number, number];
  assert.ok(eight - four < 2.2 * (four - two), `${two}, ${four} and ${eight} looks for 2, 4 and 8 layers`);
});

test.run();
