// What the parts of `differentiate` share: the functions of the module that come before, those that derivatives of loops add, and
// how rules of kinds are run.

import type { DiagnosticCode } from '../../diagnostics/catalogue.js';
import { Builder, NameSupply } from '../../ir/builder.js';
import { type Func, type Module, type Node, nodeName, type Origin, type Value } from '../../ir/graph.js';
import { callees } from '../../ir/rewrite.js';

/** One value for each input, result or parameter; undefined stands for zero. */
export type Tangents = readonly (Value | undefined)[];

/** A program whose derivative does not exist as it is asked for: the author's to mend. */
export class DerivativeError extends Error {
  override readonly name = 'DerivativeError';

  constructor(
    /** The code of the diagnostic that reports it. */
    readonly code: DiagnosticCode,
    readonly reason: string,
    /** Where the operation comes from. */
    readonly origin: Origin,
  ) {
    const { site } = origin;
    super(`${site === undefined ? '' : `${site.file}:${site.line}:${site.column}: `}${reason}`);
  }
}

/** The functions whose derivatives are expanded already, in order; functions that carry derivatives are added to them. */
export class Session {
  readonly functions = new Map<string, Func>();
  readonly #names = new NameSupply();
  readonly #generated = new Set<string>();

  constructor(module: Module) {
    for (const name of module.functions.keys()) this.#names.reserve(name);
  }

  get(name: string): Func {
    const func = this.functions.get(name);
    if (func === undefined) throw new Error(`@${name} is used before it is defined`);
    return func;
  }

  /** Adds a function under a name like its own; returns the name. */
  add(func: Func): string {
    const name = this.#names.fresh(func.name);
    this.#generated.add(name);
    this.functions.set(name, { ...func, name });
    return name;
  }

  /** All functions without the added ones that no other function uses in the end. */
  finish(): Module {
    const used = new Set<string>();
    const kept = [...this.functions.values()].reverse().filter((func) => {
      if (this.#generated.has(func.name) && !used.has(func.name)) return false;
      for (const name of callees(func)) used.add(name);
      return true;
    });
    return { functions: new Map(kept.reverse().map((func) => [func.name, func])) };
  }
}

export const zeros = (b: Builder, { type }: Value): Value => b.constant(0, type.dtype, type.shape);

/** The origin of what a rule makes for a node. */
export const derivativeOrigin = (node: Node): Origin => ({
  ...(node.origin.site && { site: node.origin.site }),
  ...(node.origin.text && { text: node.origin.text }),
  ...(node.results[0] && { of: node.results[0].name }),
  rule: `d ${nodeName(node)}`,
});

/**
 * Runs a rule in a builder of its own, so that its nodes can be named and sorted before they are added. `hints` names the values that
 * the rule returns; values that existed before keep their names.
 */
export function runRule(
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
