/*
 * The functions of tdsl_model.h, for any model and device: they read the static tables of `tdsl_model_definition`. Everything that a host can
 * get wrong is found here, before a kernel runs; kernels assume arguments that fit. What depends on the device is behind tdsl_device.h.
 */
#include "tdsl_device.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ERROR_BYTES = 512, SHAPE_BYTES = 192 };

struct tdsl_instance {
  unsigned char *state;
  int owns_state;
  tdsl_device *device;
  _Atomic int32_t users; /* calls that read state, or -1 while one writes it */
  pthread_mutex_t error_lock;
  char error[ERROR_BYTES];
};

static const tdsl_model_info *const model = &tdsl_model_definition.info;
static _Thread_local char thread_error[ERROR_BYTES];

static const char *const dtype_names[] = {"?", "bool", "u8", "i8", "i16", "i32", "i64", "f16", "bf16", "f32", "f64"};
static const uint8_t dtype_sizes[] = {0, 1, 1, 1, 2, 4, 8, 2, 2, 4, 8};

static const char *dtype_name(uint32_t dtype) { return dtype_names[dtype <= TDSL_F64 ? dtype : 0]; }

/* --- errors -------------------------------------------------------------------------------------------------------------------- */

/* Records a text for the thread and, where there is one, for the instance; returns the status. */
__attribute__((format(printf, 3, 4))) static tdsl_status fail(tdsl_instance *instance, tdsl_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(thread_error, sizeof thread_error, format, arguments);
  va_end(arguments);
  if (instance != NULL) {
    pthread_mutex_lock(&instance->error_lock);
    memcpy(instance->error, thread_error, sizeof thread_error);
    pthread_mutex_unlock(&instance->error_lock);
  }
  return status;
}

static uint64_t copy_text(const char *from, char *to, uint64_t bytes) {
  if (to != NULL && bytes > 0) snprintf(to, bytes, "%s", from);
  return strlen(from) + 1;
}

uint64_t tdsl_error(const tdsl_instance *instance, char *text, uint64_t text_bytes) {
  if (instance == NULL) return copy_text(thread_error, text, text_bytes);
  tdsl_instance *writable = (tdsl_instance *)instance;
  pthread_mutex_lock(&writable->error_lock);
  uint64_t needed = copy_text(writable->error, text, text_bytes);
  pthread_mutex_unlock(&writable->error_lock);
  return needed;
}

static const char *shape_text(char *text, const int64_t *shape, uint32_t rank) {
  size_t used = (size_t)snprintf(text, SHAPE_BYTES, "[");
  for (uint32_t d = 0; d < rank && used < SHAPE_BYTES; d++)
    used += (size_t)snprintf(text + used, SHAPE_BYTES - used, "%s%" PRId64, d ? ", " : "", shape[d]);
  if (used < SHAPE_BYTES) snprintf(text + used, SHAPE_BYTES - used, "]");
  return text;
}

/* --- the model and its instances ---------------------------------------------------------------------------------------------- */

const tdsl_model_info *tdsl_query(uint32_t abi_version) { return abi_version == TDSL_ABI_VERSION ? model : NULL; }

static int is_cuda(void) { return model->device == TDSL_CUDA; }
static const char *device_name(void) { return is_cuda() ? "the GPU" : "the CPU"; }

tdsl_status tdsl_probe(int32_t device_index, char *why, uint64_t why_bytes) {
  char text[ERROR_BYTES];
  if (why != NULL && why_bytes > 0) why[0] = 0;
  tdsl_status status = tdsl_device_probe(device_index, (tdsl_text){text, sizeof text});
  if (status == TDSL_OK) return status;
  fail(NULL, status, "%s", text);
  copy_text(thread_error, why, why_bytes);
  return status;
}

/* Gives the instance the caller's arena, or one of its own. */
static tdsl_status attach_state(tdsl_instance *instance, const tdsl_options *options) {
  if (options->state == NULL) {
    char why[ERROR_BYTES] = "";
    instance->state = tdsl_device_alloc(instance->device, model->state_bytes);
    if (instance->state == NULL) return fail(NULL, TDSL_E_NOMEM, "not enough memory for the state: %" PRIu64 " bytes", model->state_bytes);
    instance->owns_state = 1;
    tdsl_status status = tdsl_device_clear(instance->device, instance->state, model->state_bytes, (tdsl_text){why, sizeof why});
    return status == TDSL_OK ? status : fail(NULL, status, "clearing the state: %s", why);
  }
  if (options->state_bytes < model->state_bytes)
    return fail(NULL, TDSL_E_ARG, "the state needs %" PRIu64 " bytes, the block given has %" PRIu64, model->state_bytes, options->state_bytes);
  if ((uintptr_t)options->state % TDSL_ALIGNMENT != 0) return fail(NULL, TDSL_E_ARG, "the state must be aligned to %d bytes", TDSL_ALIGNMENT);
  instance->state = options->state;
  return TDSL_OK;
}

tdsl_status tdsl_create(const tdsl_options *given, tdsl_instance **out) {
  if (out == NULL) return fail(NULL, TDSL_E_ARG, "tdsl_create: out is null");
  *out = NULL;
  tdsl_options options = {.size = sizeof options};
  if (given != NULL) {
    if (given->size < offsetof(tdsl_options, alloc)) return fail(NULL, TDSL_E_ABI, "tdsl_create: options state a size of %u bytes", given->size);
    memcpy(&options, given, given->size < sizeof options ? given->size : sizeof options);
  }
  if ((options.alloc == NULL) != (options.dealloc == NULL)) return fail(NULL, TDSL_E_ARG, "tdsl_create: alloc and dealloc come together");
  if (options.n_threads < 0) return fail(NULL, TDSL_E_ARG, "tdsl_create: %d threads", options.n_threads);
  tdsl_status status = tdsl_probe(options.device_index, NULL, 0);
  if (status != TDSL_OK) return status;

  tdsl_instance *instance = calloc(1, sizeof *instance);
  if (instance == NULL) return fail(NULL, TDSL_E_NOMEM, "not enough memory for an instance");
  atomic_init(&instance->users, 0);
  pthread_mutex_init(&instance->error_lock, NULL);
  char why[ERROR_BYTES] = "";
  status = tdsl_device_open(&options, &instance->device, (tdsl_text){why, sizeof why});
  status = status == TDSL_OK ? attach_state(instance, &options) : fail(NULL, status, "%s", why);
  if (status != TDSL_OK) {
    tdsl_destroy(instance);
    return status;
  }
  *out = instance;
  return TDSL_OK;
}

void tdsl_destroy(tdsl_instance *instance) {
  if (instance == NULL) return;
  if (instance->owns_state) tdsl_device_free(instance->device, instance->state);
  tdsl_device_close(instance->device);
  pthread_mutex_destroy(&instance->error_lock);
  free(instance);
}

tdsl_status tdsl_state(tdsl_instance *instance, void **base, uint64_t *bytes) {
  if (instance == NULL || base == NULL || bytes == NULL) return fail(instance, TDSL_E_ARG, "tdsl_state: null argument");
  *base = instance->state;
  *bytes = model->state_bytes;
  return TDSL_OK;
}

/* --- shapes --------------------------------------------------------------------------------------------------------------------- */

/* What the symbols of one call determine. */
typedef struct resolved {
  const tdsl_entry_spec *entry;
  const tdsl_entry_def *def;
  const int64_t *symbols;
  int64_t derived[TDSL_MAX_DERIVED];
} resolved;

/* Tells of a condition on the symbols that does not hold: every \001 of its text is the next of the values that `derive` left. */
static tdsl_status unmet(tdsl_instance *instance, const resolved *r, const char *text) {
  char told[ERROR_BYTES];
  size_t end = 0;
  for (const int64_t *value = r->derived; *text != 0 && end + 24 < sizeof told; text++) {
    if (*text == '\001')
      end += (size_t)snprintf(told + end, sizeof told - end, "%" PRId64, *value++);
    else
      told[end++] = *text;
  }
  told[end] = 0;
  return fail(instance, TDSL_E_SHAPE, "%s: %s", r->entry->name, told);
}

/* Checks entry and symbols and evaluates the derived dimensions. */
static tdsl_status resolve(tdsl_instance *instance, uint32_t index, const int64_t *symbols, resolved *r) {
  if (instance == NULL) return fail(NULL, TDSL_E_ARG, "the instance is null");
  if (index >= model->n_entries) return fail(instance, TDSL_E_ARG, "%s has %u entries, there is no entry %u", model->model_name, model->n_entries, index);
  r->entry = &model->entries[index];
  r->def = &tdsl_model_definition.entries[index];
  r->symbols = symbols;
  if (r->entry->n_symbols > 0 && symbols == NULL) return fail(instance, TDSL_E_ARG, "%s: the symbols are null", r->entry->name);
  for (uint32_t k = 0; k < r->entry->n_symbols; k++) {
    const tdsl_symbol_spec *symbol = &r->entry->symbols[k];
    if (symbols[k] < symbol->min)
      return fail(instance, TDSL_E_SHAPE, "%s: %s = %" PRId64 " is below its least value %" PRId64, r->entry->name, symbol->name, symbols[k], symbol->min);
    if (symbols[k] > symbol->max)
      return fail(instance, TDSL_E_SHAPE, "%s: %s = %" PRId64 " is above its greatest value %" PRId64, r->entry->name, symbol->name, symbols[k], symbol->max);
  }
  if (r->def->derive != NULL) {
    int32_t failed = r->def->derive(symbols, r->derived);
    if (failed >= 0) return unmet(instance, r, r->def->checks[failed]);
  }
  return TDSL_OK;
}

static const char *role_text(const tdsl_tensor_spec *spec) { return spec->role == TDSL_OUT ? "output" : "argument"; }

/* Evaluates the shape of an argument and its size in bytes. */
static tdsl_status shape_of(tdsl_instance *instance, const resolved *r, const tdsl_tensor_spec *spec, int64_t *shape, uint64_t *bytes) {
  uint64_t size = dtype_sizes[spec->dtype];
  int empty = 0;
  for (uint32_t d = 0; d < spec->rank; d++) {
    int64_t dim = spec->dims[d];
    if (TDSL_DIM_IS_DERIVED(dim)) {
      shape[d] = r->derived[dim - INT64_MIN];
      if (shape[d] < 0)
        return fail(instance, TDSL_E_SHAPE, "%s: dimension %u of %s %s, %s, would be %" PRId64, r->entry->name, d, role_text(spec), spec->name,
                    r->def->derived_text[dim - INT64_MIN], shape[d]);
    } else {
      shape[d] = dim < 0 ? r->symbols[-1 - dim] : dim;
    }
    empty |= shape[d] == 0;
    if (shape[d] > 0) size = tdsl_size_mul(size, (uint64_t)shape[d]);
  }
  if (empty) size = 0;
  if (size > INT64_MAX) return fail(instance, TDSL_E_SHAPE, "%s: %s %s would be larger than the address space", r->entry->name, role_text(spec), spec->name);
  *bytes = size;
  return TDSL_OK;
}

/* Checks the number of arguments and the size that the array's elements state. */
static tdsl_status check_array(tdsl_instance *instance, const tdsl_entry_spec *entry, const tdsl_tensor *args, uint32_t n_args) {
  if (n_args != entry->n_args)
    return fail(instance, TDSL_E_ARG, "%s takes %u tensors (inputs and outputs together), %u given", entry->name, entry->n_args, n_args);
  if (n_args > 0 && args == NULL) return fail(instance, TDSL_E_ARG, "%s: the arguments are null", entry->name);
  if (n_args > 0 && args->size < sizeof(tdsl_tensor))
    return fail(instance, TDSL_E_ABI, "%s: a tensor states a size of %u bytes, version %u has %zu", entry->name, args->size, TDSL_ABI_VERSION, sizeof(tdsl_tensor));
  return TDSL_OK;
}

static tdsl_tensor *tensor_at(const tdsl_tensor *args, uint32_t index) { return (tdsl_tensor *)((char *)args + (size_t)args->size * index); }

tdsl_status tdsl_shape(tdsl_instance *instance, uint32_t entry, const int64_t *symbols, tdsl_tensor *args, uint32_t n_args) {
  resolved r;
  tdsl_status status = resolve(instance, entry, symbols, &r);
  if (status == TDSL_OK) status = check_array(instance, r.entry, args, n_args);
  for (uint32_t i = 0; status == TDSL_OK && i < n_args; i++) {
    const tdsl_tensor_spec *spec = &r.entry->args[i];
    tdsl_tensor *tensor = tensor_at(args, i);
    tensor->dtype = spec->dtype;
    tensor->rank = spec->rank;
    tensor->device = model->device;
    status = shape_of(instance, &r, spec, tensor->shape, &tensor->bytes);
  }
  return status;
}

/* Bytes of the entry's own part of the workspace. */
static uint64_t own_bytes(const resolved *r) { return r->def->workspace != NULL ? r->def->workspace(r->symbols, r->derived) : 0; }

static tdsl_status workspace_of(tdsl_instance *instance, const resolved *r, uint64_t *bytes) {
  uint64_t scratch = r->def->scratch != NULL ? r->def->scratch(r->symbols, r->derived) : 0;
  *bytes = tdsl_size_add(own_bytes(r), tdsl_device_extra(instance->device, scratch, r->def->positions));
  if (*bytes > INT64_MAX) return fail(instance, TDSL_E_NOMEM, "%s: the workspace for these dimensions would be larger than the address space", r->entry->name);
  return TDSL_OK;
}

tdsl_status tdsl_workspace(tdsl_instance *instance, uint32_t entry, const int64_t *symbols, uint64_t *bytes) {
  resolved r;
  if (bytes == NULL) return fail(instance, TDSL_E_ARG, "tdsl_workspace: bytes is null");
  tdsl_status status = resolve(instance, entry, symbols, &r);
  return status == TDSL_OK ? workspace_of(instance, &r, bytes) : status;
}

/* --- running --------------------------------------------------------------------------------------------------------------------- */

typedef struct range {
  uintptr_t begin, end;
} range;

static int overlap(range a, range b) { return a.begin < b.end && b.begin < a.end; }

/* Checks one argument against its signature; `where` receives the memory that it occupies. */
static tdsl_status check_tensor(tdsl_instance *instance, const resolved *r, const tdsl_tensor_spec *spec, const tdsl_tensor *tensor, range *where) {
  const char *entry = r->entry->name, *role = role_text(spec), *name = spec->name;
  int64_t shape[TDSL_MAX_RANK];
  uint64_t bytes;
  char expected[SHAPE_BYTES], found[SHAPE_BYTES];
  if (tensor->dtype != spec->dtype)
    return fail(instance, TDSL_E_ARG, "%s: %s %s: expected dtype %s, found %s", entry, role, name, dtype_name(spec->dtype), dtype_name(tensor->dtype));
  if (tensor->device != model->device) return fail(instance, TDSL_E_ARG, "%s: %s %s is not in the memory of %s", entry, role, name, device_name());
  if (tensor->rank != spec->rank)
    return fail(instance, TDSL_E_SHAPE, "%s: %s %s: expected rank %u, found %u", entry, role, name, spec->rank, tensor->rank);
  tdsl_status status = shape_of(instance, r, spec, shape, &bytes);
  if (status != TDSL_OK) return status;
  if (memcmp(shape, tensor->shape, sizeof *shape * spec->rank) != 0)
    return fail(instance, TDSL_E_SHAPE, "%s: %s %s: expected shape %s, found %s", entry, role, name, shape_text(expected, shape, spec->rank),
                shape_text(found, tensor->shape, spec->rank));
  if (tensor->bytes < bytes)
    return fail(instance, TDSL_E_ARG, "%s: %s %s: its shape needs %" PRIu64 " bytes, %" PRIu64 " given", entry, role, name, bytes, tensor->bytes);
  if (tensor->data == NULL && bytes > 0) return fail(instance, TDSL_E_ARG, "%s: %s %s is null", entry, role, name);
  if ((uintptr_t)tensor->data % dtype_sizes[spec->dtype] != 0) return fail(instance, TDSL_E_ARG, "%s: %s %s is not aligned to its element", entry, role, name);
  where->begin = (uintptr_t)tensor->data;
  where->end = where->begin + bytes;
  return TDSL_OK;
}

/* Finds outputs that share memory with another argument, and arguments that share memory with state that the call would write. */
static tdsl_status check_overlap(tdsl_instance *instance, const resolved *r, const range *ranges) {
  const tdsl_entry_spec *entry = r->entry;
  range state = {(uintptr_t)instance->state, (uintptr_t)instance->state + model->state_bytes};
  for (uint32_t i = 0; i < entry->n_args; i++) {
    const tdsl_tensor_spec *spec = &entry->args[i];
    int is_output = spec->role == TDSL_OUT;
    if ((is_output || (entry->flags & TDSL_WRITES_STATE)) && overlap(ranges[i], state))
      return fail(instance, TDSL_E_ARG, "%s: %s %s shares memory with the state%s; pass a copy", entry->name, role_text(spec), spec->name,
                  is_output ? "" : ", which the call writes");
    for (uint32_t j = 0; is_output && j < entry->n_args; j++)
      if (j != i && overlap(ranges[i], ranges[j]))
        return fail(instance, TDSL_E_ARG, "%s: output %s shares memory with %s %s", entry->name, spec->name, role_text(&entry->args[j]), entry->args[j].name);
  }
  return TDSL_OK;
}

static tdsl_status check_workspace(tdsl_instance *instance, const resolved *r, const void *workspace, uint64_t bytes) {
  uint64_t needed;
  tdsl_status status = workspace_of(instance, r, &needed);
  if (status != TDSL_OK || needed == 0) return status;
  if (workspace == NULL || bytes < needed)
    return fail(instance, TDSL_E_NOMEM, "%s: the workspace needs %" PRIu64 " bytes, %" PRIu64 " given", r->entry->name, needed, workspace ? bytes : 0);
  if ((uintptr_t)workspace % TDSL_ALIGNMENT != 0) return fail(instance, TDSL_E_ARG, "%s: the workspace must be aligned to %d bytes", r->entry->name, TDSL_ALIGNMENT);
  return TDSL_OK;
}

/* Lets readers of state run together and a writer alone. */
static tdsl_status enter(tdsl_instance *instance, const tdsl_entry_spec *entry) {
  int32_t users = atomic_load(&instance->users);
  int writes = (entry->flags & TDSL_WRITES_STATE) != 0;
  do {
    if (users < 0 || (writes && users > 0)) return fail(instance, TDSL_E_BUSY, "%s: another call on this instance is using the state", entry->name);
  } while (!atomic_compare_exchange_weak(&instance->users, &users, writes ? -1 : users + 1));
  return TDSL_OK;
}

static void leave(tdsl_instance *instance, const tdsl_entry_spec *entry) {
  if (entry->flags & TDSL_WRITES_STATE)
    atomic_store(&instance->users, 0);
  else
    atomic_fetch_sub(&instance->users, 1);
}

/* Puts a fault that a kernel reported into words. */
static tdsl_status explain(tdsl_instance *instance, const tdsl_found *fault) {
  const tdsl_fault_site *site = &tdsl_model_definition.fault_sites[fault->site];
  const tdsl_entry_spec *entry = &model->entries[site->entry];
  switch (site->status) {
    case TDSL_E_INDEX:
      return fail(instance, TDSL_E_INDEX, "%s: %s: %s: index %" PRId64 " (element %" PRId64 " of the indices) is out of range for a dimension of size %" PRId64,
                  entry->name, site->where, site->what, fault->value, fault->position, fault->bound);
    case TDSL_E_LIMIT:
      return fail(instance, TDSL_E_LIMIT, "%s: %s: %s: the condition still held after %" PRId64 " rounds, the greatest number allowed", entry->name, site->where,
                  site->what, fault->bound);
    default:
      return fail(instance, site->status, "%s: %s: %s", entry->name, site->where, site->what);
  }
}

tdsl_status tdsl_run(tdsl_instance *instance, uint32_t entry, const int64_t *symbols, const tdsl_tensor *args, uint32_t n_args, void *workspace,
                     uint64_t workspace_bytes, void *stream) {
  resolved r;
  tdsl_status status = resolve(instance, entry, symbols, &r);
  if (status == TDSL_OK && stream != NULL && !is_cuda()) status = fail(instance, TDSL_E_ARG, "%s: the CPU has no streams", r.entry->name);
  if (status == TDSL_OK) status = check_array(instance, r.entry, args, n_args);
  if (status != TDSL_OK) return status;

  range ranges[n_args + 1];
  void *data[n_args + 1];
  for (uint32_t i = 0; i < n_args; i++) {
    const tdsl_tensor *tensor = tensor_at(args, i);
    status = check_tensor(instance, &r, &r.entry->args[i], tensor, &ranges[i]);
    if (status != TDSL_OK) return status;
    data[i] = tensor->data;
  }
  status = check_overlap(instance, &r, ranges);
  if (status == TDSL_OK) status = check_workspace(instance, &r, workspace, workspace_bytes);
  if (status == TDSL_OK) status = enter(instance, r.entry);
  if (status != TDSL_OK) return status;

  tdsl_call call = {.symbols = symbols, .derived = r.derived, .args = data, .state = instance->state, .workspace = workspace, .stream = stream};
  if (r.def->positions > 0 || r.def->scratch != NULL) call.extra = call.workspace + own_bytes(&r);
  tdsl_found fault = {0};
  char why[ERROR_BYTES] = "a fault of tdsl";
  status = tdsl_device_run(instance->device, r.def, &call, &fault, (tdsl_text){why, sizeof why});
  leave(instance, r.entry);
  if (fault.raised) return explain(instance, &fault);
  return status == TDSL_OK ? TDSL_OK : fail(instance, status, "%s failed: %s", r.entry->name, why);
}

tdsl_status tdsl_stream(tdsl_instance *instance, void **stream) {
  if (instance == NULL || stream == NULL) return fail(instance, TDSL_E_ARG, "tdsl_stream: null argument");
  *stream = tdsl_device_stream(instance->device);
  return TDSL_OK;
}

tdsl_status tdsl_sync(tdsl_instance *instance, void *stream) {
  if (instance == NULL || (stream != NULL && !is_cuda()))
    return fail(instance, TDSL_E_ARG, "tdsl_sync: %s", instance == NULL ? "the instance is null" : "the CPU has no streams");
  tdsl_found fault = {0};
  char why[ERROR_BYTES] = "";
  tdsl_status status = tdsl_device_sync(instance->device, stream, &fault, (tdsl_text){why, sizeof why});
  if (fault.raised) return explain(instance, &fault);
  return status == TDSL_OK ? TDSL_OK : fail(instance, status, "%s", why);
}

tdsl_status tdsl_mem(tdsl_instance *instance, uint32_t operation, void **block, const void *source, uint64_t bytes, void *stream) {
  if (instance == NULL || block == NULL || (stream != NULL && !is_cuda()))
    return fail(instance, TDSL_E_ARG, "tdsl_mem: a null instance or block, or a stream on the CPU");
  char why[ERROR_BYTES] = "";
  tdsl_status status;
  switch (operation) {
    case TDSL_MEM_ALLOC:
      *block = tdsl_device_alloc(instance->device, bytes);
      return *block != NULL ? TDSL_OK : fail(instance, TDSL_E_NOMEM, "not enough memory: %" PRIu64 " bytes", bytes);
    case TDSL_MEM_FREE:
      tdsl_device_free(instance->device, *block);
      *block = NULL;
      return TDSL_OK;
    case TDSL_MEM_TO_DEVICE:
    case TDSL_MEM_TO_HOST:
    case TDSL_MEM_COPY:
      if (bytes > 0 && (*block == NULL || source == NULL)) return fail(instance, TDSL_E_ARG, "tdsl_mem: a null block to copy");
      status = tdsl_device_copy(instance->device, operation, *block, source, bytes, stream, (tdsl_text){why, sizeof why});
      return status == TDSL_OK ? TDSL_OK : fail(instance, status, "tdsl_mem: %s", why);
    default:
      return fail(instance, TDSL_E_ARG, "tdsl_mem: there is no operation %u", operation);
  }
}
