/* The thread pool of an instance, as tdsl_rts.c sees it; kernels see only tdsl_parallel of tdsl_rts.h. */
#ifndef TDSL_POOL_H
#define TDSL_POOL_H

#include <stdint.h>

#include "tdsl_rts.h"

/* Makes a pool of `threads` threads, the caller's included; 0: as many as TDSL_THREADS says, or one for each core that this process may use. Null: out of memory. */
__attribute__((visibility("hidden"))) tdsl_pool *tdsl_pool_create(int32_t threads);

/* The number of threads, the caller's included. */
__attribute__((visibility("hidden"))) int32_t tdsl_pool_threads(const tdsl_pool *pool);

/* Ends and joins the threads. Null is allowed. */
__attribute__((visibility("hidden"))) void tdsl_pool_destroy(tdsl_pool *pool);

#endif
