// Marks results that may be written past the caches. A store to memory that is in no cache reads its line first; where results are larger than
// the last cache, whoever reads them later reads them from memory anyway.

import type { Loop, Stmt } from '../ir.js';
import { stride } from '../positions.js';

/** Marks the stores of vector loops at the top that write one result in order and contain no loops. */
export const writePast = (body: readonly Stmt[]): readonly Stmt[] =>
  body.map((stmt) => (stmt.kind === 'for' && stmt.mark === 'vector' && writesInOrder(stmt) ? marked(stmt) : stmt));

function writesInOrder(loop: Loop): boolean {
  const stores = loop.body.filter((stmt) => stmt.kind === 'store');
  const isSimple = loop.body.every(({ kind }) => kind === 'let' || kind === 'store' || kind === 'fetch');
  return isSimple && stores.length === 1 && stores.every(({ offset }) => stride(offset, loop.index) === 1);
}

const marked = (loop: Loop): Loop => ({
  ...loop,
  body: loop.body.map((stmt) => (stmt.kind === 'store' ? { ...stmt, isPast: true } : stmt)),
});
