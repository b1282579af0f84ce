// Decides which loops one block runs from the first trip to the last (docs/cuda.md): those whose kernels have so little to do that launching them takes
// longer than the work of a block alone, as the steps of decompositions and of small recurrences.

import { type Dim, dimValue } from '../../../compiler/ir/dims.js';
import type { PlannedLoop } from '../../plan/control.js';
import type { Block, PlannedLaunch, PlannedStep } from '../../plan/entry.js';
import type { Stmt } from '../ir.js';
import type { Axis } from './product.js';
import { BLOCK_THREADS, type GpuKernel, type GpuPhase, gridSize, WARP } from './schedule.js';

/** What a block has to do for a launch. */
export interface BlockWork {
  /** The statements that a thread of the block executes, beyond those of a thread of the launch: none where a launch has no more threads than a block. */
  readonly excess: number;
  /** The threads that have something to do. */
  readonly threads: number;
}

/**
 * The excess of a launch, on the average over a trip, up to which a block is taken to be as fast: the time of some microseconds that launching takes. An
 * estimate: no GPU was at hand.
 */
const MOST_EXCESS = 256;

/** What a block has to do for a launch of a kernel, where it can and sizes are known; undefined otherwise. */
export function blockWork({ kernel, phases }: GpuKernel): BlockWork | undefined {
  const wanted = Math.max(WARP, ...phases.map(threadsOf));
  if (!Number.isFinite(wanted)) return undefined;
  const threads = Math.min(BLOCK_THREADS, Math.ceil(wanted / WARP) * WARP);
  const statements = countOf(kernel.body);
  const excess = statements / threads - statements / Math.max(wanted, threads);
  return Number.isFinite(excess) ? { excess, threads } : undefined;
}

/** The threads that a launch has work for; NaN where that is known only when running, or where a block alone cannot do it. */
function threadsOf(phase: GpuPhase): number {
  if (phase.kind === 'items') return (dimValue(gridSize(phase)) ?? Number.NaN) * phase.team;
  if (phase.kind !== 'product') return Number.NaN;
  const size = (axes: readonly Axis[]): number =>
    axes.reduce((product, { extent }) => product * (dimValue(extent) ?? Number.NaN), 1);
  const tiles = (axes: readonly Axis[]): number => Math.ceil(size(axes) / phase.tile);
  return BLOCK_THREADS * size(phase.batches) * tiles(phase.rows) * tiles(phase.columns);
}

/** How many statements run; NaN where a size is known only when running. */
const countOf = (body: readonly Stmt[]): number =>
  body.reduce((sum, stmt) => {
    if (!('body' in stmt)) return sum + 1;
    const times = stmt.kind === 'for' ? (dimValue(stmt.extent) ?? Number.NaN) : 1;
    return sum + times * (1 + countOf(stmt.body));
  }, 0);

interface Total extends BlockWork {
  readonly launches: number;
}

const add = (a: Total | undefined, b: Total | undefined): Total | undefined =>
  a &&
  b && {
    launches: a.launches + b.launches,
    excess: a.excess + b.excess,
    threads: Math.max(a.threads, b.threads),
  };

const NOTHING: Total = { launches: 0, excess: 0, threads: WARP };

/** What a block may copy or clear at once: some microseconds of its threads. */
const MOST_BYTES = 2 ** 16;

/** A copy that is small enough for a block, or none. */
function ofCopy(bytes: number): Total | undefined {
  if (!(bytes <= MOST_BYTES)) return undefined;
  return { ...NOTHING, threads: Math.min(BLOCK_THREADS, Math.max(1, Math.ceil(bytes / 16 / WARP)) * WARP) };
}

/** The trips that one kernel may make: a card that also draws a screen ends kernels that take seconds. */
const MOST_TRIPS = 2 ** 20;

/**
 * The threads of the block that runs a loop; undefined where it stays with the host: where a kernel or a copy in it is too much for a block, a size is known only when
 * running, or nothing bounds its trips, so that the host must be able to stop it. A loop inside counts as one launch, which it would be by itself.
 */
export function residentThreads(
  loop: PlannedLoop,
  workOf: (launch: PlannedLaunch) => BlockWork | undefined,
): number | undefined {
  const sizeOf = (dim: Dim): number => dimValue(dim) ?? Number.NaN;
  const ofBlock = ({ steps, copies }: Block, trips: number): Total | undefined =>
    [...steps.map((step) => ofStep(step, trips)), ...copies.map(({ bytes }) => ofCopy(sizeOf(bytes)))].reduce(
      add,
      NOTHING,
    );
  const ofLoop = (inner: PlannedLoop, around: number): number | undefined => {
    const { length, trips, carries, xs, ys, condition, body } = inner;
    const most = length === undefined ? Number.NaN : sizeOf(length);
    if (!(most * around <= MOST_TRIPS) || xs.some(({ bytes }) => Number.isNaN(sizeOf(bytes)))) return undefined;
    // Slices of trips that are not made become 0.
    const isCut = condition !== undefined || trips !== undefined;
    const total = [
      ...(condition === undefined ? [] : [ofBlock(condition, around * most)]),
      ofBlock(body, around * most),
      ...carries.map(({ bytes }) => ofCopy(sizeOf(bytes))),
      ...ys.map(({ bytes }) => ofCopy(sizeOf(bytes) * (isCut ? most : 0))),
    ].reduce(add, NOTHING);
    return total === undefined || total.excess > MOST_EXCESS * total.launches ? undefined : total.threads;
  };
  const ofStep = (step: PlannedStep, around: number): Total | undefined => {
    switch (step.kind) {
      case 'launch': {
        const work = workOf(step);
        return work === undefined || work.excess > 4 * MOST_EXCESS ? undefined : { launches: 1, ...work };
      }
      case 'group':
        return undefined;
      case 'checkpoint':
        return ofBlock(step.block, around);
      case 'if':
        return add(ofBlock(step.whenTrue, around), ofBlock(step.whenFalse, around));
      case 'loop': {
        const threads = ofLoop(step, around);
        return threads === undefined ? undefined : { launches: 1, excess: 0, threads };
      }
    }
  };
  return ofLoop(loop, 1);
}
