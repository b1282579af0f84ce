/*
 * What the run-time system asks of the device that a model runs on. tdsl_host.c answers for the CPU, cuda/tdsl_cuda.c for GPUs; a model
 * links one of them. Everything that does not depend on the device (tables, shapes, checks, error texts) is in tdsl_rts.c.
 */
#ifndef TDSL_DEVICE_H
#define TDSL_DEVICE_H

#include "tdsl_rts.h"

#define TDSL_HIDDEN __attribute__((visibility("hidden")))

typedef struct tdsl_device tdsl_device;

/* Texts of errors go to a buffer of the caller. */
typedef struct tdsl_text {
  char *data;
  uint64_t bytes;
} tdsl_text;

/* A fault of a run, put into plain numbers. */
typedef struct tdsl_found {
  int raised;
  uint32_t site;
  int64_t position, value, bound;
} tdsl_found;

TDSL_HIDDEN tdsl_status tdsl_device_probe(int32_t index, tdsl_text why);

/* Opens the device for an instance. The options were checked; the device allocates with their hooks where they have some. */
TDSL_HIDDEN tdsl_status tdsl_device_open(const tdsl_options *options, tdsl_device **out, tdsl_text why);
TDSL_HIDDEN void tdsl_device_close(tdsl_device *device);

/* The instance's own stream; null on the CPU. */
TDSL_HIDDEN void *tdsl_device_stream(const tdsl_device *device);

/* Memory of the device, aligned to TDSL_ALIGNMENT; null where there is not enough. */
TDSL_HIDDEN void *tdsl_device_alloc(tdsl_device *device, uint64_t bytes);
TDSL_HIDDEN void tdsl_device_free(tdsl_device *device, void *block);

/* Copies between host and device (`operation` as in tdsl_mem). Copies to the host have ended when it returns. */
TDSL_HIDDEN tdsl_status tdsl_device_copy(tdsl_device *device, uint32_t operation, void *to, const void *from, uint64_t bytes, void *stream, tdsl_text why);
TDSL_HIDDEN tdsl_status tdsl_device_clear(tdsl_device *device, void *to, uint64_t bytes, tdsl_text why);

/* Bytes that a run needs behind the entry's own workspace, given the scratch memory of a thread and the number of loop positions. */
TDSL_HIDDEN uint64_t tdsl_device_extra(const tdsl_device *device, uint64_t scratch, uint32_t positions);

/*
 * Runs an entry whose call was checked and filled in but for the device's own fields. The CPU reports a fault at once, a GPU when the stream
 * is waited for.
 */
TDSL_HIDDEN tdsl_status tdsl_device_run(tdsl_device *device, const tdsl_entry_def *entry, tdsl_call *call, tdsl_found *fault, tdsl_text why);

/* Waits for the stream; `fault` is the first fault of the runs since the last call. */
TDSL_HIDDEN tdsl_status tdsl_device_sync(tdsl_device *device, void *stream, tdsl_found *fault, tdsl_text why);

#endif
