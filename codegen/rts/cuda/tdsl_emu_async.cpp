/* Asynchronous copies and tensor cores of the emulator. The layouts of fragments are those of the PTX manual for mma.sync. */
#include "tdsl_emu_core.h"

using namespace td_emu;

/* --- copies: they happen only when they are waited for ---------------------------------------------------------------------------------------- */

static void copy_later(void *shared, const void *global, int bytes, bool valid, const void *pc) {
  Scheduler &s = *scheduler;
  if (((uintptr_t)shared | (valid ? (uintptr_t)global : 0)) % (unsigned)bytes != 0) {
    report("%s: an asynchronous copy of %d bytes between addresses that are not aligned to it (%s)", s.kernel, bytes, place_of(pc).c_str());
    abandon();
  }
  if (td_emu::thread->copies == MOST_COPIES) {
    report("%s: more than %d asynchronous copies of a thread are under way (%s)", s.kernel, MOST_COPIES, place_of(pc).c_str());
    abandon();
  }
  if (valid) access(global, (size_t)bytes, READ, pc);
  s.copies[td_emu::thread->number * MOST_COPIES + td_emu::thread->copies++] = {shared, valid ? global : nullptr, bytes, td_emu::thread->copy_group};
}

void td_copy_async(void *shared, const void *global, bool valid) { copy_later(shared, global, 16, valid, __builtin_return_address(0)); }
void td_copy_async_4(void *shared, const void *global, bool valid) { copy_later(shared, global, 4, valid, __builtin_return_address(0)); }
void td_copy_commit() { td_emu::thread->copy_group++; }

void td_copy_wait_for(int groups) {
  PendingCopy *copies = &scheduler->copies[td_emu::thread->number * MOST_COPIES];
  int kept = 0;
  for (int i = 0; i < td_emu::thread->copies; i++) {
    const PendingCopy copy = copies[i];
    if (copy.group >= td_emu::thread->copy_group - groups) {
      copies[kept++] = copy;
      continue;
    }
    if (copy.from != nullptr)
      memcpy(copy.to, copy.from, (size_t)copy.bytes);
    else
      memset(copy.to, 0, (size_t)copy.bytes);
    access(copy.to, (size_t)copy.bytes, WRITE, __builtin_return_address(0));
  }
  td_emu::thread->copies = kept;
}

/* --- tensor cores ------------------------------------------------------------------------------------------------------------------------------- */

static float as_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
static uint32_t as_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

uint32_t td_tf32(float x) {
  uint32_t bits = as_bits(x);
  const bool is_finite = (bits & 0x7f800000u) != 0x7f800000u;
  return is_finite ? (bits + 0x1000u) & ~0x1fffu : bits;
}

static uint32_t bf16(float x) {
  uint32_t bits = as_bits(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fff;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}
uint32_t td_bf16x2(float low, float high) { return bf16(low) | bf16(high) << 16; }

struct Product {
  float *d;
  const uint32_t *a, *b;
};

/* The results of a warp: lane l holds rows l/4 and l/4 + 8, columns 2(l%4) and the next. */
template <int K, class Fill>
static void multiply(Thread **lanes, Fill fill) {
  float a[16][K], b[K][8];
  for (int l = 0; l < 32; l++) fill(*static_cast<Product *>(lanes[l]->payload), l / 4, l % 4, a, b);
  for (int l = 0; l < 32; l++) {
    float *d = static_cast<Product *>(lanes[l]->payload)->d;
    for (int i = 0; i < 4; i++) {
      const int row = l / 4 + (i >= 2 ? 8 : 0), column = l % 4 * 2 + (i & 1);
      for (int k = 0; k < K; k++) d[i] += a[row][k] * b[k][column];
    }
  }
}

void td_mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  Product own{d, a, b};
  warp_operation(
      ~0u, &own,
      [](Thread **lanes, unsigned) {
        /* The tensor cores do not look at the low bits of an operand. */
        auto value = [](uint32_t bits) { return as_float(bits & ~0x1fffu); };
        multiply<8>(lanes, [&](const Product &p, int group, int part, float(&x)[16][8], float(&y)[8][8]) {
          for (int i = 0; i < 4; i++) x[group + (i & 1 ? 8 : 0)][part + (i & 2 ? 4 : 0)] = value(p.a[i]);
          for (int i = 0; i < 2; i++) y[part + 4 * i][group] = value(p.b[i]);
        });
      },
      "mma.m16n8k8");
}

void td_mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  Product own{d, a, b};
  warp_operation(
      ~0u, &own,
      [](Thread **lanes, unsigned) {
        multiply<16>(lanes, [](const Product &p, int group, int part, float(&x)[16][16], float(&y)[16][8]) {
          for (int i = 0; i < 4; i++)
            for (int half = 0; half < 2; half++)
              x[group + (i & 1 ? 8 : 0)][part * 2 + (i & 2 ? 8 : 0) + half] = as_float(p.a[i] >> 16 * half << 16);
          for (int i = 0; i < 2; i++)
            for (int half = 0; half < 2; half++) y[part * 2 + 8 * i + half][group] = as_float(p.b[i] >> 16 * half << 16);
        });
      },
      "mma.m16n8k16");
}
