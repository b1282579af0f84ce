// Sizes that files state.

import { elementCount } from '../shape.js';

/** The number of elements of a shape that a file states; `fail` is told why there is no such shape. */
export function statedCount(shape: readonly number[], fail: (reason: string) => never): number {
  try {
    return elementCount(shape);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}
