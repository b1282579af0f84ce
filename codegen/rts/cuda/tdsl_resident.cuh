/*
 * What a loop that one block runs is written in (docs/cuda.md): the names are those that the host's text of a loop uses. All threads go through
 * the loop and hold its counters; whatever changes memory, or reads what decides how it goes on, ends with a barrier, so that all see the same.
 */
#ifndef TDSL_RESIDENT_CUH
#define TDSL_RESIDENT_CUH

#include "tdsl_bytes.cuh"

#ifdef __CUDACC__
#pragma nv_diag_suppress 550 /* Not every loop needs the position of its trip. */
#endif

struct td_block {
  td_fault *fault;
  int64_t *positions; /* of loops, in shared memory */
};

TDSL_INLINE void tdsl_copy(const td_block *, void *to, const void *from, int64_t bytes) {
  td_copy_part((unsigned char *)to, (const unsigned char *)from, bytes, threadIdx.x, blockDim.x);
  __syncthreads();
}
TDSL_INLINE void tdsl_clear(const td_block *, void *to, int64_t bytes) {
  td_clear_part((unsigned char *)to, bytes, threadIdx.x, blockDim.x);
  __syncthreads();
}
TDSL_INLINE bool tdsl_flag(const td_block *, const void *place) {
  const bool flag = *(const volatile uint8_t *)place != 0;
  __syncthreads();
  return flag;
}
TDSL_INLINE int64_t tdsl_count(const td_block *, const void *place) {
  const int64_t count = *(const volatile int64_t *)place;
  __syncthreads();
  return count;
}
TDSL_INLINE void tdsl_set_count(const td_block *, void *place, int64_t value) {
  if (threadIdx.x == 0) *(int64_t *)place = value;
  __syncthreads();
}
TDSL_INLINE void *tdsl_position(const td_block *call, uint32_t number, const int64_t *position) {
  if (threadIdx.x == 0) call->positions[number] = *position;
  __syncthreads();
  return &call->positions[number];
}
TDSL_INLINE bool tdsl_faulted(const td_block *call) {
  /* Calls on other streams raise and clear faults meanwhile, so that threads may read different answers: all go by one. */
  const bool raised = __syncthreads_or(*(const volatile uint32_t *)&call->fault->raised != 0);
  __syncthreads();
  return raised;
}
TDSL_INLINE void tdsl_fail(const td_block *call, uint32_t site, int64_t position, int64_t value, int64_t bound) {
  if (threadIdx.x == 0) td_raise(call->fault, site, position, value, bound);
  __syncthreads();
}

#endif
