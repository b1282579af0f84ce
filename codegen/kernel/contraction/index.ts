// Schedules contractions: turns the generic loop nest that `lower` makes of a contraction (matrix products, convolutions, their
// gradients, einsums) into register-blocked code.
//
// It stands between `lower` and `schedule`: `scheduleKernel` first offers the lowered kernel to `scheduleContraction`, and falls back to its
// own choice of vector loops where that gives `undefined` (no floating-point sum of products, no reuse to gain, lookups). The result is
// complete: all its loops are marked, its one outermost loop is `parallel`, and copies of factors are `scratch` buffers, one set for each
// chunk.
//
//   nest      recognises the generic nest, joins indices, computes its values again at other places
//   copies    the coordinates by which a factor is copied where it cannot be read in place
//   plan      chooses the vector index, the register tile, copies and chunks by estimated time
//   runs      divides indices into panels
//   scratch   lays out and fills copies
//   tile      the sums in registers, their products, and the values that follow
//   build     puts the loops together

import type { Kernel } from '../ir.js';
import type { Machine } from '../machine.js';
import { buildContraction } from './build.js';
import { contractionNest } from './nest.js';
import { planContraction } from './plan.js';

/** The kernel as register-blocked loops for a machine, or undefined where it is no contraction that gains from that. */
export function scheduleContraction(kernel: Kernel, machine: Machine): Kernel | undefined {
  const nest = contractionNest(kernel);
  const plan = nest && planContraction(nest, machine);
  return plan && buildContraction(kernel, nest, plan);
}
