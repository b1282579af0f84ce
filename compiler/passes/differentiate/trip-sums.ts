// Sums over the trips of a loop that are taken outside of it. The cotangent of what a loop reads in every trip, such as a weight, is the sum of
// the contributions of all trips. Where a contribution sums products of what the loop reads or gives slice by slice, one contraction over
// the whole stacks is the same sum: it has the trips as one more summed index, and needs no carry that every trip reads and writes.

import type { Builder } from '../../ir/builder.js';
import { type Dim, dimAdd, dimConst, dimIsNonNegative, dimProduct, dimSub } from '../../ir/dims.js';
import { dtypeBytes } from '../../ir/dtype.js';
import type { Access, Affine, IndexSpace, Node, NodeOf, Value } from '../../ir/graph.js';
import { affineRenumber, distinctNames, plainSubscript } from '../../ir/space.js';
import { affineAccess } from '../../ops/kinds/solve.js';

/** A contribution as nodes that are linear in sums (`spine`), and the sums that they begin with. */
export interface TripSum {
  readonly contribution: Value;
  readonly spine: readonly Node[];
  readonly sums: readonly Sum[];
}

type Sum = NodeOf<'contract'> | NodeOf<'reduce'>;

const bytesOf = (values: Iterable<Value>): Dim =>
  [...values].reduce(
    (sum, { type }) => dimAdd(sum, dimProduct([dimConst(dtypeBytes(type.dtype)), ...type.shape])),
    dimConst(0),
  );

/** Whether a node gives the sum of its results for some operands, given the sum of the operands. */
const isAdditive = (node: Node): boolean =>
  node.kind === 'view' || (node.kind === 'elementwise' && (node.op === 'add' || node.op === 'neg'));

const isSum = (node: Node): node is Sum => node.kind === 'contract' || (node.kind === 'reduce' && node.op === 'sum');

/** The contribution as sums and what follows from them; undefined where it is more than that, or is used otherwise. */
function splitContribution(
  contribution: Value,
  maker: ReadonlyMap<Value, Node>,
  reads: ReadonlyMap<Value, number>,
): TripSum | undefined {
  const spine: Node[] = [];
  const sums: Sum[] = [];
  const visit = (value: Value): boolean => {
    const node = maker.get(value);
    if (node === undefined || reads.get(value) !== 1) return false;
    if (isSum(node)) sums.push(node);
    else if (isAdditive(node) && node.inputs.every(visit)) spine.push(node);
    else return false;
    return true;
  };
  return visit(contribution) ? { contribution, spine, sums } : undefined;
}

/** What else a loop's function gives and takes. */
interface Surrounding {
  readonly carried: readonly Value[];
  readonly stacks: readonly Value[];
  /** The parameters that are slices of stacks. */
  readonly slices: readonly Value[];
  /** Those, and the parameters that are the same in all trips. */
  readonly atHand: ReadonlySet<Value>;
}

/**
 * Which of the contributions of a loop's function are summed outside of it, and the values that the loop must stack for that. What is stacked
 * besides takes no more memory than the stacks that the loop reads.
 */
export function tripSums(
  nodes: readonly Node[],
  contributions: readonly Value[],
  { carried, stacks, atHand, slices }: Surrounding,
): { readonly found: readonly TripSum[]; readonly stacked: readonly Value[] } {
  const maker = new Map(nodes.flatMap((node) => node.results.map((result) => [result, node] as const)));
  const reads = new Map<Value, number>();
  for (const value of [...nodes.flatMap((node) => node.inputs), ...carried, ...stacks, ...contributions])
    reads.set(value, (reads.get(value) ?? 0) + 1);
  const limit = bytesOf(slices);
  const stacked = new Set<Value>();
  const found = contributions.flatMap((contribution) => {
    const split = splitContribution(contribution, maker, reads);
    const inputs = split?.sums.flatMap((sum) => sum.inputs) ?? [];
    const more = new Set([...stacked, ...inputs.filter((input) => !atHand.has(input) && !stacks.includes(input))]);
    if (split === undefined || !dimIsNonNegative(dimSub(limit, bytesOf(more)))) return [];
    for (const value of more) stacked.add(value);
    return [split];
  });
  return { found, stacked: [...stacked] };
}

/** The sum over all trips. `whole` gives the stack of a slice, and whether it is one: what is the same in all trips is not. */
export function sumOverTrips(
  b: Builder,
  { contribution, spine, sums }: TripSum,
  length: Dim,
  whole: (value: Value) => { readonly value: Value; readonly isStack: boolean },
): Value {
  const values = new Map<Value, Value>();
  for (const node of sums) {
    const operands = node.inputs.map(whole);
    const accesses = node.kind === 'contract' ? node.accesses : [node.access];
    const { space, renumber } = withTrips(node.space, length);
    const read = accesses.map((access, k): Access => {
      const own = affineAccess(access).map((s) => ({ ...s, expression: renumber(s.expression) }));
      return operands[k]?.isStack ? [plainSubscript(node.space.outer), ...own] : own;
    });
    const inputs = operands.map(({ value }) => value);
    const [result] = node.results as readonly [Value];
    const sum =
      node.kind === 'contract'
        ? b.contract(space, read, inputs, node.guards.map(renumber), result.name)
        : (b.reduceOver(node.op, inputs[0] as Value, space, read[0] as Access, result.name)[0] as Value);
    values.set(result, sum);
  }
  for (const node of spine) {
    const results = node.results.map((result) => ({ ...result, name: b.names.fresh(result.name) }));
    b.push({ ...node, inputs: node.inputs.map((input) => values.get(input) as Value), results });
    node.results.forEach((result, i) => void values.set(result, results[i] as Value));
  }
  return values.get(contribution) as Value;
}

/** The space with the trips as the first summed index. */
function withTrips(
  { indices, outer }: IndexSpace,
  length: Dim,
): { space: IndexSpace; renumber: (e: Affine) => Affine } {
  const trips = { name: 'trip', extent: length };
  const space = { indices: distinctNames([...indices.slice(0, outer), trips, ...indices.slice(outer)]), outer };
  return { space, renumber: (e) => affineRenumber(e, (index) => (index < outer ? index : index + 1)) };
}
