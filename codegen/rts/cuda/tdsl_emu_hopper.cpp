/*
 * Barriers that count bytes, copies of tiles and products of warp groups, as late as they may be: a tile arrives when somebody waits for it, and until
 * then its place holds NaN; products are computed when they are waited for, and until then their sums are NaN.
 */
#include "tdsl_emu_hopper.h"
#include "tdsl_emu_core.h"

namespace td_emu {

struct Barrier {
  uint64_t *place;
  int count, missing;  /* threads in a phase, and those that have not arrived */
  int64_t announced;   /* bytes that were announced and have not come */
  int parity;          /* of the phase that runs */
  bool is_fenced;
};

struct PendingTile {
  char *to;
  td_tensor_map map; /* that of the kernel is gone when its thread returns */
  uint64_t *barrier;
  int64_t at[5];
};

struct PendingProduct {
  float *d;
  td_shared_matrix a, b;
  bool is_tf32, a_deep, b_deep;
  int group;
  const void *pc;
};

/* The products of a thread: what its sums were before the first of them that has not been computed. */
struct Products {
  std::vector<PendingProduct> pending;
  std::vector<float> before;
  int group = 0;
  bool is_fenced = false;
};

static std::vector<Barrier> barriers;
static std::vector<PendingTile> tiles;
static std::vector<Products> products;

void begin_tiles(int threads) {
  barriers.clear();
  tiles.clear();
  products.assign((size_t)threads, {});
}

void end_tiles() {
  const char *kernel = scheduler->kernel;
  if (!tiles.empty()) report("%s: a block ends while a tile is copied to shared memory", kernel);
  for (const Products &own : products) {
    if (own.pending.empty()) continue;
    report("%s: nothing waited for a product of a warp group (%s)", kernel, place_of(own.pending[0].pc).c_str());
    return;
  }
}

/* --- barriers ----------------------------------------------------------------------------------------------------------------------------- */

[[noreturn]] static void fail(const char *what, const void *pc) {
  report("%s: %s, thread %d of block %u (%s)", scheduler->kernel, what, thread->number, scheduler->block.index.x, place_of(pc).c_str());
  abandon();
}

static Barrier &barrier_at(uint64_t *place, const void *pc) {
  for (Barrier &each : barriers)
    if (each.place == place) return each;
  fail("a barrier of bytes that was not made", pc);
}

static void settle(Barrier &barrier) {
  if (barrier.missing > 0 || barrier.announced > 0) return;
  barrier.missing = barrier.count;
  barrier.parity ^= 1;
}

static void arrive(uint64_t *place, int bytes, const void *pc) {
  Barrier &barrier = barrier_at(place, pc);
  if (barrier.missing == 0) fail("an arrival at a barrier whose phase has not ended: nobody waited for the round before", pc);
  barrier.missing--;
  barrier.announced += bytes;
  settle(barrier);
}

static void bring(const PendingTile &tile, const void *pc) {
  const td_tensor_map &map = tile.map;
  const int64_t row_bytes = map.box[0] * map.element_bytes;
  for (uint32_t row = 0; row < map.box[1]; row++) {
    bool is_inside = tile.at[1] + row < (int64_t)map.sizes[1];
    const char *from = map.start + (tile.at[1] + row) * (int64_t)map.steps[0];
    for (int k = 2; k < 5; k++) {
      from += tile.at[k] * (int64_t)map.steps[k - 1];
      is_inside = is_inside && tile.at[k] < (int64_t)map.sizes[k];
    }
    for (uint32_t i = 0; i < map.box[0]; i++) {
      const int64_t column = tile.at[0] + i;
      char *to = tile.to + row * row_bytes + i * map.element_bytes;
      to = reinterpret_cast<char *>((uintptr_t)to ^ (((uintptr_t)to >> 3) & 0x70)); /* the 128-byte swizzle */
      if (!is_inside || column >= (int64_t)map.sizes[0]) {
        memset(to, 0, map.element_bytes);
        continue;
      }
      const char *element = from + column * map.element_bytes;
      access(element, map.element_bytes, READ, pc);
      memcpy(to, element, map.element_bytes);
      if (!map.rounds_to_tf32) continue;
      float value;
      memcpy(&value, to, sizeof value);
      const uint32_t bits = td_tf32(value);
      memcpy(to, &bits, sizeof bits);
    }
  }
  shared_written(tile.to, (size_t)row_bytes * map.box[1]);
  Barrier &barrier = barrier_at(tile.barrier, pc);
  barrier.announced -= row_bytes * map.box[1];
  settle(barrier);
}

bool has_passed(uint64_t *place, int parity, const void *pc) {
  for (size_t i = 0; i < tiles.size();) {
    if (tiles[i].barrier != place) {
      i++;
      continue;
    }
    const PendingTile tile = tiles[i];
    tiles.erase(tiles.begin() + (long)i);
    bring(tile, pc);
  }
  return barrier_at(place, pc).parity != parity;
}

}  // namespace td_emu

using namespace td_emu;

void td_barrier_init(uint64_t *place, int count) {
  shared_written(place, sizeof *place);
  barriers.push_back({place, count, count, 0, 0, false});
}
void td_barrier_fence() {
  for (Barrier &each : barriers) each.is_fenced = true;
}
void td_barrier_arrive(uint64_t *place) { arrive(place, 0, __builtin_return_address(0)); }
void td_barrier_expect(uint64_t *place, int bytes) { arrive(place, bytes, __builtin_return_address(0)); }

void td_barrier_wait(uint64_t *place, int parity) {
  const void *pc = __builtin_return_address(0);
  if (!has_passed(place, parity, pc)) wait_for_phase(place, parity, pc);
}

void td_tensor_copy(void *shared, const td_tensor_map *map, uint64_t *place, int x, int y, const int (&batch)[3]) {
  const void *pc = __builtin_return_address(0);
  if ((uintptr_t)shared % 1024 != 0) fail("a tile that is copied to an address that is no multiple of 1024", pc);
  if (!barrier_at(place, pc).is_fenced) fail("a barrier that copies do not know: td_barrier_fence is missing", pc);
  const size_t bytes = (size_t)map->box[0] * map->element_bytes * map->box[1];
  memset(shared, 0xff, bytes);
  shared_emptied(shared, bytes);
  tiles.push_back({static_cast<char *>(shared), *map, place, {x, y, batch[0], batch[1], batch[2]}});
}

/* --- products ------------------------------------------------------------------------------------------------------------------------------ */

static constexpr int SUMS = 128;

/* Products take their sums away until they are waited for. */
static void hide(Products &own, float *d) {
  own.before.assign(d, d + SUMS);
  memset(d, 0xff, SUMS * sizeof *d);
}

static void start(const PendingProduct &product) {
  float *const d = product.d;
  Products &own = products[(size_t)td_emu::thread->number];
  if (!own.is_fenced) fail("a product whose sums may still be under way to registers: td_wgmma_fence is missing", product.pc);
  if (own.pending.empty())
    hide(own, d);
  else if (own.pending[0].d != d)
    fail("products of different sums at the same time, which the emulator does not know", product.pc);
  own.pending.push_back(product);
  own.pending.back().group = own.group;
}
template <bool A_DEEP, bool B_DEEP>
void td_wgmma_bf16(float (&d)[128], const td_shared_matrix &a, const td_shared_matrix &b) {
  start({d, a, b, false, A_DEEP, B_DEEP, 0, __builtin_return_address(0)});
}
template void td_wgmma_bf16<true, true>(float (&)[128], const td_shared_matrix &, const td_shared_matrix &);
template void td_wgmma_bf16<true, false>(float (&)[128], const td_shared_matrix &, const td_shared_matrix &);
template void td_wgmma_bf16<false, true>(float (&)[128], const td_shared_matrix &, const td_shared_matrix &);
template void td_wgmma_bf16<false, false>(float (&)[128], const td_shared_matrix &, const td_shared_matrix &);
void td_wgmma_tf32(float (&d)[128], const td_shared_matrix &a, const td_shared_matrix &b) {
  start({d, a, b, true, true, true, 0, __builtin_return_address(0)});
}

void td_wgmma_fence() { products[(size_t)td_emu::thread->number].is_fenced = true; }
void td_wgmma_commit() { products[(size_t)td_emu::thread->number].group++; }

/* Where a number lies in a matrix, the exchange of chunks left out. */
static int offset_of(const td_shared_matrix &matrix, bool is_deep, int row, int depth, int bytes) {
  if (is_deep) return row / 8 * matrix.stride + row % 8 * 128 + depth * bytes;
  return row / 64 * matrix.leading + row % 64 * bytes + depth / 8 * matrix.stride + depth % 8 * 128;
}

/* Reads the numbers of a row of a matrix that one product takes; how many these are. */
static int read_row(const PendingProduct &product, const td_shared_matrix &matrix, bool is_deep, int row, float *numbers) {
  const int bytes = product.is_tf32 ? 4 : 2;
  for (int i = 0; i < 32 / bytes; i++) {
    uintptr_t place = (uintptr_t)matrix.start + (uintptr_t)offset_of(matrix, is_deep, row, i, bytes);
    place ^= place >> 3 & 0x70;
    if (!is_deep || i * bytes % 16 == 0) access(reinterpret_cast<void *>(place), is_deep ? 16 : (size_t)bytes, READ, product.pc);
    uint32_t bits = 0;
    memcpy(&bits, reinterpret_cast<void *>(place), (size_t)bytes);
    bits = product.is_tf32 ? bits & ~0x1fffu : bits << 16;
    memcpy(&numbers[i], &bits, sizeof bits);
  }
  return 32 / bytes;
}

/* The part of a thread: two rows, and two neighbouring columns of each eight. */
static void compute(const PendingProduct &product) {
  const int lane = (int)td_emu::thread->lane, first = td_emu::thread->warp % 4 * 16 + lane / 4;
  float rows[2][16], column[16];
  int count = read_row(product, product.a, product.a_deep, first, rows[0]);
  read_row(product, product.a, product.a_deep, first + 8, rows[1]);
  for (int i = 0; i < SUMS; i += 4)
    for (int e = 0; e < 2; e++) {
      read_row(product, product.b, product.b_deep, i / 4 * 8 + lane % 4 * 2 + e, column);
      for (int half = 0; half < 2; half++)
        for (int k = 0; k < count; k++) product.d[i + half * 2 + e] += rows[half][k] * column[k];
    }
}

/* Computes the products of a thread that groups before the last ones started. */
static void finish(Products &own, int groups) {
  own.is_fenced = false;
  if (own.pending.empty()) return;
  float *d = own.pending[0].d;
  size_t done = 0;
  while (done < own.pending.size() && own.pending[done].group < own.group - groups) done++;
  if (done == 0) return;
  memcpy(d, own.before.data(), SUMS * sizeof *d);
  for (size_t i = 0; i < done; i++) compute(own.pending[i]);
  own.pending.erase(own.pending.begin(), own.pending.begin() + (long)done);
  if (!own.pending.empty()) hide(own, d);
}

/* No thread of a warp goes on before the products of all of them have ended. */
void td_wgmma_wait_for(int groups) {
  finish(products[(size_t)td_emu::thread->number], groups);
  warp_operation(~0u, nullptr, [](Thread **, unsigned) {}, "wgmma.wait_group");
}
