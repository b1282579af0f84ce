// Runs the entries of a lowered program, by the interpreter or natively, behind one interface: `tdsl run`, the reference cases and
// the backend tests choose a backend by name.

import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { constraintHolds, equalityText, failureText } from '../compiler/constraints.js';
import { EvaluationError } from '../compiler/ir/evaluate/error.js';
import { evaluateFunction } from '../compiler/ir/evaluate/evaluate.js';
import { bindDims, type Dims } from '../compiler/ir/evaluate/symbols.js';
import { elementCount, type HostTensor, hostTensor } from '../compiler/ir/evaluate/tensor.js';
import type { Func } from '../compiler/ir/graph.js';
import type { Entry, Program } from '../compiler/program.js';
import type { Addon } from '../runtime/addon.js';
import { type DType, numberToStored, storedToNumber, type TypedArray, viewOf } from '../runtime/dtype.js';
import { TdslError } from '../runtime/errors.js';
import { alignedBytes, allocate } from '../runtime/memory.js';
import { type BuildOptions, build, type Lowered } from './build.js';

/** A program with a state of its own. */
export interface Instance {
  readonly program: Program;
  /** Computes the initial state from a seed, by the entry `init` (or another of that kind); without one only random keys are set. */
  seed(seed: number, init?: string): void;
  /** The tensors of the state, in the order of `program.state`. */
  readonly state: readonly HostTensor[];
  setState(leaf: number, value: HostTensor): void;
  /**
   * Runs an entry: its argument tensors in order to its result tensors in order. State is read and written back. `dims` are the values of
   * run-time dimensions that are arguments themselves.
   */
  run(entry: string, args: readonly HostTensor[], dims?: Dims): readonly HostTensor[];
}

/** A key's two words: the seed, and the number of calls that drew. */
const keyOf = (seed: number): HostTensor => hostTensor('i64', [2], [seed, 0]);

function findEntry(
  program: Program,
  name: string,
): { readonly entry: Entry; readonly func: Func; readonly index: number } {
  const index = program.entries.findIndex((candidate) => candidate.name === name);
  const entry = program.entries[index];
  const func = entry === undefined ? undefined : program.module.functions.get(entry.fn);
  if (entry === undefined || func === undefined) throw new EvaluationError(`the program has no entry ${name}`);
  return { entry, func, index };
}

const zeros = (dtype: DType, shape: readonly number[]): HostTensor =>
  hostTensor(dtype, shape, new Array<number>(elementCount(shape)).fill(0));

/** Seeds an instance through its entry `init`, or else sets the keys alone. */
function seedState(instance: Omit<Instance, 'seed'>, seed: number, init: string): void {
  const { program } = instance;
  if (program.entries.some(({ name }) => name === init)) {
    const { entry } = findEntry(program, init);
    const takesKey = entry.inputs.some(({ kind }) => kind === 'argument');
    instance.run(init, takesKey ? [keyOf(seed)] : []);
  } else {
    program.state.forEach(({ role }, leaf) => {
      if (role === 'key') instance.setState(leaf, keyOf(seed));
    });
  }
}

/** What native code checks when an entry is called. */
function checkConstraints({ name, constraints }: Entry, dims: Dims): void {
  const failed = constraints.find((constraint) => !constraintHolds(constraint, dims));
  if (failed !== undefined) throw new EvaluationError(`${name}: ${failureText(failed, dims)}`);
}

/** The sizes of a call; where the tensors do not agree, the error says why the program needs them to. */
function bindEntry({ equalities = [] }: Entry, func: Func, inputs: readonly HostTensor[], known: Dims): Dims {
  try {
    return bindDims(func, inputs, known);
  } catch (error) {
    if (!(error instanceof EvaluationError) || equalities.length === 0) throw error;
    throw new EvaluationError([error.message, ...equalities.map(equalityText)].join('; '));
  }
}

/** An instance that the reference interpreter runs. */
export function interpret(program: Program): Instance {
  const state = program.state.map(({ dtype, shape }) => zeros(dtype, shape));
  const instance = {
    program,
    state,
    setState(leaf: number, value: HostTensor): void {
      state[leaf] = value;
    },
    run(name: string, args: readonly HostTensor[], dims: Dims = new Map()): readonly HostTensor[] {
      const { entry, func } = findEntry(program, name);
      const remaining = [...args];
      const inputs = entry.inputs.map((input) => (input.kind === 'state' ? state[input.leaf] : remaining.shift()));
      if (remaining.length > 0 || inputs.includes(undefined)) {
        throw new EvaluationError(
          `${name} takes ${entry.inputs.filter(({ kind }) => kind === 'argument').length} tensors, got ${args.length}`,
        );
      }
      const known = bindEntry(entry, func, inputs as readonly HostTensor[], dims);
      checkConstraints(entry, known);
      const values = evaluateFunction(program.module, entry.fn, inputs as readonly HostTensor[], { dims: known });
      const results: HostTensor[] = [];
      entry.outputs.forEach((output, i) => {
        const value = values[i] as HostTensor;
        if (output.kind === 'state') state[output.leaf] = value;
        else results.push(value);
      });
      return results;
    },
  };
  return { ...instance, seed: (seed, init = 'init') => seedState(instance, seed, init) };
}

const isHalf = (dtype: DType): boolean => dtype === 'f16' || dtype === 'bf16';

/** The elements as native code stores them: 16-bit floats as bit patterns. */
export function toNative({ dtype, data }: HostTensor): TypedArray {
  if (!isHalf(dtype)) return data;
  const stored = allocate(dtype, data.length);
  for (let i = 0; i < data.length; i++) stored[i] = Number(numberToStored(dtype, Number(data[i])));
  return stored;
}

export function fromNative(dtype: DType, shape: readonly number[], stored: TypedArray): HostTensor {
  if (!isHalf(dtype)) return { dtype, shape: [...shape], data: stored.slice() as HostTensor['data'] };
  return hostTensor(
    dtype,
    shape,
    Array.from(stored as Uint16Array, (bits) => storedToNumber(dtype, bits)),
  );
}

/** The backends by name. `cuda-emulated` runs the kernels of the CUDA backend on the CPU, `cuda-checked` watches what they do. */
export const backendNames = ['interpreter', 'c', 'cuda', 'cuda-emulated', 'cuda-checked'] as const;
export type BackendName = (typeof backendNames)[number];

export const isBackendName = (text: string): text is BackendName => (backendNames as readonly string[]).includes(text);

const cudaKinds = { c: undefined, cuda: 'gpu', 'cuda-emulated': 'emulated', 'cuda-checked': 'checked' } as const;

/** What backends for GPUs can be told. */
type BackendOptions = Pick<BuildOptions, 'precision'>;

/** An instance of a lowered program on a backend. */
export const instantiate = async (
  lowered: Lowered,
  backend: BackendName,
  options: BackendOptions = {},
): Promise<Instance> => (backend === 'interpreter' ? interpret(lowered.program) : native(lowered, backend, options));

/** An instance that a compiling backend has built. The addon is built in a temporary folder, which is removed once it is loaded. */
export async function native(
  lowered: Lowered,
  backend: Exclude<BackendName, 'interpreter'> = 'c',
  options: BackendOptions = {},
): Promise<Instance> {
  const cuda = cudaKinds[backend];
  const { program } = lowered;
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-'));
  try {
    const { result } = await build(lowered, {
      outDir: folder,
      mode: 'dev',
      emit: 'addon',
      ...options,
      ...(cuda === undefined ? {} : { cuda }),
    });
    return nativeInstance(program, createRequire(import.meta.url)(result.file) as Addon);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** An instance of a program that an addon holds. */
export function nativeInstance(program: Program, addon: Addon): Instance {
  const reason = addon.probe();
  if (reason !== null)
    throw new TdslError(addon.describe().device === 'cuda' ? 'TDSL_NO_DEVICE' : 'TDSL_UNSUPPORTED', reason);
  const { stateBytes, state: places } = addon.describe();
  const arena = alignedBytes(addon, stateBytes);
  const handle = addon.create({ state: arena, threads: 0 });
  const views = program.state.map(({ dtype, shape }, leaf) => {
    const place = places[leaf];
    if (place === undefined) throw new Error(`the state leaf ${leaf} has no place in the arena`);
    return viewOf(dtype, arena.buffer, arena.byteOffset + place.offset, elementCount(shape));
  });
  const instance = {
    program,
    get state(): readonly HostTensor[] {
      return program.state.map(({ dtype, shape }, leaf) => fromNative(dtype, shape, views[leaf] as TypedArray));
    },
    setState(leaf: number, value: HostTensor): void {
      const stored = toNative(value);
      const view = views[leaf] as TypedArray;
      for (let i = 0; i < stored.length; i++) view[i] = stored[i] as never;
    },
    run(name: string, args: readonly HostTensor[], numbers: Dims = new Map()): readonly HostTensor[] {
      const { entry, func, index } = findEntry(program, name);
      const params = func.params.filter((_, i) => entry.inputs[i]?.kind === 'argument');
      const dims = bindEntry(entry, { ...func, params }, args, numbers);
      const symbols = Float64Array.from(entry.symbols, (symbol) => dims.get(symbol) ?? 0);
      const shapes = handle.shape(index, symbols).slice(args.length);
      const types = func.results.filter((_, i) => entry.outputs[i]?.kind === 'result').map(({ type }) => type.dtype);
      const outputs = types.map((dtype, i) => allocate(dtype, elementCount(shapes[i] ?? [])));
      handle.run(index, symbols, ...args.map(toNative), ...outputs);
      return types.map((dtype, i) => fromNative(dtype, shapes[i] ?? [], outputs[i] as TypedArray));
    },
  };
  return {
    program,
    seed: (seed, init = 'init') => seedState(instance, seed, init),
    setState: instance.setState,
    run: instance.run,
    get state() {
      return instance.state;
    },
  };
}
