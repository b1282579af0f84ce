// Conditions on places, such as the mask of a triangle: comparisons of counters become guards, which lanes decide in integers of their own
// width where the comparison of 64-bit counters would take vectors of twice as many bytes.

import { type Dim, dimAdd, dimConst, dimNeg, dimSub } from '../../../compiler/ir/dims.js';
import type { Value } from '../../../compiler/ir/graph.js';
import type { Guard, Position } from '../ir.js';
import { atLeastZero, bothGuards, zeroGuards } from '../positions.js';
import { broadcastPosition, type Lowering, operand } from './values.js';

/** What a comparison says of its operands: that they are equal, or that one of them is at most or, `strict`, less than the other one. */
type Order = 'equal' | { readonly lower: 0 | 1; readonly strict: boolean };

/** What comparisons say where they hold and where they fail; nothing where that is one thing or another. */
const comparisons: Readonly<Record<string, { readonly holds?: Order; readonly fails?: Order }>> = {
  lt: { holds: { lower: 0, strict: true }, fails: { lower: 1, strict: false } },
  le: { holds: { lower: 0, strict: false }, fails: { lower: 1, strict: true } },
  gt: { holds: { lower: 1, strict: true }, fails: { lower: 0, strict: false } },
  ge: { holds: { lower: 1, strict: false }, fails: { lower: 0, strict: true } },
  eq: { holds: 'equal' },
  ne: { fails: 'equal' },
};

/** The guards under which operands are so ordered; of each the positions whose greatest it is. */
function orderGuards(order: Order, operands: readonly (readonly Position[])[]): readonly Guard[] | undefined {
  const [lowers, uppers] = (order !== 'equal' && order.lower === 1 ? operands.toReversed() : operands) as [
    readonly Position[],
    readonly Position[],
  ];
  const [upper, ...others] = uppers as [Position];
  if (others.length > 0) return undefined;
  if (order === 'equal') return lowers.length > 1 ? undefined : zeroGuards(dimSub(lowers[0] as Position, upper));
  const least = dimConst(order.strict ? 1 : 0);
  return lowers.map((lower) => atLeastZero(dimSub(dimSub(upper, lower), least), new Map())).reduce(bothGuards);
}

/**
 * The guards that hold where an element of a condition is `expected`; undefined for conditions on more than places, and where there are no guards that
 * hold together: for a condition that is true where one or another thing is, there are those where it is false (De Morgan).
 */
export function conditionGuards(
  lowering: Lowering,
  condition: Value,
  at: readonly Position[],
  expected = true,
): readonly Guard[] | undefined {
  const node = lowering.definition(condition)?.node;
  if (node?.kind === 'view') return conditionGuards(lowering, operand(node, 0), lowering.viewed(node, at), expected);
  if (node?.kind !== 'elementwise') return undefined;
  const places = node.inputs.map((input) => broadcastPosition(at, input.type.shape));
  const parts = (wanted: boolean): readonly (readonly Guard[] | undefined)[] =>
    node.inputs.map((input, i) => conditionGuards(lowering, input, places[i] as readonly Position[], wanted));
  if (node.op === 'logical_not') return parts(!expected)[0];
  if (node.op === (expected ? 'logical_and' : 'logical_or')) {
    const [a, b] = parts(expected);
    return a && b && bothGuards(a, b);
  }
  const order = comparisons[node.op]?.[expected ? 'holds' : 'fails'];
  if (order === undefined) return undefined;
  const operands = node.inputs.map((input, i) => extremes(lowering, input, places[i] as readonly Position[]));
  return operands.includes(undefined) ? undefined : orderGuards(order, operands as readonly (readonly Position[])[]);
}

/** The positions whose greatest an element is: itself, or for the absolute value of one it and its negative. */
function extremes(lowering: Lowering, value: Value, at: readonly Position[]): readonly Position[] | undefined {
  const node = lowering.definition(value)?.node;
  if (node?.kind === 'view') return extremes(lowering, operand(node, 0), lowering.viewed(node, at));
  const isAbsolute = node?.kind === 'elementwise' && node.op === 'abs';
  const position = counted(lowering, isAbsolute ? operand(node, 0) : value, at);
  return position && (isAbsolute ? [position, dimNeg(position)] : [position]);
}

/** Sums of counters and of constants up to this are far from where 64-bit integers wrap. */
const MODERATE = 2 ** 40;

/** An element as a position: a counter, a size, a constant, or a sum or difference of such. */
function counted(lowering: Lowering, value: Value, at: readonly Position[]): Position | undefined {
  if (value.type.dtype !== 'i64') return undefined;
  const node = lowering.definition(value)?.node;
  if (node?.kind === 'view') return counted(lowering, operand(node, 0), lowering.viewed(node, at));
  if (node?.kind === 'source') {
    const { source } = node;
    if (source.type === 'iota') return whole(at[source.dim] as Position);
    if (source.type === 'size') return whole(source.value);
    const number = source.type === 'constant' && source.data.length === 1 ? Number(source.data[0]) : undefined;
    return number !== undefined && Math.abs(number) <= MODERATE ? dimConst(number) : undefined;
  }
  if (node?.kind !== 'elementwise' || (node.op !== 'add' && node.op !== 'sub')) return undefined;
  const [a, b] = node.inputs.map((input) => counted(lowering, input, broadcastPosition(at, input.type.shape)));
  return a && b && (node.op === 'add' ? dimAdd(a, b) : dimAdd(a, dimNeg(b)));
}

/** A position without divisions: one that moves evenly from lane to lane. */
const whole = (position: Dim): Position | undefined =>
  position.terms.every(({ atoms }) => atoms.every((atom) => atom.kind === 'symbol')) ? position : undefined;
