// A tile of sums in registers, and the values that follow from them; products.ts adds the products.

import { type Dim, dimAdd, dimConst, dimMul, dimSubstitute, dimSymbol, dimValue } from '../../../compiler/ir/dims.js';
import { dtypeBytes } from '../../../compiler/ir/dtype.js';
import { type Buffer, exprTemps, type Position, type Register, type Temp } from '../ir.js';
import type { Body } from '../lower/body.js';
import { contractionFold } from '../lower/folds.js';
import { mentions, stride } from '../positions.js';
import { scalarsCost } from '../schedule/cost.js';
import { DISTANT_BYTES } from './chunks.js';
import { computeAt, type Nest, widestOf } from './nest.js';
import { operandsOf } from './orientation.js';
import type { Plan } from './plan.js';
import type { Panel } from './runs.js';
import type { Block, Layout } from './scratch.js';

/** What a tile needs to know of the loops around it. */
export interface TileContext {
  readonly body: Body;
  readonly nest: Nest;
  readonly plan: Plan;
  readonly layouts: readonly (Layout | undefined)[];
  /** The chunk's part of the index space; summed indices run over its lengths. */
  readonly block: Block;
  /** How many blocks of summed indices follow, where a chunk takes more than one. */
  readonly after?: Position;
  /** The depth of the loops in which copies stay as they are. */
  readonly depth: number;
}

/** The panels of the outer indices that a tile covers. */
export type Tile = ReadonlyMap<string, Panel>;

/** The position of each outer index that is written out in a tile, or in lanes, by name. */
type Inside = ReadonlyMap<string, Position>;

export const panelOf = (tile: Tile, index: string): Panel => {
  const panel = tile.get(index);
  if (panel === undefined) throw new Error(`the index ${index} has no panel`);
  return panel;
};

/** Where in the index space a place in a tile is. */
export const outerAt = (tile: Tile, inside: Inside): ReadonlyMap<string, Position> =>
  new Map([...tile].map(([index, { start }]) => [index, dimAdd(start, inside.get(index) ?? dimConst(0))]));

/** The indices of a tile with several values, the vector index left out: rows outside of columns, so that each row's value is read once. */
const unrolled = (plan: Plan, tile: Tile): readonly string[] =>
  plan.order.filter((index) => index !== plan.vector && panelOf(tile, index).size > 1).reverse();

/** Adds loops over the unrolled indices of a tile, or over some of them. */
export function overRows(
  context: TileContext,
  tile: Tile,
  mark: 'unroll' | 'serial',
  content: (rows: Inside) => void,
  indices: readonly string[] = unrolled(context.plan, tile),
): void {
  const open = (d: number, rows: Inside): void => {
    const index = indices[d];
    if (index === undefined) content(rows);
    else
      context.body.loop(dimConst(panelOf(tile, index).size), mark, (name) =>
        open(d + 1, new Map([...rows, [index, dimSymbol(name)]])),
      );
  };
  open(0, new Map());
}

/** Adds a loop over the lanes of a tile, those of whole vectors or only those that the panel covers. */
export function overLanes(
  { body, plan }: TileContext,
  tile: Tile,
  whole: boolean,
  content: (lane: Position) => void,
): void {
  const { size, length } = panelOf(tile, plan.vector);
  const vectors = Math.ceil(size / plan.lanes);
  const extent = whole ? dimConst(vectors * plan.lanes) : length;
  body.loop(extent, 'vector', (lane) => content(dimSymbol(lane)), {
    interleave: vectors,
    ...(dimValue(extent) === undefined && { atMost: size }),
  });
}

/** The registers of a tile's sums. */
export function sumRegisters({ body, nest, plan }: TileContext, tile: Tile): Register {
  const rows = unrolled(plan, tile).map((index) => panelOf(tile, index).size);
  const lanes = Math.ceil(panelOf(tile, plan.vector).size / plan.lanes) * plan.lanes;
  const register: Register = { name: body.fresh('c'), dtype: nest.sum.dtype, shape: [...rows, lanes] };
  body.append({ kind: 'registers', register, crowded: true });
  return register;
}

/** A buffer that holds the sums of tiles. */
export interface SumBuffer {
  readonly buffer: Buffer;
  readonly offset: (at: (index: string) => Position) => Position;
}

/** Adds what was summed before to the registers of a tile, or begins anew. */
export function loadSums(context: TileContext, tile: Tile, register: Register, sums: SumBuffer): void {
  const { body } = context;
  overRows(context, tile, 'unroll', (rows) => {
    overLanes(context, tile, true, (lane) => {
      const offset = sums.offset(placeIn(context, tile, rows, lane));
      const value = body.letHere({ kind: 'load', buffer: sums.buffer, offset, guards: [] });
      body.append({ kind: 'assign', register, at: [...rows.values(), lane], value });
    });
  });
}

export function storeSums(context: TileContext, tile: Tile, register: Register, sums: SumBuffer): void {
  const { body } = context;
  overRows(context, tile, 'unroll', (rows) => {
    overLanes(context, tile, true, (lane) => {
      const value = body.letHere({ kind: 'register', register, at: [...rows.values(), lane] });
      body.append({
        kind: 'store',
        buffer: sums.buffer,
        offset: sums.offset(placeIn(context, tile, rows, lane)),
        value,
      });
    });
  });
}

function placeIn({ plan }: TileContext, tile: Tile, rows: Inside, lane: Position): (index: string) => Position {
  const at = outerAt(tile, new Map([...rows, [plan.vector, lane]]));
  return (index) => at.get(index) as Position;
}

const draws = (nest: Nest): boolean => [...nest.values.values()].some(({ kind }) => kind === 'random');

/** Instructions from which on what follows a sum runs in a loop of its own. */
const DEAR = 24;

/**
 * Whether what follows the sums is computed in the registers that they are in. It must fit their lanes, draw no random bits (calls, before
 * which all registers would be saved), and be short: it is written out for every register of a tile, and where it is long, the C compiler
 * gives the registers of the sums to its constants.
 */
export const followsInRegisters = (nest: Nest, plan: Plan): boolean =>
  !plan.isSummed &&
  !draws(nest) &&
  widestOf(
    nest,
    nest.stores.map(({ value }) => value),
  ) <= dtypeBytes(nest.sum.dtype) &&
  followingCost(nest) < DEAR;

/** Instructions that follow from a sum; values come after those that they are computed from. */
function followingCost(nest: Nest): number {
  const following = new Set([nest.sum.name]);
  let cost = 0;
  for (const [name, value] of nest.values) {
    if (!exprTemps(value).some((temp) => following.has(temp.name))) continue;
    following.add(name);
    if (value.kind === 'scalar') cost += scalarsCost([value.body]);
  }
  return cost;
}

/**
 * Asks for what the results of a tile are computed from beside its sums, and for where they go, before its products are added: memory is idle
 * meanwhile, and what lies far away, as parameters and their moments do, is at hand when it is needed. What is only written waits for nothing, unless
 * there is so much of it that writes wait for each other.
 */
export function fetchOperands(context: TileContext, tile: Tile): void {
  const { body, nest, plan } = context;
  if (plan.isSummed) return;
  const along = alongOf(context, tile) ?? plan.vector;
  const isFar = ({ buffer, offset }: { readonly buffer: Buffer; readonly offset: Position }): boolean =>
    buffer.role !== 'scratch' && stride(offset, along) === 1 && nest.outer.every(({ name }) => mentions(offset, name));
  const operands = operandsOf(nest, along).filter((load) => load.guards.length === 0 && isFar(load));
  const results = nest.stores.filter(isFar);
  if (operands.length === 0 && (results.length < 2 || isSmall(nest))) return;
  const accesses = new Map(
    [...operands, ...results].map(({ buffer, offset }) => [`${buffer.name} ${offset.key}`, { buffer, offset }]),
  );
  const fetch = (inside: Inside): void => {
    const at = outerAt(tile, inside);
    for (const { buffer, offset } of accesses.values())
      body.append({ kind: 'fetch', buffer, offset: dimSubstitute(offset, at) });
  };
  if (along === plan.vector) {
    overRows(context, tile, 'serial', (rows) =>
      overLanes(context, tile, true, (lane) => fetch(new Map([...rows, [along, lane]]))),
    );
    return;
  }
  // Rows of a tile that is turned are short: their first and last elements lie on all of their lines.
  const last = dimConst(panelOf(tile, along).size - 1);
  const others = unrolled(plan, tile).filter((index) => index !== along);
  const open = (rows: Inside): void =>
    body.loop(panelOf(tile, plan.vector).length, 'serial', (lane) => {
      for (const place of [dimConst(0), last])
        fetch(new Map([...rows, [plan.vector, dimSymbol(lane)], [along, place]]));
    });
  overRows(context, tile, 'serial', open, others);
}

/** Whether a result is known to stay in the second cache. */
function isSmall({ outer, sum }: Nest): boolean {
  const size = dimValue(outer.reduce((product, { extent }) => dimMul(product, extent), dimConst(1)));
  return size !== undefined && size * dtypeBytes(sum.dtype) <= DISTANT_BYTES;
}

/** Neighbours in memory from which on results are turned: fewer are stored as fast one by one. */
const TURNED_FROM = 4;

/** The index of a tile along which results lie side by side in memory where they do not along the vector; undefined where there is none that is worth it. */
export const storedAlong = (nest: Nest, vector: string, tile: ReadonlyMap<string, number>): string | undefined => {
  const isDense = (index: string): boolean => nest.stores.every(({ offset }) => stride(offset, index) === 1);
  if (isDense(vector)) return undefined;
  return [...tile.keys()].find((index) => (tile.get(index) as number) >= TURNED_FROM && isDense(index));
};

/** The index along which the results of a tile are turned in registers, if they are. */
function alongOf({ nest, plan }: TileContext, tile: Tile): string | undefined {
  if (!followsInRegisters(nest, plan)) return undefined;
  const along = storedAlong(nest, plan.vector, new Map([...tile].map(([index, { size }]) => [index, size])));
  const isConstant = (index: string): boolean => dimValue(panelOf(tile, index).length) !== undefined;
  return along !== undefined && isConstant(along) && isConstant(plan.vector) ? along : undefined;
}

/** Computes and stores the results of a tile, from registers. */
export function storeResults(context: TileContext, tile: Tile, register: Register): void {
  const along = alongOf(context, tile);
  if (along !== undefined) {
    storeTurned(context, tile, register, along);
    return;
  }
  overRows(context, tile, 'unroll', (rows) => {
    overLanes(context, tile, false, (lane) => {
      const sum = context.body.letHere({ kind: 'register', register, at: [...rows.values(), lane] });
      followSum(context, tile, new Map([...rows, [context.plan.vector, lane]]), sum);
    });
  });
}

/** The same by square blocks of registers that are transposed, so that what follows the sums runs along the memory of the results. */
function storeTurned(context: TileContext, tile: Tile, register: Register, along: string): void {
  const { body, nest, plan } = context;
  const { lanes, vector } = plan;
  const indices = unrolled(plan, tile);
  const blocks = (size: number): readonly { readonly first: Dim; readonly count: number }[] =>
    Array.from({ length: Math.ceil(size / lanes) }, (_, i) => ({
      first: dimConst(i * lanes),
      count: Math.min(lanes, size - i * lanes),
    }));
  const turn = (rows: Inside, deep: Dim, wide: Dim, count: number): Register => {
    const turned: Register = { name: body.fresh('q'), dtype: nest.sum.dtype, shape: [lanes, lanes] };
    body.append({ kind: 'registers', register: turned });
    body.loop(dimConst(count), 'unroll', (row) => {
      const own = new Map([...rows, [along, dimAdd(deep, dimSymbol(row))]]);
      body.loop(dimConst(lanes), 'vector', (lane) => {
        const at = [...indices.map((index) => own.get(index) as Position), dimAdd(wide, dimSymbol(lane))];
        const value = body.letHere({ kind: 'register', register, at });
        body.append({ kind: 'assign', register: turned, at: [dimSymbol(row), dimSymbol(lane)], value });
      });
    });
    body.append({ kind: 'transpose', register: turned });
    return turned;
  };
  const others = indices.filter((index) => index !== along);
  const add = (rows: Inside): void => {
    for (const wide of blocks(panelOf(tile, vector).size))
      for (const deep of blocks(panelOf(tile, along).size)) {
        const turned = turn(rows, deep.first, wide.first, deep.count);
        body.loop(dimConst(wide.count), 'unroll', (row) => {
          body.loop(dimConst(deep.count), 'vector', (lane) => {
            const sum = body.letHere({ kind: 'register', register: turned, at: [dimSymbol(row), dimSymbol(lane)] });
            const inside: Inside = new Map([
              ...rows,
              [along, dimAdd(deep.first, dimSymbol(lane))],
              [vector, dimAdd(wide.first, dimSymbol(row))],
            ]);
            followSum(context, tile, inside, sum);
          });
        });
      }
  };
  overRows(context, tile, 'unroll', add, others);
}

/** Computes and stores the results of a tile, from memory. */
export function storeResultsOf(context: TileContext, tile: Tile, sums: SumBuffer): void {
  const { body, nest, plan } = context;
  const load = (rows: Inside, lane: Position): Temp => {
    const offset = sums.offset(placeIn(context, tile, rows, lane));
    return body.letHere({ kind: 'load', buffer: sums.buffer, offset, guards: [] });
  };
  overRows(context, tile, 'serial', (rows) => {
    if (plan.isSummed)
      followSum(
        context,
        tile,
        rows,
        joinLanes(context, (lane) => load(rows, lane)),
      );
    else {
      const inLanes = (lane: string): void =>
        followSum(context, tile, new Map([...rows, [plan.vector, dimSymbol(lane)]]), load(rows, dimSymbol(lane)));
      const { length, size } = panelOf(tile, plan.vector);
      // Four vectors draw their bits together.
      const interleave = draws(nest) && size >= 4 * plan.lanes ? { interleave: 4 } : {};
      body.loop(length, 'vector', inLanes, interleave);
    }
  });
}

/** The sum of all lanes of a sum that is spread over them. */
function joinLanes({ body, nest, plan }: TileContext, load: (lane: Position) => Temp): Temp {
  const [total] = body.accumulate(contractionFold(nest.sum.dtype, 1), (name) => {
    body.loop(dimConst(plan.lanes), 'vector', (lane) => body.fold(name, [load(dimSymbol(lane))], []));
  });
  return total as Temp;
}

function followSum({ body, nest }: TileContext, tile: Tile, inside: Inside, sum: Temp): void {
  const at = outerAt(tile, inside);
  const known = new Map([[nest.sum.name, sum]]);
  // All values come before the first store: a result may lie where an operand lies that is read at the same place.
  const values = nest.stores.map(({ value }) => computeAt(body, nest, value, { at, known }));
  nest.stores.forEach(({ buffer, offset }, i) => {
    body.append({ kind: 'store', buffer, offset: dimSubstitute(offset, at), value: values[i] as Temp });
  });
}
