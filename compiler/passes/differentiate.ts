// Expands derivatives. `jvp` regions are linearised: the function is copied, and beside each node stands what its kind's rule makes
// of the tangents. `vjp` regions are linearised and then transposed: what depends on a tangent is linear by construction, so
// walking it backwards with the kinds' transposition rules turns cotangents of the results into cotangents of the parameters.
//
// Functions come before their callers, so the function of a region holds no regions itself: derivatives nest to any depth.

import { Builder } from '../ir/builder.js';
import { isFloat } from '../ir/dtype.js';
import { type Func, type Module, type Node, nodeName, type Origin, type RegionNode, type Value } from '../ir/graph.js';
import { mapFunction, mapModule } from '../ir/rewrite.js';
import type { JvpRule, TransposeRule } from '../ops/op.js';
import { kindRules } from '../ops/table.js';
import type { Pass } from './pass.js';

type Tangents = readonly (Value | undefined)[];

/** A copy of a function's nodes in `builder`, with the tangents of all values that have one. */
interface Linearised {
  readonly results: readonly Value[];
  readonly tangents: Tangents;
  /** The nodes that depend on a tangent, in order; they are not in the builder. */
  readonly linear: readonly Node[];
  /** For a tangent: the forward value that it belongs to. */
  readonly tangentOf: ReadonlyMap<Value, Value>;
}

const zeros = (b: Builder, like: Value): Value => b.constant(0, like.type.dtype, like.type.shape);

/** The origin of what a rule makes for a node. */
const derivativeOrigin = (node: Node): Origin => ({
  ...(node.origin.site && { site: node.origin.site }),
  ...(node.origin.text && { text: node.origin.text }),
  of: (node.results[0] as Value).name,
  rule: `d ${nodeName(node)}`,
});

const applyJvp = (node: Node, tangents: Tangents, b: Builder): Tangents =>
  (kindRules(node.kind).jvp as JvpRule<Node['kind']>)(node, tangents, b);

function applyTranspose(node: Node, linear: readonly boolean[], cotangents: Tangents, b: Builder): Tangents {
  const { transpose } = kindRules(node.kind);
  if (transpose === undefined) throw new Error(`%${node.results[0]?.name} (${nodeName(node)}) has no transposition`);
  return (transpose as TransposeRule<Node['kind']>)(node, linear, cotangents, b);
}

/**
 * Runs a rule in a builder of its own, so that its nodes can be named and sorted before they are added. `hints` names the values that
 * the rule returns; values that existed before keep their names.
 */
function runRule(
  names: Builder['names'],
  origin: Origin,
  rule: (b: Builder) => Tangents,
  hints: readonly (string | undefined)[],
): { nodes: readonly Node[]; values: Tangents } {
  const scratch = new Builder('rule', names);
  const values = scratch.withOrigin(origin, () => rule(scratch));
  const wanted = new Map<Value, string>();
  values.forEach((value, i) => {
    const hint = hints[i];
    if (value !== undefined && hint !== undefined && !wanted.has(value)) wanted.set(value, hint);
  });
  const renamed = new Map<Value, Value>();
  const current = (value: Value): Value => renamed.get(value) ?? value;
  const nodes = scratch.nodes.map((node) => {
    for (const result of node.results) {
      const hint = wanted.get(result);
      if (hint === undefined) continue;
      names.release(result.name);
      renamed.set(result, { ...result, name: names.fresh(hint) });
    }
    return { ...node, inputs: node.inputs.map(current), results: node.results.map(current) };
  });
  return { nodes, values: values.map((value) => value && current(value)) };
}

/** Copies `func` into `b`, reading `args`, and pushes the tangents of its parameters through it. */
function linearise(b: Builder, func: Func, args: readonly Value[], tangents: Tangents): Linearised {
  const values = new Map<Value, Value>(func.params.map((param, i) => [param, args[i] as Value]));
  const tangentFor = new Map<Value, Value>();
  const tangentOf = new Map<Value, Value>();
  const isLinear = new Set<Value>();
  const linear: Node[] = [];
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

  for (const old of func.nodes) {
    const results = old.results.map((result) => ({ ...result, name: b.names.fresh(result.name) }));
    const node: Node = { ...old, inputs: old.inputs.map((input) => values.get(input) as Value), results };
    old.results.forEach((result, i) => void values.set(result, results[i] as Value));
    b.push(node);
    const inputTangents = old.inputs.map(tangentOfOld);
    if (inputTangents.every((tangent) => tangent === undefined)) continue;
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
    made.values.forEach((tangent, i) => {
      const result = results[i] as Value;
      // What does not depend on a tangent is a linear function's value at 0.
      if (tangent === undefined || !isLinear.has(tangent) || !isFloat(result.type.dtype)) return;
      tangentFor.set(result, tangent);
      if (!tangentOf.has(tangent)) tangentOf.set(tangent, result);
    });
  }
  return {
    results: func.results.map((result) => values.get(result) as Value),
    tangents: func.results.map(tangentOfOld),
    linear,
    tangentOf,
  };
}

function expandJvp(b: Builder, node: RegionNode, func: Func): readonly Value[] {
  const region = node.region as Extract<RegionNode['region'], { type: 'jvp' }>;
  const count = func.params.length;
  const tangents = func.params.map((_, i) => {
    const at = region.wrt.indexOf(i);
    return at < 0 ? undefined : node.inputs[count + at];
  });
  const linearised = linearise(b, func, node.inputs.slice(0, count), tangents);
  for (const each of linearised.linear) b.push(each);
  const outputs = region.of.map((i) => linearised.tangents[i] ?? zeros(b, linearised.results[i] as Value));
  return [...linearised.results, ...outputs];
}

/** Cotangents of linear values: contributions are added up in the order in which they arrive. */
class Cotangents {
  readonly #sums = new Map<Value, Value>();

  constructor(
    readonly builder: Builder,
    readonly nameOf: (value: Value) => string | undefined,
  ) {}

  get(value: Value): Value | undefined {
    return this.#sums.get(value);
  }

  add(value: Value, contribution: Value): void {
    const sum = this.#sums.get(value);
    const total =
      sum === undefined ? contribution : this.builder.elementwise('add', [sum, contribution], this.nameOf(value));
    this.#sums.set(value, total);
  }
}

/** Walks linear nodes backwards; what arrives at `inputs` is returned. */
function transpose(
  b: Builder,
  { linear, tangentOf }: Linearised,
  seeds: readonly (readonly [Value | undefined, Value])[],
  inputs: readonly Value[],
): Tangents {
  const isLinear = new Set<Value>([...inputs, ...linear.flatMap((node) => node.results)]);
  const nameOf = (value: Value): string | undefined => {
    const forward = tangentOf.get(value);
    return forward && `d_${forward.name}`;
  };
  const cotangents = new Cotangents(b, nameOf);
  for (const [tangent, seed] of seeds) if (tangent !== undefined) cotangents.add(tangent, seed);
  for (const node of linear.toReversed()) {
    const incoming = node.results.map((result) => cotangents.get(result));
    if (incoming.every((cotangent) => cotangent === undefined)) continue;
    const flags = node.inputs.map((input) => isLinear.has(input));
    const hints = node.inputs.map(nameOf);
    const made = runRule(b.names, node.origin, (scratch) => applyTranspose(node, flags, incoming, scratch), hints);
    for (const each of made.nodes) b.push(each);
    b.withOrigin(node.origin, () => {
      made.values.forEach((contribution, i) => {
        if (contribution !== undefined && flags[i]) cotangents.add(node.inputs[i] as Value, contribution);
      });
    });
  }
  return inputs.map((input) => cotangents.get(input));
}

function expandVjp(b: Builder, node: RegionNode, func: Func): readonly Value[] {
  const region = node.region as Extract<RegionNode['region'], { type: 'vjp' }>;
  const count = func.params.length;
  const placeholders = region.wrt.map((i): Value => {
    const param = func.params[i] as Value;
    return { name: b.names.fresh(`t_${param.name}`), type: param.type };
  });
  const tangents = func.params.map((_, i) => placeholders[region.wrt.indexOf(i)]);
  const linearised = linearise(b, func, node.inputs.slice(0, count), tangents);
  // Tangents are only the way to the cotangents: they are not part of the result, so their names are free again.
  for (const value of [...placeholders, ...linearised.linear.flatMap((each) => each.results)])
    b.names.release(value.name);
  const seeds = region.of.map((i, at) => [linearised.tangents[i], node.inputs[count + at] as Value] as const);
  const gradients = transpose(b, linearised, seeds, placeholders);
  const outputs = gradients.map((gradient, i) => gradient ?? zeros(b, placeholders[i] as Value));
  return [...linearised.results, ...outputs];
}

/** The function with its derivative regions expanded; `expanded` holds the functions before it. */
function expandFunction(func: Func, expanded: ReadonlyMap<string, Func>): Func {
  return mapFunction(func, (node, { builder }) => {
    if (node.kind !== 'region' || (node.region.type !== 'jvp' && node.region.type !== 'vjp')) return undefined;
    const callee = expanded.get(node.region.fn);
    if (callee === undefined)
      throw new Error(`@${func.name} differentiates @${node.region.fn}, which does not come before it`);
    return node.region.type === 'jvp' ? expandJvp(builder, node, callee) : expandVjp(builder, node, callee);
  });
}

/** A function in which `stop_gradient` is the identity that it computes: once derivatives are taken it has done its work. */
const dropStops = (func: Func): Func =>
  mapFunction(func, (node) => (node.kind === 'elementwise' && node.op === 'stop_gradient' ? node.inputs : undefined));

/** A module without `jvp` and `vjp` regions. Calls must have been opened before. */
export function expandDerivatives(module: Module): Module {
  const functions = new Map<string, Func>();
  for (const func of module.functions.values()) functions.set(func.name, expandFunction(func, functions));
  return mapModule({ functions }, dropStops);
}

export const differentiate: Pass = {
  name: 'differentiate',
  doc: 'Expands derivatives: linearises functions, and transposes the linear part where the derivative is taken in reverse.',
  reaches: 'differentiated',
  run: (program) => ({ ...program, module: expandDerivatives(program.module) }),
};
