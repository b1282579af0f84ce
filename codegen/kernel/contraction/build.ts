// Builds the loops of a planned contraction:
//
//   for each chunk (parallel)                   a part of the outer indices
//     for each block of summed indices          only where copies of all would be too large
//       fill the copies of factors
//       for each tile of the chunk
//         ask for what follows the sums
//         sums in registers, after the first block those so far; for each summed point: add products
//         after the last block results, else the sums so far

import {
  type Dim,
  dimAdd,
  dimConst,
  dimFloorDiv,
  dimMax,
  dimMul,
  dimSub,
  dimSymbol,
  dimValue,
} from '../../../compiler/ir/dims.js';
import type { Buffer, Guard, Kernel, Position, Register } from '../ir.js';
import { Body, type Surroundings } from '../lower/body.js';
import { rowMajor } from '../positions.js';
import { extentOf } from './copies.js';
import type { Nest } from './nest.js';
import type { Plan, Version } from './plan.js';
import { addProducts } from './products.js';
import {
  eachPanel,
  openPanel,
  type Panel,
  type PanelRange,
  type Panels,
  panelSize,
  panelStart,
  rowPanels,
  smaller,
  vectorPanels,
} from './runs.js';
import { type Block, fillCopy, hasPanels, type Layout, layoutCopy, wholeVectors } from './scratch.js';
import {
  fetchOperands,
  followsInRegisters,
  loadSums,
  type SumBuffer,
  storeResults,
  storeResultsOf,
  storeSums,
  sumRegisters,
  type Tile,
  type TileContext,
} from './tile.js';

/** The kernel of planned contractions, which run one after another where they apply. */
export function buildContractions(
  kernel: Kernel,
  parts: readonly (Version & { readonly nest: Nest })[],
  around?: Surroundings,
): Kernel {
  const body = new Body(around);
  const scratch = new Map<string, Buffer>();
  for (const { nest, plan, applies } of parts) {
    const builder = new ContractionBuilder(body, nest, plan);
    builder.build(applies);
    // They do not run at the same time, so that all can use the same memory.
    for (const buffer of builder.scratch) {
      const known = scratch.get(buffer.name);
      scratch.set(buffer.name, known === undefined ? buffer : { ...buffer, size: dimMax(known.size, buffer.size) });
    }
  }
  return { ...kernel, buffers: [...kernel.buffers, ...scratch.values()], body: body.statements };
}

const zero = dimConst(0);
const one = dimConst(1);
const ceilDiv = (a: Dim, b: number): Dim => dimFloorDiv(dimAdd(a, dimConst(b - 1)), dimConst(b));

/** What a chunk covers of one index: `count` panels from `first` on. */
interface Part extends PanelRange {
  readonly base: Position;
  readonly length: Dim;
}

/** The blocks of a sum: how many come before and after the current one, and where sums lie between them. */
interface Blocks {
  readonly sums: SumBuffer;
  readonly before: Position;
  readonly after: Position;
}

class ContractionBuilder {
  readonly #panels: ReadonlyMap<string, Panels>;
  readonly #layouts: readonly (Layout | undefined)[];
  readonly #sumBuffers: Buffer[] = [];

  constructor(
    readonly body: Body,
    readonly nest: Nest,
    readonly plan: Plan,
  ) {
    this.#panels = new Map(
      plan.order.map((index) => {
        const extent = extentOf(nest, index);
        const isVector = index === plan.vector;
        return [
          index,
          isVector
            ? vectorPanels(extent, plan.lanes, plan.vectors, hasPanels(plan))
            : rowPanels(extent, plan.tile.get(index) ?? 1),
        ];
      }),
    );
    const longest = (index: string): Dim => this.#longest(index);
    this.#layouts = plan.copies.map((copy, k) => copy && layoutCopy(copy, plan, `copy${k}`, nest.sum.dtype, longest));
  }

  get scratch(): readonly Buffer[] {
    return [...this.#layouts.flatMap((layout) => layout?.buffer ?? []), ...this.#sumBuffers];
  }

  #panelsOf(index: string): Panels {
    return this.#panels.get(index) as Panels;
  }

  /** The largest number of values of an index in one chunk or block. */
  #longest(index: string): Dim {
    const extent = extentOf(this.nest, index);
    const share = this.plan.shares.get(index);
    const limit =
      share === undefined
        ? this.plan.blocks.get(index)
        : share === 'all'
          ? undefined
          : share * panelSize(this.#panelsOf(index));
    if (limit === undefined) return extent;
    const known = dimValue(extent);
    return dimConst(known === undefined ? limit : Math.min(known, limit));
  }

  /** Adds the loops; none of them runs where `applies` is 0. */
  build(applies: Dim): void {
    const shared = this.plan.order.filter((index) => this.plan.shares.get(index) !== 'all');
    const counts = shared.map((index) => ceilDiv(this.#panelsOf(index).count, this.plan.shares.get(index) as number));
    const total = counts.reduce(dimMul, applies);
    // Also where there is one chunk: registers and scratch memory live in an iteration.
    this.body.loop(total, 'parallel', (chunk) => {
      const numbers = this.body.divided(dimSymbol(chunk), counts);
      this.#openShares(shared, numbers, new Map(), new Map());
    });
  }

  /** Finds the part of each shared index; an index of which a chunk covers one panel is opened at once. */
  #openShares(
    shared: readonly string[],
    numbers: readonly Position[],
    parts: ReadonlyMap<string, Part>,
    tile: Tile,
  ): void {
    const [index, ...others] = shared;
    const [number, ...rest] = numbers;
    if (index === undefined || number === undefined) {
      this.#chunk(parts, tile);
      return;
    }
    const panels = this.#panelsOf(index);
    const share = this.plan.shares.get(index) as number;
    if (share === 1) {
      openPanel(this.body, panels, number, (panel) =>
        this.#openShares(others, rest, parts, new Map([...tile, [index, panel]])),
      );
      return;
    }
    this.#openShares(others, rest, new Map([...parts, [index, this.#part(panels, number, share)]]), tile);
  }

  #part(panels: Panels, number: Position, share: number): Part {
    const first = dimMul(number, dimConst(share));
    const known = dimValue(panels.count);
    if (known !== undefined && known % share === 0 && panels.runs.length === 1) {
      const size = dimConst(panelSize(panels));
      return { first, count: dimConst(share), base: dimMul(first, size), length: dimMul(dimConst(share), size) };
    }
    const limit = dimConst(share + 1);
    const count = this.body.define(smaller(dimConst(share), dimSub(panels.count, first)), limit);
    const extent = panels.runs.reduce((sum, run) => dimAdd(sum, dimMul(run.count, run.length)), zero);
    const base = this.body.define(panelStart(panels, first), dimAdd(extent, one));
    const length = this.body.define(dimSub(panelStart(panels, dimAdd(first, count)), base), dimAdd(extent, one));
    return { first, count, atMost: share, base, length };
  }

  /** The work of a chunk. */
  #chunk(parts: ReadonlyMap<string, Part>, tile: Tile): void {
    const blocked = this.nest.summed.filter(({ name }) => this.plan.blocks.has(name));
    const outer: Block = {
      base: (index) => tile.get(index)?.start ?? parts.get(index)?.base ?? zero,
      length: (index) => tile.get(index)?.length ?? parts.get(index)?.length ?? extentOf(this.nest, index),
    };
    if (blocked.length === 0) {
      this.#inBlock(outer, parts, tile, undefined);
      return;
    }
    // An empty sum is a block of length 0.
    const counts = blocked.map(({ name, extent }) =>
      dimMax(one, ceilDiv(extent, this.plan.blocks.get(name) as number)),
    );
    const sums = this.#sumBuffer('sums', outer);
    this.body.loops(counts, 'serial', (numbers) => {
      const spans = new Map(
        blocked.map(({ name, extent }, d) => [
          name,
          this.#span(extent, this.plan.blocks.get(name) as number, numbers[d] as Position),
        ]),
      );
      const block: Block = {
        base: (index) => spans.get(index)?.base ?? outer.base(index),
        length: (index) => spans.get(index)?.length ?? outer.length(index),
      };
      const before = numbers.reduce(dimAdd, zero);
      const after = counts.reduce(
        (sum, count, d) => dimAdd(sum, dimSub(dimSub(count, one), numbers[d] as Position)),
        zero,
      );
      this.#inBlock(block, parts, tile, { sums, before, after });
    });
  }

  /** The results of a tile from its sums in registers. */
  #results(context: TileContext, block: Block, tile: Tile, register: Register): void {
    if (followsInRegisters(this.nest, this.plan)) {
      storeResults(context, tile, register);
      return;
    }
    const at: Block = { ...block, base: (index) => tile.get(index)?.start ?? block.base(index) };
    const kept = this.#sumBuffer('tile', at, tile);
    storeSums(context, tile, register, kept);
    storeResultsOf(context, tile, kept);
  }

  #span(extent: Dim, size: number, number: Position): { readonly base: Position; readonly length: Dim } {
    const base = dimMul(number, dimConst(size));
    const known = dimValue(extent);
    if (known !== undefined && known % size === 0) return { base, length: dimConst(size) };
    return { base, length: this.body.define(smaller(dimConst(size), dimSub(extent, base)), dimConst(size + 1)) };
  }

  /**
   * Fills the copies of a block and adds its products tile by tile; the results follow the last block. Between blocks, of which some come `before`
   * and some `after`, sums lie in memory.
   */
  #inBlock(block: Block, parts: ReadonlyMap<string, Part>, tile: Tile, blocks: Blocks | undefined): void {
    for (const layout of this.#layouts)
      if (layout !== undefined) fillCopy(this.body, this.nest, this.plan, layout, block);
    const context = { ...this.#context(block), ...(blocks && { after: blocks.after }) };
    const isPositive = (count: Position): readonly Guard[] => [{ kind: 'nonnegative', value: dimSub(count, one) }];
    const inLast = (content: () => void): void => {
      if (blocks === undefined) content();
      else this.body.when([{ kind: 'nonnegative', value: dimSub(zero, blocks.after) }], content);
    };
    this.#eachTile(parts, tile, (whole) => {
      inLast(() => fetchOperands(context, whole));
      const register = sumRegisters(context, whole);
      if (blocks !== undefined)
        this.body.when(isPositive(blocks.before), () => loadSums(context, whole, register, blocks.sums));
      addProducts(context, whole, register);
      if (blocks !== undefined)
        this.body.when(isPositive(blocks.after), () => storeSums(context, whole, register, blocks.sums));
      inLast(() => this.#results(context, block, whole, register));
    });
  }

  #context(block: Block): TileContext {
    const { body, nest, plan } = this;
    return { body, nest, plan, layouts: this.#layouts, block, depth: body.depth };
  }

  /** Adds the loops over the tiles of a chunk. */
  #eachTile(parts: ReadonlyMap<string, Part>, tile: Tile, content: (tile: Tile) => void): void {
    const open = (indices: readonly string[], opened: Tile): void => {
      const [index, ...others] = indices;
      if (index === undefined) {
        content(new Map([...opened, ...this.#lanePanel]));
        return;
      }
      const next = (panel: Panel): void => open(others, new Map([...opened, [index, panel]]));
      eachPanel(this.body, this.#panelsOf(index), next, parts.get(index));
    };
    const { order, rowsFirst, roles } = this.plan;
    const isRow = (index: string): boolean => roles.get(index) === 'row';
    const ordered = rowsFirst ? order.toSorted((a, b) => Number(isRow(b)) - Number(isRow(a))) : order;
    open(
      ordered.filter((index) => !tile.has(index)),
      tile,
    );
  }

  /** What stands for the vector index in a tile when it is summed: one vector. */
  get #lanePanel(): Tile {
    const { vector, lanes, isSummed } = this.plan;
    return isSummed ? new Map([[vector, { start: zero, size: lanes, length: dimConst(lanes) }]]) : new Map();
  }

  /** Scratch for the sums of a chunk, or of one tile; those of a row lie together, in whole vectors. */
  #sumBuffer(name: string, block: Block, tile?: Tile): SumBuffer {
    const { order, vector, lanes, isSummed } = this.plan;
    const indices = [...order.filter((index) => index !== vector), vector];
    const extents = indices.map((index) => {
      if (index === vector && isSummed) return dimConst(lanes);
      const longest = tile === undefined ? this.#longest(index) : dimConst(panelSize(this.#panelsOf(index)));
      return index === vector ? wholeVectors(longest, lanes) : longest;
    });
    const size = dimAdd(extents.reduce(dimMul, one), dimConst(lanes));
    const known = this.#sumBuffers.find((buffer) => buffer.name === name);
    const buffer: Buffer = known ?? { name, dtype: this.nest.sum.dtype, role: 'scratch', size };
    if (known === undefined) this.#sumBuffers.push(buffer);
    const strides = rowMajor(extents);
    const offset = (at: (index: string) => Position): Position =>
      indices.reduce(
        (sum, index, d) => dimAdd(sum, dimMul(strides[d] as Dim, dimSub(at(index), block.base(index)))),
        zero,
      );
    return { buffer, offset };
  }
}
