// Opens calls: the nodes of the function called take the place of the `call` node.

import type { Func } from '../ir/graph.js';
import { inlineInto, mapFunction } from '../ir/rewrite.js';
import type { Pass } from './pass.js';

/** The function with every call of one of `open` replaced by the nodes of that function. */
function openCalls(func: Func, open: ReadonlyMap<string, Func>): Func {
  return mapFunction(func, (node, { builder }) => {
    if (node.kind !== 'region' || node.region.type !== 'call') return undefined;
    const callee = open.get(node.region.fn);
    if (callee === undefined) throw new Error(`@${func.name} calls @${node.region.fn}, which does not come before it`);
    return inlineInto(builder, callee, node.inputs);
  });
}

export const inline: Pass = {
  name: 'inline',
  doc: 'Opens calls of functions, so that every entry, and every function that is differentiated, is one graph.',
  reaches: 'inlined',
  run(program) {
    const functions = new Map<string, Func>();
    for (const func of program.module.functions.values()) functions.set(func.name, openCalls(func, functions));
    return { ...program, module: { functions } };
  },
};
