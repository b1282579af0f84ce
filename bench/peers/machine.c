/*
 * Measures what this machine can do, so that the least possible time of a workload can be computed: FLOP/s of independent fused
 * multiply-adds in the widest vectors, and bytes per second of copying. A contestant like the others (contestants/protocol.ts), but its
 * requests are plain words: "THREADS BYTES MILLISECONDS"; the answer is {"flops": F, "bandwidth": B}.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif
typedef float vector __attribute__((vector_size(4 * LANES)));

enum { CHAINS = 12, ROUNDS = 20000 };

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/*
 * Named accumulators: an array of them would be kept in memory. -ffp-contract=fast makes each one instruction where there is one. The
 * compiler must not see that all begin alike, else it keeps only one.
 */
#define HIDE(r) __asm__ volatile("" : "+x"(r))

static double multiply_adds(void) {
  vector r0 = {0}, r1 = {0}, r2 = {0}, r3 = {0}, r4 = {0}, r5 = {0}, r6 = {0}, r7 = {0}, r8 = {0}, r9 = {0}, r10 = {0}, r11 = {0};
  vector a = r0 + 0.999f, b = r0 + 0.001f;
  HIDE(a);
  HIDE(b);
  HIDE(r0);
  HIDE(r1);
  HIDE(r2);
  HIDE(r3);
  HIDE(r4);
  HIDE(r5);
  HIDE(r6);
  HIDE(r7);
  HIDE(r8);
  HIDE(r9);
  HIDE(r10);
  HIDE(r11);
  double start = seconds();
  for (int i = 0; i < ROUNDS; i++) {
    r0 = r0 * a + b, r1 = r1 * a + b, r2 = r2 * a + b, r3 = r3 * a + b, r4 = r4 * a + b, r5 = r5 * a + b;
    r6 = r6 * a + b, r7 = r7 * a + b, r8 = r8 * a + b, r9 = r9 * a + b, r10 = r10 * a + b, r11 = r11 * a + b;
  }
  double taken = seconds() - start;
  vector sum = r0 + r1 + r2 + r3 + r4 + r5 + r6 + r7 + r8 + r9 + r10 + r11;
  __asm__ volatile("" : : "x"(sum));
  return 2.0 * LANES * CHAINS * ROUNDS / taken;
}

typedef struct job {
  pthread_barrier_t *start;
  float *from, *to;
  uint64_t elements;
  double milliseconds, flops, bandwidth;
} job;

static double copy(float *restrict to, const float *restrict from, uint64_t elements, int stream) {
  double start = seconds();
  for (uint64_t i = 0; i + LANES <= elements; i += LANES) {
    vector v = *(const vector *)(from + i);
#if defined(__x86_64__) && defined(__AVX__)
    if (stream) {
#if LANES == 16
      __builtin_ia32_movntps512(to + i, v);
#else
      __builtin_ia32_movntps256(to + i, v);
#endif
      continue;
    }
#endif
    *(vector *)(to + i) = v;
  }
  __asm__ volatile("" : : : "memory");
  return 8.0 * (double)elements / (seconds() - start);
}

enum { SAMPLES = 65536 };

typedef struct samples {
  int count;
  double values[SAMPLES];
} samples;

static void add(samples *s, double value) {
  if (s->count < SAMPLES) s->values[s->count++] = value;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The median, like that of the workloads: the fastest moment would set the clock of that moment against their usual one. */
static double median(samples *s) {
  qsort(s->values, (size_t)s->count, sizeof s->values[0], ascending);
  return s->count == 0 ? 0 : s->values[s->count / 2];
}

static void *run(void *argument) {
  job *j = argument;
  samples *taken = calloc(2, sizeof(samples));
  if (taken == NULL) abort();
  pthread_barrier_wait(j->start);
  for (double end = seconds() + j->milliseconds / 1e3; seconds() < end;) add(taken, multiply_adds());
  j->flops = median(taken);
  j->bandwidth = 0;
  pthread_barrier_wait(j->start);
  if (j->elements > 0) {
    taken->count = 0;
    double end = seconds() + j->milliseconds / 1e3;
    do
      for (int stream = 0; stream < 2; stream++) add(&taken[stream], copy(j->to, j->from, j->elements, stream));
    while (seconds() < end);
    double plain = median(&taken[0]), streaming = median(&taken[1]);
    j->bandwidth = plain > streaming ? plain : streaming;
  }
  free(taken);
  return NULL;
}

int main(void) {
  int threads;
  unsigned long long bytes;
  double milliseconds;
  while (scanf("%d %llu %lf", &threads, &bytes, &milliseconds) == 3) {
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, (unsigned)threads);
    pthread_t ids[64];
    job jobs[64];
    if (threads > 64) threads = 64;
    uint64_t elements = bytes / 8 / (uint64_t)threads / LANES * LANES;
    for (int i = 0; i < threads; i++) {
      jobs[i] = (job){.start = &start, .elements = elements, .milliseconds = milliseconds};
      if (elements > 0) {
        jobs[i].from = aligned_alloc(64, (elements * 4 + 63) / 64 * 64);
        jobs[i].to = aligned_alloc(64, (elements * 4 + 63) / 64 * 64);
        if (jobs[i].from == NULL || jobs[i].to == NULL) return 1;
        memset(jobs[i].from, 1, elements * 4);
        memset(jobs[i].to, 1, elements * 4);
      }
      if (i > 0) pthread_create(&ids[i], NULL, run, &jobs[i]);
    }
    run(&jobs[0]);
    double flops = jobs[0].flops, bandwidth = jobs[0].bandwidth;
    for (int i = 1; i < threads; i++) {
      pthread_join(ids[i], NULL);
      flops += jobs[i].flops, bandwidth += jobs[i].bandwidth;
    }
    for (int i = 0; i < threads; i++) free(jobs[i].from), free(jobs[i].to);
    pthread_barrier_destroy(&start);
    printf("{\"flops\": %.6g, \"bandwidth\": %.6g}\n", flops, bandwidth);
    fflush(stdout);
  }
  return 0;
}
