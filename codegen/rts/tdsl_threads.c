/* Counts the cores that are there for this process: those it may run on, each once, as far as a container's share of time goes. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* sched_getaffinity */
#endif
#include "tdsl_threads.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tdsl_pool.h"

#if defined(__linux__)
/* The processor with the lowest number that shares a core with this one; itself where the system does not say. */
static int first_of_core(int cpu) {
  char path[96];
  int first = cpu;
  snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
  FILE *file = fopen(path, "r");
  if (file == NULL) return cpu;
  if (fscanf(file, "%d", &first) != 1 || first < 0 || first >= CPU_SETSIZE) first = cpu;
  fclose(file);
  return first;
}

/* The cores that this process may run on; 0 where that is not known. */
static int32_t allowed_cores(void) {
  cpu_set_t allowed, cores;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 0;
  CPU_ZERO(&cores);
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET(cpu, &allowed)) CPU_SET(first_of_core(cpu), &cores);
  return CPU_COUNT(&cores);
}

/* The time of processors that the group of this process gets, in cores and rounded up; INT32_MAX where it has no limit. */
static int32_t time_limit(void) {
  long long quota, period;
  FILE *file = fopen("/sys/fs/cgroup/cpu.max", "r");
  if (file == NULL) return INT32_MAX;
  const int isLimited = fscanf(file, "%lld %lld", &quota, &period) == 2 && quota > 0 && period > 0;
  fclose(file);
  return isLimited && (quota + period - 1) / period < INT32_MAX ? (int32_t)((quota + period - 1) / period) : INT32_MAX;
}

static int32_t usable_cores(void) {
  const int32_t cores = allowed_cores(), limit = time_limit();
  return cores < limit ? cores : limit;
}
#else
static int32_t usable_cores(void) { return (int32_t)sysconf(_SC_NPROCESSORS_ONLN); }
#endif

tdsl_status tdsl_default_threads(int32_t *threads, tdsl_text why) {
  const char *text = getenv("TDSL_THREADS");
  char *end = NULL;
  errno = 0;
  const long wanted = text != NULL ? strtol(text, &end, 10) : 0;
  if (text != NULL && (*end != 0 || errno != 0 || wanted < 0 || wanted > TDSL_MAX_THREADS)) {
    snprintf(why.data, why.bytes, "TDSL_THREADS is '%.40s'; it takes a number of threads from 1 to %d, or 0 for one on each core", text, TDSL_MAX_THREADS);
    return TDSL_E_ARG;
  }
  const int32_t cores = usable_cores();
  *threads = wanted > 0 ? (int32_t)wanted : cores < 1 ? 1 : cores > TDSL_MAX_THREADS ? TDSL_MAX_THREADS : cores;
  return TDSL_OK;
}
