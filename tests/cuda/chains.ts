// The chains of a program, as CUDA.

import { generate } from '../../codegen/generate.js';
import { pipelines, runPipeline } from '../../compiler/pipeline.js';
import { programOf } from '../support/program.js';

/** The precisions of chains, and by how many times the tolerance of f32 their results may differ from the interpreter's. */
export const precisions = [
  ['f32', 8],
  ['tf32', 800],
  ['bf16', 6400],
] as const;

/** The text of each kernel that is a chain, by the line of the program that it comes from. */
export function chainTexts(text: string): readonly string[] {
  const { sources } = generate(runPipeline(programOf(text), pipelines.default), {
    target: 'cuda',
    version: '',
    sourceHash: '',
    files: 1,
  });
  const kernels = sources.get('kernels_0.cu')?.split(/^(?=\/\* k_)/m) ?? [];
  const lineOf = (kernel: string): number => Number(/:(\d+) \*\//.exec(kernel)?.[1]);
  return kernels.filter((kernel) => kernel.includes('td_chain<')).toSorted((a, b) => lineOf(a) - lineOf(b));
}
