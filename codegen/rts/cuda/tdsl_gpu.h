/*
 * What emitted kernels are written in: CUDA, and the macros and functions below. nvcc compiles them for GPUs; g++ compiles the same text with
 * tdsl_emu.h, which runs it on the CPU. Four spellings are the generator's duty: TD_SHARED and TD_DYNAMIC_SHARED for shared memory, TD_KERNEL
 * after each kernel, and instructions that CUDA C++ has no name for only through td_* functions, each of which has an assembler body here
 * and an emulated one there. Integers wrap on GPUs; the emulation is compiled with -fwrapv.
 */
#ifndef TDSL_GPU_H
#define TDSL_GPU_H

#include <stdint.h>

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>

/* Shared memory of a block: TD_SHARED(float, tile, [16][17]). */
#define TD_SHARED(type, name, ...) __shared__ __align__(16) type name __VA_ARGS__
#define TD_DYNAMIC_SHARED(type, name)                      \
  extern __shared__ __align__(1024) unsigned char td_dynamic[]; \
  type *name = reinterpret_cast<type *>(td_dynamic)
/* Makes a kernel known by its name; GPUs know it anyway. */
#define TD_KERNEL(name)
#define TD_UNROLL _Pragma("unroll")
/* Several iterations of a long loop at once: all of them would need too many registers. */
#define TD_UNROLL_SOME _Pragma("unroll 4")
#define TD_UNROLL_NONE _Pragma("unroll 1")

#define TDSL_INLINE static __device__ __forceinline__
#define TDSL_INLINE_MEMBER __device__ __forceinline__
#define TDSL_FUNCTION static __device__ __noinline__
#define TDSL_TABLE static __device__ const

TDSL_INLINE unsigned td_shared_address(const void *p) { return (unsigned)__cvta_generic_to_shared(p); }

/* Copies BYTES (4, 8 or 16) from global to shared memory without waiting: the first `valid` ones, and zeros after them. */
template <int BYTES>
TDSL_INLINE void td_copy_async(void *shared, const void *global, int valid) {
  if constexpr (BYTES == 16)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(td_shared_address(shared)), "l"(global), "r"(valid) : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(td_shared_address(shared)), "l"(global), "n"(BYTES), "r"(valid) : "memory");
}
TDSL_INLINE void td_copy_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/* Waits until at most N of this thread's groups of copies are under way. */
template <int N>
TDSL_INLINE void td_copy_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}

/* Rounds f32 to tf32 (10 bits of fraction, ties away from zero), as the tensor cores take it. */
TDSL_INLINE uint32_t td_tf32(float x) {
  uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return bits;
}
/* Two f32 rounded to bf16, the first in the low half. */
TDSL_INLINE uint32_t td_bf16x2(float low, float high) {
  uint32_t bits;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
}
/*
 * Reads four matrices of 8 x 8 numbers of 16 bits, whose rows begin at the addresses that threads 0 to 7, 8 to 15, … of a warp give: thread t gets two
 * neighbours of row t / 4 of each. Turned, it gets two neighbours of column t / 4.
 */
TDSL_INLINE void td_ldmatrix(uint32_t (&r)[4], const void *row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(td_shared_address(row))
               : "memory");
}
TDSL_INLINE void td_ldmatrix_turned(uint32_t (&r)[4], const void *row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(td_shared_address(row))
               : "memory");
}
/* d += a b on tensor cores, for 16 x 8 results of a warp: 8 products deep in tf32, 16 deep in bf16. */
TDSL_INLINE void td_mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
TDSL_INLINE void td_mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
#else
#include "tdsl_emu.h"
#define TDSL_INLINE static inline __attribute__((always_inline))
#define TDSL_INLINE_MEMBER inline __attribute__((always_inline))
#define TDSL_FUNCTION static __attribute__((noinline, unused))
#define TDSL_TABLE static const
#define TD_UNROLL
#define TD_UNROLL_SOME
#define TD_UNROLL_NONE
#endif

/* Neighbouring elements, which are read and written together where they are aligned. */
template <class T, int N = 4>
struct __align__(sizeof(T) * N < 16 ? sizeof(T) * N : 16) td_pack {
  T at[N];
};
template <int N, class T>
TDSL_INLINE td_pack<T, N> td_get_pack(const T *from, bool aligned) {
  if (aligned) return *(const td_pack<T, N> *)from;
  td_pack<T, N> pack;
  TD_UNROLL for (int i = 0; i < N; i++) pack.at[i] = from[i];
  return pack;
}
template <int N, class T>
TDSL_INLINE void td_put_pack(T *to, const td_pack<T, N> &pack, bool aligned) {
  if (aligned) {
    *(td_pack<T, N> *)to = pack;
    return;
  }
  TD_UNROLL for (int i = 0; i < N; i++) to[i] = pack.at[i];
}

/* --- many launches of one form as one ------------------------------------------------------------------------------------------------------ */

/* The blocks before `end` that no earlier segment has do what one launch would: `items` times, with these operands. */
template <int COLUMNS>
struct td_segment {
  int64_t end, items;
  void *at[COLUMNS];
};
/* As many as fit the 4096 bytes of a kernel's parameters beside what is the same for all; the host fills them (tdsl_launch_group). */
template <int COLUMNS>
struct td_segments {
  static constexpr int COUNT = 480 / (2 + COLUMNS);
  td_segment<COLUMNS> rows[COUNT];
};
/* The segment of this block. */
template <int COLUMNS>
TDSL_INLINE int32_t td_find_segment(const td_segments<COLUMNS> &segments) {
  int32_t low = 0, high = td_segments<COLUMNS>::COUNT - 1;
  while (low < high) {
    const int32_t middle = (low + high) / 2;
    if (blockIdx.x < segments.rows[middle].end)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

/* --- positions: divisions are rare and mostly of numbers that fit 32 bits, for which a GPU is several times as fast --------------------- */

TDSL_INLINE int64_t tdsl_max(int64_t a, int64_t b) { return a > b ? a : b; }
TDSL_INLINE int64_t tdsl_min(int64_t a, int64_t b) { return a < b ? a : b; }
/* a / b for a >= 0, b > 0. */
TDSL_INLINE int64_t td_divide(int64_t a, int64_t b) {
  return ((uint64_t)(a | b) >> 32) == 0 ? (int64_t)((uint32_t)a / (uint32_t)b) : a / b;
}
TDSL_INLINE int64_t tdsl_floordiv(int64_t a, int64_t b) { return a >= 0 ? td_divide(a, b) : -1 - td_divide(-1 - a, b); }
TDSL_INLINE int64_t tdsl_floormod(int64_t a, int64_t b) { return a - tdsl_floordiv(a, b) * b; }
/* Floor division by a dimension; where that is 0 nothing is computed, and the result does not matter. */
TDSL_INLINE int64_t tdsl_quotient(int64_t a, int64_t b) { return b > 0 ? tdsl_floordiv(a, b) : 0; }

/* Which of a number of owners a place belongs to: neighbouring places to different ones. */
TDSL_INLINE int64_t td_owner(int64_t place, int64_t owners) {
  return (int64_t)((((uint64_t)place * UINT64_C(0x9E3779B97F4A7C15)) >> 32) * (uint64_t)owners >> 32);
}

/* --- faults ------------------------------------------------------------------------------------------------------------------------------ */

/* The first fault since the host last looked: the one with the smallest (site, position). */
struct td_fault {
  uint32_t raised, lock, site, reserved;
  int64_t position, value, bound;
};

TDSL_FUNCTION void td_raise(td_fault *fault, uint32_t site, int64_t position, int64_t value, int64_t bound) {
  while (atomicCAS(&fault->lock, 0u, 1u) != 0) {
  }
  __threadfence();
  volatile td_fault *f = fault;
  if (!f->raised || site < f->site || (site == f->site && position < f->position)) {
    f->site = site;
    f->position = position;
    f->value = value;
    f->bound = bound;
    f->raised = 1;
  }
  __threadfence();
  atomicExch(&fault->lock, 0u);
}

#define TDSL_FAULT(place, position, value, bound) td_raise(fault, site + (place), position, value, bound)

/* A branch or loop that the device decides: whether what belongs to it runs, and the trips that were made. */
struct td_slot {
  uint32_t active, reserved;
  int64_t made;
};

/*
 * Whether a kernel has nothing to do, because it belongs to a branch that is not taken or to a loop that has ended, or because it must not run after
 * a fault: the same answer for all threads of a block.
 */
TDSL_INLINE bool td_stopped(const td_fault *fault, int32_t guarded, const td_slot *active) {
  if (active != nullptr && active->active == 0) return true;
  return guarded != 0 && __syncthreads_or(*(const volatile uint32_t *)&fault->raised != 0);
}

#endif
