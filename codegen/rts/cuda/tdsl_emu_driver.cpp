/*
 * A CUDA driver over the emulator: the functions of tdsl_driver.h. Linked into a model that runs on the CPU, the model finds them through
 * tdsl_emulated_driver; as a shared library of its own (with TDSL_STAND_IN) it stands in for libcuda.so.1, and takes the kernels from the library
 * that TDSL_STAND_IN_KERNELS names.
 */
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <functional>
#include <memory>
#include <mutex>

#include "tdsl_driver.h"
#include "tdsl_emu_core.h"
#include "tdsl_emu_hopper.h"

namespace {

enum Result { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NO_DEVICE = 100, INVALID_IMAGE = 200, NOT_FOUND = 500, LAUNCH_FAILED = 719 };

struct Graph {
  std::vector<std::function<cu_result()>> nodes;
};
struct Stream {
  Graph *capture = nullptr;
};
/* Threads of the host take turns: the emulator runs one kernel at a time. */
std::recursive_mutex device;
std::string error_text;

Graph *capture_of(cu_handle stream) { return stream == nullptr ? nullptr : static_cast<Stream *>(stream)->capture; }

cu_result result_of(bool is_good) {
  if (is_good) return SUCCESS;
  error_text = td_emu::first_report();
  td_emu::forget_reports();
  return LAUNCH_FAILED;
}

/* Does it now, or writes it down while a graph is captured from the stream. */
template <class F>
cu_result perform(cu_handle stream, F work) {
  std::lock_guard<std::recursive_mutex> turn(device);
  Graph *capture = capture_of(stream);
  if (capture == nullptr) return work();
  capture->nodes.push_back(work);
  return SUCCESS;
}

}  // namespace

#ifdef TDSL_STAND_IN
#define DRIVER(name) extern "C" __attribute__((visibility("default"))) cu_result name
#else
#define DRIVER(name) static cu_result name
#endif

DRIVER(cuInit)(unsigned) {
#ifdef TDSL_STAND_IN
  const char *kernels = getenv("TDSL_STAND_IN_KERNELS");
  if (kernels != nullptr && dlopen(kernels, RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    fprintf(stderr, "%s\n", dlerror());
    return NO_DEVICE;
  }
#endif
  return SUCCESS;
}
DRIVER(cuDeviceGetCount)(int *count) {
  *count = 1;
  return SUCCESS;
}
DRIVER(cuDeviceGet)(int *device, int index) {
  *device = index;
  return index == 0 ? SUCCESS : INVALID_VALUE;
}
/* A small device, so that grids do not cover all of their work at once. */
DRIVER(cuDeviceGetAttribute)(int *value, int attribute, int) {
  *value = attribute == CU_ATTRIBUTE_PROCESSORS ? 2 : attribute == CU_ATTRIBUTE_MAJOR ? 9 : 0;
  return SUCCESS;
}
DRIVER(cuDevicePrimaryCtxRetain)(cu_handle *context, int) {
  *context = &error_text;
  return SUCCESS;
}
DRIVER(cuDevicePrimaryCtxRelease_v2)(int) { return SUCCESS; }
DRIVER(cuCtxPushCurrent_v2)(cu_handle) { return SUCCESS; }
DRIVER(cuCtxPopCurrent_v2)(cu_handle *context) {
  *context = nullptr;
  return SUCCESS;
}
DRIVER(cuLibraryLoadData)(cu_handle *library, const void *code, int *, void **, unsigned, int *, void **, unsigned) {
  /* What nvcc writes begins with this number; the images of emulated models hold it and nothing else. */
  *library = const_cast<void *>(code);
  return *static_cast<const uint32_t *>(code) == 0xba55ed50u ? SUCCESS : INVALID_IMAGE;
}
DRIVER(cuLibraryUnload)(cu_handle) { return SUCCESS; }
DRIVER(cuLibraryGetKernel)(cu_handle *kernel, cu_handle, const char *name) {
  *kernel = const_cast<td_emu::Kernel *>(td_emu::find_kernel(name));
  return *kernel != nullptr ? SUCCESS : NOT_FOUND;
}
DRIVER(cuKernelGetFunction)(cu_handle *function, cu_handle kernel) {
  *function = kernel;
  return SUCCESS;
}
DRIVER(cuFuncSetAttribute)(cu_handle, int, int) { return SUCCESS; }
DRIVER(cuFuncGetAttribute)(int *value, int attribute, cu_handle) {
  *value = attribute == CU_FUNCTION_MAX_THREADS ? 1024 : 0;
  return SUCCESS;
}
/* What the real one demands of a map, for the maps that models make. */
DRIVER(cuTensorMapEncodeTiled)
(void *map, int type, uint32_t rank, void *start, const uint64_t *sizes, const uint64_t *steps, const uint32_t *box, const uint32_t *element_steps,
 int interleave, int swizzle, int, int) {
  auto *made = static_cast<td_tensor_map *>(map);
  const auto element_bytes = (uint16_t)(type == CU_MAP_BF16 ? 2 : 4);
  bool is_good = (uintptr_t)map % 64 == 0 && (uintptr_t)start % 16 == 0 && rank == 5 && interleave == 0 && swizzle == CU_MAP_SWIZZLE_128 &&
                 (type == CU_MAP_BF16 || type == CU_MAP_TF32) && box[0] * element_bytes <= 128;
  *made = {static_cast<const char *>(start), {}, {}, {}, element_bytes, type == CU_MAP_TF32};
  for (uint32_t i = 0; is_good && i < rank; i++) {
    made->sizes[i] = sizes[i];
    made->box[i] = box[i];
    is_good = sizes[i] > 0 && sizes[i] <= UINT32_MAX && box[i] > 0 && box[i] <= 256 && element_steps[i] == 1;
    if (i > 0) is_good = is_good && steps[i - 1] % 16 == 0 && steps[i - 1] < (uint64_t)1 << 40;
    if (i > 0) made->steps[i - 1] = steps[i - 1];
  }
  return is_good ? SUCCESS : INVALID_VALUE;
}
DRIVER(cuLaunchKernel)
(cu_handle function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, cu_handle stream, void **params, void **) {
  const auto &kernel = *static_cast<const td_emu::Kernel *>(function);
  if (capture_of(stream) == nullptr)
    return perform(stream, [=] { return result_of(td_emu::run_kernel(kernel.name, kernel.call, dim3(gx, gy, gz), dim3(bx, by, bz), shared, params)); });
  std::shared_ptr<void *> kept(kernel.keep(params), free);
  return perform(stream, [=] { return result_of(td_emu::run_kernel(kernel.name, kernel.call, dim3(gx, gy, gz), dim3(bx, by, bz), shared, kept.get())); });
}
DRIVER(cuGetErrorString)(cu_result result, const char **text) {
  *text = result == LAUNCH_FAILED      ? error_text.c_str()
          : result == NOT_FOUND        ? "named symbol not found"
          : result == INVALID_IMAGE    ? "device kernel image is invalid"
          : result == OUT_OF_MEMORY    ? "out of memory"
          : result == NO_DEVICE        ? "no CUDA-capable device is detected"
          : result == INVALID_VALUE    ? "invalid argument"
                                       : "no error";
  return SUCCESS;
}
DRIVER(cuMemAlloc_v2)(cu_address *address, size_t bytes) {
  *address = reinterpret_cast<cu_address>(td_emu::allocate(bytes));
  return *address != 0 ? SUCCESS : OUT_OF_MEMORY;
}
DRIVER(cuMemFree_v2)(cu_address address) { return td_emu::release(reinterpret_cast<void *>(address)) ? SUCCESS : INVALID_VALUE; }
static cu_result copy(void *to, const void *from, size_t bytes, cu_handle stream) {
  return perform(stream, [=] {
    memmove(to, from, bytes);
    td_emu::written_by_host(to, bytes);
    return cu_result(SUCCESS);
  });
}
DRIVER(cuMemcpyHtoDAsync_v2)(cu_address to, const void *from, size_t bytes, cu_handle stream) {
  return copy(reinterpret_cast<void *>(to), from, bytes, stream);
}
DRIVER(cuMemcpyDtoHAsync_v2)(void *to, cu_address from, size_t bytes, cu_handle stream) {
  return copy(to, reinterpret_cast<void *>(from), bytes, stream);
}
DRIVER(cuMemcpyDtoDAsync_v2)(cu_address to, cu_address from, size_t bytes, cu_handle stream) {
  return copy(reinterpret_cast<void *>(to), reinterpret_cast<void *>(from), bytes, stream);
}
DRIVER(cuMemsetD8Async)(cu_address to, unsigned char value, size_t bytes, cu_handle stream) {
  return perform(stream, [=] {
    memset(reinterpret_cast<void *>(to), value, bytes);
    td_emu::written_by_host(reinterpret_cast<void *>(to), bytes);
    return cu_result(SUCCESS);
  });
}
DRIVER(cuStreamCreate)(cu_handle *stream, unsigned) {
  *stream = new Stream;
  return SUCCESS;
}
DRIVER(cuStreamDestroy_v2)(cu_handle stream) {
  delete static_cast<Stream *>(stream);
  return SUCCESS;
}
DRIVER(cuStreamSynchronize)(cu_handle stream) { return capture_of(stream) == nullptr ? SUCCESS : INVALID_VALUE; }
DRIVER(cuStreamIsCapturing)(cu_handle stream, int *status) {
  *status = capture_of(stream) != nullptr;
  return SUCCESS;
}
DRIVER(cuStreamBeginCapture_v2)(cu_handle stream, int) {
  if (stream == nullptr) return INVALID_VALUE;
  static_cast<Stream *>(stream)->capture = new Graph;
  return SUCCESS;
}
DRIVER(cuStreamEndCapture)(cu_handle stream, cu_handle *graph) {
  *graph = capture_of(stream);
  if (*graph == nullptr) return INVALID_VALUE;
  static_cast<Stream *>(stream)->capture = nullptr;
  return SUCCESS;
}
DRIVER(cuGraphInstantiateWithFlags)(cu_handle *exec, cu_handle graph, unsigned long long) {
  *exec = new Graph(*static_cast<Graph *>(graph));
  return SUCCESS;
}
DRIVER(cuGraphLaunch)(cu_handle exec, cu_handle) {
  std::lock_guard<std::recursive_mutex> turn(device);
  for (const auto &node : static_cast<Graph *>(exec)->nodes)
    if (cu_result result = node()) return result;
  return SUCCESS;
}
DRIVER(cuGraphDestroy)(cu_handle graph) {
  delete static_cast<Graph *>(graph);
  return SUCCESS;
}
DRIVER(cuGraphExecDestroy)(cu_handle exec) {
  delete static_cast<Graph *>(exec);
  return SUCCESS;
}

#ifndef TDSL_STAND_IN
extern "C" void *tdsl_emulated_driver(const char *name) {
#define FIND(field, function, parameters) \
  if (strcmp(name, #function) == 0) return reinterpret_cast<void *>(function);
  TDSL_DRIVER_FUNCTIONS(FIND)
  return nullptr;
}
#endif
