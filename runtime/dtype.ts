// Element types: their sizes, kinds, storage in typed arrays, and the 16-bit floating-point formats, which JavaScript
// lacks and which are stored as bit patterns.

/** What the compiler calls the kinds of number, in the order in which they promote. */
export type DTypeKind = 'bool' | 'int' | 'float';

interface DTypeInfo {
  readonly bytes: number;
  readonly kind: DTypeKind;
  /** The typed array that stores elements: a byte for bool, bit patterns for f16 and bf16. */
  readonly array:
    | Uint8ArrayConstructor
    | Int8ArrayConstructor
    | Int16ArrayConstructor
    | Int32ArrayConstructor
    | BigInt64ArrayConstructor
    | Uint16ArrayConstructor
    | Float32ArrayConstructor
    | Float64ArrayConstructor;
  /** PyTorch's name, which printed tensors show. */
  readonly torch: string;
}

/** Every element type; the table is what the rest of the runtime reads. */
export const DTYPES = {
  bool: { bytes: 1, kind: 'bool', array: Uint8Array, torch: 'bool' },
  u8: { bytes: 1, kind: 'int', array: Uint8Array, torch: 'uint8' },
  i8: { bytes: 1, kind: 'int', array: Int8Array, torch: 'int8' },
  i16: { bytes: 2, kind: 'int', array: Int16Array, torch: 'int16' },
  i32: { bytes: 4, kind: 'int', array: Int32Array, torch: 'int32' },
  i64: { bytes: 8, kind: 'int', array: BigInt64Array, torch: 'int64' },
  f16: { bytes: 2, kind: 'float', array: Uint16Array, torch: 'float16' },
  bf16: { bytes: 2, kind: 'float', array: Uint16Array, torch: 'bfloat16' },
  f32: { bytes: 4, kind: 'float', array: Float32Array, torch: 'float32' },
  f64: { bytes: 8, kind: 'float', array: Float64Array, torch: 'float64' },
} as const satisfies Record<string, DTypeInfo>;

export type DType = keyof typeof DTYPES;

/** The instances of `DTYPES[...].array`, over any kind of buffer: WebAssembly and workers share theirs. */
interface Storage {
  readonly bool: Uint8Array;
  readonly u8: Uint8Array;
  readonly i8: Int8Array;
  readonly i16: Int16Array;
  readonly i32: Int32Array;
  readonly i64: BigInt64Array;
  readonly f16: Uint16Array;
  readonly bf16: Uint16Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
}

/** The typed array that holds the elements of a dtype. */
export type DataOf<D extends DType = DType> = Storage[D];

/** Any typed array that can hold tensor elements. */
export type TypedArray = DataOf<DType>;

/** What one element of a dtype is on the host. An i64 beyond 2^53 is only readable as a bigint, through `data`. */
export type ScalarOf<D extends DType = DType> = D extends 'bool' ? boolean : number;

/** True when the text names a dtype. */
export function isDType(name: string): name is DType {
  return Object.hasOwn(DTYPES, name);
}

/** Bytes of one element. */
export function byteSize(dtype: DType): number {
  return DTYPES[dtype].bytes;
}

/** Whether elements are bool, integers or floating point. */
export function kindOf(dtype: DType): DTypeKind {
  return DTYPES[dtype].kind;
}

/** What is wrong with an array that cannot be made. */
export const tooLarge = (length: number, dtype: DType): string =>
  `${length} elements of ${dtype} take ${Math.ceil((length * byteSize(dtype)) / 2 ** 30)} GiB, more than an array of this process can`;

/** Storage for `length` elements in place, over `buffer` from `byteOffset` on. */
export function viewOf<D extends DType>(
  dtype: D,
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
): DataOf<D> {
  return new DTYPES[dtype].array(buffer as ArrayBuffer, byteOffset, length) as DataOf<D>;
}

/** The dtype whose elements a typed array holds by its own class; 16-bit floats and bool need to be asked for by name. */
export function dtypeOfArray(array: ArrayBufferView): DType | undefined {
  if (array instanceof Float32Array) return 'f32';
  if (array instanceof Float64Array) return 'f64';
  if (array instanceof BigInt64Array) return 'i64';
  if (array instanceof Int32Array) return 'i32';
  if (array instanceof Int16Array) return 'i16';
  if (array instanceof Int8Array) return 'i8';
  if (array instanceof Uint8Array) return 'u8';
  return undefined;
}

/** The exponent and precision that define a binary floating-point format of 16 bits. */
interface HalfFormat {
  readonly mantissaBits: number;
  readonly maxExponent: number;
}

const F16: HalfFormat = { mantissaBits: 10, maxExponent: 15 };
const BF16: HalfFormat = { mantissaBits: 7, maxExponent: 127 };

/** The exact exponent of a positive finite number: the largest e with 2^e <= value. */
function floorLog2(value: number): number {
  const estimate = Math.floor(Math.log2(value));
  if (2 ** estimate > value) return estimate - 1;
  return 2 ** (estimate + 1) <= value ? estimate + 1 : estimate;
}

/** Adding and subtracting 2^52 rounds a non-negative number below 2^52 to an integer, ties to even. */
const ROUND = 2 ** 52;

function encodeHalf(value: number, { mantissaBits, maxExponent }: HalfFormat): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const infinity = (2 * maxExponent + 1) << mantissaBits;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return infinity | (1 << (mantissaBits - 1));
  if (size === 0) return sign;
  if (size >= 2 ** (maxExponent + 1)) return sign | infinity;
  const minExponent = 1 - maxExponent;
  const exponent = Math.max(floorLog2(size), minExponent);
  // The significand counts units in the last place, its leading bit included: where rounding carries into the next
  // exponent, or past the largest finite number into infinity, the addition below is already right.
  const significand = size * 2 ** (mantissaBits - exponent) + ROUND - ROUND;
  return sign | (((exponent - minExponent) << mantissaBits) + significand);
}

function decodeHalf(bits: number, { mantissaBits, maxExponent }: HalfFormat): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits & 0x7fff) >> mantissaBits;
  const fraction = bits & ((1 << mantissaBits) - 1);
  if (exponent === 2 * maxExponent + 1) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  const significand = exponent === 0 ? fraction : fraction + (1 << mantissaBits);
  return sign * significand * 2 ** (Math.max(exponent, 1) - maxExponent - mantissaBits);
}

/** The bit pattern of the f16 nearest to a number, ties to even; beyond 65504 (half a step more) it is infinity. */
export function toF16Bits(value: number): number {
  return encodeHalf(value, F16);
}

/** The number that an f16 bit pattern stands for. */
export function fromF16Bits(bits: number): number {
  return decodeHalf(bits, F16);
}

/** The bit pattern of the bf16 nearest to a number, ties to even. */
export function toBF16Bits(value: number): number {
  return encodeHalf(value, BF16);
}

/** The number that a bf16 bit pattern stands for. */
export function fromBF16Bits(bits: number): number {
  return decodeHalf(bits, BF16);
}

/** A stored element as a number: bit patterns decoded, a bool 0 or 1, and an i64 rounded to a double. */
export function storedToNumber(dtype: DType, stored: number | bigint): number {
  if (typeof stored === 'bigint') return Number(stored);
  if (dtype === 'f16') return decodeHalf(stored, F16);
  if (dtype === 'bf16') return decodeHalf(stored, BF16);
  return stored;
}

/**
 * A number as an element of a dtype is stored. Floats are rounded to the nearest; integers are cut towards zero and wrap
 * around, as typed arrays do, NaN and infinities being 0; anything but 0 is true.
 */
export function numberToStored(dtype: DType, value: number | bigint): number | bigint {
  switch (dtype) {
    case 'bool':
      return value ? 1 : 0;
    case 'i64':
      if (typeof value === 'bigint') return BigInt.asIntN(64, value);
      return Number.isFinite(value) ? BigInt.asIntN(64, BigInt(Math.trunc(value))) : 0n;
    case 'f16':
      return encodeHalf(Number(value), F16);
    case 'bf16':
      return encodeHalf(Number(value), BF16);
    case 'f32':
    case 'f64':
      return Number(value);
    default:
      // Small integers of a bigint must wrap before the bigint is rounded to a double.
      return typeof value === 'bigint' ? Number(BigInt.asIntN(32, value)) : value;
  }
}
