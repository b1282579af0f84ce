// Which values of a function its linear part keeps for later: what reverse mode stores, and what it computes again.
//
// The linear part of a loop's function, or of a branch, reads values of the function itself. Those are found again in one of three ways:
//
//   given       Parameters that are at hand later as well: constants of the loop, slices of its xs, its position; all parameters of a branch.
//   recomputed  Nodes that cost no more than a pass over their elements and read nothing but what is at hand: elementwise nodes,
//               views, sources (random bits too: a draw repeats), gathers. Besides, views that repeat or rearrange and casts that
//               widen are computed again from what they read even when that is stored, because it is no larger.
//   stored      Everything else: carries, contractions, reductions, and elementwise nodes that depend on them. A value that takes a few
//               operations on what is stored, or stacked anyway, is computed again as well: that costs no more than to load it.

import { dtypeBytes } from '../../ir/dtype.js';
import type { Node, Value } from '../../ir/graph.js';
import { operationCost } from '../fuse/cost.js';

export interface Residuals {
  readonly stored: readonly Value[];
  /** In the order of the function. */
  readonly recomputed: readonly Node[];
  readonly given: ReadonlySet<Value>;
}

/** Whether computing a node again from values at hand is worth not storing its results. */
const isCheap = (node: Node): boolean =>
  node.kind === 'elementwise' ||
  node.kind === 'view' ||
  node.kind === 'source' ||
  (node.kind === 'index' && node.indexing.type === 'gather');

/** Whether a node's only operand is never larger than its result. */
function growsFromOperand(node: Node): boolean {
  if (node.kind === 'view') return node.view.type !== 'slice';
  const [operand, result] = [node.inputs[0], node.results[0]];
  if (node.kind !== 'elementwise' || node.op !== 'cast' || operand === undefined || result === undefined) return false;
  return dtypeBytes(operand.type.dtype) <= dtypeBytes(result.type.dtype);
}

/** Operations for an element that cost no more than to load it. */
const FEW_OPERATIONS = 4;

/**
 * Decides for the values in `needed` and all that they are computed again from; `given` are the parameters at hand later, `kept` values that
 * are stored in any case.
 */
export function residualsOf(
  nodes: readonly Node[],
  given: ReadonlySet<Value>,
  kept: ReadonlySet<Value>,
  needed: readonly Value[],
): Residuals {
  const maker = new Map(nodes.flatMap((node) => node.results.map((result) => [result, node] as const)));
  const atHand = new Map<Value, boolean>();
  const isAtHand = (value: Value): boolean => {
    if (given.has(value)) return true;
    const known = atHand.get(value);
    if (known !== undefined) return known;
    const node = maker.get(value);
    const found = node !== undefined && isCheap(node) && node.inputs.every(isAtHand);
    atHand.set(value, found);
    return found;
  };
  /** Goes back from what is needed to what is stored or given. `isFollowing` tells which values are computed again from what is stored. */
  function reach(isFollowing: (value: Value) => boolean): Residuals {
    const stored = new Set<Value>();
    const used = new Set<Value>();
    const recomputed = new Set<Node>();
    const visit = (value: Value): void => {
      if (given.has(value)) {
        used.add(value);
        return;
      }
      const node = maker.get(value);
      if (node === undefined || !(isAtHand(value) || growsFromOperand(node) || isFollowing(value))) {
        stored.add(value);
        return;
      }
      if (recomputed.has(node)) return;
      recomputed.add(node);
      node.inputs.forEach(visit);
    };
    for (const value of needed) visit(value);
    return { stored: [...stored], recomputed: nodes.filter((node) => recomputed.has(node)), given: used };
  }
  const { stored } = reach(() => false);
  const base = new Set([...stored, ...kept]);
  const costs = new Map<Value, number>();
  const cost = (value: Value): number => (base.has(value) || isAtHand(value) ? 0 : (costs.get(value) ?? Infinity));
  for (const node of nodes) {
    if (node.kind !== 'elementwise' && node.kind !== 'view') continue;
    const total = operationCost(node) + [...new Set(node.inputs)].reduce((sum, input) => sum + cost(input), 0);
    for (const result of node.results) costs.set(result, total);
  }
  return reach((value) => !kept.has(value) && (costs.get(value) ?? Infinity) <= FEW_OPERATIONS);
}
