// Divides a long fold with few results among many teams: a first launch folds parts of it and keeps their states, a second one joins the states in
// order. The number of parts depends on the program alone, so that results do, too.

import {
  type Dim,
  dimAdd,
  dimConst,
  dimFloorDiv,
  dimMax,
  dimMul,
  dimSub,
  dimSubstitute,
  dimSymbol,
  dimSymbols,
  dimValue,
} from '../../../compiler/ir/dims.js';
import { argument } from '../../../compiler/ir/scalar.js';
import {
  type Accumulate,
  type Buffer,
  type Expr,
  type Fold,
  type Guard,
  isPositionName,
  type Loop,
  type Stmt,
  type Temp,
} from '../ir.js';
import { flatten } from '../positions.js';
import { mapPositions } from '../schedule/rewrite.js';
import type { DepthDivision } from './depth.js';
import type { Axis } from './product.js';

/** What two launches do in an iteration of their grids. */
export interface Split {
  readonly parts: { readonly grid: readonly Axis[]; readonly body: readonly Stmt[] };
  readonly joined: { readonly grid: readonly Axis[]; readonly body: readonly Stmt[] };
  /** Memory for the states. */
  readonly states: readonly Buffer[];
}

/** The iterations whose folds are divided: their grid, and what is done in each. */
interface Folding {
  readonly grid: readonly Axis[];
  readonly body: readonly Stmt[];
}

/** The size that a run-time dimension is taken to have. */
const TYPICAL = 4096;
/** The results that a run-time number of them is taken to be. */
const TYPICAL_RESULTS = 1024;

/** How folds are divided. */
interface Division {
  /** The parts for all results, and for one. */
  readonly enough: number;
  readonly most: number;
  /** The fewest steps of a part, and how many are not divided. */
  readonly least: number;
  readonly short: number;
}
/** Where neighbouring results lie together a part is the work of a thread: as many as keep the memory of a large GPU busy. */
const COLUMNS: Division = { enough: 131072, most: 1024, least: 16, short: 64 };
const LEAST_COLUMNS = 64;
/** Else a part is the work of a block. */
const ROWS: Division = { enough: 1056, most: 512, least: 2048, short: 8192 };

const WARP = 32;
/** A loop of fewer trips stays whole. */
const SHORT_LOOP = 16;

const sizeOf = (extent: Dim): number => dimValue(extent) ?? TYPICAL;
const isValue = (stmt: Stmt): boolean => stmt.kind === 'let' || stmt.kind === 'lookup' || stmt.kind === 'define';

/** The division of a fold of many steps; those of run-time length are divided where they have more than `short` of them. */
export interface FoldSplit extends Split {
  readonly steps: Dim;
  readonly short: number;
  /** Whether a part is the work of a block. */
  readonly isShared: boolean;
}

/**
 * The division of the fold of an iteration; undefined where there is no single fold, or nothing to gain. The number of parts depends on the program
 * alone. `number` makes names of states differ.
 */
export function splitFold(folding: Folding, isAlongRows: boolean, number: number): FoldSplit | undefined {
  const single = singleFold(folding.body);
  if (single === undefined) return undefined;
  const { loops } = single;
  const results = folding.grid.reduce((product, { extent }) => product * (dimValue(extent) ?? TYPICAL_RESULTS), 1);
  const isShared = isAlongRows || results < LEAST_COLUMNS;
  const { enough, most, least, short } = isShared ? ROWS : COLUMNS;
  const steps = loops.reduce((product, { extent }) => dimMul(product, extent), dimConst(1));
  const loop = loops.find(({ extent }) => sizeOf(extent) >= SHORT_LOOP);
  const hasManyRows = isShared && folding.grid.some(({ extent }) => dimValue(extent) === undefined);
  const isShort = (dimValue(steps) ?? Number.POSITIVE_INFINITY) <= short;
  if (loop === undefined || hasManyRows || isShort || [...dimSymbols(steps)].some(isPositionName)) return undefined;
  const inside = loops.reduce((product, { extent }) => product * sizeOf(extent), 1) / sizeOf(loop.extent);
  const leastTrips = Math.ceil(least / inside);
  const wanted = Math.min(most, Math.ceil(enough / results));
  const parts = Math.min(wanted, Math.floor((dimValue(loop.extent) ?? Number.POSITIVE_INFINITY) / leastTrips));
  if (parts < 2) return undefined;
  return { ...build(folding, single, loop, parts, leastTrips, number), steps, short, isShared };
}

/** The loops of the depth of a product; undefined where it does more than one fold. */
export const depthLoops = (body: readonly Stmt[]): readonly Loop[] | undefined => singleFold(body)?.loops;

/** A product whose depth is divided. */
export function splitDepth(folding: Folding, { loop, parts }: DepthDivision, number: number): Split | undefined {
  const single = singleFold(folding.body);
  return single === undefined ? undefined : build(folding, single, loop, parts, 1, number);
}

/** The only fold of an iteration, with the loops around its steps. */
interface SingleFold {
  readonly at: number;
  readonly accumulate: Accumulate;
  readonly loops: readonly Loop[];
}

function singleFold(body: readonly Stmt[]): SingleFold | undefined {
  const at = body.findIndex(({ kind }) => kind === 'accumulate');
  const accumulate = body[at];
  if (accumulate?.kind !== 'accumulate') return undefined;
  const others = body.filter((stmt) => stmt !== accumulate);
  if (!others.every((stmt) => isValue(stmt) || stmt.kind === 'store')) return undefined;
  return { at, accumulate, loops: foldLoops(accumulate) };
}

/** The loops around the steps of a fold, as long as there is nothing but values beside them. */
function foldLoops(accumulate: Accumulate): readonly Loop[] {
  const loops: Loop[] = [];
  let { body } = accumulate;
  for (;;) {
    const others = body.filter((stmt) => !isValue(stmt));
    const [only] = others;
    if (others.length !== 1 || only?.kind !== 'for') {
      const isInner = others.every((stmt) => stmt.kind === 'fold' || stmt.kind === 'accumulate');
      return isInner ? loops : [];
    }
    loops.push(only);
    body = only.body;
  }
}

function build(
  { grid, body }: Folding,
  { at, accumulate }: SingleFold,
  loop: Loop,
  count: number,
  leastTrips: number,
  number: number,
): Split {
  const { fold } = accumulate;
  const part: Axis = { index: `$part${number}`, extent: dimConst(count) };
  // A thread joins few parts of a result, and then neighbouring results lie together; a warp joins many of them, which then lie together.
  const axes = count < WARP ? [part, ...grid] : [...grid, part];
  const shape = axes.map(({ extent }) => extent);
  const size = shape.reduce(dimMul, dimConst(1));
  const states = fold.state.map((dtype, k): Buffer => ({ name: `state${number}_${k}`, dtype, role: 'scratch', size }));
  const offset = flatten(
    axes.map(({ index }) => dimSymbol(index)),
    shape,
  );
  const results = fold.state.map((dtype, k): Temp => ({ name: `part${number}_${k}`, dtype }));
  const identity = fold.state.map((dtype, k) => argument(k, dtype));
  const partial: Accumulate = {
    ...accumulate,
    fold: { ...fold, name: `${fold.name}_part`, finish: identity },
    results,
    body: withinPart(accumulate.body, loop, part, count, leastTrips),
  };
  const loads = fold.state.map((dtype, k): Temp => ({ name: `loaded${number}_${k}`, dtype }));
  const merging: Fold = {
    name: `${fold.name}_join`,
    state: fold.state,
    init: fold.init,
    step: fold.merge,
    merge: fold.merge,
    finish: fold.finish,
  };
  const joining: Loop = {
    kind: 'for',
    index: part.index,
    extent: part.extent,
    mark: 'serial',
    body: [
      ...loads.map((temp, k): Stmt => {
        const value: Expr = { kind: 'load', buffer: states[k] as Buffer, offset, guards: [] };
        return { kind: 'let', temp, value };
      }),
      { kind: 'fold', into: accumulate.name, args: loads, guards: [] },
    ],
  };
  const stores = states.map((buffer, k): Stmt => ({ kind: 'store', buffer, offset, value: results[k] as Temp }));
  const before = body.slice(0, at);
  return {
    states,
    // The part runs slowest, so that neighbouring threads have neighbouring results.
    parts: { grid: [part, ...grid], body: [...before, partial, ...stores] },
    joined: {
      grid,
      body: [...before, { ...accumulate, fold: merging, body: [joining] }, ...body.slice(at + 1)],
    },
  };
}

/** The steps of one part: the index of the loop counts from the part's first; nothing is read behind the last iteration of the loop. */
function withinPart(body: readonly Stmt[], loop: Loop, part: Axis, count: number, leastTrips: number): readonly Stmt[] {
  const share = dimFloorDiv(dimAdd(loop.extent, dimConst(count - 1)), dimConst(count));
  // The last parts of a loop of few run-time trips are empty.
  const length = dimValue(share) === undefined ? dimMax(share, dimConst(leastTrips)) : share;
  const place = dimAdd(dimMul(dimSymbol(part.index), length), dimSymbol(loop.index));
  const inside: Guard = { kind: 'nonnegative', value: dimSub(dimSub(loop.extent, dimConst(1)), place) };
  const isWhole = (dimValue(loop.extent) ?? 1) % count === 0;
  const values = new Map([[loop.index, place]]);
  const change = (stmt: Stmt): Stmt => {
    if (stmt === loop) {
      const inner = loop.body.map((each) => mapPositions(each, (position) => dimSubstitute(position, values)));
      return { ...loop, extent: length, body: isWhole ? inner : inner.map((each) => guarded(each, inside)) };
    }
    return 'body' in stmt ? { ...stmt, body: stmt.body.map(change) } : stmt;
  };
  return body.map(change);
}

/** The statement with a further guard on everything that reads memory, reports a fault or takes a step. */
function guarded(stmt: Stmt, guard: Guard): Stmt {
  switch (stmt.kind) {
    case 'let':
      return stmt.value.kind === 'load'
        ? { ...stmt, value: { ...stmt.value, guards: [...stmt.value.guards, guard] } }
        : stmt;
    case 'lookup':
    case 'fold':
      return { ...stmt, guards: [...stmt.guards, guard] };
    case 'for':
    case 'accumulate':
    case 'if':
      return { ...stmt, body: stmt.body.map((each) => guarded(each, guard)) };
    default:
      return stmt;
  }
}
