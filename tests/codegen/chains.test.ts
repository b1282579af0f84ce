// Chains of kernels on the same rows: attention, forwards and backwards, agrees with the interpreter at all sizes of blocks, and what only passes
// between its stages takes memory of a block of rows instead of memory of its own.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generate } from '../../codegen/generate.js';
import type { PlannedLaunch } from '../../codegen/plan/entry.js';
import { pipelines, runPipeline } from '../../compiler/pipeline.js';
import type { Program } from '../../compiler/program.js';
import { programOf } from '../support/program.js';
import { attention, compare } from './attention.js';
import { isEmulated, runnableMachines } from './support.js';

/** The launches of an entry, by how many functions each runs. */
function launchesOf(program: Program, entry: string): readonly PlannedLaunch[] {
  const lowered = runPipeline(program, pipelines.default);
  const { plan } = generate(lowered, { target: 'c', version: '', sourceHash: '' });
  return (plan.entries.get(entry)?.steps ?? []).filter((step) => step.kind === 'launch');
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

test('attention of constant sizes', async () => {
  const fixed = attention
    .replace('dim B, T, S\n', '')
    .replace(/\bB\b/g, '2')
    .replace(/\bT\b/g, '70')
    .replace(/\bS\b/g, '90');
  await compare(fixed, [{}]);
});

test('scores, softmax and weighted sum are one launch, and scores have no memory of their own', () => {
  if (isEmulated) return;
  const program = programOf(attention);
  assert.is(launchesOf(program, 'forward').length, 1);
  // The products whose sums run over rows stay apart: the gradients by keys and by values.
  assert.is(launchesOf(program, 'gradients').length, 4);
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

test('a product of shared weights is no part of a chain, since every block would read all of them', () => {
  const classifier = `tdsl 1
dim B, T
export fn f(x: f32[B, T, 8], w: f32[4096, 8]) -> f32[B, T, 4096] = softmax(x @ w.T, -1)
`;
  assert.is(launchesOf(programOf(classifier), 'f').length, 2);
});

test.run();
