// Removes what no result needs: nodes of which no result is used, what loops and branches compute for nobody, and functions that no
// entry reaches.

import type { Func, Node, Value } from '../ir/graph.js';
import { topologicalModule } from '../ir/rewrite.js';
import type { Program } from '../program.js';
import { Trimmer } from './control/trim.js';
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
  const roots = program.entries.map((entry) => entry.fn);
  const module = topologicalModule(program.module.functions.values(), roots);
  return { ...program, module: topologicalModule(new Trimmer(module).run(), roots) };
}

export const dce: Pass = {
  name: 'dce',
  doc: 'Removes nodes and parts of loops that no result depends on, and functions that no entry reaches.',
  run,
};
