// Prints sorting: a C function for each type of keys. Radix sort by bytes from the lowest to the highest, so that it is stable, and the time grows
// with the number of keys; few keys are sorted by insertion. Bytes that are equal in all keys cost one look. Where only some places are asked for,
// bytes from the highest to the lowest first tell which keys come there at all, and the others are left out.

import type { Dim } from '../../compiler/ir/dims.js';
import { dtypeBytes } from '../../compiler/ir/dtype.js';
import type { Stmt } from '../kernel/ir.js';
import type { Lines } from './context.js';
import { functionText } from './operators.js';
import { storageType } from './types.js';

/** Up to so many keys, insertion is faster than counting 256 values for each byte. */
const INSERTION = 48;

/** The call that sorts the keys of a statement. */
export function sortCall(lines: Lines, stmt: Extract<Stmt, { kind: 'sort' }>, text: (size: Dim) => string): string {
  const { dtype } = stmt.keys;
  const bytes = dtypeBytes(dtype);
  const [key, word] = [storageType(dtype), `uint${8 * bytes}_t`];
  const name = lines.unit.define(`sort_${dtype}`, () =>
    functionText(
      'void',
      `sort_${dtype}`,
      `${key} *keys, int64_t *order, int64_t n, int64_t start, int64_t count`,
      `if (count <= 0) return;
  const ${word} sign = (${word})1 << ${8 * bytes - 1};
  for (int64_t i = 0; i < n; i++) order[i] = i;
  for (int byte = ${bytes - 1}; byte >= 0 && n > ${INSERTION} && count <= n / 2; byte--) {
    int64_t digits[256] = {0}, before = 0, kept = 0;
    for (int64_t i = 0; i < n; i++) digits[((${word})keys[i] ^ sign) >> 8 * byte & 255]++;
    int low = 0;
    while (before + digits[low] <= start) before += digits[low++];
    int high = low;
    int64_t after = before + digits[low];
    while (after < start + count) after += digits[++high];
    for (int64_t i = 0; i < n; i++) {
      const int digit = ((${word})keys[i] ^ sign) >> 8 * byte & 255;
      keys[kept] = keys[i], order[kept] = order[i];
      kept += (digit >= low) & (digit <= high);
    }
    n = kept, start -= before;
    if (low != high) break;
  }
  int64_t *old = order;
  if (n <= ${INSERTION}) {
    for (int64_t i = 0; i < n; i++) {
      const ${key} own = keys[i];
      const int64_t from = order[i];
      int64_t j = i;
      for (; j > 0 && keys[j - 1] > own; j--) keys[j] = keys[j - 1], order[j] = order[j - 1];
      keys[j] = own, order[j] = from;
    }
  } else {
    int64_t digits[${bytes}][256] = {{0}}, *next = order + n;
    for (int64_t i = 0; i < n; i++) {
      const ${word} own = (${word})((${word})keys[i] ^ sign);
      for (int byte = 0; byte < ${bytes}; byte++) digits[byte][own >> 8 * byte & 255]++;
    }
    ${key} *from = keys, *to = keys + n;
    for (int byte = 0; byte < ${bytes}; byte++) {
      int64_t *const place = digits[byte], sum = 0;
      if (place[((${word})from[0] ^ sign) >> 8 * byte & 255] == n) continue;
      for (int digit = 0; digit < 256; digit++) {
        const int64_t own = place[digit];
        place[digit] = sum;
        sum += own;
      }
      for (int64_t i = 0; i < n; i++) {
        const int64_t at = place[((${word})from[i] ^ sign) >> 8 * byte & 255]++;
        to[at] = from[i], next[at] = old[i];
      }
      ${key} *const keys_done = to;
      int64_t *const order_done = next;
      to = from, next = old;
      from = keys_done, old = order_done;
    }
  }
  if (old + start == order) return;
  for (int64_t i = 0; i < count; i++) order[i] = old[start + i];`,
      'static',
    ),
  );
  const sizes = [stmt.length, stmt.start, stmt.count].map(text);
  return `${name}(${[lines.bufferName(stmt.keys), lines.bufferName(stmt.order), ...sizes].join(', ')});`;
}
