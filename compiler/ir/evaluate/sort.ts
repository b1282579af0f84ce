// Sorting in the interpreter: the positions of elements in the order of their keys, equal ones in the order in which they stand.

import type { DType } from '../dtype.js';
import { copyElements } from './elementwise.js';
import type { Folds } from './fold.js';
import { blockSize, type ScalarProgram } from './scalar/compile.js';
import { allocate, type Elements } from './tensor.js';

/** From so many keys on, distributing them by 16 bits at a time is faster than comparing them. */
const manyKeys = 4096;

/**
 * Puts, for every row of elements, the positions within it that come to the places from `start` on into a row of `results`; `program` computes the
 * keys.
 */
export function sortPositions(
  program: ScalarProgram,
  { data, offsets, lanes, length }: Folds,
  start: number,
  results: Folds,
): void {
  const [argument, key] = [program.args[0] as Elements, program.outputs[0] as Elements];
  const keys = allocate(program.results[0] as DType, data.length);
  for (let first = 0; first < data.length; first += blockSize) {
    const n = Math.min(blockSize, data.length - first);
    for (let i = 0; i < n; i++) argument[i] = data[offsets[first + i] as number] as never;
    program.run(n);
    copyElements(keys, first, key, 0, n);
  }
  const positions = results.data as BigInt64Array;
  for (let lane = 0; lane < lanes; lane++) {
    const ordered = order(keys.subarray(lane * length, (lane + 1) * length));
    for (let i = 0; i < results.length; i++) {
      positions[results.offsets[lane * results.length + i] as number] = BigInt(ordered[start + i] as number);
    }
  }
}

const order = (keys: Elements): Int32Array => (keys.length < manyKeys ? byComparing(keys) : byDigits(keys));

function byComparing(keys: Elements): Int32Array {
  return Int32Array.from(keys.keys()).sort((a, b) => {
    const [x, y] = [keys[a] as number | bigint, keys[b] as number | bigint];
    return x < y ? -1 : x > y ? 1 : a - b;
  });
}

/** Distributes the keys by their digits of 16 bits, from the lowest to the highest. */
function byDigits(keys: Elements): Int32Array {
  const words = keys instanceof Int8Array ? Int16Array.from(keys) : keys;
  const digits = new Uint16Array(words.buffer, words.byteOffset, words.byteLength / 2);
  const count = words.BYTES_PER_ELEMENT / 2;
  let current = Int32Array.from(keys.keys());
  let next = new Int32Array(keys.length);
  for (let digit = 0; digit < count; digit++) {
    // The sign counts the other way round.
    const flip = digit === count - 1 ? 0x8000 : 0;
    const places = new Int32Array(0x10000);
    for (let i = 0; i < keys.length; i++) {
      const at = (digits[i * count + digit] as number) ^ flip;
      places[at] = (places[at] as number) + 1;
    }
    let sum = 0;
    for (let value = 0; value < 0x10000; value++) {
      const own = places[value] as number;
      places[value] = sum;
      sum += own;
    }
    for (const position of current) {
      const at = (digits[position * count + digit] as number) ^ flip;
      next[places[at] as number] = position;
      places[at] = (places[at] as number) + 1;
    }
    [current, next] = [next, current];
  }
  return current;
}
