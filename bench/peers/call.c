/*
 * Calls the first entry of a model from C, over and over: what a call costs without Node. The entry has no run-time dimensions and needs no
 * workspace. Linked with a library that `tdsl compile --emit lib` wrote. Each line of input is `wall` or `cpu`; the answer is the time of a call.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tdsl_model.h"

enum { MAX_TENSORS = 8, CALLS = 100000 };

static double milliseconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int main(void) {
  tdsl_options options = {.size = sizeof options, .n_threads = 1};
  tdsl_instance *instance;
  tdsl_tensor tensors[MAX_TENSORS] = {{0}};
  const uint32_t count = tdsl_query(TDSL_ABI_VERSION)->entries[0].n_args;
  if (count > MAX_TENSORS || tdsl_create(&options, &instance) != TDSL_OK) return 1;
  for (uint32_t i = 0; i < count; i++) tensors[i].size = sizeof *tensors;
  if (tdsl_shape(instance, 0, NULL, tensors, count) != TDSL_OK) return 1;
  for (uint32_t i = 0; i < count; i++) tensors[i].data = calloc(1, tensors[i].bytes);
  char line[16];
  while (fgets(line, sizeof line, stdin) != NULL) {
    const clockid_t clock = strncmp(line, "cpu", 3) == 0 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
    const double start = milliseconds(clock);
    for (int i = 0; i < CALLS; i++)
      if (tdsl_run(instance, 0, NULL, tensors, count, NULL, 0, NULL) != TDSL_OK) return 1;
    printf("{\"milliseconds\": [%.9f]}\n", (milliseconds(clock) - start) / CALLS);
    fflush(stdout);
  }
  return 0;
}
