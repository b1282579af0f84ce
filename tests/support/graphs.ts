// Random graphs for property tests: small modules of well-formed functions with every kind of node, run-time dimensions, windows,
// masks, divisors, guards, lookups and regions; and random tensors to run them on.

import fc from 'fast-check';
import { Builder } from '../../compiler/ir/builder.js';
import { type Dim, dimConst, dimEvaluate, dimSymbol } from '../../compiler/ir/dims.js';
import { type DType, isFloat } from '../../compiler/ir/dtype.js';
import { allocate, elementCount, type HostTensor, storeNumbers } from '../../compiler/ir/evaluate/tensor.js';
import type { Func, Module, TensorType, Value } from '../../compiler/ir/graph.js';
import { printModule } from '../../compiler/ir/print.js';
import { Choices } from './choices.js';
import { type Grower, steps } from './graph-steps.js';

export interface RandomGraph {
  readonly module: Module;
  /** The function to evaluate; others are called by it. */
  readonly fn: string;
  /** Values of the run-time dimensions. */
  readonly dims: ReadonlyMap<string, number>;
  readonly inputs: readonly HostTensor[];
}

export interface GraphOptions {
  /** The dtype of the values that computation flows through; f64 if not given. */
  readonly dtype?: DType;
  /** Whether functions are called: not at all, by `call`, or also differentiated by `jvp` and `vjp`. */
  readonly regions?: 'none' | 'calls' | 'derivatives';
  /** Only operations whose derivative exists almost everywhere and is what a difference quotient approximates. */
  readonly differentiable?: boolean;
  /** The largest number of choices; a node takes about five. */
  readonly size?: number;
}

fc.configureGlobal({ includeErrorInReport: true });

/** An arbitrary of graphs with inputs. */
export function randomGraph(options: GraphOptions = {}): fc.Arbitrary<RandomGraph> {
  const choices = fc.array(fc.nat({ max: 5039 }), { minLength: 4, maxLength: options.size ?? 90, size: 'max' });
  const sizes = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }), fc.nat({ max: 2 ** 31 - 1 }));
  return fc.tuple(choices, sizes).map(([numbers, [b, n, seed]]) => {
    const dims = new Map([
      ['B', b],
      ['N', n],
    ]);
    const { module, fn } = growModule(new Choices(numbers), options);
    const func = module.functions.get(fn) as Func;
    const inputs = randomInputs(func, dims, seed);
    const describe = () => `${printModule(module)}with B = ${b}, N = ${n}`;
    return { module, fn, dims, inputs, [fc.toStringMethod]: describe };
  });
}

const dimChoices: readonly Dim[] = [dimConst(2), dimConst(3), dimConst(1), dimSymbol('B'), dimConst(4), dimSymbol('N')];

function growModule(choices: Choices, options: GraphOptions): { module: Module; fn: string } {
  const functions = new Map<string, Func>();
  const callees = options.regions === undefined || options.regions === 'none' ? 0 : 1 + choices.below(2);
  for (let i = 0; i < callees; i++) {
    const func = growFunction(`f${i}`, choices, functions, options, 4);
    functions.set(func.name, func);
  }
  const main = growFunction('main', choices, functions, options, 12);
  functions.set(main.name, main);
  return { module: { functions }, fn: main.name };
}

function growFunction(
  name: string,
  choices: Choices,
  functions: ReadonlyMap<string, Func>,
  options: GraphOptions,
  length: number,
): Func {
  const b = new Builder(name);
  const dtype = options.dtype ?? 'f64';
  // Symbols come first as bare dimensions of a parameter, so that they are bound when the function is called.
  const anchor = b.param('x', { dtype, shape: [dimSymbol('B'), dimSymbol('N')] });
  const values: Value[] = [anchor];
  for (let i = choices.below(3); i > 0; i--) {
    const shape = Array.from({ length: choices.below(4) }, () => choices.of(dimChoices));
    values.push(b.param('x', { dtype, shape }));
  }
  const grower: Grower = { b, choices, dtype, values, functions, options };
  for (let i = 0; i < length && !choices.exhausted; i++) {
    const step = choices.of(steps);
    const made = b.withOrigin(randomOrigin(choices), () => step(grower));
    for (const value of made) if (value.type.dtype === dtype && value.type.shape.length <= 4) values.push(value);
  }
  const results = values.slice(-1 - choices.below(2));
  return b.finish(results, choices.oneIn(3) ? { site: { file: 'model.td', line: 3, column: 1 } } : {});
}

function randomOrigin(choices: Choices) {
  const site = {
    file: choices.of(['mlp.td', 'a b.td', 'C:\\x|y.td']),
    line: 1 + choices.below(90),
    column: 1 + choices.below(40),
  };
  return choices.of([
    {},
    { site, text: choices.of(['fc1(x)', 'a | b', 'say("#1")\nmore', ' spaced ']) },
    { rule: choices.of(['d relu', 'd contract, second operand: of %x']), of: 'h.1' },
    { site, rule: 'd add' },
    { text: 'of %x' },
  ]);
}

/** A sequence of numbers in [0, 1) from a seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A random tensor of a type: floats from -2 to 2, integers from 0 to 3, bools. */
export function randomTensor(type: TensorType, dims: ReadonlyMap<string, number>, random: () => number): HostTensor {
  const shape = type.shape.map((dim) => dimEvaluate(dim, dims));
  const data = allocate(type.dtype, elementCount(shape));
  const draw = isFloat(type.dtype)
    ? () => random() * 4 - 2
    : () => Math.floor(random() * (type.dtype === 'bool' ? 2 : 4));
  storeNumbers(type.dtype, data, Array.from({ length: data.length }, draw));
  return { dtype: type.dtype, shape, data };
}

/** Random tensors for the parameters of a function. */
export function randomInputs(func: Func, dims: ReadonlyMap<string, number>, seed: number): readonly HostTensor[] {
  const random = randomNumbers(seed);
  return func.params.map((param) => randomTensor(param.type, dims, random));
}

/** The largest error of one tensor against another, relative to the magnitude of the wanted one's largest element (at least 1); 0 where both are NaN. */
export function tensorError(got: HostTensor, want: HostTensor): number {
  if (got.dtype !== want.dtype || got.shape.join() !== want.shape.join()) return Number.POSITIVE_INFINITY;
  let scale = 1;
  for (const value of want.data) if (Number.isFinite(Number(value))) scale = Math.max(scale, Math.abs(Number(value)));
  let error = 0;
  for (let i = 0; i < want.data.length; i++) {
    const [a, b] = [Number(got.data[i]), Number(want.data[i])];
    if (Object.is(a, b) || a === b) continue;
    if (!Number.isFinite(a) || !Number.isFinite(b)) return Number.POSITIVE_INFINITY;
    error = Math.max(error, Math.abs(a - b) / scale);
  }
  return error;
}
