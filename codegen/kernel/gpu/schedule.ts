// Schedules a lowered kernel for a GPU. Every phase becomes a launch: the loops of its grid run at the same time, and an iteration of
// the grid is the work of one thread or of a team, a warp or a block, whose threads share the loops marked `team`.

import { type Dim, dimConst, dimMul, dimSymbols, dimValue } from '../../../compiler/ir/dims.js';
import { dtypeKind } from '../../../compiler/ir/dtype.js';
import { apply, type Scalar } from '../../../compiler/ir/scalar.js';
import {
  type Accumulate,
  type Buffer,
  exprPositions,
  isPositionName,
  type Kernel,
  type Loop,
  type Stmt,
  walk,
} from '../ir.js';
import { stride } from '../positions.js';
import { collapseLoops } from '../schedule/collapse.js';
import { type Phase, phasesOf } from '../schedule/phases.js';
import { mapStatements } from '../schedule/rewrite.js';
import { simplifyBody } from '../schedule/simplify.js';
import { foldTogether } from '../schedule/together.js';
import { unrollWindows } from '../schedule/unroll.js';
import { type Sweeps, scheduleSweeps } from './chain/sweeps.js';
import { depthVersions } from './depth.js';
import { flatNest, independentLoops, nestOf } from './independent.js';
import { type Online, onlineFolds } from './online.js';
import { type Axis, type Product, productOf, withTiles } from './product.js';
import { ROUNDS, type Row, rowOf } from './rows.js';
import { type Scanning, scheduleScan } from './scan.js';
import { type Scatter, scheduleScatter } from './scatter.js';
import { type Sorting, scheduleSort, wrapSorts } from './sort.js';
import { depthLoops, splitDepth, splitFold } from './split.js';

/** The most threads of a block. */
export const BLOCK_THREADS = 256;

/** The threads that work on an iteration of the grid. */
export type Team = 1 | 32 | 256;

/** A launch in which iterations of the grid do not know of each other. */
export interface Items {
  readonly kind: 'items';
  /** The loops of the grid, outermost first. */
  readonly grid: readonly { readonly index: string; readonly extent: Dim }[];
  readonly team: Team;
  /** Values of the whole kernel that the phase needs, then what is done in an iteration of the grid. */
  readonly values: readonly Stmt[];
  readonly body: readonly Stmt[];
  /** How the team goes over a row that it keeps in registers. */
  readonly row?: Row;
  /** Folds that one pass over a longer row finds. */
  readonly online?: readonly Online[];
}

/** Launches for a run-time size, a length of rows or a number of tiles, in the first way that is for this size. */
export interface Choice {
  readonly kind: 'choice';
  readonly length: Dim;
  /** Ways for lengths of at most `most`, and one for longer ones. */
  readonly ways: readonly { readonly most: number; readonly phases: readonly GpuPhase[] }[];
  readonly long: readonly GpuPhase[];
}

/** One launch. */
export type Launch = Items | Product | Sorting | Scatter | Scanning | Sweeps;
export type GpuPhase = Launch | Choice;

/** The precision of products of f32: exact, or on tensor cores from operands rounded to tf32 or bf16. */
export type Precision = 'f32' | 'tf32' | 'bf16';

/** A kernel as it will run on a GPU. */
export interface GpuKernel {
  readonly kernel: Kernel;
  readonly phases: readonly GpuPhase[];
  /** Memory that one launch leaves to the next. */
  readonly states: readonly Buffer[];
}

/** The size that a run-time dimension is taken to have. */
const TYPICAL = 256;
/** Up to this number of elements a warp works on a row, above it a block. */
const WARP_ROW = 1024;
/** With this many results each can have a thread of its own. */
const MANY_RESULTS = 8192;
/** Where rows do not lie in order, fewer are enough. */
const ENOUGH_RESULTS = 1024;
export const WARP = 32;

/** The kernel as launches. */
export function scheduleForGpu(kernel: Kernel, precision: Precision): GpuKernel {
  const sweeps = scheduleSweeps(kernel, precision);
  if (sweeps !== undefined) return { kernel, phases: [sweeps], states: [] };
  const collapsed = collapseLoops(wrapSorts(kernel.body));
  const fused = mapStatements(simplifyBody(unrollWindows(collapsed)), fuseProducts);
  const scheduled = { ...kernel, body: foldTogether(fused) };
  // Products want their windows as loops: the indices of a window are part of the depth.
  const whole = phasesOf({ ...kernel, body: simplifyBody(collapsed) });
  const states: Buffer[] = [];
  const phases = phasesOf(scheduled).flatMap((phase, i): readonly GpuPhase[] => {
    return (
      scheduleProduct(whole[i], precision, states) ??
      scheduleSorting(whole[i], states) ??
      schedulePhase(phase.body, phase.loop, states)
    );
  });
  return { kernel: scheduled, phases, states };
}

/** Adds products in one operation, as a GPU does: rounded once. */
function fuseProducts(stmt: Stmt): Stmt {
  if (stmt.kind !== 'accumulate' || stmt.fold.absorbsZero !== true) return stmt;
  const [sum] = stmt.fold.step;
  if (sum?.kind !== 'apply' || sum.op !== 'add' || dtypeKind(sum.dtype) !== 'float') return stmt;
  const [state, product] = sum.args;
  if (state === undefined || product?.kind !== 'apply' || product.op !== 'mul') return stmt;
  const [a, b] = product.args as [Scalar, Scalar];
  return { ...stmt, fold: { ...stmt.fold, step: [apply('fma', a, b, state)] } };
}

function scheduleProduct(
  phase: Phase | undefined,
  precision: Precision,
  states: Buffer[],
): readonly GpuPhase[] | undefined {
  const loop = phase?.loop;
  if (phase === undefined || loop === undefined) return undefined;
  const peeled = peel(loop);
  const values = phase.body.filter((stmt) => stmt !== loop);
  const product = productOf(peeled.grid, values, peeled.body, precision);
  if (product === undefined) return undefined;
  const divided = depthVersions(product, depthLoops(peeled.body) ?? []);
  if (divided === undefined) return [product];
  const ways = divided.versions.flatMap((version) => {
    const split = splitDepth(peeled, version, states.length);
    const parts = split && productOf(split.parts.grid, values, split.parts.body, precision);
    if (split === undefined || parts === undefined) return [];
    const phases = [withTiles(parts, version.tiles * version.parts), withTeam(split.joined, values)];
    return [{ most: version.most, phases, states: split.states }];
  });
  const [first] = ways;
  if (first === undefined) return [product];
  // One version runs, so that all of them have the same memory.
  states.push(...first.states.map((buffer) => ({ ...buffer, size: divided.size })));
  if (first.most === Number.POSITIVE_INFINITY) return first.phases;
  return [{ kind: 'choice', length: divided.length, ways, long: [withTiles(product, divided.others)] }];
}

function scheduleSorting(phase: Phase | undefined, states: Buffer[]): readonly GpuPhase[] | undefined {
  const loop = phase?.loop;
  if (phase === undefined || loop === undefined) return undefined;
  const { grid, body } = peel(loop);
  const values = phase.body.filter((stmt) => stmt !== loop);
  const sort = scheduleSort(grid, body, values, states.length);
  states.push(...(sort?.states ?? []));
  return sort?.phases;
}

const isValue = (stmt: Stmt): boolean => stmt.kind === 'let' || stmt.kind === 'lookup' || stmt.kind === 'define';

function schedulePhase(body: readonly Stmt[], loop: Loop | undefined, states: Buffer[]): readonly GpuPhase[] {
  const values = loop === undefined ? [] : body.filter((stmt) => stmt !== loop);
  const [last] = body.slice(-1);
  const isSerial = last?.kind === 'for' && last.mark === 'serial' && body.slice(0, -1).every(isValue);
  if (loop === undefined && isSerial) return [inOrder(last, body.slice(0, -1))];
  const peeled = loop === undefined ? { grid: [], body } : peel(loop);
  const scan = scheduleScan(peeled.grid, peeled.body, values, states.length);
  if (scan !== undefined) {
    states.push(...scan.states);
    return scan.phases;
  }
  const whole = withTeam(peeled, values);
  const split = splitFold(peeled, peeled.body.flatMap(sharedLoops).some(alongRows(peeled.grid)), states.length);
  if (split === undefined) return [whole];
  states.push(...split.states);
  const parts = withTeam(split.parts, values, split.isShared);
  const divided = [...(parts.kind === 'choice' ? parts.long : [parts]), withTeam(split.joined, values)];
  if (dimValue(split.steps) !== undefined) return divided;
  // What is left for the undivided fold may be all that one of its own ways is for.
  const [first] = whole.kind === 'choice' ? whole.ways : [];
  const phases = first !== undefined && first.most >= split.short ? first.phases : [whole];
  return [{ kind: 'choice', length: split.steps, ways: [{ most: split.short, phases }], long: divided }];
}

interface Peeled {
  readonly grid: readonly Axis[];
  readonly body: readonly Stmt[];
}

/** Takes loops off as long as an iteration is values and one more loop: values are computed by every thread that needs them. */
function peel(loop: Loop): Peeled {
  const grid = [loop];
  let body = loop.body;
  for (;;) {
    const last = body.at(-1);
    const isNest = last?.kind === 'for' && last.mark === 'parallel' && body.slice(0, -1).every(isValue);
    if (!isNest) return { grid, body };
    grid.push(last);
    body = [...body.slice(0, -1), ...last.body];
  }
}

/**
 * A nest in order: what is independent runs at the same time. The rest is divided by the places that it writes, or runs in every thread.
 */
function inOrder(loop: Loop, values: readonly Stmt[]): GpuPhase {
  const nest = flatNest(loop);
  const independent = independentLoops(nest);
  const scatter = scheduleScatter(nest, independent, values);
  if (scatter !== undefined) return scatter;
  const rest = nest.loops.filter((each) => !independent.includes(each));
  const body = rest.reduceRight<readonly Stmt[]>((inner, each) => [{ ...each, body: inner }], nest.body);
  return { kind: 'items', grid: independent, team: 1, values, body };
}

/** Decides how many threads work on an iteration of the grid; `isShared`: more than one. */
function withTeam(peeled: Peeled, values: readonly Stmt[], isShared = false): Items | Choice {
  const alone = { ...peeled, kind: 'items', team: 1, values } as const;
  const { body } = peeled;
  if (!canShare(body)) return alone;
  const rows = body.flatMap(sharedLoops);
  if (rows.every(({ extent }) => sizeOf(extent) < WARP)) return alone;
  const results = peeled.grid.reduce((product, { extent }) => product * sizeOf(extent), 1);
  // Neighbouring threads read neighbouring elements where each has a result of its own, unless rows lie the other way.
  const isAlongRows = rows.some(alongRows(peeled.grid));
  const isContraction = body.some((stmt) => stmt.kind === 'accumulate' && stmt.fold.absorbsZero === true);
  const hasEnough = (isContraction && results >= MANY_RESULTS) || (!isAlongRows && results >= ENOUGH_RESULTS);
  if (hasEnough && !isShared) return alone;
  const length = body.map(workOf).reduce((a, b) => (sizeOf(a) >= sizeOf(b) ? a : b));
  const shared = body.map(share);
  const isSingle = peeled.grid.length === 0;
  const isKnown = dimValue(length) !== undefined || [...dimSymbols(length)].some(isPositionName);
  const team = isSingle || sizeOf(length) > WARP_ROW ? 256 : 32;
  if (isKnown) return keptRow(alone, shared, team) ?? longRow(alone, shared, team);
  const kept = ([32, 256] as const).flatMap((each) => keptRow(alone, shared, each) ?? []);
  const short: readonly Items[] = kept.length > 0 ? kept : [{ ...alone, team: 32, body: shared }];
  const ways = short
    .filter((items) => items.team === 256 || !isSingle)
    .map((items) => ({ most: items.team * ROUNDS, phases: [items] }));
  const long = longRow(alone, shared, 256);
  return ways.length === 0 ? long : { kind: 'choice', length, ways, long: [long] };
}

/** The work of a team on a row of which it keeps what several passes read; undefined where it can keep nothing. */
function keptRow(items: Items, shared: readonly Stmt[], team: Team): Items | undefined {
  const row = rowOf(shared, team);
  return row === undefined || row.kept.size === 0 ? undefined : { ...items, team, body: shared, row };
}

/** The work of a team on a row that it reads again in every pass, in as few passes as possible. */
function longRow(items: Items, shared: readonly Stmt[], team: Team): Items {
  const { body, pairs } = onlineFolds(shared);
  if (pairs.length > 0) return { ...items, team, body, online: pairs };
  const row = rowOf(shared, team);
  const isInPacks = row !== undefined && row.width > 1;
  return { ...items, team, body: shared, ...(isInPacks ? { row } : {}) };
}

const sizeOf = (extent: Dim): number => dimValue(extent) ?? TYPICAL;

/** Whether a team can run statements together: everything is a value, a store, or a loop or fold that can be shared. */
const canShare = (body: readonly Stmt[]): boolean =>
  body.every((stmt) => {
    if (isValue(stmt) || stmt.kind === 'store' || stmt.kind === 'check') return true;
    if (stmt.kind === 'for') return stmt.mark === 'parallel' && canShareLoop(stmt);
    return stmt.kind === 'accumulate' && canShareFold(stmt);
  });

/** A nest of parallel loops in which only the innermost body does something. */
function canShareLoop(loop: Loop): boolean {
  const { loops, body } = nestOf(loop);
  return (
    loops.length > 0 && !body.some((stmt) => stmt.kind === 'for' && stmt.mark === 'parallel' && storesIn(body, stmt))
  );
}

const storesIn = (body: readonly Stmt[], inner: Stmt): boolean =>
  body.some((stmt) => stmt !== inner && [...walk([stmt])].some(({ kind }) => kind === 'store'));

/** All steps of the fold must be inside of the loop that is shared. */
function canShareFold(stmt: Accumulate): boolean {
  const shared = sharedLoop(stmt);
  if (shared === undefined) return true;
  const steps = (body: readonly Stmt[]): number =>
    [...walk(body)].filter((part) => part.kind === 'fold' && part.into === stmt.name).length;
  return steps(stmt.body) === steps(shared.body);
}

/** The loops of a statement that a team would share. */
const sharedLoops = (stmt: Stmt): readonly Loop[] => {
  const loop = sharedLoop(stmt);
  return loop === undefined ? [] : [loop];
};

/** The loop to share: the innermost of a nest that has work for a warp, or else the longest. */
function sharedLoop(stmt: Stmt): Loop | undefined {
  const loops = nestLoops(stmt);
  const long = loops.findLast(({ extent }) => sizeOf(extent) >= WARP);
  return (
    long ??
    loops.reduce<Loop | undefined>(
      (a, b) => (a !== undefined && sizeOf(a.extent) >= sizeOf(b.extent) ? a : b),
      undefined,
    )
  );
}

/** The loops of a statement from the outside in, as long as there is one loop with only values beside it. */
function nestLoops(stmt: Stmt): readonly Loop[] {
  const loops: Loop[] = [];
  let body: readonly Stmt[] = stmt.kind === 'accumulate' ? stmt.body : stmt.kind === 'for' ? [stmt] : [];
  for (;;) {
    const inner = body.filter((part): part is Loop => part.kind === 'for');
    const others = body.filter((part) => part.kind !== 'for');
    const [only] = inner;
    if (inner.length !== 1 || only === undefined || !others.every(isValue)) return loops;
    if (stmt.kind === 'for' && only.mark !== 'parallel') return loops;
    loops.push(only);
    body = only.body;
  }
}

const workOf = (stmt: Stmt): Dim =>
  nestLoops(stmt).reduce((product, { extent }) => dimMul(product, extent), dimConst(1));

/** Whether neighbouring iterations of a loop read or write neighbouring elements, of those that neighbours in the grid do not share. */
const alongRows =
  (grid: readonly Axis[]) =>
  ({ index, body }: Loop): boolean => {
    const shared = new Set([index, ...grid.slice(0, -1).map((axis) => axis.index)]);
    return [...walk(body)].some((stmt) => {
      const isLoad = stmt.kind === 'let' && stmt.value.kind === 'load';
      const offset = stmt.kind === 'store' ? stmt.offset : isLoad ? exprPositions(stmt.value)[0] : undefined;
      if (offset === undefined || Math.abs(stride(offset, index) ?? 0) !== 1) return false;
      return grid.length === 0 || [...dimSymbols(offset)].some((name) => isPositionName(name) && !shared.has(name));
    });
  };

/** The statement with its loop marked for the team. */
function share(stmt: Stmt): Stmt {
  const shared = sharedLoop(stmt);
  if (shared === undefined) return stmt;
  const mark = (part: Stmt): Stmt => {
    if (part === shared) return { ...shared, mark: 'team' };
    return 'body' in part ? { ...part, body: part.body.map(mark) } : part;
  };
  return mark(stmt);
}

/** The number of iterations of a grid. */
export const gridSize = ({ grid }: Items): Dim =>
  grid.reduce((product, { extent }) => dimMul(product, extent), dimConst(1));
