// Chains of kernels on the same rows: attention, forwards and backwards, agrees with the interpreter at all sizes of blocks, and what only passes
// between its stages takes memory of a block of rows instead of memory of its own.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generate } from '../../codegen/generate.js';
import type { PlannedLaunch } from '../../codegen/plan/entry.js';
import { Interpreter } from '../../compiler/ir/evaluate/evaluate.js';
import type { HostTensor } from '../../compiler/ir/evaluate/tensor.js';
import type { Func } from '../../compiler/ir/graph.js';
import { pipelines, runPipeline } from '../../compiler/pipeline.js';
import type { Program } from '../../compiler/program.js';
import { programOf } from '../support/program.js';
import {
  assertAgree,
  type CompileOptions,
  compile,
  isEmulated,
  randomNumbers,
  randomTensor,
  runnableMachines,
} from './support.js';

const attention = `tdsl 1
dim B, T, S

fn attend(q: f32[B, 2, T, 8], k: f32[B, 2, S, 8], v: f32[B, 2, S, 8]) -> f32[B, 2, T, 8] {
  let future = unsqueeze(arange(end: T), 1) + (S - T) < arange(end: S)
  let scores = where(future, -1e9, q @ transpose(k, -2, -1) / 8.0 ** 0.5)
  softmax(scores, -1) @ v
}

fn loss(q: f32[B, 2, T, 8], k: f32[B, 2, S, 8], v: f32[B, 2, S, 8]) -> f32 = sum(attend(q, k, v) ** 2)

export fn forward(q: f32[B, 2, T, 8], k: f32[B, 2, S, 8], v: f32[B, 2, S, 8]) -> f32[B, 2, T, 8] = attend(q, k, v)

export fn gradients(q: f32[B, 2, T, 8], k: f32[B, 2, S, 8], v: f32[B, 2, S, 8])
  -> (f32[B, 2, T, 8], f32[B, 2, S, 8], f32[B, 2, S, 8]) = grad(loss, wrt: [q, k, v])(q, k, v)
`;

/** The launches of an entry, by how many functions each runs. */
function launchesOf(program: Program, entry: string): readonly PlannedLaunch[] {
  const lowered = runPipeline(program, pipelines.default);
  const { plan } = generate(lowered, { target: 'c', version: '', sourceHash: '' });
  return (plan.entries.get(entry)?.steps ?? []).filter((step) => step.kind === 'launch');
}

async function compare(
  text: string,
  sizes: readonly Readonly<Record<string, number>>[],
  options: CompileOptions = {},
): Promise<void> {
  const program = programOf(text);
  const compiled = await compile(program, options);
  const reference = runPipeline(program, pipelines.reference);
  const interpreter = new Interpreter(reference.module);
  const next = randomNumbers(3);
  for (const size of sizes) {
    const dims = new Map(Object.entries(size));
    for (const entry of reference.entries.filter(({ inputs }) => inputs.length > 1)) {
      const fn = reference.module.functions.get(entry.fn) as Func;
      const inputs = fn.params.map(({ type }) => randomTensor(type, dims, next));
      const expected = interpreter.run(entry.fn, inputs, { dims });
      compiled.run(entry.name, inputs).forEach((actual, i) => {
        assertAgree(actual, expected[i] as HostTensor, `${entry.name} ${JSON.stringify(size)} result ${i}`, 8);
      });
    }
  }
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
  test(`attention on ${machine.name}`, () => compare(attention, sizes, { machine }));
}

test('attention of constant sizes', () => {
  const fixed = attention
    .replace('dim B, T, S\n', '')
    .replace(/\bB\b/g, '2')
    .replace(/\bT\b/g, '70')
    .replace(/\bS\b/g, '90');
  return compare(fixed, [{}]);
});

test('scores, softmax and weighted sum are one launch, and scores have no memory of their own', () => {
  if (isEmulated) return;
  const program = programOf(attention);
  assert.is(launchesOf(program, 'forward').length, 1);
  // The products whose sums run over rows stay apart: the gradients by keys and by values.
  assert.is(launchesOf(program, 'gradients').length, 4);
});

test('two products before one softmax, of which one depends on all rows of the other', () => {
  // The second scores follow from the first through a sum over all rows.
  const text = `tdsl 1
dim B, T
export fn f(q: f32[B, 2, T, 8], k: f32[B, 2, T, 8], v: f32[B, 2, T, 8]) -> f32[B, 2, T, 8] {
  let first = q @ transpose(k, -2, -1)
  let centred = k - 0.01 * sum(first, [-2, -1], keepdim: true)
  softmax(first + q @ transpose(centred, -2, -1), -1) @ v
}
`;
  return compare(text, [
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
