// Linearisation: a function is copied, and beside each node stands what its kind's rule makes of the tangents.

import type { Builder } from '../../ir/builder.js';
import { isControl } from '../../ir/control.js';
import { isFloat } from '../../ir/dtype.js';
import type { Func, Node, Value } from '../../ir/graph.js';
import type { JvpRule } from '../../ops/op.js';
import { kindRules } from '../../ops/table.js';
import { linearControl } from './control.js';
import { customTangents, isCustom } from './custom.js';
import { derivativeOrigin, runRule, type Session, type Tangents } from './session.js';

/**
 * `together`: tangents are computed beside the values, as forward mode does; loops carry both. `apart`: what depends on a tangent is
 * kept apart, to be transposed; loops store what their linear part reads (see residuals.ts).
 */
export type Mode = 'together' | 'apart';

/** A copy of a function's nodes in a builder, with the tangents of its results. */
export interface Linearised {
  readonly results: readonly Value[];
  readonly tangents: Tangents;
  /** The nodes that depend on a tangent and are not in the builder, in order. */
  readonly linear: readonly Node[];
  /** For a tangent: the forward value that it belongs to. */
  readonly tangentOf: ReadonlyMap<Value, Value>;
}

const applyJvp = (node: Node, tangents: Tangents, b: Builder): Tangents =>
  (kindRules(node.kind).jvp as JvpRule<Node['kind']>)(node, tangents, b);

/** Copies `func` into `b`, reading `args`, and pushes the tangents of its parameters through it. */
export function linearise(
  session: Session,
  mode: Mode,
  b: Builder,
  func: Func,
  args: readonly Value[],
  tangents: Tangents,
): Linearised {
  const values = new Map<Value, Value>(func.params.map((param, i) => [param, args[i] as Value]));
  const tangentFor = new Map<Value, Value>();
  const tangentOf = new Map<Value, Value>();
  const isLinear = new Set<Value>();
  let linear: Node[] = [];
  // Parameters stand for themselves: one argument passed twice has a tangent for each of its parameters.
  const paramTangents = new Map<Value, Value>();
  func.params.forEach((param, i) => {
    const tangent = tangents[i];
    if (tangent === undefined) return;
    paramTangents.set(param, tangent);
    tangentOf.set(tangent, param);
    isLinear.add(tangent);
  });
  const tangentOfOld = (old: Value): Value | undefined =>
    paramTangents.get(old) ?? tangentFor.get(values.get(old) as Value);

  /** Notes the tangents of a node's results. */
  const define = (results: readonly Value[], made: Tangents): void => {
    made.forEach((tangent, i) => {
      const result = results[i] as Value;
      // What does not depend on a tangent is a linear function's value at 0.
      if (tangent === undefined || !isLinear.has(tangent) || !isFloat(result.type.dtype)) return;
      tangentFor.set(result, tangent);
      if (!tangentOf.has(tangent)) tangentOf.set(tangent, result);
    });
  };

  /** Adds the linear nodes so far: what carries functions is added at once in forward mode, and may read them. */
  const flush = (): void => {
    for (const each of linear) b.push(each);
    linear = [];
  };

  for (const old of func.nodes) {
    const inputTangents = old.inputs.map(tangentOfOld);
    if (isControl(old) && inputTangents.some((tangent) => tangent !== undefined)) {
      const node = { ...old, inputs: old.inputs.map((input) => values.get(input) as Value) };
      if (mode === 'together') flush();
      const made = linearControl(session, mode, b, node, inputTangents);
      old.results.forEach((result, i) => void values.set(result, made.results[i] as Value));
      for (const each of made.linear) linear.push(each);
      for (const tangent of made.tangents) if (tangent !== undefined) isLinear.add(tangent);
      define(made.results, made.tangents);
      continue;
    }
    if (mode === 'together' && isCustom(old)) flush();
    const results = old.results.map((result) => ({ ...result, name: b.names.fresh(result.name) }));
    const node: Node = { ...old, inputs: old.inputs.map((input) => values.get(input) as Value), results };
    old.results.forEach((result, i) => void values.set(result, results[i] as Value));
    b.push(node);
    if (inputTangents.every((tangent) => tangent === undefined)) continue;
    if (isCustom(node)) {
      const made = customTangents(session, mode, b, node, inputTangents);
      for (const each of made.linear) {
        linear.push(each);
        for (const result of each.results) isLinear.add(result);
      }
      for (const [tangent, value] of made.tangentOf) if (!tangentOf.has(tangent)) tangentOf.set(tangent, value);
      for (const tangent of made.tangents) if (tangent !== undefined) isLinear.add(tangent);
      define(results, made.tangents);
      continue;
    }
    const hints = results.map((result) => `t_${result.name}`);
    const made = runRule(b.names, derivativeOrigin(node), (scratch) => applyJvp(node, inputTangents, scratch), hints);
    for (const each of made.nodes) {
      if (!each.inputs.some((input) => isLinear.has(input))) {
        b.push(each);
        continue;
      }
      linear.push(each);
      for (const result of each.results) isLinear.add(result);
    }
    define(results, made.values);
  }
  return {
    results: func.results.map((result) => values.get(result) as Value),
    tangents: func.results.map(tangentOfOld),
    linear,
    tangentOf,
  };
}
