// Index expressions: `out[n, o] = sum over k: x[n, k] * w[o, k]`, and reductions over indices inside other expressions.

import type * as ast from '../syntax/ast.js';
import type { Context, Expected } from './context.js';
import { Analysis } from './index-notation/analyse.js';
import { resolveExtents } from './index-notation/extents.js';
import { lowerTo } from './index-notation/lower.js';
import { type IndexTree, type IndexVar, varsOf } from './index-notation/tree.js';
import type { Scope } from './scope.js';
import { tensor, type Val } from './values.js';

/** The tensor that a definition by elements gives. `expected` are the sizes that the result is declared to have. */
export function indexDefinition(cx: Context, node: ast.IndexDefinition, scope: Scope, expected?: Expected): Val {
  const analysis = new Analysis(cx, scope);
  const outputs = analysis.declare(node.indices);
  const tree = analysis.tree(node.value, new Map(outputs.map((index) => [index.name, index])));
  const needsExpected = outputs.some((index) => index.extent === undefined);
  const sizes = needsExpected ? expected?.() : undefined;
  resolveExtents(cx, tree, allVars(tree, outputs), outputs, sizes?.length === outputs.length ? sizes : undefined);
  return tensor(lowerTo(cx, tree, outputs));
}

/** A reduction by itself: a number. */
export function reductionExpression(cx: Context, node: ast.Reduction, scope: Scope): Val {
  const tree = new Analysis(cx, scope).tree(node, new Map());
  resolveExtents(cx, tree, allVars(tree, []), [], undefined);
  return tensor(lowerTo(cx, tree, []));
}

/** The variables of the result and of every reduction. */
function allVars(tree: IndexTree, outputs: readonly IndexVar[]): readonly IndexVar[] {
  const vars = new Set([...outputs, ...varsOf(tree)]);
  const visit = (node: IndexTree): void => {
    if (node.kind === 'apply') node.operands.forEach(visit);
    if (node.kind === 'read') {
      for (const subscript of node.subscripts) if (subscript.kind === 'lookup') visit(subscript.table);
      if (node.outside !== undefined) visit(node.outside);
    }
    if (node.kind !== 'reduce') return;
    for (const index of node.vars) vars.add(index);
    visit(node.body);
    if (node.condition !== undefined) visit(node.condition);
  };
  visit(tree);
  return [...vars];
}
