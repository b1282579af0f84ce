/*
 * Uses the sample model as a plain C program would: through tdsl_model.h alone. Prints one line for each check that fails; exits with their number.
 */
#include "tdsl_model.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

#define CHECK(condition)                                                    \
  do {                                                                      \
    if (!(condition)) {                                                     \
      char text_[512];                                                      \
      tdsl_error(NULL, text_, sizeof text_);                                \
      printf("line %d: %s (last error: %s)\n", __LINE__, #condition, text_); \
      failures++;                                                           \
    }                                                                       \
  } while (0)

/* Checks a status and that its text holds a phrase. */
static void expect(int line, const tdsl_instance *instance, tdsl_status found, tdsl_status status, const char *phrase) {
  char text[512];
  tdsl_error(instance, text, sizeof text);
  if (found == status && strstr(text, phrase) != NULL) return;
  printf("line %d: expected status %d with '%s', found %d with '%s'\n", line, status, phrase, found, text);
  failures++;
}
#define EXPECT(instance, call, status, phrase) expect(__LINE__, instance, call, status, phrase)

enum { INIT, PREDICT, TRAIN, WINDOW, TOTAL, HALVE, ECHO, NAP };

static tdsl_tensor tensor(uint32_t dtype, void *data, uint64_t bytes, uint32_t rank, int64_t d0, int64_t d1) {
  tdsl_tensor t = {.size = sizeof t, .dtype = dtype, .rank = rank, .device = TDSL_CPU, .data = data, .bytes = bytes, .shape = {d0, d1}};
  return t;
}

static tdsl_status initialise(tdsl_instance *instance) {
  int64_t key[2] = {3, 4};
  tdsl_tensor args[] = {tensor(TDSL_I64, key, sizeof key, 1, 2, 0)};
  return tdsl_run(instance, INIT, NULL, args, 1, NULL, 0, NULL);
}

static void test_query(void) {
  CHECK(tdsl_query(0) == NULL);
  CHECK(tdsl_query(2) == NULL);
  const tdsl_model_info *model = tdsl_query(TDSL_ABI_VERSION);
  CHECK(model != NULL && model->size >= sizeof *model && model->abi_version == 1);
  CHECK(model->entries[WINDOW].args[2].dims[0] == TDSL_DIM_DERIVED(0));
  CHECK(TDSL_DIM_IS_DERIVED(TDSL_DIM_DERIVED(63)) && !TDSL_DIM_IS_DERIVED(TDSL_DIM_SYMBOL(63)) && !TDSL_DIM_IS_DERIVED(INT64_MAX));
  char why[4] = "xxx";
  CHECK(tdsl_probe(0, why, sizeof why) == TDSL_OK && why[0] == 0);
  CHECK(tdsl_probe(0, NULL, 0) == TDSL_OK);
}

static int allocations;
static void *counting_alloc(void *context, uint64_t bytes, uint64_t alignment) {
  void *block = NULL;
  (void)context;
  allocations++;
  return posix_memalign(&block, alignment, bytes) == 0 ? block : NULL;
}
static void counting_dealloc(void *context, void *block) {
  (void)context;
  allocations--;
  free(block);
}
static void *failing_alloc(void *context, uint64_t bytes, uint64_t alignment) {
  (void)context, (void)bytes, (void)alignment;
  return NULL;
}

static void test_create(void) {
  tdsl_instance *instance;
  _Alignas(64) unsigned char arena[320 + 64];
  void *base;
  uint64_t bytes;
  EXPECT(NULL, tdsl_create(NULL, NULL), TDSL_E_ARG, "out is null");
  CHECK(tdsl_create(NULL, &instance) == TDSL_OK);
  CHECK(tdsl_state(instance, &base, &bytes) == TDSL_OK && bytes == 320 && (uintptr_t)base % TDSL_ALIGNMENT == 0);
  tdsl_destroy(instance);
  tdsl_destroy(NULL);

  tdsl_options options = {.size = 4};
  EXPECT(NULL, tdsl_create(&options, &instance), TDSL_E_ABI, "size of 4 bytes");
  CHECK(instance == NULL);
  options = (tdsl_options){.size = sizeof options, .n_threads = 1, .state = arena + 32, .state_bytes = 320};
  EXPECT(NULL, tdsl_create(&options, &instance), TDSL_E_ARG, "aligned to 64");
  options.state = arena;
  options.state_bytes = 319;
  EXPECT(NULL, tdsl_create(&options, &instance), TDSL_E_ARG, "needs 320 bytes, the block given has 319");
  options.state_bytes = 320;
  CHECK(tdsl_create(&options, &instance) == TDSL_OK);
  CHECK(tdsl_state(instance, &base, &bytes) == TDSL_OK && base == arena);
  CHECK(initialise(instance) == TDSL_OK && *(float *)(arena + 128) == 0.5f);
  tdsl_destroy(instance);

  options = (tdsl_options){.size = offsetof(tdsl_options, alloc), .n_threads = 2, .alloc = failing_alloc};
  CHECK(tdsl_create(&options, &instance) == TDSL_OK); /* the older size hides the hook */
  tdsl_destroy(instance);
  options.size = sizeof options;
  EXPECT(NULL, tdsl_create(&options, &instance), TDSL_E_ARG, "come together");
  options.dealloc = counting_dealloc;
  EXPECT(NULL, tdsl_create(&options, &instance), TDSL_E_NOMEM, "320 bytes");
  options.alloc = counting_alloc;
  CHECK(tdsl_create(&options, &instance) == TDSL_OK && allocations == 1);
  void *block = NULL;
  CHECK(tdsl_mem(instance, TDSL_MEM_ALLOC, &block, NULL, 100, NULL) == TDSL_OK && allocations == 2);
  CHECK(tdsl_mem(instance, TDSL_MEM_TO_DEVICE, &block, "copied", 7, NULL) == TDSL_OK && strcmp(block, "copied") == 0);
  EXPECT(instance, tdsl_mem(instance, TDSL_MEM_COPY, &block, NULL, 7, NULL), TDSL_E_ARG, "null block");
  EXPECT(instance, tdsl_mem(instance, 9, &block, NULL, 0, NULL), TDSL_E_ARG, "no operation 9");
  CHECK(tdsl_mem(instance, TDSL_MEM_FREE, &block, NULL, 0, NULL) == TDSL_OK && block == NULL);
  CHECK(tdsl_sync(instance, NULL) == TDSL_OK);
  void *stream = instance;
  CHECK(tdsl_stream(instance, &stream) == TDSL_OK && stream == NULL);
  CHECK(tdsl_stream(NULL, &stream) == TDSL_E_ARG);
  tdsl_destroy(instance);
  CHECK(allocations == 0);
}

static void test_checks(tdsl_instance *instance) {
  float x[8] = {1, 0, 0, 0, 0, 1, 0, 0}, out[6];
  int64_t two = 2, many = 1025;
  tdsl_tensor args[2];
  EXPECT(instance, tdsl_run(instance, 99, NULL, NULL, 0, NULL, 0, NULL), TDSL_E_ARG, "there is no entry 99");
  EXPECT(NULL, tdsl_run(NULL, 0, NULL, NULL, 0, NULL, 0, NULL), TDSL_E_ARG, "instance is null");
  EXPECT(instance, tdsl_run(instance, PREDICT, NULL, args, 2, NULL, 0, NULL), TDSL_E_ARG, "symbols are null");
  EXPECT(instance, tdsl_run(instance, PREDICT, &many, args, 2, NULL, 0, NULL), TDSL_E_SHAPE, "B = 1025 is above");
  EXPECT(instance, tdsl_run(instance, PREDICT, &two, args, 3, NULL, 0, NULL), TDSL_E_ARG, "takes 2 tensors");
  EXPECT(instance, tdsl_run(instance, PREDICT, &two, NULL, 2, NULL, 0, NULL), TDSL_E_ARG, "arguments are null");
  EXPECT(instance, tdsl_run(instance, PREDICT, &two, args, 2, NULL, 0, args), TDSL_E_ARG, "no streams");
#define RUN(first, second) (args[0] = (first), args[1] = (second), tdsl_run(instance, PREDICT, &two, args, 2, NULL, 0, NULL))
  tdsl_tensor good = tensor(TDSL_F32, x, sizeof x, 2, 2, 4), result = tensor(TDSL_F32, out, sizeof out, 2, 2, 3);
  tdsl_tensor small = good;
  small.size = 8;
  EXPECT(instance, RUN(small, result), TDSL_E_ABI, "a size of 8 bytes");
  EXPECT(instance, RUN(tensor(TDSL_F64, x, sizeof x, 2, 2, 4), result), TDSL_E_ARG, "argument x: expected dtype f32, found f64");
  EXPECT(instance, RUN(tensor(77, x, sizeof x, 2, 2, 4), result), TDSL_E_ARG, "found ?");
  EXPECT(instance, RUN(tensor(TDSL_F32, x, sizeof x, 1, 8, 0), result), TDSL_E_SHAPE, "expected rank 2, found 1");
  EXPECT(instance, RUN(tensor(TDSL_F32, x, sizeof x, 2, 4, 2), result), TDSL_E_SHAPE, "expected shape [2, 4], found [4, 2]");
  EXPECT(instance, RUN(tensor(TDSL_F32, x, 31, 2, 2, 4), result), TDSL_E_ARG, "needs 32 bytes, 31 given");
  EXPECT(instance, RUN(tensor(TDSL_F32, NULL, 32, 2, 2, 4), result), TDSL_E_ARG, "argument x is null");
  EXPECT(instance, RUN(tensor(TDSL_F32, (char *)x + 1, 32, 2, 2, 4), result), TDSL_E_ARG, "not aligned to its element");
  EXPECT(instance, RUN(good, tensor(TDSL_F32, x + 7, 24, 2, 2, 3)), TDSL_E_ARG, "output result shares memory with argument x");
  small = good;
  small.device = TDSL_CUDA;
  EXPECT(instance, RUN(small, result), TDSL_E_ARG, "not in the memory of the CPU");
  CHECK(RUN(good, result) == TDSL_OK);
  two = 0;
  CHECK(RUN(tensor(TDSL_F32, NULL, 0, 2, 0, 4), tensor(TDSL_F32, NULL, 0, 2, 0, 3)) == TDSL_OK);
#undef RUN
  tdsl_tensor shapes[2] = {{.size = sizeof(tdsl_tensor)}, {.size = sizeof(tdsl_tensor)}};
  two = 2;
  CHECK(tdsl_shape(instance, PREDICT, &two, shapes, 2) == TDSL_OK);
  CHECK(shapes[1].dtype == TDSL_F32 && shapes[1].rank == 2 && shapes[1].shape[0] == 2 && shapes[1].shape[1] == 3 && shapes[1].bytes == 24);
}

static void test_workspace(tdsl_instance *instance) {
  int64_t one = 1, labels[1] = {0}, huge = INT64_MAX;
  uint64_t bytes;
  float x[4] = {0}, out;
  _Alignas(64) unsigned char workspace[128];
  tdsl_tensor args[] = {tensor(TDSL_F32, x, sizeof x, 2, 1, 4), tensor(TDSL_I64, labels, sizeof labels, 1, 1, 0), tensor(TDSL_F32, &out, 4, 0, 0, 0)};
  CHECK(tdsl_workspace(instance, TRAIN, &one, &bytes) == TDSL_OK && bytes == 64);
  CHECK(tdsl_workspace(instance, PREDICT, &one, &bytes) == TDSL_OK && bytes == 0);
  EXPECT(instance, tdsl_run(instance, TRAIN, &one, args, 3, NULL, 0, NULL), TDSL_E_NOMEM, "needs 64 bytes, 0 given");
  EXPECT(instance, tdsl_run(instance, TRAIN, &one, args, 3, workspace, 63, NULL), TDSL_E_NOMEM, "needs 64 bytes, 63 given");
  EXPECT(instance, tdsl_run(instance, TRAIN, &one, args, 3, workspace + 8, 64, NULL), TDSL_E_ARG, "workspace must be aligned");
  CHECK(tdsl_run(instance, TRAIN, &one, args, 3, workspace, 64, NULL) == TDSL_OK);
  CHECK(tdsl_workspace(instance, TOTAL, &huge, &bytes) == TDSL_OK);
  tdsl_tensor total[2] = {{.size = sizeof(tdsl_tensor)}, {.size = sizeof(tdsl_tensor)}};
  EXPECT(instance, tdsl_shape(instance, TOTAL, &huge, total, 2), TDSL_E_SHAPE, "larger than the address space");
}

/* --- calls from several threads on one instance ---------------------------------------------------------------------------------- */

typedef struct caller {
  tdsl_instance *instance;
  uint32_t entry;
  int64_t symbol;
  int rounds, ok, busy, other;
} caller;

static void *call_often(void *argument) {
  caller *c = argument;
  enum { N = 20000 };
  double *x = malloc(N * sizeof *x), out = 0;
  void *workspace = NULL;
  if (posix_memalign(&workspace, 64, 4096) != 0) abort();
  for (int i = 0; i < N; i++) x[i] = 1;
  tdsl_tensor args[] = {tensor(TDSL_F64, x, N * sizeof *x, 1, N, 0), tensor(TDSL_F64, &out, sizeof out, 0, 0, 0)};
  for (int i = 0; i < c->rounds; i++) {
    tdsl_status status = tdsl_run(c->instance, c->entry, &c->symbol, args, c->entry == TOTAL ? 2 : 0, workspace, 4096, NULL);
    if (status == TDSL_OK && (c->entry != TOTAL || out == N))
      c->ok++;
    else if (status == TDSL_E_BUSY)
      c->busy++;
    else
      c->other++;
  }
  free(workspace);
  free(x);
  return NULL;
}

static void run_callers(caller *callers, int count) {
  pthread_t threads[8];
  for (int i = 0; i < count; i++) pthread_create(&threads[i], NULL, call_often, &callers[i]);
  for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
}

static void test_concurrency(void) {
  tdsl_options options = {.size = sizeof options, .n_threads = 4};
  tdsl_instance *instance;
  CHECK(tdsl_create(&options, &instance) == TDSL_OK && initialise(instance) == TDSL_OK);
  caller readers[4] = {{instance, TOTAL, 20000, 300, 0, 0, 0}};
  for (int i = 1; i < 4; i++) readers[i] = readers[0];
  run_callers(readers, 4);
  for (int i = 0; i < 4; i++) CHECK(readers[i].ok == 300);

  caller writers[3] = {{instance, NAP, 1, 30, 0, 0, 0}};
  writers[1] = writers[2] = writers[0];
  run_callers(writers, 3);
  int ok = writers[0].ok + writers[1].ok + writers[2].ok, busy = writers[0].busy + writers[1].busy + writers[2].busy;
  void *base;
  uint64_t bytes;
  CHECK(tdsl_state(instance, &base, &bytes) == TDSL_OK);
  CHECK(ok + busy == 90 && ok > 0 && *(int64_t *)((char *)base + 192) == ok);
  char text[16];
  if (busy > 0) CHECK(tdsl_error(instance, text, sizeof text) > sizeof text && strlen(text) == sizeof text - 1);
  tdsl_destroy(instance);
}

int main(void) {
  tdsl_instance *instance;
  test_query();
  test_create();
  if (tdsl_create(NULL, &instance) != TDSL_OK || initialise(instance) != TDSL_OK) return 99;
  CHECK(tdsl_error(instance, NULL, 0) == 1);
  test_checks(instance);
  test_workspace(instance);
  tdsl_destroy(instance);
  test_concurrency();
  return failures;
}
