/*
 * Sums of products over an index space, as a product of matrices: rows and columns are the indices of the result that only one factor depends
 * on, the depth is the summed indices. The factors are functions of (batch, row, depth) and (batch, column, depth), so that views, padding,
 * windows and elementwise operations before a product cost no memory: a convolution is its implicit matrix. A block of 256 threads computes a tile
 * of the result; while it works on one panel of the depth in shared memory, the next is under way in registers.
 *
 * The order in which an element's products are added depends on the shapes alone.
 */
#ifndef TDSL_PRODUCT_CUH
#define TDSL_PRODUCT_CUH

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

/* Sums of 16 x 16 threads, SIDE x SIDE for each: four neighbouring rows, and four further ones half a tile away. */
template <class T, int TILE, int PANEL>
struct td_exact_tile {
  static constexpr int SIDE = TILE / 16, PITCH = TILE + 4;
  typedef T stored;
  T sums[SIDE][SIDE];

  static constexpr int SIZE = PANEL * PITCH; /* elements of a panel of one factor */
  static TDSL_INLINE_MEMBER int place(int along, int depth) { return depth * PITCH + along; }
  static TDSL_INLINE_MEMBER void put(stored *panel, int along, int depth, T value) { panel[place(along, depth)] = value; }
  static TDSL_INLINE_MEMBER int index(int own, int i) { return i / 4 * 64 + own * 4 + i % 4; }

  TDSL_INLINE_MEMBER void clear() {
    TD_UNROLL for (int i = 0; i < SIDE; i++) TD_UNROLL for (int j = 0; j < SIDE; j++) sums[i][j] = 0;
  }
  TDSL_INLINE_MEMBER void multiply(const stored *a, const stored *b) {
    const int row = threadIdx.x / 16, column = threadIdx.x % 16;
    TD_UNROLL for (int k = 0; k < PANEL; k++) {
      T x[SIDE], y[SIDE];
      TD_UNROLL for (int i = 0; i < SIDE; i += 4) {
        const td_quad<T> u = td_load_quad(&a[place(index(row, i), k)]), v = td_load_quad(&b[place(index(column, i), k)]);
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

/* Sums of eight warps, two by four, each (TILE / 2) x (TILE / 4) in fragments of mma.sync. */
template <int KIND, int TILE, int PANEL>
struct td_tensor_tile {
  static constexpr int ROWS = TILE / 32, COLUMNS = TILE / 32, PITCH = TILE + 8, HALVES = KIND == TD_BF16 ? 2 : 1;
  typedef uint32_t stored;
  float sums[ROWS][COLUMNS][4];

  static constexpr int SIZE = PANEL / HALVES * PITCH;
  static TDSL_INLINE_MEMBER int place(int along, int word) { return word * PITCH + along; }
  static TDSL_INLINE_MEMBER void put(stored *panel, int along, int depth, float value) {
    if constexpr (KIND == TD_TF32)
      panel[place(along, depth)] = td_tf32(value);
    else
      ((uint16_t *)panel)[place(along, depth / 2) * 2 + depth % 2] = (uint16_t)td_bf16x2(value, 0.0f);
  }
  TDSL_INLINE_MEMBER void clear() {
    TD_UNROLL for (int i = 0; i < ROWS; i++) TD_UNROLL for (int j = 0; j < COLUMNS; j++) TD_UNROLL for (int e = 0; e < 4; e++) sums[i][j][e] = 0;
  }
  TDSL_INLINE_MEMBER void multiply(const stored *a, const stored *b) {
    const int group = threadIdx.x % 32 / 4, part = threadIdx.x % 4, warp = threadIdx.x / 32;
    const int row = warp / 4 * (TILE / 2) + group, column = warp % 4 * (TILE / 4) + group;
    constexpr int STEP = 8; /* words of the depth: 8 numbers in tf32, 16 in bf16 */
    TD_UNROLL for (int word = 0; word < PANEL / HALVES; word += STEP) {
      uint32_t x[ROWS][4], y[COLUMNS][2];
      TD_UNROLL for (int i = 0; i < ROWS; i++) TD_UNROLL for (int e = 0; e < 4; e++)
        x[i][e] = a[place(row + i * 16 + e % 2 * 8, word + part + e / 2 * 4)];
      TD_UNROLL for (int j = 0; j < COLUMNS; j++) TD_UNROLL for (int e = 0; e < 2; e++) y[j][e] = b[place(column + j * 8, word + part + e * 4)];
      TD_UNROLL for (int i = 0; i < ROWS; i++) TD_UNROLL for (int j = 0; j < COLUMNS; j++) {
        if constexpr (KIND == TD_TF32)
          td_mma_tf32(sums[i][j], x[i], y[j]);
        else
          td_mma_bf16(sums[i][j], x[i], y[j]);
      }
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

template <int KIND, class T, int TILE, int PANEL>
struct td_tile_of {
  typedef td_tensor_tile<KIND, TILE, PANEL> type;
};
template <class T, int TILE, int PANEL>
struct td_tile_of<TD_EXACT, T, TILE, PANEL> {
  typedef td_exact_tile<T, TILE, PANEL> type;
};

/*
 * Computes all tiles of `batches` products; `out(batch, row, column, sum)` is called once for each element. A_DEEP and B_DEEP say that
 * neighbouring elements of a factor lie along the depth: then neighbouring threads fetch these.
 */
template <int KIND, class T, int TILE, bool A_DEEP, bool B_DEEP, class A, class B, class Out>
TDSL_INLINE void td_product(int64_t items, int64_t rows, int64_t columns, int64_t depth, A a, B b, Out out) {
  /* With sums of 8 x 8 a thread has few registers left for what it fetches. */
  constexpr int PANEL = KIND == TD_EXACT && TILE == 128 ? 8 : 16, THREADS = 256, OWN = TILE * PANEL / THREADS;
  typedef typename td_tile_of<KIND, T, TILE, PANEL>::type tile;
  typedef typename tile::stored stored;
  TD_SHARED(stored, panels, [2][2][tile::SIZE]);
  const int64_t across = (columns + TILE - 1) / TILE, down = (rows + TILE - 1) / TILE;
  const int thread = threadIdx.x;
  /* The element of a panel that this thread fetches as its i-th: along the factor's own index, and along the depth. */
  auto along = [&](bool deep, int i) { return deep ? thread / PANEL + i * (THREADS / PANEL) : (thread + i * THREADS) % TILE; };
  auto into = [&](bool deep, int i) { return deep ? thread % PANEL : (thread + i * THREADS) / TILE; };
  for (int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    const int64_t rest = td_divide(item, across), batch = td_divide(rest, down);
    const int64_t column = (item - rest * across) * TILE, row = (rest - batch * down) * TILE;
    const int rows_left = (int)tdsl_min(rows - row, TILE), columns_left = (int)tdsl_min(columns - column, TILE);
    tile sums;
    T next_a[OWN], next_b[OWN];
    auto fetch = [&](int64_t start) {
      TD_UNROLL for (int i = 0; i < OWN; i++) {
        const int m = along(A_DEEP, i), k = into(A_DEEP, i);
        next_a[i] = m < rows_left && start + k < depth ? a(batch, row + m, start + k) : T(0);
      }
      TD_UNROLL for (int i = 0; i < OWN; i++) {
        const int n = along(B_DEEP, i), k = into(B_DEEP, i);
        next_b[i] = n < columns_left && start + k < depth ? b(batch, column + n, start + k) : T(0);
      }
    };
    auto put = [&](int stage) {
      TD_UNROLL for (int i = 0; i < OWN; i++) {
        tile::put(panels[stage][0], along(A_DEEP, i), into(A_DEEP, i), next_a[i]);
        tile::put(panels[stage][1], along(B_DEEP, i), into(B_DEEP, i), next_b[i]);
      }
    };
    sums.clear();
    fetch(0);
    put(0);
    __syncthreads();
    int stage = 0;
    for (int64_t start = PANEL; start < depth; start += PANEL) {
      fetch(start);
      sums.multiply(panels[stage][0], panels[stage][1]);
      stage ^= 1;
      put(stage);
      __syncthreads();
    }
    sums.multiply(panels[stage][0], panels[stage][1]);
    sums.give([&](int i, int j, T sum) {
      if (i < rows_left && j < columns_left) out(batch, row + i, column + j, sum);
    });
    /* The next tile begins in the panels that are read here. */
    __syncthreads();
  }
}

#endif
