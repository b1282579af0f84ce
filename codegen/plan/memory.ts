// Puts values that live inside of one call into slots of the workspace. A slot is used again once its value is dead. The offsets of the
// slots are prefix sums of their sizes, which are expressions in the run-time dimensions and evaluated on entry.

import {
  type Dim,
  dimAdd,
  dimConst,
  dimExactDiv,
  dimFloorDiv,
  dimIsNonNegative,
  dimMul,
  dimSub,
} from '../../compiler/ir/dims.js';
import { ALIGNMENT } from './layout.js';

/** A need for memory during the steps first … last, both included. */
export interface Lifetime {
  readonly bytes: Dim;
  readonly first: number;
  readonly last: number;
}

export interface Workspace {
  /** The sizes of the slots in bytes, multiples of the alignment. */
  readonly slots: readonly Dim[];
  /** The slot of each lifetime. */
  readonly slotOf: readonly number[];
  /** The sum of all slots. */
  readonly bytes: Dim;
}

/** A size rounded up to the alignment. */
export function alignedSize(bytes: Dim): Dim {
  const unit = dimConst(ALIGNMENT);
  if (dimExactDiv(bytes, unit) !== undefined) return bytes;
  return dimMul(unit, dimFloorDiv(dimAdd(bytes, dimConst(ALIGNMENT - 1)), unit));
}

const fits = (size: Dim, into: Dim): boolean => dimIsNonNegative(dimSub(into, size));

interface Slot {
  size: Dim;
  busyUntil: number;
}

/** Assigns slots in the order in which lifetimes begin. Sizes are compared before they are rounded: that keeps them polynomials. */
export function planWorkspace(lifetimes: readonly Lifetime[]): Workspace {
  const slots: Slot[] = [];
  const slotOf = new Array<number>(lifetimes.length).fill(0);
  const order = lifetimes
    .map((_, i) => i)
    .sort((a, b) => (lifetimes[a] as Lifetime).first - (lifetimes[b] as Lifetime).first || a - b);
  for (const i of order) {
    const { bytes, first, last } = lifetimes[i] as Lifetime;
    const free = slots.filter((slot) => slot.busyUntil < first);
    const slot = tightest(free, bytes) ?? largestToGrow(free, bytes) ?? { size: bytes, busyUntil: last };
    if (!slots.includes(slot)) slots.push(slot);
    if (!fits(bytes, slot.size)) slot.size = bytes;
    slot.busyUntil = last;
    slotOf[i] = slots.indexOf(slot);
  }
  const sizes = slots.map((slot) => alignedSize(slot.size));
  return { slots: sizes, slotOf, bytes: sizes.reduce(dimAdd, dimConst(0)) };
}

/** The free slot that is certainly large enough and wastes least. */
function tightest(free: readonly Slot[], size: Dim): Slot | undefined {
  return free
    .filter((slot) => fits(size, slot.size))
    .reduce<Slot | undefined>(
      (best, slot) => (best === undefined || fits(slot.size, best.size) ? slot : best),
      undefined,
    );
}

/** The largest free slot that is certainly smaller: making it larger costs less than a new one. */
function largestToGrow(free: readonly Slot[], size: Dim): Slot | undefined {
  return free
    .filter((slot) => fits(slot.size, size))
    .reduce<Slot | undefined>(
      (best, slot) => (best === undefined || fits(best.size, slot.size) ? slot : best),
      undefined,
    );
}
