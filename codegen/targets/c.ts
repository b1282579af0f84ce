// The CPU as a target: C for classes of processors, compiled for one CPU or for several of which loading chooses one.

import { dimMax, isDimConst } from '../../compiler/ir/dims.js';
import { emitHeader, emitInstructions, emitPhases, prototypes } from '../emit/header.js';
import { emitKernel, scratchBytes } from '../emit/kernel.js';
import { Unit } from '../emit/unit.js';
import { emitFeatures, emitVersions, versionNames } from '../emit/versions.js';
import type { Kernel } from '../kernel/ir.js';
import { type Machine, machines } from '../kernel/machine.js';
import { printKernel } from '../kernel/print.js';
import { scheduleKernel } from '../kernel/schedule/index.js';
import { type CompiledKernel, kernelComment, type Target } from './target.js';

/** A kernel for each class of processors, by its name. */
export type ForMachines = ReadonlyMap<string, Kernel>;

/** Integers wrap, in constants too; vectors wider than a register are passed between inline functions only. */
const DIAGNOSTICS = '#pragma GCC diagnostic ignored "-Woverflow"\n#pragma GCC diagnostic ignored "-Wpsabi"\n';

/** Statements of a file: compiling so many takes several times as long as starting the compiler. */
const GRAIN = 900;

/**
 * C for classes of processors, of which the C compiler takes what fits its target. For several CPUs, the files of kernels are compiled once for
 * each, and one more file chooses among them.
 */
export function cTarget(classes: readonly Machine[] = machines, cpus: readonly string[] = []): Target<ForMachines> {
  const targets = machines.filter(({ name }) => classes.some((each) => each.name === name));
  const versions = cpus.length > 1 ? cpus : [];
  const first = targets[0] as Machine;

  function emitKernelFile(model: string, kernels: readonly CompiledKernel<ForMachines>[]): string {
    const parts = targets.map((each: Machine & { readonly predicate?: string }, i) => {
      const unit = new Unit(each);
      const texts = kernels.map(({ name, fn, scheduled, sizes }) => {
        const kernel = scheduled.get(each.name) as Kernel;
        return `${kernelComment(fn)}\n${emitKernel(unit, kernel, name, sizes)}`;
      });
      const body = `${unit.text}\n${texts.join('\n')}`;
      return `#${i === 0 ? 'if' : 'elif'} ${each.predicate ?? '1'} /* ${each.name} */\n${body}`;
    });
    const names = kernels.map(({ name }) => name);
    const own = `${versions.length === 0 ? '' : versionNames(names)}${prototypes(names)}`;
    return `/* Kernels of ${model}. */\n#include "instructions.h"\n${DIAGNOSTICS}\n${own}\n\n${parts.join('\n')}\n#else\n#error "these kernels were generated for another CPU"\n#endif\n`;
  }

  return {
    device: { name: 'TDSL_CPU', cpuFeatures: 'tdsl_cpu_features', gpuArchs: '""', versions: versions.length },
    ranked: 0,
    takesChain: () => true,
    early: {
      grain: GRAIN * targets.length,
      headers: new Map([
        ['phases.h', emitPhases()],
        ['instructions.h', emitInstructions(targets)],
      ]),
      file: (model, part, i) => [`kernels_${i}.c`, emitKernelFile(model, part)],
    },
    schedule: (kernel) => new Map(targets.map((each) => [each.name, scheduleKernel(kernel, each)])),
    kernels: (scheduled) => [...scheduled.values()],
    scratch: (scheduled) => {
      const bytes = [...scheduled.values()].map(scratchBytes).reduce(dimMax);
      return isDimConst(bytes, 0) ? undefined : { bytes, per: 'thread' };
    },
    text: (scheduled, name) => printKernel(scheduled.get(first.name) as Kernel, name),
    files: (model, parts) => {
      const names = parts.flat().map(({ name }) => name);
      return new Map([
        ['kernels.h', emitHeader(names, versions.length > 0)],
        ...(versions.length === 0 ? [] : [emitFeatures(), emitVersions(model, names, versions)]),
      ]);
    },
  };
}
