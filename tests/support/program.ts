// Compiles programs from texts in memory and runs them by the reference interpreter, for tests of the front end.

import { nodeHost } from '../../cli/host.js';
import { type Diagnostic, renderDiagnostics } from '../../compiler/diagnostics/report.js';
import { type CompileOptions, checkFile, compile, type Host, type Program } from '../../compiler/index.js';
import { evaluateFunction } from '../../compiler/ir/evaluate/evaluate.js';
import { type HostTensor, hostTensor } from '../../compiler/ir/evaluate/tensor.js';
import { pipelines, runPipeline } from '../../compiler/pipeline.js';

/** A host whose files are given by name; the library is the real one. */
export function memoryHost(files: Readonly<Record<string, string>>): Host {
  const base = nodeHost();
  return {
    ...base,
    readFile: (path) => files[path] ?? base.readFile(path),
    resolve: (from, name) => (name.startsWith('./') ? name.slice(2) : base.resolve(from, name)),
  };
}

/** The program of a text; throws its diagnostics when it does not compile. */
export function programOf(text: string, options: CompileOptions = {}): Program {
  const { program, diagnostics } = compile('main.td', memoryHost({ 'main.td': text }), options);
  if (program === undefined) throw new Error(renderDiagnostics(diagnostics));
  return program;
}

/** A program with a state of its own. */
export interface Instance {
  readonly program: Program;
  /** Runs an entry: its argument tensors to its result tensors; state is read and written back. */
  run(entry: string, args: readonly HostTensor[]): readonly HostTensor[];
}

/** A running instance of a text's program, after the passes of the reference pipeline, with the state of seed 1. */
export function instanceOf(text: string, options: CompileOptions = {}): Instance {
  const program = runPipeline(programOf(text, options), pipelines.reference);
  const state = new Map<number, HostTensor>();
  const run = (name: string, args: readonly HostTensor[]): readonly HostTensor[] => {
    const entry = program.entries.find((candidate) => candidate.name === name);
    if (entry === undefined) throw new Error(`there is no entry ${name}`);
    const given = args.values();
    const inputs = entry.inputs.map((input) => (input.kind === 'state' ? state.get(input.leaf) : given.next().value));
    if (inputs.includes(undefined)) throw new Error(`${name} lacks an argument`);
    const values = evaluateFunction(program.module, entry.fn, inputs as HostTensor[]);
    return values.filter((value, i) => {
      const output = entry.outputs[i];
      if (output?.kind === 'state') state.set(output.leaf, value);
      return output?.kind === 'result';
    });
  };
  if (program.entries.some(({ name }) => name === 'init')) run('init', [i64([2], [1, 0])]);
  return { program, run };
}

/** The diagnostics of a text, functions that are not exported included. */
export const diagnosticsOf = (text: string, options: CompileOptions = {}): readonly Diagnostic[] =>
  checkFile('main.td', memoryHost({ 'main.td': text }), options).diagnostics;

export const f32 = (shape: readonly number[], data: readonly number[]): HostTensor => hostTensor('f32', shape, data);
export const f64 = (shape: readonly number[], data: readonly number[]): HostTensor => hostTensor('f64', shape, data);
export const i64 = (shape: readonly number[], data: readonly number[]): HostTensor => hostTensor('i64', shape, data);

/** The elements of a tensor as numbers. */
export const numbers = ({ data }: HostTensor): readonly number[] =>
  Array.from(data as ArrayLike<number | bigint>, Number);

/** The results of the entry `f` of a text, as lists of numbers. */
export const results = (text: string, ...inputs: readonly HostTensor[]): readonly (readonly number[])[] =>
  instanceOf(text).run('f', inputs).map(numbers);
