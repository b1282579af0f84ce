// GPUs as a target: CUDA for the kernels, C for what launches them.

import { emitCudaHeader, emitDeviceFile, emitLaunches, FIRST_KERNEL } from '../emit/cuda/files.js';
import { emitCudaGroup } from '../emit/cuda/group.js';
import { emitCudaKernel, stateBytes } from '../emit/cuda/kernel.js';
import { Unit } from '../emit/unit.js';
import { scheduleSweeps } from '../kernel/gpu/chain/sweeps.js';
import { formOf } from '../kernel/gpu/form.js';
import { type GpuKernel, type Precision, scheduleForGpu } from '../kernel/gpu/schedule.js';
import type { Machine } from '../kernel/machine.js';
import { printKernel } from '../kernel/print.js';
import { kernelComment, type Target } from './target.js';

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
    files(model, parts) {
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
      return new Map([
        ['kernels.h', emitCudaHeader(parts.flat())],
        ['launches.c', emitLaunches(files.map(({ kernels }) => kernels.map(({ text }) => text)))],
        ...files.map(({ helpers, kernels }, i) => {
          const texts = kernels.map(({ device }) => device);
          return [`kernels_${i}.cu`, emitDeviceFile(model, i, helpers, texts)] as const;
        }),
      ]);
    },
  };
}
