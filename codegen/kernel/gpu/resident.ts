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

/**
 * The threads of the block that runs a loop; undefined where it stays with the host: where a kernel in it has too much to do, a size is known only when running, or nothing bounds
 * its trips, so that the host must be able to stop it.
 */
export function residentThreads(
  loop: PlannedLoop,
  workOf: (launch: PlannedLaunch) => BlockWork | undefined,
): number | undefined {
  const isKnown = (dims: readonly Dim[]): boolean => dims.every((dim) => dimValue(dim) !== undefined);
  const ofBlock = ({ steps, copies }: Block): Total | undefined =>
    isKnown(copies.map(({ bytes }) => bytes)) ? steps.map(ofStep).reduce(add, NOTHING) : undefined;
  const ofLoop = ({ length, carries, xs, ys, condition, body }: PlannedLoop): Total | undefined => {
    if (length === undefined || !isKnown([length, ...[...carries, ...xs, ...ys].map(({ bytes }) => bytes)]))
      return undefined;
    return add(condition === undefined ? NOTHING : ofBlock(condition), ofBlock(body));
  };
  const ofStep = (step: PlannedStep): Total | undefined => {
    switch (step.kind) {
      case 'launch': {
        const work = workOf(step);
        return work && { launches: 1, ...work };
      }
      case 'group':
        return undefined;
      case 'checkpoint':
        return ofBlock(step.block);
      case 'if':
        return add(ofBlock(step.whenTrue), ofBlock(step.whenFalse));
      case 'loop': {
        const trip = ofLoop(step);
        const trips = dimValue(step.length as Dim) ?? 0;
        return trip && { ...trip, launches: trips * trip.launches, excess: trips * trip.excess };
      }
    }
  };
  const trip = ofLoop(loop);
  if (trip === undefined || trip.launches === 0 || trip.excess > MOST_EXCESS * trip.launches) return undefined;
  return trip.threads;
}
