/*
 * The C ABI of a compiled tdsl model, version 1: one header for every backend and for every host language.
 *
 * Conventions. Every struct begins with its `size`; later versions only append fields, so a reader uses the smaller of the size
 * that it knows and the size that it finds, and walks arrays of structs by the size that the elements state. Types have fixed
 * width; there are no enums, bit fields or variable arguments in the interface, so that ctypes, N-API and Rust can bind it by hand.
 *
 * A model has entries (exported functions), each with tensor arguments, inputs first and outputs after them, and symbols, its
 * run-time dimensions. The state of an instance (parameters, buffers, optimizer state, hyper-parameters, random keys) is one
 * contiguous block, the arena, laid out by path. It is plain data: saving, loading and copying it needs no call.
 */
#ifndef TDSL_MODEL_H
#define TDSL_MODEL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TDSL_ABI_VERSION 1u
#define TDSL_MAX_RANK 8
#define TDSL_ALIGNMENT 64 /* of the state arena and of a workspace */

#ifndef TDSL_API
#define TDSL_API __attribute__((visibility("default")))
#endif

/* Status of a call. `tdsl_error` gives the text, which names the entry and the argument. */
typedef int32_t tdsl_status;
enum {
  TDSL_OK = 0,
  TDSL_E_ARG = 1,         /* a null, misplaced, overlapping or wrongly typed argument */
  TDSL_E_ABI = 2,         /* a struct or version that this library does not speak */
  TDSL_E_SHAPE = 3,       /* a shape or a symbol that does not fit the signature */
  TDSL_E_NOMEM = 4,       /* not enough memory, or a workspace that is too small */
  TDSL_E_NO_DEVICE = 5,   /* the device is missing */
  TDSL_E_DRIVER = 6,      /* the device's driver reported an error */
  TDSL_E_UNSUPPORTED = 7, /* this machine lacks what the model was compiled for */
  TDSL_E_BUSY = 8,        /* another call that excludes this one is running on the instance */
  TDSL_E_INTERNAL = 9,    /* a fault of tdsl */
  TDSL_E_LIMIT = 10,      /* a bounded loop reached its bound; state is unwritten */
  TDSL_E_INDEX = 11,      /* an index in a tensor is out of range; state is unwritten */
  TDSL_E_VALUE = 12       /* a value that an operation cannot take, such as a singular matrix; state is unwritten */
};

/* Element types. A bool is one byte, 0 or 1. */
enum {
  TDSL_BOOL = 1,
  TDSL_U8 = 2,
  TDSL_I8 = 3,
  TDSL_I16 = 4,
  TDSL_I32 = 5,
  TDSL_I64 = 6,
  TDSL_F16 = 7,
  TDSL_BF16 = 8,
  TDSL_F32 = 9,
  TDSL_F64 = 10
};

enum { TDSL_CPU = 1, TDSL_CUDA = 2 };

/* Roles of arguments (in, out) and of state leaves. */
enum { TDSL_IN = 1, TDSL_OUT = 2, TDSL_PARAM = 3, TDSL_BUFFER = 4, TDSL_STATE = 5, TDSL_KEY = 6 };

/*
 * Dimensions of an argument: n >= 0 is fixed, TDSL_DIM_SYMBOL(k) is symbol k of the entry, TDSL_DIM_DERIVED(k) is the k-th
 * expression in the entry's symbols, whose value `tdsl_shape` computes.
 */
#define TDSL_DIM_SYMBOL(k) (-1 - (int64_t)(k))
#define TDSL_DIM_DERIVED(k) (INT64_MIN + (int64_t)(k))
#define TDSL_DIM_IS_DERIVED(d) ((d) < INT64_MIN / 2)

typedef struct tdsl_symbol_spec {
  uint32_t size;
  uint32_t reserved;
  const char *name;
  int64_t min, max; /* inclusive; max is INT64_MAX where the program states no bound */
} tdsl_symbol_spec;

typedef struct tdsl_tensor_spec {
  uint32_t size;
  uint32_t dtype;
  uint32_t role; /* TDSL_IN or TDSL_OUT */
  uint32_t rank;
  int64_t dims[TDSL_MAX_RANK];
  const char *name; /* dotted path for a field of a record, "result" or "result.0" for results */
} tdsl_tensor_spec;

typedef struct tdsl_state_spec {
  uint32_t size;
  uint32_t dtype;
  uint32_t role; /* TDSL_PARAM, TDSL_BUFFER, TDSL_STATE or TDSL_KEY */
  uint32_t rank;
  int64_t dims[TDSL_MAX_RANK]; /* always fixed */
  uint64_t offset;             /* in the arena, a multiple of TDSL_ALIGNMENT for tensors that kernels read as vectors */
  uint64_t bytes;
  const char *name; /* dotted path, such as "net.fc1.weight" */
} tdsl_state_spec;

enum {
  TDSL_READS_STATE = 1u << 0,
  TDSL_WRITES_STATE = 1u << 1,
  TDSL_ENTRY_INIT = 1u << 2 /* hidden: fills the whole arena from one argument, a key i64[2]; at most one entry has it */
};

typedef struct tdsl_entry_spec {
  uint32_t size;
  uint32_t flags;
  const char *name;
  uint32_t n_args, n_symbols;
  const tdsl_tensor_spec *args; /* inputs first, outputs after them */
  const tdsl_symbol_spec *symbols;
} tdsl_entry_spec;

typedef struct tdsl_model_info {
  uint32_t size;
  uint32_t abi_version;
  uint32_t device; /* TDSL_CPU or TDSL_CUDA */
  uint32_t flags;
  const char *model_name;
  const char *compiler;     /* "tdsl 0.1.0" */
  const char *source_hash;  /* of the program and the options that it was compiled with */
  const char *cpu_features; /* what the machine code needs, names separated by spaces */
  const char *gpu_archs;    /* CUDA: "sm_80 sm_90a compute_90"; CPU: "" */
  uint32_t n_entries, n_state;
  const tdsl_entry_spec *entries;
  const tdsl_state_spec *state;
  uint64_t state_bytes; /* of the arena, a multiple of TDSL_ALIGNMENT */
} tdsl_model_info;

typedef struct tdsl_options {
  uint32_t size;
  int32_t device_index;
  int32_t n_threads; /* 0: as many as TDSL_THREADS says, or as this process may use cores */
  uint32_t flags;
  void *state;          /* arena of the caller, aligned to TDSL_ALIGNMENT, that outlives the instance; null: the instance allocates a zeroed one */
  uint64_t state_bytes; /* of `state` */
  void *(*alloc)(void *context, uint64_t bytes, uint64_t alignment); /* null: the C library's */
  void (*dealloc)(void *context, void *block);
  void *alloc_context;
} tdsl_options;

/* A contiguous row-major tensor. Data is aligned to the element. */
typedef struct tdsl_tensor {
  uint32_t size;
  uint32_t dtype;
  uint32_t rank;
  uint32_t device;
  void *data;     /* may be null where the tensor has no element */
  uint64_t bytes; /* what may be read or written at `data`; at least the tensor's own size */
  int64_t shape[TDSL_MAX_RANK];
} tdsl_tensor;

typedef struct tdsl_instance tdsl_instance;

/* Static description of the model; needs no device. Null when this library cannot speak `abi_version`. */
TDSL_API const tdsl_model_info *tdsl_query(uint32_t abi_version);

/* Whether this machine can run the model; the reason goes to `why` (may be null), always terminated. */
TDSL_API tdsl_status tdsl_probe(int32_t device_index, char *why, uint64_t why_bytes);

/* Makes an instance. `options` may be null. The arena is not initialised: run the entry marked TDSL_ENTRY_INIT, or load it. */
TDSL_API tdsl_status tdsl_create(const tdsl_options *options, tdsl_instance **out);

/* Frees the instance. No call may be running on it. Null is allowed. */
TDSL_API void tdsl_destroy(tdsl_instance *instance);

/* The arena of an instance, wherever it was allocated. */
TDSL_API tdsl_status tdsl_state(tdsl_instance *instance, void **base, uint64_t *bytes);

/* Checks the symbols (one value per symbol of the entry) and writes dtype, rank, device, bytes and shape of every argument. */
TDSL_API tdsl_status tdsl_shape(tdsl_instance *instance, uint32_t entry, const int64_t *symbols, tdsl_tensor *args, uint32_t n_args);

/* Bytes of scratch memory that a run with these symbols needs. */
TDSL_API tdsl_status tdsl_workspace(tdsl_instance *instance, uint32_t entry, const int64_t *symbols, uint64_t *bytes);

/*
 * Runs an entry. Everything is checked before memory is touched: symbols, dtypes, ranks, shapes, sizes, null and misaligned
 * pointers, outputs that overlap other arguments, arguments that overlap state that the entry writes. It allocates nothing. Calls that only
 * read state may run at the same time with different workspaces; a call that writes state excludes all others (TDSL_E_BUSY).
 * `stream` is null on the CPU.
 */
TDSL_API tdsl_status tdsl_run(tdsl_instance *instance, uint32_t entry, const int64_t *symbols, const tdsl_tensor *args, uint32_t n_args,
                              void *workspace, uint64_t workspace_bytes, void *stream);

/*
 * A stream that belongs to the instance, for hosts that make none of their own: what is started on the streams of two instances runs at the same
 * time. Null on the CPU.
 */
TDSL_API tdsl_status tdsl_stream(tdsl_instance *instance, void **stream);

/* Waits for what was started on `stream`. */
TDSL_API tdsl_status tdsl_sync(tdsl_instance *instance, void *stream);

/*
 * Copies the text of the last error of the instance, or of the calling thread where `instance` is null, to `text` (may be null),
 * always terminated. Returns the size of the whole text with its terminator, 1 where there was no error.
 */
TDSL_API uint64_t tdsl_error(const tdsl_instance *instance, char *text, uint64_t text_bytes);

/* Device memory for hosts that have no binding of their own: allocate, free and copy. On the CPU these are malloc, free and memcpy. */
enum { TDSL_MEM_ALLOC = 1, TDSL_MEM_FREE = 2, TDSL_MEM_TO_DEVICE = 3, TDSL_MEM_TO_HOST = 4, TDSL_MEM_COPY = 5 };
TDSL_API tdsl_status tdsl_mem(tdsl_instance *instance, uint32_t operation, void **block, const void *source, uint64_t bytes, void *stream);

#ifdef __cplusplus
}
#endif
#endif
