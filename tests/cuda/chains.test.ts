// Chains for GPUs: an attention is one kernel, which agrees with the interpreter at sizes that fill no tile, in all precisions; the same bits in every
// order of threads, and nothing to find in checked mode.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { lower } from '../../cli/build.js';
import { loadProgram } from '../../cli/frontend.js';
import { packageRoot } from '../../codegen/build/places.js';
import { generate } from '../../codegen/generate.js';
import { isChain } from '../../codegen/kernel/chain/stages.js';
import type { PlannedStep } from '../../codegen/plan/entry.js';
import type { Func } from '../../compiler/ir/graph.js';
import { pipelines, runPipeline } from '../../compiler/pipeline.js';
import { attention, compare } from '../codegen/attention.js';
import { compile } from '../codegen/support.js';
import { randomInputs } from '../support/graphs.js';
import { programOf } from '../support/program.js';
import { chainTexts, precisions } from './chains.js';
import { bitsOf, inEveryOrder } from './orders.js';

const test = suite('chains for GPUs');
const program = readFileSync(path.join(packageRoot(), 'tests', 'cuda', 'attention.td'), 'utf8');

const sizes = [
  { B: 2, T: 1, S: 1 },
  { B: 1, T: 70, S: 64 },
  { B: 2, T: 65, S: 130 },
  { B: 1, T: 3, S: 261 },
  { B: 0, T: 4, S: 4 },
];

for (const [precision, slack] of precisions) {
  test(`in ${precision}`, async () => {
    const { generated } = await compare(program, sizes, { cuda: 'emulated', precision, slack });
    for (const [name, plan] of generated.plan.entries) if (name !== 'init') assert.is(plan.steps.length, 1, name);
  });
}

test('an attention is one sweep, and two where its weights are a result', () => {
  const sweeps = chainTexts(program).map((kernel) => kernel.match(/chain\.multiply/g)?.length);
  // causal, half, hidden, wide, weights, centred
  assert.equal(sweeps.toSorted(), [1, 1, 1, 1, 2, 3]);
});

test('forwards and backwards', async () => {
  const { generated } = await compare(attention, sizes, { cuda: 'emulated' });
  const launches = [...generated.plan.entries].map(([name, { steps }]) => [name, steps.length]);
  // The gradients by keys and by values sum over all rows.
  assert.equal(launches, [
    ['forward', 1],
    ['gradients', 4],
  ]);
});

test('a product that sums over the rows of a block is no weighted sum of the row', async () => {
  const text = `tdsl 1
export fn f(q: f32[8, 32, 48], k: f32[8, 32, 48], v: f32[8, 32, 20]) -> (f32[8, 32, 32], f32[8, 48, 20]) =
  (softmax(q @ transpose(k, -2, -1), -1), transpose(q, -2, -1) @ v)
`;
  await compare(text, [{}], { cuda: 'checked' });
});

test('every order of threads and blocks gives the same bits', async () => {
  const lowered = runPipeline(programOf(program), pipelines.default);
  const compiled = await compile(programOf(program), { cuda: 'emulated', precision: 'tf32' });
  const dims = new Map(Object.entries({ B: 2, T: 67, S: 130 }));
  for (const entry of lowered.entries.filter(({ inputs }) => inputs.length > 0)) {
    const inputs = randomInputs(lowered.module.functions.get(entry.fn) as Func, dims, 5);
    const [first, ...others] = inEveryOrder(() => bitsOf(compiled.run(entry.name, inputs)));
    for (const other of others) assert.is(other === first, true, entry.name);
  }
});

for (const precision of ['f32', 'bf16'] as const) {
  test(`checked mode has nothing to say in ${precision}`, async () => {
    const slack = precision === 'f32' ? 8 : 6400;
    await compare(program, [{ B: 1, T: 65, S: 67 }], { cuda: 'checked', precision, slack });
  });
}

test('nor on gradients', async () => {
  await compare(attention, [{ B: 1, T: 5, S: 70 }], { cuda: 'checked' });
});

/** How many kernels of an entry do the work of several functions. */
function chainsOf(name: string, entry: string): number {
  const file = path.join(packageRoot(), 'examples', `${name}.td`);
  const lowered = lower(loadProgram(file, { dims: {} }));
  const { plan } = generate(lowered.program, { target: 'cuda', version: '', sourceHash: '' });
  const steps: readonly PlannedStep[] = plan.entries.get(entry)?.steps ?? [];
  return steps.filter((step) => step.kind === 'launch' && isChain(step.step.fn)).length;
}

test('attention of the examples is one kernel', () => {
  // A GPT of four blocks: each has one going forwards, and one more going backwards.
  assert.is(chainsOf('text/gpt', 'evaluate'), 4);
  assert.is(chainsOf('text/gpt', 'next'), 4);
  assert.is(chainsOf('text/gpt', 'train_step'), 8);
  // The library's layer and the formula.
  assert.is(chainsOf('course/15-attention/attention', 'both'), 2);
});

test.run();
