// Numbers as C literals that read back to the same bits.

import { type DType, dtypeKind, intRange } from '../../compiler/ir/dtype.js';

/** A constant of a dtype in C. */
export function literalText(value: number | bigint, dtype: DType): string {
  if (dtypeKind(dtype) === 'float') return floatText(Number(value), dtype === 'f64');
  if (dtype === 'bool') return Number(value) === 0 ? '0' : '1';
  const wrapped = wrap(BigInt(value), dtype);
  if (dtype !== 'i64')
    return wrapped === -(2n ** 31n) ? '(-2147483647 - 1)' : wrapped < 0n ? `(${wrapped})` : `${wrapped}`;
  return wrapped === -(2n ** 63n) ? 'INT64_MIN' : wrapped < 0n ? `INT64_C(${wrapped})` : `INT64_C(${wrapped})`;
}

function wrap(value: bigint, dtype: DType): bigint {
  const { min, max } = intRange(dtype);
  const count = max - min + 1n;
  return ((((value - min) % count) + count) % count) + min;
}

/** A float in C. */
export function floatText(value: number, isDouble: boolean): string {
  const suffix = isDouble ? '' : 'f';
  if (Number.isNaN(value)) return `__builtin_nan${suffix}("")`;
  if (!Number.isFinite(value)) return `${value < 0 ? '(-' : ''}__builtin_inf${suffix}()${value < 0 ? ')' : ''}`;
  const rounded = isDouble ? value : Math.fround(value);
  const digits = String(Math.abs(rounded));
  const text = `${/[.e]/.test(digits) ? digits : `${digits}.0`}${suffix}`;
  return rounded < 0 || Object.is(rounded, -0) ? `(-${text})` : text;
}

/** A string literal in C. */
export const stringText = (text: string): string =>
  `"${text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n').replace(/\?\?/g, '?\\?')}"`;
