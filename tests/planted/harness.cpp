// Runs one of the kernels of planted.cu, two blocks of 64 threads over 64 numbers (blocks write apart but for what is planted), or of hopper.cu, a
// block of 160 threads over a matrix, and prints what the emulator reports.
#include <cstdio>

#include "tdsl_emu_core.h"
#include "tdsl_emu_hopper.h"

using namespace td_emu;

int main(int count, char **names) {
  const Kernel *kernel = count == 2 ? find_kernel(names[1]) : nullptr;
  if (kernel == nullptr) return 2;
  auto *x = static_cast<float *>(allocate(64 * sizeof(float))), *out = static_cast<float *>(allocate(129 * sizeof(float)));
  void *freed = allocate(64 * sizeof(float));
  memset(x, 0, 64 * sizeof(float));
  memcpy(x + 62, &freed, sizeof freed);
  memset(out, 0, 65 * sizeof(float));
  written_by_host(x, 64 * sizeof(float));
  written_by_host(out + 64, sizeof(float));
  release(freed);
  int64_t n = 64;
  const size_t matrix_bytes = 256 * 192 * sizeof(uint16_t);
  auto *matrix = static_cast<char *>(allocate(matrix_bytes));
  memset(matrix, 0, matrix_bytes);
  written_by_host(matrix, matrix_bytes);
  td_tensor_map map{matrix, {192, 256, 1, 1, 1}, {192 * sizeof(uint16_t), 16, 16, 16}, {64, 256, 1, 1, 1}, sizeof(uint16_t), 0};
  const bool apart = strncmp(names[1], "blocks", 6) == 0, ring = strncmp(names[1], "ring", 4) == 0;
  void *arguments[] = {&x, &out, &n, &map};
  run_kernel(kernel->name, kernel->call, dim3(apart ? 2 : 1), dim3(ring ? 160 : 64), 0, arguments);
  puts(first_report().c_str());
  return 0;
}
