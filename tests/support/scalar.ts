// Evaluating scalar functions and measuring their errors, for tests.

import type { DType } from '../../compiler/ir/dtype.js';
import { blockSize, compileScalars } from '../../compiler/ir/evaluate/scalar/compile.js';
import { argument, callScalar, type Scalar, type ScalarFunction } from '../../compiler/ir/scalar.js';

export type Plain = number | bigint;

/** A function of many points at once: one list for each operand in, the list of values out. */
export type Sampled = (...operands: readonly (readonly Plain[])[]) => Plain[];

/** Compiles an expression over arguments of the given dtypes. Numbers become what their dtype holds. */
export function sampled(expression: Scalar, params: readonly DType[]): Sampled {
  const program = compileScalars([expression], params);
  const output = program.outputs[0] as ArrayLike<Plain>;
  return (...operands) => {
    const values: Plain[] = [];
    const count = operands[0]?.length ?? 0;
    for (let start = 0; start < count; start += blockSize) {
      const n = Math.min(blockSize, count - start);
      operands.forEach((list, i) => {
        const register = program.args[i] as { [at: number]: Plain };
        for (let k = 0; k < n; k++) {
          const value = list[start + k] as Plain;
          register[k] = params[i] === 'i64' ? BigInt(value) : Number(value);
        }
      });
      program.run(n);
      for (let k = 0; k < n; k++) values.push(output[k] as Plain);
    }
    return values;
  };
}

/** A scalar function on lists of operands. */
export const sampledFunction = (fn: ScalarFunction): ((...operands: readonly (readonly number[])[]) => number[]) =>
  sampled(callScalar(fn, ...fn.params.map((dtype, i) => argument(i, dtype))), fn.params) as (
    ...operands: readonly (readonly number[])[]
  ) => number[];

/** Bits of the mantissa and the smallest exponent of the unit in the last place. */
const layouts = {
  f32: { digits: 24, smallest: -149, largest: 127 },
  f64: { digits: 53, smallest: -1074, largest: 1023 },
};

/** The exponent e of a finite number with 2^e ≤ |x| < 2^(e+1); of 0 the smallest. */
function exponentOf(x: number): number {
  const magnitude = Math.abs(x);
  if (magnitude === 0) return -1074;
  const guess = Math.max(Math.floor(Math.log2(magnitude)), -1074);
  if (2 ** guess > magnitude) return guess - 1;
  return magnitude / 2 ** guess >= 2 ? guess + 1 : guess;
}

/**
 * The error of `got` against the exact value `high + low` in units in the last place of the exact value. A NaN or an infinity has error 0
 * where the exact value rounds to it, and an infinite one elsewhere.
 */
export function ulpError(got: number, high: number, low: number, dtype: 'f32' | 'f64'): number {
  const { digits, smallest, largest } = layouts[dtype];
  const rounded = dtype === 'f32' ? Math.fround(high) : high;
  if (Object.is(got, rounded) && !Number.isFinite(rounded)) return 0;
  if (Number.isNaN(got) || Number.isNaN(high)) return Number.isNaN(got) && Number.isNaN(high) ? 0 : Infinity;
  const exponent = Math.min(exponentOf(high), largest);
  const ulp = 2 ** Math.max(exponent - digits + 1, smallest);
  // Beyond the largest number an infinity stands for the next power of two.
  const finite = (x: number) => (Number.isFinite(x) ? x : Math.sign(x) * 2 ** largest * 2);
  if (!Number.isFinite(got) && dtype === 'f64')
    return Math.abs(high) >= Number.MAX_VALUE * (1 - 2 ** -50) ? 1 : Infinity;
  return Math.abs(finite(got) - high - low) / ulp;
}

const bits = new DataView(new ArrayBuffer(8));

/** The f32 with these bits. */
export function f32OfBits(pattern: number): number {
  bits.setUint32(0, pattern);
  return bits.getFloat32(0);
}
