/* How many threads an instance takes where its creator leaves that open. */
#ifndef TDSL_THREADS_H
#define TDSL_THREADS_H

#include <stdint.h>

#include "tdsl_device.h"

/*
 * As many as the environment variable TDSL_THREADS says; without it one for each core that this process may use: a core that runs two threads at
 * once has one set of units for vectors. A limit of processor time that a container has counts as so many cores. TDSL_E_ARG: the variable holds
 * no such number.
 */
TDSL_HIDDEN tdsl_status tdsl_default_threads(int32_t *threads, tdsl_text why);

#endif
