// The tree of an index expression: what is read where, and what is done with it, before extents are known.

import type { Dim } from '../../ir/dims.js';
import type { Value } from '../../ir/graph.js';
import type { Numeric } from '../tensors.js';
import type { Site, Val } from '../values.js';

/** The source of an extent that the program states. */
export const statedRange = 'its range';

/** An index variable: of the result, or of a reduction. It runs from `start` on. */
export interface IndexVar {
  readonly name: string;
  /** Position in the order of all variables; those of the result come first, in its order. */
  readonly id: number;
  readonly site: Site;
  start: Dim;
  extent: Dim | undefined;
  /** Where the extent comes from, for messages. */
  source: string;
}

/** Σ coefficient · variable + offset, divided by `divisor`; where the division leaves a remainder there is no element. */
export interface AffineUse {
  readonly kind: 'affine';
  readonly terms: ReadonlyMap<IndexVar, number>;
  readonly offset: Dim;
  readonly divisor: number;
}

export type SubscriptTree = AffineUse | { readonly kind: 'lookup'; readonly table: IndexTree };

export interface ReadTree {
  readonly kind: 'read';
  /** Its axes state the extents of the variables that run along them, when those are settled. */
  tensor: Value;
  readonly subscripts: readonly SubscriptTree[];
  /** What stands outside of the tensor; absent for zero. */
  readonly outside?: IndexTree;
  readonly site: Site;
}

export interface ReduceTree {
  readonly kind: 'reduce';
  readonly reducer: string;
  readonly vars: readonly IndexVar[];
  readonly body: IndexTree;
  readonly condition?: IndexTree;
  readonly site: Site;
}

/** An operation on elements: an operator or the call of a function. */
export interface ApplyTree {
  readonly kind: 'apply';
  readonly operands: readonly IndexTree[];
  readonly isProduct: boolean;
  /**
   * What `apply` takes: tensors over the joint variables, on which it works element by element; or vectors with all their elements, for each of
   * which it evaluates a function of one's own.
   */
  readonly over: 'tensors' | 'vectors';
  readonly apply: (operands: readonly Val[]) => Val;
  readonly site: Site;
}

export type IndexTree =
  | { readonly kind: 'value'; readonly value: Numeric }
  | { readonly kind: 'index'; readonly index: IndexVar }
  | ReadTree
  | ReduceTree
  | ApplyTree;

/** The variables that a subscript depends on. */
export function subscriptVars(subscript: SubscriptTree): ReadonlySet<IndexVar> {
  return subscript.kind === 'affine' ? new Set(subscript.terms.keys()) : varsOf(subscript.table);
}

/** The variables that a tree depends on from outside. */
export function varsOf(tree: IndexTree): ReadonlySet<IndexVar> {
  switch (tree.kind) {
    case 'value':
      return new Set();
    case 'index':
      return new Set([tree.index]);
    case 'read':
      return new Set([
        ...tree.subscripts.flatMap((s) => [...subscriptVars(s)]),
        ...(tree.outside === undefined ? [] : varsOf(tree.outside)),
      ]);
    case 'apply':
      return new Set(tree.operands.flatMap((operand) => [...varsOf(operand)]));
    case 'reduce': {
      const inside = [...varsOf(tree.body), ...(tree.condition === undefined ? [] : varsOf(tree.condition))];
      return new Set(inside.filter((v) => !tree.vars.includes(v)));
    }
  }
}

/** Every read of a tree, those of lookups and defaults too. */
export function readsOf(tree: IndexTree): readonly ReadTree[] {
  switch (tree.kind) {
    case 'value':
    case 'index':
      return [];
    case 'read': {
      const tables = tree.subscripts.flatMap((s) => (s.kind === 'lookup' ? readsOf(s.table) : []));
      return [tree, ...tables, ...(tree.outside === undefined ? [] : readsOf(tree.outside))];
    }
    case 'apply':
      return tree.operands.flatMap(readsOf);
    case 'reduce':
      return [...readsOf(tree.body), ...(tree.condition === undefined ? [] : readsOf(tree.condition))];
  }
}
