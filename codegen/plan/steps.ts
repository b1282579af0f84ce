// A function as a list of kernel launches, loops and branches over values in memory. What the pass `fuse` has left outside of kernels
// becomes a kernel of its own here, so that any program can be compiled, fused or not.

import { type ControlNode, isControl } from '../../compiler/ir/control.js';
import { type Dim, dimAsSymbol, dimEquals, dimSubstitute, dimSymbol } from '../../compiler/ir/dims.js';
import type { Func, Module, Node, Origin, Value } from '../../compiler/ir/graph.js';
import { nodeName } from '../../compiler/ir/graph.js';
import { freeSymbols } from '../../compiler/ir/rewrite.js';

/** One launch. `fn` computes `outputs` from `inputs`; its run-time dimensions are `symbols` of the entry. */
export interface LaunchStep {
  readonly kind: 'launch';
  readonly fn: Func;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** The values of the function's run-time dimensions, in those of the entry. */
  readonly symbols: ReadonlyMap<string, Dim>;
  readonly origin: Origin;
}

/** A loop or branch: its functions are lists of steps of their own. */
export interface ControlStep {
  readonly kind: 'control';
  readonly node: ControlNode;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly origin: Origin;
}

export type Step = LaunchStep | ControlStep;

export interface Steps {
  readonly steps: readonly Step[];
  /** The value in memory that a value is another shape of; the value itself in most cases. */
  readonly root: (value: Value) => Value;
}

/** The steps of a function in order. */
export function stepsOf(module: Module, func: Func): Steps {
  const aliases = new Map<Value, Value>();
  const root = (value: Value): Value => {
    const of = aliases.get(value);
    return of === undefined ? value : root(of);
  };
  const steps: Step[] = [];
  for (const node of func.nodes) {
    const [input] = node.inputs;
    if (node.kind === 'view' && node.view.type === 'reshape' && input !== undefined) {
      aliases.set(node.results[0] as Value, input);
      continue;
    }
    const { results: outputs, origin } = node;
    if (isControl(node)) {
      steps.push({ kind: 'control', node, inputs: node.inputs.map(root), outputs, origin });
      continue;
    }
    // A node that reads a value twice is a kernel that takes it once.
    const inputs = node.kind === 'region' ? node.inputs : [...new Set(node.inputs)];
    const fn = kernelFunction(module, node);
    steps.push({
      kind: 'launch',
      fn,
      symbols: bindSymbols(fn, inputs, outputs),
      inputs: inputs.map(root),
      outputs,
      origin,
    });
  }
  return { steps, root };
}

/** The function that a kernel region calls, or one around a single node. */
function kernelFunction(module: Module, node: Node): Func {
  if (node.kind === 'region') {
    const fn = node.region.type === 'kernel' ? module.functions.get(node.region.fn) : undefined;
    if (fn === undefined) throw new Error(`${nodeName(node)} must be expanded before code is generated`);
    return fn;
  }
  return {
    name: nodeName(node),
    params: [...new Set(node.inputs)],
    nodes: [node],
    results: node.results,
    origin: node.origin,
  };
}

/** Finds the value of each symbol of a kernel function from the types at its call; a symbol that no tensor has bare is the caller's own. */
function bindSymbols(fn: Func, inputs: readonly Value[], outputs: readonly Value[]): ReadonlyMap<string, Dim> {
  const symbols = new Map<string, Dim>();
  const pairs = [
    ...fn.params.map((param, i) => [param, inputs[i] as Value] as const),
    ...fn.results.map((result, i) => [result, outputs[i] as Value] as const),
  ];
  for (const [formal, actual] of pairs) {
    formal.type.shape.forEach((dim, d) => {
      const symbol = dimAsSymbol(dim);
      const given = actual.type.shape[d] as Dim;
      if (symbol !== undefined && !symbols.has(symbol)) symbols.set(symbol, given);
    });
  }
  for (const symbol of freeSymbols(fn)) if (!symbols.has(symbol)) symbols.set(symbol, dimSymbol(symbol));
  for (const [formal, actual] of pairs) {
    const fits = formal.type.shape.every((dim, d) =>
      dimEquals(dimSubstitute(dim, symbols), actual.type.shape[d] as Dim),
    );
    if (!fits) throw new Error(`the kernel ${fn.name} is called with a shape that it does not have`);
  }
  return symbols;
}
