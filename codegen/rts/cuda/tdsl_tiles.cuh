/*
 * Tiles of products: how panels of the two factors lie in shared memory, and how 256 threads multiply them. A panel is a piece of the depth of a
 * factor's rows (or columns). Pitches are chosen so that neither copies nor reads of a warp meet in a bank of shared memory.
 */
#ifndef TDSL_TILES_CUH
#define TDSL_TILES_CUH

#include "tdsl_gpu.h"

/* How products are computed: with fused multiply-adds in the type of the sums, or on tensor cores from operands rounded to tf32 or bf16. */
enum { TD_EXACT, TD_TF32, TD_BF16 };

TDSL_INLINE float td_fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
TDSL_INLINE double td_fma(double a, double b, double c) { return __builtin_fma(a, b, c); }

template <class T>
struct td_quad {
  T at[4];
};
/* Four neighbouring numbers of shared memory at once. */
template <class T>
TDSL_INLINE_MEMBER td_quad<T> td_load_quad(const T *p) {
  return {{p[0], p[1], p[2], p[3]}};
}
template <>
TDSL_INLINE_MEMBER td_quad<float> td_load_quad<float>(const float *p) {
  const float4 v = *(const float4 *)p;
  return {{v.x, v.y, v.z, v.w}};
}

/* What a cell of a panel is: f32 that become tf32 when they are multiplied, or patterns of bf16. */
template <int KIND, class T>
struct td_cell_of {
  typedef T type;
  static TDSL_INLINE_MEMBER T from(T value) { return value; }
};
template <class T>
struct td_cell_of<TD_BF16, T> {
  typedef uint16_t type;
  static TDSL_INLINE_MEMBER uint16_t from(float value) { return (uint16_t)td_bf16x2(value, 0.0f); }
};

/*
 * A panel of one factor, `TILE` long and `PANEL` deep. IS_DEEP: neighbouring elements of the factor in memory lie along the depth. Tensor cores take
 * such a panel as it is; multiply-adds want neighbours along the tile, so that it is turned over on its way.
 */
template <int KIND, class T, int TILE, int PANEL, bool IS_DEEP>
struct td_panel {
  typedef typename td_cell_of<KIND, T>::type cell;
  static constexpr bool LIES_DEEP = IS_DEEP && KIND != TD_EXACT;
  static constexpr int PACK = 16 / sizeof(cell), PITCH = LIES_DEEP ? PANEL + PACK : TILE + (KIND == TD_EXACT ? 4 : 8);
  static constexpr int SIZE = (LIES_DEEP ? TILE : PANEL) * PITCH;
  static TDSL_INLINE_MEMBER int place(int along, int depth) { return LIES_DEEP ? along * PITCH + depth : depth * PITCH + along; }

  /* The element that a thread takes as its i-th: neighbours of a warp are neighbours in memory. */
  static constexpr int OWN = TILE * PANEL / 256, DEEP = KIND == TD_EXACT ? 8 : PANEL;
  static TDSL_INLINE_MEMBER int along(int i) {
    const int thread = threadIdx.x;
    return IS_DEEP ? thread / DEEP + i / (PANEL / DEEP) * (256 / DEEP) : (thread + i * 256) % TILE;
  }
  static TDSL_INLINE_MEMBER int into(int i) {
    const int thread = threadIdx.x;
    return IS_DEEP ? thread % DEEP + i % (PANEL / DEEP) * DEEP : (thread + i * 256) / TILE;
  }
  /* The same for packs of 16 bytes, of a panel that lies as its factor does. */
  static constexpr int OWN_PACKS = OWN / PACK;
  static TDSL_INLINE_MEMBER int pack_along(int i) {
    const int pack = threadIdx.x + i * 256;
    return IS_DEEP ? pack / (PANEL / PACK) : pack % (TILE / PACK) * PACK;
  }
  static TDSL_INLINE_MEMBER int pack_into(int i) {
    const int pack = threadIdx.x + i * 256;
    return IS_DEEP ? pack % (PANEL / PACK) * PACK : pack / (TILE / PACK);
  }
};

/* Sums of 16 x 16 threads, SIDE x SIDE for each: four neighbouring rows, and four further ones half a tile away. */
template <class T, int TILE, int PANEL, class A, class B>
struct td_exact_tile {
  static constexpr int SIDE = TILE / 16;
  T sums[SIDE][SIDE];

  static TDSL_INLINE_MEMBER int index(int own, int i) { return i / 4 * 64 + own * 4 + i % 4; }
  TDSL_INLINE_MEMBER void clear() {
    TD_UNROLL for (int i = 0; i < SIDE; i++) TD_UNROLL for (int j = 0; j < SIDE; j++) sums[i][j] = 0;
  }
  TDSL_INLINE_MEMBER void multiply(const T *a, const T *b) {
    const int row = threadIdx.x / 16, column = threadIdx.x % 16;
    TD_UNROLL for (int k = 0; k < PANEL; k++) {
      T x[SIDE], y[SIDE];
      TD_UNROLL for (int i = 0; i < SIDE; i += 4) {
        const td_quad<T> u = td_load_quad(&a[A::place(index(row, i), k)]), v = td_load_quad(&b[B::place(index(column, i), k)]);
        TD_UNROLL for (int e = 0; e < 4; e++) x[i + e] = u.at[e], y[i + e] = v.at[e];
      }
      TD_UNROLL for (int i = 0; i < SIDE; i++) TD_UNROLL for (int j = 0; j < SIDE; j++) sums[i][j] = td_fma(x[i], y[j], sums[i][j]);
    }
  }
  template <class Out>
  TDSL_INLINE_MEMBER void give(Out out) const {
    const int row = threadIdx.x / 16, column = threadIdx.x % 16;
    TD_UNROLL for (int i = 0; i < SIDE; i++) TD_UNROLL for (int j = 0; j < SIDE; j++) out(index(row, i), index(column, j), sums[i][j]);
  }
};

/*
 * Operands of mma.sync from a panel: 16 rows of a left factor, or 16 columns of a right one (two fragments), for 8 words of the depth, which are 8
 * numbers of tf32 or 16 of bf16.
 */
template <int KIND, class Panel, bool IS_LEFT>
TDSL_INLINE void td_load_fragment(uint32_t (&x)[4], const typename Panel::cell *panel, int along, int depth) {
  const int lane = threadIdx.x % 32, half = lane / 8 % 2 * 8, other = lane / 16 * 8;
  if constexpr (Panel::LIES_DEEP) {
    constexpr int HALF = KIND == TD_BF16 ? 8 : 4; /* numbers in 16 bytes */
    td_ldmatrix(x, &panel[Panel::place(along + lane % 8 + (IS_LEFT ? half : other), depth + (IS_LEFT ? other : half) / 8 * HALF)]);
  } else if constexpr (KIND == TD_BF16) {
    td_ldmatrix_turned(x, &panel[Panel::place(along + (IS_LEFT ? half : other), depth + lane % 8 + (IS_LEFT ? other : half))]);
  } else {
    TD_UNROLL for (int e = 0; e < 4; e++) {
      const int far = IS_LEFT ? e % 2 : e / 2, deep = IS_LEFT ? e / 2 : e % 2;
      x[e] = __float_as_uint(panel[Panel::place(along + lane / 4 + far * 8, depth + lane % 4 + deep * 4)]);
    }
  }
  if constexpr (KIND == TD_TF32) {
    TD_UNROLL for (int e = 0; e < 4; e++) x[e] = td_tf32(__uint_as_float(x[e]));
  }
}

template <int KIND>
TDSL_INLINE void td_mma(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  const uint32_t b[2] = {b0, b1};
  if constexpr (KIND == TD_TF32)
    td_mma_tf32(d, a, b);
  else
    td_mma_bf16(d, a, b);
}

/* Sums of eight warps, two by four, each (TILE / 2) x (TILE / 4) in fragments of mma.sync. */
template <int KIND, int TILE, int PANEL, class A, class B>
struct td_tensor_tile {
  static constexpr int ROWS = TILE / 32, COLUMNS = TILE / 32;
  float sums[ROWS][COLUMNS][4];

  TDSL_INLINE_MEMBER void clear() {
    TD_UNROLL for (int i = 0; i < ROWS; i++) TD_UNROLL for (int j = 0; j < COLUMNS; j++) TD_UNROLL for (int e = 0; e < 4; e++) sums[i][j][e] = 0;
  }
  TDSL_INLINE_MEMBER void multiply(const typename A::cell *a, const typename B::cell *b) {
    const int warp = threadIdx.x / 32, row = warp / 4 * (TILE / 2), column = warp % 4 * (TILE / 4);
    constexpr int STEP = KIND == TD_BF16 ? 16 : 8;
    TD_UNROLL for (int k = 0; k < PANEL; k += STEP) {
      uint32_t x[ROWS][4], y[COLUMNS / 2][4];
      TD_UNROLL for (int i = 0; i < ROWS; i++) td_load_fragment<KIND, A, true>(x[i], a, row + i * 16, k);
      TD_UNROLL for (int j = 0; j < COLUMNS / 2; j++) td_load_fragment<KIND, B, false>(y[j], b, column + j * 16, k);
      TD_UNROLL for (int i = 0; i < ROWS; i++) TD_UNROLL for (int j = 0; j < COLUMNS; j++)
        td_mma<KIND>(sums[i][j], x[i], y[j / 2][j % 2 * 2], y[j / 2][j % 2 * 2 + 1]);
    }
  }
  template <class Out>
  TDSL_INLINE_MEMBER void give(Out out) const {
    const int group = threadIdx.x % 32 / 4, part = threadIdx.x % 4, warp = threadIdx.x / 32;
    const int row = warp / 4 * (TILE / 2) + group, column = warp % 4 * (TILE / 4) + part * 2;
    TD_UNROLL for (int i = 0; i < ROWS; i++) TD_UNROLL for (int j = 0; j < COLUMNS; j++) TD_UNROLL for (int e = 0; e < 4; e++)
      out(row + i * 16 + e / 2 * 8, column + j * 8 + e % 2, sums[i][j][e]);
  }
};

template <int KIND, class T, int TILE, int PANEL, class A, class B>
struct td_tile_of {
  typedef td_tensor_tile<KIND, TILE, PANEL, A, B> type;
};
template <class T, int TILE, int PANEL, class A, class B>
struct td_tile_of<TD_EXACT, T, TILE, PANEL, A, B> {
  typedef td_exact_tile<T, TILE, PANEL, A, B> type;
};

#endif
