/*
 * Running folds along rows. A block goes along its part of a row in tiles: each thread folds four neighbouring elements, the states of threads and
 * of warps are joined in order, and with what came before its elements a thread takes its steps again and writes. Rows that are few
 * and long are divided into parts: a first launch folds these, and in a second one each part begins with the states of those before it.
 *
 * A fold is given by its state S and functions: `initial()`, `join(left, right)` for neighbouring ranges, `step(row, i, state)` and `write(row, i,
 * state)`, which also makes the step and writes the results, and `above(state, distance)`, the state of a thread `distance` lanes before.
 */
#ifndef TDSL_SCAN_CUH
#define TDSL_SCAN_CUH

#include "tdsl_gpu.h"

enum { TD_SCAN_OWN = 4, TD_SCAN_WARPS = 8, TD_SCAN_TILE = TD_SCAN_OWN * TD_SCAN_WARPS * 32 };

/* Where part `part` of `parts` of a row begins: a multiple of a tile. */
TDSL_INLINE int64_t td_part_begin(int64_t length, int64_t parts, int64_t part) {
  const int64_t tiles = (length + TD_SCAN_TILE - 1) / TD_SCAN_TILE, own = (tiles + parts - 1) / parts;
  return tdsl_min(length, part * own * TD_SCAN_TILE);
}

/* Goes along the elements begin ... end - 1 of a row from the state before them; writes them where WRITES. The state after them. */
template <bool WRITES, class S, class Begin, class Join, class Above, class Step, class Write>
TDSL_INLINE S td_scan_range(int64_t row, int64_t begin, int64_t end, S before, Begin initial, Join join, Above above, Step step, Write write) {
  TD_SHARED(S, warps, [TD_SCAN_WARPS]);
  TD_SHARED(S, carry, [1]);
  const int32_t lane = threadIdx.x & 31, warp = (int32_t)(threadIdx.x / 32);
  for (int64_t tile = begin; tile < end; tile += TD_SCAN_TILE) {
    const int64_t first = tile + (int64_t)threadIdx.x * TD_SCAN_OWN, last = tdsl_min(end, first + TD_SCAN_OWN);
    S own = initial();
    for (int64_t i = first; i < last; i++) step(row, i, own);
    /* Threads behind the end join states of no elements to others of none: nobody reads these. */
    for (int32_t distance = 1; distance < 32; distance *= 2) {
      const S other = above(own, distance);
      if (lane >= distance) own = join(other, own);
    }
    if (lane == 31) warps[warp] = own;
    __syncthreads();
    S state = before;
    for (int32_t w = 0; w < warp; w++) state = join(state, warps[w]);
    const S left = above(own, 1);
    if (lane > 0) state = join(state, left);
    for (int64_t i = first; i < last; i++) {
      if (WRITES)
        write(row, i, state);
      else
        step(row, i, state);
    }
    if (first < last && (last == end || threadIdx.x == TD_SCAN_WARPS * 32 - 1)) carry[0] = state;
    __syncthreads();
    before = carry[0];
  }
  return before;
}

/* Whole rows: `items` is their number. */
template <class S, class Begin, class Join, class Above, class Step, class Write>
TDSL_INLINE void td_scan_rows(int64_t items, int64_t length, Begin initial, Join join, Above above, Step step, Write write) {
  for (int64_t row = blockIdx.x; row < items; row += gridDim.x)
    td_scan_range<true, S>(row, 0, length, initial(), initial, join, above, step, write);
}

/* The states after each part of the rows; `put(item, state)` keeps that of part item % parts of row item / parts. */
template <class S, class Begin, class Join, class Above, class Step, class Put>
TDSL_INLINE void td_scan_totals(int64_t items, int64_t length, int64_t parts, Begin initial, Join join, Above above, Step step, Put put) {
  for (int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    const int64_t row = td_divide(item, parts), part = item - row * parts;
    const int64_t begin = td_part_begin(length, parts, part), end = td_part_begin(length, parts, part + 1);
    const S total = td_scan_range<false, S>(row, begin, end, initial(), initial, join, above, step, step);
    if (threadIdx.x == 0) put(item, total);
  }
}

/* The elements of each part from the states of those before it. */
template <class S, class Begin, class Join, class Above, class Step, class Write, class Get>
TDSL_INLINE void td_scan_parts(int64_t items, int64_t length, int64_t parts, Begin initial, Join join, Above above, Step step, Write write, Get get) {
  for (int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    const int64_t row = td_divide(item, parts), part = item - row * parts;
    const int64_t begin = td_part_begin(length, parts, part), end = td_part_begin(length, parts, part + 1);
    S before = initial();
    /* An empty part is behind all others. */
    if (begin < end)
      for (int64_t p = 0; p < part; p++) before = join(before, get(row * parts + p));
    td_scan_range<true, S>(row, begin, end, before, initial, join, above, step, write);
  }
}

#endif
