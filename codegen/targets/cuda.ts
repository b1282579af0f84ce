// GPUs as a target: CUDA for the kernels, C for what launches them.

import { emitCudaHeader, emitDeviceFile, emitLaunches, FIRST_KERNEL } from '../emit/cuda/files.js';
import { emitCudaGroup } from '../emit/cuda/group.js';
import { emitCudaKernel, stateBytes } from '../emit/cuda/kernel.js';
import { emitBlockFunction, emitLoop } from '../emit/cuda/resident.js';
import { Unit } from '../emit/unit.js';
import { scheduleSweeps } from '../kernel/gpu/chain/sweeps.js';
import { formOf } from '../kernel/gpu/form.js';
import { blockWork, residentThreads } from '../kernel/gpu/resident.js';
import { type GpuKernel, type Precision, scheduleForGpu } from '../kernel/gpu/schedule.js';
import type { Machine } from '../kernel/machine.js';
import { printKernel } from '../kernel/print.js';
import { type CompiledLoop, kernelComment, originComment, type Target } from './target.js';

/** Values of kernels are single elements; vectors are what emitted code asks for itself. */
const GPU: Machine = { name: 'gpu', vectorBytes: 16, vectorRegisters: 64, productsPerCycle: 1, stepCycles: 8 };

/** Rows up to this length are sorted by threads on their own: a block would have too little to do. */
const RANKED = 64;

/** CUDA for the architectures that `archs` names, as nvcc does; `precision` is that of products of f32. */
export function cudaTarget(archs: readonly string[], precision: Precision): Target<GpuKernel> {
  return {
    device: { name: 'TDSL_CUDA', cpuFeatures: '""', gpuArchs: JSON.stringify(archs.join(' ')), versions: 0 },
    ranked: RANKED,
    takesChain: (kernel) => scheduleSweeps(kernel, precision) !== undefined,
    schedule: (kernel) => scheduleForGpu(kernel, precision),
    kernels: ({ kernel }) => [kernel],
    scratch: ({ states }) => (states.length === 0 ? undefined : { bytes: stateBytes(states), per: 'launch' }),
    form: formOf,
    text: ({ kernel }, name) => printKernel(kernel, name),
    resident: (loop, kernelOf) =>
      residentThreads(loop, (launch) => {
        const { scheduled, sizes } = kernelOf(launch);
        return sizes.length === 0 ? blockWork(scheduled) : undefined;
      }),
    files(model, parts, loops) {
      let number = FIRST_KERNEL;
      const files = parts.map((part) => {
        const unit = new Unit(GPU);
        const kernels = part.map(({ fn, scheduled, name, sizes, columns }) => {
          const text =
            columns === undefined
              ? emitCudaKernel(unit, scheduled, name, sizes, number)
              : emitCudaGroup(unit, scheduled, name, columns, number);
          number += text.functions.length;
          return { text, device: `${kernelComment(fn)}\n${text.device}` };
        });
        return { helpers: unit.text, kernels };
      });
      if (loops.length > 0) files.push(loopFile(loops, number));
      return new Map([
        ['kernels.h', emitCudaHeader([...parts.flat(), ...loops])],
        ['launches.c', emitLaunches(files.map(({ kernels }) => kernels.map(({ text }) => text)))],
        ...files.map(({ helpers, kernels }, i) => {
          const texts = kernels.map(({ device }) => device);
          return [`kernels_${i}.cu`, emitDeviceFile(model, i, helpers, texts)] as const;
        }),
      ]);
    },
  };
}

/** The kernels of loops that one block runs, in a file with all that they call; they are numbered from `first` on. */
function loopFile(loops: readonly CompiledLoop<GpuKernel>[], first: number) {
  const unit = new Unit(GPU);
  unit.define('#resident', () => '#include "tdsl_resident.cuh"\n');
  const called = new Map(loops.flatMap(({ kernels }) => kernels.map((kernel) => [kernel.name, kernel] as const)));
  const functions = [...called.values()].map(
    (kernel) => `${kernelComment(kernel.fn)}\n${emitBlockFunction(unit, kernel)}`,
  );
  const kernels = loops.map((loop, i) => {
    const text = emitLoop(loop, first + i);
    const before = i === 0 ? functions.join('\n') : '';
    return { text, device: `${before}${originComment('loop', loop.origin)}\n${text.device}` };
  });
  return { helpers: unit.text, kernels };
}
