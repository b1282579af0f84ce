// What a rewrite is, and what rewrites look at.

import type { Builder } from '../../ir/builder.js';
import { type Dim, isDimConst, shapeEquals } from '../../ir/dims.js';
import type { Node, NodeKind, NodeOf, Value } from '../../ir/graph.js';
import type { Rewriting } from '../../ir/rewrite.js';

/** What a rewrite works with: the function as it has been rebuilt so far. */
export interface Surroundings {
  readonly b: Builder;
  /** The name that the value which replaces the node's first result should have. */
  readonly hint: string;
  readonly definition: Rewriting['definition'];
  /** Whether only one node reads a value, once, and the function does not return it. */
  readonly isReadOnce: (value: Value) => boolean;
  /** Whether anything reads a result of the node that is rewritten. */
  readonly isRead: (result: Value) => boolean;
  /** Whether no derivatives are left to be taken. */
  readonly isDerived: boolean;
}

/** A small transformation of one node into others that compute the same values. */
export interface Rewrite<K extends NodeKind = NodeKind> {
  readonly name: string;
  readonly doc: string;
  readonly kind: K;
  /** The values that replace the node's results, or undefined when the rewrite does not apply; then it has built nothing. */
  readonly apply: (node: NodeOf<K>, around: Surroundings) => readonly Value[] | undefined;
}

/** The node that computes a value when it is of this kind. */
export function madeBy<K extends NodeKind>(value: Value, kind: K, { definition }: Surroundings): NodeOf<K> | undefined {
  const node = definition(value)?.node;
  return node?.kind === kind ? (node as NodeOf<K>) : undefined;
}

/** The elementwise node of this operation that computes a value. */
export function appliedBy(value: Value, op: string, around: Surroundings): NodeOf<'elementwise'> | undefined {
  const node = madeBy(value, 'elementwise', around);
  return node?.op === op ? node : undefined;
}

/** The number that all elements of a value are, when the value is such a constant. */
export function splat(value: Value, around: Surroundings): number | bigint | undefined {
  const source = madeBy(value, 'source', around)?.source;
  return source?.type === 'constant' && source.data.length === 1 ? source.data[0] : undefined;
}

/** Whether every element of a value is this number. 0 is not -0. */
export function isAll(value: Value, number: number, around: Surroundings): boolean {
  const found = splat(value, around);
  return found !== undefined && Object.is(Number(found), number);
}

/** The values `a, b` in the order in which `test` holds for the second. */
export function withConstantLast(
  [a, b]: readonly [Value, Value],
  test: (value: Value) => boolean,
): readonly [Value, Value] | undefined {
  if (test(b)) return [a, b];
  return test(a) ? [b, a] : undefined;
}

/** The value repeated to the shape of the result that it replaces. */
export const repeatedTo = (value: Value, shape: readonly Dim[], { b, hint }: Surroundings): Value =>
  b.broadcastTo(value, shape, hint);

export const sameShape = (a: Value, b: Value): boolean => shapeEquals(a.type.shape, b.type.shape);
export const isUnit = (size: Dim | undefined): boolean => size !== undefined && isDimConst(size, 1);

/** The first result of a node. */
export const resultOf = (node: Node): Value => node.results[0] as Value;
