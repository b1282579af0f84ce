// Elementwise nodes in the interpreter: blocks of elements are loaded into the argument registers of a compiled scalar program.

import type { DType } from '../dtype.js';
import { blockSize, type ScalarProgram } from './scalar/compile.js';
import { broadcastStrides, strideOffsets } from './strides.js';
import { allocate, type Elements, elementCount, type HostTensor } from './tensor.js';

/** Writes elements `start` … `start + n` of an operand, in the order of the result, to the start of a register. */
type Load = (start: number, n: number) => void;

/** Copies elements at the given offsets; both arrays store the same dtype. */
export function take(into: Elements, from: Elements, offsets: Int32Array, start: number, n: number): void {
  if (into instanceof BigInt64Array) {
    const source = from as BigInt64Array;
    for (let i = 0; i < n; i++) into[i] = source[offsets[start + i]!]!;
  } else {
    const source = from as Exclude<Elements, BigInt64Array>;
    for (let i = 0; i < n; i++) into[i] = source[offsets[start + i]!]!;
  }
}

/** Copies `n` elements; the arrays store dtypes of one class (bigints or numbers). */
export function copyElements(into: Elements, at: number, from: Elements, start: number, n: number): void {
  if (into instanceof BigInt64Array) {
    const source = from as BigInt64Array;
    for (let i = 0; i < n; i++) into[at + i] = source[start + i]!;
  } else {
    const source = from as Exclude<Elements, BigInt64Array>;
    for (let i = 0; i < n; i++) into[at + i] = source[start + i]!;
  }
}

function loader(register: Elements, operand: HostTensor, shape: readonly number[]): Load {
  const count = elementCount(operand.shape);
  if (count === 1) {
    if (register instanceof BigInt64Array) register.fill(operand.data[0] as bigint);
    else register.fill(operand.data[0] as number);
    return () => {};
  }
  if (count === elementCount(shape)) return (start, n) => copyElements(register, 0, operand.data, start, n);
  const offsets = strideOffsets(shape, broadcastStrides(operand.shape, shape));
  return (start, n) => take(register, operand.data, offsets, start, n);
}

/** Applies a scalar program with one output at every element of `shape`. */
export function evaluateElementwise(
  program: ScalarProgram,
  operands: readonly HostTensor[],
  dtype: DType,
  shape: readonly number[],
): HostTensor {
  const count = elementCount(shape);
  const data = allocate(dtype, count);
  if (count > 0) {
    const loads = operands.map((operand, i) => loader(program.args[i] as Elements, operand, shape));
    const output = program.outputs[0] as Elements;
    for (let start = 0; start < count; start += blockSize) {
      const n = Math.min(blockSize, count - start);
      for (const load of loads) load(start, n);
      program.run(n);
      copyElements(data, start, output, 0, n);
    }
  }
  return { dtype, shape: [...shape], data };
}
