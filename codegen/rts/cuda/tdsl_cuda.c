/*
 * A GPU as the device of a model, through the CUDA driver, which is bound when it is first needed. Launches and copies are asynchronous on the
 * stream of the call. A fault stays in a record on the device until tdsl_sync reads it; until then kernels that write state do nothing.
 */
#include "tdsl_cuda.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdsl_device.h"
#include "tdsl_driver.h"

/* struct td_fault of tdsl_gpu.h, as the host sees it. */
typedef struct fault_record {
  uint32_t raised, lock, site, reserved;
  int64_t position, value, bound;
} fault_record;

/* The launches of an entry's last call as a graph, once the same call was made twice: same sizes, same addresses. */
typedef struct entry_graph {
  uint64_t *key;
  uint32_t seen; /* calls with this key */
  int unfit;     /* a condition of the entry depends on data */
  cu_handle exec;
} entry_graph;

struct tdsl_device {
  int index;
  cu_handle context;
  cu_handle *libraries;
  cu_handle *functions; /* by the number of the kernel */
  int processors;
  cu_address faults;
  cu_handle own_stream, capture_stream;
  entry_graph *graphs; /* by the number of the entry; null where graphs are turned off */
  pthread_mutex_t graph_lock;
  void *(*alloc)(void *context, uint64_t bytes, uint64_t alignment);
  void (*dealloc)(void *context, void *block);
  void *alloc_context;
};

/* --- the driver -------------------------------------------------------------------------------------------------------------------------- */

static tdsl_driver driver;
static char driver_error[256];
static pthread_once_t driver_once = PTHREAD_ONCE_INIT;
static _Thread_local char call_error[256];

static void bind_driver(void) {
  void *library = NULL;
  if (tdsl_emulated_driver == NULL) {
    library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
      snprintf(driver_error, sizeof driver_error, "no CUDA driver: %s", dlerror());
      return;
    }
  }
#define BIND(field, name, parameters)                                                                      \
  *(void **)&driver.field = library != NULL ? dlsym(library, #name) : tdsl_emulated_driver(#name);         \
  if (*(void **)&driver.field == NULL) {                                                                   \
    snprintf(driver_error, sizeof driver_error, "the CUDA driver is too old: it has no function %s", #name); \
    return;                                                                                                \
  }
  TDSL_DRIVER_FUNCTIONS(BIND)
  cu_result result = driver.init(0);
  const char *text = "unknown error";
  if (result == 0) return;
  driver.error_string(result, &text);
  snprintf(driver_error, sizeof driver_error, "the CUDA driver does not start: %s", text);
}

static const char *result_text(cu_result result) {
  const char *text = NULL;
  if (driver.error_string(result, &text) != 0 || text == NULL) return "unknown error of the driver";
  return text;
}

static tdsl_status say(tdsl_text why, tdsl_status status, const char *what, cu_result result) {
  snprintf(why.data, why.bytes, "%s%s%s", what, result == 0 ? "" : ": ", result == 0 ? "" : result_text(result));
  return status;
}

tdsl_status tdsl_device_probe(int32_t index, tdsl_text why) {
  pthread_once(&driver_once, bind_driver);
  if (driver_error[0] != 0) return say(why, TDSL_E_NO_DEVICE, driver_error, 0);
  int count = 0;
  cu_result result = driver.device_count(&count);
  if (result != 0) return say(why, TDSL_E_NO_DEVICE, "no CUDA device", result);
  if (index >= 0 && index < count) return TDSL_OK;
  snprintf(why.data, why.bytes, "there is no CUDA device %d: the machine has %d", index, count);
  return TDSL_E_NO_DEVICE;
}

/* --- devices ----------------------------------------------------------------------------------------------------------------------------- */

static void enter(const tdsl_device *device) { driver.context_push(device->context); }
static void leave(void) {
  cu_handle context;
  driver.context_pop(&context);
}

enum { BLOCK = 256, BLOCKS_PER_PROCESSOR = 8 };

/* Loads the model's code and looks up every kernel, so that nothing is loaded while a graph is captured. */
static tdsl_status load_kernels(tdsl_device *device, tdsl_text why) {
  device->libraries = calloc(tdsl_image_count, sizeof *device->libraries);
  device->functions = calloc(tdsl_kernel_count, sizeof *device->functions);
  if (device->libraries == NULL || device->functions == NULL) return say(why, TDSL_E_NOMEM, "not enough memory for an instance", 0);
  for (uint32_t i = 0; i < tdsl_image_count; i++) {
    cu_result result = driver.library_load(&device->libraries[i], tdsl_images[i], NULL, NULL, 0, NULL, NULL, 0);
    if (result != 0) {
      snprintf(why.data, why.bytes, "the GPU does not take the model's code (compiled for %s): %s", tdsl_model_definition.info.gpu_archs, result_text(result));
      return TDSL_E_UNSUPPORTED;
    }
  }
  for (uint32_t k = 0; k < tdsl_kernel_count; k++) {
    const tdsl_kernel_def *def = &tdsl_kernels[k];
    cu_handle kernel;
    cu_result result = driver.library_kernel(&kernel, device->libraries[def->image], def->name);
    if (result == 0) result = driver.kernel_function(&device->functions[k], kernel);
    int threads = def->threads;
    if (result == 0 && threads > BLOCK) result = driver.function_value(&threads, CU_FUNCTION_MAX_THREADS, device->functions[k]);
    if (threads < def->threads) {
      device->functions[k] = NULL;
      continue;
    }
    if (result == 0 && def->shared_bytes > 48 * 1024)
      result = driver.function_attribute(device->functions[k], CU_FUNCTION_DYNAMIC_SHARED_BYTES, (int)def->shared_bytes);
    if (result != 0) return say(why, TDSL_E_DRIVER, def->name, result);
  }
  return TDSL_OK;
}

tdsl_status tdsl_device_open(const tdsl_options *options, tdsl_device **out, tdsl_text why) {
  tdsl_device *device = calloc(1, sizeof *device);
  if (device == NULL) return say(why, TDSL_E_NOMEM, "not enough memory for an instance", 0);
  pthread_mutex_init(&device->graph_lock, NULL);
  device->alloc = options->alloc;
  device->dealloc = options->dealloc;
  device->alloc_context = options->alloc_context;
  cu_result result = driver.device_get(&device->index, options->device_index);
  if (result == 0) result = driver.context_retain(&device->context, device->index);
  if (result == 0) result = driver.device_attribute(&device->processors, CU_ATTRIBUTE_PROCESSORS, device->index);
  if (result != 0) {
    tdsl_device_close(device);
    return say(why, TDSL_E_DRIVER, "opening the GPU", result);
  }
  enter(device);
  tdsl_status status = load_kernels(device, why);
  if (status == TDSL_OK) {
    result = driver.memory_alloc(&device->faults, sizeof(fault_record));
    if (result == 0) result = driver.memory_set(device->faults, 0, sizeof(fault_record), NULL);
    if (result == 0) result = driver.stream_wait(NULL);
    if (result == 0) result = driver.stream_create(&device->own_stream, 1 /* does not wait for the default stream */);
    if (result == 0) result = driver.stream_create(&device->capture_stream, 1);
    if (result != 0) status = say(why, TDSL_E_NOMEM, "memory for faults", result);
    if (getenv("TDSL_NO_GRAPHS") == NULL) device->graphs = calloc(tdsl_model_definition.info.n_entries, sizeof *device->graphs);
  }
  leave();
  if (status != TDSL_OK)
    tdsl_device_close(device);
  else
    *out = device;
  return status;
}

void tdsl_device_close(tdsl_device *device) {
  if (device == NULL) return;
  if (device->context != NULL) {
    enter(device);
    if (device->faults != 0) driver.memory_free(device->faults);
    for (uint32_t i = 0; device->graphs != NULL && i < tdsl_model_definition.info.n_entries; i++) {
      if (device->graphs[i].exec != NULL) driver.exec_destroy(device->graphs[i].exec);
      free(device->graphs[i].key);
    }
    if (device->capture_stream != NULL) driver.stream_destroy(device->capture_stream);
    if (device->own_stream != NULL) driver.stream_destroy(device->own_stream);
    for (uint32_t i = 0; device->libraries != NULL && i < tdsl_image_count; i++)
      if (device->libraries[i] != NULL) driver.library_unload(device->libraries[i]);
    leave();
    driver.context_release(device->index);
  }
  free(device->graphs);
  free(device->libraries);
  free(device->functions);
  pthread_mutex_destroy(&device->graph_lock);
  free(device);
}

void *tdsl_device_stream(const tdsl_device *device) { return device->own_stream; }

/* --- memory ------------------------------------------------------------------------------------------------------------------------------ */

void *tdsl_device_alloc(tdsl_device *device, uint64_t bytes) {
  if (device->alloc != NULL) return device->alloc(device->alloc_context, bytes, TDSL_ALIGNMENT);
  cu_address address = 0;
  enter(device);
  cu_result result = driver.memory_alloc(&address, bytes > 0 ? bytes : 1);
  leave();
  return result == 0 ? (void *)(uintptr_t)address : NULL;
}

void tdsl_device_free(tdsl_device *device, void *block) {
  if (block == NULL) return;
  if (device->dealloc != NULL) {
    device->dealloc(device->alloc_context, block);
    return;
  }
  enter(device);
  driver.memory_free((cu_address)(uintptr_t)block);
  leave();
}

static cu_address address_of(const void *place) { return (cu_address)(uintptr_t)place; }

tdsl_status tdsl_device_copy(tdsl_device *device, uint32_t operation, void *to, const void *from, uint64_t bytes, void *stream, tdsl_text why) {
  cu_result result = 0;
  if (bytes == 0) return TDSL_OK;
  enter(device);
  if (operation == TDSL_MEM_TO_DEVICE) {
    result = driver.copy_to_device(address_of(to), from, bytes, stream);
  } else if (operation == TDSL_MEM_TO_HOST) {
    result = driver.copy_to_host(to, address_of(from), bytes, stream);
    if (result == 0) result = driver.stream_wait(stream);
  } else {
    result = driver.copy_on_device(address_of(to), address_of(from), bytes, stream);
  }
  leave();
  return result == 0 ? TDSL_OK : say(why, TDSL_E_DRIVER, "copying", result);
}

tdsl_status tdsl_device_clear(tdsl_device *device, void *to, uint64_t bytes, tdsl_text why) {
  if (bytes == 0) return TDSL_OK;
  enter(device);
  cu_result result = driver.memory_set(address_of(to), 0, bytes, NULL);
  if (result == 0) result = driver.stream_wait(NULL);
  leave();
  return result == 0 ? TDSL_OK : say(why, TDSL_E_DRIVER, "clearing memory", result);
}

uint64_t tdsl_device_extra(const tdsl_device *device, uint64_t scratch, uint32_t positions) {
  (void)device, (void)scratch;
  return (uint64_t)positions * TDSL_ALIGNMENT;
}

/* --- runs -------------------------------------------------------------------------------------------------------------------------------- */

/* Keeps the first error of a call. */
static void record(tdsl_call *call, const char *what, cu_result result) {
  if (result == 0 || call->status != TDSL_OK) return;
  call->status = say((tdsl_text){call_error, sizeof call_error}, TDSL_E_DRIVER, what, result);
}

void tdsl_launch_blocks(tdsl_call *call, uint32_t kernel, int64_t blocks, uint32_t threads, void **params) {
  tdsl_device *device = call->device;
  if (blocks <= 0 || call->status != TDSL_OK) return;
  params[0] = &device->faults;
  params[1] = &call->guarded;
  params[2] = &call->active;
  if (blocks > INT32_MAX) blocks = INT32_MAX;
  record(call, tdsl_kernels[kernel].name,
         driver.launch(device->functions[kernel], (unsigned)blocks, 1, 1, threads, 1, 1, tdsl_kernels[kernel].shared_bytes, call->stream, params, NULL));
}

/* The blocks for pieces of work of a team: no more than keep the GPU busy. */
static int64_t blocks_for(const tdsl_call *call, int64_t items, uint32_t team) {
  const int64_t most = (int64_t)call->device->processors * BLOCKS_PER_PROCESSOR, per_block = BLOCK / team;
  const int64_t blocks = (items + per_block - 1) / per_block;
  return blocks < most ? blocks : most;
}

void tdsl_launch(tdsl_call *call, uint32_t kernel, int64_t items, uint32_t team, void **params) {
  uint32_t threads = BLOCK;
  if (items <= 0) return;
  if (items < BLOCK / team) threads = (uint32_t)((items * team + 31) / 32 * 32);
  tdsl_launch_blocks(call, kernel, blocks_for(call, items, team), threads, params);
}

void tdsl_launch_group(tdsl_call *call, uint32_t kernel, uint32_t team, int64_t pack, void *const *columns, uint32_t width,
                       const int64_t *items, uint32_t count, void **params) {
  enum { WORDS = 480 }; /* td_segments of tdsl_gpu.h: for each segment its last block, its items, its operands */
  uint64_t segments[WORDS];
  const uint32_t row = 2 + width, most = WORDS / row;
  params[3] = segments;
  for (uint32_t first = 0; first < count; first += most) {
    int64_t blocks = 0;
    memset(segments, 0, sizeof segments);
    for (uint32_t i = 0; i < most; i++) {
      uint64_t *segment = segments + i * row;
      const uint32_t own = first + i;
      if (own < count) {
        blocks += blocks_for(call, (items[own] + pack - 1) / pack, team);
        segment[1] = (uint64_t)items[own];
        for (uint32_t k = 0; k < width; k++) segment[2 + k] = (uint64_t)(uintptr_t)columns[own * width + k];
      }
      segment[0] = (uint64_t)blocks;
    }
    tdsl_launch_blocks(call, kernel, blocks, BLOCK, params);
  }
}

int tdsl_gpu_fills(tdsl_call *call, uint32_t kernel, int64_t blocks) {
  return call->device->functions[kernel] != NULL && blocks >= call->device->processors;
}

void tdsl_launch_resident(tdsl_call *call, uint32_t kernel, int64_t items, uint32_t threads, void **params) {
  tdsl_launch_blocks(call, kernel, items < call->device->processors ? items : call->device->processors, threads, params);
}

int tdsl_gpu_map(const tdsl_matrix *matrix, uint32_t rows, tdsl_tensor_map *map) {
  const uint64_t element_bytes = matrix->is_tf32 ? 4 : 2;
  const uint32_t box[5] = {(uint32_t)(128 / element_bytes), rows, 1, 1, 1}, element_steps[5] = {1, 1, 1, 1, 1};
  uint64_t sizes[5], steps[4];
  for (int i = 0; i < 5; i++) sizes[i] = (uint64_t)matrix->sizes[i];
  for (int i = 0; i < 4; i++) steps[i] = (uint64_t)matrix->steps[i] * element_bytes;
  return driver.tensor_map(map, matrix->is_tf32 ? CU_MAP_TF32 : CU_MAP_BF16, 5, (void *)(uintptr_t)matrix->start, sizes, steps, box, element_steps, 0,
                           CU_MAP_SWIZZLE_128, CU_MAP_L2_256, 0) == 0;
}

void tdsl_gpu_copy(tdsl_call *call, void *to, const void *from, int64_t bytes) {
  void *params[] = {NULL, NULL, NULL, &to, &from, &bytes};
  tdsl_launch(call, TDSL_KERNEL_COPY, (bytes + 15) / 16, 1, params);
}

void tdsl_gpu_clear(tdsl_call *call, void *to, int64_t bytes) {
  void *params[] = {NULL, NULL, NULL, &to, &bytes};
  tdsl_launch(call, TDSL_KERNEL_CLEAR, (bytes + 15) / 16, 1, params);
}

/* Reads memory of the device, which makes the host wait: a run that does so cannot be captured. */
static void peek(tdsl_call *call, void *to, cu_address from, size_t bytes) {
  memset(to, 0, bytes);
  if (call->status != TDSL_OK) return;
  int capturing = 0;
  if (driver.capture_status(call->stream, &capturing) == 0 && capturing != 0) {
    call->status = TDSL_E_UNSUPPORTED;
    snprintf(call_error, sizeof call_error, "a loop or branch depends on data, so this entry cannot be captured in a graph");
    return;
  }
  record(call, "reading a condition", driver.copy_to_host(to, from, bytes, call->stream));
  record(call, "waiting for a condition", driver.stream_wait(call->stream));
}

int tdsl_gpu_flag(tdsl_call *call, const void *place) {
  uint8_t flag;
  peek(call, &flag, address_of(place), sizeof flag);
  return flag != 0;
}

int64_t tdsl_gpu_count(tdsl_call *call, const void *place) {
  int64_t count;
  peek(call, &count, address_of(place), sizeof count);
  return count;
}

int tdsl_gpu_faulted(tdsl_call *call) {
  uint32_t raised;
  peek(call, &raised, call->device->faults, sizeof raised);
  return raised != 0 || call->status != TDSL_OK;
}

/* Reports a fault that the host has found. */
void tdsl_fail(tdsl_call *call, uint32_t site, int64_t position, int64_t value, int64_t bound) {
  fault_record old;
  peek(call, &old, call->device->faults, sizeof old);
  if (call->status != TDSL_OK || (old.raised && old.site <= site)) return;
  fault_record fault = {1, 0, site, 0, position, value, bound};
  record(call, "reporting a fault", driver.copy_to_device(call->device->faults, &fault, sizeof fault, call->stream));
  record(call, "reporting a fault", driver.stream_wait(call->stream));
}

void tdsl_gpu_set_count(tdsl_call *call, void *place, int64_t value) {
  void *params[] = {NULL, NULL, NULL, &place, &value};
  tdsl_launch_blocks(call, TDSL_KERNEL_SET, 1, 1, params);
}

/* --- branches and loops that the device decides ----------------------------------------------------------------------------------------------- */

/* Launches so many in a graph that nobody may want at the end are worth it; a capture of the caller's own gets what it asks for. */
enum { MOST_OWN_LAUNCHES = 512, MOST_LAUNCHES = 65536 };

static void *slot_of(const tdsl_call *call, uint32_t number) { return call->extra + (size_t)number * TDSL_ALIGNMENT; }

void tdsl_control(tdsl_call *call, uint32_t number, int32_t what, const void *outer, const void *value, int64_t bound, uint32_t site) {
  void *slot = slot_of(call, number);
  void *params[] = {&call->device->faults, &slot, &outer, &what, &value, &bound, &site};
  call->active = slot;
  if (call->status == TDSL_OK)
    record(call, "deciding a branch or loop", driver.launch(call->device->functions[TDSL_KERNEL_CONTROL], 1, 1, 1, 1, 1, 1, 0, call->stream, params, NULL));
}

/* Whether the stream is being captured, so that nothing can be asked; an error where what is left would be too much for a graph. */
static int is_captured(tdsl_call *call, int64_t launches) {
  int capturing = 0;
  if (driver.capture_status(call->stream, &capturing) != 0 || capturing == 0) return 0;
  if (launches > (call->stream == call->device->capture_stream ? MOST_OWN_LAUNCHES : MOST_LAUNCHES) && call->status == TDSL_OK) {
    call->status = TDSL_E_UNSUPPORTED;
    snprintf(call_error, sizeof call_error, "a loop that depends on data may make too many trips to be captured in a graph");
  }
  return 1;
}

int tdsl_ended(tdsl_call *call, uint32_t number, int64_t trip, int64_t launches) {
  uint32_t active;
  if (is_captured(call, launches)) return call->status != TDSL_OK;
  /* The host runs ahead of the device for more and more trips, of which those behind the last one cost little. */
  if (trip == 0 || ((trip & (trip - 1)) != 0 && trip % 16 != 0)) return call->status != TDSL_OK;
  peek(call, &active, address_of(slot_of(call, number)), sizeof active);
  return active == 0;
}

int64_t tdsl_trips(tdsl_call *call, uint32_t number, int64_t most, int64_t launches) {
  int64_t made;
  if (is_captured(call, launches)) return call->status == TDSL_OK ? most : 0;
  peek(call, &made, address_of(slot_of(call, number)) + 8 /* td_slot.made */, sizeof made);
  return made < most ? made : most;
}

const void *tdsl_made(const tdsl_call *call, uint32_t number) { return (const unsigned char *)slot_of(call, number) + 8; }

void *tdsl_gpu_position(tdsl_call *call, uint32_t number, int64_t position) {
  void *place = slot_of(call, number);
  tdsl_gpu_set_count(call, place, position);
  return place;
}

/* What a call's launches depend on: sizes and addresses. */
static uint32_t key_of(const tdsl_call *call, const tdsl_entry_spec *spec, uint64_t *key) {
  uint32_t length = 0;
  for (uint32_t k = 0; k < spec->n_symbols; k++) key[length++] = (uint64_t)call->symbols[k];
  for (uint32_t i = 0; i < spec->n_args; i++) key[length++] = (uint64_t)(uintptr_t)call->args[i];
  key[length++] = (uint64_t)(uintptr_t)call->workspace;
  return length;
}

/* Captures the launches of a call; leaves `exec` null and the graph marked unfit where that cannot be. */
static void capture(tdsl_device *device, const tdsl_entry_def *entry, tdsl_call *call, entry_graph *graph) {
  cu_handle captured = NULL;
  tdsl_call copy = *call;
  copy.stream = device->capture_stream;
  graph->unfit = 1;
  if (driver.capture_begin(device->capture_stream, 1 /* of this thread */) != 0) return;
  tdsl_status status = entry->run(&copy);
  cu_result result = driver.capture_end(device->capture_stream, &captured);
  if (result == 0 && status == TDSL_OK && copy.status == TDSL_OK && driver.graph_instantiate(&graph->exec, captured, 0) == 0) graph->unfit = 0;
  if (captured != NULL) driver.graph_destroy(captured);
}

/* Runs a call as a graph where the same call was made before; false where its launches have to be made one by one. */
static int run_graph(tdsl_device *device, const tdsl_entry_def *entry, tdsl_call *call) {
  const uint32_t number = (uint32_t)(entry - tdsl_model_definition.entries);
  const tdsl_entry_spec *spec = &tdsl_model_definition.info.entries[number];
  uint64_t key[spec->n_symbols + spec->n_args + 1];
  int capturing = 0, done = 0;
  if (device->graphs == NULL || driver.capture_status(call->stream, &capturing) != 0 || capturing != 0) return 0;
  const size_t bytes = key_of(call, spec, key) * sizeof *key;
  pthread_mutex_lock(&device->graph_lock);
  entry_graph *graph = &device->graphs[number];
  if (graph->key == NULL) graph->key = calloc(1, bytes);
  if (graph->key != NULL && !graph->unfit) {
    if (graph->seen > 0 && memcmp(graph->key, key, bytes) == 0) {
      if (graph->exec == NULL) capture(device, entry, call, graph);
    } else {
      if (graph->exec != NULL) driver.exec_destroy(graph->exec);
      graph->exec = NULL;
      memcpy(graph->key, key, bytes);
    }
    graph->seen++;
    if (graph->exec != NULL) {
      record(call, "launching a graph", driver.graph_launch(graph->exec, call->stream));
      done = 1;
    }
  }
  pthread_mutex_unlock(&device->graph_lock);
  return done;
}

tdsl_status tdsl_device_run(tdsl_device *device, const tdsl_entry_def *entry, tdsl_call *call, tdsl_found *fault, tdsl_text why) {
  tdsl_status status = TDSL_OK;
  call->device = device;
  fault->raised = 0;
  enter(device);
  if (!run_graph(device, entry, call)) status = entry->run(call);
  leave();
  if (call->status != TDSL_OK) {
    snprintf(why.data, why.bytes, "%s", call_error);
    return call->status;
  }
  return status;
}

tdsl_status tdsl_device_sync(tdsl_device *device, void *stream, tdsl_found *fault, tdsl_text why) {
  fault_record record;
  fault->raised = 0;
  enter(device);
  cu_result result = driver.copy_to_host(&record, device->faults, sizeof record, stream);
  if (result == 0) result = driver.stream_wait(stream);
  if (result == 0 && record.raised) {
    *fault = (tdsl_found){1, record.site, record.position, record.value, record.bound};
    result = driver.memory_set(device->faults, 0, sizeof record, stream);
    if (result == 0) result = driver.stream_wait(stream);
  }
  leave();
  return result == 0 ? TDSL_OK : say(why, TDSL_E_DRIVER, "waiting for the GPU", result);
}
