// What fusion asks of single nodes: which are free, which can be evaluated at any one element, how often they read their operands.

import { isProvablyNonNegative } from '../../ir/bounds.js';
import { type Dim, dimConst, dimMul, dimProduct, dimSub, dimValue, isDimConst, shapeEquals } from '../../ir/dims.js';
import { dtypeBytes } from '../../ir/dtype.js';
import type { ContractNode, Node, ReduceNode, Value, View } from '../../ir/graph.js';
import { plainIndexOf } from '../../ir/space.js';

const isConstantSource = (node: Node): boolean => node.kind === 'source' && node.inputs.length === 0;
export const isFree = (node: Node): boolean => node.kind === 'view' || isConstantSource(node);
export const isReshape = (node: Node | undefined): boolean => node?.kind === 'view' && node.view.type === 'reshape';

/** Nodes that can be evaluated at any one element. */
export const isPointwise = (node: Node): boolean =>
  node.kind === 'elementwise' ||
  (node.kind === 'index' && node.indexing.type === 'gather') ||
  (node.kind === 'source' && node.source.type === 'random_bits');

/** Whether a node casts elements to a dtype of more bytes: to load them and to cast them costs no more than to load what the cast gives. */
export const isWidening = (node: Node): boolean =>
  node.kind === 'elementwise' &&
  node.op === 'cast' &&
  dtypeBytes((node.inputs[0] as Value).type.dtype) < dtypeBytes((node.results[0] as Value).type.dtype);

export const repeats = (view: View): boolean => view.type === 'broadcast';
/** Whether a reshape changes nothing but dimensions of size 1. */
export function addsOnlyUnits(node: Node): boolean {
  if (node.kind !== 'view' || node.view.type !== 'reshape') return false;
  const sizes = (shape: readonly Dim[]) => shape.filter((size) => !isDimConst(size, 1));
  return shapeEquals(sizes(node.view.shape), sizes((node.inputs[0] as Value).type.shape));
}

/** The value under a chain of reshapes. */
export function aliasBase(value: Value, definition: ReadonlyMap<Value, Node>): Value {
  const node = definition.get(value);
  return node !== undefined && isReshape(node) ? aliasBase(node.inputs[0] as Value, definition) : value;
}

/** Whether a contraction or reduction reads each element of operand `k` at most once. */
export function readsOnce(node: ContractNode | ReduceNode, k: number): boolean {
  const access = node.kind === 'contract' ? (node.accesses[k] ?? []) : node.access;
  const divisors = access.reduce((product, s) => product * (s.kind === 'affine' ? s.divisor : 1), 1);
  const points = dimProduct(node.space.indices.map((index) => index.extent));
  const elements = dimProduct((node.inputs[k] as Value).type.shape);
  return isProvablyNonNegative(dimSub(dimMul(elements, dimConst(divisors)), points));
}

export const pointCount = (node: ContractNode | ReduceNode): number =>
  dimValue(dimProduct(node.space.indices.map((index) => index.extent))) ?? Number.POSITIVE_INFINITY;

/** Whether a reduction reads every dimension of its operand at an index of its own: whole dimensions and no windows. */
export function isWholeReduction(node: ReduceNode): boolean {
  return wholeDims(node) !== undefined;
}

/** The dimensions of the operand that a reduction over whole dimensions folds, in order; undefined for windows and other accesses. */
export function wholeDims(node: ReduceNode): readonly number[] | undefined {
  const { space, access } = node;
  const operand = (node.inputs[0] as Value).type.shape;
  if (access.length !== space.indices.length) return undefined;
  const indices = access.map((subscript, dim) => {
    const index = plainIndexOf(subscript) ?? -1;
    return space.indices[index]?.extent.key === operand[dim]?.key ? index : -1;
  });
  if (indices.includes(-1) || new Set(indices).size !== indices.length) return undefined;
  const outer = indices.filter((index) => index < space.outer);
  // The result keeps the other dimensions in their order.
  if (outer.some((index, i) => i > 0 && index < (outer[i - 1] as number))) return undefined;
  return indices.flatMap((index, dim) => (index >= space.outer ? [dim] : []));
}
