// The reference interpreter: evaluates functions of the graph at every stage of compilation. It is written for correctness:
// each operation is evaluated on its own and rounded to its dtype, and sums accumulate in f64. It is the oracle of the passes
// and the backends.

import { orderOp, reduceOp } from '../../ops/table.js';
import { dimEvaluate } from '../dims.js';
import type { Func, Module, Node, NodeOf, Value } from '../graph.js';
import { type AccessContext, accessOffsets, spaceExtents } from './access.js';
import { evaluateContract } from './contract.js';
import { evaluateIf, evaluateLoop, type RunFunction } from './control.js';
import { evaluateElementwise } from './elementwise.js';
import { EvaluationError } from './error.js';
import { lanesAlong, reduceFolds, scanFolds } from './fold.js';
import { evaluateAssemble, evaluateIndexing, evaluateView } from './move.js';
import { Programs } from './programs.js';
import { sortPositions } from './sort.js';
import { evaluateSource } from './source.js';
import { bindDims, type Dims, evaluateShape } from './symbols.js';
import { elementCount, type HostTensor } from './tensor.js';

export interface EvaluationOptions {
  /** Values of run-time dimensions that the tensors given do not determine. */
  readonly dims?: Dims;
  /** Called after each node with its results. */
  readonly onNode?: (func: Func, node: Node, results: readonly HostTensor[]) => void;
}

/** Evaluates the functions of a module; keeps what it compiles of their operations between calls. */
export class Interpreter {
  readonly #programs = new Programs();

  constructor(readonly module: Module) {}

  /** The results of a function. Throws `EvaluationError` for tensors that do not fit and for indices out of range. */
  run(name: string, inputs: readonly HostTensor[], options: EvaluationOptions = {}): readonly HostTensor[] {
    const func = this.#function(name);
    const dims = bindDims(func, inputs, options.dims);
    const values = new Map<Value, HostTensor>(func.params.map((param, i) => [param, inputs[i] as HostTensor]));
    const read = (value: Value): HostTensor => {
      const tensor = values.get(value);
      if (tensor === undefined) throw new Error(`%${value.name} is used in @${name} before it is defined`);
      return tensor;
    };
    const lastUse = lastUses(func);
    func.nodes.forEach((node, at) => {
      const results = this.#node(node, node.inputs.map(read), dims, options);
      node.results.forEach((value, i) => void values.set(value, results[i] as HostTensor));
      options.onNode?.(func, node, results);
      for (const value of node.inputs) if (lastUse.get(value) === at) values.delete(value);
    });
    return func.results.map(read);
  }

  #function(name: string): Func {
    const func = this.module.functions.get(name);
    if (func === undefined) throw new EvaluationError(`there is no function @${name}`);
    return func;
  }

  #node(node: Node, inputs: readonly HostTensor[], dims: Dims, options: EvaluationOptions): readonly HostTensor[] {
    const { origin } = node;
    const context: AccessContext = { dims, inputs, origin };
    const shape = evaluateShape(node.results[0]?.type.shape ?? [], dims);
    switch (node.kind) {
      case 'elementwise': {
        const program = this.#programs.elementwise(
          node.op,
          inputs.map((input) => input.dtype),
          node.dtype,
        );
        return [evaluateElementwise(program, inputs, resultDType(node, 0), shape)];
      }
      case 'contract':
        return [evaluateContract(node, context)];
      case 'reduce':
        return this.#reduce(node, context);
      case 'view':
        return [evaluateView(node, shape, context)];
      case 'assemble':
        return [evaluateAssemble(node, shape, context)];
      case 'index':
        return [evaluateIndexing(node, shape, context)];
      case 'order':
        return this.#order(node, inputs[0] as HostTensor, shape, dims);
      case 'source':
        return [evaluateSource(node, inputs, shape, dims, this.#programs)];
      case 'region':
        return this.#region(node, inputs, dims, options);
    }
  }

  #region(
    node: NodeOf<'region'>,
    inputs: readonly HostTensor[],
    dims: Dims,
    options: EvaluationOptions,
  ): readonly HostTensor[] {
    const { region } = node;
    const run: RunFunction = (fn, args) => this.run(fn, args, { ...options, dims });
    switch (region.type) {
      case 'call':
      case 'kernel':
      case 'checkpoint':
      case 'custom_jvp':
        return run(region.fn, inputs);
      case 'if':
        return evaluateIf(region, inputs, run);
      case 'loop':
        return evaluateLoop(node, region, this.#function(region.fn), inputs, dims, run);
      default:
        throw new Error(`${region.type} of @${region.fn} is not expanded: run the pass 'differentiate' first`);
    }
  }

  #reduce(node: Extract<Node, { kind: 'reduce' }>, context: AccessContext): readonly HostTensor[] {
    const input = context.inputs[0] as HostTensor;
    const extents = spaceExtents(node.space, context.dims);
    const shape = extents.slice(0, node.space.outer);
    const folds = {
      data: input.data,
      offsets: accessOffsets(node.space, node.access, input.shape, context),
      lanes: elementCount(shape),
      length: elementCount(extents.slice(node.space.outer)),
    };
    const dtypes = node.results.map((result) => result.type.dtype);
    const onEmpty = () => {
      if (reduceOp(node.op).empty === 'error') throw new EvaluationError(`${node.op} of no elements`, context.origin);
    };
    const results = reduceFolds(this.#programs.fold('reduce', node.op, input.dtype), folds, dtypes, onEmpty);
    return results.map((data, i) => ({ dtype: resultDType(node, i), shape: [...shape], data }));
  }

  #order(
    node: Extract<Node, { kind: 'order' }>,
    input: HostTensor,
    shape: readonly number[],
    dims: Dims,
  ): readonly HostTensor[] {
    if (orderOp(node.op).method === 'sort') {
      const keys = this.#programs.sortKey(node.op, input.dtype, node.reverse);
      const positions = { dtype: 'i64', shape, data: new BigInt64Array(elementCount(shape)) } as const;
      const start = node.places === undefined ? 0 : dimEvaluate(node.places.start, dims);
      sortPositions(keys, lanesAlong(input, node.dim), start, lanesAlong(positions, node.dim));
      return [positions];
    }
    const program = this.#programs.fold('order', node.op, input.dtype);
    const dtypes = node.results.map((result) => result.type.dtype);
    const results = scanFolds(program, lanesAlong(input, node.dim), dtypes, node.reverse);
    return results.map((data, i) => ({ dtype: resultDType(node, i), shape: [...input.shape], data }));
  }
}

const resultDType = (node: Node, result: number) => (node.results[result] as Value).type.dtype;

/** The position of the last node that reads each value; results of the function are kept. */
function lastUses(func: Func): ReadonlyMap<Value, number> {
  const last = new Map<Value, number>();
  func.nodes.forEach((node, at) => {
    for (const value of node.inputs) last.set(value, at);
  });
  for (const value of func.results) last.delete(value);
  return last;
}

/** Evaluates one function once. A caller that evaluates repeatedly keeps an `Interpreter`. */
export const evaluateFunction = (
  module: Module,
  name: string,
  inputs: readonly HostTensor[],
  options: EvaluationOptions = {},
): readonly HostTensor[] => new Interpreter(module).run(name, inputs, options);
