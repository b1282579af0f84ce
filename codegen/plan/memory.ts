// Puts values that live inside of one call into one workspace, so that values that do not live at the same time share memory.
//
// Where sizes are known only when running, offsets are, too. So what is planned is an order: which values lie below each value. A value
// begins where the last of those below it ends, whatever the sizes turn out to be. Orders come from placing the values one after another
// into the lowest gaps that hold them, with some number for every run-time dimension. Of several, the one is taken that wastes the least at
// the sizes where it wastes most; fixed sizes are planned exactly.

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
import { gcd } from '../../compiler/ir/gcd.js';
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

/** Numbers of which each stands for every run-time dimension: a few rows, a batch, and many. */
const TYPICAL_SIZES = [1, 8, 32, 128, 512, 2048] as const;

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

/** What all values need, at given sizes, if each begins where the last of those before it that live with it ends. */
function heightOf(order: readonly Placed[], sizes: readonly number[]): number {
  // Where the next value of each step may begin.
  const tops = new Array<number>(1 + Math.max(0, ...order.map(({ last }) => last))).fill(0);
  for (const { number, first, last } of order) {
    const top = Math.max(...tops.slice(first, last + 1));
    tops.fill(top + (sizes[number] as number), first, last + 1);
  }
  return Math.max(...tops);
}

/** Plans the workspace. */
export function planWorkspace(lifetimes: readonly Lifetime[]): Workspace {
  const symbols = new Set<string>();
  for (const { bytes } of lifetimes) dimSymbols(bytes, symbols);
  const aligned = lifetimes.map(({ bytes }) => alignedSize(bytes));
  const typical = (symbols.size === 0 ? TYPICAL_SIZES.slice(0, 1) : TYPICAL_SIZES).map((size) => {
    const dims = new Map([...symbols].map((symbol) => [symbol, size]));
    const sizes = aligned.map((bytes) => Math.max(ALIGNMENT, dimEvaluate(bytes, dims)));
    return { sizes, live: Math.max(ALIGNMENT, liveOf(lifetimes, sizes)) };
  });
  const waste = (order: readonly Placed[]): number =>
    Math.max(...typical.map(({ sizes, live }) => heightOf(order, sizes) / live));
  const placed = typical
    .flatMap(({ sizes }) => {
      const values = lifetimes.map(
        (lifetime, i): Placed => ({ ...lifetime, number: i, size: sizes[i] as number, begin: 0 }),
      );
      return orders.map((order) => place(values.toSorted(order)));
    })
    .map((order) => ({ order, waste: waste(order) }))
    .reduce((best, other) => (other.waste < best.waste ? other : best)).order;
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

/** The most that rounding up to the alignment can add to a size: less where all terms are multiples of some of it. */
function roundingOf(bytes: Dim): number {
  const common = bytes.terms.reduce((divisor, { coefficient }) => gcd(divisor, coefficient), ALIGNMENT);
  return ALIGNMENT - common;
}

/**
 * A formula, for people, that the size of the workspace does not exceed: of each term the largest multiple in any chain of values that lie one
 * above another.
 */
export function workspaceBound({ slots }: Workspace): Dim {
  const ends: Dim[] = [];
  for (const { bytes, above } of slots) {
    const size = dimValue(bytes) === undefined ? dimAdd(bytes, dimConst(roundingOf(bytes))) : alignedSize(bytes);
    ends.push(dimAdd(above.map((slot) => ends[slot] as Dim).reduce(dimBound, dimConst(0)), size));
  }
  return ends.reduce(dimBound, dimConst(0));
}

/** The bytes of all values that live at the step where these are most: no plan needs less. */
export const liveBytes = ({ lifetimes }: Workspace, dims: ReadonlyMap<string, number>): number =>
  liveOf(
    lifetimes,
    lifetimes.map(({ bytes }) => Math.max(0, dimEvaluate(bytes, dims))),
  );

function liveOf(lifetimes: readonly Lifetime[], sizes: readonly number[]): number {
  const at = (step: number): number =>
    lifetimes.reduce(
      (sum, { first, last }, i) => (first <= step && step <= last ? sum + (sizes[i] as number) : sum),
      0,
    );
  return lifetimes.reduce((most, { first }) => Math.max(most, at(first)), 0);
}

/** For each slot those that may share memory with it, itself included: all that lie neither above nor below it. */
export function sharedSlots({ slots }: Workspace): readonly (readonly number[])[] {
  const below: SlotSet[] = [];
  for (const { above } of slots) {
    const own = new SlotSet(slots.length);
    for (const lower of above) own.add(lower, below[lower] as SlotSet);
    below.push(own);
  }
  const over = slots.map(() => new SlotSet(slots.length));
  for (const [slot, { above }] of [...slots.entries()].reverse())
    for (const lower of above) over[lower]?.add(slot, over[slot] as SlotSet);
  return slots.map((_, slot) => (below[slot] as SlotSet).neither(over[slot] as SlotSet));
}

/**
 * Numbers of slots, a bit for each: of thousands of values that live at one time, as those that a long derivative keeps, nearly all pairs lie one above
 * another.
 */
class SlotSet {
  readonly #words: Uint32Array;

  constructor(readonly count: number) {
    this.#words = new Uint32Array(Math.ceil(count / 32));
  }

  /** Adds a slot, and all of another set. */
  add(slot: number, others: SlotSet): void {
    this.#words[slot >>> 5] = (this.#words[slot >>> 5] as number) | (1 << (slot & 31));
    others.#words.forEach((word, i) => {
      this.#words[i] = (this.#words[i] as number) | word;
    });
  }

  /** The slots that are in neither set, in order. */
  neither(other: SlotSet): readonly number[] {
    return [...this.#words].flatMap((word, i) => {
      const missing = ~(word | (other.#words[i] as number));
      if (missing === 0) return [];
      return Array.from({ length: Math.min(32, this.count - 32 * i) }, (_, bit) => bit)
        .filter((bit) => (missing & (1 << bit)) !== 0)
        .map((bit) => 32 * i + bit);
    });
  }
}
