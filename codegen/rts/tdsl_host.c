/* The CPU as the device of a model: memory of the C library or of the caller's hooks, a pool of threads, and faults that are known at once. */
#define _POSIX_C_SOURCE 200809L /* posix_memalign, where the compiler was asked for plain C11 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdsl_device.h"
#include "tdsl_pool.h"
#include "tdsl_threads.h"
#include "tdsl_versions.h"

struct tdsl_device {
  void *(*alloc)(void *context, uint64_t bytes, uint64_t alignment);
  void (*dealloc)(void *context, void *block);
  void *context;
  tdsl_pool *pool;
  uint32_t version;
};

static void *default_alloc(void *context, uint64_t bytes, uint64_t alignment) {
  void *block = NULL;
  (void)context;
  return bytes <= SIZE_MAX && posix_memalign(&block, alignment, bytes ? bytes : 1) == 0 ? block : NULL;
}

static void default_dealloc(void *context, void *block) {
  (void)context;
  free(block);
}

tdsl_status tdsl_device_probe(int32_t index, tdsl_text why) {
  char missing[256];
  const tdsl_model_info *model = &tdsl_model_definition.info;
  (void)index; /* the CPU is one device */
  uint32_t version;
  if (tdsl_cpu_missing(model->cpu_features, missing, sizeof missing) == 0) return tdsl_choose_version(&version, why);
  snprintf(why.data, why.bytes, "%s was compiled for a CPU with features that this machine lacks: %s; compile it here, or with --cpu for an older CPU",
           model->model_name, missing);
  return TDSL_E_UNSUPPORTED;
}

tdsl_status tdsl_device_open(const tdsl_options *options, tdsl_device **out, tdsl_text why) {
  tdsl_device *device = calloc(1, sizeof *device);
  if (device == NULL) {
    snprintf(why.data, why.bytes, "not enough memory for an instance");
    return TDSL_E_NOMEM;
  }
  device->alloc = options->alloc != NULL ? options->alloc : default_alloc;
  device->dealloc = options->alloc != NULL ? options->dealloc : default_dealloc;
  device->context = options->alloc_context;
  int32_t threads = options->n_threads;
  tdsl_status status = tdsl_choose_version(&device->version, why);
  if (status == TDSL_OK && threads <= 0) status = tdsl_default_threads(&threads, why);
  if (status != TDSL_OK) {
    free(device);
    return status;
  }
  device->pool = tdsl_pool_create(threads);
  if (device->pool == NULL) {
    free(device);
    snprintf(why.data, why.bytes, "not enough memory for threads");
    return TDSL_E_NOMEM;
  }
  *out = device;
  return TDSL_OK;
}

void tdsl_device_close(tdsl_device *device) {
  if (device == NULL) return;
  tdsl_pool_destroy(device->pool);
  free(device);
}

void *tdsl_device_alloc(tdsl_device *device, uint64_t bytes) { return device->alloc(device->context, bytes, TDSL_ALIGNMENT); }

void tdsl_device_free(tdsl_device *device, void *block) {
  if (block != NULL) device->dealloc(device->context, block);
}

tdsl_status tdsl_device_copy(tdsl_device *device, uint32_t operation, void *to, const void *from, uint64_t bytes, void *stream, tdsl_text why) {
  (void)device, (void)operation, (void)stream, (void)why;
  if (bytes > 0) memmove(to, from, bytes);
  return TDSL_OK;
}

tdsl_status tdsl_device_clear(tdsl_device *device, void *to, uint64_t bytes, tdsl_text why) {
  (void)device, (void)why;
  if (bytes > 0) memset(to, 0, bytes);
  return TDSL_OK;
}

void *tdsl_device_stream(const tdsl_device *device) {
  (void)device;
  return NULL;
}

uint64_t tdsl_device_extra(const tdsl_device *device, uint64_t scratch, uint32_t positions) {
  (void)positions;
  return tdsl_size_mul(scratch, (uint64_t)tdsl_pool_threads(device->pool));
}

void tdsl_fail(tdsl_call *call, uint32_t site, int64_t position, int64_t value, int64_t bound) {
  tdsl_fault *fault = &call->fault;
  while (atomic_flag_test_and_set_explicit(&fault->lock, memory_order_acquire)) {
  }
  int first = !atomic_load_explicit(&fault->raised, memory_order_relaxed);
  if (first || site < fault->site || (site == fault->site && position < fault->position)) {
    fault->site = site;
    fault->position = position;
    fault->value = value;
    fault->bound = bound;
    atomic_store_explicit(&fault->raised, 1, memory_order_release);
  }
  atomic_flag_clear_explicit(&fault->lock, memory_order_release);
}

tdsl_status tdsl_device_run(tdsl_device *device, const tdsl_entry_def *entry, tdsl_call *call, tdsl_found *found, tdsl_text why) {
  (void)why;
  call->pool = device->pool;
  call->version = device->version;
  atomic_init(&call->fault.raised, 0);
  atomic_flag_clear(&call->fault.lock);
  tdsl_status status = entry->run(call);
  const tdsl_fault *fault = &call->fault;
  if (tdsl_faulted(call)) *found = (tdsl_found){1, fault->site, fault->position, fault->value, fault->bound};
  return status;
}

tdsl_status tdsl_device_sync(tdsl_device *device, void *stream, tdsl_found *fault, tdsl_text why) {
  (void)device, (void)stream, (void)why;
  fault->raised = 0;
  return TDSL_OK;
}
