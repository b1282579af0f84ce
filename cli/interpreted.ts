// Sessions that the reference interpreter runs: the same methods, state and files as those of compiled modules, with no native code and no
// toolchain. For small models, for learning, and for checking; a compiled module is hundreds of times faster.

import { readFile } from 'node:fs/promises';
import { buildManifest } from '../codegen/bindings/manifest.js';
import { layoutState } from '../codegen/plan/layout.js';
import { constraintHolds, failureText } from '../compiler/constraints.js';
import type { Host } from '../compiler/host.js';
import { type Compiled, type CompileOptions, compile, compileExpression } from '../compiler/index.js';
import { type Dim, dimConst, dimEvaluate } from '../compiler/ir/dims.js';
import { EvaluationError } from '../compiler/ir/evaluate/error.js';
import { evaluateFunction } from '../compiler/ir/evaluate/evaluate.js';
import { elementCount, type HostTensor } from '../compiler/ir/evaluate/tensor.js';
import type { Value } from '../compiler/ir/graph.js';
import { parseProgram } from '../compiler/ir/parse.js';
import { printProgram } from '../compiler/ir/print.js';
import { pipelines, runPipeline } from '../compiler/pipeline.js';
import type { Entry, Program } from '../compiler/program.js';
import type { Addon, NativeArray, NativeInstance } from '../runtime/addon.js';
import { decodeBundle } from '../runtime/bundle.js';
import { type DType, type TypedArray, viewOf } from '../runtime/dtype.js';
import { TdslError } from '../runtime/errors.js';
import type { FilePath } from '../runtime/io/files.js';
import type { Manifest } from '../runtime/manifest.js';
import { allocate } from '../runtime/memory.js';
import { type CreateOptions, checkMembers, Session } from '../runtime/session.js';
import { Tensor } from '../runtime/tensor.js';
import { fromNative, interpret as interpretProgram, toNative } from './backends.js';
import { programError } from './frontend.js';
import { nodeHost } from './host.js';
import { packageVersion } from './package.js';

/** The inputs and outputs of an entry that the host sees, in order, and its dimensions. */
interface Signature {
  readonly entry: Entry;
  readonly params: readonly Value[];
  readonly results: readonly Value[];
}

function signatureOf(program: Program, entry: Entry): Signature {
  const func = program.module.functions.get(entry.fn);
  if (func === undefined) throw new Error(`the entry ${entry.name} has no function ${entry.fn}`);
  return {
    entry,
    params: func.params.filter((_, i) => entry.inputs[i]?.kind === 'argument'),
    results: func.results.filter((_, i) => entry.outputs[i]?.kind === 'result'),
  };
}

/** The sizes of the dimensions of a call; relations that only running decides are checked. */
function dimensions({ entry }: Signature, symbols: Float64Array): ReadonlyMap<string, number> {
  const dims = new Map(entry.symbols.map((name, i) => [name, symbols[i] ?? 0]));
  const failed = entry.constraints.find((constraint) => !constraintHolds(constraint, dims));
  if (failed !== undefined) throw new TdslError('TDSL_SHAPE', `${entry.name}: ${failureText(failed, dims)}`);
  return dims;
}

/** Errors of the interpreter as those of native code. The names of the graph are those of the program, behind a sign. */
function asCallError(error: unknown, { name }: Entry): unknown {
  if (!(error instanceof EvaluationError)) return error;
  return new TdslError(error.code, `${name}: ${error.message.replace(/[%@](?=\w)/g, '')}`, { cause: error });
}

/** The interpreter in the form of native code: what a session drives. */
function interpretedAddon(program: Program, manifest: Manifest): Addon {
  const signatures = program.entries.map((entry) => signatureOf(program, entry));
  const { leaves, bytes } = manifest.state;
  const create = ({ state }: { readonly state: Uint8Array }): NativeInstance => {
    const views = leaves.map(({ dtype, shape, offset }) =>
      viewOf(dtype, state.buffer, state.byteOffset + offset, elementCount(shape)),
    );
    let queue: Promise<unknown> = Promise.resolve();
    let pending = 0;
    const shape = (index: number, symbols: Float64Array): number[][] => {
      const signature = signatures[index] as Signature;
      const dims = dimensions(signature, symbols);
      const sizes = (dim: Dim): number => dimEvaluate(dim, dims);
      return [...signature.params, ...signature.results].map(({ type }) => type.shape.map(sizes));
    };
    const noDevice = (): never => {
      throw new TdslError(
        'TDSL_NO_DEVICE',
        "an interpreted program runs on the CPU; `to('cpu')` copies a tensor from a GPU",
      );
    };
    const run = (index: number, symbols: Float64Array, ...given: NativeArray[]): void => {
      const arrays = given.map((array): TypedArray => (ArrayBuffer.isView(array) ? array : noDevice()));
      const { entry, params } = signatures[index] as Signature;
      const shapes = shape(index, symbols);
      const dims = new Map(entry.symbols.map((name, i) => [name, symbols[i] ?? 0]));
      const args = params.map(({ type }, i) =>
        fromNative(type.dtype as DType, shapes[i] ?? [], arrays[i] as TypedArray),
      );
      const inputs = entry.inputs.map((input): HostTensor => {
        if (input.kind === 'argument') return args.shift() as HostTensor;
        const leaf = leaves[input.leaf] as Manifest['state']['leaves'][number];
        return fromNative(leaf.dtype, leaf.shape, views[input.leaf] as TypedArray);
      });
      let values: readonly HostTensor[];
      try {
        values = evaluateFunction(program.module, entry.fn, inputs, { dims });
      } catch (error) {
        throw asCallError(error, entry);
      }
      let next = params.length;
      entry.outputs.forEach((output, i) => {
        const target = output.kind === 'state' ? views[output.leaf] : arrays[next++];
        // Both arrays are of the class that stores the dtype of this output.
        (target as { set(source: ArrayLike<number | bigint>): void }).set(toNative(values[i] as HostTensor));
      });
    };
    return {
      shape,
      run,
      runAsync(index, symbols, ...arrays) {
        pending++;
        const running = queue.then(() => run(index, symbols, ...arrays)).finally(() => void pending--);
        queue = running.catch(() => undefined);
        return running;
      },
      bind:
        (index, symbols, ...arrays) =>
        () =>
          run(index, symbols, ...arrays),
      place: noDevice,
      fetch: noDevice,
      keepState: () => undefined,
      copyState: () => undefined,
      get pending() {
        return pending;
      },
    };
  };
  return {
    describe: () => {
      throw new TdslError('TDSL_UNSUPPORTED', 'an interpreted program has no native tables');
    },
    probe: () => null,
    alignedOffset: () => 0,
    create: (options) => {
      if (options.state.length !== bytes) throw new TdslError('TDSL_ABI', 'the state has another size');
      return create(options);
    },
  };
}

/** A program as text, for those that no file holds; its imports are those of a file in the working directory. */
export interface ProgramText {
  readonly text: string;
}

export interface InterpretOptions extends CreateOptions, Pick<CompileOptions, 'dims' | 'defaultFloat'> {}

const textFile = 'program.td';

function hostOf(source: string | ProgramText): { readonly file: string; readonly host: Host } {
  const host = nodeHost();
  if (typeof source === 'string') return { file: source, host };
  const readFile = (file: string): string | undefined => (file === textFile ? source.text : host.readFile(file));
  return { file: textFile, host: { ...host, readFile } };
}

function programOf({ program, diagnostics }: Compiled): Program {
  if (program !== undefined) return runPipeline(program, pipelines.reference);
  throw programError(diagnostics);
}

/**
 * A session of a program that the reference interpreter runs: `await interpret('mlp.td', { seed: 1 })`, or `interpret({ text: 'model … export fn …' })`.
 * Errors of the program are thrown as a `ProgramError`, whose message is the report.
 */
export async function interpret<S extends Session = Session>(
  source: string | ProgramText,
  options: InterpretOptions = {},
): Promise<S> {
  const { dims, defaultFloat, ...created } = options;
  const { file, host } = hostOf(source);
  const given = { ...(dims && { dims }), ...(defaultFloat && { defaultFloat }) };
  return createInterpreted<S>(programOf(compile(file, host, given)), created);
}

/** A session of the program in a bundle, with the bundle's state, that the reference interpreter runs; for any machine. */
export async function interpretBundle<S extends Session = Session>(file: FilePath): Promise<S> {
  const { manifest, state } = decodeBundle(await readFile(file), String(file));
  const [, first] = Object.entries(manifest.stages)[0] ?? [];
  if (first === undefined) throw new TdslError('TDSL_ABI', `${file} has no text of its program`);
  const session = await createInterpreted<S>(runPipeline(parseProgram(first), pipelines.reference), {});
  session.loadStateDict(state);
  return session;
}

async function createInterpreted<S extends Session>(program: Program, options: CreateOptions): Promise<S> {
  const manifest = buildManifest(program, {
    version: packageVersion,
    sourceHash: 'interpreted',
    target: 'c',
    layout: layoutState(program),
    workspace: new Map(),
    stages: new Map([['reference', printProgram(program)]]),
  });
  checkMembers(manifest);
  // The type of the session is what the caller knows of the program; its methods and state are made from the manifest.
  return (await Session.create(interpretedAddon(program, manifest), manifest, options)) as S;
}

/**
 * The values of one expression over named tensors, by the reference interpreter: `evaluate('softmax(x, 0)', { x })`. A tuple gives several.
 * Draws depend on the seed alone.
 */
export function evaluate(
  expression: string,
  inputs: Readonly<Record<string, Tensor>> = {},
  options: { readonly seed?: number; readonly defaultFloat?: DType } = {},
): Tensor[] {
  const types = Object.entries(inputs).map(([name, { dtype, shape }]) => ({
    name,
    type: { dtype, shape: (shape as readonly number[]).map(dimConst) },
  }));
  const { seed = 0, ...given } = options;
  const instance = interpretProgram(programOf(compileExpression(expression, types, nodeHost(), given)));
  instance.seed(seed);
  const args = Object.values(inputs).map(({ dtype, shape, data }) =>
    fromNative(dtype, shape as readonly number[], data),
  );
  return instance.run('main', args).map((result) => {
    const stored = toNative(result);
    const data = allocate(result.dtype, stored.length);
    (data as { set(source: ArrayLike<number | bigint>): void }).set(stored);
    return new Tensor(result.dtype, result.shape, data);
  });
}
