// Brings functions into simpler forms that mean the same, by small rewrites of single nodes, until none applies.

import type { Func, Module, Node, NodeKind, Value } from '../ir/graph.js';
import { mapFunction, mapModule } from '../ir/rewrite.js';
import { removeDeadNodes } from './dce.js';
import type { Pass } from './pass.js';
import { contractRewrites, outputRewrites, reduceRewrites } from './rewrites/access.js';
import { arithmeticRewrites, sourceRewrites } from './rewrites/arithmetic.js';
import { indexRewrites } from './rewrites/indexing.js';
import type { Rewrite, Surroundings } from './rewrites/rewrite.js';
import { assembleRewrites, broadcastRewrites, viewRewrites } from './rewrites/views.js';

/** All rewrites; those of one kind of node are tried in this order. */
export const rewrites: readonly Rewrite[] = [
  ...arithmeticRewrites,
  ...broadcastRewrites,
  ...sourceRewrites,
  ...viewRewrites,
  ...outputRewrites,
  ...assembleRewrites,
  ...contractRewrites,
  ...reduceRewrites,
  ...indexRewrites,
] as readonly Rewrite[];

/** Rewrites simplify, so they end; this many rounds are never needed, and a bug that made two of them undo each other shows. */
const mostRounds = 50;

function rewriteNode(
  node: Node,
  around: Surroundings,
  byKind: ReadonlyMap<NodeKind, readonly Rewrite[]>,
): readonly Value[] | undefined {
  for (const rewrite of byKind.get(node.kind) ?? []) {
    const values = rewrite.apply(node, around);
    if (values !== undefined) return values;
  }
  return undefined;
}

/** How often each value is read by nodes and returned. Values that a rewrite has just made are not in it. */
function readCounts(func: Func): ReadonlyMap<Value, number> {
  const counts = new Map<Value, number>();
  for (const value of [...func.nodes.flatMap((node) => node.inputs), ...func.results]) {
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}

/** A function rewritten until none of the rewrites applies; `isDerived` tells whether derivatives have been taken. */
export function canonicaliseFunction(func: Func, isDerived = true, rules: readonly Rewrite[] = rewrites): Func {
  const byKind = new Map<NodeKind, Rewrite[]>();
  for (const rule of rules) byKind.set(rule.kind, [...(byKind.get(rule.kind) ?? []), rule]);
  let current = removeDeadNodes(func);
  for (let round = 0; round < mostRounds; round++) {
    let changed = false;
    const reads = readCounts(current);
    const isReadOnce = (value: Value) => reads.get(value) === 1;
    const isRead = (result: Value) => reads.has(result);
    const next = mapFunction(current, (node, { builder, definition }) => {
      const hint = node.results[0]?.name ?? 'v';
      const values = rewriteNode(node, { b: builder, definition, isReadOnce, isRead, isDerived, hint }, byKind);
      changed ||= values !== undefined;
      return values;
    });
    if (!changed) return current;
    current = removeDeadNodes(next);
  }
  throw new Error(`rewrites of @${func.name} do not come to an end`);
}

export const canonicalise: Pass = {
  name: 'canonicalise',
  doc: 'Simplifies: folds constants, composes views, lets contractions and reductions read through views.',
  run: (program) => {
    const isDerived = !hasDerivatives(program.module);
    return { ...program, module: mapModule(program.module, (func) => canonicaliseFunction(func, isDerived)) };
  },
};

const hasDerivatives = ({ functions }: Module): boolean =>
  [...functions.values()].some(({ nodes }) =>
    nodes.some((node) => node.kind === 'region' && (node.region.type === 'jvp' || node.region.type === 'vjp')),
  );
