// Computes every value once: nodes with equal attributes and inputs become one.

import type { Func, Value } from '../ir/graph.js';
import { mapFunction, mapModule } from '../ir/rewrite.js';
import { nodeKey } from './key.js';
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

export const cse: Pass = {
  name: 'cse',
  doc: 'Merges nodes that compute the same values (common subexpression elimination).',
  run: (program) => ({ ...program, module: mapModule(program.module, mergeEqualNodes) }),
};
