// Decides into how many parts the depth of a product is divided: as many as give a large GPU blocks enough, where the tiles of the result do not. A
// product whose number of tiles is known only when it runs has versions for few tiles, each with parts of its own; with more tiles it writes its
// results itself. So what parts need in memory is bounded, and the number of parts depends on the sizes alone.

import { type Dim, dimConst, dimEvaluate, dimMin, dimMul, dimSymbols, dimValue } from '../../../compiler/ir/dims.js';
import { isPositionName, type Loop } from '../ir.js';
import { LARGE_TILE, type Product, tilesDim, tilesOf } from './product.js';

/** A loop of the depth, and into how many parts it is divided. */
export interface DepthDivision {
  readonly loop: Loop;
  readonly parts: number;
}

/** A division for products of at most `most` large tiles, and the number of them that it is made for. */
export interface DepthVersion extends DepthDivision {
  readonly most: number;
  readonly tiles: number;
}

export interface DepthVersions {
  /** The number of large tiles, by which one of the versions is chosen. */
  readonly length: Dim;
  /** From few tiles to many; a single one for any number of tiles where this number is known. */
  readonly versions: readonly DepthVersion[];
  /** The tiles that a product is made for which has more than all versions are for. */
  readonly others: number;
  /** A size of memory that holds the sums of all parts in each version. */
  readonly size: Dim;
}

/** The run-time size that the depth of a product is taken to have, blocks that keep a large GPU busy, and the depth that is worth one. */
const TYPICAL_DEPTH = 256;
const ENOUGH_BLOCKS = 264;
const LEAST_DEPTH = 256;
const MOST_PARTS = 256;
/** The depth that is copied at once: a part of whole panels begins at an aligned address and needs no guards. */
const PANEL = 64;
/** How many times fewer parts the next version has. */
const STEP = 4;

/** The versions of a product with a divided depth, whose loops are given; undefined where there is nothing to gain. */
export function depthVersions(product: Product, loops: readonly Loop[]): DepthVersions | undefined {
  const length = tilesDim(product);
  const symbols = [...dimSymbols(length)];
  if (symbols.some(isPositionName)) return undefined;
  const axes = [...product.batches, ...product.rows, ...product.columns];
  const results = axes.map(({ extent }) => extent).reduce(dimMul, dimConst(1));
  const known = dimValue(length);
  if (known !== undefined) {
    const division = divisionOf(loops, wantedParts(loops, known));
    if (division === undefined) return undefined;
    const version = { ...division, most: Number.POSITIVE_INFINITY, tiles: known };
    return { length, versions: [version], others: known, size: dimMul(results, dimConst(division.parts)) };
  }
  const least = Math.max(1, dimEvaluate(length, new Map(symbols.map((symbol) => [symbol, 1]))));
  const typical = tilesOf(product);
  const versions: DepthVersion[] = [];
  let above = 0;
  for (let wanted = wantedParts(loops, least); wanted >= 2; wanted = nextParts(wanted)) {
    const division = divisionOf(loops, wanted);
    if (division === undefined) break;
    const most = Math.floor(ENOUGH_BLOCKS / division.parts);
    versions.push({ ...division, most, tiles: Math.min(most, Math.max(above + 1, typical)) });
    above = most;
  }
  const [first] = versions;
  if (first === undefined) return undefined;
  const bound = ENOUGH_BLOCKS * LARGE_TILE * LARGE_TILE;
  const size = dimMin(dimMul(results, dimConst(first.parts)), dimConst(bound));
  return { length, versions, others: Math.max(above + 1, typical), size };
}

const depthOf = ({ extent }: Loop): number => dimValue(extent) ?? TYPICAL_DEPTH;

/** The parts that give a GPU blocks enough and are worth one. */
function wantedParts(loops: readonly Loop[], tiles: number): number {
  const depth = loops.reduce((product, loop) => product * depthOf(loop), 1);
  return Math.min(MOST_PARTS, Math.floor(ENOUGH_BLOCKS / tiles), Math.floor(depth / LEAST_DEPTH));
}

const nextParts = (parts: number): number => (parts > 2 ? Math.max(2, Math.floor(parts / STEP)) : 0);

/** The loop to divide, into about so many parts. */
function divisionOf(loops: readonly Loop[], wanted: number): DepthDivision | undefined {
  const [first] = loops;
  const loop = loops.find((each) => depthOf(each) >= wanted) ?? first;
  if (loop === undefined) return undefined;
  const parts = evenParts(loop, loop === loops.at(-1), Math.min(wanted, depthOf(loop)));
  return parts < 2 ? undefined : { loop, parts };
}

/** Somewhat fewer parts where they are equal then, and of whole panels, which lie along the innermost loop. */
function evenParts({ extent }: Loop, isInnermost: boolean, wanted: number): number {
  const length = dimValue(extent);
  const unit = isInnermost ? PANEL : 1;
  for (let parts = wanted; length !== undefined && parts >= 2 && 2 * parts >= wanted; parts--) {
    if (length % (parts * unit) === 0) return parts;
  }
  return wanted;
}
