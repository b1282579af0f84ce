// Plans a contraction: which index runs in vector lanes, what a register tile holds, which factors are copied, and what a chunk of the
// parallel loop covers. Every choice is the one with the least estimated time; sizes that are not known count as a typical one.

import type { Machine } from '../machine.js';
import { type Chunking, divide } from './chunks.js';
import { type Factor, factorOf } from './copies.js';
import { tiledCycles, untiledCycles } from './estimate.js';
import type { Nest } from './nest.js';
import { type Copy, heldVectors, type Orientation, orient } from './orientation.js';

export interface Plan extends Chunking {
  readonly lanes: number;
  /** The index that runs in lanes, and the number of vectors along it in a tile. */
  readonly vector: string;
  readonly vectors: number;
  /** Whether that is a summed index: then every sum is spread over the lanes of a vector. */
  readonly isSummed: boolean;
  /** How many values of the other outer indices a tile holds. */
  readonly tile: ReadonlyMap<string, number>;
  /** The outer indices in the order of their loops: those of all factors, columns, then rows. */
  readonly order: readonly string[];
  readonly factors: readonly Factor[];
  /** For each factor what is copied of it, undefined where it is read in place. */
  readonly copies: readonly (Copy | undefined)[];
}

/** Sizes of a tile along an index. */
const TILE_SIZES = [2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 25, 28] as const;

/** The best plan for a nest, undefined where register tiles gain nothing or, with `always`, where there is nothing that a tile shares. */
export function planContraction(nest: Nest, machine: Machine, always = false): Plan | undefined {
  const factors = nest.factors.map((temp) => factorOf(nest, temp));
  const isReused = factors.some(({ indices }) => nest.outer.some(({ name }) => !indices.has(name)));
  if (factors.length < 2 || !isReused) return undefined;
  let best: { readonly plan: Plan; readonly cycles: number } | undefined;
  for (const { name } of [...nest.outer, ...nest.summed]) {
    if (!factors.some(({ indices }) => indices.has(name))) continue;
    for (const candidate of candidates(orient(nest, machine, factors, name))) {
      if (best === undefined || candidate.cycles < best.cycles) best = candidate;
    }
  }
  return always || (best?.cycles ?? 0) < untiledCycles(nest, machine, factors) ? best?.plan : undefined;
}

/** The plans with one vector index, and their estimated times. */
function* candidates(orientation: Orientation): Generator<{ readonly plan: Plan; readonly cycles: number }> {
  const { vector, isSummed, lanes, order, factors, copies, extent } = orientation;
  const widest = isSummed ? 1 : Math.ceil(extent(vector) / lanes);
  const free = order.filter((index) => index !== vector && orientation.roles.get(index) !== 'batch');
  for (const tile of tiles(free, extent, orientation.machine.vectorRegisters)) {
    const sums = [...tile.values()].reduce((product, size) => product * size, 1);
    for (const vectors of sums === 1 ? [1, 2, 3, 4, 6, 8] : [1, 2, 3, 4]) {
      const held = heldVectors(orientation, tile) * vectors;
      // With many values to hold at once gcc loads some of them again and again unless it has registers to spare.
      const registers = sums * vectors + held + (held > 2 ? 3 : 1);
      if (vectors > widest || registers > orientation.machine.vectorRegisters) continue;
      const panels = new Map(
        order.map((index) => {
          const size = index === vector ? vectors * lanes : (tile.get(index) ?? 1);
          return [index, { size, count: Math.ceil(extent(index) / size) }] as const;
        }),
      );
      const chunking = divide(orientation, panels);
      const plan: Plan = { lanes, vector, vectors, isSummed, tile, order, factors, copies, ...chunking };
      yield { plan, cycles: tiledCycles(orientation, tile, panels, chunking) };
    }
  }
}

/** Register tiles: sizes along at most two indices, as far as registers go. */
function* tiles(
  indices: readonly string[],
  extent: (index: string) => number,
  limit: number,
): Generator<ReadonlyMap<string, number>> {
  const sizes = (index: string): readonly number[] =>
    TILE_SIZES.filter((size) => size <= Math.min(limit, extent(index)));
  yield new Map();
  for (const [i, first] of indices.entries()) {
    for (const size of sizes(first)) {
      yield new Map([[first, size]]);
      for (const second of indices.slice(i + 1)) {
        for (const other of sizes(second).filter((n) => size * n <= limit)) {
          yield new Map([
            [first, size],
            [second, other],
          ]);
        }
      }
    }
  }
}
