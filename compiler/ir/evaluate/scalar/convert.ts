// The loops of casts and bitcasts of the scalar evaluator.

import { fromBF16Bits, fromF16Bits, toBF16Bits, toF16Bits } from '../../../../runtime/dtype.js';
import { type DType, dtypeBytes, intRange, isFloat } from '../../dtype.js';
import type { Elements, Numbers } from '../tensor.js';
import type { Loop } from './loops.js';

const isBig = (data: Elements): data is BigInt64Array => data instanceof BigInt64Array;

/** Converts values: floats are truncated and clamped to the range of an integer, NaN gives 0; integers wrap; a bool is `≠ 0`. */
export function castLoop(out: Elements, to: DType, a: Elements, from: DType): Loop {
  if (isBig(a)) return isBig(out) ? copyBig(out, a) : fromBig(out, to, a);
  if (isBig(out)) return isFloat(from) ? floatToBig(out, a) : intToBig(out, a);
  if (to === 'bool') return toBool(out, a);
  if (isFloat(from) && !isFloat(to)) return floatToInt(out, a, Number(intRange(to).min), Number(intRange(to).max));
  return (n) => {
    for (let i = 0; i < n; i++) out[i] = a[i]!;
  };
}

const toBool =
  (out: Numbers, a: Numbers): Loop =>
  (n) => {
    for (let i = 0; i < n; i++) out[i] = a[i]! !== 0 ? 1 : 0;
  };

const floatToInt =
  (out: Numbers, a: Numbers, low: number, high: number): Loop =>
  (n) => {
    for (let i = 0; i < n; i++) {
      const value = Math.trunc(a[i]!);
      out[i] = value <= low ? low : value >= high ? high : value;
    }
  };

const copyBig =
  (out: BigInt64Array, a: BigInt64Array): Loop =>
  (n) => {
    for (let i = 0; i < n; i++) out[i] = a[i]!;
  };

const intToBig =
  (out: BigInt64Array, a: Numbers): Loop =>
  (n) => {
    for (let i = 0; i < n; i++) out[i] = BigInt(a[i]!);
  };

const floatToBig =
  (out: BigInt64Array, a: Numbers): Loop =>
  (n) => {
    const { min, max } = intRange('i64');
    for (let i = 0; i < n; i++) {
      const value = Math.trunc(a[i]!);
      if (value >= 2 ** 63) out[i] = max;
      else if (value <= -(2 ** 63)) out[i] = min;
      else out[i] = Number.isNaN(value) ? 0n : BigInt(value);
    }
  };

function fromBig(out: Numbers, to: DType, a: BigInt64Array): Loop {
  if (to === 'bool') {
    return (n) => {
      for (let i = 0; i < n; i++) out[i] = a[i]! !== 0n ? 1 : 0;
    };
  }
  if (!isFloat(to)) {
    return (n) => {
      for (let i = 0; i < n; i++) out[i] = Number(BigInt.asIntN(32, a[i]!));
    };
  }
  if (to === 'f64') {
    return (n) => {
      for (let i = 0; i < n; i++) out[i] = Number(a[i]!);
    };
  }
  return (n) => {
    for (let i = 0; i < n; i++) out[i] = Number(stickyTo53Bits(a[i]!));
  };
}

/** The integer with its low 10 bits folded into one bit above them, so that rounding it to f64 is exact and to f32 then rounds once. */
function stickyTo53Bits(value: bigint): bigint {
  if (value < 1n << 53n && value > -(1n << 53n)) return value;
  const rest = value & 0x3ffn;
  return rest === 0n ? value : (value - rest) | 0x400n;
}

/**
 * Keeps the bits between dtypes of one width. Registers of the same width may share memory: then there is nothing to do, and
 * `alias` gives the other view. Registers of 16-bit floats hold numbers, whose bits must be computed.
 */
export function bitcastLoop(out: Numbers, to: DType, a: Numbers, from: DType): Loop {
  const decode = to === 'f16' ? fromF16Bits : to === 'bf16' ? fromBF16Bits : undefined;
  const encode = from === 'f16' ? toF16Bits : from === 'bf16' ? toBF16Bits : undefined;
  return (n) => {
    for (let i = 0; i < n; i++) {
      const bits = encode === undefined ? a[i]! & 0xffff : encode(a[i]!);
      out[i] = decode === undefined ? bits : decode(bits);
    }
  };
}

const views = {
  bool: Uint8Array,
  u8: Uint8Array,
  i8: Int8Array,
  i16: Int16Array,
  i32: Int32Array,
  i64: BigInt64Array,
  f32: Float32Array,
  f64: Float64Array,
} as const;

const isHalf = (dtype: DType): dtype is 'f16' | 'bf16' => dtype === 'f16' || dtype === 'bf16';

/** The register's memory as elements of another dtype of the same width; undefined where a loop must convert. */
export function alias(a: Elements, from: DType, to: DType): Elements | undefined {
  if (dtypeBytes(from) !== dtypeBytes(to)) throw new TypeError(`a bitcast from ${from} to ${to} changes the width`);
  if (isHalf(from) || isHalf(to)) return from === to ? a : undefined;
  return new views[to](a.buffer as ArrayBuffer, a.byteOffset, a.length);
}
