/* The kernels that the run-time system itself launches: copies and clearing that a fault must stop, and positions of loops. */
#ifndef TDSL_BUILTIN_CUH
#define TDSL_BUILTIN_CUH

#include "tdsl_gpu.h"

extern "C" __global__ void td_copy_bytes(const td_fault *fault, int32_t guarded, unsigned char *to, const unsigned char *from, int64_t bytes) {
  if (td_stopped(fault, guarded)) return;
  int64_t first = blockIdx.x * (int64_t)blockDim.x + threadIdx.x, step = gridDim.x * (int64_t)blockDim.x;
  /* Places in memory are aligned to 16 bytes but for slices of stacks with an odd size. */
  int64_t words = (((uintptr_t)to | (uintptr_t)from) & 15) == 0 ? bytes / 16 : 0;
  for (int64_t i = first; i < words; i += step) ((int4 *)to)[i] = ((const int4 *)from)[i];
  for (int64_t i = words * 16 + first; i < bytes; i += step) to[i] = from[i];
}
TD_KERNEL(td_copy_bytes)

extern "C" __global__ void td_set_word(int64_t *to, int64_t value) { *to = value; }
TD_KERNEL(td_set_word)

#endif
