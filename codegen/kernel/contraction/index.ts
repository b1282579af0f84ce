// Schedules contractions: turns the generic loop nest that `lower` makes of a contraction (matrix products, convolutions, their
// gradients, einsums) into register-blocked code.
//
// It stands between `lower` and `schedule`: `scheduleKernel` first offers the lowered kernel to `scheduleContraction`, and falls back to its
// own choice of vector loops where that gives `undefined` (no floating-point sum of products, no reuse to gain, lookups). The result is
// complete: all its loops are marked, its one outermost loop is `parallel`, and copies of factors are `scratch` buffers, one set for each
// chunk.
//
//   nest         recognises the generic nest, joins indices, computes its values again at other places
//   residues     splits a nest at divisions that leave remainders
//   copies       factors, and the coordinates by which one is copied where it cannot be read in place
//   windows      where factors are absent, at the border of an image, so that tiles leave out products
//   margins      what copies leave out because of that
//   orientation  what follows from the choice of the index that runs in lanes
//   chunks       what runs at the same time
//   estimate     the time of a plan
//   plan         chooses among all of them
//   runs         divides indices into panels
//   scratch      lays out and fills copies
//   tile         the sums in registers, their products, and the values that follow
//   build        puts the loops together

import type { Kernel } from '../ir.js';
import type { Surroundings } from '../lower/body.js';
import type { Machine } from '../machine.js';
import { buildContractions } from './build.js';
import { contractionNest } from './nest.js';
import { planContraction } from './plan.js';
import { splitByRemainders } from './residues.js';

/** The kernel as register-blocked loops for a machine, or undefined where it is no contraction that gains from that. `around`: what it stands in. */
export function scheduleContraction(kernel: Kernel, machine: Machine, around?: Surroundings): Kernel | undefined {
  const whole = contractionNest(kernel);
  if (whole === undefined) return undefined;
  const nests = splitByRemainders(whole);
  const parts = nests.flatMap((nest) => {
    const versions = planContraction(nest, machine, nests.length > 1);
    return versions === undefined ? [] : [versions.map((version) => ({ nest, ...version }))];
  });
  return parts.length === nests.length ? buildContractions(kernel, parts.flat(), around) : undefined;
}
