/* Which version of its kernels a model runs, where it holds them for several CPUs. */
#ifndef TDSL_VERSIONS_H
#define TDSL_VERSIONS_H

#include "tdsl_device.h"

/*
 * Chooses the version that uses the most features of this machine, or the one that the environment variable TDSL_CPU names; 0 for a model with
 * one version. Where none can run, `why` says what is missing.
 */
TDSL_HIDDEN tdsl_status tdsl_choose_version(uint32_t *version, tdsl_text why);

#endif
