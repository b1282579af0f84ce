/* Copies and clears memory as one of `step` threads, which is number `first`. */
#ifndef TDSL_BYTES_CUH
#define TDSL_BYTES_CUH

#include "tdsl_gpu.h"

TDSL_INLINE void td_copy_part(unsigned char *to, const unsigned char *from, int64_t bytes, int64_t first, int64_t step) {
  /* Places in memory are aligned to 16 bytes but for slices of stacks with an odd size. */
  const int64_t words = (((uintptr_t)to | (uintptr_t)from) & 15) == 0 ? bytes / 16 : 0;
  for (int64_t i = first; i < words; i += step) ((int4 *)to)[i] = ((const int4 *)from)[i];
  for (int64_t i = words * 16 + first; i < bytes; i += step) to[i] = from[i];
}
TDSL_INLINE void td_clear_part(unsigned char *to, int64_t bytes, int64_t first, int64_t step) {
  const int64_t words = ((uintptr_t)to & 15) == 0 ? bytes / 16 : 0;
  for (int64_t i = first; i < words; i += step) ((int4 *)to)[i] = {0, 0, 0, 0};
  for (int64_t i = words * 16 + first; i < bytes; i += step) to[i] = 0;
}

#endif
