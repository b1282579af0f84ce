// Programs with attention, compared with the interpreter.

import { Interpreter } from '../../compiler/ir/evaluate/evaluate.js';
import type { HostTensor } from '../../compiler/ir/evaluate/tensor.js';
import type { Func } from '../../compiler/ir/graph.js';
import { pipelines, runPipeline } from '../../compiler/pipeline.js';
import { programOf } from '../support/program.js';
import { assertAgree, type Compiled, type CompileOptions, compile, randomNumbers, randomTensor } from './support.js';

/** Causal attention, and its gradients. */
export const attention = `tdsl 1
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

/** Compares all entries of a program with the interpreter. */
export async function compare(
  text: string,
  sizes: readonly Readonly<Record<string, number>>[],
  options: CompileOptions = {},
): Promise<Compiled> {
  const program = programOf(text);
  const compiled = await compile(program, options);
  const reference = runPipeline(program, pipelines.reference);
  const interpreter = new Interpreter(reference.module);
  const next = randomNumbers(3);
  for (const size of sizes) {
    const dims = new Map(Object.entries(size));
    for (const entry of reference.entries.filter(({ name }) => name !== 'init')) {
      const fn = reference.module.functions.get(entry.fn) as Func;
      const inputs = fn.params.map(({ type }) => randomTensor(type, dims, next));
      const expected = interpreter.run(entry.fn, inputs, { dims });
      compiled.run(entry.name, inputs).forEach((actual, i) => {
        const what = `${entry.name} ${JSON.stringify(size)} result ${i}`;
        assertAgree(actual, expected[i] as HostTensor, what, options.slack ?? 8);
      });
    }
  }
  return compiled;
}
