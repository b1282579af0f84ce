/* The thread pool of an instance, as tdsl_rts.c sees it; what kernels see of it is in tdsl_rts.h. */
#ifndef TDSL_POOL_H
#define TDSL_POOL_H

#include <stdint.h>

#include "tdsl_rts.h"

enum { TDSL_MAX_THREADS = 256 };

/* Makes a pool of `threads` threads, the caller's included, 1 to TDSL_MAX_THREADS. Null: out of memory. */
__attribute__((visibility("hidden"))) tdsl_pool *tdsl_pool_create(int32_t threads);

/* Ends and joins the threads. Null is allowed. */
__attribute__((visibility("hidden"))) void tdsl_pool_destroy(tdsl_pool *pool);

#endif
