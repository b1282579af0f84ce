// Prints the files of a CUDA model around its kernels: the header of the host code, the launches, and the images of the device code.

import type { CudaKernelText } from './kernel.js';

/** What the run-time system launches itself; the order is that of tdsl_cuda.h. */
const OWN_KERNELS = ['td_copy_bytes', 'td_clear_bytes', 'td_set_word', 'td_control'] as const;

/** The number of the first kernel of a model. */
export const FIRST_KERNEL = OWN_KERNELS.length;

/** Prints `kernels.h`, which model.c includes. */
export const emitCudaHeader = (
  kernels: readonly { readonly name: string; readonly columns?: readonly unknown[] }[],
): string => `/* The kernels of a model, as its entries call them. Written by tdsl. */
#ifndef KERNELS_H
#define KERNELS_H

#include "tdsl_cuda.h"

/* What a kernel is passed: operands and results, the run-time dimensions that it uses, and the number of its first fault site. */
typedef struct kernel_args {
  tdsl_call *call;
  void *const *buffers;
  const int64_t *sizes;
  uint32_t site;
} kernel_args;

/*
 * What a kernel that does the work of many launches is passed: operands that are the same for all of them, a table of those that are not with
 * a row for each launch, and how often each does the same.
 */
typedef struct group_args {
  tdsl_call *call;
  void *const *same;
  void *const *columns;
  const int64_t *items;
  uint32_t count;
} group_args;

static inline int64_t tdsl_max(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t tdsl_min(int64_t a, int64_t b) { return a < b ? a : b; }
/* Floor division by a dimension; where that is 0 nothing is computed, and the result does not matter. */
static inline int64_t tdsl_quotient(int64_t a, int64_t b) { return b > 0 ? tdsl_floordiv(a, b) : 0; }
static inline double size_quotient(double a, double b) { return b > 0 ? __builtin_floor(a / b) : 0; }

${kernels.map(({ name, columns }) => `__attribute__((visibility("hidden"))) void ${name}(const ${columns === undefined ? 'kernel' : 'group'}_args *args);`).join('\n')}

#endif
`;

/** The kernels of one file of device code. */
export type DeviceFile = readonly CudaKernelText[];

/** Prints `launches.c`: the launches of all kernels, the table of device functions, and the device code itself. */
export function emitLaunches(files: readonly DeviceFile[]): string {
  const rows = [
    ...OWN_KERNELS.map((name) => `  {"${name}", 0, 0, 0},`),
    ...files.flatMap((kernels, image) =>
      kernels.flatMap(({ functions }) =>
        functions.map(({ name, sharedBytes, threads }) => `  {"${name}", ${image}, ${sharedBytes}, ${threads}},`),
      ),
    ),
  ];
  const images = files.map((_, i) => `TDSL_IMAGE(${i}, "kernels_${i}.fatbin")`);
  return `/* Launches of the kernels, and their code. Written by tdsl. */
#include "kernels.h"

${files.flatMap((kernels) => kernels.map(({ host }) => host)).join('\n')}
const tdsl_kernel_def tdsl_kernels[] = {
${rows.join('\n')}
};
const uint32_t tdsl_kernel_count = ${rows.length};

#ifdef TDSL_EMULATED
/* The kernels are functions of this library; what is loaded is only the mark that code of nvcc begins with. */
#define TDSL_IMAGE(number, file) static const uint32_t tdsl_image_##number[] = {0xba55ed50u};
#else
#define TDSL_IMAGE(number, file)                                                                                              \\
  __asm__(".pushsection .rodata\\n.balign 16\\ntdsl_image_" #number ":\\n.incbin \\"" file "\\"\\n.byte 0\\n.popsection\\n"); \\
  extern const uint32_t tdsl_image_##number[] __attribute__((visibility("hidden")));
#endif
${images.join('\n')}
const void *const tdsl_images[] = {${files.map((_, i) => `tdsl_image_${i}`).join(', ')}};
const uint32_t tdsl_image_count = ${files.length};
`;
}

/** Prints a file of device code. The first one also holds the kernels of the run-time system. */
export const emitDeviceFile = (model: string, number: number, helpers: string, kernels: readonly string[]): string =>
  `/* Kernels of ${model}. Written by tdsl. */
#include "tdsl_gpu.h"
${number === 0 ? '#include "tdsl_builtin.cuh"\n' : ''}
${helpers}
${kernels.join('\n')}
`;
