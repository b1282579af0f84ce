/*
 * A product of matrices, folds along the rows of what it gives, and a product with what is made of these rows, such as an attention: a block of 256
 * threads works on 64 rows, and goes over the columns in tiles, once or several times (sweeps). A tile of scores is multiplied to shared
 * memory, where each row belongs to four threads; the weights that they make of it are the left factor of the second product, whose sums stay in
 * registers. Scores of whole rows are never stored: later sweeps multiply them anew, unless all tiles of the rows have room.
 */
#ifndef TDSL_CHAIN_CUH
#define TDSL_CHAIN_CUH

#include "tdsl_product.cuh"

/*
 * Begins to copy ALONG x DEEP cells of a factor to a panel, from (first, start) on; what lies outside, from `along` and `deep` on, is 0. Values that are
 * computed are there at once.
 */
template <class Cell, class Panel, int ALONG, int DEEP, class Factor>
TDSL_INLINE void td_bring(typename Panel::cell *panel, const Factor &factor, int64_t first, int64_t along, int64_t start, int64_t deep) {
  typedef typename Panel::cell cell;
  if constexpr (Factor::KIND == TD_PACKS && Panel::LIES_DEEP == Factor::IS_DEEP) {
    if (factor.aligned) {
      constexpr int PACK = Panel::PACK, COUNT = ALONG * DEEP / PACK;
      TD_UNROLL_SOME for (int i = 0; i < (COUNT + 255) / 256; i++) {
        const int pack = threadIdx.x + i * 256;
        if (COUNT % 256 != 0 && pack >= COUNT) break;
        const int m = Factor::IS_DEEP ? pack / (DEEP / PACK) : pack % (ALONG / PACK) * PACK;
        const int k = Factor::IS_DEEP ? pack % (DEEP / PACK) * PACK : pack / (ALONG / PACK);
        const int64_t into = tdsl_max(0, deep - start - k), wide = tdsl_max(0, along - first - m);
        const int64_t inside = Factor::IS_DEEP ? (wide > 0 ? into : 0) : (into > 0 ? wide : 0);
        const cell *from = inside > 0 ? factor.at(0, first + m, start + k) : nullptr;
        td_copy_async<16>(&panel[Panel::place(m, k)], from, from != nullptr ? (int)tdsl_min(inside, PACK) * (int)sizeof(cell) : 0);
      }
      return;
    }
  }
  /* Neighbours of a warp are neighbours in memory; where a panel is turned over, a warp takes pieces of a few rows, which lie in different banks. */
  constexpr int RUN = !Factor::IS_DEEP ? 1 : Panel::LIES_DEEP ? DEEP : 8;
  TD_UNROLL_SOME for (int i = 0; i < ALONG * DEEP / 256; i++) {
    const int n = threadIdx.x + i * 256;
    const int m = n / RUN % ALONG, k = n % RUN + n / (RUN * ALONG) * RUN;
    const bool is_inside = first + m < along && start + k < deep;
    cell *to = &panel[Panel::place(m, k)];
    if constexpr (!Factor::IS_COPIED) {
      *to = is_inside ? Cell::from(factor.at(0, first + m, start + k)) : cell(0);
    } else {
      const cell *from = is_inside ? factor.at(0, first + m, start + k) : nullptr;
      if constexpr (sizeof(cell) >= 4)
        td_copy_async<sizeof(cell)>(to, from, from != nullptr ? (int)sizeof(cell) : 0);
      else
        *to = from != nullptr ? *from : cell(0);
    }
  }
}

/* The columns of a row that may be seen, as tiles from `begin` to `end`. They are part 0 of a sweep; the tiles before and behind them are part 1. */
template <int TILE>
struct td_seen {
  int64_t begin, end, width;
  TDSL_INLINE_MEMBER td_seen(int64_t first, int64_t count, int64_t width) : begin(0), end(0), width(width) {
    if (count <= 0 || first >= width) return;
    begin = first / TILE * TILE;
    end = tdsl_min(width, (first + count + TILE - 1) / TILE * TILE);
  }
  TDSL_INLINE_MEMBER bool is_all() const { return begin == 0 && end == width; }
  TDSL_INLINE_MEMBER int64_t first(int part) const { return part == 0 ? begin : begin > 0 ? 0 : end; }
  TDSL_INLINE_MEMBER int64_t stop(int part) const { return part == 0 ? end : width; }
  TDSL_INLINE_MEMBER int64_t after(int part, int64_t start) const { return part == 1 && start + TILE == begin ? end : start + TILE; }
};

/* Whether two states of a fold are the same number, or none both. */
template <class T>
TDSL_INLINE bool td_is_same(T a, T b) {
  return a == b || (a != a && b != b);
}

/* What lies in memory as a number. */
template <class T, class Cell>
TDSL_INLINE T td_number(Cell cell) {
  if constexpr (sizeof(Cell) == 2)
    return (T)__uint_as_float((uint32_t)cell << 16);
  else
    return (T)cell;
}
/*
 * Whether all numbers of a part of a factor are smaller than a limit, and none is NaN; each thread answers for those that it looks at. SIDE is about how
 * many of them are neighbours in memory: so many threads take packs of a row, the others those of further rows.
 */
template <class T, int SIDE, class Factor>
TDSL_INLINE bool td_is_below(const Factor &factor, int64_t first, int64_t along, int64_t start, int64_t deep, T limit) {
  const int64_t from = Factor::IS_DEEP ? start : first, to = Factor::IS_DEEP ? deep : along;
  const int64_t outer_from = Factor::IS_DEEP ? first : start, outer_to = Factor::IS_DEEP ? along : deep;
  bool is_below = true;
  auto look = [&](T x) { is_below &= x < limit && x > -limit; };
  auto at = [&](int64_t i, int64_t j) { return Factor::IS_DEEP ? factor.at(0, i, j) : factor.at(0, j, i); };
  if constexpr (Factor::KIND == TD_PACKS) {
    if (factor.aligned) {
      constexpr int PACK = 16 / sizeof(*at(0, 0)), WANTED = (SIDE + PACK - 1) / PACK;
      constexpr int LANES = WANTED > 16 ? 32 : WANTED > 8 ? 16 : WANTED > 4 ? 8 : 4;
      TD_UNROLL_NONE for (int64_t i = outer_from + threadIdx.x / LANES; i < outer_to; i += 256 / LANES) {
        TD_UNROLL_SOME for (int64_t j = from + threadIdx.x % LANES * PACK; j < to; j += LANES * PACK) {
          const auto *place = at(i, j);
          if (place == nullptr) continue;
          if (to - j >= PACK) {
            const auto pack = td_get_pack<PACK>(place, true);
            TD_UNROLL for (int e = 0; e < PACK; e++) look(td_number<T>(pack.at[e]));
          } else {
            for (int e = 0; e < (int)(to - j); e++) look(td_number<T>(place[e]));
          }
        }
      }
      return is_below;
    }
  }
  TD_UNROLL_NONE for (int64_t i = outer_from + threadIdx.x / 32; i < outer_to; i += 8) {
    TD_UNROLL_SOME for (int64_t j = from + threadIdx.x % 32; j < to; j += 32) {
      if constexpr (Factor::IS_COPIED) {
        const auto *place = at(i, j);
        if (place != nullptr) look(td_number<T>(*place));
      } else {
        look(at(i, j));
      }
    }
  }
  return is_below;
}

/*
 * The shared memory of a chain and its steps. Scores are sums of SCORE_KIND in the type S over DEPTH products; the second product has sums of
 * MIXED_KIND in the type M for FEATURES columns. Tiles have COLUMNS columns, and KEPT of them have room.
 */
template <int SCORE_KIND, class S, int DEPTH, bool LEFT_DEEP, bool RIGHT_DEEP, int MIXED_KIND, class M, int FEATURES, bool MIXED_DEEP, int COLUMNS, int KEPT, int BYTES>
struct td_chain {
  static constexpr int ROWS = 64, OWN = COLUMNS / 4, PITCH = COLUMNS + 4;
  typedef td_cell_of<SCORE_KIND, S> score_cell;
  typedef td_cell_of<MIXED_KIND, M> mixed_cell;
  typedef td_panel<SCORE_KIND, S, ROWS, DEPTH, LEFT_DEEP> left_panel;
  typedef td_panel<SCORE_KIND, S, COLUMNS, DEPTH, RIGHT_DEEP> right_panel;
  typedef td_panel<MIXED_KIND, M, ROWS, COLUMNS, true> weight_panel;
  typedef td_panel<MIXED_KIND, M, FEATURES, COLUMNS, MIXED_DEEP> mixed_panel;
  static constexpr int STEP = 16;
  typename td_tile_of<MIXED_KIND, M, ROWS, FEATURES, STEP, weight_panel, mixed_panel>::type sums;
  S *scores;
  M *scales, *factors;
  typename left_panel::cell *left, *right;
  typename mixed_panel::cell *weights, *mixed;

  TDSL_INLINE_MEMBER td_chain() {
    static_assert((KEPT * ROWS * PITCH) * sizeof(S) + 2 * ROWS * sizeof(M) + (left_panel::SIZE + right_panel::SIZE) * sizeof(typename left_panel::cell) +
                          (weight_panel::SIZE + mixed_panel::SIZE) * sizeof(typename mixed_panel::cell) ==
                      BYTES,
                  "the launch asks for another amount of shared memory");
    TD_DYNAMIC_SHARED(unsigned char, memory);
    scores = (S *)memory;
    scales = (M *)(scores + KEPT * ROWS * PITCH);
    factors = scales + ROWS;
    left = (typename left_panel::cell *)(factors + ROWS);
    right = left + left_panel::SIZE;
    weights = (typename mixed_panel::cell *)(right + right_panel::SIZE);
    mixed = weights + weight_panel::SIZE;
  }

  /* The row that a thread works on with its three neighbours, and the i-th of its columns of a tile. */
  static TDSL_INLINE_MEMBER int row() { return threadIdx.x / 4; }
  static TDSL_INLINE_MEMBER int column(int i) { return threadIdx.x % 4 + i * 4; }
  TDSL_INLINE_MEMBER S &score(int slot, int i) const { return scores[(slot * ROWS + row()) * PITCH + column(i)]; }
  TDSL_INLINE_MEMBER void weigh(int i, M weight) const { weights[weight_panel::place(row(), column(i))] = mixed_cell::from(weight); }

  template <class Factor>
  TDSL_INLINE_MEMBER void bring_left(const Factor &factor, int64_t rows, int64_t depth) const {
    td_bring<score_cell, left_panel, ROWS, DEPTH>(left, factor, 0, rows, 0, depth);
  }
  template <class Factor>
  TDSL_INLINE_MEMBER void bring_right(const Factor &factor, int64_t first, int64_t columns, int64_t depth) const {
    td_bring<score_cell, right_panel, COLUMNS, DEPTH>(right, factor, first, columns, 0, depth);
  }
  template <class Factor>
  TDSL_INLINE_MEMBER void bring_mixed(const Factor &factor, int64_t features, int64_t first, int64_t columns) const {
    td_bring<mixed_cell, mixed_panel, FEATURES, COLUMNS>(mixed, factor, 0, features, first, columns);
  }

  /* The scores of a tile. */
  TDSL_INLINE_MEMBER void multiply(int slot) const {
    typename td_tile_of<SCORE_KIND, S, ROWS, COLUMNS, STEP, left_panel, right_panel>::type products;
    products.clear();
    TD_UNROLL_NONE for (int k = 0; k < DEPTH; k += STEP) products.multiply(left + left_panel::place(0, k), right + right_panel::place(0, k));
    products.each([&](int i, int j, S sum) { scores[(slot * ROWS + i) * PITCH + j] = sum; });
  }
  /* Adds the weighted tile of the second product's right factor; before that, sums are multiplied by the scales of their rows. */
  TDSL_INLINE_MEMBER void mix() {
    TD_UNROLL_NONE for (int k = 0; k < COLUMNS; k += STEP) sums.multiply(weights + weight_panel::place(0, k), mixed + mixed_panel::place(0, k));
  }
  TDSL_INLINE_MEMBER void rescale() {
    sums.each([&](int i, int, M &sum) { sum *= scales[i]; });
  }
};

#endif
