// Factors of products that are rounded to bf16 in memory: which products, what is stored, and results that agree with the interpreter's.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generate } from '../../codegen/generate.js';
import { Interpreter } from '../../compiler/ir/evaluate/evaluate.js';
import { autocast, autocastWhere } from '../../compiler/passes/autocast.js';
import { type Pipeline, pipelines, runPipeline } from '../../compiler/pipeline.js';
import type { Program } from '../../compiler/program.js';
import { assertAgree, compile } from '../codegen/support.js';
import { randomInputs } from '../support/graphs.js';
import { programOf } from '../support/program.js';

/** A layer on `features` features, its derivatives, and an attention whose factors are reshaped. */
const programFor = (features: number, batch: string): Program =>
  programOf(`tdsl 1
dim B, T
fn layer(x: f32[${batch}, ${features}], w: f32[${features}, ${features}], b: f32[${features}]) -> f32[${batch}, ${features}] =
  gelu(x @ t(w) + b) @ w
fn loss(x: f32[${batch}, ${features}], w: f32[${features}, ${features}], b: f32[${features}]) -> f32 = mean(layer(x, w, b) ** 2)
export fn forward(x: f32[${batch}, ${features}], w: f32[${features}, ${features}], b: f32[${features}]) -> f32[${batch}, ${features}] =
  layer(x, w, b)
export fn gradient(x: f32[${batch}, ${features}], w: f32[${features}, ${features}], b: f32[${features}]) -> f32[${features}, ${features}] =
  grad(loss, wrt: w)(x, w, b)
export fn attend(x: f32[B, T, 64], w: f32[64, 64]) -> f32[B, T, 64] {
  let h = transpose(reshape(x @ w, [B, T, 2, 32]), 1, 2)
  let weights = softmax(h @ transpose(h, -2, -1), -1)
  reshape(transpose(weights @ h, 1, 2), [B, T, 64]) @ w
}
`);

/** The passes with all products cast that are of matrices. */
const always: Pipeline = pipelines.bf16.map((pass) => (pass === autocast ? autocastWhere(() => true) : pass));

test('results agree with those of f32 but for the rounding, forwards and backwards', async () => {
  const program = programFor(72, 'B');
  const compiled = await compile(runPipeline(program, always), { passes: 'none', cuda: 'emulated', precision: 'bf16' });
  const exact = new Interpreter(runPipeline(program, pipelines.reference).module);
  const rounded = new Interpreter(runPipeline(program, always.slice(0, -1)).module);
  for (const dims of [
    { B: 33, T: 40 },
    { B: 1, T: 1 },
    { B: 0, T: 3 },
  ].map((sizes) => new Map(Object.entries(sizes)))) {
    for (const { name, fn, symbols } of program.entries) {
      const func = program.module.functions.get(fn)!;
      const own = new Map([...dims].filter(([symbol]) => symbols.includes(symbol)));
      const inputs = randomInputs(func, own, 5);
      const actual = compiled.run(name, inputs, own);
      const what = `${name} ${JSON.stringify([...own])}`;
      for (const [reference, slack] of [
        [rounded, 40],
        [exact, 6400],
      ] as const)
        for (const [i, tensor] of reference.run(fn, inputs, { dims: own }).entries())
          assertAgree(actual[i]!, tensor, what, slack);
    }
  }
});

test('an activation is stored as bf16 alone, a weight is cast once for all that read it', () => {
  const { module, entries } = runPipeline(programFor(72, 'B'), always);
  const kernels = (entry: string) => {
    const { fn } = entries.find(({ name }) => name === entry)!;
    return module.functions.get(fn)!.nodes.filter(({ kind }) => kind === 'region');
  };
  const dtypes = (entry: string) => kernels(entry).map(({ results }) => results.map(({ type }) => type.dtype).join());
  // Casts of x and w, the layer, the second product.
  assert.equal(dtypes('forward').toSorted(), ['bf16', 'bf16', 'bf16', 'f32']);
  const casts = kernels('gradient').filter(({ results, inputs }) => results.length === 1 && inputs.length === 1);
  assert.is(casts.filter(({ results }) => results[0]?.type.dtype === 'bf16').length, 2);
});

test('what is f16 is not rounded to bf16', () => {
  const text = 'tdsl 1\nexport fn f(x: f16[64, 64], w: f32[64, 64]) -> f32[64, 64] = cast(x, f32) @ w';
  const { module } = runPipeline(programOf(text), always);
  const dtypes = [...module.functions.values()].flatMap(({ nodes }) => nodes.flatMap(({ results }) => results));
  assert.not.ok(dtypes.some(({ type }) => type.dtype === 'bf16'));
});

test('large products get factors that tensor cores copy, small ones are as they were', () => {
  const texts = (features: number): string => {
    const program = runPipeline(programFor(features, '8192'), pipelines.bf16);
    const { sources } = generate(program, { target: 'cuda', version: '', sourceHash: '', precision: 'bf16', files: 1 });
    return [...sources].flatMap(([name, text]) => (name.endsWith('.cu') ? text : [])).join('');
  };
  const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;
  const [large, small] = [texts(2048), texts(64)];
  // Two products forwards, and these again with the gradients by both factors but x.
  assert.is(count(large, /td_wgmma_product</g), 2 + 5);
  assert.is(count(small, /td_wgmma_product</g), 0);
  assert.is(count(small, /k_cast/g), 0);
});

test.run();
