// Estimates what statements cost: instructions, all lanes of a vector together. The estimates only have to rank choices and to tell
// little work from much, so sizes that are not known at compile time count as a typical one.

import { type Dim, dimEvaluate, dimSymbols, dimValue } from '../../../compiler/ir/dims.js';
import { type Scalar, scalarOperands } from '../../../compiler/ir/scalar.js';
import type { Expr, Guard, Loop, Position, Stmt } from '../ir.js';
import { lanesOf, type Machine } from '../machine.js';
import { mentions, stride, substitute } from '../positions.js';
import { lanePattern, laneResidues, widestBytes } from './lanes.js';
import { mapPositions } from './rewrite.js';

const TYPICAL_EXTENT = 64;
/** Instructions of ten rounds of the random generator. */
const RANDOM_COST = 300;

/** The number of iterations of a loop, or a typical one. */
export const extentOf = ({ extent, atMost }: Loop): number => dimValue(extent) ?? atMost ?? lengthOf(extent);

function lengthOf(extent: Dim): number {
  const known = dimValue(extent);
  if (known !== undefined) return known;
  const typical = new Map([...dimSymbols(extent)].map((symbol) => [symbol, TYPICAL_EXTENT]));
  return Math.max(1, Math.min(TYPICAL_EXTENT, dimEvaluate(extent, typical)));
}

/** Instructions that sorting takes for each element. */
const SORT_COST = 60;

/** Instructions of a statement, all lanes together, in lanes of the loop `index` (undefined: one element at a time). */
export function statementCost(stmt: Stmt, index: string | undefined, lanes: number): number {
  const inside = (body: readonly Stmt[]): number =>
    body.reduce((sum, part) => sum + statementCost(part, index, lanes), 0);
  switch (stmt.kind) {
    case 'let':
      return exprCost(stmt.value, index, lanes);
    case 'store': {
      // Lanes that go to places apart are stored one by one.
      const cost = accessCost(stmt.offset, index, lanes);
      return cost > lanes ? 2 * cost : cost;
    }
    case 'for': {
      // Which iteration is taken does not matter to the estimate; in one that is written out, positions are simpler.
      const first = (position: Position): Position => substitute(position, stmt.index, 0);
      const body = stmt.mark === 'unroll' ? stmt.body.map((part) => mapPositions(part, first)) : stmt.body;
      return extentOf(stmt) * (inside(body) + (stmt.mark === 'unroll' ? 0 : 1));
    }
    case 'accumulate':
      return scalarsCost(stmt.fold.finish) + inside(stmt.body);
    case 'fold':
      return 1 + guardsCost(stmt.guards, index, lanes);
    case 'if':
      return guardsCost(stmt.guards, index, lanes) + inside(stmt.body);
    case 'lookup':
      return 4;
    case 'check':
    case 'define':
    case 'fetch':
      return 1;
    case 'transpose':
      return 4 * lanes;
    case 'sort':
      return SORT_COST * lengthOf(stmt.length);
    case 'assign':
    case 'registers':
      return 0;
  }
}

function exprCost(expr: Expr, index: string | undefined, lanes: number): number {
  switch (expr.kind) {
    case 'load':
      return accessCost(expr.offset, index, lanes) + guardsCost(expr.guards, index, lanes);
    case 'position':
      return index !== undefined && lanePattern(expr.value, index, lanes) === undefined ? 2 * lanes : 1;
    case 'scalar':
      return scalarsCost([expr.body]);
    case 'random':
      return RANDOM_COST;
    case 'choose':
      return 1 + guardsCost(expr.guards, index, lanes);
    case 'register':
      return 0;
    default:
      return 1;
  }
}

function accessCost(offset: Position, index: string | undefined, lanes: number): number {
  if (index === undefined || !mentions(offset, index)) return 1;
  const pattern = lanePattern(offset, index, lanes);
  if (pattern === undefined) return stride(offset, index) === undefined ? 3 * lanes : 2 * lanes;
  const span = Math.max(...pattern.deltas) - Math.min(...pattern.deltas) + 1;
  if (pattern.deltas.every((delta, lane) => delta === lane)) return 1;
  return span < 2 * lanes ? 3 : 2 * lanes;
}

const guardsCost = (guards: readonly Guard[], index: string | undefined, lanes: number): number =>
  guards.reduce((sum, guard) => {
    const varies = index !== undefined && mentions(guard.value, index);
    if (!varies) return sum + 1;
    return (
      sum +
      (guard.kind === 'multiple' && laneResidues(guard.value, index, lanes, guard.of) === undefined ? 3 * lanes : 3)
    );
  }, 0);

/** Instructions of scalar expressions, those of the functions that they call included. */
export function scalarsCost(roots: readonly Scalar[]): number {
  const seen = new Set<Scalar>();
  const cost = (node: Scalar): number => {
    if (seen.has(node)) return 0;
    seen.add(node);
    const own =
      node.kind === 'argument' || node.kind === 'constant'
        ? 0
        : slowOps.has(node.kind === 'apply' ? node.op : '')
          ? 8
          : 1;
    const body = node.kind === 'call' ? scalarsCost([node.fn.body]) : 0;
    return scalarOperands(node).reduce((sum, part) => sum + cost(part), own + body);
  };
  return roots.reduce((sum, root) => sum + cost(root), 0);
}

const slowOps: ReadonlySet<string> = new Set(['div', 'rem', 'sqrt']);

/** Estimated instructions of one iteration of a scheduled loop. */
export function iterationCost(loop: Loop, machine: Machine): number {
  const lanes = loop.mark === 'vector' ? lanesOf(machine, widestBytes(loop)) : 1;
  const body = loop.body.reduce(
    (sum, stmt) => sum + scheduledCost(stmt, loop.mark === 'vector' ? loop.index : undefined, lanes, machine),
    0,
  );
  return (body + 1) / lanes;
}

/** The number of iterations that a scheduled loop runs together. */
export const loopUnit = (loop: Loop, machine: Machine): number =>
  loop.mark === 'vector' ? lanesOf(machine, widestBytes(loop)) * (loop.interleave ?? 1) : 1;

function scheduledCost(stmt: Stmt, index: string | undefined, lanes: number, machine: Machine): number {
  if (stmt.kind === 'for' && stmt.mark === 'vector') return extentOf(stmt) * iterationCost(stmt, machine);
  if (!('body' in stmt)) return statementCost(stmt, index, lanes);
  const costs = stmt.body.map((part) => scheduledCost(part, index, lanes, machine));
  // Branches beside each other exclude each other: panels of different sizes.
  const branches = costs.filter((_, i) => stmt.body[i]?.kind === 'if');
  const others = costs.filter((_, i) => stmt.body[i]?.kind !== 'if');
  const body = others.reduce((sum, cost) => sum + cost, 1) + Math.max(0, ...branches);
  return stmt.kind === 'for' ? extentOf(stmt) * body : body;
}
