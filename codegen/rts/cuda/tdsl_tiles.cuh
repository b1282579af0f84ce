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

/* N neighbouring numbers of shared memory at once. */
template <class T, int N>
struct td_run {
  T at[N];
};
template <int N, class T>
TDSL_INLINE_MEMBER td_run<T, N> td_load_run(const T *p) {
  td_run<T, N> run;
  if constexpr (N == 4 && sizeof(T) == 4) {
    const float4 v = *(const float4 *)p;
    run = {{v.x, v.y, v.z, v.w}};
  } else if constexpr (N == 2 && sizeof(T) == 4) {
    const float2 v = *(const float2 *)p;
    run = {{v.x, v.y}};
  } else {
    TD_UNROLL for (int i = 0; i < N; i++) run.at[i] = p[i];
  }
  return run;
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

/*
 * Sums of 16 x 16 threads, DOWN x ACROSS for each: runs of up to four neighbouring rows or columns, and further ones where the runs of all threads
 * have ended.
 */
template <class T, int ROWS, int COLUMNS, int PANEL, class A, class B>
struct td_exact_tile {
  static constexpr int DOWN = ROWS / 16, ACROSS = COLUMNS / 16;
  static constexpr int ROW_RUN = DOWN < 4 ? DOWN : 4, COLUMN_RUN = ACROSS < 4 ? ACROSS : 4;
  T sums[DOWN][ACROSS];

  template <int RUN>
  static TDSL_INLINE_MEMBER int index(int own, int i) {
    return i / RUN * 16 * RUN + own * RUN + i % RUN;
  }
  TDSL_INLINE_MEMBER void clear() {
    TD_UNROLL for (int i = 0; i < DOWN; i++) TD_UNROLL for (int j = 0; j < ACROSS; j++) sums[i][j] = 0;
  }
  TDSL_INLINE_MEMBER void multiply(const T *a, const T *b) {
    const int row = threadIdx.x / 16, column = threadIdx.x % 16;
    TD_UNROLL for (int k = 0; k < PANEL; k++) {
      T x[DOWN], y[ACROSS];
      TD_UNROLL for (int i = 0; i < DOWN; i += ROW_RUN) {
        const td_run<T, ROW_RUN> run = td_load_run<ROW_RUN>(&a[A::place(index<ROW_RUN>(row, i), k)]);
        TD_UNROLL for (int e = 0; e < ROW_RUN; e++) x[i + e] = run.at[e];
      }
      TD_UNROLL for (int j = 0; j < ACROSS; j += COLUMN_RUN) {
        const td_run<T, COLUMN_RUN> run = td_load_run<COLUMN_RUN>(&b[B::place(index<COLUMN_RUN>(column, j), k)]);
        TD_UNROLL for (int e = 0; e < COLUMN_RUN; e++) y[j + e] = run.at[e];
      }
      TD_UNROLL for (int i = 0; i < DOWN; i++) TD_UNROLL for (int j = 0; j < ACROSS; j++) sums[i][j] = td_fma(x[i], y[j], sums[i][j]);
    }
  }
  /* Calls a function for each sum of this thread, with its row and column. */
  template <class Use>
  TDSL_INLINE_MEMBER void each(Use use) {
    const int row = threadIdx.x / 16, column = threadIdx.x % 16;
    TD_UNROLL for (int i = 0; i < DOWN; i++) TD_UNROLL for (int j = 0; j < ACROSS; j++)
      use(index<ROW_RUN>(row, i), index<COLUMN_RUN>(column, j), sums[i][j]);
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

/*
 * Sums of eight warps, two by four, or four by two where there are few columns; each has fragments of mma.sync, of 16 x 8 sums.
 */
template <int KIND, int ROWS, int COLUMNS, int PANEL, class A, class B>
struct td_tensor_tile {
  static constexpr int WARPS_DOWN = COLUMNS < 64 ? 4 : 2, WARPS_ACROSS = 8 / WARPS_DOWN;
  static constexpr int HEIGHT = ROWS / WARPS_DOWN, WIDTH = COLUMNS / WARPS_ACROSS;
  static constexpr int DOWN = HEIGHT / 16, ACROSS = WIDTH / 8;
  float sums[DOWN][ACROSS][4];

  TDSL_INLINE_MEMBER void clear() {
    TD_UNROLL for (int i = 0; i < DOWN; i++) TD_UNROLL for (int j = 0; j < ACROSS; j++) TD_UNROLL for (int e = 0; e < 4; e++) sums[i][j][e] = 0;
  }
  TDSL_INLINE_MEMBER void multiply(const typename A::cell *a, const typename B::cell *b) {
    const int warp = threadIdx.x / 32, row = warp / WARPS_ACROSS * HEIGHT, column = warp % WARPS_ACROSS * WIDTH;
    constexpr int STEP = KIND == TD_BF16 ? 16 : 8;
    TD_UNROLL for (int k = 0; k < PANEL; k += STEP) {
      uint32_t x[DOWN][4], y[ACROSS / 2][4];
      TD_UNROLL for (int i = 0; i < DOWN; i++) td_load_fragment<KIND, A, true>(x[i], a, row + i * 16, k);
      TD_UNROLL for (int j = 0; j < ACROSS / 2; j++) td_load_fragment<KIND, B, false>(y[j], b, column + j * 16, k);
      TD_UNROLL for (int i = 0; i < DOWN; i++) TD_UNROLL for (int j = 0; j < ACROSS; j++)
        td_mma<KIND>(sums[i][j], x[i], y[j / 2][j % 2 * 2], y[j / 2][j % 2 * 2 + 1]);
    }
  }
  template <class Use>
  TDSL_INLINE_MEMBER void each(Use use) {
    const int group = threadIdx.x % 32 / 4, part = threadIdx.x % 4, warp = threadIdx.x / 32;
    const int row = warp / WARPS_ACROSS * HEIGHT + group, column = warp % WARPS_ACROSS * WIDTH + part * 2;
    TD_UNROLL for (int i = 0; i < DOWN; i++) TD_UNROLL for (int j = 0; j < ACROSS; j++) TD_UNROLL for (int e = 0; e < 4; e++)
      use(row + i * 16 + e / 2 * 8, column + j * 8 + e % 2, sums[i][j][e]);
  }
};

template <int KIND, class T, int ROWS, int COLUMNS, int PANEL, class A, class B>
struct td_tile_of {
  typedef td_tensor_tile<KIND, ROWS, COLUMNS, PANEL, A, B> type;
};
template <class T, int ROWS, int COLUMNS, int PANEL, class A, class B>
struct td_tile_of<TD_EXACT, T, ROWS, COLUMNS, PANEL, A, B> {
  typedef td_exact_tile<T, ROWS, COLUMNS, PANEL, A, B> type;
};

#endif
