// From a fused program to C: lowers its kernels, plans the memory of its entries, and prints the files. Pure: no file system, no process.

import type { Dim } from '../compiler/ir/dims.js';
import { dimConst, dimMax, dimMul, dimValue, isDimConst, printDim } from '../compiler/ir/dims.js';
import type { Func } from '../compiler/ir/graph.js';
import type { Program } from '../compiler/program.js';
import { emitModel } from './emit/entry.js';
import { emitHeader, MAX_CHUNKS } from './emit/header.js';
import { instructionHeader } from './emit/intrinsics.js';
import { emitKernel, scratchBytes } from './emit/kernel.js';
import type { LaunchedKernel } from './emit/run.js';
import { Unit } from './emit/unit.js';
import type { Kernel, Stmt } from './kernel/ir.js';
import { type Lowered, lowerKernel } from './kernel/lower/kernel.js';
import { type Machine, machines } from './kernel/machine.js';
import { printKernel } from './kernel/print.js';
import { scheduleKernel } from './kernel/schedule/index.js';
import { verifyKernel } from './kernel/verify.js';
import { type EntryPlan, planEntry, type StepKernel } from './plan/entry.js';
import { layoutState, type StateLayout } from './plan/layout.js';

export interface GenerateOptions {
  readonly target: 'c';
  /** The version of tdsl and the hash of the program and its options, for the model's description. */
  readonly version: string;
  readonly sourceHash: string;
  /** The class of CPUs; without it the files hold code for every class, and the C compiler takes what fits its target. */
  readonly machine?: Machine;
  /** The number of C files that kernels are spread over, for parallel builds. */
  readonly files?: number;
}

/** What is known about one kernel. */
export interface KernelInfo {
  /** The name of its C function. */
  readonly name: string;
  /** The function of the module that it computes. */
  readonly fn: string;
  /** The scheduled kernel IR as text. */
  readonly text: string;
}

/** The memory of the entries. */
export interface MemoryPlan {
  readonly entries: ReadonlyMap<string, EntryPlan>;
  /** The workspace of each entry in bytes, as an expression in its run-time dimensions. */
  readonly peak: ReadonlyMap<string, Dim>;
  /** The same for people. */
  readonly workspace: ReadonlyMap<string, string>;
}

export interface Generated {
  /** Files by name; every `.c` file is a translation unit. */
  readonly sources: ReadonlyMap<string, string>;
  readonly layout: StateLayout;
  readonly plan: MemoryPlan;
  /** The kernels of the widest machine that code was generated for. */
  readonly kernels: readonly KernelInfo[];
}

interface CompiledKernel {
  readonly name: string;
  readonly fn: Func;
  readonly lowered: Lowered;
  /** By the name of the machine. */
  readonly scheduled: ReadonlyMap<string, Kernel>;
  /** The run-time dimensions that it is passed, and the scratch memory of a chunk: enough for every machine. */
  readonly sizes: readonly string[];
  readonly chunkBytes: Dim;
}

const DEFAULT_FILES = 4;

/** Generates the C sources of a program whose entries hold kernels. */
export function generate(program: Program, options: GenerateOptions): Generated {
  const targets =
    options.machine === undefined ? machines : machines.filter(({ name }) => name === options.machine?.name);
  const table = new KernelTable(targets);
  const layout = layoutState(program);
  const plans = program.entries.map((entry) => planEntry(program.module, entry, (fn) => table.stepKernel(fn)));
  const first = targets[0] as Machine;
  const model = emitModel({
    program,
    layout,
    plans,
    kernelOf: ({ step }) => table.launched(step.fn),
    version: options.version,
    sourceHash: options.sourceHash,
    device: { name: 'TDSL_CPU', cpuFeatures: 'tdsl_cpu_features', gpuArchs: '""' },
  });
  const compiled = table.kernels;
  const sources = new Map([
    ['kernels.h', emitHeader(compiled.map(({ name }) => name))],
    ['model.c', model],
  ]);
  spread(compiled, options.files ?? DEFAULT_FILES).forEach((part, i) => {
    sources.set(`kernels_${i}.c`, emitKernelFile(program.name, part, targets));
  });
  const peak = new Map(plans.map(({ entry, workspace }) => [entry.name, workspace.bytes]));
  return {
    sources,
    layout,
    plan: {
      entries: new Map(plans.map((plan) => [plan.entry.name, plan])),
      peak,
      workspace: new Map([...peak].map(([name, bytes]) => [name, printDim(bytes)])),
    },
    kernels: compiled.map(({ name, fn, scheduled }) => ({
      name,
      fn: fn.name,
      text: printKernel(scheduled.get(first.name) as Kernel, name),
    })),
  };
}

/** Lowers and schedules every kernel function once; functions that lower to the same kernel share it. */
class KernelTable {
  readonly #byFunction = new Map<Func, CompiledKernel>();
  readonly #byText = new Map<string, CompiledKernel>();

  constructor(readonly targets: readonly Machine[]) {}

  get kernels(): readonly CompiledKernel[] {
    return [...this.#byText.values()];
  }

  #compile(fn: Func): CompiledKernel {
    const known = this.#byFunction.get(fn);
    if (known !== undefined) return known;
    const lowered = lowerKernel(fn);
    const text = printKernel(lowered.kernel);
    const shared = this.#byText.get(text);
    const scheduled =
      shared?.scheduled ??
      new Map(this.targets.map((machine) => [machine.name, verified(scheduleKernel(lowered.kernel, machine), fn)]));
    const kernels = [...scheduled.values()];
    const compiled = {
      name: shared?.name ?? `kernel_${this.#byText.size}`,
      fn,
      lowered,
      scheduled,
      sizes: [...new Set(kernels.flatMap((kernel) => kernel.sizes))].sort(),
      chunkBytes: kernels.map(scratchBytes).reduce(dimMax),
    };
    if (shared === undefined) this.#byText.set(text, compiled);
    this.#byFunction.set(fn, compiled);
    return compiled;
  }

  stepKernel(fn: Func): StepKernel {
    const { lowered, chunkBytes } = this.#compile(fn);
    const scratch = isDimConst(chunkBytes, 0) ? undefined : dimMul(chunkBytes, dimConst(MAX_CHUNKS));
    return { kernel: lowered.kernel, faults: lowered.faults.length, scratch };
  }

  launched(fn: Func): LaunchedKernel {
    const { name, sizes, lowered } = this.#compile(fn);
    return { name, sizes, faults: lowered.faults };
  }
}

function verified(kernel: Kernel, fn: Func): Kernel {
  verifyKernel(kernel, fn.name);
  return kernel;
}

/** Spreads kernels over files of about equal length, the longest first. */
function spread(kernels: readonly CompiledKernel[], files: number): readonly (readonly CompiledKernel[])[] {
  const count = Math.max(1, Math.min(files, Math.ceil(kernels.length / 4)));
  const parts = Array.from({ length: count }, () => ({ size: 0, kernels: [] as CompiledKernel[] }));
  const sized = kernels.map((kernel) => ({ kernel, size: sizeOf(kernel) })).sort((a, b) => b.size - a.size);
  for (const { kernel, size } of sized) {
    const smallest = parts.reduce((best, part) => (part.size < best.size ? part : best));
    smallest.kernels.push(kernel);
    smallest.size += size;
  }
  return parts.map((part) => part.kernels);
}

/** The number of statements of a kernel on all machines, those of loops that are written out as often as they are. */
function sizeOf({ scheduled }: CompiledKernel): number {
  const count = (body: readonly Stmt[]): number =>
    body.reduce((sum, stmt) => {
      if (!('body' in stmt)) return sum + 1;
      const times = stmt.kind === 'for' && stmt.mark === 'unroll' ? (dimValue(stmt.extent) ?? 1) : 1;
      return sum + 1 + times * count(stmt.body);
    }, 0);
  return [...scheduled.values()].reduce((sum, kernel) => sum + count(kernel.body), 0);
}

/** Integers wrap, in constants too; vectors wider than a register are passed between inline functions only. */
const DIAGNOSTICS = '#pragma GCC diagnostic ignored "-Woverflow"\n#pragma GCC diagnostic ignored "-Wpsabi"\n';

function emitKernelFile(
  model: string,
  kernels: readonly CompiledKernel[],
  targets: readonly (Machine & { readonly predicate?: string })[],
): string {
  const parts = targets.map((machine, i) => {
    const unit = new Unit(machine);
    const texts = kernels.map(({ name, fn, scheduled, sizes, chunkBytes }) => {
      const origin = fn.origin.site === undefined ? '' : `, ${fn.origin.site.file}:${fn.origin.site.line}`;
      return `/* ${fn.name.replaceAll('*/', '* /')}${origin} */\n${emitKernel(unit, scheduled.get(machine.name) as Kernel, name, sizes, chunkBytes)}`;
    });
    const body = `${instructionHeader(machine)}\n${unit.text}\n${texts.join('\n')}`;
    return `#${i === 0 ? 'if' : 'elif'} ${machine.predicate ?? '1'} /* ${machine.name} */\n${body}`;
  });
  return `/* Kernels of ${model}. */\n${DIAGNOSTICS}#include "kernels.h"\n\n${parts.join('\n')}\n#else\n#error "these kernels were generated for another CPU"\n#endif\n`;
}
