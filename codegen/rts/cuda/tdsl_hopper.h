/*
 * Instructions of sm_90a: barriers in shared memory that count arrivals and bytes, copies of whole tiles (TMA), and products that a group of four
 * warps starts from shared memory (wgmma). For other GPUs TD_HAS_WGMMA is 0, and kernels made of these are empty. tdsl_emu_hopper.cpp has the
 * same functions for the CPU.
 */
#ifndef TDSL_HOPPER_H
#define TDSL_HOPPER_H

#include "tdsl_gpu.h"

#ifdef __CUDACC__
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define TD_HAS_WGMMA 1
#define TD_WGMMA_BOUNDS __launch_bounds__(384, 1)
#else
#define TD_HAS_WGMMA 0
/* The host asks how many threads a block may have, and does not launch what was compiled like this. */
#define TD_WGMMA_BOUNDS __launch_bounds__(32)
#endif
#define TD_CONSTANT __grid_constant__

/* Describes a tensor of up to five dimensions to the hardware that copies tiles; the host makes it (cuTensorMapEncodeTiled). */
struct __align__(64) td_tensor_map {
  unsigned char opaque[128];
};
/*
 * A matrix in shared memory for wgmma, as copies leave it: rows of 128 bytes, 8 of them in 1024, whose chunks of 16 bytes are exchanged. Where the depth is
 * contiguous these are its rows: `stride` bytes lie between eights of them, and the next 32 bytes of the depth lie 32 bytes further. Where it is
 * not (bf16 alone), the rows are those of the depth, and hold 64 neighbours along the other side: `stride` bytes lie between eights of the depth, `leading` bytes
 * between 64s of the other side.
 */
struct td_shared_matrix {
  const void *start;
  int leading, stride;
};

#if TD_HAS_WGMMA
/* A barrier's phase ends when `count` threads have arrived and all bytes are there that were announced. */
TDSL_INLINE void td_barrier_init(uint64_t *barrier, int count) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(td_shared_address(barrier)), "r"(count) : "memory");
}
/* Makes new barriers known to the copying hardware. */
TDSL_INLINE void td_barrier_fence() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
TDSL_INLINE void td_barrier_arrive(uint64_t *barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(td_shared_address(barrier)) : "memory");
}
/* Arrives, and announces bytes that copies will bring. */
TDSL_INLINE void td_barrier_expect(uint64_t *barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(td_shared_address(barrier)), "r"(bytes) : "memory");
}
/* Waits until the phase of this parity has ended; the first one has parity 0. */
TDSL_INLINE void td_barrier_wait(uint64_t *barrier, int parity) {
  asm volatile(
      "{\n.reg .pred done;\nAGAIN:\nmbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n@done bra.uni READY;\nbra.uni AGAIN;\nREADY:\n}" ::"r"(
          td_shared_address(barrier)),
      "r"(parity)
      : "memory");
}
/* Copies the tile that begins at (x, y, batch) to shared memory in rows of 128 bytes, whose chunks of 16 bytes are exchanged (128-byte swizzle). */
TDSL_INLINE void td_tensor_copy(void *shared, const td_tensor_map *map, uint64_t *barrier, int x, int y, const int (&batch)[3]) {
  asm volatile(
      "cp.async.bulk.tensor.5d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5, %6, %7}], [%2];" ::"r"(
          td_shared_address(shared)),
      "l"(map), "r"(td_shared_address(barrier)), "r"(x), "r"(y), "r"(batch[0]), "r"(batch[1]), "r"(batch[2])
      : "memory");
}

/* Before the first product, and after the registers of sums were touched. */
TDSL_INLINE void td_wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
TDSL_INLINE void td_wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
/* Waits until at most N groups of products are under way. */
template <int N>
TDSL_INLINE void td_wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory");
}
/* Keeps the compiler from moving what it does with sums to the other side of this place: it does not know that products write them later. */
TDSL_INLINE void td_wgmma_hold(float (&d)[128]) { TD_UNROLL for (int i = 0; i < 128; i++) asm volatile("" : "+f"(d[i])::"memory"); }
/* The descriptor of a matrix; its last two bits say how chunks are exchanged. */
TDSL_INLINE uint64_t td_wgmma_matrix(const td_shared_matrix &m) {
  return (td_shared_address(m.start) & 0x3ffff) >> 4 | (uint64_t)(m.leading >> 4) << 16 | (uint64_t)(m.stride >> 4) << 32 | (uint64_t)1 << 62;
}
#define TD_SUMS_8(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), "+f"(d[i + 7])
#define TD_SUMS_32(i) TD_SUMS_8(i), TD_SUMS_8(i + 8), TD_SUMS_8(i + 16), TD_SUMS_8(i + 24)
#define TD_WGMMA(types, rest, ...)                                                                                                         \
  asm volatile("wgmma.mma_async.sync.aligned.m64n256" types                                                                                \
               " {%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31,"      \
               "%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63," \
               "%64,%65,%66,%67,%68,%69,%70,%71,%72,%73,%74,%75,%76,%77,%78,%79,%80,%81,%82,%83,%84,%85,%86,%87,%88,%89,%90,%91,%92,%93,%94,%95," \
               "%96,%97,%98,%99,%100,%101,%102,%103,%104,%105,%106,%107,%108,%109,%110,%111,%112,%113,%114,%115,%116,%117,%118,%119,%120,%121,"  \
               "%122,%123,%124,%125,%126,%127}, %128, %129, " rest                                                                             \
               : TD_SUMS_32(0), TD_SUMS_32(32), TD_SUMS_32(64), TD_SUMS_32(96)                                                              \
               : __VA_ARGS__)
#define TD_WGMMA_MATRICES "l"(td_wgmma_matrix(a)), "l"(td_wgmma_matrix(b))
/* d += a bᵀ for 64 x 256 results of 128 threads, and a depth of 16 numbers of bf16, or 8 of tf32. DEEP: the depth of the matrix is contiguous. */
template <bool A_DEEP, bool B_DEEP>
TDSL_INLINE void td_wgmma_bf16(float (&d)[128], const td_shared_matrix &a, const td_shared_matrix &b) {
  TD_WGMMA("k16.f32.bf16.bf16", "1, 1, 1, %130, %131;", TD_WGMMA_MATRICES, "n"(A_DEEP ? 0 : 1), "n"(B_DEEP ? 0 : 1));
}
TDSL_INLINE void td_wgmma_tf32(float (&d)[128], const td_shared_matrix &a, const td_shared_matrix &b) {
  TD_WGMMA("k8.f32.tf32.tf32", "1, 1, 1;", TD_WGMMA_MATRICES);
}

/* Threads of a group of four warps give registers back, or take them. */
template <int N>
TDSL_INLINE void td_registers_give() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(N));
}
template <int N>
TDSL_INLINE void td_registers_take() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(N));
}
#endif
#else
#include "tdsl_emu_hopper.h"
#define TD_HAS_WGMMA 1
#define TD_WGMMA_BOUNDS
#define TD_CONSTANT
#endif

#endif
