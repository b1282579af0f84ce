// Estimates the cycles of a contraction, as register tiles and without them. The estimate has to rank plans, not to predict time.

import { type Dim, dimEvaluate, dimSymbols, dimValue } from '../../../compiler/ir/dims.js';
import { dtypeBytes } from '../../../compiler/ir/dtype.js';
import { gcd } from '../../../compiler/ir/gcd.js';
import type { Position } from '../ir.js';
import { CACHE_LINE, lanesOf, type Machine } from '../machine.js';
import { coefficient, mentions, stride } from '../positions.js';
import {
  type Chunking,
  COPY_LIMIT,
  chunkCount,
  copiedBytes,
  copiedElements,
  DISTANT_BYTES,
  factorBytes,
  type PanelCounts,
} from './chunks.js';
import { extentOf, type Factor, typicalExtent } from './copies.js';
import type { Nest } from './nest.js';
import type { Copy, Orientation } from './orientation.js';
import { partsOf } from './products.js';
import { storedAlong } from './tile.js';

/** Addresses that differ by a multiple of this share a set of a common L1 cache, which holds so many of them. */
const [CACHE_SET_SPAN, CACHE_WAYS] = [4096, 8];

/** What stays in the first cache, and its sets: addresses that differ by their span share one. */
const NEAR_BYTES = 20 << 10;
const CACHE_SETS = 64;
/** Cycles by which each row of a tile's results delays it where they go to distant memory. */
const DISTANT_ROW = 20;
/** Cycles for a line of sums that lie in distant memory between blocks of their products. */
const DISTANT_SUM = 30;
/** Cycles by which a line delays a tile that comes from the second cache, in order or not, or from behind it, and a page that is not at hand. */
const [STREAMED_LINE, SCATTERED_LINE, DISTANT_LINE, PAGE] = [0.3, 0.9, 2, 5];
/** What has more bytes comes from memory again each time; there a line delays a tile by so many products. */
const [REMOTE_BYTES, REMOTE_PRODUCTS] = [8 << 20, 6];
const remoteLine = ({ machine }: Pick<Orientation, 'machine'>): number => REMOTE_PRODUCTS / machine.productsPerCycle;
/** The bytes of a page, how many pages the processor has at hand, and how many it finds soon. */
const [PAGE_BYTES, PAGES, MANY_PAGES] = [4096, 48, 1024];
/**
 * How much longer plans of one, two and three chunks take, because they keep few threads busy: the mean over one thread, which counts most, two
 * threads and four.
 */
const FEW_CHUNKS_LOSS = [0.4, 0.1, 0.07];

function productOf(numbers: Iterable<number>): number {
  let product = 1;
  for (const n of numbers) product *= n;
  return product;
}

export function tiledCycles(
  orientation: Orientation,
  tile: ReadonlyMap<string, number>,
  panels: PanelCounts,
  chunking: Chunking,
): number {
  const { nest, vector, isSummed, lanes, copies, extent, share } = orientation;
  const outputs = productOf(nest.outer.map(({ name }) => extent(name)));
  const steps = nest.summed.map(({ name }) =>
    name === vector ? Math.ceil(extent(name) / lanes) : extent(name) * share(name, tile),
  );
  const tileCount = productOf([...panels.values()].map(({ count }) => count));
  const products = tileCount * (productOf(steps) * stepCycles(orientation, tile, panels, chunking) + 10);
  // A last part of a vector takes a loop of its own.
  const tails = isSummed && extent(vector) % lanes !== 0 ? (tileCount * productOf(steps) * 2) / (steps.at(-1) ?? 1) : 0;
  const passes = productOf([...chunking.blocks].map(([index, size]) => Math.ceil(extent(index) / size)));
  const repeated =
    (passes - 1) * outputs * (3 / (isSummed ? 1 : lanes) + distantSumCycles(orientation, panels, chunking));
  const copying = copies.reduce((sum, copy) => {
    if (copy === undefined) return sum;
    const elements = copiedElements(orientation, copy, panels, chunking);
    const each = copyCycles(copy, lanes, orientation.bytes) + remoteCycles(orientation, copy.factor);
    return sum + chunkCount(panels, chunking.shares) * passes * elements * each;
  }, 0);
  // Of plans that are otherwise alike, the one whose copies stay in the nearer cache.
  const reach = 1 + (0.1 * copiedBytes(orientation, panels, chunking)) / COPY_LIMIT;
  const idle = 1 + (FEW_CHUNKS_LOSS[chunkCount(panels, chunking.shares) - 1] ?? 0);
  return (
    (products * reach + tails + outputs * resultCycles(orientation, tile, panels, chunking) + copying + repeated) * idle
  );
}

/** Cycles by which a sum is delayed between blocks where those of a chunk do not stay in the second cache. */
function distantSumCycles(
  { bytes, extent, nest }: Orientation,
  panels: PanelCounts,
  { shares }: Pick<Chunking, 'shares'>,
): number {
  const covered = nest.outer.map(({ name }) => {
    const [share, panel] = [shares.get(name), panels.get(name)];
    return typeof share === 'number' && panel !== undefined ? Math.min(extent(name), share * panel.size) : extent(name);
  });
  return productOf(covered) * bytes > DISTANT_BYTES ? (DISTANT_SUM * bytes) / CACHE_LINE : 0;
}

/** Cycles of all products in tiles if memory were as near as registers. */
export function tileCycles(orientation: Orientation, tile: ReadonlyMap<string, number>, panels: PanelCounts): number {
  let [tiles, share] = [1, 1];
  for (const { count } of panels.values()) tiles *= count;
  for (const { name } of orientation.nest.summed) share *= orientation.share(name, tile);
  return tiles * share * stepCycles(orientation, tile, panels);
}

/** Cycles of one summed point in a tile, on average of those there are; without a chunking, memory does not count. Every shape is asked, so that it makes no lists. */
function stepCycles(
  orientation: Orientation,
  tile: ReadonlyMap<string, number>,
  panels: PanelCounts,
  chunking?: Chunking,
): number {
  const { nest, vector, isSummed, lanes, extent } = orientation;
  const width = isSummed ? 1 : Math.ceil(extent(vector) / lanes) / (panels.get(vector)?.count ?? 1);
  const innermost = nest.summed.at(-1)?.name ?? vector;
  const turns =
    innermost === vector ? Math.ceil(extent(vector) / lanes) : extent(innermost) * orientation.share(innermost, tile);
  const [first, second] = tile.keys();
  const [ofFirst, ofSecond] = [piecesOf(panels, first), piecesOf(panels, second)];
  let [cycles, tiles] = [0, 0];
  for (const [a, times] of ofFirst)
    for (const [b, each] of ofSecond) {
      const size = (index: string): number => (index === first ? a : index === second ? b : 1);
      cycles += times * each * issueCycles(orientation, tile, size, width, turns);
      tiles += times * each;
    }
  const lines = chunking === undefined ? 0 : lineCycles(orientation, tile, panels, width, chunking);
  const work = (tiles === 0 ? 0 : cycles / tiles) + lines + 0.3 + 3 / turns;
  return work * crowding(orientation, tile);
}

const ONE: readonly (readonly [number, number])[] = [[1, 1]];
const piecesOf = (panels: PanelCounts, index: string | undefined): readonly (readonly [number, number])[] =>
  (index === undefined ? undefined : panels.get(index)?.pieces) ?? ONE;

/** Cycles of one summed point in a tile of these sizes, of `width` vectors, in a loop of so many turns. */
function issueCycles(
  orientation: Orientation,
  tile: ReadonlyMap<string, number>,
  size: (index: string) => number,
  width: number,
  turns: number,
): number {
  const { vector, factors, roles, machine } = orientation;
  let sums = width;
  for (const index of tile.keys()) sums *= size(index);
  let [slots, loads] = [0, 0];
  for (const [k, { indices }] of factors.entries()) {
    const isColumns = indices.has(vector);
    let own = isColumns ? width : 1;
    // A vector that is not held through the rows becomes an operand in memory of each instruction that uses it.
    let isOperand = false;
    for (const index of tile.keys()) {
      if (!indices.has(index)) continue;
      own *= size(index);
      isOperand ||= isColumns && roles.get(index) === 'row';
    }
    const each = isOperand ? sums : own;
    loads += each;
    slots += each * loadSlots(orientation, k);
  }
  const least = machine.stepCycles / partsOf(Math.max(1, sums), turns);
  return Math.max(Math.max(sums, slots) / machine.productsPerCycle, least) + 0.02 * loads;
}

/** Instructions that widen a vector of narrow elements, and one element for all lanes, where products could run. */
const [WIDEN_VECTOR, WIDEN_ELEMENT] = [2, 3];

/** The time of a load of a factor, in that of a product: one element for all lanes, or a vector, which may lie across two lines. */
function loadSlots({ machine, factors, vector, lanes, copies, distances }: Orientation, k: number): number {
  const { indices, isNarrow } = factors[k] as Factor;
  const copy = copies[k];
  const isWidened = isNarrow && copy === undefined;
  if (!indices.has(vector)) return isWidened ? 1 + WIDEN_ELEMENT : 1;
  if (isWidened) return 1 + WIDEN_VECTOR;
  const isAligned =
    copy === undefined
      ? [...indices].every((index) => index === vector || (distances[k]?.(index) ?? 1) % lanes === 0)
      : copy.coordinates.at(-1)?.terms.length === 1;
  return isAligned ? 1 : 1 + machine.vectorBytes / CACHE_LINE;
}

/** Cycles that a tile waits for memory at one summed point, because what it reads does not stay in the first cache. */
function lineCycles(
  orientation: Orientation,
  tile: ReadonlyMap<string, number>,
  panels: PanelCounts,
  width: number,
  { blocks, shares, rowsFirst }: Chunking,
): number {
  const { nest, vector, isSummed, lanes, copies, factors, coordinates, extent } = orientation;
  const share = shares.get(vector);
  const panelsOfChunk = typeof share === 'number' ? share : 1;
  let [rowTiles, columnPanels] = [1, 1];
  for (const [index, { count }] of panels) {
    const own = shares.get(index);
    const covered = typeof own === 'number' ? Math.min(own, count) : count;
    if (orientation.roles.get(index) === 'row') rowTiles *= covered;
    if (orientation.roles.get(index) === 'column') columnPanels *= covered;
  }
  const isWhole = rowsFirst && share === 'all';
  const together = isWhole ? columnPanels : rowsFirst ? panelsOfChunk : 1;
  const sharing = { rows: together, blocks, columns: panelsOfChunk, rowTiles };
  const depth = (name: string): number => Math.min(extent(name), blocks.get(name) ?? Number.POSITIVE_INFINITY);
  const summed = new Map(nest.summed.map(({ name }) => [name, depth(name)]));
  const heights = [...tile.keys()].map((index) => [index, extent(index) / (panels.get(index)?.count ?? 1)] as const);
  const lengths = new Map([...summed, ...heights, ...(isSummed ? [] : [[vector, width * lanes] as const])]);
  const points = productOf([...summed].map(([name, length]) => (name === vector ? length / lanes : length)));
  return factors.reduce((sum, _factor, k) => {
    const elements = (coordinates[k] ?? []).map(({ terms }) =>
      terms.reduce((n, { index, coefficient: c }) => n + Math.abs(c) * ((lengths.get(index) ?? 1) - 1), 1),
    );
    const read = productOf(elements) * orientation.bytes;
    if (copies[k] === undefined) return sum + inPlaceCycles(orientation, k, read, points, summed, sharing);
    // All columns go through the first cache for each tile of rows; a panel leaves behind what the next one has of its own.
    const all = isWhole
      ? copiedElements(orientation, copies[k] as Copy, panels, { shares, blocks }) * orientation.bytes
      : 0;
    const passing = all > NEAR_BYTES && factors[k]?.indices.has(vector) ? Math.min(read, all / together) : 0;
    return sum + (STREAMED_LINE * (read > NEAR_BYTES ? read : passing)) / CACHE_LINE / points;
  }, 0);
}

interface Sharing {
  /** Panels of columns that read a row one after another. */
  readonly rows: number;
  readonly blocks: Chunking['blocks'];
  /** Panels of columns that follow on each other in a block. */
  readonly columns: number;
  /** Tiles of rows that read a panel of columns one after another. */
  readonly rowTiles: number;
}

/** The same for a factor that is read where it is; a tile reads `read` bytes of it in all. */
function inPlaceCycles(
  orientation: Orientation,
  k: number,
  read: number,
  points: number,
  summed: ReadonlyMap<string, number>,
  { rows: together, blocks, columns, rowTiles }: Sharing,
): number {
  const { nest, vector, isSummed, bytes, size, factors, distances, roles } = orientation;
  const factor = factors[k] as Factor;
  const { plain, indices } = factor;
  const innermost = nest.summed.findLast(({ name }) => indices.has(name))?.name;
  if (plain === undefined || innermost === undefined) return 0;
  const whole = factorBytes(orientation, factor);
  const constant = distances[k]?.(innermost);
  const step = constant === undefined ? coefficient(plain.offset, innermost) : undefined;
  const distance = Math.abs(constant ?? (step === undefined ? 1 : valueAt(step, size))) * bytes;
  // Of a sum in lanes both factors have vectors; the tiles of rows go through those of their own.
  const isReused = indices.has(vector) && !(isSummed && [...indices].some((index) => roles.get(index) === 'row'));
  if (distance < CACHE_LINE) {
    // Other tiles read on where this one stops; what they read of another factor comes between.
    const isNear = isReused ? read <= NEAR_BYTES : whole <= NEAR_BYTES;
    if (isNear) return 0;
    const near = whole > DISTANT_BYTES ? DISTANT_LINE : STREAMED_LINE;
    const first = whole > REMOTE_BYTES ? remoteLine(orientation) : near;
    const again = read <= NEAR_BYTES ? 0 : STREAMED_LINE;
    const each = isReused ? first : (first + (together - 1) * again) / together;
    return (each * read) / CACHE_LINE / points;
  }
  const depth = summed.get(innermost) ?? 1;
  // Rows begin anywhere in a line.
  const perStep = read / points / CACHE_LINE + 0.5;
  const sets = distance % CACHE_LINE === 0 ? CACHE_SETS / gcd(distance / CACHE_LINE, CACHE_SETS) : CACHE_SETS;
  const inSets = 0.75 * sets * CACHE_WAYS;
  const isNear = points * perStep <= inSets && points * perStep * CACHE_LINE <= NEAR_BYTES;
  // The rows of a block are known from its first panel on, and what follows there is on its way.
  const isStreamed = isReused && blocks.has(innermost) && depth * Math.min(1, distance / PAGE_BYTES) <= MANY_PAGES;
  const panels = isStreamed ? columns : 1;
  const line = isNear ? 0 : (SCATTERED_LINE + (panels - 1) * STREAMED_LINE) / panels;
  // The first tile of rows brings the panel from where the factor is; rows come from there for every panel of columns, and no line follows on another.
  const far = isReused
    ? farLine(orientation, whole) / rowTiles
    : (SCATTERED_FAR * farLine(orientation, whole)) / together;
  return perStep * (line + far) + pageCycles(depth, distance) / panels;
}

/** How much longer it takes to read a factor from far away where no line follows on the one before. */
const SCATTERED_FAR = 2;

/** Cycles for a line of a factor of so many bytes where it is read for the first time. */
const farLine = (where: Pick<Orientation, 'machine'>, bytes: number): number =>
  bytes > REMOTE_BYTES ? remoteLine(where) : bytes > DISTANT_BYTES ? DISTANT_LINE : 0;

/** Cycles until the page of another row is found: the addresses of a few pages only are known at once. */
function pageCycles(depth: number, distance: number): number {
  const share = Math.min(1, distance / PAGE_BYTES);
  return depth * share > PAGES ? PAGE * share : 0;
}

/** A size when every run-time dimension is `size`. */
const valueAt = (dim: Dim, size: number): number =>
  dimValue(dim) ?? dimEvaluate(dim, new Map([...dimSymbols(dim)].map((symbol) => [symbol, size])));

/** By how much a tile is slower that reads its rows in place, where they crowd into one set of the first cache; and where they may, for all one knows. */
const [CROWDED, PERHAPS_CROWDED] = [1.5, 1.08];

/** The factor by which rows delay a tile that push each other out of the first cache before their neighbours are read. */
function crowding({ factors, copies, bytes, distances }: Orientation, tile: ReadonlyMap<string, number>): number {
  let most = 1;
  for (const [k, { plain }] of factors.entries()) {
    if (plain === undefined || copies[k] !== undefined) continue;
    for (const [index, size] of tile) {
      // No distance crowds so few.
      if (size <= CACHE_WAYS) continue;
      const distance = distances[k]?.(index);
      // Rows of a run-time length may lie at any distance.
      if (distance === undefined) most = Math.max(most, PERHAPS_CROWDED);
      else if (distance !== 0 && size > (CACHE_WAYS * CACHE_SET_SPAN) / gcd(distance * bytes, CACHE_SET_SPAN))
        most = Math.max(most, CROWDED);
    }
  }
  return most;
}

/** Cycles for each sum to become results. Where lanes are stored apart, a tile should fill as much of each line as it can. */
function resultCycles(
  { nest, vector, isSummed, lanes, bytes, extent, operands }: Orientation,
  tile: ReadonlyMap<string, number>,
  panels: PanelCounts,
  { shares, rowsFirst }: Chunking,
): number {
  // What has one element a column, such as a bias, stays near.
  const isLarge = ({ offset }: { readonly offset: Position }): boolean =>
    nest.outer.every(({ name }) => name === vector || mentions(offset, name));
  const accesses = nest.stores.length + operands.filter(isLarge).length;
  if (isSummed) return 18 + accesses;
  const isDense = (index: string): boolean => nest.stores.every(({ offset }) => stride(offset, index) === 1);
  if (isDense(vector)) {
    const isFar = productOf(nest.outer.map(({ name }) => extent(name))) * bytes > DISTANT_BYTES;
    const share = shares.get(vector);
    const together = rowsFirst && typeof share === 'number' ? share : 1;
    const row = Math.min(extent(vector), (together * extent(vector)) / (panels.get(vector)?.count ?? 1));
    return (1.5 / lanes + (isFar ? DISTANT_ROW / row : 0)) * accesses;
  }
  const along = storedAlong(nest, vector, tile);
  // Each piece of memory is a line for itself.
  return (along === undefined ? 2.5 : 0.4 + 8 / (tile.get(along) as number)) * accesses;
}

/** Bytes of a copy that are moved at a time: wider vectors wait for memory, or for their lanes to be exchanged. */
const MOVED_BYTES = 32;

/** Cycles for an element of a factor that comes from memory. */
const remoteCycles = (orientation: Orientation, factor: Factor): number =>
  factorBytes(orientation, factor) > REMOTE_BYTES ? (remoteLine(orientation) * orientation.bytes) / CACHE_LINE : 0;

/** Cycles for an element of a copy: by vectors, by transposed blocks, or one by one. */
function copyCycles({ factor, coordinates, along }: Copy, lanes: number, bytes: number): number {
  const work = 2 + factor.positions.length / 2;
  const together = Math.min(lanes, MOVED_BYTES / bytes);
  if (along === coordinates.at(-1)) return work / together;
  return along === undefined ? 1 + work / together : (work + 4) / together;
}

/** Cycles of the best that loops without tiles can do: two loads for each product, in lanes where both factors allow. */
export function untiledCycles(nest: Nest, machine: Machine, factors: readonly Factor[]): number {
  const lanes = lanesOf(machine, dtypeBytes(nest.sum.dtype));
  const count = (indices: readonly { readonly name: string }[]): number =>
    productOf(indices.map(({ name }) => typicalExtent(extentOf(nest, name))));
  const [outputs, depth] = [count(nest.outer), count(nest.summed)];
  const isDense = (index: string, factor: Factor): boolean =>
    factor.loads.every(
      ({ offset, guards }) => guards.length === 0 && [0, 1].includes(stride(offset, index) ?? Number.NaN),
    );
  const sumsDense = nest.summed.some(
    ({ name, extent }) => typicalExtent(extent) >= lanes && factors.every((factor) => isDense(name, factor)),
  );
  const vectorLoads = 2 / machine.productsPerCycle;
  if (sumsDense) return (vectorLoads * outputs * depth) / lanes + outputs * 12;
  const storesDense = nest.outer.some(
    ({ name, extent }) =>
      typicalExtent(extent) >= lanes / 2 &&
      nest.stores.every(({ offset }) => stride(offset, name) === 1) &&
      factors.every((factor) => isDense(name, factor)),
  );
  if (!storesDense) return outputs * depth * 0.7;
  const waits = Math.max(...factors.map((factor) => untiledWaits(nest, machine, factor)));
  return (outputs * depth * (1.2 * vectorLoads + waits)) / lanes;
}

/** Vectors of a row that loops without tiles read together. */
const UNTILED_VECTORS = 4;

/** Cycles by which memory delays each vector of a factor where loops without tiles go down its columns, a few vectors at a time. */
function untiledWaits(nest: Nest, machine: Machine, { plain, indices }: Factor): number {
  const innermost = nest.summed.findLast(({ name }) => indices.has(name));
  const bytes = dtypeBytes(nest.sum.dtype);
  const distance = plain === undefined ? 0 : Math.abs(stride(plain.offset, innermost?.name ?? '') ?? 1) * bytes;
  if (innermost === undefined || distance < CACHE_LINE) return 0;
  const size = [...indices].reduce((product, index) => product * typicalExtent(extentOf(nest, index)), bytes);
  const lines = (lanesOf(machine, bytes) * bytes) / CACHE_LINE;
  return farLine({ machine }, size) * lines + pageCycles(typicalExtent(innermost.extent), distance) / UNTILED_VECTORS;
}
