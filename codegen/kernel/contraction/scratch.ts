// Copies of factors in scratch memory: how they are laid out, how they are filled, and where a tile reads them.
//
// Along the last coordinate a tile reads whole vectors. Where the vector index moves it by several steps (a convolution with a stride), the
// values that one such walk meets lie together: the coordinate is stored as (value mod step, value / step). Where a chunk covers several
// panels of the vector index, the vectors of each panel lie together, so that a tile reads one stretch of memory.

import {
  type Dim,
  dimAdd,
  dimConst,
  dimEquals,
  dimFloorDiv,
  dimMax,
  dimMul,
  dimSub,
  dimSubstitute,
  dimSymbol,
  dimValue,
} from '../../../compiler/ir/dims.js';
import { dtypeBytes } from '../../../compiler/ir/dtype.js';
import type { Buffer, Guard, Position, Register, Temp } from '../ir.js';
import type { Body } from '../lower/body.js';
import { CACHE_LINE } from '../machine.js';
import { rowMajor, stride } from '../positions.js';
import { DISTANT_BYTES } from './chunks.js';
import { type Coordinate, coordinateAt, coordinateExtent, indicesAt, typicalExtent } from './copies.js';
import { computeAt, type Nest, widestOf } from './nest.js';
import type { Copy } from './orientation.js';
import type { Plan } from './plan.js';
import { eachPanel, type Panel, vectorPanels } from './runs.js';

/** The part of the index space that a copy covers. */
export interface Block {
  readonly base: (index: string) => Position;
  readonly length: (index: string) => Dim;
}

/** The memory of a copy. */
export interface Layout {
  readonly copy: Copy;
  readonly buffer: Buffer;
  /** By coordinate. */
  readonly strides: readonly Dim[];
  /** The step of the vector index along the last coordinate, and the distance between the parts that it leads to. */
  readonly step: number;
  readonly partSize: Dim;
  /** Where panels lie one after another: the elements of a panel along the last coordinate, and the distance between panels. */
  readonly panel?: { readonly size: number; readonly distance: Dim };
}

/** Whether the panels of a copy lie one after another: it has several in a chunk. */
const isPaneled = ({ coordinates }: Copy, plan: Plan): boolean => {
  const [term, ...others] = coordinates.at(-1)?.terms ?? [];
  const isPlain = term?.index === plan.vector && term.coefficient === 1 && others.length === 0;
  return !plan.isSummed && isPlain && coordinates.length > 1 && plan.shares.get(plan.vector) !== 1;
};

/** Whether a plan's panels of vectors must begin at multiples of the largest one. */
export const hasPanels = (plan: Plan): boolean =>
  plan.copies.some((copy) => copy !== undefined && isPaneled(copy, plan));

/** Rounds up to whole vectors. */
export const wholeVectors = (extent: Dim, lanes: number): Dim => {
  const value = dimValue(extent);
  return value === undefined ? dimAdd(extent, dimConst(lanes - 1)) : dimConst(Math.ceil(value / lanes) * lanes);
};

/** Lays out a copy of blocks whose indices take at most `longest` values. */
export function layoutCopy(
  copy: Copy,
  plan: Plan,
  name: string,
  dtype: Buffer['dtype'],
  longest: (index: string) => Dim,
): Layout {
  const { coordinates } = copy;
  const own = coordinates.at(-1)?.terms.find(({ index }) => index === plan.vector);
  const step = own?.coefficient ?? 1;
  // Where an index has no values the sum would be negative, and so would be the memory.
  const extents = coordinates.map((coordinate) => dimMax(coordinateExtent(coordinate, longest), dimConst(0)));
  const last = extents.pop() ?? dimConst(1);
  if (isPaneled(copy, plan)) {
    const panel = plan.vectors * plan.lanes;
    const strides = rowMajor([...extents, dimConst(panel)]);
    const distance = dimMul(strides[0] ?? dimConst(1), extents[0] ?? dimConst(1));
    const size = dimMul(ceilDiv(last, panel), distance);
    return {
      copy,
      buffer: { name, dtype, role: 'scratch', size },
      strides,
      step,
      partSize: last,
      panel: { size: panel, distance },
    };
  }
  const partSize = wholeVectors(ceilDiv(last, step), own === undefined ? 1 : plan.lanes);
  const whole = [...extents, dimMul(partSize, dimConst(step))];
  const isWindow = (coordinates.at(-1)?.terms.length ?? 0) > 1;
  const strides = isWindow ? spread(whole, plan.lanes, dtypeBytes(dtype)) : rowMajor(whole);
  // A tile reads whole vectors, so the last one may end behind the last element.
  const first = dimMul(strides[0] ?? dimConst(1), whole[0] as Dim);
  const size = dimAdd(first, dimConst(plan.lanes));
  return { copy, buffer: { name, dtype, role: 'scratch', size }, strides, step, partSize };
}

/** Distances at which elements share few sets of a cache. */
const CROWDED_BYTES = 512;

/** Row-major strides, widened where rows that are read at the same time would crowd into few sets of the cache. */
function spread(shape: readonly Dim[], lanes: number, bytes: number): readonly Dim[] {
  const strides: Dim[] = [];
  let product = dimConst(1);
  for (const dim of shape.toReversed()) {
    const elements = dimValue(product) ?? 1;
    if (elements > 1 && (elements * bytes) % CROWDED_BYTES === 0) product = dimAdd(product, dimConst(lanes));
    strides.unshift(product);
    product = dimMul(product, dim);
  }
  return strides;
}

const ceilDiv = (a: Dim, b: number): Dim => dimFloorDiv(dimAdd(a, dimConst(b - 1)), dimConst(b));

/** Where the element with these coordinates lies. The last is in the panel, of those that lie one after another, in which `start` is. */
function offsetOf(layout: Layout, values: readonly Position[], start: Position): Position {
  const { strides, step, partSize, panel } = layout;
  if (panel !== undefined) {
    const number = dimFloorDiv(start, dimConst(panel.size));
    const inside = dimSub(values.at(-1) ?? dimConst(0), dimMul(number, dimConst(panel.size)));
    return values
      .slice(0, -1)
      .reduce(
        (sum, value, d) => dimAdd(sum, dimMul(strides[d] as Dim, value)),
        dimAdd(dimMul(number, panel.distance), inside),
      );
  }
  return values.reduce((sum, value, d) => {
    if (d < values.length - 1 || step === 1) return dimAdd(sum, dimMul(strides[d] as Dim, value));
    const place = dimFloorDiv(value, dimConst(step));
    const part = dimSub(value, dimMul(place, dimConst(step)));
    return dimAdd(sum, dimAdd(dimMul(part, partSize), place));
  }, dimConst(0));
}

/** Where the copy of a factor at a point of the index space lies; the panel of its vector begins at `start`. */
export function copiedAt(
  layout: Layout,
  at: (index: string) => Position,
  block: Block,
  vector: string,
  start: Position,
): Position {
  const local = (index: string): Position => dimSub(at(index), block.base(index));
  return offsetOf(
    layout,
    layout.copy.coordinates.map((coordinate) => coordinateAt(coordinate, local, block.length)),
    dimSub(start, block.base(vector)),
  );
}

/** Adds the loops that fill a copy. */
export function fillCopy(body: Body, nest: Nest, plan: Plan, layout: Layout, block: Block): void {
  const { coordinates, along } = layout.copy;
  const last = coordinates.at(-1);
  const turned = along !== undefined && along !== last && last !== undefined && layout.step === 1;
  const isAsWide = widestOf(nest, [layout.copy.factor.temp]) <= dtypeBytes(nest.sum.dtype);
  if (turned && isAsWide) fillTransposed(body, nest, plan, layout, block, along);
  else if (layout.panel !== undefined) fillPanels(body, nest, plan, layout, block);
  else fillDirectly(body, nest, plan, layout, block);
}

/** The factor's value where its coordinates have these values. */
function valueAt(
  body: Body,
  nest: Nest,
  { factor, coordinates }: Copy,
  values: readonly Position[],
  block: Block,
  guards: readonly Guard[] = [],
): Temp {
  const at = coordinates.flatMap((coordinate, d) =>
    indicesAt(coordinate, values[d] as Position, block.base, block.length),
  );
  return computeAt(body, nest, factor.temp, { at: new Map(at), guards });
}

/** Vectors of a row of a copy that are written out, so that those inside of an image are told from those at its border. */
const WRITTEN_OUT = 8;

function fillDirectly(body: Body, nest: Nest, plan: Plan, layout: Layout, block: Block): void {
  const { copy, buffer, step, partSize } = layout;
  const extents = copy.coordinates.map((coordinate) => coordinateExtent(coordinate, block.length));
  const last = extents.pop() ?? dimConst(1);
  const store = (values: readonly Position[], guards: readonly Guard[]): void => {
    body.append({
      kind: 'store',
      buffer,
      offset: offsetOf(layout, values, dimConst(0)),
      value: valueAt(body, nest, copy, values, block, guards),
    });
  };
  // Where parts have room for whole vectors, these are written, and none in part; what lies behind the end is not read.
  const isWhole = dimValue(last) !== undefined && dimValue(partSize) !== undefined && copy.coordinates.length > 1;
  body.loops(extents, 'serial', (outer) => {
    fetchAhead(body, copy, [...outer, dimConst(0)], last, block);
    body.loops([dimConst(step)], 'serial', ([part]) => {
      const count = dimFloorDiv(dimAdd(dimSub(last, part as Position), dimConst(step - 1)), dimConst(step));
      const add = (index: string): void => {
        const value = dimAdd(dimMul(dimSymbol(index), dimConst(step)), part as Position);
        const within: Guard = { kind: 'nonnegative', value: dimSub(dimSub(last, dimConst(1)), value) };
        const isLonger = isWhole && !dimEquals(partSize, last);
        store([...outer, value], isLonger ? [within] : []);
      };
      const vectors = isWhole ? Math.ceil((dimValue(partSize) as number) / plan.lanes) : 1;
      body.loop(isWhole ? partSize : count, 'vector', add, vectors <= WRITTEN_OUT ? { interleave: vectors } : {});
    });
  });
}

/** How many bytes ahead copies ask for what they read: a page, because processors read on by themselves only within one. */
const AHEAD_BYTES = 4096;

/** Asks for what is copied a page after the row that begins at `values`, unless it lies near as it is. */
function fetchAhead(
  body: Body,
  { factor, coordinates }: Copy,
  values: readonly Position[],
  row: Dim,
  block: Block,
): void {
  const [load, ...others] = factor.loads;
  const length = dimValue(row);
  if (load === undefined || others.length > 0 || length === undefined) return;
  const { buffer, offset } = load;
  const bytes = dtypeBytes(buffer.dtype);
  if (typicalExtent(buffer.size) * bytes <= DISTANT_BYTES) return;
  const at = coordinates.flatMap((coordinate, d) =>
    indicesAt(coordinate, values[d] as Position, block.base, block.length),
  );
  const start = dimSubstitute(offset, new Map(at));
  for (let element = AHEAD_BYTES / bytes; element < AHEAD_BYTES / bytes + length; element += CACHE_LINE / bytes)
    body.append({ kind: 'fetch', buffer, offset: dimAdd(start, dimConst(element)) });
}

/** Fills a copy panel by panel. */
function fillPanels(body: Body, nest: Nest, plan: Plan, layout: Layout, block: Block): void {
  const { copy, buffer } = layout;
  const extents = copy.coordinates.map((coordinate) => coordinateExtent(coordinate, block.length));
  const last = extents.pop() ?? dimConst(1);
  eachPanel(body, vectorPanels(last, plan.lanes, plan.vectors, true), ({ start, size, length }) => {
    body.loops(extents, 'serial', (outer) => {
      const store = (lane: string): void => {
        const values = [...outer, dimAdd(start, dimSymbol(lane))];
        const offset = offsetOf(layout, values, start);
        body.append({ kind: 'store', buffer, offset, value: valueAt(body, nest, copy, values, block) });
      };
      body.loop(length, 'vector', store, dimValue(length) === undefined ? { atMost: size } : {});
    });
  });
}

/** The indices of the element with a number in an array of this shape, in row-major order. */
function digits(number: Position, shape: readonly Dim[]): readonly Position[] {
  const found: Position[] = [];
  let rest = number;
  for (const extent of shape.slice(1).toReversed()) {
    const quotient = dimFloorDiv(rest, extent);
    found.unshift(dimSub(rest, dimMul(quotient, extent)));
    rest = quotient;
  }
  return [rest, ...found];
}

/**
 * The coordinates up to the one along which a factor is read that follow on each other without gaps, in the factor as in the copy: they are read as one
 * long row, as are the taps of a small filter for all of its channels.
 */
function longRow(
  { copy: { coordinates, factor }, strides }: Layout,
  along: Coordinate,
  extent: (coordinate: Coordinate) => Dim,
): readonly Coordinate[] {
  const step = ({ terms: [term, ...others] }: Coordinate): number =>
    term === undefined || others.length > 0 || factor.plain === undefined
      ? Number.NaN
      : (stride(factor.plain.offset, term.index) ?? Number.NaN) / term.coefficient;
  const row = [along];
  for (let d = coordinates.indexOf(along); d > 0; d--) {
    const [outer, inner] = [coordinates[d - 1] as Coordinate, coordinates[d] as Coordinate];
    const length = dimValue(extent(inner));
    const follows =
      length !== undefined &&
      step(outer) === step(inner) * length &&
      dimEquals(strides[d - 1] as Dim, dimMul(strides[d] as Dim, dimConst(length)));
    if (!follows) break;
    row.unshift(outer);
  }
  return row;
}

/**
 * Fills a copy by square blocks that are read along one coordinate and written along the last. Each block begins where the last one stopped
 * reading, so that only as many rows are under way as a block has: that many pages and lines a core keeps track of.
 */
function fillTransposed(body: Body, nest: Nest, plan: Plan, layout: Layout, block: Block, along: Coordinate): void {
  const { copy, buffer } = layout;
  const { lanes } = plan;
  const last = copy.coordinates.at(-1) as Coordinate;
  const extent = (coordinate: Coordinate): Dim => coordinateExtent(coordinate, block.length);
  const joined = longRow(layout, along, extent);
  const others = copy.coordinates.filter((coordinate) => coordinate !== last && !joined.includes(coordinate));
  const inLanes = (panel: Panel, content: (lane: Position) => void): void =>
    body.loop(panel.length, 'vector', (lane) => content(dimSymbol(lane)), { atMost: lanes });
  const inRows = (panel: Panel, content: (row: Position) => void): void =>
    body.loop(dimConst(panel.size), 'unroll', (index) => {
      const row = dimSymbol(index);
      const isPartial = dimValue(panel.length) === undefined;
      const within = { kind: 'nonnegative', value: dimSub(dimSub(panel.length, dimConst(1)), row) } as const;
      body.when(isPartial ? [within] : [], () => content(row));
    });
  body.loops(others.map(extent), 'serial', (outer) => {
    const place = (t: Position, v: Position): readonly Position[] => {
      const inRow = digits(t, joined.map(extent));
      return copy.coordinates.map((coordinate) =>
        coordinate === last
          ? v
          : (inRow[joined.indexOf(coordinate)] ?? (outer[others.indexOf(coordinate)] as Position)),
      );
    };
    const length = joined.map(extent).reduce(dimMul);
    eachPanel(body, vectorPanels(extent(last), lanes, 1), (wide) => {
      eachPanel(body, vectorPanels(length, lanes, 1), (deep) => {
        const register: Register = { name: body.fresh('q'), dtype: nest.sum.dtype, shape: [lanes, lanes] };
        body.append({ kind: 'registers', register });
        inRows(wide, (row) =>
          inLanes(deep, (lane) => {
            const value = valueAt(body, nest, copy, place(dimAdd(deep.start, lane), dimAdd(wide.start, row)), block);
            body.append({ kind: 'assign', register, at: [row, lane], value });
          }),
        );
        body.append({ kind: 'transpose', register });
        inRows(deep, (row) =>
          inLanes(wide, (lane) => {
            const value = body.letHere({ kind: 'register', register, at: [row, lane] });
            const offset = offsetOf(layout, place(dimAdd(deep.start, row), dimAdd(wide.start, lane)), wide.start);
            body.append({ kind: 'store', buffer, offset, value });
          }),
        );
      });
    });
  });
}
