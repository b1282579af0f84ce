// Prints the headers that the files of a model share: how kernels run and arithmetic on sizes, which is the same for all models, and the names
// of the kernels, for those who call them.

import type { Machine } from '../kernel/machine.js';
import { instructionHeader } from './intrinsics.js';
import { kernelPrototype } from './kernel.js';

/** The largest number of chunks for each thread: enough for those that come late, or whose core does other work too, to take fewer. */
const CHUNKS_PER_THREAD = 8;

/** Declares kernels. */
export const prototypes = (kernels: readonly string[]): string =>
  kernels.map((name) => `__attribute__((visibility("hidden"))) ${kernelPrototype(name)};`).join('\n');

/** Prints `kernels.h`, for the entries that call kernels; with the table of their versions where there are several. */
export const emitHeader = (kernels: readonly string[], hasVersions: boolean): string =>
  `/* The kernels of a model. Written by tdsl. */
#ifndef KERNELS_H
#define KERNELS_H

#include "phases.h"

${hasVersions ? 'extern const tdsl_version kernel_versions[] __attribute__((visibility("hidden")));\n' : ''}${prototypes(kernels)}

#endif
`;

/** Prints `instructions.h`, which files of kernels begin with. */
export function emitInstructions(targets: readonly (Machine & { readonly predicate?: string })[]): string {
  const parts = targets.map(
    (each, i) => `#${i === 0 ? 'if' : 'elif'} ${each.predicate ?? '1'} /* ${each.name} */\n${instructionHeader(each)}`,
  );
  return `/* What kernels are written with. Written by tdsl. */
#ifndef INSTRUCTIONS_H
#define INSTRUCTIONS_H

#include "phases.h"

${parts.join('')}#endif

#endif
`;
}

/** Prints `phases.h`. */
export const emitPhases = (): string =>
  `/* What the kernels of a model and its entries share. Written by tdsl. Integers wrap: compile with -fwrapv. */
#ifndef PHASES_H
#define PHASES_H

#include "tdsl_rts.h"

/* What a kernel is passed: operands and results, the run-time dimensions that it uses, and the number of its first fault site. */
typedef struct kernel_args {
  tdsl_call *call;
  void *const *buffers;
  const int64_t *sizes;
  uint32_t site;
} kernel_args;

/* Runs the iterations begin ... end - 1 of a loop; each thread has scratch memory of its own. */
typedef void phase_function(const kernel_args *args, int64_t begin, int64_t end, int32_t thread);

static inline int64_t tdsl_max(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t tdsl_min(int64_t a, int64_t b) { return a < b ? a : b; }
/* Floor division by a dimension; where that is 0 nothing is computed, and the result does not matter. */
static inline int64_t tdsl_quotient(int64_t a, int64_t b) { return b > 0 ? tdsl_floordiv(a, b) : 0; }
static inline double size_quotient(double a, double b) { return b > 0 ? __builtin_floor(a / b) : 0; }

#define TDSL_INLINE static inline __attribute__((always_inline))
#define TDSL_FUNCTION static __attribute__((noinline, const))
#define TDSL_FAULT(place, position, value, bound) tdsl_fail(args->call, args->site + (place), position, value, bound)

/* Memory as the run functions of entries use it: on the CPU all of it can be read and written at once. */
#define tdsl_copy(call, to, from, bytes) memcpy(to, from, (size_t)(bytes))
#define tdsl_clear(call, to, bytes) memset(to, 0, (size_t)(bytes))
#define tdsl_flag(call, place) (*(const uint8_t *)(place))
#define tdsl_count(call, place) (*(const int64_t *)(place))
#define tdsl_set_count(call, place, value) (void)(*(int64_t *)(place) = (value))
#define tdsl_position(call, number, position) ((void *)(position))

typedef struct kernel_job {
  phase_function *phase;
  const kernel_args *args;
  int64_t extent, step;
} kernel_job;

static inline void run_chunk(void *context, int64_t chunk, int32_t thread) {
  const kernel_job *job = context;
  job->phase(job->args, chunk * job->step, tdsl_min(job->extent, (chunk + 1) * job->step), thread);
}

/* Runs a phase of a kernel, in chunks where there is enough work. They are multiples of \`unit\`, so that results do not depend on them. */
static inline void launch(phase_function *phase, const kernel_args *args, int64_t extent, int64_t unit, double nanoseconds) {
  const double work = (double)extent * nanoseconds, most = ${CHUNKS_PER_THREAD} * tdsl_pool_threads(args->call->pool);
  int64_t chunks = work < 10e3 ? 1 : work / 5e3 > most ? (int64_t)most : (int64_t)(work / 5e3);
  int64_t step = (extent + chunks - 1) / chunks;
  step = (step + unit - 1) / unit * unit;
  kernel_job job = {phase, args, extent, step};
  if (extent <= 0) return;
  if (step >= extent) phase(args, 0, extent, 0);
  else tdsl_parallel(args->call->pool, (extent + step - 1) / step, run_chunk, &job);
}

#endif
`;
