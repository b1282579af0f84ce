// Writes out short inner loops, such as those over the taps of a window: their positions become constants, which divisions and guards
// that depend on them need to disappear.

import { dimValue } from '../../../compiler/ir/dims.js';
import type { Stmt } from '../ir.js';

/** Longer loops run better in lanes or as they are. */
const LONGEST = 7;
/** The largest number of statements that a loop may become. */
const MOST_STATEMENTS = 64;

/** Marks the short serial loops of all folds to be written out. */
export const unrollWindows = (body: readonly Stmt[]): readonly Stmt[] => body.map((stmt) => unroll(stmt, false).stmt);

function unroll(stmt: Stmt, isFolding: boolean): { readonly stmt: Stmt; readonly size: number } {
  if (!('body' in stmt)) return { stmt, size: 1 };
  const parts = stmt.body.map((part) => unroll(part, isFolding || stmt.kind === 'accumulate'));
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  const body = parts.map((part) => part.stmt);
  if (stmt.kind !== 'for' || !isFolding || stmt.mark !== 'serial') return { stmt: { ...stmt, body }, size: size + 1 };
  const count = dimValue(stmt.extent);
  if (count === undefined || count > LONGEST || count * size > MOST_STATEMENTS)
    return { stmt: { ...stmt, body }, size: Number.POSITIVE_INFINITY };
  return { stmt: { ...stmt, mark: 'unroll', body }, size: count * size };
}
