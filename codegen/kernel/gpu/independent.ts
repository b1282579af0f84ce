// Finds loops in order whose iterations do not depend on each other: those whose index alone says, by its place in the row-major offset of
// every store, that two iterations never touch the same element. A scatter along some dimensions has such loops over the others.

import { type Dim, dimAdd, dimConst, dimExactDiv, dimMul, dimSymbols, isDimConst } from '../../../compiler/ir/dims.js';
import { type Loop, type Stmt, walk } from '../ir.js';
import { coefficient, isWithin, type Ranges, substitute, termsOf } from '../positions.js';

/** A nest of loops with nothing but the innermost body inside. */
export interface Nest {
  readonly loops: readonly Loop[];
  readonly body: readonly Stmt[];
}

/** The loops from `outer` on that directly contain each other. */
export function nestOf(outer: Loop): Nest {
  const loops = [outer];
  for (;;) {
    const { body } = loops.at(-1) as Loop;
    const [only] = body;
    if (body.length !== 1 || only?.kind !== 'for' || only.mark !== outer.mark) return { loops, body };
    loops.push(only);
  }
}

const isValue = (stmt: Stmt): boolean => stmt.kind === 'let' || stmt.kind === 'lookup' || stmt.kind === 'define';

/** The same for a nest with values beside its loops, which go to the innermost body. */
export function flatNest(outer: Loop): Nest {
  const loops = [outer];
  const values: Stmt[] = [];
  for (;;) {
    const { body } = loops.at(-1) as Loop;
    const last = body.at(-1);
    const isNest = last?.kind === 'for' && last.mark === outer.mark && body.slice(0, -1).every(isValue);
    if (!isNest) return { loops, body: [...values, ...body] };
    values.push(...body.slice(0, -1));
    loops.push(last);
  }
}

/** The loops of a nest whose iterations may run at the same time, whatever the elements that positions are looked up in hold. */
export function independentLoops({ loops, body }: Nest): readonly Loop[] {
  const ranges = new Map<string, Dim>(loops.map(({ index, extent }) => [index, extent]));
  const stores: Extract<Stmt, { kind: 'store' }>[] = [];
  const written = new Set<string>();
  for (const stmt of walk(body)) {
    if (stmt.kind === 'lookup') ranges.set(stmt.index, stmt.size);
    if (stmt.kind === 'define') ranges.set(stmt.index, stmt.extent);
    if (stmt.kind === 'for' || stmt.kind === 'registers' || stmt.kind === 'transpose') return [];
    if (stmt.kind === 'store') {
      stores.push(stmt);
      written.add(stmt.buffer.name);
    }
  }
  const [first] = stores;
  const isOnlyPlace = [...walk(body)].every((stmt) => {
    if (stmt.kind === 'store') return stmt.buffer === first?.buffer && stmt.offset.key === first.offset.key;
    const isLoadOfWritten = stmt.kind === 'let' && stmt.value.kind === 'load' && written.has(stmt.value.buffer.name);
    return !isLoadOfWritten || (stmt.value.kind === 'load' && stmt.value.offset.key === first?.offset.key);
  });
  if (first === undefined || !isOnlyPlace) return [];
  return loops.filter((loop) => tellsApart(first.offset, loop, ranges));
}

/**
 * Whether an offset determines the index: offset = rest + c·index + small, where c·extent divides every term of the rest and
 * 0 ≤ small < c, so that the index is ⌊offset / c⌋ mod extent.
 */
function tellsApart(offset: Dim, { index, extent }: Loop, ranges: Ranges): boolean {
  const slope = coefficient(offset, index);
  if (slope === undefined || isDimConst(slope, 0) || [...dimSymbols(slope)].some((name) => ranges.has(name)))
    return false;
  const period = dimMul(slope, extent);
  const small = termsOf(substitute(offset, index, 0))
    .filter((term) => dimExactDiv(term, period) === undefined)
    .reduce(dimAdd, dimConst(0));
  return isWithin(small, slope, ranges);
}
