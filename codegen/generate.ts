// From a fused program to source files: lowers its kernels, plans the memory of its entries, and prints the files of a target. Pure: no file
// system, no process.

import { type Dim, dimValue } from '../compiler/ir/dims.js';
import type { Func } from '../compiler/ir/graph.js';
import type { Program } from '../compiler/program.js';
import { emitModel } from './emit/entry.js';
import { printInside } from './emit/inside.js';
import type { LaunchedGroup, LaunchedKernel, ResidentLoop, RunContext } from './emit/run.js';
import { lowerChain } from './kernel/chain/lower.js';
import { isChain } from './kernel/chain/stages.js';
import type { Precision } from './kernel/gpu/schedule.js';
import type { Kernel, Stmt } from './kernel/ir.js';
import { type Lowered, lowerKernel } from './kernel/lower/kernel.js';
import type { Machine } from './kernel/machine.js';
import { printKernel } from './kernel/print.js';
import { verifyKernel } from './kernel/verify.js';
import type { PlannedLoop } from './plan/control.js';
import { type EntryPlan, type PlannedGroup, type PlannedLaunch, planEntry, type StepKernel } from './plan/entry.js';
import { columnsOf, groupLaunches } from './plan/groups.js';
import { layoutState, type StateLayout } from './plan/layout.js';
import { workspaceBound } from './plan/memory.js';
import { cTarget } from './targets/c.js';
import { cudaTarget } from './targets/cuda.js';
import type { CompiledKernel, CompiledLoop, LaunchForm, Target } from './targets/target.js';

export interface GenerateOptions {
  readonly target: 'c' | 'cuda';
  /** The version of tdsl and the hash of the program and its options, for the model's description. */
  readonly version: string;
  readonly sourceHash: string;
  /** The classes of CPUs that files hold code for, of which the C compiler takes what fits its target; all of them without it. */
  readonly machines?: readonly Machine[];
  /** The CPUs that the files of kernels will be compiled for, each for itself, where there are several: loading chooses one. */
  readonly cpus?: readonly string[];
  /** For CUDA, the architectures of GPUs, as nvcc names them; `DEFAULT_ARCHS` without it. */
  readonly archs?: readonly string[];
  /** For CUDA, how products of f32 are computed: exactly, or on tensor cores from operands rounded to tf32 or bf16. */
  readonly precision?: Precision;
  /** The number of files that kernels are spread over, for parallel builds. */
  readonly files?: number;
  /** Is told of each file when it is written, and of those that it includes before. */
  readonly onFile?: (name: string, text: string) => void;
}

/** The architectures that CUDA models are compiled for: Ampere and later, Hopper, and PTX for what comes after. */
export const DEFAULT_ARCHS: readonly string[] = ['sm_80', 'sm_90a', 'compute_90'];

/** What is known about one kernel. */
export interface KernelInfo {
  /** The name of the C function that runs it. */
  readonly name: string;
  /** The function of the module that it computes. */
  readonly fn: string;
  /** The scheduled kernel IR as text. */
  readonly text: string;
}

/** The memory of the entries. */
export interface MemoryPlan {
  readonly entries: ReadonlyMap<string, EntryPlan>;
  /** What the workspace of each entry does not exceed, in bytes, as an expression in its run-time dimensions. */
  readonly workspace: ReadonlyMap<string, Dim>;
}

export interface Generated {
  /** Files by name; every `.c` and `.cu` file is a translation unit. */
  readonly sources: ReadonlyMap<string, string>;
  readonly layout: StateLayout;
  readonly plan: MemoryPlan;
  /** The kernels of the widest machine that code was generated for. */
  readonly kernels: readonly KernelInfo[];
}

const DEFAULT_FILES = 4;
/** The places that the kernel of a loop may be passed: the parameters of a kernel may take 4096 bytes. */
const MOST_PLACES = 400;

/** Generates the sources of a program whose entries hold kernels. */
export function generate(program: Program, options: GenerateOptions): Generated {
  return options.target === 'cuda'
    ? generateFor(program, options, cudaTarget(options.archs ?? DEFAULT_ARCHS, options.precision ?? 'f32'))
    : generateFor(program, options, cTarget(options.machines, options.cpus));
}

function generateFor<S>(program: Program, options: GenerateOptions, target: Target<S>): Generated {
  const sources = new Map<string, string>();
  const write = (name: string, text: string): void => {
    sources.set(name, text);
    options.onFile?.(name, text);
  };
  const size = (kernel: CompiledKernel<S>): number => sizeOf(target.kernels(kernel.scheduled));
  const { early } = target;
  for (const [name, text] of early?.headers ?? []) write(name, text);
  const bundles = early && new Bundles(early.grain, size, (part, i) => write(...early.file(program.name, part, i)));
  const table = new KernelTable(target, (kernel) => bundles?.add(kernel));
  const layout = layoutState(program);
  const plans = program.entries
    .map((entry) =>
      planEntry(
        program.module,
        entry,
        (fn) => table.stepKernel(fn),
        (kernel) => target.takesChain(kernel),
      ),
    )
    .map((plan) => groupLaunches(plan, ({ step }) => table.form(step.fn)?.text));
  bundles?.close();
  const model = emitModel({
    program,
    layout,
    plans,
    kernelOf: ({ step }) => table.launched(step.fn),
    groupOf: (group) => table.group(group),
    resident: {
      isResident: (loop) => table.residentThreads(loop) !== undefined,
      kernelOf: (loop, plan, context) => table.resident(loop, plan, context),
    },
    version: options.version,
    sourceHash: options.sourceHash,
    device: target.device,
  });
  const compiled = table.kernels;
  const parts = early === undefined ? spread(compiled, options.files ?? DEFAULT_FILES, size) : [compiled];
  for (const [name, text] of target.files(program.name, parts, table.loops)) write(name, text);
  write('model.c', model);
  return {
    sources,
    layout,
    plan: {
      entries: new Map(plans.map((plan) => [plan.entry.name, plan])),
      workspace: new Map(plans.map(({ entry, workspace }) => [entry.name, workspaceBound(workspace)])),
    },
    kernels: [
      ...new Map(
        [...compiled, ...table.loops.flatMap((loop) => loop.kernels)].map((kernel) => [kernel.name, kernel]),
      ).values(),
    ].map(({ name, fn, scheduled }) => ({ name, fn: fn.name, text: target.text(scheduled, name) })),
  };
}

/** Lowers and schedules every kernel function once; functions that lower to the same kernel share it. */
class KernelTable<S> {
  readonly #lowered = new Map<Func, Lowered>();
  readonly #byFunction = new Map<Func, CompiledKernel<S>>();
  readonly #byText = new Map<string, CompiledKernel<S>>();
  readonly #launched = new Set<string>();
  readonly loops: CompiledLoop<S>[] = [];

  constructor(
    readonly target: Target<S>,
    /** Is told of each kernel once, when it is scheduled. */
    readonly onKernel: (kernel: CompiledKernel<S>) => void,
  ) {}

  /** The kernels that are launched: those of launches that are all made in groups are not. */
  get kernels(): readonly CompiledKernel<S>[] {
    return [...this.#byText.values()].filter(({ name }) => this.#launched.has(name));
  }

  #lower(fn: Func): Lowered {
    const known = this.#lowered.get(fn);
    if (known !== undefined) return known;
    const lowered = isChain(fn) ? lowerChain(fn) : lowerKernel(fn, this.target.ranked);
    this.#lowered.set(fn, lowered);
    return lowered;
  }

  #compile(fn: Func): CompiledKernel<S> {
    const known = this.#byFunction.get(fn);
    if (known !== undefined) return known;
    const lowered = this.#lower(fn);
    const text = printKernel(lowered.kernel);
    const shared = this.#byText.get(text);
    const scheduled = shared?.scheduled ?? this.target.schedule(lowered.kernel);
    const kernels = this.target.kernels(scheduled);
    if (shared === undefined) for (const kernel of kernels) verifyKernel(kernel, fn.name);
    const compiled = {
      name: shared?.name ?? `kernel_${this.#byText.size}`,
      fn,
      lowered,
      scheduled,
      sizes: [...new Set(kernels.flatMap((kernel) => kernel.sizes))].sort(),
    };
    this.#byFunction.set(fn, compiled);
    if (shared === undefined) {
      this.#byText.set(text, compiled);
      this.onKernel(compiled);
    }
    return compiled;
  }

  /** The form of launches of a function's kernel, if any. Those that may report a fault are made one by one. */
  form(fn: Func): LaunchForm | undefined {
    const { lowered, scheduled } = this.#compile(fn);
    return lowered.faults.length === 0 ? this.target.form?.(scheduled) : undefined;
  }

  /** The kernel that does the work of a group's launches; groups with equal forms and columns share it. */
  group(group: PlannedGroup): LaunchedGroup {
    const forms = group.launches.map(({ step }) => this.form(step.fn) as LaunchForm);
    const columns = columnsOf(group);
    const text = `${forms[0]?.text} ${columns.join()}`;
    const first = this.#compile((group.launches[0] as PlannedLaunch).step.fn);
    const shared = this.#byText.get(text) ?? { ...first, name: `kernel_${this.#byText.size}`, columns };
    this.#byText.set(text, shared);
    this.#launched.add(shared.name);
    return { name: shared.name, columns, items: forms.map(({ items }) => items) };
  }

  stepKernel(fn: Func): StepKernel {
    const { kernel, faults } = this.#lower(fn);
    return { kernel, faults, scratch: () => this.target.scratch(this.#compile(fn).scheduled) };
  }

  /** The threads of the block that runs a loop; undefined where none does. */
  residentThreads(loop: PlannedLoop): number | undefined {
    return this.target.resident?.(loop, ({ step }) => this.#compile(step.fn));
  }

  /** The kernel that runs a loop, if one may; `context` is that of the entry that the loop belongs to. */
  resident(loop: PlannedLoop, plan: EntryPlan, context: RunContext): ResidentLoop | undefined {
    const threads = this.residentThreads(loop);
    if (threads === undefined) return undefined;
    const kernels = new Map<string, CompiledKernel<S>>();
    const before = context.sites.length;
    const { lines, params, positions } = printInside(loop, plan, context, ({ step }) => {
      const kernel = this.#compile(step.fn);
      kernels.set(kernel.name, kernel);
      return { name: kernel.name, sizes: [], faults: kernel.lowered.faults };
    });
    if (params.size > MOST_PLACES) {
      context.sites.length = before;
      return undefined;
    }
    const name = `loop_${this.loops.length}`;
    const [names, places] = [[...params.keys()], [...params.values()]];
    this.loops.push({
      name,
      origin: loop.origin,
      kernels: [...kernels.values()],
      threads,
      params: names,
      lines,
      positions,
    });
    return { name, places };
  }

  launched(fn: Func): LaunchedKernel {
    const { name, sizes, lowered } = this.#compile(fn);
    this.#launched.add(name);
    return { name, sizes, faults: lowered.faults };
  }
}

/** Bundles kernels in their order into files of about a size; a kernel that is as large has a file of its own. */
class Bundles<K> {
  #count = 0;
  #open: { readonly kernels: K[]; readonly number: number; room: number } | undefined;

  constructor(
    readonly grain: number,
    readonly sizeOf: (kernel: K) => number,
    /** Is told of each bundle, with its number, when it is complete. */
    readonly onBundle: (kernels: readonly K[], number: number) => void,
  ) {}

  add(kernel: K): void {
    const size = this.sizeOf(kernel);
    if (size >= this.grain) {
      this.onBundle([kernel], this.#count++);
      return;
    }
    if (this.#open === undefined || size > this.#open.room) {
      this.close();
      this.#open = { kernels: [], number: this.#count++, room: this.grain };
    }
    this.#open.kernels.push(kernel);
    this.#open.room -= size;
  }

  /** Completes the bundle that is open. */
  close(): void {
    if (this.#open !== undefined) this.onBundle(this.#open.kernels, this.#open.number);
    this.#open = undefined;
  }
}

/** Spreads kernels over files of about equal length, the longest first. */
function spread<K>(kernels: readonly K[], files: number, sizeOf: (kernel: K) => number): readonly (readonly K[])[] {
  const count = Math.max(1, Math.min(files, Math.ceil(kernels.length / 4)));
  const parts = Array.from({ length: count }, () => ({ size: 0, kernels: [] as K[] }));
  const sized = kernels.map((kernel) => ({ kernel, size: sizeOf(kernel) })).sort((a, b) => b.size - a.size);
  for (const { kernel, size } of sized) {
    const smallest = parts.reduce((best, part) => (part.size < best.size ? part : best));
    smallest.kernels.push(kernel);
    smallest.size += size;
  }
  return parts.map((part) => part.kernels);
}

/** The number of statements of a kernel on all machines, those of loops that are written out as often as they are. */
function sizeOf(kernels: readonly Kernel[]): number {
  const count = (body: readonly Stmt[]): number =>
    body.reduce((sum, stmt) => {
      if (!('body' in stmt)) return sum + 1;
      const times = stmt.kind === 'for' && stmt.mark === 'unroll' ? (dimValue(stmt.extent) ?? 1) : 1;
      return sum + 1 + times * count(stmt.body);
    }, 0);
  return kernels.reduce((sum, kernel) => sum + count(kernel.body), 0);
}
