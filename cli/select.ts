// Restricts a program to one function: what `--fn` of the commands shows.

import type { Module } from '../compiler/ir/graph.js';
import { regionFunctions } from '../compiler/ir/rewrite.js';
import type { Program } from '../compiler/program.js';
import { userError } from './errors.js';

/** The names of a function and of all that it calls. */
function reachable(module: Module, root: string, found: Set<string> = new Set()): Set<string> {
  found.add(root);
  for (const node of module.functions.get(root)?.nodes ?? []) {
    if (node.kind !== 'region') continue;
    for (const fn of regionFunctions(node.region)) if (!found.has(fn)) reachable(module, fn, found);
  }
  return found;
}

/** The program with only the entry or function `name` and what it calls. */
export function restrictToFunction(program: Program, name: string): Program {
  const entries = program.entries.filter((entry) => entry.name === name);
  const root = entries[0]?.fn ?? name;
  if (!program.module.functions.has(root)) {
    const names = [...new Set([...program.entries.map((entry) => entry.name), ...program.module.functions.keys()])];
    throw userError(`there is no function '${name}'; there are ${names.join(', ')}`);
  }
  const keep = reachable(program.module, root);
  const functions = new Map([...program.module.functions].filter(([key]) => keep.has(key)));
  return { ...program, entries, module: { functions } };
}
