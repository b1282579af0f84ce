// What differs between targets: how a lowered kernel is scheduled, and how scheduled kernels become files.

import type { Func, Origin } from '../../compiler/ir/graph.js';
import type { DeviceText } from '../emit/entry.js';
import type { Kernel } from '../kernel/ir.js';
import type { Lowered } from '../kernel/lower/kernel.js';
import type { Scratch } from '../plan/blocks.js';
import type { PlannedLoop } from '../plan/control.js';
import type { PlannedLaunch } from '../plan/entry.js';

/** A kernel function after scheduling. */
export interface CompiledKernel<S> {
  /** The name of the C function that runs it. */
  readonly name: string;
  readonly fn: Func;
  readonly lowered: Lowered;
  readonly scheduled: S;
  /** The run-time dimensions that it is passed, in order. */
  readonly sizes: readonly string[];
  /**
   * For a kernel that does the work of many launches of one form: for each of its inputs and outputs the number of the column of a table that it is
   * taken from, or undefined where it is the same for all.
   */
  readonly columns?: readonly (number | undefined)[];
}

/** What launches have in common that one kernel can do the work of. */
export interface LaunchForm {
  /** Equal for launches that differ in nothing but their operands and in how often they do the same. */
  readonly text: string;
  /** How often a launch does it. */
  readonly items: number;
}

/** A loop that one kernel runs from the first trip to the last, with the kernels that do the work of a trip. */
export interface CompiledLoop<S> {
  readonly name: string;
  readonly origin: Origin;
  readonly kernels: readonly CompiledKernel<S>[];
  readonly threads: number;
  /** The names of what it is passed, and what it does. */
  readonly params: readonly string[];
  readonly lines: readonly string[];
  /** The number of loops in it whose positions kernels read. */
  readonly positions: number;
}

/** A target with scheduled kernels of the form `S`. */
export interface Target<S> {
  readonly device: DeviceText;
  /** Up to this length a row is sorted by ranks: every element counts those before it. */
  readonly ranked: number;
  /** Whether kernels that work on the same rows one after another become this one (kernel/chain). */
  takesChain(kernel: Kernel): boolean;
  schedule(kernel: Kernel): S;
  /** The kernels that a schedule consists of, to verify, to measure and to find the sizes of. */
  kernels(scheduled: S): readonly Kernel[];
  /** The memory that the kernel needs for itself while it runs; undefined where it needs none. */
  scratch(scheduled: S): Scratch | undefined;
  /** The form of launches of a kernel; undefined for those that are made one by one. Without it all are. */
  form?(scheduled: S): LaunchForm | undefined;
  /** The threads that run a whole loop as one kernel; undefined where each trip launches its kernels. */
  resident?(loop: PlannedLoop, kernelOf: (launch: PlannedLaunch) => CompiledKernel<S>): number | undefined;
  /** The scheduled kernel IR as text. */
  text(scheduled: S, name: string): string;
  /** Where launches are made one by one, the files of kernels, which are written as soon as those in them are scheduled. */
  readonly early?: EarlyFiles<S>;
  /** The files beside `model.c` for kernels that are spread over a number of files; without those that were written early. */
  files(
    model: string,
    parts: readonly (readonly CompiledKernel<S>[])[],
    loops: readonly CompiledLoop<S>[],
  ): ReadonlyMap<string, string>;
}

export interface EarlyFiles<S> {
  /** The number of statements that a file holds, so that few files change with a program. */
  readonly grain: number;
  /** The files that those of kernels include. */
  readonly headers: ReadonlyMap<string, string>;
  /** File number `i` of kernels. */
  file(model: string, part: readonly CompiledKernel<S>[], i: number): readonly [name: string, text: string];
}

/** The comment above a kernel: what it computes, and where that is in the program. */
export const kernelComment = ({ name, origin }: Func): string => originComment(name, origin);

export function originComment(name: string, { site }: Origin): string {
  const where = site === undefined ? '' : `, ${site.file}:${site.line}`;
  return `/* ${name.replaceAll('*/', '* /')}${where} */`;
}
