// The products of a tile: for every summed point one multiply-add a vector of sums. The sums of a small tile are computed in parts, so that the
// processor has enough to do while it waits for each of them.

import {
  type Dim,
  dimAdd,
  dimConst,
  dimFloorDiv,
  dimMul,
  dimSub,
  dimSubstitute,
  dimSymbol,
  dimValue,
} from '../../../compiler/ir/dims.js';
import { dtypeBytes } from '../../../compiler/ir/dtype.js';
import { apply, argument } from '../../../compiler/ir/scalar.js';
import type { Buffer, Guard, Position, Register, Temp } from '../ir.js';
import type { Body } from '../lower/body.js';
import { CACHE_LINE } from '../machine.js';
import { stride } from '../positions.js';
import { DISTANT_BYTES } from './chunks.js';
import { extentOf, type Factor, typicalExtent } from './copies.js';
import { computeAt, type Nest } from './nest.js';
import { vectorPanels } from './runs.js';
import { copiedAt, type Layout } from './scratch.js';
import { outerAt, overLanes, overRows, panelOf, sumRegisters, type Tile, type TileContext } from './tile.js';
import { type Span, spanIn } from './windows.js';

/** Multiply-adds under way that hide how long one takes. A tile of so few vectors has parts, at most so many, from so many steps on. */
const [IN_FLIGHT, FEW_VECTORS, MOST_PARTS, LEAST_STEPS] = [8, 3, 4, 16];

/** What stands for the innermost summed index where there is none. */
const ONCE: Span = { start: dimConst(0), length: dimConst(1) };

/** The number of parts in which the sums of a tile of so many vectors are computed: those of a small tile would wait for each other at every step. */
export const partsOf = (vectors: number, steps: number): number =>
  steps < LEAST_STEPS || vectors > FEW_VECTORS ? 1 : Math.min(MOST_PARTS, Math.floor(IN_FLIGHT / vectors));

/** Adds a loop over steps in which every register takes one at each turn, and a loop over the rest. */
function inTurns(
  body: Body,
  steps: Dim,
  registers: readonly [Register, ...Register[]],
  content: (step: Position, register: Register) => void,
): void {
  const [first] = registers;
  const parts = dimConst(registers.length);
  const turns = dimFloorDiv(steps, parts);
  body.loops([turns], 'serial', ([turn]) => {
    for (const [k, register] of registers.entries())
      content(dimAdd(dimMul(turn as Position, parts), dimConst(k)), register);
  });
  const done = dimMul(turns, parts);
  const rest = dimSub(steps, done);
  if (dimValue(rest) !== 0) body.loops([rest], 'serial', ([step]) => content(dimAdd(done, step as Position), first));
}

/** Adds the sums of further registers to those of the first. */
function joinParts(context: TileContext, tile: Tile, register: Register, others: readonly Register[]): void {
  if (others.length === 0) return;
  const { body } = context;
  const { dtype } = register;
  const sum = apply('add', argument(0, dtype), argument(1, dtype));
  overRows(context, tile, 'unroll', (rows) => {
    overLanes(context, tile, true, (lane) => {
      const at = [...rows.values(), lane];
      const parts = [register, ...others].map((part) => body.letHere({ kind: 'register', register: part, at }));
      const value = parts.reduce((a, b) => body.letHere({ kind: 'scalar', body: sum, args: [a, b] }));
      body.append({ kind: 'assign', register, at, value });
    });
  });
}

/** Adds all products of a tile to its sums. */
export function addProducts(context: TileContext, tile: Tile, register: Register): void {
  const { body, nest, plan, block, layouts } = context;
  const summed = nest.summed.map(({ name }) => name).filter((name) => name !== plan.vector);
  // Where all vectors come from copies, those behind the end of a row may be read as well.
  const whole = plan.factors.every(({ indices }, k) => !indices.has(plan.vector) || layouts[k] !== undefined);
  const spans = summed.map((name) => summedSpan(context, tile, name));
  const inner = plan.isSummed ? undefined : (spans.at(-1) ?? ONCE);
  const steps = inner?.length ?? dimFloorDiv(block.length(plan.vector), dimConst(plan.lanes));
  const vectors = register.shape.reduce((product, size) => product * size, 1) / plan.lanes;
  const parts = partsOf(vectors, dimValue(steps) ?? LEAST_STEPS);
  const others = Array.from({ length: parts - 1 }, () => sumRegisters(context, tile));
  const outer = inner === undefined ? spans : spans.slice(0, -1);
  body.loops(
    outer.map(({ length }) => length),
    'serial',
    (deep) => {
      const at = outer.map(({ start }, d) => [summed[d] as string, dimAdd(start, deep[d] as Position)] as const);
      if (inner === undefined) {
        alongSum(context, [register, ...others], (place, lane, part) => {
          addPoint(context, tile, part, lane, new Map([...at, [plan.vector, dimAdd(place, lane)]]));
        });
        return;
      }
      inTurns(body, inner.length, [register, ...others], (step, part) => {
        const last = summed.slice(-1).map((name) => [name, dimAdd(inner.start, step)] as const);
        const point = new Map([...at, ...last]);
        fetchNext(context, tile, point);
        overLanes(context, tile, whole, (lane) => addPoint(context, tile, part, lane, point));
      });
    },
  );
  joinParts(context, tile, register, others);
}

/**
 * Asks, in the first tile of the last block of a chunk, for the columns that the next chunk copies first where rows of the factor lie apart: the copy
 * would wait for memory at each row, and memory is idle while products are added.
 */
function fetchNext(context: TileContext, tile: Tile, point: ReadonlyMap<string, Position>): void {
  const { body, nest, plan, block, layouts, after = dimConst(0) } = context;
  const next = plan.order.findLast((index) => plan.shares.get(index) !== 'all');
  const innermost = nest.summed.at(-1)?.name;
  if (next !== plan.vector || plan.shares.get(next) !== 1 || innermost === undefined) return;
  const { start, size } = panelOf(tile, next);
  const inFirstBlock = [...point].map(
    ([name, at]) => [name, plan.blocks.has(name) ? dimSub(at, block.base(name)) : at] as const,
  );
  const places = new Map([...outerAt(tile, new Map()), ...inFirstBlock]);
  const before = [...tile.entries()]
    .filter(([index]) => index !== next)
    .reduce((sum, [index, panel]) => dimAdd(sum, dimSub(panel.start, block.base(index))), after);
  const isFirst: Guard = { kind: 'nonnegative', value: dimSub(dimConst(0), before) };
  for (const [k, factor] of plan.factors.entries()) {
    const { plain } = factor;
    if (layouts[k] === undefined || plain === undefined || stride(plain.offset, next) !== 1) continue;
    const bytes = dtypeBytes(plain.buffer.dtype);
    const distance = (stride(plain.offset, innermost) ?? 0) * bytes;
    if (distance <= CACHE_LINE || staysNear(nest, factor, bytes)) continue;
    body.when(dimValue(before) === 0 ? [] : [isFirst], () => {
      for (let column = 0; column < size; column += CACHE_LINE / bytes) {
        const at = new Map([...places, [next, dimAdd(start, dimConst(size + column))]]);
        body.append({ kind: 'fetch', buffer: plain.buffer, offset: dimSubstitute(plain.offset, at) });
      }
    });
  }
}

/** Whether a factor of known or else typical size stays near. */
function staysNear(nest: Nest, { indices }: Factor, bytes: number): boolean {
  const size = [...indices].reduce((product, index) => product * typicalExtent(extentOf(nest, index)), bytes);
  return size <= DISTANT_BYTES;
}

/** What a tile needs of a summed index. */
function summedSpan({ body, plan, block }: TileContext, tile: Tile, name: string): Span {
  const bounds = plan.windows.get(name);
  if (bounds === undefined || plan.blocks.has(name)) return { start: block.base(name), length: block.length(name) };
  const extent = block.length(name);
  const { start, length } = spanIn(bounds, name, extent, (outer) => panelOf(tile, outer));
  const named = (value: Dim): Position =>
    dimValue(value) === undefined ? body.define(value, dimAdd(extent, dimConst(1))) : value;
  return { start: named(start), length: named(length) };
}

/** Adds loops over the vectors of the summed index that runs in lanes: all whole ones, then a last part. */
function alongSum(
  { body, plan, block }: TileContext,
  registers: readonly [Register, ...Register[]],
  content: (place: Position, lane: Position, register: Register) => void,
): void {
  const base = block.base(plan.vector);
  for (const { start, size, length, count } of vectorPanels(block.length(plan.vector), plan.lanes, 1).runs) {
    const isWhole = dimValue(length) === size;
    inTurns(body, count, isWhole ? registers : [registers[0]], (step, register) => {
      const place = dimAdd(base, dimAdd(start, dimMul(step, dimConst(size))));
      const part = dimValue(length) === undefined ? { atMost: size } : {};
      body.loop(length, 'vector', (lane) => content(place, dimSymbol(lane), register), part);
    });
  }
}

/** Adds the products of one summed point, or of a vector of them. */
function addPoint(
  context: TileContext,
  tile: Tile,
  register: Register,
  lane: Position,
  summed: ReadonlyMap<string, Position>,
): void {
  const { body, nest, plan, layouts } = context;
  overRows(context, tile, 'unroll', (rows) => {
    const at = new Map([...outerAt(tile, new Map([...rows, [plan.vector, lane]])), ...summed]);
    const [a, b] = nest.factors.map((temp, k) => factorAt(context, tile, temp, layouts[k], at)) as [Temp, Temp];
    const place = [...rows.values(), lane];
    const old = body.letHere({ kind: 'register', register, at: place });
    body.append({ kind: 'assign', register, at: place, value: body.letHere({ kind: 'muladd', a, b, c: old }) });
  });
}

/** A factor at a point: from its copy, or from where it is. */
function factorAt(
  { body, nest, plan, block, depth }: TileContext,
  tile: Tile,
  temp: Temp,
  layout: Layout | undefined,
  at: ReadonlyMap<string, Position>,
): Temp {
  if (layout === undefined) return computeAt(body, nest, temp, { at });
  const { start } = panelOf(tile, plan.vector);
  const offset = copiedAt(layout, (index) => at.get(index) as Position, block, plan.vector, start);
  return readScratch(body, layout.buffer, offset, depth);
}

/** An element of scratch memory, which holds what it should from a depth of loops on. */
function readScratch(body: Body, buffer: Buffer, offset: Position, depth: number): Temp {
  const inside = Math.max(depth, body.depthOf([offset]));
  const [value] = body.once(`scratch ${buffer.name} ${offset.key}`, inside, () => [
    body.letHere({ kind: 'load', buffer, offset, guards: [] }),
  ]);
  return value as Temp;
}
