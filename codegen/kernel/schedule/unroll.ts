// Writes out short loops whose positions become simpler for it: the loops over the taps of a window, and the loops over the remainders of
// positions that are divided (the rows of an image that a strided window has left out).

import { type Atom, dimAdd, dimConst, dimMul, dimSymbol, dimValue } from '../../../compiler/ir/dims.js';
import { exprPositions, type Loop, type Position, type Stmt, stmtPositions, walk } from '../ir.js';
import { mentions, stride } from '../positions.js';
import { copyBody } from './copies.js';
import { mapStatements } from './rewrite.js';

/** Longer loops run better in lanes or as they are. */
const LONGEST = 7;
/** The largest number of statements that a loop may become. */
const MOST_STATEMENTS = 64;

/** Writes out the short serial loops of all folds. */
export const unrollWindows = (body: readonly Stmt[]): readonly Stmt[] => body.flatMap((stmt) => unroll(stmt, false));

function unroll(stmt: Stmt, isFolding: boolean): readonly Stmt[] {
  if (!('body' in stmt)) return [stmt];
  const body = stmt.body.flatMap((part) => unroll(part, isFolding || stmt.kind === 'accumulate'));
  const whole = { ...stmt, body };
  if (whole.kind !== 'for' || !isFolding || whole.mark !== 'serial') return [whole];
  const count = dimValue(whole.extent);
  const isShort = count !== undefined && count <= LONGEST && count * body.length <= MOST_STATEMENTS;
  return isShort && !body.some((part) => 'body' in part) ? iterations(whole, count) : [whole];
}

/** The iterations of a loop, one after another. */
const iterations = (loop: Loop, count: number): readonly Stmt[] =>
  Array.from({ length: count }, (_, i) => copyBody(loop.body, `_${i}`, new Map([[loop.index, dimConst(i)]]))).flat();

/** The largest divisor for which remainders are told apart. */
const LARGEST_DIVISOR = 4;

/**
 * Splits parallel loops by the remainder of their index where the index is divided inside: for each remainder, divisions disappear and
 * guards hold always or never. Loops along which memory is written in order are left to the lanes.
 */
export const splitRemainders = (body: readonly Stmt[]): readonly Stmt[] =>
  mapStatements(body, (stmt) => {
    if (stmt.kind !== 'for' || stmt.mark !== 'parallel') return stmt;
    const divisor = divisorOf(stmt);
    const count = dimValue(stmt.extent);
    const size = [...walk(stmt.body)].length;
    const fits = divisor !== undefined && divisor <= LARGEST_DIVISOR && divisor * size <= 4 * MOST_STATEMENTS;
    if (!fits || count === undefined || count % divisor !== 0 || writesInOrder(stmt)) return stmt;
    const copies = Array.from({ length: divisor }, (_, rest) => {
      const place = dimAdd(dimMul(dimConst(divisor), dimSymbol(stmt.index)), dimConst(rest));
      return copyBody(stmt.body, `_r${rest}`, new Map([[stmt.index, place]]));
    });
    return { ...stmt, extent: dimConst(count / divisor), body: copies.flat() };
  });

const writesInOrder = (loop: Loop): boolean =>
  [...walk(loop.body)].some((stmt) => stmt.kind === 'store' && stride(stmt.offset, loop.index) === 1);

/** A number by which the index of a loop is divided in positions and guards inside of it. */
function divisorOf(loop: Loop): number | undefined {
  for (const stmt of walk(loop.body)) {
    const guards =
      stmt.kind === 'let' && (stmt.value.kind === 'load' || stmt.value.kind === 'choose') ? stmt.value.guards : [];
    for (const guard of guards) {
      if (guard.kind === 'multiple' && mentions(guard.value, loop.index)) return guard.of;
    }
    const positions = [...stmtPositions(stmt), ...(stmt.kind === 'let' ? exprPositions(stmt.value) : [])];
    for (const position of positions) {
      const divisor = divisorIn(position, loop.index);
      if (divisor !== undefined) return divisor;
    }
  }
  return undefined;
}

function divisorIn(position: Position, index: string): number | undefined {
  for (const term of position.terms) {
    for (const atom of term.atoms) {
      const divisor = atomDivisor(atom, index);
      if (divisor !== undefined) return divisor;
    }
  }
  return undefined;
}

function atomDivisor(atom: Atom, index: string): number | undefined {
  if (atom.kind !== 'floordiv' || !mentions(atom.numerator, index)) return undefined;
  return divisorIn(atom.numerator, index) ?? dimValue(atom.denominator);
}
