/*
 * Captures a call whose control flow depends on data in a graph of the caller's own, and replays it with other data. The stand-in for the CUDA
 * driver is libcuda.so.1. Prints the results of each replay, what tdsl_sync says, and the state.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tdsl_model.h"

typedef int32_t (*stream_create)(void **stream, unsigned flags);
typedef int32_t (*capture_begin)(void *stream, int mode);
typedef int32_t (*capture_end)(void *stream, void **graph);
typedef int32_t (*graph_instantiate)(void **exec, void *graph, unsigned long long flags);
typedef int32_t (*graph_launch)(void *exec, void *stream);

static void *driver;
static void *function(const char *name) {
  void *found = dlsym(driver, name);
  if (found == NULL) exit(2);
  return found;
}

#define MUST(call) \
  if ((call) != 0) return printf("%s fails: ", #call), tdsl_error(instance, text, sizeof text), puts(text), 1

int main(void) {
  char text[300];
  tdsl_instance *instance = NULL;
  void *stream, *graph, *exec, *workspace = NULL, *state, *x = NULL, *y = NULL;
  uint64_t bytes, state_bytes;
  tdsl_tensor args[2];
  const int64_t sizes[] = {3}; /* where the size of x was not fixed when compiling */
  MUST(tdsl_create(NULL, &instance));
  driver = dlopen("libcuda.so.1", RTLD_NOW);
  MUST(((stream_create)function("cuStreamCreate"))(&stream, 1));
  args[0].size = args[1].size = sizeof *args;
  MUST(tdsl_shape(instance, 0, sizes, args, 2));
  MUST(tdsl_workspace(instance, 0, sizes, &bytes));
  MUST(tdsl_mem(instance, TDSL_MEM_ALLOC, &workspace, NULL, bytes, NULL));
  MUST(tdsl_mem(instance, TDSL_MEM_ALLOC, &x, NULL, 12, NULL));
  MUST(tdsl_mem(instance, TDSL_MEM_ALLOC, &y, NULL, 12, NULL));
  MUST(tdsl_state(instance, &state, &state_bytes));
  args[0].data = x;
  args[1].data = y;
  MUST(((capture_begin)function("cuStreamBeginCapture_v2"))(stream, 1));
  MUST(tdsl_run(instance, 0, sizes, args, 2, workspace, bytes, stream));
  MUST(((capture_end)function("cuStreamEndCapture"))(stream, &graph));
  MUST(((graph_instantiate)function("cuGraphInstantiateWithFlags"))(&exec, graph, 0));
  const float inputs[][3] = {{3, 2, 1}, {1, 2, 30}, {0.001f, 0, 0}, {50, 40, 30}};
  for (int i = 0; i < 4; i++) {
    float result[3], total[3];
    MUST(tdsl_mem(instance, TDSL_MEM_TO_DEVICE, &x, inputs[i], 12, stream));
    MUST(((graph_launch)function("cuGraphLaunch"))(exec, stream));
    tdsl_status status = tdsl_sync(instance, stream);
    if (status != TDSL_OK) tdsl_error(instance, text, sizeof text);
    MUST(tdsl_mem(instance, TDSL_MEM_TO_HOST, (void *)&(void *){result}, y, 12, stream));
    MUST(tdsl_mem(instance, TDSL_MEM_TO_HOST, (void *)&(void *){total}, state, 12, stream));
    if (status == TDSL_OK)
      printf("%g %g %g", result[0], result[1], result[2]);
    else
      printf("%d %s", status, text);
    printf(" | %g %g %g\n", total[0], total[1], total[2]);
  }
  tdsl_destroy(instance);
  return 0;
}
