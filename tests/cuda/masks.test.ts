// Chains for GPUs whose elements a condition on places hides: tiles that are hidden as a whole are left out where that changes nothing, forwards and
// backwards, and only there; results are those of the interpreter, the same in every order of threads.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../../codegen/build/places.js';
import { Interpreter } from '../../compiler/ir/evaluate/evaluate.js';
import type { HostTensor } from '../../compiler/ir/evaluate/tensor.js';
import type { Func } from '../../compiler/ir/graph.js';
import { pipelines, runPipeline } from '../../compiler/pipeline.js';
import { attention, compare } from '../codegen/attention.js';
import { assertAgree, compile } from '../codegen/support.js';
import { randomInputs } from '../support/graphs.js';
import { programOf } from '../support/program.js';
import { chainTexts, precisions } from './chains.js';
import { bitsOf, inEveryOrder } from './orders.js';

const test = suite('masks of chains for GPUs');
const program = readFileSync(path.join(packageRoot(), 'tests', 'cuda', 'masks.td'), 'utf8');

const sizes = [
  { B: 1, T: 200, S: 150 },
  { B: 2, T: 66, S: 261 },
  { B: 1, T: 3, S: 70 },
];

test('sweeps go over the tiles first of which something may be seen', () => {
  const parts = (text: string) =>
    chainTexts(text).map((kernel) => kernel.match(/start < seen\.stop\(part\)/g)?.length ?? 0);
  // causal, banded, late, faint; of centred the last of three sweeps alone, since the mean is one of all scores; sliding, near, around.
  assert.equal(parts(program), [1, 1, 2, 1, 2, 1, 1, 1]);
  // Forwards; forwards with its weights, backwards.
  assert.equal(parts(attention).toSorted(), [1, 2, 2]);
});

for (const [precision, slack] of precisions) {
  test(`in ${precision}`, async () => {
    await compare(program, sizes, { cuda: 'emulated', precision, slack });
  });
}

test('of bf16', async () => {
  const half = `tdsl 1
dim B, T, S
export fn half(q: bf16[B, T, 32], k: bf16[B, S, 32], v: bf16[B, S, 32]) -> bf16[B, T, 32] =
  softmax(where(arange(end: S) <= unsqueeze(arange(end: T), 1), 0.2 * (q @ transpose(k, -2, -1)), -inf), -1) @ v
`;
  assert.match(chainTexts(half)[0] ?? '', /td_is_below<float, 32>\(.*values/);
  await compare(half, sizes, { cuda: 'emulated', slack: 4 });
});

test('backwards', async () => {
  await compare(attention, sizes, { cuda: 'emulated' });
});

test('checked mode has nothing to say', async () => {
  await compare(program, [{ B: 1, T: 140, S: 150 }], { cuda: 'checked' });
  await compare(attention, [{ B: 1, T: 70, S: 140 }], { cuda: 'checked' });
});

test('every order of threads and blocks gives the same bits', async () => {
  for (const text of [program, attention]) {
    const lowered = runPipeline(programOf(text), pipelines.default);
    const compiled = await compile(programOf(text), { cuda: 'emulated' });
    const dims = new Map(Object.entries({ B: 1, T: 137, S: 200 }));
    for (const entry of lowered.entries) {
      const inputs = randomInputs(lowered.module.functions.get(entry.fn) as Func, dims, 5);
      const [first, ...others] = inEveryOrder(() => bitsOf(compiled.run(entry.name, inputs)));
      for (const other of others) assert.is(other === first, true, entry.name);
    }
  }
});

test('infinities and NaN behind a mask are multiplied by its zeros', async () => {
  const lowered = runPipeline(programOf(program), pipelines.default);
  const reference = runPipeline(programOf(program), pipelines.reference);
  const compiled = await compile(programOf(program), { cuda: 'emulated' });
  const dims = new Map(Object.entries({ B: 1, T: 150, S: 200 }));
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const inputs = randomInputs(lowered.module.functions.get('banded') as Func, dims, 5);
    const values = inputs[2] as HostTensor;
    // Of the last key, which no row sees.
    values.data[24 * 199 + 3] = value;
    const [expected] = new Interpreter(reference.module).run('banded', inputs, { dims });
    const [actual] = compiled.run('banded', inputs, dims);
    assertAgree(actual as HostTensor, expected as HostTensor, `banded with ${value}`, 8);
    assert.is(Number.isNaN(Number(actual?.data[3])), true);
  }
});

test.run();
