// Kernels with one mistake each, and the same kernels without it: checked mode must find every mistake, name its line, and say nothing of
// the others. A line with `bug: NAME` is one that the report on kernel NAME has to name.
#include "tdsl_gpu.h"

// Sums 64 numbers in shared memory.
extern "C" __global__ void sum_right(const float *x, float *out, int64_t n) {
  TD_SHARED(float, part, [64]);
  part[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  for (int step = 32; step > 0; step /= 2) {
    if ((int)threadIdx.x < step) part[threadIdx.x] += part[threadIdx.x + step];
    __syncthreads();
  }
  if (threadIdx.x == 0) out[0] = part[0];
}
TD_KERNEL(sum_right)

extern "C" __global__ void missing_barrier(const float *x, float *out, int64_t n) {
  TD_SHARED(float, part, [64]);
  part[threadIdx.x] = 0;
  __syncthreads();
  part[threadIdx.x] = x[threadIdx.x];  // bug: missing_barrier
  out[threadIdx.x] = part[63 - threadIdx.x];
}
TD_KERNEL(missing_barrier)

extern "C" __global__ void off_by_one(const float *x, float *out, int64_t n) {
  int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
  if (i < n) out[i] = x[i + 1];  // bug: off_by_one
}
TD_KERNEL(off_by_one)

extern "C" __global__ void off_by_one_shared(const float *x, float *out, int64_t n) {
  TD_SHARED(float, part, [64]);
  part[threadIdx.x + 1] = x[threadIdx.x];  // bug: off_by_one_shared
  __syncthreads();
  out[threadIdx.x] = part[threadIdx.x];
}
TD_KERNEL(off_by_one_shared)

extern "C" __global__ void barrier_for_some(const float *x, float *out, int64_t n) {
  if (threadIdx.x < 40) {
    __syncthreads();  // bug: barrier_for_some
    out[threadIdx.x] = x[threadIdx.x];
  }
}
TD_KERNEL(barrier_for_some)

extern "C" __global__ void two_barriers(const float *x, float *out, int64_t n) {
  if (threadIdx.x < 32)
    __syncthreads();  // bug: two_barriers
  else
    __syncthreads();
  out[threadIdx.x] = x[threadIdx.x];
}
TD_KERNEL(two_barriers)

extern "C" __global__ void half_a_warp(const float *x, float *out, int64_t n) {
  if (threadIdx.x < 16) out[threadIdx.x] = __shfl_down_sync(0xffffffffu, x[threadIdx.x], 1);  // bug: half_a_warp
}
TD_KERNEL(half_a_warp)

extern "C" __global__ void missing_warp_barrier(const float *x, float *out, int64_t n) {
  TD_SHARED(float, part, [64]);
  part[threadIdx.x] = 0;
  __syncwarp();
  part[threadIdx.x] = x[threadIdx.x];  // bug: missing_warp_barrier
  out[threadIdx.x] = part[threadIdx.x ^ 1];
}
TD_KERNEL(missing_warp_barrier)

extern "C" __global__ void warp_right(const float *x, float *out, int64_t n) {
  TD_SHARED(float, part, [64]);
  part[threadIdx.x] = x[threadIdx.x];
  __syncwarp();
  out[threadIdx.x] = part[threadIdx.x ^ 1];
}
TD_KERNEL(warp_right)

extern "C" __global__ void blocks_at_one_place(const float *x, float *out, int64_t n) {
  if (threadIdx.x == 0) out[0] = x[blockIdx.x];  // bug: blocks_at_one_place
}
TD_KERNEL(blocks_at_one_place)

extern "C" __global__ void blocks_add_atomically(const float *x, float *out, int64_t n) {
  if (threadIdx.x == 0) atomicAdd((int *)out + 64, 1);
}
TD_KERNEL(blocks_add_atomically)

extern "C" __global__ void reads_nothing(const float *x, float *out, int64_t n) {
  out[threadIdx.x] = out[threadIdx.x + 64];  // bug: reads_nothing
}
TD_KERNEL(reads_nothing)

extern "C" __global__ void copy_not_awaited(const float *x, float *out, int64_t n) {
  TD_SHARED(float, part, [64]);
  if (threadIdx.x < 16) td_copy_async<16>(&part[threadIdx.x * 4], x + threadIdx.x * 4, 16);
  td_copy_commit();
  __syncthreads();
  out[threadIdx.x] = part[threadIdx.x];  // bug: copy_not_awaited
}
TD_KERNEL(copy_not_awaited)

extern "C" __global__ void copy_right(const float *x, float *out, int64_t n) {
  TD_SHARED(float, part, [64]);
  if (threadIdx.x < 16) td_copy_async<16>(&part[threadIdx.x * 4], x + threadIdx.x * 4, 16);
  td_copy_commit();
  td_copy_wait<0>();
  __syncthreads();
  out[threadIdx.x] = part[threadIdx.x];
}
TD_KERNEL(copy_right)

extern "C" __global__ void reads_freed(const float *x, float *out, int64_t n) {
  const float *freed = *(const float *const *)(x + 62);
  out[threadIdx.x] = freed[threadIdx.x];  // bug: reads_freed
}
TD_KERNEL(reads_freed)
