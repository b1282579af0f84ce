/*
 * Sums of products over an index space, as a product of matrices: rows and columns are the indices of the result that only one factor depends
 * on, the depth is the summed indices. A factor is a function of (batch, row or column, depth), so that views, padding, windows and elementwise
 * operations before a product cost no memory: a convolution is its implicit matrix. A block of 256 threads computes a tile of the result from panels
 * of the depth in a ring in shared memory. Factors that are memory as it lies are copied there asynchronously, two panels ahead of the one that is
 * multiplied; others are computed one panel ahead and wait in registers.
 *
 * The order in which an element's products are added depends on the shapes alone.
 */
#ifndef TDSL_PRODUCT_CUH
#define TDSL_PRODUCT_CUH

#include "tdsl_tiles.cuh"

/* How a factor comes to shared memory: its values are computed, single elements are copied, or packs of 16 bytes along its contiguous index. */
enum { TD_COMPUTED, TD_ELEMENTS, TD_PACKS };

/*
 * A factor. DEEP: neighbouring elements lie along the depth. `at` gives a value where it is computed, and an address where it is copied: null
 * stands for 0. ALIGNED packs begin at multiples of 16 bytes.
 */
template <int WAY, bool DEEP, class At>
struct td_factor {
  static constexpr int KIND = WAY;
  static constexpr bool IS_DEEP = DEEP, IS_COPIED = WAY != TD_COMPUTED;
  At at;
  bool aligned;
};
template <int WAY, bool DEEP, class At>
TDSL_INLINE_MEMBER td_factor<WAY, DEEP, At> td_factor_of(At at, bool aligned = false) {
  return {at, aligned};
}

/* Begins to copy a panel of a factor to shared memory; what lies outside of the factor is 0. */
template <class Panel, class Factor>
TDSL_INLINE void td_copy_panel(typename Panel::cell *panel, const Factor &factor, int64_t batch, int64_t first, int left, int64_t start, int64_t depth) {
  typedef typename Panel::cell cell;
  if constexpr (Factor::KIND == TD_PACKS && Panel::LIES_DEEP == Factor::IS_DEEP) {
    if (factor.aligned) {
      TD_UNROLL for (int i = 0; i < Panel::OWN_PACKS; i++) {
        const int m = Panel::pack_along(i), k = Panel::pack_into(i);
        const int64_t deep = tdsl_max(0, depth - start - k), wide = tdsl_max(0, left - m);
        const int64_t inside = Factor::IS_DEEP ? (wide > 0 ? deep : 0) : (deep > 0 ? wide : 0);
        const cell *from = inside > 0 ? factor.at(batch, first + m, start + k) : nullptr;
        const int valid = from != nullptr ? (int)tdsl_min(inside, Panel::PACK) * (int)sizeof(cell) : 0;
        td_copy_async<16>(&panel[Panel::place(m, k)], from, valid);
      }
      return;
    }
  }
  auto copy = [&](int i) {
    const int m = Panel::along(i), k = Panel::into(i);
    const cell *from = m < left && start + k < depth ? factor.at(batch, first + m, start + k) : nullptr;
    cell *to = &panel[Panel::place(m, k)];
    if constexpr (sizeof(cell) >= 4)
      td_copy_async<sizeof(cell)>(to, from, from != nullptr ? (int)sizeof(cell) : 0);
    else
      *to = from != nullptr ? *from : cell(0);
  };
  /* Packs that are not aligned are rare: their places must not take registers from those that are. */
  if constexpr (Factor::KIND == TD_PACKS && Panel::LIES_DEEP == Factor::IS_DEEP) {
    TD_UNROLL_NONE for (int i = 0; i < Panel::OWN; i++) copy(i);
  } else {
    TD_UNROLL for (int i = 0; i < Panel::OWN; i++) copy(i);
  }
}

/* How deep panels are: with exact sums of 8 x 8 a thread has few registers left for values that it computes. */
template <int KIND, int TILE, class A, class B>
struct td_depth_of {
  static constexpr int PANEL = KIND == TD_BF16 ? 32 : KIND == TD_EXACT && TILE == 128 && !(A::IS_COPIED && B::IS_COPIED) ? 8 : 16;
  static constexpr int STAGES = A::IS_COPIED || B::IS_COPIED ? 3 : 2;
};

/*
 * Computes all tiles of `items / (tiles of one product)` products, in BYTES of dynamic shared memory; `out(batch, row, column, sum)` is called once for
 * each element.
 */
template <int KIND, class T, int TILE, int BYTES, class A, class B, class Out>
TDSL_INLINE void td_product(int64_t items, int64_t rows, int64_t columns, int64_t depth, A a, B b, Out out) {
  constexpr int PANEL = td_depth_of<KIND, TILE, A, B>::PANEL, STAGES = td_depth_of<KIND, TILE, A, B>::STAGES;
  typedef td_panel<KIND, T, TILE, PANEL, A::IS_DEEP> left;
  typedef td_panel<KIND, T, TILE, PANEL, B::IS_DEEP> right;
  typedef typename left::cell cell;
  static_assert(STAGES * (left::SIZE + right::SIZE) * sizeof(cell) == BYTES, "the launch asks for another amount of shared memory");
  TD_DYNAMIC_SHARED(cell, panels);
  auto left_panel = [&](int panel) { return panels + panel % STAGES * (left::SIZE + right::SIZE); };
  auto right_panel = [&](int panel) { return left_panel(panel) + left::SIZE; };
  const int64_t across = (columns + TILE - 1) / TILE, down = (rows + TILE - 1) / TILE;
  const int count = (int)((depth + PANEL - 1) / PANEL);
  for (int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    const int64_t rest = td_divide(item, across), batch = td_divide(rest, down);
    const int64_t column = (item - rest * across) * TILE, row = (rest - batch * down) * TILE;
    const int rows_left = (int)tdsl_min(rows - row, TILE), columns_left = (int)tdsl_min(columns - column, TILE);
    typename td_tile_of<KIND, T, TILE, TILE, PANEL, left, right>::type sums;
    T next_a[A::IS_COPIED ? 1 : left::OWN], next_b[B::IS_COPIED ? 1 : right::OWN];
    auto copy = [&](int panel) {
      if (panel < count) {
        if constexpr (A::IS_COPIED) td_copy_panel<left>(left_panel(panel), a, batch, row, rows_left, (int64_t)panel * PANEL, depth);
        if constexpr (B::IS_COPIED) td_copy_panel<right>(right_panel(panel), b, batch, column, columns_left, (int64_t)panel * PANEL, depth);
      }
      if constexpr (A::IS_COPIED || B::IS_COPIED) td_copy_commit();
    };
    auto compute = [&](int panel) {
      const int64_t start = (int64_t)panel * PANEL;
      if constexpr (!A::IS_COPIED) {
        TD_UNROLL for (int i = 0; i < left::OWN; i++) {
          const int m = left::along(i), k = left::into(i);
          next_a[i] = m < rows_left && start + k < depth ? a.at(batch, row + m, start + k) : T(0);
        }
      }
      if constexpr (!B::IS_COPIED) {
        TD_UNROLL for (int i = 0; i < right::OWN; i++) {
          const int n = right::along(i), k = right::into(i);
          next_b[i] = n < columns_left && start + k < depth ? b.at(batch, column + n, start + k) : T(0);
        }
      }
    };
    auto put = [&](int panel) {
      if constexpr (!A::IS_COPIED) {
        cell *to = left_panel(panel);
        TD_UNROLL for (int i = 0; i < left::OWN; i++) to[left::place(left::along(i), left::into(i))] = td_cell_of<KIND, T>::from(next_a[i]);
      }
      if constexpr (!B::IS_COPIED) {
        cell *to = right_panel(panel);
        TD_UNROLL for (int i = 0; i < right::OWN; i++) to[right::place(right::along(i), right::into(i))] = td_cell_of<KIND, T>::from(next_b[i]);
      }
    };
    sums.clear();
    TD_UNROLL for (int panel = 0; panel < STAGES - 1; panel++) copy(panel);
    compute(0);
    put(0);
    for (int panel = 0; panel < count; panel++) {
      if constexpr (A::IS_COPIED || B::IS_COPIED) td_copy_wait<STAGES - 2>();
      /* From here on the panel is there, and the one before it has been multiplied: its place is free. */
      __syncthreads();
      if constexpr (A::IS_COPIED || B::IS_COPIED) copy(panel + STAGES - 1);
      if (panel + 1 < count) compute(panel + 1);
      sums.multiply(left_panel(panel), right_panel(panel));
      if (panel + 1 < count) put(panel + 1);
    }
    sums.each([&](int i, int j, T sum) {
      if (i < rows_left && j < columns_left) out(batch, row + i, column + j, sum);
    });
    /* The next tile begins in the panels that are read here. */
    __syncthreads();
  }
}

#endif
