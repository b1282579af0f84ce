/*
 * Sorting of rows by keys, which are signed integers: chunks of a row are put in order in shared memory, and if there is more than one, sorted runs
 * are merged in pairs, run after run twice as long. An element with its place is unlike any other, so the order is that of a stable sort,
 * whatever compares what.
 */
#ifndef TDSL_SORT_CUH
#define TDSL_SORT_CUH

#include "tdsl_gpu.h"

/* Elements of a chunk; TDSL_SORT_CHUNK of tdsl_cuda.h is the same. */
enum { TD_SORT_CHUNK = 2048 };

/*
 * Sorts the chunks of rows; `items` is the number of all chunks, `key(row, i)` an element. Rows of one chunk are done then: `write(row, place, at)` says
 * which element `at` comes to a place. For longer ones the first halves of `keys` and `order` get the sorted runs.
 */
template <class K, class Key, class Write>
TDSL_INLINE void td_sort_chunks(int64_t items, int64_t length, K *keys, int64_t *order, Key key, Write write) {
  TD_SHARED(K, own, [TD_SORT_CHUNK]);
  TD_SHARED(int32_t, place, [TD_SORT_CHUNK]);
  const int64_t chunks = (length + TD_SORT_CHUNK - 1) / TD_SORT_CHUNK;
  const K largest = (K)(~(uint64_t)0 >> (65 - 8 * sizeof(K)));
  const int32_t thread = (int32_t)threadIdx.x, threads = (int32_t)blockDim.x;
  for (int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    const int64_t row = td_divide(item, chunks), start = (item - row * chunks) * TD_SORT_CHUNK;
    const int32_t count = (int32_t)tdsl_min(length - start, TD_SORT_CHUNK);
    int32_t size = 1;
    while (size < count) size *= 2;
    for (int32_t i = thread; i < size; i += threads) {
      own[i] = i < count ? key(row, start + i) : largest;
      place[i] = i; /* what fills up comes behind all elements, those with the largest key as well */
    }
    __syncthreads();
    /* Bitonic: runs that go up and down in turn become runs twice as long. */
    for (int32_t run = 2; run <= size; run *= 2) {
      for (int32_t distance = run / 2; distance > 0; distance /= 2) {
        for (int32_t i = thread; i < size / 2; i += threads) {
          const int32_t low = 2 * i - (i & (distance - 1)), high = low + distance;
          const K a = own[low], b = own[high];
          const int32_t x = place[low], y = place[high];
          const bool is_down = b < a || (b == a && y < x), goes_up = (low & run) == 0;
          if (is_down == goes_up) {
            own[low] = b, own[high] = a;
            place[low] = y, place[high] = x;
          }
        }
        __syncthreads();
      }
    }
    for (int32_t i = thread; i < count; i += threads) {
      if (length <= TD_SORT_CHUNK) {
        write(row, i, place[i]);
      } else {
        keys[row * length + start + i] = own[i];
        order[row * length + start + i] = start + place[i];
      }
    }
    __syncthreads();
  }
}

/*
 * Merges pairs of runs of `width` elements; `items` is the number of all elements. An element looks up how many of the other run come before it. Runs
 * move from one half of `keys` and `order` to the other and back; the last pass writes the results.
 */
template <class K, class Write>
TDSL_INLINE void td_merge_runs(int64_t items, int64_t length, int64_t width, K *keys, int64_t *order, Write write) {
  /* The width is a chunk times a power of two: an even one in every second pass. */
  const bool is_back = ((uint64_t)(width / TD_SORT_CHUNK) & 0x5555555555555555u) == 0;
  const int64_t from = is_back ? items : 0, to = is_back ? 0 : items;
  for (int64_t item = blockIdx.x * (int64_t)blockDim.x + threadIdx.x; item < items; item += gridDim.x * (int64_t)blockDim.x) {
    const int64_t row = td_divide(item, length), at = item - row * length;
    const int64_t start = at / (2 * width) * (2 * width), middle = tdsl_min(start + width, length), end = tdsl_min(start + 2 * width, length);
    const bool is_left = at < middle;
    const K own = keys[from + item];
    const K *const others = keys + from + row * length;
    int64_t low = is_left ? middle : start, high = is_left ? end : middle;
    /* Of equal ones those of the left run come first. */
    while (low < high) {
      const int64_t between = (low + high) / 2;
      if (is_left ? others[between] < own : others[between] <= own)
        low = between + 1;
      else
        high = between;
    }
    const int64_t place = at + low - middle;
    if (2 * width >= length) {
      write(row, place, order[from + item]);
    } else {
      keys[to + row * length + place] = own;
      order[to + row * length + place] = order[from + item];
    }
  }
}

#endif
