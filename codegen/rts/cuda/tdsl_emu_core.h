/* What the parts of the emulator share: the running block, reports, memory. Never compiled with -fsanitize=thread. */
#ifndef TDSL_EMU_CORE_H
#define TDSL_EMU_CORE_H

#include <string>
#include <vector>

#include "tdsl_emu.h"
#undef threadIdx
#undef blockIdx
#undef blockDim
#undef gridDim

namespace td_emu {

enum State { NEW, RUNNING, READY, AT_BARRIER, IN_WARP, IN_PHASE, DONE };

struct Fiber {
  void *stack_pointer;
  char *memory;
};

struct Warp {
  unsigned waiting, exist;
};

/* An array of shared memory. */
struct SharedArray {
  const void *key;
  char *start;
  size_t bytes;
  const char *name;
};

/* An asynchronous copy that nobody has waited for: `valid` bytes, then zeros. */
struct PendingCopy {
  void *to;
  const void *from;
  int bytes, valid, group;
};

constexpr size_t SHARED_BYTES = 228 * 1024; /* of an H100's processor: 227 KiB for a block, and what separates its arrays */
constexpr size_t SHARED_ARENA = 512 * 1024;
constexpr int MOST_COPIES = 128;

/* The block that runs on this thread of the CPU. */
struct Scheduler {
  std::vector<Thread> threads;
  std::vector<int> order;
  std::vector<Warp> warps;
  std::vector<Fiber *> free_fibers, fibers;
  std::vector<SharedArray> shared;
  std::vector<PendingCopy> copies; /* MOST_COPIES for each thread */
  Block block;
  void *main_stack = nullptr;
  int count = 0, next = 0, done = 0, waiting = 0, any = 0, any_before = 0;
  char *arena = nullptr;
  size_t arena_used = 0, dynamic_bytes = 0;
  void (*call)(void **) = nullptr;
  void **arguments = nullptr;
  bool dead = false;
  const char *kernel = "";
};
extern Scheduler *scheduler;

/* Reports what a kernel does wrong; the first text becomes the error of the launch. */
__attribute__((format(printf, 1, 2))) void report(const char *format, ...);
const std::string &first_report();
void forget_reports();
/* Ends the running block after a report that leaves nothing to go on with. */
[[noreturn]] void abandon();
/* "kernels_0.cu:85" for an address in a kernel. */
std::string place_of(const void *pc);

/* Memory of the device. */
void *allocate(size_t bytes);
bool release(void *block);
void written_by_host(const void *place, size_t bytes);
/* Checked mode: an access of the running thread. */
enum AccessKind { READ, WRITE, ATOMIC };
void access(const void *place, size_t bytes, AccessKind kind, const void *pc);
void shared_written(const void *place, size_t bytes);
void shared_emptied(const void *place, size_t bytes);
void begin_block();
void begin_launch();
bool is_checked();

/* Barriers of bytes, tiles and products of warp groups (tdsl_emu_hopper.cpp), at the begin and the end of a block. */
void begin_tiles(int threads);
void end_tiles();
/* Whether the phase of this parity has ended once the tiles are there that somebody waits for, and the wait of the running thread for its end. */
bool has_passed(uint64_t *barrier, int parity, const void *pc);
void wait_for_phase(uint64_t *barrier, int parity, const void *pc);

/* Runs a kernel; false after a report. */
bool run_kernel(const char *name, void (*call)(void **), dim3 grid, dim3 size, size_t dynamic_bytes, void **arguments);
const Kernel *find_kernel(const char *name);

}  // namespace td_emu

#endif
