/*
 * The part of the CUDA driver that models use, declared here so that neither CUDA's headers nor its libraries are needed: it is looked up in
 * libcuda.so.1 when a model is first opened, and a machine without a driver gets a reason and no unresolved symbol.
 */
#ifndef TDSL_DRIVER_H
#define TDSL_DRIVER_H

#include <stddef.h>
#include <stdint.h>

typedef int32_t cu_result;
typedef uint64_t cu_address;
typedef void *cu_handle; /* contexts, libraries, kernels, functions, streams, graphs */

enum { CU_ATTRIBUTE_PROCESSORS = 16, CU_ATTRIBUTE_MAJOR = 75, CU_ATTRIBUTE_MINOR = 76 };
enum { CU_FUNCTION_MAX_THREADS = 0, CU_FUNCTION_DYNAMIC_SHARED_BYTES = 8 };
enum { CU_MAP_BF16 = 9, CU_MAP_TF32 = 11, CU_MAP_SWIZZLE_128 = 3, CU_MAP_L2_256 = 3 };

#define TDSL_DRIVER_FUNCTIONS(F)                                                                                                              \
  F(init, cuInit, (unsigned flags))                                                                                                           \
  F(device_count, cuDeviceGetCount, (int *count))                                                                                             \
  F(device_get, cuDeviceGet, (int *device, int index))                                                                                        \
  F(device_attribute, cuDeviceGetAttribute, (int *value, int attribute, int device))                                                          \
  F(context_retain, cuDevicePrimaryCtxRetain, (cu_handle * context, int device))                                                              \
  F(context_release, cuDevicePrimaryCtxRelease_v2, (int device))                                                                              \
  F(context_push, cuCtxPushCurrent_v2, (cu_handle context))                                                                                   \
  F(context_pop, cuCtxPopCurrent_v2, (cu_handle * context))                                                                                   \
  F(library_load, cuLibraryLoadData,                                                                                                          \
    (cu_handle * library, const void *code, int *jit, void **jit_values, unsigned jit_count, int *options, void **values, unsigned count))    \
  F(library_unload, cuLibraryUnload, (cu_handle library))                                                                                     \
  F(library_kernel, cuLibraryGetKernel, (cu_handle * kernel, cu_handle library, const char *name))                                            \
  F(kernel_function, cuKernelGetFunction, (cu_handle * function, cu_handle kernel))                                                           \
  F(function_attribute, cuFuncSetAttribute, (cu_handle function, int attribute, int value))                                                   \
  F(function_value, cuFuncGetAttribute, (int *value, int attribute, cu_handle function))                                                      \
  F(tensor_map, cuTensorMapEncodeTiled,                                                                                                       \
    (void *map, int type, uint32_t rank, void *start, const uint64_t *sizes, const uint64_t *steps, const uint32_t *box,                      \
     const uint32_t *element_steps, int interleave, int swizzle, int promotion, int fill))                                                    \
  F(launch, cuLaunchKernel,                                                                                                                   \
    (cu_handle function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, cu_handle stream,     \
     void **params, void **extra))                                                                                                            \
  F(error_string, cuGetErrorString, (cu_result result, const char **text))                                                                    \
  F(memory_alloc, cuMemAlloc_v2, (cu_address * address, size_t bytes))                                                                        \
  F(memory_free, cuMemFree_v2, (cu_address address))                                                                                          \
  F(copy_to_device, cuMemcpyHtoDAsync_v2, (cu_address to, const void *from, size_t bytes, cu_handle stream))                                  \
  F(copy_to_host, cuMemcpyDtoHAsync_v2, (void *to, cu_address from, size_t bytes, cu_handle stream))                                          \
  F(copy_on_device, cuMemcpyDtoDAsync_v2, (cu_address to, cu_address from, size_t bytes, cu_handle stream))                                   \
  F(memory_set, cuMemsetD8Async, (cu_address to, unsigned char value, size_t bytes, cu_handle stream))                                        \
  F(stream_create, cuStreamCreate, (cu_handle * stream, unsigned flags))                                                                      \
  F(stream_destroy, cuStreamDestroy_v2, (cu_handle stream))                                                                                   \
  F(stream_wait, cuStreamSynchronize, (cu_handle stream))                                                                                     \
  F(capture_status, cuStreamIsCapturing, (cu_handle stream, int *status))                                                                     \
  F(capture_begin, cuStreamBeginCapture_v2, (cu_handle stream, int mode))                                                                     \
  F(capture_end, cuStreamEndCapture, (cu_handle stream, cu_handle * graph))                                                                   \
  F(graph_instantiate, cuGraphInstantiateWithFlags, (cu_handle * exec, cu_handle graph, unsigned long long flags))                            \
  F(graph_launch, cuGraphLaunch, (cu_handle exec, cu_handle stream))                                                                          \
  F(graph_destroy, cuGraphDestroy, (cu_handle graph))                                                                                         \
  F(exec_destroy, cuGraphExecDestroy, (cu_handle exec))

#define TDSL_DRIVER_FIELD(field, name, parameters) cu_result(*field) parameters;
typedef struct tdsl_driver {
  TDSL_DRIVER_FUNCTIONS(TDSL_DRIVER_FIELD)
} tdsl_driver;

/* Where the driver's functions come from instead of libcuda.so.1: the emulation defines this in models that it is linked with. */
#ifdef __cplusplus
extern "C" void *tdsl_emulated_driver(const char *name) __attribute__((visibility("hidden")));
#else
extern void *tdsl_emulated_driver(const char *name) __attribute__((weak, visibility("hidden")));
#endif

#endif
