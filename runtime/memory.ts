// Memory for the elements of tensors, which begins on a line of the cache as soon as there is native code that can say where lines begin: JavaScript
// cannot see addresses.

import type { Addon } from './addon.js';
import { byteSize, type DataOf, DTYPES, type DType, type TypedArray, tooLarge, viewOf } from './dtype.js';
import { TdslError } from './errors.js';

type Aligner = Pick<Addon, 'alignedOffset'>;

/** TDSL_ALIGNMENT of the C interface: bytes of a line of the cache. */
const ALIGNMENT = 64;
/** What takes fewer bytes is not worth the question, which costs half a microsecond. */
const LEAST_ALIGNED = 4096;

let aligner: Aligner | undefined;

/**
 * Has native code say from now on where the memory of new tensors begins. A vector that lies across two lines is read at half the
 * speed: a product of one row with weights that are arguments takes up to 1.7 times as long, a large one 2 to 6 % longer.
 */
export function alignWith(addon: Aligner): void {
  aligner ??= addon;
}

/** Zeroed bytes that begin on a line of the cache, such as a state arena. Throws TDSL_NOMEM where there is not enough memory. */
export function alignedBytes(addon: Aligner, bytes: number): Uint8Array<ArrayBuffer> {
  const make = (): Uint8Array<ArrayBuffer> => {
    const buffer = new ArrayBuffer(bytes + ALIGNMENT);
    return new Uint8Array(buffer, addon.alignedOffset(buffer), bytes);
  };
  return enough(make, () => `there is not enough memory for ${bytes} bytes`);
}

/** New zero-filled storage for `length` elements, which may be part of a slightly larger buffer. Throws TDSL_NOMEM where there is not enough memory. */
export function allocate<D extends DType>(dtype: D, length: number): DataOf<D> {
  const make = (): DataOf<D> => {
    const bytes = length * byteSize(dtype);
    if (aligner === undefined || bytes < LEAST_ALIGNED) return new DTYPES[dtype].array(length) as DataOf<D>;
    const buffer = new ArrayBuffer(bytes + ALIGNMENT);
    return viewOf(dtype, buffer, aligner.alignedOffset(buffer), length);
  };
  return enough(make, () => tooLarge(length, dtype));
}

/** A copy of the elements of a dtype. */
export function copyOf<D extends DType>(dtype: D, from: DataOf<D>): DataOf<D> {
  const data = allocate(dtype, from.length);
  (data as { set(source: TypedArray): void }).set(from);
  return data;
}

/** What is made, or an error that says what the problem is where that is more than there is memory for. */
function enough<R>(make: () => R, problem: () => string): R {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new TdslError('TDSL_NOMEM', problem(), { cause });
  }
}
