// The register tiles of which plans are worked out, and how long they are in code.

import { dimValue } from '../../../compiler/ir/dims.js';
import type { PanelCounts } from './chunks.js';
import { extentOf } from './copies.js';
import { heldVectors, type Orientation } from './orientation.js';
import { rowPieces, rowRunSizes, vectorPanelCount, vectorRunSizes } from './runs.js';
import { storedAlong } from './tile.js';

/** A register tile. */
export interface Shape {
  readonly tile: ReadonlyMap<string, number>;
  readonly vectors: number;
  /** What it divides the index space into at each of the sizes that are told apart. */
  readonly panels: readonly PanelCounts[];
  /** Its estimated length in code. */
  readonly statements: number;
}

/** What run-time dimensions count as, and the extents that follow. */
export type Sized = Pick<Orientation, 'size' | 'extent'>;

/** Tiles of which plans are worked out: those that are fastest without regard to memory, and the best where code counts. */
const [FAST_TILES, SHORT_TILES] = [6, 2];

/**
 * A statement of a plan counts as this share of its time, because it has to be compiled; of what takes longer than some cycles, as that share of
 * them. Of two plans for a small layer, the one with half the code may be four per cent slower; large products are as fast as they can be.
 */
const [STATEMENT, STATEMENT_CYCLES] = [4e-5, 1e6];
/** Statements of a tile beside its sums; those with which a sum begins and takes a product; and those that follow one whose lanes are summed or turned. */
const [TILE_STATEMENTS, SUM_STATEMENTS, LANES_SUMMED, LANES_TURNED] = [20, 5, 15, 8];
/** Sizes of a tile along an index. */
const TILE_SIZES = [2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 25, 28] as const;

/** What a plan of so many cycles and statements costs. */
export const withCode = (cycles: number, statements: number): number =>
  cycles + statements * STATEMENT * Math.min(cycles, STATEMENT_CYCLES);

/** Those of which plans are worked out, by the cycles of their products. */
export function bestShapes(shapes: readonly Shape[], cycles: (shape: Shape) => number): readonly Shape[] {
  const judged = shapes.map((shape) => ({ shape, cycles: cycles(shape) }));
  const short = judged.toSorted(
    (a, b) => withCode(a.cycles, a.shape.statements) - withCode(b.cycles, b.shape.statements),
  );
  judged.sort((a, b) => a.cycles - b.cycles);
  return [...judged.slice(0, FAST_TILES), ...short.slice(0, SHORT_TILES)].map(({ shape }) => shape);
}

/** The register tiles for which there are registers. */
export function* tileShapes(orientation: Orientation, sizes: readonly Sized[]): Generator<Shape> {
  const { vector, isSummed, lanes, order, extent, machine } = orientation;
  const widest = isSummed ? 1 : Math.ceil(extent(vector) / lanes);
  const free = order.filter((index) => index !== vector && orientation.roles.get(index) !== 'batch');
  const fixed = new Set(order.filter((index) => dimValue(extentOf(orientation.nest, index)) !== undefined));
  for (const tile of tiles(free, extent, machine.vectorRegisters)) {
    const sums = [...tile.values()].reduce((product, size) => product * size, 1);
    const heldPerVector = heldVectors(orientation, tile);
    for (const vectors of sums === 1 ? [1, 2, 3, 4, 6, 8] : [1, 2, 3, 4]) {
      const held = heldPerVector * vectors;
      // Compilers keep some values in memory unless they have registers to spare.
      const registers = sums * vectors + held + (held > 2 ? 3 : 2);
      if (vectors > widest || registers > machine.vectorRegisters) continue;
      const panels = sizes.map(
        ({ extent: length }) =>
          new Map(
            order.map((index) => {
              const [known, n] = [fixed.has(index), length(index)];
              if (index === vector) {
                const size = vectors * lanes;
                return [index, { size, count: vectorPanelCount(n, known, lanes, vectors) }] as const;
              }
              const size = tile.get(index) ?? 1;
              const pieces = size === 1 ? [[1, n] as const] : rowPieces(n, known, size);
              return [index, { size, count: pieces.reduce((sum, [, count]) => sum + count, 0), pieces }] as const;
            }),
          ),
      );
      yield { tile, vectors, panels, statements: statementsOf(orientation, tile, vectors) };
    }
  }
}

/** The statements of all tiles of a shape: there is one for each combination of runs. */
function statementsOf(
  { nest, order, vector, lanes, isSummed }: Orientation,
  tile: ReadonlyMap<string, number>,
  vectors: number,
): number {
  let [tiles, sums] = [1, 1];
  for (const index of order) {
    const extent = dimValue(extentOf(nest, index));
    const sizes = index === vector ? vectorRunSizes(extent, lanes, vectors) : rowRunSizes(extent, tile.get(index) ?? 1);
    tiles *= sizes.length;
    sums *= sizes.reduce((sum, size) => sum + size, 0);
  }
  const lanesOfSum = isSummed ? LANES_SUMMED : storedAlong(nest, vector, tile) === undefined ? 0 : LANES_TURNED;
  return tiles * TILE_STATEMENTS + sums * (SUM_STATEMENTS + nest.values.size + nest.stores.length + lanesOfSum);
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
