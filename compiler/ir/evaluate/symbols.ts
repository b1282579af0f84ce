// Binding of run-time dimensions: the shapes that a function is given against the types of its parameters.

import { type Dim, dimAsSymbol, dimConst, dimEvaluate, dimSubstitute, dimSymbols, dimValue } from '../dims.js';
import type { Func } from '../graph.js';
import { printType } from '../text/words.js';
import { EvaluationError } from './error.js';
import type { HostTensor } from './tensor.js';

/** The values of run-time dimensions by name. */
export type Dims = ReadonlyMap<string, number>;

/**
 * The values of the dimensions of a function's parameters. `known` are values that hold already (of the caller, or given by the
 * user). A dimension that no parameter has bare is solved for where the equation is linear in it.
 */
export function bindDims(func: Func, inputs: readonly HostTensor[], known: Dims = new Map()): Dims {
  if (inputs.length !== func.params.length) {
    throw new EvaluationError(`@${func.name} takes ${func.params.length} tensors, got ${inputs.length}`);
  }
  const dims = new Map(known);
  const equations: { readonly size: Dim; readonly value: number; readonly param: number }[] = [];
  func.params.forEach(({ type }, param) => {
    const { dtype, shape } = inputs[param] as HostTensor;
    if (dtype !== type.dtype || shape.length !== type.shape.length) misfit(func, param, inputs);
    type.shape.forEach((size, dim) => void equations.push({ size, value: shape[dim] as number, param }));
  });
  for (const { size, value } of equations) {
    const symbol = dimAsSymbol(size);
    if (symbol !== undefined && !dims.has(symbol)) dims.set(symbol, value);
  }
  for (const { size, value } of equations) solveLinear(size, value, dims);
  for (const { size, value, param } of equations) {
    const unbound = [...dimSymbols(size)].find((symbol) => !dims.has(symbol));
    if (unbound !== undefined) {
      throw new EvaluationError(`the size ${unbound} does not follow from the tensors that @${func.name} is given`);
    }
    if (dimEvaluate(size, dims) !== value) misfit(func, param, inputs, dims);
  }
  return dims;
}

/** Binds the only unknown dimension of `a·s + b = value` when it is a natural number. */
function solveLinear(size: Dim, value: number, dims: Map<string, number>): void {
  const unknown = [...dimSymbols(size)].filter((symbol) => !dims.has(symbol));
  const [symbol] = unknown;
  if (unknown.length !== 1 || symbol === undefined) return;
  const constants = new Map([...dims].map(([name, known]) => [name, dimConst(known)]));
  const at = (n: number) => dimValue(dimSubstitute(size, new Map([...constants, [symbol, dimConst(n)]])));
  const open = dimSubstitute(size, constants);
  const isLinear = open.terms.every(
    ({ atoms }) => atoms.length === 0 || (atoms.length === 1 && atoms[0]?.kind === 'symbol'),
  );
  const [zero, one] = [at(0), at(1)];
  if (!isLinear || zero === undefined || one === undefined || zero === one) return;
  const solution = (value - zero) / (one - zero);
  if (Number.isInteger(solution) && solution >= 0) dims.set(symbol, solution);
}

function misfit(func: Func, param: number, inputs: readonly HostTensor[], dims?: Dims): never {
  const { name, type } = func.params[param] as Func['params'][number];
  const { dtype, shape } = inputs[param] as HostTensor;
  const sizes = new Set(type.shape.flatMap((dim) => [...dimSymbols(dim)]));
  const bound = [...sizes].flatMap((symbol) => (dims?.has(symbol) ? [`${symbol} = ${dims.get(symbol)}`] : []));
  const where = bound.length > 0 ? ` with ${bound.join(', ')}` : '';
  throw new EvaluationError(
    `%${name} of @${func.name} is ${printType(type)}${where}, but the tensor given is ${dtype}[${shape.join(', ')}]`,
  );
}

/** The sizes of a shape. */
export const evaluateShape = (shape: readonly Dim[], dims: Dims): number[] =>
  shape.map((dim) => dimEvaluate(dim, dims));
