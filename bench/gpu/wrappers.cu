// A kernel for each instruction that has no name in CUDA: what it makes of numbers is compared between the emulator and a card (check.py). All take words
// and a tensor map over them: 256 rows of 192 bytes.
#include "tdsl_hopper.h"

#define WRAPPER(name, ...) \
  extern "C" __global__ void TD_WGMMA_BOUNDS name(const uint32_t *in, uint32_t *out, const TD_CONSTANT td_tensor_map map) { __VA_ARGS__ } \
  TD_KERNEL(name)
#define USUAL(name, ...)                                                                                       \
  extern "C" __global__ void __launch_bounds__(32) name(const uint32_t *in, uint32_t *out, const TD_CONSTANT td_tensor_map map) { \
    const int lane = threadIdx.x;                                                                              \
    __VA_ARGS__                                                                                                \
  }                                                                                                            \
  TD_KERNEL(name)

template <int BYTES>
TDSL_INLINE void copy(const uint32_t *in, uint32_t *out, int lane) {
  constexpr int WORDS = BYTES / 4;
  TD_SHARED(uint32_t, words, [32 * WORDS]);
  td_copy_async<BYTES>(&words[lane * WORDS], in + lane * WORDS, lane % (BYTES + 1));
  td_copy_commit();
  td_copy_wait<0>();
  for (int i = 0; i < WORDS; i++) out[lane * WORDS + i] = words[lane * WORDS + i];
}
USUAL(copy_4, copy<4>(in, out, lane);)
USUAL(copy_8, copy<8>(in, out, lane);)
USUAL(copy_16, copy<16>(in, out, lane);)

USUAL(round_tf32, out[lane] = td_tf32(__uint_as_float(in[lane]));)
USUAL(round_bf16, out[lane] = td_bf16x2(__uint_as_float(in[lane]), __uint_as_float(in[lane + 32]));)

template <bool IS_TURNED>
TDSL_INLINE void matrices(const uint32_t *in, uint32_t *out, int lane) {
  TD_SHARED(uint32_t, words, [32 * 4]);
  for (int i = 0; i < 4; i++) words[lane * 4 + i] = in[lane * 4 + i];
  __syncwarp();
  uint32_t r[4];
  if (IS_TURNED)
    td_ldmatrix_turned(r, &words[lane * 4]);
  else
    td_ldmatrix(r, &words[lane * 4]);
  for (int i = 0; i < 4; i++) out[lane * 4 + i] = r[i];
}
USUAL(ldmatrix, matrices<false>(in, out, lane);)
USUAL(ldmatrix_turned, matrices<true>(in, out, lane);)

template <bool IS_TF32>
TDSL_INLINE void multiply(const uint32_t *in, uint32_t *out, int lane) {
  const uint32_t a[4] = {in[lane * 6], in[lane * 6 + 1], in[lane * 6 + 2], in[lane * 6 + 3]}, b[2] = {in[lane * 6 + 4], in[lane * 6 + 5]};
  float d[4] = {0, 1, 2, 3};
  if (IS_TF32)
    td_mma_tf32(d, a, b);
  else
    td_mma_bf16(d, a, b);
  for (int i = 0; i < 4; i++) out[lane * 4 + i] = __float_as_uint(d[i]);
}
USUAL(mma_tf32, multiply<true>(in, out, lane);)
USUAL(mma_bf16, multiply<false>(in, out, lane);)

#if TD_HAS_WGMMA
/* A tile whose last rows and columns lie outside of the tensor; then what one warp group makes of it. */
template <bool IS_PRODUCT, bool IS_TF32, bool A_DEEP = true, bool B_DEEP = true>
TDSL_INLINE void tile(uint32_t *out, const td_tensor_map &map) {
  constexpr int BYTES = 256 * 128;
  TD_DYNAMIC_SHARED(unsigned char, memory);
  uint64_t *full = (uint64_t *)(memory + BYTES);
  if (threadIdx.x == 0) {
    td_barrier_init(full, 1);
    td_barrier_fence();
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    const int at[3] = {0, 0, 0};
    td_barrier_expect(full, BYTES);
    td_tensor_copy(memory, &map, full, 128 / (IS_TF32 ? 4 : 2), 8, at);
  }
  td_barrier_wait(full, 0);
  if constexpr (IS_PRODUCT) {
    float sums[128];
    TD_UNROLL for (int i = 0; i < 128; i++) sums[i] = (float)i;
    td_wgmma_hold(sums);
    td_wgmma_fence();
    TD_UNROLL for (int step = 0; step < 4; step++) {
      /* Rows of 128 bytes are taken as rows of the matrix, or as 64 of its rows at one place of the depth: 256 rows then are four times 64 of these. */
      const td_shared_matrix a = {memory + 64 * 128 + step * (A_DEEP ? 32 : 16 * 128), A_DEEP ? 16 : 64 * 128, 1024};
      const td_shared_matrix b = {memory + step * (B_DEEP ? 32 : 16 * 128), B_DEEP ? 16 : 64 * 128, 1024};
      if constexpr (IS_TF32)
        td_wgmma_tf32(sums, a, b);
      else
        td_wgmma_bf16<A_DEEP, B_DEEP>(sums, a, b);
    }
    td_wgmma_commit();
    td_wgmma_wait<0>();
    td_wgmma_hold(sums);
    TD_UNROLL for (int i = 0; i < 128; i++) out[threadIdx.x * 128 + i] = __float_as_uint(sums[i]);
  } else {
    for (int i = threadIdx.x; i < BYTES / 4; i += 128) out[i] = ((const uint32_t *)memory)[i];
  }
}
#define TILE(...) tile<__VA_ARGS__>(out, map);
#else
#define TILE(...)
#endif
WRAPPER(tile_bf16, TILE(false, false))
WRAPPER(tile_tf32, TILE(false, true))
WRAPPER(wgmma_bf16, TILE(true, false))
WRAPPER(wgmma_bf16_left_turned, TILE(true, false, false, true))
WRAPPER(wgmma_bf16_right_turned, TILE(true, false, true, false))
WRAPPER(wgmma_bf16_both_turned, TILE(true, false, false, false))
WRAPPER(wgmma_tf32, TILE(true, true))
