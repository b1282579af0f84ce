// Joins two nested loops into one where every position in them moves through memory as one loop would: an elementwise kernel over
// contiguous operands becomes a single flat loop.

import { dimConst, dimEquals, dimMul, dimSubstitute, dimSymbol } from '../../../compiler/ir/dims.js';
import { type Loop, type Position, type Stmt, stmtPositions, walk } from '../ir.js';
import { coefficient } from '../positions.js';
import { mapPositions, mapStatements } from './rewrite.js';

/** Collapses all loop nests of a body as far as possible. */
export const collapseLoops = (body: readonly Stmt[]): readonly Stmt[] =>
  mapStatements(body, (stmt) => (stmt.kind === 'for' ? collapse(stmt) : stmt));

function collapse(outer: Loop): Loop {
  const [inner] = outer.body;
  if (outer.body.length !== 1 || inner?.kind !== 'for' || inner.mark !== outer.mark) return outer;
  for (const stmt of walk(inner.body)) {
    if (!stmtPositions(stmt).every((position) => movesAsOne(position, outer, inner))) return outer;
  }
  const values = new Map([
    [outer.index, dimConst(0)],
    [inner.index, dimSymbol(outer.index)],
  ]);
  return {
    ...outer,
    extent: dimMul(outer.extent, inner.extent),
    body: inner.body.map((stmt) => mapPositions(stmt, (position) => dimSubstitute(position, values))),
  };
}

function movesAsOne(position: Position, outer: Loop, inner: Loop): boolean {
  const slow = coefficient(position, outer.index);
  const fast = coefficient(position, inner.index);
  return slow !== undefined && fast !== undefined && dimEquals(slow, dimMul(fast, inner.extent));
}
