// Computes every value once: nodes with equal attributes and inputs become one, and so do loops and branches whose functions are equal.

import type { Func, Module, Value } from '../ir/graph.js';
import { mapFunction, renameRegion, topologicalModule } from '../ir/rewrite.js';
import { functionKey, nodeKey } from './key.js';
import type { Pass } from './pass.js';

/** The function with every later copy of a node replaced by the first one. Nodes are pure, draws of random bits too. */
export function mergeEqualNodes(func: Func): Func {
  const ids = new Map<Value, number>();
  const id = (value: Value): number => {
    const known = ids.get(value) ?? ids.size;
    ids.set(value, known);
    return known;
  };
  const first = new Map<string, readonly Value[]>();
  return mapFunction(func, (node) => {
    const key = nodeKey(node, id);
    const same = first.get(key);
    if (same === undefined) first.set(key, node.results);
    return same;
  });
}

/** The function with its regions carrying other functions. */
const withRegions = (func: Func, rename: (fn: string) => string): Func => {
  const nodes = func.nodes.map((node) => {
    if (node.kind !== 'region') return node;
    const region = renameRegion(node.region, rename);
    return JSON.stringify(region) === JSON.stringify(node.region) ? node : { ...node, region };
  });
  return nodes.every((node, i) => node === func.nodes[i]) ? func : { ...func, nodes };
};

/** The module with equal nodes merged in every function, callees first, so that regions with equal functions are equal nodes. */
function merge(module: Module): Module {
  const functions = new Map<string, Func>();
  const byKey = new Map<string, string>();
  const same = new Map<string, string>();
  for (const func of topologicalModule(module.functions.values()).functions.values()) {
    const merged = mergeEqualNodes(withRegions(func, (name) => same.get(name) ?? name));
    const key = functionKey(merged);
    const first = byKey.get(key) ?? merged.name;
    byKey.set(key, first);
    same.set(merged.name, first);
    functions.set(merged.name, merged);
  }
  return { functions };
}

export const cse: Pass = {
  name: 'cse',
  doc: 'Merges nodes that compute the same values (common subexpression elimination).',
  run: (program) => ({ ...program, module: merge(program.module) }),
};
