// What is the same in all lanes of a vector loop and what differs, how wide its elements are, and how positions move from lane to lane.

import {
  type Dim,
  dimAdd,
  dimConst,
  dimFloorDiv,
  dimMul,
  dimSub,
  dimSubstitute,
  dimSymbol,
  dimValue,
} from '../../../compiler/ir/dims.js';
import { dtypeBytes } from '../../../compiler/ir/dtype.js';
import { type Scalar, scalarOperands } from '../../../compiler/ir/scalar.js';
import {
  type Accumulate,
  exprPositions,
  exprTemps,
  exprType,
  type Loop,
  type Position,
  type Stmt,
  walk,
} from '../ir.js';
import { coefficient, mentions } from '../positions.js';

/** A position in each lane: `start` in lane 0, `start + deltas[l]` in lane l. */
export interface LanePattern {
  readonly start: Position;
  readonly deltas: readonly number[];
}

/** The position in lane l, with the index of the loop as lanes·$q + l: vectors begin at multiples of their length. */
function inLane(position: Position, index: string, lanes: number, lane: number): Dim {
  const place = dimAdd(dimMul(dimConst(lanes), dimSymbol('$q')), dimConst(lane));
  return dimSubstitute(position, new Map([[index, place]]));
}

/** How a position moves from lane to lane, where the steps are the same in every vector of the loop; divisions may make them uneven. */
export function lanePattern(position: Position, index: string, lanes: number): LanePattern | undefined {
  const slope = coefficient(position, index);
  if (slope !== undefined) {
    const step = dimValue(slope);
    return step === undefined
      ? undefined
      : { start: position, deltas: Array.from({ length: lanes }, (_, lane) => lane * step) };
  }
  const first = inLane(position, index, lanes, 0);
  const deltas: number[] = [];
  for (let lane = 0; lane < lanes; lane++) {
    const delta = dimValue(dimSub(inLane(position, index, lanes, lane), first));
    if (delta === undefined) return undefined;
    deltas.push(delta);
  }
  const vector = dimFloorDiv(dimSymbol(index), dimConst(lanes));
  return { start: dimSubstitute(first, new Map([['$q', vector]])), deltas };
}

/** The remainder of a position by `of` in each lane, where it is the same in every vector of the loop. */
export function laneResidues(
  position: Position,
  index: string,
  lanes: number,
  of: number,
): readonly number[] | undefined {
  const residues: number[] = [];
  for (let lane = 0; lane < lanes; lane++) {
    let residue = 0;
    for (const term of inLane(position, index, lanes, lane).terms) {
      if (term.coefficient % of === 0) continue;
      if (term.atoms.length > 0) return undefined;
      residue += term.coefficient;
    }
    residues.push(((residue % of) + of) % of);
  }
  return residues;
}

/** The temporaries inside a loop whose values differ between its iterations. */
export function varyingTemps(loop: Loop): ReadonlySet<string> {
  const varying = new Set<string>();
  const scan = (body: readonly Stmt[]): void => {
    for (const stmt of body) {
      if (stmt.kind === 'let') {
        const depends =
          exprPositions(stmt.value).some((position) => mentions(position, loop.index)) ||
          exprTemps(stmt.value).some((temp) => varying.has(temp.name)) ||
          stmt.value.kind === 'register';
        if (depends) varying.add(stmt.temp.name);
      }
      if (stmt.kind === 'accumulate') for (const result of stmt.results) varying.add(result.name);
      if ('body' in stmt) scan(stmt.body);
    }
  };
  scan(loop.body);
  return varying;
}

/** The size of the widest element that a vector loop computes with. */
export function widestBytes(loop: Loop, folds: readonly Accumulate[] = []): number {
  const varying = varyingTemps(loop);
  let bytes = 1;
  const see = (dtype: Parameters<typeof dtypeBytes>[0]): void => {
    bytes = Math.max(bytes, dtypeBytes(dtype));
  };
  const seeScalar = (root: Scalar, seen: Set<Scalar>): void => {
    if (seen.has(root)) return;
    seen.add(root);
    see(root.dtype);
    if (root.kind === 'call') seeScalar(root.fn.body, seen);
    for (const part of scalarOperands(root)) seeScalar(part, seen);
  };
  const seeFold = ({ fold }: Accumulate): void => {
    fold.state.forEach(see);
    const seen = new Set<Scalar>();
    for (const scalar of fold.step) seeScalar(scalar, seen);
    // A position that is widened at the end is only stored.
    for (const scalar of fold.finish) seeScalar(scalar.kind === 'cast' ? scalar.arg : scalar, seen);
  };
  for (const stmt of walk(loop.body)) {
    if (stmt.kind === 'let' && varying.has(stmt.temp.name)) {
      see(exprType(stmt.value));
      if (stmt.value.kind === 'scalar') seeScalar(stmt.value.body, new Set());
    }
    if (stmt.kind === 'accumulate') seeFold(stmt);
    if (stmt.kind === 'registers') see(stmt.register.dtype);
    if (stmt.kind === 'fold') folds.filter((fold) => fold.name === stmt.into).forEach(seeFold);
  }
  return bytes;
}
