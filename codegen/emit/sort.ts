// Prints sorting: a C function for each type of keys. Radix sort by bytes from the lowest to the highest, so that it is stable, and the time grows
// with the number of keys; few keys are sorted by insertion. Bytes that are equal in all keys cost one look.

import { dtypeBytes } from '../../compiler/ir/dtype.js';
import type { Stmt } from '../kernel/ir.js';
import type { Lines } from './context.js';
import { functionText } from './operators.js';
import { storageType } from './types.js';

/** Up to so many keys, insertion is faster than counting 256 values for each byte. */
const INSERTION = 48;

/** The call that sorts the keys of a statement. */
export function sortCall(lines: Lines, stmt: Extract<Stmt, { kind: 'sort' }>, length: string): string {
  const { dtype } = stmt.keys;
  const bytes = dtypeBytes(dtype);
  const [key, word] = [storageType(dtype), `uint${8 * bytes}_t`];
  const name = lines.unit.define(`sort_${dtype}`, () =>
    functionText(
      'void',
      `sort_${dtype}`,
      `${key} *keys, int64_t *order, int64_t n`,
      `if (n <= ${INSERTION}) {
    for (int64_t i = 0; i < n; i++) {
      const ${key} own = keys[i];
      int64_t j = i;
      for (; j > 0 && keys[j - 1] > own; j--) keys[j] = keys[j - 1], order[j] = order[j - 1];
      keys[j] = own, order[j] = i;
    }
    return;
  }
  const ${word} sign = (${word})1 << ${8 * bytes - 1};
  int64_t counts[${bytes}][256] = {{0}};
  for (int64_t i = 0; i < n; i++) {
    const ${word} own = (${word})((${word})keys[i] ^ sign);
    for (int byte = 0; byte < ${bytes}; byte++) counts[byte][own >> 8 * byte & 255]++;
    order[i] = i;
  }
  ${key} *from = keys, *to = keys + n;
  int64_t *old = order, *next = order + n;
  for (int byte = 0; byte < ${bytes}; byte++) {
    int64_t *const count = counts[byte], sum = 0;
    if (count[((${word})from[0] ^ sign) >> 8 * byte & 255] == n) continue;
    for (int digit = 0; digit < 256; digit++) {
      const int64_t own = count[digit];
      count[digit] = sum;
      sum += own;
    }
    for (int64_t i = 0; i < n; i++) {
      const int64_t at = count[((${word})from[i] ^ sign) >> 8 * byte & 255]++;
      to[at] = from[i], next[at] = old[i];
    }
    ${key} *const keys_done = to;
    int64_t *const order_done = next;
    to = from, next = old;
    from = keys_done, old = order_done;
  }
  if (old != order) {
    for (int64_t i = 0; i < n; i++) order[i] = old[i];
  }`,
      'static',
    ),
  );
  return `${name}(${lines.bufferName(stmt.keys)}, ${lines.bufferName(stmt.order)}, ${length});`;
}
