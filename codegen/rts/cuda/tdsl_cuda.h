/*
 * What the host code of an emitted CUDA model uses: kernel launches, and memory as the run functions of entries use it. All of it goes to the
 * stream of the call; only what reads a flag or a count waits for the device.
 */
#ifndef TDSL_CUDA_H
#define TDSL_CUDA_H

#include "tdsl_rts.h"

/*
 * A kernel of the model: where its code is, how much dynamic shared memory it asks for, and how many threads a block must be able to have. Code
 * for a GPU that lacks a kernel's instructions allows fewer, and the kernel is then missing.
 */
typedef struct tdsl_kernel_def {
  const char *name;
  uint32_t image;
  uint32_t shared_bytes;
  int32_t threads;
} tdsl_kernel_def;

/* The emitted files define these; the run-time system's own kernels come first. */
extern const tdsl_kernel_def tdsl_kernels[] __attribute__((visibility("hidden")));
extern const uint32_t tdsl_kernel_count __attribute__((visibility("hidden")));
extern const void *const tdsl_images[] __attribute__((visibility("hidden")));
extern const uint32_t tdsl_image_count __attribute__((visibility("hidden")));
enum { TDSL_KERNEL_COPY, TDSL_KERNEL_CLEAR, TDSL_KERNEL_SET, TDSL_KERNEL_CONTROL, TDSL_OWN_KERNELS };

/* Elements that a block sorts; longer rows are merged from such chunks. */
enum { TDSL_SORT_CHUNK = 2048 };

#define TDSL_GPU_API __attribute__((visibility("hidden")))

/*
 * Launches a kernel for `items` pieces of work, on each of which `team` threads work together. params[0] to params[2], the fault record,
 * and whether it stops the kernel, are filled in here. Nothing is launched for no items.
 */
TDSL_GPU_API void tdsl_launch(tdsl_call *call, uint32_t kernel, int64_t items, uint32_t team, void **params);
/* The same with one block of `threads` threads for each item. */
TDSL_GPU_API void tdsl_launch_blocks(tdsl_call *call, uint32_t kernel, int64_t blocks, uint32_t threads, void **params);

/*
 * Does the work of `count` launches with one, or with as few as the parameters of a kernel allow: launch i does its thing items[i] times, of which a
 * thread or team takes `pack` at once, with the `width` operands in row i of `columns`. params[3] is filled in, too.
 */
TDSL_GPU_API void tdsl_launch_group(tdsl_call *call, uint32_t kernel, uint32_t team, int64_t pack, void *const *columns, uint32_t width,
                                    const int64_t *items, uint32_t count, void **params);

/* Whether a kernel exists for this GPU and has work for every processor of it. */
TDSL_GPU_API int tdsl_gpu_fills(tdsl_call *call, uint32_t kernel, int64_t blocks);
/* One block of `threads` threads for each processor, which share the items. */
TDSL_GPU_API void tdsl_launch_resident(tdsl_call *call, uint32_t kernel, int64_t items, uint32_t threads, void **params);

/* What td_tensor_map is to kernels. */
typedef struct tdsl_tensor_map {
  _Alignas(64) unsigned char opaque[128];
} tdsl_tensor_map;
/* A factor of a product: its start, the sizes of its contiguous side, the other one and three batches, and the elements between neighbours along all but the first. */
typedef struct tdsl_matrix {
  const void *start;
  uint32_t is_tf32; /* f32 that are rounded to tf32, else bf16 */
  int64_t sizes[5], steps[4];
} tdsl_matrix;
/* Describes a matrix for copies of tiles of `rows` rows of 128 bytes; false where the hardware cannot copy it. */
TDSL_GPU_API int tdsl_gpu_map(const tdsl_matrix *matrix, uint32_t rows, tdsl_tensor_map *map);

TDSL_GPU_API void tdsl_gpu_copy(tdsl_call *call, void *to, const void *from, int64_t bytes);
TDSL_GPU_API void tdsl_gpu_clear(tdsl_call *call, void *to, int64_t bytes);
/* Wait for the device and read; after an error of the driver the answer is 0. */
TDSL_GPU_API int tdsl_gpu_flag(tdsl_call *call, const void *place);
TDSL_GPU_API int64_t tdsl_gpu_count(tdsl_call *call, const void *place);
TDSL_GPU_API int tdsl_gpu_faulted(tdsl_call *call);
TDSL_GPU_API void tdsl_gpu_set_count(tdsl_call *call, void *place, int64_t value);
/* Writes the position of a loop where kernels read it. */
TDSL_GPU_API void *tdsl_gpu_position(tdsl_call *call, uint32_t number, int64_t position);

/*
 * Branches and loops that the device decides. tdsl_control changes slot `number`, and what is launched afterwards does nothing unless the slot is active.
 * An inactive slot or null `outer` around it decides first. `value` is a condition, or for TDSL_TRIPS and TDSL_TRIP a number of trips.
 */
enum {
  TDSL_IF,    /* active where the condition holds */
  TDSL_ELSE,  /* active where it does not */
  TDSL_BEGIN, /* active, no trip made */
  TDSL_WHILE, /* stays active where the condition holds: a trip is made */
  TDSL_LIMIT, /* fault `site` where the condition still holds after `bound` trips */
  TDSL_TRIPS, /* as many trips are made as are asked for; fault `site` where that is more than `bound` */
  TDSL_TRIP   /* active where trip number `bound` is made */
};
TDSL_GPU_API void tdsl_control(tdsl_call *call, uint32_t number, int32_t what, const void *outer, const void *value, int64_t bound, uint32_t site);
/* Whether a loop has ended before a trip: asked for now and then, and not while a graph is captured. `launches` is what all trips take. */
TDSL_GPU_API int tdsl_ended(tdsl_call *call, uint32_t number, int64_t trip, int64_t launches);
/* How many trips must be launched for a number of them that TDSL_TRIPS has found: all of `most` while a graph is captured. */
TDSL_GPU_API int64_t tdsl_trips(tdsl_call *call, uint32_t number, int64_t most, int64_t launches);
/* Where the number of trips made is. */
TDSL_GPU_API const void *tdsl_made(const tdsl_call *call, uint32_t number);

#define tdsl_copy(call, to, from, bytes) tdsl_gpu_copy(call, to, from, bytes)
#define tdsl_clear(call, to, bytes) tdsl_gpu_clear(call, to, bytes)
#define tdsl_flag(call, place) tdsl_gpu_flag(call, place)
#define tdsl_count(call, place) tdsl_gpu_count(call, place)
#define tdsl_set_count(call, place, value) tdsl_gpu_set_count(call, place, value)
#define tdsl_position(call, number, position) tdsl_gpu_position(call, number, *(position))
#define tdsl_faulted(call) tdsl_gpu_faulted(call)

/* From here on kernels do nothing once a fault was reported: what follows writes state. */
#undef TDSL_CHECK_FAULTS
#define TDSL_CHECK_FAULTS(call) ((call)->guarded = 1)

#endif
