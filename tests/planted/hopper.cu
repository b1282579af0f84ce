// A ring of tiles between a thread that has them copied and a group of warps that multiplies them, right and with one mistake each; see planted.cu.
#include "tdsl_hopper.h"

enum Mistake { NONE, NO_EMPTY_WAIT, NO_FULL_WAIT, NO_FENCE, NO_COMMIT, NO_WAIT, NO_BARRIER_FENCE };

template <Mistake MISTAKE>
TDSL_INLINE void ring(float *out, const td_tensor_map &map) {
  constexpr int STAGES = 2, PANELS = 3, BYTES = 256 * 128;
  TD_SHARED(unsigned char, tiles, [STAGES][BYTES]);
  TD_SHARED(uint64_t, full, [STAGES]);
  TD_SHARED(uint64_t, empty, [STAGES]);
  if (threadIdx.x == 0) {
    for (int stage = 0; stage < STAGES; stage++) {
      td_barrier_init(&full[stage], 1);
      td_barrier_init(&empty[stage], 128);
    }
    if (MISTAKE != NO_BARRIER_FENCE) td_barrier_fence();
  }
  __syncthreads();
  if (threadIdx.x >= 128) {
    if (threadIdx.x > 128) return;
    for (int panel = 0; panel < PANELS; panel++) {
      const int stage = panel % STAGES, at[3] = {0, 0, 0};
      if (MISTAKE != NO_EMPTY_WAIT) td_barrier_wait(&empty[stage], panel / STAGES % 2 ^ 1);
      td_barrier_expect(&full[stage], BYTES);                              // bug: ring_without_empty_wait
      td_tensor_copy(tiles[stage], &map, &full[stage], panel * 64, 0, at);  // bug: ring_without_barrier_fence
    }
    return;
  }
  float sums[128];
  for (int i = 0; i < 128; i++) sums[i] = 0;
  for (int panel = 0; panel < PANELS; panel++) {
    const int stage = panel % STAGES;
    if (MISTAKE != NO_FULL_WAIT) td_barrier_wait(&full[stage], panel / STAGES % 2);
    if (MISTAKE != NO_FENCE) td_wgmma_fence();
    td_wgmma_bf16<true, true>(sums, {tiles[stage], 16, 1024}, {tiles[stage], 16, 1024});  // bug: ring_without_full_wait, ring_without_fence, ring_without_commit, ring_without_wait
    if (MISTAKE != NO_COMMIT) td_wgmma_commit();
    if (MISTAKE != NO_WAIT) td_wgmma_wait<0>();
    td_barrier_arrive(&empty[stage]);
  }
  if (threadIdx.x == 0) out[0] = sums[0];
}

#define RING(name, mistake)                                                                                               \
  extern "C" __global__ void TD_WGMMA_BOUNDS name(const float *x, float *out, int64_t n, const TD_CONSTANT td_tensor_map map) { \
    ring<mistake>(out, map);                                                                                              \
  }                                                                                                                       \
  TD_KERNEL(name)
RING(ring_right, NONE)
RING(ring_without_empty_wait, NO_EMPTY_WAIT)
RING(ring_without_full_wait, NO_FULL_WAIT)
RING(ring_without_fence, NO_FENCE)
RING(ring_without_commit, NO_COMMIT)
RING(ring_without_wait, NO_WAIT)
RING(ring_without_barrier_fence, NO_BARRIER_FENCE)
