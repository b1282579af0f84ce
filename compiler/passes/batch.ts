// Batching: a function of one set of operands becomes the function of many sets at once, with the kinds' batching rules (`vmap`).

import { Builder } from '../ir/builder.js';
import type { Dim } from '../ir/dims.js';
import { type Func, type Node, nodeName, type Value } from '../ir/graph.js';
import { namesOf } from '../ir/rewrite.js';
import type { BatchRule } from '../ops/op.js';
import { kindRules } from '../ops/table.js';

/** An operation that cannot be done for many sets of operands at once. */
export class BatchError extends Error {
  override readonly name = 'BatchError';
}

function batchNode(node: Node, batched: readonly boolean[], size: Dim, b: Builder): readonly Value[] {
  const { batch } = kindRules(node.kind);
  if (batch === undefined) throw new BatchError(`${nodeName(node)} has no rule for many sets of operands`);
  return b.withOrigin(node.origin, () => (batch as BatchRule<Node['kind']>)(node, batched, size, b));
}

/**
 * The function that computes `func` for `size` sets of operands: parameters for which `batched` holds, and all results, have `size` as a new
 * first dimension; the other parameters are shared. Calls and derivatives in the function must have been expanded.
 */
export function batchFunction(func: Func, batched: readonly boolean[], size: Dim, name = `batch.${func.name}`): Func {
  const b = new Builder(name, namesOf(func));
  const values = new Map<Value, Value>();
  const isBatched = new Set<Value>();
  const params = func.params.map((param, i): Value => {
    const value = batched[i] ? { ...param, type: { ...param.type, shape: [size, ...param.type.shape] } } : param;
    values.set(param, value);
    if (batched[i]) isBatched.add(value);
    return value;
  });
  for (const old of func.nodes) {
    const node = { ...old, inputs: old.inputs.map((input) => values.get(input) as Value) };
    const flags = node.inputs.map((input) => isBatched.has(input));
    if (flags.includes(true)) {
      const results = batchNode(node, flags, size, b);
      old.results.forEach((result, i) => void values.set(result, results[i] as Value));
      for (const result of results) isBatched.add(result);
    } else {
      b.push(node);
      for (const result of old.results) values.set(result, result);
    }
  }
  const results = func.results.map((result) => {
    const value = values.get(result) as Value;
    return isBatched.has(value) ? value : b.broadcastTo(value, [size, ...value.type.shape]);
  });
  return { name, params, nodes: [...b.nodes], results, origin: func.origin };
}
