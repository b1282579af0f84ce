/*
 * Products of matrices on the tensor cores of sm_90a. A block stays and computes one tile of 128 x 256 results after another: a thread of its third
 * group of warps has tiles of the factors copied to a ring in shared memory; the two other groups multiply what is there, each 64 rows. Barriers say
 * which stages of the ring are full and which are empty. Tensor maps describe the factors, which lie
 * with the depth contiguous, or in bf16 with their rows (columns) so; the latter are copied 64 by 64, and turned over by the tensor cores.
 */
#ifndef TDSL_WGMMA_CUH
#define TDSL_WGMMA_CUH

#include "tdsl_hopper.h"
#include "tdsl_tiles.cuh"

#if TD_HAS_WGMMA
/* Where a step through the ring is: the stage, and the parity of its round. */
struct td_ring {
  int stage, parity;
};
template <int STAGES>
TDSL_INLINE void td_advance(td_ring &ring) {
  if (++ring.stage < STAGES) return;
  ring.stage = 0;
  ring.parity ^= 1;
}

/* Has a tile of a factor copied: LONG rows or columns from `first` on, 128 bytes of the depth or, in bf16, 64 numbers of it from `start` on. */
template <bool DEEP, int LONG>
TDSL_INLINE void td_fetch(unsigned char *tile, const td_tensor_map &map, uint64_t *full, int start, int first, const int (&at)[3]) {
  if constexpr (DEEP) {
    td_tensor_copy(tile, &map, full, start, first, at);
  } else {
    TD_UNROLL for (int i = 0; i < LONG; i += 64) td_tensor_copy(tile + i * 128, &map, full, first + i, start, at);
  }
}
/* What a product takes of such a tile: rows or columns from the `first` one on, a multiple of 64, and the `step`-th 32 bytes of the depth. */
template <bool DEEP>
TDSL_INLINE td_shared_matrix td_matrix_of(const unsigned char *tile, int first, int step) {
  if constexpr (DEEP)
    return {tile + first * 128 + step * 32, 16, 1024};
  else
    return {tile + first * 128 + step * 16 * 128, 64 * 128, 1024};
}

/*
 * Computes `items` tiles in BYTES of dynamic shared memory; `place(batch, at)` gives the batch's coordinates in the tensor maps, and
 * `out(batch, row, column, sum)` is called once for each element.
 */
template <int KIND, int BYTES, bool LEFT_DEEP, bool RIGHT_DEEP, class Place, class Out>
TDSL_INLINE void td_wgmma_product(int64_t items, int64_t rows, int64_t columns, int64_t depth, const td_tensor_map &left, const td_tensor_map &right,
                                  Place place, Out out) {
  constexpr int ROWS = 128, COLUMNS = 256, STAGES = 4, ROW_BYTES = 128, PANEL = KIND == TD_BF16 ? 64 : 32, WARPS = 8, STEPS = 4;
  constexpr int STAGE_BYTES = (ROWS + COLUMNS) * ROW_BYTES;
  static_assert(KIND == TD_BF16 || (LEFT_DEEP && RIGHT_DEEP), "tensor cores turn over no matrices of tf32");
  static_assert(STAGES * (STAGE_BYTES + 2 * sizeof(uint64_t)) == BYTES, "the launch asks for another amount of shared memory");
  TD_DYNAMIC_SHARED(unsigned char, memory);
  uint64_t *full = (uint64_t *)(memory + STAGES * STAGE_BYTES), *empty = full + STAGES;
  if (threadIdx.x == 0) {
    for (int stage = 0; stage < STAGES; stage++) {
      td_barrier_init(&full[stage], 1);
      td_barrier_init(&empty[stage], WARPS);
    }
    td_barrier_fence();
  }
  __syncthreads();
  const int64_t across = (columns + COLUMNS - 1) / COLUMNS, down = (rows + ROWS - 1) / ROWS;
  const int count = (int)((depth + PANEL - 1) / PANEL), group = threadIdx.x / 128;
  td_ring ring = {0, 0};
  if (group == 2) {
    td_registers_give<40>();
    if (threadIdx.x % 128 != 0) return;
    for (int64_t item = blockIdx.x; item < items; item += gridDim.x) {
      const int64_t rest = td_divide(item, across), batch = td_divide(rest, down);
      const int column = (int)(item - rest * across) * COLUMNS, row = (int)(rest - batch * down) * ROWS;
      int at[3] = {0, 0, 0};
      place(batch, at);
      for (int panel = 0; panel < count; panel++) {
        unsigned char *stage = memory + ring.stage * STAGE_BYTES;
        /* The round before must have been multiplied; before the first one there is none. */
        td_barrier_wait(&empty[ring.stage], ring.parity ^ 1);
        td_barrier_expect(&full[ring.stage], STAGE_BYTES);
        td_fetch<LEFT_DEEP, ROWS>(stage, left, &full[ring.stage], panel * PANEL, row, at);
        td_fetch<RIGHT_DEEP, COLUMNS>(stage + ROWS * ROW_BYTES, right, &full[ring.stage], panel * PANEL, column, at);
        td_advance<STAGES>(ring);
      }
    }
    return;
  }
  td_registers_take<232>();
  const int lane = threadIdx.x % 32, warp = threadIdx.x % 128 / 32;
  for (int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    const int64_t rest = td_divide(item, across), batch = td_divide(rest, down);
    const int64_t column = (item - rest * across) * COLUMNS, row = (rest - batch * down) * ROWS;
    float sums[128];
    TD_UNROLL for (int i = 0; i < 128; i++) sums[i] = 0;
    td_wgmma_hold(sums);
    int before = 0;
    for (int panel = 0; panel < count; panel++) {
      const unsigned char *tiles = memory + ring.stage * STAGE_BYTES;
      td_barrier_wait(&full[ring.stage], ring.parity);
      td_wgmma_fence();
      TD_UNROLL for (int step = 0; step < STEPS; step++) {
        const td_shared_matrix a = td_matrix_of<LEFT_DEEP>(tiles, group * 64, step), b = td_matrix_of<RIGHT_DEEP>(tiles + ROWS * ROW_BYTES, 0, step);
        if constexpr (KIND == TD_BF16)
          td_wgmma_bf16<LEFT_DEEP, RIGHT_DEEP>(sums, a, b);
        else
          td_wgmma_tf32(sums, a, b);
      }
      td_wgmma_commit();
      /* While these products are under way those of the panel before have ended, and its stage is free. */
      td_wgmma_wait<1>();
      if (panel > 0 && lane == 0) td_barrier_arrive(&empty[before]);
      before = ring.stage;
      td_advance<STAGES>(ring);
    }
    td_wgmma_wait<0>();
    td_wgmma_hold(sums);
    if (count > 0 && lane == 0) td_barrier_arrive(&empty[before]);
    const int rows_left = (int)tdsl_min(rows - row, ROWS), columns_left = (int)tdsl_min(columns - column, COLUMNS);
    TD_UNROLL for (int half = 0; half < 2; half++) {
      const int m = group * 64 + warp * 16 + lane / 4 + half * 8, n = lane % 4 * 2;
      if (m < rows_left) {
        TD_UNROLL for (int i = 0; i < 64; i++) {
          if (n + i / 2 * 8 + i % 2 >= columns_left) break;
          out(batch, row + m, column + n + i / 2 * 8 + i % 2, sums[i / 2 * 4 + half * 2 + i % 2]);
        }
      }
    }
  }
}
#endif

#endif
