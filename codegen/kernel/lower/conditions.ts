// Conditions on places, such as the mask of a triangle: comparisons of counters become guards, which lanes decide in integers of their own
// width where the comparison of 64-bit counters would take vectors of twice as many bytes.

import { type Dim, dimAdd, dimConst, dimNeg, dimSub } from '../../../compiler/ir/dims.js';
import type { Value } from '../../../compiler/ir/graph.js';
import type { Guard, Position } from '../ir.js';
import { atLeastZero, bothGuards, zeroGuards } from '../positions.js';
import { broadcastPosition, type Lowering, operand } from './values.js';

/** The guards under which each comparison of a and b holds. */
const comparisons: Readonly<Record<string, (a: Position, b: Position) => readonly Guard[]>> = {
  lt: (a, b) => atLeastZero(dimSub(dimSub(b, a), dimConst(1)), new Map()),
  le: (a, b) => atLeastZero(dimSub(b, a), new Map()),
  gt: (a, b) => atLeastZero(dimSub(dimSub(a, b), dimConst(1)), new Map()),
  ge: (a, b) => atLeastZero(dimSub(a, b), new Map()),
  eq: (a, b) => zeroGuards(dimSub(a, b)),
};

/** The guards that hold where an element of a condition is true; undefined for conditions on more than places. */
export function conditionGuards(
  lowering: Lowering,
  condition: Value,
  at: readonly Position[],
): readonly Guard[] | undefined {
  const node = lowering.definition(condition)?.node;
  if (node?.kind === 'view') return conditionGuards(lowering, operand(node, 0), lowering.viewed(node, at));
  if (node?.kind !== 'elementwise') return undefined;
  const places = node.inputs.map((input) => broadcastPosition(at, input.type.shape));
  if (node.op === 'logical_and') {
    const [a, b] = node.inputs.map((input, i) => conditionGuards(lowering, input, places[i] as readonly Position[]));
    return a && b && bothGuards(a, b);
  }
  const compare = comparisons[node.op];
  if (compare === undefined) return undefined;
  const [a, b] = node.inputs.map((input, i) => counted(lowering, input, places[i] as readonly Position[]));
  return a && b && compare(a, b);
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
