// Programs with derivatives, for tests: a function built by hand, and its jvp and vjp expanded.

import { Builder } from '../../compiler/ir/builder.js';
import { dimConst } from '../../compiler/ir/dims.js';
import { isFloat } from '../../compiler/ir/dtype.js';
import { Interpreter } from '../../compiler/ir/evaluate/evaluate.js';
import { type HostTensor, hostTensor, numbersOf } from '../../compiler/ir/evaluate/tensor.js';
import type { Func, Module, TensorType, Value } from '../../compiler/ir/graph.js';
import { expandDerivatives } from '../../compiler/passes/differentiate.js';

/** A function `f` of the given parameters. */
export function buildFunction(
  types: readonly TensorType[],
  body: (b: Builder, params: readonly Value[]) => readonly Value[],
  name = 'f',
): Func {
  const b = new Builder(name);
  const params = types.map((type, i) => b.param(`x${i}`, type));
  return b.finish(body(b, params));
}

const floats = (values: readonly Value[]): number[] =>
  values.flatMap((value, i) => (isFloat(value.type.dtype) ? [i] : []));

/** A function that holds one derivative region of `func` with respect to all its float parameters and results. */
export function derivativeOf(func: Func, type: 'jvp' | 'vjp', name = `${type}.${func.name}`): Func {
  const wrt = floats(func.params);
  const of = floats(func.results);
  const b = new Builder(name);
  const params = func.params.map((param) => b.param(param.name, param.type));
  const [given, made] =
    type === 'jvp'
      ? [wrt.map((i) => func.params[i]), of.map((i) => func.results[i])]
      : [of.map((i) => func.results[i]), wrt.map((i) => func.params[i])];
  const seeds = (given as Value[]).map((value) => b.param(`s_${value.name}`, value.type));
  const types = [...func.results, ...(made as Value[])].map((value) => value.type);
  return b.finish(b.region({ type, fn: func.name, wrt, of }, [...params, ...seeds], types));
}

export const moduleOf = (...functions: readonly Func[]): Module => ({
  functions: new Map(functions.map((func) => [func.name, func])),
});

/** `f` with its jvp, its vjp, and all nestings of two of them, expanded: names `f`, `jvp.f`, `vjp.f`, `vjp.jvp.f`, …; `carried` are functions of its loops. */
export function withDerivatives(func: Func, order = 1, carried: readonly Func[] = []): Module {
  const functions = [...carried, func];
  let last = [func];
  for (let n = 0; n < order; n++) {
    last = last.flatMap((f) => [derivativeOf(f, 'jvp'), derivativeOf(f, 'vjp')]);
    functions.push(...last);
  }
  return expandDerivatives(moduleOf(...functions));
}

/** Evaluates a function of a module. */
export const evaluate = (module: Module, name: string, inputs: readonly HostTensor[]): readonly HostTensor[] =>
  new Interpreter(module).run(name, inputs);

/** Σ of products of all elements of two lists of tensors. */
export const innerProduct = (a: readonly HostTensor[], b: readonly HostTensor[]): number =>
  a.reduce((sum, tensor, i) => {
    const other = numbersOf(b[i] as HostTensor);
    return sum + numbersOf(tensor).reduce((s, x, k) => s + x * (other[k] as number), 0);
  }, 0);

/** `a + h·b` for lists of tensors; tensors that are not floats stay. */
export const displaced = (a: readonly HostTensor[], h: number, b: readonly HostTensor[]): HostTensor[] => {
  let at = 0;
  return a.map((tensor) => {
    if (!isFloat(tensor.dtype)) return tensor;
    const step = numbersOf(b[at++] as HostTensor);
    return hostTensor(
      tensor.dtype,
      tensor.shape,
      numbersOf(tensor).map((x, i) => x + h * (step[i] as number)),
    );
  });
};

export const vectorType = (length: number): TensorType => ({ dtype: 'f64', shape: [dimConst(length)] });
export const vector = (data: readonly number[]): HostTensor => hostTensor('f64', [data.length], data);

/** -0 and 0 are the same gradient. */
export const unsignedZeros = (numbers: readonly number[]): number[] => numbers.map((x) => (x === 0 ? 0 : x));
