/*
 * A fork-join thread pool for kernels of a few microseconds.
 *
 * A parked thread takes tens of microseconds to arrive, and on a busy machine milliseconds. So the calling thread takes chunks itself, like
 * every worker, and waits only for chunks that a worker has taken, never for a worker to arrive. The ticket, one atomic word, holds the
 * number of the job in its upper half and the next chunk in its lower half; taking a chunk is one compare-and-swap. Workers spin for a
 * while after a job, long enough to bridge the serial stretches of a training step, and then sleep.
 */
#include "tdsl_pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { SPIN_NANOSECONDS = 200000, POLLS_PER_CLOCK_READ = 32, POLLS_PER_YIELD = 2000 };
#define NO_MORE_CHUNKS 0xffffffffu

struct tdsl_pool {
  _Alignas(64) _Atomic uint64_t ticket;
  _Alignas(64) _Atomic uint32_t done;
  _Alignas(64) _Atomic uint32_t sleeping;
  /* The job. Written while the ticket is closed and read between two looks at the ticket; relaxed atomics because a late worker may read on
   * while the next job is written, and then fails to take a chunk. */
  _Atomic(tdsl_task) task;
  _Atomic(void *) context;
  _Atomic int64_t first;
  _Atomic uint32_t chunks;
  uint32_t job;
  atomic_flag busy; /* one job at a time; whoever comes second works alone */
  _Atomic int quit;
  _Atomic int32_t numbered; /* workers that have taken their number */
  pthread_mutex_t lock;
  pthread_cond_t wake;
  int32_t workers; /* wanted; never changes */
  int32_t started, refused; /* threads that run, and whether the system refused one; guarded by `busy` */
  pthread_t threads[];
};

static inline void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static int64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static uint32_t job_of(uint64_t ticket) { return (uint32_t)(ticket >> 32); }

/* Takes and runs chunks of a job until none is left. */
static void work(tdsl_pool *pool, uint32_t job, int32_t thread) {
  for (;;) {
    uint64_t ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
    if (job_of(ticket) != job) return;
    tdsl_task task = atomic_load_explicit(&pool->task, memory_order_relaxed);
    void *context = atomic_load_explicit(&pool->context, memory_order_relaxed);
    int64_t first = atomic_load_explicit(&pool->first, memory_order_relaxed);
    uint32_t chunk = (uint32_t)ticket;
    if (chunk >= atomic_load_explicit(&pool->chunks, memory_order_relaxed)) return;
    if (!atomic_compare_exchange_weak_explicit(&pool->ticket, &ticket, ticket + 1, memory_order_acq_rel, memory_order_acquire)) continue;
    task(context, first + chunk, thread);
    atomic_fetch_add_explicit(&pool->done, 1, memory_order_release);
  }
}

/* Sleeps until the ticket shows another job than `seen`, or the pool ends. */
static void sleep_until_woken(tdsl_pool *pool, uint32_t seen) {
  pthread_mutex_lock(&pool->lock);
  atomic_fetch_add(&pool->sleeping, 1);
  while (job_of(atomic_load(&pool->ticket)) == seen && !atomic_load(&pool->quit)) pthread_cond_wait(&pool->wake, &pool->lock);
  atomic_fetch_sub(&pool->sleeping, 1);
  pthread_mutex_unlock(&pool->lock);
}

static void *worker_main(void *argument) {
  tdsl_pool *pool = argument;
  const int32_t thread = atomic_fetch_add(&pool->numbered, 1) + 1;
  uint32_t seen = 0;
  while (!atomic_load_explicit(&pool->quit, memory_order_relaxed)) {
    int64_t deadline = nanoseconds() + SPIN_NANOSECONDS;
    for (uint32_t polls = 1; job_of(atomic_load_explicit(&pool->ticket, memory_order_acquire)) == seen; polls++) {
      relax();
      if (polls % POLLS_PER_CLOCK_READ != 0 || nanoseconds() < deadline) continue;
      sleep_until_woken(pool, seen);
      break;
    }
    seen = job_of(atomic_load_explicit(&pool->ticket, memory_order_acquire));
    work(pool, seen, thread);
  }
  return NULL;
}

static void wake_sleepers(tdsl_pool *pool) {
  pthread_mutex_lock(&pool->lock);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->lock);
}

/* Starts the workers on first use, so that an instance that never has work for two threads never has a second thread. */
static void start_workers(tdsl_pool *pool) {
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old); /* signals belong to the host's threads */
  while (pool->started < pool->workers && !pool->refused) {
    pool->refused = pthread_create(&pool->threads[pool->started], NULL, worker_main, pool) != 0;
    pool->started += !pool->refused;
  }
  pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void run_job(tdsl_pool *pool, int64_t first, uint32_t chunks, tdsl_task task, void *context) {
  uint32_t job = ++pool->job;
  atomic_store(&pool->ticket, (uint64_t)(job - 1) << 32 | NO_MORE_CHUNKS);
  atomic_store_explicit(&pool->task, task, memory_order_relaxed);
  atomic_store_explicit(&pool->context, context, memory_order_relaxed);
  atomic_store_explicit(&pool->first, first, memory_order_relaxed);
  atomic_store_explicit(&pool->chunks, chunks, memory_order_relaxed);
  atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
  atomic_store(&pool->ticket, (uint64_t)job << 32);
  if (atomic_load(&pool->sleeping) > 0) wake_sleepers(pool);
  work(pool, job, 0);
  for (uint32_t polls = 1; atomic_load_explicit(&pool->done, memory_order_acquire) < chunks; polls++) {
    relax();
    if (polls % POLLS_PER_YIELD == 0) sched_yield();
  }
}

void tdsl_parallel(tdsl_pool *pool, int64_t chunks, tdsl_task task, void *context) {
  if (chunks > 1 && pool->workers > 0 && !atomic_flag_test_and_set_explicit(&pool->busy, memory_order_acquire)) {
    if (pool->started < pool->workers && !pool->refused) start_workers(pool);
    for (int64_t first = 0; first < chunks; first += INT32_MAX) {
      int64_t left = chunks - first;
      run_job(pool, first, (uint32_t)(left < INT32_MAX ? left : INT32_MAX), task, context);
    }
    atomic_flag_clear_explicit(&pool->busy, memory_order_release);
    return;
  }
  for (int64_t chunk = 0; chunk < chunks; chunk++) task(context, chunk, 0);
}

tdsl_pool *tdsl_pool_create(int32_t threads) {
  if (threads < 1) threads = 1;
  if (threads > TDSL_MAX_THREADS) threads = TDSL_MAX_THREADS;
  void *memory = NULL;
  size_t bytes = sizeof(tdsl_pool) + sizeof(pthread_t) * (size_t)(threads - 1);
  if (posix_memalign(&memory, 64, bytes) != 0) return NULL;
  tdsl_pool *pool = memory;
  atomic_init(&pool->ticket, NO_MORE_CHUNKS);
  atomic_init(&pool->done, 0);
  atomic_init(&pool->sleeping, 0);
  atomic_init(&pool->task, NULL);
  atomic_init(&pool->context, NULL);
  atomic_init(&pool->first, 0);
  atomic_init(&pool->chunks, 0);
  atomic_init(&pool->quit, 0);
  atomic_init(&pool->numbered, 0);
  atomic_flag_clear(&pool->busy);
  pool->job = 0;
  pool->workers = threads - 1;
  pool->started = pool->refused = 0;
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->wake, NULL);
  return pool;
}

int32_t tdsl_pool_threads(const tdsl_pool *pool) { return pool->workers + 1; }

void tdsl_pool_destroy(tdsl_pool *pool) {
  if (pool == NULL) return;
  atomic_store(&pool->quit, 1);
  wake_sleepers(pool);
  for (int32_t i = 0; i < pool->started; i++) pthread_join(pool->threads[i], NULL);
  pthread_cond_destroy(&pool->wake);
  pthread_mutex_destroy(&pool->lock);
  free(pool);
}
