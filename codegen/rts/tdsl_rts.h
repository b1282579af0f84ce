/*
 * What an emitted model and the run-time system share. An emitted C file includes this header, defines its kernels, one `run`
 * function per entry and static tables, and ends in the definition of `tdsl_model_definition`. Everything else (the functions of
 * tdsl_model.h, argument checks, threads, error texts, the test of CPU features) is in tdsl_rts.c, tdsl_host.c, tdsl_pool.c,
 * tdsl_threads.c, tdsl_cpu.c and tdsl_versions.c, which are compiled for the plainest CPU, so that a machine that lacks a feature gets an error and not an illegal instruction.
 */
#ifndef TDSL_RTS_H
#define TDSL_RTS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "tdsl_cpu.h"
#include "tdsl_model.h"

typedef struct tdsl_pool tdsl_pool;

/* The first fault of a run: the one with the smallest (site, position), whatever the number of threads. */
typedef struct tdsl_fault {
  _Atomic uint32_t raised; /* read without the lock by tdsl_faulted */
  atomic_flag lock;
  uint32_t site;
  int64_t position, value, bound;
} tdsl_fault;

/* One call of an entry, as its `run` function sees it. Everything here was checked. */
typedef struct tdsl_call {
  const int64_t *symbols; /* of the entry */
  const int64_t *derived; /* dimensions that are expressions in the symbols */
  void *const *args;      /* data of the arguments, in the order of the entry's table; aligned to the element only */
  unsigned char *state;   /* the arena, aligned to TDSL_ALIGNMENT */
  unsigned char *workspace; /* aligned to TDSL_ALIGNMENT; null where the entry needs none */
  unsigned char *extra;     /* behind the workspace: on the CPU scratch memory, a part for each thread; on a GPU the positions of loops */
  void *stream;             /* on a GPU */
  struct tdsl_device *device;
  const void *active;       /* on a GPU: the slot of the branch or loop around what is launched, or null */
  int32_t guarded;          /* on a GPU: kernels do nothing any more once a fault was reported */
  tdsl_status status;       /* on a GPU: the first error of the driver */
  tdsl_pool *pool;
  uint32_t version; /* on the CPU: which of the model's versions runs */
  tdsl_fault fault;
} tdsl_call;

/* A place in the program where a run can fail for a reason that only the data shows. */
typedef struct tdsl_fault_site {
  tdsl_status status; /* TDSL_E_INDEX, TDSL_E_LIMIT or TDSL_E_VALUE */
  const char *where;  /* "mlp.td:13:7" */
  const char *what;   /* INDEX: the operation, "gather"; LIMIT: the loop; VALUE: the whole message */
  uint32_t entry;     /* the number of the entry that it belongs to */
} tdsl_fault_site;

typedef struct tdsl_entry_def {
  /*
   * Runs the kernels. All faults must be looked for (TDSL_CHECK_FAULTS) before the first kernel that writes state, so that a
   * failed call leaves state as it was.
   */
  tdsl_status (*run)(tdsl_call *call);
  /* Bytes of values between kernels for these symbols, computed with the saturating helpers below; null: none. */
  uint64_t (*workspace)(const int64_t *symbols, const int64_t *derived);
  /* Bytes of scratch memory that each thread needs besides, on the CPU; null: none. */
  uint64_t (*scratch)(const int64_t *symbols, const int64_t *derived);
  /*
   * Writes the derived dimensions, at most TDSL_MAX_DERIVED, and returns -1, or the index in `checks` of the first condition on the symbols
   * that the compiler could not decide and that does not hold; then it writes the values that the text of this condition tells instead.
   * Null where there is neither.
   */
  int32_t (*derive)(const int64_t *symbols, int64_t *derived);
  const char *const *derived_text; /* "H - K + 1" */
  const char *const *checks;       /* "groups have one size (conv.td:4:9): n % 4 = 0 is needed, but n % 4 is \001" */
  uint32_t positions;              /* the number of its loops whose position kernels read */
} tdsl_entry_def;

#define TDSL_MAX_DERIVED 64

/* Kernels for one CPU, of a model that holds them for several. */
typedef struct tdsl_version {
  const char *cpu;             /* as the C compiler names it: "x86-64-v3" */
  const char *const *features; /* what its machine code needs, names separated by spaces */
} tdsl_version;

typedef struct tdsl_model_def {
  tdsl_model_info info;
  const tdsl_entry_def *entries; /* parallel to info.entries */
  const tdsl_fault_site *fault_sites;
  const tdsl_version *versions; /* none where all code is for one CPU */
  uint32_t n_versions;
} tdsl_model_def;

/* The emitted file defines this. */
extern const tdsl_model_def tdsl_model_definition __attribute__((visibility("hidden")));

/* --- for kernels ------------------------------------------------------------------------------------------------------------ */

typedef void (*tdsl_task)(void *context, int64_t chunk, int32_t thread);

/*
 * Calls task(context, chunk, thread) for every chunk in [0, chunks), on the threads that happen to be free, and returns when all are done. What
 * a chunk computes must not depend on where chunks begin and end: that keeps results the same to the bit for any number of threads.
 * Worth it from about 5 microseconds of work; 4 to 8 chunks a thread degrade best when the machine is busy. Calls do not nest: an inner call
 * runs its chunks in order. `thread` counts from 0, the calling thread; chunks that run at the same time have different ones.
 */
__attribute__((visibility("hidden"))) void tdsl_parallel(tdsl_pool *pool, int64_t chunks, tdsl_task task, void *context);

/* The number of threads, the caller's included. */
__attribute__((visibility("hidden"))) int32_t tdsl_pool_threads(const tdsl_pool *pool);

/*
 * Reports a fault at a site of the model's table; callable from any chunk. The kernel goes on with a harmless value. `position` is the
 * element's place in the tensor that holds the bad value (it decides which of several faults is told), `value` the bad value, `bound` the
 * size that it exceeds (INDEX) or the number of trips (LIMIT).
 */
__attribute__((visibility("hidden"), cold)) void tdsl_fail(tdsl_call *call, uint32_t site, int64_t position, int64_t value, int64_t bound);

static inline int tdsl_faulted(const tdsl_call *call) {
  return atomic_load_explicit(&((tdsl_call *)call)->fault.raised, memory_order_acquire) != 0;
}

/* Leaves a `run` function when a kernel reported a fault. */
#define TDSL_CHECK_FAULTS(call)                                                              \
  do {                                                                                       \
    if (tdsl_faulted(call)) return tdsl_model_definition.fault_sites[(call)->fault.site].status; \
  } while (0)

/* --- sizes, which saturate at UINT64_MAX instead of wrapping --------------------------------------------------------------------- */

static inline uint64_t tdsl_size_add(uint64_t a, uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }
static inline uint64_t tdsl_size_mul(uint64_t a, uint64_t b) {
  uint64_t product;
  return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}
static inline uint64_t tdsl_size_max(uint64_t a, uint64_t b) { return a > b ? a : b; }
/* Rounds up to the alignment of the arena and the workspace. */
static inline uint64_t tdsl_size_align(uint64_t a) {
  return a > UINT64_MAX - (TDSL_ALIGNMENT - 1) ? UINT64_MAX : (a + (TDSL_ALIGNMENT - 1)) & ~(uint64_t)(TDSL_ALIGNMENT - 1);
}
/* Floor division and remainder, as the language's `//` and `%` on dimensions: b > 0. */
static inline int64_t tdsl_floordiv(int64_t a, int64_t b) { return a / b - (a % b < 0); }
static inline int64_t tdsl_floormod(int64_t a, int64_t b) { return a - tdsl_floordiv(a, b) * b; }

/* A table's spec structs begin with their size; this keeps emitted tables short. */
#define TDSL_SYMBOL(name_, min_, max_) {sizeof(tdsl_symbol_spec), 0, name_, min_, max_}
#define TDSL_ARG(name_, role_, dtype_, rank_, ...) {sizeof(tdsl_tensor_spec), dtype_, role_, rank_, {__VA_ARGS__}, name_}
#define TDSL_LEAF(name_, role_, dtype_, offset_, bytes_, rank_, ...) \
  {sizeof(tdsl_state_spec), dtype_, role_, rank_, {__VA_ARGS__}, offset_, bytes_, name_}

#endif
