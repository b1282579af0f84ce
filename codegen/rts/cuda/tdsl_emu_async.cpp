/* Asynchronous copies and tensor cores of the emulator. The layouts of fragments are those of the PTX manual for mma.sync. */
#include "tdsl_emu_core.h"

using namespace td_emu;

/* --- copies: they happen only when they are waited for ---------------------------------------------------------------------------------------- */

void td_copy_later(void *shared, const void *global, int bytes, int valid, const void *pc) {
  Scheduler &s = *scheduler;
  if (valid < 0 || valid > bytes || ((uintptr_t)shared | (valid > 0 ? (uintptr_t)global : 0)) % (unsigned)bytes != 0) {
    report("%s: an asynchronous copy of %d of %d bytes between addresses that are not aligned to it (%s)", s.kernel, valid, bytes, place_of(pc).c_str());
    abandon();
  }
  if (td_emu::thread->copies == MOST_COPIES) {
    report("%s: more than %d asynchronous copies of a thread are under way (%s)", s.kernel, MOST_COPIES, place_of(pc).c_str());
    abandon();
  }
  if (valid > 0) access(global, (size_t)valid, READ, pc);
  s.copies[td_emu::thread->number * MOST_COPIES + td_emu::thread->copies++] = {shared, global, bytes, valid, td_emu::thread->copy_group};
}

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
    if (copy.valid > 0) memcpy(copy.to, copy.from, (size_t)copy.valid);
    memset(static_cast<char *>(copy.to) + copy.valid, 0, (size_t)(copy.bytes - copy.valid));
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

struct Rows {
  const void *row;
  uint32_t *r;
};

/* Four matrices of eight rows of 16 bytes. */
static void load_matrices(Thread **lanes, bool is_turned) {
  uint16_t matrix[8][8];
  for (int m = 0; m < 4; m++) {
    for (int row = 0; row < 8; row++) memcpy(matrix[row], static_cast<Rows *>(lanes[m * 8 + row]->payload)->row, sizeof matrix[row]);
    for (int l = 0; l < 32; l++) {
      const int i = l / 4, j = l % 4 * 2;
      const uint32_t low = is_turned ? matrix[j][i] : matrix[i][j], high = is_turned ? matrix[j + 1][i] : matrix[i][j + 1];
      static_cast<Rows *>(lanes[l]->payload)->r[m] = low | high << 16;
    }
  }
}
template <bool IS_TURNED>
static void ldmatrix(uint32_t *r, const void *row, const char *site, const void *pc) {
  Rows own{row, r};
  if ((uintptr_t)row % 16 != 0) {
    report("%s: a row of ldmatrix is not aligned to 16 bytes (%s)", scheduler->kernel, place_of(pc).c_str());
    abandon();
  }
  access(row, 16, READ, pc);
  warp_operation(~0u, &own, [](Thread **lanes, unsigned) { load_matrices(lanes, IS_TURNED); }, site);
}
void td_ldmatrix(uint32_t (&r)[4], const void *row) { ldmatrix<false>(r, row, "ldmatrix", __builtin_return_address(0)); }
void td_ldmatrix_turned(uint32_t (&r)[4], const void *row) { ldmatrix<true>(r, row, "ldmatrix.trans", __builtin_return_address(0)); }

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
