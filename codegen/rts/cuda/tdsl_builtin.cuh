/* The kernels that the run-time system itself launches: copies and clearing that a fault must stop, positions of loops, and
 * the decisions of branches and loops. */
#ifndef TDSL_BUILTIN_CUH
#define TDSL_BUILTIN_CUH

#include "tdsl_bytes.cuh"

extern "C" __global__ void td_copy_bytes(const td_fault *fault, int32_t guarded, const td_slot *active, unsigned char *to, const unsigned char *from, int64_t bytes) {
  if (td_stopped(fault, guarded, active)) return;
  td_copy_part(to, from, bytes, blockIdx.x * (int64_t)blockDim.x + threadIdx.x, gridDim.x * (int64_t)blockDim.x);
}
TD_KERNEL(td_copy_bytes)

extern "C" __global__ void td_clear_bytes(const td_fault *fault, int32_t guarded, const td_slot *active, unsigned char *to, int64_t bytes) {
  if (td_stopped(fault, guarded, active)) return;
  td_clear_part(to, bytes, blockIdx.x * (int64_t)blockDim.x + threadIdx.x, gridDim.x * (int64_t)blockDim.x);
}
TD_KERNEL(td_clear_bytes)

extern "C" __global__ void td_set_word(const td_fault *fault, int32_t guarded, const td_slot *active, int64_t *to, int64_t value) {
  if (td_stopped(fault, guarded, active)) return;
  *to = value;
}
TD_KERNEL(td_set_word)

/* What the host asks for by tdsl_control; the numbers are those of tdsl_cuda.h. */
enum { TD_IF, TD_ELSE, TD_BEGIN, TD_WHILE, TD_LIMIT, TD_TRIPS, TD_TRIP };

extern "C" __global__ void td_control(td_fault *fault, td_slot *slot, const td_slot *outer, int32_t what, const void *value, int64_t bound, uint32_t site) {
  const bool is_reached = outer == nullptr || outer->active != 0;
  const bool continues = what == TD_WHILE || what == TD_LIMIT ? slot->active != 0 : is_reached;
  if (!continues) {
    slot->active = 0;
    if (what == TD_BEGIN || what == TD_TRIPS) slot->made = 0;
    return;
  }
  if (what == TD_IF || what == TD_ELSE) {
    slot->active = (*(const uint8_t *)value != 0) == (what == TD_IF);
  } else if (what == TD_BEGIN) {
    slot->active = 1;
    slot->made = 0;
  } else if (what == TD_WHILE) {
    /* After a fault a condition may hold for ever. */
    slot->active = *(const uint8_t *)value != 0 && fault->raised == 0;
    if (slot->active) slot->made++;
  } else if (what == TD_LIMIT) {
    if (*(const uint8_t *)value != 0 && fault->raised == 0) td_raise(fault, site, 0, slot->made, bound);
  } else if (what == TD_TRIPS) {
    const int64_t asked = *(const int64_t *)value;
    if (asked > bound) td_raise(fault, site, 0, asked, bound);
    slot->active = 1;
    slot->made = tdsl_max(0, tdsl_min(asked, bound));
  } else {
    slot->active = bound < slot->made;
  }
}
TD_KERNEL(td_control)

#endif
