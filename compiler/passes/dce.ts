// Removes what no result needs: nodes of which no result is used, and functions that no entry reaches.

import type { Func, Node, Value } from '../ir/graph.js';
import { topologicalModule } from '../ir/rewrite.js';
import type { Program } from '../program.js';
import type { Pass } from './pass.js';

/** The function without the nodes that its results do not depend on. */
export function removeDeadNodes(func: Func): Func {
  const live = new Set<Value>(func.results);
  const kept: Node[] = [];
  for (const node of func.nodes.toReversed()) {
    if (!node.results.some((result) => live.has(result))) continue;
    for (const input of node.inputs) live.add(input);
    kept.push(node);
  }
  return kept.length === func.nodes.length ? func : { ...func, nodes: kept.reverse() };
}

function run(program: Program): Program {
  const cleaned = [...program.module.functions.values()].map(removeDeadNodes);
  const roots = program.entries.map((entry) => entry.fn);
  return { ...program, module: topologicalModule(cleaned, roots) };
}

export const dce: Pass = {
  name: 'dce',
  doc: 'Removes nodes that no result depends on, and functions that no entry reaches.',
  run,
};
