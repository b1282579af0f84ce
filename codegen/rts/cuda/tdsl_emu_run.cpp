/* The scheduler of the emulator: fibers, barriers, operations of warps, launches. */
#include "tdsl_emu_core.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <map>
#include <mutex>
#include <sys/mman.h>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace td_emu {

Thread *thread;
Block *block;
Scheduler *scheduler;

/* --- reports --------------------------------------------------------------------------------------------------------------------------- */

static std::string first;

void report(const char *format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (first.empty()) first = text;
}

const std::string &first_report() { return first; }
void forget_reports() { first.clear(); }

std::string place_of(const void *pc) {
  Dl_info info;
  if (!dladdr(pc, &info) || info.dli_fname == nullptr) return "?";
  char command[1024], line[512];
  /* The address is that of the return: the call lies before it. */
  uintptr_t offset = (uintptr_t)pc - (uintptr_t)info.dli_fbase - 1;
  snprintf(command, sizeof command, "addr2line -e '%s' 0x%lx 2>/dev/null", info.dli_fname, (unsigned long)offset);
  std::string result;
  if (FILE *pipe = popen(command, "r")) {
    if (fgets(line, sizeof line, pipe)) result = line;
    pclose(pipe);
  }
  size_t slash = result.rfind('/');
  if (slash != std::string::npos) result.erase(0, slash + 1);
  size_t end = result.find_first_of(" \n");
  if (end != std::string::npos) result.erase(end);
  if (!result.empty() && result[0] != '?') return result;
  snprintf(line, sizeof line, "%s+0x%lx", info.dli_sname ? info.dli_sname : "?", (unsigned long)offset);
  return line;
}

/* --- fibers ------------------------------------------------------------------------------------------------------------------------------ */

static constexpr size_t STACK = 256 << 10, PAGE = 4096;
static Fiber *self;
static void fiber_main();

#if defined(__x86_64__)
extern "C" __attribute__((visibility("hidden"))) void td_emu_switch(void **save, void *to);
asm(R"(.text
.globl td_emu_switch
.hidden td_emu_switch
.type td_emu_switch,@function
td_emu_switch:
 pushq %rbp
 pushq %rbx
 pushq %r12
 pushq %r13
 pushq %r14
 pushq %r15
 movq %rsp,(%rdi)
 movq %rsi,%rsp
 popq %r15
 popq %r14
 popq %r13
 popq %r12
 popq %rbx
 popq %rbp
 ret
.size td_emu_switch,.-td_emu_switch
)");

static void prepare(Fiber *fiber, int number) {
  /* Stacks begin at different places of a cache's sets. */
  void **top = reinterpret_cast<void **>(fiber->memory + PAGE + STACK - 64 - (number % 61) * 192);
  *--top = nullptr;
  *--top = reinterpret_cast<void *>(fiber_main);
  for (int i = 0; i < 6; i++) *--top = nullptr;
  fiber->stack_pointer = top;
}
#else
/* Elsewhere the C library switches; a stack pointer is then a saved context. */
static void td_emu_switch(void **save, void *to) {
  ucontext_t own;
  *save = &own;
  swapcontext(&own, static_cast<ucontext_t *>(to));
}
static void prepare(Fiber *fiber, int) {
  auto *context = new (fiber->memory + PAGE) ucontext_t;
  getcontext(context);
  context->uc_stack.ss_sp = fiber->memory + PAGE + sizeof(ucontext_t);
  context->uc_stack.ss_size = STACK - sizeof(ucontext_t);
  context->uc_link = nullptr;
  makecontext(context, fiber_main, 0);
  fiber->stack_pointer = context;
}
#endif

static Fiber *take_fiber() {
  Scheduler *s = scheduler;
  if (!s->free_fibers.empty()) {
    Fiber *fiber = s->free_fibers.back();
    s->free_fibers.pop_back();
    return fiber;
  }
  auto *fiber = new Fiber;
  fiber->memory = static_cast<char *>(mmap(nullptr, STACK + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  if (fiber->memory == MAP_FAILED) {
    fprintf(stderr, "tdsl: not enough memory for the threads of a kernel\n");
    abort();
  }
  mprotect(fiber->memory, PAGE, PROT_NONE);
  prepare(fiber, static_cast<int>(s->fibers.size()));
  s->fibers.push_back(fiber);
  return fiber;
}

static void go(Fiber *to) {
  Fiber *own = self;
  self = to;
  td_emu_switch(&own->stack_pointer, to->stack_pointer);
}

static void resume(Thread &other) {
  other.state = RUNNING;
  thread = &other;
  if (other.fiber != self) go(static_cast<Fiber *>(other.fiber));
}

void abandon() {
  void *unused;
  scheduler->dead = true;
  td_emu_switch(&unused, scheduler->main_stack);
  abort();
}

static bool is_ready(const Thread &t, const Scheduler &s) {
  if (t.state == IN_PHASE) return has_passed(static_cast<uint64_t *>(t.payload), (int)t.mask, t.operation);
  return t.state == READY || (t.state == AT_BARRIER && t.barrier != s.block.epoch);
}

static void report_deadlock() {
  Scheduler &s = *scheduler;
  int at_barrier = 0, in_warp = 0, in_phase = 0, done = 0;
  const char *barrier_site = "", *warp_site = "";
  for (int i = 0; i < s.count; i++) {
    const Thread &t = s.threads[i];
    if (t.state == AT_BARRIER && at_barrier++ == 0) barrier_site = t.site;
    if (t.state == IN_WARP && in_warp++ == 0) warp_site = t.site;
    if (t.state == IN_PHASE) in_phase++;
    if (t.state == DONE) done++;
  }
  if (in_phase > 0) {
    report("%s: %d threads of block %u wait for a phase of a barrier that does not end, %d in an operation of their warp, %d at a barrier, %d have returned", s.kernel,
           in_phase, s.block.index.x, in_warp, at_barrier, done);
    abandon();
  }
  if (in_warp == 0)
    report("%s: divergent barrier in block %u: %d threads wait at %s, %d have returned", s.kernel, s.block.index.x, at_barrier, barrier_site, done);
  else
    report("%s: a warp does not come together in block %u: %d threads in an operation of their warp at %s, %d at a barrier%s%s, %d have returned", s.kernel,
           s.block.index.x, in_warp, warp_site, at_barrier, at_barrier > 0 ? " at " : "", barrier_site, done);
  abandon();
}

/* Runs another thread; returns when somebody resumes the caller. */
static void run_another(int from) {
  Scheduler &s = *scheduler;
  if (s.next < s.count) {
    go(take_fiber());
    return;
  }
  for (int k = 1, place = from; k <= s.count; k++) {
    if (++place >= s.count) place = 0;
    Thread &t = s.threads[s.order[place]];
    if (is_ready(t, s)) {
      resume(t);
      return;
    }
  }
  report_deadlock();
}

static void fiber_main() {
  for (;;) {
    Scheduler &s = *scheduler;
    while (s.next < s.count) {
      Thread &t = s.threads[s.order[s.next++]];
      t.fiber = self;
      t.state = RUNNING;
      thread = &t;
      s.call(s.arguments);
      thread->state = DONE;
      s.done++;
    }
    if (s.done == s.count) {
      s.free_fibers.push_back(self);
      td_emu_switch(&self->stack_pointer, s.main_stack);
      continue;
    }
    int k = 0;
    while (k < s.count && !is_ready(s.threads[s.order[k]], s)) k++;
    if (k == s.count) report_deadlock();
    s.free_fibers.push_back(self);
    resume(s.threads[s.order[k]]);
  }
}

/* --- barriers and warps ---------------------------------------------------------------------------------------------------------------------- */

int barrier_or(int value, const char *site) {
  Scheduler &s = *scheduler;
  Thread *own = thread;
  own->site = site;
  own->state = AT_BARRIER;
  own->barrier = s.block.epoch;
  s.any |= value != 0;
  if (++s.waiting == s.count) {
    for (const Thread &t : s.threads) {
      if (t.site == site || strcmp(t.site, site) == 0) continue;
      report("%s: divergent barrier: threads of a block wait at %s and at %s", s.kernel, site, t.site);
      break;
    }
    s.waiting = 0;
    s.any_before = s.any;
    s.any = 0;
    s.block.epoch++;
    own->state = RUNNING;
    return s.any_before;
  }
  Thread *next = own->next;
  if (s.next >= s.count && is_ready(*next, s))
    resume(*next); /* the usual case: straight to the next thread */
  else
    run_another(own->number);
  thread = own;
  return s.any_before;
}

void barrier(const char *site) { barrier_or(0, site); }

void warp_operation(unsigned mask, void *payload, Operation operation, const char *site) {
  Scheduler &s = *scheduler;
  Thread *own = thread;
  Warp &warp = s.warps[own->warp];
  mask &= warp.exist;
  own->payload = payload;
  own->operation = reinterpret_cast<void *>(operation);
  own->site = site;
  own->mask = mask;
  own->state = IN_WARP;
  warp.waiting |= 1u << own->lane;
  if ((warp.waiting & mask) == mask) {
    Thread *lanes[32] = {};
    for (int i = 0; i < 32; i++) {
      if ((mask >> i & 1) == 0) continue;
      lanes[i] = &s.threads[own->warp * 32 + i];
      if (lanes[i]->mask != mask || strcmp(lanes[i]->site, site) != 0) {
        report("%s: threads of one warp meet in different operations: %s and %s", s.kernel, site, lanes[i]->site);
        abandon();
      }
    }
    operation(lanes, mask);
    warp.waiting &= ~mask;
    for (Thread *lane : lanes) {
      if (lane == nullptr) continue;
      lane->state = READY;
      lane->warp_epoch++;
    }
    own->state = RUNNING;
    return;
  }
  run_another(own->number);
  thread = own;
}

void wait_for_phase(uint64_t *barrier, int parity, const void *pc) {
  Thread *own = thread;
  own->payload = barrier;
  own->operation = const_cast<void *>(pc);
  own->mask = (unsigned)parity;
  own->state = IN_PHASE;
  run_another(own->number);
  thread = own;
}

/* --- launches ---------------------------------------------------------------------------------------------------------------------------------- */

static std::map<std::string, Kernel> &kernels() {
  static std::map<std::string, Kernel> all;
  return all;
}

void add_kernel(const Kernel &kernel) { kernels()[kernel.name] = kernel; }

const Kernel *find_kernel(const char *name) {
  auto found = kernels().find(name);
  return found == kernels().end() ? nullptr : &found->second;
}

/* The order in which the threads of a block and the blocks run: 0 forward, 1 backward, others at random. Results must not depend on it. */
static unsigned order_of_threads() {
  const char *text = getenv("TDSL_EMU_ORDER");
  return text == nullptr ? 0 : static_cast<unsigned>(strtoul(text, nullptr, 10));
}

static void order_threads(Scheduler &s, unsigned mode) {
  for (int i = 0; i < s.count; i++) s.order[i] = mode == 1 ? s.count - 1 - i : i;
  if (mode < 2) return;
  unsigned seed = mode * 2654435761u;
  for (int i = s.count - 1; i > 0; i--) {
    seed = seed * 1664525u + 1013904223u;
    std::swap(s.order[i], s.order[(seed >> 8) % (i + 1)]);
  }
}

static Scheduler &own_scheduler() {
  static Scheduler *own;
  if (own == nullptr) {
    own = new Scheduler;
    own->arena = static_cast<char *>(mmap(nullptr, SHARED_ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  }
  return *own;
}

static void run_block(Scheduler &s, dim3 size) {
  s.block.epoch = 0;
  s.next = s.done = s.waiting = s.any = 0;
  s.arena_used = 0;
  s.shared.clear();
  begin_block();
  begin_tiles(s.count);
  for (int i = 0; i < s.count; i++) {
    Thread &t = s.threads[i];
    t.index = {i % size.x, i / size.x % size.y, i / (size.x * size.y)};
    t.number = i;
    t.lane = i & 31;
    t.warp = i >> 5;
    t.state = NEW;
    t.site = "";
    t.warp_epoch = 0;
    t.copies = t.copy_group = 0;
  }
  for (int i = 0; i < s.count; i++) s.threads[s.order[i]].next = &s.threads[s.order[(i + 1) % s.count]];
  self = take_fiber();
  td_emu_switch(&s.main_stack, self->stack_pointer);
  if (!s.dead) end_tiles();
}

bool run_kernel(const char *name, void (*call)(void **), dim3 grid, dim3 size, size_t dynamic_bytes, void **arguments) {
  static std::mutex one_at_a_time;
  std::lock_guard<std::mutex> lock(one_at_a_time);
  size_t count = (size_t)size.x * size.y * size.z, blocks = (size_t)grid.x * grid.y * grid.z;
  if (count == 0 || count > 1024 || blocks == 0 || grid.x > 0x7fffffffu || grid.y > 65535 || grid.z > 65535 || dynamic_bytes > SHARED_BYTES) {
    report("%s: a GPU cannot be asked for %u x %u x %u blocks of %u x %u x %u threads with %zu bytes of shared memory", name, grid.x, grid.y, grid.z, size.x,
           size.y, size.z, dynamic_bytes);
    return false;
  }
  Scheduler &s = own_scheduler();
  scheduler = &s;
  block = &s.block;
  s.kernel = name;
  s.call = call;
  s.arguments = arguments;
  s.dynamic_bytes = dynamic_bytes;
  s.dead = false;
  s.count = static_cast<int>(count);
  s.threads.resize(count);
  s.order.resize(count);
  s.copies.resize(count * MOST_COPIES);
  s.warps.assign((count + 31) / 32, {0, 0});
  for (size_t i = 0; i < count; i++) s.warps[i / 32].exist |= 1u << (i & 31);
  s.block.size = size;
  s.block.grid = grid;
  begin_launch();
  const unsigned mode = order_of_threads();
  order_threads(s, mode);
  for (size_t k = 0; k < blocks && !s.dead; k++) {
    size_t at = mode == 1 ? blocks - 1 - k : k;
    s.block.index = dim3(at % grid.x, at / grid.x % grid.y, at / ((size_t)grid.x * grid.y));
    run_block(s, size);
  }
  if (s.dead) {
    /* The fibers stand where they were abandoned. */
    s.free_fibers = s.fibers;
    for (size_t i = 0; i < s.fibers.size(); i++) prepare(s.fibers[i], static_cast<int>(i));
  }
  thread = nullptr;
  scheduler = nullptr;
  return first_report().empty();
}

}  // namespace td_emu
