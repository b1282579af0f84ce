/*
 * Memory of the emulated device, and checked mode. Kernels that are compiled with -fsanitize=thread call __tsan_read4 and the like for each
 * access; libtsan is not linked, these functions are here. They look up, for each byte, who wrote and read it last, and find accesses
 * outside of allocations, reads of what nothing was written to, and races: between blocks, between threads of a block with no barrier between
 * them, and between warps or lanes.
 */
#include "tdsl_emu_core.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <sys/mman.h>

namespace td_emu {

/* Who touched a byte. */
struct Stamp {
  uint32_t launch, block, warp_epoch;
  uint16_t thread, epoch;
  const void *pc;
};

struct Shadow {
  Stamp write, read, other_read;
  bool is_written, is_atomic;
};

struct Allocation {
  char *start;
  size_t bytes;
  char *pages;
  size_t page_bytes;
  bool live;
  Shadow *shadow;
};

static constexpr size_t PAGE = 4096;
static std::map<char *, Allocation> &allocations() {
  static std::map<char *, Allocation> all;
  return all;
}
static std::mutex lock;
static uint32_t launches = 1;
static Shadow *shared_shadow;

#ifdef TDSL_CHECKED
bool is_checked() { return true; }
#else
bool is_checked() { return false; }
#endif

template <class T>
static T *reserve(size_t count) {
  void *memory = mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<T *>(memory);
}

/* The end of an allocation lies at a page that cannot be touched, and its bytes are NaN in every dtype. */
void *allocate(size_t bytes) {
  std::lock_guard<std::mutex> guard(lock);
  size_t rounded = (bytes + 255) & ~(size_t)255, data = (rounded + PAGE - 1) & ~(PAGE - 1);
  auto *pages = reserve<char>(data + 2 * PAGE);
  if (pages == nullptr) return nullptr;
  mprotect(pages, PAGE, PROT_NONE);
  mprotect(pages + PAGE + data, PAGE, PROT_NONE);
  char *start = pages + PAGE + (data - rounded);
  memset(pages + PAGE, 0xff, data);
  Allocation made{start, bytes, pages, data + 2 * PAGE, true, is_checked() ? reserve<Shadow>(bytes) : nullptr};
  allocations()[start] = made;
  return start;
}

bool release(void *block) {
  std::lock_guard<std::mutex> guard(lock);
  auto found = allocations().find(static_cast<char *>(block));
  if (found == allocations().end() || !found->second.live) return false;
  Allocation &a = found->second;
  if (a.shadow != nullptr) {
    munmap(a.shadow, a.bytes * sizeof(Shadow));
    a.shadow = nullptr;
    /* In checked mode the addresses are not used again, so that a late access is told as such. */
    mprotect(a.pages, a.page_bytes, PROT_NONE);
    a.live = false;
  } else {
    munmap(a.pages, a.page_bytes);
    allocations().erase(found);
  }
  return true;
}

/* The allocation that an address lies in or shortly behind. */
static Allocation *find(const char *place) {
  auto after = allocations().upper_bound(const_cast<char *>(place));
  if (after == allocations().begin()) return nullptr;
  Allocation &a = (--after)->second;
  return place < a.pages + a.page_bytes ? &a : nullptr;
}

void written_by_host(const void *place, size_t bytes) {
  if (!is_checked()) return;
  std::lock_guard<std::mutex> guard(lock);
  auto *p = static_cast<const char *>(place);
  Allocation *a = find(p);
  if (a == nullptr || a->shadow == nullptr || p + bytes > a->start + a->bytes) return;
  for (size_t i = 0; i < bytes; i++) a->shadow[p - a->start + i].is_written = true;
}

void begin_launch() { launches++; }

void begin_block() {
  if (!is_checked()) return;
  if (shared_shadow == nullptr) shared_shadow = reserve<Shadow>(SHARED_ARENA);
  memset(static_cast<void *>(shared_shadow), 0, SHARED_ARENA * sizeof(Shadow));
}

/* --- shared memory ---------------------------------------------------------------------------------------------------------------------- */

void *shared_memory(const void *key, size_t bytes, const char *name) {
  Scheduler &s = *scheduler;
  for (const SharedArray &array : s.shared)
    if (array.key == key) return array.start;
  size_t start = (s.arena_used + 1023) & ~(size_t)1023;
  if (start + bytes > SHARED_BYTES) {
    report("%s: more than %zu bytes of shared memory", s.kernel, SHARED_BYTES);
    abandon();
  }
  /* Arrays lie apart, so that what leaves one of them is found. */
  s.arena_used = start + bytes + 64;
  s.shared.push_back({key, s.arena + start, bytes, name});
  memset(s.arena + start, 0xff, bytes);
  return s.arena + start;
}

void *dynamic_shared_memory() {
  static char key;
  return shared_memory(&key, scheduler->dynamic_bytes, "dynamic shared memory");
}

static void set_written(const void *place, size_t bytes, bool is_written) {
  if (!is_checked()) return;
  for (size_t i = 0; i < bytes; i++) shared_shadow[static_cast<const char *>(place) - scheduler->arena + i].is_written = is_written;
}
void shared_written(const void *place, size_t bytes) { set_written(place, bytes, true); }
void shared_emptied(const void *place, size_t bytes) { set_written(place, bytes, false); }

/* --- checked mode ----------------------------------------------------------------------------------------------------------------------------- */

static bool race(const Stamp &a, const Stamp &b, bool is_shared) {
  if (a.launch != b.launch) return false;
  if (a.block != b.block) return !is_shared;
  if (a.thread == b.thread || a.epoch != b.epoch) return false;
  bool same_warp = (a.thread >> 5) == (b.thread >> 5);
  return !(same_warp && a.warp_epoch != b.warp_epoch);
}

static void report_race(const Stamp &a, const char *a_kind, const Stamp &b, const char *b_kind, const char *array, long offset) {
  report("%s: race at byte %ld of %s: %s by thread %u of block %u (%s), %s by thread %u of block %u (%s)", scheduler->kernel, offset, array, a_kind, a.thread,
         a.block, place_of(a.pc).c_str(), b_kind, b.thread, b.block, place_of(b.pc).c_str());
}

static const char *const kind_names[] = {"read", "write", "atomic operation"};

void access(const void *place, size_t bytes, AccessKind kind, const void *pc) {
  Scheduler *s = scheduler;
  if (!is_checked() || s == nullptr || thread == nullptr || s->dead) return;
  auto *p = static_cast<const char *>(place);
  const bool is_shared = p >= s->arena && p < s->arena + SHARED_ARENA;
  const char *array = "global memory";
  Shadow *shadow;
  long offset;
  if (is_shared) {
    const SharedArray *found = nullptr;
    for (const SharedArray &each : s->shared)
      if (p >= each.start && p + bytes <= each.start + each.bytes) found = &each;
    if (found == nullptr) {
      report("%s: %s of %zu bytes outside of every shared array by thread %d (%s)", s->kernel, kind_names[kind], bytes, thread->number, place_of(pc).c_str());
      abandon();
    }
    array = found->name;
    shadow = shared_shadow + (p - s->arena);
    offset = p - found->start;
  } else {
    std::lock_guard<std::mutex> guard(lock);
    Allocation *a = find(p);
    if (a == nullptr) return; /* memory of the host: tables, stacks */
    offset = p - a->start;
    if (!a->live || offset < 0 || p + bytes > a->start + a->bytes) {
      report("%s: %s of %zu bytes %s (offset %ld, %zu allocated) by thread %d of block %u (%s)", s->kernel, kind_names[kind], bytes,
             a->live ? "outside of an allocation" : "in freed memory", offset, a->bytes, thread->number, s->block.index.x, place_of(pc).c_str());
      abandon();
    }
    shadow = a->shadow + offset;
  }
  if (!first_report().empty()) return; /* one mistake is told, and a kernel may make it many times */
  const uint32_t number = s->block.index.x + s->block.grid.x * (s->block.index.y + s->block.grid.y * s->block.index.z);
  const Stamp own{launches, number, thread->warp_epoch, (uint16_t)thread->number, (uint16_t)s->block.epoch, pc};
  for (size_t i = 0; i < bytes; i++) {
    Shadow &byte = shadow[i];
    if (kind != WRITE && !byte.is_written) {
      report("%s: read of byte %ld of %s, which nothing was written to, by thread %u of block %u (%s)", s->kernel, offset + (long)i, array, own.thread, own.block,
             place_of(pc).c_str());
      byte.is_written = true;
      return;
    }
    if (!(kind == ATOMIC && byte.is_atomic) && byte.write.launch != 0 && race(byte.write, own, is_shared)) {
      report_race(byte.write, byte.is_atomic ? "atomic operation" : "write", own, kind_names[kind], array, offset + (long)i);
      return;
    }
    if (kind == READ) {
      const bool keeps = byte.read.launch == own.launch && byte.read.block == own.block && byte.read.epoch == own.epoch && byte.read.thread != own.thread;
      (keeps ? byte.other_read : byte.read) = own;
      continue;
    }
    for (const Stamp *read : {&byte.read, &byte.other_read}) {
      if (read->launch == 0 || !race(*read, own, is_shared)) continue;
      report_race(*read, "read", own, kind_names[kind], array, offset + (long)i);
      return;
    }
    byte.write = own;
    byte.is_written = true;
    byte.is_atomic = kind == ATOMIC;
  }
}

void atomic_access(const void *place, size_t bytes) { access(place, bytes, ATOMIC, __builtin_return_address(0)); }

}  // namespace td_emu

#ifdef TDSL_CHECKED
using td_emu::access;
#define TD_HOOK(name, bytes, kind) \
  extern "C" void name(void *p) { access(p, bytes, td_emu::kind, __builtin_return_address(0)); }
#define TD_HOOKS(bytes)                                \
  TD_HOOK(__tsan_read##bytes, bytes, READ)             \
  TD_HOOK(__tsan_write##bytes, bytes, WRITE)           \
  TD_HOOK(__tsan_unaligned_read##bytes, bytes, READ)   \
  TD_HOOK(__tsan_unaligned_write##bytes, bytes, WRITE) \
  TD_HOOK(__tsan_volatile_read##bytes, bytes, READ)    \
  TD_HOOK(__tsan_volatile_write##bytes, bytes, WRITE)
TD_HOOKS(1)
TD_HOOKS(2)
TD_HOOKS(4)
TD_HOOKS(8)
TD_HOOKS(16)
extern "C" void __tsan_read_range(void *p, long bytes) { access(p, (size_t)bytes, td_emu::READ, __builtin_return_address(0)); }
extern "C" void __tsan_write_range(void *p, long bytes) { access(p, (size_t)bytes, td_emu::WRITE, __builtin_return_address(0)); }
extern "C" void __tsan_init() {}
extern "C" void __tsan_func_entry(void *) {}
extern "C" void __tsan_func_exit() {}
#endif
