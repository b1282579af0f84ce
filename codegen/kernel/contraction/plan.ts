// Plans a contraction: which index runs in vector lanes, what a register tile holds, which factors are copied, and what a chunk of the
// parallel loop covers. Every choice is the one with the least estimated time; sizes that are not known count as a typical one.

import { dimValue } from '../../../compiler/ir/dims.js';
import { dtypeBytes } from '../../../compiler/ir/dtype.js';
import { lanesOf, type Machine } from '../machine.js';
import { coefficient, stride } from '../positions.js';
import { type Coordinate, coordinatesOf, extentOf, type Factor, factorOf, reversed, typicalExtent } from './copies.js';
import type { Nest } from './nest.js';

/** How many panels of an index a chunk covers. */
export type Share = 'all' | number;

export interface Copy {
  readonly factor: Factor;
  /** In the order of memory; a vector index is in the last one. */
  readonly coordinates: readonly Coordinate[];
  /** The coordinate along which the source lies in memory. */
  readonly along: Coordinate | undefined;
}

export interface Plan {
  readonly lanes: number;
  /** The vector index and the number of vectors in a tile. */
  readonly vector: string;
  readonly vectors: number;
  /** How many values of the other outer indices a tile holds. */
  readonly tile: ReadonlyMap<string, number>;
  /** The outer indices in the order of their loops: those of all factors, columns, then rows. */
  readonly order: readonly string[];
  readonly shares: ReadonlyMap<string, Share>;
  /** Summed indices that are taken in blocks of this many values, because copies would be too large otherwise. */
  readonly blocks: ReadonlyMap<string, number>;
  readonly factors: readonly Factor[];
  /** For each factor what is copied of it, undefined where it is read in place. */
  readonly copies: readonly (Copy | undefined)[];
}

interface Candidate extends Plan {
  readonly cycles: number;
}

/** Bytes of copies that a chunk may hold: half of a common L2 cache. */
const COPY_LIMIT = 1 << 19;
/** Chunks that keep a few threads busy. */
const ENOUGH_CHUNKS = 8;
/** Rows for which copying the columns pays, and for which a chunk pays. */
const [ROWS_PER_COPY, ROWS_PER_CHUNK] = [192, 24];
/** Addresses that differ by a multiple of this share a set of a common L1 cache, which holds so many of them. */
const [CACHE_SET_SPAN, CACHE_WAYS] = [4096, 8];
/** Sizes of a tile along an index. */
const TILE_SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 25, 28] as const;

/** The best plan for a nest, undefined where register tiles gain nothing. */
export function planContraction(nest: Nest, machine: Machine): Plan | undefined {
  const factors = nest.factors.map((temp) => factorOf(nest, temp));
  const isReused = factors.some(({ indices }) => nest.outer.some(({ name }) => !indices.has(name)));
  if (factors.length < 2 || !isReused) return undefined;
  let best: Candidate | undefined;
  for (const { name } of nest.outer) {
    if (!factors.some(({ indices }) => indices.has(name))) continue;
    for (const plan of new Planner(nest, machine, factors, name).plans()) {
      if (best === undefined || plan.cycles < best.cycles) best = plan;
    }
  }
  return best !== undefined && best.cycles < untiledCycles(nest, machine, factors) ? best : undefined;
}

const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));

type Role = 'batch' | 'column' | 'row';

/** The plans with one vector index. */
class Planner {
  readonly #lanes: number;
  readonly #bytes: number;
  readonly #roles: ReadonlyMap<string, Role>;
  readonly #order: readonly string[];
  readonly #copies: readonly (Copy | undefined)[];

  constructor(
    readonly nest: Nest,
    readonly machine: Machine,
    readonly factors: readonly Factor[],
    readonly vector: string,
  ) {
    this.#bytes = dtypeBytes(nest.sum.dtype);
    this.#lanes = lanesOf(machine, this.#bytes);
    const columns = factors.find(({ indices }) => indices.has(vector)) as Factor;
    const roleOf = (index: string): Role => {
      const count = factors.filter(({ indices }) => indices.has(index)).length;
      if (index !== vector && (count === 0 || count === factors.length)) return 'batch';
      return columns.indices.has(index) ? 'column' : 'row';
    };
    this.#roles = new Map(nest.outer.map(({ name }) => [name, roleOf(name)]));
    const others = nest.outer.map(({ name }) => name).filter((name) => name !== vector);
    const ofRole = (role: Role): readonly string[] => others.filter((name) => this.#roles.get(name) === role);
    this.#order = [...ofRole('batch'), ...ofRole('column'), vector, ...ofRole('row')];
    this.#copies = factors.map((factor) => (this.#needsCopy(factor) ? this.#copyOf(factor) : undefined));
  }

  #extent(index: string): number {
    return typicalExtent(extentOf(this.nest, index));
  }

  #needsCopy(factor: Factor): boolean {
    if (factor.indices.size === 0) return false;
    const { plain } = factor;
    if (plain === undefined) return true;
    if (!factor.indices.has(this.vector)) return false;
    return stride(plain.offset, this.vector) !== 1 || this.#isScattered(factor);
  }

  /** Whether the rows that a tile reads lie on so many pages that a copy of them is faster. */
  #isScattered({ plain, indices }: Factor): boolean {
    const rows = this.#order
      .filter((index) => this.#roles.get(index) === 'row')
      .reduce((n, index) => n * this.#extent(index), 1);
    const far = this.nest.summed.filter(({ name }) => {
      const step = plain === undefined ? undefined : coefficient(plain.offset, name);
      const elements = step === undefined ? 0 : (dimValue(step) ?? 0);
      return indices.has(name) && this.#extent(name) >= 256 && elements * this.#bytes >= 4096;
    });
    return rows >= ROWS_PER_COPY && far.length > 0;
  }

  #copyOf(factor: Factor): Copy {
    const all = coordinatesOf(this.nest, factor).map((coordinate) => {
      const own = coordinate.terms.find(({ index }) => index === this.vector);
      return own !== undefined && own.coefficient < 0 ? reversed(coordinate) : coordinate;
    });
    const along = all.find((coordinate) => this.#liesAlong(factor, coordinate));
    const last = all.find(({ terms }) => terms.some(({ index }) => index === this.vector)) ?? along;
    const others = all.filter((coordinate) => coordinate !== last);
    return { factor, coordinates: last === undefined ? others : [...others, last], along };
  }

  /** Whether neighbours along a coordinate are neighbours in memory. */
  #liesAlong({ loads }: Factor, { terms }: Coordinate): boolean {
    const steps = loads.map(({ offset }) =>
      terms.map(({ index, coefficient: c }) => ((stride(offset, index) ?? Number.NaN) * Math.sign(c)) / Math.abs(c)),
    );
    const isOf = (step: number) => steps.every((each) => each.every((s) => s === step || s === 0));
    return isOf(1) && steps.some((each) => each.includes(1));
  }

  *plans(): Generator<Candidate> {
    const limit = this.machine.vectorRegisters;
    const widest = Math.ceil(this.#extent(this.vector) / this.#lanes);
    const others = this.#order.filter((index) => index !== this.vector && this.#roles.get(index) !== 'batch');
    for (const tile of tiles(others, (index) => this.#extent(index), limit)) {
      const rows = [...tile.values()].reduce((product, size) => product * size, 1);
      for (const vectors of rows === 1 ? [1, 2, 3, 4, 6, 8] : [1, 2, 3, 4]) {
        const held = this.#heldVectors(tile) * vectors;
        // With many values to hold at once gcc loads some of them again and again unless it has registers to spare.
        const registers = rows * vectors + held + (held > 2 ? 3 : 1);
        if (vectors > widest || registers > limit) continue;
        yield this.#plan(tile, vectors);
      }
    }
  }

  /** Vectors of factors that stay in registers while a tile goes through its rows, for each vector of its width. */
  #heldVectors(tile: ReadonlyMap<string, number>): number {
    const held = this.factors
      .filter(({ indices }) => indices.has(this.vector))
      .map(({ indices }) => {
        const [rows, columns] = [
          [...tile].filter(([index]) => this.#roles.get(index) === 'row'),
          [...tile].filter(([index]) => this.#roles.get(index) === 'column'),
        ];
        if (rows.some(([index]) => indices.has(index))) return 1;
        return columns.reduce((product, [index, size]) => (indices.has(index) ? product * size : product), 1);
      });
    return held.reduce((sum, count) => sum + count, 0);
  }

  #plan(tile: ReadonlyMap<string, number>, vectors: number): Candidate {
    const panels = new Map(
      this.#order.map((index) => {
        const size = index === this.vector ? vectors * this.#lanes : (tile.get(index) ?? 1);
        return [index, { size, count: Math.ceil(this.#extent(index) / size) }] as const;
      }),
    );
    const { shares, blocks } = this.#shares(panels);
    const plan: Plan = {
      lanes: this.#lanes,
      vector: this.vector,
      vectors,
      tile,
      order: this.#order,
      shares,
      blocks,
      factors: this.factors,
      copies: this.#copies,
    };
    return { ...plan, cycles: this.#cycles(plan, panels) };
  }

  /** What a chunk covers: one panel of columns, or all that share a copy; and rows enough for a copy to pay. */
  #shares(panels: PanelCounts): { shares: Map<string, Share>; blocks: Map<string, number> } {
    const joined = new Set(
      this.#copies
        .flatMap((copy) => copy?.coordinates.filter(({ terms }) => terms.length > 1) ?? [])
        .flatMap(({ terms }) => terms.map(({ index }) => index)),
    );
    const shares = new Map<string, Share>();
    let chunks = 1;
    for (const index of this.#order) {
      const isRow = this.#roles.get(index) === 'row';
      shares.set(index, isRow || joined.has(index) ? 'all' : 1);
      if (shares.get(index) === 1) chunks *= (panels.get(index) as PanelCount).count;
    }
    this.#divideRows(panels, shares, chunks);
    const blocks = new Map<string, number>();
    this.#limitCopies(panels, shares, blocks, joined);
    return { shares, blocks };
  }

  /** Shares out the outermost index of rows, so far as chunks stay worth their copies. */
  #divideRows(panels: PanelCounts, shares: Map<string, Share>, chunks: number): void {
    const rows = this.#order.filter((index) => this.#roles.get(index) === 'row' && shares.get(index) === 'all');
    const [outermost] = rows.filter((index) => (panels.get(index) as PanelCount).count > 1);
    if (outermost === undefined) return;
    const inner = rows
      .filter((index) => index !== outermost)
      .reduce((product, index) => product * this.#extent(index), 1);
    const hasCopy = this.#copies.some((copy) => copy?.factor.indices.has(this.vector) === true);
    const { size, count } = panels.get(outermost) as PanelCount;
    const least = Math.ceil((hasCopy ? ROWS_PER_COPY : ROWS_PER_CHUNK) / (size * inner));
    const isKnown = dimValue(extentOf(this.nest, outermost)) !== undefined;
    const wanted = isKnown ? Math.ceil(count / Math.ceil(ENOUGH_CHUNKS / chunks)) : least;
    const share = Math.max(1, least, wanted);
    if (!isKnown || share < count) shares.set(outermost, share);
  }

  #limitCopies(
    panels: PanelCounts,
    shares: Map<string, Share>,
    blocks: Map<string, number>,
    joined: ReadonlySet<string>,
  ): void {
    const bytes = (): number =>
      this.#bytes * this.#copies.reduce((sum, copy) => sum + this.#copied(copy, panels, shares, blocks), 0);
    const divisible = this.#order.filter((index) => shares.get(index) === 'all');
    while (bytes() > COPY_LIMIT) {
      const count = (index: string): number => {
        const share = shares.get(index);
        return share === 'all' ? (panels.get(index) as PanelCount).count : (share as number);
      };
      const matters = divisible.filter(
        (index) => count(index) > 1 && this.#copies.some((copy) => copy?.factor.indices.has(index)),
      );
      const [largest] = matters.sort((a, b) => count(b) - count(a));
      if (largest === undefined) break;
      shares.set(largest, Math.ceil(count(largest) / 2));
    }
    for (const { name } of this.nest.summed) {
      if (bytes() <= COPY_LIMIT) break;
      if (joined.has(name) || !this.#copies.some((copy) => copy?.factor.indices.has(name))) continue;
      blocks.set(name, Math.max(1, Math.floor((this.#extent(name) * COPY_LIMIT) / bytes())));
    }
  }

  /** Elements of a copy in one chunk. */
  #copied(
    copy: Copy | undefined,
    panels: PanelCounts,
    shares: ReadonlyMap<string, Share>,
    blocks: ReadonlyMap<string, number>,
  ): number {
    if (copy === undefined) return 0;
    const length = (index: string): number => {
      const share = shares.get(index);
      const panel = panels.get(index);
      if (share === undefined || panel === undefined) return blocks.get(index) ?? this.#extent(index);
      return share === 'all' ? this.#extent(index) : Math.min(this.#extent(index), share * panel.size);
    };
    return copy.coordinates.reduce(
      (product, { terms }) =>
        product * terms.reduce((sum, { index, coefficient: c }) => sum + Math.abs(c) * (length(index) - 1), 1),
      1,
    );
  }

  #cycles(plan: Plan, panels: PanelCounts): number {
    const { summed, stores } = this.nest;
    const depth = summed.reduce((product, { name }) => product * this.#extent(name), 1);
    const innermost = summed.reduce((_, { name }) => this.#extent(name), 1);
    const tileCount = [...panels.values()].reduce((product, { count }) => product * count, 1);
    // Panels are balanced: a tile of 6 that divides 10 works on 5.
    const height = (index: string): number => this.#extent(index) / (panels.get(index) as PanelCount).count;
    const width = Math.ceil(this.#extent(this.vector) / this.#lanes) / (panels.get(this.vector) as PanelCount).count;
    const extents = this.#order.filter((index) => index !== this.vector && plan.tile.has(index));
    const accumulators = extents.reduce((product, index) => product * height(index), width);
    const loads = this.factors.reduce((sum, { indices }) => {
      const vectors = indices.has(this.vector) ? width : 1;
      return (
        sum + extents.reduce((product, index) => (indices.has(index) ? product * height(index) : product), vectors)
      );
    }, 0);
    const step = Math.max(accumulators / 2, loads / 2, 4) + 0.02 * loads + 0.3 + 3 / innermost;
    const outputs = this.nest.outer.reduce((product, { name }) => product * this.#extent(name), 1);
    const isDense = stores.every(({ offset }) => stride(offset, this.vector) === 1);
    const storing = outputs * stores.length * (isDense ? 1.5 / this.#lanes : 1.5);
    const passes =
      plan.blocks.size === 0
        ? 0
        : summed.reduce(
            (n, { name }) => n * Math.ceil(this.#extent(name) / (plan.blocks.get(name) ?? this.#extent(name))),
            1,
          );
    const chunks = [...panels].reduce((product, [index, { count }]) => {
      const share = plan.shares.get(index);
      return share === 'all' ? product : product * Math.ceil(count / (share ?? 1));
    }, 1);
    const chunkBytes =
      this.#bytes * this.#copies.reduce((sum, copy) => sum + this.#copied(copy, panels, plan.shares, plan.blocks), 0);
    const copying = this.#copies.reduce((sum, copy) => {
      if (copy === undefined) return sum;
      return (
        sum + chunks * Math.max(1, passes) * this.#copied(copy, panels, plan.shares, plan.blocks) * this.#copyCost(copy)
      );
    }, 0);
    const products = tileCount * (depth * step * (this.#crowds(plan.tile) ? 1.5 : 1) + 10);
    // Of plans that are otherwise alike, the one whose copies stay in the nearer cache.
    const reach = 1 + (0.1 * chunkBytes) / COPY_LIMIT;
    return products * reach + storing + copying + (passes * outputs * 3) / this.#lanes;
  }

  /**
   * Whether the rows of a tile that are read in place crowd into one set of the first cache and push each other out before their
   * neighbours are read.
   */
  #crowds(tile: ReadonlyMap<string, number>): boolean {
    return this.factors.some(({ plain }, k) => {
      if (plain === undefined || this.#copies[k] !== undefined) return false;
      return [...tile].some(([index, size]) => {
        const bytes = (stride(plain.offset, index) ?? 1) * this.#bytes;
        return bytes !== 0 && size > CACHE_WAYS * (CACHE_SET_SPAN / gcd(bytes, CACHE_SET_SPAN));
      });
    });
  }

  /** Cycles for an element of a copy: by vectors, by transposed blocks, or one by one. */
  #copyCost({ factor, coordinates, along }: Copy): number {
    const work = 2 + factor.positions.length / 2;
    if (along === coordinates.at(-1)) return work / this.#lanes;
    return along === undefined ? 1 + work / this.#lanes : (work + 4) / this.#lanes;
  }
}

interface PanelCount {
  readonly size: number;
  readonly count: number;
}
type PanelCounts = ReadonlyMap<string, PanelCount>;

/** Register tiles: sizes along at most two indices, as far as registers go. */
function* tiles(
  indices: readonly string[],
  extent: (index: string) => number,
  limit: number,
): Generator<ReadonlyMap<string, number>> {
  const sizes = (index: string): readonly number[] =>
    TILE_SIZES.filter((size) => size > 1 && size <= Math.min(limit, extent(index)));
  yield new Map();
  for (const [i, first] of indices.entries()) {
    for (const size of sizes(first)) {
      yield new Map([[first, size]]);
      for (const second of indices.slice(i + 1)) {
        for (const other of sizes(second)) {
          if (size * other <= limit) {
            yield new Map([
              [first, size],
              [second, other],
            ]);
          }
        }
      }
    }
  }
}

/** Cycles of the best that loops without tiles can do: two loads for each product, in lanes where both factors allow. */
function untiledCycles(nest: Nest, machine: Machine, factors: readonly Factor[]): number {
  const lanes = lanesOf(machine, dtypeBytes(nest.sum.dtype));
  const count = (indices: readonly { readonly name: string }[]): number =>
    indices.reduce((product, { name }) => product * typicalExtent(extentOf(nest, name)), 1);
  const [outputs, depth] = [count(nest.outer), count(nest.summed)];
  const isDense = (index: string, factor: Factor): boolean =>
    factor.loads.every(({ offset, guards }) => guards.length === 0 && [0, 1].includes(stride(offset, index) ?? -1));
  const sumsDense = nest.summed.some(
    ({ name, extent }) => typicalExtent(extent) >= lanes && factors.every((f) => isDense(name, f)),
  );
  if (sumsDense) return (outputs * depth) / lanes + outputs * 12;
  const storesDense = nest.outer.some(
    ({ name, extent }) =>
      typicalExtent(extent) >= lanes / 2 &&
      nest.stores.every(({ offset }) => stride(offset, name) === 1) &&
      factors.every((factor) => isDense(name, factor)),
  );
  return outputs * depth * (storesDense ? 1.2 / lanes : 0.7);
}
