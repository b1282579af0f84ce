// Puts values that live inside of one call into one workspace, so that values that do not live at the same time share memory.
//
// Where sizes are known only when running, offsets are, too. So what is planned is an order: which values lie below each value. A value
// begins where the last of those below it ends, whatever the sizes turn out to be. The order comes from placing the values one after another
// into the lowest gaps that hold them, with a typical number for every run-time dimension; fixed sizes are planned exactly.

import {
  type Dim,
  dimAdd,
  dimBound,
  dimConst,
  dimEvaluate,
  dimExactDiv,
  dimFloorDiv,
  dimMul,
  dimSymbols,
  dimValue,
} from '../../compiler/ir/dims.js';
import { ALIGNMENT } from './layout.js';

/** A need for memory during the steps first … last, both included. */
export interface Lifetime {
  readonly bytes: Dim;
  readonly first: number;
  readonly last: number;
}

/** A stretch of the workspace. */
export interface Slot {
  readonly bytes: Dim;
  /** The slots, earlier in the list, that end before this one begins. */
  readonly above: readonly number[];
}

export interface Workspace {
  /** From the bottom up. */
  readonly slots: readonly Slot[];
  /** The slot of each lifetime. */
  readonly slotOf: readonly number[];
  readonly lifetimes: readonly Lifetime[];
}

/** A size rounded up to the alignment. */
export function alignedSize(bytes: Dim): Dim {
  const unit = dimConst(ALIGNMENT);
  if (dimExactDiv(bytes, unit) !== undefined) return bytes;
  return dimMul(unit, dimFloorDiv(dimAdd(bytes, dimConst(ALIGNMENT - 1)), unit));
}

/** What a run-time dimension counts as. */
const TYPICAL_SIZE = 32;

/** A value while it is placed: what it needs at typical sizes, and where it lies. */
interface Placed extends Lifetime {
  readonly number: number;
  readonly size: number;
  readonly begin: number;
}

const overlap = (a: Lifetime, b: Lifetime): boolean => a.first <= b.last && b.first <= a.last;
const endOf = ({ begin, size }: Placed): number => begin + size;
const span = ({ first, last }: Lifetime): number => last - first;

/** Orders in which values may be placed; the one that needs least memory is taken. */
const orders: readonly ((a: Placed, b: Placed) => number)[] = [
  (a, b) => b.size - a.size || span(b) - span(a) || a.number - b.number,
  (a, b) => span(b) - span(a) || b.size - a.size || a.number - b.number,
];

/** Places values one after another, each into the lowest gap that holds it: such orders do well for other sizes, too. From the bottom up. */
function place(values: readonly Placed[]): readonly Placed[] {
  const placed: Placed[] = [];
  for (const value of values) {
    let begin = 0;
    for (const other of placed) {
      if (other.begin - begin >= value.size) break;
      if (overlap(value, other)) begin = Math.max(begin, endOf(other));
    }
    const at = placed.findIndex((other) => other.begin > begin);
    placed.splice(at < 0 ? placed.length : at, 0, { ...value, begin });
  }
  return placed;
}

const heightOf = (placed: readonly Placed[]): number =>
  placed.reduce((height, each) => Math.max(height, endOf(each)), 0);

/** The values right under the one at a position: those below it that are not below another one of them. */
function rightUnder(placed: readonly Placed[], at: number): readonly number[] {
  const value = placed[at] as Placed;
  const found: number[] = [];
  for (let i = at - 1; i >= 0; i--) {
    const other = placed[i] as Placed;
    if (overlap(value, other) && !found.some((higher) => overlap(other, placed[higher] as Placed))) found.push(i);
  }
  return found;
}

/** Plans the workspace. */
export function planWorkspace(lifetimes: readonly Lifetime[]): Workspace {
  const typical = new Map<string, number>();
  for (const { bytes } of lifetimes) for (const symbol of dimSymbols(bytes)) typical.set(symbol, TYPICAL_SIZE);
  const values = lifetimes.map((lifetime, number): Placed => {
    const size = Math.max(ALIGNMENT, dimEvaluate(alignedSize(lifetime.bytes), typical));
    return { ...lifetime, number, size, begin: 0 };
  });
  const placed = orders
    .map((order) => place(values.toSorted(order)))
    .reduce((best, other) => (heightOf(other) < heightOf(best) ? other : best));
  const slotOf = new Array<number>(lifetimes.length).fill(0);
  placed.forEach(({ number }, slot) => {
    slotOf[number] = slot;
  });
  return {
    slots: placed.map(({ bytes }, slot): Slot => ({ bytes, above: rightUnder(placed, slot) })),
    slotOf,
    lifetimes,
  };
}

/** Where the slots begin, and where the last of them ends. */
export function offsetsOf(
  { slots }: Workspace,
  dims: ReadonlyMap<string, number>,
): { readonly offsets: readonly number[]; readonly end: number } {
  const ends: number[] = [];
  const offsets = slots.map(({ bytes, above }) => {
    const offset = Math.max(0, ...above.map((slot) => ends[slot] as number));
    ends.push(offset + Math.max(0, dimEvaluate(alignedSize(bytes), dims)));
    return offset;
  });
  return { offsets, end: Math.max(0, ...ends) };
}

/**
 * A formula, for people, that the size of the workspace does not exceed but for the rounding of places to the alignment: of each term the
 * largest multiple in any chain of values that lie one above another.
 */
export function workspaceBound({ slots }: Workspace): Dim {
  const ends: Dim[] = [];
  for (const { bytes, above } of slots) {
    const size = dimValue(bytes) === undefined ? bytes : alignedSize(bytes);
    ends.push(dimAdd(above.map((slot) => ends[slot] as Dim).reduce(dimBound, dimConst(0)), size));
  }
  return ends.reduce(dimBound, dimConst(0));
}

/** The bytes of all values that live at the step where these are most: no plan needs less. */
export function liveBytes({ lifetimes }: Workspace, dims: ReadonlyMap<string, number>): number {
  const sizes = lifetimes.map(({ bytes }) => Math.max(0, dimEvaluate(bytes, dims)));
  const at = (step: number): number =>
    lifetimes.reduce(
      (sum, { first, last }, i) => (first <= step && step <= last ? sum + (sizes[i] as number) : sum),
      0,
    );
  return lifetimes.reduce((most, { first }) => Math.max(most, at(first)), 0);
}

/** For each slot those that may share memory with it, itself included: all that lie neither above nor below it. */
export function sharedSlots({ slots }: Workspace): readonly (readonly number[])[] {
  const below: Set<number>[] = [];
  for (const { above } of slots)
    below.push(new Set(above.flatMap((slot) => [slot, ...(below[slot] as ReadonlySet<number>)])));
  return slots.map((_, a) =>
    [...slots.keys()].filter(
      (b) => !(below[a] as ReadonlySet<number>).has(b) && !(below[b] as ReadonlySet<number>).has(a),
    ),
  );
}
