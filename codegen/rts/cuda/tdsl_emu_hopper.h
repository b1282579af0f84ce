/* The instructions of sm_90a in the emulator, as kernels see them: see tdsl_hopper.h. */
#ifndef TDSL_EMU_HOPPER_H
#define TDSL_EMU_HOPPER_H

#include "tdsl_emu.h"

/* What the emulated driver writes into a tensor map. */
struct alignas(64) td_tensor_map {
  const char *start;
  uint64_t sizes[5], steps[4]; /* elements; bytes between neighbours along the second dimension and those after it */
  uint32_t box[5];
  uint16_t element_bytes, rounds_to_tf32;
};
static_assert(sizeof(td_tensor_map) == 128, "tensor maps have 128 bytes");

struct td_shared_matrix {
  const void *start;
  int leading, stride;
};

void td_barrier_init(uint64_t *barrier, int count);
void td_barrier_fence();
void td_barrier_arrive(uint64_t *barrier);
void td_barrier_expect(uint64_t *barrier, int bytes);
void td_barrier_wait(uint64_t *barrier, int parity);
void td_tensor_copy(void *shared, const td_tensor_map *map, uint64_t *barrier, int x, int y, const int (&batch)[3]);

void td_wgmma_fence();
void td_wgmma_commit();
void td_wgmma_wait_for(int groups);
template <int N>
inline void td_wgmma_wait() {
  td_wgmma_wait_for(N);
}
inline void td_wgmma_hold(float (&)[128]) {}
template <bool A_DEEP, bool B_DEEP>
void td_wgmma_bf16(float (&d)[128], const td_shared_matrix &a, const td_shared_matrix &b);
void td_wgmma_tf32(float (&d)[128], const td_shared_matrix &a, const td_shared_matrix &b);
template <int N>
inline void td_registers_give() {}
template <int N>
inline void td_registers_take() {}

#endif
