/*
 * CUDA on the CPU, the part that kernels see: what emitted kernels use of CUDA C++, for g++. A thread of a kernel is a fiber, which is
 * only made when a thread has to wait; the threads of a block take turns on one thread of the CPU. Barriers and operations of a warp are run by
 * the last thread that arrives. Copies that are asynchronous happen as late as they may, and memory that nothing was written to holds NaN, so
 * that what forgets to wait gets wrong numbers. The scheduler is in tdsl_emu_run.cpp, memory and its checks in tdsl_emu_memory.cpp.
 */
#ifndef TDSL_EMU_H
#define TDSL_EMU_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(n) __attribute__((aligned(n)))
/* What the emulator does itself is not among the accesses that checked mode looks at. */
#define TD_UNSEEN __attribute__((no_sanitize("thread")))

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
};
struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
TD_UNSEEN static inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

TD_UNSEEN static inline unsigned __float_as_uint(float x) {
  unsigned bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
TD_UNSEEN static inline float __uint_as_float(unsigned bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

namespace td_emu {

struct Thread {
  uint3 index;
  int number;      /* in the block */
  unsigned lane;
  int warp;
  int state;
  const char *site; /* where it waits */
  unsigned mask;
  void *payload;
  void *operation;
  void *fiber;
  unsigned warp_epoch, barrier;
  int copies, copy_group;
  Thread *next;
};
struct Block {
  dim3 index, size, grid;
  unsigned epoch;
};
/* The thread and the block that run now: a model runs one kernel at a time. */
#ifdef TDSL_STAND_IN
#define TD_OWN
#else
#define TD_OWN __attribute__((visibility("hidden")))
#endif
extern Thread *thread TD_OWN;
extern Block *block TD_OWN;

using Operation = void (*)(Thread **lanes, unsigned mask);

void barrier(const char *site);
int barrier_or(int value, const char *site);
void warp_operation(unsigned mask, void *payload, Operation operation, const char *site);
void *shared_memory(const void *key, size_t bytes, const char *name);
void *dynamic_shared_memory();
void atomic_access(const void *place, size_t bytes);

/* Kernels by name: how they are called with the arguments at these addresses, and how these are kept for later (`free` gives them back). */
struct Kernel {
  const char *name;
  void (*call)(void **arguments);
  void **(*keep)(void **arguments);
};
void add_kernel(const Kernel &kernel);

template <class T>
struct Shuffle {
  T value, result;
  int from;
};
template <class T>
TD_UNSEEN T shuffle(unsigned mask, T value, int from, const char *site) {
  Shuffle<T> own{value, value, from};
  warp_operation(
      mask, &own,
      [](Thread **lanes, unsigned) TD_UNSEEN {
        for (int i = 0; i < 32; i++) {
          if (lanes[i] == nullptr) continue;
          auto *it = static_cast<Shuffle<T> *>(lanes[i]->payload);
          if (it->from >= 0 && it->from < 32 && lanes[it->from] != nullptr) it->result = static_cast<Shuffle<T> *>(lanes[it->from]->payload)->value;
        }
      },
      site);
  return own.result;
}

struct Ballot {
  bool own;
  unsigned all;
};
TD_UNSEEN static inline unsigned ballot(unsigned mask, bool value, const char *site) {
  Ballot own{value, 0};
  warp_operation(
      mask, &own,
      [](Thread **lanes, unsigned) TD_UNSEEN {
        unsigned all = 0;
        for (int i = 0; i < 32; i++)
          if (lanes[i] != nullptr && static_cast<Ballot *>(lanes[i]->payload)->own) all |= 1u << i;
        for (int i = 0; i < 32; i++)
          if (lanes[i] != nullptr) static_cast<Ballot *>(lanes[i]->payload)->all = all;
      },
      site);
  return own.all;
}

}  // namespace td_emu

#define threadIdx (td_emu::thread->index)
#define blockIdx (td_emu::block->index)
#define blockDim (td_emu::block->size)
#define gridDim (td_emu::block->grid)

#define TD_TEXT_OF(x) #x
#define TD_TEXT(x) TD_TEXT_OF(x)
#define TD_SITE __FILE__ ":" TD_TEXT(__LINE__)

#define TD_SHARED(type, name, ...)   \
  typedef type name##_type __VA_ARGS__; \
  static char name##_key;            \
  name##_type &name = *static_cast<name##_type *>(td_emu::shared_memory(&name##_key, sizeof(name##_type), #name))
#define TD_DYNAMIC_SHARED(type, name) type *name = static_cast<type *>(td_emu::dynamic_shared_memory())

#define __syncthreads() td_emu::barrier(TD_SITE)
#define __syncthreads_or(value) td_emu::barrier_or((value), TD_SITE)
#define __syncwarp() td_emu::warp_operation(0xffffffffu, nullptr, [](td_emu::Thread **, unsigned) {}, TD_SITE)
#define __ballot_sync(mask, value) td_emu::ballot((mask), (value), TD_SITE)
#define __ffs(value) __builtin_ffs((int)(value))
#define __shfl_sync(mask, value, lane) td_emu::shuffle((mask), (value), (int)(lane), TD_SITE)
#define __shfl_xor_sync(mask, value, lanes) td_emu::shuffle((mask), (value), (int)(td_emu::thread->lane ^ (lanes)), TD_SITE)
#define __shfl_up_sync(mask, value, lanes) td_emu::shuffle((mask), (value), (int)(td_emu::thread->lane - (lanes)), TD_SITE)
#define __shfl_down_sync(mask, value, lanes) td_emu::shuffle((mask), (value), (int)(td_emu::thread->lane + (lanes)), TD_SITE)

template <class T, class F>
TD_UNSEEN inline T td_atomic(T *place, F change) {
  td_emu::atomic_access(place, sizeof(T));
  T old = __atomic_load_n(place, __ATOMIC_RELAXED), value;
  do value = change(old);
  while (!__atomic_compare_exchange_n(place, &old, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return old;
}
template <class T>
TD_UNSEEN inline T atomicCAS(T *place, T expected, T value) {
  return td_atomic(place, [=](T old) TD_UNSEEN { return old == expected ? value : old; });
}
template <class T>
TD_UNSEEN inline T atomicExch(T *place, T value) {
  return td_atomic(place, [=](T) TD_UNSEEN { return value; });
}
template <class T>
TD_UNSEEN inline T atomicAdd(T *place, T value) {
  return td_atomic(place, [=](T old) TD_UNSEEN { return (T)(old + value); });
}
TD_UNSEEN static inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

/* --- asynchronous copies and tensor cores: see tdsl_gpu.h ---------------------------------------------------------------------------------- */

void td_copy_later(void *shared, const void *global, int bytes, int valid, const void *pc);
template <int BYTES>
TD_UNSEEN __attribute__((noinline)) void td_copy_async(void *shared, const void *global, int valid) {
  td_copy_later(shared, global, BYTES, valid, __builtin_return_address(0));
}
void td_copy_commit();
void td_copy_wait_for(int groups);
template <int N>
inline void td_copy_wait() {
  td_copy_wait_for(N);
}
uint32_t td_tf32(float x);
uint32_t td_bf16x2(float low, float high);
void td_ldmatrix(uint32_t (&r)[4], const void *row);
void td_ldmatrix_turned(uint32_t (&r)[4], const void *row);
void td_mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
void td_mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);

/* --- kernels by name ------------------------------------------------------------------------------------------------------------------------- */

namespace td_emu {
template <size_t... I>
struct Numbers {};
template <size_t N, size_t... I>
struct Count : Count<N - 1, N - 1, I...> {};
template <size_t... I>
struct Count<0, I...> {
  using type = Numbers<I...>;
};
template <class... A, size_t... I>
TD_UNSEEN inline void call_kernel(void (*kernel)(A...), void **arguments, Numbers<I...>) {
  kernel(*static_cast<A *>(arguments[I])...);
}
template <class... A>
TD_UNSEEN inline void call_kernel(void (*kernel)(A...), void **arguments) {
  call_kernel(kernel, arguments, typename Count<sizeof...(A)>::type());
}
/* The most that an argument is aligned to, as tensor maps are. */
constexpr size_t aligned_size(size_t bytes) { return (bytes + 63) / 64 * 64; }
template <class... A>
TD_UNSEEN inline void **keep_arguments(void (*)(A...), void **arguments) {
  const size_t sizes[] = {sizeof(A)...}, count = sizeof...(A), places = aligned_size(count * sizeof(void *));
  auto **kept = static_cast<void **>(aligned_alloc(64, places + (aligned_size(sizeof(A)) + ...)));
  char *value = reinterpret_cast<char *>(kept) + places;
  for (size_t i = 0; i < count; value += aligned_size(sizes[i]), i++) kept[i] = memcpy(value, arguments[i], sizes[i]);
  return kept;
}
struct Registration {
  explicit Registration(const Kernel &kernel) { add_kernel(kernel); }
};
}  // namespace td_emu

#define TD_KERNEL(name)                                                                     \
  TD_UNSEEN static void name##_call(void **arguments) { td_emu::call_kernel(name, arguments); } \
  TD_UNSEEN static void **name##_keep(void **arguments) { return td_emu::keep_arguments(name, arguments); } \
  static const td_emu::Registration name##_registration(td_emu::Kernel{#name, name##_call, name##_keep});

#endif
