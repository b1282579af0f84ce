// Batching: a function of one set of operands becomes the function of many sets at once, with the kinds' batching rules (`vmap`). What
// does not depend on the set is computed once.

import { Builder } from '../../ir/builder.js';
import type { Dim } from '../../ir/dims.js';
import { type Func, type Node, nodeName, type Value } from '../../ir/graph.js';
import { repeatBatch } from '../../ops/kinds/batch.js';
import type { BatchRule } from '../../ops/op.js';
import { kindRules } from '../../ops/table.js';
import { batchRegion, overSets } from './control.js';

/** The functions that regions carry; batched ones are added to them. */
export interface Functions {
  readonly get: (name: string) => Func;
  /** Adds a function under a name like its own; returns the name. */
  readonly add: (func: Func) => string;
}

/** Values, and which of them have the first dimension for the sets. */
export interface Batched<T> {
  readonly of: T;
  readonly isBatched: readonly boolean[];
}

function batchNode(
  functions: Functions,
  node: Node,
  flags: readonly boolean[],
  size: Dim,
  b: Builder,
): Batched<readonly Value[]> {
  if (node.kind === 'region') return batchRegion(functions, node, flags, size, b);
  const { batch } = kindRules(node.kind);
  const all = node.results.map(() => true);
  if (batch === undefined) return { of: overSets(functions, node, flags, size, b), isBatched: all };
  return { of: (batch as BatchRule<Node['kind']>)(node, flags, size, b), isBatched: all };
}

/** Values named after those that they stand for, as far as the names are free. */
function renamed(b: Builder, values: readonly Value[], old: readonly Value[], since: number): readonly Value[] {
  const made = new Set(b.nodes.slice(since).flatMap((node) => node.results));
  values.forEach((value, i) => {
    const name = old[i]?.name;
    if (name === undefined || !made.has(value)) return;
    b.names.release(value.name);
    // The function is not finished, so nothing has read the name yet.
    (value as { name: string }).name = b.names.fresh(name);
  });
  return values;
}

/**
 * The function that computes `func` for `size` sets of operands: parameters for which `batched` holds have `size` as a new first dimension, the
 * others are shared. Results have it where they depend on such a parameter, and where they are `wanted` to. Derivatives and calls in the
 * function must have been expanded.
 */
export function batchBody(
  functions: Functions,
  func: Func,
  batched: readonly boolean[],
  size: Dim,
  wanted: readonly boolean[] = [],
): Batched<Func> {
  const b = new Builder(`vmap.${func.name}`);
  const values = new Map<Value, Value>();
  const isBatched = new Set<Value>();
  const params = func.params.map((param, i): Value => {
    const value = batched[i] ? { ...param, type: { ...param.type, shape: [size, ...param.type.shape] } } : param;
    b.names.reserve(param.name);
    values.set(param, value);
    if (batched[i]) isBatched.add(value);
    return value;
  });
  for (const old of func.nodes) {
    const node = { ...old, inputs: old.inputs.map((input) => values.get(input) as Value) };
    const flags = node.inputs.map((input) => isBatched.has(input));
    if (flags.includes(true)) {
      const since = b.nodes.length;
      const made = b.withOrigin(node.origin, () => batchNode(functions, node, flags, size, b));
      const results = renamed(b, made.of, old.results, since);
      old.results.forEach((result, i) => void values.set(result, results[i] as Value));
      results.forEach((result, i) => {
        if (made.isBatched[i]) isBatched.add(result);
      });
    } else {
      const results = old.results.map((result) => ({ ...result, name: b.names.fresh(result.name) }));
      b.push({ ...node, results });
      old.results.forEach((result, i) => void values.set(result, results[i] as Value));
    }
  }
  const results = func.results.map((result, i) => {
    const value = values.get(result) as Value;
    return wanted[i] ? repeatBatch(b, value, isBatched.has(value), size) : value;
  });
  return {
    of: { name: b.name, params, nodes: [...b.nodes], results, origin: func.origin },
    isBatched: func.results.map((result, i) => wanted[i] === true || isBatched.has(values.get(result) as Value)),
  };
}

/** The function for many sets of operands whose results all have the new first dimension. */
export const batchFunction = (functions: Functions, func: Func, batched: readonly boolean[], size: Dim): Func =>
  batchBody(
    functions,
    func,
    batched,
    size,
    func.results.map(() => true),
  ).of;

/** What only passes before this one may leave in a function. */
export const notExpanded = (node: Node): never => {
  throw new Error(`${nodeName(node)} must be expanded before it is batched`);
};
