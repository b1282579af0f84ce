// Reads nested lists of numbers into flat tensor storage, and writes storage as nested lists.

import { type DataOf, DTYPES, type DType, kindOf, numberToStored, storedToNumber } from './dtype.js';
import { allocate } from './memory.js';
import { formatShape } from './shape.js';

/** One element as the host gives it. */
export type Scalar = number | bigint | boolean;

/** A scalar, or lists of equal length around scalars. */
export type Nested<T = Scalar> = T | readonly Nested<T>[];

/** The scalars of a nested list in row-major order, and the lengths of the lists; lists of unequal length are refused. */
export function flatten(value: Nested): { scalars: Scalar[]; shape: number[] } {
  const shape: number[] = [];
  for (let inner: Nested | undefined = value; Array.isArray(inner); inner = inner[0]) shape.push(inner.length);
  const scalars: Scalar[] = [];
  const visit = (part: Nested, path: readonly number[]): void => {
    const depth = path.length;
    if (Array.isArray(part)) {
      if (depth === shape.length) throw raggedList(path, 'a single value', `a list of ${part.length}`);
      if (part.length !== shape[depth]) throw raggedList(path, `a list of ${shape[depth]}`, `a list of ${part.length}`);
      // An index loop also visits the holes of sparse arrays, which forEach would skip without a word.
      for (let i = 0; i < part.length; i++) visit(part[i], [...path, i]);
    } else {
      if (typeof part !== 'number' && typeof part !== 'bigint' && typeof part !== 'boolean') {
        throw new TypeError(`a tensor is made of numbers and booleans, but ${at(path)} is ${describe(part)}`);
      }
      if (depth !== shape.length) throw raggedList(path, `a list of ${shape[depth]}`, String(part));
      scalars.push(part);
    }
  };
  visit(value, []);
  return { scalars, shape };
}

/**
 * The dtype that PyTorch would choose: bool where all are booleans, i64 where all are whole, else f32. JavaScript cannot
 * tell 1.0 from 1, so that whole numbers meant as floats need a dtype.
 */
export function inferDType(scalars: readonly Scalar[]): 'bool' | 'i64' | 'f32' {
  if (scalars.length === 0) return 'f32';
  if (scalars.every((value) => typeof value === 'boolean')) return 'bool';
  return scalars.every((value) => typeof value !== 'number' || Number.isSafeInteger(value)) ? 'i64' : 'f32';
}

/** Why a number is no element of an integer dtype; undefined where it is one. */
export function integerProblem(dtype: DType, number: number | bigint): string | undefined {
  if (typeof number === 'number' && !Number.isInteger(number)) {
    return `${number} is not a whole number, so it is not an element of ${dtype}`;
  }
  const bits = BigInt(8 * DTYPES[dtype].bytes);
  const [low, high] = dtype === 'u8' ? [0n, 255n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n];
  // JavaScript compares a number and a bigint as they are, without rounding either.
  return number < low || number > high
    ? `${number} is beyond the range of ${dtype}, which is ${low} to ${high}`
    : undefined;
}

/** One scalar as stored in a dtype; a number that an integer dtype cannot hold is refused, never cut or wrapped. */
export function scalarToStored(dtype: DType, value: Scalar): number | bigint {
  const number = typeof value === 'boolean' ? Number(value) : value;
  const problem = kindOf(dtype) === 'int' ? integerProblem(dtype, number) : undefined;
  if (problem !== undefined) throw new RangeError(`${problem}; cast it on purpose`);
  return numberToStored(dtype, number);
}

/** Scalars as the storage of a tensor of that dtype. */
export function pack<D extends DType>(dtype: D, scalars: ArrayLike<Scalar>): DataOf<D> {
  const data = allocate(dtype, scalars.length);
  const stored: { [index: number]: number | bigint } = data;
  for (let i = 0; i < scalars.length; i++) stored[i] = scalarToStored(dtype, scalars[i]!);
  return data;
}

/** One stored element as the host reads it: a boolean or a number; an i64 that no number can hold is refused. */
export function storedToScalar(dtype: DType, stored: number | bigint): number | boolean {
  if (dtype === 'bool') return stored !== 0;
  const value = storedToNumber(dtype, stored);
  if (typeof stored === 'bigint' && !Number.isSafeInteger(value)) {
    throw new RangeError(`${stored} is too large for a JavaScript number; read it from the tensor's data, as a bigint`);
  }
  return value;
}

/** Flat storage as nested lists of the given lengths. */
export function nest(
  dtype: DType,
  shape: readonly number[],
  data: ArrayLike<number | bigint>,
): Nested<number | boolean> {
  const build = (axis: number, start: number, count: number): Nested<number | boolean> => {
    if (axis === shape.length) return storedToScalar(dtype, data[start]!);
    const size = shape[axis]!;
    const inner = size === 0 ? 0 : count / size;
    return Array.from({ length: size }, (_, i) => build(axis + 1, start + i * inner, inner));
  };
  return build(0, 0, data.length);
}

function at(path: readonly number[]): string {
  return path.length === 0 ? 'the value' : `the element at ${formatShape(path)}`;
}

function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  return value === null ? 'null' : `of type ${typeof value}`;
}

function raggedList(path: readonly number[], expected: string, found: string): RangeError {
  return new RangeError(
    `the lists of a tensor have equal lengths, but ${at(path)} is ${found} in place of ${expected}`,
  );
}
