// The tensors that the reference interpreter reads and returns.

import { fromBF16Bits, fromF16Bits, toBF16Bits, toF16Bits, tooLarge } from '../../../runtime/dtype.js';
import { type DType, dtypeKind } from '../dtype.js';
import { EvaluationError } from './error.js';

/** Storage of the dtypes whose elements are numbers of JavaScript. */
export type Numbers = Float32Array | Float64Array | Int32Array | Int16Array | Int8Array | Uint8Array;
export type Elements = Numbers | BigInt64Array;

/**
 * A tensor in row-major order. A bool is 0 or 1; f16 and bf16 are numbers that are rounded to their dtype, not bit patterns.
 * The interpreter never writes to a tensor that it was given or has returned, so tensors may share their data.
 */
export interface HostTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Elements;
}

const arrays = {
  bool: Uint8Array,
  u8: Uint8Array,
  i8: Int8Array,
  i16: Int16Array,
  i32: Int32Array,
  i64: BigInt64Array,
  f16: Float32Array,
  bf16: Float32Array,
  f32: Float32Array,
  f64: Float64Array,
} as const;

/** Storage for `length` elements, all zero. */
export function allocate(dtype: DType, length: number): Elements {
  try {
    return new arrays[dtype](length);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new EvaluationError(tooLarge(length, dtype), {}, 'TDSL_NOMEM');
  }
}

/** The nearest value of a 16-bit float, ties to even. */
export const roundToF16 = (value: number): number => fromF16Bits(toF16Bits(value));
export const roundToBF16 = (value: number): number => fromBF16Bits(toBF16Bits(value));

/** The value of a float dtype that is nearest to a number where the dtype has 16 bits; others are rounded where they are stored. */
export const roundHalf = (dtype: DType, value: number): number =>
  dtype === 'f16' ? roundToF16(value) : dtype === 'bf16' ? roundToBF16(value) : value;

/** Rounds the first `count` elements where the dtype is narrower than its storage. */
export function roundElements(dtype: DType, data: Elements, count = data.length): void {
  if ((dtype !== 'f16' && dtype !== 'bf16') || data instanceof BigInt64Array) return;
  for (let i = 0; i < count; i++) data[i] = roundHalf(dtype, data[i] as number);
}

export const elementCount = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Sets elements from numbers as a constant of the IR gives them: floats are rounded, integers wrap, bools are 0 or 1. */
export function storeNumbers(dtype: DType, into: Elements, values: readonly (number | bigint | boolean)[]): void {
  if (into instanceof BigInt64Array) {
    for (let i = 0; i < values.length; i++) into[i] = BigInt(values[i] as number | bigint | boolean);
  } else if (dtype === 'bool') {
    for (let i = 0; i < values.length; i++) into[i] = values[i] ? 1 : 0;
  } else {
    for (let i = 0; i < values.length; i++) into[i] = Number(values[i]);
    roundElements(dtype, into, values.length);
  }
}

/** A tensor of the given elements in row-major order. */
export function hostTensor(
  dtype: DType,
  shape: readonly number[],
  values: readonly (number | bigint | boolean)[],
): HostTensor {
  const count = elementCount(shape);
  if (values.length !== count) {
    throw new RangeError(`a tensor [${shape.join(', ')}] has ${count} elements, got ${values.length}`);
  }
  if (dtypeKind(dtype) === 'int' && values.some((value) => typeof value === 'number' && !Number.isInteger(value))) {
    throw new RangeError(`the elements of a tensor of ${dtype} must be integers`);
  }
  const data = allocate(dtype, count);
  storeNumbers(dtype, data, values);
  return { dtype, shape: [...shape], data };
}

/** The elements as numbers; an i64 beyond 2^53 is rounded. */
export const numbersOf = (tensor: HostTensor): number[] =>
  Array.from(tensor.data as ArrayLike<number | bigint>, Number);
