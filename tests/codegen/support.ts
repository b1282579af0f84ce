// Runs programs as compiled C and in the interpreter, side by side.

import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import * as assert from 'uvu/assert';
import { buildCuda } from '../../codegen/build/cuda.js';
import { buildAddon } from '../../codegen/build/index.js';
import { packageRoot } from '../../codegen/build/places.js';
import { cpusOf } from '../../codegen/build/target.js';
import { type Generated, generate } from '../../codegen/generate.js';
import type { Precision } from '../../codegen/kernel/gpu/schedule.js';
import { type Machine, machines } from '../../codegen/kernel/machine.js';
import { Builder } from '../../compiler/ir/builder.js';
import { dimEvaluate, dimSymbols } from '../../compiler/ir/dims.js';
import { Interpreter } from '../../compiler/ir/evaluate/evaluate.js';
import { bindDims } from '../../compiler/ir/evaluate/symbols.js';
import { allocate, elementCount, type HostTensor, roundElements } from '../../compiler/ir/evaluate/tensor.js';
import type { Func, TensorType, Value } from '../../compiler/ir/graph.js';
import { pipelineFor, runPipeline } from '../../compiler/pipeline.js';
import type { Entry, Program } from '../../compiler/program.js';
import type { Addon, NativeInstance } from '../../runtime/addon.js';
import { fromBF16Bits, fromF16Bits, type TypedArray, toBF16Bits, toF16Bits } from '../../runtime/dtype.js';
import { alignedBytes } from '../../runtime/memory.js';

process.env.TDSL_CACHE_DIR ??= path.join(packageRoot(), '.cache', 'tdsl');

/** `TDSL_TEST_BACKEND=cuda-emulated` runs the tests that compile with `compile` on the emulated CUDA backend. */
export const isEmulated = process.env.TDSL_TEST_BACKEND === 'cuda-emulated';

/** A function built with a Builder. */
export function define(name: string, build: (b: Builder) => readonly Value[]): Func {
  const b = new Builder(name);
  const results = build(b);
  return b.finish(results);
}

/** A program with an entry for each function. */
export function programOf(functions: readonly Func[]): Program {
  const entries = functions.map((fn): Entry => {
    const symbols = new Set<string>();
    for (const param of fn.params) for (const dim of param.type.shape) dimSymbols(dim, symbols);
    return {
      name: fn.name,
      fn: fn.name,
      inputs: fn.params.map((param) => ({ kind: 'argument', path: param.name })),
      outputs: fn.results.map((_, i) => ({ kind: 'result', path: fn.results.length === 1 ? 'result' : `result.${i}` })),
      arguments: fn.params.map((param, index) => ({
        name: param.name,
        structure: { kind: 'tensor', index, type: param.type },
      })),
      result: {
        kind: 'tuple',
        items: fn.results.map((result, index) => ({ kind: 'tensor', index, type: result.type })),
      },
      symbols: [...symbols],
      constraints: [],
    };
  });
  return { name: 'test', module: { functions: new Map(functions.map((fn) => [fn.name, fn])) }, entries, state: [] };
}

const wordsOf = (tensor: HostTensor): TypedArray => {
  if (tensor.dtype === 'f16') return Uint16Array.from(tensor.data as Float32Array, toF16Bits);
  if (tensor.dtype === 'bf16') return Uint16Array.from(tensor.data as Float32Array, toBF16Bits);
  return tensor.data as TypedArray;
};

const narrow = { f16: fromF16Bits, bf16: fromBF16Bits } as const;

/** Every entry runs on so many threads, one after another: results must be the same to the bit. */
const THREADS = isEmulated ? [1] : [1, 2, 4];

/** An instance and its state. */
interface Running {
  readonly instance: NativeInstance;
  readonly state: Uint8Array<ArrayBuffer>;
}

/** A program as C, built and loaded. */
export class Compiled {
  readonly #running: readonly Running[];

  constructor(
    readonly program: Program,
    readonly generated: Generated,
    readonly addon: Addon,
  ) {
    this.#running = THREADS.map((threads) => {
      const state = alignedBytes(addon, generated.layout.bytes);
      return { state, instance: addon.create({ state, threads }) };
    });
  }

  /** Another instance, for which the environment may choose another version of the kernels. */
  again(): Compiled {
    return new Compiled(this.program, this.generated, this.addon);
  }

  #leaf(state: Uint8Array, leaf: number): Uint8Array {
    const { offset, bytes } = this.generated.layout.leaves[leaf]!;
    return state.subarray(offset, offset + bytes);
  }

  writeState(leaf: number, tensor: HostTensor): void {
    const { data } = tensor;
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    for (const { state } of this.#running) this.#leaf(state, leaf).set(bytes);
  }

  readState(leaf: number): HostTensor {
    const { dtype, shape } = this.program.state[leaf]!;
    const tensor = { dtype, shape, data: allocate(dtype, elementCount(shape)) };
    const [first, ...others] = this.#running.map(({ state }) => this.#leaf(state, leaf)) as [Uint8Array];
    for (const other of others) assertSameBits(other, first, `leaf ${leaf}`);
    new Uint8Array(tensor.data.buffer).set(first);
    return tensor;
  }

  /** The results of an entry; `inputs` are its arguments, without the state. */
  run(
    name: string,
    inputs: readonly HostTensor[],
    known: ReadonlyMap<string, number> = new Map(),
  ): readonly HostTensor[] {
    const at = this.program.entries.findIndex((entry) => entry.name === name);
    const entry = this.program.entries[at] as Entry;
    const fn = this.program.module.functions.get(entry.fn) as Func;
    const params = fn.params.filter((_, i) => entry.inputs[i]?.kind === 'argument');
    const dims = bindDims({ ...fn, params }, inputs, known);
    const types = fn.results.filter((_, i) => entry.outputs[i]?.kind === 'result').map(({ type }) => type);
    const results = types.map((type) => emptyTensor(type, dims));
    const empty = (): readonly TypedArray[] =>
      results.map(({ dtype, data }) => (dtype in narrow ? new Uint16Array(data.length) : (data.slice() as TypedArray)));
    const symbols = Float64Array.from(entry.symbols, (symbol) => dims.get(symbol) as number);
    const [outputs, ...others] = this.#running.map(({ instance }) => {
      const own = empty();
      instance.run(at, symbols, ...inputs.map(wordsOf), ...own);
      return own;
    }) as [readonly TypedArray[]];
    for (const other of others)
      for (const [i, output] of outputs.entries()) assertSameBits(other[i]!, output, `${name} result ${i}`);
    results.forEach((result, i) => {
      const decode = result.dtype === 'f16' || result.dtype === 'bf16' ? narrow[result.dtype] : undefined;
      const output = outputs[i]!;
      result.data.set((decode === undefined ? output : Array.from(output as Uint16Array, decode)) as never);
    });
    return results;
  }
}

/** Every launch is divided, however small: so small shapes run on several threads. */
function divided(sources: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const text = sources.get('phases.h')!;
  const always = text.replace(/int64_t chunks = [^;]*;/, 'int64_t chunks = work < 0 ? 1 : 16;');
  assert.is.not(always, text);
  return new Map([...sources, ['phases.h', always]]);
}

function assertSameBits(actual: TypedArray, expected: TypedArray, what: string): void {
  const bytes = ({ buffer, byteOffset, byteLength }: TypedArray): Buffer => Buffer.from(buffer, byteOffset, byteLength);
  assert.is(Buffer.compare(bytes(actual), bytes(expected)), 0, `${what} depends on the number of threads`);
}

function emptyTensor(type: TensorType, dims: ReadonlyMap<string, number>): HostTensor {
  const shape = type.shape.map((dim) => dimEvaluate(dim, dims));
  return { dtype: type.dtype, shape, data: allocate(type.dtype, elementCount(shape)) };
}

export interface CompileOptions {
  /** `none` compiles every node as a kernel of its own. */
  readonly passes?: 'default' | 'none';
  /** The class of machines that code is generated for; the best that runs here without it, and `all` for files that serve every class. */
  readonly machine?: Machine | 'all';
  /** The CPUs that kernels are compiled for, in the place of this machine. */
  readonly cpus?: readonly string[];
  /** Runs the kernels of the CUDA backend in the emulator instead. */
  readonly cuda?: 'emulated' | 'checked';
  /** How the CUDA backend computes products of f32. */
  readonly precision?: Precision;
  /** Multiplies the tolerance: the interpreter sums in f64. */
  readonly slack?: number;
}

/** The classes of machines whose code this machine can run. */
export function runnableMachines(): readonly Machine[] {
  const features = new Set(/^(?:flags|Features)\s*:(.*)$/m.exec(cpuInfo())?.[1]?.trim().split(/\s+/) ?? []);
  const needs: Readonly<Record<string, readonly string[]>> = {
    avx512: ['avx512f', 'avx512dq', 'avx512bw', 'avx512vl'],
    avx2: ['avx2', 'fma'],
    neon: ['asimd'],
  };
  const runnable = machines.filter(({ name }) => (needs[name] ?? []).every((feature) => features.has(feature)));
  return isEmulated ? runnable.slice(0, 1) : runnable;
}

/** The CPUs of portable modules whose code this machine can run. */
export function runnableCpus(): readonly string[] {
  const names = runnableMachines().map(({ name }) => name);
  return cpusOf('portable').slice(0, isEmulated ? 1 : names.includes('avx512') ? 3 : names.includes('avx2') ? 2 : 1);
}

const cpuInfo = (): string => (existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '');

/** Builds a program and loads it. */
export async function compile(program: Program, options: CompileOptions = {}): Promise<Compiled> {
  const lowered = options.passes === 'none' ? program : runPipeline(program, pipelineFor(options.precision));
  const outDir = mkdtempSync(path.join(os.tmpdir(), 'tdsl-codegen-'));
  const cuda = options.cuda ?? (isEmulated ? 'emulated' : undefined);
  if (cuda !== undefined) {
    const generated = generate(lowered, {
      target: 'cuda',
      version: 'test',
      sourceHash: 'test',
      ...(options.precision === undefined ? {} : { precision: options.precision }),
    });
    const request = { sources: generated.sources, outDir, name: 'test', kind: cuda, archs: [] };
    const { file } = await buildCuda(request);
    return new Compiled(lowered, generated, createRequire(import.meta.url)(file) as Addon);
  }
  const machine = options.machine ?? (runnableMachines()[0] as Machine);
  const generated = generate(lowered, {
    target: 'c',
    version: 'test',
    sourceHash: 'test',
    ...(machine === 'all' || options.cpus !== undefined ? {} : { machines: [machine] }),
    ...(options.cpus && { cpus: options.cpus }),
  });
  const { file } = await buildAddon({
    sources: divided(generated.sources),
    outDir,
    name: 'test',
    mode: 'dev',
    ...(options.cpus && { cpus: options.cpus }),
  });
  return new Compiled(lowered, generated, createRequire(import.meta.url)(file) as Addon);
}

/** A repeatable generator of numbers in [0, 1). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A tensor of random elements: floats in [-2, 2), small integers, bools. */
export function randomTensor(type: TensorType, dims: ReadonlyMap<string, number>, next: () => number): HostTensor {
  const tensor = emptyTensor(type, dims);
  const { data, dtype } = tensor;
  for (let i = 0; i < data.length; i++) {
    const float = next() * 4 - 2;
    if (data instanceof BigInt64Array) data[i] = BigInt(Math.floor(float * 8));
    else if (dtype === 'bool') data[i] = next() < 0.5 ? 0 : 1;
    else if (dtype === 'u8') data[i] = Math.floor(next() * 20);
    else data[i] = dtype.startsWith('i') ? Math.floor(float * 8) : float;
  }
  roundElements(dtype, data);
  return tensor;
}

const tolerances = { f16: 4e-3, bf16: 3e-2, f32: 2e-5, f64: 1e-12 } as const;

/** Whether two tensors agree: integers and bools exactly, floats to the accuracy of their dtype. */
export function assertAgree(actual: HostTensor, expected: HostTensor, what: string, slack = 1): void {
  assert.equal(actual.shape, expected.shape, what);
  const tolerance = expected.dtype in tolerances ? tolerances[expected.dtype as keyof typeof tolerances] * slack : 0;
  const scale =
    tolerance === 0
      ? 0
      : Array.from(expected.data as Float64Array).reduce(
          (max, x) => Math.max(max, Number.isFinite(x) ? Math.abs(x) : 0),
          1,
        );
  for (let i = 0; i < expected.data.length; i++) {
    const [a, e] = [actual.data[i], expected.data[i]] as [number | bigint, number | bigint];
    const agree =
      Object.is(a, e) ||
      a === e ||
      Math.abs(Number(a) - Number(e)) <= tolerance * Math.max(scale / 10, Math.abs(Number(e)), 1e-3);
    if (!agree) assert.unreachable(`${what}: element ${i} is ${a}, the interpreter has ${e}`);
  }
}

/** Compiles functions and compares each with the interpreter, for every setting of the run-time dimensions. */
export async function checkAgainstInterpreter(
  functions: readonly Func[],
  settings: readonly Readonly<Record<string, number>>[] = [{}],
  options: CompileOptions = {},
): Promise<Compiled> {
  const program = programOf(functions);
  const compiled = await compile(program, options);
  const interpreter = new Interpreter(program.module);
  for (const fn of functions) {
    for (const setting of settings) {
      const dims = new Map(Object.entries(setting));
      const next = randomNumbers(fn.name.length * 7919 + [...dims.values()].reduce((sum, n) => sum * 31 + n, 1));
      const inputs = fn.params.map(({ type }) => randomTensor(type, dims, next));
      const own = new Map(
        [...dims].filter(([name]) => program.entries.find((entry) => entry.name === fn.name)?.symbols.includes(name)),
      );
      const expected = interpreter.run(fn.name, inputs, { dims: own });
      const actual = compiled.run(fn.name, inputs, own);
      for (const [i, tensor] of expected.entries()) {
        assertAgree(
          actual[i] as HostTensor,
          tensor,
          `${fn.name} ${JSON.stringify(setting)} result ${i}`,
          options.slack,
        );
      }
    }
  }
  return compiled;
}
