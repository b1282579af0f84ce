// Merges programs into one whose entries carry a prefix, so that one native build serves many small programs.

import type { Func, Module, Node } from '../compiler/ir/graph.js';
import { renameRegion } from '../compiler/ir/rewrite.js';
import type { Program } from '../compiler/program.js';

export interface Part {
  /** Unique among the parts; entries are called `prefix.entry`. */
  readonly prefix: string;
  readonly program: Program;
}

function renameRegions(func: Func, prefix: string): Func {
  const rename = (node: Node): Node =>
    node.kind === 'region' ? { ...node, region: renameRegion(node.region, (fn) => `${prefix}.${fn}`) } : node;
  return { ...func, name: `${prefix}.${func.name}`, nodes: func.nodes.map(rename) };
}

/** One program with the entries and the state of all parts; the entry `init` of a part becomes `prefix.init`, an entry like others. */
export function mergePrograms(name: string, parts: readonly Part[]): Program {
  const functions: [string, Func][] = [];
  const entries: Program['entries'][number][] = [];
  const state: Program['state'][number][] = [];
  for (const { prefix, program } of parts) {
    const firstLeaf = state.length;
    const move = <S extends { readonly kind: string }>(slot: S): S =>
      slot.kind === 'state' && 'leaf' in slot ? { ...slot, leaf: Number(slot.leaf) + firstLeaf } : slot;
    for (const [key, func] of program.module.functions)
      functions.push([`${prefix}.${key}`, renameRegions(func, prefix)]);
    for (const entry of program.entries) {
      const { evaluation, ...rest } = entry;
      entries.push({
        ...rest,
        name: `${prefix}.${entry.name}`,
        fn: `${prefix}.${entry.fn}`,
        inputs: entry.inputs.map(move),
        outputs: entry.outputs.map(move),
        ...(evaluation === undefined ? {} : { evaluation: `${prefix}.${evaluation}` }),
      });
    }
    state.push(...program.state.map((leaf) => ({ ...leaf, path: `${prefix}.${leaf.path}` })));
  }
  const module: Module = { functions: new Map(functions) };
  return { name, module, entries, state };
}
