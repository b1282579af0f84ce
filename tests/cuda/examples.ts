// Runs every entry of an example on a backend and compares results and state with the interpreter, or with C where the interpreter takes too long.

import * as assert from 'uvu/assert';
import { type BackendName, type Instance, instantiate, interpret } from '../../cli/backends.js';
import { type Lowered, lower } from '../../cli/build.js';
import { loadProgram } from '../../cli/frontend.js';
import { dimEvaluate, dimSymbols } from '../../compiler/ir/dims.js';
import { isFloat } from '../../compiler/ir/dtype.js';
import { elementCount, type HostTensor, hostTensor } from '../../compiler/ir/evaluate/tensor.js';
import type { TensorType } from '../../compiler/ir/graph.js';
import type { Program } from '../../compiler/program.js';
import { long, smallPrograms } from '../examples/examples.js';
import { tensorError } from '../support/graphs.js';
import { Random } from '../support/random.js';
import { bitsOf, inEveryOrder } from './orders.js';

/** The size of a run-time dimension, by its name. Nine normalisations by the statistics of three rows would enlarge roundings ten-thousandfold. */
const sizeOf = (dim: string, example: string): number =>
  ({ B: example.includes('batch_norm') ? 16 : 3, T: 4, n: 5 })[dim] ?? 3;
/** The interpreter sums in f64. Training that is one call of 500 steps of Adam enlarges what that changes: C is off by a thousandth there. */
const toleranceOf = (name: string): number => (name === 'course/04-logistic-gates/logistic_gates' ? 5e-3 : 2e-4);

/** Floats in [-0.5, 0.5), classes 0 to 2. */
function inputOf({ dtype, shape }: TensorType, random: Random, example: string): HostTensor {
  const symbols = new Set<string>();
  for (const dim of shape) dimSymbols(dim, symbols);
  const dims = new Map([...symbols].map((name) => [name, sizeOf(name, example)]));
  const sizes = shape.map((dim) => dimEvaluate(dim, dims));
  const elements = Array.from({ length: elementCount(sizes) }, () => {
    const number = random.next();
    return isFloat(dtype) ? number - 0.5 : Math.floor(number * 3);
  });
  return hostTensor(dtype, sizes, elements);
}

/** The file of an example, or of its small version. */
export const fileOf = (name: string): string => smallPrograms.find((example) => example.name === name)?.file ?? name;

/** Runs all entries of an example twice, those that train as well, on a backend and on the one that it is compared with. */
export async function runExample(name: string, backend: BackendName): Promise<void> {
  const lowered = lower(loadProgram(fileOf(name), { dims: {} }));
  const reference = await instantiate(lowered, long.has(name) ? 'c' : 'interpreter');
  compareInstances(name, reference, await instantiate(lowered, backend));
}

/** Runs all entries of an example twice in each order of threads and blocks, and demands the same bits of results and state. */
export async function assertSameBitsOfExample(name: string): Promise<void> {
  const lowered = lower(loadProgram(fileOf(name), { dims: {} }));
  const instance = await instantiate(lowered, 'cuda-emulated');
  const [first, ...others] = inEveryOrder(() => {
    instance.seed(7);
    const results = callsOf(lowered.program, name).map(({ entry, args }) => resultsOf(instance, entry, args));
    return results.map((each) => (each === undefined ? 'failed' : bitsOf(each))).join(' ') + bitsOf(instance.state);
  });
  for (const other of others) assert.is(other === first, true, `${name}: results depend on the order of threads`);
}

/** What an entry gives; nothing where the arguments are such that it fails, as a loop does that reaches its bound. */
function resultsOf(instance: Instance, entry: string, args: readonly HostTensor[]): readonly HostTensor[] | undefined {
  try {
    return instance.run(entry, args);
  } catch {
    return undefined;
  }
}

/** Every entry but the one that makes the state, twice, with its arguments. */
function callsOf(
  program: Program,
  example: string,
): readonly { readonly entry: string; readonly args: readonly HostTensor[] }[] {
  return program.entries
    .filter(({ name }) => name !== 'init')
    .flatMap((entry) => {
      const func = program.module.functions.get(entry.fn);
      const types = (func?.params ?? []).filter((_, i) => entry.inputs[i]?.kind === 'argument').map(({ type }) => type);
      return [1, 2].map((round) => {
        const random = new Random(round);
        return { entry: entry.name, args: types.map((type) => inputOf(type, random, example)) };
      });
    });
}

/** Compares results and state of an instance with those of the interpreter. */
export const compareExample = (name: string, { program }: Lowered, instance: Instance): void =>
  compareInstances(name, interpret(program), instance);

function compareInstances(name: string, reference: Instance, instance: Instance): void {
  const { program } = reference;
  for (const each of [reference, instance]) each.seed(7);
  for (const { entry, args } of callsOf(program, name)) {
    const want = resultsOf(reference, entry, args);
    if (want === undefined) {
      assert.throws(() => instance.run(entry, args), undefined, `${name}: ${entry} must fail`);
      continue;
    }
    const got = instance.run(entry, args);
    for (const [i, tensor] of want.entries()) {
      const error = tensorError(got[i] as HostTensor, tensor);
      assert.ok(error < toleranceOf(name), `${name}: result ${i} of ${entry} is off by ${error}`);
    }
  }
  reference.state.forEach((tensor, i) => {
    const error = tensorError(instance.state[i] as HostTensor, tensor);
    assert.ok(error < toleranceOf(name), `${name}: ${program.state[i]?.path} is off by ${error}`);
  });
}
