// Where the leaves of the state lie in the arena.

import { dtypeBytes } from '../../compiler/ir/dtype.js';
import type { Program } from '../../compiler/program.js';

export const ALIGNMENT = 64;

/** The arena of a program: the leaves in the order of `Program.state`. */
export interface StateLayout {
  readonly bytes: number;
  readonly leaves: readonly { readonly offset: number; readonly bytes: number }[];
}

const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Lays the leaves out one after another, each at a multiple of the alignment. */
export function layoutState(program: Program): StateLayout {
  let end = 0;
  const leaves = program.state.map((leaf) => {
    const offset = end;
    const bytes = leaf.shape.reduce((product, size) => product * size, dtypeBytes(leaf.dtype));
    end = align(offset + bytes);
    return { offset, bytes };
  });
  return { bytes: end, leaves };
}
