// Decides which loops one block runs from the first trip to the last (docs/cuda.md): those whose kernels have so little to do that launching them takes
// longer than the work of a block alone, as the steps of decompositions and of small recurrences.

import { type Dim, dimValue } from '../../../compiler/ir/dims.js';
import type { PlannedLoop } from '../../plan/control.js';
import type { Block, PlannedLaunch, PlannedStep } from '../../plan/entry.js';
import type { Stmt } from '../ir.js';
import { BLOCK_THREADS, type GpuKernel, gridSize } from './schedule.js';

/** What a block can run by itself: the statements that a launch executes, and the threads that it keeps busy. */
export interface BlockWork {
  readonly statements: number;
  readonly threads: number;
}

/**
 * The statements of a launch, on the average over a trip, up to which a block is taken to be as fast as a launch, which takes some microseconds: 64 for each of
 * its threads. An estimate: no GPU was at hand.
 */
const MOST_STATEMENTS = 64 * BLOCK_THREADS;

/** What a launch of a kernel does, where a block can run it and its sizes are known; undefined otherwise. */
export function blockWork({ kernel, phases }: GpuKernel): BlockWork | undefined {
  let threads = 32;
  for (const phase of phases) {
    if (phase.kind === 'product') threads = BLOCK_THREADS;
    else if (phase.kind !== 'items') return undefined;
    else {
      const wanted = (dimValue(gridSize(phase)) ?? Number.NaN) * phase.team;
      threads = Math.max(threads, Math.min(BLOCK_THREADS, Math.ceil(wanted / 32) * 32));
    }
  }
  const statements = countOf(kernel.body);
  return Number.isFinite(statements) && Number.isFinite(threads) ? { statements, threads } : undefined;
}

/** How many statements run; NaN where a size is known only when running. */
const countOf = (body: readonly Stmt[]): number =>
  body.reduce((sum, stmt) => {
    if (!('body' in stmt)) return sum + 1;
    const times = stmt.kind === 'for' ? (dimValue(stmt.extent) ?? Number.NaN) : 1;
    return sum + times * (1 + countOf(stmt.body));
  }, 0);

interface Total {
  readonly launches: number;
  readonly statements: number;
  readonly threads: number;
}

const add = (a: Total | undefined, b: Total | undefined): Total | undefined =>
  a &&
  b && {
    launches: a.launches + b.launches,
    statements: a.statements + b.statements,
    threads: Math.max(a.threads, b.threads),
  };

const NOTHING: Total = { launches: 0, statements: 0, threads: 32 };

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
        return trip && { ...trip, launches: trips * trip.launches, statements: trips * trip.statements };
      }
    }
  };
  const trip = ofLoop(loop);
  if (trip === undefined || trip.launches === 0 || trip.statements > MOST_STATEMENTS * trip.launches) return undefined;
  return trip.threads;
}
